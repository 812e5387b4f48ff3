//! The writer: order, overwriting, what it refuses, and that a refusal changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::error::Reason;
use crate::item::MAX_NESTING_LEVELS;
use crate::value::Item;

fn invalid(result: Result<&mut ItemWriter>) -> String {
    match result {
        Err(Error::Invalid(refusal)) => refusal.to_string(),
        other => panic!("expected Invalid, got {other:?}"),
    }
}

fn nested_lists(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, _| Value::list([inner]))
}

#[test]
fn names_come_out_in_order_however_they_went_in() {
    let mut sorted = ItemWriter::new();
    sorted.set_i64("a", 1).unwrap().set_i64("b", 2).unwrap().set_i64("c", 3).unwrap();
    let mut reversed = ItemWriter::new();
    reversed.set_i64("c", 3).unwrap().set_i64("b", 2).unwrap().set_i64("a", 1).unwrap();
    assert_eq!(sorted.finish(), reversed.finish());
}

#[test]
fn the_last_set_of_a_name_stays() {
    let mut item = ItemWriter::new();
    item.set_i64("b", 1).unwrap().set_i64("b", 2).unwrap().set_str("a", "x").unwrap().set_bool("b", true).unwrap();
    assert_eq!(
        item.as_item().to_item(),
        Item::from([("a".into(), Value::string("x")), ("b".into(), Value::bool(true))])
    );
    item.set_null("a").unwrap();
    assert_eq!(item.finish(), b"\x01a\x05\x00\x01b\x04\x01\x01");
}

#[test]
fn a_prefix_orders_before_the_longer_name() {
    let mut item = ItemWriter::new();
    item.set_null("ab").unwrap().set_null("a").unwrap().set_null("b").unwrap().set_null("aa").unwrap();
    assert_eq!(item.as_item().iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "aa", "ab", "b"]);
}

#[test]
fn clear_keeps_the_capacity() {
    let mut item = ItemWriter::new();
    item.set_str("a", &"x".repeat(100)).unwrap();
    let capacity = item.body.capacity();
    item.clear();
    assert!(item.as_item().is_empty());
    item.set_str("a", &"y".repeat(100)).unwrap();
    assert_eq!(item.body.capacity(), capacity);
    assert_eq!(item.as_item().get("a").unwrap().as_str(), Some(&*"y".repeat(100)));
}

#[test]
fn remove_takes_one_attribute_away() {
    let mut item = ItemWriter::new();
    item.set_i64("c", 3).unwrap().set_i64("a", 1).unwrap().set_i64("b", 2).unwrap().set_i64("b", 4).unwrap();
    assert!(item.remove("b"));
    assert!(!item.remove("b"));
    assert!(!item.remove(""));
    assert!(item.remove("c"));
    item.set_i64("b", 5).unwrap();
    assert_eq!(item.finish(), b"\x01a\x02\x011\x01b\x02\x015");
    assert!(item.remove("a") && item.remove("b"));
    assert_eq!(item.finish(), b"");
    item.set_null("a").unwrap();
    assert_eq!(item.finish(), b"\x01a\x05\x00");
}

#[test]
fn integers_are_written_in_full() {
    for n in [0, 1, -1, 9, 10, i64::MAX, i64::MIN] {
        let mut item = ItemWriter::new();
        item.set_i64("n", n).unwrap();
        assert_eq!(item.as_item().get("n").unwrap().as_number(), Some(&*n.to_string()));
    }
}

#[test]
fn floats_are_written_shortest_or_refused() {
    let mut item = ItemWriter::new();
    for (float, text) in [(0.1, "0.1"), (-0.0, "0"), (1e21, "1000000000000000000000"), (-1.5, "-1.5"), (3.0, "3")] {
        item.set_f64("n", float).unwrap();
        assert_eq!(item.as_item().get("n").unwrap().as_number(), Some(text));
    }
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(
            invalid(item.set_f64("n", float)).starts_with("The parameter cannot be converted to a numeric value: ")
        );
    }
    assert!(invalid(item.set_f64("n", f64::MAX)).starts_with("Number overflow."));
    assert!(invalid(item.set_f64("n", f64::MIN)).starts_with("Number overflow."));
    assert!(invalid(item.set_f64("n", f64::MIN_POSITIVE)).starts_with("Number underflow."));
    assert!(invalid(item.set_f64("n", -5e-324)).starts_with("Number underflow."));
    assert_eq!(item.as_item().get("n").unwrap().as_number(), Some("3"), "refusals change nothing");
}

