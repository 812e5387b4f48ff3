//! Conditions, filters and key conditions: one grammar.
//!
//! ```text
//! condition := condition OR condition | condition AND condition | NOT condition | '(' condition ')' | test
//! test      := operand comparator operand | operand BETWEEN operand AND operand
//!            | operand IN '(' operand (',' operand)* ')' | function
//! operand   := path | value | function | '(' operand ')'
//! function  := word '(' operand (',' operand)* ')'
//! ```
//! From tightest to loosest: comparators, IN and BETWEEN, NOT, AND, OR, as the Developer Guide says ("Comparison operator
//! and function reference"). An operator-precedence parser: what is begun waits on a stack of [`Frame`]s, so text that
//! nests as deep as it is long costs memory for its length and no recursion. A parenthesis may turn out to hold a
//! condition or an operand; a function may be either.
//!
//! Thread safety: one parse, one parser.

use crate::refusal::Result;

use super::Kind;
use super::ast::{Comparator, ConditionAst, Operand, Predicate, Step, index};
use super::lexer::{CONDITION_KEYWORDS, Keyword, Token};
use super::parser::{Fault, Parser};
use crate::texts::Reason;

/// The most operands that IN takes in its parentheses.
pub(super) const IN_MAX_OPERANDS: usize = 100;

/// Parses a condition.
pub(super) fn parse(kind: Kind, text: &str) -> Result<ConditionAst> {
    let parser = Parser::new(kind, text, CONDITION_KEYWORDS)?;
    ConditionParser { parser, frames: Vec::new(), predicates: Vec::new(), steps: Vec::new() }.run()
}

/// Something whole that has been read.
#[derive(Debug)]
struct Node {
    item: Item,
    /// Whether parentheses stand around it.
    grouped: bool,
}

#[derive(Debug)]
enum Item {
    Operand(Operand),
    /// A function that answers true or false, where it stands: as a condition, or wrongly as an operand.
    Function(&'static str, Predicate),
    /// An operand or function that can never be valid, and why.
    Faulty(Reason),
    /// A condition, whose steps have been written.
    Condition,
}

/// Something begun that waits for more.
#[derive(Debug)]
enum Frame<'a> {
    /// `(`; inside a test or a function it can hold only an operand.
    Group {
        operand_only: bool,
    },
    Call(&'a str, Vec<Item>),
    Not,
    /// Where the step lies whose target is not known yet.
    And(usize),
    Or(usize),
    Compare(Comparator, Item),
    BetweenLow(Item),
    BetweenHigh(Item, Item),
    In(Item, Vec<Item>),
}

/// What comes after a node.
enum Next {
    /// The node is part of this one now.
    Node(Node),
    /// An operator was taken: another operand or condition must follow.
    Start,
    Done,
}

struct ConditionParser<'a> {
    parser: Parser<'a>,
    frames: Vec<Frame<'a>>,
    predicates: Vec<Predicate>,
    steps: Vec<Step>,
}

impl<'a> ConditionParser<'a> {
    fn run(mut self) -> Result<ConditionAst> {
        loop {
            let mut node = self.start()?;
            loop {
                match self.go_on(node)? {
                    Next::Node(larger) => node = larger,
                    Next::Start => break,
                    Next::Done => {
                        let symbols = self.parser.finish()?;
                        return Ok(ConditionAst { symbols, predicates: self.predicates, steps: self.steps });
                    }
                }
            }
        }
    }

