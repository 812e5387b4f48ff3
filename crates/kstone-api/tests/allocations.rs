//! A write allocates what it stores, and nothing else.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait's implementation")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use kstone_api::expression::ReturnValues;
use kstone_api::{
    Database, GlobalSecondaryIndex, ItemRef, ItemWriter, KeystoneValue, LentWrite, LocalSecondaryIndex, OperationList,
    Projection, Result, TableSchema, Type, ValueRef, WriteRun, WriteTemplate,
};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator with a count for each thread.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What most of these runs allocate each: structures that hold many records grow now and then. `prepare` is not counted.
fn usual<T>(prepare: impl Fn(u32) -> Result<T>, run: impl Fn(&T) -> Result<()>) -> Result<usize> {
    let mut counts = Vec::new();
    for i in 0..300 {
        let prepared = prepare(i)?;
        let before = ALLOCATIONS.get();
        run(&prepared)?;
        counts.push(ALLOCATIONS.get() - before);
    }
    counts.sort_unstable();
    Ok(counts[counts.len() / 2])
}

/// A sort key and a body.
type Stored = (Vec<u8>, Vec<u8>);

/// What a put of such an item allocates.
fn of_puts(db: &Database, stored: impl Fn(u32) -> Result<Stored>) -> Result<usize> {
    usual(stored, |(sk, body)| db.put_body(b"p", sk, body))
}

/// The bag of a request.
fn bag(values: &[(&str, i64)]) -> Result<Vec<u8>> {
    let mut bag = ItemWriter::new();
    for (name, number) in values {
        bag.set_i64(name, *number)?;
    }
    Ok(bag.finish().to_vec())
}

fn body(i: u32, more: bool) -> Result<Vec<u8>> {
    let mut item = ItemWriter::new();
    for (name, number) in [("a", i % 3), ("b", i % 2), ("c", 7), ("n", i)] {
        item.set_i64(name, number.into())?;
    }
    if more {
        item.set_i64("more", i.into())?;
    }
    let inner = [("deep", KeystoneValue::number(i)), ("other", KeystoneValue::string("o"))];
    item.set_str("words", &"x".repeat(900))?.set_value("m", &KeystoneValue::map(inner))?;
    Ok(item.finish().to_vec())
}

fn filled(schema: TableSchema) -> Result<Database> {
    let db = Database::create_in_memory_with_schema(schema)?;
    (0..2000_u32).try_for_each(|i| db.put_body(b"p", &i.to_be_bytes(), &body(i, false)?))?;
    Ok(db)
}

/// A new item in the stripe of the others, as every write here: its structures have grown.
fn new(i: u32) -> Result<Stored> {
    Ok(((u64::from(i) + (1 << 40)).to_be_bytes().to_vec(), body(i, false)?))
}

/// An item that is there, with an attribute more.
fn changed(i: u32) -> Result<Stored> {
    Ok((i.to_be_bytes().to_vec(), body(i, true)?))
}

fn indexed(indexes: usize) -> TableSchema {
    let all = [("by-a", "a"), ("by-b", "b"), ("by-c", "c")];
    all[..indexes].iter().fold(TableSchema::new(), |schema, (name, attribute)| {
        schema.add_global_index(GlobalSecondaryIndex::new(*name, *attribute).sort_key("n"))
    })
}

#[test]
fn a_put_allocates_its_record_and_one_for_each_entry() -> Result<()> {
    for indexes in 0..=3 {
        let db = filled(indexed(indexes))?;
        assert_eq!(of_puts(&db, new)?, 1 + indexes, "{indexes} indexes");
        // The same keys in the indexes, other items: entries are exchanged.
        assert_eq!(of_puts(&db, changed)?, 1 + indexes, "{indexes} indexes");
    }
    let keys = GlobalSecondaryIndex::new("keys", "a").projection(Projection::KeysOnly);
    let db = filled(TableSchema::new().add_global_index(keys).add_local_index(LocalSecondaryIndex::new("local", "b")))?;
    assert_eq!(of_puts(&db, new)?, 3);
    // What KEYS_ONLY shows stays as it is.
    assert_eq!(of_puts(&db, changed)?, 2);
    Ok(())
}

/// An item that is there.
fn same(i: u32) -> Result<Stored> {
    Ok((i.to_be_bytes().to_vec(), body(i, false)?))
}

