//! Requests that are read once and run many times.

use std::ffi::{c_char, c_void};

use kstone_api::expression::ReturnValues;
use kstone_api::{PreparedQuery, PreparedStatement, PreparedWrite, ValueRef, WriteRun, WriteTemplate};

use crate::bound::{BoundValues, Numbers, bound_values};
use crate::boundary::status::KSTONE_NOT_FOUND;
use crate::boundary::{
    ErrorObject, Failure, Handle, KSTONE_OK, Out, Status, Tag, Tagged, accessor, borrow, by_contract, bytes, c_struct,
    entry, hand_out, not_served, read_struct, text,
};
use crate::cond::{Cond, Condition, expression, parameters};
use crate::database::{Db, database};
use crate::item::{Bytes, Value};
use crate::item_view::{Item, View};
use crate::iter::Iter;
use crate::page::PageObject;
use crate::spec::QuerySpec;
use crate::write::{item_or_null, return_values_of};

/// Prepares a PartiQL statement: text.
pub const KSTONE_PREPARE_STATEMENT: u32 = 1;
/// Prepares a kstone_put_if: cond, or none. Each run gives key and item.
pub const KSTONE_PREPARE_PUT: u32 = 2;
/// Prepares a kstone_update: text, names, cond. Each run gives the key.
pub const KSTONE_PREPARE_UPDATE: u32 = 3;
/// Prepares a kstone_delete_if: cond, or none. Each run gives the key.
pub const KSTONE_PREPARE_DELETE: u32 = 4;
/// Prepares a kstone_batch_check: cond. Each run gives the key. It is for batches; kstone_run_write of it alone says
/// whether the condition holds, and writes nothing.
pub const KSTONE_PREPARE_CHECK: u32 = 5;
/// Prepares a kstone_query: query.
pub const KSTONE_PREPARE_QUERY: u32 = 6;

/// What to prepare. Set struct_size to sizeof(kstone_prepare_spec) and everything else to 0, then what you want. What
/// the kind does not use must stay 0. Everything is copied during the call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PrepareSpec {
    /// sizeof(kstone_prepare_spec), in bytes.
    pub struct_size: usize,
    /// One of KSTONE_PREPARE_STATEMENT and so on.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// KSTONE_PREPARE_STATEMENT: the statement. KSTONE_PREPARE_UPDATE: the update expression.
    pub text: *const c_char,
    /// How many bytes text has, or KSTONE_STRLEN.
    pub text_len: usize,
    /// KSTONE_PREPARE_UPDATE: what the #names of text stand for, and those of the condition where that has no params;
    /// NULL: nothing. :values are given at every run.
    pub names: *const Item,
    /// The condition of a write, whose params hold #names alone; NULL: none. KSTONE_PREPARE_CHECK needs one.
    pub cond: *const Cond,
    /// KSTONE_PREPARE_QUERY: the query, whose params hold #names alone. Its limit is that of the runs that have none,
    /// and a token belongs to a run.
    pub query: *const QuerySpec,
}

c_struct!(PrepareSpec, "kstone_prepare_spec", [struct_size, kind, reserved, text, text_len, names, cond, query]);

/// A statement, a write or a query that was read once. Any number of threads may run one at once.
pub enum Prepared {
    /// Of PartiQL.
    #[doc(hidden)]
    Statement(PreparedStatement),
    #[doc(hidden)]
    Write(PreparedWrite),
    #[doc(hidden)]
    Query(PreparedQuery),
}

impl Tagged for Prepared {
    const TAG: Tag = Tag::PREPARED;
    const NAME: &'static str = "a kstone_prepared";
}

const _: () = {
    const fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<Prepared>();
};

/// Releases what was prepared, which the caller gives back.
///
/// # Safety
/// `prepared` was handed out and is used no more.
pub(crate) unsafe fn release(prepared: *mut Prepared) {
    drop(by_contract!(Handle::take_back(prepared)));
}

impl Prepared {
    fn count(&self) -> usize {
        match self {
            Self::Statement(statement) => statement.parameters().len(),
            Self::Write(write) => write.parameters().len(),
            Self::Query(query) => query.parameters().len(),
        }
    }

    fn name(&self, position: usize) -> Option<&str> {
        match self {
            Self::Statement(statement) => statement.parameters().nth(position),
            Self::Write(write) => write.parameters().nth(position),
            Self::Query(query) => query.parameters().nth(position),
        }
    }

