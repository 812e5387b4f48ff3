//! A source: sorted records that are still to be read, from either end.

use crate::prefetch::PREFETCH_AHEAD;
use crate::record::Record;

/// Records in order that are still to be read, from either end.
///
/// ```text
/// in order      run → middle, first to last → end
/// in reverse    run → middle, last to first → end        each run from its end
/// ```
#[derive(Default)]
pub(crate) struct Source<'a> {
    /// Empty only where all is.
    run: &'a [Record],
    middle: &'a [Vec<Record>],
    end: &'a [Record],
}

impl<'a> Source<'a> {
    pub(crate) fn of_run(run: &'a [Record]) -> Self {
        Self { run, ..Self::default() }
    }

    /// What lies in several runs, none of them empty but perhaps the last in order, in order or in reverse.
    pub(crate) fn of_runs(first: &'a [Record], middle: &'a [Vec<Record>], last: &'a [Record], reverse: bool) -> Self {
        let (run, end) = if reverse { (last, first) } else { (first, last) };
        let mut source = Self { run, middle, end };
        source.refill(reverse);
        source
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.run.is_empty()
    }

    /// How many records are left.
    pub(crate) fn len(&self) -> usize {
        self.run.len() + self.middle.iter().map(Vec::len).sum::<usize>() + self.end.len()
    }

    fn refill(&mut self, reverse: bool) {
        if !self.run.is_empty() {
            return;
        }
        let next = if reverse { self.middle.split_last() } else { self.middle.split_first() };
        (self.run, self.middle) = match next {
            Some((leaf, middle)) => (leaf.as_slice(), middle),
            None => (std::mem::take(&mut self.end), &[][..]),
        };
    }

    #[inline]
    pub(crate) fn peek(&self, reverse: bool) -> Option<&'a Record> {
        if reverse { self.run.last() } else { self.run.first() }
    }

    #[inline]
    pub(crate) fn pop(&mut self, reverse: bool) {
        let (rest, ahead) = match reverse {
            false => (&self.run[1..], self.run.get(PREFETCH_AHEAD)),
            true => {
                let rest = &self.run[..self.run.len() - 1];
                (rest, rest.len().checked_sub(PREFETCH_AHEAD).map(|at| &rest[at]))
            }
        };
        if let Some(ahead) = ahead {
            ahead.prefetch_item();
        }
        self.run = rest;
        if rest.is_empty() {
            self.refill(reverse);
            self.prefetch_first(reverse);
        }
    }

    /// Asks for those that `pop` does not look ahead to.
    pub(crate) fn prefetch_first(&self, reverse: bool) {
        let skip = if reverse { self.run.len().saturating_sub(PREFETCH_AHEAD) } else { 0 };
        self.run[skip..].iter().take(PREFETCH_AHEAD).for_each(Record::prefetch_item);
    }
}
