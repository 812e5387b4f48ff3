//! PartiQL statements.

use std::ffi::{c_char, c_void};

use kstone_api::Statement;

use crate::boundary::{ErrorObject, Failure, KSTONE_OK, Out, Status, by_contract, bytes, entry, hand_out, text};
use crate::database::{Db, database};
use crate::item_view::{Item, View};
use crate::page::PageObject;

/// Executes a statement. *out becomes a page with the rows of a SELECT, or of a write with RETURNING, and an empty one
/// of any other write. params may be NULL: no parameters. token is where the last page of the same statement with the
/// same parameters ended, as kstone_page_token gave it; (NULL, 0) at first. out may be NULL.
///
/// A row has the columns of the SELECT list as its attributes; with SELECT * it is the whole item, in which the key
/// stands as the attributes pk and sk. A page ends after 1 MiB of items that were examined, so it may be empty and have
/// a token. Rows that are grouped or sorted come in one page.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_INVALID where the statement is not well-formed (the message has line, column and an excerpt),
/// names another table ("ResourceNotFoundException") or an index that is not there, where a parameter is missing, left
/// over or of an unfit type, and for a token of another statement; KSTONE_ERR_CONDITION_FAILED where the WHERE clause
/// of an UPDATE or DELETE does not hold, and for an INSERT of a key that is there ("DuplicateItemException");
/// KSTONE_ERR_LIMIT where the statement has more than 8192 characters, an item would be too large, or more than 64 MiB
/// would have to be sorted. A write that fails changes nothing.
/// Cost: a look-up of the text in the database's cache, then what kstone_get, kstone_query, kstone_scan or a write
/// costs, and a copy of each row.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_execute(
    db: *mut Db,
    statement: *const c_char,
    len: usize,
    params: *const Item,
    token: *const c_void,
    token_len: usize,
    out: *mut *mut PageObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let database = database(db)?;
        let mut statement = read_statement(statement, len, params)?;
        let token = bytes(token, token_len, "token")?;
        if !token.is_empty() {
            statement = statement.token(token);
        }
        let result = database.execute_statement(&statement)?;
        if let Some(out) = Out::optional(out) {
            out.set(hand_out(PageObject::from(result)));
        }
        Ok(KSTONE_OK)
    })
}

/// A statement that comes in, with its parameters.
pub(crate) unsafe fn read_statement(
    statement: *const c_char,
    len: usize,
    params: *const Item,
) -> Result<Statement, Failure> {
    by_contract!({
        if statement.is_null() {
            return Err(Failure::misuse("statement is NULL"));
        }
        let statement = Statement::new(text(statement, len, "statement")?);
        if params.is_null() {
            return Ok(statement);
        }
        Ok(statement.parameters_bag(View::new(params)?.item())?)
    })
}
