//! The workloads that need no records of the run: flushes of small databases, items, JSON.
//!
//! JSON and items are compared with `serde_json::Value`, which builds a tree of the same attributes and frees it.

use std::hint::black_box;

use serde_json::{Map, Value as Json};

use crate::clock::{Elapsed, time};
use crate::data::{Shape, value_of};
use crate::peers::kstone::{BuiltItem, Kstone};
use crate::runner::{Measure, Measurement};
use crate::store::Result;
use crate::workload::Workload;

/// How many records a measured flush turns into a sorted run.
const FLUSHED_RECORDS: usize = 1_000;
/// More than that, so that nothing is flushed before it is asked for.
const MEMTABLE_MAX_RECORDS: u64 = 4_000;
/// How many databases one measurement flushes; their median counts.
const FLUSHES: usize = 101;
/// How often an item is built or a text is read in one measurement.
const REPEATS: u32 = 100_000;
/// How many stripes a kstone database has.
const STRIPES: u32 = 256;

/// An order with an address and three lines, as an application might store it.
const DOCUMENT: &str = r#"{"address":{"city":"Utrecht","street":"Oudegracht 231","zip":"3511 NK"},"customer":"c-204871","delivered":false,"lines":[{"amount":2,"price":19.95,"sku":"A-1001"},{"amount":1,"price":4.5,"sku":"B-2040"},{"amount":12,"price":0.99,"sku":"C-0007"}],"note":"Leave it with the neighbours at number 233, please.","ordered":"2024-05-17T09:31:22Z","priority":3,"tags":["gift","express"],"total":56.28,"weight":1.25}"#;

/// kstone's calls.
pub(crate) struct KstoneCalls;

impl Measure for KstoneCalls {
    fn measure(&mut self, workload: Workload) -> Result<Option<Measurement>> {
        match workload {
            Workload::FlushPartition => median_flush(|i| (*b"one partition...", i as u64)).map(Some),
            Workload::FlushStripe => {
                let keys = keys_of_one_stripe();
                median_flush(|i| (keys[i], 0)).map(Some)
            }
            Workload::FlushSpread => median_flush(|i| (partition_key(i), 0)).map(Some),
            Workload::ItemBuild => {
                let text = str::from_utf8(value_of(&[0; 16]))?;
                Ok(Some(repeated(|| BuiltItem::new().set_str("v", black_box(text)))))
            }
            Workload::ItemBuildTen => Ok(Some(repeated(build_item))),
            Workload::JsonIn => Ok(Some(repeated(|| drop(BuiltItem::from_json(black_box(DOCUMENT)))))),
            Workload::JsonOut => {
                let item = BuiltItem::from_json(DOCUMENT);
                Ok(Some(repeated(|| {
                    item.with_json(|text| black_box(text.len()));
                })))
            }
            _ => Ok(None),
        }
    }
}

/// The same with `serde_json::Value`.
pub(crate) struct SerdeJson;

impl Measure for SerdeJson {
    fn measure(&mut self, workload: Workload) -> Result<Option<Measurement>> {
        match workload {
            Workload::ItemBuild => {
                let text = str::from_utf8(value_of(&[0; 16]))?;
                Ok(Some(repeated(|| {
                    let mut map = Map::new();
                    map.insert("v".into(), black_box(text).into());
                    drop(black_box(map));
                })))
            }
            Workload::ItemBuildTen => Ok(Some(repeated(build_map))),
            Workload::JsonIn => Ok(Some(repeated(|| {
                let value: Json = serde_json::from_str(black_box(DOCUMENT)).expect("the document is JSON");
                drop(black_box(value));
            }))),
            Workload::JsonOut => {
                let value: Json = serde_json::from_str(DOCUMENT)?;
                Ok(Some(repeated(|| {
                    let text = serde_json::to_string(&value).expect("the document can be written");
                    black_box(text.len());
                })))
            }
            _ => Ok(None),
        }
    }
}

