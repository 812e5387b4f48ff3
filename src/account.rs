//! Accounts: DynamoDB's operations on any number of tables, and the tables themselves.

use std::borrow::Cow;
use std::ffi::{c_char, c_void};

use kstone_dynamodb::Account;

use crate::account_options::AccountOptions;
use crate::boundary::{
    ErrorObject, Failure, Handle, KSTONE_OK, Out, Status, Tag, Tagged, borrow, borrow_mut, by_contract, bytes, entry,
    file_path, hand_out, read_struct, set_text, text, text_bytes,
};
use crate::cancellation::Uncancelled;
use crate::database::Db;
use crate::response::ResponseObject;

/// Tables in memory behind DynamoDB's operations.
pub struct AccountObject(Account);

const _: () = {
    const fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<AccountObject>();
};

impl Tagged for AccountObject {
    const TAG: Tag = Tag::ACCOUNT;
    const NAME: &'static str = "a kstone_account";
}

/// The account behind a handle that came in.
///
/// # Safety
/// `account` is NULL or a live handle.
unsafe fn account_of<'a>(account: *const AccountObject) -> Result<&'a Account, Failure> {
    by_contract!(borrow(account)).map(|account| &account.0)
}

/// Releases an account that the caller gives back.
///
/// # Safety
/// `account` was handed out and is used no more.
pub(crate) unsafe fn release(account: *mut AccountObject) {
    let _uncancelled = Uncancelled::new();
    drop(by_contract!(Handle::take_back(account)));
}

/// Opens an account without tables. options may be NULL: all defaults.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_INVALID where an option is out of range, not known or not served yet.
/// Cost: microseconds, and a few KiB.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_open(
    options: *const AccountOptions,
    out: *mut *mut AccountObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let out = Out::new(out, "out")?;
        let account = Account::open(read_struct(options)?.to_api()?)?;
        kstone_api::when_much_is_freed(crate::give_memory_back);
        out.set(hand_out(AccountObject(account)));
        Ok(KSTONE_OK)
    })
}

/// Carries out one request of DynamoDB's. target is what SDKs send as X-Amz-Target, such as
/// "DynamoDB_20120810.PutItem" or "DynamoDBStreams_20120810.GetRecords"; body is the JSON of the request. *response is
/// NULL or a response of an earlier call: then that is used again with the memory it has, so that a caller who keeps
/// one allocates nothing for an answer that is no longer than those before it.
///
/// KSTONE_OK says that there is an answer. Whether AWS would refuse the request is in the response: status 400 and the
/// body that AWS would send. That holds for whatever target and body are: an unknown operation, a body that is no JSON,
/// a table that is not there, a condition that does not hold.
///
/// Ownership: *response is yours, release it with kstone_free. What was borrowed from a response that is used again is
/// gone; target and body may be borrowed from it.
/// Errors: KSTONE_ERR_MISUSE where account is none, response is NULL or *response something else, or a length is
/// impossible; *response is as it was then. KSTONE_ERR_PANIC; a response that was used again says nothing then.
/// Cost: that of the operation.
/// Threads: any number on one account; a response is used by one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_call(
    account: *mut AccountObject,
    target: *const c_char,
    target_len: usize,
    body: *const c_void,
    body_len: usize,
    response: *mut *mut ResponseObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let out = Out::new(response, "response")?;
        let account = account_of(account)?;
        let (target, body) = (text_bytes(target, target_len, "target")?, bytes(body, body_len, "body")?);
        let used_again = response.read();
        if used_again.is_null() {
            let mut made = Handle::new(ResponseObject::default());
            made.value().answer(account, target, body);
            out.set(made.hand_out());
            return Ok(KSTONE_OK);
        }
        let lender = borrow(used_again.cast_const())?;
        let apart = |bytes| if lender.lends(bytes) { Cow::Owned(bytes.to_vec()) } else { Cow::Borrowed(bytes) };
        let (target, body) = (apart(target), apart(body));
        borrow_mut(used_again)?.answer(account, &target, &body);
        Ok(KSTONE_OK)
    })
}

