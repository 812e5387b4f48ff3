//! Which database a command works on: an empty one or a snapshot's.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use kstone_api::clock::ClockSource;
use kstone_api::{Database, DatabaseOptions, TableSchema};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::text;

/// What stands for an empty database in the place of a file's name.
pub(crate) const MEMORY: &str = ":memory:";

/// Where a database comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// An empty one, which was never a file.
    Memory,
    /// A snapshot.
    File(PathBuf),
}

impl Source {
    /// What was typed: `:memory:` or a file's name, whatever bytes it has.
    pub(crate) fn of(name: &OsStr) -> Self {
        if name == MEMORY { Self::Memory } else { Self::File(name.into()) }
    }

    /// The snapshot.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::File(file) => Some(file),
        }
    }
}

impl From<OsString> for Source {
    fn from(name: OsString) -> Self {
        Self::of(&name)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str(MEMORY),
            Self::File(file) => f.write_str(&text::path(file)),
        }
    }
}

/// Opens an empty database, with a schema where one is given, or a snapshot. Its long calls end when `interrupt` is
/// raised, loading too.
///
/// # Errors
/// Where the file cannot be read or is no snapshot, or the schema is none; a snapshot has a schema of its own.
pub(crate) fn open(source: &Source, schema: Option<&Path>, interrupt: &Interrupt) -> Result<Database, Failure> {
    let flag = interrupt.of_database();
    let Source::File(file) = source else {
        return Ok(Database::create_in_memory_with_schema(read_schema(schema)?)?.interrupted_by(&flag));
    };
    if schema.is_some() {
        return Err(Failure::message(format!(
            "--schema is for an empty database; {source} has its own, which .schema FILE changes"
        )));
    }
    if !file.exists() {
        return Err(Failure::message(format!(
            "there is no file {source}: `kstone shell` begins with an empty database, and its .save {source} writes it"
        )));
    }
    let empty =
        Database::create_in_memory_with(DatabaseOptions::default(), TableSchema::new(), ClockSource::default())?;
    let db = empty.interrupted_by(&flag);
    db.load_snapshot(file)?;
    Ok(db)
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

/// Keeps what is no snapshot from being written over the one that is open.
///
/// # Errors
/// Where both names lead to the same file, be it as hard links.
pub(crate) fn refuse_own(own: Option<&Path>, file: &Path) -> Result<(), Failure> {
    if own.is_some_and(|own| is_same_file(own, file) || is_hard_link(own, file)) {
        let shown = text::path(file);
        return Err(Failure::message(format!("{shown} is the snapshot that is open: this would overwrite it")));
    }
    Ok(())
}

/// Whether two names are links to one file: what is written to one of them in place is in the other.
fn is_hard_link(left: &Path, right: &Path) -> bool {
    match (fs::metadata(left), fs::metadata(right)) {
        (Ok(left), Ok(right)) => (left.dev(), left.ino()) == (right.dev(), right.ino()),
        _ => false,
    }
}

/// Whether two names lead to the same file.
pub(crate) fn is_same_file(left: &Path, right: &Path) -> bool {
    match (fs::canonicalize(left), fs::canonicalize(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    }
}
