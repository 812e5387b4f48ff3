//! Queries whose expressions are read once and run many times.
//!
//! Thread safety: immutable; any number of threads run one at once.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::item::ValueRef;
use kstone_core::key_layout::{KeyLayout, KeyPart};
use kstone_core::value::Type;

use crate::expression::ast::{ConditionAst, ProjectionAst};
use crate::expression::{
    Condition, KeyCondition, KeyPlan, KeySchema, Kind, ParameterNames, PreparedExpression, Preparing, Projection,
    binder_of_names,
};
use crate::request::page::{Page, PageEnd, PageRecord};
use crate::request::partition::PartitionQuery;
use crate::request::query::{Query, Select};
use crate::request::read::{BoundExpressions, keyed};
use crate::request::records::Records;
use crate::request::sort_key::SortKeyCondition;
use crate::table::Table;
use crate::table::index::Index;
use crate::table::state::layout_of;

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
    key_condition: Option<PreparedKeyCondition>,
    filter: Option<PreparedExpression<ConditionAst>>,
    projection: Option<Projection>,
    parameters: ParameterNames,
    /// Whether it asks for whole items of the table.
    is_of_whole_items: bool,
}

/// A key condition that was read as one on a key of these attributes.
#[derive(Debug)]
struct PreparedKeyCondition {
    condition: PreparedExpression<ConditionAst>,
    plan: KeyPlan,
    partition: Box<[KeyPart]>,
    sort: Box<[KeyPart]>,
}

impl PreparedKeyCondition {
    /// # Errors
    /// As [`KeyCondition::new`], as far as no value is needed to tell.
    fn new(condition: PreparedExpression<ConditionAst>, parameters: usize, schema: KeySchema<'_>) -> Result<Self> {
        // Its form is that of a condition on a key, whatever its values: a text is good for every operator.
        let any = vec![ValueRef::from_parts(Type::S, b"any"); parameters];
        let plan = KeyPlan::of(&with_values(&condition, &any)?, schema)?;
        Ok(Self { condition, plan, partition: schema.partition.into(), sort: schema.sort.into() })
    }

    /// The condition with these values. It is read anew where the key has other attributes than when it was prepared, and
    /// where a value may have to be refused.
    fn bound<'v>(&'v self, values: &'v [ValueRef<'v>], schema: KeySchema<'_>) -> Result<KeyCondition<'v>> {
        let is_as_prepared = *self.partition == *schema.partition && *self.sort == *schema.sort;
        if is_as_prepared
            && let Some(condition) = KeyCondition::of_plan(self.plan, self.condition.bound(values), schema)
        {
            return Ok(condition);
        }
        Ok(KeyCondition::new(with_values(&self.condition, values)?, schema)?)
    }
}

/// A key condition with these values.
fn with_values<'v>(
    condition: &'v PreparedExpression<ConditionAst>,
    values: &'v [ValueRef<'v>],
) -> Result<Condition<'v>> {
    let (ast, bound) = (Arc::clone(&condition.ast), condition.bound(values));
    Ok(Condition::new(Kind::KeyCondition, ast, bound, KeyLayout::untyped())?)
}

