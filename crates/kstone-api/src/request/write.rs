//! One write: an item put, updated, deleted or checked, perhaps on a condition. Alone, in a batch or in a transaction.

use std::borrow::Cow;

use crate::error::Result;
use crate::error::{Error, Reason};
use kstone_core::buffer::StackBuffer;
use kstone_core::engine::KeyWrite;
use kstone_core::item::{self, ItemRef};
use kstone_core::key::{KeyRef, RoutedKey};
use kstone_core::key_layout::KeyLayout;
use kstone_core::label::InternedLayout;
use kstone_core::record::Record;
use kstone_core::typed_key::{KeyScratch, MadeKey, TableKey};
use kstone_core::value::{Item, Value};

use crate::expression::{Binder, Condition, ExpressionCache, Kind, Parameters, ReturnValues, Subject, Update};
use crate::model::item_check::{check_item, untyped_key};
use crate::request::parameters::RequestParameters;
use crate::request::transaction::KeyParts;
use crate::table::state::{TableState, layout_of};

/// What is written to one key.
///
/// ```
/// use kstone_api::{Database, Error, ItemBuilder, KeystoneValue, Write};
/// let db = Database::create_in_memory()?;
/// let alice = || ItemBuilder::new().string("name", "Alice").build();
/// let insert = || Write::put(b"user#1", alice()).condition("attribute_not_exists(pk)");
/// db.write(insert())?;
/// assert!(matches!(db.write(insert()), Err(Error::ConditionFailed { .. })));
///
/// let visit = Write::update(b"user#1", "ADD visits :one").value(":one", KeystoneValue::number(1));
/// db.write(visit)?;
/// assert_eq!(db.get(b"user#1")?.unwrap()["visits"].as_number(), Some(&"1".to_string()));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Write {
    pk: Vec<u8>,
    sk: Vec<u8>,
    /// Both are empty: the key is that of the item to be put.
    has_own_key: bool,
    action: Action,
    condition: Option<String>,
    parameters: Option<Box<RequestParameters>>,
    /// Where the condition has a bag of its own.
    condition_parameters: Option<Box<RequestParameters>>,
    return_old_on_failure: bool,
    return_values: ReturnValues,
}

#[derive(Debug, Clone)]
enum Action {
    Put(Item),
    PutBody(Vec<u8>),
    Update(String),
    Delete,
    Check,
}

impl Write {
    /// The item in the place of the one that is there.
    pub fn put(pk: &[u8], item: Item) -> Self {
        Self::new(pk, Action::Put(item))
    }

    /// The item in its stored form, as [`ItemWriter::finish`](crate::ItemWriter::finish) gives it.
    pub fn put_body(pk: &[u8], body: &[u8]) -> Self {
        Self::new(pk, Action::PutBody(body.to_vec()))
    }

    /// The item under the key that its attributes are, as [`Table::put_item`](crate::Table::put_item) takes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for what no item may have.
    pub fn put_item(item: &Item) -> Result<Self> {
        Ok(Self::put_item_body(&item::encode(item)?))
    }

    /// As [`Write::put_item`] of an item in its stored form, which is believed.
    pub fn put_item_body(body: &[u8]) -> Self {
        Self { has_own_key: true, ..Self::put_body(&[], body) }
    }

    /// The item changed by an update expression; one that is not there is made.
    pub fn update(pk: &[u8], expression: &str) -> Self {
        Self::new(pk, Action::Update(expression.to_owned()))
    }

    /// No item. That there is none already is no error.
    pub fn delete(pk: &[u8]) -> Self {
        Self::new(pk, Action::Delete)
    }

    /// Nothing: the condition alone is checked. For transactions.
    pub fn check(pk: &[u8], condition: &str) -> Self {
        Self::new(pk, Action::Check).condition(condition)
    }

    fn new(pk: &[u8], action: Action) -> Self {
        Self {
            pk: pk.to_vec(),
            sk: Vec::new(),
            has_own_key: false,
            action,
            condition: None,
            parameters: None,
            condition_parameters: None,
            return_old_on_failure: false,
            return_values: ReturnValues::None,
        }
    }

