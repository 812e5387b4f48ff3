//! Exports and imports through the file system, and while others write.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kstone_api::{
    Database, Error, ImportOptions, ItemBuilder, KeystoneValue, Position, Result, Scan, TableSchema,
    TransactWriteRequest, Write,
};
use raise::Raise;
use tempfile::TempDir;

mod raise;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("made");
    let path = directory.path().join("items.jsonl");
    (directory, path)
}

fn count(db: &Database) -> usize {
    db.scan(Scan::new()).expect("scanned").count
}

fn of_items(items: usize) -> Database {
    let db = Database::create_in_memory().expect("created");
    for i in 0..items {
        db.put(format!("item#{i}").as_bytes(), ItemBuilder::new().number("n", i as i64).build()).expect("put");
    }
    db
}

#[test]
fn an_export_replaces_its_file_and_is_imported_again() -> Result<()> {
    let (directory, path) = place();
    fs::write(&path, "what was there").expect("written");
    let db = of_items(3000);
    assert_eq!(db.export_json_file(&path)?, 3000);
    let again = Database::create_in_memory()?;
    assert_eq!(again.import_json_file(&path, &ImportOptions::new())?.loaded, 3000);
    let records = |db: &Database| Ok::<_, Error>(db.iter_scan(&Scan::new())?.collect::<Vec<_>>());
    assert_eq!(records(&again)?, records(&db)?);
    let first = fs::read(&path).expect("read");
    assert_eq!(again.export_json_file(&path)?, 3000);
    assert_eq!(fs::read(&path).expect("read"), first);
    assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 1, "nothing else is left");
    assert_eq!(Database::create_in_memory()?.export_json_file(&path)?, 0);
    assert_eq!(fs::read(&path).expect("read"), b"");
    assert_eq!(again.import_json_file(&path, &ImportOptions::new())?.loaded, 0);
    Ok(())
}

#[test]
fn what_has_expired_is_left_out_of_an_export() -> Result<()> {
    let db = Database::create_in_memory_with_schema(TableSchema::new().with_ttl("until"))?;
    db.set_time(500);
    for (i, until) in [900, 999, 1000, 2000].into_iter().enumerate() {
        db.put(&[b'0' + i as u8], ItemBuilder::new().number("until", until).build())?;
    }
    db.put(b"never", ItemBuilder::new().build())?;
    // No write comes after this that would remove what has expired.
    db.set_time(1000);
    assert_eq!(db.stats()?.items, 5);
    let mut lines = Vec::new();
    assert_eq!(db.export_json(&mut lines)?, 3);
    let text = String::from_utf8(lines).expect("UTF-8");
    let mut keys: Vec<&str> = text.lines().filter_map(|line| line.split('"').nth(7)).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["2", "3", "never"]);
    Ok(())
}

#[test]
fn an_import_names_file_and_line_and_loads_nothing() -> Result<()> {
    let (_directory, path) = place();
    of_items(2000).export_json_file(&path)?;
    let mut text = fs::read_to_string(&path).expect("read");
    text.push_str("{\"Item\":{}}\n");
    fs::write(&path, text).expect("written");
    let db = Database::create_in_memory()?;
    let error = db.import_json_file(&path, &ImportOptions::new()).expect_err("refused");
    assert!(matches!(error, Error::Corrupt { at: Position::Line(2001), .. }));
    let expected = format!("{}, line 2001: the key attribute pk is missing", path.display());
    assert_eq!((error.to_string(), count(&db)), (expected, 0));
    let report = db.import_json_file(&path, &ImportOptions::new().skip_bad_records())?;
    assert_eq!((report.loaded, report.skipped, report.first_skipped[0].line), (2000, 1, 2001));
    Ok(())
}

#[test]
fn files_that_cannot_be_read_or_written_are_io_errors() -> Result<()> {
    let (directory, path) = place();
    let db = of_items(3000);
    let missing = directory.path().join("missing").join("items.jsonl");
    let io_error = |outcome: Result<u64>, action: &str, file: &Path, cause: &str| {
        let error = outcome.expect_err("failed").to_string();
        let found = error.starts_with(&format!("cannot {action} {}: ", file.display())) && error.contains(cause);
        assert!(found, "{error}");
    };
    let import = |path: &Path| db.import_json_file(path, &ImportOptions::new()).map(|report| report.loaded);
    io_error(db.export_json_file(&missing), "write", &missing, "No such file");
    io_error(import(&path), "read", &path, "No such file");
    io_error(import(directory.path()), "read", directory.path(), "Is a directory");
    assert!(matches!(db.export_json_file(directory.path()), Err(Error::Invalid(_))));
    assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 0);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_io_error() {
    let full = fs::File::options().write(true).open("/dev/full").expect("opened");
    let error = of_items(1).export_json(full).expect_err("failed").to_string();
    assert!(error.starts_with("cannot write the output: No space left"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_imported_only_where_bad_records_are_skipped() -> Result<()> {
    use std::io::Write as _;
    use std::os::fd::AsRawFd;
    let (reader, mut writer) = std::io::pipe().expect("made");
    writer.write_all(b"{\"pk\":{\"S\":\"a\"}}\nbad\n").expect("written");
    drop(writer);
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let db = Database::create_in_memory()?;
    let refused = db.import_json_file(&path, &ImportOptions::new());
    assert!(
        matches!(refused, Err(Error::Invalid(text)) if text.to_string().contains(&path) && text.to_string().contains("only once"))
    );
    let report = db.import_json_file(&path, &ImportOptions::new().skip_bad_records())?;
    assert_eq!((report.loaded, report.skipped), (1, 1));
    Ok(())
}

/// Money that moves between accounts is neither made nor lost.
#[test]
fn an_export_is_one_moment_of_what_writers_do() -> Result<()> {
    const ACCOUNTS: u64 = 32;
    let db = Database::create_in_memory()?;
    for i in 0..ACCOUNTS {
        db.put(&i.to_be_bytes(), ItemBuilder::new().number("cents", 100).build())?;
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let _done = Raise(&done);
        for seed in 0..2 {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                while !done.load(Ordering::Relaxed) {
                    let from = random.u64(..ACCOUNTS);
                    let to = (from + random.u64(1..ACCOUNTS)) % ACCOUNTS;
                    let cents = KeystoneValue::number(random.i64(1..10));
                    let moved = TransactWriteRequest::new()
                        .write(Write::update(&from.to_be_bytes(), "SET cents = cents - :c").value(":c", cents.clone()))
                        .write(Write::update(&to.to_be_bytes(), "SET cents = cents + :c").value(":c", cents));
                    db.transact_write(moved).expect("moved");
                }
            });
        }
        (0..20).try_for_each(|_| {
            let mut lines = Vec::new();
            db.export_json(&mut lines)?;
            let again = Database::create_in_memory()?;
            again.import_json(std::io::Cursor::new(lines), &ImportOptions::new())?;
            let cents = |item: &kstone_api::Item| item["cents"].as_number().expect("a number").parse::<i64>();
            let sum: i64 = again.scan(Scan::new())?.items.iter().map(|item| cents(item).expect("whole")).sum();
            assert_eq!(sum, 100 * ACCOUNTS as i64);
            Ok(())
        })
    })
}
