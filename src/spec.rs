//! What to query or scan: `kstone_query_spec` and what becomes of it.
//!
//! # Invariants
//! Nothing that a caller sets is ignored: what the call does not use must be 0.

use std::ffi::{c_char, c_void};

use kstone_api::{ReadExpression, ReadKeys, ReadRequest, ReadStart, Select, SortKeyCondition};

use crate::boundary::{Failure, by_contract, bytes, c_struct, known_flags, not_served};
use crate::cond::{bag, expression, parameters};
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
    /// Instead of token: the key of the item behind which to begin, which need not exist; NULL: none. It has the
    /// attributes of the table's key (pk and sk in an untyped table) and, with index, those of the index's key, no
    /// others, and is one that the request could return. Not for a cursor, which seeks, nor for kstone_prepare.
    pub start_after: *const Item,
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
        start_after,
    ]
);

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

    /// What an iterator or a cursor goes over: one partition where the spec names one, all items otherwise.
    ///
    /// # Safety
    /// As for [`QuerySpec::query_request`].
    pub(crate) unsafe fn read_request<'a>(&self) -> Result<ReadRequest<'a>, Failure> {
        by_contract!(if self.has_pk() || self.has_key_expr() { self.query_request() } else { self.scan_request() })
    }

    /// The request for one partition.
    ///
    /// # Safety
    /// The pointers and lengths describe memory that may be read and does not change during `'a`; params and start_after are
    /// NULL or live handles.
    #[inline]
    pub(crate) unsafe fn query_request<'a>(&self) -> Result<ReadRequest<'a>, Failure> {
        by_contract!({
            let keys = if self.has_key_expr() {
                ReadKeys::Condition(self.key_condition()?.into())
            } else if self.has_pk() {
                ReadKeys::Partition { partition_key: bytes(self.pk, self.pk_len, "pk")?, sort_key: self.condition()? }
            } else {
                return Err(Failure::invalid(
                    "kstone_query_spec.pk is needed for a query: kstone_scan reads all items",
                ));
            };
            refuse(self.segment | self.segments != 0, "segments", "a query is not divided")?;
            self.request(keys)
        })
    }

    /// The text of key_expr.
    ///
    /// # Safety
    /// As for [`QuerySpec::query_request`].
    unsafe fn key_condition<'a>(&self) -> Result<&'a str, Failure> {
        refuse(self.has_pk() || self.sk_op != KSTONE_SK_ANY, "key_expr", "pk and sk_op say the same: use either")?;
        by_contract!({
            // Operands without an operator are refused here as everywhere.
            self.condition()?;
            let text = expression(self.key_expr, self.key_expr_len, "kstone_query_spec.key_expr")?;
            text.ok_or_else(|| Failure::invalid("kstone_query_spec.key_expr is NULL"))
        })
    }

    /// The request for all items or for a segment of them.
    ///
    /// # Safety
    /// As for [`QuerySpec::query_request`].
    pub(crate) unsafe fn scan_request<'a>(&self) -> Result<ReadRequest<'a>, Failure> {
        const ALL: &str = "a scan reads all partitions, in an order of its own";
        refuse(self.has_pk(), "pk", ALL)?;
        refuse(self.has_key_expr(), "key_expr", ALL)?;
        refuse(self.sk_op != KSTONE_SK_ANY, "sk_op", ALL)?;
        refuse(!self.sk1.is_null() || self.sk1_len != 0, "sk1", ALL)?;
        refuse(!self.sk2.is_null() || self.sk2_len != 0, "sk2", ALL)?;
        refuse(self.flags & KSTONE_QUERY_REVERSE != 0, "flags", "a scan has one direction")?;
        let keys = match (self.segment, self.segments) {
            (0, 0) => ReadKeys::ALL,
            (segment, segments) if segment >= segments => {
                return Err(Failure::invalid(format!("segment {segment} of {segments} segments does not exist")));
            }
            (segment, segments) => ReadKeys::Segment { segment, segments },
        };
        by_contract!(self.request(keys))
    }

    /// The request for these items.
    ///
    /// # Safety
    /// As for [`QuerySpec::query_request`].
    #[inline]
    unsafe fn request<'a>(&self, keys: ReadKeys<'a>) -> Result<ReadRequest<'a>, Failure> {
        self.check_served()?;
        by_contract!(Ok(ReadRequest {
            keys,
            index: expression(self.index, self.index_len, "kstone_query_spec.index")?,
            reverse: self.flags & KSTONE_QUERY_REVERSE != 0,
            limit: (self.limit != 0).then_some(self.limit as usize),
            start: self.start()?,
            select: self.select()?,
            filter: expression(self.filter, self.filter_len, "kstone_query_spec.filter")?.map(ReadExpression::Text),
            projection: expression(self.projection, self.projection_len, "kstone_query_spec.projection")?
                .map(ReadExpression::Text),
            parameters: parameters(self.params)?,
            measures: false,
            asks_beyond: false,
        }))
    }

    /// Where to begin.
    ///
    /// # Safety
    /// As for [`QuerySpec::query_request`].
    #[inline]
    unsafe fn start<'a>(&self) -> Result<ReadStart<'a>, Failure> {
        let token = by_contract!(bytes(self.token, self.token_len, "token"))?;
        let after = by_contract!(bag(self.start_after))?;
        match (token, after) {
            ([], None) => Ok(ReadStart::First),
            (token, None) => Ok(ReadStart::Token(token)),
            ([], Some(key)) => Ok(ReadStart::After(key)),
            (_, Some(_)) => {
                refuse(true, "start_after", "token says where to begin, too: use either").map(|()| ReadStart::First)
            }
        }
    }

    fn check_served(&self) -> Result<(), Failure> {
        not_served(self.reserved != 0, "kstone_query_spec.reserved")
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
