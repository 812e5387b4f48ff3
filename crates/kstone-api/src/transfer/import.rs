//! Imports: items from lines of JSON, as DynamoDB's table exports and [`Database::export_json`] write them.
//!
//! # Lines
//! A line is `{"Item":{…}}`, or the item itself in DynamoDB's typed JSON: any object that has not `Item` as its only
//! member. Lines end with LF or CR LF; blank ones are passed over, and so is a byte order mark. A line may have
//! [`IMPORT_LINE_MAX_BYTES`]; no item takes half of that without spaces.
//!
//! # Keys
//! | key attribute | in the file | the item's key | in the item |
//! | --- | --- | --- | --- |
//! | `pk`, `sk`, the default; `sk` may be missing | S or B | its bytes | no: they are the key itself |
//! | others that [`ImportOptions`] names; both must be there | S, B or N | its bytes, a number's canonical text | yes |
//!
//! So what was exported comes back as it was put, and exports alike. One thing is not told apart: an item that was put
//! with attributes `pk` and `sk` of its own, which must equal its key, comes back without them; expressions and queries
//! see the key under these names in any case.
//!
//! # Bad records
//! By default an import is done twice: every line is read and checked, then every item is put. The first bad record ends
//! it before anything is put, with its line. Otherwise bad records are skipped and counted.
//!
//! Items are put one by one, as [`Database::put`] does, through indexes and into the stream, in the place of those that
//! are there; of two lines with one key the later stays. What fails for another reason than a bad record (no memory is
//! left to the database, a disk fails, the file changes between the two readings) leaves what was put until then.
//!
//! Memory: a line, and what it is read into.
//!
//! Thread safety: any thread, at any time; others see items as they come.

use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use crate::error::Position;
use crate::error::{Error, Result};

use crate::database::Database;
use crate::transfer::file;

mod lines;
mod record;

pub use lines::IMPORT_LINE_MAX_BYTES;
use lines::{Line, Lines};

/// How many skipped records a report tells of.
pub const SKIPPED_SHOWN: usize = 10;

/// What the input of import is called where it is no file.
const INPUT: &str = "the input";

/// How to import: which attributes are the key, and what becomes of bad records. See the module for both.
///
/// ```
/// use kstone_api::{Database, ImportOptions};
/// let lines = r#"{"Item":{"Artist":{"S":"Acme Band"},"SongTitle":{"S":"Happy Day"},"Year":{"N":"1998"}}}"#;
/// let db = Database::create_in_memory()?;
/// let options = ImportOptions::new().partition_key("Artist").sort_key("SongTitle");
/// let report = db.import_json(std::io::Cursor::new(lines), &options)?;
/// assert_eq!(report.loaded, 1);
/// let song = db.get_with_sk(b"Acme Band", b"Happy Day")?.expect("imported");
/// assert_eq!(song["Artist"].as_string(), Some("Acme Band"));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    partition_key: Option<String>,
    sort_key: Option<String>,
    skip: bool,
}

impl ImportOptions {
    /// Keys in `pk` and `sk`; the first bad record ends the import before anything is put.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attribute that is the partition key. Without [`ImportOptions::sort_key`] items have no sort key then.
    #[must_use]
    pub fn partition_key(mut self, attribute: impl Into<String>) -> Self {
        self.partition_key = Some(attribute.into());
        self
    }

    /// The attribute that is the sort key.
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>) -> Self {
        self.sort_key = Some(attribute.into());
        self
    }

    /// Skips bad records and counts them.
    #[must_use]
    pub fn skip_bad_records(mut self) -> Self {
        self.skip = true;
        self
    }

    fn check(&self) -> Result<()> {
        let names = [&self.partition_key, &self.sort_key];
        if names.iter().any(|name| name.as_ref().is_some_and(String::is_empty)) {
            return Err(Error::invalid("the name of a key attribute is empty"));
        }
        let pk = self.partition_key.as_deref().unwrap_or("pk");
        match self.sort_key.as_deref() {
            Some(sk) if sk == pk => {
                Err(Error::invalid(format!("{pk} cannot be both the partition key and the sort key")))
            }
            _ => Ok(()),
        }
    }
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Records whose item was put.
    pub loaded: u64,
    /// Bad records.
    pub skipped: u64,
    /// The first of the bad records, up to [`SKIPPED_SHOWN`].
    pub first_skipped: Vec<SkippedRecord>,
}

