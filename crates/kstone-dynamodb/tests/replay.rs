//! Replays `cases/*.jsonl`: requests and what AWS answers.
//!
//! A line is an object:
//! ```text
//! target   the operation, "PutItem"; with its prefix where that matters
//! cohort   "current" or "classic" where the two differ; both say the same otherwise
//! request  the body as JSON, its order kept; or `raw`, the body as text
//! status   200 where the request reaches its table, or the status of the refusal
//! body     the refusal's body
//! source   where that is known from
//! sure     "captured" on AWS and published, "tested" against AWS by the tests of its source, "documented", "emulated" by a
//!          source that says no more, "ours" where nobody knows and a choice was made
//! ```
//! `⟪a*300⟫` stands for 300 times `a`.

#![expect(clippy::unwrap_used, reason = "a table that is not as it should be fails the test")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use kstone_dynamodb::texts::Text;
use kstone_dynamodb::{Cohort, Scratch, parse};
use serde::Deserialize;
use serde_json::value::RawValue;

use common::written_out;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    target: String,
    cohort: Option<String>,
    request: Option<Box<RawValue>>,
    raw: Option<String>,
    status: u16,
    body: Option<serde_json::Value>,
    source: String,
    sure: String,
}

/// Every case with its file and line.
fn cases() -> Vec<(String, Case)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for (at, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let place = format!("{name}:{}", at + 1);
            let case = serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            cases.push((place, case));
        }
    }
    cases
}

fn cohorts(case: &Case) -> &'static [Cohort] {
    match case.cohort.as_deref() {
        None => &[Cohort::Current, Cohort::Classic],
        Some("current") => &[Cohort::Current],
        Some("classic") => &[Cohort::Classic],
        Some(other) => panic!("no cohort {other}"),
    }
}

/// What a text says of itself and of a text that it quotes.
fn names_of(text: &Text) -> Vec<&'static str> {
    let mut names = vec![text.name()];
    if let Text::ExpressionValue { reason, .. } | Text::StartKeyValue { reason } = text {
        names.extend(names_of(reason));
    }
    names
}

/// Compares one case in one cohort; says how it differs, and which texts were said.
fn replay(case: &Case, cohort: Cohort, scratch: &mut Scratch) -> Result<Vec<&'static str>, String> {
    let target =
        if case.target.contains('.') { case.target.clone() } else { format!("DynamoDB_20120810.{}", case.target) };
    let request = match (&case.request, &case.raw) {
        (Some(request), None) => request.get().to_owned(),
        (None, Some(raw)) => raw.clone(),
        _ => return Err("a case has a request or a raw body".to_owned()),
    };
    let expected = case.body.as_ref().map(|body| written_out(&body.to_string())).unwrap_or_default();
    match parse(&target, written_out(&request).as_bytes(), cohort, scratch) {
        Ok(_) if case.status == 200 => Ok(Vec::new()),
        Ok(_) => Err(format!("{cohort:?}: accepted, not refused with {expected}")),
        Err(refusal) => {
            let body = refusal.body();
            let same = if body.is_empty() || expected.is_empty() {
                body == expected
            } else {
                let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                parsed(&body) == parsed(&expected)
            };
            if refusal.status() == case.status && same {
                return Ok(refusal.text.as_ref().map(names_of).unwrap_or_default());
            }
            let short = |text: &str| text.chars().take(700).collect::<String>();
            Err(format!(
                "{cohort:?}: {} {}\n   not {} {}",
                refusal.status(),
                short(&body),
                case.status,
                short(&expected)
            ))
        }
    }
}

#[test]
fn requests_are_answered_as_aws_answers_them() {
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for (place, case) in cases() {
        assert!(!case.source.is_empty(), "{place} has no source");
        assert!(common::SURE.contains(&&*case.sure), "{place}: sure is {}", case.sure);
        for &cohort in cohorts(&case) {
            if let Err(difference) = replay(&case, cohort, &mut scratch) {
                wrong.push(format!("{place} {} ({}): {difference}", case.target, case.source));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_text_is_said_by_a_case() {
    let mut scratch = Scratch::default();
    let mut said = BTreeSet::new();
    for (_, case) in cases() {
        for &cohort in cohorts(&case) {
            said.extend(replay(&case, cohort, &mut scratch).unwrap_or_default());
        }
    }
    let of_requests = Text::NAMES.iter().take_while(|name| **name != "OfTables");
    let unsaid: Vec<_> = of_requests.filter(|name| !said.contains(*name)).collect();
    assert!(unsaid.is_empty(), "no case says {unsaid:?}");
}

#[test]
fn more_cases_are_refused_than_accepted() {
    let cases = cases();
    let refused = cases.iter().filter(|(_, case)| case.status != 200).count();
    assert!(refused > cases.len() / 2, "{refused} of {}", cases.len());
}
