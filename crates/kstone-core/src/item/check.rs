//! Checking that bytes are a body in every detail, before anything trusts them.
//!
//! Accepts exactly what [`super::ItemWriter`] writes. Nothing is allocated, the depth of recursion is bounded by
//! [`MAX_NESTING_LEVELS`].

use super::{BODY_MAX_BYTES, MAX_NESTING_LEVELS, NAME_MAX_BYTES, body_too_large, wire};
use crate::error::{Flaw, Reason, Result};
use crate::number;
use crate::value::Type;

/// Checks a whole body.
pub(super) fn body(bytes: &[u8]) -> Result<()> {
    if bytes.len() > BODY_MAX_BYTES {
        return Err(body_too_large(bytes.len()));
    }
    let mut checker = Checker { rest: bytes };
    checker.entries(0, 0).map_err(|flaw| Reason::NotAnItem { flaw, at: bytes.len() - checker.rest.len() }.into())
}

/// Checks the payload of one value.
pub(super) fn value(type_: Type, payload: &[u8]) -> Result<()> {
    if payload.len() > BODY_MAX_BYTES {
        return Err(body_too_large(payload.len()));
    }
    let mut checker = Checker { rest: payload };
    let checked = match type_ {
        Type::L => checker.list(0, 1),
        Type::M => checker.entries(0, 1),
        Type::SS | Type::NS | Type::BS => checker.set(type_, 0),
        _ => scalar(type_, payload),
    };
    checked.map_err(|flaw| Reason::NotAValue { type_: type_.name(), flaw }.into())
}

/// What is wrong, without where.
type Check<T> = std::result::Result<T, Flaw>;

/// A reader of the bytes; `rest` is what it has not taken yet.
struct Checker<'a> {
    rest: &'a [u8],
}

impl<'a> Checker<'a> {
    /// Entries until only `outside` bytes are left, inside this many levels.
    fn entries(&mut self, outside: usize, levels: usize) -> Check<()> {
        // None, no empty name: the C library's memcmp takes hundreds of cycles for an address that is none, as that of an
        // empty slice is, on processors where it loads by a mask.
        let mut last: Option<&[u8]> = None;
        while self.rest.len() > outside {
            let name = self.bytes(outside)?;
            if name.is_empty() {
                return Err(Flaw::EmptyName);
            }
            if name.len() > NAME_MAX_BYTES {
                return Err(Flaw::LongName);
            }
            if last.is_some_and(|last| name <= last) {
                return Err(Flaw::NameOrder);
            }
            if str::from_utf8(name).is_err() {
                return Err(Flaw::NameNotUtf8);
            }
            last = Some(name);
            self.value(outside, levels)?;
        }
        Ok(())
    }

    fn value(&mut self, outside: usize, levels: usize) -> Check<()> {
        let code = self.take(1, outside)?[0];
        let type_ = Type::from_code(code).ok_or(Flaw::UnknownType)?;
        let len = self.varint(outside)?;
        if len > self.rest.len() - outside {
            return Err(Flaw::LengthBeyondEnd);
        }
        let outside = self.rest.len() - len;
        match type_ {
            Type::L | Type::M if levels == MAX_NESTING_LEVELS => Err(Flaw::TooDeep),
            Type::M => self.entries(outside, levels + 1),
            Type::L => self.list(outside, levels + 1),
            Type::SS | Type::NS | Type::BS => self.set(type_, outside),
            _ => {
                let payload = self.take(len, outside)?;
                scalar(type_, payload)
            }
        }
    }

    fn list(&mut self, outside: usize, levels: usize) -> Check<()> {
        while self.rest.len() > outside {
            self.value(outside, levels)?;
        }
        Ok(())
    }

    fn set(&mut self, type_: Type, outside: usize) -> Check<()> {
        let mut last: Option<&[u8]> = None;
        while self.rest.len() > outside {
            let element = self.bytes(outside)?;
            let ascends = match (type_, last) {
                (_, None) => true,
                (Type::NS, Some(last)) => match (str::from_utf8(last), str::from_utf8(element)) {
                    (Ok(last), Ok(element)) => number::compare(last, element).is_lt(),
                    _ => false,
                },
                (_, Some(last)) => last < element,
            };
            if !ascends {
                return Err(Flaw::ElementOrder);
            }
            match type_ {
                Type::SS => scalar(Type::S, element)?,
                Type::NS => scalar(Type::N, element)?,
                _ => {}
            }
            last = Some(element);
        }
        if last.is_none() { Err(Flaw::EmptySet) } else { Ok(()) }
    }

    fn bytes(&mut self, outside: usize) -> Check<&'a [u8]> {
        let len = self.varint(outside)?;
        self.take(len, outside)
    }

    fn varint(&mut self, outside: usize) -> Check<usize> {
        let before = self.rest;
        let n = wire::take_varint(&mut self.rest).ok_or(Flaw::EndlessLength)?;
        if self.rest.len() < outside {
            return Err(Flaw::EndlessLength);
        }
        let taken = before.len() - self.rest.len();
        if taken > 1 && before[taken - 1] == 0 {
            return Err(Flaw::LongLength);
        }
        Ok(n)
    }

    fn take(&mut self, len: usize, outside: usize) -> Check<&'a [u8]> {
        if len > self.rest.len() - outside {
            return Err(Flaw::LengthBeyondEnd);
        }
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(taken)
    }
}

/// The payload of a type that holds no other values.
fn scalar(type_: Type, payload: &[u8]) -> Check<()> {
    match (type_, payload) {
        (Type::S, text) if str::from_utf8(text).is_err() => Err(Flaw::TextNotUtf8),
        (Type::N, text) if !str::from_utf8(text).is_ok_and(number::is_canonical) => Err(Flaw::OtherNumber),
        (Type::Bool, [0 | 1]) | (Type::Null, []) => Ok(()),
        (Type::Bool, _) => Err(Flaw::OtherBool),
        (Type::Null, _) => Err(Flaw::OtherNull),
        _ => Ok(()),
    }
}
