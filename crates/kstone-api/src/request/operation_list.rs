//! A list of operations whose keys and items lie in one buffer.
//!
//! ```text
//! bytes    pk sk body  pk sk  pk sk body  …
//! entries  put         get    put            where each begins, and how long its parts are
//! ```
//! Thread safety: a plain value.

use crate::error::Result;
use kstone_core::key::KeyRef;
use kstone_core::typed_key::TableKey;

use crate::request::lent_write::LentWrite;
use crate::request::operation::Operation;
use crate::request::write::{Prepared, PreparedAction, WriteContext};

/// Operations for [`Table::transact_list`](crate::Table::transact_list) and
/// [`Table::operate_list`](crate::Table::operate_list). Adding a get, or a put or a delete without a condition,
/// copies its key and its item behind those of the others and allocates nothing else.
///
/// ```
/// use kstone_api::{Database, ItemWriter, LentWrite, OperationList};
/// let db = Database::create_in_memory()?;
/// let mut item = ItemWriter::new();
/// item.set_i64("cents", 500)?;
/// let mut list = OperationList::new();
/// list.write(&LentWrite::put(b"alice", b"", item.finish()))?;
/// list.write(&LentWrite::delete(b"bob", b"").condition("attribute_not_exists(cents)"))?;
/// list.get(b"carol", b"")?;
/// assert_eq!(db.transact_list(&list).unwrap(), [None]);
/// assert!(db.get(b"alice")?.is_some());
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OperationList {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// How many bytes a list has memory for at first: a few small items.
const FIRST_BYTES: usize = 1000;

#[derive(Debug, Clone)]
enum Entry {
    Get(KeyPlace),
    /// With the length of the body behind the key.
    Put(KeyPlace, usize),
    Delete(KeyPlace),
    Other(Operation),
}

/// Where a key lies among the bytes.
#[derive(Debug, Clone, Copy)]
struct KeyPlace {
    pk: usize,
    sk: usize,
    end: usize,
}

impl OperationList {
    /// A list without operations. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a read of the item of this key; an empty sort key is none.
    ///
    /// # Errors
    /// As [`KeyRef::new`].
    pub fn get(&mut self, pk: &[u8], sk: &[u8]) -> Result<()> {
        let key = self.add_key(KeyRef::new(pk, sk)?, 0);
        self.entries.push(Entry::Get(key));
        Ok(())
    }

    /// Adds a write.
    ///
    /// # Errors
    /// As [`KeyRef::new`] and [`LentWrite::to_write`].
    pub fn write(&mut self, write: &LentWrite<'_>) -> Result<()> {
        let entry = match (write.key()?, write.plain()) {
            (None, _) | (_, None) => Entry::Other(write.to_write()?.into()),
            (Some(key), Some(None)) => Entry::Delete(self.add_key(key, 0)),
            (Some(key), Some(Some(body))) => {
                let key = self.add_key(key, body.len());
                self.bytes.extend_from_slice(body);
                Entry::Put(key, body.len())
            }
        };
        self.entries.push(entry);
        Ok(())
    }

    /// Adds any operation.
    pub fn push(&mut self, operation: Operation) {
        self.entries.push(Entry::Other(operation));
    }

    fn add_key(&mut self, key: KeyRef<'_>, body_len: usize) -> KeyPlace {
        let len = key.pk().len() + key.sk().len() + body_len;
        self.bytes.reserve(if self.bytes.is_empty() { len.max(FIRST_BYTES) } else { len });
        let pk = self.bytes.len();
        self.bytes.extend_from_slice(key.pk());
        let sk = self.bytes.len();
        self.bytes.extend_from_slice(key.sk());
        KeyPlace { pk, sk, end: self.bytes.len() }
    }

    fn key(&self, place: KeyPlace, context: &WriteContext<'_>) -> Result<TableKey<'_>> {
        let (pk, sk) = (&self.bytes[place.pk..place.sk], &self.bytes[place.sk..place.end]);
        Ok(TableKey::of_bytes(context.keys, pk, sk)?)
    }

    /// The operations as the write path takes them, lent by this list.
    pub(crate) fn prepare<'a>(
        &'a self,
        context: &WriteContext<'_>,
    ) -> impl ExactSizeIterator<Item = Result<Prepared<'a>>> {
        self.entries.iter().map(|entry| match entry {
            Entry::Get(key) => Ok(Prepared::get(self.key(*key, context)?)),
            Entry::Put(place, len) => {
                let (key, body) = (self.key(*place, context)?, &self.bytes[place.end..place.end + len]);
                let body = context.checked(key.get(), body.into())?;
                Ok(Prepared::plain(key, PreparedAction::Put(body)))
            }
            Entry::Delete(key) => Ok(Prepared::plain(self.key(*key, context)?, PreparedAction::Delete)),
            Entry::Other(operation) => operation.prepare(context),
        })
    }
}
