//! ExecuteStatement: one statement, and of a SELECT one page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_api::error::{Reason as RequestReason, Refusal as TableRefusal};
use kstone_api::{Error, ItemRef, Record, StatementOutcome};

use super::statements::{Read, read};
use super::written::refused;
use crate::answer::Answer;
use crate::call::Call;
use crate::capacity::{Consumed, Detail};
use crate::refusal::Refusal;
use crate::texts::Text;

/// Executes the statement.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let mut read = read(call, input, false)?;
    if let Some(limit) = input.get("Limit").and_then(|limit| usize::try_from(limit.integer()).ok())
        && read.is_select()
    {
        read.statement = read.statement.limit(limit);
    }
    if let Some(token) = input.get("NextToken") {
        let token = STANDARD.decode(&*token.text()).map_err(|_| Refusal::validation(Text::StatementTokenInvalid))?;
        read.statement = read.statement.token(&token);
    }
    let outcome = read.table.table.execute_with_outcome(&read.statement);
    let outcome = outcome.map_err(|error| token_refused(&error).unwrap_or_else(|| refused(call, error)))?;
    respond(call, &read, &outcome, answer);
    Ok(())
}

/// What a token is refused with that is of another statement, or none.
fn token_refused(error: &Error) -> Option<Refusal> {
    let Error::Invalid(TableRefusal::Request(reason)) = error else { return None };
    match &**reason {
        RequestReason::TokenDamaged | RequestReason::TokenVersion { .. } => {
            Some(Refusal::validation(Text::StatementTokenInvalid))
        }
        RequestReason::TokenOfAnother | RequestReason::WriteWithToken => {
            Some(Refusal::validation(Text::NextTokenOfAnother))
        }
        _ => None,
    }
}

fn respond(call: &Call<'_>, read: &Read, outcome: &StatementOutcome, answer: &mut Answer) {
    let detail = Detail::of(call.input());
    answer.object(|answer| {
        answer.name("Items").list(|answer| rows(outcome, read.is_select()).for_each(|row| answer.item(row.item())));
        if let Some(token) = &outcome.result.token {
            answer.name("NextToken").text(&STANDARD.encode(token));
        }
        if let Some(last) = &outcome.last_key {
            answer.name("LastEvaluatedKey").item(ItemRef::new(last));
        }
        if detail.is_asked() {
            let mut consumed = Consumed::default();
            read.consume(&mut consumed, outcome);
            consumed.write(answer.name("ConsumedCapacity"), &read.table.name, detail);
        }
    });
}

/// The rows of an answer: what a write returned of its item, where that is something (parity,
/// `partiql/batchExecuteStatement`).
pub(super) fn rows(outcome: &StatementOutcome, is_select: bool) -> impl Iterator<Item = &Record> {
    outcome.result.records.iter().filter(move |row| is_select || row.item().iter().next().is_some())
}
