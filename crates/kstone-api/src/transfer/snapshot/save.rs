//! Writing a snapshot: two passes over a view, the first to count.

use std::io::Write;

use crate::error::Result;

use super::Report;
use super::format::{BLOCK_TARGET_BYTES, BlockKind, BlockWriter, put_record};
use crate::table::Table;
use crate::transfer::view_pages::Pages;

/// Writes the database as it is now; how many items that are. Errors call the file `name`.
pub(super) fn save(database: &Table, out: impl Write, name: &str, report: &mut Report<'_>) -> Result<u64> {
    let (table, view) = database.view_with_table()?;
    let stream_last = table.last_in_stream();
    let total = Pages::of(&view).map(|page| page.len() as u64).sum();
    report.begin(total)?;
    let mut blocks = BlockWriter::begin(out, name)?;
    let mut payload = Vec::with_capacity(BLOCK_TARGET_BYTES + BLOCK_TARGET_BYTES / 8);
    payload.extend_from_slice(&total.to_le_bytes());
    payload.extend_from_slice(&stream_last.to_le_bytes());
    payload.extend_from_slice(table.schema.to_json().as_bytes());
    blocks.block(BlockKind::Header, &payload)?;
    payload.clear();
    for page in Pages::of(&view) {
        for record in &page {
            put_record(&mut payload, record);
            if payload.len() >= BLOCK_TARGET_BYTES {
                blocks.block(BlockKind::Items, &payload)?;
                payload.clear();
            }
        }
        report.advance(page.len() as u64)?;
    }
    if !payload.is_empty() {
        blocks.block(BlockKind::Items, &payload)?;
    }
    blocks.block(BlockKind::End, &total.to_le_bytes())?;
    Ok(total)
}
