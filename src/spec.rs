//! What to query or scan: `kstone_query_spec` and what becomes of it.
//!
//! # Invariants
//! Nothing that a caller sets is ignored: what the call does not use must be 0.

use std::ffi::{c_char, c_void};

use kstone_api::expression::Parameters;
use kstone_api::{PartitionQuery, Query, Scan, Select, SortKeyCondition};

use crate::boundary::{Failure, by_contract, bytes, c_struct, known_flags, not_served};
use crate::cond::{expression, parameters};
use crate::item_view::Item;

/// Every sort key.
pub const KSTONE_SK_ANY: u32 = 0;
/// The sort key sk1 alone.
pub const KSTONE_SK_EQ: u32 = 1;
/// Sort keys before sk1.
pub const KSTONE_SK_LT: u32 = 2;
/// Sort keys up to sk1, which is included.
pub const KSTONE_SK_LE: u32 = 3;
/// Sort keys after sk1.
pub const KSTONE_SK_GT: u32 = 4;
/// Sort keys from sk1 on, which is included.
pub const KSTONE_SK_GE: u32 = 5;
/// Sort keys from sk1 to sk2, both included.
pub const KSTONE_SK_BETWEEN: u32 = 6;
/// Sort keys that begin with the bytes of sk1.
pub const KSTONE_SK_BEGINS_WITH: u32 = 7;

/// Flag of a kstone_query_spec: from the greatest sort key down.
pub const KSTONE_QUERY_REVERSE: u32 = 1u32;
/// Flag of a kstone_query_spec: count the items of the page, hand out none. The token goes on as with items. A scan of
/// all items, or of an index, that has no filter, limit, token and segments counts them in one page, of any size.
pub const KSTONE_QUERY_COUNT: u32 = 2u32;
/// Flag of a kstone_query_spec: items with their key alone, as its attributes (pk and sk in an untyped table).
pub const KSTONE_QUERY_KEYS_ONLY: u32 = 4u32;

/// What to query or scan. Set struct_size to sizeof(kstone_query_spec) and everything else to 0, then what you want.
/// What the function does not use must stay 0; the field's comment says which functions use it. Everything is copied
/// during the call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct QuerySpec {
    /// sizeof(kstone_query_spec), in bytes.
    pub struct_size: usize,
    /// kstone_query: the partition key, needed unless key_expr gives it. kstone_iter_open: the partition key, or NULL
    /// for all items.
    pub pk: *const c_void,
    /// How many bytes pk has.
    pub pk_len: usize,
    /// With pk: which sort keys, one of KSTONE_SK_ANY and so on. Items without a sort key come before all others;
    /// KSTONE_SK_ANY and KSTONE_SK_EQ with an empty sk1 alone select them.
    pub sk_op: u32,
    /// Any of KSTONE_QUERY_REVERSE (with pk), KSTONE_QUERY_COUNT and KSTONE_QUERY_KEYS_ONLY (one of the two; an
    /// iterator does not count).
    pub flags: u32,
    /// The sort key that sk_op speaks of.
    pub sk1: *const c_void,
    /// How many bytes sk1 has.
    pub sk1_len: usize,
    /// The upper end of KSTONE_SK_BETWEEN.
    pub sk2: *const c_void,
    /// How many bytes sk2 has.
    pub sk2_len: usize,
    /// The index of the schema to read instead of the items themselves; NULL: none. pk and sk_* then say the values of
    /// its key attributes, as bytes, those of text or of binary, or as the text of a number where the schema says that
    /// it is one; key_expr says values of any type.
    pub index: *const c_char,
    /// How many bytes index has, or KSTONE_STRLEN.
    pub index_len: usize,
    /// Which of the items to return; NULL: all. A query's filter says nothing of the key.
    pub filter: *const c_char,
    /// How many bytes filter has, or KSTONE_STRLEN.
    pub filter_len: usize,
    /// Which parts of the items to return; NULL: all of them. Not with KSTONE_QUERY_COUNT or KSTONE_QUERY_KEYS_ONLY.
    pub projection: *const c_char,
    /// How many bytes projection has, or KSTONE_STRLEN.
    pub projection_len: usize,
    /// What the :values and #names of key_expr, filter and projection stand for; NULL: nothing.
    pub params: *const Item,
    /// Where to go on, from kstone_page_token of the page before. The keys, sk_op or key_expr, direction and segments
    /// must be as they were for that page; limit may change.
    pub token: *const c_void,
    /// How many bytes token has.
    pub token_len: usize,
    /// A page: how many items to examine for it; 0: up to 1 MiB of items. An iterator: how many items to examine in
    /// all; 0: to the end.
    pub limit: u32,
    /// Without pk: which part of a parallel scan, from 0.
    pub segment: u32,
    /// Without pk: how many parts the scan has; 0 or 1: it is not divided. The parts together are all items, each
    /// once, and may be scanned by a thread each. At most 1,000,000.
    pub segments: u32,
    /// 0.
    pub reserved: u32,
    /// Instead of pk, sk_op, sk1 and sk2, with the key's own names in a typed table: "pk = :p", alone or with AND and
    /// one condition on sk, such as "sk >= :from" or "begins_with(sk, :start)".
    pub key_expr: *const c_char,
    /// How many bytes key_expr has, or KSTONE_STRLEN.
    pub key_expr_len: usize,
}

