//! Interruptions: a flag that ends long calls between two items.
//!
//! A call through a handle of [`Table::interrupted_by`] looks at the flag before it begins and again and again while
//! it works: in scans, counts, sorting, grouping, exports, saves, loads, imports, the filling of new indexes and the removal
//! of what has expired. It then fails with [`Error::Interrupted`] and has changed nothing, but for an import, which says how
//! many items it has put, and for [`Table::purge_expired`] and [`Table::compact`], which have removed some expired items.
//!
//! Thread safety: any thread may raise the flag at any time, a signal handler too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
#[cfg(doc)]
use crate::table::Table;

/// A flag that ends long calls. Clones share it; it stays raised until it is cleared.
///
/// ```
/// use kstone_api::{Database, Error, Interrupt, Statement};
/// let interrupt = Interrupt::new();
/// let db = Database::create_in_memory()?.interrupted_by(&interrupt);
/// interrupt.raise();
/// let outcome = db.execute_statement(&Statement::new("SELECT * FROM items"));
/// assert_eq!(outcome, Err(Error::Interrupted));
/// interrupt.clear();
/// assert!(db.execute_statement(&Statement::new("SELECT * FROM items")).is_ok());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag of its own, not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag that something else raises, such as a signal handler.
    #[must_use]
    pub fn of_flag(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }

    /// Ends what runs under this flag, soon.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Lets later calls run.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether the flag is raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`Error::Interrupted`] where the flag is raised.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.is_raised() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// How many values are sorted at once before the flag is looked at.
const RUN: usize = 1024;
/// How many sorted runs are merged at once.
const FAN_IN: usize = 4;

/// Sorts, keeping the order of equals, in steps between which an interruption is noticed: the standard library's sort
/// cannot be ended, but merges runs that are sorted already in linear time.
pub(crate) fn sort_by<T>(
    values: &mut [T],
    interrupt: Option<&Interrupt>,
    mut compare: impl FnMut(&T, &T) -> std::cmp::Ordering,
) -> Result<()> {
    let mut width = RUN;
    loop {
        for run in values.chunks_mut(width) {
            interrupt.map_or(Ok(()), Interrupt::check)?;
            run.sort_by(&mut compare);
        }
        if width >= values.len() {
            return Ok(());
        }
        width = width.saturating_mul(FAN_IN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_in_steps_is_sorting_and_keeps_the_order_of_equals() {
        let mut random = fastrand::Rng::with_seed(3);
        for len in [0, 1, 2, RUN - 1, RUN, RUN + 1, FAN_IN * RUN, FAN_IN * RUN + 1, 20_000] {
            let mut values: Vec<(u8, usize)> = (0..len).map(|at| (random.u8(..), at)).collect();
            let mut expected = values.clone();
            expected.sort();
            sort_by(&mut values, None, |a, b| a.0.cmp(&b.0)).expect("never interrupted");
            assert_eq!(values, expected, "{len} values");
        }
    }

    #[test]
    fn a_sort_ends_soon_after_the_flag_is_raised() {
        let interrupt = Interrupt::new();
        let mut values: Vec<u32> = (0..100_000).rev().collect();
        let mut compared = 0;
        let outcome = sort_by(&mut values, Some(&interrupt), |a, b| {
            compared += 1;
            interrupt.raise();
            a.cmp(b)
        });
        assert_eq!(outcome, Err(Error::Interrupted));
        assert!(compared < 20 * RUN, "{compared} comparisons");
    }
}
