//! What UpdateTable demands of the table that it changes, and the change.
//!
//! Everything is checked before anything is changed. The answer describes the table as AWS's does: units of throughput as
//! they were, the table UPDATING.

use std::sync::Arc;

use kstone_api::TableSchema;

use super::encryption;
use super::index_change::IndexChanges;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::definition;
use crate::catalog::index_phase::IndexPhase;
use crate::catalog::phase::Phase;
use crate::catalog::settings::{Class, OnDemand, Settings, Throughput, Warm};
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;
use crate::view::Structure;

/// A change that the table takes.
pub(super) struct Change<'c, 'a> {
    call: &'c Call<'a>,
    table: &'c Arc<CatalogTable>,
    /// What it will be told.
    settings: Settings,
    /// What the answer says of the same.
    answered: Settings,
    schema: TableSchema,
    indexes: IndexChanges,
    /// Whether the table is UPDATING for a while.
    updates: bool,
}

impl<'c, 'a> Change<'c, 'a> {
    /// The change that the request asks for.
    ///
    /// # Errors
    /// What AWS would refuse of it.
    pub(super) fn of(call: &'c Call<'a>, table: &'c Arc<CatalogTable>) -> Result<Self, Refusal> {
        let input = call.input();
        let protects_alone = input.has("DeletionProtectionEnabled");
        refuse_phase(call, table, protects_alone)?;
        let (settings, schema) = (table.settings.clone(), table.table.schema());
        let answered = settings.clone();
        let indexes = IndexChanges::default();
        let mut change = Self { call, table, settings, answered, schema, indexes, updates: false };
        change.billing(input)?;
        change.on_demand(input)?;
        change.throughput(input)?;
        change.warm(input)?;
        change.stream(input)?;
        change.rest(input)?;
        let (now, seconds) = (call.now(), call.shared().options.transition_seconds);
        let (settings, answered) = (&mut change.settings, &mut change.answered);
        change.indexes = IndexChanges::check((input, table), &mut change.schema, (settings, answered), (now, seconds))?;
        Ok(change)
    }

    fn is_on_demand_after(&self) -> bool {
        self.settings.billing.on_demand
    }

    fn billing(&mut self, input: &Structure<'_>) -> Result<(), Refusal> {
        let Some(mode) = input.get("BillingMode") else {
            if self.settings.billing.on_demand && input.has("ProvisionedThroughput") {
                return Err(Refusal::validation(Text::ThroughputOnDemand));
            }
            return Ok(());
        };
        let on_demand = mode.quoted().is("PAY_PER_REQUEST");
        if !on_demand && !self.settings.vectors.is_empty() {
            return Err(Refusal::validation(Text::VectorTableProvisioned));
        }
        self.updates = true;
        if on_demand == self.settings.billing.on_demand {
            return Ok(());
        }
        self.settings.billing.on_demand = on_demand;
        // Limits and units are of the other way to pay.
        self.settings.on_demand = None;
        self.settings.indexes.values_mut().for_each(|index| index.on_demand = None);
        if on_demand {
            self.settings.billing.on_demand_since = Some(self.call.shared().catalog.now_millis());
            self.settings.throughput = Throughput::default();
            self.settings.indexes.values_mut().for_each(|index| index.throughput = Throughput::default());
        }
        self.answered = self.settings.clone();
        Ok(())
    }

    /// Limits are merged with those there are; −1 removes one (captured in eu-west-2 on 2026-07-24: dynoxide,
    /// `actions/update_table.rs`).
    fn on_demand(&mut self, input: &Structure<'_>) -> Result<(), Refusal> {
        let Some(asked) = definition::on_demand(input) else { return Ok(()) };
        let members = [("MaxReadRequestUnits", asked.read), ("MaxWriteRequestUnits", asked.write)];
        if let (false, Some((member, _))) =
            (self.is_on_demand_after(), members.into_iter().find(|(_, units)| units.is_some()))
        {
            return Err(Refusal::validation(Text::OnDemandLimitOfProvisioned { member }));
        }
        check_limits(&members, "table")?;
        let (merged, kept) = merge_limits(self.settings.on_demand, asked);
        self.answered.on_demand = Some(merged);
        self.settings.on_demand = kept;
        Ok(())
    }

