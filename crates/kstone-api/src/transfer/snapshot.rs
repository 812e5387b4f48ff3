//! Snapshots: the whole database in a file, and back.
//!
//! ```
//! use kstone_api::{Database, ItemBuilder};
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("accounts.kstone");
//! let db = Database::create_in_memory()?;
//! db.put(b"account#1", ItemBuilder::new().number("cents", 100).build())?;
//! assert_eq!(db.save_snapshot(&path)?, 1);
//!
//! let again = Database::open_snapshot(&path)?;
//! assert_eq!(again.get(b"account#1")?, db.get(b"account#1")?);
//! # Ok::<(), kstone_api::Error>(())
//! ```
//!
//! A snapshot holds the items and the schema as they were at one moment, whatever is written meanwhile: writers wait
//! for the moment of a view, not for the file. Index entries are not in it; they are made anew from the schema. Items
//! that have expired and were not removed yet are in it, and stay invisible. The records of the stream are not; the
//! number of the last one is, so that a reader of the stream finds out that it missed something.
//!
//! `docs/snapshot-format.md` describes the file, byte by byte.
//!
//! # Invariants
//! 1. The file named is the old one or the new one, whole, at every moment, also where the process is killed.
//! 2. A load shows nothing, or the schema and all items as one; it shows nothing of a file in which any byte is wrong.
//! 3. What a file says is believed only after it is checked as if an attacker had written it: lengths before they are
//!    used, items as strictly as items that are put, keys for being there once.
//!
//! # Thread safety
//! Any thread, at any time. A load keeps [`Table::configure`] and [`Table::fork`] waiting; nothing else waits for
//! a load or a save.

use std::cell::RefCell;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use parking_lot::Mutex;

use crate::account::Account;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::model::progress::SnapshotProgress;
use crate::table::Table;
use crate::transfer::file;

mod format;
mod load;
mod save;

/// What errors call an output that is no file.
const OUTPUT: &str = "the output";
/// What errors call an input that is no file.
const INPUT: &str = "the input";

impl Table {
    /// Writes the database as it is now to a file, in the place of one that is there; how many items that are.
    ///
    /// The file is written next to its place, synced and renamed into it. It gets the permissions of the file that it
    /// replaces. A process that is killed meanwhile may leave a file `.kstone-*.tmp` behind, which may be deleted.
    ///
    /// Costs two passes over the items, a copy of their bytes to the file, and what the disk takes to sync it. Memory:
    /// a block of the file, and, until the call returns, what is overwritten meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] for a path that is there and is no file; [`Error::Poisoned`]. The file is then
    /// what it was.
    pub fn save_snapshot(&self, path: impl AsRef<Path>) -> Result<u64> {
        self.save_snapshot_with(path, |_| Ok(()))
    }

    /// As [`Table::save_snapshot`], telling `progress` how far it has come, first with the number of items, then
    /// each thousand items or so. An error that it returns ends the save and is returned.
    ///
    /// # Errors
    /// As there; what `progress` returns.
    pub fn save_snapshot_with(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(SnapshotProgress) -> Result<()>,
    ) -> Result<u64> {
        save_file(self, path.as_ref(), &mut progress)
    }

    /// Fills an empty database from a snapshot: schema and items appear as one. How many items that are.
    ///
    /// The schema of the file takes the place of the database's own; its options stay, and the name of a table of an
    /// account. A stream starts anew, and a
    /// reader that goes on with it is told so by [`Error::Trimmed`], whatever it had read. A read at work meanwhile
    /// goes by the schema that there was when it began, as with [`Table::configure`].
    ///
    /// Costs a read of the file, a check and a copy of every item, and its index entries.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where any byte of the file is wrong, saying which and what; [`Error::Invalid`] where the
    /// database holds items, or gets one meanwhile, and for a file of another version; [`Error::Limit`] where the items
    /// do not fit the memory limit; [`Error::Io`]; [`Error::Poisoned`]. Nothing is changed then.
    pub fn load_snapshot(&self, path: impl AsRef<Path>) -> Result<u64> {
        self.load_snapshot_with(path, |_| Ok(()))
    }

