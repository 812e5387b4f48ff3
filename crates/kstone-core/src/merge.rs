//! Reading several sorted sources as one, newest first: what every read of more than one key goes through.

use std::cmp::Ordering;

use crate::key::Tag;
use crate::record::Record;
use crate::source::Source;

/// An iterator over the live records of several sources in order: of each key the newest version, none where that is a
/// tombstone.
pub(crate) struct Merge<'a> {
    /// Newest first; none is empty, but perhaps the only one.
    sources: Vec<Source<'a>>,
    ahead: Option<Ahead>,
    reverse: bool,
    /// Whether all records have one partition key.
    one_partition: bool,
}

/// A source whose records come next as long as their tags lie before those of all other sources: in a scan, which goes
/// in order, runs of several records of a large SST lie between two of a small one.
#[derive(Clone, Copy)]
struct Ahead {
    source: usize,
    until: Tag,
}

impl<'a> Merge<'a> {
    /// Sources of one span, newest first, to be read in order or in reverse. Sorted by sort key alone where all of
    /// their records are of one partition.
    pub(crate) fn of(sources: Vec<Source<'a>>, reverse: bool, one_partition: bool) -> Self {
        sources.iter().for_each(|source: &Source<'_>| source.prefetch_first(reverse));
        Self { sources, ahead: None, reverse, one_partition }
    }

    /// The next newest version, a tombstone too.
    #[inline(always)]
    fn next_version(&mut self) -> Option<&'a Record> {
        match self.sources.as_mut_slice() {
            [] => None,
            [only] => {
                let record = only.peek(self.reverse)?;
                only.pop(self.reverse);
                Some(record)
            }
            _ => self.next_of_several(),
        }
    }

    fn next_of_several(&mut self) -> Option<&'a Record> {
        if let Some(Ahead { source, until }) = self.ahead
            && let Some(record) = self.sources[source].peek(self.reverse)
            && record.tag() < until
        {
            self.pop(source);
            return Some(record);
        }
        let mut first = 0;
        let mut record = self.sources[0].peek(self.reverse)?;
        let mut sk = self.sort_key(record);
        let mut at = 1;
        while at < self.sources.len() {
            let other = self.sources[at].peek(self.reverse)?;
            let other_sk = self.sort_key(other);
            let order = if self.one_partition { other_sk.cmp(sk) } else { other.order(record) };
            match if self.reverse { order.reverse() } else { order } {
                Ordering::Less => (first, record, sk) = (at, other, other_sk),
                // An older version of what a newer source holds.
                Ordering::Equal => {
                    at -= usize::from(self.pop(at));
                }
                Ordering::Greater => {}
            }
            at += 1;
        }
        if !self.pop(first) && !self.one_partition && !self.reverse {
            let others = self.sources.iter().enumerate().filter(|(at, _)| *at != first);
            let until = others.filter_map(|(_, source)| source.peek(false)).map(Record::tag).min();
            self.ahead = until.map(|until| Ahead { source: first, until });
        }
        Some(record)
    }

    /// What tells records of one partition apart; otherwise it is not asked for, since that touches the record.
    #[inline]
    fn sort_key(&self, record: &'a Record) -> &'a [u8] {
        if self.one_partition { record.sk() } else { &[] }
    }

    /// Passes over a source's next record; whether that was its last, so that the source is gone.
    #[inline]
    fn pop(&mut self, at: usize) -> bool {
        self.sources[at].pop(self.reverse);
        let is_spent = self.sources[at].is_empty();
        if is_spent {
            self.sources.remove(at);
            self.ahead = None;
        }
        is_spent
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = &'a Record;

    #[inline]
    fn next(&mut self) -> Option<&'a Record> {
        loop {
            let record = self.next_version()?;
            if !record.is_tombstone() {
                return Some(record);
            }
        }
    }
}
