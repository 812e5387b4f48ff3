//! The Rust examples of the in-memory mode's specification, as they are printed there but for names that it leaves
//! undefined, which each module defines above its example. `Database::open` of a file is out of scope, so the hybrid
//! approach is not here; the CSV example reads a file of its own making.
#![expect(clippy::unwrap_used, clippy::needless_borrows_for_generic_args, reason = "examples are kept as printed")]
#![cfg_attr(rustfmt, rustfmt_skip)]

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

/// "Using the Rust API" and "Automatic Cleanup".
mod create {
    use super::AnyResult;
    use kstone_api::{Database, Item, ItemBuilder};

    fn item() -> Item {
        ItemBuilder::new().string("name", "Alice").build()
    }

    #[test]
    fn using_the_rust_api() -> AnyResult<()> {
        let item = item();
        // Create a simple in-memory database
        let db = Database::create_in_memory()?;

        // Use like any other database
        db.put(b"key1", item)?;
        let result = db.get(b"key1")?;
        assert_eq!(result, Some(self::item()));
        Ok(())
    }

    #[test]
    fn automatic_cleanup() -> AnyResult<()> {
        let item = item();
        {
            let db = Database::create_in_memory()?;
            db.put(b"key1", item)?;
            // Database exists and is usable here
        } // db is dropped, all memory is freed
        Ok(())
    }
}

/// "Unit Testing".
mod unit_testing {
    use kstone_api::{Database, ItemBuilder};

    #[test]
    fn test_user_registration() {
        // Each test gets a fresh, isolated database
        let db = Database::create_in_memory().unwrap();

        let user = ItemBuilder::new()
            .string("name", "Alice")
            .string("email", "alice@example.com")
            .number("created_at", 1704067200)
            .build();

        // Test registration logic
        db.put(b"user#123", user).unwrap();

        let result = db.get(b"user#123").unwrap();
        assert!(result.is_some());

        // Database is automatically cleaned up when test ends
    }

    #[test]
    fn test_user_deletion() {
        let db = Database::create_in_memory().unwrap();

        // Set up test data
        let user = ItemBuilder::new()
            .string("name", "Bob")
            .build();
        db.put(b"user#456", user).unwrap();

        // Test deletion
        db.delete(b"user#456").unwrap();
        assert!(db.get(b"user#456").unwrap().is_none());
    }
}

/// "Benchmarking and Performance Testing".
mod benchmarking {
    use kstone_api::{Database, ItemBuilder};
    use std::time::Instant;

    fn benchmark_writes(num_items: usize) {
        let db = Database::create_in_memory().unwrap();

        let start = Instant::now();

        for i in 0..num_items {
            let item = ItemBuilder::new()
                .number("value", i as i64)
                .build();

            db.put(format!("key#{}", i).as_bytes(), item).unwrap();
        }

        let duration = start.elapsed();
        let throughput = num_items as f64 / duration.as_secs_f64();

        println!("Write throughput: {:.2} ops/sec", throughput);
    }

    fn benchmark_reads(num_items: usize) {
        let db = Database::create_in_memory().unwrap();

        // Populate database
        for i in 0..num_items {
            let item = ItemBuilder::new()
                .number("value", i as i64)
                .build();
            db.put(format!("key#{}", i).as_bytes(), item).unwrap();
        }

        // Benchmark reads
        let start = Instant::now();

        for i in 0..num_items {
            db.get(format!("key#{}", i).as_bytes()).unwrap();
        }

        let duration = start.elapsed();
        let throughput = num_items as f64 / duration.as_secs_f64();

        println!("Read throughput: {:.2} ops/sec", throughput);
    }

    #[test]
    fn benchmarks_run() {
        benchmark_writes(1000);
        benchmark_reads(1000);
    }
}

/// "Caching Layer".
mod caching {
    use kstone_api::{Database, Item, ItemBuilder};
    use std::sync::Arc;

    struct CacheLayer {
        cache: Arc<Database>,
    }

    impl CacheLayer {
        fn new() -> Self {
            Self {
                cache: Arc::new(Database::create_in_memory().unwrap()),
            }
        }

