//! The C functions that the fuzzer calls, with Rust's types around them: each wrapper makes pointers and lengths of what
//! it is given, checks that outputs are written on success alone, and frees what comes back.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

use kstone_c_abi::access::{kstone_delete, kstone_get, kstone_get_json, kstone_put, kstone_put_json};
use kstone_c_abi::attribute::{KSTONE_TYPE_NONE, kstone_get_attribute};
use kstone_c_abi::batch::{
    Batch, kstone_batch_delete, kstone_batch_get, kstone_batch_new, kstone_batch_put, kstone_batch_run,
    kstone_batch_update,
};
use kstone_c_abi::boundary::error_object::ErrorObject;
use kstone_c_abi::boundary::status::{KSTONE_DONE, KSTONE_ERR_PANIC, KSTONE_NOT_FOUND, KSTONE_OK, Status};
use kstone_c_abi::cond::Cond;
use kstone_c_abi::cursor::{
    CursorObject, kstone_cursor_first, kstone_cursor_item, kstone_cursor_last, kstone_cursor_next, kstone_cursor_open,
    kstone_cursor_prev, kstone_cursor_seek,
};
use kstone_c_abi::database::{Db, kstone_clear, kstone_fork, kstone_open_memory};
use kstone_c_abi::error::kstone_error_message;
use kstone_c_abi::item::{
    Bytes, Value, kstone_item_at, kstone_item_count, kstone_item_get, kstone_item_get_i64, kstone_item_pk,
    kstone_item_sk, kstone_item_to_json,
};
use kstone_c_abi::item_build::{kstone_item_new, kstone_item_remove, kstone_item_set_i64, kstone_item_set_json};
use kstone_c_abi::item_view::Item;
use kstone_c_abi::iter::{Iter, kstone_iter_next, kstone_iter_open};
use kstone_c_abi::library::kstone_free;
use kstone_c_abi::maintenance::{kstone_compact, kstone_flush};
use kstone_c_abi::many::{kstone_get_many, kstone_put_many};
use kstone_c_abi::options::Options;
use kstone_c_abi::page::{
    PageObject, kstone_page_count, kstone_page_item, kstone_page_token, kstone_query, kstone_scan,
};
use kstone_c_abi::prepared::{KSTONE_PREPARE_UPDATE, PrepareSpec, kstone_prepare, kstone_run_write};
use kstone_c_abi::spec::{KSTONE_QUERY_REVERSE, QuerySpec};
use kstone_c_abi::stats::{KSTONE_STAT_INDEX_ENTRIES, kstone_count, kstone_stat};
use kstone_c_abi::write::{kstone_put_if, kstone_update};

use super::model::{Attributes, Entry, Key};

/// A schema with one index.
const INDEXED: &str = r#"{"global_indexes":[{"name":"by-n","partition_key":"n"}]}"#;

/// A handle, freed when it is dropped.
pub(super) struct Handle<T>(pub(super) *mut T);

pub(super) type Database = Handle<Db>;

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: it came out of the library and is freed once.
        unsafe { kstone_free(self.0.cast()) };
    }
}

/// Calls with an error object, which is set where the status is below 0 and nowhere else. No call may end in PANIC.
pub(super) fn checked(call: impl FnOnce(*mut *mut ErrorObject) -> Status) -> Status {
    let mut error = null_mut();
    let status = call(&raw mut error);
    assert_eq!(status < 0, !error.is_null(), "status {status}");
    if !error.is_null() {
        // SAFETY: an error's message is a C string for as long as the error lives.
        let message = unsafe { CStr::from_ptr(kstone_error_message(error)) };
        assert!(!message.is_empty());
        assert_ne!(status, KSTONE_ERR_PANIC, "{message:?}");
        drop(Handle(error));
    }
    status
}

