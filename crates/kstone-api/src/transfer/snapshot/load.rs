//! Reading a snapshot: everything is read and checked before anything is seen.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use crate::error::{Error, Result};
use kstone_core::engine::{Filling, PageLimits, ScanRange};
use kstone_core::item::ItemRef;
use kstone_core::record::Record;

use super::Report;
use super::format::{Block, BlockKind, BlockReader, take_record};
use crate::database::Database;
use crate::model::item_check::check_item;
use crate::model::schema::TableSchema;
use crate::table::Table;
use crate::table::index::IndexId;

/// The largest number of a stream's record that is believed: numbers go on from it without an overflow.
const STREAM_LAST_MAX: u64 = u64::MAX / 2;

/// What stands before the items.
struct Header {
    items: u64,
    stream_last: u64,
    schema: TableSchema,
}

/// Fills an empty database; with how many items. Errors call the file `name`.
pub(super) fn load(database: &Database, input: impl Read, name: &str, report: &mut Report<'_>) -> Result<u64> {
    // Keeps the numbers of the indexes, which entries are made of, until the table is in force.
    let _one_at_a_time = database.configuring()?;
    refuse_items(database)?;
    let before = database.table();
    let mut blocks = BlockReader::begin(input, name)?;
    let Header { items, stream_last, schema } = read_header(&mut blocks)?;
    report.begin(items)?;
    let table = Table::following(schema, Some(&before), database.stream_max_bytes())?.loading();
    let mut loading = Loading {
        table: &table,
        filling: database.engine().filling(),
        now: database.now_for(&table),
        items,
        loaded: 0,
        refused: HashSet::new(),
    };
    loop {
        let block = blocks.block()?;
        let (kind, offset) = (block.kind, block.offset);
        let checked = match kind {
            BlockKind::Header => Err((offset, Error::invalid("a second header"))),
            BlockKind::Items => loading.add(&block),
            BlockKind::End => loading.check_end(block.payload).map_err(|error| (offset, error)),
        };
        checked.map_err(|(offset, error)| blocks.corrupt(offset, error.to_string()))?;
        loading.filling.check_limit()?;
        report.reach(loading.loaded)?;
        if kind == BlockKind::End {
            break;
        }
    }
    blocks.end()?;
    let Loading { filling, refused, .. } = loading;
    let filled = filling.sorted().map_err(|twice| {
        let (pk, sk) = (twice.pk().escape_ascii(), twice.sk().escape_ascii());
        blocks.corrupt(blocks.offset(), format!("two items have the key \"{pk}\", \"{sk}\""))
    })?;
    let outside = if table.stream.is_some() { database.stream_share_bytes() } else { 0 };
    filled.install(outside, || {
        // Only under the locks is it certain which number the stream gave last.
        let table =
            table.lacking(&refused).restarted(stream_last.max(before.last_in_stream()), database.stream_max_bytes())?;
        database.install(Arc::new(table));
        Ok::<_, Error>(())
    })?;
    Ok(items)
}

/// What fails is found before the file is read.
fn refuse_items(database: &Database) -> Result<()> {
    let one = PageLimits::of_records(1);
    if database.engine().scan(ScanRange::all(), one)?.records.is_empty() {
        return Ok(());
    }
    Err(Error::invalid("a snapshot is loaded into an empty database, and this one holds items"))
}

fn read_header<R: Read>(blocks: &mut BlockReader<'_, R>) -> Result<Header> {
    let Block { kind, payload, offset } = blocks.block()?;
    let header = match kind {
        BlockKind::Header => parse_header(payload),
        _ => Err(Error::invalid("the first block is no header")),
    };
    header.map_err(|error| blocks.corrupt(offset, error.to_string()))
}

fn parse_header(payload: &[u8]) -> Result<Header> {
    let short = || Error::invalid("a header that is too short");
    let (items, rest) = payload.split_first_chunk().ok_or_else(short)?;
    let (stream_last, schema) = rest.split_first_chunk().ok_or_else(short)?;
    let schema = str::from_utf8(schema).map_err(|_| Error::invalid("a schema that is not UTF-8"))?;
    let (items, stream_last) = (u64::from_le_bytes(*items), u64::from_le_bytes(*stream_last));
    if stream_last > STREAM_LAST_MAX {
        return Err(Error::invalid(format!("a stream cannot have come to number {stream_last}")));
    }
    Ok(Header { items, stream_last, schema: TableSchema::from_json(schema)? })
}

/// What has been read so far.
struct Loading<'a> {
    table: &'a Table,
    filling: Filling<'a>,
    now: i64,
    /// How many items the header promises.
    items: u64,
    loaded: u64,
    /// The indexes that refused items.
    refused: HashSet<IndexId>,
}

impl Loading<'_> {
    /// Adds the records of a block. An error comes with where in the file it is.
    fn add(&mut self, block: &Block<'_>) -> std::result::Result<(), (u64, Error)> {
        let mut rest = block.payload;
        while !rest.is_empty() {
            let at = block.offset + (block.payload.len() - rest.len()) as u64;
            self.add_record(&mut rest).map_err(|error| (at, error))?;
        }
        Ok(())
    }

    fn add_record(&mut self, rest: &mut &[u8]) -> Result<()> {
        let (key, body) = take_record(rest)?;
        check_item(key, ItemRef::validate(body)?)?;
        if self.loaded == self.items {
            return Err(Error::invalid(format!("more items than the {} of the header", self.items)));
        }
        let record = Record::put(key, body);
        self.table.note_expiries(std::iter::once((record.key_ref().stripe(), &record)), self.now);
        self.refused.extend(self.table.refusing(&record));
        self.table.present_entries(&record).into_iter().for_each(|entry| self.filling.add(entry));
        self.filling.add(record);
        self.loaded += 1;
        Ok(())
    }

    fn check_end(&self, payload: &[u8]) -> Result<()> {
        let Ok(items) = payload.try_into().map(u64::from_le_bytes) else {
            return Err(Error::invalid("an end of the wrong length"));
        };
        if items != self.items || items != self.loaded {
            return Err(Error::invalid(format!(
                "the header counts {} items, the end {items}, there are {}",
                self.items, self.loaded
            )));
        }
        Ok(())
    }
}
