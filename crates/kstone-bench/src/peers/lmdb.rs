//! LMDB through heed, on a RAM disk, without syncing: a memory-mapped B+ tree.
//!
//! In its favour: one transaction for a whole workload, where kstone's every call stands for itself; and a writable
//! map. It takes one writer at a time, so it has no part in the workloads of several threads.

#![expect(unsafe_code, reason = "opening a memory map is unsafe in heed")]

use std::ops::Bound;

use heed::types::Bytes;
use heed::{Database, Env, EnvFlags, EnvOpenOptions, RoTxn, RwTxn};
use tempfile::TempDir;

use crate::data::{Key, Partition, Shape, Value, join};
use crate::memory::disk_blocks;
use crate::peers::ram_disk;
use crate::store::{Result, Session, Store, Tally, Work};
use crate::workload::Workload;

type Table = Database<Bytes, Bytes>;

/// An environment of one database in a directory of its own.
pub(crate) struct Lmdb {
    env: Env,
    table: Table,
    directory: TempDir,
}

impl Store for Lmdb {
    const ORDERED: bool = true;
    const ATOMIC: bool = true;
    const EXTRA: &'static [Workload] = &[Workload::ScanFirst, Workload::Count, Workload::CountSmall];

    fn open(records: usize, _shape: Shape) -> Result<Self> {
        let directory = ram_disk()?;
        let mut options = EnvOpenOptions::new();
        // Address space, not memory: more than copies on write of everything could need.
        options.map_size((records * 1024 + (64 << 20)).next_multiple_of(1 << 20));
        // SAFETY: losing data is what NO_SYNC and MAP_ASYNC risk, and nothing here is to outlive the process. The file is
        // in a directory of its own, so no other process changes it under the map.
        let env = unsafe {
            options.flags(EnvFlags::NO_SYNC | EnvFlags::WRITE_MAP | EnvFlags::MAP_ASYNC);
            options.open(directory.path())?
        };
        let mut txn = env.write_txn()?;
        let table = env.create_database(&mut txn, None)?;
        txn.commit()?;
        Ok(Self { env, table, directory })
    }

    fn run(&mut self, work: &Work<'_>) -> Tally {
        if !work.writes() {
            let txn = self.env.read_txn().expect("there is a free reader slot");
            return work.perform(&mut Reader { table: self.table, txn: &txn });
        }
        let mut txn = self.env.write_txn().expect("there is no other writer");
        let tally = work.perform(&mut Writer { table: self.table, txn: &mut txn });
        txn.commit().expect("the map is large enough");
        tally
    }

    fn file_bytes(&self) -> Result<u64> {
        Ok(disk_blocks(self.directory.path())?)
    }
}

struct Reader<'a> {
    table: Table,
    txn: &'a RoTxn<'a>,
}

struct Writer<'a, 'env> {
    table: Table,
    txn: &'a mut RwTxn<'env>,
}

fn get(table: Table, txn: &RoTxn<'_>, key: &Key, out: &mut Value) -> bool {
    let found = table.get(txn, key).expect("the database is sound");
    found.map(|value| out.copy_from_slice(value)).is_some()
}

impl Session for Reader<'_> {
    fn put(&mut self, _key: &Key, _value: &Value) {
        unreachable!("a work that writes has a writer");
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        get(self.table, self.txn, key, out)
    }

    fn delete(&mut self, _key: &Key) {
        unreachable!("a work that writes has a writer");
    }

    fn scan(&mut self, mut visit: impl FnMut(&[u8])) {
        for record in self.table.iter(self.txn).expect("the database is sound") {
            visit(record.expect("the database is sound").1);
        }
    }

    fn scan_first(&mut self, items: usize, mut visit: impl FnMut(&[u8])) {
        for record in self.table.iter(self.txn).expect("the database is sound").take(items) {
            visit(record.expect("the database is sound").1);
        }
    }

    fn count(&mut self) -> u64 {
        self.table.len(self.txn).expect("the database is sound")
    }

    fn query(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        let (first, last) = (join(partition, [0; 8]), join(partition, [0xff; 8]));
        let range = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        for record in self.table.range(self.txn, &range).expect("the database is sound") {
            visit(record.expect("the database is sound").1);
        }
    }

    fn last(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        let (first, last) = (join(partition, [0; 8]), join(partition, [0xff; 8]));
        let range = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        if let Some(record) = self.table.rev_range(self.txn, &range).expect("the database is sound").next() {
            visit(record.expect("the database is sound").1);
        }
    }
}

impl Session for Writer<'_, '_> {
    fn put(&mut self, key: &Key, value: &Value) {
        self.table.put(self.txn, key, value).expect("the map is large enough");
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        get(self.table, self.txn, key, out)
    }

    fn delete(&mut self, key: &Key) {
        self.table.delete(self.txn, key).expect("the map is large enough");
    }

    fn scan(&mut self, _visit: impl FnMut(&[u8])) {
        unreachable!("a work that only reads has a reader");
    }
}
