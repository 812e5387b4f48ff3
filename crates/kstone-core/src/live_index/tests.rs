use std::collections::BTreeMap;

use super::*;
use crate::key::Keyspace;

/// The index against a map, and what has to hold of its slots.
struct Model {
    index: LiveIndex,
    records: BTreeMap<(Vec<u8>, u32), Record>,
}

impl Model {
    /// A route of this checksum: keys that share one collide.
    fn route(checksum: u32) -> Route {
        Route { checksum, ..Route::of(b"p", Keyspace::Items) }
    }

    fn put(&mut self, pk: Vec<u8>, checksum: u32) {
        let key = KeyRef::new(&pk, b"").expect("valid");
        let record = Record::routed_put(Self::route(checksum).tag, key, b"");
        match self.index.find(Self::route(checksum), key) {
            Ok(place) => drop(self.index.replace(place, &record)),
            Err(place) => self.index.insert(place, &record),
        }
        self.records.insert((pk, checksum), record);
    }

    fn delete(&mut self, pk: Vec<u8>, checksum: u32) {
        let key = KeyRef::new(&pk, b"").expect("valid");
        let found = self.index.find(Self::route(checksum), key);
        assert_eq!(found.is_ok(), self.records.contains_key(&(pk.clone(), checksum)));
        if let Ok(place) = found {
            let _gone = self.index.remove(place);
        }
        self.records.remove(&(pk, checksum));
    }

    fn check(&self) {
        assert_eq!(self.index.len(), self.records.len());
        for ((pk, checksum), record) in &self.records {
            let found = self.index.get(Self::route(*checksum), KeyRef::new(pk, b"").expect("valid"));
            assert!(found.is_some_and(|found| found.same(record)), "{pk:?}");
        }
        let slots = &self.index.slots;
        let filled = slots.iter().filter(|slot| slot.hash() != Uncounted::HASH_LAST).count();
        assert_eq!(filled, self.records.len());
        assert!(slots.last().is_none_or(|last| last.hash() == Uncounted::HASH_LAST), "the last is a gap");
        for (at, slot) in slots.iter().enumerate().filter(|(_, slot)| slot.hash() != Uncounted::HASH_LAST) {
            let home = self.index.home(slot.hash());
            assert!(home <= at && slots[home..at].iter().all(|before| before.hash() <= slot.hash()));
        }
    }
}

fn new_model() -> Model {
    Model { index: LiveIndex::default(), records: BTreeMap::new() }
}

#[test]
fn random_changes_agree_with_a_map_however_keys_collide() {
    let mut random = fastrand::Rng::with_seed(3);
    for checksums in [1, 3, 40, 100_000] {
        let mut model = new_model();
        for round in 0..6_000 {
            let number = random.u32(..600);
            let (pk, checksum) = (number.to_be_bytes().to_vec(), number % checksums);
            // Grows at first, then shrinks, then grows again.
            match random.u32(..10) < [8, 3, 8][round / 2000] {
                true => model.put(pk, checksum),
                false => model.delete(pk, checksum),
            }
            if round % 50 == 0 {
                model.check();
            }
        }
        for number in 0..600 {
            model.delete(u32::to_be_bytes(number).to_vec(), number % checksums);
        }
        model.check();
        assert_eq!(model.index.bytes(), 0, "an empty index holds no memory");
    }
}

#[test]
fn keys_that_all_collide_take_little_memory_and_few_comparisons() {
    // The last of all hashes belongs at the end.
    for checksum in [0, 1, 0xFFFF_FFFF] {
        let mut model = new_model();
        for number in 0..2_000_u32 {
            model.put(number.to_be_bytes().to_vec(), checksum);
        }
        model.check();
        assert!(model.index.bytes() < 2_000 * 8 * 3, "{} bytes", model.index.bytes());
    }
}

#[test]
fn an_index_takes_fifteen_bytes_a_record_at_most_and_charges_what_growing_takes() {
    let mut index = LiveIndex::default();
    let pks: Vec<[u8; 4]> = (0..20_000_u32).map(u32::to_be_bytes).collect();
    let keys: Vec<_> = pks.iter().map(|pk| KeyRef::new(pk, b"").expect("valid")).collect();
    let records: Vec<_> = keys.iter().map(|key| Record::put(*key, b"")).collect();
    for (key, record) in keys.iter().zip(&records) {
        let charged = index.charged_bytes();
        let place = index.find(key.route(), *key).expect_err("absent");
        index.insert(place, record);
        assert!(
            index.charged_bytes() <= charged + 15 + 64 * 8,
            "one record more is charged {}",
            index.charged_bytes() - charged
        );
        assert!(index.bytes() <= LiveIndex::charged_bytes_of(index.len()) + 64 * 8, "{} records", index.len());
    }
}

#[test]
fn records_of_one_key_in_two_keyspaces_are_two() {
    let item = KeyRef::new(b"\0\x01a", b"s").expect("valid");
    let entry = KeyRef::index_entry(b"\0\x01a", b"s").expect("valid");
    // As if their hashes collided.
    let route = Route { checksum: item.route().checksum, ..entry.route() };
    let (item_record, entry_record) = (Record::put(item, b"item"), Record::put(entry, b"entry"));
    let mut index = LiveIndex::default();
    for (route, key, record) in [(item.route(), item, &item_record), (route, entry, &entry_record)] {
        let place = index.find(route, key).expect_err("absent");
        index.insert(place, record);
    }
    assert_eq!(index.get(item.route(), item).expect("present").body(), b"item");
    assert_eq!(index.get(route, entry).expect("present").body(), b"entry");
    assert!(hash_of(item.route(), item).is_multiple_of(2) && !hash_of(route, entry).is_multiple_of(2));
}

#[test]
fn hashes_of_numbers_in_keys_are_spread() {
    let spread = |hash: &dyn Fn(u32) -> u32| {
        let mut hashes: Vec<u32> = (0..4096).map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let buckets = hashes.iter().map(|hash| hash >> (Uncounted::HASH_BITS - 8));
        (
            hashes.len(),
            buckets.fold([0_usize; 256], |mut counts, bucket| {
                counts[bucket as usize] += 1;
                counts
            }),
        )
    };
    let route = Route::of(b"p", Keyspace::Items);
    for name in ["big-endian", "text"] {
        let (different, counts) = spread(&|number| {
            let sk = if name == "text" { number.to_string().into_bytes() } else { number.to_be_bytes().to_vec() };
            hash_of(route, KeyRef::new(b"p", &sk).expect("valid"))
        });
        assert!(different > 4000 && counts.iter().all(|count| *count < 48), "{name}: {different}, {counts:?}");
    }
}
