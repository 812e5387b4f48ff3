//! Random databases go out and come back; random changes to import files are refused or do whole records.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use kstone_api::{Database, Error, ImportOptions, Item, KeystoneValue, Result, Scan};

fn export(db: &Database) -> String {
    let mut lines = Vec::new();
    db.export_json(&mut lines).expect("exported");
    String::from_utf8(lines).expect("JSON is text")
}

fn count(db: &Database) -> u64 {
    db.iter_scan(&Scan::new()).expect("opened").count() as u64
}

fn text(random: &mut fastrand::Rng) -> String {
    (0..random.usize(..6))
        .map(|_| *random.choice(&['a', '"', '\\', '\n', '\0', ' ', '{', 'é', '😀', '\u{2028}']).expect("some"))
        .collect()
}

fn value(random: &mut fastrand::Rng, depth: u32) -> KeystoneValue {
    match random.u32(..if depth == 0 { 8 } else { 10 }) {
        0 => KeystoneValue::string(text(random)),
        1 => KeystoneValue::number(random.i64(..)),
        2 => KeystoneValue::N(format!("{}.{}", random.i32(-9..9), random.u32(..))),
        3 => KeystoneValue::binary((0..random.usize(..4)).map(|_| random.u8(..)).collect::<Vec<_>>()),
        4 => KeystoneValue::bool(random.bool()),
        5 => KeystoneValue::null(),
        6 => KeystoneValue::SS(vec![text(random)]),
        7 => KeystoneValue::BS(vec![vec![random.u8(..)].into()]),
        8 => KeystoneValue::list((0..random.usize(..3)).map(|_| value(random, depth - 1)).collect::<Vec<_>>()),
        _ => KeystoneValue::map(
            (0..random.usize(..3)).map(|i| (format!("m{i}"), value(random, depth - 1))).collect::<Vec<_>>(),
        ),
    }
}

fn key(random: &mut fastrand::Rng) -> Vec<u8> {
    if random.bool() {
        format!("k{}", text(random)).into_bytes()
    } else {
        (0..random.usize(1..4)).map(|_| random.u8(..)).collect()
    }
}

fn random_database(random: &mut fastrand::Rng, items: usize) -> Database {
    let db = Database::create_in_memory().expect("created");
    for _ in 0..items {
        let sk = if random.bool() { key(random) } else { Vec::new() };
        let item: Item = (0..random.usize(..4)).map(|_| (format!("a{}", text(random)), value(random, 3))).collect();
        db.put_with_sk(&key(random), &sk, item).expect("put");
    }
    db
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("compressed")
}

fn import(bytes: &[u8], options: &ImportOptions) -> (Database, Result<u64>) {
    let db = Database::create_in_memory().expect("created");
    let loaded = db.import_json(Cursor::new(bytes), options).map(|report| report.loaded);
    (db, loaded)
}

/// As lines, an array, a response of Scan; compressed or not; in one pass or two.
#[test]
fn whatever_is_exported_comes_back() {
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let items = random.usize(..20);
        let db = random_database(&mut random, items);
        let lines = export(&db);
        let items: Vec<&str> = lines.lines().map(|line| &line[r#"{"Item":"#.len()..line.len() - 1]).collect();
        let joined = items.join(",\n");
        for whole in [
            lines.clone(),
            items.join("\r\n\r\n"),
            format!("[{joined}]"),
            format!("{{\n \"Items\": [{joined}],\n \"Count\": {} }}\n", items.len()),
        ] {
            for bytes in [whole.as_bytes().to_vec(), zipped(whole.as_bytes())] {
                for options in [ImportOptions::new(), ImportOptions::new().in_one_pass()] {
                    let (again, loaded) = import(&bytes, &options);
                    assert_eq!(loaded, Ok(items.len() as u64), "seed {seed}: {whole}");
                    assert_eq!(export(&again), lines, "seed {seed}: {whole}");
                }
            }
        }
    }
}

/// Changes some bytes, moves, doubles or drops parts.
fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        let end = random.usize(at..=bytes.len().min(at + 40));
        match random.u32(..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u32(..8),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => {
                let part = bytes[at..end].to_vec();
                let to = random.usize(..=bytes.len());
                bytes.splice(to..to, part);
            }
            _ => bytes.insert(at, *random.choice(b"{}[],:\"\\\n\r \xff\0a1").expect("some")),
        }
    }
}

