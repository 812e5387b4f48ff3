//! ExecuteTransaction: up to 100 statements, all or none of them, once for each ClientRequestToken.

use kstone_api::statement::Verb;
use kstone_api::{Error, Key, Record, StatementOutcome, Table, TransactError};

use super::execute_statement::rows;
use super::many::{self, ConsumedByTable};
use super::statements::{Read, check_key_alone, read};
use crate::answer::Answer;
use crate::call::Call;
use crate::canonical;
use crate::capacity::{Consumed, Detail, InTransaction, Units};
use crate::echo::Echo;
use crate::idempotency::Turn;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// Executes all statements or none; what was done under the same token is not done again.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let reads = reads_of(call)?;
    let Some(token) = call.input().get("ClientRequestToken").map(|token| token.text()) else {
        return transact(call, &reads, answer);
    };
    let request = call.input().get("TransactStatements").map_or(0, |list| canonical::number_of(list.json()));
    match call.shared().idempotency.execute_transaction.take_turn(&token, request, call.now())? {
        Turn::First(running) => {
            transact(call, &reads, answer)?;
            running.done(request, call.now());
            Ok(())
        }
        Turn::Again => done_before(call, &reads, answer),
    }
}

/// The statements, each of which is read before the first is executed.
fn reads_of(call: &Call<'_>) -> Result<Vec<Read>, Refusal> {
    let list = call.input().get("TransactStatements").expect("a required member");
    let mut reads = Vec::new();
    for (at, statement) in list.elements().enumerate() {
        let one = read(call, &statement.structure(), false).map_err(|refusal| in_statement(at, refusal))?;
        reads.push(one);
    }
    for (at, one) in reads.iter().enumerate() {
        if one.index.is_none() {
            check_key_alone(one, "ExecuteTransaction").map_err(|refusal| in_statement(at, refusal))?;
        }
    }
    Ok(reads)
}

/// What is wrong with a statement says which one it is.
fn in_statement(at: usize, refusal: Refusal) -> Refusal {
    match (refusal.kind, refusal.message()) {
        (RefusalKind::Validation, Some(message)) => {
            Refusal::validation(Text::InTransactStatement { at, message: Echo::of(&message) })
        }
        _ => refusal,
    }
}

fn transact(call: &Call<'_>, reads: &[Read], answer: &mut Answer) -> Result<(), Refusal> {
    let statements: Vec<(&Table, kstone_api::Statement)> =
        reads.iter().map(|read| (&read.table.table, read.statement.clone())).collect();
    let outcomes = call.shared().tables.execute_transaction(&statements);
    let outcomes = outcomes.map_err(|failed| refused(call, reads, failed))?;
    let is_read = reads.iter().all(Read::is_select);
    let kind = if is_read { InTransaction::Reads } else { InTransaction::Writes };
    let mut consumed = ConsumedByTable::new(Detail::of(call.input()), Consumed::in_transaction(kind));
    for (read, outcome) in reads.iter().zip(&outcomes) {
        if let Some(consumed) = consumed.of(&read.table) {
            match &outcome.write {
                Some(write) => consumed.add_write(write, &read.table),
                None => consumed.add_table(Units::of_read(outcome.sizes.examined, true)),
            }
        }
    }
    respond(reads, &outcomes, &consumed, answer);
    Ok(())
}

fn refused(call: &Call<'_>, reads: &[Read], failed: TransactError) -> Refusal {
    let is_update = |at: usize| matches!(reads[at].prepared.says().verb, Verb::Update(_));
    match (failed.operation, &failed.error) {
        // That an item is named twice is said of all of them.
        (Some(at), Error::Invalid(_)) if failed.reasons.is_empty() && !is_twice(&failed.error) => {
            in_statement(at, call.below(&failed.error))
        }
        _ => many::refused(call, failed, is_update),
    }
}

fn is_twice(error: &Error) -> bool {
    use kstone_api::error::{Reason, Refusal as TableRefusal};
    matches!(error, Error::Invalid(TableRefusal::Request(reason)) if matches!(**reason, Reason::DuplicateOperations))
}

/// Answers a request whose work was done before: what is charged is reading its items (facts 67).
fn done_before(call: &Call<'_>, reads: &[Read], answer: &mut Answer) -> Result<(), Refusal> {
    if reads.iter().all(Read::is_select) {
        return transact(call, reads, answer);
    }
    let detail = Detail::of(call.input());
    let mut consumed = ConsumedByTable::new(detail, Consumed::in_transaction(InTransaction::Reads));
    if detail.is_asked() {
        let with_key = |read: &Read| read.key().map(|(pk, sk)| (read.table.clone(), pk, sk));
        let named: Vec<_> = reads.iter().filter_map(with_key).collect();
        let key = |pk: &[u8], sk: &[u8]| {
            if sk.is_empty() { Key::new(pk.to_vec()) } else { Key::with_sk(pk.to_vec(), sk.to_vec()) }
        };
        let keys: Vec<(&Table, Key)> = named.iter().map(|(table, pk, sk)| (&table.table, key(pk, sk))).collect();
        let found = call.shared().tables.batch_get(&keys).map_err(|error| many::refused_as_a_whole(call, &error))?;
        for ((table, ..), item) in named.iter().zip(&found) {
            if let Some(consumed) = consumed.of(table) {
                consumed.add_table(Units::of_read(item.as_ref().map_or(0, Record::item_size), true));
            }
        }
    }
    respond(reads, &[], &consumed, answer);
    Ok(())
}

/// Reads have an answer each, writes none (parity, `partiql/writeResponses`).
fn respond(reads: &[Read], outcomes: &[StatementOutcome], consumed: &ConsumedByTable, answer: &mut Answer) {
    answer.object(|answer| {
        answer.name("Responses").list(|answer| {
            for outcome in outcomes.iter().zip(reads).filter(|(_, read)| read.is_select()).map(|(outcome, _)| outcome) {
                answer.object(|answer| {
                    if let Some(row) = rows(outcome, true).next() {
                        answer.name("Item").item(row.item());
                    }
                });
            }
        });
        consumed.write(answer);
    });
}
