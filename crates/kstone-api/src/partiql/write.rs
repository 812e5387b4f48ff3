//! INSERT, UPDATE and DELETE as writes of the one write path.

use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::item::{ItemRef, ValueRef, parts};
use kstone_core::key_layout::KeyLayout;
use kstone_core::label::InternedLayout;
use kstone_core::record::Record;
use kstone_core::typed_key::{MadeKey, TableKey};

use super::key::{key_of_item, named_key};
use super::rows::with_key;
use crate::expression::ast::Verb;
use crate::expression::{self, BoundParameters, Condition, Kind, ReturnValues};
use crate::model::item_check::check_item;
use crate::request::write::{Prepared, PreparedAction};
use crate::table::state::layout_of;
use kstone_expr::partiql::Returning;
use kstone_expr::partiql::is_set;
use kstone_expr::partiql::parsed::{Delete, Insert, InsertItem, KeyValues, Update, Where};

/// What a statement does with the item of one key.
pub(crate) struct StatementWrite<'v> {
    key: MadeKey,
    action: PreparedAction<'v>,
    condition: Option<Condition<'v>>,
    returning: Option<Returning>,
}

impl<'v> StatementWrite<'v> {
    /// INSERT: the item under the key that its attributes are.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for an item or a key that DynamoDB would refuse.
    pub(super) fn insert(
        insert: &Insert,
        bound: &BoundParameters<'v>,
        keys: Option<&'static InternedLayout>,
    ) -> Result<Self> {
        let (layout, mut body, mut of_key) = (layout_of(keys), Vec::new(), Vec::new());
        let mut attribute = |name: &str, value: ValueRef<'_>| {
            parts::append_entry(if layout.has(name) { &mut of_key } else { &mut body }, name, value);
        };
        match &insert.item {
            InsertItem::Attributes(attributes) => {
                attributes.iter().for_each(|(name, value)| attribute(name, bound.value(*value)));
            }
            InsertItem::Whole(item) => {
                let item = bound.value(*item);
                let map =
                    item.map().ok_or_else(|| Error::from(Reason::ItemParameter { type_: item.type_().name() }))?;
                map.iter().for_each(|(name, value)| attribute(name, value));
            }
        }
        let key = key_of_item(keys, ItemRef::new(&of_key))?;
        check_item(&key.key_ref(), ItemRef::new(&body))?;
        Ok(Self { key, action: PreparedAction::Insert(body.into()), condition: None, returning: None })
    }

    /// UPDATE: of an item that is there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what its values cannot do.
    pub(super) fn update(
        update: &Update,
        bound: &BoundParameters<'v>,
        keys: Option<&'static InternedLayout>,
    ) -> Result<Self> {
        for action in &update.ast.actions {
            let (function, value) = match action.verb {
                Verb::Add(value) => ("SET_ADD", value),
                Verb::Delete(value) => ("SET_DELETE", value),
                _ => continue,
            };
            if !is_set(bound.type_of(value)) {
                return Err(kstone_expr::Reason::NoSet { function: function.into() }.into());
            }
        }
        let changes = expression::Update::new(Arc::clone(&update.ast), bound.clone(), layout_of(keys))?;
        Ok(Self {
            key: key_of_clause(&update.condition, bound, keys)?,
            action: PreparedAction::Update(changes),
            condition: Some(condition(&update.condition, bound, layout_of(keys))?),
            returning: update.returning,
        })
    }

    /// DELETE: no error where there is no item.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what its values cannot do.
    pub(super) fn delete(
        delete: &Delete,
        bound: &BoundParameters<'v>,
        keys: Option<&'static InternedLayout>,
    ) -> Result<Self> {
        Ok(Self {
            key: key_of_clause(&delete.condition, bound, keys)?,
            action: PreparedAction::Delete,
            condition: Some(condition(&delete.condition, bound, layout_of(keys))?),
            returning: delete.returning,
        })
    }

    /// EXISTS: that the clause holds for an item that is there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what its values cannot do.
    pub(super) fn exists(
        clause: &Where,
        bound: &BoundParameters<'v>,
        keys: Option<&'static InternedLayout>,
    ) -> Result<Self> {
        let key = key_of_clause(clause, bound, keys)?;
        let condition = Some(condition(clause, bound, layout_of(keys))?);
        Ok(Self { key, action: PreparedAction::Check, condition, returning: None })
    }

    /// Whether it returns its item.
    pub(crate) fn returning(&self) -> Option<Returning> {
        self.returning
    }

    /// The write as the write path takes it.
    pub(crate) fn prepared(self, return_old_on_failure: bool) -> Prepared<'v> {
        Prepared {
            key: TableKey::Made(Box::new(self.key)),
            action: self.action,
            condition: self.condition,
            return_old_on_failure,
            return_values: match self.returning {
                None => ReturnValues::None,
                Some(Returning { modified: false, new: false, .. }) => ReturnValues::AllOld,
                Some(Returning { modified: false, new: true, .. }) => ReturnValues::AllNew,
                Some(Returning { modified: true, new: false, .. }) => ReturnValues::UpdatedOld,
                Some(Returning { modified: true, new: true, .. }) => ReturnValues::UpdatedNew,
            },
        }
    }
}

/// The row of what a write returned: a whole item has its key.
pub(super) fn returned_row(returning: Returning, record: Record) -> Record {
    if returning.modified { record } else { with_key(&record) }
}

/// The key of an item that a clause must name.
fn key_of_clause(
    clause: &Where,
    bound: &BoundParameters<'_>,
    keys: Option<&'static InternedLayout>,
) -> Result<MadeKey> {
    whole_key(clause.whole_key(layout_of(keys)).ok_or(kstone_expr::Reason::IncompleteKey)?, bound, keys)
}

/// The key of an item that a clause names.
pub(super) fn whole_key(
    key: KeyValues,
    bound: &BoundParameters<'_>,
    keys: Option<&'static InternedLayout>,
) -> Result<MadeKey> {
    named_key(keys, bound.value(key.pk), key.sk.map(|sk| bound.value(sk)))
}

fn condition<'v>(clause: &Where, bound: &BoundParameters<'v>, layout: &KeyLayout) -> Result<Condition<'v>> {
    Ok(Condition::new(Kind::Where, Arc::clone(&clause.ast), bound.clone(), layout)?)
}
