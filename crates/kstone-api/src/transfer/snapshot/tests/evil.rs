//! Files whose checksums are right and whose contents are not.

use super::*;
use crate::transfer::snapshot::format::{ANNOTATION_MAX_BYTES, BLOCK_MAX_BYTES, CATALOG, ONE_TABLE, Totals};

/// A file of these blocks, checksums and all.
fn file_of(blocks: &[(BlockKind, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = BlockWriter::begin(&mut bytes, "a test", ONE_TABLE).expect("written");
    blocks.iter().try_for_each(|(kind, payload)| writer.block(*kind, payload)).expect("written");
    bytes
}

fn header(items: u64, schema: &str) -> Vec<u8> {
    [&items.to_le_bytes()[..], &0_u64.to_le_bytes(), schema.as_bytes()].concat()
}

fn end(items: u64) -> [u8; 8] {
    items.to_le_bytes()
}

fn raw_record(pk: &[u8], sk: &[u8], body: &[u8]) -> Vec<u8> {
    let lens = [&(pk.len() as u16).to_le_bytes()[..], &(sk.len() as u16).to_le_bytes()];
    [&lens.concat()[..], &(body.len() as u32).to_le_bytes(), pk, sk, body].concat()
}

/// A file of one block of items.
fn file_with(items: u64, payload: &[u8]) -> Vec<u8> {
    file_of(&[(BlockKind::Header, &header(items, "{}")), (BlockKind::Items, payload), (BlockKind::End, &end(items))])
}

#[track_caller]
fn check_refused(part: &str, bytes: &[u8]) {
    let (what, _) = refused(bytes);
    assert!(what.contains(part), "{what:?} does not say {part:?}");
}

#[test]
fn empty_blocks_and_any_order_of_items_are_fine() {
    let (a, b) = (raw_record(b"a", b"", b""), raw_record(b"b", b"", b""));
    for (first, second) in [(&a, &b), (&b, &a)] {
        let head = header(2, "{}");
        let bytes = file_of(&[
            (BlockKind::Header, &head),
            (BlockKind::Items, b""),
            (BlockKind::Items, first),
            (BlockKind::Items, b""),
            (BlockKind::Items, second),
            (BlockKind::End, &end(2)),
        ]);
        let db = empty();
        assert_eq!(load(&db, &bytes[..]), Ok(2));
        assert_eq!(items(&db).len(), 2);
    }
}

#[test]
fn counts_that_are_not_those_of_the_items_are_found() {
    let record = raw_record(b"a", b"", b"");
    let file = |head, last| {
        file_of(&[(BlockKind::Header, &header(head, "{}")), (BlockKind::Items, &record), (BlockKind::End, &end(last))])
    };
    assert_eq!(load(&empty(), &file(1, 1)[..]), Ok(1));
    check_refused("more items than the 0 of the header", &file(0, 1));
    check_refused("the header counts 2 items, the end 2, there are 1", &file(2, 2));
    check_refused("the header counts 1 items, the end 0, there are 1", &file(1, 0));
    check_refused("there are 1", &file(u64::MAX, u64::MAX));
    check_refused("the wrong length", &file_of(&[(BlockKind::Header, &header(0, "{}")), (BlockKind::End, b"")]));
    check_refused("the wrong length", &file_of(&[(BlockKind::Header, &header(0, "{}")), (BlockKind::End, &[0; 9])]));
}

#[test]
fn blocks_that_are_out_of_place_are_found() {
    let head = header(0, "{}");
    check_refused("the first block is no header", &file_of(&[(BlockKind::Items, b""), (BlockKind::Header, &head)]));
    check_refused("the first block is no header", &file_of(&[(BlockKind::End, &end(0))]));
    check_refused("a second header", &file_of(&[(BlockKind::Header, &head), (BlockKind::Header, &head)]));
    let double_end = file_of(&[(BlockKind::Header, &head), (BlockKind::End, &end(0)), (BlockKind::End, &end(0))]);
    check_refused("bytes behind the end", &double_end);
    check_refused("ends inside the snapshot", &file_of(&[(BlockKind::Header, &head)]));
}

/// The head of a block without the rest.
fn file_ending_in(code: u32, length: u32) -> Vec<u8> {
    let mut bytes = file_of(&[(BlockKind::Header, &header(1, "{}"))]);
    bytes.extend_from_slice(&code.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes
}

#[test]
fn heads_of_blocks_are_looked_at_before_anything_is_read_for_them() {
    for code in [0, 7, u32::MAX] {
        check_refused(&format!("a block of unknown kind {code}"), &file_ending_in(code, 8));
    }
    for length in [BLOCK_MAX_BYTES as u32 + 1, u32::MAX] {
        check_refused(&format!("a block of {length} bytes"), &file_ending_in(BlockKind::Items as u32, length));
    }
    check_refused("ends inside the snapshot", &file_ending_in(BlockKind::Items as u32, BLOCK_MAX_BYTES as u32));
}

#[test]
fn a_length_takes_no_more_memory_than_the_file_has_bytes() {
    let bytes = file_ending_in(BlockKind::Items as u32, BLOCK_MAX_BYTES as u32);
    let (mut reader, _) = BlockReader::begin(&bytes[..], "a test").expect("begun");
    reader.block().expect("the header");
    assert!(reader.block().is_err());
    assert!(reader.capacity() < 4096, "{} bytes for a block that is not there", reader.capacity());
}

#[test]
fn headers_that_are_none_are_found() {
    for len in [0, 7, 8, 15] {
        check_refused("too short", &file_of(&[(BlockKind::Header, &[0; 16][..len])]));
    }
    let not_text = [&header(0, "")[..], b"\xff"].concat();
    check_refused("not UTF-8", &file_of(&[(BlockKind::Header, &not_text)]));
    for (part, schema) in [
        ("EOF", ""),
        ("line 1 column 1", "{"),
        ("unknown field", r#"{"ttl":"x"}"#),
        ("validation error", r#"{"name":"x"}"#),
        ("Duplicate index name", r#"{"local_indexes":[{"name":"abc","sort_key":"a"},{"name":"abc","sort_key":"b"}]}"#),
        ("stream.capacity", r#"{"stream":{"view_type":"NEW_IMAGE","capacity":99999999999}}"#),
    ] {
        check_refused(part, &file_of(&[(BlockKind::Header, &header(0, schema)), (BlockKind::End, &end(0))]));
    }
    let late_stream = [&0_u64.to_le_bytes()[..], &u64::MAX.to_le_bytes(), b"{}"].concat();
    check_refused("a stream cannot have come to", &file_of(&[(BlockKind::Header, &late_stream)]));
}

#[test]
fn records_that_reach_beyond_their_block_are_found() {
    let record = raw_record(b"pk", b"sk", b"\x01a\x05\0");
    for len in 1..record.len() {
        check_refused("reaches beyond its block", &file_with(1, &record[..len]));
    }
    let mut long = record.clone();
    long[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    check_refused("reaches beyond its block", &file_with(1, &long));
    assert_eq!(load(&empty(), &file_with(1, &record)[..]), Ok(1));
}

#[test]
fn keys_outside_their_limits_are_found() {
    check_refused("the partition key is empty", &file_with(1, &raw_record(b"", b"", b"")));
    check_refused("the partition key is empty", &file_with(1, &[0; 8]));
    check_refused("Partition key size", &file_with(1, &raw_record(&[1; 2049], b"", b"")));
    check_refused("Sort key size", &file_with(1, &raw_record(b"a", &[1; 1025], b"")));
    assert_eq!(load(&empty(), &file_with(1, &raw_record(&[1; 2048], &[1; 1024], b""))[..]), Ok(1));
}

#[test]
fn bodies_that_are_no_items_are_found() {
    for (part, body) in [
        ("an empty name", &b"\0\x05\0"[..]),
        ("a name out of order", b"\x01b\x05\0\x01a\x05\0"),
        ("a name out of order", b"\x01a\x05\0\x01a\x05\0"),
        ("a name that is not UTF-8", b"\x01\xff\x05\0"),
        ("an unknown type", b"\x01a\x0b\0"),
        ("a length that reaches beyond the end", b"\x01a\x01\x05x"),
        ("a length that is not in its shortest form", b"\x01a\x01\x81\0x"),
        ("a number that is not canonical", b"\x01a\x02\x0207"),
        ("text that is not UTF-8", b"\x01a\x01\x01\xff"),
        ("a BOOL that is neither 0 nor 1", b"\x01a\x04\x01\x02"),
        ("an empty set", b"\x01a\x08\0"),
        ("a set's element out of order", b"\x01a\x08\x04\x01b\x01a"),
    ] {
        check_refused(part, &file_with(1, &raw_record(b"k", b"", body)));
    }
    // Lists in lists, one too many; each level's length is one byte, for they are few.
    let nested = |levels: u8| {
        let lists = (0..levels).rev().flat_map(|inner| [6, 2 * inner]);
        [b"\x01a".to_vec(), lists.collect()].concat()
    };
    assert_eq!(load(&empty(), &file_with(1, &raw_record(b"k", b"", &nested(32)))[..]), Ok(1));
    check_refused("a level of nesting too many", &file_with(1, &raw_record(b"k", b"", &nested(33))));
}

#[test]
fn items_that_nobody_could_put_are_found() {
    let body = |name: &str, value: Value| kstone_core::item::encode(&Item::from([(name.to_owned(), value)])).unwrap();
    let big = body("a", Value::binary(vec![0; 400 * 1024]));
    check_refused("Item size has exceeded", &file_with(1, &raw_record(b"k", b"", &big)));
    let other = body("pk", Value::string("other"));
    check_refused("the attribute pk must equal", &file_with(1, &raw_record(b"k", b"", &other)));
    let same = body("pk", Value::string("k"));
    assert_eq!(load(&empty(), &file_with(1, &raw_record(b"k", b"", &same))[..]), Ok(1));
}

/// Helpers may have met the later ones first.
#[test]
fn of_several_wrong_records_in_several_blocks_the_first_of_the_file_is_told() {
    const BLOCKS: usize = 40;
    let good = |block: usize, i: u8| raw_record(&[block as u8, i], b"", b"");
    let wrong = raw_record(b"", b"", b"");
    let mut random = fastrand::Rng::with_seed(19);
    for _ in 0..100 {
        // Where the wrong records are: the block and the place in it.
        let mut places: Vec<(usize, usize)> = (0..5).map(|_| (random.usize(..BLOCKS), random.usize(..100))).collect();
        places.sort_unstable();
        let payload = |block: usize| {
            let record = |i: u8| if places.contains(&(block, i.into())) { wrong.clone() } else { good(block, i) };
            (0..100).flat_map(record).collect::<Vec<u8>>()
        };
        let payloads: Vec<_> = (0..BLOCKS).map(payload).collect();
        let (head, last) = (header(100 * BLOCKS as u64, "{}"), end(100 * BLOCKS as u64));
        let mut blocks = vec![(BlockKind::Header, &head[..])];
        blocks.extend(payloads.iter().map(|payload| (BlockKind::Items, &payload[..])));
        blocks.push((BlockKind::End, &last));
        let bytes = file_of(&blocks);
        let (block, place) = places[0];
        let at = blocks_of(&bytes)[1 + block] + 8 + place * good(0, 0).len();
        let (what, found) = refused(&bytes);
        assert_eq!(found, Position::Byte(at as u64), "{what}, {places:?}");
    }
}

#[test]
fn a_key_that_stands_twice_is_found() {
    let (a, b) = (raw_record(b"a", b"s", b""), raw_record(b"b", b"", b""));
    check_refused("two items have the key \"a\", \"s\"", &file_with(2, &[&a[..], &a].concat()));
    check_refused("two items have the key", &file_with(3, &[&a[..], &b, &a].concat()));
    let apart = file_of(&[
        (BlockKind::Header, &header(2, "{}")),
        (BlockKind::Items, &a),
        (BlockKind::Items, &a),
        (BlockKind::End, &end(2)),
    ]);
    check_refused("two items have the key", &apart);
}

/// An item that an index refuses, as one that was put before the index was.
#[test]
fn an_item_that_an_index_refuses_is_left_out_of_the_index_alone() {
    let schema = r#"{"global_indexes":[{"name":"by-x","partition_key":"x"}]}"#;
    let record = Record::put(KeyRef::new(b"k", b"").unwrap(), b"\x01x\x05\0");
    let mut payload = Vec::new();
    put_record(&mut payload, &record);
    let bytes =
        file_of(&[(BlockKind::Header, &header(1, schema)), (BlockKind::Items, &payload), (BlockKind::End, &end(1))]);
    let db = empty();
    assert_eq!(load(&db, &bytes[..]), Ok(1));
    assert_eq!(items(&db), [record]);
    assert_eq!(db.scan(Scan::new().index("by-x").build()).expect("scanned").count, 0);
}

/// The payloads of a file, to be changed and written again with checksums that are right.
fn payloads_of(bytes: &[u8]) -> Vec<(BlockKind, Vec<u8>)> {
    let (mut reader, _) = BlockReader::begin(bytes, "a test").expect("begun");
    let blocks = blocks_of(bytes).into_iter().map(|_| {
        let block = reader.block().expect("read");
        (block.kind, block.payload.to_vec())
    });
    blocks.collect()
}

/// Whatever the contents say, they are refused or they are a database like any other: it reads, writes, exports, and
/// saves what loads again.
#[test]
fn random_contents_under_right_checksums_are_refused_or_are_sound() {
    let payloads = payloads_of(&save(&small()));
    let mut random = fastrand::Rng::with_seed(19);
    let mut taken = 0;
    for _ in 0..20_000 {
        let mut payloads = payloads.clone();
        let block = random.usize(..payloads.len());
        let payload = &mut payloads[block].1;
        let at = random.usize(..payload.len());
        match random.u8(..4) {
            0 => payload[at] = random.u8(..),
            1 => payload[at] ^= 1 << random.u8(..8),
            2 => drop(payload.remove(at)),
            _ => payload.insert(at, random.u8(..)),
        }
        let blocks: Vec<_> = payloads.iter().map(|(kind, payload)| (*kind, payload.as_slice())).collect();
        let bytes = file_of(&blocks);
        let db = empty();
        db.set_time(1);
        match load(&db, &bytes[..]) {
            Err(error) => assert!(matches!(error, Error::Corrupt { .. }), "{error}"),
            Ok(_) => {
                taken += 1;
                let again = empty();
                load(&again, &save(&db)[..]).expect("loaded");
                assert_eq!(again.schema(), db.schema());
                assert_eq!(items(&again), items(&db));
                let mut lines = Vec::new();
                db.export_json(&mut lines).expect("exported");
                let imported = again.import_json(io::Cursor::new(lines), &crate::ImportOptions::new());
                assert_eq!(imported.expect("imported").loaded, items(&db).len() as u64);
                for record in items(&db) {
                    db.put_body(record.pk(), record.sk(), record.body()).expect("put");
                    db.delete_with_sk(record.pk(), record.sk()).expect("deleted");
                }
                let stats = db.stats().expect("counted");
                assert_eq!((stats.items, items(&db).len()), (0, 0));
            }
        }
    }
    assert!(taken > 1000, "only {taken} were taken");
}

/// A file of a catalog with these blocks behind it.
fn catalog_of(blocks: &[(BlockKind, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = BlockWriter::begin(&mut bytes, "a test", CATALOG).expect("written");
    blocks.iter().try_for_each(|(kind, payload)| writer.block(*kind, payload)).expect("written");
    bytes
}

#[test]
fn a_catalog_that_is_not_what_it_says_is_refused_and_makes_no_table() {
    let totals = |tables: u32, items: u64| Totals { tables, items }.to_bytes();
    let header = |items: u64, schema: &str| [&items.to_le_bytes()[..], &[0; 8], schema.as_bytes()].concat();
    let (one, two) = (header(0, r#"{"name":"one"}"#), header(0, r#"{"name":"two"}"#));
    let (none, end) = (0_u64.to_le_bytes(), 0_u64.to_le_bytes());
    let record = {
        let mut payload = Vec::new();
        put_record(&mut payload, &Record::put(KeyRef::new(b"a", b"").expect("a key"), b""));
        payload
    };
    use BlockKind::{Catalog, End, EndOfCatalog, Header, Items};
    let good: [(BlockKind, &[u8]); 6] = [
        (Catalog, &totals(2, 0)),
        (Header, &one),
        (End, &none),
        (Header, &two),
        (End, &end),
        (EndOfCatalog, &totals(2, 0)),
    ];
    let load = |bytes: &[u8]| {
        let account = Account::create_in_memory();
        let loaded = account.load_snapshot_from(bytes);
        assert_eq!(loaded.is_ok(), account.table_count() > 0, "all tables or none");
        loaded.map(|_| account.table_names())
    };
    assert_eq!(load(&catalog_of(&good)).expect("sound"), ["one", "two"]);
    let wrong: [&[(BlockKind, &[u8])]; 12] = [
        &good[..5],
        &good[1..],
        &[good[0], good[1], good[2], good[5]],
        &[good[0], good[1], good[2], good[1], good[2], good[5]],
        &[(Catalog, &totals(1, 0)), good[1], good[2], good[3], good[4], good[5]],
        &[(Catalog, &totals(2, 1)), good[1], good[2], good[3], good[4], (EndOfCatalog, &totals(2, 1))],
        &[good[0], good[1], good[2], good[3], good[4], (EndOfCatalog, &totals(2, 7))],
        &[good[0], good[1], (Items, &record), good[2], good[3], good[4], good[5]],
        &[(Catalog, &[0; 11]), good[1]],
        &[good[0], good[0], good[1]],
        &[good[0], (Header, &header(u64::MAX, r#"{"name":"one"}"#)), good[2], good[3], good[4], good[5]],
        &[good[0], good[1], good[2], good[3], good[4], good[5], good[5]],
    ];
    for (at, blocks) in wrong.iter().enumerate() {
        assert!(load(&catalog_of(blocks)).is_err(), "{at}");
    }
    // Blocks of one version in a file of the other.
    assert!(load(&file_of(&good)).is_err());
    let bytes = catalog_of(&good);
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(load(&flipped).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(load(&bytes[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn an_annotation_stands_behind_the_catalog_and_nowhere_else() {
    let totals = |tables: u32| Totals { tables, items: 0 }.to_bytes();
    let (one, none) = ([&[0; 16][..], br#"{"name":"one"}"#].concat(), 0_u64.to_le_bytes());
    use BlockKind::{Annotation, Catalog, End, EndOfCatalog, Header};
    let note: (BlockKind, &[u8]) = (Annotation, b"note");
    let good: [(BlockKind, &[u8]); 6] =
        [(Catalog, &totals(1)), note, note, (Header, &one), (End, &none), (EndOfCatalog, &totals(1))];
    let load = |bytes: &[u8]| Account::create_in_memory().load_snapshot_annotated_from(bytes);
    assert_eq!(load(&catalog_of(&good)).expect("sound"), (0, b"notenote".to_vec()));
    let empty: [(BlockKind, &[u8]); 3] = [(Catalog, &totals(0)), note, (EndOfCatalog, &totals(0))];
    assert_eq!(load(&catalog_of(&empty)).expect("sound"), (0, b"note".to_vec()));
    let table = Table::load_snapshot_from(&crate::Database::create_in_memory().expect("made"), &catalog_of(&good)[..]);
    assert_eq!(table.expect("a table passes over it"), 0);
    for at in [0, 2, 3, 4] {
        let mut wrong = vec![good[0], good[3], good[4], good[5]];
        wrong.insert(at, note);
        assert!(load(&catalog_of(&wrong)).is_err(), "{at}");
    }
    let long = vec![0; BLOCK_MAX_BYTES];
    let many = std::iter::repeat_n((Annotation, &long[..]), ANNOTATION_MAX_BYTES / BLOCK_MAX_BYTES + 1);
    let blocks: Vec<_> = std::iter::once(good[0]).chain(many).chain(good[3..].iter().copied()).collect();
    assert!(load(&catalog_of(&blocks)).is_err(), "more than an annotation may have");
}
