//! What an index shows: one rule for queries, scans, iterators, cursors and PartiQL.
//!
//! ```text
//!                        in the index       not in the index
//! asked: the filter      from the entry     refused
//! shown: the projection  from the entry     refused of a global index; of a local one, fetched from the table
//! ```
//! As in DynamoDB. One thing is stricter: a scan of an index whose filter asks for more than the index holds is
//! refused, too, where DynamoDB takes such attributes for missing; requests may ask for that
//! ([`ReadRequest::asks_beyond`](crate::ReadRequest::asks_beyond)).

use std::collections::HashSet;

use super::{Index, IndexKind};
use crate::error::{Error, Reason, Result};

impl Index {
    /// The attributes that a request on this index shows and the index does not hold, by name, each once: they have to
    /// be fetched from the items.
    ///
    /// # Errors
    /// [`Error::Invalid`] with DynamoDB's texts where the request may not look at them. `can_fetch` says whether it
    /// names what it shows: one that does not is shown what the index holds.
    pub(crate) fn beyond<'a>(
        &self,
        asked: impl Iterator<Item = &'a str>,
        shown: impl Iterator<Item = &'a str>,
        can_fetch: bool,
    ) -> Result<Vec<&'a str>> {
        let asked = self.missing(asked);
        if !asked.is_empty() {
            let (index, names) = (self.name(), asked.join(", "));
            return Err(Error::from(Reason::FilterNotProjected { index: index.into(), names: names.into() }));
        }
        let mut shown = self.missing(shown);
        if shown.is_empty() || (can_fetch && self.kind() == IndexKind::Local) {
            shown.sort_unstable();
            return Ok(shown);
        }
        let kind = match self.kind() {
            IndexKind::Local => "Local",
            IndexKind::Global => "Global",
        };
        let (index, names) = (self.name(), shown.join(", "));
        Err(Error::from(Reason::NotProjected { kind, index: index.into(), names: names.into() }))
    }

    /// Those that the index does not hold, each once, in the order in which they are named: refusals show them so.
    fn missing<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        names.filter(|name| !self.projects(name) && seen.insert(*name)).collect()
    }
}
