//! Batches: several operations in one call, each by itself or all as one.

use std::ffi::{c_char, c_void};
use std::ptr;

use kstone_api::{Database, LentWrite, OperationList, Record, Statement};

use crate::boundary::guard;
use crate::boundary::{
    ErrorObject, Failure, Handle, KSTONE_OK, Out, Status, Tag, Tagged, borrow, borrow_mut, by_contract, bytes, entry,
    hand_out, known_flags,
};
use crate::cancellation::Uncancelled;
use crate::cond::{Cond, Condition};
use crate::database::{Db, database};
use crate::execute::read_statement;
use crate::item::Value;
use crate::item_view::{Item, View};
use crate::page::PageObject;
use crate::prepared::{BatchEntry, Prepared};
use crate::write::{delete_of, put_of, update_of};

/// Flag of kstone_batch_run: all of the operations or not one of them, at one moment.
pub const KSTONE_BATCH_ATOMIC: u32 = 1u32;

/// A list of operations to be run together.
pub struct Batch {
    operations: OperationList,
    /// A batch holds operations or statements, not both.
    statements: Vec<Statement>,
}

impl Tagged for Batch {
    const TAG: Tag = Tag::BATCH;
    const NAME: &'static str = "a kstone_batch";
}

/// Releases a batch that the caller gives back.
///
/// # Safety
/// `batch` was handed out and is used no more.
pub(crate) unsafe fn release(batch: *mut Batch) {
    drop(by_contract!(Handle::take_back(batch)));
}

impl Batch {
    fn refuse_mixing(&self, mixes: bool) -> Result<(), Failure> {
        match mixes {
            true => Err(Failure::invalid("a batch holds statements or other operations, not both")),
            false => Ok(()),
        }
    }

    /// Executes one statement after the other until one fails, or all of them as one. What the SELECTs found, in order.
    fn run_statements(&self, database: &Database, atomic: bool) -> Result<Vec<Option<Record>>, Failure> {
        let results = match atomic {
            true => database.transact_statements(&self.statements)?,
            false => database.execute_each(&self.statements)?,
        };
        let rows = results.into_iter().filter(|result| result.returns_rows);
        Ok(rows.map(|result| result.records.into_iter().next()).collect())
    }

    /// Does one operation after the other, as calls of their own would, until one fails.
    fn run_each(&self, database: &Database) -> Result<Vec<Option<Record>>, Failure> {
        if self.operations.is_empty() {
            return Err(Failure::invalid("a batch without operations cannot be run"));
        }
        Ok(database.operate_list(&self.operations)?)
    }
}

/// A batch without operations, to be filled.
///
/// Ownership: it is yours, release it with kstone_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn kstone_batch_new() -> *mut Batch {
    guard::read(ptr::null_mut(), || hand_out(Batch { operations: OperationList::new(), statements: Vec::new() }))
}

/// Adds a kstone_put_if. cond may be NULL.
///
/// Errors of all functions that add: KSTONE_ERR_MISUSE where b or the item is NULL, or a handle is of another kind;
/// KSTONE_ERR_INVALID where the partition key is empty, a field of cond is not served, an expression is empty or not
/// UTF-8, or a bag holds something that is no :value or #name; KSTONE_ERR_LIMIT where a key is too long.
/// Cost: a copy of what comes in.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_put(
    b: *mut Batch,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    item: *const Item,
    cond: *const Cond,
) -> Status {
    by_contract!(add_write(b, (pk, pk_len), (sk, sk_len), |key, made| put_of(key, item, made, cond)))
}

