//! Items of typed tables: the key is taken out of the item that comes in, and the rest is stored under it.

use super::{ItemRef, ValueRef, wire};
use crate::buffer::Buffer;
use crate::error::{Error, Reason, Result};
use crate::key::KeyRef;
use crate::key_layout::KeyPart;
use crate::label::{InternedLayout, NamedKey};
use crate::same::same_bytes;
use crate::typed_key::KeyScratch;

/// An item of a typed table in two: its key, and the bodies that the others of its attributes are.
pub struct SplitItem<'a> {
    /// The key.
    pub key: KeyRef<'a>,
    /// What lies before, between and behind the key attributes: one after the other, the body to be stored.
    pub rest: [&'a [u8]; 3],
}

impl<'a> SplitItem<'a> {
    /// Appends the body to be stored.
    pub fn put_rest(&self, out: &mut impl Buffer) {
        self.rest.iter().for_each(|piece| out.extend_from_slice(piece));
    }

    /// The body to be stored: as it lies where it is in one piece, otherwise put together in `out`, which is empty.
    pub fn rest_in<'b>(&self, out: &'b mut impl Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match self.rest {
            [one, [], []] | [[], one, []] | [[], [], one] => one,
            _ => {
                self.put_rest(out);
                out
            }
        }
    }
}

impl InternedLayout {
    /// Takes the key out of an item. Costs a pass over the attributes up to the last key attribute; copies nothing but
    /// numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] in DynamoDB's words for a key attribute that is missing, of another type or empty; as
    /// [`KeyRef::new`] for one that is too long.
    pub fn split<'a>(&'static self, item: ItemRef<'a>, scratch: &'a mut KeyScratch) -> Result<SplitItem<'a>> {
        let found = self.find(item);
        let pk = check(self.partition(), found.partition)?;
        let sk = self.sort().map_or(Ok(&[][..]), |part| check(part, found.sort))?;
        Ok(SplitItem { key: self.key(pk, sk, scratch)?, rest: found.rest })
    }

    /// [`InternedLayout::split`] where nothing is unusual: the body of an item that has its key in order, a key without
    /// numbers, names and values of usual lengths. None says nothing.
    #[inline(always)]
    #[must_use]
    pub fn split_near<'a>(&'static self, body: &'a [u8]) -> Option<SplitItem<'a>> {
        if self.has_numbers() {
            return None;
        }
        let (first, second) = self.by_name();
        let (before, payload, behind) = cut_near(body, first)?;
        let Some(second) = second else {
            let key = KeyRef::new(payload, &[]).ok()?;
            return Some(SplitItem { key: key.with_label(self.plain_label()), rest: [before, behind, &[]] });
        };
        let (between, other, behind) = cut_near(behind, second)?;
        let (pk, sk) = if self.is_sort_first() { (other, payload) } else { (payload, other) };
        let key = KeyRef::new(pk, sk).ok().filter(|_| !sk.is_empty())?;
        Some(SplitItem { key: key.with_label(self.plain_label()), rest: [before, between, behind] })
    }

    /// Whether key attributes may be among these; a quick look, for what goes on with all of them.
    #[inline(always)]
    #[must_use]
    pub fn may_be_in(&self, body: &[u8]) -> bool {
        let mut rest = body;
        while !rest.is_empty() {
            let entry = rest;
            let Some((name_len, ..)) = wire::take_near(&mut rest) else { return true };
            let name = entry.get(1..=name_len).unwrap_or_default();
            // Names further on are greater still.
            if name.first() > Some(&self.last_first_byte) {
                break;
            }
            if self.parts().any(|part| same_bytes(part.name().as_bytes(), name)) {
                return true;
            }
        }
        false
    }

    /// The body to be stored of an item under a key that is given with it: the item may hold its key attributes or not.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key attribute that says something else than the key.
    pub fn split_under<'a>(&'static self, key: KeyRef<'a>, item: ItemRef<'a>) -> Result<SplitItem<'a>> {
        let found = self.find(item);
        if found.partition.is_none() && found.sort.is_none() {
            return Ok(SplitItem { key, rest: found.rest });
        }
        if let Some(named) = NamedKey::new(key.pk(), key.sk(), key.label()) {
            let parts = [(Some(self.partition()), found.partition), (self.sort(), found.sort)];
            for (part, value) in parts {
                if let (Some(part), Some(value)) = (part, value)
                    && named.named(part.name().as_bytes()) != Some((value.type_(), value.payload()))
                {
                    return Err(Reason::KeyDiffers { name: part.name().into() }.into());
                }
            }
        }
        Ok(SplitItem { key, rest: found.rest })
    }

    /// The key that the attributes of an item, and no others, make up: as a request names an item.
    ///
    /// # Errors
    /// [`Error::Invalid`] in DynamoDB's words where an attribute is missing, of another type, empty, or one too many; as
    /// [`KeyRef::new`] for one that is too long.
    pub fn key_of<'a>(&'static self, item: ItemRef<'a>, scratch: &'a mut KeyScratch) -> Result<KeyRef<'a>> {
        let found = self.find(item);
        let mismatch = || Error::from(Reason::KeyMismatch);
        if found.rest.iter().any(|piece| !piece.is_empty()) {
            return Err(mismatch());
        }
        let value = |part: &KeyPart, value: Option<ValueRef<'a>>| {
            let value = value.filter(|value| part.types().contains(&value.type_())).ok_or_else(mismatch)?;
            check(part, Some(value))
        };
        let pk = value(self.partition(), found.partition)?;
        let sk = self.sort().map_or(Ok(&[][..]), |part| value(part, found.sort))?;
        self.key(pk, sk, scratch)
    }

    /// Where the key attributes of an item are, and what there is besides them.
    fn find<'a>(&self, item: ItemRef<'a>) -> Found<'a> {
        let body = item.as_bytes();
        let (mut partition, mut sort) = (None, None);
        let mut rest = [&body[..0]; 3];
        let (mut pieces, mut start) = (0, body);
        let mut left = 1 + usize::from(self.sort().is_some());
        let mut attributes = item.body_attributes();
        while left > 0 {
            let before = attributes.rest();
            let Some((name, value)) = attributes.next() else { break };
            let found = match name {
                // Names further on are greater still.
                _ if name.first() > Some(&self.last_first_byte) => break,
                _ if name == self.partition().name().as_bytes() => &mut partition,
                _ if self.sort().is_some_and(|sort| sort.name().as_bytes() == name) => &mut sort,
                _ => continue,
            };
            *found = Some(value);
            rest[pieces] = &start[..start.len() - before.len()];
            pieces += 1;
            start = attributes.rest();
            left -= 1;
        }
        rest[pieces] = start;
        if let Some(key) = item.named_key() {
            let value = |part: &KeyPart| {
                let (type_, payload) = key.named(part.name().as_bytes())?;
                Some(ValueRef::from_parts(type_, payload))
            };
            partition = partition.or_else(|| value(self.partition()));
            sort = sort.or_else(|| self.sort().and_then(value));
        }
        Found { partition, sort, rest }
    }
}

