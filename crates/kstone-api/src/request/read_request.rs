//! What a read asks for, as one plain value: every kind of request that reads in order fills one in.
//!
//! ```text
//! Query, Scan, PreparedQuery, kstone_query_spec ──► ReadRequest ──► page · iterator · cursor
//! ```

use kstone_core::item::ItemRef;

use crate::expression::{Condition, KeyCondition, Parameters, Projection};
use crate::request::partition::PartitionQuery;
use crate::request::sort_key::SortKeyCondition;

/// A read in order: which items, in which direction, from where on, how many, and what of them. All of it is lent.
///
/// [`Table::read`](crate::Table::read) carries it out as a page, [`Table::iter`](crate::Table::iter) as an iterator and
/// [`Table::cursor`](crate::Table::cursor) as a cursor. [`Query`](crate::Query) and [`Scan`](crate::Scan) build one.
///
/// ```
/// use kstone_api::{Database, Item, ReadKeys, ReadRequest, ReadStart};
/// let db = Database::create_in_memory()?;
/// for user in 0..10 {
///     db.put(format!("user#{user}").as_bytes(), Item::new())?;
/// }
/// let four = ReadRequest { keys: ReadKeys::ALL, limit: Some(4), ..ReadRequest::default() };
/// let page = db.read(&four)?;
/// let last = db.last_key(&page)?.expect("there are more");
/// let rest = ReadRequest { start: ReadStart::After(kstone_api::ItemRef::new(&last)), limit: None, ..four };
/// assert_eq!((page.count, db.read(&rest)?.count), (4, 6));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ReadRequest<'a> {
    /// Which items are read.
    pub keys: ReadKeys<'a>,
    /// The index of the table's schema to read instead of the items themselves.
    pub index: Option<&'a str>,
    /// Of a partition: highest sort key first. All items are read in one direction, whatever this says.
    pub reverse: bool,
    /// The most items to examine, at least 1. Without it a page ends at 1 MiB.
    pub limit: Option<usize>,
    /// Where it begins.
    pub start: ReadStart<'a>,
    /// What to return of each item.
    pub select: Select,
    /// Which of the items to return; the others are examined all the same.
    pub filter: Option<ReadExpression<'a, Condition<'static>>>,
    /// Which parts of the items to return.
    pub projection: Option<ReadExpression<'a, Projection>>,
    /// What the names and values of the expressions stand for that are texts.
    pub parameters: Option<Parameters>,
    /// Whether a filter may ask for attributes that the index which is read does not hold, and finds them missing, as in
    /// DynamoDB's Scan; such a request is refused otherwise.
    pub asks_beyond: bool,
    /// Whether a page says how large the items are that it looked at: see [`Page::sizes`](crate::Page::sizes).
    pub measures: bool,
}

/// An expression of a request.
#[derive(Debug)]
pub enum ReadExpression<'a, T> {
    /// As text, whose names and values are the request's parameters.
    Text(&'a str),
    /// With its names and values, read before.
    Bound(&'a T),
}

impl<T> Clone for ReadExpression<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ReadExpression<'_, T> {}

impl<'a, T> From<&'a str> for ReadExpression<'a, T> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// What a read returns of the items it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Select {
    /// Every attribute; of an index, those that it holds.
    #[default]
    All,
    /// Every attribute, also those that the index which is read does not hold: each item is read after its entry, and the
    /// filter asks it. Of a local index; a global one leads to no items.
    Whole,
    /// Their number alone.
    Count,
    /// The key, as the attributes `pk` and `sk`.
    KeysOnly,
}

/// Which items a read is about.
#[derive(Debug, Clone, Copy)]
pub enum ReadKeys<'a> {
    /// Those of one partition.
    Partition {
        /// The partition: 1 to 2048 bytes; in a table with types the text of S and N, the bytes of B.
        partition_key: &'a [u8],
        /// Which of its sort keys.
        sort_key: SortKeyCondition<&'a [u8]>,
    },
    /// The same as an expression on the attributes of the key, the table's or the index's.
    Condition(ReadExpression<'a, KeyCondition<'a>>),
    /// One of so many shares of all items.
    Segment {
        /// Which one, from 0.
        segment: u32,
        /// How many there are, at most 1,000,000.
        segments: u32,
    },
}

impl ReadKeys<'_> {
    /// All items.
    pub const ALL: Self = Self::Segment { segment: 0, segments: 1 };
}

impl Default for ReadKeys<'_> {
    fn default() -> Self {
        Self::Partition { partition_key: &[], sort_key: SortKeyCondition::Any }
    }
}

/// Where a read begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadStart<'a> {
    /// With the first item.
    #[default]
    First,
    /// Where an earlier page of the same request ended.
    Token(&'a [u8]),
    /// Behind the item of this key, which need not exist: the attributes of the table's key and, of an index, those of its
    /// key, no others.
    After(ItemRef<'a>),
}

impl<'a> ReadRequest<'a> {
    /// The query of one partition of the table for whole items that this is, where it asks for nothing else.
    #[inline]
    pub(crate) fn of_whole_items(&self) -> Option<PartitionQuery<'a>> {
        let ReadKeys::Partition { partition_key, sort_key } = self.keys else { return None };
        let token = match self.start {
            ReadStart::First => None,
            ReadStart::Token(token) => Some(token),
            ReadStart::After(_) => return None,
        };
        let has_no_text = self.index.is_none() && self.filter.is_none() && self.projection.is_none();
        let is_whole = has_no_text && self.parameters.is_none() && self.select == Select::All && !self.measures;
        is_whole.then_some(PartitionQuery { partition_key, sort_key, reverse: self.reverse, limit: self.limit, token })
    }
}
