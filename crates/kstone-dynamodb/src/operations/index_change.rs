//! The indexes that UpdateTable adds, changes and drops: what the table demands of them (dynoxide,
//! `actions/update_table.rs`, captured in July and August 2026; ack-api-quirks, `table-indexes.md`, October 2026).

use kstone_api::{GLOBAL_INDEXES_MAX, GlobalSecondaryIndex, TableSchema};

use super::indexes::{self, Set};
use super::table_change::{changed_throughput, check_limits, merge_limits, warmed};
use super::vectors;
use crate::catalog::CatalogTable;
use crate::catalog::definition::{self, Definitions, elements, text};
use crate::catalog::index_phase::{Doing, IndexPhase, Leaving};
use crate::catalog::settings::{Settings, Throughput};
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;
use crate::view::Structure;

/// What is being done to indexes because of a request.
#[derive(Default)]
pub(super) struct IndexChanges {
    /// As the table shows it from now on.
    pub(super) phases: Vec<IndexPhase>,
    /// As the answer shows it.
    pub(super) answered: Vec<IndexPhase>,
}

/// The request, and what it changes.
struct Context<'c, 'a> {
    input: &'c Structure<'a>,
    table: &'c CatalogTable,
    schema: &'c mut TableSchema,
    settings: &'c mut Settings,
    answered: &'c mut Settings,
    /// The time and for how long a change shows, in seconds.
    now: i64,
    seconds: i64,
    changes: IndexChanges,
}

impl IndexChanges {
    /// Checks the changes of indexes and makes them in a schema and in settings.
    pub(super) fn check(
        (input, table): (&Structure<'_>, &CatalogTable),
        schema: &mut TableSchema,
        (settings, answered): (&mut Settings, &mut Settings),
        (now, seconds): (i64, i64),
    ) -> Result<Self, Refusal> {
        let changes = Self::default();
        let mut context = Context { input, table, schema, settings, answered, now, seconds, changes };
        context.count()?;
        for update in elements(input.get("GlobalSecondaryIndexUpdates")) {
            let update = update.structure();
            match ["Update", "Create", "Delete"].map(|action| update.get(action).map(|action| action.structure())) {
                [Some(action), _, _] => context.update(&action)?,
                [_, Some(action), _] => context.create(&action)?,
                [_, _, Some(action)] => context.delete(&text(&action, "IndexName"))?,
                _ => {}
            }
        }
        context.every_index_is_provisioned()?;
        for update in elements(input.get("VectorIndexUpdates")) {
            let update = update.structure();
            match (update.get("Create"), update.get("Delete")) {
                (Some(action), _) => context.create_vector(&action.structure())?,
                (None, Some(action)) => context.delete_vector(&text(&action.structure(), "IndexName"))?,
                (None, None) => {}
            }
        }
        Ok(context.changes)
    }
}

impl Context<'_, '_> {
    /// One index at a time is made or dropped.
    fn count(&self) -> Result<(), Refusal> {
        let limit = || Err(Refusal::new(RefusalKind::LimitExceeded, Text::OneOnlineIndex));
        let mut dropped = Vec::new();
        let mut online = 0;
        for list in ["GlobalSecondaryIndexUpdates", "VectorIndexUpdates"] {
            for update in elements(self.input.get(list)) {
                let update = update.structure();
                let delete = update.get("Delete").map(|action| text(&action.structure(), "IndexName"));
                online += usize::from(update.has("Create") || delete.is_some());
                dropped.extend(delete);
            }
        }
        // An index that is being made can be given up.
        let is_other = |phase: &&IndexPhase| !dropped.contains(&phase.name);
        let under_way =
            self.table.index_phases.iter().filter(|phase| phase.is_under_way(self.now) && phase.is_online());
        if online > 1 || (online == 1 && under_way.filter(is_other).count() > 0) { limit() } else { Ok(()) }
    }

    fn global(&self, name: &str) -> Option<&GlobalSecondaryIndex> {
        self.schema.global_indexes().iter().find(|index| index.index_name() == name)
    }

    fn is_local(&self, name: &str) -> bool {
        self.schema.local_indexes().iter().any(|index| index.index_name() == name)
    }

