//! The systems that are measured, one file for each kind.

pub(crate) mod kstone;
mod lmdb;
mod maps;
mod redb;
#[cfg(rocksdb_found)]
mod rocksdb;
pub(crate) mod sqlite;
mod trees;

use std::path::Path;

use tempfile::TempDir;

use crate::calls::{KstoneCalls, SerdeJson};
use crate::documents::DocumentRunner;
use crate::runner::{Measure, StoreRunner};
use crate::snapshots::SnapshotRunner;
use crate::store::Result;
use crate::workload::Stage;

/// What the processes of one run have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// How many records.
    pub(crate) records: usize,
    /// How many operations of a workload that is no load.
    pub(crate) operations: usize,
    /// How many threads, where there are several.
    pub(crate) threads: usize,
    /// What all keys follow from.
    pub(crate) seed: u64,
}

macro_rules! systems {
    ($($variant:ident $name:literal $text:literal;)+) => {
        /// One system that is measured.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum System {
            $(#[doc = $text] $variant,)+
        }

        impl System {
            /// All, kstone first.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it in arguments and tables.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is, in one line.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

systems! {
    Kstone "kstone" "the library under test, through its C ABI";
    DashFixed "dash-fixed" "DashMap with ahash, a sharded hash map: [u8; 16] -> [u8; 100], inside the table";
    DashBoxed "dash-boxed" "the same map with keys and values of any length: Box<[u8]> -> Box<[u8]>";
    Papaya "papaya" "papaya with ahash, a lock-free hash map: [u8; 16] -> [u8; 100]";
    Blart "blart" "an adaptive radix tree behind an RwLock";
    BTreeMap "btreemap" "the standard library's BTreeMap behind an RwLock";
    Lmdb "lmdb" "LMDB on a RAM disk, no sync";
    Sqlite "sqlite" "SQLite :memory:, prepared statements, WITHOUT ROWID";
    Redb "redb" "redb in memory";
    RocksDb "rocksdb" "RocksDB on a RAM disk, no write-ahead log";
    SerdeJson "serde_json" "serde_json's Value, compared with items and JSON";
}

impl System {
    /// The system of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|system| system.name() == name)
    }

    /// Whether this build has it.
    pub(crate) fn is_built(self) -> bool {
        self != Self::RocksDb || cfg!(rocksdb_found)
    }

    /// What measures the system in one stage, with its data made and nothing loaded; none where it has no part in it.
    pub(crate) fn measure(self, stage: Stage, scale: Scale) -> Result<Option<Box<dyn Measure>>> {
        if stage == Stage::Calls {
            return Ok(match self {
                Self::Kstone => Some(Box::new(KstoneCalls)),
                Self::SerdeJson => Some(Box::new(SerdeJson)),
                _ => None,
            });
        }
        if stage == Stage::Files {
            return Ok(match self {
                Self::Kstone => Some(Box::new(SnapshotRunner::<kstone::Kstone>::new(scale)?)),
                Self::Sqlite => Some(Box::new(SnapshotRunner::<sqlite::Sqlite>::new(scale)?)),
                _ => None,
            });
        }
        if matches!(stage, Stage::Documents | Stage::Indexed) {
            return Ok(match self {
                Self::Kstone => Some(Box::new(DocumentRunner::<kstone::Kstone>::new(scale))),
                Self::Sqlite => Some(Box::new(DocumentRunner::<sqlite::Sqlite>::new(scale))),
                _ => None,
            });
        }
        match self {
            Self::Kstone => StoreRunner::<kstone::Kstone>::boxed(stage, scale),
            Self::DashFixed => StoreRunner::<maps::DashFixed>::boxed(stage, scale),
            Self::DashBoxed => StoreRunner::<maps::DashBoxed>::boxed(stage, scale),
            Self::Papaya => StoreRunner::<maps::Papaya>::boxed(stage, scale),
            Self::Blart => StoreRunner::<trees::Blart>::boxed(stage, scale),
            Self::BTreeMap => StoreRunner::<trees::BTreeMap>::boxed(stage, scale),
            Self::Lmdb => StoreRunner::<lmdb::Lmdb>::boxed(stage, scale),
            Self::Sqlite => StoreRunner::<sqlite::Sqlite>::boxed(stage, scale),
            Self::Redb => StoreRunner::<redb::Redb>::boxed(stage, scale),
            #[cfg(rocksdb_found)]
            Self::RocksDb => StoreRunner::<rocksdb::RocksDb>::boxed(stage, scale),
            #[cfg(not(rocksdb_found))]
            Self::RocksDb => Ok(None),
            Self::SerdeJson => Ok(None),
        }
    }
}

/// A directory on a RAM disk that goes when it is dropped.
fn ram_disk() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        return Err("there is no RAM disk at /dev/shm for LMDB and RocksDB: leave them out with --peer".into());
    }
    Ok(tempfile::Builder::new().prefix("kstone-bench-").tempdir_in(memory)?)
}
