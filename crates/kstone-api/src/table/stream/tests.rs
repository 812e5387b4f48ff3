//! What is recorded, what is kept, what readers find. JSON and order under threads have modules of their own.

use super::*;
use crate::{ItemWriter, KeyRef};

mod json;
mod order;

const NOW: i64 = 1_700_000_000;

fn key(pk: &str) -> KeyRef<'_> {
    KeyRef::new(pk.as_bytes(), b"").unwrap()
}

fn put(pk: &str, text: &str) -> Record {
    Record::put(key(pk), ItemWriter::new().set_str("t", text).unwrap().finish())
}

fn gone(pk: &str) -> Record {
    Record::tombstone(key(pk))
}

fn stream(view_type: StreamViewType) -> Stream {
    Stream::new(StreamOptions::new(view_type)).unwrap()
}

fn bounded(capacity: usize, max_bytes: usize) -> Stream {
    Stream::new(StreamOptions { capacity, max_bytes, view_type: StreamViewType::NewAndOldImages }).unwrap()
}

/// Appends this many inserts.
fn fill(stream: &Stream, records: usize) {
    for i in 0..records {
        drop(stream.append(stream.change(None, &put(&format!("k{i}"), "x")), NOW));
    }
}

fn numbers(records: &[StreamRecord]) -> Vec<u64> {
    records.iter().map(StreamRecord::sequence_number).collect()
}

fn is_same(image: Option<&Record>, expected: Option<&Record>) -> bool {
    match (image, expected) {
        (Some(image), Some(expected)) => image.same(expected),
        (image, expected) => image.is_none() && expected.is_none(),
    }
}

/// Each event under each view type: its name and which images are shown, shared rather than copied.
#[test]
fn every_view_type_shows_its_images_of_every_event() {
    use EventName::{Insert, Modify, Remove};
    let (old, new, tombstone) = (put("k", "old"), put("k", "new"), gone("k"));
    for (old, written, event) in [(None, &new, Insert), (Some(&old), &new, Modify), (Some(&old), &tombstone, Remove)] {
        let new = Some(written).filter(|written| !written.is_tombstone());
        for (view_type, shown_new, shown_old) in [
            (StreamViewType::KeysOnly, None, None),
            (StreamViewType::NewImage, new, None),
            (StreamViewType::OldImage, None, old),
            (StreamViewType::NewAndOldImages, new, old),
        ] {
            let stream = stream(view_type);
            drop(stream.append(stream.change(old, written), NOW));
            let record = &stream.read(0, 1).unwrap()[0];
            assert_eq!((record.event_name(), record.view_type()), (event, view_type));
            assert_eq!((record.pk(), record.sk()), (&b"k"[..], &b""[..]));
            assert!(is_same(record.new_image(), shown_new), "{event} {view_type}");
            assert!(is_same(record.old_image(), shown_old), "{event} {view_type}");
            assert_eq!((record.user_identity(), record.approximate_creation_time()), (None, NOW));
        }
    }
}

#[test]
fn a_removal_by_time_to_live_names_dynamodb_as_who_did_it() {
    let old = put("k", "old");
    for view_type in StreamViewType::ALL {
        let stream = stream(view_type);
        drop(stream.append([stream.removal(&old, Remover::TimeToLive)], NOW));
        let record = &stream.read(0, 1).unwrap()[0];
        assert_eq!((record.event_name(), record.pk()), (EventName::Remove, &b"k"[..]));
        assert_eq!(record.user_identity(), Some(UserIdentity::TIME_TO_LIVE));
        assert!(record.new_image().is_none());
        assert_eq!(record.old_image().is_some(), view_type.name().contains("OLD"));
    }
}

#[test]
fn what_changes_nothing_is_not_recorded() {
    for view_type in StreamViewType::ALL {
        let stream = stream(view_type);
        // Equal items in records of their own, with spellings that the stored form makes the same.
        let spelled = |number: &str| Record::put(key("k"), ItemWriter::new().set_num("n", number).unwrap().finish());
        assert!(stream.change(Some(&spelled("10")), &spelled("1E1")).is_none());
        assert!(stream.change(Some(&spelled("10")), &spelled("11")).is_some());
        assert!(stream.change(None, &gone("k")).is_none());
        assert!(stream.change(Some(&gone("k")), &gone("k")).is_none());
        // A tombstone is no old version.
        assert_eq!(stream.change(Some(&gone("k")), &put("k", "x")).unwrap().event_name(), EventName::Insert);
        drop(stream.append(None, NOW));
        drop(stream.append(Vec::new(), NOW));
        assert_eq!((stream.stats().records, stream.stats().last), (0, 0));
    }
}

