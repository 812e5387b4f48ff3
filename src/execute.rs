//! PartiQL statements.

use std::ffi::{c_char, c_void};

use kstone_api::Statement;

use crate::boundary::{Failure, Out, bytes, enter, text};
use crate::database::{Db, database};
use crate::error::Error;
use crate::handle::hand_out;
use crate::item::{Item, View};
use crate::page::Page;
use crate::status::{KSTONE_OK, Status};

/// STATEMENTS
///
/// PartiQL in DynamoDB's dialect: SELECT, INSERT, UPDATE and DELETE on the table, which is called "items" unless its
/// schema has a name. The key is addressed as pk and sk, "table"."index" reads an index, and EXPLAIN SELECT tells what a
/// SELECT would read. docs/partiql.md is the reference.
///
/// Values come best as parameters: every ? of the statement takes the next attribute of a bag, "?1", "?2" and so on, of
/// any type. Texts stand between single quotes, and names that are no plain words between double ones. A statement is
/// parsed once: the database remembers those that it saw last. So keep the text constant, and vary the bag.
///
/// ```c
/// static size_t print_open_orders(kstone_db *db, const char *customer) {
///     static const char select[] = "SELECT sk, total FROM items WHERE pk = ? AND status = 'open' ORDER BY sk DESC";
///     kstone_item *params = kstone_item_new();
///     kstone_page *page = NULL;
///     kstone_error *err = NULL;
///     size_t rows = 0;
///     size_t i;
///     kstone_item_set_str(params, "?1", KSTONE_STRLEN, customer, KSTONE_STRLEN);
///     if (kstone_execute(db, select, KSTONE_STRLEN, params, NULL, 0, &page, &err) == KSTONE_OK) {
///         rows = kstone_page_count(page);
///         for (i = 0; i < rows; i++) {
///             kstone_value total;
///             if (kstone_item_get(kstone_page_item(page, i), "total", KSTONE_STRLEN, &total) == KSTONE_OK) {
///                 printf("%.*s\n", (int)total.bytes.len, (const char *)total.bytes.data);
///             }
///         }
///     } else {
///         fprintf(stderr, "%s\n", kstone_error_message(err));
///     }
///     kstone_free(err);
///     kstone_free(page);
///     kstone_free(params);
///     return rows;
/// }
/// ```
///
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
/// over or of an unfit type, and for a token of another statement; KSTONE_ERR_CONDITION_FAILED where the WHERE clause of
/// an UPDATE or DELETE does not hold, and for an INSERT of a key that is there ("DuplicateItemException");
/// KSTONE_ERR_LIMIT where the statement has more than 8192 characters, an item would be too large, or more than 64 MiB
/// would have to be sorted. A write that fails changes nothing.
/// Cost: a look-up of the text in the database's cache, then what kstone_get, kstone_query, kstone_scan or a write
/// costs, and a copy of each row.
/// Threads: any.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_execute(
    db: *mut Db,
    statement: *const c_char,
    len: usize,
    params: *const Item,
    token: *const c_void,
    token_len: usize,
    out: *mut *mut Page,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let database = database(db)?;
            let mut statement = read_statement(statement, len, params)?;
            let token = bytes(token, token_len, "token")?;
            if !token.is_empty() {
                statement = statement.token(token);
            }
            let result = database.execute_statement(&statement)?;
            if let Some(out) = Out::optional(out) {
                out.set(hand_out(Page::from(result)));
            }
            Ok(KSTONE_OK)
        })
    }
}

/// A statement that comes in, with its parameters.
///
/// # Safety
/// As for [`text`] and [`View::new`].
pub(crate) unsafe fn read_statement(
    statement: *const c_char,
    len: usize,
    params: *const Item,
) -> Result<Statement, Failure> {
    // SAFETY: as this function's.
    unsafe {
        if statement.is_null() {
            return Err(Failure::misuse("statement is NULL"));
        }
        let statement = Statement::new(text(statement, len, "statement")?);
        if params.is_null() {
            return Ok(statement);
        }
        Ok(statement.parameters_bag(View::new(params)?.item()?)?)
    }
}
