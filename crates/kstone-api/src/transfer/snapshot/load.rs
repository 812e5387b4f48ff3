//! Reading a snapshot: everything is read and checked before anything is seen.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{Filling, FillingPart, PageLimits, ScanRange};
use kstone_core::in_order::in_order;
use kstone_core::item::ItemRef;
use kstone_core::record::Record;
use kstone_core::typed_key::KeyScratch;

use super::Report;
use super::format::{Block, BlockKind, BlockReader, ONE_TABLE, Totals, corrupt, place_of_record, take_record};
use crate::model::item_check::check_item;
use crate::model::schema::TableSchema;
use crate::table::Table;
use crate::table::index::IndexId;
use crate::table::state::TableState;

/// The largest number of a stream's record that is believed: numbers go on from it without an overflow.
const STREAM_LAST_MAX: u64 = u64::MAX / 2;

/// What stands before the items.
struct Header {
    items: u64,
    stream_last: u64,
    schema: TableSchema,
}

/// Fills an empty table; with how many items. Errors call the file `name`.
pub(super) fn load(table: &Table, input: impl Read, name: &str, report: &mut Report<'_>) -> Result<u64> {
    // Keeps the numbers of the indexes, which entries are made of, until the schema is in force.
    let _one_at_a_time = table.configuring()?;
    refuse_items(table)?;
    let (mut blocks, version) = BlockReader::begin(input, name)?;
    if version == ONE_TABLE {
        let header = read_header(&mut blocks)?;
        report.begin(header.items)?;
        return load_table(table, &mut blocks, header, report, BlockReader::end);
    }
    let totals = read_totals(&mut blocks, BlockKind::Catalog)?;
    let _of_an_account = blocks.annotation()?;
    if totals.tables != 1 {
        return Err(Error::from(Reason::SeveralTables { name: name.into(), tables: totals.tables }));
    }
    let header = read_header(&mut blocks)?;
    report.begin(header.items)?;
    let items = header.items;
    load_table(table, &mut blocks, header, report, |blocks| end_catalog(blocks, totals, Totals { tables: 1, items }))
}

/// The tables of a file, which nobody sees yet, and the number of their items. Each is made by `create`. What the file says
/// in addition becomes `annotation`.
pub(super) fn load_tables(
    mut create: impl FnMut(TableSchema) -> Result<Table>,
    (input, annotation): (impl Read, &mut Vec<u8>),
    name: &str,
    report: &mut Report<'_>,
) -> Result<(Vec<Table>, u64)> {
    let (mut blocks, version) = BlockReader::begin(input, name)?;
    let totals = match version {
        ONE_TABLE => None,
        _ => Some(read_totals(&mut blocks, BlockKind::Catalog)?),
    };
    if let Some(totals) = totals {
        report.begin(totals.items)?;
        *annotation = blocks.annotation()?;
    }
    let (mut tables, mut found) = (Vec::new(), Totals { tables: 0, items: 0 });
    while totals.map_or(1, |totals| totals.tables) > found.tables {
        let header = read_header(&mut blocks)?;
        match totals {
            None => report.begin(header.items)?,
            Some(totals) if header.items > totals.items - found.items => {
                let what = format!("more items than the {} of the catalog", totals.items);
                return Err(blocks.corrupt(blocks.offset(), what));
            }
            Some(_) => {}
        }
        let schema = match header.schema.table_name() {
            Some(_) => header.schema.clone(),
            // What a table without a name is called in statements.
            None => header.schema.clone().name("items"),
        };
        let table = create(schema.clone())?;
        found.items += load_table(&table, &mut blocks, Header { schema, ..header }, report, |_| Ok(()))?;
        found.tables += 1;
        tables.push(table);
    }
    match totals {
        None => blocks.end()?,
        Some(totals) => end_catalog(&mut blocks, totals, found)?,
    }
    Ok((tables, found.items))
}

fn read_totals<R: Read>(blocks: &mut BlockReader<'_, R>, wanted: BlockKind) -> Result<Totals> {
    let Block { kind, payload, offset } = blocks.block()?;
    let totals = match kind {
        kind if kind == wanted => Totals::read(&payload),
        kind => Err(Error::from(Reason::BlockKind { found: kind as u32, wanted: wanted as u32 })),
    };
    totals.map_err(|error| blocks.corrupt(offset, error.to_string()))
}

