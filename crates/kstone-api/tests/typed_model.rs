//! Typed tables against a plain model: of random schemas, what queries of the table and of its indexes return, in pages of
//! random limits, forwards and backwards, is what sorting all items gives.

use std::cmp::Ordering;

use kstone_api::{
    Database, GlobalSecondaryIndex, IndexKeys, Item, KeyType, KeystoneValue as Value, LocalSecondaryIndex, Projection,
    Query, Result, Scan, TableSchema, number,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Attributes by name; the first letter says the type.
const NAMES: [&str; 10] = ["s0", "s1", "s2", "s3", "n0", "n1", "n2", "n3", "b0", "b1"];

fn type_of(name: &str) -> KeyType {
    match name.as_bytes()[0] {
        b's' => KeyType::S,
        b'n' => KeyType::N,
        _ => KeyType::B,
    }
}

/// The attributes of a key: its partition's and those it is sorted by.
type Key = (Vec<&'static str>, Vec<&'static str>);

#[derive(Debug, Clone)]
struct Shape {
    partition: &'static str,
    sort: Option<&'static str>,
    local: Option<&'static str>,
    global: Vec<(Key, u8)>,
}

impl Shape {
    fn schema(&self) -> TableSchema {
        let mut schema = TableSchema::new().partition_key(self.partition, type_of(self.partition));
        if let Some(sort) = self.sort {
            schema = schema.sort_key(sort, type_of(sort));
        }
        if let Some(local) = self.local() {
            schema = schema.add_local_index(LocalSecondaryIndex::typed("local", local, type_of(local)));
        }
        for (at, ((partition, sort), projection)) in self.global.iter().enumerate() {
            let index = GlobalSecondaryIndex::on(format!("global-{at}")).projection(projected(*projection));
            let add_partition = |index: IndexKeys, name: &&str| index.partition_key(*name, type_of(name));
            let add_sort = |index: IndexKeys, name: &&str| index.sort_key(*name, type_of(name));
            schema = schema.add_global_index(sort.iter().fold(partition.iter().fold(index, add_partition), add_sort));
        }
        schema
    }

    fn local(&self) -> Option<&'static str> {
        self.local.filter(|name| self.sort.is_some() && *name != self.partition)
    }

    fn key(&self) -> Vec<&'static str> {
        std::iter::once(self.partition).chain(self.sort).collect()
    }

    /// What can be queried: the name of an index, and the attributes of its key.
    fn keys(&self) -> Vec<(Option<String>, Key)> {
        let table = (None, (vec![self.partition], self.sort.into_iter().collect()));
        let local = self.local().map(|local| (Some("local".to_owned()), (vec![self.partition], vec![local])));
        let global = self.global.iter().enumerate();
        let global = global.map(|(at, (key, _))| (Some(format!("global-{at}")), key.clone()));
        std::iter::once(table).chain(local).chain(global).collect()
    }

    /// What an index shows of an item.
    fn shown(&self, index: Option<&str>, item: &Item) -> Item {
        let Some(at) = index.and_then(|name| name.strip_prefix("global-")) else { return item.clone() };
        let ((partition, sort), projection) = &self.global[at.parse::<usize>().expect("a number")];
        let is_shown = |name: &str| match projected(*projection) {
            Projection::All => true,
            Projection::KeysOnly => false,
            Projection::Include(names) => names.iter().any(|other| other == name),
        };
        let is_key = |name: &str| self.key().iter().chain(partition).chain(sort).any(|own| *own == name);
        let shown = item.iter().filter(|(name, _)| is_key(name) || is_shown(name));
        shown.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn projected(projection: u8) -> Projection {
    match projection {
        0 => Projection::All,
        1 => Projection::KeysOnly,
        _ => Projection::Include(vec!["s3".to_owned(), "extra".to_owned()]),
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let global = || {
        (Just(NAMES.to_vec()).prop_shuffle(), 1_usize..=4, 0_usize..=4, 0_u8..3).prop_map(
            |(names, partition, sort, projection)| {
                ((names[..partition].to_vec(), names[partition..partition + sort].to_vec()), projection)
            },
        )
    };
    let names = Just(NAMES.to_vec()).prop_shuffle();
    (names, any::<bool>(), prop::option::of(select(NAMES.to_vec())), prop::collection::vec(global(), 0..3)).prop_map(
        |(names, sorted, local, global)| Shape { partition: names[0], sort: sorted.then_some(names[1]), local, global },
    )
}

/// Few values of each type, so that items meet: some the start of others, numbers of 38 digits and far apart.
fn value(type_: KeyType, which: u8) -> Value {
    let which = usize::from(which);
    match type_ {
        KeyType::S => Value::string(["a", "a\0", "a\0\u{1}", "b", "\u{10FFFF}"][which % 5]),
        KeyType::N => {
            let numbers = [
                "-99999999999999999999999999999999999999",
                "-0.5",
                "0",
                "1e-130",
                "10",
                "99999999999999999999999999999999999998",
                "99999999999999999999999999999999999999",
            ];
            Value::N(number::canonical(numbers[which % 7]).expect("a number").into_owned())
        }
        KeyType::B => Value::B([&[0_u8][..], &[0, 0], &[0xFF], &[0xFF, 0xFF], b"a"][which % 5].to_vec().into()),
    }
}

fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::N(one), Value::N(other)) => number::compare(one, other),
        (Value::S(one), Value::S(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::B(one), Value::B(other)) => one.cmp(other),
        _ => unreachable!("an attribute has one type"),
    }
}

