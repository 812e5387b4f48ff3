//! A statement as the cache keeps it: what its text alone decides, parameters and schema aside.
//!
//! Thread safety: immutable once made.

use std::sync::Arc;

use kstone_core::key_layout::{KeyLayout, KeyPart};

use super::ast::{Aggregate, Returning};
use super::fault::Fault;
use super::values::Values;
use crate::expression::ast::{Comparator, ConditionAst, Segment, UpdateAst};
use crate::refusal::{Refusal, Result};
use crate::texts::Reason;

/// A statement.
#[derive(Debug)]
pub struct Parsed {
    /// Whether the plan is asked for, instead of the rows.
    pub explain: bool,
    /// What it does.
    pub verb: Verb,
    /// Its values, which everything refers to by index.
    pub values: Values,
    /// What refuses it where DynamoDB's dialect alone is spoken: the first thing in it that goes beyond.
    pub beyond: Option<Refusal>,
}

/// What a statement does.
#[derive(Debug)]
pub enum Verb {
    /// Returns items.
    Select(Select),
    /// A condition that must hold for one item.
    Exists(Select),
    /// Puts an item where there is none.
    Insert(Insert),
    /// Changes an item.
    Update(Update),
    /// Removes an item.
    Delete(Delete),
}

/// What a statement is about.
#[derive(Debug)]
pub struct Target {
    /// The name of the table.
    pub table: Box<str>,
    /// The name of the index.
    pub index: Option<Box<str>>,
}

/// A SELECT.
#[derive(Debug)]
pub struct Select {
    /// What it reads.
    pub target: Target,
    /// What is selected; nothing stands for `*`.
    pub columns: Option<Columns>,
    /// Its WHERE clause.
    pub condition: Option<Where>,
    /// Whether rows are made of groups of items, and by which paths.
    pub groups: Option<Vec<Box<[Segment]>>>,
    /// By what rows are ordered, the first key first.
    pub order_by: Vec<OrderKey>,
    /// The most rows.
    pub limit: Option<Count>,
    /// How many rows are skipped first.
    pub offset: Option<Count>,
}

/// A number in the text, or a parameter.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    /// The index of its value.
    pub value: u16,
    /// LIMIT or OFFSET.
    pub clause: &'static str,
}

/// The columns of a SELECT list.
#[derive(Debug)]
pub struct Columns {
    /// In the order of the list.
    pub list: Vec<Column>,
    /// Their places in the list, ascending by name, as a row holds them.
    pub by_name: Vec<usize>,
}

/// A column of a SELECT list.
#[derive(Debug)]
pub struct Column {
    /// What it is called.
    pub name: String,
    /// What stands in it.
    pub cell: Cell,
}

/// What stands in a column.
#[derive(Debug)]
pub enum Cell {
    /// What a path leads to.
    Path(Box<[Segment]>),
    /// What is made of the values at a path, or of the items where there is none.
    Aggregate(Aggregate, Option<Box<[Segment]>>),
}

/// A key to order rows by.
#[derive(Debug)]
pub struct OrderKey {
    /// The path in an item; in a row of groups, the one column's name.
    pub path: Box<[Segment]>,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl OrderKey {
    /// The attribute that it is, where it is no part of one: what indexes are ordered by.
    pub fn attribute(&self) -> Option<&str> {
        match &*self.path {
            [Segment::Name(name)] => Some(name),
            _ => None,
        }
    }
}

/// A WHERE clause.
#[derive(Debug)]
pub struct Where {
    /// Its program.
    pub ast: Arc<ConditionAst>,
    /// The conditions that must all hold.
    pub conjuncts: Vec<Conjunct>,
}

/// One key of the table.
#[derive(Debug)]
pub struct Point {
    /// Its values.
    pub key: KeyValues,
    /// The conditions that say so, that of the partition key first.
    pub used: Vec<usize>,
    /// Whether there are others.
    pub filters: bool,
}

/// One of the conditions that must all hold.
#[derive(Debug)]
pub struct Conjunct {
    /// What it asks of attributes, where that could be conditions on a key.
    pub asks: Asks,
    /// As it stands in the statement.
    pub text: Box<str>,
}

/// What a condition asks of attributes, each of which could be of a key: all of it must hold where the condition does.
#[derive(Debug, Default)]
pub struct Asks {
    /// What it asks, test by test.
    pub tests: Vec<KeyTest>,
    /// Whether the condition asks nothing else: it holds where the tests do.
    pub exact: bool,
}

/// A test of one attribute.
#[derive(Debug, Clone)]
pub struct KeyTest {
    /// The attribute.
    pub attribute: Box<str>,
    /// What is asked of it.
    pub ask: Ask,
}

/// A condition that can be one on a key, with the indexes of its values.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Equal to this.
    Eq(u16),
    /// Equal to one of these.
    In(Vec<u16>),
    /// Less or greater than this.
    Compare(Comparator, u16),
    /// From the first to the second, both included.
    Between(u16, u16),
    /// Beginning with this.
    BeginsWith(u16),
    /// That it is not there.
    Missing,
    /// That it is there: no condition on a key, but an index sorted by it has the item then.
    Present,
}

