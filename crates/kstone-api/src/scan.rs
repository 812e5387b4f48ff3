//! What a scan asks for: the whole table or one of several shares of it.

use kstone_core::Result;
use kstone_core::engine::ScanRange;

use crate::query::Select;
use crate::token;

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    pub(crate) segment: Option<(u32, u32)>,
    pub(crate) limit: Option<usize>,
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) select: Select,
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

    /// What to return of each item.
    #[must_use]
    pub fn select(mut self, select: Select) -> Self {
        self.select = select;
        self
    }

    /// The finished scan.
    #[must_use]
    pub fn build(self) -> Self {
        self
    }

    pub(crate) fn range(&self) -> Result<ScanRange<'static>> {
        self.segment.map_or(Ok(ScanRange::all()), |(segment, segments)| ScanRange::segment(segment, segments))
    }

    /// What the scan asks for, in one number: its tokens fit no other.
    pub(crate) fn shape(&self) -> u32 {
        let (segment, segments) = self.segment.unwrap_or((0, 1));
        token::shape(&[b"scan", &segment.to_le_bytes(), &segments.to_le_bytes()])
    }
}
