//! What a scan asks for: the whole table or one of several shares of it.

use crate::error::Result;
use kstone_core::engine::ScanRange;
use kstone_core::item;
use kstone_core::value::{Item, Value};

use crate::expression::Parameters;
use crate::request::query::Select;
use crate::request::read::ReadExpressions;
use crate::request::token;
use crate::table::index::IndexId;

/// One page of the table, in scan order: fixed, but of no meaning to callers.
///
/// ```
/// use kstone_api::{Database, Item, Scan};
/// let db = Database::create_in_memory()?;
/// for user in 0..100 {
///     db.put(format!("user#{user}").as_bytes(), Item::new())?;
/// }
/// let mut seen = 0;
/// for segment in 0..4 {
///     seen += db.scan(Scan::new().segment(segment, 4))?.count;
/// }
/// assert_eq!(seen, 100);
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scan {
    pub(crate) segment: Option<(u32, u32)>,
    pub(crate) limit: Option<usize>,
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) start_after: Option<Vec<u8>>,
    pub(crate) select: Select,
    pub(crate) index: Option<String>,
    pub(crate) expressions: Option<Box<ReadExpressions>>,
}

impl Scan {
    /// A scan of the whole table.
    pub fn new() -> Self {
        Self::default()
    }

    /// One share of `segments`, counted from 0: together they return every item once. At most 1,000,000 segments.
    #[must_use]
    pub fn segment(mut self, segment: u32, segments: u32) -> Self {
        self.segment = Some((segment, segments));
        self
    }

    /// The most items to examine, at least 1. Without it a page ends at 1 MiB.
    #[must_use]
    pub fn limit(mut self, items: usize) -> Self {
        self.limit = Some(items);
        self
    }

    /// Where the last page of the same scan ended.
    #[must_use]
    pub fn token(mut self, token: &[u8]) -> Self {
        self.token = Some(token.to_vec());
        self
    }

    /// Begins behind the item of this key, which need not exist, in the order of the scan: as [`Query::start_after`]; in a
    /// segment it has to be a key of that segment.
    ///
    /// # Errors
    /// As [`Query::start_after`].
    ///
    /// [`Query::start_after`]: crate::Query::start_after
    pub fn start_after(mut self, key: &Item) -> Result<Self> {
        self.start_after = Some(item::encode(key)?);
        Ok(self)
    }

    /// Reads this index of the table's schema instead of the items themselves.
    /// Items without the index's key attributes are not in it.
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

    /// The finished scan.
    #[must_use]
    pub fn build(self) -> Self {
        self
    }

    /// Whether it is about all there is, in one page.
    pub(crate) fn is_whole(&self) -> bool {
        self.segment.is_none() && self.token.is_none() && self.start_after.is_none() && self.limit.is_none()
    }

    /// The places that it covers; of an index, those of its entries, whose number `index` is.
    pub(crate) fn range(&self, index: Option<IndexId>) -> Result<ScanRange<'static>> {
        let range = self.segment.map_or(Ok(ScanRange::all()), |(at, of)| ScanRange::segment(at, of))?;
        Ok(index.map_or(range, |IndexId(index)| range.of_index(index)))
    }

    /// The same behind the key where the last page ended.
    pub(crate) fn range_after<'k>(
        &self,
        index: Option<IndexId>,
        last: Option<(&'k [u8], &'k [u8])>,
    ) -> Result<ScanRange<'k>> {
        let range = self.range(index)?;
        Ok(last.map_or(range, |(pk, sk)| range.after(pk, sk)))
    }

    /// What the scan asks for, in one number: its tokens fit no other, nor an index that took the name of this one.
    pub(crate) fn shape(&self, index: Option<IndexId>) -> u32 {
        let (segment, segments) = self.segment.unwrap_or((0, 1));
        let name = self.index.as_deref().unwrap_or_default().as_bytes();
        let index = IndexId::key_bytes(index);
        token::shape(&[b"scan", name, &index, &segment.to_le_bytes(), &segments.to_le_bytes()])
    }
}
