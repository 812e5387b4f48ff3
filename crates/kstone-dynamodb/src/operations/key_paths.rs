//! Paths into attributes of keys, which are scalars: no expression may have one (dynalite, `validateKeyPaths`, whose tests
//! run against AWS).
//!
//! Thread safety: plain functions.

use kstone_api::KeyPart;
use kstone_api::expression::{Condition, Projection};

use crate::catalog::CatalogTable;
use crate::refusal::Refusal;
use crate::texts::Text;

/// Refuses a projection that goes into an attribute of the table's key or of an index's.
///
/// # Errors
/// A ValidationException that names the first such attribute, those of the table's key first.
pub(super) fn refuse_in_projection(table: &CatalogTable, projection: Option<&Projection>) -> Result<(), Refusal> {
    refuse(table, projection.into_iter().flat_map(Projection::nested_attributes))
}

/// The same of a condition.
///
/// # Errors
/// As [`refuse_in_projection`].
pub(super) fn refuse_in_condition(table: &CatalogTable, condition: Option<&Condition<'_>>) -> Result<(), Refusal> {
    refuse(table, condition.into_iter().flat_map(Condition::nested_attributes))
}

fn refuse<'p>(table: &CatalogTable, nested: impl Iterator<Item = &'p str>) -> Result<(), Refusal> {
    let nested: Vec<&str> = nested.collect();
    if nested.is_empty() {
        return Ok(());
    }
    let named = |part: &KeyPart| nested.contains(&part.name()).then(|| part.name().to_owned());
    if let Some(attribute) = table.layout.parts().find_map(named) {
        return Err(Refusal::validation(Text::KeyPath { of: "Key", attribute }));
    }
    let schema = table.table.schema();
    let of_global =
        schema.global_indexes().iter().flat_map(|index| index.partition_parts().iter().chain(index.sort_parts()));
    let of_local = schema.local_indexes().iter().map(|index| index.sort_part());
    match of_global.chain(of_local).find_map(named) {
        Some(attribute) => Err(Refusal::validation(Text::KeyPath { of: "IndexKey", attribute })),
        None => Ok(()),
    }
}
