//! Updates out of actions.

use std::sync::Arc;

use kstone_core::item::ValueRef;
use kstone_core::key_layout::KeyLayout;
use kstone_core::value::Type;

use super::super::ast::{Action, NewValue, OperandSource, UpdateAst, Verb};
use super::super::update::{Update, order_of};
use super::super::{Kind, OPERATORS_MAX};
use super::{Builder, Path, check_count, empty, index};
use crate::refusal::{Refusal, Result};
use crate::texts::Reason;

/// Where SET takes a value from: what the first of some paths leads to that leads to anything, or else a last one.
#[derive(Debug, Clone)]
pub struct Source<'v> {
    /// In the order in which they were put before the rest, the last tried first.
    tried: Vec<Path>,
    last: Last<'v>,
}

#[derive(Debug, Clone)]
enum Last<'v> {
    Path(Path),
    Value(ValueRef<'v>),
}

impl Source<'_> {
    /// What the path leads to, or else this: `if_not_exists(path, …)`.
    #[must_use]
    pub fn unless(mut self, path: impl Into<Path>) -> Self {
        if self.tried.len() <= OPERATORS_MAX {
            self.tried.push(path.into());
        }
        self
    }
}

impl From<Path> for Source<'_> {
    fn from(path: Path) -> Self {
        Self { tried: Vec::new(), last: Last::Path(path) }
    }
}

impl<'v> From<ValueRef<'v>> for Source<'v> {
    fn from(value: ValueRef<'v>) -> Self {
        Self { tried: Vec::new(), last: Last::Value(value) }
    }
}

/// An update under construction. Its methods add an action each; what is wrong with one is said by
/// [`update`](Self::update).
///
/// ```
/// use kstone_core::item::{ItemRef, ItemWriter};
/// use kstone_core::{key::KeyRef, key_layout::KeyLayout};
/// use kstone_expr::expression::build::UpdateNode;
///
/// let mut values = ItemWriter::new();
/// values.set_i64("one", 1)?.set_str("name", "Al")?;
/// let values = values.as_item();
/// let value = |name| values.get(name).unwrap();
/// // AttributeUpdates: PUT name, ADD visits.
/// let update = UpdateNode::new().put("name", value("name")).add("visits", value("one")).update(KeyLayout::untyped())?;
/// let body = update.apply(KeyRef::new(b"user#1", b"")?, None)?.unwrap();
/// assert_eq!(ItemRef::new(&body).get("visits").unwrap().as_number(), Some("1"));
/// # Ok::<(), kstone_expr::Refusal>(())
/// ```
#[derive(Debug)]
pub struct UpdateNode {
    builder: Builder,
    sources: Vec<OperandSource>,
    actions: Vec<Action>,
    operators: usize,
    /// The first that was found; nothing is added then.
    fault: Option<Refusal>,
}

impl Default for UpdateNode {
    fn default() -> Self {
        Self::new()
    }
}

impl UpdateNode {
    /// No actions yet.
    #[must_use]
    pub fn new() -> Self {
        let builder = Builder::new(Kind::Update);
        Self { builder, sources: Vec::new(), actions: Vec::new(), operators: 0, fault: None }
    }

    /// `SET path = value`.
    #[must_use]
    pub fn put(self, path: impl Into<Path>, value: ValueRef<'_>) -> Self {
        self.set(path, value)
    }

