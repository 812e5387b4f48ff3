//! Which streams are known, and for how long.

use kstone_api::{Account, ItemBuilder, KeyType, StreamViewType, TableSchema};

use super::*;

const NOW: i64 = 1_786_440_600;

fn table(account: &Account, name: &str) -> Table {
    let schema = TableSchema::new().name(name).partition_key("pk", KeyType::S).with_stream(StreamViewType::KeysOnly);
    account.create_table(schema).unwrap()
}

fn open(streams: &Streams, table: &Table, name: &str, millis: i64) -> StreamName {
    let layout = table.schema().key_layout().unwrap().unwrap();
    StreamName { table: name.into(), label: streams.opened(table, name, &layout, millis).into() }
}

fn end(streams: &Streams, table: &Table, name: &str, now: i64) {
    streams.ended(name, table.change_stream().unwrap(), now * 1000);
}

#[test]
fn a_stream_that_has_ended_is_known_for_a_day() {
    let (account, streams) = (Account::create_in_memory(), Streams::new("r", "1"));
    let one = table(&account, "one");
    let first = open(&streams, &one, "one", NOW * 1000);
    end(&streams, &one, "one", NOW);
    let second = open(&streams, &one, "one", NOW * 1000);
    assert!(first < second, "labels of one millisecond differ");
    assert_eq!(streams.after(None, Some("one"), (10, NOW)), [first.clone(), second.clone()]);
    assert_eq!(streams.get(&first, NOW).unwrap().ended(), Some(NOW));
    assert_eq!(streams.get(&second, NOW).unwrap().ended(), None);
    assert!(streams.get(&first, NOW + RETENTION_SECONDS).is_some());
    assert!(streams.get(&first, NOW + RETENTION_SECONDS + 1).is_none());
    assert_eq!(streams.after(None, None, (10, NOW + RETENTION_SECONDS + 1)), [second]);
}

#[test]
fn streams_are_listed_in_order_and_from_any_place() {
    let (account, streams) = (Account::create_in_memory(), Streams::new("r", "1"));
    let names: Vec<StreamName> = ["bbb", "aaa", "ccc"]
        .into_iter()
        .map(|name| open(&streams, &table(&account, name), name, NOW * 1000))
        .collect();
    let [b, a, c] = <[StreamName; 3]>::try_from(names).unwrap();
    assert_eq!(streams.after(None, None, (2, NOW)), [a.clone(), b.clone()]);
    assert_eq!(streams.after(Some(&b), None, (2, NOW)), std::slice::from_ref(&c));
    let between = StreamName { table: "aab".into(), label: "x".into() };
    assert_eq!(streams.after(Some(&between), None, (9, NOW)), [b.clone(), c.clone()]);
    assert_eq!(streams.after(Some(&a), Some("ccc"), (9, NOW)), [c]);
    assert_eq!(streams.name_in(&streams.arn(&b)), Some(b));
}

#[test]
fn streams_that_have_ended_are_bounded_in_number_and_in_bytes() {
    let (account, streams) = (Account::create_in_memory(), Streams::new("r", "1"));
    let small = table(&account, "small");
    for at in 0..ENDED_MAX as i64 + 5 {
        open(&streams, &small, "small", NOW * 1000 + at);
        end(&streams, &small, "small", NOW);
    }
    assert_eq!(streams.known.read().len(), ENDED_MAX);

    let schema = TableSchema::new().name("large").partition_key("pk", KeyType::S).with_stream(StreamViewType::OldImage);
    let large = account.create_table(schema).unwrap();
    for round in 0..3 {
        open(&streams, &large, "large", NOW * 1000 + round);
        for at in 0..120 {
            let text = format!("{round}{}", "x".repeat(390_000));
            large.put_item(ItemBuilder::new().string("pk", format!("{at}")).string("t", text).build()).unwrap();
        }
        end(&streams, &large, "large", NOW + 1 + round);
    }
    let held: usize = streams.known.read().values().map(|stream| stream.records().unwrap().bytes()).sum();
    assert!(held <= 2 * STREAM_MAX_BYTES, "{held}");
    let left = streams.after(None, None, (usize::MAX, NOW));
    assert!(left.iter().any(|name| *name.table == *"large"), "the last one stays");
}

#[test]
fn a_fork_has_its_own_streams_and_what_had_ended() {
    let (account, streams) = (Account::create_in_memory(), Streams::new("r", "1"));
    let (kept, gone) = (table(&account, "kept"), table(&account, "gone"));
    let kept_name = open(&streams, &kept, "kept", NOW * 1000);
    let gone_name = open(&streams, &gone, "gone", NOW * 1000);
    gone.put_item(ItemBuilder::new().string("pk", "a").build()).unwrap();
    end(&streams, &gone, "gone", NOW);
    account.drop_table("gone").unwrap();
    let fork = account.fork().unwrap();
    let forked = streams.forked(|name| fork.table(name).ok());
    kept.put_item(ItemBuilder::new().string("pk", "a").build()).unwrap();
    let records =
        |streams: &Streams, name: &StreamName| streams.get(name, NOW).unwrap().records().unwrap().stats().records;
    assert_eq!((records(&streams, &kept_name), records(&forked, &kept_name)), (1, 0));
    assert_eq!((records(&streams, &gone_name), records(&forked, &gone_name)), (1, 1));
}