    /// As [`Table::load_snapshot`], telling `progress` how far it has come, first with the number of items, then
    /// after each block of the file. An error that it returns ends the load and is returned.
    ///
    /// # Errors
    /// As there; what `progress` returns.
    pub fn load_snapshot_with(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(SnapshotProgress) -> Result<()>,
    ) -> Result<u64> {
        load_file(self, path.as_ref(), &mut progress)
    }

    /// Writes a snapshot of the database as it is now to anything that takes bytes; how many items it has. The bytes
    /// are those that [`Table::save_snapshot`] writes to a file.
    ///
    /// No lock is held while `out` is called: it may use this database in any way.
    ///
    /// # Errors
    /// [`Error::Io`] where `out` fails; it has part of a snapshot then, which no load takes. [`Error::Interrupted`];
    /// [`Error::Poisoned`].
    ///
    /// ```
    /// use kstone_api::{Database, Item};
    /// let db = Database::create_in_memory()?;
    /// db.put(b"kept", Item::new())?;
    /// let mut bytes = Vec::new();
    /// db.save_snapshot_to(&mut bytes)?;
    /// let again = Database::create_in_memory()?;
    /// again.load_snapshot_from(bytes.as_slice())?;
    /// assert!(again.get(b"kept")?.is_some());
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn save_snapshot_to(&self, out: impl Write) -> Result<u64> {
        save_to(self, out)
    }

    /// Fills an empty database from the bytes of a snapshot, up to the end of `input`, as [`Table::load_snapshot`]
    /// does from a file.
    ///
    /// `input` may use this database while it is called, but for what would wait for the load: it can neither load,
    /// configure nor fork it, which is [`Error::Invalid`].
    ///
    /// # Errors
    /// As there; [`Error::Io`] where `input` fails.
    pub fn load_snapshot_from(&self, input: impl Read) -> Result<u64> {
        load_from(self, input)
    }

    /// How far the save or load has come that is at work on this database now; of the last one where none is, of the
    /// one that moved last where there are several. For another thread to poll.
    pub fn snapshot_progress(&self) -> SnapshotProgress {
        *self.progress_cell().lock()
    }
}

impl Account {
    /// Writes all tables as they are at one moment to a file, in the place of one that is there; how many items they
    /// have. As [`Table::save_snapshot`], whose file an account loads, too.
    ///
    /// ```
    /// use kstone_api::{Account, ItemBuilder, KeyType, TableSchema};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("shop.kstone");
    /// let account = Account::create_in_memory();
    /// let users = account.create_table(TableSchema::new().name("users").partition_key("id", KeyType::S))?;
    /// users.put_item(ItemBuilder::new().string("id", "ann").build())?;
    /// account.save_snapshot(&path)?;
    ///
    /// let again = Account::create_in_memory();
    /// again.load_snapshot(&path)?;
    /// assert!(again.table("users")?.get(b"ann")?.is_some());
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::save_snapshot`].
    pub fn save_snapshot(&self, path: impl AsRef<Path>) -> Result<u64> {
        self.save_snapshot_with(path, |_| Ok(()))
    }

    /// As [`Table::save_snapshot_with`].
    ///
    /// # Errors
    /// As there.
    pub fn save_snapshot_with(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(SnapshotProgress) -> Result<()>,
    ) -> Result<u64> {
        save_file(self, path.as_ref(), &mut progress)
    }

    /// As [`Account::save_snapshot`], with bytes in addition that kstone does not look at: at most 64 MiB. A load of the file
    /// gives them back ([`Account::load_snapshot_annotated`]), or passes over them.
    ///
    /// ```
    /// use kstone_api::Account;
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("noted.kstone");
    /// Account::create_in_memory().save_snapshot_annotated(&path, b"of Tuesday")?;
    /// assert_eq!(Account::create_in_memory().load_snapshot_annotated(&path)?, (0, b"of Tuesday".to_vec()));
    /// assert_eq!(Account::create_in_memory().load_snapshot(&path)?, 0);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there; [`Error::Limit`] for more bytes.
    pub fn save_snapshot_annotated(&self, path: impl AsRef<Path>, annotation: &[u8]) -> Result<u64> {
        save_file(&Annotated::with(self, annotation), path.as_ref(), &mut |_| Ok(()))
    }

