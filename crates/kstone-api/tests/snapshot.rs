//! Snapshots through the file system: crashes, other threads, other files, what comes back.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use kstone_api::clock::ClockSource;
use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, Item, ItemBuilder, KeystoneValue, LocalSecondaryIndex,
    Query, Result, Scan, SnapshotProgress, StreamViewType, TableSchema, TransactWriteRequest, Write,
};
use raise::Raise;
use tempfile::TempDir;

mod raise;

/// A directory and a path in it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("made");
    let path = directory.path().join("db.kstone");
    (directory, path)
}

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = fs::read_dir(directory).expect("read").map(|entry| name(entry.expect("read"))).collect();
    names.sort();
    names
}

fn number(i: i64) -> Item {
    ItemBuilder::new().number("n", i).build()
}

/// So many items that say all the same.
fn generation(items: usize, n: i64) -> Database {
    let db = Database::create_in_memory().expect("created");
    for i in 0..items {
        let item = ItemBuilder::new().number("n", n).string("text", "some text to make it longer").build();
        db.put(format!("item#{i}").as_bytes(), item).expect("put");
    }
    db
}

fn numbers(db: &Database) -> Vec<i64> {
    let records = db.iter_scan(&Scan::new()).expect("opened");
    let of_n = |n: Option<&str>| n.expect("there").parse().expect("a number");
    records.map(|record| of_n(record.item().get("n").and_then(|n| n.as_number()))).collect()
}

#[test]
fn schema_indexes_time_to_live_and_items_come_back() -> Result<()> {
    let (_directory, path) = place();
    let schema = TableSchema::new()
        .name("sessions")
        .add_local_index(LocalSecondaryIndex::new("by-age", "age"))
        .add_global_index(GlobalSecondaryIndex::new("by-user", "user"))
        .with_ttl("expires");
    let db = Database::create_in_memory_with_schema(schema.clone())?;
    db.set_time(100);
    for i in 0..5000_i64 {
        let session = ItemBuilder::new()
            .string("user", format!("user#{}", i % 7))
            .number("age", 5000 - i)
            .number("expires", if i % 2 == 0 { 500 } else { 2_000 })
            .build();
        db.put_with_sk(format!("day#{}", i % 11).as_bytes(), &i.to_be_bytes(), session)?;
    }
    db.set_time(1_000);
    assert_eq!(db.save_snapshot(&path)?, 5000, "what has expired and is not removed is saved");

    let clock = ClockSource::default();
    clock.set_time(1_000);
    let again = Database::open_snapshot_with(
        &path,
        DatabaseOptions { memtable_max_records: 10, ..DatabaseOptions::default() },
        clock,
    )?;
    assert_eq!(again.schema(), schema);
    let all: Vec<_> = db.iter_scan(&Scan::new())?.collect();
    assert_eq!(all.len(), 2500);
    assert_eq!(again.iter_scan(&Scan::new())?.collect::<Vec<_>>(), all);
    let queries = [
        Query::new().index("by-user").partition_key(b"user#3").build(),
        Query::new().index("by-age").partition_key(b"day#5").reverse(true).build(),
        Query::new().partition_key(b"day#7").build(),
    ];
    for query in queries {
        let (expected, found) = (db.query(query.clone())?, again.query(query)?);
        assert!(expected.count > 100);
        assert_eq!(found.items, expected.items);
    }
    // Those that had expired are there as far as they were: a purge finds them.
    assert_eq!(again.purge_expired()?, 2500);
    assert_eq!(again.scan(Scan::new())?.count, 2500);
    Ok(())
}