/// What is written to an output: on success alone.
pub(super) fn output<T>(status: Status, out: *mut T) -> Option<Handle<T>> {
    assert_eq!(status == KSTONE_OK, !out.is_null(), "status {status}");
    (!out.is_null()).then_some(Handle(out))
}

pub(super) fn slice(bytes: &[u8]) -> (*const c_void, usize) {
    (bytes.as_ptr().cast(), bytes.len())
}

pub(super) fn text(text: &str) -> (*const c_char, usize) {
    (text.as_ptr().cast(), text.len())
}

// SAFETY, for all that follows: every pointer is that of a live handle or of a slice with its length.

pub(super) fn open(indexed: bool) -> Database {
    open_with(indexed.then_some(INDEXED))
}

pub(super) fn open_with(schema: Option<&str>) -> Database {
    let mut db = null_mut();
    // SAFETY: a struct of integers and pointers, of which 0 is the default.
    let mut options: Options = unsafe { std::mem::zeroed() };
    options.struct_size = size_of::<Options>();
    if let Some(schema) = schema {
        (options.schema_json, options.schema_json_len) = text(schema);
    }
    let status = checked(|error| unsafe { kstone_open_memory(&raw const options, &raw mut db, error) });
    output(status, db).expect("a database")
}

impl Database {
    pub(super) fn fork(&self) -> Self {
        let mut fork = null_mut();
        let status = checked(|error| unsafe { kstone_fork(self.0, &raw mut fork, error) });
        output(status, fork).expect("a fork")
    }

    pub(super) fn flush(&self) {
        assert_eq!(checked(|error| unsafe { kstone_flush(self.0, error) }), KSTONE_OK);
    }

    pub(super) fn compact(&self) {
        assert_eq!(checked(|error| unsafe { kstone_compact(self.0, error) }), KSTONE_OK);
    }

    pub(super) fn clear(&self) {
        assert_eq!(checked(|error| unsafe { kstone_clear(self.0, error) }), KSTONE_OK);
    }

    pub(super) fn put(&self, key: &Key, attributes: &Attributes) {
        let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
        let item = item(attributes);
        let put = |error| unsafe { kstone_put(self.0, pk, pk_len, sk, sk_len, item.0, error) };
        assert_eq!(checked(put), KSTONE_OK);
    }

    /// A put under a condition, whose value `:v` is a number.
    pub(super) fn put_if(&self, key: &Key, attributes: &Attributes, condition: &str, value: Option<i64>) -> Status {
        let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
        let item = item(attributes);
        let parameters = parameters(value);
        let (expr, expr_len) = text(condition);
        let cond =
            Cond { struct_size: size_of::<Cond>(), expr, expr_len, params: parameters.0, return_old: 1, reserved: 0 };
        checked(|error| unsafe {
            kstone_put_if(self.0, pk, pk_len, sk, sk_len, item.0, &raw const cond, null_mut(), error)
        })
    }

    /// An update, whose value `:v` is a number.
    pub(super) fn update(&self, key: &Key, expression: &str, value: Option<i64>) -> Status {
        let ((pk, pk_len), (sk, sk_len), (expr, expr_len)) = (slice(&key.0), slice(&key.1), text(expression));
        let parameters = parameters(value);
        checked(|error| unsafe {
            kstone_update(self.0, pk, pk_len, sk, sk_len, expr, expr_len, parameters.0, null(), 0, null_mut(), error)
        })
    }