        fn get_or_compute(&self, key: &[u8], compute_fn: impl Fn() -> Item) -> Item {
            // Check cache first
            if let Some(item) = self.cache.get(key).unwrap() {
                return item;
            }

            // Cache miss - compute value
            let item = compute_fn();

            // Store in cache
            self.cache.put(key, item.clone()).unwrap();

            item
        }

        fn invalidate(&self, key: &[u8]) {
            self.cache.delete(key).unwrap();
        }

        fn clear(&self) {
            // The printed body is a comment that asks for a way to clear all data; there is one.
            self.cache.clear().unwrap();
        }
    }

    #[test]
    fn cache_layer_computes_once_until_told_otherwise() {
        let layer = CacheLayer::new();
        let number = |n: i32| move || ItemBuilder::new().number("n", n).build();
        assert_eq!(layer.get_or_compute(b"k", number(1)), number(1)());
        assert_eq!(layer.get_or_compute(b"k", number(2)), number(1)());
        layer.invalidate(b"k");
        assert_eq!(layer.get_or_compute(b"k", number(2)), number(2)());
        layer.clear();
        assert_eq!(layer.get_or_compute(b"k", number(3)), number(3)());
    }
}

/// "MemoryWal Architecture", "MemorySst Architecture" and "MemorySstStore - Virtual File System".
mod lsm_parts {
    use super::AnyResult;
    use kstone_core::key::{Key, KeyRef};
    use kstone_core::record::Record;

    fn record(pk: &str) -> Record {
        Record::put(KeyRef::new(pk.as_bytes(), b"").unwrap(), b"")
    }

    #[test]
    fn memory_wal() -> AnyResult<()> {
        let (record1, record2) = (record("a"), record("b"));
        use kstone_core::memory_wal::MemoryWal;

        let wal = MemoryWal::create()?;

        // Append records
        let lsn1 = wal.append(record1)?;
        let lsn2 = wal.append(record2)?;

        // Read back
        let all_records = wal.read_all()?;
        assert_eq!(all_records.len(), 2);

        // Flush is a no-op (returns immediately)
        wal.flush()?;

        assert!(lsn1 < lsn2);
        Ok(())
    }

    #[test]
    fn memory_sst() -> AnyResult<()> {
        let (record1, record2, record3) = (record("1"), record("2"), record("3"));
        let key1 = Key::new("1");
        use kstone_core::memory_sst::MemorySstWriter;

        // Create writer
        let mut writer = MemorySstWriter::new();

        // Add records (any order)
        writer.add(record3);
        writer.add(record1);
        writer.add(record2);

        // Finish writing - sorts records and builds bloom filter
        let reader = writer.finish("test.sst")?;

        // Read records
        if let Some(record) = reader.get(&key1) {
            println!("Found: {:?}", record);
        }

        // Iterate all records (in sorted order)
        for record in reader.iter() {
            println!("{:?}", record);
        }

        assert!(reader.get(&key1).is_some());
        assert!(reader.iter().map(Record::pk).eq([b"1", b"2", b"3"]));
        Ok(())
    }

    #[test]
    fn memory_sst_store() -> AnyResult<()> {
        let (record, key) = (record("k"), Key::new("k"));
        use kstone_core::memory_sst::{MemorySstStore, MemorySstWriter};

        let store = MemorySstStore::new();

        // Create and store SST
        let mut writer = MemorySstWriter::new();
        writer.add(record);
        let sst = writer.finish("stripe-042-001.sst")?;
        store.store("stripe-042-001.sst", sst);

        // Retrieve later
        let mut found = false;
        if let Some(sst) = store.get("stripe-042-001.sst") {
            let record = sst.get(&key);
            found = record.is_some();
        }
        assert!(found);

        // Delete SST
        store.delete("stripe-042-001.sst");
        assert!(store.list_names().is_empty());
        Ok(())
    }
}

/// "Unit Test Patterns".
mod patterns {
    use kstone_api::{Database, ItemBuilder};

    #[test]
    fn test_feature() {
        let db = Database::create_in_memory().unwrap();

        // Test logic here
        assert_eq!(db.stats().unwrap().items, 0);

        // No cleanup needed - db dropped automatically
    }

