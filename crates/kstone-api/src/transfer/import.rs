//! Imports: items from JSON, as DynamoDB's exports, its command line, [`Table::export_json`] and other programs write
//! them.
//!
//! # What is read
//! | input | its records |
//! | --- | --- |
//! | JSON lines: full exports of DynamoDB and of kstone | lines `{"Item":{…}}` in DynamoDB's typed JSON |
//! | JSON lines: incremental exports of DynamoDB | lines `{"Metadata":…,"Keys":…,"NewImage":…}`: the new image, which must have these keys, is put; without one, the item with these keys is deleted |
//! | JSON lines, typed or plain | lines that are items: `{"pk":{"S":"a"}}` or `{"pk":"a"}` |
//! | arrays of items | the elements, on one line or over many |
//! | what `aws dynamodb scan` and `query` print | the elements of `Items` |
//! | items over lines, one after another, as `jq` prints them | the items |
//!
//! Each may be compressed by gzip, in one member or several. What an input is, its beginning says: the first byte for
//! gzip, the first line for lines or JSON that goes over lines, the first record for typed or plain JSON, unless
//! [`ImportOptions::form`] says that. `{"Item":{…}}` wraps a typed item where `Item` is the only member and holds an
//! object; otherwise an attribute is called so. Lines end with LF or CR LF; blank ones are passed over, and so is a byte
//! order mark. A line, and an item in JSON that goes over lines, may have [`IMPORT_LINE_MAX_BYTES`]; no item takes half
//! of that without spaces. Exports in Amazon Ion, manifests, records of streams and requests are refused by name.
//!
//! # Keys
//! | key attribute | in the input | the item's key | in the item |
//! | --- | --- | --- | --- |
//! | `pk`, `sk`, the default; `sk` may be missing | S or B; in plain JSON a number, too | its bytes, a number's canonical text | no: they are the key itself |
//! | others that [`ImportOptions`] names; both must be there | S, B or N | its bytes, a number's canonical text | yes |
//!
//! A typed table takes the key from the attributes that its schema names, which are of the types that it declares; what
//! [`ImportOptions`] names can be no other.
//!
//! An empty key is refused in both forms. So what was exported comes back as it was put, and exports alike. One thing is
//! not told apart: an item that was put with attributes `pk` and `sk` of its own, which must equal its key, comes back
//! without them; expressions and queries see the key under these names in any case.
//!
//! # Bad records
//! By default an import is done twice: every record is read and checked, then every item is put. The first bad record
//! ends it before anything is put, with its line. With [`ImportOptions::in_one_pass`] it is done once, and the first bad
//! record ends it with what came before in the database. With [`ImportOptions::skip_bad_records`] bad records are skipped
//! and counted; in JSON that goes over lines only those between sound brackets and commas.
//!
//! Items are put one by one, as [`Table::put`] does, through indexes and into the stream, in the place of those that
//! are there; of two records with one key the later counts. A record is put whole or not at all. What fails for another
//! reason than a bad record (no memory is left to the database, a disk fails, the file changes between the two readings)
//! leaves what was put until then.
//!
//! Memory: a record, and what it is read into. Of an input that can be sought some hundred KiB of records more, which
//! are read ahead: helper threads read them while this thread does what those before them say.
//!
//! Thread safety: any thread, at any time; others see items as they come. Of an input that cannot be sought each record
//! is done before more is asked of it.

use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, Reason, Result};
use kstone_core::key_layout::KeyPart;
use kstone_core::label::InternedLayout;

use crate::json::JsonForm;
use crate::table::Table;
use crate::transfer::file;

mod batch;
mod documents;
mod form;
mod layout;
mod lines;
mod reading;
mod record;
mod records;
mod scanner;
mod unzip;

pub use lines::IMPORT_LINE_MAX_BYTES;
use reading::Reading;
use record::Action;
pub use records::foreign_format;
pub use unzip::Unzip;

/// How many skipped records a report tells of.
pub const SKIPPED_SHOWN: usize = 10;

/// What the input of import is called where it is no file.
const INPUT: &str = "the input";

/// How to import: which attributes are the key, and what becomes of bad records. See the module for both.
///
/// ```
/// use kstone_api::{Database, ImportOptions};
/// let lines = r#"{"Item":{"Artist":{"S":"Acme Band"},"SongTitle":{"S":"Happy Day"},"Year":{"N":"1998"}}}"#;
/// let db = Database::create_in_memory()?;
/// let options = ImportOptions::new().partition_key("Artist").sort_key("SongTitle");
/// let report = db.import_json(std::io::Cursor::new(lines), &options)?;
/// assert_eq!(report.loaded, 1);
/// let song = db.get_with_sk(b"Acme Band", b"Happy Day")?.expect("imported");
/// assert_eq!(song["Artist"].as_string(), Some("Acme Band"));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    partition_key: Option<String>,
    sort_key: Option<String>,
    form: Option<JsonForm>,
    bad: OnBad,
}

/// What becomes of an import that meets a bad record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum OnBad {
    /// It does not begin: records are checked beforehand.
    #[default]
    Refuse,
    /// It ends there.
    Stop,
    /// It goes on with the next one.
    Skip,
}

impl ImportOptions {
    /// Keys in the attributes that a typed table names, or in `pk` and `sk`; the first bad record ends the import before anything is put.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attribute that is the partition key. Without [`ImportOptions::sort_key`] items have no sort key then.
    #[must_use]
    pub fn partition_key(mut self, attribute: impl Into<String>) -> Self {
        self.partition_key = Some(attribute.into());
        self
    }

