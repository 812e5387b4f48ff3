//! TransactWriteItems: each item is one action, which has the rules of that write. The order between them and a table's
//! is not captured. Names and values may come
//! without an expression here (ExtendDB#169, captured on AWS).
//!
//! ```text
//! expressions of all actions ─► their tables ─► keys ─► token ─► all or nothing ─► what it cost
//!     Validation              ResourceNotFound   │        └ IdempotentParameterMismatch, or done before
//!                                                └ empty: Validation; of another type: TransactionCanceled
//! ```

use std::sync::Arc;

use kstone_api::{Key, ParsedWrite, Record, Table};

use super::many::{self, ConsumedByTable, Reason};
use super::{item_collections, steps};
use crate::answer::Answer;
use crate::attributes::{self, RequestKey};
use crate::bound::{self, Bound};
use crate::call::Call;
use crate::canonical;
use crate::capacity::{Consumed, Detail, InTransaction, Units};
use crate::catalog::CatalogTable;
use crate::expressions::{Parameters, expressions};
use crate::idempotency::Turn;
use crate::pipeline::{self, Pipeline, Rules};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::{Structure, Value};

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[one_action, actions]);

const CONDITION: Parameters =
    Parameters { expressions: &["ConditionExpression"], legacy: &[], parsed: &["ConditionExpression"] };

const PUT: Pipeline = Pipeline { parameters: CONDITION, steps: &[steps::item, steps::item_size, expressions] };

const DELETE: Pipeline = Pipeline { parameters: CONDITION, steps: &[expressions, key] };

const UPDATE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["UpdateExpression", "ConditionExpression"],
        legacy: &[],
        parsed: &["UpdateExpression", "ConditionExpression"],
    },
    steps: &[expressions, key],
};

/// Each value of the key is one, which is looked at behind the expressions.
fn key(rules: &Rules<'_>, action: &Structure<'_>) -> Result<(), Text> {
    steps::key(rules, action).or_else(|text| bound::readable(action, rules.parameters()).and(Err(text)))
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Check,
    Put,
    Delete,
    Update,
}

/// An action's name, what it does, and its rules.
const ACTIONS: [(&str, Kind, &Pipeline); 4] = [
    ("ConditionCheck", Kind::Check, &DELETE),
    ("Put", Kind::Put, &PUT),
    ("Delete", Kind::Delete, &DELETE),
    ("Update", Kind::Update, &UPDATE),
];

/// moto, `exceptions.py`, whose tests run against AWS; that there is none of them says another text.
fn one_action(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(items) = input.get("TransactItems") else { return Ok(()) };
    for item in items.elements() {
        let item = item.structure();
        match ACTIONS.iter().filter(|(name, ..)| item.has(name)).count() {
            0 => return Err(Text::NoTransactAction),
            1 => {}
            _ => return Err(Text::OneTransactAction),
        }
    }
    Ok(())
}

fn actions(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(items) = input.get("TransactItems") else { return Ok(()) };
    for (at, item) in items.elements().enumerate() {
        let (_, pipeline, action) = action_of(&item);
        if let Err(text) = pipeline::part(pipeline, rules, &action) {
            // One action is read after another, its expressions with it (parity, `validation-ordering/deepRequests`). Those
            // that nothing is wrong with are read later, once.
            let before = items.elements().take(at).map(|item| action_of(&item));
            for (_, pipeline, action) in before {
                bound::readable(&action, &pipeline.parameters)?;
            }
            return Err(text);
        }
    }
    Ok(())
}

/// The one action of an item.
fn action_of<'a>(item: &Value<'a>) -> (Kind, &'static Pipeline, Structure<'a>) {
    let item = item.structure();
    let named = ACTIONS.iter().find_map(|(name, kind, pipeline)| Some((*kind, *pipeline, item.get(name)?)));
    let (kind, pipeline, members) = named.expect("a step before has seen that there is one");
    (kind, pipeline, members.structure())
}

/// An action of the request, its expressions read, and its table.
struct Action<'a> {
    kind: Kind,
    members: Structure<'a>,
    bound: Bound,
    table: Arc<CatalogTable>,
}

/// What is done with a key.
enum Target<'a> {
    Key(RequestKey<'a>),
    /// An item, by its key and the body of its other attributes.
    Item(RequestKey<'a>, Vec<u8>),
}

impl Target<'_> {
    fn key(&self) -> &RequestKey<'_> {
        match self {
            Self::Key(key) | Self::Item(key, _) => key,
        }
    }
}

/// Does all actions, or none; what was done under the same token is not done again.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (input, shared) = (call.input(), call.shared());
    let actions = actions_of(call)?;
    let targets = targets_of(call, &actions)?;
    let now = || shared.tables.now_epoch_seconds();
    let Some(token) = input.get("ClientRequestToken").map(|token| token.text()) else {
        return transact(call, &actions, targets, answer);
    };
    let request = input.get("TransactItems").map_or(0, |list| canonical::number_of(list.json()));
    match shared.idempotency.transact_write_items.take_turn(&token, request, now())? {
        Turn::First(running) => {
            transact(call, &actions, targets, answer)?;
            running.done(request, now());
            Ok(())
        }
        Turn::Again => done_before(call, &actions, &targets, answer),
    }
}

/// The actions with their expressions, which are read before any table is looked for.
fn actions_of<'a>(call: &Call<'a>) -> Result<Vec<Action<'a>>, Refusal> {
    let list = call.input().get("TransactItems").expect("a required member");
    let mut read = Vec::new();
    for item in list.elements() {
        let (kind, pipeline, members) = action_of(&item);
        let bound = bound::of(call, &members, &pipeline.parameters)?;
        read.push((kind, members, bound));
    }
    let with_table = |(kind, members, bound): (Kind, Structure<'a>, Bound)| {
        let name = members.get("TableName").expect("a required member");
        Ok(Action { kind, members, bound, table: call.shared().catalog.table(&name.text())? })
    };
    read.into_iter().map(with_table).collect()
}