    /// As [`Account::load_snapshot`], with the bytes that were saved in addition, none where none were.
    ///
    /// # Errors
    /// As there.
    pub fn load_snapshot_annotated(&self, path: impl AsRef<Path>) -> Result<(u64, Vec<u8>)> {
        let annotated = Annotated::with(self, &[]);
        let items = load_file(&annotated, path.as_ref(), &mut |_| Ok(()))?;
        Ok((items, annotated.annotation.into_inner()))
    }

    /// As [`Account::save_snapshot_annotated`], to anything that takes bytes.
    ///
    /// # Errors
    /// As there, and as [`Table::save_snapshot_to`].
    pub fn save_snapshot_annotated_to(&self, out: impl Write, annotation: &[u8]) -> Result<u64> {
        save_to(&Annotated::with(self, annotation), out)
    }

    /// As [`Account::load_snapshot_annotated`], from the bytes of a snapshot.
    ///
    /// # Errors
    /// As there, and as [`Table::load_snapshot_from`].
    pub fn load_snapshot_annotated_from(&self, input: impl Read) -> Result<(u64, Vec<u8>)> {
        let annotated = Annotated::with(self, &[]);
        let items = load_from(&annotated, input)?;
        Ok((items, annotated.annotation.into_inner()))
    }

    /// Makes the tables of a snapshot, all at once; how many items they have. No table of the account may have a name of
    /// one of them. A file of one table without a name makes a table called `items`.
    ///
    /// # Errors
    /// As [`Table::load_snapshot`]; [`Error::TableExists`]. Nothing is changed then.
    pub fn load_snapshot(&self, path: impl AsRef<Path>) -> Result<u64> {
        self.load_snapshot_with(path, |_| Ok(()))
    }

    /// As [`Table::load_snapshot_with`].
    ///
    /// # Errors
    /// As there, and as [`Account::load_snapshot`].
    pub fn load_snapshot_with(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(SnapshotProgress) -> Result<()>,
    ) -> Result<u64> {
        load_file(self, path.as_ref(), &mut progress)
    }

    /// As [`Table::save_snapshot_to`].
    ///
    /// # Errors
    /// As there.
    pub fn save_snapshot_to(&self, out: impl Write) -> Result<u64> {
        save_to(self, out)
    }

    /// As [`Table::load_snapshot_from`].
    ///
    /// # Errors
    /// As there, and as [`Account::load_snapshot`].
    pub fn load_snapshot_from(&self, input: impl Read) -> Result<u64> {
        load_from(self, input)
    }

    /// As [`Table::snapshot_progress`].
    pub fn snapshot_progress(&self) -> SnapshotProgress {
        *self.progress_cell().lock()
    }
}

/// What a snapshot is of: a table, or all tables of an account.
trait Whole {
    /// What tells how far a save or a load of it has come.
    fn report<'a>(&'a self, callback: Callback<'a>) -> Report<'a>;

    /// Writes it as it is now; how many items it has. Errors call the output `name`.
    fn save(&self, out: impl Write, name: &str, report: &mut Report<'_>) -> Result<u64>;

    /// Takes in what a snapshot holds; how many items that are. Errors call the input `name`.
    fn load(&self, input: impl Read, name: &str, report: &mut Report<'_>) -> Result<u64>;
}

impl Whole for Table {
    fn report<'a>(&'a self, callback: Callback<'a>) -> Report<'a> {
        Report::new(self.progress_cell(), self.interrupt.as_ref(), callback)
    }

    fn save(&self, out: impl Write, name: &str, report: &mut Report<'_>) -> Result<u64> {
        save::save(self, out, name, report)
    }

    fn load(&self, input: impl Read, name: &str, report: &mut Report<'_>) -> Result<u64> {
        load::load(self, input, name, report)
    }
}

impl Whole for Account {
    fn report<'a>(&'a self, callback: Callback<'a>) -> Report<'a> {
        Report::new(self.progress_cell(), self.interrupt(), callback)
    }

    fn save(&self, out: impl Write, name: &str, report: &mut Report<'_>) -> Result<u64> {
        Annotated::with(self, &[]).save(out, name, report)
    }

    fn load(&self, input: impl Read, name: &str, report: &mut Report<'_>) -> Result<u64> {
        Annotated::with(self, &[]).load(input, name, report)
    }
}

/// An account and what its file says in addition: what is to be saved, or what was loaded.
struct Annotated<'a> {
    account: &'a Account,
    annotation: RefCell<Vec<u8>>,
}

impl<'a> Annotated<'a> {
    fn with(account: &'a Account, annotation: &[u8]) -> Self {
        Self { account, annotation: RefCell::new(annotation.to_vec()) }
    }
}

impl Whole for Annotated<'_> {
    fn report<'a>(&'a self, callback: Callback<'a>) -> Report<'a> {
        self.account.report(callback)
    }

