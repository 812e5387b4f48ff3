//! Inputs of many records, which helper threads read: everything is as if they were read one by one.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const RECORDS: usize = 4_000;

/// Lines that put and delete items under few keys, of which this many are not sound; the first is.
fn lines(random: &mut fastrand::Rng, bad: usize) -> String {
    let line = |i: usize, random: &mut fastrand::Rng| {
        let pk = random.usize(..RECORDS / 4);
        match random.u8(1..40) {
            _ if i == 0 => r#"{"Item":{"pk":{"S":"first"}}}"#.to_owned(),
            1 => String::new(),
            2 => format!(r#"{{"Metadata":{{}},"Keys":{{"pk":{{"S":"{pk}"}}}}}}"#),
            // Longer than what helpers are given, so long that it fills a batch, and longer than the others.
            3 => {
                let len = *random.choice([1_000, 1_000, 2_000, 2_000, 40_000, 140_000].iter()).expect("some");
                format!(r#"{{"Item":{{"pk":{{"S":"{pk}"}},"v":{{"S":"{}"}}}}}}"#, "x".repeat(len))
            }
            _ => format!(r#"{{"Item":{{"pk":{{"S":"{pk}"}},"v":{{"N":"{i}"}}}}}}"#),
        }
    };
    let mut lines: Vec<String> = (0..RECORDS).map(|i| line(i, random)).collect();
    for _ in 0..bad {
        let what = ["x", r#"{"Item":{}}"#, r#"{"Item":{"pk":{"S":"a"},"v":{"N":"x"}}}"#, r#"{"Item":{"pk":{"S":""}}}"#];
        lines[random.usize(1..RECORDS)] = (*random.choice(&what).expect("some")).to_owned();
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A database whose stream tells in which order records came.
fn with_stream() -> Database {
    Database::create_in_memory_with_schema(TableSchema::new().with_stream(StreamViewType::NewImage)).expect("created")
}

fn assert_same(shared: &Database, alone: &Database) {
    assert_eq!(export(shared), export(alone));
    let changes = |db: &Database| {
        let records = db.read_stream(0, usize::MAX).expect("read");
        records.iter().map(|record| (record.event_name(), record.pk().to_vec())).collect::<Vec<_>>()
    };
    assert_eq!(changes(shared), changes(alone));
}

/// As [`Database::import_json_stream`] does it, one record at a time.
#[test]
fn many_records_come_as_if_they_were_read_one_by_one() {
    let mut random = fastrand::Rng::with_seed(29);
    for bad in [0, 1, 3, 200] {
        for options in [ImportOptions::new().skip_bad_records(), ImportOptions::new().in_one_pass()] {
            let text = lines(&mut random, bad);
            let (shared, alone) = (with_stream(), with_stream());
            let expected = alone.import_json_stream(text.as_bytes(), &options);
            assert_eq!(shared.import_json(Cursor::new(&text), &options), expected);
            assert_same(&shared, &alone);
        }
    }
}

#[test]
fn many_records_with_bad_ones_are_refused_at_the_first_and_none_is_put() {
    let mut random = fastrand::Rng::with_seed(31);
    for bad in [1, 2, 50] {
        let text = lines(&mut random, bad);
        let expected = empty().import_json_stream(text.as_bytes(), &ImportOptions::new().in_one_pass());
        let db = empty();
        assert!(matches!(expected, Err(Error::Corrupt { at: Position::Line(_), .. })));
        assert_eq!(import(&db, &text), expected);
        assert_eq!(count(&db), 0);
    }
}

/// Each reads only what is already on its way to the helpers.
#[test]
fn an_import_of_many_records_is_interrupted_in_the_middle() {
    struct Raising<'a>(Cursor<&'a [u8]>, crate::Interrupt);

    impl Read for Raising<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.position() > 100_000 {
                self.1.raise();
            }
            self.0.read(buffer)
        }
    }

    impl Seek for Raising<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    let text = lines(&mut fastrand::Rng::with_seed(37), 0);
    let (db, interrupt) = (empty(), crate::Interrupt::new());
    let ended = db.interrupted_by(&interrupt);
    for options in [ImportOptions::new(), ImportOptions::new().in_one_pass()] {
        interrupt.clear();
        let mut input = BufReader::new(Raising(Cursor::new(text.as_bytes()), interrupt.clone()));
        assert_eq!(ended.import_json(&mut input, &options), Err(Error::Interrupted));
        assert!(input.get_ref().0.position() < text.len() as u64 / 2);
        let some = if options.bad == OnBad::Refuse { 0 } else { 1 };
        assert!((some..RECORDS / 4).contains(&count(&db)), "{} items", count(&db));
    }
}

/// What was read before the input failed counts, as where each record is done before the next is read.
#[test]
fn an_input_that_fails_at_last_has_put_what_came_before() {
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            Pipe(self.0).read(buffer).inspect(|read| self.0 = &self.0[*read..])
        }
    }

    impl Seek for Failing<'_> {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Ok(0)
        }
    }

    let text = lines(&mut fastrand::Rng::with_seed(41), 0);
    let (shared, alone) = (with_stream(), with_stream());
    let options = ImportOptions::new().in_one_pass();
    let expected = alone.import_json_stream(BufReader::new(Failing(text.as_bytes())), &options);
    assert!(matches!(&expected, Err(Error::Io { .. })));
    assert_eq!(shared.import_json(BufReader::new(Failing(text.as_bytes())), &options), expected);
    assert_same(&shared, &alone);
}

#[test]
fn what_comes_before_damage_of_the_layout_or_of_gzip_is_put() {
    let items: Vec<_> = (0..RECORDS).map(|i| format!("\n{{\"pk\":{{\"S\":\"{i}\"}}}}")).collect();
    let no_comma = format!("[{} {}]", items[..RECORDS / 2].join(","), items[RECORDS / 2..].join(","));
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(items.concat().as_bytes()).expect("compressed");
    let zipped = zipped.finish().expect("compressed");
    for (damaged, what) in [
        (no_comma.as_bytes(), "line 2002: expected a comma or the end of the array"),
        (&zipped[..zipped.len() / 2], "the gzip data ends in the middle"),
    ] {
        for options in [ImportOptions::new().in_one_pass(), ImportOptions::new().skip_bad_records()] {
            let (shared, alone) = (with_stream(), with_stream());
            let error = shared.import_json(Cursor::new(damaged), &options).expect_err("damaged");
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(alone.import_json_stream(damaged, &options), Err(error));
            assert_same(&shared, &alone);
            assert!(count(&shared) > RECORDS / 4, "{} items", count(&shared));
        }
        assert!(import(&empty(), damaged).expect_err("damaged").to_string().contains(what));
    }
}
