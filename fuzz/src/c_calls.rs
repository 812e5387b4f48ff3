//! Sequences of C calls against a model.
//!
//! The bytes choose calls on a few databases, forked from each other, that share few keys, so that the calls meet. After
//! each call the library and the model agree.

mod calls;
mod cursors;
mod item_calls;
mod model;
mod nested;
mod typed;

use kstone_c_abi::bound::KSTONE_VALUE_I64;
use kstone_c_abi::boundary::status::{KSTONE_ERR_CONDITION_FAILED, KSTONE_ERR_INVALID, KSTONE_OK};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};

use calls::{Database, Handle};
use cursors::{Cursor, Move};
use model::{Attributes, Entry, Key, Model};
use nested::{Nested, Step};
use typed::{Typed, TypedCall};

/// Sets the one attribute that conditions ask for.
const SET_N: &str = "SET n = :v";
/// The most databases at once.
const DATABASES_MAX: usize = 4;
/// The most cursors at once.
const CURSORS_MAX: usize = 4;
/// The most calls of a run.
const CALLS_MAX: usize = 500;

/// Few keys, of every shape.
#[derive(Arbitrary, Debug, Clone, Copy)]
struct KeyChoice(u8);

impl KeyChoice {
    fn key(self) -> Key {
        let pk: &[u8] = [b"a" as &[u8], b"b", b"\0", b"\xFF\xFE"][usize::from(self.0 & 3)];
        let sk: &[u8] = [b"" as &[u8], b"1", b"2", b"\0", b"\xFF", b"10", b"a", b"b"][usize::from(self.0 >> 2 & 7)];
        (pk.to_vec(), sk.to_vec())
    }
}

#[derive(Arbitrary, Debug, Clone)]
struct AttributesChoice(Vec<(u8, i8)>);

impl AttributesChoice {
    fn attributes(&self) -> Attributes {
        let name = |choice: u8| ["n", "a", "zz", "ä"][usize::from(choice & 3)].to_owned();
        self.0.iter().take(4).map(|&(choice, value)| (name(choice), i64::from(value))).collect()
    }
}

/// A write in a batch.
#[derive(Debug, Clone)]
enum Change {
    Put(Attributes),
    Set(i64),
    Delete,
}

#[derive(Arbitrary, Debug)]
enum ChangeChoice {
    Put(AttributesChoice),
    Set(i8),
    Delete,
}

