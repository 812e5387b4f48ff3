//! The tables that a commit is about: one, which costs nothing, or several.
//!
//! Each is given once and has a place; the writes say by their own place which of them they are about. What a commit has
//! of each table, such as its state, is an array of one or a list.

use std::cell::Cell;

use crate::error::{Error, Result};
use crate::model::clock::Clock;
use crate::table::Table;
use crate::table::commit::outcome::WriteOutcome;
use crate::table::state::TableState;

/// See the module. There is at least one.
pub(crate) trait Tables {
    /// One of something for each table, in the order of their places.
    type Each<X>: AsRef<[X]> + AsMut<[X]>;

    /// The table at this place.
    fn table(&self, place: usize) -> &Table;

    /// The place of the table that this write is about.
    fn place(&self, write: usize) -> usize;

    /// Something of each table.
    fn each<'t, X>(&'t self, make: impl FnMut(usize, &'t Table) -> X) -> Self::Each<X>;

    /// The same, where the first that fails ends it.
    fn try_each<'t, X>(&'t self, make: impl FnMut(usize, &'t Table) -> Result<X>) -> Result<Self::Each<X>>;

    /// Whether somebody wants to know what became of each item.
    fn keeps_outcomes(&self) -> bool {
        false
    }

    /// What became of each, in the place of what an earlier attempt had kept.
    fn keep_outcomes(&self, _outcomes: Vec<WriteOutcome>) {}

    /// The table that this write is about.
    #[inline]
    fn of(&self, write: usize) -> &Table {
        self.table(self.place(write))
    }

    /// The time by which all of them decide, where one of these states asks for it.
    fn now<'s>(&self, mut states: impl Iterator<Item = &'s TableState>) -> i64 {
        if states.any(TableState::needs_time) { self.table(0).environment().clock.now_epoch_seconds() } else { 0 }
    }
}

impl Tables for Table {
    type Each<X> = [X; 1];

    #[inline]
    fn table(&self, _place: usize) -> &Table {
        self
    }

    #[inline]
    fn place(&self, _write: usize) -> usize {
        0
    }

    #[inline]
    fn each<'t, X>(&'t self, mut make: impl FnMut(usize, &'t Table) -> X) -> [X; 1] {
        [make(0, self)]
    }

    #[inline]
    fn try_each<'t, X>(&'t self, mut make: impl FnMut(usize, &'t Table) -> Result<X>) -> Result<[X; 1]> {
        Ok([make(0, self)?])
    }
}

/// Tables of one account, and which of them each of several operations is about.
pub(crate) struct SeveralTables {
    /// Each once, ascending by the ordinals of their engines: what is waited for in one after the other, as memory is, is
    /// waited for in one order.
    tables: Vec<Table>,
    /// Of each operation.
    places: Vec<usize>,
    outcomes: Option<Cell<Vec<WriteOutcome>>>,
}

impl SeveralTables {
    /// Those of these operations.
    pub(crate) fn of(named: Vec<Table>) -> Self {
        let mut tables = named.clone();
        tables.sort_by_key(|table| table.engine().ordinal());
        tables.dedup_by_key(|table| table.engine().ordinal());
        let place = |table: &Table| tables.partition_point(|other| other.engine().ordinal() < table.engine().ordinal());
        let places = named.iter().map(place).collect();
        Self { tables, places, outcomes: None }
    }

    /// The same, keeping what becomes of each item.
    pub(crate) fn keeping_outcomes(self) -> Self {
        Self { outcomes: Some(Cell::default()), ..self }
    }

    /// What became of the item of each write, after the commit.
    pub(crate) fn take_outcomes(&self) -> Vec<WriteOutcome> {
        self.outcomes.as_ref().map(Cell::take).unwrap_or_default()
    }

    /// The error of a call, which names the table where it is that this one was dropped.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if error != Error::from(kstone_core::Error::Closed) {
            return error;
        }
        let dropped = self.tables.iter().find(|table| table.engine().is_closed());
        let name = dropped.and_then(|table| table.state().schema.table_name().map(str::to_owned));
        name.map_or(error, |name| Error::TableNotFound { name, is: None })
    }
}

impl Tables for SeveralTables {
    type Each<X> = Vec<X>;

    fn table(&self, place: usize) -> &Table {
        &self.tables[place]
    }

    fn place(&self, write: usize) -> usize {
        self.places[write]
    }

    fn each<'t, X>(&'t self, mut make: impl FnMut(usize, &'t Table) -> X) -> Vec<X> {
        self.tables.iter().enumerate().map(|(place, table)| make(place, table)).collect()
    }

    fn try_each<'t, X>(&'t self, mut make: impl FnMut(usize, &'t Table) -> Result<X>) -> Result<Vec<X>> {
        self.tables.iter().enumerate().map(|(place, table)| make(place, table)).collect()
    }

    fn keeps_outcomes(&self) -> bool {
        self.outcomes.is_some()
    }

    fn keep_outcomes(&self, outcomes: Vec<WriteOutcome>) {
        if let Some(kept) = &self.outcomes {
            kept.set(outcomes);
        }
    }
}
