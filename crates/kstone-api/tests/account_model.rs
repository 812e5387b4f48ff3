//! Accounts against a plain model: tables of random key schemas, writes with and without conditions, transactions and
//! batches over several tables, forks, changes of schemas, clears, drops and jumps in time.
//!
//! Each run prints its seed; `KSTONE_SEED=n` repeats one, `KSTONE_OPERATIONS=n` makes it longer.

use std::collections::BTreeMap;

use fastrand::Rng;
use kstone_api::clock::ClockSource;
use kstone_api::{
    Account, DatabaseOptions, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, KeyType, KeystoneValue as Value,
    LocalSecondaryIndex, Operation, Query, Record, Result, Scan, StreamSpecification, StreamViewType, TableSchema,
    TransactError, Write,
};

const NAMES: [&str; 4] = ["ant", "bee", "cow", "dog"];
const COLOURS: [&str; 3] = ["red", "green", "blue"];

/// The value of a key attribute. Those of one attribute are of one type, and in its order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    /// So many tenths.
    Number(i64),
    Bytes(Vec<u8>),
}

impl Part {
    fn random(type_: KeyType, random: &mut Rng) -> Self {
        match type_ {
            KeyType::S => Self::Text(["a", "b", "ba", "é", "z"][random.usize(..5)].to_owned()),
            KeyType::N => Self::Number([-115, -10, -3, 0, 3, 10, 100][random.usize(..7)]),
            KeyType::B => Self::Bytes(vec![random.u8(..3) * 100; random.usize(1..3)]),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::string(text.clone()),
            Self::Number(tenths) => Value::N(Self::number(*tenths)),
            Self::Bytes(bytes) => Value::binary(bytes.clone()),
        }
    }

    fn number(tenths: i64) -> String {
        let sign = if tenths < 0 { "-" } else { "" };
        match (tenths.abs() / 10, tenths.abs() % 10) {
            (whole, 0) => format!("{sign}{whole}"),
            (whole, tenth) => format!("{sign}{whole}.{tenth}"),
        }
    }

    /// The bytes that name it, of a number in any of its spellings.
    fn spelled(&self, random: &mut Rng) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Number(tenths) => match random.u8(..4) {
                0 => format!("{tenths}e-1").into_bytes(),
                1 => format!("{tenths}00E-3").into_bytes(),
                2 if tenths % 10 != 0 => format!("{}0", Self::number(*tenths)).into_bytes(),
                _ => Self::number(*tenths).into_bytes(),
            },
        }
    }
}

type ModelKey = (Part, Option<Part>);

/// What the model knows of an item besides its key.
#[derive(Debug, Clone, PartialEq)]
struct Doc {
    colour: Option<&'static str>,
    n: i64,
    ends: Option<i64>,
}

impl Doc {
    fn item(&self, (pk, sk): &ModelKey) -> Item {
        let mut item = ItemBuilder::new().number("n", self.n).build();
        item.insert("kid".to_owned(), pk.value());
        item.extend(sk.as_ref().map(|sk| ("seq".to_owned(), sk.value())));
        item.extend(self.colour.map(|colour| ("colour".to_owned(), Value::string(colour))));
        item.extend(self.ends.map(|ends| ("ends".to_owned(), Value::number(ends))));
        item
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Ttl {
    Off,
    Hiding,
    Visible,
}

/// The key of the index `by-colour`: all of them partition by colour and sort by n.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Indexed {
    No,
    OfAnyType,
    Typed,
    /// Sorts by when items end, too: those that do not are not in it.
    ByMore,
}

#[derive(Debug, Clone)]
struct ModelTable {
    key: (KeyType, Option<KeyType>),
    ttl: Ttl,
    indexed: Indexed,
    /// Whether there is a local index by n.
    local: bool,
    streamed: bool,
    items: BTreeMap<ModelKey, Doc>,
}

impl ModelTable {
    fn random(random: &mut Rng) -> Self {
        const TYPES: [KeyType; 3] = [KeyType::S, KeyType::N, KeyType::B];
        let sort = (random.u8(..3) > 0).then(|| TYPES[random.usize(..3)]);
        let table = Self {
            key: (TYPES[random.usize(..3)], sort),
            ttl: Ttl::Off,
            indexed: Indexed::No,
            local: false,
            streamed: false,
            items: BTreeMap::new(),
        };
        table.configured(random)
    }

