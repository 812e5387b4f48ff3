//! What ExecuteStatement, BatchExecuteStatement and ExecuteTransaction have in common: a statement read, its table found,
//! and what DynamoDB's dialect refuses before it looks at an item.
//!
//! ```text
//! text ─► well formed? ─► parameters ─► table ─► an index of several attributes? ─► of DynamoDB's dialect? ─► index, ORDER BY
//! ```
//! The order is that of captures (parity, `error-messages/partiqlMultiAttributeIndex` and `partiqlIndexQualifier`).

use std::sync::Arc;

use kstone_api::index::IndexKind;
use kstone_api::statement::{Ask, Select, Verb, Where};
use kstone_api::{PreparedStatement, ReadSizes, Statement, StatementOutcome, TableSchema};

use crate::attributes::StoredValue;
use crate::call::Call;
use crate::capacity::{Consumed, Units};
use crate::catalog::CatalogTable;
use crate::echo::Echo;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::{Layer, Refusal, RefusalKind};
use crate::texts::Text;
use crate::value;
use crate::view::Structure;

pub(super) const ONE: Pipeline = Pipeline::of(&[parameters]);
pub(super) const TRANSACTION: Pipeline = Pipeline::of(&[in_transaction]);

fn parameters(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    check_parameters(input)
}

fn in_transaction(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(statements) = input.get("TransactStatements") else { return Ok(()) };
    statements.elements().try_for_each(|statement| check_parameters(&statement.structure()))
}

/// Each parameter is a value.
fn check_parameters(input: &Structure<'_>) -> Result<(), Text> {
    let Some(parameters) = input.get("Parameters") else { return Ok(()) };
    parameters.elements().try_for_each(|of_value| value::check(of_value, Layer::Older))
}

/// A statement of a request, and the table that it is about.
pub(super) struct Read {
    pub(super) prepared: PreparedStatement,
    pub(super) statement: Statement,
    pub(super) table: Arc<CatalogTable>,
    /// The index that it names, and of which kind that is.
    pub(super) index: Option<(Box<str>, IndexKind)>,
    pub(super) is_consistent: bool,
}

impl Read {
    /// The bytes of the key of the one item that it is about.
    pub(super) fn key(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let key = self.table.table.key_named_by(&self.statement)?;
        Some((key.pk.to_vec(), key.sk.map(|sk| sk.to_vec()).unwrap_or_default()))
    }

    /// Whether it is a SELECT.
    pub(super) fn is_select(&self) -> bool {
        matches!(self.prepared.says().verb, Verb::Select(_))
    }

    /// Adds what it is charged.
    pub(super) fn consume(&self, consumed: &mut Consumed, outcome: &StatementOutcome) {
        if let Some(write) = &outcome.write {
            return consumed.add_write(write, &self.table);
        }
        let ReadSizes { examined, fetched_units, .. } = outcome.sizes;
        let units = Units::of_read(examined, self.is_consistent);
        match &self.index {
            None => consumed.add_table(units),
            Some((name, kind)) => {
                consumed.add_index(name, *kind, units);
                if fetched_units > 0 {
                    consumed.add_table(Units::of_read_blocks(fetched_units, self.is_consistent));
                }
            }
        }
    }
}

