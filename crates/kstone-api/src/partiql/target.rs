//! The table that a statement is about.

use kstone_expr::partiql::parsed::Target;

use crate::error::{Error, Result};
use crate::table::state::TableState;

/// What the table is called in statements where its schema has no name.
const UNNAMED_TABLE: &str = "items";

/// Refuses a statement about another table.
pub(super) fn check_table(target: &Target, table: &TableState) -> Result<()> {
    let is = table.schema.table_name().unwrap_or(UNNAMED_TABLE);
    if *target.table == *is {
        return Ok(());
    }
    Err(Error::TableNotFound { name: target.table.to_string(), is: Some(is.to_owned()) })
}