#[test]
fn a_database_that_holds_items_is_not_loaded_into() -> Result<()> {
    let (_directory, path) = place();
    generation(10, 1).save_snapshot(&path)?;
    let db = Database::create_in_memory_with_schema(TableSchema::new().name("mine"))?;
    db.put(b"a", number(7))?;
    assert!(matches!(db.load_snapshot(&path), Err(Error::Invalid(text)) if text.to_string().contains("empty")));
    assert_eq!((numbers(&db), db.schema().table_name()), (vec![7], Some("mine")));
    db.delete(b"a")?;
    assert_eq!(db.load_snapshot(&path), Ok(10));
    assert_eq!((numbers(&db), db.schema()), (vec![1; 10], TableSchema::new()));
    assert!(matches!(db.load_snapshot(&path), Err(Error::Invalid(_))));
    db.clear()?;
    assert_eq!(db.load_snapshot(&path), Ok(10));
    Ok(())
}

#[test]
fn an_item_that_comes_while_a_snapshot_is_read_keeps_it_out() -> Result<()> {
    let (_directory, path) = place();
    let source = Database::create_in_memory_with_schema(TableSchema::new().with_ttl("expires"))?;
    source.put(b"a", number(1))?;
    source.save_snapshot(&path)?;
    let db = Database::create_in_memory()?;
    let put = |progress: SnapshotProgress| if progress.done == 1 { db.put(b"mine", number(7)) } else { Ok(()) };
    assert!(
        matches!(db.load_snapshot_with(&path, put), Err(Error::Invalid(text)) if text.to_string().contains("not empty"))
    );
    assert_eq!((numbers(&db), db.schema()), (vec![7], TableSchema::new()));

    // One that came and went does not.
    let db = Database::create_in_memory()?;
    let put_and_delete = |_| db.put(b"mine", number(7)).and_then(|()| db.delete(b"mine"));
    assert_eq!(db.load_snapshot_with(&path, put_and_delete), Ok(1));
    assert_eq!((numbers(&db), db.schema()), (vec![1], TableSchema::new().with_ttl("expires")));
    Ok(())
}

#[test]
fn schema_and_items_appear_as_one() -> Result<()> {
    let (_directory, path) = place();
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-n", "kind"));
    let source = Database::create_in_memory_with_schema(schema)?;
    for i in 0..400 {
        source.put(format!("{i}").as_bytes(), ItemBuilder::new().string("kind", "a").build())?;
    }
    source.save_snapshot(&path)?;
    for _ in 0..10 {
        let db = Database::create_in_memory()?;
        thread::scope(|scope| {
            let read = || {
                loop {
                    let entries = db.query(Query::new().index("by-n").partition_key(b"a").build());
                    let items = db.scan(Scan::new()).expect("scanned").count;
                    match entries {
                        // Without its schema, there was no item yet; the scan came later.
                        Err(Error::Invalid(_)) => assert!([0, 400].contains(&items), "{items} items"),
                        Ok(page) => {
                            assert_eq!((page.count, items), (400, 400));
                            return;
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
            };
            let readers = [scope.spawn(read), scope.spawn(read)];
            db.load_snapshot(&path).expect("loaded");
            for reader in readers {
                reader.join().expect("read");
            }
        });
    }
    Ok(())
}

/// Money that moves between accounts is neither made nor lost, in the table nor in its index.
#[test]
fn a_snapshot_is_one_moment_of_what_four_writers_do() -> Result<()> {
    const ACCOUNTS: u64 = 64;
    let (_directory, path) = place();
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-bank", "bank"));
    let db = Database::create_in_memory_with_schema(schema)?;
    for i in 0..ACCOUNTS {
        db.put(&i.to_be_bytes(), ItemBuilder::new().string("bank", "b").number("n", 100).build())?;
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let _done = Raise(&done);
        for seed in 0..4 {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                while !done.load(Ordering::Relaxed) {
                    let (from, to) = (random.u64(..ACCOUNTS), random.u64(..ACCOUNTS));
                    let cents = KeystoneValue::number(random.i64(1..10));
                    if from == to {
                        continue;
                    }
                    let moved = TransactWriteRequest::new()
                        .write(Write::update(&from.to_be_bytes(), "SET n = n - :c").value(":c", cents.clone()))
                        .write(Write::update(&to.to_be_bytes(), "SET n = n + :c").value(":c", cents));
                    db.transact_write(moved).expect("moved");
                }
            });
        }
        (0..20).try_for_each(|_| {
            assert_eq!(db.save_snapshot(&path)?, ACCOUNTS);
            let again = Database::open_snapshot(&path)?;
            assert_eq!(numbers(&again).iter().sum::<i64>(), 100 * ACCOUNTS as i64);
            let entries = again.query(Query::new().index("by-bank").partition_key(b"b").build())?;
            let in_index = entries.items.iter().map(|item| item["n"].as_number().expect("a number"));
            assert_eq!(in_index.map(|n| n.parse::<i64>().expect("whole")).sum::<i64>(), 100 * ACCOUNTS as i64);
            Ok(())
        })
    })
}

