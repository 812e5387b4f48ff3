//! What is built is what is parsed.

use kstone_core::key_layout::KeyLayout;

use super::super::build::{Comparator, Node, Operand, PATHS_MAX, Path, Source, UpdateNode, projection};
use super::*;

/// Every value of the model, in the stored form.
struct Values(Vec<u8>);

impl Values {
    fn new() -> Self {
        let mut values = ItemWriter::new();
        for name in [":ss2", ":ns2", ":typeS", ":typeN", ":typeL", ":typeSS"].iter().chain(trees::VALUES) {
            values.set_value(name, &model::value_named(name)).unwrap();
        }
        Self(values.into_body())
    }

    fn get(&self, name: &str) -> kstone_core::item::ValueRef<'_> {
        ItemRef::new(&self.0).get(name).unwrap()
    }

    fn operand(&self, term: &trees::Term) -> Operand<'_> {
        match term {
            trees::Term::Path(text) => path(text).into(),
            trees::Term::Value(name) => self.get(name).into(),
            trees::Term::SizeOfPath(text) => Operand::SizeOfPath(path(text)),
            trees::Term::SizeOfValue(name) => Operand::SizeOfValue(self.get(name)),
        }
    }

    fn node(&self, tree: &trees::Tree) -> Node<'_> {
        use trees::Tree;
        let operand = |term| self.operand(term);
        match tree {
            Tree::Compare(comparator, a, b) => Node::compare(*comparator, operand(a), operand(b)),
            Tree::Between(a, b, c) => Node::between(operand(a), operand(b), operand(c)),
            Tree::In(a, list) => Node::is_in(operand(a), list.iter().map(operand)),
            Tree::Exists(text) => Node::exists(path(text)),
            Tree::NotExists(text) => Node::not_exists(path(text)),
            Tree::HasType(a, b) => Node::has_type(operand(a), operand(b)),
            Tree::BeginsWith(a, b) => Node::begins_with(operand(a), operand(b)),
            Tree::Contains(a, b) => Node::contains(operand(a), operand(b)),
            Tree::Not(a) => self.node(a).not(),
            Tree::And(a, b) => self.node(a).and(self.node(b)),
            Tree::Or(a, b) => self.node(a).or(self.node(b)),
        }
    }

    fn source(&self, source: &trees::Source) -> Source<'_> {
        match source {
            trees::Source::Path(text) => path(text).into(),
            trees::Source::Value(name) => self.get(name).into(),
            trees::Source::IfNotExists(text, name) => Source::from(self.get(name)).unless(path(text)),
        }
    }

    /// The actions in the order of their text's sections.
    fn update(&self, actions: &[trees::Action]) -> UpdateNode {
        use trees::New;
        let mut node = UpdateNode::new();
        for section in ["SET", "REMOVE", "ADD", "DELETE"] {
            for (_, text, new) in actions.iter().filter(|(name, ..)| *name == section) {
                let (path, source) = (path(text), |source| self.source(source));
                node = match new {
                    New::Nothing => node.remove(path),
                    New::Operand(a) => node.set(path, source(a)),
                    New::Plus(a, b) => node.set_sum(path, source(a), source(b)),
                    New::Minus(a, b) => node.set_difference(path, source(a), source(b)),
                    New::Append(a, b) => node.set_lists(path, source(a), source(b)),
                    New::Value(value) if section == "ADD" => node.add(path, self.get(value)),
                    New::Value(value) => node.delete(path, self.get(value)),
                };
            }
        }
        node
    }
}

/// The path of a text, `#n` being the attribute `a` as in `parameters_for`.
fn path(text: &str) -> Path {
    let mut steps = trees::steps(text).map(|step| if step == "#n" { "a" } else { step });
    let first = Path::attribute(steps.next().unwrap());
    steps.fold(first, |path, step| match step.parse() {
        Ok(index) => path.index(index),
        Err(_) => path.name(step),
    })
}