    fn throughput(&mut self, input: &Structure<'_>) -> Result<(), Refusal> {
        if !input.has("ProvisionedThroughput") {
            return Ok(());
        }
        let (asked, present) = (definition::throughput(input), &self.table.settings.throughput);
        let switches = self.table.settings.billing.on_demand && !self.is_on_demand_after();
        if !switches && (asked.read, asked.write) == (present.read, present.write) {
            let (of, read, write) = ("table".to_owned(), asked.read, asked.write);
            return Err(Refusal::validation(Text::ThroughputUnchanged { of, read, write }));
        }
        self.updates = true;
        let now = self.call.shared().catalog.now_millis();
        if switches {
            self.settings.throughput = asked.clone();
            self.answered.throughput = asked;
            return Ok(());
        }
        let changed = changed_throughput(present, &asked, now);
        self.answered.throughput = Throughput { read: present.read, write: present.write, ..changed.clone() };
        self.settings.throughput = changed;
        Ok(())
    }

    fn warm(&mut self, input: &Structure<'_>) -> Result<(), Refusal> {
        let Some(asked) = definition::warm(input) else { return Ok(()) };
        let warmed = warmed(self.settings.warm, asked, &self.settings.throughput, "table")?;
        self.updates = true;
        self.settings.warm = Some(warmed);
        self.answered.warm = Some(warmed);
        Ok(())
    }

    fn stream(&mut self, input: &Structure<'_>) -> Result<(), Refusal> {
        if !input.has("StreamSpecification") {
            return Ok(());
        }
        let table = self.table.name.clone();
        match (definition::stream(input), self.schema.stream()) {
            (Some(_), Some(_)) => return Err(Refusal::validation(Text::StreamEnabledAlready { table })),
            (None, None) => return Err(Refusal::validation(Text::StreamMissing { table })),
            (Some(stream), None) => self.schema = self.schema.clone().with_stream(stream),
            (None, Some(_)) => self.schema = self.schema.clone().without_stream(),
        }
        self.updates = true;
        Ok(())
    }

    fn rest(&mut self, input: &Structure<'_>) -> Result<(), Refusal> {
        if let Some(class) = input.get("TableClass") {
            let name = class.text().into_owned();
            let present = self.settings.class.as_ref().map_or("STANDARD", |class| &class.name);
            self.updates = true;
            if present != name {
                let changed = Some(self.call.shared().catalog.now_millis());
                self.settings.class = Some(Class { name, changed });
            }
        }
        if let Some(protected) = input.get("DeletionProtectionEnabled") {
            self.settings.protected = protected.boolean();
            self.answered.protected = self.settings.protected;
        }
        if input.has("SSESpecification") {
            let asked = encryption::asked(input, &self.call.shared().catalog.place);
            match (&asked, &self.settings.encryption) {
                (None, None) => return Err(Refusal::validation(Text::EncryptedByDefault)),
                (Some(asked), Some(present)) if asked == present && names_key(input) => {
                    return Err(Refusal::validation(Text::EncryptedWithKey));
                }
                _ => {}
            }
            self.answered.encryption = asked.clone();
            self.settings.encryption = asked;
        }
        Ok(())
    }

    /// Makes the change: the table as the answer describes it.
    ///
    /// # Errors
    /// What the table below refuses. Nothing is changed then.
    pub(super) fn make(self) -> Result<CatalogTable, Refusal> {
        let Self { call, table, mut settings, mut answered, schema, indexes, updates } = self;
        let shared = call.shared();
        let before = table.table.change_stream();
        if schema != table.table.schema() {
            table.table.configure(schema).map_err(|error| call.below(&error))?;
        }
        let now_millis = shared.catalog.now_millis();
        match (before, table.table.change_stream()) {
            (None, Some(_)) => {
                let label = shared.streams.opened(&table.table, &table.name, &table.layout, now_millis);
                settings.stream_label = Some(label.clone());
                answered.stream_label = Some(label);
            }
            (Some(records), None) => shared.streams.ended(&table.name, records, now_millis),
            _ => {}
        }
        let (now, seconds) = (call.now(), shared.options.transition_seconds);
        let until = |seconds: i64| now.saturating_add(seconds);
        let phase = match table.phase.at(now) {
            Phase::Settled if seconds > 0 => {
                let for_indexes = indexes.phases.iter().map(IndexPhase::table_until).max().unwrap_or(now);
                let end = if updates { until(seconds).max(for_indexes) } else { for_indexes };
                if end > now { Phase::Updating(end) } else { Phase::Settled }
            }
            other => other,
        };
        let mut index_phases: Vec<_> =
            table.index_phases.iter().filter(|phase| phase.is_under_way(now)).cloned().collect();
        index_phases.retain(|phase| !indexes.answered.iter().any(|new| new.name == phase.name));
        let mut shown = CatalogTable { settings: answered, ..CatalogTable::clone(table) };
        shown.index_phases = index_phases.iter().cloned().chain(indexes.answered).collect();
        if updates || shown.index_phases.iter().any(|phase| phase.table_until() > now) {
            shown.phase = Phase::Updating(i64::MAX);
        }
        index_phases.extend(indexes.phases);
        shared.catalog.insert(CatalogTable { settings, phase, index_phases, ..CatalogTable::clone(table) });
        Ok(shown)
    }
}