    /// The same prepared, run with these bytes as its one value, of whatever type.
    pub(super) fn update_prepared(&self, key: &Key, expression: &str, (type_, bytes): (u32, &[u8])) -> Status {
        let ((pk, pk_len), (sk, sk_len), (text, text_len)) = (slice(&key.0), slice(&key.1), text(expression));
        // SAFETY: a struct of integers and pointers, of which 0 is the default.
        let mut spec: PrepareSpec = unsafe { std::mem::zeroed() };
        spec.struct_size = size_of::<PrepareSpec>();
        (spec.kind, spec.text, spec.text_len) = (KSTONE_PREPARE_UPDATE, text, text_len);
        let mut prepared = null_mut();
        let status = checked(|error| unsafe { kstone_prepare(self.0, &raw const spec, &raw mut prepared, error) });
        assert_eq!(status, KSTONE_OK);
        let prepared = Handle(prepared);
        let value = Value { r#type: type_, reserved: 0, bytes: Bytes { data: bytes.as_ptr(), len: bytes.len() } };
        checked(|error| unsafe {
            kstone_run_write(
                self.0,
                prepared.0,
                pk,
                pk_len,
                sk,
                sk_len,
                null(),
                &raw const value,
                1,
                0,
                null_mut(),
                error,
            )
        })
    }

    /// The item of a key as JSON is an item again.
    pub(super) fn check_json(&self, key: &Key) {
        let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
        let (mut json, mut len) = (null_mut(), 0);
        let status = checked(|error| unsafe {
            kstone_get_json(self.0, pk, pk_len, sk, sk_len, 0, &raw mut json, &raw mut len, error)
        });
        let json = output(status, json).expect("what was bound is an item");
        // SAFETY: a C string for as long as its handle lives.
        let text = unsafe { CStr::from_ptr(json.0) }.to_bytes();
        assert_eq!(self.put_json(key, text, 0), KSTONE_OK);
    }

    pub(super) fn delete(&self, key: &Key) {
        let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
        assert_eq!(checked(|error| unsafe { kstone_delete(self.0, pk, pk_len, sk, sk_len, error) }), KSTONE_OK);
    }

    pub(super) fn get(&self, key: &Key) -> Option<Attributes> {
        let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
        let mut out = null_mut();
        let status = checked(|error| unsafe { kstone_get(self.0, pk, pk_len, sk, sk_len, &raw mut out, error) });
        assert!([KSTONE_OK, KSTONE_NOT_FOUND].contains(&status));
        output(status, out).map(|item| attributes(item.0))
    }

    /// The items of many keys.
    pub(super) fn get_many(&self, keys: &[Key]) -> Vec<Option<Attributes>> {
        let (pks, pk_lens): (Vec<_>, Vec<_>) = keys.iter().map(|key| slice(&key.0)).unzip();
        let (sks, sk_lens): (Vec<_>, Vec<_>) = keys.iter().map(|key| slice(&key.1)).unzip();
        let (pks, pk_lens, sks, sk_lens) = (pks.as_ptr(), pk_lens.as_ptr(), sks.as_ptr(), sk_lens.as_ptr());
        let mut out: Vec<*mut Item> = vec![null_mut(); keys.len()];
        let status = checked(|error| unsafe {
            kstone_get_many(self.0, pks, pk_lens, sks, sk_lens, keys.len(), out.as_mut_ptr(), error)
        });
        assert_eq!(status, KSTONE_OK);
        let items = out.into_iter().map(|item| (!item.is_null()).then_some(Handle(item)));
        items.map(|item| item.map(|item| attributes(item.0))).collect()
    }

    /// Puts many items.
    pub(super) fn put_many(&self, puts: &[(Key, Attributes)]) {
        let (pks, pk_lens): (Vec<_>, Vec<_>) = puts.iter().map(|(key, _)| slice(&key.0)).unzip();
        let (sks, sk_lens): (Vec<_>, Vec<_>) = puts.iter().map(|(key, _)| slice(&key.1)).unzip();
        let (pks, pk_lens, sks, sk_lens) = (pks.as_ptr(), pk_lens.as_ptr(), sks.as_ptr(), sk_lens.as_ptr());
        let built: Vec<Handle<Item>> = puts.iter().map(|(_, attributes)| item(attributes)).collect();
        let items: Vec<*const Item> = built.iter().map(|item| item.0.cast_const()).collect();
        let status = checked(|error| unsafe {
            kstone_put_many(self.0, pks, pk_lens, sks, sk_lens, items.as_ptr(), puts.len(), error)
        });
        assert_eq!(status, KSTONE_OK);
    }

    /// The text of an attribute that is a number: none where there is no item, and none in that where it has no such.
    pub(super) fn attribute(&self, key: &Key, name: &str) -> Option<Option<String>> {
        let ((pk, pk_len), (sk, sk_len), (path, path_len)) = (slice(&key.0), slice(&key.1), text(name));
        let (mut buffer, mut len, mut kind) = ([0_u8; 40], 0, 0);
        let status = checked(|error| unsafe {
            let to = buffer.as_mut_ptr().cast();
            kstone_get_attribute(
                self.0,
                pk,
                pk_len,
                sk,
                sk_len,
                path,
                path_len,
                to,
                40,
                &raw mut len,
                &raw mut kind,
                error,
            )
        });
        assert!([KSTONE_OK, KSTONE_NOT_FOUND].contains(&status));
        let number = || String::from_utf8(buffer[..len].to_vec()).expect("a number");
        (status == KSTONE_OK).then(|| (kind != KSTONE_TYPE_NONE).then(number))
    }

    /// A put of whatever the JSON says; whether it was one.
    pub(super) fn put_json(&self, key: &Key, json: &[u8], flags: u32) -> Status {
        let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
        checked(|error| unsafe {
            kstone_put_json(self.0, pk, pk_len, sk, sk_len, json.as_ptr().cast(), json.len(), flags, error)
        })
    }

    /// All items of a partition, or of the database, page by page.
    pub(super) fn pages(&self, pk: Option<&[u8]>, reverse: bool, limit: u32) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut last: Option<Handle<PageObject>> = None;
        loop {
            let token =
                last.as_ref().map_or(Bytes { data: null(), len: 0 }, |page| unsafe { kstone_page_token(page.0) });
            let mut spec = spec(pk, reverse);
            (spec.limit, spec.token, spec.token_len) = (limit, token.data.cast(), token.len);
            let mut page = null_mut();
            let status = checked(|error| match pk {
                Some(_) => unsafe { kstone_query(self.0, &raw const spec, &raw mut page, error) },
                None => unsafe { kstone_scan(self.0, &raw const spec, &raw mut page, error) },
            });
            let page = output(status, page).expect("a page");
            let count = unsafe { kstone_page_count(page.0) };
            assert!(limit == 0 || count <= limit as usize);
            entries.extend((0..count).map(|at| entry(unsafe { kstone_page_item(page.0, at) })));
            assert!(unsafe { kstone_page_item(page.0, count) }.is_null());
            if unsafe { kstone_page_token(page.0) }.len == 0 {
                return entries;
            }
            last = Some(page);
        }
    }

