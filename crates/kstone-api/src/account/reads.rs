//! Items of several tables as they are at one moment.

use std::sync::Arc;

use kstone_core::engine::{EngineKeys, read_across};
use kstone_core::key::{Key, KeyRef};
use kstone_core::record::Record;
use kstone_core::typed_key::TableKey;

use super::Account;
use super::named::NamesTable;
#[cfg(doc)]
use crate::TRANSACTION_MAX;
use crate::error::{Error, Result};
use crate::request::operation::TRANSACTION;
use crate::request::transaction::{
    Twice, check_list, check_some, check_transaction_size, parts, parts_of, twice_in, twice_in_batch,
    twice_in_transaction,
};
use crate::table::commit::tables::{SeveralTables, Tables};
use crate::table::state::TableState;

/// Items, and the states of their tables by which they are seen.
pub(crate) struct MomentOfTables {
    pub(crate) states: Vec<Arc<TableState>>,
    pub(crate) found: Vec<Option<Record>>,
    /// The time by which they are seen.
    pub(crate) now: i64,
}

impl Account {
    /// The items of these keys as they are at one moment of all tables, none where there is none.
    ///
    /// # Errors
    /// [`Error::TableNotFound`]; [`Error::Invalid`] for no key, two alike of one table or one that cannot be;
    /// [`Error::Limit`] for more than [`TRANSACTION_MAX`]; [`Error::Poisoned`].
    pub fn transact_get<N: NamesTable>(&self, keys: &[(N, Key)]) -> Result<Vec<Option<Record>>> {
        check_list(keys.len(), TRANSACTION)?;
        let (tables, keys) = self.tables_and_keys(keys, twice_in_transaction)?;
        Ok(tables.read_in_transaction(&lent(&keys))?.found)
    }

    /// The items of these keys as they are at one moment of all tables, none where there is none. There may be any number
    /// of them.
    ///
    /// # Errors
    /// [`Error::TableNotFound`]; [`Error::Invalid`] for no key, two alike of one table or one that cannot be;
    /// [`Error::Poisoned`].
    pub fn batch_get<N: NamesTable>(&self, keys: &[(N, Key)]) -> Result<Vec<Option<Record>>> {
        check_some(keys.len(), "RequestItems")?;
        let (tables, keys) = self.tables_and_keys(keys, twice_in_batch)?;
        Ok(tables.read(&lent(&keys))?.found)
    }

    fn tables_and_keys<'k, N: NamesTable>(
        &self,
        keys: &'k [(N, Key)],
        twice: Twice,
    ) -> Result<(SeveralTables, Vec<TableKey<'k>>)> {
        let tables = self.tables_of(keys.iter().map(|(table, _)| table)).map_err(|failed| failed.error)?;
        let key_in = |(at, (_, key)): (usize, &'k (N, Key))| {
            let (pk, sk) = parts_of(key);
            TableKey::of_bytes(tables.of(at).keys(), pk, sk)
        };
        let keys: Vec<TableKey<'k>> = keys.iter().enumerate().map(key_in).collect::<kstone_core::Result<_>>()?;
        let of_tables = keys.iter().enumerate().map(|(at, key)| (tables.place(at), parts(key.get())));
        match twice_in(of_tables) {
            None => Ok((tables, keys)),
            Some(_) => Err(Error::from(twice())),
        }
    }
}

fn lent<'a>(keys: &'a [TableKey<'_>]) -> Vec<KeyRef<'a>> {
    keys.iter().map(TableKey::get).collect()
}

impl SeveralTables {
    /// As [`SeveralTables::read`], refusing items that are too large together.
    pub(crate) fn read_in_transaction(&self, keys: &[KeyRef<'_>]) -> Result<MomentOfTables> {
        let moment = self.read(keys)?;
        check_transaction_size(|| moment.found.iter().flatten().map(|record| (record.key_ref(), record.body())))?;
        Ok(moment)
    }

    /// The items of these keys, each of the table of its place, that requests see: at one moment of all tables and of their
    /// clock.
    fn read(&self, keys: &[KeyRef<'_>]) -> Result<MomentOfTables> {
        let states = self.each(|_, table| table.state());
        let now = self.now(states.iter().map(|state| &**state));
        let of_table = |place: usize| move |(at, _): &(usize, &KeyRef<'_>)| self.place(*at) == place;
        let named: Vec<Vec<KeyRef<'_>>> =
            self.each(|place, _| keys.iter().enumerate().filter(of_table(place)).map(|(_, key)| *key).collect());
        let wanted: Vec<EngineKeys<'_>> = self.each(|place, table| (table.engine(), &named[place][..]));
        let read = read_across(&wanted).map_err(|error| self.explain(error.into()))?;
        let mut read: Vec<_> = read.into_iter().map(Vec::into_iter).collect();
        let next_of = |at: usize| {
            let place = self.place(at);
            read[place].next().flatten().filter(|record| !states[place].is_hidden(record, now))
        };
        let found = (0..keys.len()).map(next_of).collect();
        Ok(MomentOfTables { states, found, now })
    }
}