/// Whether the request names the key by which a table is to be encrypted.
fn names_key(input: &Structure<'_>) -> bool {
    let asked = input.get("SSESpecification").map(|asked| asked.structure());
    let key = asked.and_then(|asked| asked.get("KMSMasterKeyId"));
    key.is_some_and(|key| key.text().starts_with("arn:"))
}

/// Refuses a table to which something else is being done.
///
/// # Errors
/// ResourceInUseException.
pub(super) fn refuse_phase(call: &Call<'_>, table: &CatalogTable, updating_is_fine: bool) -> Result<(), Refusal> {
    let phase = match table.phase.at(call.now()) {
        Phase::Settled => return Ok(()),
        Phase::Updating(_) if updating_is_fine => return Ok(()),
        Phase::Creating(_) => "created",
        Phase::Updating(_) => "updated",
        Phase::Deleting(_) => "deleted",
    };
    let text = Text::TableInPhase { phase, table: table.name.clone() };
    Err(Refusal::new(RefusalKind::ResourceInUse, text))
}

/// Limits are at least 1, or −1 to remove one.
pub(super) fn check_limits(members: &[(&'static str, Option<i64>)], of: &str) -> Result<(), Refusal> {
    match members.iter().find(|(_, units)| units.is_some_and(|units| units == 0 || units < -1)) {
        Some((member, _)) => Err(Refusal::validation(Text::OnDemandLimitOutside { member, of: of.to_owned() })),
        None => Ok(()),
    }
}

/// Limits as the answer says them, with what is removed as −1, and as they are kept.
pub(super) fn merge_limits(present: Option<OnDemand>, asked: OnDemand) -> (OnDemand, Option<OnDemand>) {
    let present = present.unwrap_or_default();
    let merged = OnDemand { read: asked.read.or(present.read), write: asked.write.or(present.write) };
    let keep = |units: Option<i64>| units.filter(|units| *units != -1);
    let kept = OnDemand { read: keep(merged.read), write: keep(merged.write) };
    (merged, (kept != OnDemand::default()).then_some(kept))
}

/// What is provisioned after a change at this time.
pub(super) fn changed_throughput(present: &Throughput, asked: &Throughput, now_millis: i64) -> Throughput {
    const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
    let mut changed = Throughput { read: asked.read, write: asked.write, ..present.clone() };
    if asked.read > present.read || asked.write > present.write {
        changed.increased = Some(now_millis);
    }
    if asked.read < present.read || asked.write < present.write {
        let is_today = |then: i64| then.div_euclid(DAY_MILLIS) == now_millis.div_euclid(DAY_MILLIS);
        changed.decreases = if present.decreased.is_some_and(is_today) { present.decreases + 1 } else { 1 };
        changed.decreased = Some(now_millis);
    }
    changed
}

/// What is kept ready after a change, which never lowers it.
pub(super) fn warmed(present: Option<Warm>, asked: Warm, throughput: &Throughput, of: &str) -> Result<Warm, Refusal> {
    let (read, write) = crate::catalog::description::warm_units(present, throughput);
    for (member, asked, present) in
        [("ReadUnitsPerSecond", asked.read, read), ("WriteUnitsPerSecond", asked.write, write)]
    {
        if asked.is_some_and(|asked| asked < present) {
            return Err(Refusal::validation(Text::WarmLowered { member, of: of.to_owned() }));
        }
    }
    Ok(Warm { read: Some(asked.read.unwrap_or(read)), write: Some(asked.write.unwrap_or(write)) })
}
