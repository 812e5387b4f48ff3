//! The hash maps: DashMap and papaya, all with ahash. In two of them keys and values are arrays, which is the fastest they
//! can be: in DashMap they lie inside the table itself. In the third, keys and values are boxed bytes, as a program has
//! them whose keys and values vary in length.

use crate::data::{Key, Shape, Value};
use crate::store::{Result, Session, Shared, Store, Tally, Work};
use crate::workload::Workload;

/// A sharded hash map of arrays, a lock for each shard.
pub(crate) struct DashFixed(dashmap::DashMap<Key, Value, ahash::RandomState>);

/// The same map of boxed bytes.
pub(crate) struct DashBoxed(dashmap::DashMap<Box<[u8]>, Box<[u8]>, ahash::RandomState>);

// The same store twice; their sessions differ in how a key and a value get in and out.
macro_rules! dash_map {
    ($store:ident) => {
        impl Store for $store {
            const ORDERED: bool = false;
            const ATOMIC: bool = false;
            const EXTRA: &'static [Workload] = &[Workload::Count, Workload::CountSmall];

            fn open(_records: usize, _shape: Shape) -> Result<Self> {
                Ok(Self(dashmap::DashMap::default()))
            }

            fn run(&mut self, work: &Work<'_>) -> Tally {
                self.run_shared(work)
            }

            fn shared(&self) -> Option<&dyn Shared> {
                Some(self)
            }

            fn fork(&self) -> Option<Self> {
                Some(Self(self.0.clone()))
            }
        }

        impl Shared for $store {
            fn run_shared(&self, work: &Work<'_>) -> Tally {
                work.perform(&mut &self.0)
            }
        }
    };
}

dash_map!(DashFixed);
dash_map!(DashBoxed);

impl Session for &dashmap::DashMap<Key, Value, ahash::RandomState> {
    fn put(&mut self, key: &Key, value: &Value) {
        self.insert(*key, *value);
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        let found = dashmap::DashMap::get(self, key);
        found.map(|value| *out = *value).is_some()
    }

    fn delete(&mut self, key: &Key) {
        self.remove(key);
    }

    fn scan(&mut self, mut visit: impl FnMut(&[u8])) {
        for entry in self.iter() {
            visit(entry.value());
        }
    }

    fn count(&mut self) -> u64 {
        self.len() as u64
    }
}

impl Session for &dashmap::DashMap<Box<[u8]>, Box<[u8]>, ahash::RandomState> {
    fn put(&mut self, key: &Key, value: &Value) {
        self.insert(key[..].into(), value[..].into());
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        let found = dashmap::DashMap::get(self, &key[..]);
        found.map(|value| out.copy_from_slice(&value)).is_some()
    }

    fn delete(&mut self, key: &Key) {
        self.remove(&key[..]);
    }

    fn scan(&mut self, mut visit: impl FnMut(&[u8])) {
        for entry in self.iter() {
            visit(entry.value());
        }
    }

    fn count(&mut self) -> u64 {
        self.len() as u64
    }
}

/// A lock-free hash map.
pub(crate) struct Papaya(papaya::HashMap<Key, Value, ahash::RandomState>);

impl Store for Papaya {
    const ORDERED: bool = false;
    const ATOMIC: bool = false;

    fn open(_records: usize, _shape: Shape) -> Result<Self> {
        Ok(Self(papaya::HashMap::default()))
    }

    fn run(&mut self, work: &Work<'_>) -> Tally {
        self.run_shared(work)
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }

    fn fork(&self) -> Option<Self> {
        Some(Self(self.0.clone()))
    }
}

impl Shared for Papaya {
    fn run_shared(&self, work: &Work<'_>) -> Tally {
        // A guard for every operation, as a caller has it who comes and goes: one that is kept keeps dead values, too.
        work.perform(&mut &self.0)
    }
}

impl Session for &papaya::HashMap<Key, Value, ahash::RandomState> {
    fn put(&mut self, key: &Key, value: &Value) {
        self.pin().insert(*key, *value);
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        self.pin().get(key).map(|value| *out = *value).is_some()
    }

    fn delete(&mut self, key: &Key) {
        self.pin().remove(key);
    }

    fn scan(&mut self, mut visit: impl FnMut(&[u8])) {
        for value in self.pin().values() {
            visit(value);
        }
    }
}
