//! SearchVectors (captured in eu-west-2 on 2026-08-11: parity, `error-messages/searchVectors`).

use crate::expressions::{Parameters, expressions, mixing};
use crate::pipeline::{Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

/// The most results of a search.
const MAX_TOP_K: i64 = 100;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ProjectionExpression", "SearchConditionExpression"],
        legacy: &[],
        parsed: &["SearchConditionExpression", "ProjectionExpression"],
    },
    steps: &[top_k, search_vector, mixing, expressions],
};

fn top_k(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    match input.get("TopK").map(|value| value.integer()) {
        Some(value) if value > MAX_TOP_K => Err(Text::TopKRange { value }),
        _ => Ok(()),
    }
}

/// Numbers that a float can hold.
fn search_vector(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(vector) = input.get("SearchVector") else { return Ok(()) };
    for of_value in vector.elements() {
        let number = of_value.structure().get("N").map(|number| number.text());
        let fits = |text: &str| {
            crate::number::check(text, crate::refusal::Layer::Older).is_ok()
                && text.parse::<f64>().is_ok_and(|double| double.abs() <= f64::from(f32::MAX))
        };
        if !number.is_some_and(|text| fits(&text)) {
            return Err(Text::SearchVectorValue);
        }
    }
    Ok(())
}
