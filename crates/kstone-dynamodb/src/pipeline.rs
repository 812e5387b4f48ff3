//! What an operation demands between its members: a list of steps in the order in which AWS takes them.
//!
//! Validation order is this type and not a discipline: an operation's file names its steps, and the first that refuses is
//! the answer. A step sees the request's members and says a [`Text`]; whether that gets the new layer's prefix is decided
//! here.

use crate::expressions::Parameters;
use crate::refusal::{Cohort, Layer, Refusal};
use crate::request::Request;
use crate::texts::Text;
use crate::view::Structure;

/// A step of an operation's rules.
pub(crate) type Step = fn(&Rules<'_>, &Structure<'_>) -> Result<(), Text>;

/// An operation's rules.
#[derive(Clone, Copy)]
pub(crate) struct Pipeline {
    /// Its expressions and what stands in their place.
    pub(crate) parameters: Parameters,
    /// Its checks, in order.
    pub(crate) steps: &'static [Step],
}

impl Pipeline {
    /// Of an operation that has no expressions.
    pub(crate) const fn of(steps: &'static [Step]) -> Self {
        Self { parameters: Parameters { expressions: &[], legacy: &[], parsed: &[] }, steps }
    }
}

/// What a step may know in addition to the members.
pub(crate) struct Rules<'p> {
    pipeline: &'p Pipeline,
    operation: &'static str,
    is_new: bool,
    layer: Layer,
}

impl<'p> Rules<'p> {
    /// The expressions of the operation.
    pub(crate) fn parameters(&self) -> &'p Parameters {
        &self.pipeline.parameters
    }

    /// The operation that the request is of, also where a member's rules run.
    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    /// Which layer reads the values.
    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// Whether the new layer speaks.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }
}

/// Runs an operation's steps.
pub(crate) fn run(pipeline: &Pipeline, request: &Request<'_>, cohort: Cohort) -> Result<(), Refusal> {
    let operation = request.operation().name;
    let is_new = cohort.envelopes(operation);
    let rules = Rules { pipeline, operation, is_new, layer: cohort.layer(operation) };
    steps(&rules, request.input()).map_err(|text| Refusal::rule(text, is_new))
}

/// Runs the steps on a structure: of the input, or of a member that has rules of its own.
pub(crate) fn steps(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    rules.pipeline.steps.iter().try_for_each(|step| step(rules, input))
}

/// Runs another pipeline's steps on a part of the input.
pub(crate) fn part(pipeline: &Pipeline, rules: &Rules<'_>, part: &Structure<'_>) -> Result<(), Text> {
    steps(&Rules { pipeline, ..*rules }, part)
}