/// An INSERT.
#[derive(Debug)]
pub struct Insert {
    /// The table that it writes to.
    pub target: Target,
    /// What it puts.
    pub item: InsertItem,
}

/// The item of an INSERT.
#[derive(Debug)]
pub enum InsertItem {
    /// The attributes, ascending by name.
    Attributes(Vec<(Box<str>, u16)>),
    /// A parameter that is a map.
    Whole(u16),
}

/// An UPDATE.
#[derive(Debug)]
pub struct Update {
    /// The table that it writes to.
    pub target: Target,
    /// Its actions.
    pub ast: Arc<UpdateAst>,
    /// When it is done; that there is an item among it.
    pub condition: Where,
    /// Where its WHERE clause stands in the statement.
    pub at: usize,
    /// What it returns of the item.
    pub returning: Option<Returning>,
}

/// A DELETE.
#[derive(Debug)]
pub struct Delete {
    /// The table that it writes to.
    pub target: Target,
    /// When it is done, unless there is no item.
    pub condition: Where,
    /// Where its WHERE clause stands in the statement.
    pub at: usize,
    /// What it returns of the item.
    pub returning: Option<Returning>,
}

/// The values of a whole key.
#[derive(Debug, Clone, Copy)]
pub struct KeyValues {
    /// The index of the partition key.
    pub pk: u16,
    /// The index of the sort key.
    pub sk: Option<u16>,
}

impl Parsed {
    /// Refuses an UPDATE or a DELETE that does not name the whole key of a table of this layout; `statement` is its text.
    ///
    /// # Errors
    /// [`Refusal`] with the place of the WHERE clause.
    pub fn check_key(&self, statement: &str, layout: &KeyLayout) -> Result<()> {
        let (condition, at) = match &self.verb {
            Verb::Update(update) => (&update.condition, update.at),
            Verb::Delete(delete) => (&delete.condition, delete.at),
            Verb::Select(_) | Verb::Exists(_) | Verb::Insert(_) => return Ok(()),
        };
        match condition.whole_key(layout) {
            Some(_) => Ok(()),
            None => Err(Fault::refused(at, Reason::IncompleteKey).into_refusal(statement)),
        }
    }

    /// The table that it is about, and the index.
    #[must_use]
    pub fn target(&self) -> &Target {
        match &self.verb {
            Verb::Select(select) | Verb::Exists(select) => &select.target,
            Verb::Insert(insert) => &insert.target,
            Verb::Update(update) => &update.target,
            Verb::Delete(delete) => &delete.target,
        }
    }
}

impl Where {
    /// A clause of this program and these conditions.
    pub fn new(ast: ConditionAst, conjuncts: Vec<Conjunct>) -> Self {
        Self { ast: Arc::new(ast), conjuncts }
    }

    /// The one key of a table of this layout that the conditions leave, where they say so outright.
    #[must_use]
    pub fn point(&self, layout: &KeyLayout) -> Option<Point> {
        let equal = |ask: &Ask| if let Ask::Eq(value) = *ask { Some(value) } else { None };
        let (at, pk) = self.exactly(layout.partition().name(), equal)?;
        let mut used = Vec::with_capacity(2);
        used.push(at);
        let mut point = Point { key: KeyValues { pk, sk: None }, used, filters: false };
        if let Some(part) = layout.sort() {
            let (at, sk) = self.exactly(part.name(), |ask| match *ask {
                Ask::Eq(value) => Some(Some(value)),
                // Only the key of an untyped table can do without one.
                Ask::Missing if !layout.is_typed() => Some(None),
                _ => None,
            })?;
            point.key.sk = sk;
            point.used.push(at);
        }
        point.filters = self.conjuncts.len() > point.used.len();
        Some(point)
    }

    /// The first conjunct that asks this of an attribute and nothing else, and what it asks.
    fn exactly<T>(&self, attribute: &str, wanted: impl Fn(&Ask) -> Option<T>) -> Option<(usize, T)> {
        for (at, conjunct) in self.conjuncts.iter().enumerate().filter(|(_, conjunct)| conjunct.asks.exact) {
            for test in conjunct.asks.tests.iter().filter(|test| *test.attribute == *attribute) {
                if let Some(found) = wanted(&test.ask) {
                    return Some((at, found));
                }
            }
        }
        None
    }

