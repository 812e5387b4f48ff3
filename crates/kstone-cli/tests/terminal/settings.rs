//! The file of settings, and results that go to a file, as they are on a terminal.

use std::fs;

use crate::common::Terminal;
use crate::{CTRL_D, SIZE};

#[test]
fn the_file_of_settings_is_read_before_the_first_prompt() {
    let home = tempfile::tempdir().unwrap();
    let at_home = [("HOME", home.path().to_str().unwrap()), ("XDG_CONFIG_HOME", "")];
    fs::write(home.path().join(".kstonerc"), ".format jsonl\n.width 5\n").unwrap();
    let mut terminal = Terminal::shell(&[], &at_home, SIZE);
    assert_eq!(terminal.run(".format"), "jsonl\n");
    assert_eq!(Terminal::shell(&["--no-rc"], &at_home, SIZE).run(".format"), "table\n");
    let other = home.path().join("other");
    fs::write(&other, ".format csv\n").unwrap();
    assert_eq!(Terminal::shell(&["--rc", other.to_str().unwrap()], &at_home, SIZE).run(".format"), "csv\n");
    fs::create_dir_all(home.path().join(".config/kstone")).unwrap();
    fs::write(home.path().join(".config/kstone/rc"), "-- mine\n.format json\n").unwrap();
    assert_eq!(Terminal::shell(&[], &at_home, SIZE).run(".format"), "json\n");
}

#[test]
fn an_error_in_the_file_of_settings_names_its_line_and_the_shell_starts() {
    let home = tempfile::tempdir().unwrap();
    let rc = home.path().join("rc");
    fs::write(&rc, "\n.format xml\n").unwrap();
    let mut terminal = Terminal::shell(&["--rc", rc.to_str().unwrap()], &[], SIZE);
    let said = terminal.text();
    assert!(said.contains(&format!("{}: line 2: invalid value 'xml'", rc.display())), "{said}");
    assert_eq!(terminal.run(".format"), "table\n");
    let mut terminal = Terminal::shell(&["--rc", "/nowhere"], &[], SIZE);
    assert!(terminal.text().contains("error: /nowhere: No such file"), "{}", terminal.text());
    fs::write(&rc, ".exit\n").unwrap();
    terminal.keys(CTRL_D);
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(Terminal::start(&["shell", "--rc", rc.to_str().unwrap()], &[], SIZE).exit_code(), 0);
}

#[test]
fn a_file_gets_results_and_the_terminal_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out");
    let mut terminal = Terminal::shell(&[], &[("NO_COLOR", "")], (60, 60));
    terminal.run("INSERT INTO items VALUE {'pk': 'a', 'esc': 'x'};");
    let said = terminal.run(&format!(".output {}", file.display()));
    assert!(said.contains("results go to ") && said.contains(".output off ends that"), "{said}");
    assert_eq!(terminal.run("SELECT pk FROM items;"), "1 item\n");
    assert_eq!(terminal.run("bad;").lines().next().unwrap().get(..7), Some("error: "));
    assert_eq!(terminal.run(".output off"), "results go to the terminal\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), "┌────┐\n│ pk │\n├────┤\n│ a  │\n└────┘\n");
    assert!(terminal.run("SELECT pk FROM items;").contains("│ a  │"));
}

#[test]
fn tab_completes_files_of_the_home_directory() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("mine.sql"), ".format\n").unwrap();
    let mut terminal = Terminal::shell(&[], &[("HOME", home.path().to_str().unwrap())], SIZE);
    terminal.keys(".read ~/mi\t");
    terminal.wait("the name", |screen| screen.trim_end().ends_with("kstone> .read ~/mine.sql"));
    terminal.keys("\r");
    terminal.wait("what the file says", |screen| screen.trim_end().ends_with("\ntable\nkstone>"));
}
