//! INSERT, UPDATE and DELETE as writes of the one write path.

use std::sync::Arc;

use crate::error::{Error, Result};
use kstone_core::item::{ItemRef, ValueRef, parts};
use kstone_core::key::{Key, KeyRef};
use kstone_core::key_layout::KeyLayout;
use kstone_core::record::Record;
use kstone_core::value::Type;

use super::plan::key_operand;
use super::rows::with_key;
use crate::expression::ast::Verb;
use crate::expression::{self, BoundParameters, Condition, Kind, ReturnValues};
use crate::model::item_check::check_item;
use crate::request::write::{Prepared, PreparedAction};
use kstone_expr::Reason;
use kstone_expr::partiql::Returning;
use kstone_expr::partiql::is_set;
use kstone_expr::partiql::parsed::{Delete, Insert, InsertItem, KeyValues, Update, Where};

/// What a statement does with the item of one key.
pub(super) struct StatementWrite<'v> {
    pub(super) key: Key,
    action: PreparedAction<'v>,
    condition: Option<Condition<'v>>,
    returning: Option<Returning>,
}

impl<'v> StatementWrite<'v> {
    /// INSERT: the item under the key that its attributes `pk` and `sk` are.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for an item or a key that DynamoDB would refuse.
    pub(super) fn insert(insert: &Insert, bound: &BoundParameters<'v>) -> Result<Self> {
        let (mut body, mut pk, mut sk) = (Vec::new(), None, None);
        let mut attribute = |name: &str, value: ValueRef<'_>| -> Result<()> {
            match name {
                "pk" => pk = Some(inserted_key(name, value)?),
                "sk" => sk = Some(inserted_key(name, value)?),
                _ => parts::append_entry(&mut body, name, value),
            }
            Ok(())
        };
        match &insert.item {
            InsertItem::Attributes(attributes) => {
                attributes.iter().try_for_each(|(name, value)| attribute(name, bound.value(*value)))?;
            }
            InsertItem::Whole(item) => {
                let item = bound.value(*item);
                let map = item.map().ok_or_else(|| {
                    Error::Invalid(format!("an item is of type M, the parameter is of type {}", item.type_().name()))
                })?;
                map.iter().try_for_each(|(name, value)| attribute(name, value))?;
            }
        }
        let Some(pk) = pk else {
            return Err(Error::invalid("One or more parameter values were invalid: Missing the key pk in the item"));
        };
        let key = Key::with_sk(pk, sk.unwrap_or_default());
        check_item(key.as_key_ref()?, ItemRef::new(&body))?;
        Ok(Self { key, action: PreparedAction::Insert(body.into()), condition: None, returning: None })
    }

    /// UPDATE: of an item that is there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what its values cannot do.
    pub(super) fn update(update: &Update, bound: &BoundParameters<'v>, layout: &KeyLayout) -> Result<Self> {
        for action in &update.ast.actions {
            let (function, value) = match action.verb {
                Verb::Add(value) => ("SET_ADD", value),
                Verb::Delete(value) => ("SET_DELETE", value),
                _ => continue,
            };
            if !is_set(bound.type_of(value)) {
                return Err(Reason::NoSet { function: function.into() }.into());
            }
        }
        let changes = expression::Update::new(Arc::clone(&update.ast), bound.clone(), layout)?;
        Ok(Self {
            key: named_key(&update.condition, bound, layout)?,
            action: PreparedAction::Update(changes),
            condition: Some(condition(&update.condition, bound, layout)?),
            returning: update.returning,
        })
    }

    /// DELETE: no error where there is no item.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what its values cannot do.
    pub(super) fn delete(delete: &Delete, bound: &BoundParameters<'v>, layout: &KeyLayout) -> Result<Self> {
        Ok(Self {
            key: named_key(&delete.condition, bound, layout)?,
            action: PreparedAction::Delete,
            condition: Some(condition(&delete.condition, bound, layout)?),
            returning: delete.returning,
        })
    }

    /// EXISTS: that the clause holds for an item that is there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what its values cannot do.
    pub(super) fn exists(clause: &Where, bound: &BoundParameters<'v>, layout: &KeyLayout) -> Result<Self> {
        let key = named_key(clause, bound, layout)?;
        let condition = Some(condition(clause, bound, layout)?);
        Ok(Self { key, action: PreparedAction::Check, condition, returning: None })
    }

    /// Whether it returns its item.
    pub(super) fn returning(&self) -> Option<Returning> {
        self.returning
    }

    /// The write as the write path takes it; `key` is its own.
    pub(super) fn under<'k>(self, key: KeyRef<'k>, return_old_on_failure: bool) -> Prepared<'k>
    where
        'v: 'k,
    {
        Prepared {
            key: key.into(),
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
fn named_key(clause: &Where, bound: &BoundParameters<'_>, layout: &KeyLayout) -> Result<Key> {
    whole_key(clause.whole_key(layout).ok_or(Reason::IncompleteKey)?, bound)
}

/// The key of an item that a clause names.
pub(super) fn whole_key(key: KeyValues, bound: &BoundParameters<'_>) -> Result<Key> {
    let pk = key_operand("pk", bound.value(key.pk))?;
    let sk = key.sk.map(|sk| key_operand("sk", bound.value(sk))).transpose()?;
    Ok(Key::with_sk(pk, sk.unwrap_or_default()))
}

fn condition<'v>(clause: &Where, bound: &BoundParameters<'v>, layout: &KeyLayout) -> Result<Condition<'v>> {
    Ok(Condition::new(Kind::Where, Arc::clone(&clause.ast), bound.clone(), layout)?)
}

/// A key's bytes among the attributes of an item.
fn inserted_key(name: &str, value: ValueRef<'_>) -> Result<Vec<u8>> {
    match value.type_() {
        Type::S | Type::B => key_operand(name, value),
        type_ => Err(Error::Invalid(format!(
            "One or more parameter values were invalid: Type mismatch for key {name} expected: S or B actual: {}",
            type_.name()
        ))),
    }
}
