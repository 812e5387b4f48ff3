//! Options and specs: rule 7.

use super::*;
use crate::iter::kstone_iter_open;
use crate::maintenance::kstone_compact;
use crate::options::{KSTONE_EVICT_LRU, Options};
use crate::page::{PageObject, kstone_page_count, kstone_query, kstone_scan};
use crate::spec::*;

fn options() -> Options {
    Options {
        struct_size: size_of::<Options>(),
        schema_json: ptr::null(),
        schema_json_len: 0,
        memtable_max_records: 0,
        memory_max_bytes: 0,
        eviction: 0,
        flags: 0,
    }
}

fn open_with(options: *const Options, err: *mut *mut ErrorObject) -> Status {
    let mut db = untouched();
    // SAFETY: the options begin with their size, which is backed by memory or refused.
    let status = unsafe { kstone_open_memory(options, &mut db, err) };
    match status {
        KSTONE_OK => free(db),
        _ => assert_eq!(db, untouched()),
    }
    status
}

fn refused_options(options: Options) -> String {
    fails(KSTONE_ERR_INVALID, |err| open_with(&options, err))
}

/// Room for a struct that is longer than ours.
#[repr(C)]
struct Longer<T> {
    known: T,
    beyond: [u64; 2],
}

#[test]
fn options_may_be_null_or_zero() {
    succeeds(KSTONE_OK, |err| open_with(ptr::null(), err));
    succeeds(KSTONE_OK, |err| open_with(&options(), err));
    succeeds(KSTONE_OK, |err| open_with(&Options { memtable_max_records: 5, ..options() }, err));
}

#[test]
fn a_shorter_struct_has_defaults_beyond_its_end() {
    // What lies beyond the end is nonsense, and must not be read.
    let older = Options {
        struct_size: std::mem::offset_of!(Options, memory_max_bytes),
        memory_max_bytes: 1,
        eviction: 9,
        flags: 9,
        ..options()
    };
    succeeds(KSTONE_OK, |err| open_with(&older, err));
    succeeds(KSTONE_OK, |err| open_with(&Options { struct_size: size_of::<usize>(), ..older }, err));
    let db = open();
    let mut page = ptr::null_mut();
    let older = QuerySpec { struct_size: std::mem::offset_of!(QuerySpec, index), index_len: 5, ..spec_of(b"k") };
    // SAFETY: live handles, variables of ours.
    succeeds(KSTONE_OK, |err| unsafe { kstone_query(db, &older, &mut page, err) });
    free(page);
    free(db);
}

#[test]
fn a_longer_struct_works_where_what_is_new_in_it_is_zero() {
    let mut newer = Longer { known: options(), beyond: [0; 2] };
    newer.known.struct_size = size_of::<Longer<Options>>();
    succeeds(KSTONE_OK, |err| open_with((&raw const newer).cast(), err));
    newer.beyond[1] = 1 << 56;
    let message = fails(KSTONE_ERR_INVALID, |err| open_with((&raw const newer).cast(), err));
    assert!(message.contains("kstone_options"), "{message}");

    let db = open();
    let mut page = ptr::null_mut::<PageObject>();
    let mut newer = Longer { known: spec(), beyond: [0; 2] };
    newer.known.struct_size = size_of::<Longer<QuerySpec>>();
    // SAFETY: live handles, variables of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| kstone_scan(db, (&raw const newer).cast(), &mut page, err));
        free(page);
        newer.beyond[0] = 1;
        fails(KSTONE_ERR_INVALID, |err| kstone_scan(db, (&raw const newer).cast(), &mut page, err));
    }
    free(db);
}

#[test]
fn a_size_that_no_version_has_is_refused() {
    let half_a_pointer = std::mem::offset_of!(Options, schema_json) + 4;
    for struct_size in [0, 1, size_of::<usize>() - 1, half_a_pointer, size_of::<Options>() - 1, 5000, usize::MAX] {
        let message = refused_options(Options { struct_size, ..options() });
        assert!(message.contains("struct_size"), "{message}");
    }
}

