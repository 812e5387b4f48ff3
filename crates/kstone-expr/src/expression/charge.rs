//! What DynamoDB's UpdateItem counts of an update expression before it looks at an item: the bytes of what is written and
//! of the words that say so.
//!
//! | what | bytes |
//! | --- | --- |
//! | the update | 3 |
//! | SET, ADD | 19, the target, and what is written |
//! | REMOVE, DELETE | 1 and the target |
//! | a target | its first name; 4 and the name, or the digits, of each further step |
//! | a value | what it counts in an item; of a set its members |
//! | a path that a value is taken from | 1; 14 and the name, or the digits, of each step |
//! | `a + b`, `a - b`, `list_append(a, b)`, `if_not_exists(a, b)` | 34, 37, 37, 39 and both sides |
//!
//! Measured on AWS by bisecting (parity, `limits/itemSizeBySurface`). Thread safety: immutable.

use kstone_core::item::counted_size;

use super::ast::{NewValue, OperandSource, Segment, Verb};
use super::update::Update;

const UPDATE_BYTES: usize = 3;
const WRITTEN_BYTES: usize = 19;
const REMOVED_BYTES: usize = 1;
const PLUS_BYTES: usize = 34;
const MINUS_BYTES: usize = 37;
const LIST_APPEND_BYTES: usize = 37;
const IF_NOT_EXISTS_BYTES: usize = 39;
const TARGET_STEP_BYTES: usize = 4;
const PATH_BYTES: usize = 1;
const PATH_STEP_BYTES: usize = 14;

impl Update<'_> {
    /// The bytes that DynamoDB's UpdateItem counts of this update: it takes no more of them than an item may have. Costs
    /// a pass over the actions and the values that they use.
    ///
    /// ```
    /// use kstone_expr::expression::{Binder, Parameters, Update};
    /// use kstone_core::value::{Item, Value};
    ///
    /// let parameters = Parameters::from_maps([], &Item::from([(":x".to_string(), Value::string("four"))]))?;
    /// let update = Update::parse("SET a = :x REMOVE bc", &mut Binder::new(&parameters))?;
    /// assert_eq!(update.charge(), 3 + (19 + 1 + 4) + (1 + 2));
    /// # Ok::<(), kstone_expr::Refusal>(())
    /// ```
    #[must_use]
    pub fn charge(&self) -> usize {
        let actions = self.ast.actions.iter().map(|action| {
            let target = self.target(action.path);
            match &action.verb {
                Verb::Set(new) => WRITTEN_BYTES + target + self.made(new),
                Verb::Add(value) => WRITTEN_BYTES + target + counted_size(self.bound.value(*value)),
                Verb::Remove | Verb::Delete(_) => REMOVED_BYTES + target,
            }
        });
        UPDATE_BYTES + actions.sum::<usize>()
    }

    fn made(&self, new: &NewValue) -> usize {
        let (bytes, left, right) = match new {
            NewValue::Source(source) => return self.source(*source),
            NewValue::Plus(left, right) => (PLUS_BYTES, left, right),
            NewValue::Minus(left, right) => (MINUS_BYTES, left, right),
            NewValue::ListAppend(left, right) => (LIST_APPEND_BYTES, left, right),
            NewValue::Fault(_) => return 0,
        };
        bytes + self.source(*left) + self.source(*right)
    }

    /// A source, and those that it falls back to.
    fn source(&self, mut source: u16) -> usize {
        let mut bytes = 0;
        loop {
            match self.ast.sources[usize::from(source)] {
                OperandSource::Path(path) => return bytes + self.operand(path),
                OperandSource::Value(value) => return bytes + counted_size(self.bound.value(value)),
                OperandSource::IfNotExists(path, other) => {
                    bytes += IF_NOT_EXISTS_BYTES + self.operand(path);
                    source = other;
                }
            }
        }
    }

    fn operand(&self, path: u16) -> usize {
        let steps = self.ast.symbols.paths[usize::from(path)].iter();
        PATH_BYTES + steps.map(|step| PATH_STEP_BYTES + self.step(step)).sum::<usize>()
    }

    fn target(&self, path: u16) -> usize {
        let steps = self.ast.symbols.paths[usize::from(path)].iter().enumerate();
        steps.map(|(at, step)| self.step(step) + if at == 0 { 0 } else { TARGET_STEP_BYTES }).sum()
    }

    fn step(&self, step: &Segment) -> usize {
        match step {
            Segment::Name(name) => name.len(),
            Segment::Alias(alias) => self.bound.name(*alias).len(),
            Segment::Index(index) => index.checked_ilog10().map_or(1, |log| log as usize + 1),
        }
    }
}
