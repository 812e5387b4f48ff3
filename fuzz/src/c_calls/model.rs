//! What a database must hold: a map in the order of the keys.

use std::collections::BTreeMap;

/// An item: numbers by name.
pub(super) type Attributes = BTreeMap<String, i64>;
/// Partition key and sort key.
pub(super) type Key = (Vec<u8>, Vec<u8>);
/// A key and its item.
pub(super) type Entry = (Key, Attributes);

/// A database as it must be.
#[derive(Clone, Default)]
pub(super) struct Model(BTreeMap<Key, Attributes>);

impl Model {
    pub(super) fn get(&self, key: &Key) -> Option<&Attributes> {
        self.0.get(key)
    }

    pub(super) fn put(&mut self, key: &Key, attributes: &Attributes) {
        self.0.insert(key.clone(), attributes.clone());
    }

    pub(super) fn set(&mut self, key: &Key, name: &str, value: i64) {
        self.0.entry(key.clone()).or_default().insert(name.to_owned(), value);
    }

    pub(super) fn delete(&mut self, key: &Key) {
        self.0.remove(key);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many items are like this.
    pub(super) fn count(&self, like: impl Fn(&Attributes) -> bool) -> u64 {
        self.0.values().filter(|item| like(item)).count() as u64
    }

    /// The items of a partition in the order of their sort keys, or all items in the order of their keys.
    pub(super) fn entries(&self, pk: Option<&[u8]>, reverse: bool) -> Vec<Entry> {
        let wanted = |(key, _): &(&Key, &Attributes)| pk.is_none_or(|pk| key.0 == pk);
        let mut entries: Vec<Entry> =
            self.0.iter().filter(wanted).map(|(key, item)| (key.clone(), item.clone())).collect();
        if reverse {
            entries.reverse();
        }
        entries
    }
}
