//! Imports and fork(2): a child process has none of the threads that share an import.
#![cfg(unix)]
#![expect(unsafe_code, reason = "fork is a function of the C library")]

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use kstone_api::{Database, Error, ImportOptions, ImportReport, Result};

const LINES: usize = 20_000;

fn lines() -> String {
    (0..LINES).map(|i| format!("{{\"Item\":{{\"pk\":{{\"S\":\"{i}\"}},\"v\":{{\"N\":\"{i}\"}}}}}}\n")).collect()
}

/// The child's number in the parent, 0 in the child, which ends after a minute at the latest.
fn fork() -> libc::pid_t {
    // SAFETY: the child runs this test alone, and ends by `exit`.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "forked");
    if process == 0 {
        // SAFETY: nothing is asked of the caller.
        unsafe { libc::alarm(60) };
    }
    process
}

/// Ends a child: the test harness is its parent's.
fn exit(is_well: bool) -> ! {
    // SAFETY: nothing is asked of the caller.
    unsafe { libc::_exit(i32::from(!is_well)) }
}

#[track_caller]
fn wait(process: libc::pid_t) {
    let mut status = -1;
    // SAFETY: `status` may be written.
    assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
    assert_eq!(status, 0, "the child failed");
}

/// Forks once it has been read half.
struct Forking<'a> {
    text: Cursor<&'a [u8]>,
    /// Of the child; 0 in it.
    process: Option<libc::pid_t>,
}

impl Read for Forking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.process.is_none() && self.text.position() as usize > self.text.get_ref().len() / 2 {
            self.process = Some(fork());
        }
        self.text.read(buffer)
    }
}

impl Seek for Forking<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.text.seek(to)
    }
}

fn import(text: &str) -> Result<(ImportReport, usize)> {
    let db = Database::create_in_memory()?;
    let report = db.import_json(Cursor::new(text), &ImportOptions::new())?;
    Ok((report, db.stats()?.items as usize))
}

#[test]
fn an_import_whose_input_forks_goes_on_in_the_parent_and_a_child_imports_alone() {
    let text = lines();
    let whole = |imported: Result<(ImportReport, usize)>| {
        imported.is_ok_and(|(report, items)| (report.loaded, items) == (LINES as u64, LINES))
    };
    assert!(whole(import(&text)));
    match fork() {
        0 => exit(whole(import(&text))),
        process => wait(process),
    }
    for options in [ImportOptions::new(), ImportOptions::new().in_one_pass()] {
        let mut input = BufReader::new(Forking { text: Cursor::new(text.as_bytes()), process: None });
        let db = Database::create_in_memory().expect("created");
        let imported = db.import_json(&mut input, &options);
        let process = input.get_ref().process.expect("it was read");
        if process == 0 {
            let refused = matches!(imported, Err(Error::Invalid(what)) if what.to_string().contains("forked"));
            exit(refused);
        }
        wait(process);
        assert_eq!(imported.expect("imported").loaded, LINES as u64);
        assert_eq!(db.stats().expect("counted").items, LINES as u64);
    }
}
