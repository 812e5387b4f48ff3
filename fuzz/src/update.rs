//! Update expressions.

use kstone_api::expression::{Binder, ReturnValues, Subject, Update};
use kstone_api::{ItemRef, KeyRef, Write};

use crate::{database, parameters};

/// Takes bytes as the text of an update and applies it to items, present and absent: to the parsed update and through
/// the database, which agree.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parameters = parameters::for_text(text);
    let mut binder = Binder::new(&parameters);
    let update = Update::parse(text, &mut binder).and_then(|update| {
        binder.finish()?;
        Ok(update)
    });
    let Ok(update) = update else {
        refused(text, &parameters);
        return;
    };
    let database = database::filled();
    for (pk, sk) in database::KEYS {
        let present = database.get_record(pk, sk).expect("a key");
        let old = present.as_ref().map(|record| record.item());
        let expected = update.apply(KeyRef::new(pk, sk).expect("a key"), old);
        let write = || Write::update(pk, text).sort_key(sk).parameters(parameters.clone());
        let before = database::everything(&database);
        match database.write(write().return_values(ReturnValues::AllNew)) {
            Ok(returned) => {
                let body = expected.unwrap_or_else(|error| panic!("{text:?} was applied, but alone: {error}"));
                let stored = database.get_record(pk, sk).expect("a key");
                let old_subject = present.as_ref().map_or_else(Subject::absent, Subject::of_record);
                match (&body, &stored) {
                    (Some(body), Some(stored)) => {
                        assert_eq!(body, stored.body(), "update {text:?}");
                        ItemRef::validate(stored.body()).expect("an update writes an item");
                        assert_eq!(returned.as_ref().map(|record| record.body()), Some(stored.body()));
                        for which in [ReturnValues::UpdatedOld, ReturnValues::UpdatedNew] {
                            if let Some(part) = update.returned(which, &old_subject, &Subject::of_record(stored)) {
                                ItemRef::validate(&part).expect("what an update returns is an item");
                            }
                        }
                    }
                    (None, _) => assert_eq!(stored, present, "update {text:?} wrote nothing"),
                    (Some(_), None) => panic!("update {text:?} removed the item"),
                }
            }
            // An item may also be refused for its index keys or its size, which the update alone does not know.
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(database::everything(&database), before, "update {text:?} failed and changed something");
            }
        }
    }
}

/// A database refuses what does not parse, and stays as it was.
fn refused(text: &str, parameters: &kstone_api::expression::Parameters) {
    thread_local! {
        static DATABASE: kstone_api::Database = database::filled();
    }
    DATABASE.with(|database| {
        let before = database::items(database);
        let write = Write::update(b"a", text).parameters(parameters.clone());
        let error = database.write(write).expect_err("an update that does not parse");
        assert!(!error.to_string().is_empty());
        assert_eq!(database::items(database), before);
    });
}
