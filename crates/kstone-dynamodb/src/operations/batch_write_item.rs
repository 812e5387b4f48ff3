//! BatchWriteItem: each request writes one item, and all together are at most 25. Whether two write the same item only
//! a table's keys can tell.

use std::sync::Arc;

use kstone_api::{ParsedWrite, Table};

use super::many::{self, ConsumedByTable};
use super::{item_collections, steps};
use crate::answer::Answer;
use crate::attributes::{self, RequestKey};
use crate::call::Call;
use crate::capacity::{Consumed, Detail};
use crate::catalog::CatalogTable;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::value;
use crate::vectors;
use crate::view::{Structure, Value};

/// The most writes of a request.
const MAX_WRITES: usize = 25;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[writes, count]);

fn lists<'a>(input: &Structure<'a>) -> impl Iterator<Item = Value<'a>> {
    input.get("RequestItems").into_iter().flat_map(|items| items.entries()).map(|(_, list)| list)
}

/// A table's requests have one write each, and each has values (dynalite, `validations/batchWriteItem.js`, where AWS
/// takes a request for a value).
fn writes(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    for list in lists(input) {
        let is_one = |request: Value<'_>| {
            let request = request.structure();
            request.has("PutRequest") != request.has("DeleteRequest")
        };
        if !list.elements().all(is_one) {
            return Err(Text::SeveralTypes);
        }
        for request in list.elements() {
            one(rules, &request.structure())?;
        }
    }
    Ok(())
}

fn one(rules: &Rules<'_>, request: &Structure<'_>) -> Result<(), Text> {
    if let Some(put) = request.get("PutRequest") {
        let item = put.structure().get("Item");
        steps::values(rules, item)?;
        if item.is_some_and(value::is_item_too_large) {
            return Err(Text::ItemTooLarge);
        }
    }
    let delete = request.get("DeleteRequest");
    steps::values(rules, delete.and_then(|delete| delete.structure().get("Key")))
}

fn count(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let writes: usize = lists(input).map(|list| list.count()).sum();
    if writes > MAX_WRITES { Err(Text::TooManyWrites) } else { Ok(()) }
}

/// A write of the request: its table, the key, and the body of an item that is put.
struct Write<'a> {
    table: Arc<CatalogTable>,
    key: RequestKey<'a>,
    body: Option<Vec<u8>>,
}

/// Does all writes. They happen as one, so that none is left over.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let writes = writes_of(call)?;
    let parsed: Vec<(&Table, ParsedWrite<'_>)> =
        writes.iter().map(|write| (&write.table.table, write.parsed())).collect();
    let detail = Detail::of(call.input());
    let tables = &call.shared().tables;
    let outcomes = if detail.is_asked() {
        tables.batch_write_parsed_with_outcomes(&parsed)
    } else {
        tables.batch_write_parsed(&parsed).map(|()| Vec::new())
    };
    let outcomes = outcomes.map_err(|error| many::refused_as_a_whole(call, &error))?;
    let mut consumed = ConsumedByTable::new(detail, Consumed::default());
    for (write, outcome) in writes.iter().zip(&outcomes) {
        if let Some(consumed) = consumed.of(&write.table) {
            consumed.add_write(outcome, &write.table);
        }
    }
    answer.object(|answer| {
        answer.name("UnprocessedItems").object(|_| {});
        consumed.write(answer);
        item_collections::write(answer, call.input(), writes.iter().map(|write| (&write.table, &write.key)));
    });
    Ok(())
}

/// The writes of all tables, in their order.
fn writes_of<'a>(call: &Call<'a>) -> Result<Vec<Write<'a>>, Refusal> {
    let items = call.input().get("RequestItems").expect("a required member");
    let mut tables = Vec::new();
    for (name, list) in items.entries() {
        tables.push((call.shared().catalog.table(&name.decode())?, list));
    }
    let mut writes = Vec::new();
    for (table, list) in tables {
        for request in list.elements() {
            writes.push(write_of(call, &table, &request.structure())?);
        }
    }
    Ok(writes)
}

fn write_of<'a>(call: &Call<'a>, table: &Arc<CatalogTable>, request: &Structure<'a>) -> Result<Write<'a>, Refusal> {
    let Some(put) = request.get("PutRequest").map(|put| put.structure()) else {
        let delete = request.get("DeleteRequest").expect("the rules have seen that there is one").structure();
        let key = attributes::key(call, delete.get("Key").expect("a required member"), &table.layout)?;
        return Ok(Write { table: Arc::clone(table), key, body: None });
    };
    let mut body = Vec::new();
    let item = put.get("Item").expect("a required member");
    let key = attributes::item(call, item, &table.layout, &mut body).map_err(key_of_item)?;
    vectors::check(table, &body)?;
    Ok(Write { table: Arc::clone(table), key, body: Some(body) })
}

/// Of a key in an item less is said here than by PutItem (parity, `error-messages/batchWriteItem`).
fn key_of_item(refusal: Refusal) -> Refusal {
    if many::is_of_empty_key(&refusal) { refusal } else { Refusal::validation(Text::KeyElementMismatch) }
}

impl Write<'_> {
    fn parsed(&self) -> ParsedWrite<'_> {
        match &self.body {
            Some(body) => ParsedWrite::put(&*self.key.pk, &*self.key.sk, &body[..]),
            None => ParsedWrite::delete(&*self.key.pk, &*self.key.sk),
        }
    }
}
