//! BatchExecuteStatement: up to 25 statements, each by itself.
//!
//! What is wrong with one of them is its own answer; that reads and writes are mixed, or one item is named twice, refuses all
//! of them (facts 99; parity, `partiql/batchExecuteStatement`).

use std::collections::HashSet;

use kstone_api::{Error, Record, StatementOutcome};

use super::execute_statement::rows;
use super::many::ConsumedByTable;
use super::statements::{Read, check_key_alone, code_of, read};
use crate::answer::Answer;
use crate::call::Call;
use crate::capacity::{Consumed, Detail};
use crate::refusal::Refusal;
use crate::texts::Text;

/// Why a statement failed, and whether it had come to its table.
struct Failed {
    refusal: Refusal,
    has_run: bool,
    item: Option<Record>,
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, has_run: false, item: None }
    }
}

/// Executes the statements one after the other.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let list = call.input().get("Statements").expect("a required member");
    let read_one = |statement: crate::view::Value<'_>| read(call, &statement.structure(), true);
    let reads: Vec<Result<Read, Refusal>> = list.elements().map(read_one).collect();
    let mut kinds = reads.iter().flatten().map(Read::is_select);
    let first = kinds.next();
    if !kinds.all(|kind| Some(kind) == first) {
        return Err(Refusal::validation(Text::BatchOfReadsAndWrites));
    }
    let mut seen = HashSet::new();
    let named = reads.iter().flatten().filter_map(|read| Some((read.table.name.clone(), read.key()?)));
    for key in named {
        if !seen.insert(key) {
            return Err(Refusal::validation(Text::DuplicateKeys));
        }
    }
    let mut consumed = ConsumedByTable::new(Detail::of(call.input()), Consumed::default());
    let outcomes: Vec<Result<(Read, StatementOutcome), Failed>> = reads
        .into_iter()
        .map(|read| {
            let read = read?;
            let outcome = execute(call, &read)?;
            if let Some(consumed) = consumed.of(&read.table) {
                read.consume(consumed, &outcome);
            }
            Ok((read, outcome))
        })
        .collect();
    answer.object(|answer| {
        answer.name("Responses").list(|answer| {
            let names = list.elements().map(|statement| table_named(call, &statement.structure()));
            for (outcome, table) in outcomes.iter().zip(names) {
                answer.object(|answer| response(answer, outcome, table));
            }
        });
        if outcomes.iter().any(Result::is_ok) {
            consumed.write(answer);
        }
    });
    Ok(())
}

fn execute(call: &Call<'_>, read: &Read) -> Result<StatementOutcome, Failed> {
    check_key_alone(read, "BatchExecuteStatement")?;
    read.table.table.execute_in_batch(&read.statement).map_err(|error| {
        let refusal = call.below(&error);
        let has_run = matches!(error, Error::ConditionFailed { .. } | Error::DuplicateItem);
        let item = if let Error::ConditionFailed { item } = error { item } else { None };
        Failed { refusal, has_run, item }
    })
}

/// The name of the table that a statement is about.
fn table_named(call: &Call<'_>, statement: &crate::view::Structure<'_>) -> Option<String> {
    let text = statement.get("Statement")?.text();
    Some(call.shared().tables.read_statement(&text).ok()?.says().target().table.to_string())
}

fn response(answer: &mut Answer, outcome: &Result<(Read, StatementOutcome), Failed>, table: Option<String>) {
    let names_table = match outcome {
        Ok(_) => true,
        Err(failed) => failed.has_run,
    };
    match outcome {
        Ok((read, outcome)) => {
            if let Some(row) = rows(outcome, read.is_select()).next() {
                answer.name("Item").item(row.item());
            }
        }
        Err(failed) => answer.name("Error").object(|answer| {
            answer.name("Code").text(code_of(&failed.refusal));
            answer.name("Message").text(&failed.refusal.message().unwrap_or_default());
            if let Some(item) = &failed.item {
                answer.name("Item").item(item.item());
            }
        }),
    }
    if let Some(table) = table.filter(|_| names_table) {
        answer.name("TableName").text(&table);
    }
}
