//! UpdateTable: what it says by itself, before the table is looked at (dynalite, `validations/updateTable.js`; dynoxide,
//! `validate_update_request`; ack-api-quirks, DDB-TABLE-433 and -442, captured in October 2026), and the change.

use super::create_table::in_bounds;
use super::indexes::{Set, name_of, unique};
use super::table_change::Change;
use super::{encryption, tables};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::definition::elements;
use crate::echo::Echo;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline =
    Pipeline::of(&[something, billing, index_updates, one_region, alone, together, stream, |_, input| {
        encryption::rules(input)
    }]);

/// There is something to change. Definitions of attributes alone change nothing.
fn something(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let changes = input.shape().shape().members().iter().enumerate().any(|(at, member)| {
        let value = input.at(at);
        match member.name {
            "TableName" | "AttributeDefinitions" | "MultiRegionConsistency" => false,
            "GlobalSecondaryIndexUpdates" => value.is_some_and(|updates| updates.count() > 0),
            _ => value.is_some(),
        }
    });
    if changes { Ok(()) } else { Err(Text::UpdateTableEmpty) }
}

fn billing(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let mode = |name: &str| input.get("BillingMode").is_some_and(|mode| mode.quoted().is(name));
    let throughput = input.get("ProvisionedThroughput").map(|throughput| throughput.structure());
    match throughput {
        Some(_) if mode("PAY_PER_REQUEST") => Err(Text::ThroughputOnDemand),
        Some(throughput) => in_bounds(&throughput),
        None if mode("PROVISIONED") => Err(Text::ThroughputMissingInUpdate),
        None => Ok(()),
    }
}

/// Each update does one thing, and to an index that no other one touches.
fn index_updates(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let mut seen = Set::new();
    for update in elements(input.get("GlobalSecondaryIndexUpdates")) {
        let update = update.structure();
        let mut actions = ["Update", "Create", "Delete"].into_iter().filter_map(|action| update.get(action));
        let Some(action) = actions.next() else { return Err(Text::IndexUpdateEmpty) };
        if actions.next().is_some() {
            return Err(Text::SeveralIndexActions);
        }
        let name = name_of(&action.structure());
        unique(&mut seen, name.clone()).map_err(|_| Text::IndexUpdatedTwice { index: Echo::of(&name) })?;
    }
    Ok(())
}

/// What would take a second region.
fn one_region(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let members = [
        "ReplicaUpdates",
        "MultiRegionConsistency",
        "GlobalTableWitnessUpdates",
        "GlobalTableSettingsReplicationMode",
        "DisassociationProtectionEnabled",
    ];
    match members.into_iter().find(|member| input.has(member)) {
        Some(member) => Err(Text::GlobalTables { member }),
        None => Ok(()),
    }
}

/// What changes nothing else in the same request.
fn alone(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let others = |allowed: &[&str]| {
        let members = input.shape().shape().members().iter().enumerate();
        members.filter(|(at, _)| input.at(*at).is_some()).any(|(_, member)| {
            !["TableName", "AttributeDefinitions"].contains(&member.name) && !allowed.contains(&member.name)
        })
    };
    for (member, what) in [
        ("SSESpecification", "Server-Side Encryption"),
        ("TableClass", "TableClass"),
        ("DeletionProtectionEnabled", "DeletionProtection"),
    ] {
        if input.has(member) && others(&[member]) {
            return Err(Text::OnlyOperation { what });
        }
    }
    if input.has("WarmThroughput") {
        if indexes_change(input) {
            return Err(Text::WarmWithIndex);
        }
        if others(&["WarmThroughput", "GlobalSecondaryIndexUpdates"]) {
            return Err(Text::WarmOnly);
        }
    }
    if input.has("OnDemandThroughput") && others(&["OnDemandThroughput", "BillingMode"]) {
        return Err(Text::OnDemandWithOthers);
    }
    Ok(())
}

/// What does not go together.
fn together(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let throughput = input.has("ProvisionedThroughput");
    match (input.has("StreamSpecification"), throughput, indexes_change(input)) {
        (true, true, _) => Err(Text::StreamWithThroughput),
        (_, true, true) => Err(Text::IndexWithThroughput),
        (true, _, true) => Err(Text::IndexWithStream),
        _ => Ok(()),
    }
}

/// Whether indexes are made or dropped.
fn indexes_change(input: &Structure<'_>) -> bool {
    let online = |update: crate::view::Value<'_>| {
        let update = update.structure();
        update.has("Create") || update.has("Delete")
    };
    elements(input.get("GlobalSecondaryIndexUpdates")).any(online)
}

/// A stream that is on shows something, one that is off nothing.
fn stream(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(stream) = input.get("StreamSpecification").map(|stream| stream.structure()) else { return Ok(()) };
    let is_on = stream.get("StreamEnabled").is_some_and(|enabled| enabled.boolean());
    match (is_on, stream.has("StreamViewType")) {
        (true, false) => Err(Text::StreamEnabledWithoutView),
        (false, true) => Err(Text::StreamDisabledWithView),
        _ => Ok(()),
    }
}

/// Changes the table.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let _no_other_change = shared.catalog.changing.lock();
    let table = shared.catalog.described(&call.text("TableName"))?;
    let answered = Change::of(call, &table)?.make()?;
    answer.object(|answer| tables::describe(call, &answered, None, answer.name("TableDescription")));
    Ok(())
}
