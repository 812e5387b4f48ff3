//! The key of a global index, attribute by attribute, with their types.

use kstone_core::key_layout::{KeyPart, KeyType};

use crate::model::schema::{GlobalSecondaryIndex, Projection};

/// A global index whose key attributes are being named, in their order: see [`GlobalSecondaryIndex::on`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKeys {
    index: GlobalSecondaryIndex,
}

impl GlobalSecondaryIndex {
    /// An index whose key attributes have types, and which shows whole items:
    ///
    /// ```
    /// use kstone_api::{GlobalSecondaryIndex, KeyType, TableSchema};
    /// let by_region = GlobalSecondaryIndex::on("by-region")
    ///     .partition_key("region", KeyType::S)
    ///     .partition_key("tier", KeyType::N)
    ///     .sort_key("total", KeyType::N);
    /// let schema = TableSchema::new().partition_key("id", KeyType::S).add_global_index(by_region);
    /// schema.validate()?;
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn on(name: impl Into<String>) -> IndexKeys {
        IndexKeys::new(name.into())
    }
}

impl IndexKeys {
    fn new(name: String) -> Self {
        let (partition_key, sort_key, projection) = (Vec::new(), Vec::new(), Projection::All);
        Self { index: GlobalSecondaryIndex { name, partition_key, sort_key, projection } }
    }

    /// Adds an attribute to the partition key, which takes at least one and at most
    /// [`KEY_PARTS_MAX`](crate::KEY_PARTS_MAX): a query names the values of all of them.
    #[must_use]
    pub fn partition_key(mut self, attribute: impl Into<String>, type_: KeyType) -> Self {
        self.index.partition_key.push(KeyPart::new(attribute.into(), type_));
        self
    }

    /// Adds an attribute to the sort key, at most [`KEY_PARTS_MAX`](crate::KEY_PARTS_MAX): the partitions of the index are
    /// sorted by the first, where that is equal by the second, and so on. Items that lack a key attribute are not in the
    /// index.
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>, type_: KeyType) -> Self {
        self.index.sort_key.push(KeyPart::new(attribute.into(), type_));
        self
    }

    /// What the index shows of an item.
    #[must_use]
    pub fn projection(self, projection: Projection) -> Self {
        Self { index: self.index.projection(projection) }
    }
}

impl From<IndexKeys> for GlobalSecondaryIndex {
    fn from(keys: IndexKeys) -> Self {
        keys.index
    }
}