    fn configured(self, random: &mut Rng) -> Self {
        let ttl = [Ttl::Off, Ttl::Hiding, Ttl::Visible][random.usize(..3)];
        let indexed = [Indexed::No, Indexed::OfAnyType, Indexed::Typed, Indexed::ByMore][random.usize(..4)];
        let local = self.key.1.is_some() && random.bool();
        Self { ttl, indexed, local, streamed: random.bool(), ..self }
    }

    fn schema(&self, name: &str) -> TableSchema {
        let schema = TableSchema::new().name(name).partition_key("kid", self.key.0);
        let schema = self.key.1.map_or(schema.clone(), |type_| schema.sort_key("seq", type_));
        let typed =
            || GlobalSecondaryIndex::on("by-colour").partition_key("colour", KeyType::S).sort_key("n", KeyType::N);
        let schema = match self.indexed {
            Indexed::No => schema,
            Indexed::OfAnyType => {
                schema.add_global_index(GlobalSecondaryIndex::new("by-colour", "colour").sort_key("n"))
            }
            Indexed::Typed => schema.add_global_index(typed()),
            Indexed::ByMore => schema.add_global_index(typed().sort_key("ends", KeyType::N)),
        };
        let local = || LocalSecondaryIndex::typed("by-n", "n", KeyType::N);
        let schema = if self.local { schema.add_local_index(local()) } else { schema };
        let stream = StreamSpecification::new(StreamViewType::NewAndOldImages).capacity(100);
        let schema = if self.streamed { schema.with_stream(stream) } else { schema };
        match self.ttl {
            Ttl::Off => schema,
            Ttl::Hiding => schema.with_ttl("ends"),
            Ttl::Visible => schema.with_ttl("ends").with_ttl_visible(),
        }
    }

    fn random_key(&self, random: &mut Rng) -> ModelKey {
        (Part::random(self.key.0, random), self.key.1.map(|type_| Part::random(type_, random)))
    }

    fn is_visible(&self, doc: &Doc, now: i64) -> bool {
        self.ttl != Ttl::Hiding || doc.ends.is_none_or(|ends| ends >= now)
    }

    fn get(&self, key: &ModelKey, now: i64) -> Option<&Doc> {
        self.items.get(key).filter(|doc| self.is_visible(doc, now))
    }

    fn visible(&self, now: i64) -> impl Iterator<Item = (&ModelKey, &Doc)> {
        self.items.iter().filter(move |(_, doc)| self.is_visible(doc, now))
    }

    /// Whether an item that has these of its attributes is in the index by colour.
    fn has_entry(&self, has_colour: bool, has_end: bool) -> bool {
        has_colour && self.indexed != Indexed::No && (has_end || self.indexed != Indexed::ByMore)
    }

    fn purge(&mut self, now: i64) {
        if self.ttl != Ttl::Off {
            self.items.retain(|_, doc| doc.ends.is_none_or(|ends| ends >= now));
        }
    }
}

/// What an operation comes to.
#[derive(Debug, Clone, PartialEq)]
enum Effect {
    Fails,
    Keeps,
    Becomes(Option<Doc>),
}

/// An operation, and what the model expects of it.
struct Step {
    table: &'static str,
    key: ModelKey,
    operation: Operation,
    effect: Effect,
}

#[derive(Default)]
struct Reached {
    transactions: u64,
    cancelled: u64,
    forks: u64,
    configured: u64,
    dropped: u64,
}

struct Run {
    account: Account,
    now: i64,
    tables: BTreeMap<&'static str, ModelTable>,
    random: Rng,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let options = DatabaseOptions { memtable_max_records: random.usize(2..200), ..DatabaseOptions::default() };
        let account = Account::create_in_memory_with(options, ClockSource::default());
        account.set_time(1_000_000);
        Self { account, now: 1_000_000, tables: BTreeMap::new(), random }
    }

    fn fork(&mut self) -> Result<Self> {
        let random = self.random.fork();
        Ok(Self { account: self.account.fork()?, now: self.now, tables: self.tables.clone(), random })
    }

    fn step(&mut self, reached: &mut Reached) -> Result<()> {
        match self.random.u16(..1000) {
            0..10 => self.create_or_drop(reached)?,
            10..20 => self.configure(reached)?,
            20 => {
                self.account.clear()?;
                self.tables.values_mut().for_each(|table| table.items.clear());
            }
            21..24 => self.maintain()?,
            24..40 => {
                self.now += self.random.i64(0..10);
                self.account.set_time(self.now);
            }
            40..90 => self.check_reads()?,
            90..190 => self.check_gets()?,
            190..480 => self.write_one()?,
            480..550 => self.batch()?,
            _ => self.transaction(reached)?,
        }
        Ok(())
    }