c_struct!(
    QuerySpec,
    "kstone_query_spec",
    [
        struct_size,
        pk,
        pk_len,
        sk_op,
        flags,
        sk1,
        sk1_len,
        sk2,
        sk2_len,
        index,
        index_len,
        filter,
        filter_len,
        projection,
        projection_len,
        params,
        token,
        token_len,
        limit,
        segment,
        segments,
        reserved,
        key_expr,
        key_expr_len,
    ]
);

/// The expressions of a spec and their parameters.
struct Expressions<'a> {
    index: Option<&'a str>,
    key_condition: Option<&'a str>,
    filter: Option<&'a str>,
    projection: Option<&'a str>,
    parameters: Option<Parameters>,
}

impl QuerySpec {
    /// Whether this names a partition.
    pub(crate) fn has_pk(&self) -> bool {
        !self.pk.is_null() || self.pk_len != 0
    }

    /// Whether this names a partition by an expression.
    pub(crate) fn has_key_expr(&self) -> bool {
        !self.key_expr.is_null() || self.key_expr_len != 0
    }

    /// Refuses a request to count, which an iterator cannot.
    pub(crate) fn check_uncounted(&self) -> Result<(), Failure> {
        refuse(self.flags & KSTONE_QUERY_COUNT != 0, "flags", "an iterator does not count")
    }

    /// The query of one partition, where it is one for whole items of the table and no field is set that would have to
    /// be refused.
    ///
    /// # Safety
    /// The pointers and lengths describe memory that may be read and does not change during `'a`.
    pub(crate) unsafe fn to_partition_query<'a>(self) -> Result<Option<PartitionQuery<'a>>, Failure> {
        let has_no_text = self.index.is_null() && self.filter.is_null() && self.projection.is_null();
        let is_whole = has_no_text
            && self.index_len | self.filter_len | self.projection_len | self.key_expr_len == 0
            && self.key_expr.is_null()
            && self.params.is_null()
            && self.segment | self.segments | self.reserved | self.flags & !KSTONE_QUERY_REVERSE == 0;
        if !is_whole || !self.has_pk() {
            return Ok(None);
        }
        let (partition_key, sort_key, token) = by_contract!((
            bytes(self.pk, self.pk_len, "pk")?,
            self.condition()?,
            bytes(self.token, self.token_len, "token")?,
        ));
        Ok(Some(PartitionQuery {
            partition_key,
            sort_key,
            reverse: self.flags & KSTONE_QUERY_REVERSE != 0,
            limit: (self.limit != 0).then_some(self.limit as usize),
            token: (!token.is_empty()).then_some(token),
        }))
    }

    /// The query of one partition.
    ///
    /// # Safety
    /// The pointers and lengths describe memory that may be read.
    pub(crate) unsafe fn to_query(self) -> Result<Query, Failure> {
        self.check_served()?;
        if !self.has_pk() && !self.has_key_expr() {
            return Err(Failure::invalid("kstone_query_spec.pk is needed for a query: kstone_scan reads all items"));
        }
        let keyed_twice = self.has_key_expr() && (self.has_pk() || self.sk_op != KSTONE_SK_ANY);
        refuse(keyed_twice, "key_expr", "pk and sk_op say the same: use either")?;
        refuse(self.segment != 0 || self.segments != 0, "segments", "a query is not divided")?;
        let select = self.select()?;
        let (pk, condition, token, expressions) = by_contract!((
            bytes(self.pk, self.pk_len, "pk")?,
            self.condition()?.to_owned(),
            bytes(self.token, self.token_len, "token")?,
            self.expressions()?,
        ));
        let mut query = Query::new().partition_key(pk).sort_key(condition).select(select);
        query = query.reverse(self.flags & KSTONE_QUERY_REVERSE != 0);
        if let Some(index) = expressions.index {
            query = query.index(index);
        }
        if let Some(key_condition) = expressions.key_condition {
            query = query.key_condition_expression(key_condition);
        }
        if let Some(filter) = expressions.filter {
            query = query.filter_expression(filter);
        }
        if let Some(projection) = expressions.projection {
            query = query.projection_expression(projection);
        }
        if let Some(parameters) = expressions.parameters {
            query = query.parameters(parameters);
        }
        if self.limit != 0 {
            query = query.limit(self.limit as usize);
        }
        if !token.is_empty() {
            query = query.token(token);
        }
        Ok(query)
    }