#[test]
fn an_empty_item_is_an_item() {
    let stream = stream(StreamViewType::NewAndOldImages);
    let empty = || Record::put(key("k"), &[]);
    assert_eq!(stream.change(None, &empty()).unwrap().event_name(), EventName::Insert);
    assert!(stream.change(Some(&empty()), &empty()).is_none());
    assert_eq!(stream.change(Some(&empty()), &gone("k")).unwrap().event_name(), EventName::Remove);
}

#[test]
fn readers_find_what_follows_where_they_are() {
    let stream = stream(StreamViewType::KeysOnly);
    for after in [0, 1, u64::MAX] {
        assert!(stream.read(after, 10).unwrap().is_empty());
    }
    fill(&stream, 5);
    for (after, max, expected) in [
        (0, 10, &[1, 2, 3, 4, 5][..]),
        (0, 5, &[1, 2, 3, 4, 5]),
        (0, 4, &[1, 2, 3, 4]),
        (0, 1, &[1]),
        (3, 10, &[4, 5]),
        (4, 1, &[5]),
        (4, usize::MAX, &[5]),
        (5, 1, &[]),
        (6, 1, &[]),
        (u64::MAX - 1, 1, &[]),
        (u64::MAX, usize::MAX, &[]),
    ] {
        assert_eq!(numbers(&stream.read(after, max).unwrap()), expected, "after {after}, at most {max}");
    }
    assert!(matches!(stream.read(0, 0), Err(Error::Invalid(_))));
}

#[test]
fn a_reader_that_fell_behind_is_told_so_and_where_to_go_on() {
    let stream = bounded(3, 0);
    fill(&stream, 3);
    assert_eq!(numbers(&stream.read(0, 9).unwrap()), [1, 2, 3]);
    fill(&stream, 2);
    for after in [0, 1] {
        let error = stream.read(after, 9).unwrap_err();
        assert_eq!(error, Error::Trimmed { after, oldest: 3 });
        assert!(error.to_string().ends_with("go on after 2"), "{error}");
    }
    for (after, expected) in [(2, &[3, 4, 5][..]), (3, &[4, 5]), (5, &[]), (6, &[])] {
        assert_eq!(numbers(&stream.read(after, 9).unwrap()), expected);
    }
    let StreamStats { records, oldest, last, .. } = stream.stats();
    assert_eq!((records, oldest, last), (3, 3, 5));
}

#[test]
fn a_stream_of_capacity_one_keeps_the_newest_of_each_append() {
    let stream = bounded(1, 0);
    let changes: Vec<_> = (0..4).filter_map(|i| stream.change(None, &put(&format!("k{i}"), "x"))).collect();
    let garbage = stream.append(changes, NOW);
    assert_eq!(garbage.first.iter().count() + garbage.rest.len(), 3);
    assert_eq!(stream.read(0, 1).unwrap_err(), Error::Trimmed { after: 0, oldest: 4 });
    assert_eq!(stream.read(3, 1).unwrap()[0].pk(), b"k3");
}

#[test]
fn superseded_versions_count_towards_the_bytes_and_current_ones_do_not() {
    let slot = size_of::<Slot>();
    let (old, new) = (put("k", &"o".repeat(1000)), put("k", "n"));
    let bare_key = gone("k").footprint();
    for (view_type, insert, modify, remove, expiry) in [
        (StreamViewType::KeysOnly, bare_key, bare_key, bare_key, bare_key),
        (StreamViewType::NewImage, 0, old.footprint(), old.footprint() + bare_key, old.footprint() + bare_key),
        (StreamViewType::OldImage, bare_key, old.footprint(), old.footprint(), old.footprint()),
        (StreamViewType::NewAndOldImages, 0, old.footprint(), old.footprint(), old.footprint()),
    ] {
        let changes = |stream: &Stream| {
            let writes = [(None, &old), (Some(&old), &new), (Some(&old), &gone("k"))];
            let mut changes = writes.map(|(old, written)| stream.change(old, written).unwrap()).to_vec();
            changes.push(stream.removal(&old, Remover::TimeToLive));
            changes
        };
        let stream = stream(view_type);
        for (change, expected) in changes(&stream).into_iter().zip([insert, modify, remove, expiry]) {
            let before = stream.ring.lock().pinned_bytes;
            drop(stream.append([change], NOW));
            assert_eq!(stream.ring.lock().pinned_bytes - before, slot + expected, "{view_type}");
        }
        let ring = stream.ring.lock();
        let expected = size_of::<Stream>() + ring.pinned_bytes + (ring.slots.capacity() - 4) * slot;
        drop(ring);
        assert_eq!((stream.bytes(), stream.stats().bytes), (expected, expected));
        drop(stream.clear());
        assert_eq!(stream.bytes(), size_of::<Stream>());
    }
}