fn text_of<T>(result: Result<T, Refusal>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn a_built_condition_is_the_parsed_one(tree in trees::tree(), item in model::items()) {
        let (text, values, layout) = (tree.text(false), Values::new(), KeyLayout::untyped());
        let parameters = parameters_for(&text);
        let parsed = text_of(Condition::parse(Kind::Filter, &text, &mut Binder::new(&parameters)));
        let built = text_of(values.node(&tree).condition(Kind::Filter, layout));
        prop_assert_eq!(parsed.as_ref().err(), built.as_ref().err(), "{}", text);
        if let (Ok(parsed), Ok(built)) = (parsed, built) {
            prop_assert_eq!(&parsed.ast.steps, &built.ast.steps, "{}", text);
            let body = encode(&item).unwrap();
            let subject = Subject::new(b"user#1", b"\xff", ItemRef::new(&body));
            prop_assert_eq!(parsed.evaluate(&subject), built.evaluate(&subject), "{} of {:?}", text, item);
            prop_assert_eq!(parsed.evaluate(&Subject::absent()), built.evaluate(&Subject::absent()), "{}", text);
        }
        let condition = KeyCondition::parse(&text, KeySchema::ITEMS, &mut Binder::new(&parameters));
        let built = values.node(&tree).key_condition(KeySchema::ITEMS, layout);
        prop_assert_eq!(text_of(condition).err(), text_of(built).err(), "{}", text);
    }

    #[test]
    fn a_built_update_is_the_parsed_one(actions in trees::actions(), item in model::items()) {
        let (text, values) = (trees::update_text(&actions), Values::new());
        let parameters = parameters_for(&text);
        let parsed = text_of(Update::parse(&text, &mut Binder::new(&parameters)));
        let built = text_of(values.update(&actions).update(KeyLayout::untyped()));
        prop_assert_eq!(parsed.as_ref().err(), built.as_ref().err(), "{}", text);
        if let (Ok(parsed), Ok(built)) = (parsed, built) {
            let body = encode(&item).unwrap();
            let apply = |update: &Update<'_>| text_of(update.apply(KeyRef::new(b"user#1", b"").unwrap(), Some(ItemRef::new(&body))));
            prop_assert_eq!(apply(&parsed), apply(&built), "{} of {:?}", text, item);
        }
    }

    #[test]
    fn a_built_projection_is_the_parsed_one(
        paths in proptest::collection::vec(proptest::sample::select(trees::PATHS), 1..5),
        item in model::items(),
    ) {
        let text = paths.join(", ");
        let parsed = text_of(Projection::parse(&text, &mut Binder::new(&parameters_for(&text))));
        let built = text_of(projection(paths.iter().map(|text| path(text))));
        prop_assert_eq!(parsed.as_ref().err(), built.as_ref().err(), "{}", text);
        if let (Ok(parsed), Ok(built)) = (parsed, built) {
            let body = encode(&item).unwrap();
            let subject = Subject::new(b"user#1", b"", ItemRef::new(&body));
            prop_assert_eq!(parsed.apply(&subject), built.apply(&subject), "{}", text);
        }
    }
}

#[test]
fn what_does_not_contain_is_what_contains_not_or_is_missing() {
    let (values, body) = (Values::new(), encode(&model::item()).unwrap());
    let subject = Subject::new(b"user#1", b"", ItemRef::new(&body));
    let mut held = 0;
    for text in trees::PATHS {
        for name in trees::VALUES {
            let contains = Node::contains(path(text), values.get(name));
            let not = Node::not_contains(path(text), values.get(name));
            let built = |node: Node<'_>| node.condition(Kind::Condition, KeyLayout::untyped()).unwrap();
            let (contains, not) = (built(contains), built(not));
            assert_eq!(not.evaluate(&subject), !contains.evaluate(&subject), "{text} {name}");
            assert!(not.evaluate(&Subject::absent()), "{text} {name}");
            held += usize::from(contains.evaluate(&subject));
        }
    }
    assert!(held > 5, "{held}");
    let refused = Node::not_contains(Path::attribute("pk"), values.get(":s"));
    let refused = refused.key_condition(KeySchema::ITEMS, KeyLayout::untyped()).unwrap_err();
    assert_eq!(refused.to_string(), "Invalid operator used in KeyConditionExpression: contains");
}

#[test]
fn that_there_is_an_item_is_a_node_of_its_own() {
    let built = |node: Node<'_>| node.condition(Kind::Condition, KeyLayout::untyped()).unwrap();
    let there = Subject::new(b"k", b"", ItemRef::default());
    for (node, of_item) in [(Node::present(), true), (Node::absent(), false)] {
        let condition = built(node);
        assert_eq!((condition.evaluate(&there), condition.evaluate(&Subject::absent())), (of_item, !of_item));
    }
}

#[test]
fn a_list_is_appended_to_one_that_is_there_or_not() {
    let values = Values::new();
    let update = UpdateNode::new().append("l", values.get(":l")).append("new", values.get(":l"));
    let update = update.update(KeyLayout::untyped()).unwrap();
    let body = update
        .apply(KeyRef::new(b"k", b"").unwrap(), Some(ItemRef::new(&encode(&model::item()).unwrap())))
        .unwrap()
        .unwrap();
    let lengths = ["l", "new"].map(|name| ItemRef::new(&body).get(name).unwrap().list().count());
    assert_eq!(lengths, [5, 2]);
}

