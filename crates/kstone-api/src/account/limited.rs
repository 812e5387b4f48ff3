//! The tables of an account with a memory limit: each of them may have to give memory back for a write to any other.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use kstone_core::engine::{Charge, Engine, EngineOrdinal};
use parking_lot::Mutex;

use crate::model::options::DatabaseOptions;
use crate::table::{Table, WeakTable};

/// See the module. Without a limit there are none.
#[derive(Default)]
pub(crate) struct LimitedTables {
    tables: Mutex<BTreeMap<EngineOrdinal, WeakTable>>,
    /// How many of them have a stream.
    streams: AtomicUsize,
    /// What parsed texts take.
    texts: OnceLock<Charge>,
}

impl LimitedTables {
    pub(crate) fn add(&self, ordinal: EngineOrdinal, table: WeakTable) {
        self.tables.lock().insert(ordinal, table);
        self.share_streams();
    }

    /// Forgets a table that is gone.
    pub(crate) fn remove(&self, ordinal: EngineOrdinal) {
        self.tables.lock().remove(&ordinal);
        self.share_streams();
    }

    /// Those that are there. They may be gone with the result, which is to be dropped where nothing is locked that they
    /// need.
    pub(crate) fn all(&self) -> Vec<Table> {
        self.tables.lock().values().filter_map(WeakTable::get).collect()
    }

    /// What is set aside for each stream: they share what there is for one.
    pub(crate) fn stream_share_bytes(&self, options: DatabaseOptions) -> usize {
        options.stream_share_bytes() / self.streams.load(Ordering::Relaxed).max(1)
    }

    /// Has each stream keep to its share, which is another one where there are more of them or fewer.
    pub(crate) fn share_streams(&self) {
        let tables = self.all();
        let streams = tables.iter().filter(|table| table.state().stream.is_some()).count();
        if self.streams.swap(streams, Ordering::Relaxed) != streams {
            tables.iter().for_each(|table| table.charge_apart());
        }
    }

    pub(crate) fn charge_texts(&self, engine: &Engine, bytes: usize) {
        self.texts.get_or_init(|| engine.charge()).set(bytes);
    }
}
