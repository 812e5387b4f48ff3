//! Keys and values: made from a seed, the same for every system, in memory before any clock runs.
//!
//! ```text
//! key of a point dataset      [16 random bytes]                    kstone: pk = all 16, no sk
//! key of a partition dataset  [8: the partition][8: within it]     kstone: pk = 8, sk = 8
//! ```
//! The keys that a workload uses lie one after another in the order of their use, so that reading them costs every
//! system the same little. A value is 100 bytes of text out of a small pool that stays in the first-level cache; its
//! place there follows from the key, so that any record can be checked.

/// Bytes of a value.
pub(crate) const VALUE_BYTES: usize = 100;
/// A key as the peers hold it.
pub(crate) type Key = [u8; 16];
/// The first half of a key of a partition dataset.
pub(crate) type Partition = [u8; 8];
/// What is stored under a key.
pub(crate) type Value = [u8; VALUE_BYTES];

/// A key that is written right before it is used, by two stores of 8 bytes, as programs do whose keys are made of numbers.
/// A load of 16 bytes that follows them waits until both have left the processor's store buffer.
#[derive(Default)]
pub(crate) struct FreshKey([u64; 2]);

impl FreshKey {
    /// Writes the key.
    #[inline]
    #[expect(unsafe_code, reason = "stores that the compiler joins would be prepared keys")]
    pub(crate) fn write(&mut self, key: &Key) -> &Key {
        let (first, second) = key.split_at(8);
        let half = |bytes: &[u8]| bytes.first_chunk().copied().map_or(0, u64::from_ne_bytes);
        // SAFETY: both are places of this value, borrowed for writing.
        unsafe {
            (&raw mut self.0[0]).write_volatile(half(first));
            (&raw mut self.0[1]).write_volatile(half(second));
        }
        // SAFETY: two u64 are 16 initialised bytes, which need no alignment, borrowed for as long as self is.
        unsafe { &*(&raw const self.0).cast::<Key>() }
    }
}

/// What a value begins with that the filter lets through: one letter of twenty-six.
pub(crate) const FILTERED: &str = "k";

const POOL_OFFSETS: usize = 4096;
static POOL: [u8; POOL_OFFSETS + VALUE_BYTES] = make_pool();

const fn make_pool() -> [u8; POOL_OFFSETS + VALUE_BYTES] {
    let mut pool = [0; POOL_OFFSETS + VALUE_BYTES];
    let mut state = 1u32;
    let mut i = 0;
    while i < pool.len() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        pool[i] = b'a' + ((state >> 16) % 26) as u8;
        i += 1;
    }
    pool
}

/// The value that belongs to a key.
#[inline]
pub(crate) fn value_of(key: &Key) -> &'static Value {
    let offset = usize::from(u16::from_le_bytes([key[14], key[15]])) % POOL_OFFSETS;
    POOL[offset..].first_chunk().expect("the pool goes on for a value after its last offset")
}

/// Whether the filter lets a value through.
#[inline]
pub(crate) fn is_filtered(value: &[u8]) -> bool {
    value.starts_with(FILTERED.as_bytes())
}

/// How a dataset divides its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Every key is a partition key.
    Points,
    /// A partition key of 8 bytes and a sort key of 8.
    Partitions,
}

/// What one process works with.
#[derive(Default)]
pub(crate) struct Data {
    /// All keys, in the order in which they are loaded.
    pub(crate) load: Vec<Key>,
    /// Keys that are present, in another random order: a part of them, or each several times, to make the number of
    /// operations.
    pub(crate) access: Vec<Key>,
    /// As many keys that are not there.
    pub(crate) absent: Vec<Key>,
    /// Partitions to query, in random order.
    pub(crate) partitions: Vec<Partition>,
}