    fn create_test_db() -> Database {
        let db = Database::create_in_memory().unwrap();

        // Populate with test data
        for i in 0..10 {
            let item = ItemBuilder::new()
                .number("id", i)
                .string("name", &format!("User {}", i))
                .build();
            db.put(format!("user#{}", i).as_bytes(), item).unwrap();
        }

        db
    }

    #[test]
    fn test_with_fixture() {
        let db = create_test_db();

        // Test operates on pre-populated database
        let result = db.get(b"user#5").unwrap();
        assert!(result.is_some());
    }

    #[test]
    fn test_multiple_scenarios() {
        let test_cases = vec![
            (b"user#1", "Alice", 30),
            (b"user#2", "Bob", 35),
            (b"user#3", "Carol", 28),
        ];

        for (key, name, age) in test_cases {
            let db = Database::create_in_memory().unwrap();

            let item = ItemBuilder::new()
                .string("name", name)
                .number("age", age)
                .build();

            db.put(key, item).unwrap();

            let result = db.get(key).unwrap().unwrap();
            assert_eq!(result.get("name").unwrap().as_string(), Some(name));
        }
    }
}

/// "Integration Test Patterns": multi-component testing.
mod multi_component {
    use kstone_api::{Database, Item, ItemBuilder, Query, Result};

    struct UserService {
        db: Database,
    }

    impl UserService {
        fn new(db: Database) -> Self {
            Self { db }
        }

        fn create_user(&self, name: &str, email: &str) -> Result<()> {
            let user = ItemBuilder::new().string("email", email).build();
            self.db.put(format!("user#{name}").as_bytes(), user)
        }
    }

    struct PostService {
        db: Database,
    }

    impl PostService {
        fn new(db: Database) -> Self {
            Self { db }
        }

        fn create_post(&self, author: &str, text: &str) -> Result<()> {
            let post = ItemBuilder::new().string("text", text).build();
            self.db.put_with_sk(format!("posts#{author}").as_bytes(), b"0001", post)
        }

        fn get_user_posts(&self, author: &str) -> Result<Vec<Item>> {
            let query = Query::new().partition_key(format!("posts#{author}").as_bytes()).build();
            Ok(self.db.query(query)?.items)
        }
    }

    #[test]
    fn test_application_workflow() {
        let db = Database::create_in_memory().unwrap();

        // Test complete workflow
        let user_service = UserService::new(db.clone());
        let post_service = PostService::new(db.clone());

        // Create user
        user_service.create_user("alice", "alice@example.com").unwrap();

        // Create post
        post_service.create_post("alice", "Hello world").unwrap();

        // Query posts
        let posts = post_service.get_user_posts("alice").unwrap();
        assert_eq!(posts.len(), 1);
    }
}

/// "Integration Test Patterns": concurrent testing.
mod concurrent {
    use kstone_api::{Database, ItemBuilder};

    #[test]
    fn test_concurrent_access() {
        use std::thread;
        use std::sync::Arc;

        let db = Arc::new(Database::create_in_memory().unwrap());

        let mut handles = vec![];

        // Spawn 10 threads, each writing 100 items
        for thread_id in 0..10 {
            let db = db.clone();
            let handle = thread::spawn(move || {
                for i in 0..100 {
                    let key = format!("thread#{}#item#{}", thread_id, i);
                    let item = ItemBuilder::new()
                        .number("thread_id", thread_id)
                        .number("item_id", i)
                        .build();

                    db.put(key.as_bytes(), item).unwrap();
                }
            });
            handles.push(handle);
        }

        // Wait for all threads
        for handle in handles {
            handle.join().unwrap();
        }

        // Verify all items written
        for thread_id in 0..10 {
            for i in 0..100 {
                let key = format!("thread#{}#item#{}", thread_id, i);
                let result = db.get(key.as_bytes()).unwrap();
                assert!(result.is_some());
            }
        }
    }
}

/// "Snapshot Testing".
mod snapshot_testing {
    use std::collections::HashMap;

    use kstone_api::{Database, ItemBuilder, KeystoneValue, Scan};

