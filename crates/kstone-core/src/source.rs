//! A source: sorted records that are still to be read, from either end.

use crate::prefetch::PREFETCH_AHEAD;
use crate::record::Record;

/// Records in order that are still to be read, from either end.
#[derive(Clone, Copy, Default)]
pub(crate) struct Source<'a>(&'a [Record]);

impl<'a> Source<'a> {
    pub(crate) fn of_run(run: &'a [Record]) -> Self {
        Self(run)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many records are left.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(crate) fn peek(&self, reverse: bool) -> Option<&'a Record> {
        if reverse { self.0.last() } else { self.0.first() }
    }

    #[inline]
    pub(crate) fn pop(&mut self, reverse: bool) {
        let (rest, ahead) = match reverse {
            false => (&self.0[1..], self.0.get(PREFETCH_AHEAD)),
            true => {
                let rest = &self.0[..self.0.len() - 1];
                (rest, rest.len().checked_sub(PREFETCH_AHEAD).map(|at| &rest[at]))
            }
        };
        if let Some(ahead) = ahead {
            ahead.prefetch_item();
        }
        self.0 = rest;
    }

    /// Asks for those that `pop` does not look ahead to.
    pub(crate) fn prefetch_first(&self, reverse: bool) {
        let skip = if reverse { self.0.len().saturating_sub(PREFETCH_AHEAD) } else { 0 };
        self.0[skip..].iter().take(PREFETCH_AHEAD).for_each(Record::prefetch_item);
    }
}
