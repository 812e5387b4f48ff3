use super::*;
use crate::item::{ItemRef, MAX_NESTING_LEVELS};
use crate::value::{Item, Value};

fn text(writer: &mut NestedWriter, name: &str, text: &str) -> Result<()> {
    writer.add(name, |item, name| item.set_str(name, text).map(drop))
}

fn number(writer: &mut NestedWriter, name: &str, text: &str) -> Result<()> {
    writer.add(name, |item, name| item.set_num(name, text).map(drop))
}

/// Builds what a tree says, in the order in which the tree's map gives its members.
fn build(writer: &mut NestedWriter, name: &str, value: &Value) {
    match value {
        Value::L(values) => {
            writer.open(name, Type::L).expect("open");
            values.iter().for_each(|value| build(writer, "", value));
        }
        Value::M(entries) => {
            writer.open(name, Type::M).expect("open");
            entries.iter().for_each(|(name, value)| build(writer, name, value));
        }
        Value::NS(numbers) => {
            writer.open(name, Type::NS).expect("open");
            numbers.iter().for_each(|digits| number(writer, "", digits).expect("add"));
        }
        scalar => return writer.add(name, |item, name| item.set_value(name, scalar).map(drop)).expect("add"),
    }
    if writer.depth() > 1 {
        writer.close().expect("close");
    }
}

fn random_value(random: &mut fastrand::Rng, levels: usize) -> Value {
    match random.u8(if levels == 0 { 0..3 } else { 0..6 }) {
        0 => Value::string("x".repeat(random.usize(..200))),
        1 => Value::number(random.i32(-50..50)),
        2 => Value::null(),
        3 => Value::list((0..random.usize(..6)).map(|_| random_value(random, levels - 1)).collect::<Vec<_>>()),
        4 => {
            let len = random.usize(..8);
            let entry = |_| (format!("n{}", random.u8(..40)), random_value(random, levels - 1));
            Value::map((0..len).map(entry).collect::<Vec<_>>())
        }
        _ => {
            let mut numbers: Vec<i32> = (0..random.usize(1..20)).map(|_| random.i32(-99..99)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            random.shuffle(&mut numbers);
            Value::number_set(numbers)
        }
    }
}

/// The model is the writer of whole trees.
#[test]
fn any_value_built_member_by_member_has_the_bytes_of_the_whole_tree() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut writer = NestedWriter::default();
    for _ in 0..500 {
        let value = Value::map([("v", random_value(&mut random, 5)), ("a", random_value(&mut random, 3))]);
        build(&mut writer, "attribute", &value);
        let (mut built, mut whole) = (ItemWriter::new(), ItemWriter::new());
        let (name, found) = writer.attribute().expect("complete");
        built.set_ref(name, found).expect("set");
        whole.set_value("attribute", &value).expect("set");
        assert_eq!(built.finish(), whole.finish(), "{value:?}");
        ItemRef::validate(built.finish()).expect("a body in every detail");
        writer.clear();
    }
}

#[test]
fn the_last_of_one_name_stays_and_maps_are_put_in_order() {
    let mut writer = NestedWriter::default();
    writer.open("m", Type::M).unwrap();
    for (name, value) in [("b", "1"), ("a", "2"), ("b", "3"), ("c", "4"), ("a", "5")] {
        number(&mut writer, name, value).unwrap();
    }
    let (_, value) = writer.attribute().unwrap();
    let expected = Value::map([("a", Value::number(5)), ("b", Value::number(3)), ("c", Value::number(4))]);
    assert_eq!(value.to_value(), expected);
    // Looking at it closed nothing.
    number(&mut writer, "aa", "6").unwrap();
    let names: Vec<_> = writer.attribute().unwrap().1.map().unwrap().iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "aa", "b", "c"]);
}

#[test]
fn overwriting_a_member_never_fills_a_map() {
    let mut writer = NestedWriter::default();
    writer.open("m", Type::M).unwrap();
    let large = "x".repeat(100_000);
    (0..100).for_each(|_| text(&mut writer, "same", &large).unwrap());
    assert_eq!(writer.attribute().unwrap().1.map().unwrap().len(), 1);
}

