//! The trees: blart's adaptive radix tree and the standard library's B-tree, each behind one lock for readers and
//! writers. Values lie in them as arrays.

use std::collections::BTreeMap as StdBTreeMap;

use parking_lot::RwLock;

use crate::data::{Key, Partition, Shape, Value, join, value_of};
use crate::store::{Result, Session, Shared, Store, Tally, Work};
use crate::workload::Workload;

/// `RwLock` of blart's `TreeMap`.
pub(crate) struct Blart(RwLock<blart::TreeMap<Key, Value>>);

/// `RwLock` of the standard library's `BTreeMap`.
pub(crate) struct BTreeMap(RwLock<StdBTreeMap<Key, Value>>);

// The two have the same methods, without a trait in common.
macro_rules! ordered_map {
    ($store:ident, $map:ty) => {
        impl Store for $store {
            const ORDERED: bool = true;
            const ATOMIC: bool = true;
            const EXTRA: &'static [Workload] = &[Workload::ScanFirst, Workload::Count, Workload::CountSmall];

            fn open(_records: usize, _shape: Shape) -> Result<Self> {
                Ok(Self(RwLock::new(<$map>::new())))
            }

            fn run(&mut self, work: &Work<'_>) -> Tally {
                self.run_shared(work)
            }

            fn shared(&self) -> Option<&dyn Shared> {
                Some(self)
            }

            fn fork(&self) -> Option<Self> {
                Some(Self(RwLock::new(self.0.read().clone())))
            }
        }

        impl Shared for $store {
            fn run_shared(&self, work: &Work<'_>) -> Tally {
                work.perform(&mut &self.0)
            }
        }

        impl Session for &RwLock<$map> {
            fn put(&mut self, key: &Key, value: &Value) {
                self.write().insert(*key, *value);
            }

            fn get(&mut self, key: &Key, out: &mut Value) -> bool {
                self.read().get(key).map(|value| *out = *value).is_some()
            }

            fn delete(&mut self, key: &Key) {
                self.write().remove(key);
            }

            fn scan(&mut self, mut visit: impl FnMut(&[u8])) {
                for value in self.read().values() {
                    visit(value);
                }
            }

            fn scan_first(&mut self, items: usize, visit: impl FnMut(&[u8])) {
                self.read().values().take(items).map(|value| &value[..]).for_each(visit);
            }

            fn count(&mut self) -> u64 {
                self.read().len() as u64
            }

            fn put_together(&mut self, keys: &[Key]) {
                let mut map = self.write();
                for key in keys {
                    map.insert(*key, *value_of(key));
                }
            }

            fn query(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
                for (_, value) in self.read().range(join(partition, [0; 8])..=join(partition, [0xff; 8])) {
                    visit(value);
                }
            }

            fn last(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
                let map = self.read();
                if let Some((_, value)) = map.range(join(partition, [0; 8])..=join(partition, [0xff; 8])).next_back() {
                    visit(value);
                }
            }
        }
    };
}

ordered_map!(Blart, blart::TreeMap<Key, Value>);
ordered_map!(BTreeMap, StdBTreeMap<Key, Value>);