/// Makes sure that the file ends as its catalog says.
fn end_catalog<R: Read>(blocks: &mut BlockReader<'_, R>, totals: Totals, found: Totals) -> Result<()> {
    let at = blocks.offset();
    let end = read_totals(blocks, BlockKind::EndOfCatalog)?;
    if end != totals || found != totals {
        return Err(blocks.corrupt(at, format!("the catalog says {totals:?}, the end {end:?}, there are {found:?}")));
    }
    blocks.end()
}

/// Fills an empty table with what follows its header, up to its end, and asks `finish` before anybody sees it.
///
/// This thread reads the file and takes what came of each block, in their order; helper threads share the work on them.
fn load_table<'n, R: Read>(
    table: &Table,
    blocks: &mut BlockReader<'n, R>,
    Header { items, stream_last, schema }: Header,
    report: &mut Report<'_>,
    finish: impl FnOnce(&mut BlockReader<'n, R>) -> Result<()>,
) -> Result<u64> {
    let name = blocks.name();
    let before = table.state();
    // An account finds the table by its name, whatever that of the file's table.
    let schema = match table.name_in_account() {
        Some(name) => schema.name(name),
        None => schema,
    };
    // Those of dropped indexes are nobody's items, but records.
    table.release_all(&before)?;
    let state = Arc::new(TableState::following(schema, Some(&before), table.stream_max_bytes())?.loading());
    if before.keys.is_some() && state.keys != before.keys {
        return Err(Error::from(Reason::OtherKey));
    }
    let loaded_before = report.done();
    let mut loaded = Loaded { filling: table.engine().filling(), items, loaded: 0, refused: HashSet::new() };
    let decoder = Decoder { table: Arc::clone(&state), now: table.now_for(&state) };
    let spare = RefCell::new(Vec::new());
    let mut end = None;
    let process = std::process::id();
    let read = || {
        spare.take().into_iter().for_each(|payload| blocks.reuse(payload));
        let block = blocks.block()?;
        if std::process::id() != process {
            return Err(Error::from(Reason::LoadForked));
        }
        match block.kind {
            BlockKind::Header => Err(blocks.corrupt(block.offset, "a second header")),
            BlockKind::Items => Ok(Some(block)),
            BlockKind::End => {
                end = Some(block);
                Ok(None)
            }
            BlockKind::Catalog | BlockKind::EndOfCatalog | BlockKind::Annotation => {
                Err(blocks.corrupt(block.offset, "a catalog inside a table"))
            }
        }
    };
    in_order(
        read,
        move |block| decoder.decode(block),
        |decoded: Decoded| {
            loaded.add(decoded, name).map(|payload| spare.borrow_mut().push(payload))?;
            report.reach(loaded_before + loaded.loaded)
        },
    )?;
    let end = end.expect("reading ends with the block that says so");
    loaded.check_end(&end.payload).map_err(|error| blocks.corrupt(end.offset, error.to_string()))?;
    report.reach(loaded_before + loaded.loaded)?;
    finish(blocks)?;
    let Loaded { filling, refused, .. } = loaded;
    let filled = filling.sorted().map_err(|twice| {
        let (pk, sk) = (twice.pk().escape_ascii(), twice.sk().escape_ascii());
        blocks.corrupt(blocks.offset(), format!("two items have the key \"{pk}\", \"{sk}\""))
    })?;
    // Where there is a stream already its share is counted.
    let is_first = state.stream.is_some() && before.stream.is_none();
    let outside = if is_first { table.stream_share_bytes() } else { 0 };
    filled.install(outside, || {
        // Only under the locks is it certain which number the stream gave last.
        let state =
            state.lacking(&refused).restarted(stream_last.max(before.last_in_stream()), table.stream_max_bytes())?;
        table.install(Arc::new(state));
        Ok::<_, Error>(())
    })?;
    Ok(items)
}

/// What fails is found before the file is read.
fn refuse_items(database: &Table) -> Result<()> {
    let one = PageLimits::of_records(1);
    if database.engine().scan(ScanRange::all(), one)?.records.is_empty() {
        return Ok(());
    }
    Err(Error::from(Reason::LoadIntoItems))
}

fn read_header<R: Read>(blocks: &mut BlockReader<'_, R>) -> Result<Header> {
    let Block { kind, payload, offset } = blocks.block()?;
    let header = match kind {
        BlockKind::Header => parse_header(&payload),
        _ => Err(Error::from(Reason::NoHeader)),
    };
    header.map_err(|error| blocks.corrupt(offset, error.to_string()))
}

