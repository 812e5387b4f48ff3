//! Random conditions and updates as trees, their texts, and what the parser should make of them.

use proptest::prelude::*;

use super::super::ast::{Comparator, ConditionAst, Operand, Predicate, Segment, Step, Symbols};

/// Paths that lead to every type of the model's items, and nowhere.
pub(super) const PATHS: &[&str] = &[
    "a", "b", "l", "l[0]", "l[1]", "l[3]", "m", "m.x", "m.l[1].y", "m.l[0]", "m.q.r", "ss", "ns", "pk", "sk", "gone",
    "#n", "m.#n", "a.b", "l.x",
];
/// Values of every type; see `model::value_named`.
pub(super) const VALUES: &[&str] = &[":n", ":n2", ":s", ":s2", ":b", ":t", ":z", ":l", ":m", ":ss", ":ns"];

#[derive(Debug, Clone)]
pub(super) enum Term {
    Path(&'static str),
    Value(&'static str),
    SizeOfPath(&'static str),
    SizeOfValue(&'static str),
}

#[derive(Debug, Clone)]
pub(super) enum Tree {
    Compare(Comparator, Term, Term),
    Between(Term, Term, Term),
    In(Term, Vec<Term>),
    Exists(&'static str),
    NotExists(&'static str),
    HasType(Term, Term),
    BeginsWith(Term, Term),
    Contains(Term, Term),
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
}

fn term() -> impl Strategy<Value = Term> {
    let path = || proptest::sample::select(PATHS);
    let value = || proptest::sample::select(VALUES);
    prop_oneof![
        5 => path().prop_map(Term::Path),
        5 => value().prop_map(Term::Value),
        1 => path().prop_map(Term::SizeOfPath),
        1 => proptest::sample::select(&[":s", ":l", ":m", ":ss", ":b"][..]).prop_map(Term::SizeOfValue),
    ]
}

fn comparator() -> impl Strategy<Value = Comparator> {
    use Comparator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    proptest::sample::select(&[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual][..])
}

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    let path = || proptest::sample::select(PATHS);
    let type_name = || proptest::sample::select(&[":typeS", ":typeN", ":typeL", ":typeSS"][..]).prop_map(Term::Value);
    let leaf = prop_oneof![
        6 => (comparator(), term(), term()).prop_map(|(c, a, b)| Tree::Compare(c, a, b)),
        1 => (term(), term(), term()).prop_map(|(a, b, c)| Tree::Between(a, b, c)),
        1 => (term(), proptest::collection::vec(term(), 1..4)).prop_map(|(a, list)| Tree::In(a, list)),
        1 => path().prop_map(Tree::Exists),
        1 => path().prop_map(Tree::NotExists),
        1 => (term(), type_name()).prop_map(|(a, b)| Tree::HasType(a, b)),
        1 => (term(), term()).prop_map(|(a, b)| Tree::BeginsWith(a, b)),
        2 => (term(), term()).prop_map(|(a, b)| Tree::Contains(a, b)),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            inner.clone().prop_map(|a| Tree::Not(Box::new(a))),
            two().prop_map(|(a, b)| Tree::And(Box::new(a), Box::new(b))),
            two().prop_map(|(a, b)| Tree::Or(Box::new(a), Box::new(b))),
        ]
    })
}

impl Term {
    fn text(&self) -> String {
        match self {
            Self::Path(text) | Self::Value(text) => (*text).to_owned(),
            Self::SizeOfPath(text) | Self::SizeOfValue(text) => format!("size({text})"),
        }
    }
}

impl Tree {
    /// The condition as text: parentheses where they are needed, and with `spare` around every inner condition.
    pub(super) fn text(&self, spare: bool) -> String {
        let within = |tree: &Self, looser: bool| {
            let text = tree.text(spare);
            if looser || spare { format!("({text})") } else { text }
        };
        match self {
            Self::Compare(comparator, a, b) => format!("{} {} {}", a.text(), comparator.name(), b.text()),
            Self::Between(a, low, high) => format!("{} BETWEEN {} AND {}", a.text(), low.text(), high.text()),
            Self::In(a, list) => {
                let list: Vec<_> = list.iter().map(Term::text).collect();
                format!("{} IN ({})", a.text(), list.join(", "))
            }
            Self::Exists(path) => format!("attribute_exists({path})"),
            Self::NotExists(path) => format!("attribute_not_exists({path})"),
            Self::HasType(a, b) => format!("attribute_type({}, {})", a.text(), b.text()),
            Self::BeginsWith(a, b) => format!("begins_with({}, {})", a.text(), b.text()),
            Self::Contains(a, b) => format!("contains({}, {})", a.text(), b.text()),
            Self::Not(a) => format!("NOT {}", within(a, matches!(**a, Self::And(..) | Self::Or(..)))),
            // Both associate to the left.
            Self::And(a, b) => {
                let left = within(a, matches!(**a, Self::Or(..)));
                format!("{left} AND {}", within(b, matches!(**b, Self::Or(..) | Self::And(..))))
            }
            Self::Or(a, b) => format!("{} OR {}", within(a, false), within(b, matches!(**b, Self::Or(..)))),
        }
    }

    /// What the parser should make of the text.
    pub(super) fn ast(&self) -> ConditionAst {
        let mut ast = ConditionAst::default();
        self.write(&mut ast);
        ast
    }

    fn write(&self, ast: &mut ConditionAst) {
        let symbols = &mut ast.symbols;
        let predicate = match self {
            Self::Not(a) => {
                a.write(ast);
                return ast.steps.push(Step::Not);
            }
            Self::And(a, b) | Self::Or(a, b) => {
                a.write(ast);
                let at = ast.steps.len();
                ast.steps.push(Step::Not);
                b.write(ast);
                let end = ast.steps.len() as u16;
                ast.steps[at] = if matches!(self, Self::And(..)) { Step::AndThen(end) } else { Step::OrElse(end) };
                return;
            }
            Self::Compare(comparator, a, b) => Predicate::Compare(*comparator, a.operand(symbols), b.operand(symbols)),
            Self::Between(a, b, c) => Predicate::Between(a.operand(symbols), b.operand(symbols), c.operand(symbols)),
            Self::In(a, list) => {
                let a = a.operand(symbols);
                Predicate::In(a, list.iter().map(|term| term.operand(symbols)).collect())
            }
            Self::Exists(path) => Predicate::Exists(add_path(symbols, path)),
            Self::NotExists(path) => Predicate::NotExists(add_path(symbols, path)),
            Self::HasType(a, b) => Predicate::HasType(a.operand(symbols), b.operand(symbols)),
            Self::BeginsWith(a, b) => Predicate::BeginsWith(a.operand(symbols), b.operand(symbols)),
            Self::Contains(a, b) => Predicate::Contains(a.operand(symbols), b.operand(symbols)),
        };
        ast.steps.push(Step::Test(ast.predicates.len() as u16));
        ast.predicates.push(predicate);
    }
}

impl Term {
    fn operand(&self, symbols: &mut Symbols) -> Operand {
        match self {
            Self::Path(path) => Operand::Path(add_path(symbols, path)),
            Self::Value(value) => Operand::Value(symbols.add_value(value)),
            Self::SizeOfPath(path) => Operand::SizeOfPath(add_path(symbols, path)),
            Self::SizeOfValue(value) => Operand::SizeOfValue(symbols.add_value(value)),
        }
    }
}

fn add_path(symbols: &mut Symbols, path: &str) -> u16 {
    let segments = steps(path).map(|step| match step.parse() {
        Ok(index) => Segment::Index(index),
        Err(_) if step.starts_with('#') => Segment::Alias(symbols.add_alias(step)),
        Err(_) => Segment::Name(step.into()),
    });
    let segments = segments.collect();
    symbols.add_path(segments)
}

/// The names and indexes of a path.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[']).map(|step| step.trim_end_matches(']'))
}

/// An action of an update: its section, its path and what stands behind.
pub(super) type Action = (&'static str, &'static str, New);

/// What an action does with its path.
#[derive(Debug, Clone)]
pub(super) enum New {
    Nothing,
    Operand(Source),
    Plus(Source, Source),
    Minus(Source, Source),
    Append(Source, Source),
    Value(&'static str),
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    Path(&'static str),
    Value(&'static str),
    IfNotExists(&'static str, &'static str),
}

/// Mostly what the model's items can have done to them, so that most updates come to something.
pub(super) fn actions() -> impl Strategy<Value = Vec<Action>> {
    let one_of = |texts: &'static [&'static str]| proptest::sample::select(texts);
    let path = move || one_of(&PATHS[..13]).prop_filter("not the key", |path| *path != "pk");
    let read = move || one_of(&["a", "b", "l", "l[0]", "m", "m.x", "pk", "gone"]);
    let value = move || one_of(VALUES);
    let source = move || {
        prop_oneof![
            read().prop_map(Source::Path),
            value().prop_map(Source::Value),
            (read(), value()).prop_map(|(path, value)| Source::IfNotExists(path, value)),
        ]
    };
    let number = move || {
        prop_oneof![
            one_of(&["a", "m.x", "l[0]", "b"]).prop_map(Source::Path),
            one_of(&[":n", ":n2"]).prop_map(Source::Value),
            (read(), one_of(&[":n", ":n2"])).prop_map(|(path, value)| Source::IfNotExists(path, value)),
        ]
    };
    let list = move || prop_oneof![one_of(&["l", "m.l", "a"]).prop_map(Source::Path), Just(Source::Value(":l"))];
    let new = prop_oneof![
        4 => source().prop_map(New::Operand),
        1 => (number(), number()).prop_map(|(a, b)| New::Plus(a, b)),
        1 => (number(), number()).prop_map(|(a, b)| New::Minus(a, b)),
        1 => (list(), list()).prop_map(|(a, b)| New::Append(a, b)),
    ];
    let summed = move || one_of(&["ss", "ss", "ns", "ns", "a", "m.x", "l[0]", "l[3]", "m.ss", "gone"]);
    let action = prop_oneof![
        4 => (path(), new).prop_map(|(path, new)| ("SET", path, new)),
        3 => path().prop_map(|path| ("REMOVE", path, New::Nothing)),
        2 => (summed(), one_of(&[":ss", ":ss2", ":ns", ":ns2", ":n", ":n2"]))
            .prop_map(|(path, value)| ("ADD", path, New::Value(value))),
        2 => (summed(), one_of(&[":ss", ":ss2", ":ns", ":ns2"]))
            .prop_map(|(path, value)| ("DELETE", path, New::Value(value))),
    ];
    proptest::collection::vec(action, 1..4)
}

/// The update as text, section by section.
pub(super) fn update_text(actions: &[Action]) -> String {
    let mut sections = Vec::new();
    for section in ["SET", "REMOVE", "ADD", "DELETE"] {
        let of_section = actions.iter().filter(|(name, ..)| *name == section);
        let texts: Vec<_> = of_section.map(|(_, path, new)| format!("{path}{}", new.text())).collect();
        if !texts.is_empty() {
            sections.push(format!("{section} {}", texts.join(", ")));
        }
    }
    sections.join(" ")
}

impl New {
    fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Operand(a) => format!(" = {}", a.text()),
            Self::Plus(a, b) => format!(" = {} + {}", a.text(), b.text()),
            Self::Minus(a, b) => format!(" = {} - {}", a.text(), b.text()),
            Self::Append(a, b) => format!(" = list_append({}, {})", a.text(), b.text()),
            Self::Value(value) => format!(" {value}"),
        }
    }
}

impl Source {
    fn text(&self) -> String {
        match self {
            Self::Path(text) | Self::Value(text) => (*text).to_owned(),
            Self::IfNotExists(path, value) => format!("if_not_exists({path}, {value})"),
        }
    }
}
