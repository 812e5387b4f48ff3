//! Updates with their names and values: what can be seen to be wrong before any item is looked at, and what an update
//! returns.
//!
//! Thread safety: immutable.

use std::sync::Arc;

use crate::refusal::Result;
use crate::texts::Reason;
use kstone_core::buffer::Buffer;
use kstone_core::item::ItemRef;
use kstone_core::key::KeyRef;
use kstone_core::key_layout::KeyLayout;
use kstone_core::value::Type;

use super::ast::{NewValue, OperandSource, Segment, UpdateAst, Verb};
use super::bind::{Binder, BoundParameters};
use super::subject::Subject;
use super::{Kind, apply, projection, update_parser};

/// What an update gives back of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReturnValues {
    /// Nothing.
    #[default]
    None,
    /// The item as it was.
    AllOld,
    /// The item as it is.
    AllNew,
    /// What the update's paths led to before.
    UpdatedOld,
    /// What the update's paths lead to now.
    UpdatedNew,
}

impl ReturnValues {
    /// The one of DynamoDB's name, such as `ALL_OLD`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "NONE" => Self::None,
            "ALL_OLD" => Self::AllOld,
            "ALL_NEW" => Self::AllNew,
            "UPDATED_OLD" => Self::UpdatedOld,
            "UPDATED_NEW" => Self::UpdatedNew,
            _ => return None,
        })
    }
}

/// An update, ready to be applied to items.
///
/// ```
/// use kstone_expr::expression::{Binder, Parameters, ReturnValues, Subject, Update};
/// use kstone_core::{item::ItemRef, key::KeyRef, value::{Item, Value}};
///
/// let parameters = Parameters::from_maps([], &Item::from([(":one".to_string(), Value::number(1))]))?;
/// let update = Update::parse("SET visits = if_not_exists(visits, :one) + :one REMOVE draft", &mut Binder::new(&parameters))?;
///
/// let body = update.apply(KeyRef::new(b"page#1", b"")?, None)?.expect("SET makes the item");
/// assert_eq!(ItemRef::new(&body).get("visits").unwrap().as_number(), Some("2"));
/// let new = Subject::new(b"page#1", b"", ItemRef::new(&body));
/// assert_eq!(update.returned(ReturnValues::UpdatedNew, &Subject::absent(), &new), Some(body.clone()));
/// # Ok::<(), kstone_expr::Refusal>(())
/// ```
#[derive(Debug, Clone)]
pub struct Update<'v> {
    pub(super) ast: Arc<UpdateAst>,
    pub(super) bound: BoundParameters<'v>,
    /// The actions by their paths, those with a common beginning together.
    pub(super) order: Arc<[u16]>,
}

impl Update<'static> {
    /// Parses and binds. [`ExpressionCache::update`](super::ExpressionCache::update) parses each text once.
    ///
    /// # Errors
    /// [`Refusal`](crate::Refusal) with DynamoDB's text for an expression that is not well-formed, reaches a limit, names a reserved
    /// word, or a name or value that is not there, has paths that overlap or conflict, has a value of an unfit type, or
    /// changes the key.
    pub fn parse(text: &str, binder: &mut Binder<'_>) -> Result<Self> {
        Self::bind(Arc::new(update_parser::parse(text)?), binder)
    }

    /// The update of no actions, which no text is: it makes an item of its key alone where there is none.
    #[must_use]
    pub fn nothing() -> Self {
        Self { ast: Arc::default(), bound: BoundParameters::lent(&[]), order: Arc::default() }
    }

    pub(super) fn bind(ast: Arc<UpdateAst>, binder: &mut Binder<'_>) -> Result<Self> {
        let bound = binder.bind(Kind::Update, &ast.symbols)?;
        Self::new(ast, bound, binder.layout())
    }
}

