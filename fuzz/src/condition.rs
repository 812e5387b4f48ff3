//! Conditions and filters.

use kstone_api::expression::{Binder, Condition, Kind, ReturnValues, Subject};
use kstone_api::{Error, Scan, Write};

use crate::{database, parameters};

thread_local! {
    static DATABASE: kstone_api::Database = database::filled();
}

/// Takes bytes as the text of a condition, asks it of items, and filters a scan by it: both say the same.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parameters = parameters::for_text(text);
    let database = DATABASE.with(Clone::clone);
    let mut binder = Binder::new(&parameters);
    let parsed = Condition::parse(Kind::Filter, text, &mut binder).and_then(|condition| {
        binder.finish()?;
        Ok(condition)
    });
    let scanned = database.scan_page(&Scan::new().filter_expression(text).parameters(parameters.clone()).build());
    match &parsed {
        Ok(condition) => {
            let expected = database::items(&database)
                .into_iter()
                .filter(|record| condition.evaluate(&Subject::of_record(record)))
                .collect::<Vec<_>>();
            assert_eq!(scanned.expect("a filter that parses").records, expected, "filter {text:?}");
            std::hint::black_box(condition.evaluate(&Subject::absent()));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(scanned.is_err(), "a scan takes a filter that does not parse: {text:?}");
        }
    }
    conditional_write(&database, text, &parameters);
}

/// A delete under the condition, undone by a put: it removes the item if and only if the condition holds.
fn conditional_write(database: &kstone_api::Database, text: &str, parameters: &kstone_api::expression::Parameters) {
    let before = database::items(database);
    for (pk, sk) in database::KEYS {
        let present = database.get_record(pk, sk).expect("a key");
        let mut binder = Binder::new(parameters);
        let holds = Condition::parse(Kind::Condition, text, &mut binder).and_then(|condition| {
            binder.finish()?;
            Ok(condition.evaluate(&present.as_ref().map_or_else(Subject::absent, Subject::of_record)))
        });
        let delete = Write::delete(pk).sort_key(sk).condition(text).parameters(parameters.clone());
        let result = database.write(delete.return_values(ReturnValues::AllOld));
        match (holds, result) {
            (Ok(true), Ok(old)) => {
                assert_eq!(old, present);
                if let Some(old) = old {
                    database.put_body(pk, sk, old.body()).expect("the item was there");
                }
            }
            (Ok(false), Err(Error::ConditionFailed { .. })) | (Err(_), Err(_)) => {}
            (holds, result) => panic!("{text:?} is {holds:?}, but the delete said {result:?}"),
        }
    }
    assert_eq!(database::items(database), before, "condition {text:?}");
}
