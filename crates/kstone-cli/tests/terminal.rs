//! The shell as people use it: typed in a real pseudo-terminal, read off its screen.

#![expect(clippy::unwrap_used, reason = "a panic is how tests fail")]

mod common;
#[path = "terminal/harmless.rs"]
mod harmless;
#[path = "terminal/leaving.rs"]
mod leaving;
#[path = "terminal/long_work.rs"]
mod long_work;
mod readme;
#[path = "terminal/settings.rs"]
mod settings;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use common::Terminal;

const SIZE: (usize, usize) = (100, 120);

fn shell() -> Terminal {
    Terminal::shell(&[], &[], SIZE)
}

#[test]
fn the_shell_greets_with_the_specifications_banner_and_note() {
    for arguments in [&[][..], &[":memory:"]] {
        let greeting = Terminal::shell(arguments, &[], SIZE).text();
        let expected = "\
╔═══════════════════════════════════════════════════════╗
║                                                       ║
║         KeystoneDB Interactive Shell v0.1.0           ║
║                                                       ║
║  Database: :memory:                                   ║
║                                                       ║
║  Quick Start:                                         ║
║    .help           - Show all commands                ║
║    .format <type>  - Change output (table|json|compact)║
║    .exit           - Exit shell                       ║
║                                                       ║
╚═══════════════════════════════════════════════════════╝

  Note: In-memory mode - data is temporary and will be lost on exit.

kstone>
"
        .replace("0.1.0", env!("CARGO_PKG_VERSION"));
        assert_eq!(greeting.trim_end(), expected.trim_end());
    }
}

#[test]
fn an_insert_over_several_lines_is_read_back_as_table_and_json() {
    let mut terminal = shell();
    assert_eq!(terminal.run("INSERT INTO items VALUE {\n  'pk': 'user#1',\n  'age': 36\n};"), "OK\n");
    assert_eq!(
        terminal.run("SELECT * FROM items;"),
        "\
┌────────┬─────┐
│ pk     │ age │
├────────┼─────┤
│ user#1 │  36 │
└────────┴─────┘
1 item
"
    );
    terminal.run(".format json");
    assert_eq!(
        terminal.run("SELECT * FROM items;"),
        "[\n  {\n    \"pk\": \"user#1\",\n    \"age\": 36\n  }\n]\n1 item\n"
    );
}

/// Text that a terminal pastes without saying so, and what is typed while a statement runs.
#[test]
fn statements_that_arrive_all_at_once_all_run() {
    let mut terminal = shell();
    let statement = |i: usize| format!("INSERT INTO items VALUE {{'pk': 'k{i}', 't': '{}'}};\r", "x".repeat(40));
    let statements: String = (0..40).map(statement).collect();
    terminal.keys(&(statements + "SELECT COUNT(*) AS pasted FROM items;\r"));
    let screen = terminal.wait("the count", |screen| screen.contains("│ pasted │") && screen.contains("1 item"));
    assert!(screen.contains("│     40 │"), "{screen}");
}

#[test]
fn ctrl_c_cancels_what_is_typed_and_ctrl_d_leaves() {
    let mut terminal = shell();
    terminal.keys("SELECT *\rFROM nowhere");
    terminal.wait("the typed text", |screen| screen.contains("FROM nowhere"));
    terminal.keys("\x03");
    terminal.wait("a fresh prompt", |screen| screen.trim_end().ends_with("\nkstone>"));
    assert_eq!(terminal.run(".format"), "table\n");
    terminal.keys("\x04");
    assert_eq!(terminal.exit_code(), 0);
}

const UP: &str = "\x1b[A";
const RIGHT: &str = "\x1b[C";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_R: &str = "\x12";

/// What stands behind the last prompt.
fn typed(screen: &str) -> &str {
    screen.trim_end().lines().last().and_then(|line| line.split_once('>')).map_or("", |(_, text)| text.trim())
}

#[test]
fn what_was_typed_comes_back_also_in_the_next_session() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state/history");
    let history = [("KSTONE_HISTORY", file.to_str().unwrap())];
    let mut terminal = Terminal::shell(&[], &history, SIZE);
    terminal.run("INSERT INTO items VALUE {'pk': 'a'};");
    assert_eq!(terminal.run(".format jsonl"), "");
    terminal.keys(UP);
    terminal.wait("the last command", |screen| typed(screen) == ".format jsonl");
    terminal.keys(UP);
    terminal.wait("the one before", |screen| typed(screen) == "INSERT INTO items VALUE {'pk': 'a'};");
    terminal.keys("\r");
    terminal.wait("that it is there", |screen| {
        screen.trim_end().ends_with("error: Duplicate primary key exists in table\nkstone>")
    });
    terminal.run("SELECT pk\nFROM items;");
    terminal.keys(CTRL_D);
    assert_eq!(terminal.exit_code(), 0);

    let mut terminal = Terminal::shell(&[], &history, SIZE);
    terminal.keys(UP);
    terminal.wait("a statement of two lines", |screen| screen.contains("kstone> SELECT pk\nFROM items;"));
    terminal.keys(CTRL_C);
    terminal.wait("a fresh prompt", |screen| screen.trim_end().ends_with("\nkstone>"));
    terminal.keys(CTRL_R);
    terminal.keys("format");
    terminal.wait("what the search found", |screen| screen.contains(".format jsonl"));
    terminal.keys("\r");
    terminal.wait("a prompt", |screen| screen.trim_end().ends_with("kstone>"));
    assert_eq!(terminal.run(".format"), "jsonl\n");
}

