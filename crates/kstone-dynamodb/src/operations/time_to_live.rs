//! UpdateTimeToLive and DescribeTimeToLive (ack-api-quirks, DDB-TABLE-442, captured in October 2026).
//!
//! AWS refuses a second change within half an hour; here changes may follow each other at once.

use super::tables;
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::definition::text;
use crate::catalog::phase::Phase;
use crate::refusal::Refusal;
use crate::texts::Text;

/// Switches it on or off.
pub(super) fn update(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let asked = call.input().get("TimeToLiveSpecification").expect("a required member").structure();
    let is_on = asked.get("Enabled").is_some_and(|enabled| enabled.boolean());
    let attribute = text(&asked, "AttributeName");
    let _no_other_change = shared.catalog.changing.lock();
    let table = shared.catalog.described(&call.text("TableName"))?;
    super::table_change::refuse_phase(call, &table, true)?;
    let schema = table.table.schema();
    let schema = match (schema.ttl_attribute(), is_on) {
        (Some(present), true) if present == attribute => return Err(Refusal::validation(Text::TtlEnabledAlready)),
        (Some(present), _) if present != attribute => {
            return Err(Refusal::validation(Text::TtlOtherAttribute { attribute: present.to_owned() }));
        }
        (None, false) => return Err(Refusal::validation(Text::TtlDisabledAlready)),
        (Some(_), _) => schema.without_ttl(),
        (None, true) if shared.options.ttl_hidden => schema.with_ttl(&attribute),
        (None, true) => schema.with_ttl(&attribute).with_ttl_visible(),
    };
    table.table.configure(schema).map_err(|error| call.below(&error))?;
    answer.object(|answer| {
        answer.name("TimeToLiveSpecification").object(|answer| {
            answer.name("Enabled").boolean(is_on);
            answer.name("AttributeName").text(&attribute);
        });
    });
    Ok(())
}

/// Says by which attribute items expire.
pub(super) fn describe(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let table = call.shared().catalog.described(&call.text("TableName"))?;
    let phase = match table.phase.at(call.now()) {
        Phase::Creating(_) => Some("CREATING"),
        Phase::Deleting(_) => Some("DELETING"),
        Phase::Settled | Phase::Updating(_) => None,
    };
    if let Some(phase) = phase {
        return Err(Refusal::validation(Text::TtlInPhase { phase }));
    }
    let schema = table.table.schema();
    answer.object(|answer| tables::time_to_live(answer.name("TimeToLiveDescription"), schema.ttl_attribute()));
    Ok(())
}