    fn populate_test_data(db: &Database) {
        db.put(b"user#1", ItemBuilder::new().string("name", "Alice").number("age", 30).build()).unwrap();
    }

    fn load_expected_snapshot(name: &str) -> Vec<HashMap<String, KeystoneValue>> {
        assert_eq!(name, "test_data_v1.json");
        serde_json::from_str(r#"[{"name": {"S": "Alice"}, "age": {"N": "30"}}]"#).unwrap()
    }

    #[test]
    fn test_with_snapshot() {
        let db = Database::create_in_memory().unwrap();

        // Populate database
        populate_test_data(&db);

        // Export snapshot
        let snapshot = export_all_items(&db);

        // Verify against expected snapshot
        let expected = load_expected_snapshot("test_data_v1.json");
        assert_eq!(snapshot, expected);
    }

    fn export_all_items(db: &Database) -> Vec<HashMap<String, KeystoneValue>> {
        let scan = Scan::new();
        db.scan(scan).unwrap().items
    }
}

/// "Property-Based Testing".
mod property_based {
    use kstone_api::{Database, ItemBuilder};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn test_put_get_roundtrip(key in "[a-z]{1,20}", value in any::<i64>()) {
            let db = Database::create_in_memory().unwrap();

            let item = ItemBuilder::new()
                .number("value", value)
                .build();

            db.put(key.as_bytes(), item.clone()).unwrap();
            let result = db.get(key.as_bytes()).unwrap().unwrap();

            assert_eq!(result.get("value").unwrap().as_number(), Some(&value.to_string()));
        }
    }
}

/// "No Persistence" and "Memory Constraints": the workarounds, which work though they are not needed.
mod workarounds {
    use super::AnyResult as Result;
    use kstone_api::{Database, ItemBuilder, Scan};
    use std::collections::HashMap;
    use std::time::Instant;

    fn snapshot_to_disk(db: &Database, path: &str) -> Result<()> {
        let scan = Scan::new();
        let items = db.scan(scan)?.items;

        let json = serde_json::to_string_pretty(&items)?;
        std::fs::write(path, json)?;
        Ok(())
    }

    #[test]
    fn snapshot_to_disk_writes_typed_json() -> Result<()> {
        let db = Database::create_in_memory()?;
        db.put(b"a", ItemBuilder::new().number("n", 1).build())?;
        let path = std::env::temp_dir().join(format!("kstone-spec-example-{}.json", std::process::id()));
        snapshot_to_disk(&db, path.to_str().expect("a UTF-8 path"))?;
        let text = std::fs::read_to_string(&path)?;
        std::fs::remove_file(&path)?;
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text)?, serde_json::json!([{"n": {"N": "1"}}]));
        Ok(())
    }

    struct LruCache {
        db: Database,
        max_items: usize,
        access_times: HashMap<Vec<u8>, Instant>,
    }

    impl LruCache {
        fn evict_oldest(&mut self) {
            // Find oldest accessed item
            let oldest_key = self.access_times
                .iter()
                .min_by_key(|(_, time)| *time)
                .map(|(key, _)| key.clone());

            if let Some(key) = oldest_key {
                self.db.delete(&key).unwrap();
                self.access_times.remove(&key);
            }
        }
    }

    #[test]
    fn lru_cache_evicts_the_oldest() -> Result<()> {
        let db = Database::create_in_memory()?;
        let mut cache = LruCache { db, max_items: 2, access_times: HashMap::new() };
        for key in [b"a", b"b", b"c"] {
            cache.db.put(key, ItemBuilder::new().build())?;
            cache.access_times.insert(key.to_vec(), Instant::now());
        }
        while cache.access_times.len() > cache.max_items {
            cache.evict_oldest();
        }
        assert_eq!((cache.db.get(b"a")?, cache.db.stats()?.items), (None, 2));
        Ok(())
    }

    struct ShardedMemoryDb {
        shards: Vec<Database>,
    }

    impl ShardedMemoryDb {
        fn get_shard(&self, key: &[u8]) -> &Database {
            let shard_id = crc32fast::hash(key) as usize % self.shards.len();
            &self.shards[shard_id]
        }
    }

    #[test]
    fn sharded_databases_are_separate() -> Result<()> {
        let shards = (0..4).map(|_| Database::create_in_memory()).collect::<std::result::Result<_, _>>()?;
        let sharded = ShardedMemoryDb { shards };
        for key in 0..100_u8 {
            sharded.get_shard(&[key]).put(&[key], ItemBuilder::new().build())?;
        }
        assert!((0..100_u8).all(|key| sharded.get_shard(&[key]).get(&[key]).is_ok_and(|item| item.is_some())));
        let items: Vec<_> = sharded.shards.iter().map(|db| db.stats().map(|stats| stats.items)).collect::<std::result::Result<_, _>>()?;
        assert_eq!(items.iter().sum::<u64>(), 100);
        assert!(items.iter().all(|&items| items < 100));
        Ok(())
    }
}

