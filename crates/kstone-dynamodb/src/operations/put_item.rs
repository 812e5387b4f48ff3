//! PutItem.

use kstone_api::ParsedWrite;

use super::steps;
use crate::answer::Answer;
use crate::attributes;
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
    let name = input.get("TableName").expect("a required member");
    let table = call.shared().catalog.table(&name.text())?;
    let mut item = attributes::stored(call, input.get("Item").expect("a required member"))?;
    ParsedWrite::put_item(item.finish()).run(&table.table).map_err(|error| call.below(&error))?;
    answer.object(|_| {});
    Ok(())
}
