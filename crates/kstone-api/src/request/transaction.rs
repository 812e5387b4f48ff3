//! Several writes or reads at once: batches, which only save calls, and transactions, which happen as one.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::INLINE_WRITES;
use kstone_core::error::Unit;
use kstone_core::item::{ItemRef, item_size};
use kstone_core::key::{Key, KeyRef};
use kstone_core::key_layout::KEY_NAME_MAX_CHARS;
use kstone_core::label::InternedLayout;
use kstone_core::record::Record;
use kstone_core::typed_key::TableKey;
use smallvec::SmallVec;

use crate::request::write::{Prepared, Write};
use crate::table::Table;
use crate::table::commit::Settle;
use crate::table::state::TableState;

/// The most operations of a transaction, DynamoDB's.
pub const TRANSACTION_MAX: usize = 100;
/// The most bytes, as DynamoDB counts them, of the items that a transaction puts or updates, or of those that it reads.
pub const TRANSACTION_MAX_BYTES: usize = 4 << 20;

/// What a key is refused with that comes a second time.
pub(crate) type Twice = fn() -> Reason;

pub(crate) fn twice_in_transaction() -> Reason {
    Reason::DuplicateOperations
}

pub(crate) fn twice_in_batch() -> Reason {
    Reason::DuplicateKeys
}

/// Writes that happen as one, or not at all.
///
/// ```
/// use kstone_api::{Database, Error, Item, KeystoneValue, TransactWriteRequest, Write};
/// let db = Database::create_in_memory()?;
/// let account = |cents: i64| Item::from([("cents".to_string(), KeystoneValue::number(cents))]);
/// db.put(b"alice", account(500))?;
/// db.put(b"bob", account(0))?;
/// let transfer = |cents: i64| {
///     let take = Write::update(b"alice", "SET cents = cents - :c").condition("cents >= :c");
///     let give = Write::update(b"bob", "SET cents = cents + :c");
///     let cents = KeystoneValue::number(cents);
///     TransactWriteRequest::new().write(take.value(":c", cents.clone())).write(give.value(":c", cents))
/// };
/// db.transact_write(transfer(300))?;
/// assert!(matches!(db.transact_write(transfer(300)), Err(Error::TransactionCanceled { .. })));
/// assert_eq!(db.get(b"bob")?.unwrap()["cents"].as_number(), Some(&"300".to_string()));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TransactWriteRequest {
    writes: Vec<Write>,
}

impl TransactWriteRequest {
    /// A transaction without operations yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One operation more. Each must have a key of its own.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
}

impl Table {
    /// Does all of the writes or none: isolated, at one moment.
    ///
    /// # Errors
    /// [`Error::TransactionCanceled`] with a reason for each operation that cannot be done as things stand;
    /// [`Error::Invalid`] for a malformed operation, none at all, or two with one key; [`Error::Limit`] for more than
    /// [`TRANSACTION_MAX`]; [`Error::Poisoned`].
    pub fn transact_write(&self, request: TransactWriteRequest) -> Result<()> {
        check_list(request.writes.len(), ("TransactItems", TRANSACTION_MAX))?;
        refuse_twice(request.writes.iter().filter_map(Write::key_parts), twice_in_transaction)?;
        let prepared = self.prepare(&request.writes, twice_in_transaction)?;
        self.commit_prepared(&prepared, Settle::EveryReason).map(drop)
    }

    /// The items of these keys as they are at one moment, none where there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no key, two alike or one that cannot be; [`Error::Limit`] for more than
    /// [`TRANSACTION_MAX`]; [`Error::Poisoned`].
    pub fn transact_get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        check_keys(keys.iter().map(parts_of), ("TransactItems", TRANSACTION_MAX), twice_in_transaction)?;
        let keys = self.table_keys(keys, twice_in_transaction)?;
        Ok(self.transaction_reads(&lent(&keys))?.found)
    }

    /// The items of these keys, which are no more than a transaction takes and all different, with the moment.
    pub(crate) fn transaction_reads(&self, keys: &[KeyRef<'_>]) -> Result<Moment> {
        let moment = self.get_at_one_moment(keys)?;
        check_transaction_size(|| moment.found.iter().flatten().map(|record| (record.key_ref(), record.body())))?;
        Ok(moment)
    }

    /// Does all of the puts and deletes, or none where one cannot be done: DynamoDB may leave some over, in memory none
    /// is. There may be any number of them: DynamoDB's 25 are a limit of its wire. The stripes that they touch are
    /// locked until all are done.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a write that is no plain put or delete, none at all, or two with one key, also for an
    /// item or a key that DynamoDB would refuse; [`Error::Limit`] where the memory limit does not fit all of them;
    /// [`Error::Poisoned`]. Nothing is written then.
    pub fn batch_write(&self, writes: &[Write]) -> Result<()> {
        check_some(writes.len(), "RequestItems")?;
        refuse_twice(writes.iter().filter_map(Write::key_parts), twice_in_batch)?;
        if !writes.iter().all(Write::is_plain) {
            return Err(Error::from(Reason::BatchCondition));
        }
        self.commit_prepared(&self.prepare(writes, twice_in_batch)?, Settle::FirstError).map(drop)
    }

    /// The items of these keys, as they are at one moment, none where there is none. There may be any number of them: in
    /// memory no key is left over, so that DynamoDB's 16 MB do not apply, nor do the 100 keys of its wire.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no key, two alike or one that cannot be; [`Error::Poisoned`].
    pub fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        check_some(keys.len(), "RequestItems")?;
        refuse_twice(keys.iter().map(parts_of), twice_in_batch)?;
        let keys = self.table_keys(keys, twice_in_batch)?;
        Ok(self.get_at_one_moment(&lent(&keys))?.found)
    }

    /// The items of these keys that requests see, at one moment of the database and of its clock.
    fn get_at_one_moment(&self, keys: &[KeyRef<'_>]) -> Result<Moment> {
        let table = self.state();
        let now = self.now_for(&table);
        let found = self.engine().get_many(keys)?.into_iter();
        let found = found.map(|record| record.filter(|record| !table.is_hidden(record, now))).collect();
        Ok(Moment { table, now, found })
    }

    /// Writes whose keys, as far as bytes tell, are all different.
    fn prepare<'a>(&self, writes: &'a [Write], twice: Twice) -> Result<Vec<Prepared<'a>>> {
        let context = self.write_context();
        let prepared: Vec<Prepared<'a>> = writes.iter().map(|write| write.prepare(&context)).collect::<Result<_>>()?;
        let may_be_twice = |write: &Write| write.key_parts().is_none();
        if context.keys.is_some_and(InternedLayout::has_numbers) || writes.iter().any(may_be_twice) {
            refuse_twice(prepared.iter().map(|prepared| parts(prepared.key.get())), twice)?;
        }
        Ok(prepared)
    }

    /// The keys that these are in this table, which are all different as far as bytes tell.
    fn table_keys<'a>(&self, keys: &'a [Key], twice: Twice) -> Result<Vec<TableKey<'a>>> {
        let layout = self.keys();
        let of_table = |key: &'a Key| {
            let (pk, sk) = parts_of(key);
            TableKey::of_bytes(layout, pk, sk)
        };
        let keys: Vec<TableKey<'a>> = keys.iter().map(of_table).collect::<kstone_core::Result<_>>()?;
        if layout.is_some_and(InternedLayout::has_numbers) {
            refuse_twice(keys.iter().map(|key| parts(key.get())), twice)?;
        }
        Ok(keys)
    }
}

