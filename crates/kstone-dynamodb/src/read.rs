//! The one pass over a body: is it JSON, has every member the type of its shape, and where are the members.
//!
//! ```text
//! {"TableName":"t","Item":{"pk":{"S":"a"}},"Unknown":[1,2]}
//!              ^^^        ^^^^^^^^^^^^^^^^            places of the members; what is unknown is passed over
//! ```
//!
//! Nothing is built: an object or array that is open is a frame of eight bytes, and at most [`MAX_DEPTH`] are open. A
//! wrong type is remembered and the rest still read, for a body that is no JSON is refused as such whatever else is wrong
//! with it (facts 3). `null` is the absence of a member. Of a name that comes twice the last one counts, also in maps,
//! whose earlier entries are listed as shadowed; that is how AWS's parser fills its objects (taken from Jackson, not
//! captured).

use crate::json::{MAX_DEPTH, NotJson, Quoted, Scanner, Token};
use crate::mistake::{self, Place};
use crate::model::{Kind, MAX_MEMBERS, Operation, Part, ShapeId};
use crate::texts::Text;

/// Where a value lies in the body; nowhere where both are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u32,
    /// The byte after its last one.
    pub end: u32,
}

impl Span {
    /// Of a body of at most 16 MB.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |place: usize| u32::try_from(place).expect("bodies have at most 16 MB");
        Self { start: narrow(start), end: narrow(end) }
    }

    /// Whether there is a value.
    #[must_use]
    pub fn is_absent(self) -> bool {
        self.end == 0
    }
}

/// Memory that requests read one after another share: nothing of one is left for the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The objects and arrays that are open.
    frames: Vec<Frame>,
    /// The names seen so far in the maps that are open.
    keys: Vec<Key>,
    /// Where the names of entries begin that a later entry of the same map hides; ascending.
    pub(crate) shadowed: Vec<u32>,
}

/// The deepest nesting at which no value can be nested too deep: each of 32 levels is two brackets, below a few of the
/// request's own.
const SHALLOW: usize = 60;

/// An open object or array.
#[derive(Clone, Copy, Debug)]
struct Frame {
    holds: Holds,
    is_object: bool,
    /// How many members of its structure it has named, counted up to 255.
    names: u8,
    /// Where its names begin in `Scratch::keys`.
    keys_from: u32,
}

/// What an open object or array holds.
#[derive(Clone, Copy, Debug)]
enum Holds {
    /// What nobody asked for.
    Anything,
    /// The members of a structure.
    Members(ShapeId),
    /// The values of a map.
    Entries(ShapeId),
    /// The elements of a list.
    Elements(ShapeId),
}

/// A map's name, by its hash and place.
#[derive(Clone, Copy, Debug)]
struct Key {
    hash: u32,
    start: u32,
    end: u32,
}

/// What is expected of the next value: a shape at some place, or anything.
#[derive(Clone, Copy)]
struct Slot {
    shape: Option<ShapeId>,
    place: Place,
}

/// What a body turned out to be.
pub(crate) struct Read {
    /// The places of the input's members, in the model's order.
    pub(crate) members: [Span; MAX_MEMBERS],
    /// The first value of a wrong type.
    pub(crate) mistake: Option<Text>,
    /// Whether every attribute value is a plain one: of one type, no set, no null, no number that is not a few digits,
    /// and none nested deep. There is nothing to find in these; checks may pass over them.
    pub(crate) is_plain: bool,
}

/// Reads `body` as the input of `operation`; of none, only whether it is JSON.
pub(crate) fn read(body: &str, operation: Option<&Operation>, scratch: &mut Scratch) -> Result<Read, NotJson> {
    scratch.frames.clear();
    scratch.keys.clear();
    scratch.shadowed.clear();
    let members = [Span::default(); MAX_MEMBERS];
    let mut pass = Pass {
        body,
        operation,
        scanner: Scanner::new(body),
        scratch,
        members,
        member: None,
        mistake: None,
        is_plain: true,
    };
    pass.value(Slot { shape: operation.map(|operation| operation.input), place: Place::Top })?;
    if !pass.scanner.at_end() {
        return Err(NotJson);
    }
    let read = Read { members: pass.members, mistake: pass.mistake, is_plain: pass.is_plain };
    scratch.shadowed.sort_unstable();
    Ok(read)
}