/// Adds a put of an item under the key that its own attributes are, as kstone_put_item takes it. cond may be NULL.
///
/// Errors, cost: as kstone_batch_put. What the key is depends on the database: a key attribute that is missing, empty
/// or of a wrong type is refused by kstone_batch_run, before anything is done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_put_item(b: *mut Batch, item: *const Item, cond: *const Cond) -> Status {
    entry!({
        let batch = borrow_mut(b)?;
        batch.refuse_mixing(!batch.statements.is_empty())?;
        let mut made = Vec::new();
        let (item, condition) = (View::new(item)?, Condition::read(cond)?);
        batch.operations.write(&condition.apply(LentWrite::put_item(item.whole(&mut made))))?;
        Ok(KSTONE_OK)
    })
}

/// Adds a kstone_update that returns nothing of the item. cond may be NULL; the bags are those of kstone_update.
///
/// Errors, cost: as kstone_batch_put.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_update(
    b: *mut Batch,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    expr: *const c_char,
    expr_len: usize,
    params: *const Item,
    cond: *const Cond,
) -> Status {
    by_contract!(add_write(b, (pk, pk_len), (sk, sk_len), |key, _| update_of(key, (expr, expr_len), params, cond)))
}

/// Adds a kstone_delete_if. cond may be NULL.
///
/// Errors, cost: as kstone_batch_put.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_delete(
    b: *mut Batch,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    cond: *const Cond,
) -> Status {
    by_contract!(add_write(b, (pk, pk_len), (sk, sk_len), |key, _| delete_of(key, cond)))
}

/// Adds a condition that must hold for an item which the batch does not write. It counts as a write.
///
/// Errors, cost: as kstone_batch_put, and KSTONE_ERR_INVALID where cond or cond->expr is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_check(
    b: *mut Batch,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    cond: *const Cond,
) -> Status {
    by_contract!({
        add_write(b, (pk, pk_len), (sk, sk_len), |(pk, sk), _| {
            let condition = Condition::read(cond)?;
            let Some(expression) = condition.expression() else {
                return Err(Failure::invalid("a check needs a condition"));
            };
            Ok(condition.apply(LentWrite::check(pk, sk, expression)))
        })
    })
}

/// Adds a kstone_get. What it finds is an item of the page that kstone_batch_run gives.
///
/// Errors, cost: as kstone_batch_put.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_get(
    b: *mut Batch,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
) -> Status {
    by_contract!(add(b, (pk, pk_len), (sk, sk_len), |operations, (pk, sk)| Ok(operations.get(pk, sk)?)))
}

/// What the functions that add a write share.
unsafe fn add_write(
    b: *mut Batch,
    pk: (*const c_void, usize),
    sk: (*const c_void, usize),
    write: impl for<'k> FnOnce((&'k [u8], &'k [u8]), &'k mut Vec<u8>) -> Result<LentWrite<'k>, Failure>,
) -> Status {
    by_contract!(add(b, pk, sk, |operations, key| Ok(operations.write(&write(key, &mut Vec::new())?)?)))
}

/// What the functions that add share.
unsafe fn add(
    b: *mut Batch,
    (pk, pk_len): (*const c_void, usize),
    (sk, sk_len): (*const c_void, usize),
    add_to: impl for<'k> FnOnce(&mut OperationList, (&'k [u8], &'k [u8])) -> Result<(), Failure>,
) -> Status {
    entry!({
        let key = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
        let batch = borrow_mut(b)?;
        batch.refuse_mixing(!batch.statements.is_empty())?;
        add_to(&mut batch.operations, key)?;
        Ok(KSTONE_OK)
    })
}

/// Adds a PartiQL statement; see kstone_execute for its parameters. A batch of statements holds nothing else. Each
/// statement is about one item, whose whole key it names: INSERT, UPDATE, DELETE, or a SELECT, which counts as a get.
/// With KSTONE_BATCH_ATOMIC either all of them are SELECTs or none, nothing is returned by a write, and "EXISTS(SELECT
/// * FROM items WHERE pk = 'a' AND stock > 0)" is a condition next to writes. Without it there may be any number.
///
/// Errors: as kstone_batch_put, and KSTONE_ERR_INVALID where the batch holds other operations or a parameter is not
/// called ?1, ?2 and so on. Cost: as kstone_batch_put.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_execute(
    b: *mut Batch,
    statement: *const c_char,
    len: usize,
    params: *const Item,
) -> Status {
    entry!({
        let statement = read_statement(statement, len, params)?;
        let batch = borrow_mut(b)?;
        batch.refuse_mixing(!batch.operations.is_empty())?;
        batch.statements.push(statement);
        Ok(KSTONE_OK)
    })
}

