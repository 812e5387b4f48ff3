//! WHERE clauses as the programs that the expressions' evaluator runs, and what they ask of keys.
//!
//! Thread safety: one statement, one lowering.

use std::sync::Arc;

use super::ast::{Clause, Literal, Operand, Path, Test, Tree};
use super::fault::Fault;
use super::lower::{Lowered, Lowering};
use super::parsed::{Ask, Conjunct, KeyTest, Where};
use crate::expression::OPERATORS_MAX;
use crate::expression::ast::{self, Comparator, ConditionAst, Predicate, Segment, Step, index};

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
    let mut conjuncts = Vec::new();
    let mut jump = None;
    if let Some(presence) = presence {
        jump = Some(program.presence(presence));
    }
    match clause.tree {
        Tree::And(parts) => program.chain(parts, Step::AndThen, Some(&mut conjuncts))?,
        _ => program.conjunct(clause, &mut conjuncts)?,
    }
    if let Some(jump) = jump {
        program.land(jump);
    }
    if program.operators > OPERATORS_MAX {
        let count = program.operators;
        let text = format!("The expression contains too many operators; operator count: {count}");
        return Err(Fault::refused(at, text));
    }
    Ok(Where { ast: Arc::new(program.ast), conjuncts })
}

struct Program<'a, 'b> {
    lowering: &'a mut Lowering<'b>,
    ast: ConditionAst,
    operators: usize,
}

impl Program<'_, '_> {
    /// Asks whether there is an item at all; the step that must learn where to go.
    fn presence(&mut self, presence: Presence) -> usize {
        let pk = self.ast.symbols.add_path(vec![Segment::Name("pk".into())]);
        self.test(match presence {
            Presence::Required => Predicate::Exists(pk),
            Presence::Optional => Predicate::NotExists(pk),
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

    /// Conditions of which the first that decides ends the chain.
    fn chain(
        &mut self,
        parts: Vec<Clause>,
        jump: fn(u16) -> Step,
        mut conjuncts: Option<&mut Vec<Conjunct>>,
    ) -> Lowered<()> {
        let mut jumps = Vec::with_capacity(parts.len());
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                self.operators += 1;
                jumps.push(self.ast.steps.len());
                self.ast.steps.push(jump(0));
            }
            match &mut conjuncts {
                Some(conjuncts) => self.conjunct(part, conjuncts)?,
                None => self.tree(part.tree)?,
            }
        }
        jumps.into_iter().for_each(|jump| self.land(jump));
        Ok(())
    }

    /// A condition that must hold, and what it asks of a key.
    fn conjunct(&mut self, clause: Clause, conjuncts: &mut Vec<Conjunct>) -> Lowered<()> {
        let text = self.lowering.statement[clause.span].into();
        let (steps, predicates) = (self.ast.steps.len(), self.ast.predicates.len());
        self.tree(clause.tree)?;
        let key_test = self.key_test(steps, predicates);
        conjuncts.push(Conjunct { key_test, text });
        Ok(())
    }

    fn tree(&mut self, tree: Tree) -> Lowered<()> {
        match tree {
            Tree::And(parts) => self.chain(parts, Step::AndThen, None),
            Tree::Or(parts) => self.chain(parts, Step::OrElse, None),
            Tree::Not(inner) => {
                self.tree(inner.tree)?;
                self.operators += 1;
                self.ast.steps.push(Step::Not);
                Ok(())
            }
            Tree::Test(test) => self.lower_test(test),
        }
    }

    fn lower_test(&mut self, test: Test) -> Lowered<()> {
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
                return Ok(());
            }
        };
        self.test(predicate);
        Ok(())
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

    /// What the steps from here on ask of one attribute, where a key could answer it: one predicate, or several
    /// equalities of one attribute with OR between them.
    fn key_test(&self, steps: usize, predicates: usize) -> Option<KeyTest> {
        let steps = &self.ast.steps[steps..];
        match &self.ast.predicates[predicates..] {
            [predicate] if steps.len() == 1 => self.ask(predicate).map(|(attribute, ask)| key_test(attribute, ask)),
            all if steps.iter().all(|step| matches!(step, Step::Test(_) | Step::OrElse(_))) => {
                let mut values = Vec::new();
                let mut attribute = None;
                for predicate in all {
                    let (name, ask) = self.ask(predicate)?;
                    if *attribute.get_or_insert(name) != name {
                        return None;
                    }
                    match ask {
                        Ask::Eq(value) => values.push(value),
                        Ask::In(more) => values.extend(more),
                        _ => return None,
                    }
                }
                attribute.map(|attribute| key_test(attribute, Ask::In(values)))
            }
            _ => None,
        }
    }

    fn ask(&self, predicate: &Predicate) -> Option<(&str, Ask)> {
        use ast::Operand::{Path, Value};
        match *predicate {
            Predicate::Compare(Comparator::NotEqual, ..) => None,
            Predicate::Compare(Comparator::Equal, Path(path), Value(value))
            | Predicate::Compare(Comparator::Equal, Value(value), Path(path)) => {
                Some((self.attribute(path)?, Ask::Eq(value)))
            }
            Predicate::Compare(comparator, Path(path), Value(value)) => {
                Some((self.attribute(path)?, Ask::Compare(comparator, value)))
            }
            Predicate::Compare(comparator, Value(value), Path(path)) => {
                Some((self.attribute(path)?, Ask::Compare(comparator.turned(), value)))
            }
            Predicate::Between(Path(path), Value(low), Value(high)) => {
                Some((self.attribute(path)?, Ask::Between(low, high)))
            }
            Predicate::In(Path(path), ref list) => {
                let value = |operand: &ast::Operand| if let Value(value) = *operand { Some(value) } else { None };
                let values: Option<Vec<u16>> = list.iter().map(value).collect();
                Some((self.attribute(path)?, Ask::In(values?)))
            }
            Predicate::BeginsWith(Path(path), Value(prefix)) => Some((self.attribute(path)?, Ask::BeginsWith(prefix))),
            Predicate::NotExists(path) => Some((self.attribute(path)?, Ask::Missing)),
            _ => None,
        }
    }

    /// The attribute that a path is, if it is no more.
    fn attribute(&self, path: u16) -> Option<&str> {
        match &*self.ast.symbols.paths[usize::from(path)] {
            [Segment::Name(name)] => Some(name),
            _ => None,
        }
    }
}

fn key_test(attribute: &str, ask: Ask) -> KeyTest {
    KeyTest { attribute: attribute.into(), ask }
}
