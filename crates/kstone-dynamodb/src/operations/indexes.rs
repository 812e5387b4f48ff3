//! Keys, indexes and projections: what CreateTable demands of them before there is a table (dynalite,
//! `validations/createTable.js`; parity, `error-messages/createTable`; dynoxide's changelog).

use std::borrow::Cow;
use std::collections::HashSet;

use kstone_api::KEY_PARTS_MAX;

use crate::catalog::definition::known;
use crate::echo::Echo;
use crate::texts::Text;
use crate::view::{Structure, Value};

/// The most local indexes of a table.
const MAX_LOCAL: usize = 5;
/// The most global indexes of a table.
const MAX_GLOBAL: usize = 20;

/// The names of a table's attributes, and of keys.
pub(super) type Names<'a> = Vec<Cow<'a, str>>;

/// Names to look others up in. There may be as many as a request has bytes, so that none is looked for one by one.
pub(super) type Set<'a> = HashSet<Cow<'a, str>>;

/// The names of the attributes that a request defines.
pub(super) fn definitions<'a>(input: &Structure<'a>) -> Set<'a> {
    names(input.get("AttributeDefinitions")).into_iter().collect()
}

/// The names in a list of structures that have a member `AttributeName`.
pub(super) fn names<'a>(list: Option<Value<'a>>) -> Names<'a> {
    let name = |element: Value<'a>| element.structure().get("AttributeName").map(|name| name.text());
    list.into_iter().flat_map(|list| list.elements()).filter_map(name).collect()
}

/// The types of a key schema's elements.
fn key_types<'a>(schema: Option<Value<'a>>) -> Names<'a> {
    let kind = |element: Value<'a>| element.structure().get("KeyType").map(|kind| kind.text());
    schema.into_iter().flat_map(|schema| schema.elements()).filter_map(kind).collect()
}

/// The table's own keys.
pub(super) fn table_keys(input: &Structure<'_>) -> Result<(), Text> {
    let keys = names(input.get("KeySchema"));
    let definitions = names(input.get("AttributeDefinitions"));
    let mut seen = Set::new();
    if let Some(twice) = definitions.iter().find(|name| !seen.insert((*name).clone())) {
        return Err(Text::DefinitionTwice { attribute: Echo::of(twice) });
    }
    if keys.len() > definitions.len() {
        return Err(Text::KeyWithoutDefinition);
    }
    defined(&keys, &self::definitions(input), input)?;
    key_schema(input.get("KeySchema"), true)?;
    let has_indexes = ["LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes"]
        .iter()
        .any(|name| known(input, name).is_some());
    if !has_indexes && keys.len() != definitions.len() {
        return Err(Text::DefinitionsDoNotMatch);
    }
    Ok(())
}

/// Every key has a definition.
fn defined(keys: &[Cow<'_, str>], definitions: &Set<'_>, input: &Structure<'_>) -> Result<(), Text> {
    if keys.iter().all(|key| definitions.contains(key)) {
        return Ok(());
    }
    let definitions = Echo::list(names(input.get("AttributeDefinitions")));
    Err(Text::KeysWithoutDefinitions { keys: Echo::list(keys), definitions })
}

/// A hash key and then a range key; a global index may have several of each.
fn key_schema(schema: Option<Value<'_>>, is_pair: bool) -> Result<(), Text> {
    let (names, kinds) = (names(schema), key_types(schema));
    if names.len() == 2 && names[0] == names[1] {
        return Err(Text::SameHashAndRange);
    }
    if kinds.first().is_some_and(|kind| kind != "HASH") {
        return Err(Text::FirstKeyNotHash);
    }
    if is_pair {
        let has_two = kinds.get(1).is_some_and(|kind| kind != "RANGE");
        return if has_two { Err(Text::SecondKeyNotRange) } else { Ok(()) };
    }
    several_keys(&names, &kinds)
}

/// Up to four hash keys and then up to four range keys, all of them different (ack-api-quirks, DDB-TABLE-129 and -442).
fn several_keys(names: &[Cow<'_, str>], kinds: &[Cow<'_, str>]) -> Result<(), Text> {
    let hashes = kinds.iter().take_while(|kind| *kind == "HASH").count();
    if kinds[hashes..].iter().any(|kind| kind != "RANGE") {
        return Err(Text::HashBehindRange);
    }
    for (count, kind) in [(hashes, "HASH"), (kinds.len() - hashes, "RANGE")] {
        if count > KEY_PARTS_MAX {
            return Err(Text::TooManyKeys { kind });
        }
    }
    let mut seen = HashSet::new();
    if names.iter().all(|name| seen.insert(name)) { Ok(()) } else { Err(Text::KeyTwice) }
}

/// Lists of indexes are not empty where they are there.
pub(super) fn lists_not_empty(input: &Structure<'_>) -> Result<(), Text> {
    for list in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes"] {
        if known(input, list).is_some_and(|indexes| indexes.count() == 0) {
            return Err(Text::IndexListEmpty { list });
        }
    }
    Ok(())
}