/// Adds a run of what was prepared: a write on the item of a key, as kstone_run_write takes it, or a statement, which
/// names its key itself: then pk, sk and it are (NULL, 0) and NULL. A batch holds statements or other operations.
///
/// Errors: as kstone_batch_put and kstone_run; KSTONE_ERR_MISUSE for a prepared query. Cost: a copy of key, item and
/// values. p may be freed before the batch is run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_prepared(
    b: *mut Batch,
    p: *const Prepared,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    it: *const Item,
    values: *const Value,
    count: usize,
) -> Status {
    entry!({
        let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
        let entry = borrow(p)?.for_batch((pk, sk), it, (values, count))?;
        let batch = borrow_mut(b)?;
        match entry {
            BatchEntry::Operation(operation) => {
                batch.refuse_mixing(!batch.statements.is_empty())?;
                batch.operations.push(operation);
            }
            BatchEntry::Statement(statement) => {
                batch.refuse_mixing(!batch.operations.is_empty())?;
                batch.statements.push(statement);
            }
        }
        Ok(KSTONE_OK)
    })
}

/// Does the operations of a batch. *out becomes a page with an item for each get, in their order: kstone_page_item is
/// NULL for what is not there. out may be NULL.
///
/// With KSTONE_BATCH_ATOMIC all operations are done at one moment, or, where one fails, not one of them: the gets and
/// conditions see the items as they were before the batch, no other write comes between, and no reader sees a part of
/// it. Up to 100 operations, each on an item of its own.
///
/// Without it the operations are done in order, as if you had made the calls yourself, so a get sees what the writes
/// before it wrote. What can be said without the items that are there is checked first: where a key, an item, an
/// expression or an attribute that an index refuses is wrong, nothing is done. Otherwise the first operation that fails
/// ends the run: what was done before it stays done, and *out is not written. There may be any number of operations, and
/// several on one item.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: those of the operations; kstone_error_index says which operation failed (the first of several), and
/// kstone_error_item gives its item where its condition asked for that. Where an atomic batch fails for what the items
/// are, kstone_error_name is "TransactionCanceledException" and the message has a reason for every operation;
/// KSTONE_ERR_CONDITION_FAILED stands for a condition that does not hold. KSTONE_ERR_INVALID where the batch is empty,
/// flags holds an unknown bit, or an atomic batch names an item twice; KSTONE_ERR_LIMIT where an atomic one has more
/// than 100 operations or 4 MB, nothing is done then.
/// Cost: the sum of the operations. An atomic batch keeps the stripes of its items locked meanwhile, shared where it
/// only reads.
/// Threads: any for db. Atomic batches wait for each other but never deadlock.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_batch_run(
    db: *mut Db,
    b: *mut Batch,
    flags: u32,
    out: *mut *mut PageObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let database = database(db)?;
        let batch = borrow(b.cast_const())?;
        known_flags(flags, KSTONE_BATCH_ATOMIC)?;
        let atomic = flags & KSTONE_BATCH_ATOMIC != 0;
        let items = match atomic {
            _ if !batch.statements.is_empty() => batch.run_statements(database, atomic)?,
            true => database.transact_list(&batch.operations)?,
            false => batch.run_each(database)?,
        };
        if let Some(out) = Out::optional(out) {
            out.set(hand_out(PageObject::of_gets(items)));
        }
        Ok(KSTONE_OK)
    })
}