    pub(super) fn iterate(&self, pk: Option<&[u8]>, reverse: bool) -> Handle<Iter> {
        let spec = spec(pk, reverse);
        let mut iter = null_mut();
        let status = checked(|error| unsafe { kstone_iter_open(self.0, &raw const spec, &raw mut iter, error) });
        output(status, iter).expect("an iterator")
    }

    /// A cursor over a partition, or over all items; or over those of them that have an attribute `n`.
    pub(super) fn cursor(&self, pk: Option<&[u8]>, reverse: bool, filtered: bool) -> Handle<CursorObject> {
        let mut spec = spec(pk, reverse);
        if filtered {
            (spec.filter, spec.filter_len) = text("attribute_exists(n)");
        }
        let mut cursor = null_mut();
        let status = checked(|error| unsafe { kstone_cursor_open(self.0, &raw const spec, &raw mut cursor, error) });
        output(status, cursor).expect("a cursor")
    }

    pub(super) fn count(&self) -> u64 {
        let mut count = 0;
        assert_eq!(checked(|error| unsafe { kstone_count(self.0, &raw mut count, error) }), KSTONE_OK);
        count
    }

    pub(super) fn index_entries(&self) -> u64 {
        let mut entries = 0;
        let stat = |error| unsafe { kstone_stat(self.0, KSTONE_STAT_INDEX_ENTRIES, &raw mut entries, error) };
        assert_eq!(checked(stat), KSTONE_OK);
        entries
    }