impl<'v> Update<'v> {
    /// An update whose values are known, of items of a table of this key; of one that is not known yet, its key is for
    /// [`Update::refuse_key`].
    ///
    /// # Errors
    /// As [`Update::parse`], for its paths and what its values cannot do.
    pub fn new<'k>(
        ast: Arc<UpdateAst>,
        bound: BoundParameters<'v>,
        layout: impl Into<Option<&'k KeyLayout>>,
    ) -> Result<Self> {
        let order = match &ast.order {
            Some(order) => Arc::clone(order),
            None => in_order(&ast, &bound)?,
        };
        let update = Self::in_this_order(ast, order, bound)?;
        layout.into().map_or(Ok(()), |layout| update.refuse_key(layout))?;
        Ok(update)
    }

    /// Refuses to change the key of a table of this layout.
    ///
    /// # Errors
    /// [`Refusal`](crate::Refusal) with DynamoDB's text.
    pub fn refuse_key(&self, layout: &KeyLayout) -> Result<()> {
        check_key(&self.ast, &self.bound, layout)
    }

    /// An update whose paths were checked, with the order that [`check_paths`] gave.
    ///
    /// # Errors
    /// As [`Update::parse`], for what its values cannot do.
    pub fn in_this_order(ast: Arc<UpdateAst>, order: Arc<[u16]>, bound: BoundParameters<'v>) -> Result<Self> {
        check_operands(&ast, &bound)?;
        Ok(Self { ast, bound, order })
    }

    /// The same with values of its own.
    pub fn into_owned(self) -> Update<'static> {
        Update { ast: self.ast, bound: self.bound.into_owned(), order: self.order }
    }

    /// The new body of the item of an untyped table under this key, `old` being the item as it is; none where nothing is to be written, as
    /// when an item that is not there has something removed.
    ///
    /// Every clause reads the old item. Attributes that no path touches are copied as they lie; of those that one does, each
    /// level on its path is written anew.
    ///
    /// # Errors
    /// [`Refusal`](crate::Refusal) with DynamoDB's text where a path leads nowhere that could be written, an operand is missing or of
    /// the wrong type, or a number is out of range; [`Reason::Limit`] where the new item is too large or nested too deep.
    pub fn apply(&self, key: KeyRef<'_>, old: Option<ItemRef<'_>>) -> Result<Option<Vec<u8>>> {
        let mut body = Vec::new();
        Ok(self.apply_to(&mut body, key, old)?.then_some(body))
    }

    /// As [`Update::apply`] with a buffer that is empty, where the body is put; false where nothing is to be written.
    ///
    /// # Errors
    /// As [`Update::apply`].
    pub fn apply_to(&self, body: &mut impl Buffer, key: KeyRef<'_>, old: Option<ItemRef<'_>>) -> Result<bool> {
        apply::apply(self, key, old, body)
    }

    /// The body of what an update returns, from the item before and after it; none where there is nothing to return.
    #[must_use]
    pub fn returned(&self, which: ReturnValues, old: &Subject<'_>, new: &Subject<'_>) -> Option<Vec<u8>> {
        let all = |subject: &Subject<'_>| subject.is_present().then(|| subject.item().as_bytes().to_vec());
        match which {
            ReturnValues::None => None,
            ReturnValues::AllOld => all(old),
            ReturnValues::AllNew => all(new),
            ReturnValues::UpdatedOld => self.updated(old),
            ReturnValues::UpdatedNew => self.updated(new),
        }
    }

    /// What the update's paths lead to.
    fn updated(&self, subject: &Subject<'_>) -> Option<Vec<u8>> {
        let paths: Vec<u16> = self.order.iter().map(|&at| self.ast.actions[usize::from(at)].path).collect();
        let body = projection::select(&self.ast.symbols, &self.bound, &paths, subject);
        (!body.is_empty()).then_some(body)
    }

    /// The path of an action.
    pub(super) fn path(&self, action: u16) -> &[Segment] {
        &self.ast.symbols.paths[usize::from(self.ast.actions[usize::from(action)].path)]
    }
}

/// Refuses values that an action cannot use whatever the item: those of ADD and DELETE first, as DynamoDB does.
fn check_operands(ast: &UpdateAst, bound: &BoundParameters<'_>) -> Result<()> {
    for action in &ast.actions {
        let (action, value) = match action.verb {
            Verb::Add(value) => ("ADD", value),
            Verb::Delete(value) => ("DELETE", value),
            _ => continue,
        };
        let found = match bound.type_of(value) {
            Type::SS | Type::NS | Type::BS => continue,
            Type::N if action == "ADD" => continue,
            type_ => long_name(type_),
        };
        return Err(Kind::Update.refuse(Reason::ActionOperandType { action, found }));
    }
    for action in &ast.actions {
        let Verb::Set(new) = &action.verb else { continue };
        match new {
            NewValue::Source(_) => {}
            NewValue::Plus(left, right) => check_sources(ast, bound, ("+", Type::N), [*left, *right])?,
            NewValue::Minus(left, right) => check_sources(ast, bound, ("-", Type::N), [*left, *right])?,
            NewValue::ListAppend(left, right) => check_sources(ast, bound, ("list_append", Type::L), [*left, *right])?,
            NewValue::Fault(reason) => return Err(Kind::Update.refuse((**reason).clone())),
        }
    }
    Ok(())
}

fn check_sources(
    ast: &UpdateAst,
    bound: &BoundParameters<'_>,
    (function, wanted): (&'static str, Type),
    sources: [u16; 2],
) -> Result<()> {
    for source in sources {
        if let OperandSource::Value(value) = ast.sources[usize::from(source)]
            && let type_ = bound.type_of(value)
            && type_ != wanted
        {
            return Err(Kind::Update.refuse(Reason::OperandType { function, found: type_.name() }));
        }
    }
    Ok(())
}

/// The order of the actions of an update that has no `#names`, its paths being checked, of items of a table of this key.
///
/// # Errors
/// As [`Update::parse`], for its paths.
pub fn check_paths(ast: &UpdateAst, layout: &KeyLayout) -> Result<Arc<[u16]>> {
    let names = BoundParameters::lent(&[]);
    let order = in_order(ast, &names)?;
    check_key(ast, &names, layout)?;
    Ok(order)
}

/// The order of the actions of an update that has no `#names`, where its paths do not clash.
pub(crate) fn order_of(ast: &UpdateAst) -> Option<Arc<[u16]>> {
    in_order(ast, &BoundParameters::lent(&[])).ok()
}

fn in_order(ast: &UpdateAst, names: &BoundParameters<'_>) -> Result<Arc<[u16]>> {
    let paths: Vec<u16> = ast.actions.iter().map(|action| action.path).collect();
    Ok(names.in_order(Kind::Update, &ast.symbols, &paths)?.into())
}

/// Refuses to change what the item lies under.
fn check_key(ast: &UpdateAst, names: &BoundParameters<'_>, layout: &KeyLayout) -> Result<()> {
    let mut roots = ast.actions.iter().map(|action| names.root(&ast.symbols.paths[usize::from(action.path)]));
    match roots.find(|root| layout.has(root)) {
        None => Ok(()),
        Some(root) => Err(Reason::KeyUpdated { attribute: root.into() }.into()),
    }
}

/// The type as DynamoDB's errors of ADD and DELETE call it.
fn long_name(type_: Type) -> &'static str {
    match type_ {
        Type::S => "STRING",
        Type::N => "NUMBER",
        Type::B => "BINARY",
        Type::Bool => "BOOLEAN",
        Type::Null => "NULL",
        Type::L => "LIST",
        Type::M => "MAP",
        Type::SS | Type::NS | Type::BS => "SET",
    }
}