fn lent<'a>(keys: &'a [TableKey<'_>]) -> Vec<KeyRef<'a>> {
    keys.iter().map(TableKey::get).collect()
}

pub(crate) fn parts(key: KeyRef<'_>) -> KeyParts<'_> {
    (key.pk(), key.sk())
}

/// Items, and the table and time by which they are seen.
pub(crate) struct Moment {
    pub(crate) table: Arc<TableState>,
    pub(crate) now: i64,
    pub(crate) found: Vec<Option<Record>>,
}

/// Refuses items, given as keys and bodies, that are too large together.
pub(crate) fn check_transaction_size<'a, I>(items: impl Fn() -> I) -> Result<()>
where
    I: Iterator<Item = (KeyRef<'a>, &'a [u8])>,
{
    /// The most that the names of the key's attributes take.
    const KEY_NAMES_BYTES: usize = 2 * 4 * KEY_NAME_MAX_CHARS;
    // DynamoDB's size of an item is below twice its bytes here, which need not be counted one attribute after another.
    let bytes = |(key, body): (KeyRef<'_>, &[u8])| key.pk().len() + key.sk().len() + KEY_NAMES_BYTES + body.len();
    if 2 * items().map(bytes).sum::<usize>() <= TRANSACTION_MAX_BYTES {
        return Ok(());
    }
    let found = items().map(|(key, body)| item_size(key, ItemRef::new(body))).sum();
    if found <= TRANSACTION_MAX_BYTES {
        return Ok(());
    }
    Err(Error::limit("The items of a transaction", Unit::Bytes, TRANSACTION_MAX_BYTES, found))
}

fn check_keys<'a>(
    keys: impl ExactSizeIterator<Item = KeyParts<'a>>,
    list: (&'static str, usize),
    twice: Twice,
) -> Result<()> {
    check_list(keys.len(), list)?;
    refuse_twice(keys, twice)
}

fn refuse_twice<'a>(keys: impl Iterator<Item = KeyParts<'a>>, twice: Twice) -> Result<()> {
    twice_in(keys).map_or(Ok(()), |_| Err(Error::from(twice())))
}

/// Refuses a list that is empty or too long.
pub(crate) fn check_list(found: usize, (what, limit): (&'static str, usize)) -> Result<()> {
    check_some(found, what)?;
    if found > limit { Err(Error::limit(what, Unit::Entries, limit, found)) } else { Ok(()) }
}

/// Refuses a list that is empty.
pub(crate) fn check_some(found: usize, what: &'static str) -> Result<()> {
    if found == 0 { Err(Error::from(Reason::ListEmpty { what })) } else { Ok(()) }
}

/// Where a key comes for the second time. Among few each is compared with all before it, which takes no hash.
pub(crate) fn twice_in<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> Option<usize> {
    const FEW: usize = 16;
    let keys: SmallVec<[K; INLINE_WRITES]> = keys.collect();
    if keys.len() <= FEW {
        return (1..keys.len()).find(|&at| keys[..at].contains(&keys[at]));
    }
    let mut seen = HashSet::with_capacity(keys.len());
    keys.iter().position(|key| !seen.insert(key))
}

/// A partition key and a sort key, which is empty where there is none.
pub(crate) type KeyParts<'a> = (&'a [u8], &'a [u8]);

/// The parts of a key.
pub(crate) fn parts_of(key: &Key) -> KeyParts<'_> {
    (&key.pk, key.sk.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_twice_is_found_among_few_and_many() {
        let names: Vec<[u8; 1]> = (0..40).map(|name| [name]).collect();
        for count in 1..=names.len() {
            let keys = || names[..count].iter().flat_map(|name| [(&name[..], &b""[..]), (b"p", name)]);
            assert_eq!(twice_in(keys()), None, "{count}");
            for again in &names[..count] {
                let twice = keys().chain([(&again[..], &b""[..]), (b"other", b"")]);
                assert_eq!(twice_in(twice), Some(2 * count), "{count}, {again:?}");
            }
        }
    }
}
