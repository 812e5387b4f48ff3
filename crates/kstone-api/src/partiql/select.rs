//! Reading: a SELECT page by page, in the order in which its records lie.
//!
//! ```text
//! plan ─► ranges ─► records ─► visible? the clause? ─► OFFSET, LIMIT ─► row
//!                      │
//!                      └─ the page ends: token = which range, how far in it, how many rows were skipped and given
//! ```
//! What has to see all records before its first row, rows of groups and rows that are sorted, is in
//! [`super::collect`].

use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{PageLimits, RecordPage};
use kstone_core::record::Record;

use super::plan::{Plan, Range, plan};
use super::rows::{cells, with_key};
use super::statement::{StatementResult, StatementRun};
use crate::expression::{BoundParameters, Condition, Kind};
use crate::request::extent::{Place, lent};
use crate::request::page_limits::{ReadSizes, examined_bytes, page_limits};
use crate::request::selection::Selection;
use crate::request::token;
use crate::table::Table;
use crate::table::index::{Index, IndexEntry, IndexId};
use crate::table::state::TableState;
use kstone_expr::partiql::count_of;
use kstone_expr::partiql::parsed::{Count, Select};
use kstone_expr::partiql::values::encode_refs;

/// A SELECT that is being executed.
pub(crate) struct Reading<'a> {
    pub(super) database: &'a Table,
    pub(super) table: &'a Arc<TableState>,
    pub(super) now: i64,
    pub(super) select: &'a Select,
    pub(super) bound: &'a BoundParameters<'a>,
    pub(super) plan: Plan<'a>,
    condition: Option<Condition<'a>>,
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
}

impl<'a> Reading<'a> {
    /// Plans a SELECT.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what its values cannot do.
    pub(crate) fn new(
        database: &'a Table,
        table: &'a Arc<TableState>,
        select: &'a Select,
        bound: &'a BoundParameters<'a>,
        now: i64,
        strict: bool,
    ) -> Result<Self> {
        let condition = select.condition.as_ref();
        let condition = condition
            .map(|condition| Condition::new(Kind::Where, Arc::clone(&condition.ast), bound.clone(), table.layout()))
            .transpose()?;
        let count = |count: Option<Count>| count.map(|count| given_count(count, bound)).transpose();
        let (limit, offset) = (count(select.limit)?, count(select.offset)?.unwrap_or(0));
        let plan = plan(select, bound, table, strict)?;
        Ok(Self { database, table, now, select, bound, plan, condition, offset, limit })
    }

    /// What it makes of the one item that it is about.
    pub(crate) fn row_of(&self, found: Option<Record>) -> Result<StatementResult> {
        let (selected, _, scanned) = self.selection().apply_all(found.into_iter().collect(), self.database)?;
        let rows = selected.iter().map(|record| self.row(record)).collect();
        Ok(StatementResult { scanned, columns: self.columns(), ..StatementResult::of_rows(rows) })
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        let columns = self.select.columns.iter().flat_map(|columns| &columns.list);
        columns.map(|column| column.name.clone()).collect()
    }

    /// What becomes of the records that are read.
    pub(super) fn selection(&self) -> Selection {
        let filter = self.condition.as_ref().filter(|_| self.plan.filters).map(|filter| filter.clone().into_owned());
        let index = self.plan.index.map(Index::id);
        let fetches = !self.plan.fetched.is_empty();
        Selection::of_filter(Arc::clone(self.table), self.now, index, filter).fetching(fetches)
    }

    /// Adds how large the items are that it met, and those that are read after their entries.
    pub(crate) fn measure(&self, met: &[Record], sizes: &mut ReadSizes) -> Result<()> {
        sizes.examined += met.iter().map(examined_bytes).sum::<usize>();
        if self.plan.fetched.is_empty() {
            return Ok(());
        }
        for entry in met.iter().filter_map(IndexEntry::read) {
            let item = self.database.engine().get(entry.table_key())?;
            sizes.add_fetched(item.as_ref());
        }
        Ok(())
    }

    /// The row of an item.
    pub(super) fn row(&self, record: &Record) -> Record {
        match &self.select.columns {
            None => with_key(record),
            Some(columns) => cells(columns, self.bound, record),
        }
    }

    /// One page of rows that come as their records lie.
    pub(super) fn page(&self, run: StatementRun<'_>, mut met: Option<&mut Met>) -> Result<StatementResult> {
        let limits = page_limits(run.limit)?;
        let shape = || shape(run, &self.plan);
        let mut at = match run.token {
            Some(token) => Position::decode(token, shape()?, &self.plan.ranges)?,
            None => Position::default(),
        };
        let selection = self.selection();
        let mut rows = Vec::new();
        let mut scanned = 0;
        let (mut records_left, mut bytes_left) = (limits.records, limits.bytes);
        while let Some(range) = self.plan.ranges.get(at.range) {
            self.database.check_interrupt()?;
            let wanted = self.wanted(&at);
            if wanted == 0 {
                return Ok(StatementResult { scanned, ..StatementResult::of_rows(rows) });
            }
            if records_left == 0 || bytes_left == 0 {
                let token = Some(at.encode(shape()?));
                return Ok(StatementResult { scanned, token, ..StatementResult::of_rows(rows) });
            }
            // Without a filter no more need be read than are wanted.
            let records = if self.plan.filters { records_left } else { records_left.min(wanted) };
            let page = self.records(range, &at, PageLimits { records, bytes: bytes_left, ..limits })?;
            self.database.refuse_dropped_index(&selection)?;
            if let Some(met) = &mut met {
                self.measure(&page.records, &mut met.sizes)?;
                met.last = page.records.last().cloned().or(met.last.take());
            }
            records_left -= page.records.len().min(records_left);
            let ended_by_bytes = page.limited && page.records.len() < records;
            bytes_left = match self.plan.ranges.len() - at.range {
                _ if ended_by_bytes => 0,
                1 => bytes_left,
                _ => bytes_left.saturating_sub(page.records.iter().map(examined_bytes).sum()),
            };
            let ended = !page.limited;
            at.last = page.records.last().map(|last| (last.pk().to_vec(), last.sk().to_vec())).or(at.last);
            let (selected, _, examined) = selection.apply_all(page.records, self.database)?;
            scanned += examined;
            for record in selected {
                self.take(&mut at, &record, &mut rows);
            }
            if ended {
                at = Position { range: at.range + 1, last: None, ..at };
            }
        }
        Ok(StatementResult { scanned, ..StatementResult::of_rows(rows) })
    }

