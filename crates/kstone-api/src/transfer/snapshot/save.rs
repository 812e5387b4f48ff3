//! Writing a snapshot: two passes over each view, the first to count.

use std::io::Write;

use crate::error::{Error, Result};
use kstone_core::engine::PointInTimeView;
use kstone_core::error::Unit;

use super::Report;
use super::format::{
    ANNOTATION_MAX_BYTES, BLOCK_TARGET_BYTES, BlockKind, BlockWriter, CATALOG, ONE_TABLE, Totals, put_record,
};
use crate::account::Account;
use crate::interrupt::Interrupt;
use crate::table::Table;
use crate::table::pager::Pager;
use crate::table::state::TableState;

/// Writes the table as it is now; how many items that are. Errors call the file `name`.
pub(super) fn save(table: &Table, out: impl Write, name: &str, report: &mut Report<'_>) -> Result<u64> {
    let (state, view) = table.view_with_table()?;
    let items = items_of(&view, table.interrupt.as_ref())?;
    report.begin(items)?;
    if state.keys.is_some() {
        return write_catalog((&[(&state, &view, items)], &[]), out, name, report);
    }
    let mut blocks = BlockWriter::begin(out, name, ONE_TABLE)?;
    write_table(&mut blocks, (&state, &view, items), report)?;
    Ok(items)
}

/// Writes all tables of an account as they are at one moment, and an annotation; how many items that are.
pub(super) fn save_account(
    (account, annotation): (&Account, &[u8]),
    out: impl Write,
    name: &str,
    report: &mut Report<'_>,
) -> Result<u64> {
    if annotation.len() > ANNOTATION_MAX_BYTES {
        let (limit, found) = (ANNOTATION_MAX_BYTES, annotation.len());
        return Err(Error::limit("Annotation of a snapshot", Unit::Bytes, limit, found));
    }
    let view = account.view()?;
    let counted = |(state, view)| Ok((state, view, items_of(view, account.interrupt())?));
    let tables: Vec<CountedView<'_>> = view.tables().map(|table| counted(table.parts())).collect::<Result<_>>()?;
    report.begin(tables.iter().map(|(_, _, items)| items).sum())?;
    write_catalog((&tables, annotation), out, name, report)
}

/// A table at one moment, and how many items it has.
type CountedView<'a> = (&'a TableState, &'a PointInTimeView, u64);

fn items_of(view: &PointInTimeView, interrupt: Option<&Interrupt>) -> Result<u64> {
    Pager::of_view(view, interrupt).map(|page| Ok(page?.len() as u64)).sum()
}

fn write_catalog(
    (tables, annotation): (&[CountedView<'_>], &[u8]),
    out: impl Write,
    name: &str,
    report: &mut Report<'_>,
) -> Result<u64> {
    let items = tables.iter().map(|(_, _, items)| items).sum();
    let totals = Totals { tables: tables.len() as u32, items }.to_bytes();
    let mut blocks = BlockWriter::begin(out, name, CATALOG)?;
    blocks.block(BlockKind::Catalog, &totals)?;
    annotation.chunks(BLOCK_TARGET_BYTES).try_for_each(|part| blocks.block(BlockKind::Annotation, part))?;
    tables.iter().try_for_each(|table| write_table(&mut blocks, *table, report))?;
    blocks.block(BlockKind::EndOfCatalog, &totals)?;
    Ok(items)
}

/// Writes what a table is from its header to its end.
fn write_table(
    blocks: &mut BlockWriter<'_, impl Write>,
    (state, view, items): CountedView<'_>,
    report: &mut Report<'_>,
) -> Result<()> {
    let mut payload = Vec::with_capacity(BLOCK_TARGET_BYTES + BLOCK_TARGET_BYTES / 8);
    payload.extend_from_slice(&items.to_le_bytes());
    payload.extend_from_slice(&state.last_in_stream().to_le_bytes());
    payload.extend_from_slice(state.schema.to_json().as_bytes());
    blocks.block(BlockKind::Header, &payload)?;
    payload.clear();
    for page in Pager::of_view(view, None) {
        let page = page?;
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
    blocks.block(BlockKind::End, &items.to_le_bytes())
}