    /// Reads up to and including a path or a value.
    fn start(&mut self) -> Result<Node> {
        loop {
            match self.parser.cursor.token() {
                Token::Open => {
                    self.parser.cursor.advance();
                    self.frames.push(Frame::Group { operand_only: !self.takes_condition() });
                }
                Token::Keyword(Keyword::Not) if self.takes_condition() => {
                    self.parser.count_operator()?;
                    self.parser.cursor.advance();
                    self.frames.push(Frame::Not);
                }
                Token::Value => {
                    let value = self.parser.symbols.add_value(self.parser.cursor.text());
                    self.parser.cursor.advance();
                    return Ok(Node { item: Item::Operand(Operand::Value(value)), grouped: false });
                }
                Token::Word => {
                    let word = self.parser.cursor.text();
                    self.parser.cursor.advance();
                    if !self.parser.cursor.take(Token::Open) {
                        let path = self.parser.path_behind(word)?;
                        return Ok(Node { item: Item::Operand(Operand::Path(path)), grouped: false });
                    }
                    self.parser.count_operator()?;
                    self.frames.push(Frame::Call(word, Vec::new()));
                }
                _ => {
                    let path = self.parser.path()?;
                    return Ok(Node { item: Item::Operand(Operand::Path(path)), grouped: false });
                }
            }
        }
    }

    /// Whether a condition may stand here.
    fn takes_condition(&self) -> bool {
        matches!(
            self.frames.last(),
            None | Some(Frame::Group { operand_only: false } | Frame::Not | Frame::And(_) | Frame::Or(_))
        )
    }

    /// Puts a node into what waits for it, or takes the operator behind it.
    fn go_on(&mut self, node: Node) -> Result<Next> {
        if self.takes_condition() {
            return match node.item {
                Item::Condition => self.behind_condition(node.grouped),
                _ => self.behind_operand(node),
            };
        }
        match self.frames.pop() {
            Some(Frame::Compare(comparator, left)) => {
                let predicate = self.two(left, node.item, |left, right| Predicate::Compare(comparator, left, right));
                Ok(self.tested(predicate))
            }
            Some(Frame::BetweenLow(operand)) => {
                self.parser.cursor.expect(Token::Keyword(Keyword::And))?;
                self.frames.push(Frame::BetweenHigh(operand, node.item));
                Ok(Next::Start)
            }
            Some(Frame::BetweenHigh(operand, low)) => {
                let operands = [self.operand(operand), self.operand(low), self.operand(node.item)];
                let predicate = match operands {
                    [Ok(operand), Ok(low), Ok(high)] => Predicate::Between(operand, low, high),
                    [Err(text), ..] | [_, Err(text), _] | [.., Err(text)] => Predicate::Fault(text.into()),
                };
                Ok(self.tested(predicate))
            }
            Some(Frame::In(operand, mut list)) => {
                list.push(node.item);
                if self.list_goes_on()? {
                    self.frames.push(Frame::In(operand, list));
                    return Ok(Next::Start);
                }
                self.finish_in(operand, list)
            }
            Some(Frame::Call(function, mut arguments)) => {
                arguments.push(node.item);
                if self.list_goes_on()? {
                    self.frames.push(Frame::Call(function, arguments));
                    return Ok(Next::Start);
                }
                let item = self.finish_call(function, arguments);
                Ok(Next::Node(Node { item, grouped: false }))
            }
            // A group that can hold only an operand.
            _ => {
                self.parser.cursor.expect(Token::Close)?;
                Ok(Next::Node(self.close_group(node)))
            }
        }
    }

    /// Whether a comma follows; the closing parenthesis otherwise.
    fn list_goes_on(&mut self) -> Result<bool> {
        if self.parser.cursor.take(Token::Comma) {
            return Ok(true);
        }
        self.parser.cursor.expect(Token::Close)?;
        Ok(false)
    }

    /// Behind an operand or a function where a condition is wanted: the rest of the test, or nothing.
    fn behind_operand(&mut self, node: Node) -> Result<Next> {
        let comparator = match self.parser.cursor.token() {
            Token::Equal => Comparator::Equal,
            Token::NotEqual => Comparator::NotEqual,
            Token::Less => Comparator::Less,
            Token::LessOrEqual => Comparator::LessOrEqual,
            Token::Greater => Comparator::Greater,
            Token::GreaterOrEqual => Comparator::GreaterOrEqual,
            Token::Keyword(Keyword::Between) => {
                self.operator()?;
                self.frames.push(Frame::BetweenLow(node.item));
                return Ok(Next::Start);
            }
            Token::Keyword(Keyword::In) => {
                self.operator()?;
                self.parser.cursor.expect(Token::Open)?;
                self.frames.push(Frame::In(node.item, Vec::new()));
                return Ok(Next::Start);
            }
            Token::Close if matches!(self.frames.last(), Some(Frame::Group { .. })) => {
                self.parser.cursor.advance();
                self.frames.pop();
                return Ok(Next::Node(self.close_group(node)));
            }
            _ => return self.operand_as_condition(node),
        };
        self.operator()?;
        self.frames.push(Frame::Compare(comparator, node.item));
        Ok(Next::Start)
    }