    /// The conditions on this attribute that a key could answer, and in which conjuncts they are.
    pub fn tests(&self, attribute: &str) -> impl Iterator<Item = (usize, &KeyTest)> {
        let conjuncts = self.conjuncts.iter().enumerate();
        let tests = conjuncts.flat_map(|(at, conjunct)| conjunct.asks.tests.iter().map(move |test| (at, test)));
        tests.filter(move |(_, test)| *test.attribute == *attribute)
    }

    /// The key of the one item of a table of this layout that the clause can hold for, where it names all of it. In an
    /// untyped table a partition key alone is the key of the item without a sort key.
    #[must_use]
    pub fn whole_key(&self, layout: &KeyLayout) -> Option<KeyValues> {
        let equal = |(_, test): (usize, &KeyTest)| if let Ask::Eq(value) = test.ask { Some(value) } else { None };
        let pk = self.tests(layout.partition().name()).find_map(equal)?;
        let Some(sort) = layout.sort().map(KeyPart::name) else { return Some(KeyValues { pk, sk: None }) };
        match self.tests(sort).find_map(equal) {
            Some(sk) => Some(KeyValues { pk, sk: Some(sk) }),
            None => {
                let names_none = self.tests(sort).all(|(_, test)| matches!(test.ask, Ask::Missing | Ask::Present));
                (names_none && !layout.is_typed()).then_some(KeyValues { pk, sk: None })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kstone_core::key_layout::KeyType;

    use super::super::StatementCache;
    use super::*;

    fn layouts() -> [KeyLayout; 3] {
        let (user, score) = (KeyPart::new("user", KeyType::S), KeyPart::new("score", KeyType::N));
        let typed = KeyLayout::new(user.clone(), Some(score)).unwrap();
        [KeyLayout::untyped().clone(), typed, KeyLayout::new(user, None).unwrap()]
    }

    fn parsed(text: &str) -> Arc<Parsed> {
        StatementCache::with_max_bytes(0).get(text).unwrap()
    }

    #[test]
    fn the_tables_key_says_which_attributes_name_one_item() {
        // Whether a clause names a whole key of each layout, and whether it says so outright.
        for (clause, whole, outright) in [
            ("pk = 'a' AND sk = 'b'", [true, false, false], [true, false, false]),
            ("pk = 'a'", [true, false, false], [false; 3]),
            ("pk = 'a' AND sk IS MISSING", [true, false, false], [true, false, false]),
            ("user = 'a' AND score = 1", [false, true, true], [false, true, true]),
            ("user = 'a'", [false, false, true], [false, false, true]),
            ("user = 'a' AND score IS MISSING", [false, false, true], [false, false, true]),
            ("user = 'a' AND score > 1", [false, false, true], [false, false, true]),
            ("user IN ['a', 'b'] AND score = 1", [false; 3], [false; 3]),
        ] {
            let select = parsed(&format!("SELECT * FROM t WHERE {clause}"));
            let Verb::Select(Select { condition: Some(condition), .. }) = &select.verb else { panic!("{clause}") };
            let layouts = layouts();
            let found = layouts.each_ref().map(|layout| condition.whole_key(layout).is_some());
            assert_eq!(found, whole, "{clause}");
            let points = layouts.each_ref().map(|layout| condition.point(layout));
            assert_eq!(points.each_ref().map(Option::is_some), outright, "{clause}");
            for (point, layout) in
                points.iter().zip(&layouts).filter_map(|(point, layout)| Some((point.as_ref()?, layout)))
            {
                assert_eq!(point.filters, condition.conjuncts.len() > point.used.len(), "{clause}");
                assert_eq!(point.key.sk, condition.whole_key(layout).and_then(|key| key.sk), "{clause}");
            }
        }
    }

    #[test]
    fn a_write_that_names_no_whole_key_is_refused_where_its_clause_stands() {
        let [untyped, typed, _] = layouts();
        for text in
            ["UPDATE t SET a = 1 WHERE user = 'a' AND score = 1", "DELETE FROM t WHERE user = 'a' AND score = 1"]
        {
            assert_eq!(parsed(text).check_key(text, &typed), Ok(()));
            let column = text.find("user").unwrap() + 1;
            let refusal = parsed(text).check_key(text, &untyped).unwrap_err().to_string();
            let text = "Where clause does not contain a mandatory equality on all key attributes: line 1, column";
            assert!(refusal.starts_with(&format!("{text} {column}\n")), "{refusal}");
        }
    }
}
