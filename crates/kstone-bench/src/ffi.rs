//! The part of `include/kstone.h` that the benchmark calls, declared by hand. The header explains every function.
//!
//! Handles are opaque; everything here is as thread-safe as the header says.

#![expect(unsafe_code, reason = "declarations of C functions")]

use std::ffi::{c_char, c_void};

/// 0 is success, above 0 no error, below 0 an error.
pub(crate) type Status = i32;

pub(crate) const OK: Status = 0;
pub(crate) const NOT_FOUND: Status = 1;
pub(crate) const DONE: Status = 2;

pub(crate) const QUERY_REVERSE: u32 = 1;
pub(crate) const BATCH_ATOMIC: u32 = 1;
pub(crate) const RETURN_NONE: i32 = 0;
pub(crate) const JSON_PLAIN: u32 = 1;
pub(crate) const PREPARE_UPDATE: u32 = 3;
pub(crate) const VALUE_I64: u32 = 257;

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident),+) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            pub(crate) struct $name {
                _opaque: [u8; 0],
            }
        )+
    };
}

handles! {
    /// `kstone_db`
    Db,
    /// `kstone_cond`, never given
    Cond,
    /// `kstone_item`
    Item,
    /// `kstone_page`
    Page,
    /// `kstone_iter`
    Iter,
    /// `kstone_batch`
    Batch,
    /// `kstone_error`
    Error,
    /// `kstone_prepared`
    Prepared
}

/// `kstone_options`
#[repr(C)]
pub(crate) struct Options {
    pub(crate) struct_size: usize,
    pub(crate) schema_json: *const c_char,
    pub(crate) schema_json_len: usize,
    pub(crate) memtable_max_records: u64,
    pub(crate) memory_max_bytes: u64,
    pub(crate) eviction: u32,
    pub(crate) flags: u32,
}

/// `kstone_bytes`
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Bytes {
    pub(crate) data: *const u8,
    pub(crate) len: usize,
}

/// `kstone_value`
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Value {
    pub(crate) type_: u32,
    pub(crate) reserved: u32,
    pub(crate) bytes: Bytes,
}

/// `kstone_query_spec`
#[repr(C)]
pub(crate) struct QuerySpec {
    pub(crate) struct_size: usize,
    pub(crate) pk: *const c_void,
    pub(crate) pk_len: usize,
    pub(crate) sk_op: u32,
    pub(crate) flags: u32,
    pub(crate) sk1: *const c_void,
    pub(crate) sk1_len: usize,
    pub(crate) sk2: *const c_void,
    pub(crate) sk2_len: usize,
    pub(crate) index: *const c_char,
    pub(crate) index_len: usize,
    pub(crate) filter: *const c_char,
    pub(crate) filter_len: usize,
    pub(crate) projection: *const c_char,
    pub(crate) projection_len: usize,
    pub(crate) params: *const Item,
    pub(crate) token: *const c_void,
    pub(crate) token_len: usize,
    pub(crate) limit: u32,
    pub(crate) segment: u32,
    pub(crate) segments: u32,
    pub(crate) reserved: u32,
    pub(crate) key_expr: *const c_char,
    pub(crate) key_expr_len: usize,
}

/// `kstone_prepare_spec`
#[repr(C)]
pub(crate) struct PrepareSpec {
    pub(crate) struct_size: usize,
    pub(crate) kind: u32,
    pub(crate) reserved: u32,
    pub(crate) text: *const c_char,
    pub(crate) text_len: usize,
    pub(crate) names: *const Item,
    pub(crate) cond: *const Cond,
    pub(crate) query: *const QuerySpec,
}

