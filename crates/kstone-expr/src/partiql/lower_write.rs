//! UPDATE and DELETE as the actions and conditions of one write.
//!
//! Thread safety: one statement, one lowering.

use std::sync::Arc;

use kstone_core::value::Type;

use super::ast::{AstAction, AstDelete, AstUpdate, Clause, Expr, Name, Path};
use super::fault::Fault;
use super::lower::{Lowered, Lowering, write_target};
use super::lower_condition::{Presence, lower_where};
use super::parsed::{Delete, Update, Where};
use crate::expression::ast::{Action, NewValue, OperandSource, UpdateAst, Verb, index};
use crate::expression::order_of;
use crate::texts::Reason;

pub(super) fn lower_update(lowering: &mut Lowering<'_>, update: AstUpdate) -> Lowered<Update> {
    let AstUpdate { source, actions, condition, returning, end } = update;
    let target = write_target(source)?;
    let mut lowered = Actions { lowering, ast: UpdateAst::default() };
    for (path, action) in actions {
        lowered.action(path, action)?;
    }
    lowered.ast.order = order_of(&lowered.ast);
    let ast = Arc::new(lowered.ast);
    let (condition, at) = keyed(lowering, condition, end, Presence::Required)?;
    Ok(Update { target, ast, condition, at, returning })
}

pub(super) fn lower_delete(lowering: &mut Lowering<'_>, delete: AstDelete) -> Lowered<Delete> {
    let AstDelete { source, condition, returning, end } = delete;
    let target = write_target(source)?;
    if let Some(returning) = returning
        && (returning.modified || returning.new)
    {
        let which = if returning.modified { "MODIFIED" } else { "ALL" };
        let when = if returning.new { "NEW" } else { "OLD" };
        return Err(Fault::refused(returning.at, Reason::DeleteReturns { which, when }));
    }
    let (condition, at) = keyed(lowering, condition, end, Presence::Optional)?;
    Ok(Delete { target, condition, at, returning })
}

/// The condition of a write, and where it stands: which attributes are the key is the table's to say.
fn keyed(
    lowering: &mut Lowering<'_>,
    clause: Option<Clause>,
    end: usize,
    presence: Presence,
) -> Lowered<(Where, usize)> {
    let clause = clause.ok_or_else(|| Fault::refused(end, Reason::IncompleteKey))?;
    let start = clause.span.start;
    Ok((lower_where(lowering, clause, Some(presence))?, start))
}

struct Actions<'a, 'b> {
    lowering: &'a mut Lowering<'b>,
    ast: UpdateAst,
}

impl Actions<'_, '_> {
    fn action(&mut self, path: Path, action: AstAction) -> Lowered<()> {
        let verb = match action {
            AstAction::Remove => Verb::Remove,
            AstAction::Set(Expr::Call(function, arguments)) if set_verb(&function).is_some() => {
                self.change_set(&path, function, arguments)?
            }
            AstAction::Set(new) => Verb::Set(self.new_value(new)?),
        };
        let path = self.ast.symbols.add_path(path.segments);
        self.ast.actions.push(Action { path, verb });
        Ok(())
    }

    /// `SET path = set_add(path, set)`, or `set_delete`.
    fn change_set(&mut self, path: &Path, function: Name, arguments: Vec<Expr>) -> Lowered<Verb> {
        let name = function.text.to_ascii_uppercase();
        let Ok([of, elements]) = <[Expr; 2]>::try_from(arguments) else {
            return Err(Fault::refused(function.at, Reason::SetFunctionArguments { function: name.into() }));
        };
        if !matches!(&of, Expr::Path(of) if of.segments == path.segments) {
            return Err(Fault::refused(function.at, Reason::SetFunctionTarget { function: name.into() }));
        }
        let at = place(&elements);
        let not_a_set = || Fault::refused(at, Reason::NoSet { function: name.as_str().into() });
        let elements = match elements {
            Expr::Literal(elements) => self.lowering.values.add(elements)?,
            _ => return Err(not_a_set()),
        };
        if self.lowering.values.literal(elements).is_some_and(|value| !is_set(value.type_())) {
            return Err(not_a_set());
        }
        Ok(set_verb(&function).map_or(Verb::Remove, |verb| verb(elements)))
    }

    fn new_value(&mut self, new: Expr) -> Lowered<NewValue> {
        Ok(match new {
            Expr::Plus(left, right) => NewValue::Plus(self.source(*left)?, self.source(*right)?),
            Expr::Minus(left, right) => NewValue::Minus(self.source(*left)?, self.source(*right)?),
            Expr::Call(function, arguments) if function.text.eq_ignore_ascii_case("list_append") => {
                let [first, second] = two(&function, arguments)?;
                NewValue::ListAppend(self.source(first)?, self.source(second)?)
            }
            other => NewValue::Source(self.source(other)?),
        })
    }

    fn source(&mut self, expr: Expr) -> Lowered<u16> {
        let source = match expr {
            Expr::Literal(literal) => OperandSource::Value(self.lowering.values.add(literal)?),
            Expr::Path(path) => OperandSource::Path(self.ast.symbols.add_path(path.segments)),
            Expr::Call(function, arguments) if function.text.eq_ignore_ascii_case("if_not_exists") => {
                let [path, otherwise] = two(&function, arguments)?;
                let Expr::Path(path) = path else {
                    return Err(Fault::refused(function.at, Reason::FirstNoPath));
                };
                let path = self.ast.symbols.add_path(path.segments);
                OperandSource::IfNotExists(path, self.source(otherwise)?)
            }
            Expr::Call(function, _) => {
                let known = ["list_append", "set_add", "set_delete"];
                let reason = match known.into_iter().find(|known| known.eq_ignore_ascii_case(&function.text)) {
                    Some(function) => Reason::FunctionInside { function },
                    None => Reason::UnknownFunction { function: function.text.into() },
                };
                return Err(Fault::refused(function.at, reason));
            }
            Expr::Plus(left, _) | Expr::Minus(left, _) => {
                return Err(Fault::refused(place(&left), Reason::OperatorTwice));
            }
        };
        self.ast.sources.push(source);
        Ok(index(self.ast.sources.len() - 1))
    }
}

/// Whether values of this type are sets.
pub fn is_set(type_: Type) -> bool {
    matches!(type_, Type::SS | Type::NS | Type::BS)
}

/// What a function does with a set in its place.
fn set_verb(function: &Name) -> Option<fn(u16) -> Verb> {
    match function.text.to_ascii_lowercase().as_str() {
        "set_add" => Some(Verb::Add),
        "set_delete" => Some(Verb::Delete),
        _ => None,
    }
}

fn two(function: &Name, arguments: Vec<Expr>) -> Lowered<[Expr; 2]> {
    let count = arguments.len();
    arguments.try_into().map_err(|_| {
        Fault::refused(function.at, Reason::OperandCount { function: function.text.as_str().into(), count })
    })
}

/// Where an operand stands.
fn place(expr: &Expr) -> usize {
    match expr {
        Expr::Literal(literal) => literal.at,
        Expr::Path(path) => path.at,
        Expr::Call(function, _) => function.at,
        Expr::Plus(left, _) | Expr::Minus(left, _) => place(left),
    }
}
