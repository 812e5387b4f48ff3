//! What the operations that write one item have in common.

use kstone_api::expression::ReturnValues;
use kstone_api::{Error, ParsedWrite, Record, WriteOutcome};

use crate::answer::Answer;
use crate::attributes::StoredValue;
use crate::bound::Bound;
use crate::call::Call;
use crate::capacity::{Consumed, Detail};
use crate::catalog::CatalogTable;
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::Structure;

/// Does a write as the request says and answers what it asks for. `write` knows what is written; its condition, and what is
/// returned of the item, are added here.
///
/// # Errors
/// ConditionalCheckFailedException, with the item where that is asked for; a ValidationException for what the item that is
/// there, or the table, does not take.
pub(super) fn write(
    call: &Call<'_>,
    table: &CatalogTable,
    write: ParsedWrite<'_>,
    bound: Bound,
    answer: &mut Answer,
) -> Result<(), Refusal> {
    let input = call.input();
    let detail = Detail::of(input);
    let returns = input.get("ReturnValues").map_or(ReturnValues::None, |values| {
        ReturnValues::from_name(&values.text()).expect("the model has these values alone")
    });
    let mut write = write.return_values(returns);
    if let Some(condition) = bound.condition {
        write = write.condition(condition);
    }
    if input.get("ReturnValuesOnConditionCheckFailure").is_some_and(|values| values.quoted().is("ALL_OLD")) {
        write = write.return_old_on_failure();
    }
    let outcome = detail.is_asked().then(|| write.run_with_outcome(&table.table)).transpose();
    let outcome = outcome.map_err(|error| refused(call, error))?;
    let returned = match &outcome {
        Some(outcome) => outcome.returned().cloned(),
        None => write.run(&table.table).map_err(|error| refused(call, error))?,
    };
    answer.object(|answer| {
        if let Some(record) = returned {
            answer.name("Attributes").item(record.item());
        }
        if let Some(outcome) = &outcome {
            consumed(answer, table, outcome, detail);
        }
        item_collection(input, table, answer);
    });
    Ok(())
}

/// ItemCollectionMetrics, where they are asked for and the table has local indexes (facts 87): everything is far below the
/// first gigabyte.
fn item_collection(input: &Structure<'_>, table: &CatalogTable, answer: &mut Answer) {
    let is_asked = input.get("ReturnItemCollectionMetrics").is_some_and(|metrics| metrics.quoted().is("SIZE"));
    if !is_asked || table.table.schema().local_indexes().is_empty() {
        return;
    }
    let holder = ["Key", "Item"].into_iter().find(|name| input.shape().shape().has_member(name));
    let name = table.layout.partition().name();
    let entries = holder.and_then(|holder| input.get(holder)).into_iter().flat_map(|map| map.entries());
    let value = entries.filter(|(other, _)| other.is(name)).last().map(|(_, value)| StoredValue::of(value));
    let Some(Ok(value)) = value else { return };
    answer.name("ItemCollectionMetrics").object(|answer| {
        answer.name("ItemCollectionKey").object(|answer| answer.data_name(name).value(value.get()));
        answer.name("SizeEstimateRangeGB").list(|answer| {
            answer.double(0.0);
            answer.double(1.0);
        });
    });
}

fn consumed(answer: &mut Answer, table: &CatalogTable, outcome: &WriteOutcome, detail: Detail) {
    let mut consumed = Consumed::default();
    consumed.add_write(outcome, table);
    consumed.write(answer.name("ConsumedCapacity"), &table.name, detail);
}

/// What refuses a request whose write was refused: with the item that is there, where the error has it.
pub(super) fn refused(call: &Call<'_>, error: Error) -> Refusal {
    let refusal = call.below(&error);
    match error {
        // AttributeUpdates have a sentence of their own (dynalite, `actions/updateItem.js`; dynoxide 3.2.0).
        Error::Invalid(kstone_api::error::Refusal::Expression(of_update))
            if *of_update.reason() == kstone_api::expression::Reason::OperandUnfit
                && call.request.operation().name == "UpdateItem"
                && call.input().has("AttributeUpdates") =>
        {
            Refusal::validation(Text::UpdateTypeMismatch)
        }
        Error::ConditionFailed { item: Some(item) } => Refusal { members: Some(item_member(&item)), ..refusal },
        _ => refusal,
    }
}

/// The member `Item` of a refusal.
fn item_member(item: &Record) -> Box<str> {
    let mut member = Answer::default();
    member.name("Item").item(item.item());
    member.into_buffer().into()
}