/// An item that has the table's key, and of the other attributes those that are chosen.
fn item_of(shape: &Shape, choices: &[Option<u8>]) -> Item {
    let mut item = Item::from([("extra".to_owned(), Value::Bool(true))]);
    for (name, choice) in NAMES.iter().zip(choices) {
        let choice = choice.or_else(|| shape.key().contains(name).then_some(0));
        if let Some(which) = choice {
            item.insert((*name).to_owned(), value(type_of(name), which));
        }
    }
    item
}

/// A write, by what its item has: of every fourth the item is removed.
type Writes = Vec<(Vec<Option<u8>>, u8)>;

fn writes() -> impl Strategy<Value = Writes> {
    let choice = prop_oneof![1 => Just(None), 5 => (0_u8..7).prop_map(Some)];
    prop::collection::vec((prop::collection::vec(choice, NAMES.len()), any::<u8>()), 1..40)
}

fn same_key(shape: &Shape, one: &Item, other: &Item) -> bool {
    shape.key().iter().all(|name| one[*name] == other[*name])
}

/// What is asked of the sort key: how many equalities, a comparison, and the values of an item.
#[derive(Debug, Clone)]
struct Asked {
    key: Index,
    of: Index,
    equal: Index,
    comparison: u8,
    reverse: bool,
    limits: Vec<usize>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let limits = prop::collection::vec(1_usize..5, 1..6);
    (any::<Index>(), any::<Index>(), any::<Index>(), 0_u8..7, any::<bool>(), limits)
        .prop_map(|(key, of, equal, comparison, reverse, limits)| Asked { key, of, equal, comparison, reverse, limits })
}

/// The query as an expression, and the items of the model that it takes, in order.
fn question(shape: &Shape, model: &[Item], asked: &Asked) -> (Query, Option<String>, Vec<Item>, Vec<&'static str>) {
    let keys = shape.keys();
    let (index, (partition, sort)) = asked.key.get(&keys);
    let like = asked.of.get(model);
    let of = |name: &str| like.get(name).cloned().unwrap_or_else(|| value(type_of(name), 1));
    let equal = asked.equal.index(sort.len() + 1);
    let mut terms: Vec<String> = Vec::new();
    let mut query = Query::new();
    let tested: Vec<&str> = partition.iter().chain(&sort[..equal]).copied().collect();
    for name in &tested {
        terms.push(format!("{name} = :{name}"));
        query = query.expression_value(&format!(":{name}"), of(name));
    }
    let last = sort.get(equal).copied().filter(|_| asked.comparison > 0);
    if let Some(name) = last {
        query = query.expression_value(&format!(":{name}"), of(name));
        terms.insert(
            0,
            match asked.comparison {
                1 => format!("{name} < :{name}"),
                2 => format!("{name} <= :{name}"),
                3 => format!("{name} > :{name}"),
                4 => format!(":{name} <= {name}"),
                5 => format!("{name} BETWEEN :{name} AND :{name}"),
                _ if type_of(name) == KeyType::N => format!("{name} = :{name}"),
                _ => format!("begins_with({name}, :{name})"),
            },
        );
    }
    let takes = |item: &&Item| {
        let has_key = partition.iter().chain(sort).all(|name| item.contains_key(*name));
        has_key
            && tested.iter().all(|name| item[*name] == of(name))
            && last.is_none_or(|name| {
                let order = order(&item[name], &of(name));
                match asked.comparison {
                    1 => order.is_lt(),
                    2 => order.is_le(),
                    3 => order.is_gt(),
                    4 => order.is_ge(),
                    5 => order.is_eq(),
                    _ => match (&item[name], of(name)) {
                        (Value::S(text), Value::S(prefix)) => text.as_bytes().starts_with(prefix.as_bytes()),
                        (Value::B(bytes), Value::B(prefix)) => bytes.starts_with(&prefix),
                        _ => order.is_eq(),
                    },
                }
            })
    };
    let mut expected: Vec<Item> = model.iter().filter(takes).cloned().collect();
    expected.sort_by(|one, other| {
        sort.iter().map(|name| order(&one[*name], &other[*name])).fold(Ordering::Equal, Ordering::then)
    });
    let query = query.key_condition_expression(&terms.join(" AND ")).reverse(asked.reverse);
    (index.iter().fold(query, |query, index| query.index(index)), index.clone(), expected, sort.clone())
}

