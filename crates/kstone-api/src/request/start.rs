//! Where a read begins: behind the place where an earlier page ended, which a token says, or behind that of a key which the
//! caller names and which need not exist.

use std::borrow::Cow;
use std::ops::RangeBounds;

use kstone_core::item::ItemRef;
use kstone_core::key::KeyRef;
use kstone_core::label::InternedLayout;
use kstone_core::typed_key::KeyScratch;

use crate::error::{Error, Reason, Result};
use crate::model::item_check::untyped_key;
use crate::request::read::{Keyed, Selection};
use crate::request::scan::Scan;
use crate::request::token;
use crate::table::index::Index;
use crate::table::state::TableState;

/// Partition key and sort key of a record.
pub(crate) type Place<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

impl Keyed<'_> {
    /// The sort key behind which the query begins; none where it begins with the first record.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a token that is damaged or of another query, for a key that is not one of what the query reads,
    /// and for one that it cannot return.
    pub(crate) fn start(&self, selection: &Selection) -> Result<Option<Cow<'_, [u8]>>> {
        let (query, table) = (&*self.query, selection.table());
        match (&query.token, &query.start_after) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(both()),
            (Some(token), None) => {
                let sk = token::decode_in(token, query.shape(), self.partition())?;
                if self.entries.is_none() {
                    check_place(table.keys, self.partition(), sk)?;
                }
                Ok(Some(Cow::Borrowed(sk)))
            }
            (None, Some(body)) => {
                let (pk, sk) = place_of(table, selection.index().and_then(|id| table.indexes.by_id(id)), body)?;
                let is_inside = self.with_range(None, |_, _, range| RangeBounds::<[u8]>::contains(&range, &*sk))?;
                if *pk != *self.partition() || !is_inside {
                    return Err(Error::from(Reason::StartOutside));
                }
                Ok(Some(Cow::Owned(sk)))
            }
        }
    }
}

impl Scan {
    /// Where the record lies behind which the scan begins; none where it begins with the first one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a token that is damaged or of another scan, and for a key that is none of what the scan reads.
    pub(crate) fn start(&self, selection: &Selection) -> Result<Option<Place<'_>>> {
        let table = selection.table();
        match (&self.token, &self.start_after) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(both()),
            (Some(token), None) => {
                let (pk, sk) = token::decode(token, self.shape(selection.index()))?;
                if selection.index().is_none() {
                    check_place(table.keys, pk, sk)?;
                }
                Ok(Some((Cow::Borrowed(pk), Cow::Borrowed(sk))))
            }
            (None, Some(body)) => {
                let (pk, sk) = place_of(table, selection.index().and_then(|id| table.indexes.by_id(id)), body)?;
                if !self.range(selection.index())?.has_partition(&pk) {
                    let (segment, segments) = self.segment.unwrap_or_default();
                    return Err(Error::from(Reason::StartSegment { segments, segment }));
                }
                Ok(Some((Cow::Owned(pk), Cow::Owned(sk))))
            }
        }
    }
}

fn both() -> Error {
    Error::from(Reason::StartTwice)
}

/// Checks that a token's key is one of a table of this layout.
pub(crate) fn check_place(keys: Option<&'static InternedLayout>, pk: &[u8], sk: &[u8]) -> Result<()> {
    let Some(layout) = keys else { return Ok(()) };
    match layout.key_of_encoded(pk, sk, &mut KeyScratch::default()) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::from(Reason::TokenOfAnother)),
    }
}

/// Where the record of these key attributes lies, or would.
fn place_of(table: &TableState, index: Option<&Index>, body: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mismatch = || Error::from(Reason::StartMismatch);
    let item = ItemRef::new(body);
    let is_of_key = |name: &str| table.layout().has(name) || index.is_some_and(|index| index.has_key_attribute(name));
    if !item.iter().all(|(name, _)| is_of_key(name)) {
        return Err(mismatch());
    }
    let mut scratch = KeyScratch::default();
    let key = match table.keys {
        Some(layout) => layout.split(item, &mut scratch).map(|split| split.key).map_err(|_| mismatch())?,
        None => {
            let (pk, sk) = untyped_key(item).map_err(|_| mismatch())?;
            KeyRef::new(pk, sk).map_err(|_| mismatch())?
        }
    };
    match index {
        None => Ok((key.pk().to_vec(), key.sk().to_vec())),
        Some(index) => index.place_of(key, item).ok_or_else(mismatch),
    }
}