impl Table {
    /// Reads the expressions of a query once, for many runs. The query's own limit is that of every run which has none.
    ///
    /// # Errors
    /// As [`Table::query_page`], as far as no value is needed to tell; [`Error::Invalid`] for a token, which belongs
    /// to a run, and for values among the names.
    pub fn prepare_query(&self, query: &Query) -> Result<PreparedQuery> {
        if query.token.is_some() || query.start_after.is_some() {
            return Err(Error::from(Reason::StartPrepared));
        }
        let table = self.state();
        let index = query.index.as_ref().map(|name| table.readable_index(name)).transpose()?;
        let mut preparing = Preparing::new(self.expressions());
        let texts = query.expressions.as_deref().cloned().unwrap_or_default();
        let names = texts.parameters.gathered()?;
        let mut names = binder_of_names(&names)?;
        let schema = index.map_or(KeySchema::of(table.layout()), Index::key_schema);
        let key_condition = texts.key_condition.as_ref().map(|text| {
            let condition = preparing.condition(Kind::KeyCondition, text, &mut names)?;
            PreparedKeyCondition::new(condition, preparing.count(), schema)
        });
        let key_condition = key_condition.transpose()?;
        let filter = texts.filter.as_ref();
        let filter = filter.map(|text| preparing.condition(Kind::Filter, text, &mut names)).transpose()?;
        let projection = texts.projection.as_ref();
        let projection = projection.map(|text| preparing.projection(text, &mut names)).transpose()?;
        if projection.is_some() && query.select != Select::All {
            return Err(Error::from(Reason::ProjectionOfCount));
        }
        let projection =
            projection.map(|projection: PreparedExpression<ProjectionAst>| Projection::new(projection.ast));
        let projection = projection.transpose()?;
        names.finish()?;
        let (query, parameters) = (Query { expressions: None, ..query.clone() }, preparing.finish());
        let is_of_whole_items = filter.is_none() && projection.is_none() && query.of_whole_items().is_some();
        let shared = Shared { query, key_condition, filter, projection, parameters, is_of_whole_items };
        Ok(PreparedQuery { shared: Arc::new(shared) })
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
        self.run_as(database, values, limit, token).map(Page::with_token)
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
    ) -> Result<Page<R, PageEnd>> {
        if self.shared.is_of_whole_items
            && let Some(condition) = &self.shared.key_condition
        {
            self.shared.parameters.check(values.len())?;
            let schema = KeySchema::of(layout_of(database.keys()));
            return self.run_on_partition(database, &condition.bound(values, schema)?, limit, token);
        }
        let query = self.query_of(values, limit, token)?;
        let run = &mut self.with(database, values);
        database.page_of(query.limit, |context| keyed(Cow::Owned(query), context, run)).map(Page::with_end)
    }

    /// The page of whole items of the table: everything is lent, nothing is copied.
    fn run_on_partition<R: PageRecord>(
        &self,
        table: &Table,
        condition: &KeyCondition<'_>,
        limit: Option<usize>,
        token: Option<&[u8]>,
    ) -> Result<Page<R, PageEnd>> {
        let query = &self.shared.query;
        query.refuse_key_twice()?;
        table.query_partition_as(&PartitionQuery {
            partition_key: condition.partition().payload(),
            sort_key: SortKeyCondition::from(condition.sort()).map(|value| value.payload()),
            reverse: query.reverse,
            limit: limit.or(query.limit),
            token,
        })
    }

    /// The items one by one, as the database is now. `limit` bounds the items in all.
    ///
    /// # Errors
    /// As [`PreparedQuery::run`] and [`Table::iter_query`].
    pub fn iter(&self, database: &Table, values: &[ValueRef<'_>], limit: Option<usize>) -> Result<Records> {
        let query = self.query_of(values, limit, None)?;
        let mut run = self.with(database, values);
        let (keyed, selection) = keyed(Cow::Owned(query), database.read_context(), &mut run)?;
        database.iter_prepared(keyed, selection)
    }

    fn with<'a>(&'a self, table: &Table, values: &'a [ValueRef<'a>]) -> Run<'a> {
        Run { shared: &self.shared, values, layout: layout_of(table.keys()) }
    }

    fn query_of(&self, values: &[ValueRef<'_>], limit: Option<usize>, token: Option<&[u8]>) -> Result<Query> {
        let Shared { query, parameters, .. } = &*self.shared;
        parameters.check(values.len())?;
        Ok(Query { limit: limit.or(query.limit), token: token.map(<[u8]>::to_vec), ..query.clone() })
    }
}

/// The expressions with the values of one run.
struct Run<'a> {
    shared: &'a Shared,
    values: &'a [ValueRef<'a>],
    layout: &'static KeyLayout,
}

impl BoundExpressions for Run<'_> {
    fn key_condition(&mut self, schema: KeySchema<'_>) -> Result<Option<KeyCondition<'_>>> {
        let condition = self.shared.key_condition.as_ref();
        let Some(condition) = condition else { return Ok(None) };
        condition.bound(self.values, schema).map(Some)
    }

    fn filter(&mut self) -> Result<Option<Condition<'static>>> {
        let filter = self.shared.filter.as_ref().map(|filter| {
            let (ast, bound) = (Arc::clone(&filter.ast), filter.bound(self.values));
            Condition::new(Kind::Filter, ast, bound, self.layout).map(Condition::into_owned)
        });
        Ok(filter.transpose()?)
    }

    fn projection(&mut self) -> Result<Option<Projection>> {
        Ok(self.shared.projection.clone())
    }
}
