//! Updates.
//!
//! ```text
//! update  := section+                                each section once
//! section := SET set (',' set)* | REMOVE path (',' path)* | ADD path value (',' path value)*
//!          | DELETE path value (',' path value)*
//! set     := path '=' new
//! new     := '(' new ')' | operand ('+' | '-') operand | operand
//! operand := path | value | function | '(' operand ')'
//! function := if_not_exists '(' path ',' operand ')' | list_append '(' operand ',' operand ')'
//! ```
//! What is begun waits on a stack of [`Frame`]s, as in [`super::condition_parser`].
//!
//! Thread safety: one parse, one parser.

use crate::refusal::Result;

use super::Kind;
use super::ast::{Action, NewValue, OperandSource, UpdateAst, Verb, index};
use super::lexer::{Keyword, Token, UPDATE_KEYWORDS};
use super::parser::{Fault, Parser};
use super::update::order_of;
use crate::texts::Reason;

/// Parses an update.
pub(super) fn parse(text: &str) -> Result<UpdateAst> {
    let parser = Parser::new(Kind::Update, text, UPDATE_KEYWORDS)?;
    let mut ast = UpdateParser { parser, frames: Vec::new(), sources: Vec::new(), actions: Vec::new() }.run()?;
    if ast.symbols.aliases.is_empty() {
        ast.order = order_of(&ast);
    }
    Ok(ast)
}

/// Something begun that waits for more.
#[derive(Debug)]
enum Frame<'a> {
    Group,
    Call(&'a str, Vec<NewValue>),
    Plus(NewValue),
    Minus(NewValue),
}

struct UpdateParser<'a> {
    parser: Parser<'a>,
    frames: Vec<Frame<'a>>,
    sources: Vec<OperandSource>,
    actions: Vec<Action>,
}

impl<'a> UpdateParser<'a> {
    fn run(mut self) -> Result<UpdateAst> {
        let mut seen = Vec::new();
        while self.parser.cursor.token() != Token::End {
            let name = self.parser.cursor.text();
            let Token::Keyword(section) = self.parser.cursor.token() else {
                return Err(self.parser.cursor.syntax_error());
            };
            if seen.contains(&section) {
                let section = name.to_ascii_uppercase().into();
                self.parser.fault(Fault::RepeatedSection, Reason::RepeatedSection { section });
            }
            seen.push(section);
            self.parser.cursor.advance();
            self.action(section)?;
            while self.parser.cursor.take(Token::Comma) {
                self.action(section)?;
            }
        }
        let symbols = self.parser.finish()?;
        Ok(UpdateAst { symbols, sources: self.sources, actions: self.actions, order: None })
    }

    fn action(&mut self, section: Keyword) -> Result<()> {
        let path = self.parser.path()?;
        let verb = match section {
            Keyword::Remove => Verb::Remove,
            Keyword::Add => Verb::Add(self.value()?),
            Keyword::Delete => Verb::Delete(self.value()?),
            _ => {
                self.parser.cursor.expect(Token::Equal)?;
                Verb::Set(self.new_value()?)
            }
        };
        self.actions.push(Action { path, verb });
        Ok(())
    }

    /// The value of ADD and DELETE.
    fn value(&mut self) -> Result<u16> {
        if self.parser.cursor.token() != Token::Value {
            return Err(self.parser.cursor.syntax_error());
        }
        let value = self.parser.symbols.add_value(self.parser.cursor.text());
        self.parser.cursor.advance();
        Ok(value)
    }

    fn new_value(&mut self) -> Result<NewValue> {
        loop {
            let (mut new, mut grouped) = (self.start()?, false);
            loop {
                if self.takes_sum(&new) {
                    self.parser.count_operator()?;
                    let plus = self.parser.cursor.token() == Token::Plus;
                    self.parser.cursor.advance();
                    self.frames.push(if plus { Frame::Plus(new) } else { Frame::Minus(new) });
                    break;
                }
                match self.frames.pop() {
                    None => return Ok(new),
                    Some(Frame::Group) => {
                        self.parser.cursor.expect(Token::Close)?;
                        if grouped {
                            self.parser.redundant_parentheses();
                        }
                        grouped = true;
                        continue;
                    }
                    Some(Frame::Plus(left)) => new = self.two(left, new, NewValue::Plus),
                    Some(Frame::Minus(left)) => new = self.two(left, new, NewValue::Minus),
                    Some(Frame::Call(function, mut arguments)) => {
                        arguments.push(new);
                        if self.parser.cursor.take(Token::Comma) {
                            self.frames.push(Frame::Call(function, arguments));
                            break;
                        }
                        self.parser.cursor.expect(Token::Close)?;
                        new = self.finish_call(function, arguments);
                    }
                }
                grouped = false;
            }
        }
    }

