//! Replays `tests/cases/scenarios/*.jsonl`: requests in their order to an account that is empty at first, and what AWS
//! answers to each.
//!
//! A line is a scenario:
//! ```text
//! name     a sentence or the expression that is looked at; `file: name` is unique
//! setup    names of requests in setups.json that go before, each accepted
//! cohort   "classic" where the older validation texts are meant
//! steps    target, request as JSON or `raw` as text, status, body; `unordered`: members whose lists have no order
//! source   where the answers are known from
//! sure     as in tests/replay.rs
//! ```
//! Values that differ from run to run, repetitions and what later requests need of an answer stand in `⟪⟫`: see
//! `matching.rs`. A step `{"target":"⟪time⟫","request":1700000000}` sets the account's time. Where answers were recorded from
//! other engines (`scripts/differential`), `source` names all that say the same.
//!
//! `open.txt` lists the scenarios that kstone does not answer so, each with its reason.

#![expect(clippy::unwrap_used, reason = "a table that is not as it should be fails the test")]

#[path = "../common/mod.rs"]
mod common;
mod matching;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use kstone_dynamodb::{Account, AccountOptions, Cohort, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

use matching::{Matching, Remembered};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    #[serde(default)]
    setup: Vec<String>,
    cohort: Option<String>,
    steps: Vec<Step>,
    source: String,
    sure: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    target: String,
    request: Option<Box<RawValue>>,
    raw: Option<String>,
    #[serde(default = "accepted")]
    status: u16,
    body: Option<serde_json::Value>,
    #[serde(default)]
    unordered: Vec<String>,
}

fn accepted() -> u16 {
    200
}

/// An account and what a scenario knows of its answers.
struct Replay {
    account: Account,
    response: Response,
    remembered: Remembered,
    said: BTreeSet<&'static str>,
}

impl Replay {
    fn new(cohort: Cohort) -> Self {
        let options = AccountOptions { cohort, ..AccountOptions::default() };
        Self {
            account: Account::open(options).unwrap(),
            response: Response::default(),
            remembered: Remembered::new(),
            said: BTreeSet::new(),
        }
    }

    /// Sends a request; its answer is in `response`.
    fn send(&mut self, step: &Step) {
        let of_streams = ["ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"];
        let service =
            if of_streams.contains(&&*step.target) { "DynamoDBStreams_20120810" } else { "DynamoDB_20120810" };
        let target = if step.target.contains('.') { step.target.clone() } else { format!("{service}.{}", step.target) };
        let text = step.raw.as_deref().or(step.request.as_ref().map(|request| request.get()));
        let body = matching::request(text.expect("a step has a request or a raw body"), &self.remembered);
        self.account.call(&target, body.as_bytes(), &mut self.response);
        if let Some(text) = self.response.refusal().and_then(|refusal| refusal.text.as_ref()) {
            self.said.insert(text.name());
        }
    }

    /// Sends a request and compares the answer.
    fn check(&mut self, step: &Step) -> Result<(), String> {
        if step.target == "⟪time⟫" {
            self.account.set_time(step.request.as_ref().unwrap().get().parse().unwrap());
            return Ok(());
        }
        self.send(step);
        let body = std::str::from_utf8(self.response.body()).unwrap();
        if self.response.status() != step.status {
            let short: String = body.chars().take(400).collect();
            let expected = step.body.as_ref().map(ToString::to_string).unwrap_or_default();
            let wanted: String = expected.chars().take(400).collect();
            return Err(format!("{} {short}\n   not {} {wanted}", self.response.status(), step.status));
        }
        let actual = if body.is_empty() { serde_json::Value::Null } else { serde_json::from_str(body).unwrap() };
        let mut unordered = step.unordered.clone();
        if step.target == "Scan" {
            unordered.push("Items".to_owned());
        }
        let expected = step.body.clone().unwrap_or_default();
        let mut matching = Matching { unordered: &unordered, remembered: &mut self.remembered };
        matching.difference(&expected, &actual, "").map_or(Ok(()), Err)
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/scenarios")
}

fn setups() -> BTreeMap<String, Vec<Step>> {
    serde_json::from_str(&fs::read_to_string(folder().join("setups.json")).unwrap()).unwrap()
}

/// Every scenario with `file: name`.
fn scenarios() -> Vec<(String, Scenario)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        for (at, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let scenario: Scenario =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{stem}.jsonl:{}: {error}", at + 1));
            all.push((format!("{stem}: {}", scenario.name), scenario));
        }
    }
    all
}

