//! No text of data, no name and no error makes the terminal do anything.

use crate::common::Terminal;
use crate::{CTRL_C, SIZE, UP, typed};

/// Sets the clipboard, colours what follows, turns the line round, deletes.
const HOSTILE: &str = "\u{1b}]52;c;aGk=\u{7}\u{9b}31m\u{202e}\u{7f}";

#[track_caller]
fn assert_harmless(terminal: &Terminal) {
    let written = &terminal.written;
    // The bell is the line editor's own.
    let acted_upon = ["\u{1b}]52", "\u{9b}", "\u{202e}", "\u{7f}"];
    for part in acted_upon {
        assert!(!written.contains(part), "{part:?} reached the terminal: {written:?}");
    }
}

#[test]
fn no_text_of_data_makes_the_terminal_do_anything() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = file("good.csv", format!("pk,x{HOSTILE}\na,v{HOSTILE}\n"));
    let bad = file("bad.csv", format!("pk,n{HOSTILE},n{HOSTILE}\na,1,2\n"));
    let cell = file("cell.csv", format!("pk,ok\na,{HOSTILE}\n"));
    let lines = file("lines.jsonl", format!("{{\"pk\": \"a\"}}\n{{\"pk\": {HOSTILE}}}\n"));
    let sql = file("bad.sql", format!("SELECT * FORM {HOSTILE};\n"));
    let command = file("command.sql", format!(".teleport{HOSTILE}\n"));
    let schema = file("schema.json", format!("{{\"{HOSTILE}\": 1}}"));
    let ttl = HOSTILE.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>();
    let mut terminal = Terminal::shell(&[], &[("NO_COLOR", "")], (100, 300));
    terminal.run(&format!(".import {good}"));
    for format in ["table", "json", "jsonl", "compact", "csv"] {
        terminal.run(&format!(".format {format}"));
        let said = terminal.run("SELECT * FROM items;");
        assert!(said.contains("52;c;aGk="), "{format}: {said}");
    }
    terminal.run(&format!(".schema '{{\"ttl_attribute\":\"t{ttl}\"}}'"));
    let said = terminal.run(".schema");
    assert!(said.contains("52;c;aGk="), "{said}");
    for (input, part) in [
        (format!(".import {bad}"), "error: "),
        (format!(".import {cell} --types ok=BOOL"), "neither true nor false"),
        (format!(".import {lines}"), "error: "),
        (format!(".read {sql}"), "error: "),
        (format!(".read {command}"), "unknown command .teleport"),
        (format!(".schema {schema}"), "error: "),
    ] {
        let said = terminal.run(&input);
        assert!(said.contains(part), "{input}: {said}");
    }
    assert_harmless(&terminal);
}

fn at_fresh_prompt(screen: &str) -> bool {
    screen.trim_end().ends_with("\nkstone>")
}

#[test]
fn no_name_that_can_be_completed_makes_the_terminal_do_anything() {
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path().join("files");
    std::fs::create_dir(&files).unwrap();
    for name in ["one".to_owned(), "other".to_owned(), format!("o{HOSTILE}")] {
        std::fs::write(files.join(name), "").unwrap();
    }
    let csv = directory.path().join("a.csv");
    std::fs::write(&csv, format!("pk,xa,xb,x{HOSTILE}\n1,2,3,4\n")).unwrap();
    let history = directory.path().join("history");
    std::fs::write(&history, format!("#V2\nSELECT '{HOSTILE}';\n")).unwrap();
    let mut terminal = Terminal::shell(&[], &[("KSTONE_HISTORY", history.to_str().unwrap())], SIZE);
    terminal.run(&format!(".import {}", csv.display()));
    terminal.keys("SELECT x\t");
    terminal.wait("both attributes", |screen| screen.contains("xa  xb") && typed(screen) == "SELECT x");
    terminal.keys(CTRL_C);
    terminal.wait("a fresh prompt", at_fresh_prompt);
    terminal.keys(&format!(".read {}/o\t", files.display()));
    terminal.wait("both files", |screen| screen.contains("one    other") && typed(screen).ends_with("/o"));
    terminal.keys(CTRL_C);
    terminal.wait("a fresh prompt", at_fresh_prompt);
    terminal.keys("SELECT '");
    terminal.wait("what is typed", |screen| typed(screen) == "SELECT '");
    terminal.keys(CTRL_C);
    terminal.wait("a fresh prompt", at_fresh_prompt);
    terminal.keys(UP);
    terminal.keys(UP);
    terminal.wait("the history", |screen| typed(screen).starts_with("SELECT '\u{fffd}]52"));
    assert_harmless(&terminal);
}

#[test]
fn a_command_line_that_is_quoted_in_an_error_is_harmless() {
    let name = format!("no{HOSTILE}.ksnap");
    for arguments in [
        &["query", &name, "SELECT * FROM items"][..],
        &["shell", "--format", &name],
        &["export", &name, "x"],
        &["shell", "-c", &format!(".teleport{HOSTILE}")],
    ] {
        let mut terminal = Terminal::start(arguments, &[], SIZE);
        assert_ne!(terminal.exit_code(), 0);
        assert!(terminal.text().contains(r"\u{202e}"), "{}", terminal.text());
        assert_harmless(&terminal);
    }
}
