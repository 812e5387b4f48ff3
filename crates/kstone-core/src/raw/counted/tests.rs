use super::*;

fn sample() -> Counted {
    Counted::new(&Parts {
        kind: RecordKind::Put,
        tag: Tag(0xABCD),
        pk: b"pk",
        sk: b"sort",
        body: &[b"the ", b"body"],
        label: b"",
    })
}

#[test]
fn parts_are_read_back() {
    let record = sample();
    assert_eq!((record.pk(), record.sk(), record.body()), (&b"pk"[..], &b"sort"[..], &b"the body"[..]));
    assert_eq!((record.tag(), record.kind()), (Tag(0xABCD), RecordKind::Put));
    assert_eq!(record.footprint(), 8 + 2 + 4 + 8);
}

#[test]
fn parts_of_every_length_are_read_back_and_marks_do_not_touch_them() {
    let bytes: Vec<u8> = (0..70_000_u32).map(|i| i as u8).collect();
    let (key_lens, body_lens) = ([0, 1, 62, 63, 64, 65, 2048, 65_535], [0, 1, 4093, 4094, 4095, 4096, 70_000]);
    for (pk_len, sk_len) in key_lens.iter().flat_map(|&pk| key_lens.map(|sk| (pk, sk))) {
        for body_len in body_lens {
            let (pk, sk, body) = (&bytes[..pk_len], &bytes[1..][..sk_len], &bytes[..body_len]);
            let record =
                Counted::new(&Parts { kind: RecordKind::Tombstone, tag: Tag(7), pk, sk, body: &[body], label: b"" });
            [Mark::Used, Mark::LetGo].iter().for_each(|&mark| record.set_mark(mark));
            let other = record.clone();
            assert_eq!((other.pk(), other.sk(), other.body()), (pk, sk, body));
            assert_eq!(other.kind(), RecordKind::Tombstone);
            if pk_len > 0 && pk_len.max(sk_len) <= RecordRef::SHORT_KEY_BYTES {
                let of_lengths = |pk, sk| record.parts().short_key(pk, sk);
                assert_eq!(of_lengths(pk_len, sk_len), Some((pk, sk)));
                assert!(pk_len == 1 || of_lengths(pk_len - 1, sk_len).is_none());
                assert!(sk_len == 0 || of_lengths(pk_len, sk_len - 1).is_none());
            }
            let is_long = pk_len > 63 || sk_len > 63 || body_len > 4094;
            let lengths = Lengths { pk: pk_len, sk: sk_len, body: body_len, directory: None };
            let expected = if is_long { 24 } else { 8 } + pk_len + sk_len + body_len;
            assert_eq!((other.footprint(), lengths.footprint(0)), (expected, expected));
        }
    }
}

#[test]
fn a_directory_and_the_size_of_an_item_are_read_back_next_to_the_other_parts() {
    let bytes: Vec<u8> = (0..9000_u32).map(|i| i as u8).collect();
    for (pk, body, hashes, offsets) in [(1, 0, 0, 0), (16, 300, 8, 16), (64, 5000, 300, 600), (2048, 9000, 0, 0)] {
        let (size, directory) = (7 + body, [&bytes[..hashes], &bytes[1..=offsets]].concat());
        let (pk, sk, body) = (&bytes[..pk], &bytes[2..9], &bytes[..body]);
        let finder = Finder { item_size: size, directory: directory.len() };
        let pieces = [&directory[..], body];
        let parts = Parts { kind: RecordKind::Put, tag: Tag(7), pk, sk, body: &pieces, label: b"" };
        let record = Counted::with_finder(&parts, finder);
        let of_record = record.parts();
        assert_eq!((record.pk(), record.sk(), record.body()), (pk, sk, body));
        assert_eq!(of_record.directory_and_body(), (&directory[..], body));
        assert_eq!((of_record.kept_size(), of_record.data_len()), (Some(size), pk.len() + 7 + body.len()));
        assert_eq!(record.footprint(), 24 + of_record.data_len() + directory.len());
    }
    assert_eq!(sample().parts().kept_size(), None);
}

#[test]
fn an_item_of_a_hundred_bytes_under_a_key_of_16_is_two_cache_lines() {
    assert_eq!(Lengths { pk: 16, sk: 0, body: 4 + 100, directory: None }.footprint(0), 2 * 64);
}

#[test]
fn marks_stand_side_by_side_and_are_taken_once() {
    let record = sample();
    record.set_mark(Mark::Used);
    record.set_mark(Mark::LetGo);
    assert!(record.take_mark(Mark::Used) && !record.take_mark(Mark::Used));
    assert!(record.has_mark(Mark::LetGo) && !record.has_mark(Mark::Used));
}

#[test]
fn empty_parts_are_read_back() {
    let record =
        Counted::new(&Parts { kind: RecordKind::Tombstone, tag: Tag(0), pk: b"", sk: b"", body: &[], label: b"" });
    assert!(record.pk().is_empty() && record.sk().is_empty() && record.body().is_empty());
}

fn count(record: &Counted) -> u32 {
    record.state().load(Ordering::Relaxed) / ONE
}

#[test]
fn what_was_given_away_is_read_behind_the_magic_and_released_once() {
    let record = crate::record::Record(sample());
    let raw = record.clone().into_raw();
    // SAFETY: the byte before the data is the header's last.
    assert_eq!(unsafe { raw.sub(1).read() }, MAGIC);
    // SAFETY: just given away.
    assert_eq!(unsafe { crate::record::RecordRef::from_raw(raw) }.body(), b"the body");
    assert_eq!(count(&record.0), 2);
    // SAFETY: the same.
    unsafe { RecordRef::release_raw(raw) };
    assert_eq!(count(&record.0), 1);
}

#[test]
fn a_count_past_half_its_range_is_stuck_rather_than_freed() {
    let record = sample();
    record.set_mark(Mark::Used);
    let fresh = record.state().load(Ordering::Relaxed);
    for (handles, name) in [(2, "a clone first"), (0, "a drop first")] {
        record.state().store(STUCK | fresh, Ordering::Relaxed);
        let held: Vec<Counted> = (0..handles).map(|_| record.clone()).collect();
        // SAFETY: the count is stuck, so that one handle too many does no harm.
        drop(unsafe { std::ptr::read(&raw const record) });
        drop(held);
        assert!(record.state().load(Ordering::Relaxed) >= STUCK_MIDDLE, "{name}");
        assert!(record.has_mark(Mark::Used) && !record.has_mark(Mark::LetGo), "{name}");
    }
    record.state().store(fresh, Ordering::Relaxed);
}

#[test]
fn threads_share_one_record_and_free_it_once() {
    let record = sample();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mine = record.clone();
            scope.spawn(move || {
                for _ in 0..1000 {
                    assert_eq!(mine.clone().pk(), b"pk");
                }
            });
        }
    });
    assert_eq!(count(&record), 1);
}
