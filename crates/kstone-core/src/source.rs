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

    /// The records that are read next and lie together.
    #[inline]
    pub(crate) fn run(&self) -> &'a [Record] {
        self.0
    }

    /// Passes over the next records, at most so many.
    #[inline]
    pub(crate) fn take(&mut self, most: usize, reverse: bool) -> &'a [Record] {
        let (taken, rest) = match reverse {
            false => self.0.split_at(most.min(self.0.len())),
            true => {
                let (rest, taken) = self.0.split_at(self.0.len() - most.min(self.0.len()));
                (taken, rest)
            }
        };
        // The nearest of the rest have been asked for, as many more as were taken have not.
        let (from, to) = (PREFETCH_AHEAD.saturating_sub(taken.len()).min(rest.len()), PREFETCH_AHEAD.min(rest.len()));
        let ahead = if reverse { &rest[rest.len() - to..rest.len() - from] } else { &rest[from..to] };
        ahead.iter().for_each(Record::prefetch_item);
        self.0 = rest;
        taken
    }

    /// Asks for the first, which `take` does not look ahead to.
    pub(crate) fn prefetch_first(&self, reverse: bool) {
        let skip = if reverse { self.0.len().saturating_sub(PREFETCH_AHEAD) } else { 0 };
        self.0[skip..].iter().take(PREFETCH_AHEAD).for_each(Record::prefetch_item);
    }
}