impl Data {
    /// Records of a 16-byte key. `set` tells apart datasets that share no key.
    pub(crate) fn points(records: usize, operations: usize, seed: u64, set: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let first = set << 40;
        let key = |i: usize| point_key(seed, first + i as u64);
        let load: Vec<Key> = (0..records).map(key).collect();
        let mut access = load.clone();
        random.shuffle(&mut access);
        repeat_to(&mut access, operations);
        let absent = (records..records + operations).map(key).collect();
        Self { load, access, absent, partitions: Vec::new() }
    }

    /// Records in partitions of `size`, loaded in random order.
    pub(crate) fn partitions(records: usize, size: usize, queries: usize, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut partitions: Vec<Partition> =
            (0..(records / size).max(1)).map(|p| mix(seed, p as u64).to_be_bytes()).collect();
        let mut load: Vec<Key> = Vec::with_capacity(partitions.len() * size);
        for partition in &partitions {
            load.extend((0..size).map(|i| join(*partition, mix(!seed, i as u64).to_be_bytes())));
        }
        random.shuffle(&mut load);
        random.shuffle(&mut partitions);
        repeat_to(&mut partitions, queries);
        Self { load, partitions, ..Self::default() }
    }
}

/// The least or the greatest key that a partition may hold.
#[inline]
pub(crate) fn join(partition: Partition, rest: [u8; 8]) -> Key {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&partition);
    key[8..].copy_from_slice(&rest);
    key
}

fn point_key(seed: u64, i: u64) -> Key {
    join(mix(seed, i).to_be_bytes(), mix(!seed, i).to_be_bytes())
}

/// Scrambles a number; different numbers stay different, because every step can be undone.
fn mix(seed: u64, i: u64) -> u64 {
    let mut x = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Cuts the list to the length, or goes over it again and again until it is as long.
fn repeat_to<T: Copy>(list: &mut Vec<T>, length: usize) {
    let once = list.len();
    list.truncate(length);
    for i in list.len()..length {
        list.push(list[i % once]);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_are_distinct_and_absent_ones_absent() {
        let data = Data::points(10_000, 10_000, 7, 0);
        let other = Data::points(10_000, 10_000, 7, 1);
        let all: HashSet<&Key> = data.load.iter().chain(&data.absent).chain(&other.load).collect();
        assert_eq!(all.len(), 30_000);
        let present: HashSet<&Key> = data.load.iter().collect();
        assert!(data.access.iter().all(|key| present.contains(key)));
    }

    #[test]
    fn the_same_seed_makes_the_same_data() {
        assert_eq!(Data::points(100, 50, 7, 0).access, Data::points(100, 50, 7, 0).access);
        assert_ne!(Data::points(100, 50, 7, 0).load, Data::points(100, 50, 8, 0).load);
    }

    #[test]
    fn access_is_cut_or_repeated_to_the_number_of_operations() {
        assert_eq!(Data::points(100, 50, 7, 0).access.len(), 50);
        let repeated = Data::points(100, 250, 7, 0).access;
        assert_eq!(repeated.len(), 250);
        assert_eq!(repeated[..100], repeated[100..200]);
    }

    #[test]
    fn partitions_hold_the_records_they_should() {
        let data = Data::partitions(1_000, 10, 300, 7);
        assert_eq!((data.load.len(), data.partitions.len()), (1_000, 300));
        let first = data.partitions[0];
        assert_eq!(data.load.iter().filter(|key| key[..8] == first).count(), 10);
    }

    #[test]
    fn a_fresh_key_is_the_key() {
        let mut fresh = FreshKey::default();
        for key in &Data::points(100, 1, 7, 0).load {
            assert_eq!(fresh.write(key), key);
        }
    }

    #[test]
    fn values_are_text_and_follow_from_the_key() {
        let data = Data::points(1_000, 1, 7, 0);
        assert!(data.load.iter().all(|key| value_of(key).is_ascii()));
        let distinct: HashSet<&Value> = data.load.iter().map(value_of).collect();
        assert!(distinct.len() > 800);
        let filtered = data.load.iter().filter(|key| is_filtered(value_of(key))).count();
        assert!((10..100).contains(&filtered), "{filtered}");
    }
}
