//! Items that callers build, and the freed ones kept for the next `kstone_item_new` of their thread, so that a loop of
//! new, set, put, free asks the allocator for nothing.
//!
//! # Invariants
//! A thread keeps at most [`KEPT_MAX`] items of at most [`KEPT_MAX_BYTES`] each, without attributes, and releases them
//! when it ends. An item may be made by one thread and freed by another; it then stays with the one that freed it.

use std::cell::{RefCell, UnsafeCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use kstone_api::{ItemRef, ItemWriter, NestedWriter};

use crate::boundary::handle::{Handle, Tagged};
use crate::boundary::tag::Tag;
use crate::boundary::{Failure, by_contract};

/// An item that a caller builds. Its attributes are put in order by the first reader after a change; any number of
/// threads may read it at once.
pub(crate) struct BuiltItem {
    /// Changed through `&mut`, and by [`BuiltItem::put_in_order`].
    writer: UnsafeCell<ItemWriter>,
    /// Set by the reader that has put the attributes in order, for all readers until the next change.
    is_in_order: AtomicBool,
    ordering: Mutex<()>,
    /// The attribute whose members the caller adds one by one, where one is open; kept for its memory.
    nested: Option<Box<NestedWriter>>,
}

impl BuiltItem {
    /// An item with these attributes.
    fn new(writer: ItemWriter) -> Self {
        Self {
            writer: UnsafeCell::new(writer),
            is_in_order: AtomicBool::new(false),
            ordering: Mutex::new(()),
            nested: None,
        }
    }

    /// The attributes, to be changed.
    #[inline]
    pub(crate) fn writer(&mut self) -> &mut ItemWriter {
        *self.is_in_order.get_mut() = false;
        self.writer.get_mut()
    }

    /// The attributes in their stored form.
    #[inline]
    pub(crate) fn body(&self) -> &[u8] {
        if !self.is_in_order.load(Ordering::Acquire) {
            self.put_in_order();
        }
        // SAFETY: they are in order, so no reader changes them any more, and `writer` needs the item alone.
        unsafe { &*self.writer.get() }.finished().expect("the attributes are in order")
    }

    /// The same where that has nothing to do and nothing to say: none where an attribute is open, and before the first
    /// reader has put the attributes in order.
    #[inline]
    pub(crate) fn ready_body(&self) -> Option<&[u8]> {
        if self.is_open() || !self.is_in_order.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: as above.
        unsafe { &*self.writer.get() }.finished()
    }

    #[cold]
    #[inline(never)]
    fn put_in_order(&self) {
        let _ordering = self.ordering.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_in_order.load(Ordering::Acquire) {
            // SAFETY: this is the only reader that has come past the flag; the others wait for the lock.
            unsafe { (*self.writer.get()).finish() };
            self.is_in_order.store(true, Ordering::Release);
        }
    }

    /// Refuses an item that has an attribute open.
    #[inline]
    pub(crate) fn check_complete(&self) -> Result<(), Failure> {
        if self.is_open() { Err(refuse_open()) } else { Ok(()) }
    }

    /// Whether a list, a map or a set is open.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.nested.as_ref().is_some_and(|nested| nested.depth() > 0)
    }

    /// The open attribute, or where one is opened.
    pub(crate) fn nested(&mut self) -> &mut NestedWriter {
        self.nested.get_or_insert_default()
    }

    /// Closes the innermost list, map or set; with the outermost the attribute is set.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        match &mut self.nested {
            Some(nested) if nested.depth() > 1 => nested.close()?,
            Some(nested) if nested.depth() == 1 => {
                let (name, value) = nested.attribute()?;
                *self.is_in_order.get_mut() = false;
                self.writer.get_mut().set_ref(name, value)?;
                nested.clear();
            }
            _ => return Err(Failure::misuse("no list, map or set of this item is open")),
        }
        Ok(())
    }

    /// Drops the open attribute; whether there was one.
    pub(crate) fn cancel(&mut self) -> bool {
        let was_open = self.is_open();
        if let Some(nested) = &mut self.nested {
            nested.clear();
        }
        was_open
    }

    fn capacity(&mut self) -> usize {
        self.writer.get_mut().capacity() + self.nested.as_ref().map_or(0, |nested| nested.capacity())
    }
}

#[cold]
#[inline(never)]
fn refuse_open() -> Failure {
    Failure::misuse(
        "a list, map or set of this item is open: kstone_item_close completes it, kstone_item_cancel drops it",
    )
}

impl Tagged for BuiltItem {
    const TAG: Tag = Tag::BUILT_ITEM;
    const NAME: &'static str = "a built kstone_item";
}

/// A built item with the attributes of another.
pub(crate) fn hand_out_copy(item: ItemRef<'_>) -> *mut BuiltItem {
    Handle::new(BuiltItem::new(ItemWriter::from_item(item))).hand_out()
}

/// Releases a built item that the caller gives back.
///
/// # Safety
/// `item` was handed out and is used no more.
pub(crate) unsafe fn release(item: *mut BuiltItem) {
    keep(by_contract!(Handle::take_back(item)));
}

/// How many items a thread keeps.
const KEPT_MAX: usize = 4;
/// The largest item that is kept.
const KEPT_MAX_BYTES: usize = 4096;

type Kept = [Option<Box<Handle<BuiltItem>>>; KEPT_MAX];

thread_local! {
    static POOL: RefCell<Kept> = const { RefCell::new([const { None }; KEPT_MAX]) };
}

/// A handle without attributes, kept or new.
#[inline]
pub(crate) fn take() -> Box<Handle<BuiltItem>> {
    let kept = POOL.try_with(|pool| pool.borrow_mut().iter_mut().find_map(Option::take));
    // The pool is gone where the thread is ending: do without.
    kept.ok().flatten().unwrap_or_else(|| Handle::new(BuiltItem::new(ItemWriter::new())))
}

/// Keeps a freed handle, or releases it.
#[inline]
pub(crate) fn keep(mut handle: Box<Handle<BuiltItem>>) {
    let item = handle.value();
    if item.capacity() > KEPT_MAX_BYTES {
        return;
    }
    item.cancel();
    item.writer().clear();
    // Where the pool is full, or gone because the thread is ending, the handle is dropped here.
    drop(POOL.try_with(move |pool| match pool.borrow_mut().iter_mut().find(|kept| kept.is_none()) {
        Some(empty) => {
            *empty = Some(handle);
            None
        }
        None => Some(handle),
    }));
}
