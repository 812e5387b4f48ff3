//! Merging sorted runs of records, newest run first: what every read of more than one key goes through, and what
//! compaction does.

use std::cmp::Ordering;

use crate::key::{Edge, Tag};
use crate::memory_sst::MemorySstReader;
use crate::memtable::Memtable;
use crate::record::Record;

/// How far ahead of a walk records are asked for, so that their cache misses overlap.
const PREFETCH_AHEAD: usize = 10;

/// The same for a merge in a wide partition, whose records are compared by key.
const MERGE_AHEAD: usize = 64;

/// A place in the order of a stripe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) tag: Tag,
    pub(crate) edge: Edge<'a>,
}

/// The records from one place to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) from: Place<'a>,
    pub(crate) to: Place<'a>,
}

impl Span<'_> {
    /// The one tag of all its records, where they have but one.
    #[inline]
    pub(crate) fn only_tag(&self) -> Option<Tag> {
        (self.from.tag == self.to.tag).then_some(self.from.tag)
    }

    fn is_in_one_partition(&self) -> bool {
        match (self.from.edge, self.to.edge) {
            (Edge::Partition(from, _), Edge::Partition(to, _)) => self.from.tag == self.to.tag && from == to,
            _ => false,
        }
    }
}

/// How much one page may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// The most records.
    pub records: usize,
    /// The most bytes of keys and stored items. The first record is taken whatever its size.
    pub bytes: usize,
}

/// The records of a page so far, as handles that count or do not, and what room is left.
pub(crate) struct PageBuffer<T = Record> {
    pub(crate) records: Vec<T>,
    left: PageLimits,
}

impl<T> PageBuffer<T> {
    pub(crate) fn new(limits: PageLimits) -> Self {
        // Most pages are small, and growing one from nothing costs a query of ten two reallocations.
        Self::within(Vec::with_capacity(limits.records.min(16)), limits)
    }

    /// A page in this list, which is empty.
    pub(crate) fn within(records: Vec<T>, limits: PageLimits) -> Self {
        Self { records, left: limits }
    }

    /// Takes records until the page is full (true) or the merge ends (false).
    #[inline(never)]
    pub(crate) fn fill(&mut self, merge: &mut Merge<'_>, handle: impl Fn(&Record) -> T) -> bool {
        loop {
            if self.left.records == 0 {
                return true;
            }
            let Some(record) = merge.next() else { return false };
            let bytes = record.data_len();
            if bytes > self.left.bytes && !self.records.is_empty() {
                return true;
            }
            self.left.bytes = self.left.bytes.saturating_sub(bytes);
            self.left.records -= 1;
            self.records.push(handle(record));
        }
    }
}

/// What a stripe holds at one moment: perhaps a memtable, and SSTs from oldest to newest.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) memtable: Option<&'a Memtable>,
    pub(crate) ssts: &'a [MemorySstReader],
}

impl<'a> View<'a> {
    /// All items.
    pub(crate) fn items(&self) -> Merge<'a> {
        let from = Place { tag: Tag::FIRST, edge: Edge::TagStart };
        let to = Place { tag: Tag::LAST_ITEM, edge: Edge::TagEnd };
        self.merge(Span { from, to }, false)
    }

    /// The live records of a span, in order or in reverse.
    pub(crate) fn merge(&self, span: Span<'_>, reverse: bool) -> Merge<'a> {
        let memtable = self.memtable.map(|table| table.between(span, reverse));
        let ssts = self.ssts.iter().rev().map(|sst| Source::of_run(sst.between(span)));
        let mut sources = Vec::with_capacity(1 + self.ssts.len());
        sources.extend(memtable.into_iter().chain(ssts).filter(|source| !source.is_empty()));
        sources.iter().for_each(|source: &Source<'_>| source.prefetch_first(reverse));
        Merge { sources, ahead: None, reverse, one_partition: span.is_in_one_partition() }
    }
}

/// Records in order that are still to be walked, from either end.
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

    fn is_empty(&self) -> bool {
        self.run.is_empty()
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
    fn peek(&self, reverse: bool) -> Option<&'a Record> {
        if reverse { self.run.last() } else { self.run.first() }
    }

    #[inline]
    fn pop(&mut self, reverse: bool) {
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
    fn prefetch_first(&self, reverse: bool) {
        let skip = if reverse { self.run.len().saturating_sub(PREFETCH_AHEAD) } else { 0 };
        self.run[skip..].iter().take(PREFETCH_AHEAD).for_each(Record::prefetch_item);
    }
}

/// Walks the live records of several sources in order: of each key the newest version, none where that is a tombstone.
pub(crate) struct Merge<'a> {
    /// Newest first; none is empty, but perhaps the only one.
    sources: Vec<Source<'a>>,
    ahead: Option<Ahead>,
    reverse: bool,
    /// Whether all records have one partition key.
    one_partition: bool,
}

