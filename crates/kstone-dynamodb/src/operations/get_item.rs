//! GetItem.

use kstone_api::expression::Subject;
use kstone_api::{ItemRef, Record};

use super::steps;
use crate::answer::Answer;
use crate::attributes;
use crate::bound;
use crate::call::Call;
use crate::capacity::{Consumed, Detail, Units};
use crate::expressions::{Parameters, expressions, mixing};
use crate::pipeline::Pipeline;
use crate::refusal::Refusal;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ProjectionExpression"],
        legacy: &["AttributesToGet"],
        parsed: &["ProjectionExpression"],
    },
    steps: &[mixing, steps::key, steps::attributes_to_get, expressions],
};

/// Looks the item up.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let bound = bound::of(call, input, &PIPELINE.parameters)?;
    let table = call.table()?;
    let key = attributes::key(call, input.get("Key").expect("a required member"), &table.layout)?;
    let found = table.table.get_record(&key.pk, &key.sk).map_err(|error| call.below(&error))?;
    answer.object(|answer| {
        if let Some(record) = &found {
            answer.name("Item");
            match &bound.projection {
                None => answer.item(record.item()),
                Some(projection) => answer.item(ItemRef::new(&projection.apply(&Subject::of_record(record)))),
            }
        }
        let detail = Detail::of(input);
        if detail.is_asked() {
            let is_consistent = input.get("ConsistentRead").is_some_and(|value| value.boolean());
            let mut consumed = Consumed::default();
            consumed.add_table(Units::of_read(found.as_ref().map_or(0, Record::item_size), is_consistent));
            consumed.write(answer.name("ConsumedCapacity"), &table.name, detail);
        }
    });
    Ok(())
}
