//! Looking into a request that has been read: its values as places in the body, typed by their shapes.
//!
//! Nothing is copied and nothing can fail: the one pass (`read`) has seen to it that every value has the type of its shape.
//! A value's parts are found again each time they are asked for, by skipping what lies before them.

use crate::json::{Quoted, Scanner, Token, skip};
use crate::mistake::spelled_truth;
use crate::model::{Kind, MAX_MEMBERS, ShapeId};
use crate::read::Span;

/// A body that has been read.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    pub(crate) body: &'a str,
    pub(crate) shadowed: &'a [u32],
    /// Whether there is nothing to find in its attribute values.
    pub(crate) is_plain: bool,
}

/// A value: a shape and its place.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    document: Document<'a>,
    shape: ShapeId,
    span: Span,
}

impl<'a> Value<'a> {
    pub(crate) fn new(document: Document<'a>, shape: ShapeId, span: Span) -> Self {
        Self { document, shape, span }
    }

    /// What it is.
    #[must_use]
    pub fn shape(&self) -> ShapeId {
        self.shape
    }

    /// Where it lies in the body.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether the pass over the body has seen that all its attribute values are plain ones.
    pub(crate) fn is_of_plain_values(&self) -> bool {
        self.document.is_plain
    }

    /// Whether, in addition, no name comes twice anywhere in the body: then it can be read on without a look at what could
    /// be wrong.
    pub(crate) fn is_plain(&self) -> bool {
        self.document.is_plain && self.document.shadowed.is_empty()
    }

    /// Its JSON.
    #[must_use]
    pub fn json(&self) -> &'a str {
        &self.document.body[self.span.start as usize..self.span.end as usize]
    }

    /// Whether it is `null`, which an element or an entry can be.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.json() == "null"
    }

    /// Its text, still escaped; nothing where it is no string.
    #[must_use]
    pub fn quoted(&self) -> Quoted<'a> {
        match Scanner::new(self.json()).token() {
            Ok(Token::Text(text)) => text,
            _ => Quoted(""),
        }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'a, str> {
        self.quoted().decode()
    }

    /// Its number without a fraction; the nearest there is, where it does not fit.
    #[must_use]
    pub fn integer(&self) -> i64 {
        let text = self.json();
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a double saturates, which is what is meant")]
        text.parse().unwrap_or_else(|_| text.parse::<f64>().map_or(0, |double| double as i64))
    }

    /// Its truth value, which may be spelled as a string.
    #[must_use]
    pub fn boolean(&self) -> bool {
        match Scanner::new(self.json()).token() {
            Ok(Token::Boolean(value)) => value,
            Ok(Token::Text(text)) => spelled_truth(text).unwrap_or(false),
            _ => false,
        }
    }

    /// The elements of a list.
    #[must_use]
    pub fn elements(&self) -> Elements<'a> {
        let element = match self.shape.shape().kind {
            Kind::List { element, .. } if !self.is_null() => element,
            _ => return Elements { document: self.document, shape: self.shape, at: usize::MAX },
        };
        Elements { document: self.document, shape: element, at: self.span.start as usize + 1 }
    }

    /// The entries of a map, each name once.
    #[must_use]
    pub fn entries(&self) -> Entries<'a> {
        let value = match self.shape.shape().kind {
            Kind::Map { value, .. } if !self.is_null() => value,
            _ => return Entries { names: Names::none(self.document), shape: self.shape },
        };
        Entries { names: Names::new(self.document, self.span), shape: value }
    }

    /// The only member of a structure, by its place in the model's list: what an attribute value mostly is. Nothing where
    /// there are several names, or none, or one that is unknown or null.
    #[must_use]
    pub(crate) fn only_member(&self) -> Option<(usize, Value<'a>)> {
        let mut names = Names::new(self.document, self.span);
        let (name, span) = names.next()?;
        let members = self.shape.shape().members();
        let index = members.iter().position(|member| name.is(member.name))?;
        let value = Value::new(self.document, members[index].shape, span);
        (!value.is_null() && names.is_over()).then_some((index, value))
    }

    /// The members of a structure.
    #[must_use]
    pub fn structure(&self) -> Structure<'a> {
        let members = self.shape.shape().members();
        let mut places = [Span::default(); MAX_MEMBERS];
        if !self.is_null() {
            for (name, span) in Names::new(self.document, self.span) {
                if let Some(index) = members.iter().position(|member| name.is(member.name)) {
                    let is_null = &self.document.body[span.start as usize..span.end as usize] == "null";
                    places[index] = if is_null { Span::default() } else { span };
                }
            }
        }
        Structure::new(self.document, self.shape, places)
    }

    /// How many elements or entries it has.
    #[must_use]
    pub fn count(&self) -> usize {
        match self.shape.shape().kind {
            Kind::List { .. } => self.elements().count(),
            _ => self.entries().count(),
        }
    }
}

