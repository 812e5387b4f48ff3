//! Queries of an index whose key has several attributes of a sort, where a statement names it.
//!
//! ```text
//! partition: region, year    sort: month, day
//! region = 'a' AND year = 1                               all of the partition
//! region = 'a' AND year = 1 AND month = 2 AND day > 3     a range of it
//! region = 'a' AND month = 2                              none: a scan
//! ```

use kstone_core::key_layout::KeyPart;

use super::{Plan, PlanKind, Planner, Range, SortAsk};
use crate::error::Result;
use crate::expression::SortCondition;
use crate::request::extent::Extent;
use crate::request::read::{entry_condition, key_value};
use crate::table::index::{Index, KeyValue};
use kstone_expr::partiql::parsed::{Ask, KeyTest};

impl<'a> Planner<'a> {
    /// The query where the clause has a value for each attribute of the partition: of what follows the sort attributes that
    /// it has values for, one after the other, and a range of the next.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a value that the index's key cannot have.
    pub(super) fn query_of_parts(&self, index: &'a Index) -> Result<Option<Plan<'a>>> {
        let (mut partition, mut equal, mut used) = (Vec::new(), Vec::new(), Vec::new());
        for part in index.partition_parts() {
            let Some((at, value)) = self.equal_to(part)? else { return Ok(None) };
            partition.push(value);
            used.push(at);
        }
        let mut condition = SortCondition::Any;
        for part in index.sort_parts() {
            if let Some((at, value)) = self.equal_to(part)? {
                equal.push(value);
                used.push(at);
                continue;
            }
            if let Some(sorts) = self.sorts(part.name())
                && let SortAsk::Range(range) = sorts.ask
            {
                condition = range;
                used.extend(sorts.used);
            }
            break;
        }
        let next = index.sort_parts().get(equal.len()).map(KeyPart::name);
        let directions = self.directions(index.partition_attribute(), next, false);
        let entries = index.range_of(&partition, &equal, entry_condition(condition)?)?;
        Ok(Some(Plan {
            kind: PlanKind::IndexQuery,
            index: Some(index),
            ranges: vec![Range::Read(Extent::of_entries(entries, directions.reverse))],
            used,
            filters: true,
            fetched: Vec::new(),
            sorts: directions.sorts,
        }))
    }

    /// The one value that the clause leaves to an attribute, and the condition that says so.
    fn equal_to(&self, part: &KeyPart) -> Result<Option<(usize, KeyValue<'a>)>> {
        let equal = |(at, test): (usize, &KeyTest)| match &test.ask {
            Ask::Eq(value) => Some((at, self.bound.value(*value))),
            _ => None,
        };
        self.tests(part.name()).find_map(equal).map(|(at, value)| Ok((at, key_value(value)?))).transpose()
    }
}
