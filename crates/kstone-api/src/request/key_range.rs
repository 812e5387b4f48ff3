//! The records of one partition between two sort keys.
//!
//! Thread safety: plain values.

use std::ops::{Bound, RangeBounds};

use kstone_core::engine::SortKeyRange;
use kstone_core::key::KeyRef;

use crate::error::Result;
use crate::request::sort_key::SortKeyCondition;

/// The records of one partition that a read wants, items or entries of an index: a partition key and bounds on the sort
/// keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    pk: Vec<u8>,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
}

impl KeyRange {
    /// The range between these bounds.
    pub(crate) fn new(pk: Vec<u8>, (from, to): (Bound<Vec<u8>>, Bound<Vec<u8>>)) -> Self {
        Self { pk, from, to }
    }

    /// The items of this partition whose sort keys meet the condition: both as keys hold them.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a missing partition key and for a BETWEEN whose ends are the wrong way
    /// round; [`Error::Limit`](crate::Error::Limit) for keys that are too long.
    pub(crate) fn of_items(pk: &[u8], condition: &SortKeyCondition<&[u8]>) -> Result<Self> {
        check_keys(pk, condition)?;
        let mut prefix_end = Vec::new();
        let (from, to) = condition.bounds(&mut prefix_end)?;
        Ok(Self::new(pk.to_vec(), (from.map(<[u8]>::to_vec), to.map(<[u8]>::to_vec))))
    }

    /// The partition key of the records.
    #[must_use]
    pub fn pk(&self) -> &[u8] {
        &self.pk
    }

    /// The bounds on their sort keys.
    #[must_use]
    pub fn sort_keys(&self) -> SortKeyRange<'_> {
        (self.from.as_ref().map(Vec::as_slice), self.to.as_ref().map(Vec::as_slice))
    }

    /// Whether a record of this key lies in the range.
    pub(crate) fn has(&self, pk: &[u8], sk: &[u8]) -> bool {
        *pk == *self.pk && RangeBounds::<[u8]>::contains(&self.sort_keys(), sk)
    }
}

/// Refuses keys that no item can have.
pub(crate) fn check_keys(pk: &[u8], condition: &SortKeyCondition<&[u8]>) -> Result<()> {
    let (_, low, high) = condition.parts();
    KeyRef::new(pk, low)?;
    KeyRef::new(pk, high)?;
    Ok(())
}

/// What is left of a range behind the record with this sort key, where a page ended. Never more than the range: a token that
/// ended before it cannot widen it.
pub(crate) fn behind<'a>((from, to): SortKeyRange<'a>, sk: &'a [u8], reverse: bool) -> SortKeyRange<'a> {
    match (reverse, from, to) {
        (false, Bound::Included(low) | Bound::Excluded(low), _) if sk < low => (from, to),
        (true, _, Bound::Included(high) | Bound::Excluded(high)) if sk > high => (from, to),
        (false, ..) => (Bound::Excluded(sk), to),
        (true, ..) => (from, Bound::Excluded(sk)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by forging tokens: one that ended before the condition's range opened the range.
    #[test]
    fn a_token_never_widens_the_condition() {
        use Bound::{Excluded, Included};
        let range = KeyRange::of_items(b"p", &SortKeyCondition::Between(b"m", b"p")).expect("a range");
        let rest = |reverse, sk| behind(range.sort_keys(), sk, reverse);
        assert_eq!(rest(false, b""), (Included(&b"m"[..]), Included(&b"p"[..])));
        assert_eq!(rest(false, b"n"), (Excluded(&b"n"[..]), Included(&b"p"[..])));
        assert_eq!(rest(true, b"zzz"), (Included(&b"m"[..]), Included(&b"p"[..])));
        assert_eq!(rest(true, b"n"), (Included(&b"m"[..]), Excluded(&b"n"[..])));
    }
}
