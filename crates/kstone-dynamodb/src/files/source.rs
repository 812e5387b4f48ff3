//! What ImportTable reads: objects of a bucket, packed or not, as records of one of three formats.
//!
//! Records are read one by one. In JSON and Ion a line is a record; a line that is none ends its object, as on AWS.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use kstone_api::KeyType;
use ruzstd::decoding::StreamingDecoder;

use super::ion_text;
use crate::catalog::definition::Definitions;

/// The most bytes of a line. An item has 400 KB; in JSON its text may be several times as long.
const LINE_MAX_BYTES: u64 = 8 << 20;

/// The most bytes of a row of CSV: an item has 400 KB, and there are no escapes.
const ROW_MAX_BYTES: usize = 1 << 20;

/// What the records look like.
pub(crate) enum Format<'d> {
    Json,
    Ion,
    /// Its columns, where they are named apart; the types of the attributes of keys, all others being text.
    Csv {
        delimiter: u8,
        header: Vec<String>,
        types: &'d Definitions<'d>,
    },
}

/// How objects are packed.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    None,
    Gzip,
    Zstd,
}

/// A record: an item in DynamoDB's JSON, or what is none.
pub(crate) type ReadRecord = Option<String>;

/// Reads an object record by record, as long as `take` says to go on; how many bytes it has.
///
/// # Errors
/// What the file system says, and bytes that are not packed as they should be.
pub(crate) fn read(
    path: &Path,
    packing: Packing,
    format: &Format<'_>,
    take: &mut dyn FnMut(ReadRecord) -> bool,
) -> io::Result<u64> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let unpacked: Box<dyn Read> = match packing {
        Packing::None => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(file))),
        Packing::Zstd => Box::new(StreamingDecoder::new(BufReader::new(file)).map_err(io::Error::other)?),
    };
    match format {
        Format::Csv { delimiter, header, types } => csv(unpacked, (*delimiter, header, types), take)?,
        Format::Json => lines(BufReader::new(unpacked), json_item, take)?,
        Format::Ion => lines(BufReader::new(unpacked), ion_text::document, take)?,
    }
    Ok(bytes)
}

fn lines(
    mut input: impl BufRead,
    item_of: impl Fn(&str) -> Option<String>,
    take: &mut dyn FnMut(ReadRecord) -> bool,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut input).take(LINE_MAX_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = str::from_utf8(&line).map(str::trim).ok();
        if text == Some("") || text == Some("$ion_1_0") {
            continue;
        }
        let record = text.and_then(&item_of);
        let is_none = record.is_none();
        if !take(record) || is_none {
            return Ok(());
        }
    }
}

/// What is under `Item` in a line.
fn json_item(line: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Line<'l> {
        #[serde(rename = "Item", borrow)]
        item: &'l serde_json::value::RawValue,
    }
    serde_json::from_str::<Line<'_>>(line).ok().map(|line| line.item.get().to_owned())
}

fn csv(
    input: Box<dyn Read>,
    (delimiter, header, types): (u8, &[String], &Definitions<'_>),
    take: &mut dyn FnMut(ReadRecord) -> bool,
) -> io::Result<()> {
    let left = Cell::new(ROW_MAX_BYTES);
    let input = Rows { input, left: &left };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(input);
    let mut columns = header.to_vec();
    for row in reader.records() {
        let Ok(row) = row else {
            take(None);
            return Ok(());
        };
        left.set(ROW_MAX_BYTES);
        if columns.is_empty() {
            columns = row.iter().map(str::to_owned).collect();
            continue;
        }
        let mut item = serde_json::Map::new();
        for (column, cell) in columns.iter().zip(&row) {
            let type_ = types.defined(column).unwrap_or(KeyType::S);
            item.insert(column.clone(), serde_json::json!({ type_.name(): cell }));
        }
        let is_whole = row.len() <= columns.len();
        if !take(is_whole.then(|| serde_json::Value::Object(item).to_string())) {
            return Ok(());
        }
    }
    Ok(())
}

/// Input that ends in an error where a row of it has no end: its reader would keep all of it.
struct Rows<'l> {
    input: Box<dyn Read>,
    /// How many bytes may come before the end of a row.
    left: &'l Cell<usize>,
}

impl Read for Rows<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let left = self.left.get().checked_sub(read);
        self.left.set(left.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a row without an end"))?);
        Ok(read)
    }
}