/// A record that was bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRecord {
    /// Its line, the first being 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

impl ImportReport {
    fn skip(&mut self, line: u64, what: String) {
        self.skipped += 1;
        if self.first_skipped.len() < SKIPPED_SHOWN {
            self.first_skipped.push(SkippedRecord { line, what });
        }
    }
}

impl Database {
    /// Puts an item for each line of the input, from where it stands to its end. See [`ImportOptions`].
    ///
    /// Costs a parse of each line and a put, a second parse unless bad records are skipped.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the line of the first bad record, unless they are skipped, [`Error::Invalid`] for
    /// key attributes that cannot be, [`Error::Io`] where the input cannot be read: then nothing was put. What a put may
    /// return otherwise: then some items were.
    pub fn import_json(&self, mut input: impl BufRead + Seek, options: &ImportOptions) -> Result<ImportReport> {
        options.check()?;
        if options.skip {
            return self.import_lines(input, INPUT, options);
        }
        let failed = |error| Error::io("read again", INPUT, error);
        let start = input.stream_position().map_err(failed)?;
        let mut input = self.check_lines(input, INPUT, options)?;
        input.seek(SeekFrom::Start(start)).map_err(failed)?;
        self.import_lines(input, INPUT, options)
    }

    /// As [`Database::import_json`], for an input that can be read only once. Bad records must be skipped, since it takes
    /// a second reading to put nothing before everything is checked.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that do not skip; as there.
    pub fn import_json_stream(&self, input: impl BufRead, options: &ImportOptions) -> Result<ImportReport> {
        options.check()?;
        if !options.skip {
            return Err(Error::invalid(
                "an input that can be read only once can be imported only where bad records are skipped",
            ));
        }
        self.import_lines(input, INPUT, options)
    }

    /// As [`Database::import_json`], from a file; from a pipe or a terminal as [`Database::import_json_stream`].
    ///
    /// # Errors
    /// As there, naming the file.
    pub fn import_json_file(&self, path: impl AsRef<Path>, options: &ImportOptions) -> Result<ImportReport> {
        options.check()?;
        let name = file::name_of(path.as_ref());
        let mut input = BufReader::new(file::open(path.as_ref())?);
        if !options.skip {
            if input.stream_position().is_err() {
                return Err(Error::invalid(format!(
                    "{name} can be read only once, so it can be imported only where bad records are skipped"
                )));
            }
            input = self.check_lines(input, &name, options)?;
            input.rewind().map_err(|error| Error::io("read again", &name, error))?;
        }
        self.import_lines(input, &name, options)
    }

    /// Reads everything and puts nothing; the input at its end.
    fn check_lines<R: BufRead>(&self, input: R, name: &str, options: &ImportOptions) -> Result<R> {
        let mut lines = Lines::of(input);
        while let Some((number, line)) = lines.next().map_err(|error| Error::io("read", name, error))? {
            self.check_interrupt()?;
            record::read(options, &self.table(), &line).map_err(|error| bad_record(name, number, error.to_string()))?;
        }
        Ok(lines.into_input())
    }

    /// Puts what is there.
    fn import_lines(&self, input: impl BufRead, name: &str, options: &ImportOptions) -> Result<ImportReport> {
        let mut report = ImportReport::default();
        let mut lines = Lines::of(input);
        while let Some((number, line)) = lines.next().map_err(|error| Error::io("read", name, error))? {
            self.check_interrupt()?;
            let put = match record::read(options, &self.table(), &line) {
                Ok(None) => continue,
                Ok(Some(record)) => self.put_body(record.pk(), record.sk(), record.body()),
                Err(error) => Err(Error::invalid(error.to_string())),
            };
            match put {
                Ok(()) => report.loaded += 1,
                Err(Error::Invalid(what)) if options.skip => report.skip(number, what),
                Err(Error::Invalid(what)) => return Err(bad_record(name, number, what)),
                // Not of the record: those limits were checked.
                Err(other) => return Err(other),
            }
        }
        Ok(report)
    }
}

fn bad_record(name: &str, line: u64, what: String) -> Error {
    Error::corrupt(name, Position::Line(line), what)
}

#[cfg(test)]
mod tests;