    /// Takes the operator at this token.
    fn operator(&mut self) -> Result<()> {
        self.parser.count_operator()?;
        self.parser.cursor.advance();
        Ok(())
    }

    /// An operand with no comparator behind it: right for functions alone, and not for `size`.
    fn operand_as_condition(&mut self, node: Node) -> Result<Next> {
        let predicate = match node.item {
            Item::Function(_, predicate) => predicate,
            Item::Faulty(text) => Predicate::Fault(text.into()),
            Item::Operand(Operand::SizeOfPath(_) | Operand::SizeOfValue(_)) => {
                Predicate::Fault(self.misplaced("size").into())
            }
            Item::Operand(_) | Item::Condition => return Err(self.parser.cursor.syntax_error()),
        };
        self.test(predicate);
        Ok(Next::Node(Node { item: Item::Condition, grouped: node.grouped }))
    }

    /// Behind a condition: AND, OR, the end of a group or of the text.
    fn behind_condition(&mut self, mut grouped: bool) -> Result<Next> {
        if matches!(self.frames.last(), Some(Frame::Not)) {
            self.frames.pop();
            self.steps.push(Step::Not);
            return Ok(Next::Node(Node { item: Item::Condition, grouped: false }));
        }
        let token = self.parser.cursor.token();
        let ends_or = token != Token::Keyword(Keyword::And);
        while let Some(&Frame::And(step) | &Frame::Or(step)) = self.frames.last() {
            let is_or = matches!(self.frames.last(), Some(Frame::Or(_)));
            if is_or && !ends_or {
                break;
            }
            self.frames.pop();
            grouped = false;
            let end = index(self.steps.len());
            self.steps[step] = if is_or { Step::OrElse(end) } else { Step::AndThen(end) };
        }
        let here = self.steps.len();
        match token {
            Token::Keyword(Keyword::And) => {
                self.operator()?;
                self.steps.push(Step::AndThen(0));
                self.frames.push(Frame::And(here));
                Ok(Next::Start)
            }
            Token::Keyword(Keyword::Or) => {
                self.operator()?;
                self.steps.push(Step::OrElse(0));
                self.frames.push(Frame::Or(here));
                Ok(Next::Start)
            }
            Token::Close if self.frames.pop().is_some() => {
                self.parser.cursor.advance();
                Ok(Next::Node(self.close_group(Node { item: Item::Condition, grouped })))
            }
            Token::End if self.frames.is_empty() => Ok(Next::Done),
            _ => Err(self.parser.cursor.syntax_error()),
        }
    }

    fn close_group(&mut self, node: Node) -> Node {
        if node.grouped {
            self.parser.redundant_parentheses();
        }
        Node { item: node.item, grouped: true }
    }

    /// Writes the step that asks a predicate.
    fn test(&mut self, predicate: Predicate) {
        self.steps.push(Step::Test(index(self.predicates.len())));
        self.predicates.push(predicate);
    }

    fn tested(&mut self, predicate: Predicate) -> Next {
        self.test(predicate);
        Next::Node(Node { item: Item::Condition, grouped: false })
    }

    fn two(&mut self, left: Item, right: Item, make: impl FnOnce(Operand, Operand) -> Predicate) -> Predicate {
        match (self.operand(left), self.operand(right)) {
            (Ok(left), Ok(right)) => make(left, right),
            (Err(text), _) | (_, Err(text)) => Predicate::Fault(text.into()),
        }
    }

