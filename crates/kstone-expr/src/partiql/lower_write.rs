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

/// DynamoDB's text.
pub const INCOMPLETE_KEY: &str = "Where clause does not contain a mandatory equality on all key attributes";

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
        let text = format!(
            "Invalid returning clause: RETURNING {} {} *. Only RETURNING ALL OLD * is allowed in DELETE statements",
            if returning.modified { "MODIFIED" } else { "ALL" },
            if returning.new { "NEW" } else { "OLD" }
        );
        return Err(Fault::refused(returning.at, text));
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
    let clause = clause.ok_or_else(|| Fault::refused(end, INCOMPLETE_KEY))?;
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
            return Err(Fault::refused(function.at, format!("{name} must have exactly two arguments")));
        };
        if !matches!(&of, Expr::Path(of) if of.segments == path.segments) {
            let text = format!("The first argument to {name} must equal the assignment value");
            return Err(Fault::refused(place(&of), text));
        }
        let at = place(&elements);
        let not_a_set = || Fault::refused(at, no_set(&name));
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
                    return Err(Fault::refused(function.at, "the first argument of if_not_exists is a path"));
                };
                let path = self.ast.symbols.add_path(path.segments);
                OperandSource::IfNotExists(path, self.source(otherwise)?)
            }
            Expr::Call(function, _) => {
                let known = ["list_append", "set_add", "set_delete"];
                let text = match known.iter().find(|known| known.eq_ignore_ascii_case(&function.text)) {
                    Some(known) => format!("{known} is the whole of what a path is set to"),
                    None => format!("Invalid function name; function: {}", function.text),
                };
                return Err(Fault::refused(function.at, text));
            }
            Expr::Plus(left, _) | Expr::Minus(left, _) => {
                return Err(Fault::refused(place(&left), "+ and - stand between two operands, once"));
            }
        };
        self.ast.sources.push(source);
        Ok(index(self.ast.sources.len() - 1))
    }
}

/// What DynamoDB says where SET_ADD or SET_DELETE is given something else.
pub fn no_set(function: &str) -> String {
    format!("The second argument to {function} must be a value with type SET")
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
        let name = &function.text;
        let text = format!(
            "Incorrect number of operands for operator or function; operator or function: {name}, number of operands: \
             {count}"
        );
        Fault::refused(function.at, text)
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