    /// Reads up to and including a path or a value.
    fn start(&mut self) -> Result<NewValue> {
        loop {
            match self.parser.cursor.token() {
                Token::Open => {
                    self.parser.cursor.advance();
                    self.frames.push(Frame::Group);
                }
                Token::Value => {
                    let value = self.parser.symbols.add_value(self.parser.cursor.text());
                    self.parser.cursor.advance();
                    return Ok(self.source(OperandSource::Value(value)));
                }
                Token::Word => {
                    let word = self.parser.cursor.text();
                    self.parser.cursor.advance();
                    if !self.parser.cursor.take(Token::Open) {
                        let path = self.parser.path_behind(word)?;
                        return Ok(self.source(OperandSource::Path(path)));
                    }
                    self.parser.count_operator()?;
                    self.frames.push(Frame::Call(word, Vec::new()));
                }
                _ => {
                    let path = self.parser.path()?;
                    return Ok(self.source(OperandSource::Path(path)));
                }
            }
        }
    }

    /// Whether a `+` or `-` stands here and may: behind the first of two operands that are the whole new value.
    fn takes_sum(&self, new: &NewValue) -> bool {
        matches!(self.parser.cursor.token(), Token::Plus | Token::Minus)
            && !matches!(new, NewValue::Plus(..) | NewValue::Minus(..))
            && self.frames.iter().all(|frame| matches!(frame, Frame::Group))
    }

    fn source(&mut self, source: OperandSource) -> NewValue {
        self.sources.push(source);
        NewValue::Source(index(self.sources.len() - 1))
    }

    fn two(&mut self, left: NewValue, right: NewValue, make: impl FnOnce(u16, u16) -> NewValue) -> NewValue {
        match (self.operand(left), self.operand(right)) {
            (Ok(left), Ok(right)) => make(left, right),
            (Err(reason), _) | (_, Err(reason)) => NewValue::Fault(reason),
        }
    }

    /// The source that an operand is, or why it can be none. A list to append to is no `list_append` itself, in DynamoDB.
    fn operand(&mut self, new: NewValue) -> Result<u16, Box<Reason>> {
        match new {
            NewValue::Source(source) => Ok(source),
            NewValue::Fault(reason) => Err(reason),
            NewValue::ListAppend(..) => {
                let reason = Reason::FunctionMisplaced { function: "list_append" };
                self.parser.fault(Fault::MisusedFunction, reason.clone());
                Err(reason.into())
            }
            // A sum is a whole new value: the grammar has none where an operand stands.
            NewValue::Plus(..) => Err(Reason::FunctionMisplaced { function: "+" }.into()),
            NewValue::Minus(..) => Err(Reason::FunctionMisplaced { function: "-" }.into()),
        }
    }

    /// A function with all its arguments.
    fn finish_call(&mut self, function: &'a str, arguments: Vec<NewValue>) -> NewValue {
        if !matches!(function, "if_not_exists" | "list_append") {
            let is_of_conditions = CONDITION_FUNCTIONS.contains(&function);
            let (part, function) = (function, function.into());
            let (fault, reason) = match is_of_conditions {
                true => (Fault::MisusedFunction, Reason::NoFunctionOfUpdates { function }),
                false => (Fault::UnknownFunction, Reason::UnknownFunction { function }),
            };
            self.parser.fault_of(fault, reason.clone(), part);
            return NewValue::Fault(reason.into());
        }
        let count = arguments.len();
        let operands: Vec<_> = arguments.into_iter().map(|argument| self.operand(argument)).collect();
        let Ok([first, second]) = <[_; 2]>::try_from(operands) else {
            return NewValue::Fault(Reason::OperandCount { function: function.into(), count }.into());
        };
        match (first, second) {
            (Ok(first), Ok(second)) if function == "list_append" => NewValue::ListAppend(first, second),
            (Ok(first), Ok(second)) => match self.sources[usize::from(first)] {
                OperandSource::Path(path) => self.source(OperandSource::IfNotExists(path, second)),
                _ => NewValue::Fault(Reason::PathRequired { function: function.into() }.into()),
            },
            (Err(reason), _) | (_, Err(reason)) => NewValue::Fault(reason),
        }
    }
}

const CONDITION_FUNCTIONS: [&str; 6] =
    ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"];