fn values_of(items: &[Item], names: &[&str]) -> Vec<Vec<Value>> {
    items.iter().map(|item| names.iter().map(|name| item[*name].clone()).collect()).collect()
}

fn sorted_by_key(shape: &Shape, mut items: Vec<Item>) -> Vec<Item> {
    let by_key = |one: &Item, other: &Item| {
        shape.key().iter().map(|name| order(&one[*name], &other[*name])).fold(Ordering::Equal, Ordering::then)
    };
    items.sort_by(by_key);
    items
}

fn check(db: &Database, shape: &Shape, model: &[Item], asked: &Asked) -> Result<()> {
    let (query, index, mut expected, sort) = question(shape, model, asked);
    let all = db.query(query.clone())?.items;
    if asked.reverse {
        expected.reverse();
    }
    assert_eq!(values_of(&all, &sort), values_of(&expected, &sort), "{query:?}");
    let shown: Vec<Item> = expected.iter().map(|item| shape.shown(index.as_deref(), item)).collect();
    assert_eq!(sorted_by_key(shape, all.clone()), sorted_by_key(shape, shown));
    let mut turned = db.query(query.clone().reverse(!asked.reverse))?.items;
    turned.reverse();
    assert_eq!(turned, all, "ties lie in one order");
    let iterated: Vec<Item> = db.iter_query(&query)?.map(|record| record.item().to_item()).collect();
    assert_eq!(iterated, all);
    // By tokens, and behind the last key of each page.
    for by_key in [false, true] {
        let (mut paged, mut next): (Vec<Item>, Query) = (Vec::new(), query.clone());
        for limit in asked.limits.iter().cycle() {
            let page = db.query(next.limit(*limit))?;
            paged.extend(page.items);
            let Some(token) = page.token else { break };
            next = match paged.last().filter(|_| by_key) {
                Some(last) => query.clone().start_after(&key_of(shape, index.as_deref(), last))?,
                None => query.clone().token(&token),
            };
        }
        assert_eq!(paged, all, "{query:?} in pages, by key: {by_key}");
    }
    Ok(())
}

/// The attributes of the table's key and of an index's.
fn key_of(shape: &Shape, index: Option<&str>, item: &Item) -> Item {
    let keys = shape.keys();
    let (_, (partition, sort)) = keys.iter().find(|(name, _)| name.as_deref() == index).expect("queried");
    let names = shape.key().into_iter().chain(partition.iter().copied()).chain(sort.iter().copied());
    names.map(|name| (name.to_owned(), item[name].clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn queries_are_those_of_a_sorted_list(
        shape in shape(),
        writes in writes(),
        questions in prop::collection::vec(asked(), 12),
        indexed_first: bool,
    ) {
        let plain = shape.schema().without_indexes();
        let db = Database::create_in_memory_with_schema(if indexed_first { shape.schema() } else { plain }).unwrap();
        let mut model: Vec<Item> = Vec::new();
        for (choices, kind) in &writes {
            let item = item_of(&shape, choices);
            model.retain(|other| !same_key(&shape, other, &item));
            db.put_item(item.clone()).unwrap();
            if kind % 4 == 0 {
                let parts: Vec<Vec<u8>> = shape.key().iter().map(|name| bytes_of(&item[*name])).collect();
                db.delete_with_sk(&parts[0], parts.get(1).map_or(&[], Vec::as_slice)).unwrap();
            } else {
                model.push(item);
            }
            if kind % 16 == 1 {
                db.flush().unwrap();
            }
        }
        if !indexed_first {
            db.configure(shape.schema()).unwrap();
        }
        if model.is_empty() {
            return Ok(());
        }
        let all = db.scan(Scan::new()).unwrap().items;
        prop_assert_eq!(sorted_by_key(&shape, all), sorted_by_key(&shape, model.clone()));
        for (index, (partition, sort)) in shape.keys() {
            let has = |item: &&Item| partition.iter().chain(&sort).all(|name| item.contains_key(*name));
            let scan = index.iter().fold(Scan::new(), |scan, index| scan.index(index));
            prop_assert_eq!(db.scan(scan).unwrap().count, model.iter().filter(has).count());
        }
        let fork = db.fork().unwrap();
        for asked in &questions {
            check(&db, &shape, &model, asked).unwrap();
            check(&fork, &shape, &model, asked).unwrap();
        }
    }
}

/// A value as callers name it.
fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::S(text) | Value::N(text) => text.as_bytes().to_vec(),
        Value::B(bytes) => bytes.to_vec(),
        _ => unreachable!("keys are S, N or B"),
    }
}
