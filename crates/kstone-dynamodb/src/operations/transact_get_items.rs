//! TransactGetItems: each get has the rules of a read. The order between them and a table's is not captured. Names and values may come
//! without an expression here (ExtendDB#169, captured on AWS).

use std::sync::Arc;

use kstone_api::expression::Subject;
use kstone_api::{ItemRef, Key, Record, Table};

use super::many::{self, ConsumedByTable, Reason};
use super::{key_paths, steps};
use crate::answer::Answer;
use crate::attributes;
use crate::bound::{self, Bound};
use crate::call::Call;
use crate::capacity::{Consumed, Detail, InTransaction, Units};
use crate::catalog::CatalogTable;
use crate::expressions::{Parameters, expressions};
use crate::pipeline::{self, Pipeline, Rules};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[gets]);

/// Of one get.
const GET: Pipeline = Pipeline {
    parameters: Parameters { expressions: &["ProjectionExpression"], legacy: &[], parsed: &["ProjectionExpression"] },
    steps: &[steps::key, expressions],
};

fn gets(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(items) = input.get("TransactItems") else { return Ok(()) };
    items.elements().try_for_each(|item| match item.structure().get("Get") {
        Some(get) => pipeline::part(&GET, rules, &get.structure()),
        None => Ok(()),
    })
}

/// A get of the request, its projection read, and its table.
struct Get<'a> {
    members: Structure<'a>,
    bound: Bound,
    table: Arc<CatalogTable>,
}

/// Looks all items up, at one moment of all tables.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let gets = gets_of(call)?;
    let keys = keys_of(call, &gets)?;
    let found = call.shared().tables.transact_get(&keys);
    let found = found.map_err(|error| many::refused_as_a_whole(call, &error))?;
    let mut consumed = ConsumedByTable::new(Detail::of(call.input()), Consumed::in_transaction(InTransaction::Reads));
    for (get, item) in gets.iter().zip(&found) {
        if let Some(consumed) = consumed.of(&get.table) {
            consumed.add_table(Units::of_read(item.as_ref().map_or(0, Record::item_size), true));
        }
    }
    answer.object(|answer| {
        consumed.write(answer);
        answer.name("Responses").list(|answer| {
            for (get, item) in gets.iter().zip(&found) {
                answer.object(|answer| get.write(answer, item.as_ref()));
            }
        });
    });
    Ok(())
}

/// The gets with their projections, which are read before any table is looked for.
fn gets_of<'a>(call: &Call<'a>) -> Result<Vec<Get<'a>>, Refusal> {
    let list = call.input().get("TransactItems").expect("a required member");
    let mut read = Vec::new();
    for item in list.elements() {
        let members = item.structure().get("Get").expect("a required member").structure();
        let bound = bound::of(call, &members, &GET.parameters)?;
        read.push((members, bound));
    }
    let with_table = |(members, bound): (Structure<'a>, Bound)| {
        let name = members.get("TableName").expect("a required member");
        Ok(Get { members, bound, table: call.shared().catalog.table(&name.text())? })
    };
    read.into_iter().map(with_table).collect()
}

/// The keys of the gets.
///
/// # Errors
/// A ValidationException for a key that is empty; TransactionCanceledException for any other that is none of its table
/// (parity, `error-messages/transactGetItems`).
fn keys_of<'g>(call: &Call<'_>, gets: &'g [Get<'_>]) -> Result<Vec<(&'g Table, Key)>, Refusal> {
    let mut keys = Vec::with_capacity(gets.len());
    let mut reasons: Vec<Option<Reason>> = Vec::new();
    for (at, get) in gets.iter().enumerate() {
        key_paths::refuse_in_projection(&get.table, get.bound.projection.as_ref())?;
        let key = get.members.get("Key").expect("a required member");
        match attributes::key(call, key, &get.table.layout) {
            Ok(key) => keys.push((&get.table.table, many::owned(&key))),
            Err(refusal) => {
                reasons.resize_with(gets.len(), || None);
                reasons[at] = Some(many::reason_of_key(refusal)?);
            }
        }
    }
    if reasons.is_empty() { Ok(keys) } else { Err(many::cancelled(&reasons)) }
}

impl Get<'_> {
    /// Writes what there is of the item; nothing where the projection has nothing of it (facts 31).
    fn write(&self, answer: &mut Answer, item: Option<&Record>) {
        match (item, &self.bound.projection) {
            (None, _) => {}
            (Some(record), None) => answer.name("Item").item(record.item()),
            (Some(record), Some(projection)) => {
                let part = projection.apply(&Subject::of_record(record));
                if !part.is_empty() {
                    answer.name("Item").item(ItemRef::new(&part));
                }
            }
        }
    }
}
