//! Many items in one call that are no batch and no transaction: what saves calls, locks and cache misses.

use kstone_core::key::KeyRef;
use kstone_core::record::Record;
use kstone_core::typed_key::TableKey;

use crate::error::{Error, Result};
use crate::request::operation::TransactError;
use crate::request::write::{Prepared, PreparedAction};
use crate::table::Table;

/// How many items are put before the locks of their stripes are released.
const PUTS_AT_ONCE: usize = 4096;

impl Table {
    /// The items of these keys, shared, in their order; none where there is none. Keys may come twice. The items need not
    /// be of one moment; [`Table::batch_get`] is for that. Costs a fraction of as many calls of
    /// [`Table::get_record`], since the cache misses of several keys overlap.
    ///
    /// ```
    /// use kstone_api::{Database, Item, KeyRef};
    /// let db = Database::create_in_memory()?;
    /// db.put(b"a", Item::new())?;
    /// let keys = [KeyRef::new(b"a", b"")?, KeyRef::new(b"b", b"")?];
    /// let found = db.get_many(&keys)?;
    /// assert!(found[0].is_some() && found[1].is_none());
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get_many(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        let mut all = Vec::with_capacity(keys.len());
        self.look_many(keys.len(), |at| keys[at], |_, record| all.push(record.cloned()))?;
        Ok(all)
    }

    /// Shows the items of so many keys to `take` one after the other, with their places; what that does should be short
    /// and must not use the database.
    ///
    /// # Errors
    /// [`Error::Poisoned`], after some keys perhaps.
    pub fn look_many<'k>(
        &self,
        count: usize,
        key: impl Fn(usize) -> KeyRef<'k>,
        take: impl FnMut(usize, Option<&Record>),
    ) -> Result<()> {
        let hidden = |record: &Record| self.is_hidden(record);
        let Some(layout) = self.keys() else { return Ok(self.engine().look_many(count, key, hidden, take)?) };
        let of_table = |at| {
            let key: KeyRef<'k> = key(at);
            if key.label().is_empty() { TableKey::of_bytes(Some(layout), key.pk(), key.sk()) } else { Ok(key.into()) }
        };
        let keys: Vec<TableKey<'k>> = (0..count).map(of_table).collect::<kstone_core::Result<_>>()?;
        Ok(self.engine().look_many(count, |at| keys[at].get(), hidden, take)?)
    }

    /// Stores many items, each as [`Table::put_body`] would and in their order, so that of several under one key the
    /// last one stays. Every item is checked before the first is stored. Each is stored by itself: readers may see some
    /// before the others.
    ///
    /// # Errors
    /// As [`Table::put_body`], with the place of the item. What can be said of an item without the memory limit is
    /// said before anything is stored; where the limit is reached on the way the items before stay stored.
    pub fn put_many(&self, puts: &[(KeyRef<'_>, &[u8])]) -> std::result::Result<(), TransactError> {
        let failed = |operation, error| TransactError { operation, error, reasons: Vec::new() };
        let of = |at| move |error: Error| failed(Some(at), error);
        let table = self.state();
        let context = self.write_context();
        for (at, (key, body)) in puts.iter().enumerate() {
            let check = || -> Result<()> {
                let key = TableKey::of_bytes(context.keys, key.pk(), key.sk())?;
                Prepared::plain(key.clone(), PreparedAction::Put(context.checked(key.get(), (*body).into())?))
                    .check(&table)
            };
            check().map_err(of(at))?;
        }
        drop(table);
        for (at, some) in puts.chunks(PUTS_AT_ONCE).enumerate() {
            let first = at * PUTS_AT_ONCE;
            let left_out =
                match self.engine().is_limited() || self.engine().writes_are_watched() || self.keys().is_some() {
                    true => (0..some.len()).collect(),
                    false => self.engine().put_many_unwatched(some).map_err(|error| failed(None, error.into()))?,
                };
            for at in left_out {
                let (key, body) = some[at];
                self.put_body(key.pk(), key.sk(), body).map_err(of(first + at))?;
            }
        }
        Ok(())
    }
}
