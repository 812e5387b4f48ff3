//! The stored form: items and pages as bytes, bytes as items.

use super::*;
use crate::batch::{KSTONE_BATCH_ATOMIC, kstone_batch_get, kstone_batch_new, kstone_batch_run};
use crate::item_build::kstone_item_set_null;
use crate::page::{PageObject, kstone_page_item, kstone_query};
use crate::spec::KSTONE_QUERY_COUNT;
use crate::stored::*;

/// {"a": NULL, "n": N 7}, in the stored form.
const BODY: &[u8] = b"\x01a\x05\x00\x01n\x02\x017";

fn put_stored(db: *mut Db, pk: &[u8], sk: &[u8], body: &[u8]) {
    succeeds(KSTONE_OK, |err| {
        // SAFETY: live handles, slices of ours.
        unsafe { kstone_put_bytes(db, data(pk), pk.len(), data(sk), sk.len(), data(body), body.len(), err) }
    });
}

/// What kstone_get_bytes gives with a buffer of this capacity: the length it says, and the buffer, zero before.
fn get_stored(db: *const Db, pk: &[u8], capacity: usize) -> (usize, Vec<u8>) {
    let (mut buffer, mut len) = (vec![0; capacity], usize::MAX);
    let to = buffer.as_mut_ptr().cast();
    succeeds(KSTONE_OK, |err| {
        // SAFETY: live handles, slices and variables of ours.
        unsafe { kstone_get_bytes(db, data(pk), pk.len(), ptr::null(), 0, to, capacity, &mut len, err) }
    });
    (len, buffer)
}

/// An item of a page: partition key, sort key and stored form.
type Entry = (Vec<u8>, Vec<u8>, Vec<u8>);

/// The items of a page, read as the header says.
fn entries(page: *const PageObject) -> Vec<Option<Entry>> {
    // SAFETY: live handles.
    let mut rest = bytes_of(unsafe { kstone_page_bytes(page) });
    let mut entries = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [p0, p1, s0, s1, b0, b1, b2, b3] = *head;
        let (pk_len, sk_len) = (u16::from_le_bytes([p0, p1]), u16::from_le_bytes([s0, s1]));
        let body_len = u32::from_le_bytes([b0, b1, b2, b3]);
        let found = body_len != u32::MAX;
        let (pk, after) = after.split_at(pk_len.into());
        let (sk, after) = after.split_at(sk_len.into());
        let (body, after) = after.split_at(if found { body_len as usize } else { 0 });
        entries.push(found.then(|| (pk.to_vec(), sk.to_vec(), body.to_vec())));
        rest = after;
    }
    assert_eq!(rest, b"");
    entries
}

fn page_of(db: *const Db, flags: u32) -> *mut PageObject {
    let mut page = ptr::null_mut();
    let spec = QuerySpec { flags, ..spec_of(b"p") };
    // SAFETY: live handles, variables of ours.
    succeeds(KSTONE_OK, |err| unsafe { kstone_query(db, &spec, &mut page, err) });
    page
}

#[test]
fn an_item_goes_in_and_out_as_bytes() {
    let db = open();
    put_stored(db, b"p", b"", BODY);
    let read = get(db, b"p", b"").expect("it was put");
    assert_eq!(number_of(read), 7);
    let mut built = ptr::null_mut();
    // SAFETY: live handles, slices and variables of ours.
    succeeds(KSTONE_OK, |err| unsafe { kstone_item_from_bytes(data(BODY), BODY.len(), &mut built, err) });
    for item in [read, built] {
        // SAFETY: live handles.
        assert_eq!(bytes_of(unsafe { kstone_item_bytes(item) }), BODY);
    }
    // SAFETY: live handles, C strings.
    assert_eq!(unsafe { kstone_item_set_null(built, c"A".as_ptr(), KSTONE_STRLEN) }, KSTONE_OK);
    // SAFETY: live handles.
    assert_eq!(bytes_of(unsafe { kstone_item_bytes(built) }), [b"\x01A\x05\x00", BODY].concat());
    free(db);
    // SAFETY: live handles.
    assert_eq!(bytes_of(unsafe { kstone_item_bytes(read) }), BODY);
    free(read);
    free(built);
}