    fn table_name(&mut self) -> Option<&'static str> {
        let names: Vec<&'static str> = self.tables.keys().copied().collect();
        (!names.is_empty()).then(|| names[self.random.usize(..names.len())])
    }

    fn create_or_drop(&mut self, reached: &mut Reached) -> Result<()> {
        let name = NAMES[self.random.usize(..4)];
        let table = ModelTable::random(&mut self.random);
        match self.account.create_table(table.schema(name)) {
            Ok(_) => assert!(self.tables.insert(name, table).is_none(), "{name} was there"),
            Err(Error::TableExists { .. }) => {
                assert!(self.tables.contains_key(name), "{name} was not there");
                if self.random.bool() {
                    self.account.drop_table(name)?;
                    self.tables.remove(name);
                    reached.dropped += 1;
                }
            }
            Err(error) => return Err(error),
        }
        assert!(self.account.table_names().iter().eq(self.tables.keys()));
        Ok(())
    }

    fn configure(&mut self, reached: &mut Reached) -> Result<()> {
        let Some(name) = self.table_name() else { return Ok(()) };
        let table = self.account.table(name)?;
        // What has expired may be there still, or not: only then is it certain.
        table.purge_expired()?;
        let Some(model) = self.tables.get_mut(name) else { return Ok(()) };
        model.purge(self.now);
        *model = model.clone().configured(&mut self.random);
        table.configure(model.schema(name))?;
        assert_eq!(table.schema(), model.schema(name));
        reached.configured += 1;
        Ok(())
    }

    fn maintain(&mut self) -> Result<()> {
        let Some(name) = self.table_name() else { return Ok(()) };
        let (table, now) = (self.account.table(name)?, self.now);
        let Some(model) = self.tables.get_mut(name) else { return Ok(()) };
        match self.random.u8(..3) {
            0 => table.flush()?,
            1 => {
                table.compact()?;
                model.purge(now);
            }
            _ => {
                table.clear()?;
                model.items.clear();
            }
        }
        Ok(())
    }

    fn doc(&mut self) -> Doc {
        let colour = (self.random.u8(..4) > 0).then(|| COLOURS[self.random.usize(..3)]);
        let ends = (self.random.u8(..3) == 0).then(|| self.now + self.random.i64(-5..50));
        Doc { colour, n: self.random.i64(-20..20), ends }
    }

    /// A key and the bytes that name it.
    fn key(&mut self, name: &str) -> (ModelKey, Vec<u8>, Vec<u8>) {
        let key = self.tables[name].random_key(&mut self.random);
        let pk = key.0.spelled(&mut self.random);
        let sk = key.1.as_ref().map_or_else(Vec::new, |sk| sk.spelled(&mut self.random));
        (key, pk, sk)
    }

    fn random_step(&mut self, table: &'static str, with_gets: bool) -> Step {
        let (key, pk, sk) = self.key(table);
        let there = self.tables[table].get(&key, self.now).cloned();
        let limit = self.random.i64(-20..20);
        let of_limit = |write: Write| write.value(":l", Value::number(limit));
        let becomes = |holds: bool, doc: Option<Doc>| if holds { Effect::Becomes(doc) } else { Effect::Fails };
        let (write, effect) = match self.random.u8(if with_gets { 0 } else { 1 }..8) {
            0 => {
                let operation = Operation::from(Key::with_sk(pk, sk));
                return Step { table, key, operation, effect: Effect::Keeps };
            }
            1 => {
                let doc = self.doc();
                (Write::put(&pk, doc.item(&key)), Effect::Becomes(Some(doc)))
            }
            2 => {
                let doc = self.doc();
                let write = Write::put(&pk, doc.item(&key)).condition("attribute_not_exists(kid)");
                (write, becomes(there.is_none(), Some(doc)))
            }
            3 => {
                let write = Write::delete(&pk).condition("n >= :l OR attribute_not_exists(n)");
                (of_limit(write), becomes(there.is_none_or(|doc| doc.n >= limit), None))
            }
            4 => (Write::delete(&pk), Effect::Becomes(None)),
            5 => {
                let holds = there.is_some_and(|doc| doc.n < limit);
                (of_limit(Write::check(&pk, "n < :l")), if holds { Effect::Keeps } else { Effect::Fails })
            }
            6 => {
                let colour = COLOURS[self.random.usize(..3)];
                let write = Write::update(&pk, "SET colour = :c REMOVE ends").condition("attribute_exists(kid)");
                let new = there.map(|doc| Doc { colour: Some(colour), ends: None, ..doc });
                (write.value(":c", Value::string(colour)), becomes(new.is_some(), new))
            }
            _ => {
                let doc = there.unwrap_or(Doc { colour: None, n: 0, ends: None });
                let write = Write::update(&pk, "SET n = if_not_exists(n, :z) + :l").value(":z", Value::number(0));
                (of_limit(write), Effect::Becomes(Some(Doc { n: doc.n + limit, ..doc })))
            }
        };
        Step { table, key, operation: write.sort_key(&sk).into(), effect }
    }

    fn write_one(&mut self) -> Result<()> {
        let Some(name) = self.table_name() else { return Ok(()) };
        let table = self.account.table(name)?;
        if self.random.u8(..4) == 0 {
            let (key, doc) = (self.key(name).0, self.doc());
            table.put_item(doc.item(&key))?;
            self.apply(name, key, Some(doc));
            return Ok(());
        }
        let step = self.random_step(name, false);
        let Operation::Write(write) = step.operation.clone() else { return Ok(()) };
        let before = self.item(name, &step.key);
        let failed = match self.random.bool() {
            true => table.write(*write).map(drop),
            false => table.write_with_outcome(*write).map(|outcome| {
                assert_eq!(outcome.old().map(item_of), before);
                let after = self.item_after(&step);
                assert_eq!(outcome.new_item().map(item_of), after);
                self.check_index_changes(name, &outcome, (before.as_ref(), after.as_ref()));
            }),
        };
        match failed {
            Ok(()) => assert_ne!(step.effect, Effect::Fails, "{:?}", step.operation),
            Err(Error::ConditionFailed { .. }) => assert_eq!(step.effect, Effect::Fails, "{:?}", step.operation),
            Err(error) => return Err(error),
        }
        self.settle(step);
        Ok(())
    }

    /// The entries that the outcome says were removed and added are those that the items before and after have.
    fn check_index_changes(
        &self,
        table: &str,
        outcome: &kstone_api::WriteOutcome,
        (before, after): (Option<&Item>, Option<&Item>),
    ) {
        let model = &self.tables[table];
        let mut changes = outcome.index_changes();
        let of_local: Vec<_> = changes.extract_if(.., |change| change.index == "by-n").collect();
        assert_eq!(of_local.len(), usize::from(model.local && before != after));
        for change in of_local {
            assert_eq!(change.removed.as_ref().map(item_of).as_ref(), before);
            assert_eq!(change.added.as_ref().map(item_of).as_ref(), after);
        }
        let has_entry = |item: &&Item| model.has_entry(item.contains_key("colour"), item.contains_key("ends"));
        let (before, after) = (before.filter(has_entry), after.filter(has_entry));
        if before == after {
            assert!(changes.is_empty(), "{changes:?}");
            return;
        }
        assert_eq!(changes.len(), 1);
        let shown = |entry: &Option<Record>| entry.as_ref().map(item_of);
        assert_eq!(shown(&changes[0].removed), before.cloned());
        assert_eq!(shown(&changes[0].added), after.cloned());
    }

    fn apply(&mut self, table: &str, key: ModelKey, doc: Option<Doc>) {
        let Some(table) = self.tables.get_mut(table) else { return };
        match doc {
            Some(doc) => table.items.insert(key, doc),
            None => table.items.remove(&key),
        };
    }

    fn settle(&mut self, step: Step) {
        if let Effect::Becomes(doc) = step.effect {
            self.apply(step.table, step.key, doc);
        }
    }

    fn item(&self, table: &str, key: &ModelKey) -> Option<Item> {
        self.tables[table].get(key, self.now).map(|doc| doc.item(key))
    }

    fn item_after(&self, step: &Step) -> Option<Item> {
        match &step.effect {
            Effect::Becomes(doc) => doc.as_ref().map(|doc| doc.item(&step.key)),
            Effect::Keeps | Effect::Fails => self.item(step.table, &step.key),
        }
    }

    /// Steps in random tables.
    fn steps(&mut self, most: usize, with_gets: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..self.random.usize(1..most) {
            let Some(name) = self.table_name() else { break };
            steps.push(self.random_step(name, with_gets));
        }
        steps
    }

    fn transaction(&mut self, reached: &mut Reached) -> Result<()> {
        let with_gets = self.random.bool();
        let steps = self.steps(8, with_gets);
        if steps.is_empty() {
            return Ok(());
        }
        let key_comes_twice = (1..steps.len())
            .any(|at| steps[..at].iter().any(|it| (it.table, &it.key) == (steps[at].table, &steps[at].key)));
        let expected: Vec<bool> = steps.iter().map(|step| step.effect == Effect::Fails).collect();
        let is_get = |step: &&Step| matches!(step.operation, Operation::Get(_));
        let shown: Vec<Option<Item>> =
            steps.iter().filter(is_get).map(|step| self.item(step.table, &step.key)).collect();
        let operations: Vec<(&str, Operation)> =
            steps.iter().map(|step| (step.table, step.operation.clone())).collect();
        let outcome = self.transact(&operations, &steps);
        reached.transactions += 1;
        match outcome {
            Ok(found) => {
                assert!(!key_comes_twice && !expected.contains(&true), "{operations:?}");
                found.iter().for_each(|found| assert_eq!(*found, shown));
                steps.into_iter().for_each(|step| self.settle(step));
            }
            Err(TransactError { reasons, .. }) if !reasons.is_empty() => {
                let failed: Vec<bool> = reasons.iter().map(Option::is_some).collect();
                assert_eq!(failed, expected, "{operations:?}");
                assert!(!key_comes_twice);
                reached.cancelled += 1;
            }
            Err(TransactError { error: Error::Invalid(text), .. })
                if text.to_string().contains("multiple operations") =>
            {
                assert!(key_comes_twice, "{operations:?}");
            }
            Err(failed) => return Err(failed.error),
        }
        Ok(())
    }

    /// By one of the calls that do the same; the items of the gets, where the call gives them.
    fn transact(
        &mut self,
        operations: &[(&str, Operation)],
        steps: &[Step],
    ) -> std::result::Result<Option<Vec<Option<Item>>>, TransactError> {
        let writes: Vec<(&str, Write)> = operations
            .iter()
            .filter_map(|(table, operation)| match operation {
                Operation::Write(write) => Some((*table, Write::clone(write))),
                _ => None,
            })
            .collect();
        match self.random.u8(..3) {
            0 if writes.len() == operations.len() => match self.account.transact_write(&writes) {
                Ok(()) => Ok(None),
                Err(Error::TransactionCanceled { reasons }) => {
                    Err(TransactError { operation: None, error: Error::DuplicateItem, reasons })
                }
                Err(error) => Err(TransactError { operation: None, error, reasons: Vec::new() }),
            },
            1 => {
                let outcomes = self.account.transact_with_outcomes(operations)?;
                for (outcome, step) in outcomes.iter().zip(steps) {
                    assert_eq!(outcome.old().map(item_of), self.item(step.table, &step.key));
                    assert_eq!(outcome.new_item().map(item_of), self.item_after(step));
                }
                assert_eq!(outcomes.len(), steps.len());
                Ok(None)
            }
            _ => Ok(Some(items_of(&self.account.transact(operations)?))),
        }
    }

    fn batch(&mut self) -> Result<()> {
        let steps: Vec<Step> = self.steps(20, false);
        let mut plain = Vec::new();
        for step in steps {
            let is_plain = match &step.operation {
                Operation::Write(write) => self.account.batch_write(&[(step.table, Write::clone(write))]).is_ok(),
                _ => false,
            };
            if is_plain {
                plain.push((step.table, step.key.clone()));
                self.settle(step);
            }
        }
        let mut writes = Vec::new();
        let mut docs = Vec::new();
        plain.sort();
        plain.dedup();
        self.random.shuffle(&mut plain);
        for (table, key) in plain {
            let doc = self.random.bool().then(|| self.doc());
            let pk = key.0.spelled(&mut self.random);
            let sk = key.1.as_ref().map_or_else(Vec::new, |sk| sk.spelled(&mut self.random));
            let write = match &doc {
                Some(doc) => Write::put(&pk, doc.item(&key)),
                None => Write::delete(&pk),
            };
            writes.push((table, write.sort_key(&sk)));
            docs.push((table, key, doc));
        }
        if !writes.is_empty() {
            self.account.batch_write(&writes)?;
            docs.into_iter().for_each(|(table, key, doc)| self.apply(table, key, doc));
        }
        Ok(())
    }

    fn check_gets(&mut self) -> Result<()> {
        let mut keys = Vec::new();
        let mut expected = Vec::new();
        let mut named = Vec::new();
        for _ in 0..self.random.usize(1..12) {
            let Some(name) = self.table_name() else { return Ok(()) };
            let (key, pk, sk) = self.key(name);
            if !named.contains(&(name, key.clone())) {
                expected.push(self.item(name, &key));
                keys.push((name, Key::with_sk(pk, sk)));
                named.push((name, key));
            }
        }
        let found = match self.random.bool() {
            true => self.account.transact_get(&keys)?,
            false => self.account.batch_get(&keys)?,
        };
        assert_eq!(items_of(&found), expected);
        Ok(())
    }

    fn check_reads(&mut self) -> Result<()> {
        let Some(name) = self.table_name() else { return Ok(()) };
        let (table, model) = (self.account.table(name)?, &self.tables[name]);
        let mut found = table.scan(Scan::new())?.items;
        let mut expected: Vec<Item> = model.visible(self.now).map(|(key, doc)| doc.item(key)).collect();
        let text = |item: &Item| format!("{:?} {:?}", item["kid"], item.get("seq"));
        found.sort_by_key(text);
        expected.sort_by_key(text);
        assert_eq!(found, expected, "{name}");

        let pk = Part::random(model.key.0, &mut self.random);
        let query = Query::new().key_condition_expression("kid = :k").expression_value(":k", pk.value());
        let of_partition = model.visible(self.now).filter(|((of, _), _)| *of == pk);
        let expected: Vec<Item> = of_partition.map(|(key, doc)| doc.item(key)).collect();
        assert_eq!(table.query(query)?.items, expected, "the partition {pk:?} of {name}");

        if model.local {
            let query = Query::new().index("by-n").key_condition_expression("kid = :k");
            let found = table.query(query.expression_value(":k", pk.value()))?.items;
            let of_partition = model.visible(self.now).filter(|((of, _), _)| *of == pk);
            let mut expected: Vec<i64> = of_partition.map(|(_, doc)| doc.n).collect();
            expected.sort_unstable();
            let expected: Vec<Value> = expected.into_iter().map(Value::number).collect();
            assert_eq!(found.iter().map(|item| item["n"].clone()).collect::<Vec<_>>(), expected, "{pk:?} of {name}");
        }
        if model.indexed != Indexed::No {
            let colour = COLOURS[self.random.usize(..3)];
            let query = Query::new().index("by-colour").key_condition_expression("colour = :c");
            let mut found = table.query(query.expression_value(":c", Value::string(colour)))?.items;
            let order = |item: &Item| item["n"].as_number().expect("a number").parse::<i64>().expect("whole");
            assert!(found.is_sorted_by_key(order), "{found:?}");
            let of_colour = model
                .visible(self.now)
                .filter(|(_, doc)| doc.colour == Some(colour) && model.has_entry(true, doc.ends.is_some()));
            let mut expected: Vec<Item> = of_colour.map(|(key, doc)| doc.item(key)).collect();
            found.sort_by_key(text);
            expected.sort_by_key(text);
            assert_eq!(found, expected, "{colour} in {name}");
        }
        Ok(())
    }
}