/// Reads the statement of a request, or of a member of its list, whose parameters are checked here where `checks` says so.
///
/// # Errors
/// A ValidationException for what DynamoDB refuses without looking at an item; ResourceNotFoundException.
pub(super) fn read(call: &Call<'_>, input: &Structure<'_>, checks: bool) -> Result<Read, Refusal> {
    let text = input.get("Statement").expect("a required member").text();
    let prepared = call.shared().tables.read_statement(&text).map_err(|error| call.below(&error))?;
    if checks {
        check_parameters(input).map_err(Refusal::validation)?;
    }
    let statement = bound(call, &prepared, input)?;
    let says = prepared.says();
    let has_consistency = input.shape().shape().has_member("ConsistentRead");
    let is_consistent = has_consistency && input.get("ConsistentRead").is_some_and(|value| value.boolean());
    let found = call.shared().catalog.table(&says.target().table);
    let index = match (&found, &says.target().index) {
        (Ok(table), Some(name)) => Some(index_of(table, name)?),
        _ => None,
    };
    if let Some(beyond) = &says.beyond {
        return Err(call.below(&beyond.clone().into()));
    }
    let table = found.map_err(|missing| unfit_operand(call, &prepared, input).unwrap_or(missing))?;
    let index = index.transpose()?;
    if is_consistent && matches!(index, Some((_, IndexKind::Global))) {
        return Err(Refusal::validation(Text::ConsistentStatement));
    }
    if let Verb::Select(select) = &says.verb {
        order(select, &table, index.as_ref().map(|(name, _)| &**name)).map_err(Refusal::validation)?;
    }
    says.check_key(&text, &table.layout).map_err(|refusal| call.below(&refusal.into()))?;
    if let Verb::Exists(select) = &says.verb {
        check_exists(select, &table)?;
    }
    Ok(Read { prepared, statement, table, index, is_consistent })
}

/// What is wrong with the values of a condition, which is said before that there is no table (parity,
/// `validation-ordering/partiql`).
#[cold]
fn unfit_operand(call: &Call<'_>, prepared: &PreparedStatement, input: &Structure<'_>) -> Option<Refusal> {
    let values = given(input).ok()?;
    let lent: Vec<_> = values.iter().map(StoredValue::get).collect();
    prepared.check_operands(&lent).err().map(|error| call.below(&error))
}

/// The parameters.
fn given(input: &Structure<'_>) -> Result<Vec<StoredValue>, Refusal> {
    let given = input.get("Parameters").into_iter().flat_map(|parameters| parameters.elements());
    given.map(StoredValue::of).collect::<Result<_, _>>().map_err(Refusal::validation)
}

/// The statement with its parameters.
fn bound(call: &Call<'_>, prepared: &PreparedStatement, input: &Structure<'_>) -> Result<Statement, Refusal> {
    let values = given(input)?;
    if values.len() != prepared.parameters().len() {
        return Err(Refusal::validation(Text::StatementParameterCount));
    }
    let lent: Vec<_> = values.iter().map(StoredValue::get).collect();
    let statement = prepared.bound(&lent).map_err(|error| call.below(&error))?;
    let returned = input.get("ReturnValuesOnConditionCheckFailure");
    let returns = returned.is_some_and(|returned| returned.quoted().is("ALL_OLD"));
    Ok(if returns { statement.return_old_on_failure() } else { statement })
}

/// An index by its name, and its kind. The outer error is said before all else, the inner one after the dialect's rules.
type Named = Result<Result<(Box<str>, IndexKind), Refusal>, Refusal>;

/// The index of a table that a statement names.
fn index_of(table: &CatalogTable, name: &str) -> Named {
    let schema: TableSchema = table.table.schema();
    if let Some(index) = schema.global_indexes().iter().find(|index| index.index_name() == name) {
        if index.partition_parts().len() > 1 || index.sort_parts().len() > 1 {
            return Err(Refusal::validation(Text::SeveralKeyAttributes));
        }
        return Ok(Ok((name.into(), IndexKind::Global)));
    }
    if schema.local_indexes().iter().any(|index| index.index_name() == name) {
        return Ok(Ok((name.into(), IndexKind::Local)));
    }
    let is_of_vectors = table.settings.vectors.iter().any(|index| index.name == name);
    let text = if is_of_vectors { Text::VectorIndexScanned } else { Text::StatementIndexMissing };
    Ok(Err(Refusal::validation(text)))
}

