//! Properties that hold of every expression; what single expressions mean is in `tests/data/expressions`.

use crate::refusal::Refusal;
use crate::texts::Reason;
use kstone_core::item::{ItemRef, ItemWriter, encode};
use kstone_core::value::{Item, Value};
use proptest::prelude::*;

use super::*;
use kstone_core::key::KeyRef;

mod build;
mod model;
mod trees;
mod typed;

use model::Model;

/// A stack far smaller than any thread has by default.
const SMALL_STACK_BYTES: usize = 256 * 1024;

fn is_shared<T: Send + Sync + 'static>() {}

#[test]
fn expressions_may_be_shared_among_threads() {
    is_shared::<Condition>();
    is_shared::<KeyCondition>();
    is_shared::<Projection>();
    is_shared::<Update>();
    is_shared::<Parameters>();
    is_shared::<ExpressionCache>();
}

/// Parses the text as every kind of expression, binds what it mentions and asks it of an item. Only that it comes back
/// matters.
fn exercise(text: &str, item: ItemRef<'_>) {
    let parameters = parameters_for(text);
    let subject = Subject::new(b"user#1", b"2024", item);
    for kind in [Kind::Condition, Kind::Filter] {
        if let Ok(condition) = Condition::parse(kind, text, &mut Binder::new(&parameters)) {
            let _ = (condition.evaluate(&subject), condition.evaluate(&Subject::absent()));
        }
    }
    if let Ok(condition) = KeyCondition::parse(text, KeySchema::ITEMS, &mut Binder::new(&parameters)) {
        let _ = (condition.partition(), condition.sort());
    }
    if let Ok(projection) = Projection::parse(text, &mut Binder::new(&parameters)) {
        assert!(ItemRef::validate(&projection.apply(&subject)).is_ok(), "{text}");
    }
    if let Ok(update) = Update::parse(text, &mut Binder::new(&parameters)) {
        for old in [Some(item), None] {
            if let Ok(Some(body)) = update.apply(KeyRef::new(b"user#1", b"2024").expect("a key"), old) {
                let new = Subject::new(
                    b"user#1",
                    b"2024",
                    ItemRef::validate(&body).unwrap_or_else(|e| panic!("{text}: {e}")),
                );
                for which in [ReturnValues::UpdatedOld, ReturnValues::UpdatedNew, ReturnValues::AllNew] {
                    let returned = update.returned(which, &subject, &new).unwrap_or_default();
                    assert!(ItemRef::validate(&returned).is_ok(), "{text}");
                }
            }
        }
    }
}

