//! CreateTable: billing, keys, indexes, streams, in the order in which AWS looks at them (dynalite,
//! `validations/createTable.js`; dynoxide, `actions/create_table.rs`).

use std::collections::BTreeMap;

use super::indexes::{definitions_used, global, lists_not_empty, local, name_of, table_keys};
use super::vectors;
use super::{encryption, indexes, policy, tables, tags};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::definition;
use crate::catalog::settings::{Billing, Class, Settings};
use crate::echo::Echo;
use crate::pipeline::{Pipeline, Rules, Step};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::Structure;

/// The most units of throughput that are not out of bounds.
const MAX_UNITS: i64 = 1_000_000_000_000;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&STEPS);

const STEPS: [Step; 16] = [
    one_region,
    billing,
    warm_indexes,
    |_, input| table_keys(input),
    |_, input| lists_not_empty(input),
    |_, input| local(input),
    |_, input| global(input),
    |_, input| vectors::vector(input),
    |_, input| vectors::names_differ(input),
    |_, input| definitions_used(input),
    warm_table,
    stream,
    on_demand,
    |_, input| encryption::rules(input),
    |_, input| tags::created(input),
    |_, input| input.get("ResourcePolicy").map_or(Ok(()), |policy| policy::check(&policy.text())),
];

/// What would take a second region.
fn one_region(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let members = ["GlobalTableSourceArn", "GlobalTableSettingsReplicationMode"];
    match members.into_iter().find(|member| input.has(member)) {
        Some(member) => Err(Text::GlobalTables { member }),
        None => Ok(()),
    }
}

fn is_on_demand(input: &Structure<'_>) -> bool {
    input.get("BillingMode").is_some_and(|mode| mode.quoted().is("PAY_PER_REQUEST"))
}

/// Throughput is provisioned exactly where that is the billing mode, which it is unless another is named.
fn billing(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let throughput = input.get("ProvisionedThroughput").map(|throughput| throughput.structure());
    match (is_on_demand(input), throughput) {
        (true, Some(_)) => Err(Text::ThroughputOnDemand),
        (true, None) => Ok(()),
        (false, None) => Err(Text::ThroughputMissing),
        (false, Some(throughput)) => in_bounds(&throughput),
    }
}

/// Units that AWS has numbers for.
pub(super) fn in_bounds(throughput: &Structure<'_>) -> Result<(), Text> {
    for member in ["ReadCapacityUnits", "WriteCapacityUnits"] {
        match throughput.get(member).map(|units| units.integer()) {
            Some(value) if value > MAX_UNITS => return Err(Text::ThroughputTooHigh { value, member }),
            _ => {}
        }
    }
    Ok(())
}

/// An index is not warmed to less than it has (moto, `responses.py`, whose tests run against AWS).
fn warm_indexes(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(indexes) = input.get("GlobalSecondaryIndexes") else { return Ok(()) };
    indexes.elements().map(|index| index.structure()).try_for_each(|index| {
        let mut of = Echo::of("index ");
        of.push(&name_of(&index));
        warm(&index, of)
    })
}

fn warm_table(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    warm(input, Echo::of("table"))
}

/// The least that can be asked for is what is provisioned, or what an on-demand table has at first.
fn warm(structure: &Structure<'_>, of: Echo) -> Result<(), Text> {
    const ON_DEMAND: &str = "initial throughput for OnDemand";
    let Some(asked) = structure.get("WarmThroughput").map(|warm| warm.structure()) else { return Ok(()) };
    let provisioned = structure.get("ProvisionedThroughput").map(|throughput| throughput.structure());
    for (member, units, at_first, floor) in [
        ("ReadUnitsPerSecond", "ReadCapacityUnits", 12_000, "ReadCapacityUnits of ProvisionedThroughput"),
        ("WriteUnitsPerSecond", "WriteCapacityUnits", 4_000, "WriteCapacityUnits of ProvisionedThroughput"),
    ] {
        let (least, floor) = match provisioned.and_then(|throughput| throughput.get(units)) {
            Some(units) => (units.integer(), floor),
            None => (at_first, ON_DEMAND),
        };
        if asked.get(member).is_some_and(|units| units.integer() < least) {
            return Err(Text::WarmThroughput { member, of, floor });
        }
    }
    Ok(())
}