#[test]
fn an_item_without_attributes_has_no_bytes() {
    let db = open();
    put_stored(db, b"p", b"", b"");
    assert_eq!(get_stored(db, b"p", 0), (0, vec![]));
    let (read, built) = (get(db, b"p", b"").expect("it was put"), kstone_item_new());
    for item in [read, built, ptr::null_mut(), db.cast()] {
        // SAFETY: live handles or NULL.
        assert_eq!(unsafe { kstone_item_bytes(item) }, Bytes::EMPTY);
    }
    free(read);
    free(built);
    free(db);
}

#[test]
fn bytes_are_copied_where_they_fit_and_their_length_is_said_anyway() {
    let db = open();
    put_stored(db, b"p", b"", BODY);
    let len = BODY.len();
    assert_eq!(get_stored(db, b"p", 0), (len, vec![]));
    assert_eq!(get_stored(db, b"p", len - 1), (len, vec![0; len - 1]));
    assert_eq!(get_stored(db, b"p", len), (len, BODY.to_vec()));
    assert_eq!(get_stored(db, b"p", len + 2), (len, [BODY, &[0, 0]].concat()));
    let mut buffer = [0_u8; 32];
    succeeds(KSTONE_NOT_FOUND, |err| {
        let to = buffer.as_mut_ptr().cast();
        // SAFETY: live handles, variables of ours; the length must stay untouched.
        unsafe { kstone_get_bytes(db, data(b"q"), 1, ptr::null(), 0, to, 32, untouched(), err) }
    });
    assert_eq!(buffer, [0; 32]);
    free(db);
}

#[test]
fn bytes_that_are_no_item_are_refused_and_change_nothing() {
    let db = open();
    put_stored(db, b"p", b"", BODY);
    let cases: [(&[u8], &str); 5] = [
        (b"\x01", "a length that reaches beyond the end at byte 1"),
        (b"\x01b\x05\x00\x01a\x05\x00", "a name out of order at byte 6"),
        (b"\x01a\x02\x021.", "a number that is not canonical at byte 6"),
        (b"\x01a\x01\x01\xff", "text that is not UTF-8 at byte 5"),
        (b"\x01a\x0b\x00", "an unknown type at byte 3"),
    ];
    for (bytes, reason) in cases {
        let (body, len) = (data(bytes), bytes.len());
        let mut item = untouched();
        // SAFETY: live handles, slices and variables of ours.
        let refused = fails(KSTONE_ERR_INVALID, |err| unsafe { kstone_item_from_bytes(body, len, &mut item, err) });
        assert_eq!(refused, format!("not an item: {reason}"));
        assert_eq!(item, untouched());
        // SAFETY: live handles, slices of ours.
        let put = |err| unsafe { kstone_put_bytes(db, data(b"p"), 1, ptr::null(), 0, body, len, err) };
        let refused = fails(KSTONE_ERR_INVALID, put);
        assert_eq!(refused, format!("not an item: {reason}"));
    }
    let large = vec![0; (1 << 20) + 1];
    let mut item = untouched();
    // SAFETY: slices and variables of ours.
    fails(KSTONE_ERR_LIMIT, |err| unsafe { kstone_item_from_bytes(data(&large), large.len(), &mut item, err) });
    assert_eq!(get_stored(db, b"p", BODY.len()), (BODY.len(), BODY.to_vec()));
    free(db);
}

#[test]
fn a_put_of_bytes_is_checked_as_any_put() {
    let db = open();
    let refused = |status, pk: &[u8], body: &[u8]| {
        // SAFETY: live handles, slices of ours.
        let put =
            |err| unsafe { kstone_put_bytes(db, data(pk), pk.len(), ptr::null(), 0, data(body), body.len(), err) };
        fails(status, put)
    };
    refused(KSTONE_ERR_INVALID, b"", BODY);
    refused(KSTONE_ERR_LIMIT, &[b'p'; 2049], BODY);
    let message = refused(KSTONE_ERR_INVALID, b"p", b"\x02pk\x01\x01q");
    assert!(message.contains("the attribute pk must equal the item's key"), "{message}");
    let text = vec![b'x'; 400 * 1024];
    let too_large = [b"\x01a\x01\x80\x80\x19", text.as_slice()].concat();
    let message = refused(KSTONE_ERR_LIMIT, b"p", &too_large);
    assert!(message.starts_with("Item size has exceeded the maximum allowed size"), "{message}");
    assert!(get(db, b"p", b"").is_none());
    free(db);
}

