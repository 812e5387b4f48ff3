//! What a query asks for: one partition, a condition on its sort keys, a direction and a limit.

use crate::error::{Error, Reason, Result};
use crate::request::read_options::{ReadOptions, read_options};
use crate::request::read_request::{ReadExpression, ReadKeys, ReadRequest};
use crate::request::sort_key::SortKeyCondition;

/// One page of one partition, in the order of the sort keys' bytes.
///
/// ```
/// use kstone_api::{Database, ItemBuilder, Query, SortKeyCondition};
/// let db = Database::create_in_memory()?;
/// for hour in 0..24 {
///     let item = ItemBuilder::new().number("hour", hour).build();
///     db.put_with_sk(b"sensor#1", format!("{hour:02}:00").as_bytes(), item)?;
/// }
/// let evening = Query::new()
///     .partition_key(b"sensor#1")
///     .sort_key(SortKeyCondition::Ge(b"18:00".to_vec()))
///     .reverse(true)
///     .limit(2)
///     .build();
/// let page = db.query(evening)?;
/// assert_eq!(page.items[0]["hour"].as_number(), Some(&"23".to_string()));
/// assert_eq!(page.count, 2);
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Query {
    partition_key: Vec<u8>,
    sort_key: SortKeyCondition,
    reverse: bool,
    pub(crate) options: ReadOptions,
}

impl Query {
    /// A query that needs a partition key yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The partition to read: 1 to 2048 bytes; in a table with types the text of S and N, the bytes of B, as for all keys.
    #[must_use]
    pub fn partition_key(mut self, pk: &[u8]) -> Self {
        self.partition_key = pk.to_vec();
        self
    }

    /// Which of its sort keys.
    #[must_use]
    pub fn sort_key(mut self, condition: SortKeyCondition) -> Self {
        self.sort_key = condition;
        self
    }

    /// Highest sort key first.
    #[must_use]
    pub fn reverse(mut self, reverse: bool) -> Self {
        self.reverse = reverse;
        self
    }

    /// The partition and the condition on its sort keys as an expression on the attributes of the key, `pk` and `sk` of a
    /// table without types, in the place of
    /// [`Query::partition_key`] and [`Query::sort_key`].
    #[must_use]
    pub fn key_condition_expression(mut self, expression: &str) -> Self {
        self.options.expressions().key_condition = Some(expression.to_owned());
        self
    }

    /// The request that this is.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names and values of expressions that are none, for two key conditions and for two places to
    /// begin at.
    pub fn request(&self) -> Result<ReadRequest<'_>> {
        let names_key = !self.partition_key.is_empty() || self.sort_key != SortKeyCondition::Any;
        let keys = match self.options.key_condition() {
            Some(_) if names_key => return Err(Error::from(Reason::TwoKeyConditions)),
            Some(condition) => ReadKeys::Condition(ReadExpression::Text(condition)),
            None => ReadKeys::Partition { partition_key: &self.partition_key, sort_key: self.sort_key.borrowed() },
        };
        self.options.request(keys, self.reverse)
    }

    /// As [`Query::request`]; without a partition it is the scan that it is where it has a filter to make sense of that.
    pub(crate) fn request_or_scan(&self) -> Result<ReadRequest<'_>> {
        let request = self.request()?;
        let names_none = self.partition_key.is_empty() && self.sort_key == SortKeyCondition::Any;
        let is_scan = names_none && self.options.key_condition().is_none() && self.options.has_filter();
        Ok(if is_scan { ReadRequest { keys: ReadKeys::ALL, ..request } } else { request })
    }
}

read_options!(Query);