    /// The sort key.
    #[must_use]
    pub fn sort_key(mut self, sk: &[u8]) -> Self {
        self.sk = sk.to_vec();
        self
    }

    /// Writes only where this condition expression holds for the item that is there.
    #[must_use]
    pub fn condition(mut self, expression: &str) -> Self {
        self.condition = Some(expression.to_owned());
        self
    }

    /// What a `#name` of the expressions stands for.
    #[must_use]
    pub fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.parameters.get_or_insert_default().name(placeholder, name);
        self
    }

    /// What a `:value` of the expressions stands for.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: Value) -> Self {
        self.parameters.get_or_insert_default().value(placeholder, value);
        self
    }

    /// All names and values at once, in the place of those given one by one.
    #[must_use]
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.parameters.get_or_insert_default().bag(parameters);
        self
    }

    /// Names and values of the condition alone.
    #[must_use]
    pub fn condition_parameters(mut self, parameters: Parameters) -> Self {
        self.condition_parameters.get_or_insert_default().bag(parameters);
        self
    }

    /// Hands out the item that made the condition fail, with the error.
    #[must_use]
    pub fn return_old_on_failure(mut self) -> Self {
        self.return_old_on_failure = true;
        self
    }

    /// What the write returns of the item. A put or a delete returns nothing or [`ReturnValues::AllOld`].
    #[must_use]
    pub fn return_values(mut self, values: ReturnValues) -> Self {
        self.return_values = values;
        self
    }

    /// The write with its key checked, its item encoded and its expressions parsed and bound.
    pub(crate) fn prepare(&self, context: &WriteContext<'_>) -> Result<Prepared<'_>> {
        let key = match &self.action {
            Action::PutBody(body) if self.has_own_key => context.key_in(body)?,
            _ => TableKey::of_bytes(context.keys, &self.pk, &self.sk)?,
        };
        let is_plain = self.parameters.is_none() && self.condition_parameters.is_none() && self.condition.is_none();
        let (action, condition) = match is_plain {
            true => {
                let nothing = Parameters::new();
                let mut binder = Binder::for_table(&nothing, context.layout());
                let bind = |text: &str| Ok(context.cache.update(text, &mut binder)?);
                (self.prepare_action(key.get(), context, bind)?, None)
            }
            false => self.bind(key.get(), context)?,
        };
        check_returned(self.return_values, matches!(self.action, Action::Update(_)))?;
        Ok(Prepared {
            key,
            action,
            condition,
            return_old_on_failure: self.return_old_on_failure,
            return_values: self.return_values,
        })
    }

    fn prepare_action(
        &self,
        key: KeyRef<'_>,
        context: &WriteContext<'_>,
        bind_update: impl FnOnce(&str) -> Result<Update<'static>>,
    ) -> Result<PreparedAction<'_>> {
        Ok(match &self.action {
            Action::Put(item) => PreparedAction::Put(context.checked(key, item::encode(item)?.into())?),
            Action::PutBody(body) => PreparedAction::Put(context.checked(key, body.into())?),
            Action::Update(text) => PreparedAction::Update(bind_update(text)?),
            Action::Delete => PreparedAction::Delete,
            Action::Check => PreparedAction::Check,
        })
    }

    /// The action and the condition with their names and values, every one of which must be used.
    fn bind(
        &self,
        key: KeyRef<'_>,
        context: &WriteContext<'_>,
    ) -> Result<(PreparedAction<'_>, Option<Condition<'static>>)> {
        let gathered = |parameters: &RequestParameters| parameters.gathered();
        let own_parameters = self.parameters.as_deref().map_or(Ok(Parameters::new()), gathered)?;
        let condition_parameters = self.condition_parameters.as_deref().map(gathered).transpose()?;
        let (cache, layout) = (context.cache, context.layout());
        let mut binder = Binder::for_table(&own_parameters, layout);
        let action = self.prepare_action(key, context, |text| Ok(cache.update(text, &mut binder)?))?;
        let mut condition_binder =
            condition_parameters.as_ref().map(|parameters| Binder::for_table(parameters, layout));
        let condition = match &self.condition {
            None => None,
            Some(text) => {
                Some(cache.condition(Kind::Condition, text, condition_binder.as_mut().unwrap_or(&mut binder))?)
            }
        };
        binder.finish()?;
        condition_binder.map_or(Ok(()), Binder::finish)?;
        Ok((action, condition))
    }

    /// The key as the caller gave it; none where it is that of the item.
    pub(crate) fn key_parts(&self) -> Option<KeyParts<'_>> {
        (!self.has_own_key).then_some((&self.pk, &self.sk))
    }

    /// Whether a batch may hold it: an item put or deleted without a condition.
    pub(crate) fn is_plain(&self) -> bool {
        self.condition.is_none() && matches!(self.action, Action::Put(_) | Action::PutBody(_) | Action::Delete)
    }
}

