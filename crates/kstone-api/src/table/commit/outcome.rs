//! What a write did to its item and to the entries of its indexes, for whoever counts what it cost.
//!
//! Only the item before and after are kept, shared, and only where they are asked for; the entries follow from them.

use std::fmt;
use std::sync::Arc;

use kstone_core::record::Record;

use crate::table::index::{IndexEntry, IndexKind};
use crate::table::state::TableState;

/// What a write did: see [`Table::write_with_outcome`](crate::Table::write_with_outcome).
#[derive(Clone)]
pub struct WriteOutcome {
    returned: Option<Record>,
    old: Option<Record>,
    new: Option<Record>,
    /// By which it was decided.
    table: Arc<TableState>,
}

/// What a write changed in one index.
#[derive(Debug, Clone)]
pub struct IndexChange {
    /// The index's name.
    pub index: String,
    /// Whether it is local or global.
    pub kind: IndexKind,
    /// What the index showed of the item, where it shows it no longer.
    pub removed: Option<Record>,
    /// What the index shows of the item now.
    pub added: Option<Record>,
    /// Whether the entry is written over the one that is removed: their keys in the index are the same.
    pub in_place: bool,
}

impl WriteOutcome {
    pub(crate) fn new(
        returned: Option<Record>,
        (old, new): (Option<Record>, Option<Record>),
        table: Arc<TableState>,
    ) -> Self {
        Self { returned, old, new, table }
    }

    /// That of a get.
    pub(crate) fn of_get(item: Option<Record>, table: Arc<TableState>) -> Self {
        Self::new(item.clone(), (item.clone(), item), table)
    }

    /// What the write returns of the item; of a get, the item.
    #[must_use]
    pub fn returned(&self) -> Option<&Record> {
        self.returned.as_ref()
    }

    /// The item before, as requests saw it.
    #[must_use]
    pub fn old(&self) -> Option<&Record> {
        self.old.as_ref()
    }

    /// The item after: the same as before where nothing was written.
    #[must_use]
    pub fn new_item(&self) -> Option<&Record> {
        self.new.as_ref()
    }

    /// What it changed in the indexes that could be read then, by their names. Computed when it is asked for.
    #[must_use]
    pub fn index_changes(&self) -> Vec<IndexChange> {
        let entries =
            |item: &Option<Record>| item.as_ref().map_or_else(Vec::new, |item| self.table.present_entries(item));
        let (olds, news) = (entries(&self.old), entries(&self.new));
        let change = |index: &crate::index::Index| {
            let of_index = |entries: &[Record]| {
                let is_of = |entry: &&Record| IndexEntry::read(entry).is_some_and(|entry| entry.index() == index.id());
                entries.iter().find(is_of).cloned()
            };
            let (old, new) = (of_index(&olds), of_index(&news));
            let in_place =
                old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| (old.pk(), old.sk()) == (new.pk(), new.sk()));
            if in_place && old.as_ref().map(Record::body) == new.as_ref().map(Record::body) {
                return None;
            }
            let shown = |entry: Option<Record>| IndexEntry::read(&entry?).map(|entry| entry.to_item_record());
            let (removed, added) = (shown(old), shown(new));
            let is_change = removed.is_some() || added.is_some();
            is_change.then(|| IndexChange {
                index: index.name().to_owned(),
                kind: index.kind(),
                removed,
                added,
                in_place,
            })
        };
        self.table.indexes.iter().filter_map(change).collect()
    }
}

impl fmt::Debug for WriteOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WriteOutcome");
        shown.field("returned", &self.returned).field("old", &self.old).field("new", &self.new).finish_non_exhaustive()
    }
}
