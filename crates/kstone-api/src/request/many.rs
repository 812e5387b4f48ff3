//! Many items in one call that are no batch and no transaction: what saves calls, locks and cache misses.

use kstone_core::item::ItemRef;
use kstone_core::key::KeyRef;
use kstone_core::record::Record;

use crate::error::{Error, Result};
use crate::request::operation::TransactError;
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
        Ok(self.engine().look_many(count, key, |record| self.is_hidden(record), take)?)
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
        for (at, (key, body)) in puts.iter().enumerate() {
            table.check_new(*key, ItemRef::new(body)).map_err(of(at))?;
        }
        drop(table);
        for (at, some) in puts.chunks(PUTS_AT_ONCE).enumerate() {
            let first = at * PUTS_AT_ONCE;
            let left_out = match self.engine().is_limited() || self.engine().writes_are_watched() {
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
