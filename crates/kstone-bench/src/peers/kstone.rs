//! kstone through its C ABI, called as a C program calls it.
//!
//! A put builds the item, stores it and frees it. A get frees the item it was handed once the value is copied out. Every
//! call stands for itself: there is no transaction around a workload.

#![expect(unsafe_code, reason = "calls of C functions")]

use std::ffi::{CStr, c_char, c_void};
use std::hint::black_box;
use std::mem::size_of;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::slice;

use crate::data::{FILTERED, Key, Partition, Shape, Value, value_of};
use crate::ffi;
use crate::snapshots::Saved;
use crate::store::{KEYS_OF_A_CALL, Result, Session, Shared, Store, Tally, Work};
use crate::workload::Workload;

mod documents;

/// The one attribute of an item.
const NAME: &CStr = c"v";
const NAME_LEN: usize = 1;
/// What an update does: counts.
const UPDATE: &str = "ADD n :one";
const FILTER: &str = "begins_with(v, :prefix)";

/// A database.
pub(crate) struct Kstone {
    db: *mut ffi::Db,
    pk_len: usize,
}

// SAFETY: the header, convention 5: any number of threads may use one kstone_db at once.
unsafe impl Sync for Kstone {}

impl Kstone {
    /// An empty database that flushes a stripe after so many records; 0 is the library's default.
    pub(crate) fn with_memtable(memtable_max_records: u64, shape: Shape) -> Result<Self> {
        Self::with(memtable_max_records, "{}", shape)
    }

    fn with(memtable_max_records: u64, schema: &str, shape: Shape) -> Result<Self> {
        let options = ffi::Options {
            struct_size: size_of::<ffi::Options>(),
            schema_json: schema.as_ptr().cast(),
            schema_json_len: schema.len(),
            memtable_max_records,
            memory_max_bytes: 0,
            eviction: 0,
            flags: 0,
        };
        let mut db = null_mut();
        let mut error = null_mut();
        // SAFETY: the options say their size; db and error are places to write to.
        let status = unsafe { ffi::kstone_open_memory(&raw const options, &raw mut db, &raw mut error) };
        if status != ffi::OK {
            // SAFETY: with a status below 0 comes an error, which is released once, and its text copied before.
            let message = unsafe {
                let message = CStr::from_ptr(ffi::kstone_error_message(error)).to_string_lossy().into_owned();
                ffi::kstone_free(error.cast());
                message
            };
            return Err(message.into());
        }
        Ok(Self { db, pk_len: if shape == Shape::Points { 16 } else { 8 } })
    }

    /// Puts one record under a pk and an sk.
    pub(crate) fn put_record(&self, pk: &[u8], sk: &[u8], value: &Value) {
        // SAFETY: every pointer comes with the length of what it points at; the item is this function's own.
        unsafe {
            let item = ffi::kstone_item_new();
            let set = ffi::kstone_item_set_str(item, NAME.as_ptr(), NAME_LEN, value.as_ptr().cast(), value.len());
            let put =
                ffi::kstone_put(self.db, pk.as_ptr().cast(), pk.len(), sk.as_ptr().cast(), sk.len(), item, null_mut());
            ffi::kstone_free(item.cast());
            assert!(set == ffi::OK && put == ffi::OK, "set {set}, put {put}");
        }
    }

    /// Turns all memtables into sorted runs.
    pub(crate) fn flush(&self) {
        // SAFETY: the database is open until self is dropped; no error object is asked for.
        let status = unsafe { ffi::kstone_flush(self.db, null_mut()) };
        assert_eq!(status, ffi::OK);
    }

    /// Puts the page of a query on the visitor.
    fn visit_query(&self, partition: &Partition, flags: u32, limit: u32, visit: &mut impl FnMut(&[u8])) {
        let spec =
            ffi::QuerySpec { pk: partition.as_ptr().cast(), pk_len: partition.len(), flags, limit, ..empty_spec() };
        let mut page = null_mut();
        // SAFETY: the spec says its size, its key outlives the call, and page is a place to write to.
        let status = unsafe { ffi::kstone_query(self.db, &raw const spec, &raw mut page, null_mut()) };
        assert_eq!(status, ffi::OK);
        visit_page(page, visit);
        // SAFETY: the page is this function's own, and nothing borrowed from it is left.
        unsafe { ffi::kstone_free(page.cast()) };
    }

    /// Puts the attribute of every item of a scan's pages on the visitor.
    fn visit_pages(&self, spec: ffi::QuerySpec, mut visit: impl FnMut(&[u8])) {
        self.visit_items(spec, |item| visit(attribute(item)));
    }

