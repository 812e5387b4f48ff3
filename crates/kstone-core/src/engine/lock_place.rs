//! The order of all locks: by the engine's ordinal, then by stripe.
//!
//! Whoever waits for several locks waits for them ascending, so that no two wait for each other. A lock that is taken only
//! where it is free may be taken at any time.

use super::{Engine, EngineOrdinal};
use crate::error::{Error, Reason, Result};
use crate::key::{STRIPES, StripeId};

/// Where the lock of a stripe stands in the order of all locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LockPlace(u64);

impl LockPlace {
    #[inline]
    pub(super) fn stripe(self) -> StripeId {
        StripeId::of(self.0 as u32)
    }
}

impl Engine {
    /// Where it stands among the engines whose stripes are locked together.
    #[inline]
    pub fn ordinal(&self) -> EngineOrdinal {
        self.store.options.ordinal
    }

    #[inline]
    pub(super) fn lock_place(&self, stripe: StripeId) -> LockPlace {
        LockPlace(u64::from(self.ordinal().0) * STRIPES as u64 + stripe.index() as u64)
    }
}

/// Refuses two engines of one ordinal among these, which ascend by it: their locks would have no order.
///
/// # Errors
/// [`Error::Invalid`] that names the ordinal.
pub(super) fn check_ordinals<'a>(ascending: impl Iterator<Item = &'a Engine>) -> Result<()> {
    let mut last: Option<&Engine> = None;
    for engine in ascending {
        if let Some(last) = last
            && last.ordinal() == engine.ordinal()
            && !std::ptr::eq(last, engine)
        {
            return Err(refuse_ordinal(engine.ordinal()));
        }
        last = Some(engine);
    }
    Ok(())
}

#[cold]
fn refuse_ordinal(EngineOrdinal(number): EngineOrdinal) -> Error {
    Reason::OrdinalTwice { ordinal: number }.into()
}