#[test]
fn the_schema_of_a_snapshot_is_that_of_its_moment() -> Result<()> {
    let (_directory, path) = place();
    let db = generation(300, 1);
    let with_index = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-n", "n"));
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let _done = Raise(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                db.configure(with_index.clone()).expect("configured");
                db.configure(TableSchema::new()).expect("configured");
            }
        });
        (0..30).try_for_each(|_| {
            db.save_snapshot(&path)?;
            let again = Database::open_snapshot(&path)?;
            assert_eq!(numbers(&again), [1; 300]);
            let by_n = Query::new().index("by-n").key_condition_expression("n = :n");
            let by_n = again.query(by_n.expression_value(":n", KeystoneValue::number(1)).build());
            match again.schema() == with_index {
                true => assert_eq!(by_n?.count, 300),
                false => assert!(by_n.is_err() && again.schema() == TableSchema::new()),
            }
            Ok(())
        })
    })
}

#[test]
fn a_reader_of_the_stream_is_told_of_a_load() -> Result<()> {
    let (_directory, path) = place();
    let schema = TableSchema::new().with_stream(StreamViewType::KeysOnly);
    let source = Database::create_in_memory_with_schema(schema.clone())?;
    (0..10).try_for_each(|i| source.put(b"a", number(i)))?;
    source.save_snapshot(&path)?;
    for before in [TableSchema::new(), schema] {
        let db = Database::create_in_memory_with_schema(before)?;
        db.load_snapshot(&path)?;
        for after in [0, 9, 10] {
            let missed = db.read_stream(after, 10).expect_err("trimmed");
            assert_eq!(missed, Error::Trimmed { after, oldest: 12 });
        }
        db.put(b"a", number(99))?;
        let news: Vec<u64> = db.read_stream(11, 10)?.iter().map(|record| record.sequence_number()).collect();
        assert_eq!(news, [12]);
    }
    Ok(())
}

/// The numbers go on from the larger of two: that of the file, and that of the database it is loaded into.
#[test]
fn a_load_never_sets_the_numbers_of_the_stream_back() -> Result<()> {
    let (_directory, path) = place();
    let schema = TableSchema::new().with_stream(StreamViewType::KeysOnly);
    let source = Database::create_in_memory_with_schema(schema.clone())?;
    (0..10).try_for_each(|i| source.put(b"a", number(i)))?;
    source.save_snapshot(&path)?;
    let db = Database::create_in_memory_with_schema(schema)?;
    (0..20).try_for_each(|i| db.put(b"mine", number(i)))?;
    db.delete(b"mine")?;
    assert_eq!(db.read_stream(20, 10)?.len(), 1);
    db.load_snapshot(&path)?;
    assert_eq!(db.read_stream(21, 10).unwrap_err(), Error::Trimmed { after: 21, oldest: 23 });
    db.put(b"a", number(99))?;
    assert_eq!(db.read_stream(22, 10)?[0].sequence_number(), 23);
    Ok(())
}