    /// Calls `run` with the values of a run.
    ///
    /// # Safety
    /// As [`bound_values`].
    #[inline(always)]
    unsafe fn with_values<T>(
        &self,
        values: (*const Value, usize),
        run: impl FnOnce(&[ValueRef<'_>]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (mut numbers, mut bound) = (Numbers::new(), BoundValues::new());
        by_contract!(bound_values(self.count(), values, &mut numbers, &mut bound))
            .map_err(|(at, failure)| self.of_value(at, failure))?;
        run(&bound)
    }

    /// The failure of one value, which it names.
    #[cold]
    fn of_value(&self, at: Option<usize>, failure: Failure) -> Failure {
        let Some((at, name)) = at.and_then(|at| Some((at, self.name(at)?))) else { return failure };
        let message = format!("the value of {name}, at position {at}: {}", failure.message());
        failure.with_message(message)
    }

    #[cold]
    fn unfit(&self, function: &str, takes: &str) -> Failure {
        let is = match self {
            Self::Statement(_) => "a statement",
            Self::Write(_) => "a write",
            Self::Query(_) => "a query",
        };
        Failure::misuse(format!("{function} takes {takes}: this kstone_prepared is {is}"))
    }
}

/// Reads a statement, a write or a query once, to be run many times: it is parsed, its #names are resolved, its paths
/// and its index are checked. What is left for a run are its values and the work itself.
///
/// What is prepared belongs to no database: it runs on the one that it was prepared with, on forks of it and on any
/// other, before and after that one is freed. Names of tables and indexes are looked up here and at every run, and a
/// statement is planned by the schema in force then, so a change of the schema changes a plan, or the run says what is
/// missing.
///
/// Ownership: *out is yours, release it with kstone_free. Nothing is borrowed from spec.
/// Errors: KSTONE_ERR_INVALID for an unknown kind, a field that the kind does not use, a :value in a bag, and what
/// kstone_execute, kstone_put_if, kstone_update, kstone_delete_if or kstone_query refuse without looking at a value or
/// an item; KSTONE_ERR_LIMIT for a text that is too long; KSTONE_ERR_MISUSE for a handle of another kind.
/// Cost: reading the texts. It keeps some 50 bytes for each of their characters.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_prepare(
    db: *const Db,
    spec: *const PrepareSpec,
    out: *mut *mut Prepared,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let database = database(db)?;
        let spec = read_struct(spec)?;
        spec.check()?;
        let prepared = match spec.kind {
            KSTONE_PREPARE_STATEMENT => {
                let statement = spec.text_of("a statement needs its text")?;
                Prepared::Statement(database.prepare_statement(statement)?)
            }
            KSTONE_PREPARE_QUERY => {
                if spec.query.is_null() {
                    return Err(Failure::invalid("kstone_prepare_spec.query is NULL: it says what is queried"));
                }
                Prepared::Query(database.prepare_read(&read_struct(spec.query)?.query_request()?)?)
            }
            _ => Prepared::Write(database.prepare_write(&spec.template()?)?),
        };
        out.set(hand_out(prepared));
        Ok(KSTONE_OK)
    })
}

impl PrepareSpec {
    /// Refuses an unknown kind, and what its kind does not use.
    fn check(&self) -> Result<(), Failure> {
        not_served(self.reserved != 0, "kstone_prepare_spec.reserved")?;
        let (text, names, cond, query) = match self.kind {
            KSTONE_PREPARE_STATEMENT => (true, false, false, false),
            KSTONE_PREPARE_UPDATE => (true, true, true, false),
            KSTONE_PREPARE_PUT | KSTONE_PREPARE_DELETE | KSTONE_PREPARE_CHECK => (false, false, true, false),
            KSTONE_PREPARE_QUERY => (false, false, false, true),
            unknown => return Err(Failure::invalid(format!("kstone_prepare_spec.kind: {unknown} is not known"))),
        };
        let fields = [
            (text, !self.text.is_null() || self.text_len != 0, "text"),
            (names, !self.names.is_null(), "names"),
            (cond, !self.cond.is_null(), "cond"),
            (query, !self.query.is_null(), "query"),
        ];
        match fields.into_iter().find(|(used, is_set, _)| *is_set && !used) {
            None => Ok(()),
            Some((.., field)) => {
                let kind = self.kind;
                Err(Failure::invalid(format!("kstone_prepare_spec.{field} is set, but kind {kind} does not use it")))
            }
        }
    }

