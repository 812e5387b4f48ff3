//! What the sources of the command may name: rooms stand above each other, and one writer writes.

#![expect(clippy::unwrap_used, reason = "a panic is how tests fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom to the top.
const ROOMS: [&str; 15] = [
    "failure",
    "output",
    "interrupt",
    "input",
    "format",
    "import",
    "session",
    "dot",
    "run",
    "script",
    "interactive",
    "command_line",
    "serve",
    "command",
    "main",
];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a text names, as in `crate::output::text`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split("crate::").skip(1).map(move |rest| &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())])
}

#[test]
fn no_room_names_one_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30, "{files:?}");
    let rank = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut rooms_met = [false; ROOMS.len()];
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let own = rank(room).unwrap_or_else(|| panic!("the room {room} has no place in the list"));
        rooms_met[own] = true;
        for other in named(&fs::read_to_string(&file).unwrap()) {
            let other_rank = rank(other).unwrap_or_else(|| panic!("{}: crate::{other} is no room", inside.display()));
            assert!(other_rank <= own, "{} names {other}, which stands above {room}", inside.display());
        }
    }
    assert!(rooms_met.iter().all(|met| *met), "a room of the list is gone");
}

/// What writes to standard output or standard error, or asks for them.
const WRITERS: [&str; 9] =
    ["print!(", "println!(", "dbg!(", "stdout()", "stderr()", "io::Stdout", "io::Stderr", "/dev/tty", ".print()"];

/// The files that may: the writer itself; a question of what kind a terminal is; help, which holds no data.
const MAY_WRITE: [&str; 3] = ["output/screen.rs", "output/terminal.rs", "output.rs"];

#[test]
fn one_writer_alone_writes_to_standard_output_and_error() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut writing = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found: Vec<_> = code.filter(|line| WRITERS.iter().any(|writer| line.contains(writer))).collect();
        if MAY_WRITE.contains(&inside.as_str()) {
            writing.push(inside);
        } else {
            assert!(found.is_empty(), "{inside} writes past output/screen.rs: {found:?}");
        }
    }
    assert_eq!(writing.len(), MAY_WRITE.len(), "{writing:?}");
}
