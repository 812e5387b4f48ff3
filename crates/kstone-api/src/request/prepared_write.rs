//! Writes whose expressions are read once and run many times.
//!
//! Thread safety: immutable; any number of threads run one at once.

use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::item::ValueRef;
use kstone_core::label::InternedLayout;
use kstone_core::record::Record;
use kstone_core::typed_key::{MadeKey, TableKey};

use crate::expression::ast::{ConditionAst, UpdateAst};
use crate::expression::{
    Condition, Kind, ParameterNames, Parameters, PreparedExpression, Preparing, ReturnValues, Update, binder_of_names,
    check_paths,
};
use crate::request::write::{Prepared, PreparedAction, WriteContext, check_returned, checked_body};
use crate::table::Table;
use crate::table::state::layout_of;

/// A write whose key, item and `:values` are left open: what [`Table::prepare_write`] prepares.
///
/// ```
/// use kstone_api::{Database, KeystoneValue, PreparedValues, WriteRun, WriteTemplate};
/// let db = Database::create_in_memory()?;
/// let visit = db.prepare_write(&WriteTemplate::update("ADD #v :n").name("#v", "visits"))?;
/// assert_eq!(visit.parameters().collect::<Vec<_>>(), [":n"]);
/// for visits in 1..=3 {
///     let values = PreparedValues::encode(&[KeystoneValue::number(visits)])?;
///     visit.run(&db, &WriteRun::of_key(b"page#1", b"").values(&values.lent()))?;
/// }
/// assert_eq!(db.get(b"page#1")?.unwrap()["visits"].as_number(), Some(&"6".to_string()));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct WriteTemplate {
    action: TemplateAction,
    condition: Option<String>,
    names: Parameters,
    /// Where the condition has names of its own.
    condition_names: Option<Parameters>,
    single_names: Vec<(String, String)>,
    return_old_on_failure: bool,
}

#[derive(Debug, Clone)]
enum TemplateAction {
    Put,
    Update(String),
    Delete,
    Check,
}

impl WriteTemplate {
    /// A put: each run gives the item.
    #[must_use]
    pub fn put() -> Self {
        Self::new(TemplateAction::Put)
    }

    /// A change by an update expression.
    #[must_use]
    pub fn update(expression: &str) -> Self {
        Self::new(TemplateAction::Update(expression.to_owned()))
    }

    /// A delete.
    #[must_use]
    pub fn delete() -> Self {
        Self::new(TemplateAction::Delete)
    }

    /// The condition alone. For transactions.
    #[must_use]
    pub fn check(condition: &str) -> Self {
        Self::new(TemplateAction::Check).condition(condition)
    }

    fn new(action: TemplateAction) -> Self {
        Self {
            action,
            condition: None,
            names: Parameters::new(),
            condition_names: None,
            single_names: Vec::new(),
            return_old_on_failure: false,
        }
    }

    /// Writes only where this condition expression holds. A `:value` that it shares with the update is one parameter.
    #[must_use]
    pub fn condition(mut self, expression: &str) -> Self {
        self.condition = Some(expression.to_owned());
        self
    }

    /// What a `#name` of the expressions stands for.
    #[must_use]
    pub fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.single_names.push((placeholder.to_owned(), name.to_owned()));
        self
    }

    /// All names at once, in the place of those given one by one.
    #[must_use]
    pub fn names(mut self, names: Parameters) -> Self {
        self.names = names;
        self.single_names.clear();
        self
    }

    /// Names of the condition alone.
    #[must_use]
    pub fn condition_names(mut self, names: Parameters) -> Self {
        self.condition_names = Some(names);
        self
    }

    /// Hands out the item that made the condition fail, with the error.
    #[must_use]
    pub fn return_old_on_failure(mut self) -> Self {
        self.return_old_on_failure = true;
        self
    }
}

/// One run of a [`PreparedWrite`]: what its template leaves open.
#[derive(Debug, Clone, Copy)]
pub struct WriteRun<'a> {
    key: (&'a [u8], &'a [u8]),
    body: Option<&'a [u8]>,
    values: &'a [ValueRef<'a>],
    return_values: ReturnValues,
}