/// A name for each `#name` and a value for each `:value` in the text.
fn parameters_for(text: &str) -> Parameters {
    let mut names = Vec::new();
    let mut values = Item::new();
    for (start, sign) in text.char_indices().filter(|(_, sign)| matches!(sign, '#' | ':')) {
        let rest = &text[start + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let key = &text[start..=start + end];
        if end == 0 || key.len() > PLACEHOLDER_MAX_BYTES {
            continue;
        }
        if sign == '#' {
            names.push((key, "a"));
        } else {
            values.insert(key.to_owned(), model::value_named(key));
        }
    }
    Parameters::from_maps(names, &values).expect("keys and values are well-formed")
}

const PIECES: &[&str] = &[
    "a",
    "b",
    "c[0]",
    "a.b",
    "m.x",
    "m.l[1].y",
    "l",
    "l[1]",
    "pk",
    "sk",
    "#n",
    "m.#n",
    ":n",
    ":s",
    ":l",
    ":ss",
    ":ns",
    ":b",
    ":m",
    ":t",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    " AND ",
    " OR ",
    "NOT ",
    " BETWEEN ",
    " IN ",
    "(",
    ")",
    ",",
    ".",
    "[0]",
    "+",
    "-",
    "size(",
    "contains(",
    "begins_with(",
    "attribute_exists(",
    "attribute_type(",
    "if_not_exists(",
    "list_append(",
    "SET ",
    " REMOVE ",
    " ADD ",
    " DELETE ",
    " ",
    "name",
    "f(",
    "9",
    "\u{e9}",
    "!",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_anything_panic(text in any::<String>(), ascii in "[ -~]{0,60}") {
        let item = encode(&model::item()).unwrap();
        exercise(&text, ItemRef::new(&item));
        exercise(&ascii, ItemRef::new(&item));
    }

    #[test]
    fn no_sequence_of_tokens_makes_anything_panic(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..24),
        section in proptest::sample::select(&["", "SET a = ", "REMOVE ", "ADD a "][..]),
    ) {
        let item = encode(&model::item()).unwrap();
        exercise(&format!("{section}{}", pieces.concat()), ItemRef::new(&item));
    }

    #[test]
    fn no_item_makes_an_evaluation_panic(body in any::<Vec<u8>>(), tree in trees::tree()) {
        let text = tree.text(false);
        exercise(&text, ItemRef::new(&[]));
        let parameters = parameters_for(&text);
        if let Ok(condition) = Condition::parse(Kind::Filter, &text, &mut Binder::new(&parameters)) {
            let _ = condition.evaluate(&Subject::new(&body, &body, ItemRef::new(&body)));
        }
    }

    #[test]
    fn a_printed_tree_parses_to_itself(tree in trees::tree(), spare in any::<bool>()) {
        let text = tree.text(spare);
        let parsed = condition_parser::parse(Kind::Condition, &text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        prop_assert_eq!(parsed, tree.ast(), "{}", text);
    }

    #[test]
    fn a_condition_answers_as_the_model_does(tree in trees::tree(), item in model::items()) {
        let text = tree.text(false);
        let parameters = parameters_for(&text);
        let body = encode(&item).unwrap();
        // What no value can do is refused at once; the model has no opinion of it.
        if let Ok(condition) = Condition::parse(Kind::Filter, &text, &mut Binder::new(&parameters)) {
            for (subject, model) in [
                (Subject::new(b"user#1", b"\xff", ItemRef::new(&body)), Model::new(Some((b"user#1", b"\xff", &item)))),
                (Subject::absent(), Model::new(None)),
            ] {
                prop_assert_eq!(condition.evaluate(&subject), model.holds(&tree), "{} of {:?}", text, item);
            }
        }
    }

    #[test]
    fn an_update_makes_what_the_model_makes(actions in trees::actions(), item in model::items()) {
        let text = trees::update_text(&actions);
        let parameters = parameters_for(&text);
        let body = encode(&item).unwrap();
        if let Ok(update) = Update::parse(&text, &mut Binder::new(&parameters)) {
            let new = update.apply(KeyRef::new(b"user#1", b"").expect("a key"), Some(ItemRef::new(&body)));
            let new = new.map(|body| ItemRef::validate(&body.unwrap()).unwrap().to_item()).ok();
            prop_assert_eq!(new, model::updated(&item, &actions), "{} of {:?}", text, item);
        }
    }

    #[test]
    fn what_a_projection_takes_is_in_the_item(
        paths in proptest::collection::vec(proptest::sample::select(trees::PATHS), 1..5),
        item in model::items(),
    ) {
        let text = paths.join(", ");
        let parameters = parameters_for(&text);
        let body = encode(&item).unwrap();
        let subject = Subject::new(b"user#1", b"", ItemRef::new(&body));
        if let Ok(projection) = Projection::parse(&text, &mut Binder::new(&parameters)) {
            let taken = projection.apply(&subject);
            let taken = ItemRef::validate(&taken).unwrap().to_item();
            prop_assert_eq!(taken, model::projected(&item, &paths), "{} of {:?}", text, item);
        }
    }
}

#[test]
fn text_that_nests_as_deep_as_it_is_long_fits_a_small_stack() {
    let nest = |open: &str, middle: &str, close: &str| {
        let depth = (EXPRESSION_MAX_BYTES - middle.len()) / (open.len() + close.len());
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    let mut texts = vec![
        nest("(", "a=:n", ")"),
        nest("(", "", ""),
        nest("NOT ", "a=:n", ""),
        nest("NOT(", "a=:n", ")"),
        nest("a=:n AND(", "a=:n", ")"),
        nest("(a=:n OR ", "a=:n", ")"),
        nest("size(", "a", ")=:n"),
        nest("a.", "a", "=:n"),
        nest("a[0]", "", ""),
        format!("a IN ({})", nest("(", "a", ")").get(..4000).unwrap_or_default()),
    ];
    for set in ["SET a = ", "SET a = :n + "] {
        let nested = [nest("(", "b", ")"), nest("if_not_exists(b,", ":l", ")"), nest("list_append(b,", ":l", ")")];
        texts.extend(nested.map(|nested| format!("{set}{}", &nested[..nested.len() - 64])));
    }
    // As deep as the limits allow, so that these are accepted.
    texts.push(format!("{}a=:n{}", "NOT(".repeat(299), ")".repeat(299)));
    texts.push(format!("{}a=:n{}", "a=:n OR(".repeat(149), ")".repeat(149)));
    texts.push(format!("SET c = {}:l{}", "if_not_exists(b,".repeat(200), ")".repeat(200)));
    let deep = (0..31).fold(Value::list([Value::number(1)]), |inner, level| {
        if level % 2 == 0 { Value::map([("a", inner)]) } else { Value::list([inner]) }
    });
    texts.push(format!("REMOVE deep.a{}", "[0].a".repeat(15)));
    texts.push(format!("SET deep.a{} = :n", "[0].a".repeat(15)));
    let run = move || {
        let mut item = model::item();
        item.insert("deep".to_owned(), deep);
        let body = encode(&item).unwrap();
        for text in &texts {
            exercise(text, ItemRef::new(&body));
        }
    };
    std::thread::Builder::new().stack_size(SMALL_STACK_BYTES).spawn(run).unwrap().join().unwrap();
}

fn update(text: &str, values: Item, item: &Item) -> Result<Option<Vec<u8>>, Refusal> {
    let parameters = Parameters::from_maps([], &values)?;
    let update = Update::parse(text, &mut Binder::new(&parameters))?;
    update.apply(KeyRef::new(b"pk", b"").expect("a key"), Some(ItemRef::new(&encode(item)?)))
}

#[test]
fn an_item_that_would_grow_too_large_is_refused_before_it_is_made() {
    let list = Value::list(vec![Value::string("x".repeat(100_000)); 3]);
    let item = Item::from([("l".to_owned(), list)]);
    let sets: Vec<_> = (0..130).map(|i| format!("a{i} = list_append(l, l)")).collect();
    for text in ["SET a = list_append(l, l)".to_owned(), format!("SET {}", sets.join(", "))] {
        let error = update(&text, Item::new(), &item).unwrap_err();
        assert!(matches!(error.reason(), Reason::Limit { limit } if limit.what == "Item size to update"), "{error}");
    }
    let value = Item::from([(":v".to_owned(), Value::string("x".repeat(110_000)))]);
    let error = update("SET a = :v", value, &item).unwrap_err();
    assert!(error.to_string().starts_with("Item size to update has exceeded the maximum allowed size"), "{error}");
}

#[test]
fn a_value_that_would_nest_too_deep_is_refused() {
    let nested = |levels: usize| (0..levels).fold(Value::null(), |inner, _| Value::list([inner]));
    let item = Item::from([("m".to_owned(), Value::map([("n", Value::map::<String>([]))]))]);
    let set = |path: &str, levels| {
        update(&format!("SET {path} = :v"), Item::from([(":v".to_owned(), nested(levels))]), &item)
    };
    for (path, most) in [("a", 32), ("m.a", 31), ("m.n.a", 30)] {
        assert!(set(path, most).unwrap().is_some_and(|body| ItemRef::validate(&body).is_ok()), "{path}");
        if most < 32 {
            let error = set(path, most + 1).unwrap_err();
            assert!(error.to_string().starts_with("Nesting Levels has exceeded"), "{error}");
        }
    }
}

#[test]
fn numbers_in_a_sets_order_are_merged_as_numbers() {
    let numbers = |numbers: &[&str]| Value::number_set(numbers.iter().copied());
    let item = Item::from([("n".to_owned(), numbers(&["-10", "-9", "2", "10", "100"]))]);
    let values = Item::from([(":v".to_owned(), numbers(&["-9.5", "9", "10.0", "1e2", "200"]))]);
    let added = update("ADD n :v", values.clone(), &item).unwrap().unwrap();
    let elements: Vec<_> = ItemRef::validate(&added).unwrap().get("n").unwrap().set().map(<[u8]>::to_vec).collect();
    assert_eq!(elements, ["-10", "-9.5", "-9", "2", "9", "10", "100", "200"].map(|n| n.as_bytes().to_vec()));
    let deleted = update("DELETE n :v", values, &item).unwrap().unwrap();
    let rest = ItemRef::validate(&deleted).unwrap().to_item();
    assert_eq!(rest["n"], numbers(&["-10", "-9", "2"]));
}

#[test]
fn a_bag_is_read_as_maps_are() {
    let mut bag = ItemWriter::new();
    bag.set_str("#n", "name").unwrap().set_i64(":v", 5).unwrap();
    let parameters = Parameters::from_bag(bag.as_item()).unwrap();
    assert_eq!(parameters.len(), 2);
    let mut binder = Binder::new(&parameters);
    let condition = Condition::parse(Kind::Condition, "#n = :v", &mut binder).unwrap();
    binder.finish().unwrap();
    let mut item = ItemWriter::new();
    item.set_i64("name", 5).unwrap();
    assert!(condition.evaluate(&Subject::new(b"k", b"", item.as_item())));

    for (key, value) in
        [("#n", Value::number(1)), ("#n", Value::string("")), ("n", Value::string("a")), ("#", Value::string("a"))]
    {
        let mut bag = ItemWriter::new();
        bag.set_value(key, &value).unwrap();
        assert!(Parameters::from_bag(bag.as_item()).is_err(), "{key} {value:?}");
    }
}

#[test]
fn one_binder_sees_what_all_expressions_of_a_request_use() {
    let values = Item::from([(":a".to_owned(), Value::number(1)), (":b".to_owned(), Value::number(2))]);
    let parameters = Parameters::from_maps([("#n", "n")], &values).unwrap();
    let mut binder = Binder::new(&parameters);
    Condition::parse(Kind::Condition, "#n = :a", &mut binder).unwrap();
    Update::parse("SET m = :b", &mut binder).unwrap();
    binder.finish().unwrap();
}

#[test]
fn a_filter_on_the_key_is_found() {
    let nothing = Parameters::new();
    let filter = |text: &str| Condition::parse(Kind::Filter, text, &mut Binder::new(&nothing)).unwrap();
    assert!(filter("attribute_exists(a) AND b = c.pk").refuse_attributes(&["pk", "sk"]).is_ok());
    for text in ["attribute_exists(sk)", "a = b OR NOT c < size(sk)", "contains(sk[0], a)"] {
        let error = filter(text).refuse_attributes(&["pk", "sk"]).unwrap_err();
        let expected = "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk";
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn expressions_are_bound_before_their_table_is_known() {
    let layout = kstone_core::key_layout::KeyLayout::new(
        kstone_core::key_layout::KeyPart::new("id", kstone_core::key_layout::KeyType::S),
        None,
    )
    .unwrap();
    let nothing = Parameters::new();
    let update = |text: &str| Update::parse(text, &mut Binder::before_table(&nothing)).unwrap();
    update("REMOVE pk, sk").refuse_key(&layout).unwrap();
    let error = update("REMOVE a, id.b").refuse_key(&layout).unwrap_err();
    assert!(error.to_string().contains("Cannot update attribute id."), "{error}");
    let values = Item::from([(":a".to_owned(), Value::string("b")), (":b".to_owned(), Value::string("a"))]);
    let parameters = Parameters::from_maps([], &values).unwrap();
    let bounds = "pk BETWEEN :a AND :b";
    assert!(Condition::parse(Kind::Condition, bounds, &mut Binder::before_table(&parameters)).is_err());
}

#[test]
fn the_update_of_nothing_makes_an_item_where_there_is_none() {
    let key = KeyRef::new(b"k", b"").unwrap();
    assert_eq!(Update::nothing().apply(key, None).unwrap(), Some(Vec::new()));
    let body = b"\x01a\x02\x015";
    assert_eq!(Update::nothing().apply(key, Some(ItemRef::new(body))).unwrap().as_deref(), Some(&body[..]));
}