struct Found<'a> {
    partition: Option<ValueRef<'a>>,
    sort: Option<ValueRef<'a>>,
    rest: [&'a [u8]; 3],
}

/// What lies in a body before an attribute of a key, its payload, and what lies behind it; none where that is not at once
/// found to be good.
#[inline(always)]
fn cut_near<'a>(body: &'a [u8], part: &KeyPart) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    let wanted = part.name().as_bytes();
    let mut rest = body;
    loop {
        let entry = rest;
        let (name_len, code, payload) = wire::take_near(&mut rest)?;
        if !same_bytes(entry.get(1..=name_len)?, wanted) {
            continue;
        }
        let is_good = part.type_().is_some_and(|type_| type_.type_() as u8 == code) && !payload.is_empty();
        return is_good.then(|| (&body[..body.len() - entry.len()], payload, rest));
    }
}

/// The payload of a key attribute.
fn check<'a>(part: &KeyPart, value: Option<ValueRef<'a>>) -> Result<&'a [u8]> {
    let value = value.ok_or_else(|| Error::from(Reason::KeyMissing { name: part.name().into() }))?;
    part.check(value.type_(), value.payload())?;
    Ok(value.payload())
}

impl ItemRef<'_> {
    /// The whole item as a body, its key attributes included. Copies it.
    #[must_use]
    pub fn to_body(self) -> Vec<u8> {
        if self.named_key().is_none() {
            return self.as_bytes().to_vec();
        }
        let mut body = Vec::with_capacity(self.as_bytes().len() + 64);
        self.copy_where(&mut body, |_| true);
        body
    }
}

#[cfg(test)]
mod tests;
