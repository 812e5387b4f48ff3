//! The expressions of a structure of a request, parsed and bound: of the request itself, or of a member of a transaction or
//! a batch.
//!
//! ```text
//! ExpressionAttributeNames, …Values ─► Parameters ─┐
//! UpdateExpression, ConditionExpression, … ────────┴► parsed in AWS's order ─► what is unused is refused ─► Bound
//! Expected, AttributeUpdates, QueryFilter, … ─► lowered (legacy/lower.rs) ───────────────────────────────► Bound
//! ```
//! AWS reads expressions before it looks for the table (dynalite's tests name a table that is not there). So what depends on
//! the table's key is for later: [`Update::refuse_key`], [`KeyCondition::new`](kstone_api::expression::KeyCondition::new),
//! [`Condition::refuse_attributes`].
//!
//! Parsed texts are kept by the account. Thread safety: plain values.

use kstone_api::ItemRef;
use kstone_api::expression::{Binder, Condition, ExpressionCache, Kind, Parameters, Projection, Update};
use kstone_core::buffer::{Buffer, StackBuffer};
use kstone_core::item::parts;
use smallvec::SmallVec;

use crate::attributes;
use crate::call::Call;
use crate::expressions;
use crate::legacy::lower;
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::{Structure, Value};

/// The expressions of a structure, or what its older parameters were lowered to.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    /// ConditionExpression, or Expected.
    pub(crate) condition: Option<Condition<'static>>,
    /// UpdateExpression, or AttributeUpdates.
    pub(crate) update: Option<Update<'static>>,
    /// ProjectionExpression, or AttributesToGet.
    pub(crate) projection: Option<Projection>,
    /// FilterExpression, or QueryFilter or ScanFilter.
    pub(crate) filter: Option<Condition<'static>>,
    /// KeyConditionExpression, or KeyConditions: not looked at as a condition on a key yet.
    pub(crate) key_condition: Option<Condition<'static>>,
    /// SearchConditionExpression.
    pub(crate) search_condition: Option<Condition<'static>>,
}

/// The expressions of this structure, which has these parameters: those of the [`Pipeline`](crate::pipeline::Pipeline)
/// whose rules it has passed.
///
/// # Errors
/// A ValidationException in the words of the first expression that is wrong, and for names and values that none uses.
pub(crate) fn of(
    call: &Call<'_>,
    structure: &Structure<'_>,
    parameters: &expressions::Parameters,
) -> Result<Bound, Refusal> {
    let mut bound = Bound::default();
    if parameters.parsed.iter().any(|name| structure.has(name)) {
        let given = given(structure, call.envelopes)?;
        let mut binder = Binder::before_table(&given);
        let cache = call.shared().tables.expressions();
        for name in parameters.parsed {
            if let Some(text) = structure.get(name) {
                bound.bind(cache, name, &text.text(), &mut binder).map_err(|refusal| below(call, refusal))?;
            }
        }
        binder.finish().map_err(|refusal| below(call, refusal))?;
    }
    if parameters.legacy.iter().any(|name| structure.has(name)) {
        lower::into(&mut bound, structure, parameters.legacy, call)?;
    }
    Ok(bound)
}

/// Whether the expressions of a structure can be read, for operations that say of an earlier part that it cannot be before
/// they say what is wrong with a later one. Nothing is kept.
///
/// # Errors
/// The text of [`of`].
#[cold]
pub(crate) fn readable(structure: &Structure<'_>, parameters: &expressions::Parameters) -> Result<(), Text> {
    let read = || {
        let given = given(structure, false)?;
        let mut binder = Binder::before_table(&given);
        let (cache, mut bound) = (ExpressionCache::with_max_bytes(0), Bound::default());
        let below = |refusal: kstone_api::expression::Refusal| Refusal::below(&refusal.into(), false);
        for name in parameters.parsed {
            if let Some(text) = structure.get(name) {
                bound.bind(&cache, name, &text.text(), &mut binder).map_err(below)?;
            }
        }
        binder.finish().map_err(below)
    };
    read().map_err(|refusal: Refusal| refusal.text.expect("what refuses an expression has a text"))
}

impl Bound {
    fn bind(
        &mut self,
        cache: &ExpressionCache,
        name: &str,
        text: &str,
        binder: &mut Binder<'_>,
    ) -> Result<(), kstone_api::expression::Refusal> {
        match name {
            "ConditionExpression" => self.condition = Some(cache.condition(Kind::Condition, text, binder)?),
            "UpdateExpression" => self.update = Some(cache.update(text, binder)?),
            "ProjectionExpression" => self.projection = Some(cache.projection(text, binder)?),
            "FilterExpression" => self.filter = Some(cache.condition(Kind::Filter, text, binder)?),
            "KeyConditionExpression" => self.key_condition = Some(cache.condition(Kind::KeyCondition, text, binder)?),
            "SearchConditionExpression" => {
                self.search_condition = Some(cache.condition(Kind::SearchCondition, text, binder)?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// What refuses a request with what its expressions are refused for.
pub(crate) fn below(call: &Call<'_>, refusal: kstone_api::expression::Refusal) -> Refusal {
    call.below(&refusal.into())
}

/// The names and values of a structure.
fn given(structure: &Structure<'_>, envelopes: bool) -> Result<Parameters, Refusal> {
    let member = |name: &str| structure.shape().shape().has_member(name).then(|| structure.get(name)).flatten();
    let (names, values) = (member("ExpressionAttributeNames"), member("ExpressionAttributeValues"));
    if names.is_none() && values.is_none() {
        return Ok(Parameters::new());
    }
    let mut bag = StackBuffer::<512>::new();
    if let Some(names) = names {
        put_names(&mut bag, names);
    }
    if let Some(values) = values {
        // Behind the names: ':' is greater than '#'.
        attributes::put_map(&mut bag, values).map_err(too_large)?;
    }
    Parameters::from_bag(ItemRef::new(&bag)).map_err(|refusal| Refusal::below(&refusal.into(), envelopes))
}

/// Values that no item could hold are refused as an item is.
fn too_large(text: Text) -> Refusal {
    Refusal::validation(text)
}

/// Appends `#names` as texts, in their order.
fn put_names(bag: &mut impl Buffer, names: Value<'_>) {
    let mut entries: SmallVec<[_; 8]> = names.entries().map(|(key, name)| (key.decode(), name.text())).collect();
    entries.sort_unstable();
    for (key, name) in &entries {
        parts::append_entry(bag, key, kstone_api::ValueRef::from_parts(kstone_api::Type::S, name.as_bytes()));
    }
}