    /// Runs the writes as one batch, with a get of each key at its end where it is not atomic.
    pub(super) fn batch(&self, operations: &[(Key, super::Change)], flags: u32) -> Status {
        let batch: Handle<Batch> = Handle(kstone_batch_new());
        for (key, change) in operations {
            let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
            let added = match change {
                super::Change::Put(attributes) => {
                    let item = item(attributes);
                    unsafe { kstone_batch_put(batch.0, pk, pk_len, sk, sk_len, item.0, null()) }
                }
                super::Change::Delete => unsafe { kstone_batch_delete(batch.0, pk, pk_len, sk, sk_len, null()) },
                super::Change::Set(value) => {
                    let (expr, expr_len) = text(super::SET_N);
                    let parameters = parameters(Some(*value));
                    unsafe {
                        kstone_batch_update(batch.0, pk, pk_len, sk, sk_len, expr, expr_len, parameters.0, null())
                    }
                }
            };
            assert_eq!(added, KSTONE_OK);
            if flags == 0 {
                assert_eq!(unsafe { kstone_batch_get(batch.0, pk, pk_len, sk, sk_len) }, KSTONE_OK);
            }
        }
        let mut page = null_mut();
        let status = checked(|error| unsafe { kstone_batch_run(self.0, batch.0, flags, &raw mut page, error) });
        drop(output(status, page));
        status
    }
}

impl Handle<Iter> {
    /// The next item; none at the end.
    pub(super) fn next(&self) -> Option<Entry> {
        let mut item = null();
        match checked(|error| unsafe { kstone_iter_next(self.0, &raw mut item, error) }) {
            KSTONE_OK => Some(entry(item)),
            KSTONE_DONE => None,
            status => panic!("status {status}"),
        }
    }
}

impl Handle<CursorObject> {
    pub(super) fn first(&self) -> Option<Entry> {
        moved(|item, error| unsafe { kstone_cursor_first(self.0, item, error) }).1
    }

    pub(super) fn last(&self) -> Option<Entry> {
        moved(|item, error| unsafe { kstone_cursor_last(self.0, item, error) }).1
    }

    pub(super) fn next_item(&self) -> Option<Entry> {
        moved(|item, error| unsafe { kstone_cursor_next(self.0, item, error) }).1
    }

    pub(super) fn prev_item(&self) -> Option<Entry> {
        moved(|item, error| unsafe { kstone_cursor_prev(self.0, item, error) }).1
    }

    pub(super) fn seek(&self, pk: &[u8], sk: &[u8]) -> (Status, Option<Entry>) {
        let ((pk, pk_len), (sk, sk_len)) = (slice(pk), slice(sk));
        moved(|item, error| unsafe { kstone_cursor_seek(self.0, pk, pk_len, sk, sk_len, item, error) })
    }

    /// The item that the cursor is on.
    pub(super) fn item(&self) -> Option<Entry> {
        let item = unsafe { kstone_cursor_item(self.0) };
        (!item.is_null()).then(|| entry(item))
    }
}

/// What a move of a cursor shows: on success alone.
fn moved(go: impl FnOnce(*mut *const Item, *mut *mut ErrorObject) -> Status) -> (Status, Option<Entry>) {
    let mut item = null();
    let status = checked(|error| go(&raw mut item, error));
    assert!(status < 0 || [KSTONE_OK, KSTONE_DONE].contains(&status), "status {status}");
    assert_eq!(status == KSTONE_OK, !item.is_null(), "status {status}");
    (status, (!item.is_null()).then(|| entry(item)))
}