/// "No Background Compaction": the workaround. As printed it moves an item that it borrows its key from; the key is
/// cloned here.
mod recreate {
    use kstone_api::{Database, ItemBuilder, Result, Scan};

    fn compact_by_recreate(old_db: &Database) -> Result<Database> {
        let new_db = Database::create_in_memory()?;

        // Copy all items to new database
        let scan = Scan::new();
        let items = old_db.scan(scan)?.items;

        for item in items {
            if let Some(pk) = item.get("pk").cloned() {
                new_db.put(pk.as_bytes(), item)?;
            }
        }

        Ok(new_db)
    }

    #[test]
    fn recreated_database_holds_the_same_items() -> Result<()> {
        let db = Database::create_in_memory()?;
        for pk in ["a", "b"] {
            db.put(pk.as_bytes(), ItemBuilder::new().string("pk", pk).number("n", 1).build())?;
        }
        let recreated = compact_by_recreate(&db)?;
        assert_eq!(recreated.get(b"a")?, db.get(b"a")?);
        assert_eq!(recreated.stats()?.items, 2);
        Ok(())
    }
}

/// "Advanced Features Support": the operations that always worked.
mod basic_operations {
    use kstone_api::{Database, ItemBuilder, Query, Result, Scan};

    #[test]
    fn put_get_delete_query_and_scan_work() -> Result<()> {
        let item = ItemBuilder::new().string("name", "Alice").build();
        let query = Query::new().partition_key(b"key1").build();
        let scan = Scan::new();
        let db = Database::create_in_memory()?;

        // Basic operations work
        db.put(b"key1", item)?;  // ✓ Works
        db.get(b"key1")?;        // ✓ Works
        db.delete(b"key1")?;     // ✓ Works

        // Query and Scan work
        db.query(query)?;        // ✓ Works
        db.scan(scan)?;          // ✓ Works
        Ok(())
    }
}

/// "Using the Rust API": with a table schema.
mod with_schema {
    use super::AnyResult;

    #[test]
    fn create_with_schema() -> AnyResult<()> {
        use kstone_api::{Database, TableSchema, LocalSecondaryIndex};

        let schema = TableSchema::new()
            .add_local_index(LocalSecondaryIndex::new("email-index", "email"))
            .with_ttl("expires_at");

        let db = Database::create_in_memory_with_schema(schema)?;

        let item = kstone_api::ItemBuilder::new().string("email", "a@example.com").number("expires_at", 1).build();
        db.put(b"key1", item)?;
        assert!(db.get(b"key1")?.is_some(), "its time lies more than five years back");
        db.set_time(2);
        assert!(db.get(b"key1")?.is_none(), "its time has passed");
        Ok(())
    }
}

/// "Temporary Data Processing".
mod csv_processing {
    use super::AnyResult as Result;
    use kstone_api::{Database, Item, ItemBuilder, KeystoneValue, Query};

    struct CsvRecord {
        category: String,
        amount: f64,
        timestamp: i64,
    }

    type Report = String;

    fn generate_reports(items: Vec<Item>) -> Vec<Report> {
        items.iter().map(|item| format!("{:?}", item["amount"].as_number())).collect()
    }

    /// The little of the `csv` crate that the example uses.
    mod csv {
        pub(super) struct Reader(String);