#[test]
fn the_bytes_bound_trims_but_leaves_the_newest_record() {
    let versions: Vec<_> = (0..20).map(|i| put("k", &format!("{i:0>1000}"))).collect();
    let one = size_of::<Slot>() + versions[0].footprint();
    let stream = bounded(0, 3 * one);
    for pair in versions.windows(2) {
        drop(stream.append(stream.change(Some(&pair[0]), &pair[1]), NOW));
        assert!(stream.ring.lock().pinned_bytes <= 3 * one);
    }
    let StreamStats { records, oldest, last, .. } = stream.stats();
    assert_eq!((records, oldest, last), (3, 17, 19));
    assert_eq!(stream.read(15, 9).unwrap_err(), Error::Trimmed { after: 15, oldest: 17 });

    let (large, small) = (put("k", &"x".repeat(10 * one)), put("k", "x"));
    drop(stream.append(stream.change(Some(&large), &small), NOW));
    assert_eq!(numbers(&stream.read(19, 9).unwrap()), [20]);
    assert_eq!(stream.read(18, 9).unwrap_err(), Error::Trimmed { after: 18, oldest: 20 });
    drop(stream.append(stream.change(None, &small), NOW));
    assert_eq!(numbers(&stream.read(20, 9).unwrap()), [21]);
}

#[test]
fn trimmed_versions_are_freed_with_the_garbage_and_not_before() {
    let probe = put("k", "0");
    let stream = bounded(1, 0);
    drop(stream.append(stream.change(None, &probe), NOW));
    let garbage = stream.append(stream.change(None, &put("other", "1")), NOW);
    assert!(garbage.first.as_ref().is_some_and(|slot| is_same(slot.change.new_image(), Some(&probe))));
    let mut all = Garbage::default();
    all.extend(garbage);
    all.extend(stream.clear());
    assert_eq!(all.rest.len(), 2);
}

#[test]
fn one_read_has_at_most_1000_records_and_1_mib_of_images_but_always_one() {
    let plenty = stream(StreamViewType::NewImage);
    fill(&plenty, 1500);
    let first = plenty.read(0, usize::MAX).unwrap();
    assert_eq!(numbers(&first), (1..=1000).collect::<Vec<_>>());
    assert_eq!(plenty.read(1000, usize::MAX).unwrap().len(), 500);
    assert_eq!(plenty.read(0, 130).unwrap().len(), 130);

    let large = stream(StreamViewType::NewImage);
    for i in 0..10 {
        let size = if i == 5 { 3 << 20 } else { 300 << 10 };
        let body = vec![0; size];
        drop(large.append(large.change(None, &Record::put(key(&format!("k{i}")), &body)), NOW));
    }
    let mut lengths = Vec::new();
    let mut after = 0;
    while let records = large.read(after, 100).unwrap()
        && let Some(last) = records.last()
    {
        lengths.push(records.len());
        after = last.sequence_number();
    }
    assert_eq!(lengths, [3, 2, 1, 3, 1]);
}

#[test]
fn clearing_tells_every_reader_even_one_that_had_read_everything() {
    let stream = stream(StreamViewType::KeysOnly);
    drop(stream.clear());
    assert_eq!(stream.read(0, 1).unwrap_err(), Error::Trimmed { after: 0, oldest: 2 });
    fill(&stream, 3);
    assert_eq!(numbers(&stream.read(1, 9).unwrap()), [2, 3, 4]);
    drop(stream.clear());
    let StreamStats { records, oldest, last, .. } = stream.stats();
    assert_eq!((records, oldest, last), (0, 6, 5));
    for after in [0, 3, 4] {
        assert_eq!(stream.read(after, 9).unwrap_err(), Error::Trimmed { after, oldest: 6 });
    }
    assert!(stream.read(5, 9).unwrap().is_empty());
    fill(&stream, 1);
    assert_eq!(numbers(&stream.read(5, 9).unwrap()), [6]);
}

