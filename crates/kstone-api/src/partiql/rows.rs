//! What becomes a row: a whole item with its key, or the cells of a SELECT list.
//!
//! Thread safety: borrows only.

use kstone_core::item::parts;
use kstone_core::record::Record;

use crate::expression::{BoundParameters, Subject};
use kstone_expr::partiql::parsed::{Cell, Columns};

/// The attributes that stand for the key of an untyped table, in the order of an item's names.
const KEY_NAMES: [&str; 2] = ["pk", "sk"];

/// The item with its key: that of an untyped table as the attributes `pk` and `sk`, which takes a copy. An item of a typed
/// table shows its key by itself.
pub(super) fn with_key(record: &Record) -> Record {
    if record.item().named_key().is_some() {
        return record.clone();
    }
    let subject = Subject::of_record(record);
    let mut body = Vec::with_capacity(record.body().len() + record.pk().len() + record.sk().len() + 16);
    let mut keys = KEY_NAMES.into_iter().filter_map(|name| Some((name, subject.get(name)?))).peekable();
    for (name, value) in record.item() {
        while let Some((key, value)) = keys.next_if(|(key, _)| *key <= name) {
            parts::append_entry(&mut body, key, value);
        }
        if !KEY_NAMES.contains(&name) {
            parts::append_entry(&mut body, name, value);
        }
    }
    for (key, value) in keys {
        parts::append_entry(&mut body, key, value);
    }
    Record::row(record.key_ref(), &body)
}

/// The cells of a SELECT list without aggregates: what each path leads to, under the column's name.
pub(super) fn cells(columns: &Columns, bound: &BoundParameters, record: &Record) -> Record {
    let subject = Subject::of_record(record);
    let mut body = Vec::new();
    for column in columns.by_name.iter().map(|&at| &columns.list[at]) {
        if let Cell::Path(path) = &column.cell
            && let Some(value) = bound.follow(path, &subject)
        {
            parts::append_entry(&mut body, &column.name, value);
        }
    }
    Record::row(record.key_ref(), &body)
}
