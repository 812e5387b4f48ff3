//! BatchWriteItem: each request writes one item, and all together are at most 25. Whether two write the same item only
//! a table's keys can tell.

use super::steps;
use crate::pipeline::{Pipeline, Rules};
use crate::texts::Text;
use crate::value;
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