    /// Puts every item of a scan's pages on the visitor.
    fn visit_items(&self, mut spec: ffi::QuerySpec, mut visit: impl FnMut(&*const ffi::Item)) {
        let mut last = null_mut();
        loop {
            let mut page = null_mut();
            // SAFETY: the spec says its size, callers keep what it points at, and the page of its token is still held.
            let status = unsafe { ffi::kstone_scan(self.db, &raw const spec, &raw mut page, null_mut()) };
            assert_eq!(status, ffi::OK);
            visit_page_items(page, &mut visit);
            // SAFETY: the page before is this function's own (or NULL), and its token is not needed any more.
            let token = unsafe {
                ffi::kstone_free(last);
                ffi::kstone_page_token(page)
            };
            (spec.token, spec.token_len) = (token.data.cast(), token.len);
            last = page.cast();
            if token.len == 0 {
                break;
            }
        }
        // SAFETY: as above.
        unsafe { ffi::kstone_free(last) };
    }
}

impl Drop for Kstone {
    fn drop(&mut self) {
        // SAFETY: the handle is owned, and nobody else can use it any more.
        unsafe { ffi::kstone_free(self.db.cast()) };
    }
}

impl Saved for Kstone {
    fn save(&self, path: &Path) -> Result<()> {
        let path = path.as_os_str().as_encoded_bytes();
        // SAFETY: the database is open until self is dropped; the path comes with its length.
        let status = unsafe { ffi::kstone_snapshot_save(self.db, path.as_ptr().cast(), path.len(), null_mut()) };
        if status == ffi::OK { Ok(()) } else { Err(format!("kstone_snapshot_save: {status}").into()) }
    }

    fn read(path: &Path) -> Result<Self> {
        let store = Self::with_memtable(0, Shape::Points)?;
        let path = path.as_os_str().as_encoded_bytes();
        // SAFETY: as above.
        let status = unsafe { ffi::kstone_snapshot_load(store.db, path.as_ptr().cast(), path.len(), null_mut()) };
        if status == ffi::OK { Ok(store) } else { Err(format!("kstone_snapshot_load: {status}").into()) }
    }
}

impl Store for Kstone {
    const ORDERED: bool = true;
    const ATOMIC: bool = true;
    const EXTRA: &'static [Workload] = &[
        Workload::GetMany,
        Workload::GetAttribute,
        Workload::UpdatePrepared,
        Workload::ScanPages,
        Workload::ScanFirst,
        Workload::ScanFirstPage,
        Workload::Count,
        Workload::CountSmall,
    ];

    fn open(_records: usize, shape: Shape) -> Result<Self> {
        Self::with_memtable(0, shape)
    }

    fn run(&mut self, work: &Work<'_>) -> Tally {
        self.run_shared(work)
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }

    fn fork(&self) -> Option<Self> {
        let mut db = null_mut();
        // SAFETY: the database is open, and db is a place to write to; no error object is asked for.
        let status = unsafe { ffi::kstone_fork(self.db, &raw mut db, null_mut()) };
        assert_eq!(status, ffi::OK);
        Some(Self { db, pk_len: self.pk_len })
    }
}

impl Shared for Kstone {
    fn run_shared(&self, work: &Work<'_>) -> Tally {
        work.perform(&mut Caller { store: self, one: None, update: None })
    }
}

/// One thread's calls.
struct Caller<'a> {
    store: &'a Kstone,
    /// What the updates' `:one` stands for, once there is an update.
    one: Option<BuiltItem>,
    /// The prepared update, once there is one.
    update: Option<Prepared>,
}

