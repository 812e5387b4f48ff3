//! Puts, gets and deletes: what is taken, what is refused, and that a refusal changes nothing.

use kstone_api::{Database, Error, Item, ItemBuilder, KeyRef, KeystoneValue, Record, Result};

#[test]
fn an_item_of_every_type_comes_back_as_it_was_put() -> Result<()> {
    let db = Database::create_in_memory()?;
    let item = Item::from([
        ("s".to_string(), KeystoneValue::string("text \0 é")),
        ("n".to_string(), KeystoneValue::number(-12.5)),
        ("b".to_string(), KeystoneValue::binary([0, 255])),
        ("bool".to_string(), KeystoneValue::bool(true)),
        ("null".to_string(), KeystoneValue::null()),
        ("l".to_string(), KeystoneValue::list([KeystoneValue::number(1), KeystoneValue::list([])])),
        ("m".to_string(), KeystoneValue::map([("empty", KeystoneValue::string(""))])),
        ("ss".to_string(), KeystoneValue::string_set(["b", "a"])),
        ("ns".to_string(), KeystoneValue::number_set([10, 9])),
        ("bs".to_string(), KeystoneValue::binary_set([b"\xFF", b"\x00"])),
    ]);
    db.put_with_sk(b"p\0\xFF", b"\0", item.clone())?;
    assert_eq!(db.get_with_sk(b"p\0\xFF", b"\0")?, Some(item.clone()));
    db.compact()?;
    assert_eq!(db.get_with_sk(b"p\0\xFF", b"\0")?, Some(item));
    assert_eq!(db.get(b"p\0\xFF")?, None, "no sort key is another key");
    Ok(())
}

#[test]
fn numbers_come_back_in_canonical_form() -> Result<()> {
    let db = Database::create_in_memory()?;
    for (given, kept) in [("1.0", "1"), ("1E3", "1000"), ("-0", "0"), ("+007.50", "7.5")] {
        db.put(b"p", Item::from([("n".to_string(), KeystoneValue::N(given.to_string()))]))?;
        let item = db.get(b"p")?.expect("present");
        assert_eq!(item["n"].as_number(), Some(&kept.to_string()));
    }
    Ok(())
}

#[test]
fn an_attribute_named_like_the_key_must_equal_it() -> Result<()> {
    let db = Database::create_in_memory()?;
    let with = |name: &str, value: KeystoneValue| Item::from([(name.to_string(), value)]);
    db.put_with_sk(b"p", b"s", with("pk", KeystoneValue::string("p")))?;
    db.put_with_sk(b"p", b"s", with("sk", KeystoneValue::string("s")))?;
    db.put_with_sk(b"p", b"s", with("pk", KeystoneValue::binary(b"p")))?;
    db.put(b"\xFF", with("pk", KeystoneValue::binary(b"\xFF")))?;
    let refused = [
        db.put_with_sk(b"p", b"s", with("pk", KeystoneValue::string("q"))),
        db.put_with_sk(b"p", b"s", with("pk", KeystoneValue::binary(b"q"))),
        db.put_with_sk(b"7", b"s", with("pk", KeystoneValue::number(7))),
        db.put(b"p", with("sk", KeystoneValue::string("s"))),
        db.put(b"p", with("sk", KeystoneValue::string(""))),
    ];
    for outcome in refused {
        assert!(matches!(outcome, Err(Error::Invalid(text)) if text.to_string().contains("must equal the item's key")));
    }
    assert_eq!(db.stats()?.items, 2);
    Ok(())
}

#[test]
fn an_item_may_take_400_kb_with_its_key_and_no_more() -> Result<()> {
    let db = Database::create_in_memory()?;
    let item = |bytes: usize| ItemBuilder::new().binary("b", vec![7; bytes]).build();
    // The key counts as the attribute pk: two bytes of name and one of value; so does the name b.
    let fits = 400 * 1024 - 3 - 1;
    db.put(b"p", item(fits))?;
    let refused = db.put(b"p", item(fits + 1)).expect_err("too large");
    assert_eq!(
        refused.to_string(),
        "Item size has exceeded the maximum allowed size: the limit is 409600 bytes, found 409601"
    );
    assert_eq!(db.get(b"p")?.expect("present")["b"].as_bytes().len(), fits, "a refused put changes nothing");
    Ok(())
}

#[test]
fn clones_share_one_database() -> Result<()> {
    let db = Database::create_in_memory()?;
    let other = db.clone();
    db.put(b"p", Item::new())?;
    drop(db);
    assert_eq!(other.get(b"p")?, Some(Item::new()));
    Ok(())
}

#[test]
fn a_record_in_hand_stays_good_after_overwrite_clear_and_drop() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"p", ItemBuilder::new().string("v", "first").build())?;
    let record = db.get_record(b"p", b"")?.expect("present");
    db.put(b"p", ItemBuilder::new().string("v", "second").build())?;
    db.compact()?;
    db.clear()?;
    drop(db);
    assert_eq!(record.item().get("v").and_then(|value| value.as_str()), Some("first"));
    Ok(())
}

#[test]
fn a_commit_writes_all_or_nothing() -> Result<()> {
    let db = Database::create_in_memory()?;
    let (a, b) = (KeyRef::new(b"a", b"")?, KeyRef::new(b"b", b"")?);
    let refused = db.commit_with(&[a, b], |present| {
        assert!(present.get(a).is_none());
        Err::<(Vec<Record>, ()), _>(Error::from(kstone_api::error::Reason::NoOutcome))
    });
    assert!(refused.is_err() && db.stats()?.items == 0);
    db.commit_with(&[b, a], |_| Ok((vec![Record::put(a, &[]), Record::put(b, &[])], ())))?;
    assert_eq!(db.stats()?.items, 2);
    Ok(())
}

#[test]
fn stats_count_what_is_there() -> Result<()> {
    let db = Database::create_in_memory()?;
    for i in 0..100_u8 {
        db.put(&[i], Item::new())?;
    }
    db.flush()?;
    for i in 0..10_u8 {
        db.delete(&[i])?;
        db.put(&[i + 50], Item::new())?;
    }
    let stats = db.stats()?;
    assert_eq!(
        (stats.items, stats.tombstones, stats.memtable_records, stats.sst_records),
        (90, 0, 0, 90),
        "each stripe is its own and gives back what shows nothing"
    );
    assert_eq!(stats.live_bytes, 90 * 9, "a header of 8 bytes and one byte of key");
    assert!(stats.total_bytes > stats.live_bytes && stats.flushes > 0 && stats.ssts_per_stripe_max > 0);
    db.compact()?;
    let stats = db.stats()?;
    assert_eq!((stats.items, stats.tombstones, stats.sst_records, stats.memtable_records), (90, 0, 90, 0));
    let json = serde_json::to_value(stats).expect("serialised");
    assert_eq!(json["items"], 90);
    db.clear()?;
    assert_eq!(db.stats()?.items, 0);
    Ok(())
}
