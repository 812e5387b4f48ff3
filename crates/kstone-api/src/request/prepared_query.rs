//! Queries whose expressions are read once and run many times.
//!
//! Thread safety: immutable; any number of threads run one at once.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, Result};
use kstone_core::item::ValueRef;
use kstone_core::key_layout::KeyLayout;
use kstone_core::value::Type;

use crate::expression::ast::{ConditionAst, ProjectionAst};
use crate::expression::{
    Condition, KeyCondition, KeySchema, Kind, ParameterNames, PreparedExpression, Preparing, Projection,
    binder_of_names,
};
use crate::request::page::{Page, PageRecord};
use crate::request::query::{Query, Select};
use crate::request::read::{BoundExpressions, index_schema, keyed};
use crate::request::records::Records;
use crate::table::Table;

/// A query whose expressions are parsed and whose names are known, to be run any number of times by any number of
/// threads at once: its values come with each run. It belongs to no database: it runs on the one that it was prepared
/// with, on forks of it and on any other, and outlives them. Which index it reads is looked up at every run, so that a
/// change of the schema is no matter: a run fails where the index is gone. Clones share it.
///
/// ```
/// use kstone_api::{Database, Item, KeystoneValue, PreparedValues, Query};
/// let db = Database::create_in_memory()?;
/// db.put_with_sk(b"sensor#1", b"09:00", Item::new())?;
/// db.put_with_sk(b"sensor#1", b"10:00", Item::new())?;
/// let since = db.prepare_query(&Query::new().key_condition_expression("pk = :sensor AND sk >= :from"))?;
/// let values = PreparedValues::encode(&[KeystoneValue::string("sensor#1"), KeystoneValue::string("09:30")])?;
/// assert_eq!(since.run(&db, &values.lent(), None, None)?.count, 1);
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PreparedQuery {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// What the query asks for besides its expressions.
    query: Query,
    key_condition: Option<PreparedExpression<ConditionAst>>,
    filter: Option<PreparedExpression<ConditionAst>>,
    projection: Option<Projection>,
    parameters: ParameterNames,
}

impl Table {
    /// Reads the expressions of a query once, for many runs. The query's own limit is that of every run which has none.
    ///
    /// # Errors
    /// As [`Table::query_page`], as far as no value is needed to tell; [`Error::Invalid`] for a token, which belongs
    /// to a run, and for values among the names.
    pub fn prepare_query(&self, query: &Query) -> Result<PreparedQuery> {
        if query.token.is_some() {
            return Err(Error::invalid("a token belongs to a run of what is prepared"));
        }
        let table = self.state();
        let index = query.index.as_ref().map(|name| table.readable_index(name)).transpose()?;
        let mut preparing = Preparing::new(self.expressions());
        let texts = query.expressions.as_deref().cloned().unwrap_or_default();
        let names = texts.parameters.gathered()?;
        let mut names = binder_of_names(&names)?;
        let key_condition = texts.key_condition.as_ref();
        let key_condition =
            key_condition.map(|text| preparing.condition(Kind::KeyCondition, text, &mut names)).transpose()?;
        if let Some(condition) = &key_condition {
            // Its form is that of a condition on a key, whatever its values: a text is good for every key.
            let any = vec![ValueRef::from_parts(Type::S, b"any"); preparing.count()];
            KeyCondition::new(key_condition_of(condition, &any)?, index.map_or(KeySchema::ITEMS, index_schema))?;
        }
        let filter = texts.filter.as_ref();
        let filter = filter.map(|text| preparing.condition(Kind::Filter, text, &mut names)).transpose()?;
        let projection = texts.projection.as_ref();
        let projection = projection.map(|text| preparing.projection(text, &mut names)).transpose()?;
        if projection.is_some() && query.select != Select::All {
            return Err(Error::invalid(
                "Cannot specify the ProjectionExpression when choosing to get only counts or keys",
            ));
        }
        let projection =
            projection.map(|projection: PreparedExpression<ProjectionAst>| Projection::new(projection.ast));
        let projection = projection.transpose()?;
        names.finish()?;
        let (query, parameters) = (Query { expressions: None, ..query.clone() }, preparing.finish());
        Ok(PreparedQuery { shared: Arc::new(Shared { query, key_condition, filter, projection, parameters }) })
    }
}