#[test]
fn no_history_is_written_where_none_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("history");
    let mut terminal = Terminal::shell(&["--no-history"], &[("KSTONE_HISTORY", file.to_str().unwrap())], SIZE);
    terminal.run(".format");
    terminal.keys(UP);
    terminal.wait("the last command", |screen| typed(screen).starts_with(".format"));
    assert!(!file.exists());
}

#[test]
fn tab_completes_keywords_tables_indexes_and_attributes() {
    let directory = tempfile::tempdir().unwrap();
    let schema = directory.path().join("schema.json");
    let index = r#"{"name": "by-city", "partition_key": "city"}"#;
    std::fs::write(&schema, format!(r#"{{"name": "airports", "global_indexes": [{index}]}}"#)).unwrap();
    let mut terminal = Terminal::shell(&["--schema", schema.to_str().unwrap()], &[], SIZE);
    terminal.run("INSERT INTO airports VALUE {'pk': 'CA', 'elevation': 4};");
    terminal.keys("sel\t* fr\tair\t.by\twhe\tci\t = 'a' AND beg\tele\t, 'x')");
    let completed = "SELECT * FROM airports.\"by-city\" WHERE city = 'a' AND begins_with(elevation, 'x')";
    terminal.wait("the completed statement", |screen| typed(screen) == completed);
    terminal.keys(CTRL_C);
    terminal.wait("a fresh prompt", |screen| screen.trim_end().ends_with("\nkstone>"));
    terminal.keys(".exp\t");
    terminal.wait("both commands", |screen| screen.contains(".explain") && screen.contains(".export"));
}

#[test]
fn hints_say_what_was_typed_before_and_what_a_command_takes() {
    let mut terminal = shell();
    terminal.keys(".format");
    terminal.wait("a hint", |screen| screen.contains("kstone> .format [table|json|jsonl|compact|csv]"));
    terminal.keys("\r");
    terminal.wait("the answer", |screen| screen.trim_end().ends_with("kstone> .format\ntable\nkstone>"));
    terminal.run("SELECT COUNT(*) AS items FROM items;");
    terminal.keys("SEL");
    terminal.wait("the hint", |screen| typed(screen) == "SELECT COUNT(*) AS items FROM items;");
    terminal.keys(RIGHT);
    terminal.keys("\r");
    terminal.wait("a second answer", |screen| screen.matches("│     0 │").count() == 2);
}

#[test]
fn errors_stay_in_the_window_and_leave_the_shell_as_it_is() {
    let mut terminal = Terminal::shell(&[], &[], (60, 60));
    assert_eq!(
        terminal.run("SELECT * FORM items;"),
        "\
error: Statement wasn't well formed, can't be processed:
  line 1, column 10: expected FROM, found \"FORM\"
  SELECT * FORM items
           ^
"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x.sql");
    std::fs::write(&file, "\nSELECT;\n").unwrap();
    let said = terminal.run(&format!(".read {}", file.display()));
    assert!(
        said.contains("error: ") && said.contains("x.sql: line 2: Statement") && said.ends_with("SELECT\n        ^\n"),
        "{said}"
    );
    assert_eq!(terminal.run(".hepl"), "error: unknown command .hepl: did you mean .help?\n");
    assert_eq!(terminal.run("SELECT * FROM items;"), "0 items\n");
}

#[test]
fn colours_are_there_unless_they_are_not_wanted() {
    let coloured = |environment: &[(&str, &str)]| {
        let mut terminal = Terminal::shell(&[], environment, SIZE);
        terminal.run("INSERT INTO items VALUE {'pk': 'a', 'nothing': null};");
        terminal.run("SELECT * FROM items; -- a comment");
        terminal.run("SELECT nonsense;");
        let is_plain = |cell: &avt::Cell| {
            let pen = cell.pen();
            pen.foreground().is_none() && !pen.is_bold() && !pen.is_faint()
        };
        terminal
            .screen
            .screen()
            .visible_lines()
            .flat_map(|line| line.cells().iter())
            .filter(|cell| !is_plain(cell))
            .count()
    };
    assert!(coloured(&[("NO_COLOR", "")]) > 100);
    assert_eq!(coloured(&[("NO_COLOR", "1")]), 0);
    assert_eq!(coloured(&[("NO_COLOR", ""), ("TERM", "dumb")]), 0);
}

#[test]
fn columns_stay_under_each_other_whatever_they_hold() {
    let mut terminal = Terminal::shell(&[], &[], (60, 60));
    for (at, text) in
        ["plain", "日本語テキスト", "한국어", "🦀🦀", "a very long text that has to be shortened somewhere"]
            .into_iter()
            .enumerate()
    {
        terminal.run(&format!(
            "INSERT INTO items VALUE {{'pk': 'p', 'sk': '{at}', 'text': '{text}', 'list': ['{text}']}};"
        ));
    }
    terminal.keys(".clear\r");
    terminal.wait("an empty screen", |screen| screen.trim() == "kstone>");
    terminal.run("SELECT * FROM items WHERE pk = 'p';");
    let bars = |line: &avt::Line| -> Vec<usize> {
        let mut column = 0;
        let mut bars = Vec::new();
        for cell in line.cells() {
            if cell.char() == '│' {
                bars.push(column);
            }
            column += usize::from(cell.width());
        }
        bars
    };
    let rows: Vec<Vec<usize>> =
        terminal.screen.screen().visible_lines().map(bars).filter(|bars| !bars.is_empty()).collect();
    assert_eq!((rows.len(), rows[0].len()), (6, 5), "{}", terminal.text());
    assert!(rows.iter().all(|row| *row == rows[0] && row[4] < 60), "{}", terminal.text());
}

#[test]
fn what_is_longer_than_the_window_is_paged() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("items.csv");
    let rows: String = (10..40).map(|at| format!("p,{at}\n")).collect();
    std::fs::write(&file, format!("pk,sk\n{rows}")).unwrap();
    let mut terminal = Terminal::shell(&[], &[("KSTONE_PAGER", "sed 's/^/paged: /'")], (80, 20));
    terminal.keys(&format!(".import {}\r", file.display()));
    terminal.wait("the items", |screen| screen.contains("30 items imported") && screen.trim_end().ends_with("kstone>"));
    terminal.keys("SELECT sk FROM items WHERE pk = 'p' AND sk < '13';\r");
    terminal.wait("what is not paged", |screen| screen.contains("│ 12 │\n└────┘\n3 items\nkstone>"));
    terminal.keys("SELECT sk FROM items WHERE pk = 'p';\r");
    terminal.wait("the end of the page", |screen| screen.contains("paged: │ 39 │\npaged: └────┘\n30 items\nkstone>"));
}

#[test]
fn timer_explain_and_fork_say_what_they_do() {
    let mut terminal = shell();
    terminal.run(".timer on");
    terminal.run(".explain on");
    let said = terminal.run("SELECT * FROM items WHERE pk = 'a';");
    let (plan, time) = said.split_once('\n').unwrap();
    assert_eq!(plan, "plan: query; table: items; ranges: 1; key_condition: pk = 'a'; order: as read");
    assert!(time.starts_with("0 items in 0.") && time.ends_with(" ms\n"), "{time}");
    terminal.run(".fork");
    terminal.wait("the fork's prompt", |screen| screen.trim_end().ends_with("kstone (fork)>"));
    assert!(terminal.run("INSERT INTO items VALUE {'pk': 'a'};").starts_with("OK in "));
    terminal.run(".fork drop");
    assert!(terminal.run("SELECT * FROM items WHERE pk = 'a';").contains("0 items in "));
}

/// A pipe with a name, which a file is imported from while it is still being written.
fn pipe(directory: &Path) -> PathBuf {
    let path = directory.join("items.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn an_import_shows_how_far_it_has_come() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = pipe(directory.path());
    let mut terminal = shell();
    terminal.keys(&format!(".import {} --from jsonl\r", pipe.display()));
    let mut file = std::fs::File::options().write(true).open(&pipe).unwrap();
    let mut at = 0;
    let mut write = |file: &mut std::fs::File| {
        for _ in 0..1_000 {
            writeln!(file, "{{\"pk\": \"item{at}\"}}").unwrap();
            at += 1;
        }
        at
    };
    // The bar is drawn as lines come, some times a second.
    let items = loop {
        let items = write(&mut file);
        if terminal.shows_within(std::time::Duration::from_millis(20), |screen| screen.contains(" lines, ")) {
            break items;
        }
    };
    terminal.wait("lines and how many a second", |screen| screen.contains(" a second"));
    drop(file);
    let screen = terminal.wait("the end", |screen| screen.contains(&format!("{items} items imported in ")));
    assert!(!screen.contains(" lines, "), "the bar is gone: {screen}");
}

#[test]
fn ctrl_c_ends_what_runs_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = pipe(directory.path());
    let mut terminal = shell();
    terminal.run("INSERT INTO items VALUE {'pk': 'before'};");
    terminal.keys(&format!(".import {} --from jsonl\r", pipe.display()));
    let endless = std::thread::spawn(move || {
        let mut file = std::fs::File::options().write(true).open(pipe).unwrap();
        // Until the other end is closed.
        while writeln!(file, "{{\"pk\": \"item\"}}").is_ok() {}
    });
    terminal.wait("that it runs", |screen| screen.contains(" a second"));
    terminal.keys(CTRL_C);
    terminal.wait("that it ended", |screen| screen.contains("error: interrupted\nkstone>"));
    endless.join().unwrap();
    assert_eq!(terminal.run("SELECT pk FROM items;").lines().nth(3), Some("│ before │"));
}