/// A file of lines does what its lines do one by one; by default it does all of that or nothing.
#[test]
fn changed_lines_are_put_whole_or_not_at_all() {
    // Says that the file is one of lines.
    const FIRST: &[u8] = b"{\"Item\":{\"pk\":{\"S\":\"first\"}}}\n";
    let skip = ImportOptions::new().skip_bad_records();
    for seed in 0..1500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut lines = export(&random_database(&mut random, 5)).into_bytes();
        mutate(&mut lines, &mut random);
        let expected = Database::create_in_memory().expect("created");
        let mut good = 1;
        for line in lines.split(|byte| *byte == b'\n') {
            let report = expected.import_json(Cursor::new([FIRST, line].concat()), &skip).expect("skips what is bad");
            good += report.loaded - 1;
        }
        let (db, loaded) = import(&[FIRST, &lines].concat(), &skip);
        assert_eq!(loaded, Ok(good), "seed {seed}");
        assert_eq!(export(&db), export(&expected), "seed {seed}");
        let (db, loaded) = import(&[FIRST, &lines].concat(), &ImportOptions::new());
        match loaded {
            Ok(loaded) => assert_eq!((loaded, export(&db)), (good, export(&expected)), "seed {seed}"),
            Err(Error::Corrupt { .. }) => assert_eq!(count(&db), 0, "seed {seed}"),
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
}

/// JSON over lines and compressed files: all or nothing; in one pass, nothing but items that were there.
#[test]
fn changed_documents_and_compressed_files_are_put_whole_or_not_at_all() {
    for seed in 0..1500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let original = export(&random_database(&mut random, 5));
        let items: Vec<&str> = original.lines().map(|line| &line[r#"{"Item":"#.len()..line.len() - 1]).collect();
        let mut bytes = match random.u32(..3) {
            0 => format!("[\n{}\n]\n", items.join(",\n")).into_bytes(),
            1 => format!("{{\"Items\":[{}],\"Count\":5}}", items.join(",")).into_bytes(),
            _ => zipped(original.as_bytes()),
        };
        mutate(&mut bytes, &mut random);
        let (db, loaded) = import(&bytes, &ImportOptions::new());
        match loaded {
            Ok(loaded) => assert!(count(&db) <= loaded, "seed {seed}"),
            Err(Error::Corrupt { .. } | Error::Io { .. }) => assert_eq!(count(&db), 0, "seed {seed}"),
            Err(other) => panic!("seed {seed}: {other}"),
        }
        let (once, in_one_pass) = import(&bytes, &ImportOptions::new().in_one_pass());
        if in_one_pass.is_ok() {
            assert_eq!(export(&once), export(&db), "seed {seed}");
        }
        let (_, skipping) = import(&bytes, &ImportOptions::new().skip_bad_records());
        assert!(matches!(skipping, Ok(_) | Err(Error::Corrupt { .. } | Error::Io { .. })), "seed {seed}");
    }
}

#[test]
fn bytes_that_are_anything_are_refused() {
    for seed in 0..2000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bytes: Vec<u8> = (0..random.usize(..200))
            .map(|_| if random.bool() { random.u8(..) } else { *random.choice(b"{}[],:\"\\\n Item").expect("some") })
            .collect();
        let (db, loaded) = import(&bytes, &ImportOptions::new());
        assert_eq!(loaded.unwrap_or(0), count(&db), "seed {seed}");
    }
}