#[test]
fn the_progress_of_a_save_or_load_that_fails_at_once_is_none() -> Result<()> {
    let (directory, path) = place();
    let db = generation(10, 1);
    db.save_snapshot(&path)?;
    assert_eq!(db.snapshot_progress(), SnapshotProgress { done: 10, total: 10 });
    db.save_snapshot(directory.path().join("missing").join("db.kstone")).expect_err("no such directory");
    assert_eq!(db.snapshot_progress(), SnapshotProgress::default());
    db.save_snapshot(&path)?;
    db.load_snapshot(directory.path().join("missing")).expect_err("no such file");
    assert_eq!(db.snapshot_progress(), SnapshotProgress::default());
    Ok(())
}

#[test]
fn a_save_replaces_the_file_and_leaves_nothing_else() -> Result<()> {
    let (directory, path) = place();
    for n in 1..4 {
        assert_eq!(generation(10 * n, n as i64).save_snapshot(&path)?, 10 * n as u64);
        assert_eq!(numbers(&Database::open_snapshot(&path)?), vec![n as i64; 10 * n]);
        assert_eq!(names(directory.path()), ["db.kstone"]);
    }
    Ok(())
}

#[test]
fn a_save_that_fails_leaves_the_file_as_it_was_and_nothing_else() -> Result<()> {
    let (directory, path) = place();
    generation(10, 1).save_snapshot(&path)?;
    let before = fs::read(&path).expect("read");
    let other = generation(5000, 2);
    for stop_at in [0, 1000, 5000] {
        let enough = || Error::from(kstone_api::error::Reason::NoOutcome);
        let stop = |progress: SnapshotProgress| if progress.done >= stop_at { Err(enough()) } else { Ok(()) };
        assert_eq!(other.save_snapshot_with(&path, stop), Err(enough()));
    }
    assert_eq!(fs::read(&path).expect("read"), before);
    assert_eq!(names(directory.path()), ["db.kstone"]);

    let no_directory = directory.path().join("missing").join("db.kstone");
    let below_a_file = path.join("db.kstone");
    for (bad, cause) in [(no_directory, "No such file"), (below_a_file, "Not a directory")] {
        let error = other.save_snapshot(&bad).expect_err("failed");
        assert!(matches!(error, Error::Io { action: "write", .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&bad.display().to_string()) && text.contains(cause), "{text}");
    }
    assert!(
        matches!(other.save_snapshot(directory.path()), Err(Error::Invalid(text)) if text.to_string().contains("not a file"))
    );
    assert_eq!(names(directory.path()), ["db.kstone"]);
    Ok(())
}

#[test]
fn a_file_that_cannot_be_read_is_an_io_error() {
    let (directory, path) = place();
    let db = Database::create_in_memory().expect("created");
    for (bad, cause) in [(path.as_path(), "No such file"), (directory.path(), "Is a directory")] {
        let error = db.load_snapshot(bad).expect_err("failed");
        assert!(matches!(error, Error::Io { action: "read", .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&bad.display().to_string()) && text.contains(cause), "{text}");
    }
    assert!(Database::open_snapshot(&path).is_err());
}

#[cfg(unix)]
#[test]
fn a_save_keeps_permissions_and_follows_links() -> Result<()> {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let (directory, path) = place();
    let link = directory.path().join("link");
    generation(1, 1).save_snapshot(&path)?;
    let plain = directory.path().join("plain");
    fs::write(&plain, "").expect("written");
    assert_eq!(mode(&path), mode(&plain), "a new file is as open as the umask lets it be");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("set");
    symlink("db.kstone", &link).expect("linked");
    generation(2, 2).save_snapshot(&link)?;
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(numbers(&Database::open_snapshot(&path)?), [2, 2]);
    assert_eq!(names(directory.path()), ["db.kstone", "link", "plain"]);

    // Links to nothing yet, from one to the next, and in a circle.
    for (from, to) in [("a", "b"), ("b", "new.kstone"), ("circle", "round"), ("round", "circle")] {
        symlink(to, directory.path().join(from)).expect("linked");
    }
    generation(3, 3).save_snapshot(directory.path().join("a"))?;
    assert_eq!(numbers(&Database::open_snapshot(directory.path().join("new.kstone"))?), [3; 3]);
    let error = generation(3, 3).save_snapshot(directory.path().join("circle")).expect_err("refused").to_string();
    assert!(error.contains("circle: Too many levels of symbolic links"), "{error}");
    assert_eq!(
        names(directory.path()),
        ["a", "b", "circle", "db.kstone", "link", "new.kstone", "plain", "round"],
        "no link was written over"
    );
    Ok(())
}

#[test]
fn a_damaged_file_is_refused_by_name_and_byte() -> Result<()> {
    let (_directory, path) = place();
    generation(10, 1).save_snapshot(&path)?;
    let mut bytes = fs::read(&path).expect("read");
    bytes[40] ^= 1;
    fs::write(&path, bytes).expect("written");
    let error = Database::open_snapshot(&path).err().expect("refused");
    assert!(matches!(error, Error::Corrupt { .. }));
    assert!(error.to_string().starts_with(&format!("{}, byte ", path.display())), "{error}");
    Ok(())
}

/// The path that a process of the kill test saves to.
const SAVE_TO: &str = "KSTONE_TEST_SAVE_TO";
const ITEMS: usize = 3000;

/// Runs this very test in another process, which saves until it is killed.
struct Saver(Child);

impl Saver {
    fn start(path: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("known"));
        command.args(["--exact", "a_save_that_is_killed_leaves_the_old_file_or_the_new_one", "--nocapture"]);
        let child = command.env(SAVE_TO, path).stdout(Stdio::piped()).spawn().expect("started");
        let mut saver = Self(child);
        let mut lines = BufReader::new(saver.0.stdout.take().expect("piped")).lines();
        assert!(lines.any(|line| line.expect("read").contains("saving")), "the saver did not come up");
        saver
    }
}

impl Drop for Saver {
    /// SIGKILL, on Unix.
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("gone");
    }
}

