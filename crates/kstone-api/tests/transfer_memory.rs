//! Saving, exporting and importing take the same memory however much goes through them.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait's implementation")]

mod counting;

use std::io::{self, BufReader, Read, Seek, SeekFrom, sink};

use counting::{Counting, one_at_a_time, peak_of};
use kstone_api::{Database, Error, ImportOptions, ItemBuilder, Position, Result};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// So many bytes as lines of this text, then a last line.
struct Lines {
    text: Vec<u8>,
    len: u64,
    last: &'static [u8],
    at: u64,
}

impl Lines {
    fn new(text: String, lines: u64, last: &'static str) -> Self {
        Self { len: lines * text.len() as u64, text: text.into_bytes(), last: last.as_bytes(), at: 0 }
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = match self.at.checked_sub(self.len) {
            None => &self.text[(self.at % self.text.len() as u64) as usize..],
            Some(behind) => &self.last[(behind as usize).min(self.last.len())..],
        };
        let some = rest.len().min(buffer.len());
        buffer[..some].copy_from_slice(&rest[..some]);
        self.at += some as u64;
        Ok(some)
    }
}

impl Seek for Lines {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(at) => self.at = at,
            SeekFrom::Current(0) => {}
            _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
        Ok(self.at)
    }
}

fn of_items(items: u32) -> Result<Database> {
    let db = Database::create_in_memory()?;
    for i in 0..items {
        let text = "some text that makes an item of some size ".repeat(10);
        db.put(&i.to_be_bytes(), ItemBuilder::new().number("n", i).string("text", text).build())?;
    }
    // So that a view has nothing to move.
    db.flush()?;
    Ok(db)
}

#[test]
fn exports_and_snapshots_take_the_same_memory_for_any_number_of_items() -> Result<()> {
    let _alone = one_at_a_time();
    let directory = tempfile::tempdir().expect("made");
    let path = directory.path().join("out");
    let (small, large) = (of_items(4_000)?, of_items(40_000)?);
    assert!(large.stats()?.live_bytes > 16 << 20);
    for work in [
        |db: &Database, _: &std::path::Path| db.export_json(sink()),
        |db: &Database, path: &std::path::Path| db.export_json_file(path),
        |db: &Database, path: &std::path::Path| db.save_snapshot(path),
    ] {
        let (of_small, count) = peak_of(|| work(&small, &path));
        assert_eq!(count?, 4_000);
        let (of_large, count) = peak_of(|| work(&large, &path));
        assert_eq!(count?, 40_000);
        assert!(of_large < of_small + (64 << 10), "{of_large} bytes where a tenth took {of_small}");
        assert!(of_large < 1 << 20, "{of_large} bytes");
    }
    Ok(())
}

#[test]
fn imports_take_the_same_memory_for_any_number_of_lines() -> Result<()> {
    let _alone = one_at_a_time();
    let line = format!("{{\"Item\":{{\"pk\":{{\"S\":\"same\"}},\"text\":{{\"S\":\"{}\"}}}}}}\n", "x".repeat(400));
    let lines = |lines, last| BufReader::new(Lines::new(line.clone(), lines, last));
    // Checked and found bad at the very end: nothing is put. What is read ahead is the same for ten times the lines.
    for count in [4_000, 40_000] {
        let (peak, outcome) = peak_of(|| {
            let db = Database::create_in_memory()?;
            db.import_json(lines(count, "bad\n"), &ImportOptions::new())
        });
        assert!(matches!(outcome, Err(Error::Corrupt { at: Position::Line(line), .. }) if line == count + 1));
        assert!(peak < 512 << 10, "{peak} bytes");
    }
    // Put twice over, under one key, so that the database itself stays small.
    for options in [ImportOptions::new(), ImportOptions::new().skip_bad_records()] {
        let (peak, outcome) = peak_of(|| {
            let db = Database::create_in_memory()?;
            db.import_json(lines(20_000, "\n"), &options)
        });
        assert_eq!(outcome?.loaded, 20_000);
        assert!(peak < 1 << 20, "{peak} bytes");
    }
    // Few long lines are read ahead, and the longest not as text.
    for (text_len, blanks) in [(100 << 10, 0), (1, 2 << 20)] {
        let (text, blanks) = ("x".repeat(text_len), " ".repeat(blanks));
        let line = format!("{{\"Item\":{{\"pk\":{{\"S\":\"same\"}},\"text\":{{\"S\":\"{text}\"}}}}{blanks}}}\n");
        let (peak, outcome) = peak_of(|| {
            let db = Database::create_in_memory()?;
            db.import_json(BufReader::new(Lines::new(line, 50, "\n")), &ImportOptions::new())
        });
        assert_eq!(outcome?.loaded, 50);
        assert!(peak < 8 << 20, "{peak} bytes");
    }
    // Bad lines, each a MiB of them without an end.
    let (peak, outcome) = peak_of(|| {
        let db = Database::create_in_memory()?;
        let endless = BufReader::new(Lines::new("x".repeat(1 << 20), 64, "\n"));
        db.import_json_stream(endless, &ImportOptions::new().skip_bad_records())
    });
    assert_eq!(outcome?.skipped, 1);
    assert!(peak < 32 << 20, "{peak} bytes");
    Ok(())
}
