//! A write whose parts the caller lends for one call.
//!
//! ```text
//! texts ──cache──▶ trees ──values looked up in the lent bags──▶ Prepared: nothing is copied but what is stored
//!                    └── #names, many values, anything wrong ──▶ Write, which copies, and says what is wrong
//! ```
//! Thread safety: borrows only.

use crate::error::Result;
use kstone_core::item::{ItemRef, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::record::Record;
use kstone_core::typed_key::TableKey;
use smallvec::SmallVec;

use crate::expression::ast::{ConditionAst, Symbols, UpdateAst};
use crate::expression::{BoundParameters, Condition, Kind, Parameters, ReturnValues, Update};
use crate::request::write::{Prepared, PreparedAction, Write, WriteContext, check_returned};
use crate::table::Table;

/// How many values an expression may have to be read from a bag in place, where each is looked for from the start.
const LENT_VALUES_MAX: usize = 8;

/// A [`Write`] of parts that are lent for one call: items and bags of parameters lie in their stored form, which is
/// believed.
///
/// ```
/// use kstone_api::{Database, ItemWriter, LentWrite};
/// let db = Database::create_in_memory()?;
/// let mut bag = ItemWriter::new();
/// bag.set_i64(":one", 1)?;
/// let visit = LentWrite::update(b"page#1", b"", "ADD visits :one").parameters(bag.as_item());
/// visit.run(&db)?;
/// visit.condition("visits = :one").run(&db)?;
/// assert_eq!(db.get(b"page#1")?.unwrap()["visits"].as_number(), Some(&"2".to_string()));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct LentWrite<'a> {
    /// None: that of the item to be put.
    key: Option<(&'a [u8], &'a [u8])>,
    action: LentAction<'a>,
    condition: Option<&'a str>,
    parameters: Option<ItemRef<'a>>,
    condition_parameters: Option<ItemRef<'a>>,
    return_old_on_failure: bool,
    return_values: ReturnValues,
}

