//! Which database a command works on: an empty one or a snapshot's.

use std::fs;
use std::path::Path;

use kstone_api::{Database, TableSchema};

use crate::failure::Failure;
use crate::output::text;

/// What stands for an empty database in the place of a file's name.
pub(crate) const MEMORY: &str = ":memory:";

/// Opens what `name` says: an empty database, with a schema where one is given, or the snapshot of that file.
///
/// # Errors
/// Where the file cannot be read or is no snapshot, or the schema is none; a snapshot has a schema of its own.
pub(crate) fn open(name: &str, schema: Option<&Path>) -> Result<Database, Failure> {
    match schema {
        _ if name == MEMORY => Ok(Database::create_in_memory_with_schema(read_schema(schema)?)?),
        None if !Path::new(name).exists() => Err(Failure::message(format!(
            "there is no file {name}: `kstone shell` begins with an empty database, and its .save {name} writes it"
        ))),
        None => Ok(Database::open_snapshot(name)?),
        Some(_) => Err(Failure::message(format!(
            "--schema is for an empty database; {name} has its own, which .schema FILE changes"
        ))),
    }
}

/// The schema that a file describes, or the JSON that stands in its place; an empty one without a file.
///
/// # Errors
/// Where the file cannot be read or holds no schema.
pub(crate) fn read_schema(file: Option<&Path>) -> Result<TableSchema, Failure> {
    let Some(path) = file else { return Ok(TableSchema::new()) };
    if let Some(json) = path.to_str().filter(|text| text.trim_start().starts_with('{')) {
        return Ok(TableSchema::from_json(json)?);
    }
    let place = text::path(path);
    let text = fs::read_to_string(path).map_err(|error| Failure::from(error).at(&place))?;
    TableSchema::from_json(&text).map_err(|error| Failure::from(error).at(&place))
}