/// A structure: the places of its members.
#[derive(Clone, Copy, Debug)]
pub struct Structure<'a> {
    document: Document<'a>,
    shape: ShapeId,
    places: [Span; MAX_MEMBERS],
    /// Which of them are there, a bit each.
    present: u32,
}

impl<'a> Structure<'a> {
    pub(crate) fn new(document: Document<'a>, shape: ShapeId, places: [Span; MAX_MEMBERS]) -> Self {
        let mut present = 0;
        for (at, span) in places.iter().enumerate() {
            present |= u32::from(!span.is_absent()) << at;
        }
        Self { document, shape, places, present }
    }

    /// The places of the members that are there, ascending.
    pub(crate) fn present(&self) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.present;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (at < MAX_MEMBERS).then_some(at)
        })
    }

    /// Those of these members, a bit each, that are not there.
    pub(crate) fn lacks(&self, members: u32) -> bool {
        members & !self.present != 0
    }

    /// What it is.
    #[must_use]
    pub fn shape(&self) -> ShapeId {
        self.shape
    }

    /// The member of this name, if it is there and not null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let members = self.shape.shape().members();
        debug_assert!(self.shape.shape().has_member(name), "{} has no member {name}", self.shape.shape().name);
        // Of many members few are there.
        self.at(self.present().find(|&at| members[at].name == name)?)
    }

    /// The member at this place of the model's list.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Value<'a>> {
        let span = self.places[index];
        let member = &self.shape.shape().members()[index];
        (!span.is_absent()).then(|| Value::new(self.document, member.shape, span))
    }

    /// Whether the member of this name is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether none of its members is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }
}

/// The elements of a list, in order.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    document: Document<'a>,
    shape: ShapeId,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (start, end) = next_value(self.document.body, &mut self.at)?;
        Some(Value::new(self.document, self.shape, Span::new(start, end)))
    }
}

/// The entries of a map, in order, without those that a later one of the same name hides.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    names: Names<'a>,
    shape: ShapeId,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Quoted<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, span) = self.names.next()?;
        Some((name, Value::new(self.names.document, self.shape, span)))
    }
}

/// The names of an object and the places of their values.
#[derive(Clone, Debug)]
struct Names<'a> {
    document: Document<'a>,
    at: usize,
}

impl<'a> Names<'a> {
    fn new(document: Document<'a>, object: Span) -> Self {
        Self { document, at: object.start as usize + 1 }
    }

    /// Whether no further name follows.
    fn is_over(&self) -> bool {
        self.document.body.as_bytes().get(blank(self.document.body, self.at)) == Some(&b'}')
    }

    fn none(document: Document<'a>) -> Self {
        Self { document, at: usize::MAX }
    }
}

impl<'a> Iterator for Names<'a> {
    type Item = (Quoted<'a>, Span);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let body = self.document.body;
            let (start, end) = next_value(body, &mut self.at)?;
            let name = Quoted(&body[start + 1..end - 1]);
            let colon = blank(body, self.at);
            self.at = colon + 1;
            let (value_start, value_end) = next_value(body, &mut self.at)?;
            let is_shadowed = !self.document.shadowed.is_empty()
                && u32::try_from(start).is_ok_and(|start| self.document.shadowed.binary_search(&start).is_ok());
            if !is_shadowed {
                return Some((name, Span::new(value_start, value_end)));
            }
        }
    }
}

/// The next value behind `at`, a comma before it taken; `None` at a closing bracket.
fn next_value(body: &str, at: &mut usize) -> Option<(usize, usize)> {
    let mut start = blank(body, *at);
    if body.as_bytes().get(start) == Some(&b',') {
        start = blank(body, start + 1);
    }
    if matches!(body.as_bytes().get(start), None | Some(b']' | b'}')) {
        return None;
    }
    let end = skip(body, start);
    *at = end;
    Some((start, end))
}

/// The first place from `at` that is not blank.
fn blank(body: &str, at: usize) -> usize {
    if body.as_bytes().get(at).is_some_and(|&b| b > b' ') {
        return at;
    }
    let bytes = body.as_bytes().get(at..).unwrap_or_default();
    at.saturating_add(bytes.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count())
}