impl<'a> WriteRun<'a> {
    /// Of the item under this key; an empty sort key is none.
    #[must_use]
    pub fn of_key(pk: &'a [u8], sk: &'a [u8]) -> Self {
        Self { key: (pk, sk), body: None, values: &[], return_values: ReturnValues::None }
    }

    /// The values of the parameters, in their order. They are lent for the run, not copied.
    #[must_use]
    pub fn values(mut self, values: &'a [ValueRef<'a>]) -> Self {
        self.values = values;
        self
    }

    /// The item that a put stores, in its stored form, which is believed to be one.
    #[must_use]
    pub fn item(mut self, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self
    }

    /// What the run returns of the item. A put or a delete returns nothing or [`ReturnValues::AllOld`].
    #[must_use]
    pub fn return_values(mut self, values: ReturnValues) -> Self {
        self.return_values = values;
        self
    }
}

/// A write whose expressions are parsed and whose names are known, to be run any number of times by any number of
/// threads at once: its values come with each run. It belongs to no database: it runs on the one that it was prepared
/// with, on forks of it and on any other, and outlives them. Clones share it.
#[derive(Debug, Clone)]
pub struct PreparedWrite {
    shared: Arc<Expressions>,
}

#[derive(Debug)]
struct Expressions {
    verb: PreparedVerb,
    condition: Option<PreparedExpression<ConditionAst>>,
    parameters: ParameterNames,
    /// The layout of the keys of the table that it was prepared for.
    keys: Option<&'static InternedLayout>,
    return_old_on_failure: bool,
}

impl Expressions {
    /// # Errors
    /// [`Error::Invalid`] for a table whose key has other names or types.
    fn check_table(&self, keys: Option<&'static InternedLayout>) -> Result<()> {
        if self.keys == keys {
            return Ok(());
        }
        Err(Error::from(Reason::PreparedForOther))
    }
}

#[derive(Debug)]
enum PreparedVerb {
    Put,
    /// With the order of its actions.
    Update(PreparedExpression<UpdateAst>, Arc<[u16]>),
    Delete,
    Check,
}

impl Table {
    /// Reads the expressions of a write once, for many runs: parses them, resolves their names, checks their paths.
    ///
    /// # Errors
    /// As [`Table::write`], as far as no value and no item is needed to tell; [`Error::Invalid`] for values among
    /// the names.
    pub fn prepare_write(&self, template: &WriteTemplate) -> Result<PreparedWrite> {
        let single = template.single_names.iter().map(|(placeholder, name)| (placeholder.as_str(), name.as_str()));
        let names = match template.single_names.is_empty() {
            true => template.names.clone(),
            false => Parameters::from_maps(single, &crate::Item::new())?,
        };
        let mut names = binder_of_names(&names)?;
        let mut condition_names = template.condition_names.as_ref().map(binder_of_names).transpose()?;
        let mut preparing = Preparing::new(self.expressions());
        let verb = match &template.action {
            TemplateAction::Put => PreparedVerb::Put,
            TemplateAction::Update(text) => {
                let update = preparing.update(text, &mut names)?;
                let order = check_paths(&update.ast, self.state().layout())?;
                PreparedVerb::Update(update, order)
            }
            TemplateAction::Delete => PreparedVerb::Delete,
            TemplateAction::Check => PreparedVerb::Check,
        };
        let condition = match &template.condition {
            None => None,
            Some(text) => {
                Some(preparing.condition(Kind::Condition, text, condition_names.as_mut().unwrap_or(&mut names))?)
            }
        };
        names.finish()?;
        condition_names.map_or(Ok(()), |names| names.finish())?;
        let return_old_on_failure = template.return_old_on_failure;
        let parameters = preparing.finish();
        let keys = self.keys();
        Ok(PreparedWrite { shared: Arc::new(Expressions { verb, condition, parameters, keys, return_old_on_failure }) })
    }
}