#[test]
fn limits_are_those_of_a_text() {
    let (values, layout) = (Values::new(), KeyLayout::untyped());
    let test = || Node::compare(Comparator::Equal, Path::attribute("a"), values.get(":n"));
    let refused = |node: Node<'_>| node.condition(Kind::Condition, layout).unwrap_err().to_string();
    let joined = |count| (1..count).fold(test(), |node, _| node.or(test()));
    assert!(joined(150).condition(Kind::Condition, layout).is_ok(), "299 operators");
    let operators = "Invalid ConditionExpression: The expression contains too many operators; operator count:";
    assert_eq!(refused(joined(151)), format!("{operators} 301"));
    assert_eq!(refused((0..300).fold(test(), |node, _| node.not())), format!("{operators} 301"));
    let twice = joined(100_000);
    assert_eq!(refused(twice.clone().and(twice)), format!("{operators} 399999"));
    let listed =
        |count| Node::is_in(Path::attribute("a"), std::iter::repeat_n(Operand::Value(values.get(":n")), count));
    assert!(listed(100).condition(Kind::Condition, layout).is_ok());
    let operands =
        "Invalid ConditionExpression: The IN operator is provided with too many operands; number of operands:";
    assert_eq!(refused(listed(101).or(test())), format!("{operands} 101"));
    assert!(refused(listed(0)).ends_with("operator or function: IN, number of operands: 0"));

    let long = |steps| (0..steps).fold(Path::attribute("a"), |path, at| path.index(at));
    assert!(Node::exists(long(31)).condition(Kind::Condition, layout).is_ok());
    let levels = "Invalid ConditionExpression: The document path has too many nesting levels; nesting levels: 33";
    assert_eq!(refused(Node::exists(long(32))), levels);
    assert_eq!(refused(Node::exists(long(9_999))), levels);
    let range = "Invalid ConditionExpression: List index is not within the allowable range; index: [4294967295]";
    assert_eq!(refused(Node::exists(Path::attribute("a").index(u32::MAX))), range);
    assert!(refused(Node::exists("")).ends_with("the name of an attribute cannot be empty"));
    assert!(refused(Node::exists(&*"a".repeat(65_536))).starts_with("Attribute name has exceeded"));

    let paths = |count: usize| projection((0..count).map(|at| Path::attribute(&format!("a{at}"))));
    assert!(paths(PATHS_MAX).is_ok());
    assert!(paths(PATHS_MAX + 1).unwrap_err().to_string().starts_with("Paths of a projection has exceeded"));
    let empty = |kind| format!("Invalid {kind}: The expression can not be empty;");
    assert_eq!(paths(0).unwrap_err().to_string(), empty("ProjectionExpression"));
    let updated = |node: UpdateNode| node.update(layout).map(drop).map_err(|error| error.to_string());
    assert_eq!(updated(UpdateNode::new()), Err(empty("UpdateExpression")));
    let removes = |count: usize| (0..count).fold(UpdateNode::new(), |node, at| node.remove(&*format!("a{at}")));
    assert_eq!(updated(removes(PATHS_MAX)), Ok(()));
    assert!(updated(removes(PATHS_MAX + 1)).unwrap_err().starts_with("Actions of an update has exceeded"));
    let tried = |count| (0..count).fold(Source::from(values.get(":n")), |source, _| source.unless("b"));
    assert_eq!(updated(UpdateNode::new().set("a", tried(300))), Ok(()));
    let operators = "Invalid UpdateExpression: The expression contains too many operators; operator count: 301";
    assert_eq!(updated(UpdateNode::new().set("a", tried(9_999))), Err(operators.to_owned()));
    let sums = |count: usize| {
        let sum = |node: UpdateNode, at| node.set_sum(&*format!("a{at}"), values.get(":n"), values.get(":n"));
        (0..count).fold(UpdateNode::new(), sum)
    };
    assert_eq!((updated(sums(300)), updated(sums(301))), (Ok(()), Err(operators.to_owned())));

    let mut large = ItemWriter::new();
    large.set_str("v", &"x".repeat(300_000)).unwrap();
    let large = large.as_item().get("v").unwrap();
    let puts = ["a", "b", "c", "d"].iter().fold(UpdateNode::new(), |node, name| node.put(*name, large));
    assert!(updated(puts).unwrap_err().starts_with("Values of an expression has exceeded"));
    let key = updated(UpdateNode::new().remove("sk")).unwrap_err();
    assert!(key.ends_with("Cannot update attribute sk. This attribute is part of the key"), "{key}");
}