#[derive(Arbitrary, Debug)]
enum Call<'a> {
    Put(KeyChoice, AttributesChoice),
    PutIfAbsent(KeyChoice, AttributesChoice),
    PutIfNumber(KeyChoice, AttributesChoice, i8),
    Set(KeyChoice, i8),
    Add(KeyChoice, i8),
    Remove(KeyChoice),
    Delete(KeyChoice),
    Get(KeyChoice),
    Query(KeyChoice, bool, u8),
    Scan(u8),
    /// Opens an iterator that is read at the end of the run, whatever was written meanwhile.
    Iterate(Option<KeyChoice>, bool),
    Batch(bool, Vec<(KeyChoice, ChangeChoice)>),
    Fork,
    Switch(u8),
    Close(u8),
    Flush,
    Compact,
    Clear,
    /// Any text as JSON of an item.
    Json(KeyChoice, &'a [u8], bool),
    /// Any text as a name and a value of an item.
    Edit(&'a [u8], &'a [u8], bool),
    /// Opens a cursor, over a partition or over all, which is moved while others write.
    Cursor(Option<KeyChoice>, bool, bool),
    Move(u8, Move),
    GetMany(Vec<KeyChoice>),
    PutMany(Vec<(KeyChoice, AttributesChoice)>),
    Attribute(KeyChoice, u8),
    /// Builds an item member by member, puts it and gets it.
    Nested(KeyChoice, Vec<Step>),
    /// An update that is prepared.
    SetPrepared(KeyChoice, i8),
    /// Any bytes as a value that is bound.
    Bind(KeyChoice, u16, &'a [u8]),
    /// A call on a table of its own, whose key has names and types.
    Typed(TypedCall<'a>),
}

/// An iterator, and what it must give.
type Opened = (Handle<kstone_c_abi::iter::Iter>, Vec<Entry>, bool);

struct Run {
    databases: Vec<(Database, Model)>,
    at: usize,
    opened: Vec<Opened>,
    cursors: Vec<Cursor>,
    /// Whether there is an index by `n`.
    indexed: bool,
    /// Opened by the first call on it.
    typed: Option<Typed>,
}

/// Takes bytes as a sequence of calls.
pub fn run(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    let indexed = bool::arbitrary(&mut bytes).unwrap_or_default();
    let databases = vec![(calls::open(indexed), Model::default())];
    let mut run = Run { databases, at: 0, opened: Vec::new(), cursors: Vec::new(), indexed, typed: None };
    for _ in 0..CALLS_MAX {
        if bytes.is_empty() {
            break;
        }
        let Ok(call) = Call::arbitrary(&mut bytes) else { break };
        run.call(&call);
        run.check_counts();
    }
    run.finish();
}

impl Run {
    fn call(&mut self, call: &Call<'_>) {
        match call {
            Call::Fork if self.databases.len() < DATABASES_MAX => {
                let (db, model) = &self.databases[self.at];
                let fork = (db.fork(), model.clone());
                self.databases.push(fork);
            }
            Call::Fork => {}
            Call::Switch(to) => self.at = usize::from(*to) % self.databases.len(),
            Call::Close(which) if self.databases.len() > 1 => {
                self.databases.swap_remove(usize::from(*which) % self.databases.len());
                self.at = 0;
            }
            Call::Close(_) => {}
            Call::Iterate(partition, reverse) => {
                let (db, model) = &self.databases[self.at];
                let pk = partition.map(|choice| choice.key().0);
                let reverse = *reverse && pk.is_some();
                let iterator = db.iterate(pk.as_deref(), reverse);
                self.opened.push((iterator, model.entries(pk.as_deref(), reverse), pk.is_some()));
            }
            Call::Cursor(partition, reverse, filtered) => {
                let (db, model) = &self.databases[self.at];
                let pk = partition.map(|choice| choice.key().0);
                let reverse = *reverse && pk.is_some();
                if self.cursors.len() == CURSORS_MAX {
                    self.cursors.remove(0);
                }
                self.cursors.push(Cursor::open(db, model, pk, reverse, *filtered));
            }
            Call::Move(which, to) if !self.cursors.is_empty() => {
                let which = usize::from(*which) % self.cursors.len();
                self.cursors[which].go(*to);
            }
            Call::Move(..) => {}
            Call::Typed(call) => self.typed.get_or_insert_with(Typed::open).call(call),
            Call::Edit(name, value, plain) => calls::edit_item(name, value, u32::from(*plain)),
            _ => {
                let (db, model) = &mut self.databases[self.at];
                match call {
                    Call::Get(_) | Call::GetMany(_) | Call::Attribute(..) | Call::Query(..) | Call::Scan(_) => {
                        read(db, model, call);
                    }
                    Call::Flush => db.flush(),
                    Call::Compact => db.compact(),
                    _ => write(db, model, call),
                }
            }
        }
    }

    /// Every database says that it has as many items, and entries of its index, as there are.
    fn check_counts(&self) {
        for (db, model) in &self.databases {
            assert_eq!(db.count(), model.count(|_| true));
            assert_eq!(db.index_entries(), if self.indexed { model.count(|item| item.contains_key("n")) } else { 0 });
        }
    }

    /// Every database holds what its model does, iterators give what there was when they were opened, also when their
    /// databases are gone.
    fn finish(self) {
        for (db, model) in &self.databases {
            agree(db.pages(None, false, 0), model.entries(None, false), false);
        }
        self.typed.iter().for_each(Typed::finish);
        drop(self.databases);
        for (iterator, expected, ordered) in self.opened {
            let given = std::iter::from_fn(|| iterator.next()).collect();
            agree(given, expected, ordered);
        }
    }
}

fn read(db: &Database, model: &Model, call: &Call<'_>) {
    match call {
        Call::Get(choice) => assert_eq!(db.get(&choice.key()).as_ref(), model.get(&choice.key())),
        Call::GetMany(choices) => {
            let keys: Vec<Key> = choices.iter().map(|choice| choice.key()).collect();
            let expected: Vec<_> = keys.iter().map(|key| model.get(key).cloned()).collect();
            assert_eq!(db.get_many(&keys), expected);
        }
        Call::Attribute(choice, name) => {
            let (key, name) = (choice.key(), ["n", "a", "zz", "ä"][usize::from(name & 3)]);
            let expected = model.get(&key).map(|item| item.get(name).map(i64::to_string));
            assert_eq!(db.attribute(&key, name), expected);
        }
        Call::Query(choice, reverse, limit) => {
            let (pk, _) = choice.key();
            agree(db.pages(Some(&pk), *reverse, u32::from(limit % 4)), model.entries(Some(&pk), *reverse), true);
        }
        Call::Scan(limit) => agree(db.pages(None, false, u32::from(limit % 8)), model.entries(None, false), false),
        _ => unreachable!("{call:?} is no read"),
    }
}

fn write(db: &Database, model: &mut Model, call: &Call<'_>) {
    match call {
        Call::Put(choice, attributes) => {
            db.put(&choice.key(), &attributes.attributes());
            model.put(&choice.key(), &attributes.attributes());
        }
        Call::PutMany(choices) => {
            let puts: Vec<_> = choices.iter().map(|(choice, item)| (choice.key(), item.attributes())).collect();
            db.put_many(&puts);
            puts.iter().for_each(|(key, attributes)| model.put(key, attributes));
        }
        Call::PutIfAbsent(choice, attributes) => {
            let (key, attributes) = (choice.key(), attributes.attributes());
            let status = db.put_if(&key, &attributes, "attribute_not_exists(pk)", None);
            put_where(model, &key, &attributes, model.get(&key).is_none(), status);
        }
        Call::PutIfNumber(choice, attributes, value) => {
            let (key, attributes, value) = (choice.key(), attributes.attributes(), i64::from(*value));
            let status = db.put_if(&key, &attributes, "n < :v", Some(value));
            let holds = model.get(&key).and_then(|item| item.get("n")).is_some_and(|n| *n < value);
            put_where(model, &key, &attributes, holds, status);
        }
        Call::Set(choice, value) => {
            assert_eq!(db.update(&choice.key(), SET_N, Some(i64::from(*value))), KSTONE_OK);
            model.set(&choice.key(), "n", i64::from(*value));
        }
        Call::SetPrepared(choice, value) => {
            let value = i64::from(*value);
            let bound = (KSTONE_VALUE_I64, &value.to_ne_bytes()[..]);
            assert_eq!(db.update_prepared(&choice.key(), SET_N, bound), KSTONE_OK);
            model.set(&choice.key(), "n", value);
        }
        Call::Bind(choice, type_, bytes) => {
            // As with JSON: what was bound can be read as an item, and is removed.
            let key = choice.key();
            if db.update_prepared(&key, "SET zz = :v", (u32::from(*type_ % 300), bytes)) == KSTONE_OK {
                db.check_json(&key);
                db.delete(&key);
                model.delete(&key);
            }
        }
        Call::Add(choice, value) => {
            let key = choice.key();
            let before = model.get(&key).and_then(|item| item.get("a")).copied().unwrap_or(0);
            assert_eq!(db.update(&key, "ADD a :v", Some(i64::from(*value))), KSTONE_OK);
            model.set(&key, "a", before + i64::from(*value));
        }
        Call::Remove(choice) => {
            let key = choice.key();
            assert_eq!(db.update(&key, "REMOVE n", None), KSTONE_OK);
            if let Some(mut item) = model.get(&key).cloned() {
                item.remove("n");
                model.put(&key, &item);
            }
        }
        Call::Delete(choice) => {
            db.delete(&choice.key());
            model.delete(&choice.key());
        }
        Call::Clear => {
            db.clear();
            model.clear();
        }
        Call::Json(choice, json, plain) => {
            // What may have become an item is removed: the model knows numbers alone.
            if db.put_json(&choice.key(), json, u32::from(*plain)) == KSTONE_OK {
                db.delete(&choice.key());
                model.delete(&choice.key());
            }
        }
        Call::Nested(choice, steps) => {
            // As with JSON: what it put is looked at and removed.
            let (key, nested) = (choice.key(), Nested::built(steps));
            nested.check_put(db, &key);
            db.delete(&key);
            model.delete(&key);
        }
        Call::Batch(atomic, choices) => batch(db, model, *atomic, choices),
        _ => unreachable!("{call:?} is no write"),
    }
}

fn put_where(model: &mut Model, key: &Key, attributes: &Attributes, holds: bool, status: i32) {
    assert_eq!(status, if holds { KSTONE_OK } else { KSTONE_ERR_CONDITION_FAILED });
    if holds {
        model.put(key, attributes);
    }
}

fn batch(db: &Database, model: &mut Model, atomic: bool, choices: &[(KeyChoice, ChangeChoice)]) {
    let change = |choice: &ChangeChoice| match choice {
        ChangeChoice::Put(attributes) => Change::Put(attributes.attributes()),
        ChangeChoice::Set(value) => Change::Set(i64::from(*value)),
        ChangeChoice::Delete => Change::Delete,
    };
    let operations: Vec<_> = choices.iter().take(20).map(|(key, choice)| (key.key(), change(choice))).collect();
    let status = db.batch(&operations, u32::from(atomic));
    let twice =
        operations.iter().enumerate().any(|(at, (key, _))| operations[..at].iter().any(|(other, _)| other == key));
    if operations.is_empty() || atomic && twice {
        assert_eq!(status, KSTONE_ERR_INVALID);
        return;
    }
    assert_eq!(status, KSTONE_OK);
    for (key, change) in &operations {
        match change {
            Change::Put(attributes) => model.put(key, attributes),
            Change::Set(value) => model.set(key, "n", *value),
            Change::Delete => model.delete(key),
        }
    }
}

/// The same items; in the same order where there is one.
fn agree(mut given: Vec<Entry>, expected: Vec<Entry>, ordered: bool) {
    if !ordered {
        given.sort();
    }
    assert_eq!(given, expected);
}