impl PreparedWrite {
    /// The names of its parameters, in the order in which a run gives their values: that of their first appearance,
    /// the update's before the condition's.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &str> {
        self.shared.parameters.iter()
    }

    /// Does the write once and says what it returns of the item, under the item's key.
    ///
    /// # Errors
    /// As [`Table::write`], and [`Error::Invalid`] for values that are not as many as the parameters, an item where
    /// none is put and none where one is.
    pub fn run(&self, database: &Table, run: &WriteRun<'_>) -> Result<Option<Record>> {
        self.shared.check_table(database.keys())?;
        database.write_prepared(&self.bind(run)?)
    }

    /// The write with the values of a run.
    fn bind<'a>(&'a self, run: &WriteRun<'a>) -> Result<Prepared<'a>> {
        let Expressions { verb, condition, parameters, keys, return_old_on_failure } = &*self.shared;
        let key = TableKey::of_bytes(*keys, run.key.0, run.key.1)?;
        parameters.check(run.values.len())?;
        check_returned(run.return_values, matches!(verb, PreparedVerb::Update(..)))?;
        let action = match (verb, run.body) {
            (PreparedVerb::Put, Some(body)) => PreparedAction::Put(checked_body(*keys, key.get(), body.into())?),
            (PreparedVerb::Put, None) => return Err(Error::from(Reason::PutWithoutItem)),
            (_, Some(_)) => return Err(Error::from(Reason::ItemWithoutPut)),
            (PreparedVerb::Update(update, order), None) => {
                let (ast, order) = (Arc::clone(&update.ast), Arc::clone(order));
                PreparedAction::Update(Update::in_this_order(ast, order, update.bound(run.values))?)
            }
            (PreparedVerb::Delete, None) => PreparedAction::Delete,
            (PreparedVerb::Check, None) => PreparedAction::Check,
        };
        let condition = condition.as_ref().map(|condition| {
            let (ast, bound) = (Arc::clone(&condition.ast), condition.bound(run.values));
            Condition::new(Kind::Condition, ast, bound, layout_of(*keys))
        });
        Ok(Prepared {
            key,
            action,
            condition: condition.transpose()?,
            return_old_on_failure: *return_old_on_failure,
            return_values: run.return_values,
        })
    }

    /// The write with the values of a run, all of it copied: for a batch or a transaction.
    ///
    /// # Errors
    /// As [`PreparedWrite::run`], as far as no item that is there is needed to tell.
    pub fn bound(&self, run: &WriteRun<'_>) -> Result<BoundWrite> {
        let Prepared { key, action, condition, return_old_on_failure, .. } = self.bind(run)?;
        check_returned_of_batch(run.return_values)?;
        let action = match action {
            PreparedAction::Put(body) => PreparedAction::Put(body.into_owned().into()),
            PreparedAction::Insert(body) => PreparedAction::Insert(body.into_owned().into()),
            PreparedAction::Update(update) => PreparedAction::Update(update.into_owned()),
            PreparedAction::Delete => PreparedAction::Delete,
            PreparedAction::Check => PreparedAction::Check,
            PreparedAction::Get => PreparedAction::Get,
        };
        let (condition, expressions) = (condition.map(Condition::into_owned), Arc::clone(&self.shared));
        Ok(BoundWrite { key: MadeKey::of(key.get()), action, condition, return_old_on_failure, expressions })
    }
}

/// Refuses what no batch returns.
fn check_returned_of_batch(values: ReturnValues) -> Result<()> {
    match values {
        ReturnValues::None => Ok(()),
        _ => Err(Error::from(Reason::BatchReturns)),
    }
}

/// A prepared write with the values of one run, as an [`Operation`](crate::Operation) of a batch or a transaction.
#[derive(Debug, Clone)]
pub struct BoundWrite {
    key: MadeKey,
    action: PreparedAction<'static>,
    condition: Option<Condition<'static>>,
    return_old_on_failure: bool,
    /// What it was made of.
    expressions: Arc<Expressions>,
}

impl BoundWrite {
    /// The write as the write path takes it.
    pub(crate) fn prepare(&self, context: &WriteContext<'_>) -> Result<Prepared<'_>> {
        self.expressions.check_table(context.keys)?;
        Ok(Prepared {
            key: self.key.key_ref().into(),
            action: self.action.lent(),
            condition: self.condition.clone(),
            return_old_on_failure: self.return_old_on_failure,
            return_values: ReturnValues::None,
        })
    }
}