struct Pass<'a, 'm> {
    body: &'a str,
    operation: Option<&'m Operation>,
    scanner: Scanner<'a>,
    scratch: &'m mut Scratch,
    members: [Span; MAX_MEMBERS],
    /// The input's member that is being read, and where it begins.
    member: Option<(usize, usize)>,
    mistake: Option<Text>,
    is_plain: bool,
}

impl<'a> Pass<'a, '_> {
    /// A value and all that is in it.
    fn value(&mut self, first: Slot) -> Result<(), NotJson> {
        let mut slot = first;
        loop {
            let opened = self.one(slot)?;
            let next = if opened { self.first_inside()? } else { self.after()? };
            match next {
                Some(next) => slot = next,
                None => return Ok(()),
            }
        }
    }

    /// One token in `slot`; true where it opened an object or array.
    fn one(&mut self, slot: Slot) -> Result<bool, NotJson> {
        // Where the token begins, after what is blank.
        self.scanner.peek();
        let start = self.scanner.at();
        if slot.place == Place::Member && self.scratch.frames.len() == 1 {
            self.member = self.member.map(|(index, _)| (index, start));
        }
        let token = self.scanner.token()?;
        let end = self.scanner.at();
        let checked = slot.shape.filter(|_| self.mistake.is_none());
        let mut holds = Holds::Anything;
        if let Some(shape) = checked {
            self.is_plain &= is_plain(token, shape);
            let whereabouts = mistake::Whereabouts { operation: self.operation, shape, place: slot.place, column: end };
            match mistake::of(token, whereabouts) {
                Some(text) => self.mistake = Some(text),
                None => holds = holds_of(token, shape),
            }
        }
        match token {
            Token::Object | Token::Array => {
                if self.scratch.frames.len() == MAX_DEPTH {
                    return Err(NotJson);
                }
                let keys_from = u32::try_from(self.scratch.keys.len()).expect("fewer than bytes of the body");
                self.scratch.frames.push(Frame { holds, is_object: token == Token::Object, names: 0, keys_from });
                self.is_plain &= self.scratch.frames.len() <= SHALLOW;
                Ok(true)
            }
            _ => {
                self.ended(end, token == Token::Null);
                Ok(false)
            }
        }
    }

    /// What the first place in the object or array expects that was just opened; it may be empty.
    fn first_inside(&mut self) -> Result<Option<Slot>, NotJson> {
        let frame = *self.scratch.frames.last().ok_or(NotJson)?;
        let close = if frame.is_object { b'}' } else { b']' };
        if self.scanner.take(close) {
            self.close(frame);
            return self.after();
        }
        self.next_place(frame).map(Some)
    }

    /// What comes after a value: the next place of what is open, after closing what ends here; `None` at the end.
    fn after(&mut self) -> Result<Option<Slot>, NotJson> {
        while let Some(&frame) = self.scratch.frames.last() {
            let close = if frame.is_object { b'}' } else { b']' };
            if self.scanner.take(b',') {
                return self.next_place(frame).map(Some);
            }
            if !self.scanner.take(close) {
                return Err(NotJson);
            }
            self.close(frame);
        }
        Ok(None)
    }

    /// The next place in what is open: an element, or a name and what it expects.
    fn next_place(&mut self, frame: Frame) -> Result<Slot, NotJson> {
        if !frame.is_object {
            let shape = if let Holds::Elements(shape) = frame.holds { Some(shape) } else { None };
            return Ok(Slot { shape, place: Place::Element });
        }
        self.scanner.peek();
        let start = self.scanner.at();
        let name = self.scanner.string()?;
        let end = self.scanner.at();
        if !self.scanner.take(b':') {
            return Err(NotJson);
        }
        Ok(match frame.holds {
            Holds::Members(structure) => {
                let found = structure.shape().members().iter().position(|member| name.is(member.name));
                if self.scratch.frames.len() == 1 {
                    self.member = found.map(|index| (index, 0));
                }
                if let (Some(_), Some(open)) = (found, self.scratch.frames.last_mut()) {
                    open.names = open.names.saturating_add(1);
                }
                let shape = found.map(|index| structure.shape().members()[index].shape);
                Slot { shape, place: Place::Member }
            }
            Holds::Entries(value) => {
                // An empty name, two quotation marks, is for the value's checks to find.
                self.is_plain &= end - start > 2;
                let span = Span::new(start, end);
                self.scratch.keys.push(Key { hash: hash(name), start: span.start, end: span.end });
                Slot { shape: Some(value), place: Place::Entry }
            }
            Holds::Anything | Holds::Elements(_) => Slot { shape: None, place: Place::Entry },
        })
    }

    /// A frame ends; its value began at its bracket.
    fn close(&mut self, frame: Frame) {
        match frame.holds {
            Holds::Entries(_) => self.shadow(frame.keys_from as usize),
            Holds::Members(shape) if shape.is_attribute_value() => self.is_plain &= frame.names == 1,
            _ => {}
        }
        self.scratch.frames.pop();
        self.ended(self.scanner.at(), false);
    }

    /// A value has ended. Where it is a member of the input, its place is kept.
    fn ended(&mut self, end: usize, is_null: bool) {
        if self.scratch.frames.len() != 1 {
            return;
        }
        if let Some((index, start)) = self.member.take() {
            self.members[index] = if is_null { Span::default() } else { Span::new(start, end) };
        }
    }

    /// Lists the entries of a map that later entries of the same name hide.
    fn shadow(&mut self, keys_from: usize) {
        let body = self.body;
        let name = |key: &Key| Quoted(&body[key.start as usize + 1..key.end as usize - 1]);
        let keys = &mut self.scratch.keys[keys_from..];
        // By name, so that no choice of names costs more than sorting them.
        keys.sort_unstable_by(|a, b| {
            a.hash.cmp(&b.hash).then_with(|| name(a).chars().cmp(name(b).chars())).then(a.start.cmp(&b.start))
        });
        for pair in keys.windows(2) {
            if pair[0].hash == pair[1].hash && name(&pair[0]).chars().eq(name(&pair[1]).chars()) {
                self.scratch.shadowed.push(pair[0].start);
            }
        }
        self.scratch.keys.truncate(keys_from);
    }
}

/// What an object or array of `shape` holds.
fn holds_of(token: Token<'_>, shape: ShapeId) -> Holds {
    match (token, &shape.shape().kind) {
        (Token::Object, Kind::Structure(_)) => Holds::Members(shape),
        (Token::Object, Kind::Map { value, .. }) => Holds::Entries(*value),
        (Token::Array, Kind::List { element, .. }) => Holds::Elements(*element),
        _ => Holds::Anything,
    }
}

/// FNV-1a of the text that `name` stands for.
fn hash(name: Quoted<'_>) -> u32 {
    name.decode().bytes().fold(0x811c_9dc5, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// Whether there is nothing to find in this part of an attribute value; true of all other shapes.
fn is_plain(token: Token<'_>, shape: ShapeId) -> bool {
    match (shape.shape().part, token) {
        (Part::None, _) => true,
        (_, Token::Null) => false,
        (Part::Plain, _) => true,
        (Part::Number, Token::Text(text)) => {
            matches!(text.0.len(), 1..=38) && text.0.bytes().all(|b| b.is_ascii_digit())
        }
        (Part::Number | Part::Other, _) => false,
    }
}

#[cfg(test)]
mod tests;
