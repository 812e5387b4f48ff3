//! TransactWriteItems: each item is one action, which has the rules of that write. The order between them and a table's
//! is not captured. Names and values may come
//! without an expression here (ExtendDB#169, captured on AWS).

use super::steps;
use crate::expressions::{Parameters, expressions};
use crate::pipeline::{self, Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[one_action, actions]);

const CONDITION: Parameters =
    Parameters { expressions: &["ConditionExpression"], legacy: &[], parsed: &["ConditionExpression"] };

const PUT: Pipeline = Pipeline { parameters: CONDITION, steps: &[steps::item, steps::item_size, expressions] };

const DELETE: Pipeline = Pipeline { parameters: CONDITION, steps: &[steps::key, expressions] };

const UPDATE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["UpdateExpression", "ConditionExpression"],
        legacy: &[],
        parsed: &["UpdateExpression", "ConditionExpression"],
    },
    steps: &[steps::key, expressions],
};

/// An action's name and its rules.
const ACTIONS: [(&str, &Pipeline); 4] =
    [("ConditionCheck", &DELETE), ("Put", &PUT), ("Delete", &DELETE), ("Update", &UPDATE)];

/// moto, `exceptions.py`, whose tests run against AWS; that there is none of them says another text.
fn one_action(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(items) = input.get("TransactItems") else { return Ok(()) };
    for item in items.elements() {
        let item = item.structure();
        match ACTIONS.iter().filter(|(name, _)| item.has(name)).count() {
            0 => return Err(Text::NoTransactAction),
            1 => {}
            _ => return Err(Text::OneTransactAction),
        }
    }
    Ok(())
}

fn actions(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(items) = input.get("TransactItems") else { return Ok(()) };
    for item in items.elements() {
        let item = item.structure();
        for (name, pipeline) in ACTIONS {
            if let Some(action) = item.get(name) {
                pipeline::part(pipeline, rules, &action.structure())?;
            }
        }
    }
    Ok(())
}
