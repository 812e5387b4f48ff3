//! Changing the schema while others write: what readers of the stream are promised.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, Result, Scan, StreamSpecification, StreamViewType,
    TableSchema,
};

/// A reader of the stream that replays it: the numbers it got, and how often it was told of a gap.
#[derive(Default)]
struct Reader {
    after: u64,
    table: BTreeMap<Vec<u8>, Item>,
    gaps: usize,
}

impl Reader {
    /// Reads what there is; whether there was anything.
    fn read(&mut self, db: &Database) -> Result<bool> {
        let records = match db.read_stream(self.after, 1000) {
            Err(Error::Trimmed { oldest, after }) => {
                assert!(after == self.after && oldest > self.after + 1, "a gap is one: {after}, {oldest}");
                self.gaps += 1;
                // What it missed it reads from the table: what is there now is at most newer.
                self.after = oldest - 1;
                self.table = db.iter_scan(&Scan::new())?.map(|r| (r.pk().to_vec(), r.item().to_item())).collect();
                return Ok(true);
            }
            // Between two streams.
            Err(Error::Invalid(_)) => return Ok(false),
            other => other?,
        };
        for record in &records {
            assert_eq!(record.sequence_number(), self.after + 1, "every number once and in order");
            self.after += 1;
            match record.new_image() {
                Some(image) => self.table.insert(record.pk().to_vec(), image.item().to_item()),
                None => self.table.remove(record.pk()),
            };
        }
        Ok(!records.is_empty())
    }
}

fn schema(round: usize) -> TableSchema {
    let schema = match round % 4 {
        // The same stream, another index.
        0 | 1 => TableSchema::new().with_stream(StreamViewType::NewImage),
        2 => {
            TableSchema::new().with_stream(StreamSpecification::new(StreamViewType::NewAndOldImages).capacity(1 << 20))
        }
        _ => TableSchema::new(),
    };
    if round.is_multiple_of(2) { schema } else { schema.add_global_index(GlobalSecondaryIndex::new("by-n", "n")) }
}

#[test]
fn a_stream_that_is_configured_under_writes_loses_nothing_silently() -> Result<()> {
    let db = Database::create_in_memory_with_schema(schema(0))?;
    let (done, mut reader) = (AtomicBool::new(false), Reader::default());
    std::thread::scope(|scope| -> Result<()> {
        for thread in 0..3_u8 {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                for i in 0_i64.. {
                    let key = [thread, (i % 40) as u8];
                    let written = match i % 5 {
                        0 => db.delete(&key),
                        _ => db.put(&key, ItemBuilder::new().number("n", i).build()),
                    };
                    written.expect("written");
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        for round in 1..=60_usize {
            db.configure(schema(round))?;
            // One write under each schema, whatever the other threads get to do meanwhile.
            db.put(&[9], ItemBuilder::new().number("n", round as i64).build())?;
            for _ in 0..5 {
                reader.read(&db)?;
            }
        }
        done.store(true, Ordering::Relaxed);
        Ok(())
    })?;
    while reader.read(&db)? {}
    assert!(reader.gaps > 0, "streams came and went");
    let table: BTreeMap<_, _> = db.iter_scan(&Scan::new())?.map(|r| (r.pk().to_vec(), r.item().to_item())).collect();
    assert_eq!(reader.table, table, "replayed, the stream gives the table");
    Ok(())
}
