//! What a SELECT looks at that an index does not hold.
//!
//! As in DynamoDB, a SELECT from an index cannot ask about such attributes, and cannot show them where the index is a
//! global one; where it is a local one, they are taken from the items that it leads to. One thing is stricter: a SELECT
//! that reads all of an index is refused, too, where DynamoDB takes the attributes for missing.
//!
//! Thread safety: borrows only.

use crate::error::{Error, Result};

use super::parsed::{Cell, Select};
use crate::expression::ast::Segment;
use crate::table::index::{Index, IndexKind};

/// Whether an index holds all that the statement looks at.
pub(super) fn holds_all(select: &Select, index: &Index) -> bool {
    index.projects_all()
        || select.columns.is_some() && asked(select).chain(shown(select)).all(|name| index.projects(name))
}

/// The attributes that a SELECT from this index shows and the index does not hold.
///
/// # Errors
/// [`Error::Invalid`] with DynamoDB's texts where it may not look at them.
pub(super) fn beyond<'a>(select: &'a Select, index: &Index) -> Result<Vec<&'a str>> {
    let asked = missing(asked(select), index);
    if !asked.is_empty() {
        let (index, names) = (index.name(), asked.join(", "));
        return Err(Error::Invalid(format!(
            "One or more parameter values were invalid: Secondary index {index} does not project one or more filter \
             attributes: [{names}]"
        )));
    }
    let shown = missing(shown(select), index);
    // With `*` an index shows what it holds, so that nothing else can decide the order.
    let can_fetch = index.kind() == IndexKind::Local && select.columns.is_some();
    if shown.is_empty() || can_fetch {
        return Ok(shown);
    }
    let kind = match index.kind() {
        IndexKind::Local => "Local",
        IndexKind::Global => "Global",
    };
    let (index, names) = (index.name(), shown.join(", "));
    Err(Error::Invalid(format!(
        "One or more parameter values were invalid: {kind} secondary index {index} does not project [{names}]"
    )))
}

/// The attributes that decide which items are returned.
fn asked(select: &Select) -> impl Iterator<Item = &str> {
    select.condition.iter().flat_map(|condition| &condition.ast.symbols.paths).filter_map(|path| root(path))
}

/// The attributes that rows are made of, and by which they are grouped and ordered.
fn shown(select: &Select) -> impl Iterator<Item = &str> {
    let columns = select.columns.iter().flat_map(|columns| &columns.list).filter_map(|column| match &column.cell {
        Cell::Path(path) | Cell::Aggregate(_, Some(path)) => Some(path),
        Cell::Aggregate(_, None) => None,
    });
    // Rows of groups are ordered by their columns.
    let keys = select.order_by.iter().filter(|_| select.groups.is_none()).map(|key| &key.path);
    columns.chain(select.groups.iter().flatten()).chain(keys).filter_map(|path| root(path))
}

fn root(path: &[Segment]) -> Option<&str> {
    match path.first() {
        Some(Segment::Name(name)) => Some(name),
        _ => None,
    }
}

/// Those that an index does not hold, by name, each once.
fn missing<'a>(names: impl Iterator<Item = &'a str>, index: &Index) -> Vec<&'a str> {
    let mut missing: Vec<&str> = names.filter(|name| !index.projects(name)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}
