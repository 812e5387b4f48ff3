//! Operations on items of several tables: batches, which only save calls, and transactions, which happen as one.
//!
//! Each operation names its table. They take the write path of one table, whose tables are several then
//! (`table/commit.rs`).

use kstone_core::key::KeyRef;
use kstone_core::record::Record;

use super::Account;
use super::named::NamesTable;
#[cfg(doc)]
use crate::TRANSACTION_MAX;
use crate::error::{Error, Reason, Result};
use crate::request::operation::{Operation, TRANSACTION, TransactError, prepare_all};
use crate::request::parsed_write::ParsedWrite;
use crate::request::transaction::{
    Twice, check_list, check_some, parts, twice_in, twice_in_batch, twice_in_transaction,
};
use crate::request::write::{Prepared, Write, WriteContext};
use crate::table::Table;
use crate::table::commit::outcome::WriteOutcome;
use crate::table::commit::tables::{SeveralTables, Tables};
use crate::table::commit::{self, Returned, Settle};

impl Account {
    /// Does all of the writes or none: isolated, at one moment of all tables.
    ///
    /// ```
    /// use kstone_api::{Account, Error, ItemBuilder, KeyType, KeystoneValue, TableSchema, Write};
    /// let account = Account::create_in_memory();
    /// let stock = account.create_table(TableSchema::new().name("stock").partition_key("article", KeyType::S))?;
    /// account.create_table(TableSchema::new().name("orders").partition_key("number", KeyType::N))?;
    /// stock.put_item(ItemBuilder::new().string("article", "pen").number("left", 1).build())?;
    /// let order = |number: &str| {
    ///     let take = Write::update(b"pen", "SET #l = #l - :one").condition("#l >= :one").name("#l", "left");
    ///     let note = ItemBuilder::new().string("article", "pen").build();
    ///     [
    ///         ("stock", take.value(":one", KeystoneValue::number(1))),
    ///         ("orders", Write::put(number.as_bytes(), note).condition("attribute_not_exists(article)")),
    ///     ]
    /// };
    /// account.transact_write(&order("1"))?;
    /// assert!(matches!(account.transact_write(&order("2")), Err(Error::TransactionCanceled { .. })));
    /// assert!(account.table("orders")?.get(b"1")?.is_some() && account.table("orders")?.get(b"2")?.is_none());
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TransactionCanceled`] with a reason for each operation that cannot be done as things stand;
    /// [`Error::TableNotFound`], also for a table that is dropped meanwhile; [`Error::Invalid`] for a malformed operation,
    /// none at all, or two with one key of one table; [`Error::Limit`] for more than [`TRANSACTION_MAX`], in all tables
    /// together; [`Error::Poisoned`].
    pub fn transact_write<N: NamesTable>(&self, writes: &[(N, Write)]) -> Result<()> {
        check_list(writes.len(), TRANSACTION)?;
        let tables = self.tables_of(writes.iter().map(|(table, _)| table)).map_err(|failed| failed.error)?;
        let prepared = prepare(&tables, writes.iter().map(|(_, write)| write)).map_err(|failed| failed.error)?;
        refuse_twice(&tables, &prepared, twice_in_transaction).map_err(|failed| failed.error)?;
        commit_in(&tables, &prepared, Settle::EveryReason).map(drop)
    }

    /// Does all of the operations or none: isolated, at one moment of all tables. The items of the gets, in their order,
    /// none where there is none.
    ///
    /// # Errors
    /// As [`Account::transact_write`], saying which operation it was.
    pub fn transact<N: NamesTable>(
        &self,
        operations: &[(N, Operation)],
    ) -> std::result::Result<Vec<Option<Record>>, TransactError> {
        let tables = self.tables_to_transact(operations)?;
        let prepared = prepare_operations(&tables, operations)?;
        if prepared.iter().all(Prepared::is_get) {
            return Ok(tables.read_in_transaction(&keys_of(&prepared))?.found);
        }
        let returned = commit_in(&tables, &prepared, Settle::EveryReason).map_err(TransactError::of_commit)?;
        let of_gets = prepared.iter().zip(returned).filter(|(prepared, _)| prepared.is_get());
        Ok(of_gets.map(|(_, item)| item).collect())
    }

    /// As [`Account::transact`], with what became of the item of each operation.
    ///
    /// # Errors
    /// As [`Account::transact`].
    pub fn transact_with_outcomes<N: NamesTable>(
        &self,
        operations: &[(N, Operation)],
    ) -> std::result::Result<Vec<WriteOutcome>, TransactError> {
        let tables = self.tables_to_transact(operations)?.keeping_outcomes();
        let prepared = prepare_operations(&tables, operations)?;
        if prepared.iter().all(Prepared::is_get) {
            let moment = tables.read_in_transaction(&keys_of(&prepared))?;
            let states = (0..prepared.len()).map(|at| moment.states[tables.place(at)].clone());
            return Ok(moment
                .found
                .into_iter()
                .zip(states)
                .map(|(item, table)| WriteOutcome::of_get(item, table))
                .collect());
        }
        commit_in(&tables, &prepared, Settle::EveryReason).map_err(TransactError::of_commit)?;
        Ok(tables.take_outcomes())
    }

    /// Does all of these writes or none, whose expressions are parsed and bound: see [`Account::transact_write`].
    ///
    /// # Errors
    /// As [`Account::transact`].
    pub fn transact_parsed<N: NamesTable>(
        &self,
        writes: &[(N, ParsedWrite<'_>)],
    ) -> std::result::Result<(), TransactError> {
        self.transact_in(writes, |tables| tables).map(drop)
    }

    /// As [`Account::transact_parsed`], with what became of the item of each write.
    ///
    /// # Errors
    /// As [`Account::transact`].
    pub fn transact_parsed_with_outcomes<N: NamesTable>(
        &self,
        writes: &[(N, ParsedWrite<'_>)],
    ) -> std::result::Result<Vec<WriteOutcome>, TransactError> {
        self.transact_in(writes, SeveralTables::keeping_outcomes).map(|tables| tables.take_outcomes())
    }

    fn transact_in<N: NamesTable>(
        &self,
        writes: &[(N, ParsedWrite<'_>)],
        keep: impl FnOnce(SeveralTables) -> SeveralTables,
    ) -> std::result::Result<SeveralTables, TransactError> {
        let tables = keep(self.tables_to_transact(writes)?);
        let all = writes.iter().enumerate();
        let prepared = prepare_all(all.map(|(at, (_, write))| write.prepare(&tables.context_of(at))))?;
        refuse_twice(&tables, &prepared, twice_in_transaction)?;
        commit_in(&tables, &prepared, Settle::EveryReason).map_err(TransactError::of_commit)?;
        Ok(tables)
    }

    fn tables_to_transact<N: NamesTable, O>(
        &self,
        operations: &[(N, O)],
    ) -> std::result::Result<SeveralTables, TransactError> {
        check_list(operations.len(), TRANSACTION)?;
        self.tables_of(operations.iter().map(|(table, _)| table))
    }

    /// Does all of the puts and deletes, or none where one cannot be done: see [`Table::batch_write`]. There may be any
    /// number of them.
    ///
    /// # Errors
    /// As there; [`Error::TableNotFound`].
    pub fn batch_write<N: NamesTable>(&self, writes: &[(N, Write)]) -> Result<()> {
        self.write_batch(writes, |tables| tables).map(drop)
    }

    /// As [`Account::batch_write`], with what became of each item.
    ///
    /// # Errors
    /// As [`Account::batch_write`].
    pub fn batch_write_with_outcomes<N: NamesTable>(&self, writes: &[(N, Write)]) -> Result<Vec<WriteOutcome>> {
        self.write_batch(writes, SeveralTables::keeping_outcomes).map(|tables| tables.take_outcomes())
    }

    /// As [`Account::batch_write`], of writes as [`Account::transact_parsed`] takes them.
    ///
    /// # Errors
    /// As [`Account::batch_write`].
    pub fn batch_write_parsed<N: NamesTable>(&self, writes: &[(N, ParsedWrite<'_>)]) -> Result<()> {
        self.write_batch_parsed(writes, |tables| tables).map(drop)
    }

    /// As [`Account::batch_write_parsed`], with what became of each item.
    ///
    /// # Errors
    /// As [`Account::batch_write`].
    pub fn batch_write_parsed_with_outcomes<N: NamesTable>(
        &self,
        writes: &[(N, ParsedWrite<'_>)],
    ) -> Result<Vec<WriteOutcome>> {
        self.write_batch_parsed(writes, SeveralTables::keeping_outcomes).map(|tables| tables.take_outcomes())
    }

    fn write_batch_parsed<N: NamesTable>(
        &self,
        writes: &[(N, ParsedWrite<'_>)],
        keep: impl FnOnce(SeveralTables) -> SeveralTables,
    ) -> Result<SeveralTables> {
        let are_plain = writes.iter().all(|(_, write)| write.is_plain());
        self.write_batch_of(writes, are_plain, keep, |at, context| writes[at].1.prepare(context))
    }

    fn write_batch<N: NamesTable>(
        &self,
        writes: &[(N, Write)],
        keep: impl FnOnce(SeveralTables) -> SeveralTables,
    ) -> Result<SeveralTables> {
        let are_plain = writes.iter().all(|(_, write)| write.is_plain());
        self.write_batch_of(writes, are_plain, keep, |at, context| writes[at].1.prepare(context))
    }

    fn write_batch_of<'w, N: NamesTable, W>(
        &self,
        writes: &'w [(N, W)],
        are_plain: bool,
        keep: impl FnOnce(SeveralTables) -> SeveralTables,
        prepare: impl Fn(usize, &WriteContext<'_>) -> Result<Prepared<'w>>,
    ) -> Result<SeveralTables> {
        check_some(writes.len(), "RequestItems")?;
        if !are_plain {
            return Err(Error::from(Reason::BatchCondition));
        }
        let tables = keep(self.tables_of(writes.iter().map(|(table, _)| table)).map_err(|failed| failed.error)?);
        let prepared = prepare_all((0..writes.len()).map(|at| prepare(at, &tables.context_of(at))));
        let prepared = prepared.map_err(|failed| failed.error)?;
        refuse_twice(&tables, &prepared, twice_in_batch).map_err(|failed| failed.error)?;
        commit_in(&tables, &prepared, Settle::FirstError)?;
        Ok(tables)
    }
}

impl Table {
    /// As [`Table::write`], with what became of the item and of the entries of its indexes: what it takes to count what the
    /// write costs. Costs a record of the item that is written, and a lock of the schema.
    ///
    /// ```
    /// use kstone_api::{Database, GlobalSecondaryIndex, ItemBuilder, TableSchema, Write};
    /// let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-kind", "kind"));
    /// let db = Database::create_in_memory_with_schema(schema)?;
    /// let of_kind = |kind: &str| Write::put(b"a", ItemBuilder::new().string("kind", kind).build());
    /// db.write(of_kind("pen"))?;
    /// let outcome = db.write_with_outcome(of_kind("ink"))?;
    /// assert!(outcome.old().is_some() && outcome.new_item().is_some());
    /// let change = &outcome.index_changes()[0];
    /// assert!(change.index == "by-kind" && change.removed.is_some() && change.added.is_some() && !change.in_place);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::write`].
    pub fn write_with_outcome(&self, write: Write) -> Result<WriteOutcome> {
        let tables = SeveralTables::of(vec![self.clone()]).keeping_outcomes();
        let prepared = [write.prepare(&self.write_context())?];
        commit::commit(&tables, &prepared, Settle::FirstError)?;
        tables.take_outcomes().pop().ok_or_else(|| Error::from(Reason::NoOutcome))
    }
}

