//! GetItem.

use super::steps;
use crate::answer::Answer;
use crate::attributes;
use crate::call::Call;
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
    let name = input.get("TableName").expect("a required member");
    let table = call.shared().catalog.table(&name.text())?;
    let key = attributes::key(input.get("Key").expect("a required member"), &table.layout)?;
    let found = table.table.get_record(&key.pk, &key.sk).map_err(|error| call.below(&error))?;
    answer.object(|answer| {
        if let Some(record) = &found {
            answer.name("Item").item(record.item());
        }
    });
    Ok(())
}
