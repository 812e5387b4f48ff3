//! A write whose expressions are read already, by whoever has an order of its own for what is wrong with them.
//!
//! Thread safety: plain values.

use std::borrow::Cow;

use kstone_core::record::Record;
use kstone_core::typed_key::TableKey;

use crate::error::{Error, Reason, Result};
use crate::expression::{Condition, ReturnValues, Update};
use crate::request::write::{Prepared, PreparedAction, WriteContext, check_returned};
use crate::table::Table;
use crate::table::commit::outcome::WriteOutcome;
use crate::table::commit::tables::SeveralTables;
use crate::table::commit::{self, Settle};

/// A [`Write`](crate::Write) of expressions that are parsed and bound: what requests in a form of their own are made into,
/// such as DynamoDB's.
///
/// ```
/// use kstone_api::expression::{Binder, Condition, Kind, Parameters};
/// use kstone_api::{Account, Error, ItemBuilder, ItemWriter, KeyType, ParsedWrite, TableSchema};
/// let account = Account::create_in_memory();
/// let users = account.create_table(TableSchema::new().name("users").partition_key("id", KeyType::S))?;
/// let mut ann = ItemWriter::new();
/// ann.set_str("id", "ann")?;
/// let nothing = Parameters::new();
/// let is_new = || {
///     let mut binder = Binder::new(&nothing);
///     account.expressions().condition(Kind::Condition, "attribute_not_exists(id)", &mut binder)
/// };
/// ParsedWrite::put_item(ann.finish()).condition(is_new()?).run(&users)?;
/// let again = ParsedWrite::put_item(ann.finish()).condition(is_new()?).run(&users);
/// assert!(matches!(again, Err(Error::ConditionFailed { .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ParsedWrite<'a> {
    /// None: that of the item to be put.
    key: Option<KeyBytes<'a>>,
    action: ParsedAction<'a>,
    condition: Option<Condition<'a>>,
    return_old_on_failure: bool,
    return_values: ReturnValues,
}

/// Partition key and sort key.
type KeyBytes<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

#[derive(Debug, Clone)]
enum ParsedAction<'a> {
    Put(Cow<'a, [u8]>),
    Update(Update<'a>),
    Delete,
    Check,
}

impl<'a> ParsedWrite<'a> {
    /// The item, in its stored form, under the key that its attributes are.
    pub fn put_item(body: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::new(None, ParsedAction::Put(body.into()))
    }

    /// The item of this key, whose attributes need not be in the body, in its stored form; an empty sort key is none.
    pub fn put(pk: impl Into<Cow<'a, [u8]>>, sk: impl Into<Cow<'a, [u8]>>, body: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::new(Some((pk.into(), sk.into())), ParsedAction::Put(body.into()))
    }

    /// The item of this key changed; an empty sort key is none.
    pub fn update(pk: impl Into<Cow<'a, [u8]>>, sk: impl Into<Cow<'a, [u8]>>, update: Update<'a>) -> Self {
        Self::new(Some((pk.into(), sk.into())), ParsedAction::Update(update))
    }

    /// No item of this key.
    pub fn delete(pk: impl Into<Cow<'a, [u8]>>, sk: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::new(Some((pk.into(), sk.into())), ParsedAction::Delete)
    }

    /// Nothing: the condition alone is checked. For transactions.
    pub fn check(pk: impl Into<Cow<'a, [u8]>>, sk: impl Into<Cow<'a, [u8]>>, condition: Condition<'a>) -> Self {
        Self::new(Some((pk.into(), sk.into())), ParsedAction::Check).condition(condition)
    }

    fn new(key: Option<KeyBytes<'a>>, action: ParsedAction<'a>) -> Self {
        Self { key, action, condition: None, return_old_on_failure: false, return_values: ReturnValues::None }
    }

    /// As [`Write::condition`](crate::Write::condition).
    #[must_use]
    pub fn condition(mut self, condition: Condition<'a>) -> Self {
        self.condition = Some(condition);
        self
    }

    /// As [`Write::return_old_on_failure`](crate::Write::return_old_on_failure).
    #[must_use]
    pub fn return_old_on_failure(mut self) -> Self {
        self.return_old_on_failure = true;
        self
    }

    /// As [`Write::return_values`](crate::Write::return_values).
    #[must_use]
    pub fn return_values(mut self, values: ReturnValues) -> Self {
        self.return_values = values;
        self
    }

    /// Does the write and says what it returns of the item, under the item's key.
    ///
    /// # Errors
    /// As [`Table::write`].
    pub fn run(&self, table: &Table) -> Result<Option<Record>> {
        table.write_prepared(&self.prepare(&table.write_context())?)
    }

    /// As [`ParsedWrite::run`], with what became of the item and of the entries of its indexes.
    ///
    /// # Errors
    /// As [`Table::write`].
    pub fn run_with_outcome(&self, table: &Table) -> Result<WriteOutcome> {
        let tables = SeveralTables::of(vec![table.clone()]).keeping_outcomes();
        let prepared = [self.prepare(&table.write_context())?];
        commit::commit(&tables, &prepared, Settle::FirstError)?;
        tables.take_outcomes().pop().ok_or_else(|| Error::from(Reason::NoOutcome))
    }

    /// Whether it is a put or a delete of which nothing is asked.
    pub(crate) fn is_plain(&self) -> bool {
        let writes = matches!(self.action, ParsedAction::Put(_) | ParsedAction::Delete);
        writes && self.condition.is_none() && self.return_values == ReturnValues::None
    }

    /// The write as the write path takes it.
    pub(crate) fn prepare(&self, context: &WriteContext<'_>) -> Result<Prepared<'_>> {
        let key = match (&self.key, &self.action) {
            (None, ParsedAction::Put(body)) => context.key_in(body)?,
            (key, _) => {
                let (pk, sk) = key.as_ref().map_or((&[][..], &[][..]), |(pk, sk)| (pk, sk));
                TableKey::of_bytes(context.keys, pk, sk)?
            }
        };
        check_returned(self.return_values, matches!(self.action, ParsedAction::Update(_)))?;
        let action = match &self.action {
            ParsedAction::Put(body) => PreparedAction::Put(context.checked(key.get(), Cow::Borrowed(body))?),
            ParsedAction::Update(update) => PreparedAction::Update(update.clone()),
            ParsedAction::Delete => PreparedAction::Delete,
            ParsedAction::Check => PreparedAction::Check,
        };
        Ok(Prepared {
            key,
            action,
            condition: self.condition.clone(),
            return_old_on_failure: self.return_old_on_failure,
            return_values: self.return_values,
        })
    }
}
