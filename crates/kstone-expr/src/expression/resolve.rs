//! Many paths followed through one item in a single pass.
//!
//! Following paths one by one reads the attributes before each of them again: paths times attributes. Here the paths,
//! in their order, are merged with the attributes, in theirs, level by level: every map and list on the way is read
//! once. It pays where there are several paths and a large item, and more of them where the item has a directory to look
//! attributes up in; otherwise [`BoundParameters::follow`] is cheaper.
//!
//! Invariants: recursion ends at [`PATH_MAX_LEVELS`](super::PATH_MAX_LEVELS). Thread safety: borrows only.

use std::cell::Cell;
use std::iter::Peekable;

use kstone_core::item::ValueRef;
use kstone_core::value::Type;

use super::ast::{Segment, Symbols};
use super::bind::BoundParameters;
use super::path::Place;
use super::subject::Subject;

/// From how many paths on, and how many bytes of an item, they are resolved together.
const PATHS_MIN: usize = 4;
const PATHS_MIN_WITH_DIRECTORY: usize = 16;
const ITEM_MIN_BYTES: usize = 1024;

/// What a path leads to, once it was followed.
pub(super) type KnownPath<'s> = Cell<Option<Option<ValueRef<'s>>>>;

/// Memory for what the first paths of an expression lead to.
pub(super) type Known<'s> = [KnownPath<'s>; 8];

/// What the paths of an expression lead to in one item.
pub(super) struct Resolved<'k, 's> {
    /// Where they were followed together.
    all: Option<Box<[Option<ValueRef<'s>>]>>,
    /// In all other cases a path is followed when it is asked for: one that has a place here only once.
    known: &'k [KnownPath<'s>],
}

impl<'k, 's> Resolved<'k, 's> {
    /// Resolves the paths, where that costs less than following each when it is asked for.
    #[inline]
    pub(super) fn of(
        bound: &BoundParameters,
        symbols: &Symbols,
        subject: &Subject<'s>,
        known: &'k [KnownPath<'s>],
    ) -> Self {
        let item = subject.item();
        let paths_min = if item.has_directory() { PATHS_MIN_WITH_DIRECTORY } else { PATHS_MIN };
        let together = symbols.paths.len() >= paths_min && item.as_bytes().len() >= ITEM_MIN_BYTES;
        Self { all: together.then(|| Self::all(bound, symbols, subject)), known }
    }

    #[cold]
    fn all(bound: &BoundParameters, symbols: &Symbols, subject: &Subject<'s>) -> Box<[Option<ValueRef<'s>>]> {
        let paths = &symbols.paths;
        let mut order: Vec<u16> = (0..super::ast::index(paths.len())).collect();
        order.sort_by(|&a, &b| bound.compare(&paths[usize::from(a)], &paths[usize::from(b)]));
        let mut pass = Pass { bound, symbols, found: vec![None; paths.len()].into() };
        let mut entries = entries(subject.item().raw_iter());
        for group in pass.groups(&order, 0) {
            if let Some(Place::Name(name)) = pass.place(group[0], 0) {
                let found = if subject.is_key(name) { subject.get(name) } else { seek(&mut entries, name.as_bytes()) };
                pass.reach(found, group, 1);
            }
        }
        pass.found
    }

    /// What the path of this number leads to, by `follow` where that is not known.
    #[inline]
    pub(super) fn get(&self, path: u16, follow: impl FnOnce() -> Option<ValueRef<'s>>) -> Option<ValueRef<'s>> {
        let follow = || {
            #[cfg(test)]
            tests::FOLLOWED.set(tests::FOLLOWED.get() + 1);
            follow()
        };
        if let Some(found) = &self.all {
            return found[usize::from(path)];
        }
        let Some(known) = self.known.get(usize::from(path)) else { return follow() };
        known.get().unwrap_or_else(|| {
            let found = follow();
            known.set(Some(found));
            found
        })
    }
}

struct Pass<'a, 's> {
    bound: &'a BoundParameters<'a>,
    symbols: &'a Symbols,
    found: Box<[Option<ValueRef<'s>>]>,
}

impl<'a, 's> Pass<'a, 's> {
    fn path(&self, path: u16) -> &'a [Segment] {
        &self.symbols.paths[usize::from(path)]
    }

