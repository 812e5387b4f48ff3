//! Pages of a partition that nothing decides upon are read by a way of their own: they are those of the general way.

use kstone_api::{
    Database, GlobalSecondaryIndex, Item, ItemBuilder, Page, Query, ReadKeys, ReadRequest, ReadStart, Record, Result,
    SortKeyCondition, TableSchema,
};
use proptest::prelude::*;

/// A record in what a page of a caller's keeps it in.
struct Kept(Record);

impl From<Record> for Kept {
    fn from(record: Record) -> Self {
        Self(record)
    }
}

impl std::borrow::Borrow<Record> for Kept {
    fn borrow(&self) -> &Record {
        &self.0
    }
}

/// The same writes in a plain table and in one with an index, whose queries go the general way.
fn databases(writes: &[(Vec<u8>, Option<u16>)]) -> Result<[Database; 2]> {
    let indexed = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-none", "none"));
    let databases = [Database::create_in_memory()?, Database::create_in_memory_with_schema(indexed)?];
    for db in &databases {
        for (at, (sk, bytes)) in writes.iter().enumerate() {
            match bytes {
                Some(bytes) => {
                    let item = ItemBuilder::new().binary("v", vec![at as u8; usize::from(*bytes)]).build();
                    db.put_with_sk(b"p", sk, item)?;
                }
                None => db.delete_with_sk(b"p", sk)?,
            }
            db.put_with_sk(b"q", sk, Item::new())?;
            if at % 16 == 15 {
                db.flush()?;
            }
        }
    }
    Ok(databases)
}

type Shown = (Vec<(Vec<u8>, Vec<u8>)>, usize, usize, Option<Vec<u8>>);

fn shown<R>(page: Page<R>, record: impl Fn(&R) -> &Record) -> Shown {
    let keys = page.records.iter().map(|kept| (record(kept).sk().to_vec(), record(kept).body().to_vec())).collect();
    (keys, page.count, page.scanned, page.token)
}

fn sort_key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0_u8, 1, b'a', 0xFF]), 0..4)
}

fn condition() -> impl Strategy<Value = SortKeyCondition> {
    use SortKeyCondition::{Any, BeginsWith, Between, Eq, Ge, Gt, Le, Lt};
    prop_oneof![
        Just(Any),
        sort_key().prop_map(Eq),
        sort_key().prop_map(Lt),
        sort_key().prop_map(Le),
        sort_key().prop_map(Gt),
        sort_key().prop_map(Ge),
        (sort_key(), sort_key()).prop_map(|(low, high)| Between(low, high)),
        sort_key().prop_map(BeginsWith),
    ]
}

fn borrowed(condition: &SortKeyCondition) -> SortKeyCondition<&[u8]> {
    use SortKeyCondition::{Any, BeginsWith, Between, Eq, Ge, Gt, Le, Lt};
    match condition {
        Any => Any,
        Eq(sk) => Eq(sk),
        Lt(sk) => Lt(sk),
        Le(sk) => Le(sk),
        Gt(sk) => Gt(sk),
        Ge(sk) => Ge(sk),
        Between(low, high) => Between(low, high),
        BeginsWith(sk) => BeginsWith(sk),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_a_plain_table_are_those_of_the_general_way(
        writes in prop::collection::vec((sort_key(), prop::option::weighted(0.8, 0_u16..60)), 0..120),
        condition in condition(),
        reverse: bool,
        limit in prop::option::of(1_usize..12),
    ) {
        let [plain, general] = databases(&writes).unwrap();
        let mut token: Option<Vec<u8>> = None;
        loop {
            let mut query = Query::new().partition_key(b"p").sort_key(condition.clone()).reverse(reverse);
            query = limit.into_iter().fold(query, Query::limit);
            query = token.iter().fold(query, |query, token| query.token(token));
            let keys = ReadKeys::Partition { partition_key: b"p", sort_key: borrowed(&condition) };
            let start = token.as_deref().map_or(ReadStart::First, ReadStart::Token);
            let lent = ReadRequest { keys, reverse, limit, start, ..ReadRequest::default() };
            let expected = general.query_page(&query).map(|page| shown(page, |record| record));
            let owned = plain.query_page(&query).map(|page| shown(page, |record| record));
            prop_assert_eq!(&owned, &expected);
            for db in [&plain, &general] {
                let kept = db.read_as::<Kept>(&lent).map(|page| shown(page.with_token(), |kept| &kept.0));
                prop_assert_eq!(&kept, &expected);
            }
            match expected {
                Ok((.., Some(next))) => token = Some(next),
                _ => break,
            }
        }
    }
}

#[test]
fn what_the_general_way_refuses_is_refused_in_the_same_words() -> Result<()> {
    let [plain, general] = databases(&[(b"a".to_vec(), Some(1))])?;
    let long = vec![0; 2049];
    let with = |partition_key, sort_key| ReadRequest {
        keys: ReadKeys::Partition { partition_key, sort_key },
        ..ReadRequest::default()
    };
    let good = with(b"p", SortKeyCondition::Any);
    for query in [
        ReadRequest::default(),
        with(&long, SortKeyCondition::Any),
        with(b"p", SortKeyCondition::Eq(&long)),
        with(b"p", SortKeyCondition::Between(b"b", b"a")),
        ReadRequest { limit: Some(0), ..good.clone() },
        ReadRequest { start: ReadStart::Token(b"damaged"), ..good },
    ] {
        let [found, expected] = [&plain, &general].map(|db| db.read_as::<Record>(&query).map(|_| ()));
        assert!(expected.is_err() && found == expected, "{query:?}: {found:?}, {expected:?}");
    }
    Ok(())
}