/// What is as long as before takes its place, unless it is so large that more than its bytes is kept with it.
#[test]
fn what_is_as_long_as_before_allocates_nothing() -> Result<()> {
    let db = Database::create_in_memory()?;
    let same = |i: u32| Ok((i.to_be_bytes().to_vec(), bag(&[("b", i64::from(i % 3)), ("c", 7)])?));
    (0..300).try_for_each(|i| same(i).and_then(|(sk, body)| db.put_body(b"p", &sk, &body)))?;
    assert_eq!(of_puts(&db, same)?, 0);
    let one = bag(&[(":one", 1)])?;
    let one = ItemRef::new(&one);
    let put = |(sk, body): &Stored| LentWrite::put(b"p", sk, body).condition("attribute_exists(pk)").run(&db).map(drop);
    assert_eq!(usual(same, put)?, 0);
    let update = |(sk, _): &Stored| LentWrite::update(b"p", sk, "SET c = :one").parameters(one).run(&db).map(drop);
    assert_eq!(usual(same, update)?, 0);
    let prepared = db.prepare_write(&WriteTemplate::update("SET b = :one"))?;
    let values = [ValueRef::from_parts(Type::N, b"1")];
    let run = |(sk, _): &Stored| prepared.run(&db, &WriteRun::of_key(b"p", sk).values(&values)).map(drop);
    assert_eq!(usual(same, run)?, 0);
    Ok(())
}

#[test]
fn a_condition_allocates_nothing() -> Result<()> {
    let db = filled(TableSchema::new())?;
    let insert =
        |(sk, body): &Stored| LentWrite::put(b"p", sk, body).condition("attribute_not_exists(pk)").run(&db).map(drop);
    assert_eq!(usual(new, insert)?, 1);
    let values = bag(&[(":n", 5000), (":zero", 0)])?;
    for returned in [ReturnValues::None, ReturnValues::AllOld] {
        let db = filled(TableSchema::new())?;
        let replace = |(sk, body): &Stored| {
            let put = LentWrite::put(b"p", sk, body).condition("n < :n AND size(words) > :zero");
            put.parameters(ItemRef::new(&values)).return_values(returned).run(&db).map(drop)
        };
        assert_eq!(usual(changed, replace)?, 1, "{returned:?}: the old item is shared");
    }
    Ok(())
}

#[test]
fn an_update_allocates_the_new_item_at_most() -> Result<()> {
    let one = bag(&[(":one", 1)])?;
    let updates = [
        "ADD fresh :one",
        "SET fresh = :one, c = if_not_exists(d, :one)",
        "SET m.fresh = m.deep - :one",
        "SET words = :one REMOVE c",
    ];
    for returned in [ReturnValues::None, ReturnValues::AllOld, ReturnValues::AllNew] {
        for text in updates {
            let db = filled(TableSchema::new())?;
            let update = |(sk, _): &Stored| {
                let update = LentWrite::update(b"p", sk, text).parameters(ItemRef::new(&one));
                update.return_values(returned).run(&db).map(drop)
            };
            assert_eq!(usual(same, update)?, 1, "{text}, {returned:?}");
        }
    }
    Ok(())
}

/// Next to the records: the list of what was prepared, and others where there are many.
#[test]
fn a_transaction_allocates_its_records_and_a_few_lists() -> Result<()> {
    let db = filled(TableSchema::new())?;
    let puts = |count: u32| {
        move |i: u32| {
            let mut list = OperationList::new();
            for at in 0..count {
                let (sk, body) = new(count * (1000 + i) + at)?;
                list.write(&LentWrite::put(b"p", &sk, &body))?;
            }
            Ok(list)
        }
    };
    let run = |list: &OperationList| db.transact_list(list).map(drop).map_err(|failed| failed.error);
    for (count, lists) in [(1, 1), (4, 1), (16, 12), (100, 40)] {
        let allocations = usual(puts(count), run)?;
        let records = count as usize;
        assert!((records..=records + lists).contains(&allocations), "{allocations} for {count}");
    }
    Ok(())
}

/// Its first operation allocates the memory of a few.
#[test]
fn a_list_keeps_keys_and_items_in_one_buffer() -> Result<()> {
    let item = bag(&[("n", 1)])?;
    let before = ALLOCATIONS.get();
    let mut list = OperationList::new();
    for pk in [b"a", b"b", b"c", b"d"] {
        list.write(&LentWrite::put(pk, b"", &item))?;
    }
    assert_eq!(ALLOCATIONS.get() - before, 2);
    Ok(())
}