#[test]
fn options_not_served_or_out_of_range_are_refused_by_name() {
    let cases = [
        (Options { schema_json: c"{\"no\":1}".as_ptr(), schema_json_len: 8, ..options() }, "no"),
        (Options { memory_max_bytes: (1 << 20) - 1, ..options() }, "memory_max_bytes"),
        (Options { eviction: KSTONE_EVICT_LRU, ..options() }, "eviction"),
        (Options { eviction: 77, ..options() }, "eviction"),
        (Options { flags: 2, ..options() }, "flags: 0x2 is not known here"),
        (Options { memtable_max_records: u64::MAX, ..options() }, "memtable_max_records"),
    ];
    for (options, name) in cases {
        let message = refused_options(options);
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn specs_are_refused_by_the_name_of_the_field() {
    let db = open();
    put(db, b"k", b"", 1);
    let mut page = untouched::<PageObject>();
    let item = numbered(1);
    let (text, bytes) = (c"x".as_ptr(), data(b"x"));
    let both = [
        (QuerySpec { index: text, index_len: 1, ..spec() }, "index: x"),
        (QuerySpec { index: text, ..spec() }, "index"),
        (QuerySpec { filter: text, ..spec() }, "filter"),
        (QuerySpec { projection: text, ..spec() }, "projection"),
        (QuerySpec { key_expr: text, ..spec() }, "key_expr"),
        (QuerySpec { params: item, ..spec() }, "contains invalid key"),
        (QuerySpec { reserved: 1, ..spec() }, "reserved"),
        (QuerySpec { flags: 8, ..spec() }, "flags"),
        (QuerySpec { flags: KSTONE_QUERY_COUNT | KSTONE_QUERY_KEYS_ONLY, ..spec() }, "flags"),
        (QuerySpec { token: bytes, token_len: 1, ..spec() }, "oken"),
        (QuerySpec { start_after: item, ..spec() }, "does not match the schema"),
        (QuerySpec { token: bytes, token_len: 1, start_after: item, ..spec() }, "start_after"),
    ];
    let query = [
        (spec(), "pk"),
        (QuerySpec { key_expr: text, key_expr_len: 1, ..spec_of(b"k") }, "key_expr"),
        (QuerySpec { segments: 2, ..spec_of(b"k") }, "segments"),
        (QuerySpec { segment: 1, ..spec_of(b"k") }, "segments"),
        (QuerySpec { sk_op: 8, ..spec_of(b"k") }, "sk_op"),
        (QuerySpec { sk1: bytes, sk1_len: 1, ..spec_of(b"k") }, "sk1"),
        (QuerySpec { sk_op: KSTONE_SK_GE, sk2: bytes, sk2_len: 1, ..spec_of(b"k") }, "sk2"),
    ];
    let scan = [
        (spec_of(b"k"), "pk"),
        (QuerySpec { key_expr: text, key_expr_len: 1, ..spec() }, "key_expr"),
        (QuerySpec { sk_op: KSTONE_SK_EQ, ..spec() }, "sk_op"),
        (QuerySpec { sk1: bytes, ..spec() }, "sk1"),
        (QuerySpec { sk2_len: 1, ..spec() }, "sk2"),
        (QuerySpec { flags: KSTONE_QUERY_REVERSE, ..spec() }, "flags"),
        (QuerySpec { segment: 1, ..spec() }, "segment"),
        (QuerySpec { segment: 2, segments: 2, ..spec() }, "segment"),
    ];
    // SAFETY: live handles, variables of ours.
    unsafe {
        for (spec, name) in both.into_iter().chain(query) {
            let spec = if name == "pk" { spec } else { QuerySpec { pk: data(b"k"), pk_len: 1, ..spec } };
            let message = fails(KSTONE_ERR_INVALID, |err| kstone_query(db, &spec, &mut page, err));
            assert!(message.contains(name), "{name}: {message}");
        }
        for (spec, name) in both.into_iter().chain(scan) {
            let message = fails(KSTONE_ERR_INVALID, |err| kstone_scan(db, &spec, &mut page, err));
            assert!(message.contains(name), "{name}: {message}");
        }
        let mut iter = untouched();
        let counting = QuerySpec { flags: KSTONE_QUERY_COUNT, ..spec() };
        fails(KSTONE_ERR_INVALID, |err| kstone_iter_open(db, &counting, &mut iter, err));
        assert_eq!(iter, untouched());
        let null = QuerySpec { pk_len: 3, ..spec() };
        fails(KSTONE_ERR_MISUSE, |err| kstone_query(db, &null, &mut page, err));
        let strlen = QuerySpec { token: bytes, token_len: KSTONE_STRLEN, ..spec() };
        fails(KSTONE_ERR_MISUSE, |err| kstone_scan(db, &strlen, &mut page, err));
        assert_eq!(page, untouched());
    }
    free(item);
    free(db);
}

#[test]
fn the_memtable_option_arrives() {
    let options = Options { memtable_max_records: 1, ..options() };
    let mut db = ptr::null_mut();
    let mut page = ptr::null_mut();
    // SAFETY: live handles, variables of ours.
    unsafe {
        assert_eq!(kstone_open_memory(&options, &mut db, ptr::null_mut()), KSTONE_OK);
        for number in 0..50u8 {
            put(db, b"k", &[number], number.into());
        }
        let (mut text, mut len) = (ptr::null_mut(), 0);
        assert_eq!(crate::stats::kstone_stats_json(db, &mut text, &mut len, ptr::null_mut()), KSTONE_OK);
        let stats: serde_json::Value = serde_json::from_str(&string(text)).expect("JSON");
        assert!(stats["flushes"].as_u64().expect("an integer") >= 49, "{stats}");
        free(text);
        assert_eq!(kstone_compact(db, ptr::null_mut()), KSTONE_OK);
        assert_eq!(kstone_query(db, &spec_of(b"k"), &mut page, ptr::null_mut()), KSTONE_OK);
        assert_eq!(kstone_page_count(page), 50);
    }
    free(page);
    free(db);
}
