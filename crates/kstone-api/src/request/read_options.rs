//! What queries and scans have in common, and how they are built.

use kstone_core::value::Item;

use crate::error::{Error, Reason, Result};
use crate::request::parameters::RequestParameters;
use crate::request::read_request::{ReadExpression, ReadKeys, ReadRequest, ReadStart, Select};
use kstone_core::item::{self, ItemRef};

/// What a request says besides which items it is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadOptions {
    pub(crate) limit: Option<usize>,
    pub(crate) token: Option<Vec<u8>>,
    /// A key in the stored form.
    pub(crate) start_after: Option<Vec<u8>>,
    pub(crate) select: Select,
    pub(crate) index: Option<String>,
    pub(crate) expressions: Option<Box<ReadExpressions>>,
}

/// The expressions of a query or scan, as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadExpressions {
    pub(crate) key_condition: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) projection: Option<String>,
    pub(crate) parameters: RequestParameters,
}

impl ReadOptions {
    pub(crate) fn expressions(&mut self) -> &mut ReadExpressions {
        self.expressions.get_or_insert_default()
    }

    pub(crate) fn set_start_after(&mut self, key: &Item) -> Result<()> {
        self.start_after = Some(item::encode(key)?);
        Ok(())
    }

    /// The key condition, where it is an expression.
    pub(crate) fn key_condition(&self) -> Option<&str> {
        self.expressions.as_ref().and_then(|expressions| expressions.key_condition.as_deref())
    }

    /// Whether it has a filter.
    pub(crate) fn has_filter(&self) -> bool {
        self.expressions.as_ref().is_some_and(|expressions| expressions.filter.is_some())
    }

    /// The request for these items.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names and values that are none, and for two places to begin at.
    pub(crate) fn request<'a>(&'a self, keys: ReadKeys<'a>, reverse: bool) -> Result<ReadRequest<'a>> {
        let start = match (&self.token, &self.start_after) {
            (None, None) => ReadStart::First,
            (Some(token), None) => ReadStart::Token(token),
            (None, Some(key)) => ReadStart::After(ItemRef::new(key)),
            (Some(_), Some(_)) => return Err(Error::from(Reason::StartTwice)),
        };
        let (index, limit, select) = (self.index.as_deref(), self.limit, self.select);
        let request = ReadRequest { keys, index, reverse, limit, start, select, ..ReadRequest::default() };
        let Some(expressions) = &self.expressions else { return Ok(request) };
        Ok(ReadRequest {
            filter: expressions.filter.as_deref().map(ReadExpression::Text),
            projection: expressions.projection.as_deref().map(ReadExpression::Text),
            parameters: Some(expressions.parameters.gathered()?),
            ..request
        })
    }
}

/// The methods by which a request with [`ReadOptions`] is built.
macro_rules! read_options {
    ($request:ident) => {
        impl $request {
            /// The most items to examine, at least 1. Without it a page ends at 1 MiB.
            #[must_use]
            pub fn limit(mut self, items: usize) -> Self {
                self.options.limit = Some(items);
                self
            }

            /// Where the last page of the same request ended.
            #[must_use]
            pub fn token(mut self, token: &[u8]) -> Self {
                self.options.token = Some(token.to_vec());
                self
            }

            /// Begins behind the item of this key, which need not exist: the attributes of the table's key and, of an
            /// index, those of its key, no others. The key has to be one that the request could return.
            ///
            /// ```
            /// use kstone_api::{Database, Item, ItemBuilder, Query};
            /// let db = Database::create_in_memory()?;
            /// for day in ["mon", "sat", "tue"] {
            ///     db.put_with_sk(b"log", day.as_bytes(), Item::new())?;
            /// }
            /// let key = ItemBuilder::new().string("pk", "log").string("sk", "o").build();
            /// let page = db.query(Query::new().partition_key(b"log").start_after(&key)?)?;
            /// assert_eq!(page.count, 2, "sat and tue");
            /// # Ok::<(), kstone_api::Error>(())
            /// ```
            ///
            /// # Errors
            /// As [`item::encode`](kstone_core::item::encode).
            pub fn start_after(mut self, key: &kstone_core::value::Item) -> $crate::error::Result<Self> {
                self.options.set_start_after(key)?;
                Ok(self)
            }

            /// What to return of each item.
            #[must_use]
            pub fn select(mut self, select: $crate::request::read_request::Select) -> Self {
                self.options.select = select;
                self
            }

            /// Reads this index of the table's schema instead of the items themselves. Items without the index's key
            /// attributes are not in it.
            ///
            /// A partition is then a value of the index's partition attribute and a sort-key condition is on its sort
            /// attribute: as bytes, those of text or of binary, or of any type by a key condition expression.
            #[must_use]
            pub fn index(mut self, name: &str) -> Self {
                self.options.index = Some(name.to_owned());
                self
            }

            /// Returns only the items for which this expression holds. They are examined, and count towards the limit,
            /// all the same.
            #[must_use]
            pub fn filter_expression(mut self, expression: &str) -> Self {
                self.options.expressions().filter = Some(expression.to_owned());
                self
            }

            /// Returns only these parts of each item.
            #[must_use]
            pub fn projection_expression(mut self, expression: &str) -> Self {
                self.options.expressions().projection = Some(expression.to_owned());
                self
            }

            /// What a `#name` of the expressions stands for.
            #[must_use]
            pub fn expression_name(mut self, placeholder: &str, name: &str) -> Self {
                self.options.expressions().parameters.name(placeholder, name);
                self
            }

            /// What a `:value` of the expressions stands for.
            #[must_use]
            pub fn expression_value(mut self, placeholder: &str, value: kstone_core::value::Value) -> Self {
                self.options.expressions().parameters.value(placeholder, value);
                self
            }

            /// All names and values at once, in the place of those given one by one.
            #[must_use]
            pub fn parameters(mut self, parameters: $crate::expression::Parameters) -> Self {
                self.options.expressions().parameters.bag(parameters);
                self
            }

            /// The finished request.
            #[must_use]
            pub fn build(self) -> Self {
                self
            }
        }
    };
}
pub(crate) use read_options;