/// A source whose records come next as long as their tags lie before those of all other sources: in a scan, which goes in
/// order, runs of several records of a large SST lie between two of a small one.
#[derive(Clone, Copy)]
struct Ahead {
    source: usize,
    until: Tag,
}

impl<'a> Merge<'a> {
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

    /// What tells records of one partition apart; elsewhere it is not asked for, since that touches the record.
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

/// What a run of records adds up to, kept so that nobody needs to touch the records to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Weight {
    pub(crate) bytes: usize,
    pub(crate) tombstones: usize,
}

impl Weight {
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut weight = Self::default();
        records.iter().for_each(|record| weight.add(record));
        weight
    }

    pub(crate) fn add(&mut self, record: &Record) {
        self.bytes += record.footprint();
        self.tombstones += usize::from(record.is_tombstone());
    }

    pub(crate) fn subtract(&mut self, record: &Record) {
        self.bytes -= record.footprint();
        self.tombstones -= usize::from(record.is_tombstone());
    }
}

/// Sorted records, one per key, and what they add up to.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) records: Vec<Record>,
    pub(crate) weight: Weight,
}

/// Two sorted runs as one; the newer one's version of a key wins. With nothing older below them, tombstones go.
///
/// Hidden versions and spent tombstones are added to `garbage`, to be let go where no lock is held. Costs a look at
/// each handle and its move; records are touched only where tags are equal.
pub(crate) fn merge_runs(newer: Run, older: Run, drop_tombstones: bool, garbage: &mut Vec<Record>) -> Run {
    let mut weight = Weight {
        bytes: newer.weight.bytes + older.weight.bytes,
        tombstones: newer.weight.tombstones + older.weight.tombstones,
    };
    let drop_tombstones = drop_tombstones && weight.tombstones > 0;
    prefetch_ties(&newer.records, &older.records);
    let mut records = Vec::with_capacity(newer.records.len() + older.records.len());
    let mut discard = |record: Record| {
        weight.subtract(&record);
        garbage.push(record);
    };
    let mut older_records = older.records;
    if drop_tombstones && older.weight.tombstones > 0 {
        older_records.extract_if(.., |record| record.is_tombstone()).for_each(&mut discard);
    }
    let mut older = older_records.into_iter();
    // How many of the next older records were asked for.
    let mut asked: usize = 0;
    for new in newer.records {
        let below = older.as_slice().iter().take_while(|old| old.tag() < new.tag()).count();
        records.extend(older.by_ref().take(below));
        if older.as_slice().first().is_some_and(|old| old.tag() == new.tag()) {
            if older.as_slice().get(1).is_some_and(|old| old.tag() == new.tag()) {
                asked = ask_ahead(older.as_slice(), if below > 0 { 0 } else { asked });
            }
            let before = count_before(older.as_slice(), &new);
            asked = asked.saturating_sub(before);
            records.extend(older.by_ref().take(before));
            if older.as_slice().first().is_some_and(|old| old.order(&new).is_eq()) {
                older.by_ref().take(1).for_each(&mut discard);
            }
        }
        if drop_tombstones && new.is_tombstone() {
            discard(new);
        } else {
            records.push(new);
        }
    }
    records.extend(older);
    Run { records, weight }
}

/// Asks for the next records of the first one's partition, so many of which were asked for; how many those are now.
fn ask_ahead(records: &[Record], asked: usize) -> usize {
    let same = |record: &&Record| record.tag() == records[0].tag();
    let ahead = records.iter().take(MERGE_AHEAD).skip(asked).take_while(same);
    asked + ahead.inspect(|record| record.prefetch()).count()
}

/// How many of the sorted records come before this one: looks 1, 2, 4, … places ahead, then in between.
fn count_before(records: &[Record], record: &Record) -> usize {
    let is_before = |other: &Record| other.order(record).is_lt();
    let mut reach = 1;
    while records.get(reach - 1).is_some_and(is_before) {
        reach *= 2;
    }
    let (known, end) = (reach / 2, records.len().min(reach - 1));
    known + records[known..end].partition_point(is_before)
}

/// Asks for the records that a merge will have to compare by key: those whose tags are equal. Cold records cost a merge
/// of overwritten keys most of its time, and their cache misses can overlap.
fn prefetch_ties(newer: &[Record], older: &[Record]) {
    let mut at = 0;
    for new in newer {
        at += older[at..].iter().take_while(|old| old.tag() < new.tag()).count();
        if let Some(old) = older.get(at).filter(|old| old.tag() == new.tag()) {
            old.prefetch();
            new.prefetch();
        }
    }
}

