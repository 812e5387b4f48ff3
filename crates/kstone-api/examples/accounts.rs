//! Measures what accounts cost: creating a table, the memory of empty tables, and what takes all tables at one moment.
//!
//! ```text
//! cargo run --release --package kstone-api --example accounts
//! cargo run --release --package kstone-api --example accounts -- 100 10000      tables, items of each
//! ```
//! Times are the least of several runs, so that what else the machine does shows as little as possible. A fork is timed
//! twice: of tables that were all written to since they were shared last, stripe for stripe, and of tables that were not.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kstone_api::{Account, ItemBuilder, KeyType, Result, TableSchema};

const RUNS: usize = 21;
const EMPTY_TABLES: usize = 1000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a whole number"));
    let (tables, items) = (arguments.next().unwrap_or(100), arguments.next().unwrap_or(10_000));
    create(EMPTY_TABLES)?;
    let account = filled(tables, items)?;
    println!("{tables} tables of {items} items each");
    let written = least(|| write_everywhere(&account, items), || account.fork())?;
    println!("  fork, all stripes written before     {:>10.1} µs", micros(written));
    let shared = least(|| Ok(()), || account.fork())?;
    println!("  fork, nothing written before         {:>10.1} µs", micros(shared));
    let view = least(|| Ok(()), || account.view())?;
    println!("  view, nothing written before         {:>10.1} µs", micros(view));
    let fork_of_one = least(|| Ok(()), || account.table(&name(0))?.fork())?;
    println!("  fork of one table                    {:>10.1} µs", micros(fork_of_one));
    let write = account.fork()?;
    let first_write = least(|| Ok(()), || write.table(&name(0))?.put_item(item(0, 1)))?;
    println!("  a put in a table of a fork           {:>10.1} µs", micros(first_write));
    Ok(())
}

/// Creates empty tables, and says what that costs.
fn create(tables: usize) -> Result<()> {
    let mut best = Duration::MAX;
    let mut bytes = usize::MAX;
    for _ in 0..RUNS {
        let account = Account::create_in_memory();
        let (before, begin) = (resident_bytes(), Instant::now());
        for at in 0..tables {
            account.create_table(schema(at))?;
        }
        best = best.min(begin.elapsed());
        bytes = bytes.min(resident_bytes().saturating_sub(before)).max(1);
        // The next run must not find its memory.
        std::mem::forget(account);
    }
    println!("{tables} empty tables");
    println!("  creating one                         {:>10.1} µs", micros(best) / tables as f64);
    println!("  resident memory of all               {:>10.2} MiB", bytes as f64 / f64::from(1 << 20));
    Ok(())
}

fn filled(tables: usize, items: usize) -> Result<Account> {
    let account = Account::create_in_memory();
    for at in 0..tables {
        let table = account.create_table(schema(at))?;
        for id in 0..items {
            table.put_item(item(id, 0))?;
        }
    }
    Ok(account)
}

/// Writes to every stripe of every table, as far as so many items lie in all of them.
fn write_everywhere(account: &Account, items: usize) -> Result<()> {
    for table in account.table_names() {
        let table = account.table(&table)?;
        for id in 0..items.min(2000) {
            table.put_item(item(id, 1))?;
        }
    }
    Ok(())
}

/// The least time that this took, prepared each time before; what it gave is dropped after the time.
fn least<T>(prepare: impl Fn() -> Result<()>, run: impl Fn() -> Result<T>) -> Result<Duration> {
    let mut least = Duration::MAX;
    for _ in 0..RUNS {
        prepare()?;
        let begin = Instant::now();
        let given = black_box(run()?);
        least = least.min(begin.elapsed());
        drop(given);
    }
    Ok(least)
}

fn name(at: usize) -> String {
    format!("table{at:04}")
}

fn schema(at: usize) -> TableSchema {
    TableSchema::new().name(name(at)).partition_key("id", KeyType::N)
}

fn item(id: usize, n: u64) -> kstone_api::Item {
    ItemBuilder::new().number("id", id as u64).number("n", n).build()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// What the process has in memory, where the system says so.
fn resident_bytes() -> usize {
    const PAGE_BYTES: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.as_deref().and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    resident.unwrap_or(0) * PAGE_BYTES
}
