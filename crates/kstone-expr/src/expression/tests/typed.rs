//! Expressions on tables whose keys have names and types of their own.

use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};
use kstone_core::typed_key::KeyScratch;

use super::*;

/// The type of a layout's part that an item's value can be the key of.
fn key_type(value: Option<&Value>) -> Option<KeyType> {
    match value {
        Some(Value::S(text)) if !text.is_empty() => Some(KeyType::S),
        Some(Value::N(_)) => Some(KeyType::N),
        Some(Value::B(bytes)) if !bytes.is_empty() => Some(KeyType::B),
        _ => None,
    }
}

/// The layout of which the attributes `a` and, where that can be one, `b` are the key.
fn layout_of(item: &Item) -> Option<KeyLayout> {
    let part = |name: &'static str| Some(KeyPart::new(name, key_type(item.get(name))?));
    Some(KeyLayout::new(part("a")?, part("b")).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    /// An item whose key lies apart from it looks to every expression like one that holds the same attributes itself.
    #[test]
    fn a_key_looks_like_attributes_of_the_item(
        tree in trees::tree(),
        paths in proptest::collection::vec(proptest::sample::select(trees::PATHS), 1..5),
        item in model::items(),
        key in (-99i64..99).prop_map(Value::number),
    ) {
        let item: Item = item.into_iter().chain([("a".to_owned(), key)]).filter(|(name, _)| name != "pk" && name != "sk").collect();
        let Some(layout) = layout_of(&item) else { return Ok(()) };
        let whole = encode(&item).unwrap();
        let (mut scratch, mut other_scratch) = (KeyScratch::default(), KeyScratch::default());
        let split = layout.intern().unwrap().split(ItemRef::new(&whole), &mut scratch).unwrap();
        let rest = split.rest.concat();
        let in_key = Subject::under(split.key, ItemRef::new(&rest));
        // In a layout without them, `pk` and `sk` are names like others.
        let other = KeyLayout::new(KeyPart::new("none", KeyType::S), None).unwrap();
        let none = other.intern().unwrap().key_of_bytes(b"x", b"", &mut other_scratch).unwrap();
        let in_item = Subject::under(none, ItemRef::new(&whole));

        let text = tree.text(false);
        let parameters = parameters_for(&text);
        let parsed = |layout| Condition::parse(Kind::Filter, &text, &mut Binder::for_table(&parameters, layout));
        if let Ok(condition) = parsed(&layout) {
            prop_assert!(parsed(&other).is_ok(), "{}", text);
            let expected = condition.evaluate(&in_item);
            prop_assert_eq!(condition.evaluate(&in_key), expected, "{} of {:?}", text, item);
            prop_assert_eq!(condition.of_many(&layout).evaluate(&in_key), expected, "{} of {:?}", text, item);
        }
        let text = paths.join(", ");
        let parameters = parameters_for(&text);
        if let Ok(projection) = Projection::parse(&text, &mut Binder::for_table(&parameters, &layout)) {
            prop_assert_eq!(projection.apply(&in_key), projection.apply(&in_item), "{}", text);
        }
    }
}

fn scores() -> KeyLayout {
    let (user, score) = (KeyPart::new("user_id", KeyType::S), KeyPart::new("score", KeyType::N));
    KeyLayout::new(user, Some(score)).unwrap()
}

fn values(pairs: &[(&str, Value)]) -> Parameters {
    let values: Item = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Parameters::from_maps([], &values).unwrap()
}

#[test]
fn key_conditions_know_the_tables_names_and_types() {
    let layout = scores();
    let parsed = |text: &str, pairs: &[(&str, Value)]| {
        let parameters = values(pairs);
        let mut binder = Binder::for_table(&parameters, &layout);
        KeyCondition::parse(text, KeySchema::of(&layout), &mut binder).map_err(|error| error.to_string())
    };
    let (user, one, two) = (Value::string("ann"), Value::number(1), Value::number(2));
    let condition = parsed("user_id = :u AND score > :n", &[(":u", user.clone()), (":n", one.clone())]).unwrap();
    assert_eq!(condition.partition().as_str(), Some("ann"));
    assert!(matches!(condition.sort(), SortCondition::Gt(value) if value.as_number() == Some("1")));
    let refused = |text, pairs: &[(&str, Value)]| parsed(text, pairs).unwrap_err();
    let mismatch = "One or more parameter values were invalid: Condition parameter type does not match schema type";
    assert_eq!(refused("user_id = :n", &[(":n", one.clone())]), mismatch);
    assert_eq!(refused("user_id = :u AND score = :s", &[(":u", user.clone()), (":s", user.clone())]), mismatch);
    assert_eq!(refused("pk = :u", &[(":u", user.clone())]), "Query condition missed key schema element: user_id");
    let begins = refused("user_id = :u AND begins_with(score, :n)", &[(":u", user.clone()), (":n", one.clone())]);
    assert!(begins.contains("Incorrect operand type for operator or function"), "{begins}");
    // Text and binary are of one order in an untyped table alone.
    let mixed = [(":u", user.clone()), (":a", Value::string("a")), (":b", Value::B(b"b".to_vec().into()))];
    let text = "user_id = :u AND score BETWEEN :a AND :b";
    assert!(refused(text, &mixed).contains("same data type for lower and upper bounds"));
    assert!(parsed("user_id = :u AND score BETWEEN :a AND :b", &[(":u", user), (":a", one), (":b", two)]).is_ok());
}

#[test]
fn one_cache_serves_tables_of_different_keys() {
    let (cache, layout) = (ExpressionCache::new(), scores());
    let parameters = values(&[(":x", Value::number(1))]);
    let refusal = |text: &str, layout: &KeyLayout| {
        let update = cache.update(text, &mut Binder::for_table(&parameters, layout));
        update.err().map(|error| error.to_string())
    };
    let part_of_key = |name| {
        Some(format!(
            "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part of the key"
        ))
    };
    for _ in 0..2 {
        assert_eq!(refusal("SET pk = :x", KeyLayout::untyped()), part_of_key("pk"));
        assert_eq!(refusal("SET pk = :x", &layout), None);
        assert_eq!(refusal("SET score = :x", KeyLayout::untyped()), None);
        assert_eq!(refusal("SET score = :x", &layout), part_of_key("score"));
        assert_eq!(refusal("SET a.b = :x, user_id[0] = :x", &layout), part_of_key("user_id"));
    }
    let update = cache.update("SET a = score + :x", &mut Binder::for_table(&parameters, &layout)).unwrap();
    let mut scratch = KeyScratch::default();
    let key = layout.intern().unwrap().key_of_bytes(b"ann", b"12", &mut scratch).unwrap();
    let mut body = Vec::new();
    assert!(update.apply_to(&mut body, key, None).unwrap());
    assert_eq!(ItemRef::new(&body).get("a").and_then(|value| value.as_number()), Some("13"));
}

#[test]
fn there_is_an_item_where_there_is_a_key() {
    let (layout, nothing) = (scores(), Parameters::new());
    let condition =
        |text: &str| Condition::parse(Kind::Condition, text, &mut Binder::for_table(&nothing, &layout)).unwrap();
    let mut scratch = KeyScratch::default();
    let key = layout.intern().unwrap().key_of_bytes(b"ann", b"12", &mut scratch).unwrap();
    let present = Subject::under(key, ItemRef::default());
    assert!(present.is_present() && !Subject::absent().is_present());
    for (text, of_present) in
        [("attribute_exists(user_id) AND attribute_exists(score)", true), ("attribute_exists(pk)", false)]
    {
        assert_eq!(condition(text).evaluate(&present), of_present, "{text}");
        assert!(!condition(text).evaluate(&Subject::absent()), "{text}");
    }
}
