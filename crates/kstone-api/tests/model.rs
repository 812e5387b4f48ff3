//! The database against a plain model: random writes with and without conditions, updates, transactions, queries of the
//! table and of an index, filters, and jumps in time.
//!
//! Each run prints its seed; `KSTONE_SEED=n` repeats one, `KSTONE_OPERATIONS=n` makes it longer.

use std::collections::BTreeMap;

use kstone_api::clock::ClockSource;
use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, Item, Key, KeystoneValue, LocalSecondaryIndex, Query,
    Record, Result, Scan, TableSchema, TransactWriteRequest, Write,
};

type Pair = (String, String);

/// What the model knows of an item.
#[derive(Debug, Clone, PartialEq)]
struct Doc {
    /// Key of the global index, with `n` as its sort key.
    group: Option<&'static str>,
    n: i64,
    expires_at: Option<i64>,
}

const GROUPS: [&str; 3] = ["red", "green", "blue"];

impl Doc {
    fn item(&self) -> Item {
        let mut item = Item::from([("n".to_string(), KeystoneValue::number(self.n))]);
        item.extend(self.group.map(|group| ("group".to_string(), KeystoneValue::string(group))));
        item.extend(self.expires_at.map(|at| ("expires_at".to_string(), KeystoneValue::number(at))));
        item
    }
}

fn pair_of(record: &Record) -> Pair {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("model keys are text");
    (text(record.pk()), text(record.sk()))
}

