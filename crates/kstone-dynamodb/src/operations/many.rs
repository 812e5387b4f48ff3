//! What requests about several items have in common: what each table is charged, keys that are refused, cancellations.
//!
//! Thread safety: plain values.

use std::sync::Arc;

use kstone_api::error::{Dialect, Reason as RequestReason, Refusal as TableRefusal};
use kstone_api::{CancellationReason, Error, Key, Record, TRANSACTION_MAX_BYTES, TransactError};

use crate::answer::Answer;
use crate::attributes::RequestKey;
use crate::call::Call;
use crate::capacity::{Consumed, Detail};
use crate::catalog::CatalogTable;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// What a request has consumed of each of its tables, in the order in which they are first named.
pub(super) struct ConsumedByTable {
    detail: Detail,
    fresh: Consumed,
    tables: Vec<(Arc<CatalogTable>, Consumed)>,
}

impl ConsumedByTable {
    /// Nothing yet; what is consumed of each table begins as `fresh`.
    pub(super) fn new(detail: Detail, fresh: Consumed) -> Self {
        Self { detail, fresh, tables: Vec::new() }
    }

    /// What is consumed of this table; none where nobody asks.
    pub(super) fn of(&mut self, table: &Arc<CatalogTable>) -> Option<&mut Consumed> {
        if !self.detail.is_asked() {
            return None;
        }
        let at = self.tables.iter().position(|(other, _)| Arc::ptr_eq(other, table)).unwrap_or_else(|| {
            self.tables.push((Arc::clone(table), self.fresh.clone()));
            self.tables.len() - 1
        });
        Some(&mut self.tables[at].1)
    }

    /// Writes the member `ConsumedCapacity`, where it is asked for.
    pub(super) fn write(&self, answer: &mut Answer) {
        if self.detail.is_asked() {
            answer.name("ConsumedCapacity").list(|answer| {
                self.tables.iter().for_each(|(table, consumed)| consumed.write(answer, &table.name, self.detail));
            });
        }
    }
}

/// A key as batches and transactions of reads take it.
pub(super) fn owned(key: &RequestKey<'_>) -> Key {
    match key.sk.is_empty() {
        true => Key::new(key.pk.to_vec()),
        false => Key::with_sk(key.pk.to_vec(), key.sk.to_vec()),
    }
}

/// Why an action of a transaction cannot be done.
pub(super) struct Reason {
    code: &'static str,
    message: String,
    item: Option<Record>,
}

impl Reason {
    /// That of a key that is none of its table.
    pub(super) fn of_key(refusal: &Refusal) -> Self {
        Self { code: "ValidationError", message: refusal.message().unwrap_or_default(), item: None }
    }

    /// That of an action which the tables refused.
    fn of(reason: CancellationReason, is_update: bool) -> Self {
        let CancellationReason { code, item, cause, .. } = reason;
        let message = match cause {
            Error::Limit { what: "Item size", .. } if is_update => Text::UpdatedItemTooLarge.to_string(),
            cause => cause.text(Dialect::DynamoDb),
        };
        Self { code, message, item }
    }
}

/// What is wrong with the key of an action of a transaction: the request as a whole, where a value is empty, or the
/// action (facts 17).
///
/// # Errors
/// The refusal of the whole request.
pub(super) fn reason_of_key(refusal: Refusal) -> Result<Reason, Refusal> {
    if is_of_empty_key(&refusal) { Err(refusal) } else { Ok(Reason::of_key(&refusal)) }
}

/// Whether a key is refused for a value that is empty, and not for its names or types.
pub(super) fn is_of_empty_key(refusal: &Refusal) -> bool {
    matches!(&refusal.text, Some(Text::OfTables { text }) if text.contains("cannot contain an empty"))
}

/// TransactionCanceledException with the reason of each action, none where it could have been done (facts 73).
pub(super) fn cancelled(reasons: &[Option<Reason>]) -> Refusal {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.as_ref().map_or("None", |reason| reason.code)).collect();
    let mut members = Answer::default();
    members.name("CancellationReasons").list(|answer| {
        for reason in reasons {
            answer.object(|answer| write_reason(answer, reason.as_ref()));
        }
    });
    let text = Text::TransactionCancelled { codes: codes.join(", ") };
    Refusal {
        members: Some(members.into_buffer().into_boxed_str()),
        ..Refusal::new(RefusalKind::TransactionCanceled, text)
    }
}

fn write_reason(answer: &mut Answer, reason: Option<&Reason>) {
    answer.name("Code").text(reason.map_or("None", |reason| reason.code));
    let Some(reason) = reason else { return };
    answer.name("Message").text(&reason.message);
    if let Some(item) = &reason.item {
        answer.name("Item").item(item.item());
    }
}

/// What a transaction is refused with that the tables refused. `is_update` says which of its actions are updates.
pub(super) fn refused(call: &Call<'_>, failed: TransactError, is_update: impl Fn(usize) -> bool) -> Refusal {
    if failed.reasons.is_empty() {
        return refused_as_a_whole(call, &failed.error);
    }
    // What an index cannot hold because it is empty is said of the request, though items have to be made to find it.
    for (at, reason) in failed.reasons.iter().enumerate() {
        if let Some(kind) = reason.as_ref().and_then(|reason| empty_index_key(&reason.cause)) {
            let cause = &reason.as_ref().expect("it was looked into").cause;
            return if is_update(at) {
                Refusal::validation(Text::UpdatedIndexKeyEmpty { kind })
            } else {
                call.below(cause)
            };
        }
    }
    let reasons = failed.reasons.into_iter().enumerate();
    let reasons: Vec<_> = reasons.map(|(at, reason)| Some(Reason::of(reason?, is_update(at)))).collect();
    cancelled(&reasons)
}

/// What a batch or a transaction is refused with as a whole.
pub(super) fn refused_as_a_whole(call: &Call<'_>, error: &Error) -> Refusal {
    match error {
        Error::Limit { limit: TRANSACTION_MAX_BYTES, .. } => Refusal::validation(Text::TransactionTooLarge),
        Error::TableNotFound { .. } => Refusal::new(RefusalKind::ResourceNotFound, Text::ResourceNotFound),
        error => call.below(error),
    }
}

/// The type of the value, where an error is about an empty one in the key of an index.
fn empty_index_key(error: &Error) -> Option<&'static str> {
    match error {
        Error::Invalid(TableRefusal::Request(reason)) => match &**reason {
            RequestReason::IndexKeyEmpty { kind, .. } => Some(kind),
            _ => None,
        },
        _ => None,
    }
}