fn commit_in(tables: &SeveralTables, prepared: &[Prepared<'_>], settle: Settle) -> Result<Returned> {
    commit::commit(tables, prepared, settle).map_err(|error| tables.explain(error))
}

fn prepare<'w>(
    tables: &SeveralTables,
    writes: impl ExactSizeIterator<Item = &'w Write>,
) -> std::result::Result<Vec<Prepared<'w>>, TransactError> {
    prepare_all(writes.enumerate().map(|(at, write)| write.prepare(&tables.context_of(at))))
}

fn prepare_operations<'o, N>(
    tables: &SeveralTables,
    operations: &'o [(N, Operation)],
) -> std::result::Result<Vec<Prepared<'o>>, TransactError> {
    let all = operations.iter().enumerate();
    let prepared = prepare_all(all.map(|(at, (_, operation))| operation.prepare(&tables.context_of(at))))?;
    refuse_twice(tables, &prepared, twice_in_transaction)?;
    Ok(prepared)
}

fn keys_of<'p>(prepared: &'p [Prepared<'_>]) -> Vec<KeyRef<'p>> {
    prepared.iter().map(|prepared| prepared.key.get()).collect()
}

fn refuse_twice(
    tables: &SeveralTables,
    prepared: &[Prepared<'_>],
    twice: Twice,
) -> std::result::Result<(), TransactError> {
    let keys = prepared.iter().enumerate().map(|(at, prepared)| (tables.place(at), parts(prepared.key.get())));
    twice_in(keys).map_or(Ok(()), |at| Err(TransactError::of(at, Error::from(twice()))))
}
