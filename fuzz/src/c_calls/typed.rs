//! Calls on a table whose key is two numbers, against a model: items are put under their own keys, keys are spelt in
//! several ways, and what shows an item shows its key attributes.

use std::collections::BTreeMap;
use std::ptr::{null, null_mut};

use kstone_c_abi::access::{kstone_get, kstone_put_item};
use kstone_c_abi::batch::{KSTONE_BATCH_ATOMIC, kstone_batch_new, kstone_batch_put_item, kstone_batch_run};
use kstone_c_abi::boundary::status::{KSTONE_ERR_INVALID, KSTONE_OK, Status};
use libfuzzer_sys::arbitrary::{self, Arbitrary};

use super::AttributesChoice;
use super::calls::{self, Database, Handle, checked, item, output, slice};
use super::model::{Attributes, Entry, Key};

/// The schema of such a table.
const SCHEMA: &str = r#"{"partition_key":{"name":"p","type":"N"},"sort_key":{"name":"q","type":"N"}}"#;

/// A key, and one of the ways to write its numbers.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub(super) struct NumberKey(i8, i16, u8);

impl NumberKey {
    fn numbers(self) -> (i64, i64) {
        (i64::from(self.0 % 3), i64::from(self.1))
    }

    fn key(self) -> Key {
        let (p, q) = self.numbers();
        (self.spelt(p), self.spelt(q))
    }

    fn spelt(self, number: i64) -> Vec<u8> {
        let text = match self.2 % 4 {
            0 => format!("{number}"),
            1 => format!("{number}.00"),
            2 => format!("{number}e0"),
            _ => format!("{number}00E-2"),
        };
        text.into_bytes()
    }

    /// These attributes with those of the key.
    fn whole(self, others: &AttributesChoice) -> Attributes {
        let (p, q) = self.numbers();
        let mut whole = others.attributes();
        whole.extend([("p".to_owned(), p), ("q".to_owned(), q)]);
        whole
    }
}

#[derive(Arbitrary, Debug)]
pub(super) enum TypedCall<'a> {
    PutItem(NumberKey, AttributesChoice),
    /// Of an item without its key.
    PutKeyless(AttributesChoice),
    /// Under its key, which the item holds or not.
    Put(NumberKey, AttributesChoice, bool),
    Batch(bool, Vec<(NumberKey, AttributesChoice)>),
    Delete(NumberKey),
    GetMany(Vec<NumberKey>),
    Query(NumberKey, bool, u8),
    /// Any bytes as a key.
    AnyKey(&'a [u8], &'a [u8]),
    Flush,
}

/// A typed table and what it must hold.
pub(super) struct Typed {
    db: Database,
    model: BTreeMap<(i64, i64), Attributes>,
}

impl Typed {
    pub(super) fn open() -> Self {
        Self { db: calls::open_with(Some(SCHEMA)), model: BTreeMap::new() }
    }

    pub(super) fn call(&mut self, call: &TypedCall<'_>) {
        match call {
            TypedCall::PutItem(key, others) => {
                assert_eq!(self.put_item(&key.whole(others)), KSTONE_OK);
                self.model.insert(key.numbers(), key.whole(others));
            }
            TypedCall::PutKeyless(others) => assert_eq!(self.put_item(&others.attributes()), KSTONE_ERR_INVALID),
            TypedCall::Put(key, others, holds_key) => {
                let given = if *holds_key { key.whole(others) } else { others.attributes() };
                self.db.put(&key.key(), &given);
                self.model.insert(key.numbers(), key.whole(others));
            }
            TypedCall::Batch(atomic, puts) => self.batch(*atomic, &puts[..puts.len().min(20)]),
            TypedCall::Delete(key) => {
                self.db.delete(&key.key());
                self.model.remove(&key.numbers());
            }
            TypedCall::GetMany(keys) => {
                let expected: Vec<_> = keys.iter().map(|key| self.model.get(&key.numbers()).cloned()).collect();
                let keys: Vec<Key> = keys.iter().map(|key| key.key()).collect();
                let one_by_one: Vec<_> = keys.iter().map(|key| self.db.get(key)).collect();
                assert_eq!(one_by_one, expected);
                assert_eq!(self.db.get_many(&keys), expected);
            }
            TypedCall::Query(key, reverse, limit) => {
                let found = self.db.pages(Some(&key.key().0), *reverse, u32::from(limit % 4));
                let mut expected = self.entries(|p| p == key.numbers().0);
                if *reverse {
                    expected.reverse();
                }
                assert_eq!(found, expected);
            }
            TypedCall::AnyKey(pk, sk) => self.get_any(pk, sk),
            TypedCall::Flush => self.db.flush(),
        }
        assert_eq!(self.db.count(), self.model.len() as u64);
    }

    /// The table holds what its model does.
    pub(super) fn finish(&self) {
        let mut found = self.db.pages(None, false, 0);
        found.sort();
        let mut expected = self.entries(|_| true);
        expected.sort();
        assert_eq!(found, expected);
    }

    /// Items of some partitions, in the order of numbers, under their keys as callers give them.
    fn entries(&self, wanted: impl Fn(i64) -> bool) -> Vec<Entry> {
        let entry = |(&(p, q), item): (&(i64, i64), &Attributes)| {
            ((p.to_string().into_bytes(), q.to_string().into_bytes()), item.clone())
        };
        self.model.iter().filter(|((p, _), _)| wanted(*p)).map(entry).collect()
    }

    fn put_item(&self, attributes: &Attributes) -> Status {
        let item = item(attributes);
        // SAFETY: live handles.
        checked(|error| unsafe { kstone_put_item(self.db.0, item.0, error) })
    }

    /// Whatever it is called: there is an item, there is none, or it is no key.
    fn get_any(&self, pk: &[u8], sk: &[u8]) {
        let ((pk, pk_len), (sk, sk_len)) = (slice(pk), slice(sk));
        let mut out = null_mut();
        // SAFETY: a live handle, slices with their lengths, and an output.
        let status = checked(|error| unsafe { kstone_get(self.db.0, pk, pk_len, sk, sk_len, &raw mut out, error) });
        drop(output(status, out));
    }

    fn batch(&mut self, atomic: bool, puts: &[(NumberKey, AttributesChoice)]) {
        let batch = Handle(kstone_batch_new());
        for (key, others) in puts {
            let item = item(&key.whole(others));
            // SAFETY: live handles, and no condition.
            assert_eq!(unsafe { kstone_batch_put_item(batch.0, item.0, null()) }, KSTONE_OK);
        }
        let flags = if atomic { KSTONE_BATCH_ATOMIC } else { 0 };
        // SAFETY: live handles; the page is not asked for.
        let status = checked(|error| unsafe { kstone_batch_run(self.db.0, batch.0, flags, null_mut(), error) });
        let numbers: Vec<_> = puts.iter().map(|(key, _)| key.numbers()).collect();
        let is_twice = numbers.iter().enumerate().any(|(at, key)| numbers[..at].contains(key));
        if puts.is_empty() || atomic && is_twice {
            assert_eq!(status, KSTONE_ERR_INVALID);
            return;
        }
        assert_eq!(status, KSTONE_OK);
        self.model.extend(puts.iter().map(|(key, others)| (key.numbers(), key.whole(others))));
    }
}
