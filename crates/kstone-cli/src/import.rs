//! Files of items into a database: CSV and plain JSON lines here, DynamoDB's exports by `kstone-api`.
//!
//! What an item's key is, is the same for all of them: see [`KeyNames`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use kstone_api::Database;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::text;

mod cells;
mod csv;
mod dynamodb;
mod json_lines;
mod keys;
mod progress;

pub(crate) use cells::ColumnType;
use keys::Keys;
use progress::Progress;

/// Which attributes of the items are the key.
///
/// The attributes `pk` and `sk` become the key and nothing else; others stay in the items, too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub(crate) struct KeyNames {
    /// The attribute or column that is the partition key [default: pk, and sk as the sort key where there is one]
    #[arg(long, value_name = "ATTRIBUTE")]
    pub(crate) key: Option<String>,
    /// The attribute or column that is the sort key.
    #[arg(long, value_name = "ATTRIBUTE")]
    pub(crate) sort: Option<String>,
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub(crate) struct ImportOptions {
    #[command(flatten)]
    pub(crate) keys: KeyNames,
    /// The types of CSV columns, such as zip=S,price=N: S, N, B (base64), BOOL, L or M (JSON). Types of the others are
    /// taken from all of their cells: N or BOOL where each is one, else S.
    #[arg(long, value_name = "COLUMN=TYPE", value_delimiter = ',', value_parser = cells::parse_column_type)]
    pub(crate) types: Vec<(String, ColumnType)>,
    /// What the file is, where its name and its first line do not say.
    #[arg(long, value_enum)]
    pub(crate) from: Option<Source>,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// Comma-separated values under a line of headings.
    Csv,
    /// A plain JSON object a line, such as {"pk": "a", "n": 1}.
    Jsonl,
    /// An export of DynamoDB's, or of .export: a directory or a file of it, compressed or not.
    Dynamodb,
}

impl Source {
    /// What a file is, by its name and its first line.
    fn of(path: &Path) -> Result<Self, Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match name.rsplit('.').next() {
            _ if path.is_dir() => Ok(Self::Dynamodb),
            Some("csv") => Ok(Self::Csv),
            Some("gz") => Ok(Self::Dynamodb),
            Some("jsonl" | "ndjson" | "json") if json_lines::is_typed(path)? => Ok(Self::Dynamodb),
            Some("jsonl" | "ndjson" | "json") => Ok(Self::Jsonl),
            _ => Err(Failure::message("its name does not say what it is: use --from")),
        }
    }
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Imported {
    /// Items that were read.
    items: u64,
    /// How many of them took the place of one with the same key.
    replaced: u64,
    spent: Duration,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { items, replaced, spent } = *self;
        let rate = items as f64 / spent.as_secs_f64().max(1e-9);
        write!(f, "{} imported in {:.1} ms, {rate:.0} a second", text::items(items), spent.as_secs_f64() * 1e3)?;
        if replaced > 0 { write!(f, "; {replaced} of them replaced one with the same key") } else { Ok(()) }
    }
}

/// Puts the items of a file into a database. Costs, besides, two walks over the database to count what was replaced.
///
/// # Errors
/// Where the file cannot be read, is not what it should be, or holds what no item may: says at which line. What was
/// read before may then be in the database. [`Failure::Interrupted`].
pub(crate) fn import(
    db: &Database,
    path: &Path,
    options: &ImportOptions,
    interrupt: &Interrupt,
) -> Result<Imported, Failure> {
    let place = path.display().to_string();
    let source = options.from.map_or_else(|| Source::of(path), Ok).map_err(|failure| failure.at(&place))?;
    if source != Source::Csv && !options.types.is_empty() {
        return Err(Failure::message("--types is for CSV: JSON says which type each value has"));
    }
    let keys = Keys::new(&options.keys)?;
    let before = db.stats()?.items;
    let started = Instant::now();
    let mut items = 0;
    for file in files(path, source).map_err(|failure| failure.at(&place))? {
        let mut progress = Progress::new(&file, interrupt);
        items += match source {
            Source::Csv => csv::import(db, &file, &keys, &options.types, &mut progress),
            Source::Jsonl => json_lines::import(db, &file, &keys, &mut progress),
            Source::Dynamodb => dynamodb::import(db, &file, &options.keys, &mut progress),
        }
        .map_err(|failure| failure.at(file.display()))?;
    }
    let spent = started.elapsed();
    let replaced = (before + items).saturating_sub(db.stats()?.items);
    Ok(Imported { items, replaced, spent })
}

/// The file itself, or the data files of an export's directory, by name.
fn files(path: &Path, source: Source) -> Result<Vec<PathBuf>, Failure> {
    if source == Source::Dynamodb && path.is_dir() { dynamodb::files(path) } else { Ok(vec![path.to_owned()]) }
}
