//! Key conditions, of the table and of its indexes.

use kstone_api::{Database, Query};

use crate::{database, parameters};

thread_local! {
    static DATABASE: Database = database::filled();
}

/// Takes bytes as the text of a key condition and queries by it: forward and in reverse, whole and item by item, the
/// answers are the same.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parameters = parameters::for_text(text);
    let database = DATABASE.with(Clone::clone);
    for index in [None, Some("by-n"), Some("by-s")] {
        let query = || {
            let query = Query::new().key_condition_expression(text).parameters(parameters.clone());
            match index {
                Some(name) => query.index(name),
                None => query,
            }
        };
        let page = match database.query_page(&query().build()) {
            Ok(page) => page,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        let mut reversed = database.query_page(&query().reverse(true).build()).expect("the same query").records;
        reversed.reverse();
        assert_eq!(reversed, page.records, "{text:?} in reverse");
        let mut records = Vec::new();
        let mut token: Option<Vec<u8>> = None;
        loop {
            let query = query().limit(1);
            let query = token.take().map_or_else(|| query.clone(), |token| query.clone().token(&token));
            let one = database.query_page(&query.build()).expect("the same query");
            records.extend(one.records);
            assert!(records.len() <= page.records.len(), "{text:?} page by page gives too much");
            match one.token {
                Some(next) => token = Some(next.to_vec()),
                None => break,
            }
        }
        assert_eq!(records, page.records, "{text:?} page by page");
    }
}