/// What is ordered lies in order: it is read by a partition key, and ordered by attributes of the key. The sentences are
/// those of DynamoDB's local edition.
fn order(select: &Select, table: &CatalogTable, index: Option<&str>) -> Result<(), Text> {
    let Some(first) = select.order_by.first() else { return Ok(()) };
    let Some(condition) = &select.condition else { return Err(Text::OrderWithoutWhere) };
    let keys = key_names(table, index);
    if !asks_for(condition, &keys[0]) {
        return Err(Text::OrderWithoutPartition);
    }
    let is_key = |attribute: Option<&str>| attribute.is_some_and(|attribute| keys.iter().any(|key| key == attribute));
    match select.order_by.iter().find(|key| !is_key(key.attribute())) {
        None => Ok(()),
        Some(key) => {
            let shown = key.attribute().or(first.attribute()).unwrap_or_default();
            Err(Text::OrderByOther { attribute: Echo::of(shown) })
        }
    }
}

/// The key attributes of a table, or of one of its indexes; the partition's is the first.
fn key_names(table: &CatalogTable, index: Option<&str>) -> Vec<String> {
    let of_table = || table.layout.parts().map(|part| part.name().to_owned()).collect::<Vec<_>>();
    let Some(name) = index else { return of_table() };
    let schema = table.table.schema();
    if let Some(index) = schema.local_indexes().iter().find(|index| index.index_name() == name) {
        return vec![table.layout.partition().name().to_owned(), index.sort_attribute().to_owned()];
    }
    let global = schema.global_indexes().iter().find(|index| index.index_name() == name);
    let parts = global.into_iter().flat_map(|index| index.partition_parts().iter().chain(index.sort_parts()));
    let names: Vec<String> = parts.map(|part| part.name().to_owned()).collect();
    if names.is_empty() { of_table() } else { names }
}

/// Whether one of the conditions that must all hold gives this attribute its values.
fn asks_for(condition: &Where, attribute: &str) -> bool {
    condition
        .tests(attribute)
        .any(|(at, test)| condition.conjuncts[at].asks.exact && matches!(test.ask, Ask::Eq(_) | Ask::In(_)))
}

/// EXISTS asks something of an item in addition to its key (parity, `error-messages/partiqlFunctions`).
fn check_exists(select: &Select, table: &CatalogTable) -> Result<(), Refusal> {
    let asks_more = select.condition.as_ref().is_some_and(|condition| {
        condition.whole_key(&table.layout).is_some() && condition.conjuncts.len() > table.layout.parts().count()
    });
    if asks_more { Ok(()) } else { Err(Refusal::validation(Text::ExistsWithoutCondition)) }
}

/// Refuses a SELECT of a batch or a transaction that names more than a key (parity, `error-messages/partiqlFunctions`: with
/// attribute_exists behind it).
pub(super) fn check_key_alone(read: &Read, api: &'static str) -> Result<(), Refusal> {
    let Verb::Select(select) = &read.prepared.says().verb else { return Ok(()) };
    let Some(condition) = &select.condition else { return Ok(()) };
    let keys = key_names(&read.table, None);
    let is_of_key =
        |at: usize| condition.conjuncts[at].asks.exact && keys.iter().any(|key| asks_at(condition, at, key));
    let has_function =
        (0..condition.conjuncts.len()).any(|at| !is_of_key(at) && condition.conjuncts[at].text.contains('('));
    if has_function { Err(Refusal::validation(Text::SelectByMoreThanKey { api })) } else { Ok(()) }
}

fn asks_at(condition: &Where, at: usize, attribute: &str) -> bool {
    condition.tests(attribute).any(|(place, test)| place == at && matches!(test.ask, Ask::Eq(_)))
}

/// What a refusal is called in the list of a batch.
pub(super) fn code_of(refusal: &Refusal) -> &'static str {
    match refusal.kind {
        RefusalKind::Validation => "ValidationError",
        RefusalKind::InternalServerError => "InternalServerError",
        kind => kind.name().strip_suffix("Exception").unwrap_or(kind.name()),
    }
}