        impl Reader {
            pub(super) fn from_path(path: &str) -> std::io::Result<Self> {
                std::fs::read_to_string(path).map(Self)
            }

            pub(super) fn deserialize(&mut self) -> impl Iterator<Item = super::Result<super::CsvRecord>> {
                self.0.lines().skip(1).map(|line| {
                    let fields: Vec<_> = line.split(',').collect();
                    let (category, amount, timestamp) = (fields[0].to_string(), fields[1].parse()?, fields[2].parse()?);
                    Ok(super::CsvRecord { category, amount, timestamp })
                })
            }
        }
    }

    fn process_csv_file(csv_path: &str) -> Result<Vec<Report>> {
        // Create temporary in-memory database for processing
        let db = Database::create_in_memory()?;

        // Load CSV data into database
        let mut reader = csv::Reader::from_path(csv_path)?;
        for (idx, result) in reader.deserialize().enumerate() {
            let record: CsvRecord = result?;
            let item = ItemBuilder::new()
                .string("category", &record.category)
                .number("amount", record.amount)
                .number("timestamp", record.timestamp)
                .build();

            db.put(format!("record#{}", idx).as_bytes(), item)?;
        }

        // Run aggregation queries
        let query = Query::new()
            .filter_expression("category = :cat")
            .expression_value(":cat", KeystoneValue::string("sales"))
            .build();

        let results = db.query(query)?;

        // Generate reports from query results
        let reports = generate_reports(results.items);

        Ok(reports)
        // Database is dropped here, all memory freed
    }

    #[test]
    fn a_filter_without_a_partition_runs_as_a_scan() -> Result<()> {
        let path = std::env::temp_dir().join(format!("kstone-spec-example-{}.csv", std::process::id()));
        std::fs::write(&path, "category,amount,timestamp\nsales,12.5,1\nrent,900,2\nsales,7,3\n")?;
        let reports = process_csv_file(path.to_str().expect("a UTF-8 path"));
        std::fs::remove_file(&path)?;
        let mut reports = reports?;
        reports.sort();
        assert_eq!(reports, [r#"Some("12.5")"#, r#"Some("7")"#]);
        Ok(())
    }
}

/// "Development and Prototyping".
mod prototyping {
    use kstone_api::{Database, GlobalSecondaryIndex, ItemBuilder, LocalSecondaryIndex, TableSchema};

    fn test_queries(db: &Database) {
        let user = ItemBuilder::new().string("email", "a@example.com").string("status", "active").build();
        db.put(b"user#1", user).unwrap();
        let index = if db.schema().local_indexes().is_empty() { "status-index" } else { "email-index" };
        let partition: &[u8] = if index == "email-index" { b"user#1" } else { b"active" };
        let found = db.query(kstone_api::Query::new().index(index).partition_key(partition).build()).unwrap();
        assert_eq!(found.count, 1);
    }

    #[test]
    fn prototype_schema() {
        // Try different schema designs quickly
        let schema_v1 = TableSchema::new()
            .add_local_index(LocalSecondaryIndex::new("email-index", "email"));

        let schema_v2 = TableSchema::new()
            .add_global_index(GlobalSecondaryIndex::new("status-index", "status"))
            .with_ttl("expires_at");

        // Test each schema
        let db1 = Database::create_in_memory_with_schema(schema_v1).unwrap();
        let db2 = Database::create_in_memory_with_schema(schema_v2).unwrap();

        // Experiment with queries
        test_queries(&db1);
        test_queries(&db2);

        // Compare results and choose best schema
    }
}

/// "Advanced Features Support": the transaction that returned an error now succeeds.
mod transactions {
    use kstone_api::{Database, ItemBuilder, Result, TransactWriteRequest, Write};

    #[test]
    fn transactions_work() -> Result<()> {
        let db = Database::create_in_memory()?;
        let request = TransactWriteRequest::new()
            .write(Write::put(b"key1", ItemBuilder::new().number("n", 1).build()))
            .write(Write::put(b"key2", ItemBuilder::new().number("n", 2).build()));

        let result = db.transact_write(request);

        assert_eq!(result, Ok(()));
        assert_eq!(db.stats()?.items, 2);
        Ok(())
    }
}
