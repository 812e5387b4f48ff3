//! What callers give and get: a statement with its parameters, and what it returns.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::item::{ItemRef, ValueRef};
use kstone_core::key_layout::KeyLayout;
use kstone_core::record::Record;
use kstone_core::value::{Item, Value};

use kstone_expr::partiql::StatementCache;
use kstone_expr::partiql::parsed::Parsed;
use kstone_expr::partiql::values::{encode_parameters, encode_refs};

/// A PartiQL statement of DynamoDB's dialect, with what its `?` stand for.
///
/// ```
/// use kstone_api::{Database, KeystoneValue, Statement};
/// let db = Database::create_in_memory()?;
/// db.execute_statement(&Statement::new("INSERT INTO items VALUE {'pk': 'a', 'sk': '1', 'price': 9.90}"))?;
///
/// let cheap = Statement::new("SELECT price FROM items WHERE pk = ? AND price < ?")
///     .parameter(KeystoneValue::string("a"))
///     .parameter(KeystoneValue::number(10));
/// let found = db.execute_statement(&cheap)?;
/// assert_eq!(found.items()[0]["price"].as_number(), Some(&"9.9".to_string()));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Statement {
    source: Source,
    parameters: Parameters,
    pub(super) limit: Option<usize>,
    pub(super) token: Option<Vec<u8>>,
    pub(crate) return_old_on_failure: bool,
}

#[derive(Debug, Clone)]
enum Source {
    Text(String),
    /// A text with what it was parsed to.
    Parsed(Arc<str>, Arc<Parsed>),
}

#[derive(Debug, Clone)]
enum Parameters {
    Values(Vec<Value>),
    /// An item in its stored form: `?1`, `?2` and so on.
    Bag(Vec<u8>),
}

impl Statement {
    /// A statement without parameters yet. Its text is read when it is executed, and remembered by the database: keep
    /// it constant, and vary the parameters.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            source: Source::Text(text.into()),
            parameters: Parameters::Values(Vec::new()),
            limit: None,
            token: None,
            return_old_on_failure: false,
        }
    }

    /// A statement that was prepared, with all of its values.
    pub(super) fn of_parsed((text, parsed): (Arc<str>, Arc<Parsed>), values: &[ValueRef<'_>]) -> Result<Self> {
        Ok(Self {
            source: Source::Parsed(text, parsed),
            parameters: Parameters::Bag(encode_refs(values)?),
            limit: None,
            token: None,
            return_old_on_failure: false,
        })
    }

    /// The value of the next `?`.
    #[must_use]
    pub fn parameter(mut self, value: Value) -> Self {
        match &mut self.parameters {
            Parameters::Values(values) => values.push(value),
            Parameters::Bag(_) => self.parameters = Parameters::Values(vec![value]),
        }
        self
    }

    /// The values of all `?`, in their order, in the place of those given before.
    #[must_use]
    pub fn parameters(mut self, values: Vec<Value>) -> Self {
        self.parameters = Parameters::Values(values);
        self
    }

    /// The values of all `?` from an item whose attributes are `?1`, `?2` and so on, in the place of those given
    /// before.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an attribute of another name.
    pub fn parameters_bag(mut self, bag: ItemRef<'_>) -> Result<Self> {
        for (name, _) in bag {
            let digits = name.strip_prefix('?').unwrap_or_default();
            let is_number = !digits.starts_with('0') && digits.parse::<u16>().is_ok_and(|number| number > 0);
            if !is_number || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Error::from(Reason::ParameterName { name: name.into() }));
            }
        }
        self.parameters = Parameters::Bag(bag.as_bytes().to_vec());
        Ok(self)
    }

    /// The most items to examine for a page, at least 1. Without it a page ends at 1 MiB. `LIMIT` in the statement is
    /// the most rows in all.
    #[must_use]
    pub fn limit(mut self, items: usize) -> Self {
        self.limit = Some(items);
        self
    }

    /// Where the last page of the same statement with the same parameters ended.
    #[must_use]
    pub fn token(mut self, token: &[u8]) -> Self {
        self.token = Some(token.to_vec());
        self
    }

    /// Hands out the item that made the condition of an UPDATE or DELETE fail, with the error.
    #[must_use]
    pub fn return_old_on_failure(mut self) -> Self {
        self.return_old_on_failure = true;
        self
    }

    /// A run of it.
    pub(super) fn run<'a>(&'a self, parsed: &'a Parsed, given: &'a [ValueRef<'a>]) -> StatementRun<'a> {
        StatementRun {
            text: self.text(),
            parsed,
            given,
            limit: self.limit,
            token: self.token.as_deref(),
            return_old_on_failure: self.return_old_on_failure,
        }
    }

    /// The statement as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.source {
            Source::Text(text) => text,
            Source::Parsed(text, _) => text,
        }
    }

    /// What it was parsed to, now or when it was prepared, for a table of this key.
    pub(super) fn parsed(&self, cache: &StatementCache, layout: &KeyLayout) -> Result<Arc<Parsed>> {
        let parsed = match &self.source {
            Source::Text(text) => cache.get(text)?,
            Source::Parsed(_, parsed) => Arc::clone(parsed),
        };
        parsed.check_key(self.text(), layout)?;
        Ok(parsed)
    }

    /// The parameters in the stored form.
    pub(super) fn encoded_parameters(&self) -> Result<Cow<'_, [u8]>> {
        match &self.parameters {
            Parameters::Values(values) if values.is_empty() => Ok(Cow::Borrowed(&[])),
            Parameters::Values(values) => Ok(Cow::Owned(encode_parameters(values)?)),
            Parameters::Bag(bag) => Ok(Cow::Borrowed(bag)),
        }
    }
}

/// One run of a statement: what its text was parsed to, its parameters, and the page that is asked for.
#[derive(Clone, Copy)]
pub(super) struct StatementRun<'a> {
    pub(super) text: &'a str,
    pub(super) parsed: &'a Parsed,
    pub(super) given: &'a [ValueRef<'a>],
    pub(super) limit: Option<usize>,
    pub(super) token: Option<&'a [u8]>,
    pub(super) return_old_on_failure: bool,
}

/// What a statement returns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatementResult {
    /// The rows, in order: each an item in its stored form, under the key of the item that it is or was made of; a row
    /// of groups, or of EXPLAIN, has an empty key. A whole item has its key, too: that of an untyped table as the
    /// attributes `pk` and `sk`.
    pub records: Vec<Record>,
    /// The names of the columns in the order of the SELECT list; none where whole items are returned.
    pub columns: Vec<String>,
    /// How many items were examined.
    pub scanned: usize,
    /// Whether the statement is one that returns rows, be there any or none.
    pub returns_rows: bool,
    /// Where the next page goes on; none at the end. As in DynamoDB, a page that ends at its limit has one, even if
    /// nothing follows.
    pub token: Option<Vec<u8>>,
}

impl StatementResult {
    /// The rows, copied out.
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        self.records.iter().map(|record| record.item().to_item()).collect()
    }

    /// Of a statement that returns rows.
    pub(super) fn of_rows(records: Vec<Record>) -> Self {
        Self { records, returns_rows: true, ..Self::default() }
    }
}
