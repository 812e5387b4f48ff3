//! What every read and every write asks first, in one byte that hardly ever changes.
//!
//! # Thread safety
//! A byte is changed and read under the locks of the stripes that it concerns, which order it: a panic sets its flag
//! before it releases its lock, the engine's owner changes its own under the locks of all stripes, and what awaits a view
//! sets its flag before it looks at a stripe (`engine/awaited_view.rs`).

use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// See the module.
#[derive(Default)]
pub(crate) struct Mode(AtomicU8);

/// What a mode was at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    /// A write has panicked.
    pub(crate) const POISONED: Self = Self(1);
    /// Reads note what they find, and writes when they were.
    pub(crate) const EVICTS: Self = Self(2);
    /// The owner of the engine hides items.
    pub(crate) const HIDES: Self = Self(4);
    /// Writes concern more than their record.
    pub(crate) const WATCHED: Self = Self(8);
    /// The engine refuses everything.
    pub(crate) const CLOSED: Self = Self(16);
    /// Keys carry labels.
    pub(crate) const TYPED: Self = Self(32);
    /// Keys have numbers, so that what a caller calls a key is not what its bytes are.
    pub(crate) const NUMBERED: Self = Self(64);

    /// Somebody awaits a point-in-time view, which the next write takes first.
    pub(crate) const AWAITED: Self = Self(128);

    const REFUSING: Self = Self(Self::POISONED.0 | Self::CLOSED.0);
    const OF_READS: Self = Self(Self::REFUSING.0 | Self::EVICTS.0 | Self::HIDES.0 | Self::NUMBERED.0);

    #[inline(always)]
    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a read has nothing to do but to look.
    #[inline(always)]
    pub(crate) fn reads_are_plain(self) -> bool {
        !self.has(Self::OF_READS)
    }

    /// # Errors
    /// [`Error::Poisoned`], [`Error::Closed`].
    #[inline(always)]
    pub(crate) fn check(self) -> Result<()> {
        if self.has(Self::REFUSING) { Err(self.refusal()) } else { Ok(()) }
    }

    #[cold]
    fn refusal(self) -> Error {
        if self.has(Self::POISONED) { Error::Poisoned } else { Error::Closed }
    }
}

impl Mode {
    #[inline(always)]
    pub(crate) fn flags(&self) -> Flags {
        Flags(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, flag: Flags, on: bool) {
        if on {
            self.0.fetch_or(flag.0, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!flag.0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_set_one_by_one() {
        let mode = Mode::default();
        let all = [
            Flags::POISONED,
            Flags::EVICTS,
            Flags::HIDES,
            Flags::WATCHED,
            Flags::CLOSED,
            Flags::TYPED,
            Flags::NUMBERED,
            Flags::AWAITED,
        ];
        for flag in all {
            assert!(!mode.flags().has(flag));
            mode.set(flag, true);
            assert!(mode.flags().has(flag));
        }
        assert_eq!(mode.flags().check(), Err(Error::Poisoned));
        mode.set(Flags::POISONED, false);
        assert_eq!(mode.flags().check(), Err(Error::Closed));
        for flag in [Flags::CLOSED, Flags::EVICTS, Flags::HIDES, Flags::NUMBERED] {
            assert!(!mode.flags().reads_are_plain());
            mode.set(flag, false);
        }
        assert!(mode.flags().reads_are_plain() && mode.flags().has(Flags::WATCHED));
        assert_eq!(mode.flags().check(), Ok(()));
    }
}
