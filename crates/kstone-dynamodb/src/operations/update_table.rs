//! UpdateTable: what it says by itself, before the table is looked at (dynalite, `validations/updateTable.js`; dynoxide,
//! `validate_update_request`).

use super::create_table::in_bounds;
use super::indexes::{Set, name_of, unique};
use crate::echo::Echo;
use crate::pipeline::{Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[something, billing, index_updates]);

/// There is something to change. Definitions of attributes alone change nothing.
fn something(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let changes = input.shape().shape().members().iter().enumerate().any(|(at, member)| {
        let value = input.at(at);
        match member.name {
            "TableName" | "AttributeDefinitions" => false,
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

/// Each update does something, and to an index that no other one touches.
fn index_updates(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(updates) = input.get("GlobalSecondaryIndexUpdates") else { return Ok(()) };
    let mut seen = Set::new();
    for update in updates.elements() {
        let update = update.structure();
        let action = ["Update", "Create", "Delete"].into_iter().find_map(|action| update.get(action));
        let Some(action) = action else { return Err(Text::IndexUpdateEmpty) };
        let name = name_of(&action.structure());
        unique(&mut seen, name.clone()).map_err(|_| Text::IndexUpdatedTwice { index: Echo::of(&name) })?;
    }
    Ok(())
}