#[derive(Debug, Clone, Copy)]
enum LentAction<'a> {
    Put(&'a [u8]),
    Update(&'a str),
    Delete,
    /// With its condition.
    Check(&'a str),
}

impl<'a> LentWrite<'a> {
    /// As [`Write::put_body`]; an empty sort key is none.
    #[must_use]
    pub fn put(pk: &'a [u8], sk: &'a [u8], body: &'a [u8]) -> Self {
        Self::new(Some((pk, sk)), LentAction::Put(body))
    }

    /// As [`Write::put_item_body`].
    #[must_use]
    pub fn put_item(body: &'a [u8]) -> Self {
        Self::new(None, LentAction::Put(body))
    }

    /// As [`Write::update`].
    #[must_use]
    pub fn update(pk: &'a [u8], sk: &'a [u8], expression: &'a str) -> Self {
        Self::new(Some((pk, sk)), LentAction::Update(expression))
    }

    /// As [`Write::delete`].
    #[must_use]
    pub fn delete(pk: &'a [u8], sk: &'a [u8]) -> Self {
        Self::new(Some((pk, sk)), LentAction::Delete)
    }

    /// As [`Write::check`].
    #[must_use]
    pub fn check(pk: &'a [u8], sk: &'a [u8], condition: &'a str) -> Self {
        Self::new(Some((pk, sk)), LentAction::Check(condition)).condition(condition)
    }

    fn new(key: Option<(&'a [u8], &'a [u8])>, action: LentAction<'a>) -> Self {
        Self {
            key,
            action,
            condition: None,
            parameters: None,
            condition_parameters: None,
            return_old_on_failure: false,
            return_values: ReturnValues::None,
        }
    }

    /// As [`Write::condition`].
    #[must_use]
    pub fn condition(mut self, expression: &'a str) -> Self {
        self.condition = Some(expression);
        self
    }

    /// Names and values, as [`Parameters::from_bag`] takes them.
    #[must_use]
    pub fn parameters(mut self, bag: ItemRef<'a>) -> Self {
        self.parameters = Some(bag);
        self
    }

    /// Names and values of the condition alone.
    #[must_use]
    pub fn condition_parameters(mut self, bag: ItemRef<'a>) -> Self {
        self.condition_parameters = Some(bag);
        self
    }

    /// As [`Write::return_old_on_failure`].
    #[must_use]
    pub fn return_old_on_failure(mut self) -> Self {
        self.return_old_on_failure = true;
        self
    }

    /// As [`Write::return_values`].
    #[must_use]
    pub fn return_values(mut self, values: ReturnValues) -> Self {
        self.return_values = values;
        self
    }

    /// Its key; none where that is the item's.
    ///
    /// # Errors
    /// As [`KeyRef::new`].
    pub(crate) fn key(&self) -> Result<Option<KeyRef<'a>>> {
        Ok(self.key.map(|(pk, sk)| KeyRef::new(pk, sk)).transpose()?)
    }

    /// The body of a put, or none of a delete, that says no more; none for any other write.
    pub(crate) fn plain(&self) -> Option<Option<&'a [u8]>> {
        let says_more = self.condition.is_some()
            || self.parameters.is_some()
            || self.condition_parameters.is_some()
            || self.return_values != ReturnValues::None;
        match self.action {
            _ if says_more => None,
            LentAction::Put(body) => Some(Some(body)),
            LentAction::Delete => Some(None),
            LentAction::Update(_) | LentAction::Check(_) => None,
        }
    }

    /// Does the write and says what it returns of the item, under the item's key.
    ///
    /// # Errors
    /// As [`Table::write`] and [`LentWrite::to_write`].
    pub fn run(&self, database: &Table) -> Result<Option<Record>> {
        let mut values = (Values::new(), Values::new());
        match self.prepare(&database.write_context(), &mut values) {
            Some(prepared) => database.write_prepared(&prepared),
            None => database.write(self.to_write()?),
        }
    }

    /// The same with parts of its own.
    ///
    /// # Errors
    /// As [`Parameters::from_bag`].
    pub fn to_write(&self) -> Result<Write> {
        let (pk, sk) = self.key.unwrap_or_default();
        let write = match self.action {
            LentAction::Put(body) if self.key.is_none() => Write::put_item_body(body),
            LentAction::Put(body) => Write::put_body(pk, body),
            LentAction::Update(expression) => Write::update(pk, expression),
            LentAction::Delete => Write::delete(pk),
            LentAction::Check(condition) => Write::check(pk, condition),
        };
        let mut write = write.sort_key(sk).return_values(self.return_values);
        if let Some(condition) = self.condition {
            write = write.condition(condition);
        }
        if let Some(bag) = self.parameters {
            write = write.parameters(Parameters::from_bag(bag)?);
        }
        if let Some(bag) = self.condition_parameters {
            write = write.condition_parameters(Parameters::from_bag(bag)?);
        }
        Ok(if self.return_old_on_failure { write.return_old_on_failure() } else { write })
    }

    /// The write with the values in their bags, where nothing has to be copied for it. None, too, where anything is wrong:
    /// what a [`Write`] does then says what.
    fn prepare<'p>(&self, context: &WriteContext<'_>, values: &'p mut (Values<'a>, Values<'a>)) -> Option<Prepared<'p>>
    where
        'a: 'p,
    {
        let key = match (self.key, self.action) {
            (None, LentAction::Put(body)) => context.key_in(body).ok()?,
            (key, _) => {
                let (pk, sk) = key.unwrap_or_default();
                TableKey::of_bytes(context.keys, pk, sk).ok()?
            }
        };
        let cache = context.cache;
        check_returned(self.return_values, matches!(self.action, LentAction::Update(_))).ok()?;
        let update = match self.action {
            LentAction::Update(text) => Some(cache.parsed_update(text).ok()?),
            _ => None,
        };
        let condition = match self.condition {
            Some(text) => Some(cache.parsed_condition(Kind::Condition, text).ok()?),
            None => None,
        };
        let (of_update, of_condition) = self.find_values(update.as_deref(), condition.as_deref(), values)?;
        let action = match self.action {
            LentAction::Put(body) => PreparedAction::Put(context.checked(key.get(), body.into()).ok()?),
            LentAction::Update(_) => PreparedAction::Update(Update::new(update?, of_update, context.layout()).ok()?),
            LentAction::Delete => PreparedAction::Delete,
            LentAction::Check(_) => PreparedAction::Check,
        };
        let condition = match condition {
            Some(condition) => Some(Condition::new(Kind::Condition, condition, of_condition, context.layout()).ok()?),
            None => None,
        };
        let (return_old_on_failure, return_values) = (self.return_old_on_failure, self.return_values);
        Some(Prepared { key, action, condition, return_old_on_failure, return_values })
    }

    /// The values of both expressions. None where there are `#names`, a value is missing, or a bag holds something that
    /// no expression uses.
    fn find_values<'p>(
        &self,
        update: Option<&UpdateAst>,
        condition: Option<&ConditionAst>,
        (of_update, of_condition): &'p mut (Values<'a>, Values<'a>),
    ) -> Option<(BoundParameters<'p>, BoundParameters<'p>)> {
        if let Some(update) = update {
            add_values(&update.symbols, self.parameters, of_update)?;
        }
        if let Some(condition) = condition {
            add_values(&condition.symbols, self.condition_parameters.or(self.parameters), of_condition)?;
        }
        let mut used = (of_update.len(), of_condition.len());
        if self.condition_parameters.is_none() {
            let in_both = match (update, condition) {
                (Some(update), Some(condition)) => {
                    let values = &update.symbols.values;
                    condition.symbols.values.iter().filter(|value| values.contains(value)).count()
                }
                _ => 0,
            };
            used = (used.0 + used.1 - in_both, 0);
        }
        let held = |bag: Option<ItemRef<'_>>| bag.map_or(0, ItemRef::len);
        ((held(self.parameters), held(self.condition_parameters)) == used)
            .then(|| (BoundParameters::lent(of_update), BoundParameters::lent(of_condition)))
    }
}

/// The values of an expression, in the order of its symbols.
type Values<'a> = SmallVec<[ValueRef<'a>; LENT_VALUES_MAX]>;

/// Looks the values of an expression up in a bag.
fn add_values<'a>(symbols: &Symbols, bag: Option<ItemRef<'a>>, values: &mut Values<'a>) -> Option<()> {
    if !symbols.aliases.is_empty() || symbols.values.len() > LENT_VALUES_MAX {
        return None;
    }
    for name in &symbols.values {
        values.push(bag?.get(name)?);
    }
    Some(())
}