impl PreparedQuery {
    /// The names of its parameters, in the order in which a run gives their values: that of their first appearance in
    /// the key condition, then in the filter.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &str> {
        self.shared.parameters.iter()
    }

    /// One page. The values are lent for the run; `limit` and `token` are those of [`Query`].
    ///
    /// # Errors
    /// As [`Table::query_page`], and [`Error::Invalid`] for values that are not as many as the parameters.
    pub fn run(
        &self,
        database: &Table,
        values: &[ValueRef<'_>],
        limit: Option<usize>,
        token: Option<&[u8]>,
    ) -> Result<Page> {
        self.run_as(database, values, limit, token)
    }

    /// As [`PreparedQuery::run`], each record in what the caller keeps it in.
    ///
    /// # Errors
    /// As [`PreparedQuery::run`].
    pub fn run_as<R: PageRecord>(
        &self,
        database: &Table,
        values: &[ValueRef<'_>],
        limit: Option<usize>,
        token: Option<&[u8]>,
    ) -> Result<Page<R>> {
        let query = self.query_of(values, limit, token)?;
        let run = &mut Run { shared: &self.shared, values };
        database.page_of(query.limit, |context| keyed(Cow::Owned(query), context, run))
    }

    /// The items one by one, as the database is now. `limit` bounds the items in all.
    ///
    /// # Errors
    /// As [`PreparedQuery::run`] and [`Table::iter_query`].
    pub fn iter(&self, database: &Table, values: &[ValueRef<'_>], limit: Option<usize>) -> Result<Records> {
        let query = self.query_of(values, limit, None)?;
        let mut run = Run { shared: &self.shared, values };
        let (keyed, selection) = keyed(Cow::Owned(query), database.read_context(), &mut run)?;
        database.iter_prepared(keyed, selection)
    }

    fn query_of(&self, values: &[ValueRef<'_>], limit: Option<usize>, token: Option<&[u8]>) -> Result<Query> {
        let Shared { query, parameters, .. } = &*self.shared;
        parameters.check(values.len())?;
        Ok(Query { limit: limit.or(query.limit), token: token.map(<[u8]>::to_vec), ..query.clone() })
    }
}

fn key_condition_of<'v>(
    condition: &'v PreparedExpression<ConditionAst>,
    values: &'v [ValueRef<'v>],
) -> Result<Condition<'v>> {
    Ok(Condition::new(Kind::KeyCondition, Arc::clone(&condition.ast), condition.bound(values), KeyLayout::untyped())?)
}

/// The expressions with the values of one run.
struct Run<'a> {
    shared: &'a Shared,
    values: &'a [ValueRef<'a>],
}

impl BoundExpressions for Run<'_> {
    fn key_condition(&mut self, schema: KeySchema<'_>) -> Result<Option<KeyCondition<'_>>> {
        let condition = self.shared.key_condition.as_ref();
        let Some(condition) = condition else { return Ok(None) };
        Ok(Some(KeyCondition::new(key_condition_of(condition, self.values)?, schema)?))
    }

    fn filter(&mut self) -> Result<Option<Condition<'static>>> {
        let filter = self.shared.filter.as_ref().map(|filter| {
            let (ast, bound) = (Arc::clone(&filter.ast), filter.bound(self.values));
            Condition::new(Kind::Filter, ast, bound, KeyLayout::untyped()).map(Condition::into_owned)
        });
        Ok(filter.transpose()?)
    }

    fn projection(&mut self) -> Result<Option<Projection>> {
        Ok(self.shared.projection.clone())
    }
}
