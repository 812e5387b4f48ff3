//! The order of rows by the values at paths.
//!
//! ```text
//! missing < NULL < BOOL < N < S and B < L < M < SS < NS < BS
//! ```
//! Numbers are compared as numbers, text and binary by their bytes alone, as keys and indexes have them, false before
//! true, everything else by the bytes of its stored form. DESC turns all of it round.
//!
//! Thread safety: borrows only.

use std::cmp::Ordering;

use kstone_core::item::ValueRef;
use kstone_core::number;
use kstone_core::record::Record;
use kstone_core::value::Type;

use crate::expression::ast::Segment;
use crate::expression::{BoundParameters, Subject};
use kstone_expr::partiql::parsed::OrderKey;

/// Which of two records comes first.
pub(super) fn compare(keys: &[OrderKey], bound: &BoundParameters, a: &Record, b: &Record) -> Ordering {
    let by_key = keys.iter().map(|key| {
        let order = compare_values(value(key, bound, a), value(key, bound, b));
        if key.descending { order.reverse() } else { order }
    });
    by_key.fold(Ordering::Equal, Ordering::then)
}

/// The order of two values of any types.
pub(super) fn compare_values(a: Option<ValueRef<'_>>, b: Option<ValueRef<'_>>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => match (a.as_number(), b.as_number()) {
            (Some(a), Some(b)) => number::compare(a, b),
            _ => rank(a).cmp(&rank(b)).then_with(|| a.payload().cmp(b.payload())),
        },
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn rank(value: ValueRef<'_>) -> u8 {
    match value.type_() {
        Type::Null => 0,
        Type::Bool => 1,
        Type::N => 2,
        Type::S | Type::B => 3,
        other => other.code(),
    }
}

/// What a record has to be ordered by. A row that was computed has columns only.
fn value<'a>(key: &OrderKey, bound: &BoundParameters, record: &'a Record) -> Option<ValueRef<'a>> {
    match &*key.path {
        [Segment::Name(name)] if record.pk().is_empty() => record.item().get(name),
        path => bound.follow(path, &Subject::of_record(record)),
    }
}