fn item_of(record: &Record) -> Item {
    record.item().to_item()
}

fn items_of(records: &[Option<Record>]) -> Vec<Option<Item>> {
    records.iter().map(|record| record.as_ref().map(item_of)).collect()
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

#[test]
fn random_operations_on_accounts_and_their_forks_agree_with_a_plain_model() -> Result<()> {
    let seed = from_environment("KSTONE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("KSTONE_SEED={seed}");
    let operations = from_environment("KSTONE_OPERATIONS").unwrap_or(200_000);
    let mut random = Rng::with_seed(seed);
    let mut family = vec![Run::new(random.u64(..))];
    let mut reached = Reached::default();
    for _ in 0..operations {
        let at = random.usize(..family.len());
        if random.u16(..400) == 0 {
            let fork = family[at].fork()?;
            if family.len() == 4 {
                family.swap_remove(random.usize(..4));
            }
            family.push(fork);
            reached.forks += 1;
        } else {
            family[at].step(&mut reached)?;
        }
    }
    let Reached { transactions, cancelled, forks, configured, dropped } = reached;
    assert!(cancelled > operations / 100 && cancelled < transactions / 10 * 9, "{cancelled} of {transactions}");
    assert!([forks, configured, dropped].iter().all(|count| *count > operations / 2000));
    Ok(())
}
