//! CSV with a line of headings.
//!
//! Read twice: first to find what is wrong with its form and the columns' types, then to put the items. Memory: a row.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use clap::{Args, ValueEnum};
use kstone_api::{Database, ItemWriter, Unzip};

use super::cells::{ColumnType, parse_column_type};
use super::columns::{Column, columns, meet};
use super::keys::Keys;
use super::progress::{Progress, Reading};
use super::rows::{Row, Rows};
use crate::failure::Failure;

/// How CSV is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub(crate) struct CsvOptions {
    /// The types of CSV columns, such as zip=S,price=N: S, N, B (base64), BOOL, L or M (JSON). Types of the others are
    /// taken from all of their cells: N or BOOL where each is one, else S. Columns of the key are of the types that the schema
    /// declares, or follow --csv-key-type.
    #[arg(long, visible_alias = "csv-types", value_name = "COLUMN=TYPE", value_delimiter = ',', value_parser = parse_column_type)]
    pub(crate) types: Vec<(String, ColumnType)>,
    /// The type of the key's CSV columns where the schema declares none [default: S].
    #[arg(long = "csv-key-type", value_enum, value_name = "TYPE", hide_default_value = true, default_value_t)]
    pub(crate) key_type: KeyType,
    /// Give a CSV column another name; the old one may be its number, from 1. May be given more than once.
    #[arg(long = "csv-rename", value_name = "OLD=NEW", value_parser = parse_rename)]
    pub(crate) rename: Vec<(String, String)>,
    /// Leave a CSV column out. May be given more than once.
    #[arg(long = "csv-skip", value_name = "NAME|NUMBER")]
    pub(crate) skip: Vec<String>,
    /// What stands between cells: a character, or 'tab' [default: a tab in files *.tsv, a comma in others].
    #[arg(long = "csv-delimiter", value_name = "CHARACTER", value_parser = parse_delimiter)]
    pub(crate) delimiter: Option<u8>,
}

/// What the cells of the key become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum KeyType {
    /// Text, exactly as it stands: 1.1 and 1.10 are two keys.
    #[default]
    #[value(name = "S")]
    Text,
    /// Numbers: 1.1 and 1.10 are one key.
    #[value(name = "N")]
    Number,
    /// Numbers where every cell is one, written so that no two of different text are equal, else text.
    Auto,
}

impl KeyType {
    /// None where the cells say it.
    pub(super) fn column_type(self) -> Option<ColumnType> {
        match self {
            Self::Text => Some(ColumnType::Text),
            Self::Number => Some(ColumnType::Number),
            Self::Auto => None,
        }
    }
}

/// A file of CSV, and what is to become of it.
pub(super) struct CsvFile<'a> {
    pub(super) path: &'a Path,
    pub(super) keys: &'a Keys,
    pub(super) options: &'a CsvOptions,
    pub(super) progress: Progress<'a>,
}

impl<'a> CsvFile<'a> {
    /// Puts the rows; how many. An empty cell is an attribute that is not there.
    ///
    /// # Errors
    /// Where the file cannot be read or is not what it should be: says at which line.
    pub(super) fn import(&self, db: &Database) -> Result<u64, Failure> {
        // Before it is opened: that would wait for whoever writes to a pipe.
        if self.path.exists() && !self.path.is_file() {
            return Err(Failure::message("CSV is read twice, so it cannot come from a pipe or be a directory"));
        }
        let result = self.check().and_then(|columns| self.put(db, &columns));
        // Ctrl-C reaches a read as an error of its own.
        self.progress.check()?;
        result
    }

    /// Reads the whole file, so that what is wrong with its form is found before anything is put.
    fn check(&self) -> Result<Vec<Column>, Failure> {
        let mut rows = self.open()?;
        let Some(headings) = rows.next()? else {
            return Err(Failure::message("the file is empty: CSV begins with a line of headings"));
        };
        let mut columns = columns(&headings, self.keys, self.options)?;
        let len = headings.len();
        while let Some(row) = rows.next()? {
            if row.len() != len {
                return Err(Failure::message(format!("line {}: {} cells under {len} headings", row.line, row.len())));
            }
            meet(&mut columns, &row);
        }
        Ok(columns)
    }

    fn put(&self, db: &Database, columns: &[Column]) -> Result<u64, Failure> {
        let mut rows = self.open()?;
        rows.next()?;
        let mut item = ItemWriter::new();
        let mut items = 0;
        while let Some(row) = rows.next()? {
            let put = set(columns, &row, &mut item).and_then(|()| self.keys.put(db, &mut item));
            put.map_err(|failure| failure.at(format_args!("line {}", row.line)))?;
            items += 1;
        }
        Ok(items)
    }

    fn open(&self) -> Result<Rows<Unzip<BufReader<Reading<'a, File>>>>, Failure> {
        let input = Unzip::new(BufReader::new(self.progress.reading(File::open(self.path)?)))?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let of_name = if name.ends_with(".tsv") || name.ends_with(".tsv.gz") { b'\t' } else { b',' };
        Ok(Rows::new(input, self.options.delimiter.unwrap_or(of_name)))
    }
}

/// Makes an item of a row.
fn set(columns: &[Column], row: &Row<'_>, item: &mut ItemWriter) -> Result<(), Failure> {
    item.clear();
    let mut columns = columns.iter().peekable();
    for (at, cell) in row.cells().enumerate() {
        if let Some(column) = columns.next_if(|column| column.at == at)
            && !cell.is_empty()
        {
            item.set_value(&column.name, &column.column_type().value(&column.name, cell)?)?;
        }
    }
    Ok(())
}

/// Reads `old=new`.
fn parse_rename(text: &str) -> Result<(String, String), String> {
    let (old, new) = text.rsplit_once('=').ok_or("write it as OLD=NEW")?;
    if new.is_empty() { Err("the new name is empty".to_owned()) } else { Ok((old.to_owned(), new.to_owned())) }
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => Ok(*byte),
        _ => Err("a delimiter is one character such as ';' or '|', or 'tab'".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_and_delimiters_are_read() {
        assert_eq!(parse_rename("a=b=c"), Ok(("a=b".to_owned(), "c".to_owned())));
        assert_eq!(parse_rename("=c"), Ok((String::new(), "c".to_owned())));
        for bad in ["a", "a="] {
            assert!(parse_rename(bad).is_err());
        }
        for (text, delimiter) in [(";", b';'), ("tab", b'\t'), ("\t", b'\t'), ("\\t", b'\t'), ("|", b'|')] {
            assert_eq!(parse_delimiter(text), Ok(delimiter));
        }
        for bad in ["", ";;", "a", "\"", "\n", "\u{e9}"] {
            assert!(parse_delimiter(bad).is_err(), "{bad}");
        }
    }
}