#[test]
fn a_stream_in_the_place_of_another_goes_on_counting_behind_a_gap() {
    let first = stream(StreamViewType::KeysOnly);
    fill(&first, 4);
    let second = Stream::following(StreamOptions::new(StreamViewType::NewImage), first.stats().last).unwrap();
    assert_eq!(second.read(4, 9).unwrap_err(), Error::Trimmed { after: 4, oldest: 6 });
    fill(&second, 1);
    assert_eq!(numbers(&second.read(5, 9).unwrap()), [6]);
    assert_eq!(second.view_type(), StreamViewType::NewImage);
    assert!(Stream::following(StreamOptions::new(StreamViewType::NewImage), u64::MAX).is_ok());
}

#[test]
fn options_are_checked() {
    let with = |capacity| Stream::new(StreamOptions { capacity, ..StreamOptions::new(StreamViewType::KeysOnly) });
    assert_eq!(with(0).unwrap().capacity, STREAM_CAPACITY);
    assert!(with(1).is_ok() && with(STREAM_CAPACITY_LIMIT).is_ok());
    for capacity in [STREAM_CAPACITY_LIMIT + 1, usize::MAX] {
        assert!(matches!(with(capacity), Err(Error::Invalid(_))));
    }
    assert!(with(STREAM_CAPACITY_LIMIT).unwrap().bytes() < 1024, "nothing is allocated before it is used");
}

#[test]
fn view_types_are_read_by_their_names_alone() {
    for view_type in StreamViewType::ALL {
        assert_eq!(view_type.name().parse(), Ok(view_type));
    }
    for name in ["", "KEYS", "keys_only", " KEYS_ONLY", "NEW_AND_OLD_IMAGES\0", "NEW_IMAGE,OLD_IMAGE"] {
        let error = name.parse::<StreamViewType>().unwrap_err();
        assert!(matches!(error, Error::Invalid(_)) && error.to_string().contains("NEW_AND_OLD_IMAGES"), "{name}");
    }
    assert!("x".repeat(1 << 20).parse::<StreamViewType>().unwrap_err().to_string().len() < 200);
}

/// Random appends under random bounds, next to a plain list of everything that was ever appended.
#[test]
fn random_appends_and_reads_agree_with_a_plain_list() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (capacity, max_bytes) = (random.usize(1..12), random.usize(1..6000));
        let stream = bounded(capacity, max_bytes);
        let mut all: Vec<(String, usize)> = Vec::new();
        for _ in 0..200 {
            let mut changes = Vec::new();
            for _ in 0..random.usize(0..4) {
                let (old, new) = (put("k", &"o".repeat(random.usize(0..800))), format!("n{}", all.len()));
                all.push((new.clone(), size_of::<Slot>() + old.footprint()));
                changes.extend(stream.change(Some(&old), &put("k", &new)));
            }
            drop(stream.append(changes, NOW));
            // Kept: the longest tail within both bounds, but one record at least.
            let mut bytes = 0;
            let fits = all.iter().rev().take(capacity).take_while(|(_, size)| {
                bytes += size;
                bytes <= max_bytes
            });
            let kept = fits.count().max(usize::from(!all.is_empty()));
            let oldest = all.len() - kept + 1;
            for after in 0..all.len() + 3 {
                let found = stream.read(after as u64, READ_MAX_RECORDS);
                if after + 1 < oldest {
                    let error = Error::Trimmed { after: after as u64, oldest: oldest as u64 };
                    assert_eq!(found.unwrap_err(), error, "seed {seed}");
                    continue;
                }
                let found = found.unwrap();
                let expected = all.get(after..).unwrap_or_default();
                assert_eq!(found.len(), expected.len(), "seed {seed}");
                for (i, (record, (text, _))) in found.iter().zip(expected).enumerate() {
                    assert_eq!(record.sequence_number(), (after + i + 1) as u64, "seed {seed}");
                    let item = record.new_image().unwrap().item();
                    assert_eq!(item.get("t").unwrap().as_str(), Some(text.as_str()), "seed {seed}");
                }
            }
        }
    }
}
