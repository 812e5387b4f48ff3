//! What a scan asks for: the whole table or one of several shares of it.

use crate::error::Result;
use crate::request::read_options::{ReadOptions, read_options};
use crate::request::read_request::{ReadKeys, ReadRequest};

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
    segment: Option<(u32, u32)>,
    options: ReadOptions,
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

    /// The request that this is.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for names and values of expressions that are none, and for two places to
    /// begin at.
    pub fn request(&self) -> Result<ReadRequest<'_>> {
        let keys = self.segment.map_or(ReadKeys::ALL, |(segment, segments)| ReadKeys::Segment { segment, segments });
        self.options.request(keys, false)
    }
}

read_options!(Scan);