impl Session for Caller<'_> {
    fn put(&mut self, key: &Key, value: &Value) {
        let (pk, sk) = key.split_at(self.store.pk_len);
        self.store.put_record(pk, sk, value);
    }

    fn update(&mut self, key: &Key) {
        let one = self.one.get_or_insert_with(|| {
            let mut item = BuiltItem::new();
            item.set_i64(":one", 1);
            item
        });
        let (pk, sk) = key.split_at(self.store.pk_len);
        // SAFETY: every pointer comes with the length of what it points at; what is not asked for is NULL.
        let status = unsafe {
            ffi::kstone_update(
                self.store.db,
                pk.as_ptr().cast(),
                pk.len(),
                sk.as_ptr().cast(),
                sk.len(),
                UPDATE.as_ptr().cast(),
                UPDATE.len(),
                one.0,
                null(),
                ffi::RETURN_NONE,
                null_mut(),
                null_mut(),
            )
        };
        assert_eq!(status, ffi::OK);
    }

    fn update_prepared(&mut self, key: &Key) {
        let update = self.update.get_or_insert_with(|| Prepared::update(self.store));
        let one = 1_i64;
        let bytes = ffi::Bytes { data: (&raw const one).cast(), len: size_of::<i64>() };
        let value = ffi::Value { type_: ffi::VALUE_I64, reserved: 0, bytes };
        let (pk, sk) = key.split_at(self.store.pk_len);
        // SAFETY: every pointer comes with the length of what it points at, the value points at a number that outlives
        // the call, and what is not asked for is NULL.
        let status = unsafe {
            ffi::kstone_run_write(
                self.store.db,
                update.0,
                pk.as_ptr().cast(),
                pk.len(),
                sk.as_ptr().cast(),
                sk.len(),
                null(),
                &raw const value,
                1,
                ffi::RETURN_NONE as u32,
                null_mut(),
                null_mut(),
            )
        };
        assert_eq!(status, ffi::OK);
    }

    fn get_many(&mut self, keys: &[Key], out: &mut Value) -> u64 {
        let mut pks = [null(); KEYS_OF_A_CALL];
        let mut items = [null_mut(); KEYS_OF_A_CALL];
        let lengths = [size_of::<Key>(); KEYS_OF_A_CALL];
        pks.iter_mut().zip(keys).for_each(|(pk, key)| *pk = key.as_ptr().cast());
        // SAFETY: the arrays have a place for each key, and no key has a sort key.
        let status = unsafe {
            ffi::kstone_get_many(
                self.store.db,
                pks.as_ptr(),
                lengths.as_ptr(),
                null(),
                null(),
                keys.len(),
                items.as_mut_ptr(),
                null_mut(),
            )
        };
        assert_eq!(status, ffi::OK);
        let mut seen = 0;
        for item in items.iter().filter(|item| !item.is_null()) {
            out.copy_from_slice(attribute(&item.cast_const()));
            black_box(&*out);
            seen += 1;
            // SAFETY: the item is this function's own, and the bytes borrowed from it are copied.
            unsafe { ffi::kstone_free(item.cast()) };
        }
        seen
    }

    fn get_attribute(&mut self, key: &Key, out: &mut Value) -> bool {
        let (pk, sk) = key.split_at(self.store.pk_len);
        let (mut len, mut type_) = (0, 0);
        // SAFETY: every pointer comes with the length of what it points at; len and type are places to write to.
        let status = unsafe {
            ffi::kstone_get_attribute(
                self.store.db,
                pk.as_ptr().cast(),
                pk.len(),
                sk.as_ptr().cast(),
                sk.len(),
                NAME.as_ptr(),
                NAME_LEN,
                out.as_mut_ptr().cast(),
                out.len(),
                &raw mut len,
                &raw mut type_,
                null_mut(),
            )
        };
        status == ffi::OK && len == out.len()
    }

    fn put_together(&mut self, keys: &[Key]) {
        // SAFETY: every pointer comes with the length of what it points at; the batch is this function's own.
        unsafe {
            let batch = ffi::kstone_batch_new();
            for key in keys {
                let (pk, sk) = key.split_at(self.store.pk_len);
                let mut item = BuiltItem::new();
                item.set_str("v", str::from_utf8(value_of(key)).expect("values are text"));
                let (pk_len, sk_len) = (pk.len(), sk.len());
                let status = ffi::kstone_batch_put(
                    batch,
                    pk.as_ptr().cast(),
                    pk_len,
                    sk.as_ptr().cast(),
                    sk_len,
                    item.0,
                    null(),
                );
                assert_eq!(status, ffi::OK);
            }
            let status = ffi::kstone_batch_run(self.store.db, batch, ffi::BATCH_ATOMIC, null_mut(), null_mut());
            ffi::kstone_free(batch.cast());
            assert_eq!(status, ffi::OK);
        }
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        let (pk, sk) = key.split_at(self.store.pk_len);
        let mut item = null_mut();
        // SAFETY: every pointer comes with the length of what it points at, and item is a place to write to.
        let status = unsafe {
            ffi::kstone_get(
                self.store.db,
                pk.as_ptr().cast(),
                pk.len(),
                sk.as_ptr().cast(),
                sk.len(),
                &raw mut item,
                null_mut(),
            )
        };
        if status == ffi::NOT_FOUND {
            return false;
        }
        assert_eq!(status, ffi::OK);
        out.copy_from_slice(attribute(&item.cast_const()));
        // SAFETY: the item is this function's own, and the bytes borrowed from it are copied.
        unsafe { ffi::kstone_free(item.cast()) };
        true
    }

    fn delete(&mut self, key: &Key) {
        let (pk, sk) = key.split_at(self.store.pk_len);
        // SAFETY: every pointer comes with the length of what it points at.
        let status = unsafe {
            ffi::kstone_delete(self.store.db, pk.as_ptr().cast(), pk.len(), sk.as_ptr().cast(), sk.len(), null_mut())
        };
        assert_eq!(status, ffi::OK);
    }

    fn scan(&mut self, visit: impl FnMut(&[u8])) {
        self.scan_first(usize::MAX, visit);
    }

    fn scan_first(&mut self, items: usize, mut visit: impl FnMut(&[u8])) {
        let mut iter = null_mut();
        // SAFETY: no spec asks for everything, and iter is a place to write to.
        let status = unsafe { ffi::kstone_iter_open(self.store.db, null(), &raw mut iter, null_mut()) };
        assert_eq!(status, ffi::OK);
        for _ in 0..items {
            let mut item = null();
            // SAFETY: the iterator is open, and item is a place to write to.
            let status = unsafe { ffi::kstone_iter_next(iter, &raw mut item, null_mut()) };
            if status == ffi::DONE {
                break;
            }
            assert_eq!(status, ffi::OK);
            visit(attribute(&item));
        }
        // SAFETY: the iterator is this function's own, and nothing borrowed from it is left.
        unsafe { ffi::kstone_free(iter.cast()) };
    }

    fn query(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        self.store.visit_query(&partition, 0, 0, &mut visit);
    }

    fn last(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        self.store.visit_query(&partition, ffi::QUERY_REVERSE, 1, &mut visit);
    }

    fn filter(&mut self, visit: impl FnMut(&[u8])) {
        let mut params = BuiltItem::new();
        params.set_str(":prefix", FILTERED);
        let filter = (FILTER.as_ptr().cast(), FILTER.len());
        let spec = ffi::QuerySpec { filter: filter.0, filter_len: filter.1, params: params.0, ..empty_spec() };
        self.store.visit_pages(spec, visit);
    }

    fn scan_first_page(&mut self, items: usize, mut visit: impl FnMut(&[u8])) {
        let limit = u32::try_from(items).expect("a page is short");
        let spec = ffi::QuerySpec { limit, ..empty_spec() };
        let mut page = null_mut();
        // SAFETY: the spec says its size, and page is a place to write to.
        let status = unsafe { ffi::kstone_scan(self.store.db, &raw const spec, &raw mut page, null_mut()) };
        assert_eq!(status, ffi::OK);
        visit_page(page, &mut visit);
        // SAFETY: the page is this function's own, and nothing borrowed from it is left.
        unsafe { ffi::kstone_free(page.cast()) };
    }

    fn count(&mut self) -> u64 {
        let mut count = 0;
        // SAFETY: count is a place to write to.
        let status = unsafe { ffi::kstone_count(self.store.db, &raw mut count, null_mut()) };
        assert_eq!(status, ffi::OK);
        count
    }

    fn scan_pages(&mut self, visit: impl FnMut(&[u8])) {
        self.store.visit_pages(empty_spec(), visit);
    }
}