unsafe extern "C" {
    pub(crate) fn kstone_version() -> *const c_char;
    pub(crate) fn kstone_free(p: *mut c_void);
    pub(crate) fn kstone_error_message(e: *const Error) -> *const c_char;
    pub(crate) fn kstone_open_memory(options: *const Options, out: *mut *mut Db, err: *mut *mut Error) -> Status;
    pub(crate) fn kstone_fork(db: *const Db, out: *mut *mut Db, err: *mut *mut Error) -> Status;
    pub(crate) fn kstone_configure(db: *mut Db, schema_json: *const c_char, len: usize, err: *mut *mut Error)
    -> Status;
    pub(crate) fn kstone_count(db: *const Db, count: *mut u64, err: *mut *mut Error) -> Status;
    pub(crate) fn kstone_flush(db: *mut Db, err: *mut *mut Error) -> Status;
    pub(crate) fn kstone_snapshot_save(
        db: *const Db,
        path: *const c_char,
        path_len: usize,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_snapshot_load(
        db: *mut Db,
        path: *const c_char,
        path_len: usize,
        err: *mut *mut Error,
    ) -> Status;

    pub(crate) fn kstone_item_new() -> *mut Item;
    pub(crate) fn kstone_item_set_str(
        it: *mut Item,
        name: *const c_char,
        name_len: usize,
        v: *const c_char,
        v_len: usize,
    ) -> Status;
    pub(crate) fn kstone_item_set_i64(it: *mut Item, name: *const c_char, name_len: usize, v: i64) -> Status;
    pub(crate) fn kstone_item_set_bool(it: *mut Item, name: *const c_char, name_len: usize, v: i32) -> Status;
    pub(crate) fn kstone_item_get(it: *const Item, path: *const c_char, path_len: usize, out: *mut Value) -> Status;
    pub(crate) fn kstone_item_from_json(
        json: *const c_char,
        len: usize,
        flags: u32,
        out: *mut *mut Item,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_item_to_json(
        it: *const Item,
        flags: u32,
        out: *mut *mut c_char,
        out_len: *mut usize,
        err: *mut *mut Error,
    ) -> Status;

    pub(crate) fn kstone_put(
        db: *mut Db,
        pk: *const c_void,
        pk_len: usize,
        sk: *const c_void,
        sk_len: usize,
        item: *const Item,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_get(
        db: *const Db,
        pk: *const c_void,
        pk_len: usize,
        sk: *const c_void,
        sk_len: usize,
        out: *mut *mut Item,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_get_many(
        db: *const Db,
        pks: *const *const c_void,
        pk_lens: *const usize,
        sks: *const *const c_void,
        sk_lens: *const usize,
        count: usize,
        out: *mut *mut Item,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_get_attribute(
        db: *const Db,
        pk: *const c_void,
        pk_len: usize,
        sk: *const c_void,
        sk_len: usize,
        path: *const c_char,
        path_len: usize,
        buffer: *mut c_void,
        capacity: usize,
        len: *mut usize,
        type_: *mut u32,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_prepare(
        db: *const Db,
        spec: *const PrepareSpec,
        out: *mut *mut Prepared,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_run_write(
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
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_delete(
        db: *mut Db,
        pk: *const c_void,
        pk_len: usize,
        sk: *const c_void,
        sk_len: usize,
        err: *mut *mut Error,
    ) -> Status;

    pub(crate) fn kstone_update(
        db: *mut Db,
        pk: *const c_void,
        pk_len: usize,
        sk: *const c_void,
        sk_len: usize,
        expr: *const c_char,
        expr_len: usize,
        params: *const Item,
        cond: *const Cond,
        return_values: i32,
        returned: *mut *mut Item,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_batch_new() -> *mut Batch;
    pub(crate) fn kstone_batch_put(
        b: *mut Batch,
        pk: *const c_void,
        pk_len: usize,
        sk: *const c_void,
        sk_len: usize,
        item: *const Item,
        cond: *const Cond,
    ) -> Status;
    pub(crate) fn kstone_batch_run(
        db: *mut Db,
        b: *mut Batch,
        flags: u32,
        out: *mut *mut Page,
        err: *mut *mut Error,
    ) -> Status;

    pub(crate) fn kstone_query(
        db: *const Db,
        spec: *const QuerySpec,
        out: *mut *mut Page,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_scan(
        db: *const Db,
        spec: *const QuerySpec,
        out: *mut *mut Page,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_page_count(p: *const Page) -> usize;
    pub(crate) fn kstone_page_item(p: *const Page, i: usize) -> *const Item;
    pub(crate) fn kstone_page_token(p: *const Page) -> Bytes;
    pub(crate) fn kstone_iter_open(
        db: *const Db,
        spec: *const QuerySpec,
        out: *mut *mut Iter,
        err: *mut *mut Error,
    ) -> Status;
    pub(crate) fn kstone_iter_next(it: *mut Iter, out: *mut *const Item, err: *mut *mut Error) -> Status;
}