#[test]
fn names_have_one_to_65535_bytes() {
    let longest = "n".repeat(NAME_MAX_BYTES);
    let too_long = "n".repeat(NAME_MAX_BYTES + 1);
    let mut item = ItemWriter::new();
    item.set_null(&longest).unwrap();
    let refused = Error::limit("Attribute name", Unit::Bytes, NAME_MAX_BYTES, NAME_MAX_BYTES + 1);
    assert_eq!(item.set_null(&too_long).unwrap_err(), refused);
    assert_eq!(item.set_value("m", &Value::map([(too_long.as_str(), Value::Null)])).unwrap_err(), refused);
    assert_eq!(invalid(item.set_str("", "x")), "an attribute name may not be empty");
    assert_eq!(
        invalid(item.set_value("m", &Value::map([("", Value::Null)]))),
        "an attribute name may not be empty (attribute m)"
    );
    assert_eq!(item.as_item().iter().map(|(name, _)| name).collect::<Vec<_>>(), [longest]);
}

#[test]
fn what_is_no_set_is_refused_in_dynamodbs_words() {
    let mut item = ItemWriter::new();
    item.set_null("a").unwrap();
    let empty: [&str; 0] = [];
    let start = "One or more parameter values were invalid:";
    let cases = [
        (Value::string_set(empty), format!("{start} An string set  may not be empty (attribute s)")),
        (Value::number_set(empty), format!("{start} An number set  may not be empty (attribute s)")),
        (Value::binary_set(empty), format!("{start} Binary sets should not be empty (attribute s)")),
        (
            Value::string_set(["b", "a", "b"]),
            format!("{start} Input collection [a, b, b] contains duplicates. (attribute s)"),
        ),
        (
            Value::number_set(["1", "1.0"]),
            format!("{start} Input collection [1, 1] contains duplicates. (attribute s)"),
        ),
        (Value::number_set(["0", "-0"]), format!("{start} Input collection [0, 0] contains duplicates. (attribute s)")),
        (
            Value::binary_set([[1], [1]]),
            format!("{start} Input collection [01, 01] contains duplicates. (attribute s)"),
        ),
        (Value::string_set(["", ""]), format!("{start} Input collection [, ] contains duplicates. (attribute s)")),
    ];
    for (value, text) in cases {
        assert_eq!(invalid(item.set_value("s", &value)), text);
        assert_eq!(item.finish(), b"\x01a\x05\x00");
    }
}

#[test]
fn an_error_names_the_way_to_the_culprit() {
    let bad = Value::map([("l", Value::list([Value::Null, Value::map([("n", Value::number("x"))])]))]);
    let mut item = ItemWriter::new();
    item.set_i64("z", 1).unwrap();
    assert_eq!(
        invalid(item.set_value("m", &bad)),
        "The parameter cannot be converted to a numeric value: x (attribute m.l[1].n)"
    );
    assert_eq!(
        invalid(item.set_value("s", &Value::number_set(["1", "y"]))),
        "The parameter cannot be converted to a numeric value: y (attribute s[1])"
    );
    assert_eq!(invalid(item.set_num("n", "")), "The parameter cannot be converted to a numeric value (attribute n)");
    assert_eq!(item.finish(), b"\x01z\x02\x011", "refusals change nothing");
}

#[test]
fn quoted_text_is_cut() {
    let mut item = ItemWriter::new();
    let name = "n".repeat(1000);
    assert!(invalid(item.set_num(&name, &"x".repeat(1000))).len() < 300);
    let set = Value::string_set((0..1000).map(|i| format!("{:0>1000}", i / 2)));
    assert!(invalid(item.set_value(&name, &set)).len() < 1000);
}