/// The scenarios of `open.txt`: lines of `file: name`; those that begin with # say why.
fn open() -> BTreeSet<String> {
    let text = fs::read_to_string(folder().join("open.txt")).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Replays one scenario: the first difference, and which texts were said.
fn replay(scenario: &Scenario, setups: &BTreeMap<String, Vec<Step>>) -> (Result<(), String>, BTreeSet<&'static str>) {
    let cohort = match scenario.cohort.as_deref() {
        None => Cohort::Current,
        Some("classic") => Cohort::Classic,
        Some(other) => panic!("no cohort {other}"),
    };
    let mut replay = Replay::new(cohort);
    for step in scenario.setup.iter().flat_map(|name| &setups[name]) {
        replay.send(step);
        if replay.response.status() != 200 {
            let body = String::from_utf8_lossy(replay.response.body()).into_owned();
            return (Err(format!("setup {}: {body}", step.target)), replay.said);
        }
    }
    for (at, step) in scenario.steps.iter().enumerate() {
        if let Err(difference) = replay.check(step) {
            return (Err(format!("step {} {}: {difference}", at + 1, step.target)), replay.said);
        }
    }
    (Ok(()), replay.said)
}

#[test]
fn scenarios_are_answered_as_aws_answers_them() {
    let (setups, open) = (setups(), open());
    let mut wrong = Vec::new();
    for (name, scenario) in scenarios() {
        assert!(!scenario.source.is_empty(), "{name} has no source");
        assert!(common::SURE.contains(&&*scenario.sure), "{name}: sure is {}", scenario.sure);
        if open.contains(&name) {
            continue;
        }
        if let Err(difference) = replay(&scenario, &setups).0 {
            wrong.push(format!("{name} ({}, {}): {difference}", scenario.source, scenario.sure));
        }
    }
    assert!(wrong.is_empty(), "{} scenarios differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn there_are_thousands_of_requests_and_most_that_are_refused_say_why() {
    let scenarios = scenarios();
    let steps = || scenarios.iter().flat_map(|(_, scenario)| &scenario.steps).filter(|step| step.target != "⟪time⟫");
    assert!(steps().count() >= 5000, "{} requests", steps().count());
    let silent = steps().filter(|step| step.status != 200 && step.body.is_none()).count();
    assert_eq!(silent, 0, "refusals without a body");
}

#[test]
fn scenarios_have_names_of_their_own() {
    let mut seen = BTreeSet::new();
    for (name, _) in scenarios() {
        assert!(seen.insert(name.clone()), "{name} comes twice");
    }
    let unknown: Vec<_> = open().into_iter().filter(|name| !seen.contains(name)).collect();
    assert!(unknown.is_empty(), "open.txt names {unknown:?}");
}

/// A scenario is taken off the list when kstone answers it as it says. `-- --nocapture` shows how they differ.
#[test]
fn what_is_known_to_differ_does() {
    let (setups, open) = (setups(), open());
    let mut solved = Vec::new();
    for (name, scenario) in scenarios().into_iter().filter(|(name, _)| open.contains(name)) {
        match replay(&scenario, &setups).0 {
            Ok(()) => solved.push(name),
            Err(difference) => println!("{name} ({}, {}): {difference}", scenario.source, scenario.sure),
        }
    }
    assert!(solved.is_empty(), "open.txt names what is answered as it says: {solved:?}");
}
