//! Leaving a database with changes that no file has: the shell asks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::Terminal;
use crate::{CTRL_C, CTRL_D, SIZE, typed};

const QUESTION: &str = ": (s)ave, (d)iscard or (c)ancel?";
const INSERT: &str = "INSERT INTO items VALUE {'pk': 'new'};";

/// A snapshot of one item, and the shell on it.
fn shell(directory: &Path) -> (PathBuf, Terminal) {
    let file = directory.join("a.ksnap");
    let mut terminal = Terminal::shell(&[], &[], SIZE);
    terminal.run("INSERT INTO items VALUE {'pk': 'old'};");
    assert_eq!(terminal.run(&format!(".save {}", file.display())), format!("1 item saved to {}\n", file.display()));
    terminal.keys(CTRL_D);
    assert_eq!(terminal.exit_code(), 0);
    let terminal = Terminal::shell(&[file.to_str().unwrap()], &[], SIZE);
    (file, terminal)
}

fn wait_for_question(terminal: &mut Terminal, asked: usize) {
    terminal.wait("the question", |screen| {
        screen.matches(QUESTION).count() == asked && screen.trim_end().ends_with(QUESTION)
    });
}

fn wait_for_prompt(terminal: &mut Terminal) {
    terminal.wait("a prompt", |screen| screen.trim_end().ends_with("\nkstone>"));
}

#[test]
fn every_way_out_asks_and_cancel_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (file, mut terminal) = shell(directory.path());
    let before = fs::read(&file).unwrap();
    terminal.run(INSERT);
    let ways = [".exit\r", ".quit\r", "exit\r", CTRL_D, ".open :memory:\r"];
    let answers = ["c\r", "cancel\r", CTRL_C, CTRL_D, "C\r"];
    for (at, (way, answer)) in ways.iter().zip(answers).enumerate() {
        terminal.keys(way);
        wait_for_question(&mut terminal, at + 1);
        terminal.keys(answer);
        wait_for_prompt(&mut terminal);
    }
    assert!(terminal.text().contains("error: :memory: was not opened"), "{}", terminal.text());
    assert!(terminal.run("SELECT * FROM items;").contains("2 items"));
    // What is no answer asks again.
    terminal.keys(".exit\r");
    wait_for_question(&mut terminal, 6);
    terminal.keys("perhaps\r");
    wait_for_question(&mut terminal, 7);
    terminal.keys("\r");
    wait_for_question(&mut terminal, 8);
    terminal.keys("d\r");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn save_saves_and_then_leaves() {
    let directory = tempfile::tempdir().unwrap();
    let (file, mut terminal) = shell(directory.path());
    terminal.run(INSERT);
    terminal.keys(CTRL_D);
    wait_for_question(&mut terminal, 1);
    assert!(terminal.text().contains(&format!("changes of {} are not saved", file.display())));
    terminal.keys("s\r");
    assert_eq!(terminal.exit_code(), 0);
    assert!(terminal.text().contains("2 items saved to "));
    let mut terminal = Terminal::shell(&[file.to_str().unwrap()], &[], SIZE);
    assert!(terminal.run("SELECT * FROM items;").contains("2 items"));
    // Where it cannot be saved it is not left.
    terminal.run("DELETE FROM items WHERE pk = 'new';");
    fs::remove_dir_all(directory.path()).unwrap();
    terminal.keys(".open :memory:\r");
    wait_for_question(&mut terminal, 1);
    terminal.keys("save\r");
    terminal.wait("an error", |screen| screen.contains("error: :memory: was not opened\nkstone>"));
    assert!(terminal.run("SELECT * FROM items;").contains("1 item"));
}

#[test]
fn nothing_is_asked_where_nothing_gets_lost() {
    let directory = tempfile::tempdir().unwrap();
    let (_, mut terminal) = shell(directory.path());
    terminal.run("SELECT * FROM items;");
    terminal.run("DELETE FROM items WHERE pk = 'nobody';");
    terminal.run(".fork");
    terminal.run(INSERT);
    assert_eq!(terminal.run(".fork drop"), "dropped the fork and its changes\n");
    terminal.run(INSERT);
    terminal.run(".save");
    terminal.run(".open :memory:");
    terminal.run(INSERT);
    terminal.keys(CTRL_D);
    assert_eq!(terminal.exit_code(), 0);
    assert!(!terminal.text().contains(QUESTION), "{}", terminal.text());
}

#[test]
fn a_fork_that_would_be_dropped_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let (_, mut terminal) = shell(directory.path());
    terminal.run(".fork");
    terminal.keys(INSERT);
    terminal.keys("\r");
    terminal.wait("a prompt", |screen| screen.trim_end().ends_with("OK\nkstone (fork)>"));
    terminal.keys(".exit\r");
    wait_for_question(&mut terminal, 1);
    assert!(terminal.text().contains(" and of its fork are not saved"));
    terminal.keys("d\r");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_second_ctrl_c_does_not_end_the_shell() {
    let directory = tempfile::tempdir().unwrap();
    let (_, mut terminal) = shell(directory.path());
    terminal.run(INSERT);
    for _ in 0..5 {
        terminal.keys(CTRL_C);
    }
    wait_for_prompt(&mut terminal);
    terminal.run(".format");
    terminal.keys(".exit\r");
    wait_for_question(&mut terminal, 1);
    terminal.keys(CTRL_C);
    terminal.keys(CTRL_C);
    terminal.wait("a prompt", |screen| typed(screen).is_empty() && screen.trim_end().ends_with("\nkstone>"));
    assert!(terminal.run("SELECT * FROM items;").contains("2 items"));
}