    fn place(&self, path: u16, depth: usize) -> Option<Place<'a>> {
        self.path(path).get(depth).map(|segment| self.bound.place(segment))
    }

    /// The paths that have the step at this depth in common; all before it they have.
    fn groups<'g>(&self, order: &'g [u16], depth: usize) -> impl Iterator<Item = &'g [u16]> + use<'a, 's, 'g> {
        let (bound, symbols) = (self.bound, self.symbols);
        let place = move |path: u16| symbols.paths[usize::from(path)].get(depth).map(|segment| bound.place(segment));
        order.chunk_by(move |&a, &b| place(a) == place(b))
    }

    /// These paths, in their order, lead to `found` by their first `depth` steps.
    fn reach(&mut self, found: Option<ValueRef<'s>>, group: &[u16], depth: usize) {
        let Some(value) = found else { return };
        // Those that end here come first.
        let ended = group.iter().take_while(|&&path| self.path(path).len() == depth).count();
        group[..ended].iter().for_each(|&path| self.found[usize::from(path)] = Some(value));
        let longer = &group[ended..];
        if longer.is_empty() {
            return;
        }
        if let Some(map) = value.map() {
            let mut entries = entries(map.raw_iter());
            for group in self.groups(longer, depth) {
                if let Some(Place::Name(name)) = self.place(group[0], depth) {
                    let found = seek(&mut entries, name.as_bytes());
                    self.reach(found, group, depth + 1);
                }
            }
        } else if value.type_() == Type::L {
            let mut elements = entries((0..).zip(value.list()));
            for group in self.groups(longer, depth) {
                if let Some(Place::Index(index)) = self.place(group[0], depth) {
                    let found = seek(&mut elements, index);
                    self.reach(found, group, depth + 1);
                }
            }
        }
    }
}

/// Entries of a map or elements of a list, ascending, to be sought through once.
pub(super) fn entries<K, V, I: Iterator<Item = (K, V)>>(ascending: I) -> Peekable<Counted<I>> {
    Counted(ascending).peekable()
}

/// The value under this name or index. What is sought next must be greater.
pub(super) fn seek<K: PartialOrd<W>, W, V>(
    entries: &mut Peekable<impl Iterator<Item = (K, V)>>,
    wanted: W,
) -> Option<V> {
    while entries.next_if(|(key, _)| *key < wanted).is_some() {}
    entries.next_if(|(key, _)| *key == wanted).map(|(_, value)| value)
}

