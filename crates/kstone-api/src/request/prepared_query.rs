//! Queries whose expressions are read once and run many times.
//!
//! Thread safety: immutable; any number of threads run one at once.

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
use crate::request::query::Query;
use crate::request::read::BoundExpressions;
use crate::request::read_request::Select;
use crate::request::read_request::{ReadExpression, ReadKeys, ReadRequest, ReadStart};
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
    index: Option<String>,
    keys: PreparedKeys,
    reverse: bool,
    limit: Option<usize>,
    select: Select,
    filter: Option<PreparedExpression<ConditionAst>>,
    projection: Option<Projection>,
    parameters: ParameterNames,
    /// Whether it asks for whole items of the table.
    is_of_whole_items: bool,
}

/// Which items it is about.
#[derive(Debug)]
enum PreparedKeys {
    Partition { partition_key: Vec<u8>, sort_key: SortKeyCondition },
    Condition(PreparedKeyCondition),
    Segment { segment: u32, segments: u32 },
}

/// A key condition that was read as one on a key of these attributes.
#[derive(Debug)]
struct PreparedKeyCondition {
    text: Box<str>,
    condition: PreparedExpression<ConditionAst>,
    plan: KeyPlan,
    partition: Box<[KeyPart]>,
    sort: Box<[KeyPart]>,
}

impl PreparedKeyCondition {
    /// # Errors
    /// As [`KeyCondition::new`], as far as no value is needed to tell.
    fn new(
        text: &str,
        condition: PreparedExpression<ConditionAst>,
        parameters: usize,
        schema: KeySchema<'_>,
    ) -> Result<Self> {
        // Its form is that of a condition on a key, whatever its values: a text is good for every operator.
        let any = vec![ValueRef::from_parts(Type::S, b"any"); parameters];
        let plan = KeyPlan::of(&with_values(&condition, &any)?, schema)?;
        Ok(Self { text: text.into(), condition, plan, partition: schema.partition.into(), sort: schema.sort.into() })
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

/// The text of an expression that is to be prepared.
fn text_of<T>(expression: ReadExpression<'_, T>) -> Result<&str> {
    match expression {
        ReadExpression::Text(text) => Ok(text),
        ReadExpression::Bound(_) => Err(Error::from(Reason::BoundPrepared)),
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
        self.prepare_read(&query.request()?)
    }

    /// As [`Table::prepare_query`], of any request.
    ///
    /// # Errors
    /// As [`Table::prepare_query`].
    pub fn prepare_read(&self, request: &ReadRequest<'_>) -> Result<PreparedQuery> {
        if request.start != ReadStart::First {
            return Err(Error::from(Reason::StartPrepared));
        }
        let table = self.state();
        let index = request.index.map(|name| table.readable_index(name)).transpose()?;
        let mut preparing = Preparing::new(self.expressions());
        let names = request.parameters.clone().unwrap_or_default();
        let mut names = binder_of_names(&names)?;
        let schema = index.map_or(KeySchema::of(table.layout()), Index::key_schema);
        let keys = match request.keys {
            ReadKeys::Partition { partition_key, sort_key } => {
                PreparedKeys::Partition { partition_key: partition_key.to_vec(), sort_key: sort_key.to_owned() }
            }
            ReadKeys::Segment { segment, segments } => PreparedKeys::Segment { segment, segments },
            ReadKeys::Condition(condition) => {
                let text = text_of(condition)?;
                let condition = preparing.condition(Kind::KeyCondition, text, &mut names)?;
                PreparedKeys::Condition(PreparedKeyCondition::new(text, condition, preparing.count(), schema)?)
            }
        };
        let filter = request.filter.map(text_of).transpose()?;
        let filter = filter.map(|text| preparing.condition(Kind::Filter, text, &mut names)).transpose()?;
        let projection = request.projection.map(text_of).transpose()?;
        let projection = projection.map(|text| preparing.projection(text, &mut names)).transpose()?;
        if projection.is_some() && request.select != Select::All {
            return Err(Error::from(Reason::ProjectionOfCount));
        }
        let projection =
            projection.map(|projection: PreparedExpression<ProjectionAst>| Projection::new(projection.ast));
        let projection = projection.transpose()?;
        names.finish()?;
        let is_of_whole_items =
            filter.is_none() && projection.is_none() && index.is_none() && request.select == Select::All;
        let shared = Shared {
            index: request.index.map(str::to_owned),
            keys,
            reverse: request.reverse,
            limit: request.limit,
            select: request.select,
            filter,
            projection,
            parameters: preparing.finish(),
            is_of_whole_items,
        };
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
        self.shared.parameters.check(values.len())?;
        if let PreparedKeys::Condition(condition) = &self.shared.keys
            && self.shared.is_of_whole_items
        {
            let schema = KeySchema::of(layout_of(database.keys()));
            return self.run_on_partition(database, &condition.bound(values, schema)?, limit, token);
        }
        let request = self.shared.request(limit, token);
        let run = &mut self.with(database, values);
        database.page_of(request.limit, || request.plan_with(database.read_context(), run))
    }

    /// The page of whole items of the table: everything is lent, nothing is copied.
    fn run_on_partition<R: PageRecord>(
        &self,
        table: &Table,
        condition: &KeyCondition<'_>,
        limit: Option<usize>,
        token: Option<&[u8]>,
    ) -> Result<Page<R, PageEnd>> {
        let sort_key = SortKeyCondition::from(condition.sort()).map(|value| value.payload());
        let keys = ReadKeys::Partition { partition_key: condition.partition().payload(), sort_key };
        table.read_as(&ReadRequest { keys, ..self.shared.request(limit, token) })
    }

    /// The items one by one, as the database is now. `limit` bounds the items in all.
    ///
    /// # Errors
    /// As [`PreparedQuery::run`] and [`Table::iter_query`].
    pub fn iter(&self, database: &Table, values: &[ValueRef<'_>], limit: Option<usize>) -> Result<Records> {
        self.shared.parameters.check(values.len())?;
        let request = self.shared.request(limit, None);
        database.iter_read(request.plan_with(database.read_context(), &mut self.with(database, values))?)
    }

    fn with<'a>(&'a self, table: &Table, values: &'a [ValueRef<'a>]) -> Run<'a> {
        Run { shared: &self.shared, values, layout: layout_of(table.keys()) }
    }
}

impl Shared {
    /// The request of one run, its expressions aside.
    fn request<'a>(&'a self, limit: Option<usize>, token: Option<&'a [u8]>) -> ReadRequest<'a> {
        let keys = match &self.keys {
            PreparedKeys::Partition { partition_key, sort_key } => {
                ReadKeys::Partition { partition_key, sort_key: sort_key.borrowed() }
            }
            PreparedKeys::Condition(condition) => ReadKeys::Condition(ReadExpression::Text(&condition.text)),
            PreparedKeys::Segment { segment, segments } => ReadKeys::Segment { segment: *segment, segments: *segments },
        };
        ReadRequest {
            keys,
            index: self.index.as_deref(),
            reverse: self.reverse,
            limit: limit.or(self.limit),
            start: token.map_or(ReadStart::First, ReadStart::Token),
            select: self.select,
            ..ReadRequest::default()
        }
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
        let PreparedKeys::Condition(condition) = &self.shared.keys else { return Ok(None) };
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