/// Never returns but where nobody kills it.
fn save_on_and_on(path: &Path) {
    let generations = [1, 2].map(|n| generation(ITEMS, n));
    println!("saving");
    for n in 0..100_000 {
        generations[n % 2].save_snapshot(path).expect("saved");
    }
}

#[test]
fn a_save_that_is_killed_leaves_the_old_file_or_the_new_one() -> Result<()> {
    if let Some(path) = std::env::var_os(SAVE_TO) {
        save_on_and_on(Path::new(&path));
        return Ok(());
    }
    let (directory, path) = place();
    let first = generation(ITEMS, 0);
    let started = std::time::Instant::now();
    first.save_snapshot(&path)?;
    let a_few_saves = 4 * started.elapsed().as_micros() as u64;
    let half_done = || names(directory.path()).len() - 1;
    let mut random = fastrand::Rng::with_seed(17);
    let mut found = [0; 3];
    // On a slow disk some more kills, until they have met everything that they are to meet.
    for kill in 0..2000 {
        if kill >= 50 && found[1] > 0 && found[2] > 0 && half_done() > 0 {
            break;
        }
        let saver = Saver::start(&path);
        thread::sleep(Duration::from_micros(random.u64(..a_few_saves)));
        drop(saver);
        let numbers = numbers(&Database::open_snapshot(&path)?);
        assert_eq!(numbers, vec![numbers[0]; ITEMS]);
        found[numbers[0] as usize] += 1;
    }
    assert!(found[1] > 0 && found[2] > 0, "no save came to its end: {found:?}");
    assert!(half_done() > 0, "no kill met a save at work");
    assert!(names(directory.path()).iter().all(|name| name == "db.kstone" || name.starts_with(".kstone-")));
    Ok(())
}
