//! Items that come in, whichever kind of handle they are.
//!
//! ```text
//! tag before the pointer    what the pointer points at      came from
//! RECORD                     the record's partition key      kstone_get, what a write returns
//! BORROWED_ITEM              a slot's record                 a page, an error
//! LENT_ITEM                  a slot's record                 an iterator
//! BUILT_ITEM                 a BuiltItem                     kstone_item_new, _clone, _from_json
//! ```

use std::ptr::NonNull;

use kstone_api::{ItemRef, Record, RecordRef, ValueRef, is_plain_path};

use crate::boundary::handle::{Slot, refuse_handle};
use crate::boundary::tag::{Tag, tag_of};
use crate::boundary::{Failure, checked_text};
use crate::built_item::BuiltItem;

/// An item: a built one, or one that was read.
pub struct Item {
    _private: [u8; 0],
}

/// An item that came in.
pub(crate) enum View<'a> {
    /// It was read. The count of the record stays with its owner.
    Stored(RecordRef<'a>),
    /// It is being built.
    Built(&'a BuiltItem),
}

impl<'a> View<'a> {
    /// Looks behind a handle that came in.
    ///
    /// # Safety
    /// `item` is NULL or a live handle of this library of any kind, and nobody changes it during `'a`.
    ///
    /// # Errors
    /// What is no item, an item whose iterator went on, and a built one that has an attribute open.
    #[inline(always)]
    pub(crate) unsafe fn new(item: *const Item) -> Result<Self, Failure> {
        let Some(pointer) = NonNull::new(item.cast_mut()) else {
            return Err(refuse_handle("a kstone_item", true));
        };
        // SAFETY: a live handle, so its tag lies before it and says what the pointer points at.
        unsafe {
            match tag_of(item) {
                Tag::RECORD => Ok(Self::Stored(RecordRef::from_raw(pointer.cast()))),
                Tag::BORROWED_ITEM => match Slot::<Record>::of(item.cast()).record() {
                    Some(record) => Ok(Self::Stored(record.into())),
                    None => Err(refuse_gone()),
                },
                Tag::BUILT_ITEM => {
                    let built = pointer.cast::<BuiltItem>().as_ref();
                    built.check_complete().map(|()| Self::Built(built))
                }
                Tag::LENT_ITEM => match Slot::<RecordRef<'_>>::of(item.cast()).record() {
                    Some(record) => Ok(Self::Stored(*record)),
                    None => Err(refuse_gone()),
                },
                _ => Err(refuse_handle("a kstone_item", false)),
            }
        }
    }

    /// The item in its stored form.
    #[inline]
    pub(crate) fn body(&self) -> &[u8] {
        match self {
            Self::Stored(record) => record.body(),
            Self::Built(built) => built.body(),
        }
    }

    /// The item's attributes.
    pub(crate) fn item(&self) -> ItemRef<'_> {
        ItemRef::new(self.body())
    }

    /// What a path leads to.
    #[inline(always)]
    pub(crate) fn at_path(&self, path: &[u8]) -> Result<Option<ValueRef<'_>>, Failure> {
        let item = self.item();
        // A name that is found is text, since all names are.
        if is_plain_path(path)
            && let Some(value) = item.get_raw(path)
        {
            return Ok(Some(value));
        }
        follow(item, path)
    }

    /// The record, of an item that was read.
    pub(crate) fn record(&self) -> Option<RecordRef<'_>> {
        match self {
            Self::Stored(record) => Some(*record),
            Self::Built(_) => None,
        }
    }
}

#[cold]
#[inline(never)]
fn refuse_gone() -> Failure {
    Failure::misuse("this item is gone: its iterator went on")
}

/// Where a path leads that is more than the name of an attribute, or nowhere.
#[inline(never)]
fn follow<'a>(item: ItemRef<'a>, path: &[u8]) -> Result<Option<ValueRef<'a>>, Failure> {
    Ok(item.at_path(checked_text(path, "path")?)?)
}