#[test]
fn a_page_is_one_buffer_of_keys_and_items() {
    let db = open();
    put_stored(db, b"p", b"", BODY);
    put_stored(db, b"p", b"s\0\xff", b"");
    put_stored(db, b"p", b"t", BODY);
    let page = page_of(db, 0);
    free(db);
    let entry = |sk: &[u8], body: &[u8]| Some((b"p".to_vec(), sk.to_vec(), body.to_vec()));
    assert_eq!(entries(page), [entry(b"", BODY), entry(b"s\0\xff", b""), entry(b"t", BODY)]);
    // SAFETY: live handles.
    let (first, second) = unsafe { (kstone_page_bytes(page), kstone_page_bytes(page)) };
    assert_eq!(first, second, "the buffer is made once");
    assert_eq!(first.len, 3 * (8 + 1) + 3 + 1 + 2 * BODY.len());
    // SAFETY: live handles.
    assert_eq!(number_of(unsafe { kstone_page_item(page, 2) }), 7);
    free(page);
}

#[test]
fn a_page_without_items_has_no_bytes() {
    let db = open();
    let empty = page_of(db, 0);
    put_stored(db, b"p", b"", BODY);
    let counted = page_of(db, KSTONE_QUERY_COUNT);
    for page in [empty, counted, ptr::null_mut(), db.cast()] {
        // SAFETY: live handles or NULL.
        assert_eq!(unsafe { kstone_page_bytes(page) }, Bytes::EMPTY);
    }
    free(empty);
    free(counted);
    free(db);
}

#[test]
fn what_a_batch_did_not_find_is_a_head_of_its_own() {
    let db = open();
    put_stored(db, b"p", b"", b"");
    for flags in [0, KSTONE_BATCH_ATOMIC] {
        let (batch, mut page) = (kstone_batch_new(), ptr::null_mut());
        for pk in [b"a", b"p", b"z"] {
            // SAFETY: live handles, slices of ours.
            assert_eq!(unsafe { kstone_batch_get(batch, data(pk), 1, ptr::null(), 0) }, KSTONE_OK);
        }
        // SAFETY: live handles, variables of ours.
        succeeds(KSTONE_OK, |err| unsafe { kstone_batch_run(db, batch, flags, &mut page, err) });
        assert_eq!(entries(page), [None, Some((b"p".to_vec(), vec![], vec![])), None]);
        free(page);
        free(batch);
    }
    free(db);
}

#[test]
fn null_where_something_is_needed_is_misuse() {
    let db = open();
    put_stored(db, b"p", b"", BODY);
    let (pk, none) = (data(b"p"), ptr::null());
    let mut buffer = [0_u8; 32];
    let to = buffer.as_mut_ptr().cast();
    let mut len = 77;
    // SAFETY: live handles, NULL, slices and variables of ours.
    unsafe {
        fails(KSTONE_ERR_MISUSE, |err| kstone_item_from_bytes(ptr::null(), 1, &mut untouched(), err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_item_from_bytes(data(BODY), KSTONE_STRLEN, &mut untouched(), err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_item_from_bytes(data(BODY), BODY.len(), ptr::null_mut(), err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_put_bytes(ptr::null_mut(), pk, 1, none, 0, data(BODY), 4, err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_put_bytes(db, pk, 1, none, 0, ptr::null(), 4, err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_get_bytes(ptr::null(), pk, 1, none, 0, to, 32, &mut len, err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_get_bytes(db, pk, 1, none, 0, ptr::null_mut(), 32, &mut len, err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_get_bytes(db, pk, 1, none, 0, to, 32, ptr::null_mut(), err));
        fails(KSTONE_ERR_INVALID, |err| kstone_get_bytes(db, none, 0, none, 0, to, 32, &mut len, err));
    }
    assert_eq!((len, buffer), (77, [0; 32]));
    free(db);
}
