//! Attributes in which there is nothing to find, straight from JSON into the stored form.
//!
//! The one pass has seen that each value is of one type, no set, no null, that its numbers are a few digits, and that no
//! name comes twice; so this reads on without a look at what could be wrong, each byte once. What is not plain is written
//! by the module above, value by value.
//!
//! ```text
//! {"pk":{"S":"a"},"n":{"N":"1"},"l":{"L":[…]}}      attributes of the key ─► KeyAttributes
//!                                                   others ─► the body, as they come; put in order at the end
//! ```

use std::borrow::Cow;

use kstone_api::{KeyLayout, Type};
use kstone_core::buffer::Buffer;
use kstone_core::item::parts;
use smallvec::SmallVec;

use super::{KeyAttributes, decoded_text, too_large};
use crate::json::{Quoted, Scanner, Token, skip};
use crate::mistake::spelled_truth;
use crate::texts::Text;
use crate::view::Value;

/// Appends the attributes of a map of plain values, in the order of their names. Those of a key of this layout are taken
/// out of it.
///
/// # Errors
/// A value that is larger than any item.
pub(super) fn put_map<'a>(
    out: &mut impl Buffer,
    map: Value<'a>,
    layout: Option<(&KeyLayout, &mut KeyAttributes<'a>)>,
) -> Result<(), Text> {
    let mut reader = Reader { scanner: Scanner::new(map.json()), text: map.json(), members: SmallVec::new() };
    reader.scanner.take(b'{');
    let Some((layout, key)) = layout else { return reader.members(out, None) };
    reader.members(out, Some(&mut |name, value| key.take(layout, name, value)))
}

/// What an attribute of a key is: its name, its type and the text of it.
pub(super) type Taker<'t, 'a> = &'t mut dyn FnMut(Quoted<'a>, (Type, Quoted<'a>)) -> Result<bool, Text>;

/// Reads on in JSON that was accepted.
struct Reader<'a> {
    scanner: Scanner<'a>,
    text: &'a str,
    /// Of the maps that are open, one behind the other.
    members: SmallVec<[Member<'a>; 12]>,
}

/// Where a member of a map was written.
struct Member<'a> {
    name: Cow<'a, str>,
    start: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// Appends the members of a map whose brace was taken.
    fn members(&mut self, out: &mut impl Buffer, mut taker: Option<Taker<'_, 'a>>) -> Result<(), Text> {
        let (first, start) = (self.members.len(), out.len());
        let mut ascends = true;
        while let Some(name) = self.name() {
            let Some(type_) = self.open() else { return Err(Text::EmptyValue) };
            if let Some(taker) = &mut taker
                && let Some(text) = self.text_ahead(type_)
                && taker(name, (type_, text))?
            {
                self.skip();
                self.close();
                continue;
            }
            let name = name.decode();
            ascends &= self.members[first..].last().is_none_or(|last| last.name < name);
            let member = out.len();
            parts::append_name(out, &name);
            self.value(out, type_)?;
            self.members.push(Member { name, start: member - start, end: out.len() - start });
        }
        if !ascends {
            self.put_in_order(out, first, start);
        }
        self.members.truncate(first);
        too_large(out)
    }

    /// Puts the members from `first` on, which fill the output from `start` on, in the order of their names.
    #[inline(never)]
    fn put_in_order(&mut self, out: &mut impl Buffer, first: usize, start: usize) {
        let members = &mut self.members[first..];
        members.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let unordered = SmallVec::<[u8; 512]>::from_slice(&out[start..]);
        out.truncate(start);
        for member in members {
            out.extend_from_slice(&unordered[member.start..member.end]);
        }
    }

    /// Appends a value whose type is known, and goes to its end.
    fn value(&mut self, out: &mut impl Buffer, type_: Type) -> Result<(), Text> {
        parts::append_framed(out, type_, |out| {
            match type_ {
                Type::L => {
                    self.scanner.take(b'[');
                    while !self.scanner.take(b']') {
                        self.scanner.take(b',');
                        let type_ = self.open().ok_or(Text::EmptyValue)?;
                        self.value(out, type_)?;
                    }
                }
                Type::M => {
                    self.scanner.take(b'{');
                    self.nested(out)?;
                }
                Type::Bool => {
                    let is_true = match self.scanner.token() {
                        Ok(Token::Text(text)) => spelled_truth(text).unwrap_or(false),
                        token => token == Ok(Token::Boolean(true)),
                    };
                    out.push(u8::from(is_true));
                }
                _ => self.scalar(out, type_)?,
            }
            Ok(())
        })?;
        self.close();
        Ok(())
    }

    /// Apart, so that the recursion has one kind of callback.
    #[inline(never)]
    fn nested(&mut self, out: &mut impl Buffer) -> Result<(), Text> {
        self.members(out, None)
    }

    fn scalar(&mut self, out: &mut impl Buffer, type_: Type) -> Result<(), Text> {
        let text = self.scanner.string().map_or(Quoted(""), |text| text);
        match type_ {
            Type::B => out.extend_from_slice(&decoded_text(&text.decode())?),
            Type::N => out.extend_from_slice(crate::number::canonical(&text.decode())?.as_bytes()),
            _ => out.extend_from_slice(text.decode().as_bytes()),
        }
        Ok(())
    }

    /// The name of the next member of what is open; nothing at its end, which is taken.
    fn name(&mut self) -> Option<Quoted<'a>> {
        if self.scanner.take(b'}') {
            return None;
        }
        self.scanner.take(b',');
        let name = self.scanner.string().ok()?;
        self.scanner.take(b':');
        Some(name)
    }

    /// Goes into an attribute value, to what it holds, and says its type.
    fn open(&mut self) -> Option<Type> {
        self.scanner.take(b'{');
        loop {
            match type_of(self.name()?) {
                Some(type_) => return Some(type_),
                None => self.skip(),
            }
        }
    }

    /// Goes out of an attribute value; nothing else in it is of interest.
    fn close(&mut self) {
        while self.name().is_some() {
            self.skip();
        }
    }

    /// The text of the value ahead, where it is one of those that keys have.
    fn text_ahead(&mut self, type_: Type) -> Option<Quoted<'a>> {
        if matches!(type_, Type::S | Type::N | Type::B) { self.string() } else { Some(Quoted("")) }
    }

    /// The string ahead, which stays unread.
    fn string(&self) -> Option<Quoted<'a>> {
        self.scanner.clone().string().ok()
    }

    fn skip(&mut self) {
        self.scanner.peek();
        self.scanner.go_to(skip(self.text, self.scanner.at()));
    }
}

/// The types of plain values by the names of their members.
fn type_of(name: Quoted<'_>) -> Option<Type> {
    const NAMES: [(&str, Type); 6] =
        [("S", Type::S), ("N", Type::N), ("M", Type::M), ("L", Type::L), ("B", Type::B), ("BOOL", Type::Bool)];
    NAMES.into_iter().find(|(other, _)| name.is(other)).map(|(_, type_)| type_)
}