    /// How many records are still wanted, those that are skipped included.
    fn wanted(&self, at: &Position) -> usize {
        let to_skip = self.offset - at.skipped.min(self.offset);
        let to_give = self.limit.map_or(usize::MAX, |limit| limit - at.given.min(limit));
        if to_give == 0 { 0 } else { to_give.saturating_add(to_skip) }
    }

    /// Skips a record, or gives its row, unless enough were given.
    fn take(&self, at: &mut Position, record: &Record, rows: &mut Vec<Record>) {
        if at.skipped < self.offset {
            at.skipped += 1;
        } else if self.limit.is_none_or(|limit| at.given < limit) {
            at.given += 1;
            rows.push(self.row(record));
        }
    }

    fn records(&self, range: &Range, at: &Position, limits: PageLimits) -> Result<RecordPage> {
        let last = at.last.as_ref().map(lent);
        match range {
            Range::Get(key) => {
                let found = self.database.get_by_key(key.key_ref())?;
                Ok(RecordPage { records: found.into_iter().collect(), limited: false })
            }
            Range::Read(extent) => self.database.records_used(extent, extent.behind(last), limits),
        }
    }
}

/// The number that LIMIT or OFFSET has in this call.
fn given_count(count: Count, bound: &BoundParameters) -> Result<usize> {
    count_of(bound.value(count.value)).ok_or_else(|| Error::from(Reason::CountOperand { clause: count.clause }))
}

/// What a statement asks for and what is read for it, in one number: its tokens fit no other, no other parameters, and
/// no other plan, which another schema may have led to: there the rows lie in another order.
fn shape(run: StatementRun<'_>, plan: &Plan<'_>) -> Result<u32> {
    let index = IndexId::key_bytes(plan.index.map(Index::id));
    let parameters = encode_refs(run.given)?;
    Ok(token::shape(&[b"statement", run.text.as_bytes(), &parameters, plan.kind.name().as_bytes(), &index]))
}

/// What a page met on its way.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) sizes: ReadSizes,
    /// What it examined last, of the table or of an index.
    pub(super) last: Option<Record>,
}

/// Where a page ended.
///
/// ```text
/// range u32 │ rows skipped u64 │ rows given u64 │ a page token, its shape covering what is before      (little-endian)
/// ```
#[derive(Debug, Default)]
struct Position {
    range: usize,
    skipped: usize,
    given: usize,
    /// The key of the last record that was examined in the range; none before its first.
    last: Option<Place>,
}

const HEAD_BYTES: usize = 4 + 8 + 8;

impl Position {
    fn encode(&self, shape: u32) -> Vec<u8> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.extend_from_slice(&(self.range as u32).to_le_bytes());
        head.extend_from_slice(&(self.skipped as u64).to_le_bytes());
        head.extend_from_slice(&(self.given as u64).to_le_bytes());
        let (pk, sk) = self.last.as_ref().map_or((&[][..], &[][..]), |(pk, sk)| (pk, sk));
        let rest = token::encode(covering(shape, &head), pk, sk);
        head.extend_from_slice(&rest);
        head
    }

    fn decode(token: &[u8], shape: u32, ranges: &[Range]) -> Result<Self> {
        let damaged = || Error::from(Reason::TokenDamaged);
        let (head, rest) = token.split_first_chunk::<HEAD_BYTES>().ok_or_else(damaged)?;
        let (pk, sk) = token::decode(rest, covering(shape, head))?;
        let [r0, r1, r2, r3, counts @ ..] = *head;
        let (skipped, given) = counts.split_first_chunk::<8>().ok_or_else(damaged)?;
        let given = <[u8; 8]>::try_from(given).map_err(|_| damaged())?;
        let number = |bytes: u64| usize::try_from(bytes).map_err(|_| damaged());
        let at = Self {
            range: number(u64::from(u32::from_le_bytes([r0, r1, r2, r3])))?,
            skipped: number(u64::from_le_bytes(*skipped))?,
            given: number(u64::from_le_bytes(given))?,
            last: (!pk.is_empty()).then(|| (pk.to_vec(), sk.to_vec())),
        };
        // A query goes on in its own partition.
        let fits = match (ranges.get(at.range), &at.last) {
            (Some(Range::Read(extent)), Some((pk, _))) => extent.partition().is_none_or(|partition| partition == pk),
            (range, _) => range.is_some(),
        };
        if fits { Ok(at) } else { Err(Error::from(Reason::TokenOfAnother)) }
    }
}

fn covering(shape: u32, head: &[u8]) -> u32 {
    token::shape(&[&shape.to_le_bytes(), head])
}