#[test]
fn lists_and_maps_nest_32_levels_and_no_more() {
    let mut item = ItemWriter::new();
    item.set_value("l", &nested_lists(MAX_NESTING_LEVELS)).unwrap();
    let maps = (0..MAX_NESTING_LEVELS).fold(Value::Null, |inner, _| Value::map([("m", inner)]));
    item.set_value("m", &maps).unwrap();
    let before = item.finish().to_vec();
    let refused = Error::limit("Nesting Levels", Unit::Levels, 32, 33);
    for levels in [MAX_NESTING_LEVELS + 1, 1000] {
        assert_eq!(item.set_value("l", &nested_lists(levels)).unwrap_err(), refused);
    }
    assert_eq!(item.set_value("m", &Value::map([("m", maps)])).unwrap_err(), refused);
    assert_eq!(item.finish(), before);
}

#[test]
fn one_value_larger_than_an_item_is_refused_uncopied() {
    let mut item = ItemWriter::new();
    let text = "x".repeat(ITEM_MAX_BYTES + 1);
    let refused = Error::limit("Item size", Unit::Bytes, ITEM_MAX_BYTES, text.len() + 1);
    assert_eq!(item.set_str("a", &text).unwrap_err(), refused);
    assert_eq!(item.set_bin("a", text.as_bytes()).unwrap_err(), refused);
    assert_eq!(item.body.capacity(), 0);
    assert!(item.set_value("a", &Value::list([Value::S(text.clone())])).is_err());
    assert!(item.set_value("a", &Value::string_set([text])).is_err());
    assert_eq!(item.finish(), b"");
}

#[test]
fn the_body_stops_growing_where_no_item_could_follow() {
    let mut item = ItemWriter::new();
    let text = "x".repeat(1000);
    let refused = (0..).find_map(|i| item.set_str(&format!("{i:06}"), &text).err()).unwrap();
    assert!(
        matches!(refused, Error::Limit { what: "Item size", limit: ITEM_MAX_BYTES, found, .. } if found > 1_000_000)
    );
    let body = item.finish().to_vec();
    assert!(body.len() <= BODY_MAX_BYTES);
    assert!(item.set_str("zzz", &text).is_err());
    assert_eq!(item.finish(), body, "refusals change nothing");
    item.set_str("000000", &"y".repeat(1000)).unwrap();
    assert_eq!(item.as_item().len(), ItemRef::new(&body).len(), "overwriting in place of the old value still works");
    item.set_null("000000").unwrap();
    assert!(item.finish().len() < body.len());
}

#[test]
fn numbers_written_out_stop_at_the_bound_of_the_body() {
    let numbers = Value::list((0..10_000).map(|_| Value::number("1E-130")));
    let mut item = ItemWriter::new();
    let refused = item.set_value("l", &numbers).unwrap_err();
    assert!(matches!(refused, Error::Limit { what: "Item size as stored", limit: BODY_MAX_BYTES, .. }), "{refused}");
    let many = Value::list((0..2_000).map(|_| Value::string("x".repeat(1000))));
    let refused = item.set_value("l", &many).unwrap_err();
    let found = 1 + 3 + 2_000 * 1_001;
    assert_eq!(refused, Error::limit("Item size", Unit::Bytes, ITEM_MAX_BYTES, found));
    assert_eq!(item.finish(), b"");
}

#[test]
fn overwriting_one_name_for_ever_takes_no_memory() {
    let mut item = ItemWriter::new();
    item.set_null("z").unwrap();
    for i in 0..1_000_000 {
        item.set_i64("a", i).unwrap();
    }
    assert!(item.body.capacity() < 64 * 1024, "{}", item.body.capacity());
    assert_eq!(item.as_item().get("a").unwrap().as_number(), Some("999999"));
}

#[test]
fn a_writer_goes_on_from_an_item_that_was_read() {
    let mut first = ItemWriter::new();
    first.set_value("l", &nested_lists(3)).unwrap().set_str("s", "x").unwrap();
    let mut second = ItemWriter::from_item(first.as_item());
    assert_eq!(second.finish(), first.finish());
    second.set_str("a", "y").unwrap();
    assert_eq!(second.as_item().len(), 3);
    assert_eq!(first.as_item().len(), 2);
}

