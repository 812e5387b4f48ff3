//! CSV with a line of headings.
//!
//! Read twice: first to find what is wrong with its form and the columns' types, then to put the items. Memory: a row.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ErrorKind, Reader, StringRecord};
use kstone_api::{Database, ItemWriter};

use super::cells::{ColumnType, Inference};
use super::keys::Keys;
use super::progress::Progress;
use crate::failure::Failure;

/// Puts the rows of a file; how many. An empty cell is an attribute that is not there.
pub(super) fn import(
    db: &Database,
    path: &Path,
    keys: &Keys,
    types: &[(String, ColumnType)],
    progress: &mut Progress<'_>,
) -> Result<u64, Failure> {
    let columns = Columns::read(path, keys, types)?;
    let mut reader = Reader::from_reader(progress.reading(File::open(path)?));
    let mut row = StringRecord::new();
    let mut item = ItemWriter::new();
    let mut items = 0;
    while read(&mut reader, &mut row)? {
        let line = row.position().map_or(0, csv::Position::line);
        let put = columns.set(&row, &mut item).and_then(|()| keys.put(db, &mut item));
        put.map_err(|failure| failure.at(format_args!("line {line}")))?;
        items += 1;
        progress.check()?;
    }
    Ok(items)
}

/// What the columns are.
struct Columns {
    names: Vec<String>,
    types: Vec<ColumnType>,
}

impl Columns {
    /// Reads the whole file, so that what is wrong with its form is found before anything is put.
    fn read(path: &Path, keys: &Keys, given: &[(String, ColumnType)]) -> Result<Self, Failure> {
        let file = File::open(path)?;
        if !path.is_file() {
            return Err(Failure::message("CSV is read twice, so it cannot come from a pipe or be a directory"));
        }
        let mut reader = Reader::from_reader(file);
        let names: Vec<String> = reader.headers().map_err(|error| explain(&error))?.iter().map(str::to_owned).collect();
        let find = |name: &str| {
            names
                .iter()
                .position(|known| known == name)
                .ok_or_else(|| Failure::message(format!("there is no column {name}; there are: {}", names.join(", "))))
        };
        for (at, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(Failure::message(format!("line 1: column {} has no name", at + 1)));
            }
            if names[..at].contains(name) {
                return Err(Failure::message(format!("line 1: two columns are called {name}")));
            }
        }
        for name in keys.required() {
            find(name)?;
        }
        let mut types = vec![None; names.len()];
        for (name, type_) in given {
            types[find(name)?] = Some(*type_);
        }
        let mut inferences = vec![Inference::new(); names.len()];
        let mut row = StringRecord::new();
        while read(&mut reader, &mut row)? {
            inferences.iter_mut().zip(&row).for_each(|(inference, cell)| inference.meet(cell));
        }
        let types = types.iter().zip(inferences).map(|(given, inference)| given.unwrap_or(inference.column_type()));
        Ok(Self { types: types.collect(), names })
    }

    /// Makes an item of a row.
    fn set(&self, row: &StringRecord, item: &mut ItemWriter) -> Result<(), Failure> {
        item.clear();
        for ((name, type_), cell) in self.names.iter().zip(&self.types).zip(row) {
            if !cell.is_empty() {
                item.set_value(name, &type_.value(name, cell)?)?;
            }
        }
        Ok(())
    }
}

/// The next row; false at the end.
fn read(reader: &mut Reader<impl Read>, row: &mut StringRecord) -> Result<bool, Failure> {
    reader.read_record(row).map_err(|error| explain(&error))
}

/// The library's errors, with the line first as everywhere here.
fn explain(error: &csv::Error) -> Failure {
    let line = error.position().map_or(1, csv::Position::line);
    Failure::message(match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: {len} cells under {expected_len} headings")
        }
        ErrorKind::Utf8 { err, .. } => format!("line {line}: cell {} is not UTF-8", err.field() + 1),
        _ => format!("line {line}: {error}"),
    })
}
