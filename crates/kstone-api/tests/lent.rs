//! Writes of lent parts do what writes of copied parts do, and fail as they fail.

use kstone_api::expression::ReturnValues;
use kstone_api::{Database, ItemRef, ItemWriter, LentWrite, Result};

/// A bag of parameters: integers, and texts for `#names`.
fn bag(values: &[(&str, i64)], names: &[(&str, &str)]) -> Vec<u8> {
    let mut bag = ItemWriter::new();
    for (name, value) in values {
        bag.set_i64(name, *value).expect("a value");
    }
    for (alias, name) in names {
        bag.set_str(alias, name).expect("a name");
    }
    bag.finish().to_vec()
}

/// What a write returned, or its error, and the item afterwards.
type Outcome = (std::result::Result<Option<Vec<u8>>, String>, Option<Vec<u8>>);

/// Does a write in one way on a database that holds one item of it.
fn outcome(write: &LentWrite<'_>, lent: bool) -> Result<Outcome> {
    let db = Database::create_in_memory()?;
    let mut item = ItemWriter::new();
    item.set_i64("n", 5)?.set_str("s", "text")?;
    db.put_body(b"there", b"sk", item.finish())?;
    let returned = if lent { write.run(&db) } else { write.to_write().and_then(|write| db.write(write)) };
    let returned =
        returned.map(|record| record.map(|record| record.body().to_vec())).map_err(|error| format!("{error:?}"));
    let body = db.get_record(b"there", b"sk")?.map(|record| record.body().to_vec());
    Ok((returned, body))
}

/// How many of these writes succeed in either way, in which they must agree.
fn succeeding<'a>(writes: impl IntoIterator<Item = LentWrite<'a>>) -> Result<usize> {
    let mut succeeded = 0;
    for write in writes {
        for values in [ReturnValues::None, ReturnValues::AllOld, ReturnValues::AllNew, ReturnValues::UpdatedNew] {
            for write in [write.return_values(values), write.return_values(values).return_old_on_failure()] {
                let (lent, copied) = (outcome(&write, true)?, outcome(&write, false)?);
                assert_eq!(lent, copied, "{write:?}");
                succeeded += usize::from(lent.0.is_ok());
            }
        }
    }
    Ok(succeeded)
}

#[test]
fn updates_read_their_bags_as_copies_of_them_are_read() -> Result<()> {
    let nine: Vec<(String, i64)> = (1..=9).map(|i| (format!(":{i}"), i)).collect();
    let nine: Vec<(&str, i64)> = nine.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let bags = [
        bag(&[], &[]),
        bag(&[(":a", 1)], &[]),
        bag(&[(":a", 1), (":b", 5)], &[]),
        bag(&[(":a", 1)], &[("#n", "n")]),
        bag(&[(":a", 1)], &[(":b", "text")]),
        bag(&[("a", 1)], &[]),
        bag(&nine, &[]),
    ];
    let texts = [
        "SET n = n + :a",
        "SET n = n + :a, m = :b",
        "ADD #n :a",
        "SET n = :b REMOVE s",
        "SET l = if_not_exists(x, :1), n = :2, a = :3, b = :4, c = :5, d = :6, e = :7, f = :8, g = :9",
        "REMOVE s",
        "SET pk = :a",
        "SET n = :a, n = :a",
        "SET n = n +",
        "DELETE n :a",
    ];
    let writes = texts
        .iter()
        .flat_map(|text| bags.iter().map(|bag| LentWrite::update(b"there", b"sk", text).parameters(ItemRef::new(bag))));
    // Each text that is right fits one bag, and one of them two.
    assert_eq!(succeeding(writes)?, 6 * 8);
    assert_eq!(succeeding([LentWrite::update(b"there", b"sk", "REMOVE s")])?, 8);
    assert_eq!(succeeding([LentWrite::update(b"there", b"sk", "SET n = :a")])?, 0);
    Ok(())
}

#[test]
fn conditions_share_a_bag_or_have_their_own() -> Result<()> {
    let (none, a, b, both) =
        (bag(&[], &[]), bag(&[(":a", 1)], &[]), bag(&[(":b", 5)], &[]), bag(&[(":a", 1), (":b", 5)], &[]));
    let update =
        |text: &'static str, condition: &'static str| LentWrite::update(b"there", b"sk", text).condition(condition);
    let set = update("SET m = :a", "n = :b");
    assert_eq!(succeeding([set.parameters(ItemRef::new(&both))])?, 8);
    assert_eq!(succeeding([set.parameters(ItemRef::new(&a)).condition_parameters(ItemRef::new(&b))])?, 8);
    assert_eq!(succeeding([update("SET m = :a", "n <> :a").parameters(ItemRef::new(&a))])?, 8, "one value for both");
    assert_eq!(succeeding([update("SET m = :a", "n = :a").parameters(ItemRef::new(&a))])?, 0, "the condition fails");
    let wrong = [
        set.parameters(ItemRef::new(&a)),
        set.parameters(ItemRef::new(&b)),
        set.parameters(ItemRef::new(&both)).condition_parameters(ItemRef::new(&b)),
        set.parameters(ItemRef::new(&a)).condition_parameters(ItemRef::new(&both)),
        set.parameters(ItemRef::new(&both)).condition_parameters(ItemRef::new(&none)),
        update("SET m = :a", "n = ").parameters(ItemRef::new(&a)),
        update("SET m = :a", "size(:a) = :b").parameters(ItemRef::new(&both)),
    ];
    assert_eq!(succeeding(wrong)?, 0);
    Ok(())
}

#[test]
fn puts_deletes_and_checks_are_lent_too() -> Result<()> {
    let mut item = ItemWriter::new();
    item.set_i64("n", 6)?;
    let body = item.finish();
    let five = bag(&[(":b", 5)], &[]);
    let put = LentWrite::put(b"there", b"sk", body);
    let delete = LentWrite::delete(b"there", b"sk");
    // A put or a delete returns nothing or the old item.
    for write in [put, delete] {
        assert_eq!(succeeding([write])?, 4);
        assert_eq!(succeeding([write.condition("attribute_exists(pk)")])?, 4);
        assert_eq!(succeeding([write.condition("n = :b").parameters(ItemRef::new(&five))])?, 4);
        assert_eq!(succeeding([write.condition("n = :b").condition_parameters(ItemRef::new(&five))])?, 4);
        assert_eq!(
            succeeding([write.condition("attribute_not_exists(pk)"), write.parameters(ItemRef::new(&five))])?,
            0
        );
    }
    assert_eq!(succeeding([LentWrite::check(b"there", b"sk", "n = :b").parameters(ItemRef::new(&five))])?, 4);
    assert_eq!(succeeding([LentWrite::put(b"", b"sk", body), LentWrite::delete(b"", b"")])?, 0);
    let large = "x".repeat(400 * 1024);
    let mut item = ItemWriter::new();
    item.set_str("s", &large[..400 * 1024 - 5])?;
    assert_eq!(succeeding([LentWrite::put(b"there", b"sk", item.finish())])?, 0, "larger than an item may be");
    Ok(())
}