    /// `SET path = source`.
    #[must_use]
    pub fn set<'v>(self, path: impl Into<Path>, source: impl Into<Source<'v>>) -> Self {
        self.with(path, |node| Ok(Verb::Set(NewValue::Source(node.source(source.into())?))))
    }

    /// `SET path = left + right`.
    #[must_use]
    pub fn set_sum<'v>(self, path: impl Into<Path>, left: impl Into<Source<'v>>, right: impl Into<Source<'v>>) -> Self {
        self.with(path, |node| node.two(left.into(), right.into(), NewValue::Plus))
    }

    /// `SET path = left - right`.
    #[must_use]
    pub fn set_difference<'v>(
        self,
        path: impl Into<Path>,
        left: impl Into<Source<'v>>,
        right: impl Into<Source<'v>>,
    ) -> Self {
        self.with(path, |node| node.two(left.into(), right.into(), NewValue::Minus))
    }

    /// `SET path = list_append(first, second)`.
    #[must_use]
    pub fn set_lists<'v>(
        self,
        path: impl Into<Path>,
        first: impl Into<Source<'v>>,
        second: impl Into<Source<'v>>,
    ) -> Self {
        self.with(path, |node| node.two(first.into(), second.into(), NewValue::ListAppend))
    }

    /// Puts a list behind the one that is there, or in the place of none: what ADD of a list was.
    #[must_use]
    pub fn append(self, path: impl Into<Path>, list: ValueRef<'_>) -> Self {
        let path = path.into();
        let there = Source::from(ValueRef::from_parts(Type::L, &[])).unless(path.clone());
        self.set_lists(path, there, list)
    }

    /// `REMOVE path`.
    #[must_use]
    pub fn remove(self, path: impl Into<Path>) -> Self {
        self.with(path, |_| Ok(Verb::Remove))
    }

    /// `ADD path value`: to a number or a set.
    #[must_use]
    pub fn add(self, path: impl Into<Path>, value: ValueRef<'_>) -> Self {
        self.with(path, |node| node.builder.value(value).map(Verb::Add))
    }

    /// `DELETE path value`: from a set.
    #[must_use]
    pub fn delete(self, path: impl Into<Path>, value: ValueRef<'_>) -> Self {
        self.with(path, |node| node.builder.value(value).map(Verb::Delete))
    }

    /// The update, of items of a table of this key; of one that is not known yet, its key is for
    /// [`Update::refuse_key`].
    ///
    /// # Errors
    /// As [`Update::parse`], as far as it is not about a text; no action, and too many.
    pub fn update<'k>(self, layout: impl Into<Option<&'k KeyLayout>>) -> Result<Update<'static>> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.actions.is_empty() {
            return Err(empty(Kind::Update));
        }
        let (symbols, bound) = self.builder.finish();
        let mut ast = UpdateAst { symbols, sources: self.sources, actions: self.actions, order: None };
        ast.order = order_of(&ast);
        Update::new(Arc::new(ast), bound, layout)
    }

    fn with(mut self, path: impl Into<Path>, verb: impl FnOnce(&mut Self) -> Result<Verb>) -> Self {
        if self.fault.is_none() {
            self.fault = self.act(path.into(), verb).err();
        }
        self
    }

    fn act(&mut self, path: Path, verb: impl FnOnce(&mut Self) -> Result<Verb>) -> Result<()> {
        check_count("Actions of an update", self.actions.len())?;
        let path = self.builder.path(path)?;
        let verb = verb(self)?;
        self.actions.push(Action { path, verb });
        Ok(())
    }

    fn two(&mut self, left: Source<'_>, right: Source<'_>, make: fn(u16, u16) -> NewValue) -> Result<Verb> {
        self.count(1)?;
        Ok(Verb::Set(make(self.source(left)?, self.source(right)?)))
    }

    /// The index of a source.
    fn source(&mut self, source: Source<'_>) -> Result<u16> {
        self.count(source.tried.len())?;
        let last = match source.last {
            Last::Path(path) => OperandSource::Path(self.builder.path(path)?),
            Last::Value(value) => OperandSource::Value(self.builder.value(value)?),
        };
        let mut at = self.put_source(last);
        for path in source.tried {
            let path = self.builder.path(path)?;
            at = self.put_source(OperandSource::IfNotExists(path, at));
        }
        Ok(at)
    }

    fn put_source(&mut self, source: OperandSource) -> u16 {
        self.sources.push(source);
        index(self.sources.len() - 1)
    }

    /// Counts operators and functions against [`OPERATORS_MAX`].
    fn count(&mut self, operators: usize) -> Result<()> {
        self.operators += operators;
        if self.operators <= OPERATORS_MAX {
            return Ok(());
        }
        Err(Kind::Update.refuse(Reason::TooManyOperators { count: self.operators }))
    }
}
