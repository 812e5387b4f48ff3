//! Where a read begins: behind the place where an earlier page ended, which a token says, or behind that of a key which the
//! caller names and which need not exist.

use kstone_core::item::ItemRef;
use kstone_core::key::KeyRef;
use kstone_core::label::InternedLayout;
use kstone_core::typed_key::KeyScratch;

use crate::error::{Error, Reason, Result};
use crate::model::item_check::untyped_key;
use crate::request::extent::{Extent, Place, lent};
use crate::request::read_request::ReadStart;
use crate::request::selection::Selection;
use crate::request::token;
use crate::table::index::Index;
use crate::table::state::TableState;

impl ReadStart<'_> {
    /// Where the record lies behind which the read begins; none where it begins with the first one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a token that is damaged or of another request, for a key that is none of what the request reads,
    /// and for one that it cannot return.
    pub(crate) fn place(self, extent: &Extent, selection: &Selection) -> Result<Option<Place>> {
        let (table, index) = (selection.table(), selection.index());
        match self {
            Self::First => Ok(None),
            Self::Token(token) => {
                let (pk, sk) = token::decode(token, extent.shape(index))?;
                if extent.partition().is_some_and(|partition| partition != pk) {
                    return Err(Error::from(Reason::TokenOfAnother));
                }
                if index.is_none() {
                    check_place(table.keys, pk, sk)?;
                }
                Ok(Some((pk.to_vec(), sk.to_vec())))
            }
            Self::After(key) => {
                let place = place_of(table, index, key)?;
                if extent.has(lent(&place)) { Ok(Some(place)) } else { Err(outside(extent)) }
            }
        }
    }
}

fn outside(extent: &Extent) -> Error {
    Error::from(match *extent {
        Extent::Range { .. } => Reason::StartOutside,
        Extent::Share { segment: (segment, segments), .. } => Reason::StartSegment { segments, segment },
    })
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
fn place_of(table: &TableState, index: Option<&Index>, item: ItemRef<'_>) -> Result<Place> {
    let mismatch = || Error::from(Reason::StartMismatch);
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