/// Drops the records, whose cache misses overlap.
pub(crate) fn release(held: Vec<Record>) {
    held.iter().take(PREFETCH_AHEAD).for_each(Record::prefetch);
    let mut left = held.into_iter();
    while let Some(first) = left.next() {
        if let Some(ahead) = left.as_slice().get(PREFETCH_AHEAD - 1) {
            ahead.prefetch();
        }
        drop(first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    fn put(sk: &str, body: &[u8]) -> Record {
        Record::put(KeyRef::new(b"p", sk.as_bytes()).expect("valid key"), body)
    }

    fn tombstone(sk: &str) -> Record {
        Record::tombstone(KeyRef::new(b"p", sk.as_bytes()).expect("valid key"))
    }

    fn shape(records: &[Record]) -> Vec<(&[u8], &[u8], bool)> {
        records.iter().map(|record| (record.sk(), record.body(), record.is_tombstone())).collect()
    }

    fn run(records: Vec<Record>) -> Run {
        Run { weight: Weight::of(&records), records }
    }

    #[test]
    fn newer_versions_win_and_hidden_ones_are_handed_back() {
        let newer = vec![put("a", b"new"), tombstone("b")];
        let older = vec![put("a", b"old"), put("b", b""), put("c", b"")];
        let mut garbage = Vec::new();
        let merged = merge_runs(run(newer), run(older), false, &mut garbage);
        let expected: [(&[u8], &[u8], bool); 3] = [(b"a", b"new", false), (b"b", b"", true), (b"c", b"", false)];
        assert_eq!(shape(&merged.records), expected);
        assert_eq!(shape(&garbage), [(&b"a"[..], &b"old"[..], false), (b"b", b"", false)]);
        assert_eq!(merged.weight, Weight::of(&merged.records));
    }

    #[test]
    fn tombstones_go_with_nothing_left_to_hide() {
        let mut garbage = Vec::new();
        let newer = run(vec![tombstone("a"), tombstone("z")]);
        let merged = merge_runs(newer, run(vec![put("a", b""), put("c", b"")]), true, &mut garbage);
        assert_eq!(shape(&merged.records), [(&b"c"[..], &b""[..], false)]);
        assert_eq!(garbage.len(), 3);
        assert_eq!(merged.weight, Weight::of(&merged.records));
    }

    #[test]
    fn merging_runs_of_any_sizes_gives_what_inserting_one_into_a_map_gives() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..300 {
            let mut runs = [Vec::new(), Vec::new()];
            let mut map = std::collections::BTreeMap::new();
            for (records, most) in runs.iter_mut().zip([200, 20]).rev() {
                let mut sks: Vec<u16> = (0..random.usize(..most)).map(|_| random.u16(..300)).collect();
                sks.sort_unstable();
                sks.dedup();
                for sk in sks.into_iter().map(|sk| format!("{sk:03}")) {
                    let record = if random.bool() { put(&sk, b"x") } else { tombstone(&sk) };
                    records.push(record);
                }
            }
            let [newer, older] = runs;
            map.extend(older.iter().chain(&newer).map(|record| (record.sk().to_vec(), record.clone())));
            let total = newer.len() + older.len();
            let drop_tombstones = random.bool();
            let mut garbage = Vec::new();
            let merged = merge_runs(run(newer), run(older), drop_tombstones, &mut garbage);
            map.retain(|_, record| !(drop_tombstones && record.is_tombstone()));
            assert!(merged.records.iter().zip(map.values()).all(|(merged, expected)| merged.same(expected)));
            assert_eq!((merged.records.len(), merged.records.len() + garbage.len()), (map.len(), total));
            assert_eq!(merged.weight, Weight::of(&merged.records));
        }
    }

    #[test]
    fn a_page_takes_its_first_record_whatever_the_size_and_stops_before_the_next() {
        let sst = MemorySstReader::from_run("s".into(), run(vec![put("a", &[0; 100]), put("b", b"")]));
        let ssts = [sst];
        let tag = ssts[0].records()[0].tag();
        let span = Span { from: Place { tag, edge: Edge::TagStart }, to: Place { tag, edge: Edge::TagEnd } };
        let mut merge = View { memtable: None, ssts: &ssts }.merge(span, false);
        let mut page = PageBuffer::new(PageLimits { records: 10, bytes: 50 });
        assert!(page.fill(&mut merge, Record::clone));
        assert_eq!(page.records.len(), 1);
    }
}
