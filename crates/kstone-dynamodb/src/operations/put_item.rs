//! PutItem.

use kstone_api::ParsedWrite;

use super::{steps, written};
use crate::answer::Answer;
use crate::attributes::{self, Body};
use crate::bound;
use crate::call::Call;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::pipeline::Pipeline;
use crate::refusal::Refusal;
use crate::vectors;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ConditionExpression"],
        legacy: &["Expected", "ConditionalOperator"],
        parsed: &["ConditionExpression"],
    },
    steps: &[
        mixing,
        conditional_operator,
        steps::item,
        steps::return_values_old_or_none,
        steps::item_size,
        steps::expected,
        expressions,
    ],
};

/// Puts the item.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let bound = bound::of(call, input, &PIPELINE.parameters)?;
    let table = call.table()?;
    let mut body = Body::new();
    let key = attributes::item(call, input.get("Item").expect("a required member"), &table.layout, &mut body)?;
    vectors::check(&table, &body)?;
    let write = ParsedWrite::put(&*key.pk, &*key.sk, &body[..]);
    written::write(call, &table, write, bound, answer)
}
