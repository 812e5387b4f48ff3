//! What a query asks for: one partition, a condition on its sort keys, a direction and a limit.

use std::borrow::Cow;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::SortKeyRange;
use kstone_core::item;
use kstone_core::label::InternedLayout;
use kstone_core::value::{Item, Value};

use crate::expression::Parameters;
use crate::request::partition::{PartitionQuery, QueryScratch};
use crate::request::read::ReadExpressions;
use crate::request::scan::Scan;
use crate::request::sort_key::SortKeyCondition;

/// What a read returns of the items it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Select {
    /// Every attribute.
    #[default]
    All,
    /// Their number alone.
    Count,
    /// The key, as the attributes `pk` and `sk`.
    KeysOnly,
}

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
    pub(crate) partition_key: Vec<u8>,
    pub(crate) sort_key: SortKeyCondition,
    pub(crate) reverse: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) start_after: Option<Vec<u8>>,
    pub(crate) select: Select,
    pub(crate) index: Option<String>,
    pub(crate) expressions: Option<Box<ReadExpressions>>,
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

    /// The most items to examine, at least 1. Without it a page ends at 1 MiB.
    #[must_use]
    pub fn limit(mut self, items: usize) -> Self {
        self.limit = Some(items);
        self
    }

    /// Where the last page of the same query ended.
    #[must_use]
    pub fn token(mut self, token: &[u8]) -> Self {
        self.token = Some(token.to_vec());
        self
    }

    /// Begins behind the item of this key, which need not exist: the attributes of the table's key and, of an index, those
    /// of its key, no others. The key has to be one that the query could return.
    ///
    /// ```
    /// use kstone_api::{Database, Item, ItemBuilder, Query};
    /// let db = Database::create_in_memory()?;
    /// for day in ["mon", "sat", "tue"] {
    ///     db.put_with_sk(b"log", day.as_bytes(), Item::new())?;
    /// }
    /// let key = ItemBuilder::new().string("pk", "log").string("sk", "o").build();
    /// let page = db.query(Query::new().partition_key(b"log").start_after(&key)?)?;
    /// assert_eq!(page.count, 2, "sat and tue");
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`item::encode`](kstone_core::item::encode).
    pub fn start_after(mut self, key: &Item) -> Result<Self> {
        self.start_after = Some(item::encode(key)?);
        Ok(self)
    }

    /// Reads this index of the table's schema instead of the items themselves.
    ///
    /// The partition is then a value of the index's partition attribute and the sort-key condition is on its sort
    /// attribute: as bytes, those of text or of binary, or of any type through
    /// [`Query::key_condition_expression`].
    #[must_use]
    pub fn index(mut self, name: &str) -> Self {
        self.index = Some(name.to_owned());
        self
    }

    /// What to return of each item.
    #[must_use]
    pub fn select(mut self, select: Select) -> Self {
        self.select = select;
        self
    }

    /// The partition and the condition on its sort keys as an expression on the attributes of the key, `pk` and `sk` of a
    /// table without types, in the place of
    /// [`Query::partition_key`] and [`Query::sort_key`].
    #[must_use]
    pub fn key_condition_expression(mut self, expression: &str) -> Self {
        self.expressions().key_condition = Some(expression.to_owned());
        self
    }

    /// Returns only the items for which this expression holds. They are examined, and count towards the limit, all the
    /// same.
    #[must_use]
    pub fn filter_expression(mut self, expression: &str) -> Self {
        self.expressions().filter = Some(expression.to_owned());
        self
    }

    /// Returns only these parts of each item.
    #[must_use]
    pub fn projection_expression(mut self, expression: &str) -> Self {
        self.expressions().projection = Some(expression.to_owned());
        self
    }

    /// What a `#name` of the expressions stands for.
    #[must_use]
    pub fn expression_name(mut self, placeholder: &str, name: &str) -> Self {
        self.expressions().parameters.name(placeholder, name);
        self
    }

    /// What a `:value` of the expressions stands for.
    #[must_use]
    pub fn expression_value(mut self, placeholder: &str, value: Value) -> Self {
        self.expressions().parameters.value(placeholder, value);
        self
    }

    /// All names and values at once, in the place of those given one by one.
    #[must_use]
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.expressions().parameters.bag(parameters);
        self
    }

    fn expressions(&mut self) -> &mut ReadExpressions {
        self.expressions.get_or_insert_default()
    }

    /// The finished query.
    #[must_use]
    pub fn build(self) -> Self {
        self
    }

    /// The scan that a query without a partition is, where it has a filter to make sense of that.
    pub(crate) fn without_partition(&self) -> Option<Scan> {
        let expressions = self.expressions.as_ref()?;
        let unkeyed = self.partition_key.is_empty()
            && self.sort_key == SortKeyCondition::Any
            && expressions.key_condition.is_none();
        (unkeyed && expressions.filter.is_some()).then(|| Scan {
            segment: None,
            index: self.index.clone(),
            limit: self.limit,
            token: self.token.clone(),
            start_after: self.start_after.clone(),
            select: self.select,
            expressions: self.expressions.clone(),
        })
    }

    /// Refuses a partition key, or a condition on sort keys, next to a key condition.
    pub(crate) fn refuse_key_twice(&self) -> Result<()> {
        if self.partition_key.is_empty() && self.sort_key == SortKeyCondition::Any {
            return Ok(());
        }
        Err(Error::from(Reason::TwoKeyConditions))
    }

    /// The query of the table for whole items that this is, expressions aside.
    pub(crate) fn partition(&self) -> PartitionQuery<'_> {
        PartitionQuery {
            partition_key: &self.partition_key,
            sort_key: self.sort_key.borrowed(),
            reverse: self.reverse,
            limit: self.limit,
            token: self.token.as_deref(),
        }
    }

    /// The query of what keys hold, in the place of what callers call them, where the table has types.
    pub(crate) fn encoded(&self, keys: Option<&'static InternedLayout>) -> Result<Cow<'_, Self>> {
        let Some(layout) = keys else { return Ok(Cow::Borrowed(self)) };
        let mut scratch = QueryScratch::default();
        let PartitionQuery { partition_key, sort_key, .. } = self.partition().encoded(layout, &mut scratch)?;
        let (partition_key, sort_key) = (partition_key.to_vec(), sort_key.to_owned());
        Ok(Cow::Owned(Self { partition_key, sort_key, ..self.clone() }))
    }

    /// The same, where it asks for nothing else.
    pub(crate) fn of_whole_items(&self) -> Option<PartitionQuery<'_>> {
        let is_whole = self.expressions.is_none() && self.index.is_none() && self.select == Select::All;
        (is_whole && self.start_after.is_none()).then(|| self.partition())
    }

    /// Checks the query's keys and calls back with the range of its sort keys behind `ended_at`.
    pub(crate) fn with_range<T>(&self, ended_at: Option<&[u8]>, read: impl FnOnce(SortKeyRange<'_>) -> T) -> Result<T> {
        self.partition().with_range(ended_at, read)
    }

    /// What the query asks for, in one number: its tokens fit no other.
    pub(crate) fn shape(&self) -> u32 {
        self.partition().shape(self.index.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use super::*;

    /// Found by forging tokens: one that ended before the condition's range opened the range.
    #[test]
    fn a_token_never_widens_the_condition() {
        let between = SortKeyCondition::Between(b"m".to_vec(), b"p".to_vec());
        let range = |reverse: bool, ended_at: &[u8]| {
            let query = Query::new().partition_key(b"p").sort_key(between.clone()).reverse(reverse);
            let owned = |bound: Bound<&[u8]>| bound.map(<[u8]>::to_vec);
            query.with_range(Some(ended_at), |(from, to)| (owned(from), owned(to))).unwrap()
        };
        let (m, n, p) = (b"m".to_vec(), b"n".to_vec(), b"p".to_vec());
        assert_eq!(range(false, b""), (Bound::Included(m.clone()), Bound::Included(p.clone())));
        assert_eq!(range(false, b"n"), (Bound::Excluded(n.clone()), Bound::Included(p.clone())));
        assert_eq!(range(true, b"zzz"), (Bound::Included(m.clone()), Bound::Included(p)));
        assert_eq!(range(true, b"n"), (Bound::Included(m), Bound::Excluded(n)));
    }
}
