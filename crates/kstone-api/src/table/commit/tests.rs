use std::sync::Arc;

use kstone_core::key::{KeyRef, StripeId};

use crate::clock::ClockSource;
use crate::table::Table;
use crate::table::state::TableState;
use crate::{Account, DatabaseOptions, GlobalSecondaryIndex, ItemBuilder, KeyType, Query, Result, TableSchema, Write};

fn schema(name: &str) -> TableSchema {
    let schema = TableSchema::new().name(name).partition_key("id", KeyType::S);
    schema.add_global_index(GlobalSecondaryIndex::new("by-colour", "colour"))
}

fn put(id: &str) -> Write {
    Write::put(id.as_bytes(), ItemBuilder::new().string("colour", "red").string("town", "Rome").build())
}

/// The stripe of the entry of an item of that colour.
fn entry_stripe(table: &Table) -> Result<StripeId> {
    table.write(put("probe"))?;
    let entries = table.state().present_entries(&table.get_record(b"probe", b"")?.expect("put"));
    table.delete(b"probe")?;
    Ok(entries[0].key_ref().stripe())
}

/// The schema of one of two tables changes after both have decided and before all locks are held: both decide anew.
#[test]
fn a_schema_that_changes_while_a_commit_waits_for_its_locks_has_all_decided_anew() -> Result<()> {
    // With a memory limit it is decided before the locks are taken.
    let options = DatabaseOptions { memory_max_bytes: 32 << 20, ..DatabaseOptions::default() };
    let account = Account::create_in_memory_with(options, ClockSource::default());
    let (one, two) = (account.create_table(schema("one"))?, account.create_table(schema("two"))?);
    let stripe = entry_stripe(&two)?;
    let names: Vec<String> = (0..100_000).map(|name| format!("name-{name}")).collect();
    let key = names.iter().map(|name| KeyRef::new(name.as_bytes(), b"").expect("valid"));
    let key = key.into_iter().find(|key| key.stripe() == stripe).expect("one of so many");
    std::thread::scope(|scope| -> Result<()> {
        // The lock of the entry's stripe is held: the items can be read, and nothing can be written.
        let writing = two.engine().commit(&[key], |_| {
            let state = two.state();
            let looked_up = Arc::strong_count(&state);
            let writing = scope.spawn(|| account.transact_write(&[("two", put("a")), ("one", put("a"))]));
            while Arc::strong_count(&state) == looked_up {
                std::thread::yield_now();
            }
            let by_town = schema("two").add_global_index(GlobalSecondaryIndex::new("by-town", "town"));
            two.install(Arc::new(TableState::following(by_town, Some(&state), 0)?));
            Ok::<_, crate::Error>((Vec::new(), writing))
        })?;
        writing.join().expect("no panic")
    })?;
    assert_eq!(two.query(Query::new().index("by-town").partition_key(b"Rome"))?.count, 1);
    for table in [&one, &two] {
        assert_eq!(table.query(Query::new().index("by-colour").partition_key(b"red"))?.count, 1);
    }
    Ok(())
}