    /// The attribute that is the sort key.
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>) -> Self {
        self.sort_key = Some(attribute.into());
        self
    }

    /// The form of JSON that all items are in, instead of the one that the first item is in.
    #[must_use]
    pub fn form(mut self, form: JsonForm) -> Self {
        self.form = Some(form);
        self
    }

    /// Skips bad records and counts them.
    #[must_use]
    pub fn skip_bad_records(mut self) -> Self {
        self.bad = OnBad::Skip;
        self
    }

    /// Reads the input once: the first bad record ends the import, and what came before it stays. For pipes, and for
    /// databases that are thrown away then.
    #[must_use]
    pub fn in_one_pass(mut self) -> Self {
        self.bad = OnBad::Stop;
        self
    }

    fn check(&self, keys: Option<&'static InternedLayout>) -> Result<()> {
        let names = [&self.partition_key, &self.sort_key];
        if names.iter().any(|name| name.as_ref().is_some_and(String::is_empty)) {
            return Err(Error::from(Reason::ImportKeyUnnamed));
        }
        if let Some(layout) = keys {
            let parts = [Some(layout.partition()), layout.sort()].map(|part| part.map(KeyPart::name));
            return match names.into_iter().zip(parts).find(|(given, own)| given.is_some() && given.as_deref() != *own) {
                None => Ok(()),
                Some((given, own)) => {
                    let (given, own) = (given.as_deref().unwrap_or_default(), own.unwrap_or("no attribute"));
                    Err(Error::from(Reason::ImportKeyNamed { given: given.into(), own: own.into() }))
                }
            };
        }
        let pk = self.partition_key.as_deref().unwrap_or("pk");
        match self.sort_key.as_deref() {
            Some(sk) if sk == pk => Err(Error::from(Reason::ImportKeyTwice { name: pk.into() })),
            _ => Ok(()),
        }
    }
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Records whose item was put.
    pub loaded: u64,
    /// Records of incremental exports whose item was deleted.
    pub deleted: u64,
    /// Bad records.
    pub skipped: u64,
    /// The first of the bad records, up to [`SKIPPED_SHOWN`].
    pub first_skipped: Vec<SkippedRecord>,
}

/// A record that was bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRecord {
    /// Its line, the first being 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

impl ImportReport {
    fn count(&mut self, action: Action) {
        match action {
            Action::Put => self.loaded += 1,
            Action::Delete => self.deleted += 1,
        }
    }

    fn skip(&mut self, line: u64, what: String) {
        self.skipped += 1;
        if self.first_skipped.len() < SKIPPED_SHOWN {
            self.first_skipped.push(SkippedRecord { line, what });
        }
    }
}

impl Table {
    /// Puts the items of the input, from where it stands to its end. See [`ImportOptions`] and its module.
    ///
    /// Costs a parse of each record and a put, a second parse where records are checked first. Helper threads share the
    /// parsing, so more of the input is read than is put at any time.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the line of the first bad record, unless they are skipped, [`Error::Invalid`] for
    /// key attributes that cannot be, [`Error::Io`] where the input cannot be read: then nothing was put, unless the
    /// options say so. What a put may return otherwise: then some items were.
    pub fn import_json(&self, mut input: impl BufRead + Seek, options: &ImportOptions) -> Result<ImportReport> {
        options.check(self.keys())?;
        let reading = Reading { table: self, name: INPUT, options, reads_ahead: true };
        if options.bad == OnBad::Refuse {
            let failed = |error| Error::io("read again", INPUT, error);
            let start = input.stream_position().map_err(failed)?;
            reading.check(&mut input)?;
            input.seek(SeekFrom::Start(start)).map_err(failed)?;
        }
        reading.import(input)
    }

    /// As [`Table::import_json`], for an input that can be read only once. The options must say what becomes of bad
    /// records, since it takes a second reading to put nothing before everything is checked.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that neither skip nor read once; as there.
    pub fn import_json_stream(&self, input: impl BufRead, options: &ImportOptions) -> Result<ImportReport> {
        options.check(self.keys())?;
        if options.bad == OnBad::Refuse {
            return Err(read_only_once(INPUT));
        }
        Reading { table: self, name: INPUT, options, reads_ahead: false }.import(input)
    }

    /// As [`Table::import_json`], from a file; from a pipe or a terminal as [`Table::import_json_stream`].
    ///
    /// # Errors
    /// As there, naming the file.
    pub fn import_json_file(&self, path: impl AsRef<Path>, options: &ImportOptions) -> Result<ImportReport> {
        options.check(self.keys())?;
        let name = file::name_of(path.as_ref());
        let mut input = BufReader::new(file::open(path.as_ref())?);
        let reads_ahead = input.stream_position().is_ok();
        let reading = Reading { table: self, name: &name, options, reads_ahead };
        if options.bad == OnBad::Refuse {
            if !reads_ahead {
                return Err(read_only_once(&name));
            }
            reading.check(&mut input)?;
            input.rewind().map_err(|error| Error::io("read again", &name, error))?;
        }
        reading.import(input)
    }
}

fn read_only_once(name: &str) -> Error {
    Error::from(Reason::ReadOnce { name: name.into() })
}

#[cfg(test)]
mod tests;
