//! RocksDB from the system, through its C API: an LSM tree, on a RAM disk, without a write-ahead log.
//!
//! In its favour: no compression, files read by memory map, a Bloom filter of 10 bits a key, and after a load it may
//! compact everything before the clock runs again. It works with threads of its own, so it has no part in the workloads
//! of several threads.

#![expect(unsafe_code, reason = "calls of C functions")]

use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_void};
use std::ptr::{null, null_mut};
use std::slice;

use tempfile::TempDir;

use crate::data::{Key, Partition, Shape, Value, join, value_of};
use crate::memory::disk_blocks;
use crate::peers::ram_disk;
use crate::store::{Result, Session, Store, Tally, Work};

// One type for all of RocksDB's handles: this file alone uses them.
type Handle = *mut c_void;

unsafe extern "C" {
    fn rocksdb_options_create() -> Handle;
    fn rocksdb_options_destroy(options: Handle);
    fn rocksdb_options_set_create_if_missing(options: Handle, on: c_uchar);
    fn rocksdb_options_set_compression(options: Handle, kind: c_int);
    fn rocksdb_options_set_allow_mmap_reads(options: Handle, on: c_uchar);
    fn rocksdb_options_increase_parallelism(options: Handle, threads: c_int);
    fn rocksdb_block_based_options_create() -> Handle;
    fn rocksdb_block_based_options_destroy(options: Handle);
    fn rocksdb_block_based_options_set_filter_policy(options: Handle, policy: Handle);
    fn rocksdb_filterpolicy_create_bloom_full(bits_per_key: f64) -> Handle;
    fn rocksdb_options_set_block_based_table_factory(options: Handle, table: Handle);
    fn rocksdb_writeoptions_create() -> Handle;
    fn rocksdb_writeoptions_destroy(options: Handle);
    fn rocksdb_writeoptions_disable_WAL(options: Handle, disable: c_int);
    fn rocksdb_readoptions_create() -> Handle;
    fn rocksdb_readoptions_destroy(options: Handle);
    fn rocksdb_open(options: Handle, path: *const c_char, error: *mut *mut c_char) -> Handle;
    fn rocksdb_close(db: Handle);
    fn rocksdb_put(
        db: Handle,
        options: Handle,
        key: *const u8,
        key_len: usize,
        value: *const u8,
        value_len: usize,
        error: *mut *mut c_char,
    );
    fn rocksdb_writebatch_create() -> Handle;
    fn rocksdb_writebatch_destroy(batch: Handle);
    fn rocksdb_writebatch_put(batch: Handle, key: *const u8, key_len: usize, value: *const u8, value_len: usize);
    fn rocksdb_write(db: Handle, options: Handle, batch: Handle, error: *mut *mut c_char);
    fn rocksdb_delete(db: Handle, options: Handle, key: *const u8, key_len: usize, error: *mut *mut c_char);
    fn rocksdb_get_pinned(
        db: Handle,
        options: Handle,
        key: *const u8,
        key_len: usize,
        error: *mut *mut c_char,
    ) -> Handle;
    fn rocksdb_pinnableslice_value(slice: Handle, len: *mut usize) -> *const u8;
    fn rocksdb_pinnableslice_destroy(slice: Handle);
    fn rocksdb_create_iterator(db: Handle, options: Handle) -> Handle;
    fn rocksdb_iter_destroy(iter: Handle);
    fn rocksdb_iter_valid(iter: Handle) -> c_uchar;
    fn rocksdb_iter_seek_to_first(iter: Handle);
    fn rocksdb_iter_seek(iter: Handle, key: *const u8, key_len: usize);
    fn rocksdb_iter_seek_for_prev(iter: Handle, key: *const u8, key_len: usize);
    fn rocksdb_iter_next(iter: Handle);
    fn rocksdb_iter_key(iter: Handle, len: *mut usize) -> *const u8;
    fn rocksdb_iter_value(iter: Handle, len: *mut usize) -> *const u8;
    fn rocksdb_compact_range(db: Handle, start: *const u8, start_len: usize, limit: *const u8, limit_len: usize);
}

const NO_COMPRESSION: c_int = 0;
const BITS_PER_KEY: f64 = 10.0;
const BACKGROUND_THREADS: c_int = 2;

/// A database in a directory of its own.
pub(crate) struct RocksDb {
    db: Handle,
    read: Handle,
    write: Handle,
    directory: TempDir,
}

impl Store for RocksDb {
    const ORDERED: bool = true;
    const ATOMIC: bool = true;

    fn open(_records: usize, _shape: Shape) -> Result<Self> {
        let directory = ram_disk()?;
        let path = CString::new(directory.path().as_os_str().as_encoded_bytes())?;
        // SAFETY: handles go where RocksDB expects them; the filter policy passes to the table options, and all options
        // are copied by what they are given to before they are destroyed.
        unsafe {
            let table = rocksdb_block_based_options_create();
            rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(BITS_PER_KEY));
            let options = rocksdb_options_create();
            rocksdb_options_set_create_if_missing(options, 1);
            rocksdb_options_set_compression(options, NO_COMPRESSION);
            rocksdb_options_set_allow_mmap_reads(options, 1);
            rocksdb_options_increase_parallelism(options, BACKGROUND_THREADS);
            rocksdb_options_set_block_based_table_factory(options, table);
            let mut error = null_mut();
            let db = rocksdb_open(options, path.as_ptr(), &raw mut error);
            rocksdb_options_destroy(options);
            rocksdb_block_based_options_destroy(table);
            check(error);
            let write = rocksdb_writeoptions_create();
            rocksdb_writeoptions_disable_WAL(write, 1);
            Ok(Self { db, read: rocksdb_readoptions_create(), write, directory })
        }
    }

    fn run(&mut self, work: &Work<'_>) -> Tally {
        work.perform(&mut &*self)
    }

    fn settle(&mut self) {
        // SAFETY: no keys mean the whole range.
        unsafe { rocksdb_compact_range(self.db, null(), 0, null(), 0) };
    }

    fn file_bytes(&self) -> Result<u64> {
        Ok(disk_blocks(self.directory.path())?)
    }
}