#[test]
fn what_has_no_place_is_refused_and_changes_nothing() {
    let mut writer = NestedWriter::default();
    assert!(text(&mut writer, "n", "t").is_err() && writer.close().is_err() && writer.attribute().is_err());
    for type_ in [Type::S, Type::N, Type::B, Type::Bool, Type::Null] {
        assert!(writer.open("n", type_).is_err());
    }
    assert!(writer.open("", Type::L).is_err() && writer.open(&"n".repeat(65_536), Type::L).is_err());
    assert_eq!(writer.depth(), 0);

    writer.open("l", Type::L).unwrap();
    assert!(text(&mut writer, "name", "t").is_err() && writer.open("name", Type::M).is_err());
    writer.open("", Type::M).unwrap();
    assert!(text(&mut writer, "", "t").is_err() && writer.open("", Type::L).is_err());
    number(&mut writer, "n", "1").unwrap();
    assert!(number(&mut writer, "n", "one").is_err());
    assert!(writer.attribute().is_err(), "the map is open");
    writer.open("s", Type::SS).unwrap();
    assert!(number(&mut writer, "", "1").is_err() && writer.open("", Type::SS).is_err());
    assert!(text(&mut writer, "name", "t").is_err());
    let empty = writer.close().unwrap_err().to_string();
    assert!(empty.contains("An string set  may not be empty") && empty.contains("attribute l"), "{empty}");
    text(&mut writer, "", "t").unwrap();
    writer.close().unwrap();
    writer.close().unwrap();
    assert!(writer.close().is_err(), "the outermost is closed by taking the attribute");
    let expected = Value::list([Value::map([("n", Value::number(1)), ("s", Value::string_set(["t"]))])]);
    assert_eq!(writer.attribute().unwrap().1.to_value(), expected);
}

#[test]
fn an_element_twice_is_refused_when_the_set_is_closed() {
    for (type_, first, again, other) in
        [(Type::SS, "a", "a", "b"), (Type::NS, "1", "1.0", "2"), (Type::NS, "1", "1e0", "0")]
    {
        let mut writer = NestedWriter::default();
        writer.open("l", Type::L).unwrap();
        writer.open("", type_).unwrap();
        let add = if type_ == Type::SS { text } else { number };
        [first, other, again].iter().for_each(|element| add(&mut writer, "", element).unwrap());
        let refused = writer.close().unwrap_err().to_string();
        assert!(refused.contains("contains duplicates"), "{refused}");
        assert_eq!(writer.depth(), 2);
        writer.clear();
        assert_eq!(writer.depth(), 0);
    }
}

#[test]
fn nesting_ends_where_that_of_a_tree_does() {
    let mut writer = NestedWriter::default();
    (0..MAX_NESTING_LEVELS).for_each(|level| writer.open(if level == 0 { "deep" } else { "" }, Type::L).unwrap());
    assert!(matches!(writer.open("", Type::M), Err(Error::Limit { .. })));
    let list = Value::list([]);
    let add_list = |item: &mut ItemWriter, name: &str| item.set_value(name, &list).map(drop);
    assert!(matches!(writer.add("", add_list), Err(Error::Limit { .. })));
    // A set is no level.
    writer.open("", Type::NS).unwrap();
    number(&mut writer, "", "1").unwrap();
    (1..=MAX_NESTING_LEVELS).for_each(|_| writer.close().unwrap());
    let mut item = ItemWriter::new();
    let (name, value) = writer.attribute().unwrap();
    assert_eq!(value.levels(), MAX_NESTING_LEVELS);
    item.set_ref(name, value).unwrap();
    ItemRef::validate(item.finish()).unwrap();
}

#[test]
fn a_value_ends_at_the_limit_of_a_body() {
    let mut writer = NestedWriter::default();
    writer.open("l", Type::L).unwrap();
    writer.open("", Type::L).unwrap();
    let large = "x".repeat(100_000);
    let added = (0..100).take_while(|_| text(&mut writer, "", &large).is_ok()).count();
    assert_eq!(added, BODY_MAX_BYTES / 100_000);
    assert!(matches!(text(&mut writer, "", &large), Err(Error::Limit { .. })));
    text(&mut writer, "", "small").unwrap();
    writer.close().unwrap();
    assert!(writer.attribute().unwrap().1.payload().len() < BODY_MAX_BYTES);
}

#[test]
fn many_elements_in_the_worst_order_cost_one_sort() {
    let mut writer = NestedWriter::default();
    writer.open("s", Type::NS).unwrap();
    (0..60_000).rev().for_each(|n: u32| number(&mut writer, "", &n.to_string()).unwrap());
    let item = Item::from([("s".to_owned(), Value::number_set(0..60_000))]);
    let (_, value) = writer.attribute().unwrap();
    assert_eq!(value.to_value(), item["s"]);
}