    /// # Safety
    /// The text with its length describes memory that may be read and does not change during `'a`.
    unsafe fn text_of<'a>(&self, needed: &'static str) -> Result<&'a str, Failure> {
        if self.text.is_null() {
            return Err(Failure::invalid(format!("kstone_prepare_spec.text is NULL: {needed}")));
        }
        by_contract!(text(self.text, self.text_len, "kstone_prepare_spec.text"))
    }

    /// The write that is prepared.
    ///
    /// # Safety
    /// The fields keep the contract.
    unsafe fn template(&self) -> Result<WriteTemplate, Failure> {
        by_contract!({
            let condition = Condition::read(self.cond)?;
            let template = match self.kind {
                KSTONE_PREPARE_PUT => WriteTemplate::put(),
                KSTONE_PREPARE_DELETE => WriteTemplate::delete(),
                KSTONE_PREPARE_UPDATE => {
                    let text = expression(self.text, self.text_len, "kstone_prepare_spec.text")?;
                    let text = text.ok_or_else(|| {
                        Failure::invalid("kstone_prepare_spec.text is NULL: an update needs its expression")
                    })?;
                    let template = WriteTemplate::update(text);
                    parameters(self.names)?.map_or(template.clone(), |names| template.names(names))
                }
                _ => {
                    let check = condition.expression();
                    WriteTemplate::check(check.ok_or_else(|| Failure::invalid("a check needs a condition"))?)
                }
            };
            condition.apply_to_template(template)
        })
    }
}

/// How many parameters it has: the values that a run gives. 0 for NULL.
///
/// Those of a statement are its ?, in their order. Those of expressions are their :values, each once, in the order of
/// their first appearance: in the update before the condition, in the key condition before the filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_prepared_count(p: *const Prepared) -> usize {
    accessor!(0, borrow(p).map_or(0, Prepared::count))
}

/// The name of parameter i, counted from 0: ":max", or "?1" for the first of a statement. Borrowed from p. Empty from
/// kstone_prepared_count on, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_prepared_name(p: *const Prepared, i: usize) -> Bytes {
    accessor!(
        Bytes::EMPTY,
        match borrow(p) {
            Ok(prepared) => prepared.name(i).map_or(Bytes::EMPTY, |name| Bytes::of(name.as_bytes())),
            Err(_) => Bytes::EMPTY,
        }
    )
}

/// Where among its values a run gives that of this name, sign included: ":max". Look it up once, and bind by position.
///
/// Returns KSTONE_NOT_FOUND where nothing that was prepared names it; *position is left alone then.
/// Errors: KSTONE_ERR_MISUSE; KSTONE_ERR_INVALID where name is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_prepared_find(
    p: *const Prepared,
    name: *const c_char,
    name_len: usize,
    position: *mut usize,
) -> Status {
    entry!({
        let position = Out::new(position, "position")?;
        let prepared = borrow(p)?;
        let name = text(name, name_len, "name")?;
        let Some(found) = (0..prepared.count()).find(|&at| prepared.name(at) == Some(name)) else {
            return Ok(KSTONE_NOT_FOUND);
        };
        position.set(found);
        Ok(KSTONE_OK)
    })
}

/// Runs a statement or a query: *out becomes the page that kstone_execute or kstone_query gives. out may be NULL for a
/// statement. limit is the most items to examine, 0: what the query was prepared with, or up to 1 MiB of items. token
/// is where the last page of the same run ended, (NULL, 0) at first; pages of prepared and of other requests go on with
/// each other's tokens.
///
/// values are as many as the parameters, in their order, and are borrowed during the call. A kstone_value that an
/// item gave is bound as it is. For another one set type and bytes: to KSTONE_TYPE_S and so on, with the bytes that
/// kstone_value.bytes speaks of, where a number may be any decimal text; or to KSTONE_VALUE_I64 and KSTONE_VALUE_F64,
/// with a pointer to a number of C.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: as kstone_execute and kstone_query; KSTONE_ERR_INVALID for values that are not as many as the parameters,
/// and for one that is unbound (its type is 0) or malformed, which the message names; KSTONE_ERR_MISUSE where p is a
/// prepared write.
/// Cost: that of the work; a query copies its filter's values.
/// Threads: any; one p may be run by many threads at once.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_run(
    db: *mut Db,
    p: *const Prepared,
    values: *const Value,
    count: usize,
    limit: u32,
    token: *const c_void,
    token_len: usize,
    out: *mut *mut PageObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let database = database(db)?;
        let prepared = borrow(p)?;
        let token = Some(bytes(token, token_len, "token")?).filter(|token| !token.is_empty());
        let limit = limit_of(limit);
        let (out, page) = prepared.with_values((values, count), |values| match prepared {
            Prepared::Statement(statement) => {
                Ok((Out::optional(out), statement.run_page(database, values, limit, token)?.into()))
            }
            Prepared::Query(query) => {
                let out = Out::new(out, "out")?;
                Ok((Some(out), PageObject::from(query.run_as(database, values, limit, token)?)))
            }
            Prepared::Write(_) => Err(prepared.unfit("kstone_run", "a statement or a query")),
        })?;
        if let Some(out) = out {
            out.set(hand_out(page));
        }
        Ok(KSTONE_OK)
    })
}