#[test]
fn a_filled_writer_goes_on_where_the_filling_ends() {
    let mut item = ItemWriter::new();
    item.set_i64("x", 1).unwrap();
    item.fill(|body| {
        body.extend_from_slice(b"\x01b\x02\x011\x01d\x02\x012");
        Ok::<(), Error>(())
    })
    .unwrap();
    item.set_i64("e", 3).unwrap().set_i64("c", 4).unwrap();
    assert_eq!(item.finish(), b"\x01b\x02\x011\x01c\x02\x014\x01d\x02\x012\x01e\x02\x013");
    assert!(item.fill(|_| Err(Error::from(Reason::NothingOpen))).is_err());
    assert_eq!(item.finish(), b"");
    let too_long = item.fill(|body| {
        body.resize(BODY_MAX_BYTES + 1, 0);
        Ok::<(), Error>(())
    });
    assert!(matches!(too_long, Err(Error::Limit { limit: BODY_MAX_BYTES, .. })));
    assert_eq!(item.finish(), b"");
}

#[test]
fn a_stored_value_is_set_as_it_is() {
    let mut from = ItemWriter::new();
    from.set_value("l", &Value::list([Value::number(1)])).unwrap();
    let mut item = ItemWriter::new();
    item.set_ref("b", from.as_item().get("l").unwrap()).unwrap().set_null("a").unwrap();
    assert_eq!(item.as_item().at_path("b[0]").unwrap().and_then(|value| value.as_number()), Some("1"));
    assert!(item.set_ref("", from.as_item().get("l").unwrap()).is_err());
}

#[test]
fn what_is_malformed_is_left_out_when_going_on_from_it() {
    for (body, left) in [
        (&b"\x01b\x05\x00\x01a\x05\x00"[..], &b"\x01a\x05\x00\x01b\x05\x00"[..]),
        (b"\x01a\x05\x00\x00\x05\x00", b"\x01a\x05\x00"),
        (b"\x01a\x05\x80\x00\x01b\x01\x09x", b"\x01a\x05\x00"),
        (b"\xff\xff", b""),
    ] {
        assert_eq!(ItemWriter::from_item(ItemRef::new(body)).finish(), left);
    }
}

proptest! {
    #[test]
    fn a_writer_behaves_as_a_sorted_map(
        steps in prop::collection::vec(("[a-e]{1,2}", prop::option::weighted(0.8, any::<i16>()), any::<bool>()), 0..200),
        padding in 0..300usize,
    ) {
        let padding = "p".repeat(padding);
        let mut writer = ItemWriter::new();
        let mut model = BTreeMap::new();
        for (name, value, look) in steps {
            match value {
                Some(n) => {
                    let text = format!("{n}{padding}");
                    writer.set_str(&name, &text).unwrap();
                    model.insert(name, text);
                }
                None => prop_assert_eq!(writer.remove(&name), model.remove(&name).is_some()),
            }
            if look {
                let found: BTreeMap<_, _> =
                    writer.as_item().iter().map(|(n, v)| (n.to_owned(), v.as_str().unwrap().to_owned())).collect();
                prop_assert_eq!(&found, &model);
            }
        }
        let body = writer.finish();
        prop_assert!(ItemRef::validate(body).is_ok());
        let names: Vec<_> = ItemRef::new(body).iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names, model.keys().collect::<Vec<_>>());
    }
}

#[test]
fn a_refusal_does_not_move_the_body() {
    let mut item = ItemWriter::new();
    for name in ["a", "b"] {
        item.set_str(name, &"x".repeat(ITEM_MAX_BYTES)).unwrap();
    }
    item.body.shrink_to_fit();
    let (at, len) = (item.finish().as_ptr(), item.body.len());
    let text = "y".repeat(ITEM_MAX_BYTES);
    assert!(matches!(item.set_str("c", &text), Err(Error::Limit { .. })));
    assert!(matches!(item.set_num("n", "x"), Err(Error::Invalid(_))));
    assert!(matches!(item.set_str(&"n".repeat(NAME_MAX_BYTES + 1), ""), Err(Error::Limit { .. })));
    assert_eq!((item.finish().as_ptr(), item.body.len()), (at, len));
    item.set_str("b", &text).unwrap();
    assert_eq!(item.as_item().get("b").unwrap().as_str(), Some(text.as_str()));
}
