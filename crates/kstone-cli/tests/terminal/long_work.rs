//! Ctrl-C ends long work of every kind; the prompt comes back, and the database is as it was.

use std::fs;

use crate::common::Terminal;
use crate::{CTRL_C, SIZE};

/// So many commands in a file that Ctrl-C comes between the first and the last of them.
const MANY: usize = 20_000;

#[test]
fn queries_sorting_grouping_exports_saves_and_backfills_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let mut terminal = Terminal::shell(&[], &[], SIZE);
    terminal.run(".import examples/data/airports.csv --key state --sort iata");
    let index = r#".schema '{"global_indexes":[{"name":"by-city","partition_key":"city"}]}'"#;
    for (name, commands) in [
        ("sort", "SELECT sk FROM items ORDER BY pk, sk DESC LIMIT 1;\n".to_owned()),
        ("group", "SELECT pk, COUNT(*) AS n FROM items GROUP BY pk ORDER BY n DESC LIMIT 1;\n".to_owned()),
        ("scan", "SELECT sk FROM items WHERE name = 'nothing';\n".to_owned()),
        ("export", format!(".export '{}'\n", path("export.json"))),
        ("save", format!(".save '{}'\n", path("save.ksnap"))),
        ("import", ".import examples/data/airports.csv --key state --sort iata\n".to_owned()),
        ("backfill", format!("{index}\n.schema '{{}}'\n")),
        ("dump", format!(".output '{}'\n.dump\n.output off\n", path("dump.sql"))),
    ] {
        fs::write(path(name), commands.repeat(MANY)).unwrap();
        terminal.keys(&format!(".read '{}'\r", path(name)));
        // Something is at work as soon as the line has been taken.
        terminal.wait("that it was taken", |screen| screen.contains(&format!("{}'", path(name))));
        std::thread::sleep(std::time::Duration::from_millis(100));
        terminal.keys(CTRL_C);
        terminal.wait(name, |screen| screen.contains("error: interrupted") && screen.trim_end().ends_with("\nkstone>"));
        terminal.keys(".clear\r");
        terminal.wait("an empty screen", |screen| screen.trim() == "kstone>");
        terminal.run(".output off");
        assert!(terminal.run("SELECT COUNT(*) AS n FROM items;").contains("│ 3376 │"), "{name}");
    }
}

#[test]
fn a_pipe_that_nobody_writes_to_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut terminal = Terminal::shell(&[], &[], SIZE);
    terminal.keys(&format!(".read {}\r", pipe.display()));
    // A writer that says nothing.
    let _writer = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    terminal.keys(CTRL_C);
    terminal.wait("a prompt", |screen| screen.trim_end().ends_with("error: interrupted\nkstone>"));
    assert_eq!(terminal.run(".format"), "table\n");
}
