//! What a write allocates, counted from where its expressions are bound.

#![expect(unsafe_code, reason = "an allocator that counts is one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use super::*;
use crate::Database;
use crate::expression::ReturnValues;
use crate::{
    GlobalSecondaryIndex, Item, ItemBuilder, KeystoneValue, LocalSecondaryIndex, Projection, TableSchema, Write,
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

/// What most of these writes allocate each: structures that hold many records grow now and then.
fn usual_allocations(db: &Database, settle: Settle, writes: impl Fn(u32) -> Vec<Write>) -> Result<usize> {
    let mut counts = Vec::new();
    for i in 0..300 {
        let writes = writes(i);
        let prepared = writes.iter().map(|write| write.prepare(db.expressions())).collect::<Result<Vec<_>>>()?;
        let before = ALLOCATIONS.get();
        let returned = db.commit_prepared(&prepared, settle)?;
        counts.push(ALLOCATIONS.get() - before);
        drop(returned);
    }
    counts.sort_unstable();
    Ok(counts[counts.len() / 2])
}

fn one(db: &Database, write: impl Fn(u32) -> Write) -> Result<usize> {
    usual_allocations(db, Settle::FirstError, |i| vec![write(i)])
}

fn item(i: u32) -> Item {
    let numbers = ItemBuilder::new().number("a", i % 3).number("b", i % 2).number("c", 7).number("n", i);
    let inner = ItemBuilder::new().number("deep", i).string("other", "o").build();
    numbers.string("words", "x".repeat(900)).map("m", inner).build()
}

fn filled(schema: TableSchema) -> Result<Database> {
    let db = Database::create_in_memory_with_schema(schema)?;
    (0..2000_u32).try_for_each(|i| db.put_with_sk(b"p", &i.to_be_bytes(), item(i)))?;
    Ok(db)
}

/// A new item in the stripe of the others, as every write here: its structures have grown.
fn insert(i: u32) -> Write {
    Write::put(b"p", item(i)).sort_key(&(u64::from(i) + (1 << 40)).to_be_bytes())
}

fn replace(i: u32, item: Item) -> Write {
    Write::put(b"p", item).sort_key(&i.to_be_bytes())
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
        assert_eq!(one(&db, insert)?, 1 + indexes, "{indexes} indexes");
        // The same keys in the indexes, other items: entries are exchanged.
        let changed = |i| replace(i, item(i).into_iter().chain(Some(more(i))).collect());
        assert_eq!(one(&db, changed)?, 1 + indexes, "{indexes} indexes");
    }
    let keys = GlobalSecondaryIndex::new("keys", "a").projection(Projection::KeysOnly);
    let db = filled(TableSchema::new().add_global_index(keys).add_local_index(LocalSecondaryIndex::new("local", "b")))?;
    assert_eq!(one(&db, insert)?, 3);
    // What KEYS_ONLY shows stays as it is.
    let changed = |i| replace(i, item(i).into_iter().chain(Some(more(i))).collect());
    assert_eq!(one(&db, changed)?, 2);
    Ok(())
}

fn more(i: u32) -> (String, KeystoneValue) {
    ("more".to_owned(), KeystoneValue::number(i))
}

#[test]
fn a_condition_allocates_nothing() -> Result<()> {
    let db = filled(TableSchema::new())?;
    assert_eq!(one(&db, |i| insert(i).condition("attribute_not_exists(pk)"))?, 1);
    let replace = |i| replace(i, item(i + 1)).condition("n < :n AND size(words) > :zero");
    let values = |write: Write| write.value(":n", KeystoneValue::number(5000)).value(":zero", KeystoneValue::number(0));
    assert_eq!(one(&db, |i| values(replace(i)))?, 1);
    let with_old = |i| values(replace(i)).return_values(ReturnValues::AllOld);
    assert_eq!(one(&db, with_old)?, 1, "the old item is shared");
    Ok(())
}

#[test]
fn an_update_allocates_the_new_item_and_what_it_returns() -> Result<()> {
    let db = filled(TableSchema::new())?;
    let update = |text: &'static str| {
        move |i: u32| {
            let update = Write::update(b"p", text).sort_key(&i.to_be_bytes());
            update.value(":one", KeystoneValue::number(1))
        }
    };
    for text in
        ["SET n = n + :one", "ADD n :one", "SET m.deep = m.deep - :one", "SET fresh = :one, c = if_not_exists(d, :one)"]
    {
        assert_eq!(one(&db, update(text))?, 1, "{text}");
    }
    for (values, returned) in [(ReturnValues::AllOld, 0), (ReturnValues::AllNew, 0)] {
        let returning = |i| update("SET n = n + :one")(i).return_values(values);
        assert_eq!(one(&db, returning)?, 1 + returned, "{values:?}");
    }
    Ok(())
}

/// Text, bag and key of a lent write stay where they are.
#[test]
fn a_lent_write_allocates_the_new_item_alone() -> Result<()> {
    let db = filled(TableSchema::new())?;
    let mut bag = crate::ItemWriter::new();
    bag.set_i64(":one", 1)?;
    let body = bag.finish().to_vec();
    let bag = kstone_core::item::ItemRef::new(&body);
    let mut counts = Vec::new();
    for i in 0..300_u32 {
        let sk = i.to_be_bytes();
        let update = crate::LentWrite::update(b"p", &sk, "SET n = n + :one").condition("n >= :one OR n < :one");
        for write in [update.parameters(bag), crate::LentWrite::put(b"p", &sk, &body).condition("n > m.deep")] {
            let before = ALLOCATIONS.get();
            drop(write.run(&db)?);
            counts.push(ALLOCATIONS.get() - before);
        }
    }
    counts.sort_unstable();
    assert_eq!(counts[counts.len() / 2], 1);
    Ok(())
}

#[test]
fn a_transaction_allocates_its_records_and_a_few_lists_where_it_is_long() -> Result<()> {
    let db = filled(TableSchema::new())?;
    let puts = |count: u32| move |i: u32| (0..count).map(|at| insert(count * i + at)).collect();
    for (count, lists) in [(1, 0), (INLINE_WRITES as u32, 0), (16, 12), (100, 40)] {
        let allocations = usual_allocations(&db, Settle::EveryReason, puts(count))?;
        assert!(allocations >= count as usize && allocations <= count as usize + lists, "{allocations} for {count}");
    }
    Ok(())
}
