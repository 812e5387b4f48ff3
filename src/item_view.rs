//! Items that come in, whichever kind of handle they are.
//!
//! ```text
//! tag before the pointer    what the pointer points at      came from
//! RECORD                     the record's partition key      kstone_get, what a write returns
//! BORROWED_ITEM              a slot's record                 a page, an error
//! LENT_ITEM                  a slot's record                 an iterator
//! BUILT_ITEM                 a BuiltItem                     kstone_item_new, _clone, _from_json
//! ```

use std::ffi::c_char;
use std::ptr::NonNull;
use std::slice;

use kstone_api::{ItemRef, NEAR_NAME_BYTES, Record, RecordRef, ValueRef, is_plain_path};

use crate::boundary::handle::{Slot, refuse_handle};
use crate::boundary::tag::{Tag, tag_of};
use crate::boundary::{Failure, by_contract, checked_text};
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

    /// The item in its stored form, which the key attributes of a typed table are not in.
    #[inline]
    pub(crate) fn body(&self) -> &'a [u8] {
        match self {
            Self::Stored(record) => record.body(),
            Self::Built(built) => built.body(),
        }
    }

    /// All that the item shows in the stored form: as it lies or, of an item of a typed table, put together in `made`.
    #[inline(always)]
    pub(crate) fn whole<'b>(&self, made: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Stored(record) if record.is_labelled() => {
                *made = record.item().to_body();
                made
            }
            _ => self.body(),
        }
    }

    /// The item's attributes.
    pub(crate) fn item(&self) -> ItemRef<'a> {
        match self {
            Self::Stored(record) => record.item(),
            Self::Built(built) => ItemRef::new(built.body()),
        }
    }

    /// What a path leads to.
    #[inline(always)]
    pub(crate) fn at_path(&self, path: &[u8]) -> Result<Option<ValueRef<'_>>, Failure> {
        named(path, |name| self.get_raw(name)).map_or_else(|| follow(self.item(), path), |value| Ok(Some(value)))
    }

    /// The attribute of this name.
    #[inline(always)]
    fn get_raw(&self, name: &[u8]) -> Option<ValueRef<'_>> {
        match self {
            Self::Stored(record) => record.get_raw(name),
            Self::Built(built) => ItemRef::new(built.body()).get_raw(name),
        }
    }

    /// The record, of an item that was read.
    pub(crate) fn record(&self) -> Option<RecordRef<'_>> {
        match self {
            Self::Stored(record) => Some(*record),
            Self::Built(_) => None,
        }
    }
}

/// The body of an item that was read, where it is small; none says nothing, and neither does what is not in it: key
/// attributes of a typed table are not.
///
/// # Safety
/// As for [`View::new`].
#[inline(always)]
pub(crate) unsafe fn record_body<'a>(item: *const Item) -> Option<&'a [u8]> {
    let pointer = NonNull::new(item.cast_mut())?;
    // SAFETY: a live handle, whose tag says what it points at.
    unsafe {
        let record = match tag_of(item) {
            Tag::RECORD => RecordRef::from_raw(pointer.cast()),
            Tag::BORROWED_ITEM => Slot::<Record>::of(item.cast()).record()?.into(),
            Tag::LENT_ITEM => *Slot::<RecordRef<'_>>::of(item.cast()).record()?,
            _ => return None,
        };
        record.short_body()
    }
}

/// The body of a built item of which nothing is to be said but its attributes.
///
/// # Safety
/// As for [`View::new`].
#[inline(always)]
pub(crate) unsafe fn built_body<'a>(item: *const Item) -> Option<&'a [u8]> {
    // SAFETY: a live handle, whose tag says what it points at.
    unsafe {
        let is_built = !item.is_null() && tag_of(item) == Tag::BUILT_ITEM;
        if is_built { (*item.cast::<BuiltItem>()).ready_body() } else { None }
    }
}

/// The value of the attribute that a path names in the body of a small item: what nearly every call asks for, and where
/// nothing is refused. None says nothing.
///
/// # Safety
/// As for [`text_bytes`](crate::boundary::text_bytes).
#[inline(always)]
pub(crate) unsafe fn named_in<'a>(body: &'a [u8], path: *const c_char, path_len: usize) -> Option<ValueRef<'a>> {
    ItemRef::new(body).get_near(by_contract!(near_name(path, path_len))?)
}

/// A path that may be the name of an attribute that [`ItemRef::get_near`] finds.
///
/// # Safety
/// As for [`text_bytes`](crate::boundary::text_bytes).
#[inline(always)]
pub(crate) unsafe fn near_name<'a>(path: *const c_char, path_len: usize) -> Option<&'a [u8]> {
    // Neither KSTONE_STRLEN nor what memory cannot have.
    if path.is_null() || path_len > NEAR_NAME_BYTES {
        return None;
    }
    // SAFETY: not NULL and short; the caller vouches for the rest.
    Some(unsafe { slice::from_raw_parts(path.cast(), path_len) })
}

/// The value of the attribute that a path names; none where there is none, and where the path leads into one. A name that
/// is found is text, since all names are.
#[inline(always)]
fn named<'a>(path: &[u8], get: impl FnOnce(&[u8]) -> Option<ValueRef<'a>>) -> Option<ValueRef<'a>> {
    if is_plain_path(path) { get(path) } else { None }
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