    fn vector(&self, name: &str) -> bool {
        self.settings.vectors.iter().any(|index| index.name == name)
    }

    fn unknown(&self, name: &str, verb: &'static str) -> Refusal {
        if self.is_local(name) {
            return Refusal::validation(Text::IndexNotGlobal { verb, index: name.to_owned() });
        }
        let text = Text::IndexUnknown { index: name.to_owned(), table: self.table.name.clone() };
        Refusal::new(RefusalKind::ResourceNotFound, text)
    }

    fn shows(&mut self, name: &str, doing: Doing) {
        let phase = |until| IndexPhase { name: name.to_owned(), doing: doing.clone(), since: self.now, until };
        self.changes.answered.push(phase(i64::MAX));
        if self.seconds > 0 {
            let phase = phase(self.now.saturating_add(self.seconds));
            self.changes.phases.push(phase);
        }
    }

    fn create(&mut self, action: &Structure<'_>) -> Result<(), Refusal> {
        let name = text(action, "IndexName");
        if self.global(&name).is_some() || self.is_local(&name) || self.vector(&name) {
            return Err(Refusal::validation(Text::IndexExists));
        }
        self.vector_attributes_stay(action)?;
        if !self.input.has("AttributeDefinitions") {
            return Err(Refusal::validation(Text::IndexDefinitionsMissing { index: name }));
        }
        indexes::one_global(action, self.input).map_err(Refusal::validation)?;
        let on_demand = self.settings.billing.on_demand;
        match action.has("ProvisionedThroughput") {
            true if on_demand => return Err(Refusal::validation(Text::IndexUnitsOnDemand { index: name })),
            false if !on_demand => return Err(Refusal::validation(Text::IndexThroughputMissing { index: name })),
            _ => {}
        }
        if self.schema.global_indexes().len() >= GLOBAL_INDEXES_MAX {
            return Err(Refusal::new(RefusalKind::LimitExceeded, Text::TooManyIndexesOnline));
        }
        self.limits(action, &name)?;
        // What is defined already keeps its type.
        let mut definitions = Definitions::of(self.input);
        definitions.yield_to(&self.settings.definitions);
        *self.schema = self.schema.clone().add_global_index(definition::global_index(action, &definitions));
        let settings = definition::index_settings(action);
        for known in [&mut *self.settings, &mut *self.answered] {
            known.indexes.insert(name.clone(), settings.clone());
            known.define(definitions.owned());
        }
        self.shows(&name, Doing::Creating);
        Ok(())
    }

    /// An attribute that holds vectors is no key.
    fn vector_attributes_stay(&self, action: &Structure<'_>) -> Result<(), Refusal> {
        let definitions = Definitions::of(self.input);
        for element in elements(action.get("KeySchema")) {
            let element = element.structure();
            let attribute = text(&element, "AttributeName");
            let vector = self.settings.vectors.iter().find(|index| index.attribute == attribute);
            let (Some(vector), Some(type_)) = (vector, definitions.defined(&attribute)) else { continue };
            let kind = if text(&element, "KeyType") == "HASH" { "HASH" } else { "RANGE" };
            let (dimensions, type_) = (vector.dimensions, type_.name());
            return Err(Refusal::validation(Text::VectorRedefined { attribute, dimensions, type_, kind }));
        }
        Ok(())
    }

    fn update(&mut self, action: &Structure<'_>) -> Result<(), Refusal> {
        let name = text(action, "IndexName");
        if self.global(&name).is_none() {
            return Err(self.unknown(&name, "update"));
        }
        let mut settings = self.settings.indexes.get(&name).cloned().unwrap_or_default();
        let mut answered = settings.clone();
        if action.has("ProvisionedThroughput") {
            if self.settings.billing.on_demand {
                return Err(Refusal::validation(Text::IndexUpdatesOnDemand { index: name }));
            }
            let asked = definition::throughput(action);
            let present = settings.throughput.clone();
            if (asked.read, asked.write) == (present.read, present.write) {
                let (of, read, write) = (format!("index {name}"), asked.read, asked.write);
                return Err(Refusal::validation(Text::ThroughputUnchanged { of, read, write }));
            }
            let changed = changed_throughput(&present, &asked, self.now.saturating_mul(1000));
            answered.throughput = Throughput { read: present.read, write: present.write, ..changed.clone() };
            settings.throughput = if present.read == 0 { asked } else { changed };
        }
        self.limits(action, &name)?;
        if let Some(asked) = definition::on_demand(action) {
            let (merged, kept) = merge_limits(settings.on_demand, asked);
            (answered.on_demand, settings.on_demand) = (Some(merged), kept);
        }
        if let Some(asked) = definition::warm(action) {
            let warmed = warmed(settings.warm, asked, &settings.throughput, &format!("index {name}"))?;
            (answered.warm, settings.warm) = (Some(warmed), Some(warmed));
        }
        self.settings.indexes.insert(name.clone(), settings);
        self.answered.indexes.insert(name.clone(), answered);
        self.shows(&name, Doing::Updating);
        Ok(())
    }