/// The table of this name as a database: items as they are stored, by their keys, next to the requests that name the
/// table. Writes on either side show on the other. Once the table is deleted, every call is KSTONE_ERR_INVALID.
///
/// What belongs to the account, and not to one of its tables, is KSTONE_ERR_INVALID there: kstone_configure (UpdateTable
/// and UpdateTimeToLive do it), kstone_set_time, kstone_snapshot_load and kstone_snapshot_load_from. A kstone_fork of
/// it is a database of its own, which belongs to no account.
///
/// Ownership: *out is yours, release it with kstone_free, before the account or after it.
/// Errors: KSTONE_ERR_INVALID, named ResourceNotFoundException, where there is no such table.
/// Cost: tens of nanoseconds.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_table(
    account: *const AccountObject,
    name: *const c_char,
    name_len: usize,
    out: *mut *mut Db,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let table = account_of(account)?.table(text(name, name_len, "name")?)?;
        out.set(hand_out(Db::of_account(table)));
        Ok(KSTONE_OK)
    })
}

/// Fixes the time of the account, in seconds since 1970: what has expired, when tables become ACTIVE, the dates in
/// answers; 0 goes back to the system's clock. For tests.
///
/// Errors: none of its own.
/// Cost: none; a look at each table where the time goes back.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_set_time(
    account: *mut AccountObject,
    epoch_seconds: i64,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        account_of(account)?.set_time(epoch_seconds);
        Ok(KSTONE_OK)
    })
}

/// Makes an account of its own that holds what this one holds now, all tables at one moment, and shares its memory:
/// writes on either side never show on the other. The fixture for tests: fill one account, give each test a fork. The
/// fork has the options and the time of this one, which may be freed before it.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: none of its own (KSTONE_ERR_PANIC where an earlier write failed inside).
/// Cost: some tens of microseconds for each table that has items, whatever their number; memory grows by what is written
/// from then on.
/// Threads: any; waits for requests that make, change or delete tables.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_fork(
    account: *const AccountObject,
    out: *mut *mut AccountObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let out = Out::new(out, "out")?;
        out.set(hand_out(AccountObject(account_of(account)?.fork()?)));
        Ok(KSTONE_OK)
    })
}

/// Writes all tables as they are now to a file, as kstone_snapshot_save does: items, indexes, and what DynamoDB says of
/// tables. What streams recorded, backups and tokens of requests are not in it: loaded, a table with a stream has a new
/// one, without records.
///
/// Errors, cost, threads: as kstone_snapshot_save.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_snapshot_save(
    account: *const AccountObject,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        account_of(account)?.snapshot_save(file_path(path, path_len, "path")?)?;
        Ok(KSTONE_OK)
    })
}

/// Adds the tables of a file to the account: all of them appear at once, after all of the file was read and checked. A
/// file of kstone_snapshot_save is one table, called items; where its schema names no key attributes, DynamoDB's
/// operations call them pk and sk, both of type S, and show items without them.
///
/// Errors: as kstone_snapshot_load; KSTONE_ERR_INVALID where the account has a table of one of these names. Nothing is
/// loaded then.
/// Cost: as kstone_snapshot_load.
/// Threads: any; requests to the tables that are there go on meanwhile, those that make, change or delete tables wait.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_snapshot_load(
    account: *mut AccountObject,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        account_of(account)?.snapshot_load(file_path(path, path_len, "path")?)?;
        Ok(KSTONE_OK)
    })
}

/// Numbers about the tables as a JSON object, for people and dashboards: {"tables":{"Music":{"items":1,...}}}, of each
/// table what kstone_stats_json says. Later versions may add members.
///
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: as kstone_account_fork.
/// Cost: that of kstone_stats_json for each table.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_account_stats_json(
    account: *const AccountObject,
    out: *mut *mut c_char,
    out_len: *mut usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
        Ok(set_text(out, out_len, &account_of(account)?.stats_json()?))
    })
}