/// Refuses to return of a put or a delete what only an update has.
pub(crate) fn check_returned(values: ReturnValues, is_update: bool) -> Result<()> {
    match values {
        ReturnValues::None | ReturnValues::AllOld => Ok(()),
        _ if is_update => Ok(()),
        _ => Err(Error::from(Reason::ReturnsOldOrNone)),
    }
}

/// What a write is prepared with.
pub(crate) struct WriteContext<'c> {
    pub(crate) cache: &'c ExpressionCache,
    /// The layout of the keys of the table that is written to, where it is typed.
    pub(crate) keys: Option<&'static InternedLayout>,
}

/// The body of an item without its key attributes: of up to so many bytes on the stack.
pub(crate) type RestOfItem = StackBuffer<512>;

impl WriteContext<'_> {
    /// The names and types of the table's key.
    pub(crate) fn layout(&self) -> &'static KeyLayout {
        layout_of(self.keys)
    }

    /// The key that the attributes of an item are in this table.
    pub(crate) fn key_in<'a>(&self, body: &'a [u8]) -> Result<TableKey<'a>> {
        let item = ItemRef::new(body);
        let Some(layout) = self.keys else {
            let (pk, sk) = untyped_key(item)?;
            return Ok(KeyRef::new(pk, sk)?.into());
        };
        let mut scratch = KeyScratch::default();
        Ok(TableKey::Made(Box::new(MadeKey::of(layout.split(item, &mut scratch)?.key))))
    }

    /// As [`checked_body`] in this table.
    pub(crate) fn checked<'a>(&self, key: KeyRef<'_>, body: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>> {
        checked_body(self.keys, key, body)
    }
}

/// An item as it is stored under its key in a table of this layout, checked.
pub(crate) fn checked_body<'a>(
    keys: Option<&'static InternedLayout>,
    key: KeyRef<'_>,
    body: Cow<'a, [u8]>,
) -> Result<Cow<'a, [u8]>> {
    let body = match keys {
        None => body,
        Some(layout) => {
            let split = layout.split_under(key, ItemRef::new(&body))?;
            match split.rest.iter().map(|piece| piece.len()).sum::<usize>() == body.len() {
                true => body,
                false => split.rest.concat().into(),
            }
        }
    };
    check_item(&key, ItemRef::new(&body))?;
    Ok(body)
}

/// A write that wants only the item that is there.
pub(crate) struct Prepared<'a> {
    pub(crate) key: TableKey<'a>,
    pub(crate) action: PreparedAction<'a>,
    pub(crate) condition: Option<Condition<'a>>,
    pub(crate) return_old_on_failure: bool,
    pub(crate) return_values: ReturnValues,
}