/// The limit of a run; 0: that of what was prepared.
fn limit_of(limit: u32) -> Option<usize> {
    (limit != 0).then_some(limit as usize)
}

/// Runs a query as an iterator, as kstone_iter_open opens one: limit is how many items to examine in all, 0: what the
/// query was prepared with, or to the end. values are as in kstone_run.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: as kstone_iter_open and kstone_run; KSTONE_ERR_MISUSE where p is no prepared query.
/// Cost, threads: as kstone_iter_open.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_run_iter(
    db: *const Db,
    p: *const Prepared,
    values: *const Value,
    count: usize,
    limit: u32,
    out: *mut *mut Iter,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let database = database(db)?;
        let prepared = borrow(p)?;
        let Prepared::Query(query) = prepared else { return Err(prepared.unfit("kstone_run_iter", "a query")) };
        let records =
            prepared.with_values((values, count), |values| Ok(query.iter(database, values, limit_of(limit))?))?;
        out.set(hand_out(Iter::new(records)));
        Ok(KSTONE_OK)
    })
}

/// Runs a write on the item of a key: what kstone_put_if, kstone_update or kstone_delete_if does. it is the item of a
/// put, NULL for the others. values are as in kstone_run. return_values is one of KSTONE_RETURN_NONE and so on, of a
/// put or a delete KSTONE_RETURN_NONE or KSTONE_RETURN_ALL_OLD. returned may be NULL; otherwise *returned becomes what
/// was asked for, or NULL where there is nothing.
///
/// Ownership: *returned is yours, release it with kstone_free.
/// Errors: as those functions and kstone_run; KSTONE_ERR_INVALID for an item where none is put, and none where one is;
/// KSTONE_ERR_MISUSE where p is no prepared write. A write that fails changes nothing.
/// Cost: as those functions, without reading an expression or a bag: nothing is copied but what is stored.
/// Threads: as kstone_run and those functions.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_run_write(
    db: *mut Db,
    p: *const Prepared,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    it: *const Item,
    values: *const Value,
    count: usize,
    return_values: u32,
    returned: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
        let database = database(db)?;
        let prepared = borrow(p)?;
        let write = prepared.as_write("kstone_run_write")?;
        let return_values = return_values_of(return_values)?;
        let returned = Out::optional(returned);
        let found = prepared.with_write((pk, sk), it, (values, count), |run| {
            let return_values = if returned.is_some() { return_values } else { ReturnValues::None };
            Ok(write.run(database, &run.return_values(return_values))?)
        })?;
        if let Some(returned) = returned {
            returned.set(item_or_null(found));
        }
        Ok(KSTONE_OK)
    })
}

impl Prepared {
    fn as_write(&self, function: &str) -> Result<&PreparedWrite, Failure> {
        match self {
            Self::Write(write) => Ok(write),
            _ => Err(self.unfit(function, "a write")),
        }
    }

    /// What a batch holds of it, with the values of this run.
    ///
    /// # Safety
    /// As [`bound_values`]; `it` is NULL or a live handle.
    pub(crate) unsafe fn for_batch(
        &self,
        (pk, sk): (&[u8], &[u8]),
        it: *const Item,
        values: (*const Value, usize),
    ) -> Result<BatchEntry, Failure> {
        match self {
            Self::Statement(_) if !pk.is_empty() || !sk.is_empty() || !it.is_null() => {
                Err(Failure::invalid("a statement names its key itself: pk, sk and the item must be empty"))
            }
            Self::Statement(statement) => {
                by_contract!(self.with_values(values, |values| Ok(BatchEntry::Statement(statement.bound(values)?))))
            }
            Self::Query(_) => Err(self.unfit("kstone_batch_prepared", "a write or a statement")),
            Self::Write(write) => by_contract!(
                self.with_write((pk, sk), it, values, |run| Ok(BatchEntry::Operation(write.bound(&run)?.into())))
            ),
        }
    }

    /// Calls `run` with what a run of a write gives: key, item and values.
    ///
    /// # Safety
    /// As [`bound_values`]; `it` is NULL or a live handle.
    #[inline(always)]
    unsafe fn with_write<T>(
        &self,
        (pk, sk): (&[u8], &[u8]),
        it: *const Item,
        values: (*const Value, usize),
        run: impl FnOnce(WriteRun<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        by_contract!(self.with_values(values, |values| {
            let item = if it.is_null() { None } else { Some(View::new(it)?) };
            let mut made = Vec::new();
            let write = WriteRun::of_key(pk, sk).values(values);
            run(match &item {
                Some(item) => write.item(item.whole(&mut made)),
                None => write,
            })
        }))
    }
}

/// What a batch holds.
pub(crate) enum BatchEntry {
    Operation(kstone_api::Operation),
    Statement(kstone_api::Statement),
}