impl Drop for RocksDb {
    fn drop(&mut self) {
        // SAFETY: the handles are owned; the options are not used once the database is closed.
        unsafe {
            rocksdb_close(self.db);
            rocksdb_readoptions_destroy(self.read);
            rocksdb_writeoptions_destroy(self.write);
        }
    }
}

impl Session for &RocksDb {
    fn put(&mut self, key: &Key, value: &Value) {
        let mut error = null_mut();
        // SAFETY: every pointer comes with the length of what it points at.
        unsafe {
            rocksdb_put(self.db, self.write, key.as_ptr(), key.len(), value.as_ptr(), value.len(), &raw mut error);
        }
        check(error);
    }

    fn get(&mut self, key: &Key, out: &mut Value) -> bool {
        let mut error = null_mut();
        // SAFETY: every pointer comes with its length; the slice is held until its bytes are copied.
        unsafe {
            let slice = rocksdb_get_pinned(self.db, self.read, key.as_ptr(), key.len(), &raw mut error);
            check(error);
            if slice.is_null() {
                return false;
            }
            let mut len = 0;
            let data = rocksdb_pinnableslice_value(slice, &raw mut len);
            out.copy_from_slice(slice::from_raw_parts(data, len));
            rocksdb_pinnableslice_destroy(slice);
        }
        true
    }

    fn delete(&mut self, key: &Key) {
        let mut error = null_mut();
        // SAFETY: every pointer comes with the length of what it points at.
        unsafe { rocksdb_delete(self.db, self.write, key.as_ptr(), key.len(), &raw mut error) };
        check(error);
    }

    fn put_together(&mut self, keys: &[Key]) {
        let mut error = null_mut();
        // SAFETY: every pointer comes with the length of what it points at; the batch is this function's own.
        unsafe {
            let batch = rocksdb_writebatch_create();
            for key in keys {
                let value = value_of(key);
                rocksdb_writebatch_put(batch, key.as_ptr(), key.len(), value.as_ptr(), value.len());
            }
            rocksdb_write(self.db, self.write, batch, &raw mut error);
            rocksdb_writebatch_destroy(batch);
        }
        check(error);
    }

    fn scan(&mut self, mut visit: impl FnMut(&[u8])) {
        let mut iter = Iter::new(self);
        // SAFETY: the iterator is open.
        unsafe { rocksdb_iter_seek_to_first(iter.0) };
        while iter.is_valid() {
            visit(iter.value());
            iter.advance();
        }
    }

    fn query(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        let first = join(partition, [0; 8]);
        let mut iter = Iter::new(self);
        // SAFETY: the iterator is open, and the key comes with its length.
        unsafe { rocksdb_iter_seek(iter.0, first.as_ptr(), first.len()) };
        while iter.is_valid() && iter.key().starts_with(&partition) {
            visit(iter.value());
            iter.advance();
        }
    }

    fn last(&mut self, partition: Partition, mut visit: impl FnMut(&[u8])) {
        let last = join(partition, [0xff; 8]);
        let iter = Iter::new(self);
        // SAFETY: the iterator is open, and the key comes with its length.
        unsafe { rocksdb_iter_seek_for_prev(iter.0, last.as_ptr(), last.len()) };
        if iter.is_valid() && iter.key().starts_with(&partition) {
            visit(iter.value());
        }
    }
}

struct Iter(Handle);

impl Iter {
    fn new(store: &RocksDb) -> Self {
        // SAFETY: the database is open.
        Self(unsafe { rocksdb_create_iterator(store.db, store.read) })
    }

    fn is_valid(&self) -> bool {
        // SAFETY: the iterator is open.
        unsafe { rocksdb_iter_valid(self.0) != 0 }
    }

    fn advance(&mut self) {
        // SAFETY: the iterator is open, and callers checked that it is valid.
        unsafe { rocksdb_iter_next(self.0) };
    }

    fn key(&self) -> &[u8] {
        let mut len = 0;
        // SAFETY: the iterator is valid; its bytes are good until it moves, which takes it by &mut.
        unsafe { slice::from_raw_parts(rocksdb_iter_key(self.0, &raw mut len), len) }
    }

    fn value(&self) -> &[u8] {
        let mut len = 0;
        // SAFETY: as above.
        unsafe { slice::from_raw_parts(rocksdb_iter_value(self.0, &raw mut len), len) }
    }
}

impl Drop for Iter {
    fn drop(&mut self) {
        // SAFETY: the iterator is owned.
        unsafe { rocksdb_iter_destroy(self.0) };
    }
}

fn check(error: *const c_char) {
    if !error.is_null() {
        // SAFETY: an error is text with a NUL at its end. The process ends with it, so it need not be freed.
        panic!("RocksDB: {}", unsafe { CStr::from_ptr(error) }.to_string_lossy());
    }
}