fn spec(pk: Option<&[u8]>, reverse: bool) -> QuerySpec {
    // SAFETY: a struct of integers and pointers, of which 0 is the default.
    let mut spec: QuerySpec = unsafe { std::mem::zeroed() };
    spec.struct_size = size_of::<QuerySpec>();
    if let Some(pk) = pk {
        (spec.pk, spec.pk_len) = slice(pk);
        spec.flags = if reverse { KSTONE_QUERY_REVERSE } else { 0 };
    }
    spec
}

pub(super) fn item(attributes: &Attributes) -> Handle<Item> {
    let item = Handle(kstone_item_new());
    for (name, value) in attributes {
        let (name, name_len) = text(name);
        assert_eq!(unsafe { kstone_item_set_i64(item.0, name, name_len, *value) }, KSTONE_OK);
    }
    item
}

fn parameters(value: Option<i64>) -> Handle<Item> {
    item(&value.map(|value| (":v".to_owned(), value)).into_iter().collect())
}

/// What an item holds: numbers alone.
fn attributes(item: *const Item) -> Attributes {
    let count = unsafe { kstone_item_count(item) };
    (0..count)
        .map(|at| {
            let (mut name, mut value) = (Bytes { data: null(), len: 0 }, unsafe { std::mem::zeroed::<Value>() });
            assert_eq!(unsafe { kstone_item_at(item, at, &raw mut name, &raw mut value) }, KSTONE_OK);
            let mut number = 0;
            let read = unsafe { kstone_item_get_i64(item, name.data.cast(), name.len, &raw mut number) };
            assert_eq!(read, KSTONE_OK);
            (String::from_utf8(bytes(name)).expect("a name is text"), number)
        })
        .collect()
}

fn entry(item: *const Item) -> Entry {
    assert!(!item.is_null());
    let key = unsafe { (bytes(kstone_item_pk(item)), bytes(kstone_item_sk(item))) };
    (key, attributes(item))
}

pub(super) fn bytes(bytes: Bytes) -> Vec<u8> {
    match bytes.len {
        0 => Vec::new(),
        // SAFETY: the library says that so many bytes lie there.
        len => unsafe { std::slice::from_raw_parts(bytes.data, len) }.to_vec(),
    }
}

/// Calls on an item of its own with names, paths and JSON of any bytes: each is an error or a success, and the item is
/// an item before and after.
pub(super) fn edit_item(name: &[u8], value: &[u8], flags: u32) {
    let item = item(&Attributes::from([("a".to_owned(), 1), ("m".to_owned(), 2)]));
    let (name, name_len) = (name.as_ptr().cast::<c_char>(), name.len());
    let (value, value_len) = (value.as_ptr().cast::<c_char>(), value.len());
    let set = checked(|error| unsafe { kstone_item_set_json(item.0, name, name_len, value, value_len, flags, error) });
    let count = unsafe { kstone_item_count(item.0) };
    assert!(if set == KSTONE_OK { (2..=3).contains(&count) } else { count == 2 });
    let mut found = unsafe { std::mem::zeroed::<Value>() };
    // SAFETY: both texts are slices with their lengths.
    unsafe {
        kstone_item_get(item.0, name, name_len, &raw mut found);
        kstone_item_get(item.0, value, value_len, &raw mut found);
    }
    let (mut json, mut json_len) = (null_mut(), 0);
    let shown = checked(|error| unsafe { kstone_item_to_json(item.0, 0, &raw mut json, &raw mut json_len, error) });
    assert_eq!(unsafe { CStr::from_ptr(output(shown, json).expect("JSON").0) }.count_bytes(), json_len);
    if set == KSTONE_OK {
        assert_eq!(unsafe { kstone_item_remove(item.0, name, name_len) }, KSTONE_OK);
        assert_eq!(unsafe { kstone_item_count(item.0) }, count - 1);
    }
}
