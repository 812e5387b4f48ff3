//! The members of a list, a map or a set, one after another, each with what is wrong with it.
//!
//! The iterators of [`super::view`] end at malformed bytes. This one says so, for values that come from outside, where
//! a caller has to be told.
//!

use super::{ValueRef, wire};
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Reason, Result};
use crate::value::Type;

/// A member of a value: an element of a list or set, or an entry of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The name of a map's entry, as bytes that are not checked to be UTF-8. Empty in a list or set.
    pub name: &'a [u8],
    /// The value.
    pub value: ValueRef<'a>,
}

/// The members of a value in their stored order; see [`ValueRef::members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    holder: Type,
    payload: &'a [u8],
    rest: &'a [u8],
}

impl<'a> ValueRef<'a> {
    /// The members of a list, a map or a set; none of a value that holds no others.
    ///
    /// ```
    /// use kstone_core::item::ItemWriter;
    /// use kstone_core::value::Value;
    ///
    /// let mut item = ItemWriter::new();
    /// item.set_value("tags", &Value::string_set(["b", "a"])).unwrap();
    /// let tags = item.as_item().get("tags").unwrap();
    /// let texts: Vec<_> = tags.members().unwrap().map(|tag| tag.unwrap().value.as_str().unwrap()).collect();
    /// assert_eq!(texts, ["a", "b"]);
    /// ```
    #[must_use]
    pub fn members(self) -> Option<Members<'a>> {
        let holder = self.type_();
        let holds = matches!(holder, Type::L | Type::M) || holder.element().is_some();
        holds.then(|| Members { holder, payload: self.payload(), rest: self.payload() })
    }
}

impl<'a> Members<'a> {
    /// How many bytes of the value lie before the next member.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.payload.len() - self.rest.len()
    }

    /// The members from an offset on that [`Members::offset`] gave; none for an offset beyond the end.
    #[must_use]
    pub fn from_offset(&self, offset: usize) -> Option<Self> {
        Some(Self { rest: self.payload.get(offset..)?, ..*self })
    }

    fn take(&mut self) -> Option<Member<'a>> {
        let name = if self.holder == Type::M { wire::take_bytes(&mut self.rest)? } else { &[] };
        let (type_, payload) = match self.holder.element() {
            Some(element) => (element, wire::take_bytes(&mut self.rest)?),
            None => wire::take_value(&mut self.rest)?,
        };
        Some(Member { name, value: ValueRef::from_parts(type_, payload) })
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>>;

    /// The next member, or [`Error::Invalid`] with its place where the bytes are no member; nothing follows that.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.offset();
        let member = self.take().ok_or_else(|| {
            self.rest = &[];
            Reason::NoMember { at: offset }.into()
        });
        Some(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemWriter;
    use crate::value::Value;

    fn collect(value: ValueRef<'_>) -> Vec<(String, Value)> {
        let members = value.members().expect("it holds others").map(|member| member.expect("well-formed"));
        members.map(|m| (String::from_utf8(m.name.to_vec()).expect("UTF-8"), m.value.to_value())).collect()
    }

    #[test]
    fn lists_maps_and_sets_show_their_members_in_stored_order() {
        let mut item = ItemWriter::new();
        let list = Value::list([Value::number(1), Value::list([]), Value::null()]);
        item.set_value("l", &list).unwrap();
        item.set_value("m", &Value::map([("b", Value::bool(true)), ("a", list)])).unwrap();
        item.set_value("n", &Value::number_set([10, 9])).unwrap();
        item.set_value("x", &Value::binary_set([b"z", b"y"])).unwrap();
        let item = item.as_item();
        let nameless = |values: &[Value]| values.iter().map(|v| (String::new(), v.clone())).collect::<Vec<_>>();
        let get = |name| item.get(name).unwrap();
        assert_eq!(collect(get("l")), nameless(&[Value::number(1), Value::list([]), Value::null()]));
        assert_eq!(collect(get("m")).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(collect(get("n")), nameless(&[Value::number(9), Value::number(10)]));
        assert_eq!(collect(get("x")), nameless(&[Value::binary(b"y"), Value::binary(b"z")]));
    }

    #[test]
    fn scalars_have_no_members() {
        for type_ in [Type::S, Type::N, Type::B, Type::Bool, Type::Null] {
            assert!(ValueRef::from_parts(type_, &[1, 1, 1]).members().is_none());
        }
    }

    #[test]
    fn what_is_malformed_is_an_error_with_its_place_and_the_end() {
        for (type_, bytes) in [
            (Type::L, &[2, 1, b'1', 99, 0][..]),
            (Type::L, &[2, 1, b'1', 2, 5, b'1']),
            (Type::L, &[2, 1, b'1', 2]),
            (Type::SS, &[2, b'a', b'b', 9]),
            (Type::SS, &[2, b'a', b'b', 0xff, 0xff, 0xff, 0xff]),
            (Type::M, &[0, 5, 0, 1, b'n']),
        ] {
            let mut members = ValueRef::from_parts(type_, bytes).members().unwrap();
            assert!(members.next().is_some_and(|first| first.is_ok()), "{type_:?} {bytes:?}");
            let error = members.next().unwrap().unwrap_err().to_string();
            assert!(error.ends_with("at byte 3"), "{error}");
            assert!(members.next().is_none());
        }
    }

    #[test]
    fn an_offset_goes_on_where_it_was_taken() {
        let members = ValueRef::from_parts(Type::SS, &[1, b'a', 2, b'b', b'c']).members().unwrap();
        let mut first = members.clone();
        first.next();
        let second = members.from_offset(first.offset()).unwrap().next().unwrap().unwrap();
        assert_eq!(second.value.as_str(), Some("bc"));
        assert!(members.from_offset(5).unwrap().next().is_none());
        assert!(members.from_offset(6).is_none() && members.from_offset(usize::MAX).is_none());
    }
}
