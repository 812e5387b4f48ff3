//! UpdateItem.

use kstone_api::ParsedWrite;
use kstone_api::expression::Update;
use kstone_core::item::ITEM_MAX_BYTES;

use super::{steps, written};
use crate::answer::Answer;
use crate::attributes;
use crate::bound;
use crate::call::Call;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::legacy;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["UpdateExpression", "ConditionExpression"],
        legacy: &["AttributeUpdates", "Expected", "ConditionalOperator"],
        parsed: &["UpdateExpression", "ConditionExpression"],
    },
    steps: &[mixing, conditional_operator, steps::key, attribute_updates, steps::expected, expressions],
};

fn attribute_updates(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    legacy::attribute_updates(input, rules.layer())
}

/// Updates the item; without an update, makes it where there is none. An update expression may count as much as an item
/// (parity, `limits/itemSizeBySurface`).
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let mut bound = bound::of(call, input, &PIPELINE.parameters)?;
    let table = call.table()?;
    let key = attributes::key(call, input.get("Key").expect("a required member"), &table.layout)?;
    let update = bound.update.take().unwrap_or_else(Update::nothing);
    update.refuse_key(&table.layout).map_err(|refusal| bound::below(call, refusal))?;
    // Of AttributeUpdates the item that comes of them is counted alone, and of updates in transactions and statements.
    if input.has("UpdateExpression") && update.charge() > ITEM_MAX_BYTES {
        return Err(Refusal::validation(Text::UpdatedItemTooLarge));
    }
    written::write(call, &table, ParsedWrite::update(&*key.pk, &*key.sk, update), bound, answer)
}