#[derive(Debug, Clone)]
pub(crate) enum PreparedAction<'a> {
    Put(Cow<'a, [u8]>),
    /// A put where there is no item yet.
    Insert(Cow<'a, [u8]>),
    Update(Update<'a>),
    Delete,
    Check,
    /// Nothing is written: the item that is there is returned.
    Get,
}

impl PreparedAction<'_> {
    /// The same, its item lent by this one.
    pub(crate) fn lent(&self) -> PreparedAction<'_> {
        match self {
            Self::Put(body) => PreparedAction::Put(Cow::Borrowed(body)),
            Self::Insert(body) => PreparedAction::Insert(Cow::Borrowed(body)),
            Self::Update(update) => PreparedAction::Update(update.clone()),
            Self::Delete => PreparedAction::Delete,
            Self::Check => PreparedAction::Check,
            Self::Get => PreparedAction::Get,
        }
    }
}

/// The body that an update makes: of up to so many bytes on the stack.
pub(crate) type MadeBody = StackBuffer<2048>;

/// What a write makes of its key.
pub(crate) enum NewItem<'a> {
    /// The key stays as it is.
    Unchanged,
    /// An item of this body.
    Body(&'a [u8]),
    /// An item of the body that was made.
    Made,
    /// This item, which the write returns, too.
    Record(Record),
    /// No item.
    Deleted,
}

impl<'a> NewItem<'a> {
    /// Writes it as it lies.
    pub(crate) fn lent(self, key: &'a RoutedKey<'a>, made: &'a MadeBody) -> Option<KeyWrite<'a>> {
        Some(match self {
            Self::Unchanged => return None,
            Self::Body(body) => KeyWrite::Put(key, body),
            Self::Made => KeyWrite::Put(key, made),
            Self::Record(record) => KeyWrite::Record(key.route(), record),
            Self::Deleted => KeyWrite::Delete(key),
        })
    }

    /// The same, where `made` is not kept: what was made gets its record.
    pub(crate) fn kept(self, key: &'a RoutedKey<'a>, made: &MadeBody) -> Option<KeyWrite<'a>> {
        match self {
            Self::Body(body) => Some(KeyWrite::Put(key, body)),
            Self::Deleted => Some(KeyWrite::Delete(key)),
            other => other.record(key, made).map(|record| KeyWrite::Record(key.route(), record)),
        }
    }

    /// The record of the item, or a tombstone: where indexes, streams or a memory limit have to know it.
    pub(crate) fn record(self, key: &RoutedKey<'_>, made: &MadeBody) -> Option<Record> {
        Some(match self {
            Self::Unchanged => return None,
            Self::Body(body) => Record::put_pieces(key, &[body]),
            Self::Made => Record::put_pieces(key, &[made]),
            Self::Record(record) => record,
            Self::Deleted => Record::tombstone_of(key),
        })
    }
}

/// What a write comes to, given the item that is there.
pub(crate) struct ItemChange<'a> {
    pub(crate) new: NewItem<'a>,
    /// What to return: an item under the same key.
    pub(crate) returned: Option<Record>,
}

impl<'a> Prepared<'a> {
    /// A write on no condition that returns nothing. What a put stores was checked with its key.
    pub(crate) fn plain(key: TableKey<'a>, action: PreparedAction<'a>) -> Self {
        Self { key, action, condition: None, return_old_on_failure: false, return_values: ReturnValues::None }
    }

    /// No write: returns the item that is there.
    pub(crate) fn get(key: TableKey<'a>) -> Self {
        Self { return_values: ReturnValues::AllOld, ..Self::plain(key, PreparedAction::Get) }
    }

    /// Whether it is [`Prepared::get`].
    pub(crate) fn is_get(&self) -> bool {
        matches!(self.action, PreparedAction::Get)
    }
}