    /// Limits of what is paid by request go with that billing mode.
    fn limits(&self, action: &Structure<'_>, name: &str) -> Result<(), Refusal> {
        let Some(asked) = definition::on_demand(action) else { return Ok(()) };
        let members = [("MaxReadRequestUnits", asked.read), ("MaxWriteRequestUnits", asked.write)];
        match members.iter().find(|(_, units)| units.is_some()) {
            Some((member, _)) if !self.settings.billing.on_demand => {
                Err(Refusal::validation(Text::OnDemandLimitOfProvisioned { member }))
            }
            _ => check_limits(&members, &format!("index : {name}")),
        }
    }

    fn delete(&mut self, name: &str) -> Result<(), Refusal> {
        let Some(index) = self.global(name).cloned() else { return Err(self.unknown(name, "delete")) };
        *self.schema = self.schema.clone().without_global_index(name);
        let settings = self.settings.indexes.remove(name).unwrap_or_default();
        self.answered.indexes.remove(name);
        self.shows(name, Doing::Deleting(Box::new(Leaving::Global(index, settings))));
        Ok(())
    }

    /// Where a table becomes a provisioned one, so does each of its indexes.
    fn every_index_is_provisioned(&self) -> Result<(), Refusal> {
        if self.settings.billing.on_demand {
            return Ok(());
        }
        let units = |name: &str| self.settings.indexes.get(name).map_or(0, |index| index.throughput.read);
        let lacking = self.schema.global_indexes().iter().find(|index| units(index.index_name()) == 0);
        match lacking {
            Some(index) if self.table.settings.billing.on_demand => {
                Err(Refusal::validation(Text::IndexThroughputMissing { index: index.index_name().to_owned() }))
            }
            _ => Ok(()),
        }
    }

    fn create_vector(&mut self, action: &Structure<'_>) -> Result<(), Refusal> {
        if !self.settings.billing.on_demand {
            return Err(Refusal::validation(Text::VectorIndexProvisioned));
        }
        let index = definition::vector_index(action);
        if self.vector(&index.name) || self.global(&index.name).is_some() || self.is_local(&index.name) {
            return Err(Refusal::validation(Text::IndexExists));
        }
        let requested = indexes::definitions(self.input);
        vectors::one(action, &requested).map_err(Refusal::validation)?;
        let definitions = Definitions::of(self.input).owned();
        let mut known: Set<'_> = requested;
        known.extend(self.settings.definitions.iter().map(|(name, _)| name.as_str().into()));
        vectors::joins(&index, &self.settings.vectors, &known).map_err(Refusal::validation)?;
        for settings in [&mut *self.settings, &mut *self.answered] {
            settings.vectors.push(index.clone());
            settings.define(definitions.clone());
        }
        self.shows(&index.name, Doing::Creating);
        Ok(())
    }

    fn delete_vector(&mut self, name: &str) -> Result<(), Refusal> {
        let Some(at) = self.settings.vectors.iter().position(|index| index.name == name) else {
            let text = Text::IndexUnknown { index: name.to_owned(), table: self.table.name.clone() };
            return Err(Refusal::new(RefusalKind::ResourceNotFound, text));
        };
        let index = self.settings.vectors.remove(at);
        self.answered.vectors.retain(|index| index.name != name);
        self.shows(name, Doing::Deleting(Box::new(Leaving::Vector(index))));
        Ok(())
    }
}