fn build_item() {
    let mut item = BuiltItem::new();
    item.set_str("city", black_box("Utrecht"));
    item.set_str("customer", black_box("c-204871"));
    item.set_bool("delivered", black_box(false));
    item.set_i64("lines", black_box(3));
    item.set_str("note", black_box("Leave it with the neighbours at number 233, please."));
    item.set_str("ordered", black_box("2024-05-17T09:31:22Z"));
    item.set_i64("priority", black_box(3));
    item.set_str("street", black_box("Oudegracht 231"));
    item.set_i64("total", black_box(5628));
    item.set_str("zip", black_box("3511 NK"));
}

fn build_map() {
    let mut map = Map::new();
    map.insert("city".into(), black_box("Utrecht").into());
    map.insert("customer".into(), black_box("c-204871").into());
    map.insert("delivered".into(), black_box(false).into());
    map.insert("lines".into(), black_box(3).into());
    map.insert("note".into(), black_box("Leave it with the neighbours at number 233, please.").into());
    map.insert("ordered".into(), black_box("2024-05-17T09:31:22Z").into());
    map.insert("priority".into(), black_box(3).into());
    map.insert("street".into(), black_box("Oudegracht 231").into());
    map.insert("total".into(), black_box(5628).into());
    map.insert("zip".into(), black_box("3511 NK").into());
    drop(black_box(map));
}

fn repeated(mut call: impl FnMut()) -> Measurement {
    // Once before the clock runs, so that what a thread allocates once is there.
    call();
    let ((), elapsed) = time(|| (0..REPEATS).for_each(|_| call()));
    elapsed.measured(|time| time.as_secs_f64() * 1e9 / f64::from(REPEATS))
}

/// Fills one database after another with records (a pk, and a number that scrambled is the sk; 0 is none) and times
/// the flush of each.
fn median_flush(key: impl Fn(usize) -> ([u8; 16], u64)) -> Result<Measurement> {
    let mut order: Vec<usize> = (0..FLUSHED_RECORDS).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut order);
    let mut times: Vec<Elapsed> = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let db = Kstone::with_memtable(MEMTABLE_MAX_RECORDS, Shape::Points)?;
        for &i in &order {
            let (pk, number) = key(i);
            let sk = number.to_be_bytes();
            db.put_record(&pk, if number == 0 { &[] } else { &sk }, value_of(&pk));
        }
        times.push(time(|| db.flush()).1);
    }
    let median = Elapsed::median(&times).ok_or("nothing was flushed")?;
    Ok(median.measured(|time| time.as_secs_f64() * 1e6))
}

fn partition_key(i: usize) -> [u8; 16] {
    let mut key = *b"partition.......";
    key[12..].copy_from_slice(&u32::try_from(i).expect("there are few").to_be_bytes());
    key
}

/// Partition keys that all lie in the stripe of the first. The stripe is the CRC-32 of the pk modulo 256.
fn keys_of_one_stripe() -> Vec<[u8; 16]> {
    let stripe = |key: &[u8; 16]| crc32fast::hash(key) % STRIPES;
    let first = stripe(&partition_key(0));
    (0..).map(partition_key).filter(|key| stripe(key) == first).take(FLUSHED_RECORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_stripe_are_distinct() {
        let keys = keys_of_one_stripe();
        let distinct: std::collections::HashSet<&[u8; 16]> = keys.iter().collect();
        assert_eq!(distinct.len(), FLUSHED_RECORDS);
    }

    #[test]
    fn kstone_and_serde_json_write_the_same_document() {
        let written = BuiltItem::from_json(DOCUMENT).with_json(<[u8]>::to_vec);
        let ours: Json = serde_json::from_slice(&written).expect("kstone writes JSON");
        let theirs: Json = serde_json::from_str(DOCUMENT).expect("the document is JSON");
        assert_eq!(ours, theirs);
    }
}
