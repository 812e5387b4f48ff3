//! `kstone` as a process where nobody types: what it prints and how it ends.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

impl Run {
    /// What was printed, of a run without errors.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// What was printed, of a run that warns and succeeds.
    #[track_caller]
    pub(crate) fn warned(self, part: &str) -> String {
        assert!(self.code == 0 && self.err.contains(part), "{self:?}");
        self.out
    }

    /// What was said, of a run that failed.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        self.err
    }
}

pub(crate) fn start(arguments: &[impl AsRef<OsStr>]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kstone"));
    command.args(arguments).env_remove("NO_COLOR").env("TERM", "xterm-256color");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn kstone_with_input(arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Run {
    let mut child = start(arguments);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A run that ends at its first error does not read the rest.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap() }
}

pub(crate) fn kstone(arguments: &[impl AsRef<OsStr>]) -> Run {
    kstone_with_input(arguments, b"")
}

/// Statements through a pipe into `kstone shell`.
pub(crate) fn shell(input: &str) -> Run {
    kstone_with_input(&["shell"], input.as_bytes())
}

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

pub(crate) fn airports() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/airports.csv").display().to_string()
}

pub(crate) struct Directory(pub(crate) tempfile::TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }
}

/// A snapshot of the airports.
pub(crate) fn snapshot(directory: &Directory) -> String {
    let snapshot = directory.path("airports.ksnap");
    let run = kstone(&["import", &airports(), "--into", &snapshot, "--key", "state", "--sort", "iata"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{run:?}");
    assert!(run.err.contains("3376 items imported in "), "{}", run.err);
    snapshot
}