fn parse_header(payload: &[u8]) -> Result<Header> {
    let short = || Error::from(Reason::HeaderShort);
    let (items, rest) = payload.split_first_chunk().ok_or_else(short)?;
    let (stream_last, schema) = rest.split_first_chunk().ok_or_else(short)?;
    let schema = str::from_utf8(schema).map_err(|_| Error::from(Reason::SchemaNotUtf8))?;
    let (items, stream_last) = (u64::from_le_bytes(*items), u64::from_le_bytes(*stream_last));
    if stream_last > STREAM_LAST_MAX {
        return Err(Error::from(Reason::StreamNumber { last: stream_last }));
    }
    Ok(Header { items, stream_last, schema: TableSchema::from_json(schema)? })
}

/// Makes records of blocks; any number of threads may at once.
struct Decoder {
    table: Arc<TableState>,
    now: i64,
}

/// What came of a block: its records, as far as they are sound.
struct Decoded {
    block: Block,
    items: usize,
    records: FillingPart,
    /// The indexes that refused items.
    refused: HashSet<IndexId>,
    /// What is wrong, and where in the file.
    wrong: Option<(u64, Error)>,
}

impl Decoder {
    fn decode(&self, block: Block) -> Decoded {
        let (records, refused) = (FillingPart::default(), HashSet::new());
        let mut decoded = Decoded { block, items: 0, records, refused, wrong: None };
        let payload = std::mem::take(&mut decoded.block.payload);
        let mut rest = &payload[..];
        while !rest.is_empty() && decoded.wrong.is_none() {
            let at = decoded.block.offset + (payload.len() - rest.len()) as u64;
            match self.add_record(&mut rest, &mut decoded) {
                Ok(()) => decoded.items += 1,
                Err(error) => decoded.wrong = Some((at, error)),
            }
        }
        decoded.block.payload = payload;
        decoded
    }

    fn add_record(&self, rest: &mut &[u8], decoded: &mut Decoded) -> Result<()> {
        let (key, body) = take_record(rest)?;
        let mut scratch = KeyScratch::default();
        let key = match self.table.keys {
            None => key,
            Some(layout) => {
                let key = layout.key_of_encoded(key.pk(), key.sk(), &mut scratch)?;
                if layout.parts().any(|part| ItemRef::new(body).get(part.name()).is_some()) {
                    return Err(Error::from(Reason::KeyAttributeTwice));
                }
                key
            }
        };
        check_item(&key, ItemRef::validate(body)?)?;
        let record = Record::put(key, body);
        let with_stripe = std::iter::once_with(|| (record.key_ref().stripe(), &record));
        self.table.note_expiries(with_stripe, self.now);
        if self.table.has_indexes() {
            decoded.refused.extend(self.table.refusing(&record));
            self.table.present_entries(&record).into_iter().for_each(|entry| decoded.records.add(entry));
        }
        decoded.records.add(record);
        Ok(())
    }
}

/// What has been loaded so far.
struct Loaded<'a> {
    filling: Filling<'a>,
    /// How many items the header promises.
    items: u64,
    loaded: u64,
    /// The indexes that refused items.
    refused: HashSet<IndexId>,
}

impl Loaded<'_> {
    /// Adds the records of the next block, and gives back its memory.
    fn add(&mut self, decoded: Decoded, name: &str) -> Result<Vec<u8>> {
        let Decoded { block, items, records, refused, wrong } = decoded;
        let expected = self.items - self.loaded;
        if items as u64 > expected {
            let at = block.offset + place_of_record(&block.payload, expected as usize) as u64;
            return Err(corrupt(name, at, format!("more items than the {} of the header", self.items)));
        }
        if let Some((at, error)) = wrong {
            return Err(corrupt(name, at, error.to_string()));
        }
        self.filling.append(records);
        self.refused.extend(refused);
        self.loaded += items as u64;
        self.filling.check_limit()?;
        Ok(block.payload)
    }

    fn check_end(&self, payload: &[u8]) -> Result<()> {
        let Ok(items) = payload.try_into().map(u64::from_le_bytes) else {
            return Err(Error::from(Reason::EndLength));
        };
        if items != self.items || items != self.loaded {
            return Err(Error::from(Reason::ItemCount { header: self.items, end: items, found: self.loaded }));
        }
        Ok(())
    }
}
