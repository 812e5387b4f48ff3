//! Writes: a record comes in, the older version of its key goes.

use super::index::Found;
use super::{Garbage, Policy, Tree};
use crate::key::{KeyRef, Route, StripeId};
use crate::live_index::Place;
use crate::record::Record;

impl Tree {
    /// Makes this the item of the key: without a record of its own, where that can be.
    #[inline(always)]
    pub(crate) fn put(&mut self, route: Route, key: KeyRef<'_>, body: &[u8], policy: Policy) -> Garbage {
        self.writes += 1;
        let mut garbage = Garbage::default();
        let is_alone = self.has_ssts_alone(&mut garbage);
        let found = self.index.find(route, key);
        if let Found::Own(place) = found
            && is_alone
            && self.index.overwrite(place, body)
        {
            return garbage;
        }
        self.write(found, Record::routed_put(route.tag, key, body), policy, &mut garbage);
        garbage
    }

    /// Removes the item of the key.
    pub(crate) fn delete(&mut self, route: Route, key: KeyRef<'_>, policy: Policy) -> Garbage {
        self.writes += 1;
        let mut garbage = Garbage::default();
        let is_alone = self.has_ssts_alone(&mut garbage);
        match self.index.find(route, key) {
            Found::Nowhere(_) => {}
            Found::Own(place) if is_alone && self.index.bury(place) => {
                let buried = self.index.remove(place, key);
                self.live.subtract(&buried);
                self.hidden.add(&buried);
                self.keep_bounds(policy, &mut garbage);
            }
            found => self.write_tombstone(found, Record::routed_tombstone(route.tag, key), policy, &mut garbage),
        }
        garbage
    }

    /// Makes the record the newest version of its key.
    pub(crate) fn apply(&mut self, route: Route, record: Record, policy: Policy) -> Garbage {
        self.writes += 1;
        let mut garbage = Garbage::default();
        let is_alone = self.has_ssts_alone(&mut garbage);
        let found = self.index.find(route, record.key_ref());
        match (found, record.is_tombstone()) {
            (Found::Nowhere(_), true) => {}
            (found, true) => self.write_tombstone(found, record, policy, &mut garbage),
            // Nobody knows the new record: what it says may stand in the old one.
            (Found::Own(place), false)
                if record.is_held_once() && is_alone && self.index.overwrite(place, record.body()) =>
            {
                garbage.replaced = Some(record);
            }
            (found, false) => self.write(found, record, policy, &mut garbage),
        }
        garbage
    }

    #[inline(always)]
    fn write(&mut self, found: Found, record: Record, policy: Policy, garbage: &mut Garbage) {
        let bytes = self.live.add(&record);
        if let Found::Nowhere(place) = found {
            self.index.insert(place, &record);
            self.memtable.append_weighed(record, bytes);
            self.keep_bounds(policy, garbage);
        } else {
            self.replace(found, record, policy, garbage);
        }
    }

    /// Puts a record that is counted already in the place of the version that is there.
    #[inline(never)]
    fn replace(&mut self, found: Found, record: Record, policy: Policy, garbage: &mut Garbage) {
        match found {
            Found::Own(place) => {
                self.order_to_exchange(policy.stripe, garbage);
                let old = self.index.replace(place, &record);
                self.live.subtract(&old);
                match self.memtable.exchange(&old, record).or_else(|record| self.ssts.exchange(&old, record)) {
                    Ok(old) => {
                        garbage.replaced = Some(old);
                        return;
                    }
                    Err(record) => {
                        self.hidden.add(&old);
                        self.memtable.append(record);
                    }
                }
            }
            Found::Below(place) | Found::Nowhere(place) => {
                self.hide_below(place, &record);
                self.index.insert(place, &record);
                self.memtable.append(record);
            }
        }
        self.keep_bounds(policy, garbage);
    }

    fn write_tombstone(&mut self, found: Found, tombstone: Record, policy: Policy, garbage: &mut Garbage) {
        self.hidden.add(&tombstone);
        match found {
            Found::Own(place) => {
                self.order_to_exchange(policy.stripe, garbage);
                let old = self.index.remove(place, tombstone.key_ref());
                self.live.subtract(&old);
                match self.memtable.exchange(&old, tombstone).or_else(|record| self.ssts.exchange(&old, record)) {
                    Ok(old) => garbage.replaced = Some(old),
                    Err(tombstone) => {
                        self.hidden.add(&old);
                        self.memtable.append(tombstone);
                    }
                }
            }
            Found::Below(place) | Found::Nowhere(place) => {
                self.hide_below(place, &tombstone);
                self.index.remove_below(place, tombstone.key_ref());
                self.memtable.append(tombstone);
            }
        }
        self.keep_bounds(policy, garbage);
    }

    /// Counts the version of a key in a base as hidden by a newer one, which no exchange reaches.
    #[cold]
    fn hide_below(&mut self, place: Place, newer: &Record) {
        if let Some(old) = self.index.below(place, newer.key_ref()) {
            self.live.subtract(&old);
            self.hidden.add(&old);
        }
    }

    /// Flushes and compacts when it is time.
    #[inline]
    fn keep_bounds(&mut self, policy: Policy, garbage: &mut Garbage) {
        if self.hides_more_than_a(4) {
            self.drop_hidden(policy, garbage);
        } else if self.memtable.len() >= policy.wal_records {
            self.flush_in_turn(policy, garbage);
        }
    }

    /// Whether nobody else holds one of the SSTs. To be asked before anything is looked for in the index.
    #[inline]
    fn has_ssts_alone(&mut self, garbage: &mut Garbage) -> bool {
        if self.has_shared_ssts {
            self.look_for_others(garbage);
        }
        !self.has_shared_ssts
    }

    #[cold]
    fn look_for_others(&mut self, garbage: &mut Garbage) {
        if let Some(base) = self.index.settle() {
            garbage.merged.get_or_insert_default().base = Some(base);
        }
        self.has_shared_ssts = self.index.is_layered() || self.ssts.are_shared();
    }

    /// Before a record is looked for in the memtable and the SSTs: what is in order is searched by halves.
    fn order_to_exchange(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        if self.memtable.has_much_unordered() {
            self.put_memtable_in_order(garbage);
        }
        self.sort_ssts(stripe, garbage);
    }
}
