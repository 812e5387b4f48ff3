//! Writes that look before they write: on a condition, and updates.

use std::ffi::{c_char, c_void};

use kstone_api::expression::ReturnValues;
use kstone_api::{Database, LentWrite, Record};

use crate::boundary::{ErrorObject, Failure, KSTONE_OK, Out, Status, by_contract, bytes, entry};
use crate::cond::{Cond, Condition, bag, expression};
use crate::database::{Db, database};
use crate::item_view::{Item, View};

/// kstone_update returns nothing of the item.
pub const KSTONE_RETURN_NONE: u32 = 0;
/// kstone_update returns the item as it was.
pub const KSTONE_RETURN_ALL_OLD: u32 = 1;
/// kstone_update returns what the update's paths led to before.
pub const KSTONE_RETURN_UPDATED_OLD: u32 = 2;
/// kstone_update returns the item as it is now.
pub const KSTONE_RETURN_ALL_NEW: u32 = 3;
/// kstone_update returns what the update's paths lead to now.
pub const KSTONE_RETURN_UPDATED_NEW: u32 = 4;

/// kstone_put on a condition. cond may be NULL, and old too; otherwise *old becomes the item that was replaced, or NULL
/// where there was none.
///
/// Ownership: *old is yours, release it with kstone_free.
/// Errors: as kstone_put; KSTONE_ERR_CONDITION_FAILED where the condition does not hold for the item that is there (or
/// for none), with that item in kstone_error_item where cond->return_old asked for it; KSTONE_ERR_INVALID where
/// expression and bag are not as kstone_cond says: the message names the token and its position.
/// Cost: a look-up and what kstone_put costs; the old item is not copied.
/// Threads: any. Writes to the stripe wait while the condition is evaluated.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_put_if(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    item: *const Item,
    cond: *const Cond,
    old: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
        let database = database(db)?;
        let mut made = Vec::new();
        let write = put_of((pk, sk), item, &mut made, cond)?;
        write_and_return_old(database, write, old)
    })
}

/// kstone_delete on a condition. cond may be NULL, and old too; otherwise *old becomes the item that was deleted, or
/// NULL where there was none. Without a condition, deleting what is not there is KSTONE_OK.
///
/// Ownership, threads: as kstone_put_if.
/// Errors: as kstone_delete, and those of kstone_put_if about the condition.
/// Cost: a look-up and what kstone_delete costs.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_delete_if(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    cond: *const Cond,
    old: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
        let database = database(db)?;
        let write = delete_of((pk, sk), cond)?;
        write_and_return_old(database, write, old)
    })
}

/// Changes an item by an update expression; where there is no item, it is made. Every clause reads the item as it was
/// before the update.
///
/// params is the bag of expr, cond->params that of the condition; where cond->params is NULL, both read params. Each
/// entry of a bag must be used by an expression that reads it.
///
/// return_values is one of KSTONE_RETURN_NONE and so on. returned may be NULL; otherwise *returned becomes an item
/// under the same key with what was asked for, or NULL where there is nothing: with KSTONE_RETURN_NONE, for the old
/// state of an item that was not there, or where no path leads to anything.
///
/// Ownership: *returned is yours, release it with kstone_free.
/// Errors: those of kstone_put_if; KSTONE_ERR_INVALID where expr is empty, its paths overlap, a path leads through
/// something that is neither map nor list, or an operand is missing in the item or of a type that does not fit;
/// KSTONE_ERR_LIMIT where the item would become larger than 400 KB.
/// Cost: a look-up, a copy of the item as it is changed, and what kstone_put costs.
/// Threads: as kstone_put_if.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_update(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    expr: *const c_char,
    expr_len: usize,
    params: *const Item,
    cond: *const Cond,
    return_values: u32,
    returned: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
        let database = database(db)?;
        let values = return_values_of(return_values)?;
        let write = update_of((pk, sk), (expr, expr_len), params, cond)?;
        match Out::optional(returned) {
            None => drop(write.run(database)?),
            Some(returned) => returned.set(item_or_null(write.return_values(values).run(database)?)),
        }
        Ok(KSTONE_OK)
    })
}

/// A put on a condition. What is no stored form as it lies is put together in `made`.
///
/// # Safety
/// `item` and `cond` are what callers may pass, and do not change during `'a`.
pub(crate) unsafe fn put_of<'a>(
    (pk, sk): (&'a [u8], &'a [u8]),
    item: *const Item,
    made: &'a mut Vec<u8>,
    cond: *const Cond,
) -> Result<LentWrite<'a>, Failure> {
    by_contract!({
        let condition = Condition::read(cond)?;
        Ok(condition.apply(LentWrite::put(pk, sk, View::new(item)?.whole(made))))
    })
}

/// A delete on a condition.
///
/// # Safety
/// `cond` is what callers may pass, and does not change during `'a`.
pub(crate) unsafe fn delete_of<'a>(
    (pk, sk): (&'a [u8], &'a [u8]),
    cond: *const Cond,
) -> Result<LentWrite<'a>, Failure> {
    Ok(by_contract!(Condition::read(cond))?.apply(LentWrite::delete(pk, sk)))
}

/// An update on a condition.
///
/// # Safety
/// `expr`, `params` and `cond` are what callers may pass, and do not change during `'a`.
pub(crate) unsafe fn update_of<'a>(
    (pk, sk): (&'a [u8], &'a [u8]),
    (expr, expr_len): (*const c_char, usize),
    params: *const Item,
    cond: *const Cond,
) -> Result<LentWrite<'a>, Failure> {
    let (expression, bag, condition) =
        by_contract!((expression(expr, expr_len, "expr")?, bag(params)?, Condition::read(cond)?));
    let expression = expression.ok_or_else(|| Failure::invalid("expr is NULL: an update needs its expression"))?;
    let mut write = LentWrite::update(pk, sk, expression);
    if let Some(bag) = bag {
        write = write.parameters(bag);
    }
    Ok(condition.apply(write))
}

/// # Safety
/// `old` is NULL or may be written.
unsafe fn write_and_return_old(
    database: &Database,
    write: LentWrite<'_>,
    old: *mut *mut Item,
) -> Result<Status, Failure> {
    match by_contract!(Out::optional(old)) {
        None => drop(write.run(database)?),
        Some(old) => old.set(item_or_null(write.return_values(ReturnValues::AllOld).run(database)?)),
    }
    Ok(KSTONE_OK)
}

/// The item that a caller is given, as kstone_get gives it.
pub(crate) fn item_or_null(record: Option<Record>) -> *mut Item {
    record.map_or(std::ptr::null_mut(), |record| record.into_raw().as_ptr().cast())
}

/// What a write is to return.
pub(crate) fn return_values_of(number: u32) -> Result<ReturnValues, Failure> {
    Ok(match number {
        KSTONE_RETURN_NONE => ReturnValues::None,
        KSTONE_RETURN_ALL_OLD => ReturnValues::AllOld,
        KSTONE_RETURN_UPDATED_OLD => ReturnValues::UpdatedOld,
        KSTONE_RETURN_ALL_NEW => ReturnValues::AllNew,
        KSTONE_RETURN_UPDATED_NEW => ReturnValues::UpdatedNew,
        unknown => return Err(Failure::invalid(format!("return_values: {unknown} is not known"))),
    })
}
