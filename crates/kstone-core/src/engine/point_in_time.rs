//! The database as it was at one moment: trees that a stripe shares until it is written to next.

use std::borrow::Borrow;

use super::pages::partition_span;
use super::{Engine, RecordPage, ScanRange, SortKeyRange};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, Keyspace, Route, StripeId};
use crate::page_buffer::{PageBuffer, PageLimits};
use crate::record::Record;
use crate::shared::Shared;
use crate::span::Span;
use crate::stripe::WriteGuard;
use crate::tree::Tree;

/// The database, or a partition's stripe, at one moment. Costs memory only for what is changed after it. A clone is a
/// count for each stripe more.
#[derive(Clone)]
pub struct PointInTimeView {
    stripes: Vec<(StripeId, Shared<Tree>)>,
}

impl Engine {
    /// Does ahead what a view would otherwise do under the locks of all stripes: puts what was written in order, stripe by
    /// stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put_in_order(&self) -> Result<()> {
        self.store.put_all_in_order()
    }

    /// The whole table as it is now, for as long as the view is kept. Writers wait for a lock and a count for each
    /// stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn view(&self) -> Result<PointInTimeView> {
        self.put_in_order()?;
        let mut all = self.store.lock_all()?;
        Ok(PointInTimeView::of(&mut all.locked))
    }

    /// As [`Engine::view`], for the stripe of one partition.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn view_of_partition(&self, keyspace: Keyspace, pk: &[u8]) -> Result<PointInTimeView> {
        let stripe = Route::of(pk, keyspace).stripe;
        if self.store.read_in_order(stripe, None)?.tree().is_none() {
            return Ok(PointInTimeView::of(&mut []));
        }
        Ok(PointInTimeView::of(&mut [(stripe, self.store.write(stripe)?)]))
    }
}

impl PointInTimeView {
    /// What these stripes hold.
    pub(super) fn of(locked: &mut [(StripeId, WriteGuard<'_>)]) -> Self {
        Self { stripes: locked.iter_mut().filter_map(|(id, held)| Some((*id, held.share(*id)?))).collect() }
    }

    /// The item or the entry of this key at that moment, where its stripe is in the view.
    pub fn get(&self, key: KeyRef<'_>) -> Option<Record> {
        let route = key.route();
        self.tree(route.stripe)?.get(route, key).map(|found| Record::clone(&found))
    }

    /// How many items there were. Costs a look at each stripe.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.stripes.iter().map(|(_, tree)| tree.live().items.records as u64).sum()
    }

    /// As [`Engine::query`], at the moment of the view.
    pub fn query(&self, pk: &[u8], range: SortKeyRange<'_>, reverse: bool, limits: PageLimits) -> RecordPage {
        self.query_in(Keyspace::Items, pk, range, reverse, limits)
    }

    /// As [`Engine::query_as`], at the moment of the view.
    pub fn query_in(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> RecordPage {
        let mut page = PageBuffer::new(limits);
        let limited = self.fill_query(&mut page, keyspace, pk, range, reverse, Record::clone);
        RecordPage { records: page.records, limited }
    }

    /// As [`Engine::scan`], at the moment of the view.
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> RecordPage {
        let mut page = PageBuffer::new(limits);
        let limited = self.fill_scan(&mut page, range, Record::clone);
        RecordPage { records: page.records, limited }
    }

    /// As [`PointInTimeView::scan`], from the end of the range backwards.
    pub fn scan_reverse(&self, range: ScanRange<'_>, limits: PageLimits) -> RecordPage {
        let mut page = PageBuffer::new(limits);
        let limited =
            range.spans().rev().any(|(stripe, span)| self.fill_span(&mut page, stripe, span, true, Record::clone));
        RecordPage { records: page.records, limited }
    }

    /// Takes a query's records into a page; whether that is full.
    pub(crate) fn fill_query<'a, T: Borrow<Record>>(
        &'a self,
        page: &mut PageBuffer<T>,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        handle: impl Fn(&'a Record) -> T,
    ) -> bool {
        let (stripe, span) = partition_span(keyspace, pk, range);
        self.fill_span(page, stripe, span, reverse, handle)
    }

    /// Takes a scan's records into a page; whether that is full.
    pub(crate) fn fill_scan<'a, T: Borrow<Record>>(
        &'a self,
        page: &mut PageBuffer<T>,
        range: ScanRange<'_>,
        handle: impl Fn(&'a Record) -> T,
    ) -> bool {
        range.spans().any(|(stripe, span)| self.fill_span(page, stripe, span, false, &handle))
    }

    /// Takes the records of a stripe's span into a page; whether that is full.
    pub(super) fn fill_span<'a, T: Borrow<Record>>(
        &'a self,
        page: &mut PageBuffer<T>,
        stripe: StripeId,
        span: Span<'_>,
        reverse: bool,
        handle: impl Fn(&'a Record) -> T,
    ) -> bool {
        self.tree(stripe)
            .map(Tree::view)
            .is_some_and(|view| view.merge(span, reverse, |merge| page.fill(merge, handle)))
    }

    fn tree(&self, stripe: StripeId) -> Option<&Tree> {
        let at = self.stripes.binary_search_by_key(&stripe, |(id, _)| *id).ok()?;
        Some(&self.stripes[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineOptions};

    const ALL: PageLimits = PageLimits::NONE;

    /// Keys of few partitions and of many, some in memtables, some in SSTs, some deleted.
    fn engine_with_keys(random: &mut fastrand::Rng) -> Engine {
        let options = EngineOptions { memtable_max_records: 8, ..EngineOptions::default() };
        let engine = Engine::new(options).expect("created");
        for _ in 0..3000 {
            let (pk, sk) = (random.u16(..60).to_be_bytes(), random.u16(..40).to_be_bytes());
            let key = KeyRef::new(&pk, &sk[..random.usize(0..=2)]).expect("valid");
            let written = if random.u8(..4) == 0 { engine.delete(key) } else { engine.put(key, b"") };
            written.expect("written");
        }
        engine
    }

    #[test]
    fn a_scan_backwards_is_the_scan_reversed_from_any_key_on() {
        let mut random = fastrand::Rng::with_seed(5);
        let engine = engine_with_keys(&mut random);
        let view = engine.view().expect("viewed");
        let keys =
            |page: RecordPage| page.records.iter().map(|r| (r.pk().to_vec(), r.sk().to_vec())).collect::<Vec<_>>();
        let reversed = |page: RecordPage| keys(page).into_iter().rev().collect::<Vec<_>>();
        for range in
            [ScanRange::all(), ScanRange::segment(1, 3).expect("valid"), ScanRange::segment(299, 300).expect("valid")]
        {
            let in_order = keys(view.scan(range, ALL));
            assert_eq!(reversed(view.scan_reverse(range, ALL)), in_order);
            for _ in 0..200 {
                let (pk, sk) = (random.u16(..70).to_be_bytes(), random.u16(..50).to_be_bytes());
                let before = reversed(view.scan_reverse(range.before(&pk, &sk), ALL));
                let from = keys(view.scan(range.from(&pk, &sk), ALL));
                assert_eq!([before.clone(), from.clone()].concat(), in_order, "{pk:?} {sk:?}");
                let after = keys(view.scan(range.after(&pk, &sk), ALL));
                let is_there = from.first().is_some_and(|(p, s)| p[..] == pk && s[..] == sk);
                assert_eq!(after, from[usize::from(is_there)..]);
                let nearest = view.scan_reverse(range.before(&pk, &sk), PageLimits::of_records(1));
                assert_eq!(keys(nearest).last(), before.last());
            }
        }
    }
}