/// An iterator whose steps tests count.
pub(super) struct Counted<I>(I);

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        #[cfg(test)]
        tests::VISITS.set(tests::VISITS.get() + 1);
        self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::{Binder, Condition, Kind, Parameters, Projection, ReturnValues, Update};
    use super::*;
    use kstone_core::item::ItemWriter;
    use kstone_core::key::KeyRef;
    use kstone_core::value::{Item, Value};

    thread_local! {
        /// Attributes and elements that were looked at.
        pub(super) static VISITS: Cell<usize> = const { Cell::new(0) };
        /// Paths that were followed one by one.
        pub(super) static FOLLOWED: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn each_path_is_followed_once_however_often_it_is_asked_for() {
        let mut item = ItemWriter::new();
        item.set_i64("a", 5).expect("set").set_i64("b", 6).expect("set");
        for (text, followed, holds) in [
            ("a = :1 OR a = :2 OR a = :5", 1, true),
            ("a IN (:1, :2, :3, :4, :5, :6)", 1, true),
            ("a BETWEEN :6 AND :6", 1, false),
            ("a = :5 AND b = :6 AND a < :6 AND b > :1 AND NOT a = b", 2, true),
            ("a = :1 AND b = :1", 1, false),
            ("c = :1 OR c = :2", 1, false),
        ] {
            let text = format!("{text} OR ({text})");
            let used = (1..=6).filter(|i| text.contains(&format!(":{i}"))).map(|i| (format!(":{i}"), Value::number(i)));
            let values = Parameters::from_maps([], &used.collect::<Item>()).expect("a bag");
            let condition = Condition::parse(Kind::Where, &text, &mut Binder::new(&values)).expect("parsed");
            FOLLOWED.set(0);
            assert_eq!(condition.evaluate(&Subject::new(b"p", b"", item.as_item())), holds, "{text}");
            assert_eq!(FOLLOWED.get(), followed, "{text}");
        }
    }

    fn visits(run: impl FnOnce()) -> usize {
        let before = VISITS.get();
        run();
        VISITS.get() - before
    }

    fn large(attributes: usize) -> Vec<u8> {
        let mut item = ItemWriter::new();
        for i in 0..attributes {
            item.set_i64(&format!("a{i:05}"), i as i64).expect("set");
        }
        let list: Vec<Value> = (0..attributes as i64).map(Value::number).collect();
        item.set_value("things", &Value::list(list)).expect("set");
        item.finish().to_vec()
    }

    #[test]
    fn the_work_of_an_expression_is_linear_in_the_item() {
        let attributes = 10_000;
        let body = large(attributes);
        let subject = Subject::new(b"p", b"", kstone_core::item::ItemRef::new(&body));
        let elements = 2 * attributes + 1;
        // Each reads what the others do not, from the far end.
        let attribute = |i: usize| format!("a{:05}", attributes - 1 - i * 30);
        let values = Item::from([(":x".to_owned(), Value::number(1))]);
        let with_values = Parameters::from_maps([], &values).expect("a bag");

        let mut text = String::from("SET ");
        for i in 0..145 {
            let comma = if i == 0 { "" } else { "," };
            write!(text, "{comma}{}=things[{}]+:x", attribute(i), 20 * i).expect("written");
        }
        let update = Update::parse(&text, &mut Binder::new(&with_values)).expect("parsed");
        let mut made = None;
        let seen = visits(|| {
            made = update.apply(KeyRef::new(b"p", b"").expect("a key"), Some(subject.item())).expect("applied")
        });
        assert!(seen <= 2 * elements, "an update of 145 clauses looked at {seen} of {elements} elements");
        let made = made.expect("made");
        let new = Subject::new(b"p", b"", kstone_core::item::ItemRef::new(&made));
        for i in 0..145 {
            assert_eq!(new.get(&attribute(i)).and_then(|value| value.as_number()), Some(&*format!("{}", 20 * i + 1)));
        }
        let seen = visits(|| drop(update.returned(ReturnValues::UpdatedNew, &subject, &new)));
        assert!(seen > 0 && seen <= elements, "what it returns took {seen}");

        let text: Vec<String> = (0..150).map(|i| format!("{}<:x", attribute(i))).collect();
        let condition = Condition::parse(Kind::Condition, &text.join(" OR "), &mut Binder::new(&with_values));
        let condition = condition.expect("parsed");
        let seen = visits(|| assert!(!condition.evaluate(&subject)));
        assert!(seen > 0 && seen <= elements, "a condition looked at {seen} of {elements} elements");

        let nothing = Parameters::new();
        let text: Vec<String> = (0..300).map(|i| format!("things[{}]", i * 30)).collect();
        let projection = Projection::parse(&text.join(","), &mut Binder::new(&nothing)).expect("parsed");
        let seen = visits(|| assert!(!projection.apply(&subject).is_empty()));
        assert!(seen > 0 && seen <= elements, "a projection looked at {seen} of {elements} elements");
    }

    /// Resolved together, paths lead to what they lead to one by one.
    #[test]
    fn paths_resolved_together_lead_where_each_leads_alone() {
        let mut item = ItemWriter::new();
        item.set_str("filler", &"x".repeat(2 * ITEM_MIN_BYTES)).expect("set");
        let inner = Value::map([("x", Value::number(1)), ("y", Value::list([Value::number(2), Value::string("z")]))]);
        let nested = Value::map([("b", Value::list([inner.clone(), Value::null(), inner])), ("c", Value::bool(true))]);
        item.set_value("m", &nested).expect("set");
        item.set_value("l", &Value::list([Value::list([Value::number(7)]), nested])).expect("set");
        let paths = [
            "m",
            "m.b",
            "m.b[0]",
            "m.b[2].y[1]",
            "m.b[0].x",
            "m.b[1].x",
            "m.b[3]",
            "m.c",
            "m.c.d",
            "m[0]",
            "l[0][0]",
            "l[1].b[0].y",
            "l[1]",
            "l[2]",
            "l.x",
            "pk",
            "sk",
            "filler",
            "nowhere",
            "nowhere.x[1]",
            "m.b[2].x",
            "l",
        ];
        let text: Vec<String> = paths.iter().map(|path| format!("attribute_exists({path})")).collect();
        let nothing = Parameters::new();
        let condition = Condition::parse(Kind::Where, &text.join(" OR "), &mut Binder::new(&nothing)).expect("parsed");
        let subject = Subject::new(b"p", b"s", item.as_item());
        let symbols = &condition.ast.symbols;
        let resolved = Resolved::of(&condition.bound, symbols, &subject, &[]);
        assert!(resolved.all.is_some() && symbols.paths.len() == paths.len());
        let mut there = 0;
        for (at, (path, text)) in symbols.paths.iter().zip(paths).enumerate() {
            let alone = condition.bound.follow(path, &subject);
            assert_eq!(resolved.get(at as u16, || unreachable!("all are known")), alone, "{text}");
            there += usize::from(alone.is_some());
        }
        assert_eq!(there, 14);
    }
}
