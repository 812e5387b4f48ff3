//! redb in memory: a copy-on-write B-tree in Rust.
//!
//! In its favour: one transaction for a whole workload, and a cache that holds everything. It takes one writer at a
//! time, so it has no part in the workloads of several threads.

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::data::{Key, Partition, Shape, Value, join};
use crate::store::{Result, Session, Store, Tally, Work};

const TABLE: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("records");
/// More than the largest dataset takes.
const CACHE_BYTES: usize = 4 << 30;

/// A database of one table.
pub(crate) struct Redb(Database);

impl Store for Redb {
    const ORDERED: bool = true;
    const ATOMIC: bool = true;

    fn open(_records: usize, _shape: Shape) -> Result<Self> {
        let database = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(InMemoryBackend::new())?;
        let txn = database.begin_write()?;
        txn.open_table(TABLE)?;
        txn.commit()?;
        Ok(Self(database))
    }

    fn run(&mut self, work: &Work<'_>) -> Tally {
        if !work.writes() {
            let txn = self.0.begin_read().expect("the database is sound");
            return work.perform(&mut Reader(txn.open_table(TABLE).expect("the table exists")));
        }
        let txn = self.0.begin_write().expect("there is no other writer");
        let tally = work.perform(&mut Writer(txn.open_table(TABLE).expect("the table exists")));
        txn.commit().expect("memory does not run out");
        tally
    }
}

struct Reader(redb::ReadOnlyTable<&'static Key, &'static [u8]>);
struct Writer<'txn>(redb::Table<'txn, &'static Key, &'static [u8]>);

fn get(table: &impl ReadableTable<&'static Key, &'static [u8]>, key: &Key, out: &mut Value) -> bool {
    let found = table.get(key).expect("the database is sound");
    found.map(|value| out.copy_from_slice(value.value())).is_some()
}

impl Session for Reader {
    fn put(&mut self, _key: &Key, _value: &Value) {
        unreachable!("a work that writes has a writer");
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        get(&self.0, key, out)
    }

    fn delete(&mut self, _key: &Key) {
        unreachable!("a work that writes has a writer");
    }

    fn scan(&mut self, mut visit: impl FnMut(&[u8])) {
        for record in self.0.iter().expect("the database is sound") {
            visit(record.expect("the database is sound").1.value());
        }
    }

    fn query(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        let (first, last) = (join(partition, [0; 8]), join(partition, [0xff; 8]));
        for record in self.0.range::<&Key>(&first..=&last).expect("the database is sound") {
            visit(record.expect("the database is sound").1.value());
        }
    }

    fn last(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        let (first, last) = (join(partition, [0; 8]), join(partition, [0xff; 8]));
        if let Some(record) = self.0.range::<&Key>(&first..=&last).expect("the database is sound").next_back() {
            visit(record.expect("the database is sound").1.value());
        }
    }
}

impl Session for Writer<'_> {
    fn put(&mut self, key: &Key, value: &Value) {
        self.0.insert(key, &value[..]).expect("memory does not run out");
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        get(&self.0, key, out)
    }

    fn delete(&mut self, key: &Key) {
        self.0.remove(key).expect("memory does not run out");
    }

    fn scan(&mut self, _visit: impl FnMut(&[u8])) {
        unreachable!("a work that only reads has a reader");
    }
}