/// Local indexes: of the table's hash key and another range key.
pub(super) fn local(input: &Structure<'_>) -> Result<(), Text> {
    let Some(indexes) = input.get("LocalSecondaryIndexes") else { return Ok(()) };
    let table = names(input.get("KeySchema"));
    let definitions = definitions(input);
    if table.len() != 2 {
        return Err(Text::LocalIndexWithoutRange);
    }
    let mut seen = Set::new();
    for index in indexes.elements() {
        let index = index.structure();
        let name = name_of(&index);
        let keys = names(index.get("KeySchema"));
        defined(&keys, &definitions, input)?;
        key_schema(index.get("KeySchema"), true)?;
        if keys.len() != 2 {
            return Err(Text::IndexWithoutRange { index: Echo::of(&name) });
        }
        if keys[0] != table[0] {
            let (index_key, table_key) = (Echo::of(&keys[0]), Echo::of(&table[0]));
            return Err(Text::IndexHashDiffers { index: Echo::of(&name), index_key, table_key });
        }
        projection(&index)?;
        unique(&mut seen, name)?;
    }
    if indexes.count() > MAX_LOCAL { Err(Text::TooManyLocalIndexes) } else { Ok(()) }
}

/// Global indexes.
pub(super) fn global(input: &Structure<'_>) -> Result<(), Text> {
    let Some(indexes) = input.get("GlobalSecondaryIndexes") else { return Ok(()) };
    let definitions = definitions(input);
    let is_on_demand = input.get("BillingMode").is_some_and(|mode| mode.quoted().is("PAY_PER_REQUEST"));
    let mut seen = index_names(known(input, "LocalSecondaryIndexes"));
    for index in indexes.elements() {
        let index = index.structure();
        let name = name_of(&index);
        defined(&names(index.get("KeySchema")), &definitions, input)?;
        key_schema(index.get("KeySchema"), false)?;
        projection(&index)?;
        if is_on_demand && index.has("ProvisionedThroughput") {
            return Err(Text::IndexThroughputOnDemand { index: Echo::of(&name) });
        }
        unique(&mut seen, name)?;
    }
    if indexes.count() > MAX_GLOBAL { Err(Text::TooManyGlobalIndexes) } else { Ok(()) }
}

/// Where units are provisioned they are for each global index, too (ack-api-quirks, DDB-TABLE-442).
pub(super) fn provisioned(input: &Structure<'_>) -> Result<(), Text> {
    let indexes = input.get("GlobalSecondaryIndexes").into_iter().flat_map(|indexes| indexes.elements());
    let lacking = indexes.map(|index| index.structure()).find(|index| !index.has("ProvisionedThroughput"));
    match lacking {
        Some(index) => Err(Text::IndexThroughputUnspecified { index: Echo::of(&name_of(&index)) }),
        None => Ok(()),
    }
}

/// The rules of one global index that is added to a table: its keys, all of which the request defines, and its projection.
pub(super) fn one_global(index: &Structure<'_>, input: &Structure<'_>) -> Result<(), Text> {
    defined(&names(index.get("KeySchema")), &definitions(input), input)?;
    key_schema(index.get("KeySchema"), false)?;
    projection(index)
}

/// A projection has a type, and attributes exactly where it includes some.
pub(super) fn projection(index: &Structure<'_>) -> Result<(), Text> {
    let projection = index.get("Projection").map(|projection| projection.structure());
    let Some(kind) = projection.and_then(|projection| projection.get("ProjectionType")) else {
        return Err(Text::ProjectionTypeMissing);
    };
    let has_attributes = projection.is_some_and(|projection| projection.has("NonKeyAttributes"));
    let included = projection.and_then(|projection| projection.get("NonKeyAttributes"));
    let mut seen = Set::new();
    for attribute in included.into_iter().flat_map(|list| list.elements()) {
        let attribute = attribute.text();
        if !seen.insert(attribute.clone()) {
            return Err(Text::NonKeyTwice { attribute: Echo::of(&attribute) });
        }
    }
    match (&*kind.text(), has_attributes) {
        ("INCLUDE", false) => Err(Text::ProjectionWithoutAttributes),
        ("INCLUDE", true) | (_, false) => Ok(()),
        (kind, true) => Err(Text::ProjectionWithAttributes { projection: kind.to_owned() }),
    }
}

/// Every definition is some key's.
pub(super) fn definitions_used(input: &Structure<'_>) -> Result<(), Text> {
    let definitions = names(input.get("AttributeDefinitions"));
    let mut used = names(input.get("KeySchema"));
    for list in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes"] {
        for index in known(input, list).into_iter().flat_map(|indexes| indexes.elements()) {
            let schema = if list == "VectorIndexes" { "SearchSchema" } else { "KeySchema" };
            used.extend(names(index.structure().get(schema)));
        }
    }
    let all: Set<'_> = used.iter().cloned().collect();
    if definitions.iter().all(|definition| all.contains(definition)) {
        return Ok(());
    }
    let mut seen = Set::new();
    let keys = used.into_iter().filter(|key| seen.insert(key.clone()));
    Err(Text::DefinitionsUnused { definitions: Echo::list(definitions), keys: Echo::list(keys) })
}

/// The names of a list of indexes.
pub(super) fn index_names<'a>(indexes: Option<Value<'a>>) -> Set<'a> {
    indexes.into_iter().flat_map(|indexes| indexes.elements()).map(|index| name_of(&index.structure())).collect()
}

/// An index's name, which the shape has demanded.
pub(super) fn name_of<'a>(index: &Structure<'a>) -> Cow<'a, str> {
    index.get("IndexName").map(|name| name.text()).unwrap_or_default()
}

/// No two indexes of a table have one name, of whatever kind they are.
pub(super) fn unique<'a>(seen: &mut Set<'a>, name: Cow<'a, str>) -> Result<(), Text> {
    if seen.contains(&name) {
        return Err(Text::DuplicateIndex { index: Echo::of(&name) });
    }
    seen.insert(name);
    Ok(())
}
