//! DeleteItem.

use kstone_api::ParsedWrite;

use super::{steps, written};
use crate::answer::Answer;
use crate::attributes;
use crate::bound;
use crate::call::Call;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::pipeline::Pipeline;
use crate::refusal::Refusal;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ConditionExpression"],
        legacy: &["Expected", "ConditionalOperator"],
        parsed: &["ConditionExpression"],
    },
    steps: &[mixing, conditional_operator, steps::key, steps::return_values_old_or_none, steps::expected, expressions],
};

/// Deletes the item.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let bound = bound::of(call, input, &PIPELINE.parameters)?;
    let table = call.table()?;
    let key = attributes::key(call, input.get("Key").expect("a required member"), &table.layout)?;
    written::write(call, &table, ParsedWrite::delete(&*key.pk, &*key.sk), bound, answer)
}
