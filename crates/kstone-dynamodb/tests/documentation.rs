//! What `docs/dynamodb.md` says: its session, its tables of operations and parameters, its programs.
//!
//! In a `requests` block each request is followed by its answer, whose body may be left out. Its programs in other languages
//! are parts of the examples, which have tests of their own; the one in Rust is a test of the library's documentation.

#![expect(clippy::unwrap_used, reason = "a document that is not as it should be fails the test")]

use kstone_dynamodb::model::operations;
use kstone_dynamodb::{Account, AccountOptions, Response};

const PAGE: &str = include_str!("../../../docs/dynamodb.md");

fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(&*fence).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[test]
fn the_session_is_answered_as_the_page_says() {
    let account = Account::open(AccountOptions::default()).unwrap();
    let mut response = Response::default();
    let mut lines = blocks("requests").into_iter().flat_map(str::lines);
    let mut requests = 0;
    while let (Some(request), Some(answer)) = (lines.next(), lines.next()) {
        let (operation, body) = request.split_once(' ').unwrap();
        account.call(&format!("DynamoDB_20120810.{operation}"), body.as_bytes(), &mut response);
        let shown = std::str::from_utf8(response.body()).unwrap();
        let (status, expected) = answer.split_once(' ').unwrap_or((answer, shown));
        assert_eq!((&*response.status().to_string(), shown), (status, expected), "{request}");
        requests += 1;
    }
    assert!(requests >= 8, "{requests} requests");
}

#[test]
fn every_operation_has_one_row_that_names_its_parameters() {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    for operation in operations() {
        let begins = format!("| {} |", operation.name);
        let rows: Vec<&str> = PAGE.lines().filter(|line| line.starts_with(&begins)).collect();
        assert_eq!(rows.len(), 1, "{}", operation.name);
        for member in operation.input.shape().members() {
            let is_named = rows[0].split(|c| !is_word(c)).any(|word| word == member.name);
            assert!(is_named, "{} of {}", member.name, operation.name);
        }
    }
}

#[test]
fn programs_in_other_languages_are_parts_of_the_examples() {
    let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    for (language, example) in [
        ("c", include_str!("../../../examples/c/getting_started.c")),
        ("cpp", include_str!("../../../examples/cpp/getting_started.cpp")),
        ("go", include_str!("../../../examples/go/getting-started/main.go")),
        ("python", include_str!("../../../examples/python/getting_started.py")),
    ] {
        let blocks = blocks(language);
        assert!(!blocks.is_empty(), "{language}");
        for block in blocks {
            assert!(lines(example).contains(&lines(block)), "{block}");
        }
    }
}
