//! What a SELECT looks at, and what of that an index does not hold: see [`crate::table::index`] for what follows.
//!
//! Thread safety: borrows only.

use crate::error::Result;

use crate::expression::ast::Segment;
use crate::table::index::Index;
use kstone_expr::partiql::parsed::{Cell, Select};

/// Whether an index holds all that the statement looks at.
pub(super) fn holds_all(select: &Select, index: &Index) -> bool {
    index.projects_all()
        || select.columns.is_some() && asked(select).chain(shown(select)).all(|name| index.projects(name))
}

/// The attributes that a SELECT from this index shows and the index does not hold.
///
/// # Errors
/// [`Error::Invalid`] with DynamoDB's texts where it may not look at them; `asks` says whether that holds for its clause.
pub(super) fn beyond<'a>(select: &'a Select, index: &Index, asks: bool) -> Result<Vec<&'a str>> {
    // With `*` an index shows what it holds, so that nothing else can decide the order.
    index.beyond(asked(select).filter(|_| asks), shown(select), select.columns.is_some())
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
