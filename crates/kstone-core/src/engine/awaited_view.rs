//! Point-in-time views that are taken when a writer comes, and never where none does.
//!
//! ```text
//! reader   await_view ── a batch ── a batch ───────────────── dropped: nobody has taken a view
//! writer                              │ locks its stripes: is a view awaited? ── takes one for all who wait ── writes
//! reader                              └─────────────────────────────────────────── its next batches come from that view
//! ```
//! As long as nobody has written, what is read at different times is of one moment. So a short scan of a large table looks
//! at the stripes that it reads, and not at all 256.
//!
//! # Invariants
//! - A write asks once, when it holds all locks that it will write under, and before it writes: what it writes is then
//!   before the moment of a view as a whole, or behind it as a whole. A stripe that is locked later than that is asked
//!   again ([`Store::try_write`]).
//! - A reader looks under the lock of each stripe whether the view was taken meanwhile: if not, nothing of the stripe has
//!   changed since.
//!
//! # Thread safety
//! The list of those who wait has a lock of its own, which is taken after those of stripes, or alone.

use std::sync::{Arc, OnceLock};

use super::store::Store;
use super::{Engine, PointInTimeView, RecordPage, ScanRange};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{StripeId, StripeSet};
use crate::mode::Flags;
use crate::page_buffer::{PageBuffer, PageLimits};
use crate::record::Record;
use crate::stripe::WriteGuard;

/// The table at one moment, for those who may have read enough before anybody writes.
pub struct AwaitedView {
    store: Arc<Store>,
    taken: Arc<OnceLock<PointInTimeView>>,
}

/// The places for views that are awaited.
pub(super) type Awaited = Vec<Arc<OnceLock<PointInTimeView>>>;

impl Engine {
    /// The whole table as it is now, for as long as the view is kept. Costs no look at any stripe: the first writer that
    /// comes pays for it, as [`Engine::view`] costs.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn await_view(&self) -> Result<AwaitedView> {
        let taken = Arc::default();
        // The first write has another lock than what is read of an empty engine: it sees the flag by this one.
        let _no_first_write = self.store.put_off_first_use()?;
        let mut awaited = self.store.awaited.lock();
        self.store.mode.flags().check()?;
        awaited.push(Arc::clone(&taken));
        self.store.mode.set(Flags::AWAITED, true);
        Ok(AwaitedView { store: Arc::clone(&self.store), taken })
    }
}

impl AwaitedView {
    /// As [`Engine::scan`], at the moment of the view.
    ///
    /// # Errors
    /// [`Error::Poisoned`], where a write that was under way at that moment has panicked.
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage> {
        let mut page = PageBuffer::new(limits);
        let mut limited = false;
        for (stripe, span) in range.spans() {
            limited = match self.taken.get() {
                Some(view) => view.fill_span(&mut page, stripe, span, false, Record::clone),
                None => {
                    let held = self.store.read_in_order(stripe, Some(span))?;
                    match self.taken.get() {
                        Some(view) => view.fill_span(&mut page, stripe, span, false, Record::clone),
                        None => held.tree().is_some_and(|tree| {
                            tree.view().merge(span, false, |merge| page.fill(merge, Record::clone))
                        }),
                    }
                }
            };
            if limited {
                break;
            }
        }
        Ok(RecordPage { records: page.records, limited })
    }

    /// The view, for those who read much: it lends what it shows.
    ///
    /// # Errors
    /// As [`AwaitedView::scan`].
    pub fn take(self) -> Result<PointInTimeView> {
        if self.taken.get().is_none() {
            self.store.lock_beyond_views(&StripeSet::default())?;
        }
        match self.taken.get() {
            Some(view) => Ok(view.clone()),
            None => unreachable!("this one is among those that are awaited"),
        }
    }
}

impl Drop for AwaitedView {
    fn drop(&mut self) {
        let mut awaited = self.store.awaited.lock();
        awaited.retain(|other| !Arc::ptr_eq(other, &self.taken));
        if awaited.is_empty() {
            self.store.mode.set(Flags::AWAITED, false);
        }
    }
}

