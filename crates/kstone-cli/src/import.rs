//! Files of items into a database: CSV here, JSON in all its forms by `kstone-api`.
//!
//! What an item's key is, is the same for all of them: see [`KeyNames`].

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use kstone_api::Database;
use kstone_api::json::JsonForm;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::text;

mod cells;
mod columns;
mod csv;
mod folder;
mod json;
mod keys;
mod progress;
mod rows;

use csv::CsvOptions;
use folder::Folder;
use keys::Keys;
use progress::Progress;

/// Which attributes of the items are the key.
///
/// A typed table's schema says it. Of an untyped one the attributes `pk` and `sk` become the key and nothing else; others
/// stay in the items, too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub(crate) struct KeyNames {
    /// The attribute or column that is the partition key [default: the schema's, or pk, and sk as the sort key where there is one]
    #[arg(long, value_name = "ATTRIBUTE")]
    pub(crate) key: Option<String>,
    /// The attribute or column that is the sort key.
    #[arg(long, value_name = "ATTRIBUTE")]
    pub(crate) sort: Option<String>,
}

impl KeyNames {
    /// The same for JSON.
    fn of_json(&self, form: Option<JsonForm>) -> kstone_api::ImportOptions {
        let mut options = kstone_api::ImportOptions::new().in_one_pass();
        if let Some(key) = &self.key {
            options = options.partition_key(key);
        }
        if let Some(sort) = &self.sort {
            options = options.sort_key(sort);
        }
        if let Some(form) = form {
            options = options.form(form);
        }
        options
    }
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub(crate) struct ImportOptions {
    #[command(flatten)]
    pub(crate) keys: KeyNames,
    #[command(flatten)]
    pub(crate) csv: CsvOptions,
    /// What the file is, where its name and its beginning do not say.
    #[arg(long, value_enum)]
    pub(crate) from: Option<Source>,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// Comma-separated values under a line of headings.
    Csv,
    /// Plain JSON objects, such as {"pk": "a", "n": 1}, in lines or arrays.
    Jsonl,
    /// DynamoDB's typed JSON: exports of it and of .export, and what `aws dynamodb scan` prints.
    Dynamodb,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    /// In this form, or in the one that its first item is in.
    Json(Option<JsonForm>),
}

impl Kind {
    fn of_source(source: Source) -> Self {
        match source {
            Source::Csv => Self::Csv,
            Source::Jsonl => Self::Json(Some(JsonForm::Plain)),
            Source::Dynamodb => Self::Json(Some(JsonForm::Typed)),
        }
    }

    /// What the name of a file says that it is.
    fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        match name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.')?.1 {
            "csv" | "tsv" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::Json(None)),
            _ => None,
        }
    }
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Imported {
    /// Items that were read.
    items: u64,
    /// How many of them took the place of one with the same key.
    replaced: u64,
    /// How many deletions there were, of an incremental export.
    deleted: u64,
    /// What of a folder was passed over, in words.
    passed_over: Option<String>,
    spent: Duration,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { items, replaced, deleted, passed_over, spent } = self;
        let rate = *items as f64 / spent.as_secs_f64().max(1e-9);
        write!(f, "{} imported in {:.1} ms, {rate:.0} a second", text::items(*items), spent.as_secs_f64() * 1e3)?;
        if *replaced > 0 {
            write!(f, "; {replaced} of them replaced one with the same key")?;
        }
        if *deleted > 0 {
            write!(f, "; {} deleted", text::items(*deleted))?;
        }
        passed_over.iter().try_for_each(|what| write!(f, "; {what}"))
    }
}

/// Puts the items of a file, or of the files of a folder, into a database. Costs, besides, two scans of the database's
/// statistics to count what was replaced.
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
    let given = options.from.map(Kind::of_source);
    let folder = if path.is_dir() {
        Folder::read(path).map_err(|failure| failure.at(text::path(path)))?
    } else {
        Folder::of_file(path)
    };
    let kinds: Vec<_> = folder.files.iter().map(|file| (file, given.or_else(|| Kind::of_name(file)))).collect();
    if options.csv != CsvOptions::default() && kinds.iter().all(|(_, kind)| *kind != Some(Kind::Csv)) {
        return Err(Failure::message(
            "--types is for CSV, as all options --csv-… are: JSON says which type each value has",
        ));
    }
    let keys = Keys::new(&options.keys, db.schema().key_layout()?)?;
    let before = db.stats()?.items;
    let started = Instant::now();
    let (mut items, mut deleted) = (0, 0);
    for (file, kind) in kinds {
        let imported = match kind {
            Some(Kind::Csv) => {
                let progress = Progress::new(file, 2, interrupt);
                csv::CsvFile { path: file, keys: &keys, options: &options.csv, progress }.import(db).map(|put| (put, 0))
            }
            Some(Kind::Json(form)) => {
                json::import(db, file, &options.keys.of_json(form), true, &Progress::new(file, 1, interrupt))
            }
            None => json::import(db, file, &options.keys.of_json(None), false, &Progress::new(file, 1, interrupt)),
        };
        let (put, gone) = imported.map_err(|failure| failure.at(text::path(file)))?;
        items += put;
        deleted += gone;
    }
    let spent = started.elapsed();
    // What was deleted may have been there or not.
    let replaced = if deleted == 0 { (before + items).saturating_sub(db.stats()?.items) } else { 0 };
    Ok(Imported { items, replaced, deleted, passed_over: folder.passed_over(), spent })
}