/// The keys and items of the actions.
///
/// # Errors
/// A ValidationException for a key that is empty and for the key of a table in an update expression;
/// TransactionCanceledException for any other key that is none of its table.
fn targets_of<'a>(call: &Call<'a>, actions: &[Action<'a>]) -> Result<Vec<Target<'a>>, Refusal> {
    let mut targets = Vec::with_capacity(actions.len());
    let mut reasons: Vec<Option<Reason>> = Vec::new();
    for (at, action) in actions.iter().enumerate() {
        let layout = &action.table.layout;
        if let Some(update) = &action.bound.update {
            update.refuse_key(layout).map_err(|refusal| call.below(&refusal.into()))?;
        }
        match action.target(call) {
            Ok(target) => targets.push(target),
            Err(refusal) => {
                reasons.resize_with(actions.len(), || None);
                reasons[at] = Some(many::reason_of_key(refusal)?);
            }
        }
    }
    if reasons.is_empty() { Ok(targets) } else { Err(many::cancelled(&reasons)) }
}

impl<'a> Action<'a> {
    fn target(&self, call: &Call<'a>) -> Result<Target<'a>, Refusal> {
        let layout = &self.table.layout;
        if self.kind != Kind::Put {
            let key = self.members.get("Key").expect("a required member");
            return attributes::key(call, key, layout).map(Target::Key);
        }
        let mut body = Vec::new();
        let item = self.members.get("Item").expect("a required member");
        let key = attributes::item(call, item, layout, &mut body)?;
        Ok(Target::Item(key, body))
    }

    /// The action as the tables take it.
    fn write<'t>(&self, target: &'t Target<'_>) -> ParsedWrite<'t> {
        let key = target.key();
        let (pk, sk) = (&*key.pk, &*key.sk);
        let condition = self.bound.condition.clone();
        let write = match (target, &self.bound.update, self.kind, &condition) {
            (Target::Item(_, body), ..) => ParsedWrite::put(pk, sk, &body[..]),
            (_, Some(update), ..) => ParsedWrite::update(pk, sk, update.clone()),
            (_, _, Kind::Check, Some(condition)) => ParsedWrite::check(pk, sk, condition.clone()),
            _ => ParsedWrite::delete(pk, sk),
        };
        let write = condition.into_iter().fold(write, ParsedWrite::condition);
        let returned = self.members.get("ReturnValuesOnConditionCheckFailure");
        if returned.is_some_and(|values| values.quoted().is("ALL_OLD")) { write.return_old_on_failure() } else { write }
    }
}

fn transact(
    call: &Call<'_>,
    actions: &[Action<'_>],
    targets: Vec<Target<'_>>,
    answer: &mut Answer,
) -> Result<(), Refusal> {
    let writes: Vec<(&Table, ParsedWrite<'_>)> =
        actions.iter().zip(&targets).map(|(action, target)| (&action.table.table, action.write(target))).collect();
    let detail = Detail::of(call.input());
    let tables = &call.shared().tables;
    let outcomes = if detail.is_asked() {
        tables.transact_parsed_with_outcomes(&writes)
    } else {
        tables.transact_parsed(&writes).map(|()| Vec::new())
    };
    let is_update = |at: usize| actions[at].kind == Kind::Update;
    let outcomes = outcomes.map_err(|failed| many::refused(call, failed, is_update))?;
    let mut consumed = ConsumedByTable::new(detail, Consumed::in_transaction(InTransaction::Writes));
    for (action, outcome) in actions.iter().zip(&outcomes) {
        if let Some(consumed) = consumed.of(&action.table) {
            consumed.add_write(outcome, &action.table);
        }
    }
    respond(call, actions, &targets, &consumed, answer);
    Ok(())
}

/// Answers a request whose work was done before: what is charged is reading its items (facts 67).
fn done_before(
    call: &Call<'_>,
    actions: &[Action<'_>],
    targets: &[Target<'_>],
    answer: &mut Answer,
) -> Result<(), Refusal> {
    let detail = Detail::of(call.input());
    let mut consumed = ConsumedByTable::new(detail, Consumed::in_transaction(InTransaction::Reads));
    if detail.is_asked() {
        let keys: Vec<(&Table, Key)> = actions
            .iter()
            .zip(targets)
            .map(|(action, target)| (&action.table.table, many::owned(target.key())))
            .collect();
        let found = call.shared().tables.batch_get(&keys);
        let found = found.map_err(|error| many::refused_as_a_whole(call, &error))?;
        for (action, item) in actions.iter().zip(&found) {
            let bytes = item.as_ref().map_or(0, Record::item_size);
            if let Some(consumed) = consumed.of(&action.table) {
                consumed.add_table(Units::of_read(bytes, true));
            }
        }
    }
    respond(call, actions, targets, &consumed, answer);
    Ok(())
}

fn respond(
    call: &Call<'_>,
    actions: &[Action<'_>],
    targets: &[Target<'_>],
    consumed: &ConsumedByTable,
    answer: &mut Answer,
) {
    answer.object(|answer| {
        consumed.write(answer);
        let written = actions.iter().zip(targets).filter(|(action, _)| action.kind != Kind::Check);
        let written = written.map(|(action, target)| (&action.table, target.key()));
        item_collections::write(answer, call.input(), written);
    });
}