impl Store {
    /// The lock of a stripe for a write of it alone, and the flags under it; once no view is awaited that the write would
    /// be seen in.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub(super) fn write_beyond_views(&self, stripe: StripeId) -> Result<(WriteGuard<'_>, Flags)> {
        let (held, flags) = self.write_with_flags(stripe)?;
        if flags.has(Flags::AWAITED) {
            drop(held);
            return self.write_after_views(stripe);
        }
        Ok((held, flags))
    }

    #[cold]
    #[inline(never)]
    fn write_after_views(&self, stripe: StripeId) -> Result<(WriteGuard<'_>, Flags)> {
        let mut wanted = StripeSet::default();
        wanted.add(stripe);
        let mut locked = self.lock_beyond_views(&wanted)?;
        match locked.pop() {
            Some((_, held)) => Ok((held, self.mode.flags())),
            None => unreachable!("the stripe was asked for"),
        }
    }

    /// Takes the views that are awaited, under the locks of all stripes, and keeps the locks of these.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub(super) fn lock_beyond_views(&self, wanted: &StripeSet) -> Result<Vec<(StripeId, WriteGuard<'_>)>> {
        self.put_all_in_order()?;
        let mut all = self.lock_all()?;
        self.take_awaited_views(&mut all.locked);
        all.locked.retain(|(stripe, _)| wanted.contains(*stripe));
        Ok(all.locked)
    }

    /// Puts all stripes in order one by one, so that little is left to do once they are locked together to be shared.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub(super) fn put_all_in_order(&self) -> Result<()> {
        if self.stripes().are_shared() {
            return Ok(());
        }
        StripeId::all().try_for_each(|stripe| self.read_in_order(stripe, None).map(drop))
    }

    /// Takes the views that are awaited, where the locks of all stripes are held; of none, where the engine has none and
    /// gets none meanwhile.
    pub(super) fn take_awaited_views(&self, locked: &mut [(StripeId, WriteGuard<'_>)]) {
        if !self.mode.flags().has(Flags::AWAITED) {
            return;
        }
        let mut awaited = self.awaited.lock();
        let view = PointInTimeView::of(locked);
        for place in awaited.drain(..) {
            place.get_or_init(|| view.clone());
        }
        self.mode.set(Flags::AWAITED, false);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::engine::{Commit, EngineOptions, FillingPart};
    use crate::key::{KeyRef, RoutedKey};

    type Items = BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>;

    /// A view that is read a few records at a time, and from some place on as a whole, while others write.
    struct Reader {
        view: Option<AwaitedView>,
        taken: Option<PointInTimeView>,
        last: Option<(Vec<u8>, Vec<u8>)>,
        expected: Items,
        shown: Items,
    }

    impl Reader {
        fn new(engine: &Engine, expected: &Items) -> Self {
            let (view, shown) = (Some(engine.await_view().expect("awaited")), Items::new());
            Self { view, taken: None, last: None, expected: expected.clone(), shown }
        }

        /// Reads on; whether all is read.
        fn step(&mut self, records: usize) -> bool {
            let range = ScanRange::all();
            let range = self.last.as_ref().map_or(range, |(pk, sk)| range.after(pk, sk));
            let limits = PageLimits::of_records(records);
            if records.is_multiple_of(7) {
                self.taken = self.view.take().map(|view| view.take().expect("taken")).or(self.taken.take());
            }
            let page = match (&self.view, &self.taken) {
                (Some(view), _) => view.scan(range, limits).expect("scanned"),
                (None, Some(view)) => view.scan(range, limits),
                (None, None) => unreachable!("it is one of both"),
            };
            let key = |record: &Record| (record.pk().to_vec(), record.sk().to_vec());
            self.last = page.records.last().map(key).or(self.last.take());
            let before = self.shown.len();
            self.shown.extend(page.records.iter().map(|record| (key(record), record.body().to_vec())));
            assert_eq!(self.shown.len(), before + page.records.len(), "each once");
            !page.limited
        }
    }

    /// Every door that changes what is shown, between the batches of several views: each shows the moment at which it was
    /// awaited.
    #[test]
    fn an_awaited_view_shows_its_moment_whatever_is_written_between_its_batches() {
        let mut random = fastrand::Rng::with_seed(11);
        let options = EngineOptions { memtable_max_records: 8, ..EngineOptions::default() };
        let engine = Engine::new(options).expect("created");
        let (mut items, mut readers) = (Items::new(), Vec::new());
        for round in 0..20_000_u32 {
            let (pk, sk) = (random.u16(..90).to_be_bytes(), random.u8(..4).to_be_bytes());
            let (other_pk, body) = (random.u16(..90).to_be_bytes(), round.to_be_bytes());
            let key = KeyRef::new(&pk, &sk).expect("valid");
            let other = KeyRef::new(&other_pk, &sk).expect("valid");
            let owned = |key: KeyRef<'_>| (key.pk().to_vec(), key.sk().to_vec());
            match random.u32(..2000) {
                0..600 => {
                    engine.put(key, &body).expect("put");
                    items.insert(owned(key), body.to_vec());
                }
                600..900 => {
                    engine.delete(key).expect("deleted");
                    items.remove(&owned(key));
                }
                900..1100 => {
                    let left_out = engine.put_many_unwatched(&[(key, &body), (other, &body)]).expect("put");
                    assert!(left_out.is_empty());
                    [key, other].iter().for_each(|key| drop(items.insert(owned(*key), body.to_vec())));
                }
                1100..1300 => {
                    let records = vec![Record::put(key, &body), Record::tombstone(other)];
                    if key != other {
                        engine.commit(&[key, other], |_| Ok::<_, crate::Error>((records, ()))).expect("committed");
                        items.insert(owned(key), body.to_vec());
                        items.remove(&owned(other));
                    }
                }
                1300..1310 => engine.flush().expect("flushed"),
                1310..1315 => engine.compact().expect("compacted"),
                1315..1317 => {
                    engine.clear().expect("cleared");
                    items.clear();
                    let mut part = FillingPart::default();
                    part.add(Record::put(key, &body));
                    let mut filling = engine.filling();
                    filling.append(part);
                    readers.push(Reader::new(&engine, &items));
                    let filled = filling.sorted().expect("no key stands twice");
                    filled.install(0, || Ok::<_, crate::Error>(())).expect("installed");
                    items.insert(owned(key), body.to_vec());
                }
                1317..1320 => drop(engine.fork(|| ()).expect("forked")),
                1320..1500 if readers.len() < 4 => readers.push(Reader::new(&engine, &items)),
                _ => {
                    let Some(at) = readers.len().checked_sub(1).map(|last| random.usize(..=last)) else { continue };
                    if readers[at].step(random.usize(1..40)) {
                        let read = readers.swap_remove(at);
                        assert_eq!(read.shown, read.expected);
                    }
                }
            }
        }
        drop(readers);
        assert!(!engine.store.mode.flags().has(Flags::AWAITED) && engine.store.awaited.lock().is_empty());
    }

    #[test]
    fn nobody_takes_a_view_where_nobody_writes_and_the_first_writer_takes_one_for_all() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let name = |i: u32| i.to_be_bytes();
        let put = |i: u32| engine.put(KeyRef::new(&name(i), b"").expect("valid"), b"").expect("put");
        (0..1000).for_each(put);
        let views = [(); 3].map(|()| engine.await_view().expect("awaited"));
        for view in &views {
            assert_eq!(view.scan(ScanRange::all(), PageLimits::NONE).expect("scanned").records.len(), 1000);
            assert!(view.taken.get().is_none());
        }
        let [one, other, dropped] = views;
        drop(dropped);
        put(1000);
        put(1001);
        assert!(one.taken.get().is_some() && other.taken.get().is_some());
        assert!(!engine.store.mode.flags().has(Flags::AWAITED));
        drop(engine);
        for view in [one, other] {
            assert_eq!(view.take().expect("taken").scan(ScanRange::all(), PageLimits::NONE).records.len(), 1000);
        }
    }

    /// Commits of two keys, one of them locked behind the other and out of order, and puts one after another: no view that
    /// is read stripe by stripe shows half of a commit, or a put without the one before it.
    #[test]
    fn a_view_awaited_during_writes_of_other_threads_is_one_moment() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let names: Vec<[u8; 1]> = (0..8).map(|name| [name]).collect();
        let mut keys: Vec<RoutedKey<'_>> =
            names.iter().map(|name| KeyRef::new(name, b"").expect("valid").into()).collect();
        keys.sort_by_key(RoutedKey::stripe);
        let (engine, keys, done) = (&engine, &keys[..], &AtomicBool::new(false));
        let record = |key: &RoutedKey<'_>, n: u32| (key.route(), Record::put_pieces(key, &[&n.to_be_bytes()]));
        let commits = move || {
            for n in 0..3000_u32 {
                let (first, second) = (keys[usize::from(n % 2 == 0)], keys[usize::from(n % 2 == 1)]);
                let mut commit = Commit::new();
                commit.lock([(engine, first.stripe())].into_iter()).expect("locked");
                if !commit.try_lock(engine, second.stripe()).expect("sound") {
                    drop(commit);
                    commit = Commit::new();
                    commit.lock([(engine, first.stripe()), (engine, second.stripe())].into_iter()).expect("locked");
                }
                commit.write(engine, [record(&first, n), record(&second, n)]);
            }
        };
        let puts = move || {
            for n in 0..3000_u32 {
                for key in [&keys[7], &keys[2], &keys[5]] {
                    engine.put(key.key(), &n.to_be_bytes()).expect("put");
                }
            }
        };
        std::thread::scope(|scope| {
            let writers = [scope.spawn(commits), scope.spawn(puts)];
            let reader = scope.spawn(move || {
                let mut views = 0;
                while !done.load(Ordering::Relaxed) || views < 10 {
                    let view = engine.await_view().expect("awaited");
                    let mut numbers = [None; 8];
                    let mut last: Option<Record> = None;
                    loop {
                        let range = ScanRange::all();
                        let range = last.as_ref().map_or(range, |last| range.after(last.pk(), last.sk()));
                        let page = view.scan(range, PageLimits::of_records(1)).expect("scanned");
                        let Some(next) = page.records.into_iter().next() else { break };
                        let at = keys.iter().position(|key| key.key().pk() == next.pk()).expect("one of the keys");
                        numbers[at] = next.body().first_chunk().copied().map(u32::from_be_bytes);
                        last = Some(next);
                    }
                    assert_eq!(numbers[0], numbers[1], "half of a commit");
                    assert!(numbers[7] >= numbers[2] && numbers[2] >= numbers[5], "{numbers:?}");
                    views += 1;
                }
            });
            writers.into_iter().for_each(|writer| writer.join().expect("written"));
            done.store(true, Ordering::Relaxed);
            reader.join().expect("read");
        });
    }
}
