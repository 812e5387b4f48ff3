//! The examples of `docs/partiql.md`, in their order on one database.
//!
//! In a `partiql` block every line is a statement; the rows that it gives follow as comments. `-- !` is a statement
//! that fails.

#![expect(clippy::unwrap_used, reason = "a document that is not as it should be fails the test")]

use kstone_api::json::{JsonForm, item_to_string};
use kstone_api::{Database, Statement, TableSchema};

fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[test]
fn every_example_does_what_the_page_says() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/partiql.md")).unwrap();
    let schema = TableSchema::from_json(blocks(&text, "schema")[0]).unwrap();
    let db = Database::create_in_memory_with_schema(schema).unwrap();
    let mut statements = 0;
    for line in blocks(&text, "partiql") {
        let mut lines = line.lines().peekable();
        while let Some(line) = lines.next() {
            statements += 1;
            if let Some(fails) = line.strip_prefix("-- ! ") {
                assert!(db.execute_statement(&Statement::new(fails)).is_err(), "{fails}");
                continue;
            }
            let found = db.execute_statement(&Statement::new(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
            let found: Vec<String> =
                found.records.iter().map(|row| item_to_string(row.item(), JsonForm::Plain)).collect();
            let row = |line: &&str| line.starts_with("-- {");
            let expected: Vec<&str> =
                std::iter::from_fn(|| lines.next_if(row)).map(|line| line.strip_prefix("-- ").unwrap()).collect();
            assert_eq!(found, expected, "{line}");
        }
    }
    assert!(statements >= 24, "{statements} examples");
}

#[test]
fn the_page_has_the_limits_that_are_in_force() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/partiql.md")).unwrap();
    assert!(text.contains(&format!("| a statement | {} characters |", kstone_api::STATEMENT_MAX_CHARS)));
    assert!(text.contains(&format!("`execute_transaction` up to {}", kstone_api::TRANSACTION_MAX)));
    assert!(text.contains(&format!("| {} levels |", kstone_api::expression::PATH_MAX_LEVELS)));
}