impl Prepared<'_> {
    /// The part of [`TableState::check_new`] that waits for the schema; what a put stores was checked otherwise when the
    /// write was prepared. What an update makes of an item is checked when it is made.
    pub(crate) fn check(&self, table: &TableState) -> Result<()> {
        let key = self.key.get();
        if key.label().is_empty() != table.keys.is_none() {
            return Err(Error::from(Reason::KeyTypedMeanwhile));
        }
        match &self.action {
            PreparedAction::Put(body) | PreparedAction::Insert(body) => {
                table.check_index_keys(key, Subject::under(key, ItemRef::new(body)).item())
            }
            PreparedAction::Update(_) | PreparedAction::Delete | PreparedAction::Check | PreparedAction::Get => Ok(()),
        }
    }

    /// What is written whatever is there; none where the item that is there matters, be it only that it is returned.
    #[inline]
    pub(crate) fn unasked<'k>(&'k self, key: &'k RoutedKey<'k>) -> Option<KeyWrite<'k>> {
        match &self.action {
            _ if self.condition.is_some() || self.return_values != ReturnValues::None => None,
            PreparedAction::Put(body) => Some(KeyWrite::Put(key, body)),
            PreparedAction::Delete => Some(KeyWrite::Delete(key)),
            _ => None,
        }
    }

    /// Whether the item that is there decides if anything is written.
    pub(crate) fn is_conditional(&self) -> bool {
        self.condition.is_some() || matches!(self.action, PreparedAction::Insert(_))
    }

    /// Whether it takes the evaluation of an expression to decide it.
    pub(crate) fn has_expression(&self) -> bool {
        self.condition.is_some() || matches!(self.action, PreparedAction::Update(_))
    }

    /// Decides on the item that is there under its key. Has no effect of its own. The body that an update makes goes into
    /// `made`, which is empty.
    #[inline]
    pub(crate) fn decide(
        &self,
        key: &RoutedKey<'_>,
        present: Option<&Record>,
        made: &mut MadeBody,
    ) -> Result<ItemChange<'_>> {
        if let Some(condition) = &self.condition
            && !condition.evaluate(&present.map_or_else(Subject::absent, Subject::of_record))
        {
            return Err(self.condition_failed(present));
        }
        let new = match &self.action {
            PreparedAction::Insert(_) if present.is_some() => return Err(Error::DuplicateItem),
            PreparedAction::Put(body) | PreparedAction::Insert(body) => NewItem::Body(body),
            PreparedAction::Delete => NewItem::Deleted,
            PreparedAction::Check | PreparedAction::Get => NewItem::Unchanged,
            PreparedAction::Update(update) => return self.decide_update(update, key, present, made),
        };
        let returned = present.filter(|_| self.return_values == ReturnValues::AllOld).cloned();
        Ok(ItemChange { new, returned })
    }

    #[cold]
    fn condition_failed(&self, present: Option<&Record>) -> Error {
        Error::ConditionFailed { item: present.filter(|_| self.return_old_on_failure).cloned() }
    }

    fn decide_update(
        &self,
        update: &Update<'_>,
        key: &RoutedKey<'_>,
        present: Option<&Record>,
        made: &mut MadeBody,
    ) -> Result<ItemChange<'_>> {
        let old = present.map(Record::item);
        made.reserve(old.map_or(0, |item| item.as_bytes().len()));
        // The key stays as it is, and the size is checked where the body is made.
        let is_written = update.apply_to(made, self.key.get(), old)?;
        let new = if is_written { NewItem::Made } else { NewItem::Unchanged };
        if self.return_values == ReturnValues::None {
            return Ok(ItemChange { new, returned: None });
        }
        let record = is_written.then(|| Record::put_pieces(key, &[made]));
        let returned = match self.return_values {
            ReturnValues::None => None,
            ReturnValues::AllOld => present.cloned(),
            ReturnValues::AllNew => record.as_ref().or(present).cloned(),
            which @ (ReturnValues::UpdatedOld | ReturnValues::UpdatedNew) => {
                let old = present.map_or_else(Subject::absent, Subject::of_record);
                let new = record.as_ref().map_or(old, Subject::of_record);
                update.returned(which, &old, &new).map(|body| Record::row(self.key.get(), &body))
            }
        };
        Ok(ItemChange { new: record.map_or(NewItem::Unchanged, NewItem::Record), returned })
    }
}
