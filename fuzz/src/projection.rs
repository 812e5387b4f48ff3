//! Projections.

use kstone_api::expression::{Binder, Projection, Subject};
use kstone_api::{ItemRef, Scan};

use crate::{database, parameters};

thread_local! {
    static DATABASE: kstone_api::Database = database::filled();
}

/// Takes bytes as the text of a projection and applies it to items: what comes out is an item whose attributes the
/// projection names, and a scan gives the same.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parameters = parameters::for_text(text);
    let database = DATABASE.with(Clone::clone);
    let scanned = database.scan_page(&Scan::new().projection_expression(text).parameters(parameters.clone()).build());
    let mut binder = Binder::new(&parameters);
    let projection = Projection::parse(text, &mut binder).and_then(|projection| {
        binder.finish()?;
        Ok(projection)
    });
    let Ok(projection) = projection else {
        assert!(scanned.is_err(), "a scan takes a projection that does not parse: {text:?}");
        return;
    };
    let scanned = scanned.expect("a projection that parses");
    let records = database::items(&database);
    assert_eq!(scanned.records.len(), records.len());
    for (record, shown) in records.iter().zip(&scanned.records) {
        let body = projection.apply(&Subject::of_record(record));
        let item = ItemRef::validate(&body).expect("a projection gives an item");
        assert_eq!(item, shown.item(), "projection {text:?}");
        for (name, _) in item {
            assert!(projection.attributes().any(|attribute| attribute == name), "{text:?} does not name {name}");
        }
    }
    ItemRef::validate(&projection.apply(&Subject::absent())).expect("an item without attributes");
}