/// A stream that is off shows nothing (facts 81).
fn stream(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(stream) = input.get("StreamSpecification").map(|stream| stream.structure()) else { return Ok(()) };
    let is_on = stream.get("StreamEnabled").is_some_and(|enabled| enabled.boolean());
    match (is_on, stream.has("StreamViewType")) {
        (false, true) => Err(Text::StreamOffWithView),
        (true, false) => Err(Text::StreamOnWithoutView { what: "Table is being created with a stream enabled" }),
        _ => Ok(()),
    }
}

/// Limits of what is paid by request go with that billing mode (captured in eu-west-2 on 2026-07-24: dynoxide,
/// `actions/create_table.rs`).
fn on_demand(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(limits) = input.get("OnDemandThroughput").map(|limits| limits.structure()) else { return Ok(()) };
    let members = ["MaxReadRequestUnits", "MaxWriteRequestUnits"];
    let named = members.into_iter().find(|member| limits.has(member));
    if let (false, Some(member)) = (is_on_demand(input), named) {
        return Err(Text::OnDemandLimitProvisioned { member });
    }
    for member in members {
        if limits.get(member).is_some_and(|units| units.integer() < 1) {
            return Err(Text::OnDemandLimitRange { member });
        }
    }
    Ok(())
}

/// Creates the table.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (shared, input) = (call.shared(), call.input());
    let name = call.table_name()?;
    if !is_on_demand(input) {
        indexes::provisioned(input).map_err(Refusal::validation)?;
    }
    let schema = definition::schema(&name, input);
    let _no_other_change = shared.catalog.changing.lock();
    let settings = settings(call, input);
    let table = tables::create(call, schema, settings)?;
    answer.object(|answer| tables::describe(call, &table, Some("CREATING"), answer.name("TableDescription")));
    Ok(())
}

/// The rules of the parameters with which ImportTable creates a table: those of the members that they have.
pub(super) fn check_parameters(created: &Structure<'_>) -> Result<(), Text> {
    let on_demand = is_on_demand(created);
    match (on_demand, created.has("ProvisionedThroughput")) {
        (true, true) => return Err(Text::ThroughputOnDemand),
        (false, false) => return Err(Text::ThroughputMissing),
        _ => {}
    }
    table_keys(created)?;
    lists_not_empty(created)?;
    global(created)?;
    definitions_used(created)?;
    encryption::rules(created)?;
    if on_demand { Ok(()) } else { indexes::provisioned(created) }
}

/// What the table is told in addition to its schema.
pub(super) fn settings(call: &Call<'_>, input: &Structure<'_>) -> Settings {
    let now = call.shared().catalog.now_millis();
    let indexes = definition::elements(definition::known(input, "GlobalSecondaryIndexes")).map(|index| {
        let index = index.structure();
        (definition::text(&index, "IndexName"), definition::index_settings(&index))
    });
    let vectors = definition::elements(definition::known(input, "VectorIndexes"));
    Settings {
        id: tables::new_id(),
        created_millis: now,
        definitions: definition::Definitions::of(input).owned(),
        billing: Billing { on_demand: is_on_demand(input), on_demand_since: is_on_demand(input).then_some(now) },
        throughput: definition::throughput(input),
        on_demand: definition::on_demand(input),
        warm: definition::warm(input),
        class: definition::known(input, "TableClass")
            .map(|class| Class { name: class.text().into_owned(), changed: None }),
        protected: definition::known(input, "DeletionProtectionEnabled").is_some_and(|protected| protected.boolean()),
        encryption: encryption::asked(input, &call.shared().catalog.place),
        tags: tags::of_request(input).collect(),
        policy: definition::known(input, "ResourcePolicy").map(|policy| policy::created(&policy.text(), now)),
        stream_label: None,
        indexes: indexes.collect(),
        insights: BTreeMap::new(),
        recovery: None,
        restored: None,
        vectors: vectors.map(|index| definition::vector_index(&index.structure())).collect(),
    }
}
