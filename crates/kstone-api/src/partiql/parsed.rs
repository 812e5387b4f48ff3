//! A statement as the cache keeps it: what its text alone decides, parameters and schema aside.
//!
//! Thread safety: immutable once made.

use std::sync::Arc;

use super::ast::{Aggregate, Returning};
use super::values::Values;
use crate::expression::ast::{Comparator, ConditionAst, Segment, UpdateAst};

/// A statement.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) explain: bool,
    pub(super) verb: Verb,
    pub(super) values: Values,
}

#[derive(Debug)]
pub(super) enum Verb {
    Select(Select),
    /// A condition that must hold for one item.
    Exists(Select),
    Insert(Insert),
    Update(Update),
    Delete(Delete),
}

/// What a statement is about.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) table: Box<str>,
    pub(super) index: Option<Box<str>>,
}

#[derive(Debug)]
pub(super) struct Select {
    pub(super) target: Target,
    /// What is selected; nothing stands for `*`.
    pub(super) columns: Option<Columns>,
    pub(super) condition: Option<Where>,
    /// Whether rows are made of groups of items, and by which paths.
    pub(super) groups: Option<Vec<Box<[Segment]>>>,
    pub(super) order_by: Vec<OrderKey>,
    pub(super) limit: Option<Count>,
    pub(super) offset: Option<Count>,
}

/// A number in the text, or a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) value: u16,
    pub(super) clause: &'static str,
}

/// The columns of a SELECT list.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) list: Vec<Column>,
    /// Their places in the list, ascending by name, as a row holds them.
    pub(super) by_name: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) cell: Cell,
}

#[derive(Debug)]
pub(super) enum Cell {
    Path(Box<[Segment]>),
    Aggregate(Aggregate, Option<Box<[Segment]>>),
}

#[derive(Debug)]
pub(super) struct OrderKey {
    /// The path in an item; in a row of groups, the one column's name.
    pub(super) path: Box<[Segment]>,
    pub(super) descending: bool,
}

impl OrderKey {
    /// The attribute that it is, where it is no part of one: what indexes are ordered by.
    pub(super) fn attribute(&self) -> Option<&str> {
        match &*self.path {
            [Segment::Name(name)] => Some(name),
            _ => None,
        }
    }
}

/// A WHERE clause.
#[derive(Debug)]
pub(super) struct Where {
    pub(super) ast: Arc<ConditionAst>,
    /// The conditions that must all hold.
    pub(super) conjuncts: Vec<Conjunct>,
    /// The one key that they leave, where they say so outright.
    pub(super) point: Option<Point>,
}

/// One key of the table.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) key: KeyValues,
    /// The conditions that say so, `pk` first.
    pub(super) used: [usize; 2],
    /// Whether there are others.
    pub(super) filters: bool,
}

#[derive(Debug)]
pub(super) struct Conjunct {
    /// What it asks of attributes, where that could be conditions on a key.
    pub(super) asks: Asks,
    /// As it stands in the statement.
    pub(super) text: Box<str>,
}

/// What a condition asks of attributes, each of which could be of a key: all of it must hold where the condition does.
#[derive(Debug, Default)]
pub(super) struct Asks {
    pub(super) tests: Vec<KeyTest>,
    /// Whether the condition asks nothing else: it holds where the tests do.
    pub(super) exact: bool,
}

#[derive(Debug, Clone)]
pub(super) struct KeyTest {
    pub(super) attribute: Box<str>,
    pub(super) ask: Ask,
}

/// A condition that can be one on a key, with the indexes of its values.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Eq(u16),
    In(Vec<u16>),
    Compare(Comparator, u16),
    Between(u16, u16),
    BeginsWith(u16),
    Missing,
    /// That it is there: no condition on a key, but an index sorted by it has the item then.
    Present,
}

#[derive(Debug)]
pub(super) struct Insert {
    pub(super) target: Target,
    pub(super) item: InsertItem,
}

#[derive(Debug)]
pub(super) enum InsertItem {
    /// The attributes, ascending by name.
    Attributes(Vec<(Box<str>, u16)>),
    /// A parameter that is a map.
    Whole(u16),
}

#[derive(Debug)]
pub(super) struct Update {
    pub(super) target: Target,
    pub(super) ast: Arc<UpdateAst>,
    /// The order of its actions; none where its paths are wrong, which every run says.
    pub(super) order: Option<Arc<[u16]>>,
    pub(super) condition: Where,
    pub(super) key: KeyValues,
    pub(super) returning: Option<Returning>,
}

#[derive(Debug)]
pub(super) struct Delete {
    pub(super) target: Target,
    pub(super) condition: Where,
    pub(super) key: KeyValues,
    pub(super) returning: Option<Returning>,
}

/// The values of a whole key.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyValues {
    pub(super) pk: u16,
    pub(super) sk: Option<u16>,
}

impl Where {
    pub(super) fn new(ast: ConditionAst, conjuncts: Vec<Conjunct>) -> Self {
        let mut clause = Self { ast: Arc::new(ast), conjuncts, point: None };
        clause.point = clause.point();
        clause
    }

    fn point(&self) -> Option<Point> {
        let is_exact = |(at, _): &(usize, &KeyTest)| self.conjuncts[*at].asks.exact;
        let (pk, sk) = (self.tests("pk").filter(is_exact), self.tests("sk").filter(is_exact));
        let (pk_at, pk) = pk
            .into_iter()
            .find_map(|(at, test)| if let Ask::Eq(value) = test.ask { Some((at, value)) } else { None })?;
        let (sk_at, sk) = sk.into_iter().find_map(|(at, test)| match test.ask {
            Ask::Eq(value) => Some((at, Some(value))),
            Ask::Missing => Some((at, None)),
            _ => None,
        })?;
        Some(Point { key: KeyValues { pk, sk }, used: [pk_at, sk_at], filters: self.conjuncts.len() > 2 })
    }

    /// The conditions on this attribute that a key could answer, and in which conjuncts they are.
    pub(super) fn tests(&self, attribute: &str) -> impl Iterator<Item = (usize, &KeyTest)> {
        let conjuncts = self.conjuncts.iter().enumerate();
        let tests = conjuncts.flat_map(|(at, conjunct)| conjunct.asks.tests.iter().map(move |test| (at, test)));
        tests.filter(move |(_, test)| *test.attribute == *attribute)
    }

    /// The key of the one item that the clause can hold for, where it names all of it. A partition key alone is the key
    /// of the item without a sort key.
    pub(super) fn whole_key(&self) -> Option<KeyValues> {
        let equal = |(_, test): (usize, &KeyTest)| if let Ask::Eq(value) = test.ask { Some(value) } else { None };
        let pk = self.tests("pk").find_map(equal)?;
        match self.tests("sk").find_map(equal) {
            Some(sk) => Some(KeyValues { pk, sk: Some(sk) }),
            None => {
                let names_none = self.tests("sk").all(|(_, test)| matches!(test.ask, Ask::Missing | Ask::Present));
                names_none.then_some(KeyValues { pk, sk: None })
            }
        }
    }
}
