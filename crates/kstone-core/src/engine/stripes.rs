//! The stripes of an engine, which gets them with its first write: until then an empty engine costs next to nothing.
//!
//! ```text
//! empty    ──► the same 256 stripes for all empty engines: read-locked for good, so that every write finds its own taken
//! a write  ──► its stripe is not free ─► (lock of the first use) the engine has none? ─► 256 of its own, 16 KiB
//! ```
//!
//! # Invariants
//! - Nobody writes to the stripes that empty engines share.
//! - An engine that has stripes of its own keeps them.
//! - Who looks at several stripes of an engine for one moment looks for them once ([`Stripes`]). Those that are shared
//!   are of the moment of that look: where more is to be of the same moment, the lock of the first use is held, too.
//!
//! # Thread safety
//! The lock of the first use stands in the order of locks before the stripes of its engine. In the place of all stripes of
//! an engine that has none it is held itself.

use std::sync::Once;

use super::store::Store;
use crate::error::Result;
use crate::key::{STRIPES, StripeId};
use crate::mode::Flags;
use crate::poison_lock;
use crate::span::Span;
use crate::stripe::{ReadGuard, Stripe, StripeState, WriteGuard};
use crate::tree::Tree;

/// The stripes of an engine, own or shared.
pub(super) type StripeArray = [Stripe; STRIPES];

static OF_EMPTY_ENGINES: StripeArray = [const { Stripe::empty() }; STRIPES];

/// The stripes that all empty engines share.
pub(super) fn stripes_of_empty_engines() -> &'static StripeArray {
    static LOCKED: Once = Once::new();
    LOCKED.call_once(|| OF_EMPTY_ENGINES.iter().for_each(Stripe::never_write));
    &OF_EMPTY_ENGINES
}

/// Every stripe, made one by one on the heap: 16 KiB are too much for the stack of a small thread.
pub(super) fn new_stripes(make: impl FnMut(StripeId) -> Stripe) -> Box<StripeArray> {
    let stripes: Box<[Stripe]> = StripeId::all().map(make).collect();
    stripes.try_into().unwrap_or_else(|_| unreachable!("one for each of the ids"))
}

/// The stripes that an engine had at one moment, to be read.
#[derive(Clone, Copy)]
pub(super) struct Stripes<'a> {
    store: &'a Store,
    stripes: &'a StripeArray,
}

/// All stripes of an engine, locked for a write. Where it has none it holds the lock under which it would get them.
pub(super) struct AllStripes<'a> {
    /// Ascending and complete, or none.
    pub(super) locked: Vec<(StripeId, WriteGuard<'a>)>,
    _first_use: Option<poison_lock::WriteGuard<'a, ()>>,
}

impl<'a> Stripes<'a> {
    /// Whether the engine had none of its own: it was empty.
    #[inline]
    pub(super) fn are_shared(self) -> bool {
        self.store.stripes.is_shared(self.stripes)
    }

    #[inline]
    pub(super) fn flags(self) -> Flags {
        self.store.mode.flags()
    }

    #[inline]
    pub(super) fn get(self, id: StripeId) -> &'a Stripe {
        &self.stripes[id.index()]
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a Stripe> {
        self.stripes.iter()
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned), [`Error::Closed`](crate::error::Error::Closed).
    #[inline]
    pub(super) fn read(self, id: StripeId) -> Result<ReadGuard<'a>> {
        self.get(id).read(&self.store.mode)
    }

    /// As [`Stripes::read`], of a tree whose records of this span, or all of them, are in order. Where they are not, that
    /// is the first reader's work: sorting what was written, and the merges that writers have left.
    ///
    /// # Errors
    /// As [`Stripes::read`].
    #[inline]
    pub(super) fn read_in_order(self, id: StripeId, span: Option<Span<'_>>) -> Result<ReadGuard<'a>> {
        let held = self.read(id)?;
        let is_in_order = |tree: &Tree| span.map_or_else(|| tree.is_all_in_order(), |span| tree.is_in_order(span));
        if held.tree().is_none_or(is_in_order) {
            return Ok(held);
        }
        drop(held);
        self.store.put_in_order(id)
    }

    /// Notes whether a look-up in a stripe found an item. What is asked of an empty engine is counted, too, but not where
    /// other engines would show it.
    #[inline]
    pub(super) fn count(self, stripe: &Stripe, found: bool) {
        if found {
            stripe.count(true);
        } else {
            self.store.count_nothing(stripe);
        }
    }
}

impl Store {
    #[inline]
    pub(super) fn stripes(&self) -> Stripes<'_> {
        Stripes { store: self, stripes: self.stripes.get() }
    }

    /// Waits for a stripe's lock, which was not free, in an engine that has stripes of its own by then.
    #[cold]
    #[inline(never)]
    pub(super) fn write_own(&self, id: StripeId) -> Result<(WriteGuard<'_>, Flags)> {
        self.own_stripes()?;
        self.stripe(id).write_with_flags(&self.mode)
    }

    /// Sees to it that there are stripes to be written to.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned), [`Error::Closed`](crate::error::Error::Closed).
    pub(super) fn own_stripes(&self) -> Result<()> {
        if self.stripes().are_shared() {
            let _first_use = self.first_use.write(&self.mode)?;
            self.begin_use();
        }
        Ok(())
    }

    /// The same where that takes no waiting; whether there are.
    ///
    /// # Errors
    /// As [`Store::own_stripes`].
    pub(super) fn try_own_stripes(&self) -> Result<bool> {
        if self.stripes().are_shared() {
            let Some(_first_use) = self.first_use.try_write_with_flags(&self.mode)? else { return Ok(false) };
            self.begin_use();
        }
        Ok(true)
    }

    /// To be called under the lock of the first use.
    fn begin_use(&self) {
        if self.stripes().are_shared() {
            self.stripes.set(new_stripes(|_| Stripe::empty()));
            if let Some(memory) = &self.memory {
                memory.count_stripes();
            }
        }
    }

    /// Waits for the locks of all stripes.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned), [`Error::Closed`](crate::error::Error::Closed).
    pub(super) fn lock_all(&self) -> Result<AllStripes<'_>> {
        if self.stripes().are_shared() {
            let first_use = self.first_use.write(&self.mode)?;
            if self.stripes().are_shared() {
                return Ok(AllStripes { locked: Vec::new(), _first_use: Some(first_use) });
            }
        }
        let mut locked = Vec::with_capacity(STRIPES);
        for id in StripeId::all() {
            let held = self.write(id)?;
            held.prefetch_shared();
            locked.push((id, held));
        }
        Ok(AllStripes { locked, _first_use: None })
    }

    /// What keeps an engine that has no stripes from getting some; nothing where it has.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned), [`Error::Closed`](crate::error::Error::Closed).
    #[inline]
    pub(super) fn put_off_first_use(&self) -> Result<Option<poison_lock::ReadGuard<'_, ()>>> {
        if self.stripes().are_shared() { self.first_use.read(&self.mode).map(Some) } else { Ok(None) }
    }
}

impl AllStripes<'_> {
    /// The stripe's content, in an engine that has stripes of its own.
    pub(super) fn get_mut(&mut self, id: StripeId) -> &mut StripeState {
        &mut self.locked[id.index()].1
    }
}

#[cfg(test)]
mod tests;
