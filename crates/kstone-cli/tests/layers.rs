//! The rooms of the command stand above each other: none names one that stands above it.

#![expect(clippy::unwrap_used, reason = "a panic is how tests fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom to the top.
const ROOMS: [&str; 14] = [
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
