//! Snapshots through what reads and writes bytes, and what that may do with the database meanwhile.

use std::io::{self, Read, Write};

use kstone_api::{Database, Error, ItemBuilder, Statistic, TableSchema};

fn filled(items: u32) -> Database {
    let db = Database::create_in_memory().expect("created");
    for i in 0..items {
        db.put(&i.to_be_bytes(), ItemBuilder::new().number("n", i).string("text", "x".repeat(100)).build())
            .expect("put");
    }
    db
}

fn saved(db: &Database) -> Vec<u8> {
    let mut bytes = Vec::new();
    db.save_snapshot_to(&mut bytes).expect("saved");
    bytes
}

#[test]
fn a_stream_has_the_bytes_of_the_file() {
    let db = filled(5000);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("snapshot");
    db.save_snapshot(&path).unwrap();
    let bytes = saved(&db);
    assert_eq!(bytes, std::fs::read(&path).unwrap());
    let again = Database::create_in_memory().unwrap();
    assert_eq!(again.load_snapshot_from(bytes.as_slice()).unwrap(), 5000);
    assert_eq!((again.count().unwrap(), saved(&again)), (5000, bytes));
}

/// One byte at a time, with interruptions, until it fails.
struct Trickle<'a>(&'a [u8], bool);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = usize::from(!buffer.is_empty() && !self.0.is_empty());
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("no more"))
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.min(bytes.len());
        self.0 -= left;
        if left == 0 { Err(io::Error::other("full")) } else { Ok(left) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn short_reads_load_and_an_input_that_fails_or_ends_anywhere_loads_nothing() {
    let bytes = saved(&filled(200));
    let db = Database::create_in_memory().unwrap();
    for len in (0..bytes.len()).step_by(97) {
        let cut_short = db.load_snapshot_from(&bytes[..len]);
        assert!(matches!(cut_short, Err(Error::Corrupt { .. })), "{len}: {cut_short:?}");
        let failed = db.load_snapshot_from((&bytes[..len]).chain(Failing(0)));
        assert!(matches!(failed, Err(Error::Io { .. })), "{len}: {failed:?}");
        assert_eq!(db.count().unwrap(), 0);
    }
    assert!(matches!(db.load_snapshot_from(bytes.as_slice().chain(&b"x"[..])), Err(Error::Corrupt { .. })));
    assert_eq!(db.load_snapshot_from(Trickle(&bytes, false)).unwrap(), 200);
}

#[test]
fn an_output_that_fails_is_an_io_error_wherever_it_does() {
    let db = filled(200);
    let len = saved(&db).len();
    for room in (0..len).step_by(1009) {
        assert!(matches!(db.save_snapshot_to(Failing(room)), Err(Error::Io { .. })), "{room}");
    }
    assert_eq!(db.save_snapshot_to(Failing(len)).unwrap(), 200);
}

/// Does everything with the database that it is the stream of.
struct Meddler<'a> {
    db: &'a Database,
    bytes: &'a [u8],
    refused: Vec<bool>,
}

impl Read for Meddler<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.refused = vec![
            self.db.fork().is_err(),
            self.db.configure(TableSchema::new()).is_err(),
            self.db.load_snapshot_from(self.bytes).is_err(),
        ];
        assert!(self.db.get(b"nobody").expect("got").is_none() && self.db.stat(Statistic::Items).expect("stat") == 0);
        self.bytes.read(buffer)
    }
}

impl Write for Meddler<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.db.put(b"meanwhile", ItemBuilder::new().build()).expect("put");
        let fork = self.db.fork().expect("forked");
        fork.configure(TableSchema::new().name("renamed")).expect("configured");
        self.db.configure(TableSchema::new()).expect("configured");
        self.refused.push(self.db.get(b"meanwhile").expect("got").is_none());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_may_use_the_database_and_is_refused_what_would_wait_for_itself() {
    let source = filled(200);
    let bytes = saved(&source);
    let mut meddler = Meddler { db: &source, bytes: &[], refused: Vec::new() };
    assert_eq!(source.save_snapshot_to(&mut meddler).unwrap(), 200);
    assert!(!meddler.refused.is_empty() && meddler.refused.iter().all(|refused| !refused));
    let db = Database::create_in_memory().unwrap();
    let mut meddler = Meddler { db: &db, bytes: &bytes, refused: Vec::new() };
    assert_eq!(db.load_snapshot_from(&mut meddler).unwrap(), 200);
    assert_eq!(meddler.refused, [true, true, true]);
    assert!(db.fork().is_ok() && db.configure(TableSchema::new()).is_ok());
}

#[test]
fn every_number_of_the_statistics_can_be_asked_for_alone() {
    let db = filled(3000);
    let json = serde_json::to_value(db.stats().unwrap()).unwrap();
    let members = json.as_object().unwrap();
    // All but the mean, which is a quotient of two others.
    assert_eq!(members.len(), Statistic::ALL.len() + 1);
    for (at, statistic) in Statistic::ALL.into_iter().enumerate() {
        assert_eq!((statistic as usize, Statistic::from_code(statistic as u32)), (at + 1, Some(statistic)));
        let name = format!("{statistic:?}");
        let snake = name.char_indices().map(|(i, c)| match c.is_uppercase() && i > 0 {
            true => format!("_{}", c.to_ascii_lowercase()),
            false => c.to_ascii_lowercase().to_string(),
        });
        let member = members[&snake.collect::<String>()].as_u64();
        assert_eq!(member, Some(db.stat(statistic).unwrap()), "{name}");
    }
    assert_eq!(Statistic::from_code(Statistic::ALL.len() as u32 + 1), None);
    assert_eq!(db.count().unwrap(), 3000);
}