fn visit_page(page: *const ffi::Page, visit: &mut impl FnMut(&[u8])) {
    visit_page_items(page, &mut |item| visit(attribute(item)));
}

fn visit_page_items(page: *const ffi::Page, visit: &mut impl FnMut(&*const ffi::Item)) {
    // SAFETY: the page is held by the caller for the duration of the call.
    let count = unsafe { ffi::kstone_page_count(page) };
    for i in 0..count {
        // SAFETY: i is below the count.
        let item = unsafe { ffi::kstone_page_item(page, i) };
        visit(&item);
    }
}

/// The bytes of an item's one attribute, borrowed from the place where the caller keeps the item.
#[inline]
fn attribute(item: &*const ffi::Item) -> &[u8] {
    attribute_of(item, NAME)
}

/// The bytes of an item's attribute.
#[inline]
fn attribute_of<'a>(item: &'a *const ffi::Item, name: &CStr) -> &'a [u8] {
    let mut value = ffi::Value { type_: 0, reserved: 0, bytes: ffi::Bytes { data: null(), len: 0 } };
    // SAFETY: the caller holds the item for as long as the borrow lasts, and value is a place to write to.
    unsafe {
        let status = ffi::kstone_item_get(*item, name.as_ptr(), name.count_bytes(), &raw mut value);
        assert_eq!(status, ffi::OK);
        slice::from_raw_parts(value.bytes.data, value.bytes.len)
    }
}

