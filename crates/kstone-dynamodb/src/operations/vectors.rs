//! Vector indexes (captured in eu-west-2 and us-east-1 in August 2026: parity, `error-messages/vectorIndexes`; dynoxide,
//! `validation.rs` and `actions/create_table.rs`).

use super::indexes::{Set, definitions, index_names, name_of, names, projection, unique};
use crate::catalog::settings::VectorIndex;
use crate::echo::Echo;
use crate::texts::Text;
use crate::view::{Structure, Value};

/// The most vector indexes of a table.
const MAX_VECTOR: usize = 5;
/// The most dimensions of a vector.
const MAX_DIMENSIONS: i64 = 4096;

/// The vector indexes of a CreateTable.
pub(super) fn vector(input: &Structure<'_>) -> Result<(), Text> {
    let Some(indexes) = input.get("VectorIndexes") else { return Ok(()) };
    if !input.get("BillingMode").is_some_and(|mode| mode.quoted().is("PAY_PER_REQUEST")) {
        return Err(Text::VectorIndexProvisioned);
    }
    let definitions = definitions(input);
    for index in indexes.elements() {
        one(&index.structure(), &definitions)?;
    }
    let mut seen = Set::new();
    for index in indexes.elements() {
        unique(&mut seen, name_of(&index.structure()))?;
    }
    if indexes.count() > MAX_VECTOR {
        return Err(Text::TooManyVectorIndexes);
    }
    same_dimensions(indexes)?;
    for index in indexes.elements() {
        let attribute = attribute(&index.structure());
        if definitions.contains(&attribute) {
            return Err(Text::VectorAttributeDefined { attribute: Echo::of(&attribute) });
        }
    }
    Ok(())
}

/// No vector index has the name of another index.
pub(super) fn names_differ(input: &Structure<'_>) -> Result<(), Text> {
    let Some(indexes) = input.get("VectorIndexes") else { return Ok(()) };
    let mut seen = index_names(input.get("LocalSecondaryIndexes"));
    seen.extend(index_names(input.get("GlobalSecondaryIndexes")));
    for index in indexes.elements() {
        let index = index.structure();
        unique(&mut seen, name_of(&index))?;
    }
    Ok(())
}

/// One vector index, of CreateTable or UpdateTable.
pub(super) fn one(index: &Structure<'_>, definitions: &Set<'_>) -> Result<(), Text> {
    let dimensions = index.get("Dimensions").map_or(0, |dimensions| dimensions.integer());
    if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
        return Err(Text::VectorDimensions);
    }
    projection(index)?;
    let Some(schema) = index.get("SearchSchema") else { return Ok(()) };
    let attributes = names(Some(schema));
    if attributes.iter().any(|attribute| !definitions.contains(attribute)) {
        return Err(Text::SearchSchemaUndefined);
    }
    let is_hash = |element: &Value<'_>| {
        element.structure().get("SearchSchemaElementType").is_some_and(|kind| kind.quoted().is("HASH"))
    };
    let count = schema.elements().filter(is_hash).count();
    if count > 1 {
        return Err(Text::SearchSchemaHashes { count });
    }
    let mut sorted = attributes;
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) { Err(Text::SearchSchemaDuplicate) } else { Ok(()) }
}

/// What a vector index that is added must not do to those there are, and to attributes that are defined.
pub(super) fn joins(index: &VectorIndex, present: &[VectorIndex], definitions: &Set<'_>) -> Result<(), Text> {
    if present.len() >= MAX_VECTOR {
        return Err(Text::TooManyVectorIndexes);
    }
    let attribute = || Echo::of(&index.attribute);
    let differs = |other: &VectorIndex| other.attribute == index.attribute && other.dimensions != index.dimensions;
    if present.iter().any(differs) {
        return Err(Text::VectorDimensionsConflict { attribute: attribute() });
    }
    if definitions.contains(&*index.attribute) {
        return Err(Text::VectorAttributeDefined { attribute: attribute() });
    }
    Ok(())
}

fn attribute<'a>(index: &Structure<'a>) -> std::borrow::Cow<'a, str> {
    let attribute = index.get("VectorAttribute").and_then(|attribute| attribute.structure().get("AttributeName"));
    attribute.map(|name| name.text()).unwrap_or_default()
}

/// Indexes of one attribute have as many dimensions.
fn same_dimensions(indexes: Value<'_>) -> Result<(), Text> {
    let mut seen: Vec<(std::borrow::Cow<'_, str>, i64)> = Vec::new();
    for index in indexes.elements() {
        let index = index.structure();
        let (attribute, dimensions) = (attribute(&index), index.get("Dimensions").map_or(0, |value| value.integer()));
        if seen.iter().any(|(name, others)| *name == attribute && *others != dimensions) {
            return Err(Text::VectorDimensionsConflict { attribute: Echo::of(&attribute) });
        }
        seen.push((attribute, dimensions));
    }
    Ok(())
}
