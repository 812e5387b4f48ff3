//! WHERE clauses as the programs that the expressions' evaluator runs, and what they ask of keys.
//!
//! Thread safety: one statement, one lowering.

use super::asks;
use super::ast::{Clause, Literal, Operand, Path, Test, Tree};
use super::fault::Fault;
use super::lower::{Lowered, Lowering};
use super::parsed::{Asks, Conjunct, Where};
use crate::expression::OPERATORS_MAX;
use crate::expression::ast::{self, ConditionAst, Predicate, Step, index};
use crate::texts::Reason;

/// What a write's condition says of the item besides the WHERE clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It must be there, too.
    Required,
    /// Where it is not there, the clause does not matter.
    Optional,
}

/// Lowers a WHERE clause.
pub(super) fn lower_where(lowering: &mut Lowering<'_>, clause: Clause, presence: Option<Presence>) -> Lowered<Where> {
    let at = clause.span.start;
    let mut program = Program { lowering, ast: ConditionAst::default(), operators: 0 };
    let jump = presence.map(|presence| program.presence(presence));
    let mut parts = Vec::new();
    flatten(clause, &mut parts);
    let conjuncts = program.conjuncts(parts)?;
    if let Some(jump) = jump {
        program.land(jump);
    }
    if program.operators > OPERATORS_MAX {
        return Err(Fault::refused(at, Reason::TooManyOperators { count: program.operators }));
    }
    Ok(Where::new(program.ast, conjuncts))
}

/// The conditions that must all hold for this one to hold: none of them is an AND, however they are grouped.
fn flatten(clause: Clause, parts: &mut Vec<Clause>) {
    match clause.tree {
        Tree::And(inner) => inner.into_iter().for_each(|part| flatten(part, parts)),
        _ => parts.push(clause),
    }
}

struct Program<'a, 'b> {
    lowering: &'a mut Lowering<'b>,
    ast: ConditionAst,
    operators: usize,
}

impl Program<'_, '_> {
    /// Asks whether there is an item at all; the step that must learn where to go.
    fn presence(&mut self, presence: Presence) -> usize {
        self.test(match presence {
            Presence::Required => Predicate::Present,
            Presence::Optional => Predicate::Absent,
        });
        let jump = match presence {
            Presence::Required => Step::AndThen(0),
            Presence::Optional => Step::OrElse(0),
        };
        self.ast.steps.push(jump);
        self.ast.steps.len() - 1
    }

    /// Lets a jump go to the step that is next.
    fn land(&mut self, jump: usize) {
        let end = index(self.ast.steps.len());
        self.ast.steps[jump] = match self.ast.steps[jump] {
            Step::OrElse(_) => Step::OrElse(end),
            _ => Step::AndThen(end),
        };
    }

    /// The conditions of which all must hold, and what each asks of a key.
    fn conjuncts(&mut self, parts: Vec<Clause>) -> Lowered<Vec<Conjunct>> {
        let statement = self.lowering.statement;
        let texts: Vec<Box<str>> = parts.iter().map(|part| statement[part.span.clone()].into()).collect();
        let asks = self.chain(parts, Step::AndThen)?;
        Ok(asks.into_iter().zip(texts).map(|(asks, text)| Conjunct { asks, text }).collect())
    }

    /// Conditions of which the first that decides ends the chain; what each of them asks.
    fn chain(&mut self, parts: Vec<Clause>, jump: fn(u16) -> Step) -> Lowered<Vec<Asks>> {
        let mut jumps = Vec::with_capacity(parts.len());
        let mut asks = Vec::with_capacity(parts.len());
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                self.operators += 1;
                jumps.push(self.ast.steps.len());
                self.ast.steps.push(jump(0));
            }
            asks.push(self.tree(part.tree)?);
        }
        jumps.into_iter().for_each(|jump| self.land(jump));
        Ok(asks)
    }

    fn tree(&mut self, tree: Tree) -> Lowered<Asks> {
        match tree {
            Tree::And(parts) => self.chain(parts, Step::AndThen).map(asks::all),
            Tree::Or(parts) => self.chain(parts, Step::OrElse).map(asks::any),
            Tree::Not(inner) => {
                self.tree(inner.tree)?;
                self.operators += 1;
                self.ast.steps.push(Step::Not);
                Ok(Asks::default())
            }
            Tree::Test(test) => self.lower_test(test),
        }
    }

    fn lower_test(&mut self, test: Test) -> Lowered<Asks> {
        self.operators += 1;
        let predicate = match test {
            Test::Compare(comparator, left, right) => {
                Predicate::Compare(comparator, self.operand(left)?, self.operand(right)?)
            }
            Test::Between(operand, low, high) => {
                Predicate::Between(self.operand(operand)?, self.operand(low)?, self.operand(high)?)
            }
            Test::In(operand, list) => {
                let operand = self.operand(operand)?;
                let list: Lowered<Vec<_>> = list.into_iter().map(|value| self.operand(value)).collect();
                Predicate::In(operand, list?.into())
            }
            Test::Exists(path) => Predicate::Exists(self.path(path)),
            Test::NotExists(path) => Predicate::NotExists(self.path(path)),
            Test::HasType(operand, type_) => Predicate::HasType(self.operand(operand)?, self.operand(type_)?),
            Test::BeginsWith(operand, prefix) => Predicate::BeginsWith(self.operand(operand)?, self.operand(prefix)?),
            Test::Contains(operand, wanted) => Predicate::Contains(self.operand(operand)?, self.operand(wanted)?),
            Test::IsOneOf(path, types) => {
                self.is_one_of(path, types);
                return Ok(Asks::default());
            }
        };
        let asks = asks::of_predicate(&predicate, &self.ast.symbols);
        self.test(predicate);
        Ok(asks)
    }

    fn is_one_of(&mut self, path: Path, types: &[&str]) {
        let path = self.path(path);
        let mut jumps = Vec::new();
        for (at, type_) in types.iter().enumerate() {
            if at > 0 {
                jumps.push(self.ast.steps.len());
                self.ast.steps.push(Step::OrElse(0));
            }
            let type_ = self.lowering.values.add_text(type_);
            self.test(Predicate::HasType(ast::Operand::Path(path), ast::Operand::Value(type_)));
        }
        jumps.into_iter().for_each(|jump| self.land(jump));
    }

    fn test(&mut self, predicate: Predicate) {
        self.ast.steps.push(Step::Test(index(self.ast.predicates.len())));
        self.ast.predicates.push(predicate);
    }

    fn path(&mut self, path: Path) -> u16 {
        self.ast.symbols.add_path(path.segments)
    }

    fn operand(&mut self, operand: Operand) -> Lowered<ast::Operand> {
        Ok(match operand {
            Operand::Path(path) => ast::Operand::Path(self.path(path)),
            Operand::SizeOfPath(path) => {
                self.operators += 1;
                ast::Operand::SizeOfPath(self.path(path))
            }
            Operand::Literal(literal) => ast::Operand::Value(self.value(literal)?),
            Operand::SizeOfLiteral(literal) => {
                self.operators += 1;
                ast::Operand::SizeOfValue(self.value(literal)?)
            }
        })
    }

    fn value(&mut self, literal: Literal) -> Lowered<u16> {
        self.lowering.values.add(literal)
    }
}