fn empty_spec() -> ffi::QuerySpec {
    ffi::QuerySpec {
        struct_size: size_of::<ffi::QuerySpec>(),
        pk: null(),
        pk_len: 0,
        sk_op: 0,
        flags: 0,
        sk1: null(),
        sk1_len: 0,
        sk2: null(),
        sk2_len: 0,
        index: null(),
        index_len: 0,
        filter: null(),
        filter_len: 0,
        projection: null(),
        projection_len: 0,
        params: null(),
        token: null(),
        token_len: 0,
        limit: 0,
        segment: 0,
        segments: 0,
        reserved: 0,
        key_expr: null(),
        key_expr_len: 0,
    }
}

/// A prepared request that is freed when dropped.
struct Prepared(*mut ffi::Prepared);

impl Prepared {
    /// The update that [`Session::update`] does.
    fn update(store: &Kstone) -> Self {
        let spec = ffi::PrepareSpec {
            struct_size: size_of::<ffi::PrepareSpec>(),
            kind: ffi::PREPARE_UPDATE,
            reserved: 0,
            text: UPDATE.as_ptr().cast(),
            text_len: UPDATE.len(),
            names: null(),
            cond: null(),
            query: null(),
        };
        let mut prepared = null_mut();
        // SAFETY: the spec says its size, its text comes with its length, and prepared is a place to write to.
        let status = unsafe { ffi::kstone_prepare(store.db, &raw const spec, &raw mut prepared, null_mut()) };
        assert_eq!(status, ffi::OK);
        Self(prepared)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: the handle is owned.
        unsafe { ffi::kstone_free(self.0.cast()) };
    }
}

/// A built item that is freed when dropped, for the workloads that need no database.
pub(crate) struct BuiltItem(*mut ffi::Item);

impl BuiltItem {
    /// An item without attributes.
    pub(crate) fn new() -> Self {
        // SAFETY: there is nothing that could be wrong.
        Self(unsafe { ffi::kstone_item_new() })
    }

    /// An item from plain JSON.
    pub(crate) fn from_json(json: &str) -> Self {
        let mut item = null_mut();
        // SAFETY: the text comes with its length, and item is a place to write to.
        let status = unsafe {
            ffi::kstone_item_from_json(json.as_ptr().cast(), json.len(), ffi::JSON_PLAIN, &raw mut item, null_mut())
        };
        assert_eq!(status, ffi::OK);
        Self(item)
    }

    /// Sets a text.
    pub(crate) fn set_str(&mut self, name: &str, value: &str) {
        // SAFETY: every pointer comes with its length, and the item is this value's own.
        let status = unsafe {
            ffi::kstone_item_set_str(self.0, name.as_ptr().cast(), name.len(), value.as_ptr().cast(), value.len())
        };
        assert_eq!(status, ffi::OK);
    }

    /// Sets a whole number.
    pub(crate) fn set_i64(&mut self, name: &str, value: i64) {
        // SAFETY: as above.
        let status = unsafe { ffi::kstone_item_set_i64(self.0, name.as_ptr().cast(), name.len(), value) };
        assert_eq!(status, ffi::OK);
    }

    /// Sets a truth value.
    pub(crate) fn set_bool(&mut self, name: &str, value: bool) {
        // SAFETY: as above.
        let status = unsafe { ffi::kstone_item_set_bool(self.0, name.as_ptr().cast(), name.len(), value.into()) };
        assert_eq!(status, ffi::OK);
    }

    /// Writes the item as plain JSON and gives the text to the reader.
    pub(crate) fn with_json<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        let mut text: *mut c_char = null_mut();
        let mut len = 0;
        // SAFETY: the item is this value's own; text and len are places to write to.
        let status =
            unsafe { ffi::kstone_item_to_json(self.0, ffi::JSON_PLAIN, &raw mut text, &raw mut len, null_mut()) };
        assert_eq!(status, ffi::OK);
        // SAFETY: the text has this length and is held until it is freed here, once.
        unsafe {
            let result = read(slice::from_raw_parts(text.cast::<u8>(), len));
            ffi::kstone_free(text.cast::<c_void>());
            result
        }
    }
}

impl Drop for BuiltItem {
    fn drop(&mut self) {
        // SAFETY: the handle is owned.
        unsafe { ffi::kstone_free(self.0.cast()) };
    }
}

/// The version of the library that is loaded.
pub(crate) fn version() -> String {
    // SAFETY: the text is good for as long as the library is loaded.
    unsafe { CStr::from_ptr(ffi::kstone_version()) }.to_string_lossy().into_owned()
}