    fn save(&self, out: impl Write, name: &str, report: &mut Report<'_>) -> Result<u64> {
        save::save_account((self.account, &self.annotation.borrow()), out, name, report)
    }

    fn load(&self, input: impl Read, name: &str, report: &mut Report<'_>) -> Result<u64> {
        let mut annotation = Vec::new();
        let loaded =
            self.account.add_tables(|create| load::load_tables(create, (input, &mut annotation), name, report))?;
        self.annotation.replace(annotation);
        Ok(loaded)
    }
}

fn save_file(whole: &impl Whole, path: &Path, progress: Callback<'_>) -> Result<u64> {
    let mut report = whole.report(progress);
    file::replace(path, |out| whole.save(out, &file::name_of(path), &mut report))
}

fn load_file(whole: &impl Whole, path: &Path, progress: Callback<'_>) -> Result<u64> {
    let mut report = whole.report(progress);
    whole.load(BufReader::new(file::open(path)?), &file::name_of(path), &mut report)
}

fn save_to(whole: &impl Whole, out: impl Write) -> Result<u64> {
    let mut nothing_to_tell = |_| Ok(());
    let mut out = BufWriter::new(out);
    let saved = whole.save(&mut out, OUTPUT, &mut whole.report(&mut nothing_to_tell))?;
    out.flush().map_err(|error| Error::io("write", OUTPUT, error))?;
    Ok(saved)
}

fn load_from(whole: &impl Whole, input: impl Read) -> Result<u64> {
    let mut nothing_to_tell = |_| Ok(());
    whole.load(BufReader::new(input), INPUT, &mut whole.report(&mut nothing_to_tell))
}

/// What is told how far it has come; an error that it returns ends it.
type Callback<'a> = &'a mut dyn FnMut(SnapshotProgress) -> Result<()>;

/// Tells the caller, and a thread that polls, how far it has come.
struct Report<'a> {
    /// What a thread that polls looks at.
    shown: &'a Mutex<SnapshotProgress>,
    interrupt: Option<&'a Interrupt>,
    progress: SnapshotProgress,
    callback: Callback<'a>,
}

impl<'a> Report<'a> {
    fn new(shown: &'a Mutex<SnapshotProgress>, interrupt: Option<&'a Interrupt>, callback: Callback<'a>) -> Self {
        let progress = SnapshotProgress::default();
        *shown.lock() = progress;
        Self { shown, interrupt, progress, callback }
    }

    /// How many items are done.
    fn done(&self) -> u64 {
        self.progress.done
    }

    /// There are so many items.
    fn begin(&mut self, total: u64) -> Result<()> {
        self.progress.total = total;
        self.reach(0)
    }

    /// So many items are done.
    fn reach(&mut self, done: u64) -> Result<()> {
        self.progress.done = done;
        *self.shown.lock() = self.progress;
        self.interrupt.map_or(Ok(()), Interrupt::check)?;
        (self.callback)(self.progress)
    }

    /// So many more items are done.
    fn advance(&mut self, items: u64) -> Result<()> {
        self.reach(self.progress.done + items)
    }
}

#[cfg(test)]
mod tests;
