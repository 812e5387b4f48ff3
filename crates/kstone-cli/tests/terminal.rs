//! The shell as people use it: typed in a real pseudo-terminal, read off its screen.

#![expect(clippy::unwrap_used, reason = "a panic is how tests fail")]

mod common;
mod readme;

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