    /// The item as an operand, or why it can be none.
    fn operand(&mut self, item: Item) -> Result<Operand, Reason> {
        match item {
            Item::Operand(operand) => Ok(operand),
            Item::Faulty(text) => Err(text),
            Item::Function(name, _) => Err(self.misplaced(name)),
            // The grammar has none where an operand stands.
            Item::Condition => Err(self.misplaced("")),
        }
    }

    /// Remembers that a function stands where it cannot.
    fn misplaced(&mut self, function: &'static str) -> Reason {
        let reason = Reason::FunctionMisplaced { function };
        self.parser.fault(Fault::MisusedFunction, reason.clone());
        reason
    }

    fn finish_in(&mut self, operand: Item, list: Vec<Item>) -> Result<Next> {
        let count = list.len();
        if count > IN_MAX_OPERANDS {
            return Err(self.parser.cursor.refuse(Reason::TooManyInOperands { count }));
        }
        let operand = self.operand(operand);
        let list = list.into_iter().map(|item| self.operand(item)).collect::<Result<_, _>>();
        let predicate = match (operand, list) {
            (Ok(operand), Ok(list)) => Predicate::In(operand, list),
            (Err(text), _) | (_, Err(text)) => Predicate::Fault(text.into()),
        };
        Ok(self.tested(predicate))
    }

    /// A function with all its arguments.
    fn finish_call(&mut self, function: &'a str, arguments: Vec<Item>) -> Item {
        let Some(&(name, operands)) = FUNCTIONS.iter().find(|(name, _)| *name == function) else {
            let is_of_updates = matches!(function, "if_not_exists" | "list_append");
            let (part, function) = (function, function.into());
            let (fault, reason) = match is_of_updates {
                true => (Fault::MisusedFunction, Reason::NoFunctionOfConditions { function }),
                false => (Fault::UnknownFunction, Reason::UnknownFunction { function }),
            };
            self.parser.fault_of(fault, reason.clone(), part);
            return Item::Faulty(reason);
        };
        let count = arguments.len();
        let mut operand_of = arguments.into_iter().map(|item| self.operand(item));
        let (first, second) = (operand_of.next(), operand_of.next());
        operand_of.for_each(drop);
        if count != operands {
            return Item::Faulty(Reason::OperandCount { function: name.into(), count });
        }
        match call(name, first, second) {
            Ok(item) => item,
            Err(reason) => Item::Faulty(reason),
        }
    }
}

/// The functions of conditions and how many operands each takes.
const FUNCTIONS: &[(&str, usize)] = &[
    ("attribute_exists", 1),
    ("attribute_not_exists", 1),
    ("attribute_type", 2),
    ("begins_with", 2),
    ("contains", 2),
    ("size", 1),
];

type Argument = Option<Result<Operand, Reason>>;

/// A function of [`FUNCTIONS`] with as many operands as it takes.
fn call(name: &'static str, first: Argument, second: Argument) -> Result<Item, Reason> {
    let first = first.unwrap_or_else(|| Err(Reason::OperandCount { function: name.into(), count: 0 }))?;
    if name == "size" {
        return Ok(Item::Operand(match first {
            Operand::Path(path) => Operand::SizeOfPath(path),
            Operand::Value(value) => Operand::SizeOfValue(value),
            Operand::SizeOfPath(_) | Operand::SizeOfValue(_) => {
                return Err(Reason::OperandType { function: name, found: "N" });
            }
        }));
    }
    let predicate = match (name, first, second.transpose()?) {
        ("attribute_exists", Operand::Path(path), _) => Predicate::Exists(path),
        ("attribute_not_exists", Operand::Path(path), _) => Predicate::NotExists(path),
        ("attribute_type", operand, Some(type_)) => Predicate::HasType(operand, type_),
        ("begins_with", operand, Some(prefix)) => Predicate::BeginsWith(operand, prefix),
        ("contains", operand, Some(wanted)) => Predicate::Contains(operand, wanted),
        _ => return Err(Reason::PathRequired { function: name.into() }),
    };
    Ok(Item::Function(name, predicate))
}