fn shown(record: &Record) -> (Pair, Item) {
    (pair_of(record), record.item().to_item())
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

struct Run {
    db: Database,
    now: i64,
    model: BTreeMap<Pair, Doc>,
    random: fastrand::Rng,
}

impl Run {
    fn new(seed: u64) -> Result<Self> {
        let mut random = fastrand::Rng::with_seed(seed);
        let now = 1_000_000;
        let schema = TableSchema::new()
            .add_global_index(GlobalSecondaryIndex::new("by-group", "group").sort_key("n"))
            .add_local_index(LocalSecondaryIndex::new("by-n", "n"))
            .with_ttl("expires_at");
        let options = DatabaseOptions { memtable_max_records: random.usize(2..200), ..DatabaseOptions::default() };
        let db = Database::create_in_memory_with(options, schema, ClockSource::default())?;
        db.set_time(now);
        Ok(Self { db, now, model: BTreeMap::new(), random })
    }

    fn fork(&mut self) -> Result<Self> {
        Ok(Self { db: self.db.fork()?, now: self.now, model: self.model.clone(), random: self.random.fork() })
    }

    fn pair(&mut self) -> Pair {
        (format!("p{}", self.random.u8(..12)), format!("s{}", self.random.u8(..8)))
    }

    fn doc(&mut self) -> Doc {
        let group = if self.random.u8(..5) == 0 { None } else { Some(GROUPS[self.random.usize(..3)]) };
        let expires_at = (self.random.u8(..3) == 0).then(|| self.now + self.random.i64(-5..50));
        Doc { group, n: self.random.i64(-20..20), expires_at }
    }

    /// The item as every read and every condition sees it.
    fn visible(&self, pair: &Pair) -> Option<&Doc> {
        self.model.get(pair).filter(|doc| doc.expires_at.is_none_or(|at| at >= self.now))
    }

    fn all_visible(&self) -> impl Iterator<Item = (&Pair, &Doc)> {
        self.model.iter().filter(|(_, doc)| doc.expires_at.is_none_or(|at| at >= self.now))
    }

    fn step(&mut self) -> Result<()> {
        match self.random.u16(..1000) {
            0 => self.db.flush()?,
            1 => self.db.compact()?,
            2 => drop(self.db.purge_expired()?),
            3..=10 => {
                self.now += self.random.i64(0..10);
                self.db.set_time(self.now);
            }
            11..=40 => self.check_reads()?,
            41..=250 => {
                let (pair, doc) = (self.pair(), self.doc());
                self.db.put_with_sk(pair.0.as_bytes(), pair.1.as_bytes(), doc.item())?;
                self.model.insert(pair, doc);
            }
            251..=350 => {
                let pair = self.pair();
                self.db.delete_with_sk(pair.0.as_bytes(), pair.1.as_bytes())?;
                self.model.remove(&pair);
            }
            351..=850 => {
                let (write, change) = self.random_write();
                let outcome = self.db.write(write);
                self.settle(outcome.map(drop), vec![change]);
            }
            _ => self.transaction()?,
        }
        Ok(())
    }

    /// A write on a condition, and what the model makes of it: none where the condition does not hold.
    fn random_write(&mut self) -> (Write, Option<(Pair, Option<Doc>)>) {
        let pair = self.pair();
        let now = self.visible(&pair).cloned();
        let sort_key = |write: Write| write.sort_key(pair.1.as_bytes());
        let limit = self.random.i64(-20..20);
        let limit_value = KeystoneValue::number(limit);
        match self.random.u8(..5) {
            0 => {
                let doc = self.doc();
                let write = Write::put(pair.0.as_bytes(), doc.item()).condition("attribute_not_exists(pk)");
                (sort_key(write), now.is_none().then_some((pair, Some(doc))))
            }
            1 => {
                let doc = self.doc();
                let write = Write::put(pair.0.as_bytes(), doc.item()).condition("n < :l OR attribute_not_exists(n)");
                let holds = now.is_none_or(|doc| doc.n < limit);
                (sort_key(write).value(":l", limit_value), holds.then_some((pair, Some(doc))))
            }
            2 => {
                let write = Write::delete(pair.0.as_bytes()).condition("n BETWEEN :l AND :h");
                let write = sort_key(write).value(":l", limit_value).value(":h", KeystoneValue::number(limit + 10));
                (write, now.is_some_and(|doc| (limit..=limit + 10).contains(&doc.n)).then_some((pair, None)))
            }
            3 => {
                let write = Write::update(pair.0.as_bytes(), "SET n = if_not_exists(n, :zero) + :l");
                let write = sort_key(write).value(":l", limit_value).value(":zero", KeystoneValue::number(0));
                let doc = now.unwrap_or(Doc { group: None, n: 0, expires_at: None });
                (write, Some((pair, Some(Doc { n: doc.n + limit, ..doc }))))
            }
            _ => {
                let group = GROUPS[self.random.usize(..3)];
                let write =
                    Write::update(pair.0.as_bytes(), "SET #g = :g REMOVE expires_at").condition("attribute_exists(pk)");
                let write = sort_key(write).name("#g", "group").value(":g", KeystoneValue::string(group));
                (write, now.map(|doc| (pair, Some(Doc { group: Some(group), expires_at: None, ..doc }))))
            }
        }
    }

    /// The outcome agrees with the model's changes: all of them done, or an error and none done.
    fn settle(&mut self, outcome: Result<()>, changes: Vec<Option<(Pair, Option<Doc>)>>) {
        let holds = changes.iter().all(Option::is_some);
        match outcome {
            Ok(()) => assert!(holds, "the write was done though a condition did not hold: {changes:?}"),
            Err(Error::ConditionFailed { .. } | Error::TransactionCanceled { .. }) => {
                assert!(!holds, "the write failed though every condition held: {changes:?}");
                return;
            }
            Err(other) => panic!("{other}"),
        }
        for (pair, doc) in changes.into_iter().flatten() {
            match doc {
                Some(doc) => self.model.insert(pair, doc),
                None => self.model.remove(&pair),
            };
        }
    }

    fn transaction(&mut self) -> Result<()> {
        let mut request = TransactWriteRequest::new();
        let mut changes: Vec<Option<(Pair, Option<Doc>)>> = Vec::new();
        for _ in 0..self.random.usize(1..5) {
            let (write, change) = self.random_write();
            request = request.write(write);
            changes.push(change);
        }
        match self.db.transact_write(request) {
            // Two operations on one item: refused before anything is looked at.
            Err(Error::Invalid(text)) if text.to_string().contains("multiple operations") => {}
            outcome => self.settle(outcome, changes),
        }
        Ok(())
    }

    fn check_reads(&mut self) -> Result<()> {
        let pair = self.pair();
        let found = self.db.get_with_sk(pair.0.as_bytes(), pair.1.as_bytes())?;
        assert_eq!(found, self.visible(&pair).map(Doc::item), "get {pair:?}");

        let expected: Vec<_> = self.all_visible().map(|(pair, doc)| (pair.clone(), doc.item())).collect();
        let mut scanned: Vec<_> = self.db.iter_scan(&Scan::new())?.map(|record| shown(&record)).collect();
        scanned.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(scanned, expected, "scan");
        let keys: Vec<Key> =
            expected.iter().take(50).map(|((pk, sk), _)| Key::with_sk(pk.clone(), sk.clone())).collect();
        if !keys.is_empty() {
            let items: Vec<_> = self.db.transact_get(&keys)?.iter().flatten().map(shown).collect();
            assert_eq!(items, expected[..keys.len()], "transact_get");
        }

        let low = self.random.i64(-20..20);
        let filter = Query::new().partition_key(pair.0.as_bytes()).filter_expression("n >= :l");
        let page = self.db.query_page(&filter.expression_value(":l", KeystoneValue::number(low)))?;
        let partition: Vec<_> = expected.iter().filter(|((pk, _), _)| *pk == pair.0).collect();
        let passing = self.all_visible().filter(|((pk, _), doc)| *pk == pair.0 && doc.n >= low);
        assert_eq!(
            page.records.iter().map(pair_of).collect::<Vec<_>>(),
            passing.map(|(pair, _)| pair.clone()).collect::<Vec<_>>()
        );
        assert_eq!(page.scanned, partition.len(), "a filter does not change what is examined");

        self.check_index(low)?;
        let local = Query::new().index("by-n").partition_key(pair.0.as_bytes()).build();
        let numbers: Vec<_> =
            self.db.query_page(&local)?.records.iter().map(|record| shown(record).1["n"].clone()).collect();
        let mut expected: Vec<i64> =
            self.all_visible().filter(|((pk, _), _)| *pk == pair.0).map(|(_, doc)| doc.n).collect();
        expected.sort_unstable();
        assert_eq!(numbers, expected.into_iter().map(KeystoneValue::number).collect::<Vec<_>>(), "local index");
        Ok(())
    }

    /// A query of the global index by numbers, in either direction, page by page.
    fn check_index(&mut self, low: i64) -> Result<()> {
        let group = GROUPS[self.random.usize(..3)];
        let reverse = self.random.bool();
        let query = Query::new()
            .index("by-group")
            .key_condition_expression("#g = :g AND n > :l")
            .expression_name("#g", "group")
            .expression_value(":g", KeystoneValue::string(group))
            .expression_value(":l", KeystoneValue::number(low))
            .reverse(reverse)
            .limit(self.random.usize(1..10));
        let mut found = Vec::new();
        let mut next = query.clone();
        loop {
            let page = self.db.query_page(&next)?;
            found.extend(page.records.iter().map(shown));
            let Some(token) = page.token else { break };
            next = query.clone().token(&token);
        }
        let order = |(pair, item): &(Pair, Item)| {
            let n: i64 = item["n"].as_number().and_then(|text| text.parse().ok()).expect("a number");
            // Entries of one value are in the order of their keys, shorter partition keys first.
            (n, pair.0.len(), pair.clone())
        };
        assert!(if reverse {
            found.is_sorted_by_key(|item| std::cmp::Reverse(order(item)))
        } else {
            found.is_sorted_by_key(order)
        });
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let matches = |doc: &&Doc| doc.group == Some(group) && doc.n > low;
        let expected: Vec<_> =
            self.all_visible().filter(|(_, doc)| matches(doc)).map(|(pair, doc)| (pair.clone(), doc.item())).collect();
        assert_eq!(found, expected, "index query of {group}, n > {low}");
        Ok(())
    }
}

fn seed() -> u64 {
    let seed = from_environment("KSTONE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("KSTONE_SEED={seed}");
    seed
}

fn operations() -> u64 {
    from_environment("KSTONE_OPERATIONS").unwrap_or(200_000)
}

#[test]
fn random_operations_agree_with_a_plain_model() -> Result<()> {
    let mut run = Run::new(seed())?;
    for _ in 0..operations() {
        run.step()?;
    }
    let stats = run.db.stats()?;
    assert!(stats.flushes > 100 && stats.compactions > 100, "the run reached both: {stats:?}");
    Ok(())
}

#[test]
fn parent_and_forks_each_agree_with_a_model_of_their_own_while_all_are_written_at_once() -> Result<()> {
    let mut parent = Run::new(seed())?;
    for _ in 0..4 {
        for _ in 0..operations() / 40 {
            parent.step()?;
        }
        let mut family = vec![parent.fork()?, parent.fork()?];
        let grandchild = family[0].fork()?;
        family.push(grandchild);
        std::thread::scope(|scope| {
            for run in family.iter_mut().chain([&mut parent]) {
                scope.spawn(|| (0..operations() / 40).try_for_each(|_| run.step()).expect("stepped"));
            }
        });
    }
    Ok(())
}