    /// The scan of all items or of a segment of them.
    ///
    /// # Safety
    /// The pointers and lengths describe memory that may be read.
    pub(crate) unsafe fn to_scan(self) -> Result<Scan, Failure> {
        const ALL: &str = "a scan reads all partitions, in an order of its own";
        self.check_served()?;
        refuse(self.has_pk(), "pk", ALL)?;
        refuse(self.has_key_expr(), "key_expr", ALL)?;
        refuse(self.sk_op != KSTONE_SK_ANY, "sk_op", ALL)?;
        refuse(!self.sk1.is_null() || self.sk1_len != 0, "sk1", ALL)?;
        refuse(!self.sk2.is_null() || self.sk2_len != 0, "sk2", ALL)?;
        refuse(self.flags & KSTONE_QUERY_REVERSE != 0, "flags", "a scan has one direction")?;
        let mut scan = Scan::new().select(self.select()?);
        if self.segment != 0 || self.segments != 0 {
            if self.segment >= self.segments {
                let (segment, segments) = (self.segment, self.segments);
                return Err(Failure::invalid(format!("segment {segment} of {segments} segments does not exist")));
            }
            scan = scan.segment(self.segment, self.segments);
        }
        let (token, expressions) = by_contract!((bytes(self.token, self.token_len, "token")?, self.expressions()?));
        if let Some(index) = expressions.index {
            scan = scan.index(index);
        }
        if let Some(filter) = expressions.filter {
            scan = scan.filter_expression(filter);
        }
        if let Some(projection) = expressions.projection {
            scan = scan.projection_expression(projection);
        }
        if let Some(parameters) = expressions.parameters {
            scan = scan.parameters(parameters);
        }
        if self.limit != 0 {
            scan = scan.limit(self.limit as usize);
        }
        if !token.is_empty() {
            scan = scan.token(token);
        }
        Ok(scan)
    }

    fn check_served(&self) -> Result<(), Failure> {
        not_served(self.reserved != 0, "kstone_query_spec.reserved")
    }

    /// # Safety
    /// The texts with their lengths describe memory that may be read and does not change during `'a`; params is NULL or
    /// a live handle.
    unsafe fn expressions<'a>(&self) -> Result<Expressions<'a>, Failure> {
        by_contract!(Ok(Expressions {
            index: expression(self.index, self.index_len, "kstone_query_spec.index")?,
            key_condition: expression(self.key_expr, self.key_expr_len, "kstone_query_spec.key_expr")?,
            filter: expression(self.filter, self.filter_len, "kstone_query_spec.filter")?,
            projection: expression(self.projection, self.projection_len, "kstone_query_spec.projection")?,
            parameters: parameters(self.params)?,
        }))
    }

    fn select(&self) -> Result<Select, Failure> {
        known_flags(self.flags, KSTONE_QUERY_REVERSE | KSTONE_QUERY_COUNT | KSTONE_QUERY_KEYS_ONLY)?;
        match (self.flags & KSTONE_QUERY_COUNT != 0, self.flags & KSTONE_QUERY_KEYS_ONLY != 0) {
            (false, false) => Ok(Select::All),
            (true, false) => Ok(Select::Count),
            (false, true) => Ok(Select::KeysOnly),
            (true, true) => {
                Err(Failure::invalid("flags: KSTONE_QUERY_COUNT and KSTONE_QUERY_KEYS_ONLY exclude each other"))
            }
        }
    }

    /// # Safety
    /// sk1 and sk2 with their lengths describe memory that may be read and does not change during `'a`.
    #[inline]
    unsafe fn condition<'a>(&self) -> Result<SortKeyCondition<&'a [u8]>, Failure> {
        if self.sk_op == KSTONE_SK_ANY && self.sk1_len | self.sk2_len == 0 {
            return Ok(SortKeyCondition::Any);
        }
        by_contract!(self.condition_on_keys())
    }

    /// # Safety
    /// As for [`QuerySpec::condition`].
    #[inline(never)]
    unsafe fn condition_on_keys<'a>(&self) -> Result<SortKeyCondition<&'a [u8]>, Failure> {
        let (sk1, sk2) = by_contract!((bytes(self.sk1, self.sk1_len, "sk1")?, bytes(self.sk2, self.sk2_len, "sk2")?));
        refuse(self.sk_op == KSTONE_SK_ANY && !sk1.is_empty(), "sk1", "KSTONE_SK_ANY takes every sort key")?;
        refuse(self.sk_op != KSTONE_SK_BETWEEN && !sk2.is_empty(), "sk2", "it belongs to KSTONE_SK_BETWEEN alone")?;
        Ok(match self.sk_op {
            KSTONE_SK_ANY => SortKeyCondition::Any,
            KSTONE_SK_EQ => SortKeyCondition::Eq(sk1),
            KSTONE_SK_LT => SortKeyCondition::Lt(sk1),
            KSTONE_SK_LE => SortKeyCondition::Le(sk1),
            KSTONE_SK_GT => SortKeyCondition::Gt(sk1),
            KSTONE_SK_GE => SortKeyCondition::Ge(sk1),
            KSTONE_SK_BETWEEN => SortKeyCondition::Between(sk1, sk2),
            KSTONE_SK_BEGINS_WITH => SortKeyCondition::BeginsWith(sk1),
            unknown => return Err(Failure::invalid(format!("kstone_query_spec.sk_op: {unknown} is not known"))),
        })
    }
}

/// Refuses a field that the call has no use for.
fn refuse(set: bool, field: &str, why: &str) -> Result<(), Failure> {
    match set {
        false => Ok(()),
        true => Err(Failure::invalid(format!("kstone_query_spec.{field} is set, but {why}"))),
    }
}
