//! A TableDescription: what DynamoDB says of a table.
//!
//! Keys, indexes and the stream are those of the table's own schema, so that a table which was made or changed otherwise
//! is described as it is; what only DynamoDB knows of it comes from its settings.
//!
//! Thread safety: plain functions.

use kstone_api::{
    GlobalSecondaryIndex, KeyLayout, KeyPart, KeyType, LocalSecondaryIndex, Projection, Scan, Select, Stats,
    TableSchema,
};

use super::CatalogTable;
use super::arn::Place;
use super::index_phase::{Doing, Leaving};
use super::settings::{Encryption, IndexSettings, OnDemand, Settings, Throughput, VectorIndex, Warm};
use crate::answer::Answer;

/// What reads a new on-demand table takes at once, and how many writes.
const FIRST_UNITS: (i64, i64) = (12_000, 4_000);

/// What a description is of.
pub(crate) struct Described<'a> {
    pub(crate) place: &'a Place,
    pub(crate) table: &'a CatalogTable,
    pub(crate) now: i64,
    /// What is said in the place of the status that is in force.
    pub(crate) status: Option<&'static str>,
}

/// What is measured of a table.
struct Measured {
    schema: TableSchema,
    stats: Option<Stats>,
}

impl Described<'_> {
    /// Writes the description as the value of what was named.
    pub(crate) fn write(&self, answer: &mut Answer) {
        let of = Measured { schema: self.table.table.schema(), stats: self.table.table.stats().ok() };
        answer.object(|answer| {
            self.definitions(answer, &of.schema);
            answer.name("TableName").text(&self.table.name);
            key_schema(answer, self.table.layout.parts());
            answer.name("TableStatus").text(self.status());
            time(answer.name("CreationDateTime"), self.table.settings.created_millis);
            throughput(answer, &self.table.settings.throughput);
            answer.name("TableSizeBytes").integer(of.stats.as_ref().map_or(0, |stats| integer(stats.live_bytes)));
            answer.name("ItemCount").integer(of.stats.as_ref().map_or(0, |stats| integer(stats.items)));
            answer.name("TableArn").text(&self.arn());
            answer.name("TableId").text(&self.table.settings.id);
            self.payment(answer);
            self.local_indexes(answer, &of);
            self.global_indexes(answer, &of);
            self.vector_indexes(answer, &of);
            self.stream(answer, &of.schema);
            encryption(answer, self.table.settings.encryption.as_ref());
            self.restored(answer);
            answer.name("DeletionProtectionEnabled").boolean(self.table.settings.protected);
        });
    }

    fn arn(&self) -> String {
        self.place.table_arn(&self.table.name)
    }

    fn status(&self) -> &'static str {
        self.status.unwrap_or_else(|| self.table.phase.status(self.now))
    }

    /// The attributes of all keys, by name, as AWS has them (ack-api-quirks, DDB-TABLE-134).
    fn definitions<'s>(&'s self, answer: &mut Answer, schema: &'s TableSchema) {
        let mut used: Vec<(&'s str, &'s str)> = Vec::new();
        used.extend(self.table.layout.parts().map(named));
        used.extend(schema.local_indexes().iter().map(|index| named(index.sort_part())));
        let global = schema.global_indexes().iter();
        used.extend(global.flat_map(|index| index.partition_parts().iter().chain(index.sort_parts()).map(named)));
        let defined = &self.table.settings.definitions;
        let type_of = |attribute: &str| defined.iter().find(|(name, _)| name == attribute).map(|(_, type_)| &**type_);
        let of_vectors = self.table.settings.vectors.iter().flat_map(|index| &index.search_schema);
        used.extend(of_vectors.filter_map(|(attribute, _)| Some((&**attribute, type_of(attribute)?))));
        used.sort_unstable();
        used.dedup_by_key(|(name, _)| *name);
        answer.name("AttributeDefinitions").list(|answer| {
            for (name, type_) in used {
                answer.object(|answer| {
                    answer.name("AttributeName").text(name);
                    answer.name("AttributeType").text(type_);
                });
            }
        });
    }

    /// Who pays for what.
    fn payment(&self, answer: &mut Answer) {
        let settings = &self.table.settings;
        if settings.billing.on_demand || settings.billing.on_demand_since.is_some() {
            answer.name("BillingModeSummary").object(|answer| {
                let mode = if settings.billing.on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" };
                answer.name("BillingMode").text(mode);
                if let Some(since) = settings.billing.on_demand_since {
                    time(answer.name("LastUpdateToPayPerRequestDateTime"), since);
                }
            });
        }
        if let Some(class) = &settings.class {
            answer.name("TableClassSummary").object(|answer| {
                answer.name("TableClass").text(&class.name);
                if let Some(changed) = class.changed {
                    time(answer.name("LastUpdateDateTime"), changed);
                }
            });
        }
        on_demand(answer, settings.on_demand);
        warm(answer, settings.warm, &settings.throughput, self.status());
    }

    fn local_indexes(&self, answer: &mut Answer, of: &Measured) {
        if of.schema.local_indexes().is_empty() {
            return;
        }
        answer.name("LocalSecondaryIndexes").list(|answer| {
            for index in of.schema.local_indexes() {
                answer.object(|answer| self.local_index(answer, index, of));
            }
        });
    }

    fn local_index(&self, answer: &mut Answer, index: &LocalSecondaryIndex, of: &Measured) {
        answer.name("IndexName").text(index.index_name());
        key_schema(answer, [self.table.layout.partition(), index.sort_part()]);
        projection(answer, index.projected());
        self.measures(answer, index.index_name(), of);
    }

    fn global_indexes(&self, answer: &mut Answer, of: &Measured) {
        let unknown = IndexSettings::default();
        let settings_of = |index: &GlobalSecondaryIndex| self.table.settings.indexes.get(index.index_name());
        let present = of.schema.global_indexes().iter().map(|index| (index, settings_of(index).unwrap_or(&unknown)));
        let is_present = |name: &str| of.schema.global_indexes().iter().any(|index| index.index_name() == name);
        let leaving = self.leaving().filter_map(|leaving| match leaving {
            Leaving::Global(index, settings) if !is_present(index.index_name()) => Some((index, settings)),
            _ => None,
        });
        let all: Vec<(&GlobalSecondaryIndex, &IndexSettings)> = present.chain(leaving).collect();
        if all.is_empty() {
            return;
        }
        answer.name("GlobalSecondaryIndexes").list(|answer| {
            for (index, settings) in all {
                answer.object(|answer| self.global_index(answer, (index, settings), of));
            }
        });
    }

    /// The indexes that are being dropped.
    fn leaving(&self) -> impl Iterator<Item = &Leaving> {
        self.table.index_phases.iter().filter(|phase| phase.is_under_way(self.now)).filter_map(|phase| {
            match &phase.doing {
                Doing::Deleting(leaving) => Some(&**leaving),
                _ => None,
            }
        })
    }

    /// Writes an index's status, and whether it is being filled; the status.
    fn index_status(&self, answer: &mut Answer, name: &str) -> &'static str {
        let phase = self.table.index_phase(name, self.now);
        let status = match phase {
            _ if self.status() == "CREATING" => "CREATING",
            Some(phase) => phase.status(),
            None => "ACTIVE",
        };
        answer.name("IndexStatus").text(status);
        if let Some(backfills) = phase.and_then(|phase| phase.backfills(self.now)) {
            answer.name("Backfilling").boolean(backfills);
        }
        status
    }

    fn global_index(
        &self,
        answer: &mut Answer,
        (index, settings): (&GlobalSecondaryIndex, &IndexSettings),
        of: &Measured,
    ) {
        answer.name("IndexName").text(index.index_name());
        global_key_schema(answer, index);
        projection(answer, index.projected());
        let status = self.index_status(answer, index.index_name());
        throughput(answer, &settings.throughput);
        self.measures(answer, index.index_name(), of);
        on_demand(answer, settings.on_demand);
        warm(answer, settings.warm, &settings.throughput, status);
    }

    fn vector_indexes(&self, answer: &mut Answer, of: &Measured) {
        let leaving = self.leaving().filter_map(|leaving| match leaving {
            Leaving::Vector(index) => Some(index),
            Leaving::Global(..) => None,
        });
        let vectors: Vec<&VectorIndex> = self.table.settings.vectors.iter().chain(leaving).collect();
        if vectors.is_empty() {
            return;
        }
        answer.name("VectorIndexes").list(|answer| {
            for index in vectors {
                answer.object(|answer| self.vector_index(answer, index, of));
            }
        });
    }

    fn vector_index(&self, answer: &mut Answer, index: &VectorIndex, of: &Measured) {
        answer.name("IndexName").text(&index.name);
        answer.name("VectorAttribute").object(|answer| answer.name("AttributeName").text(&index.attribute));
        if !index.search_schema.is_empty() {
            answer.name("SearchSchema").list(|answer| {
                for (attribute, kind) in &index.search_schema {
                    answer.object(|answer| {
                        answer.name("AttributeName").text(attribute);
                        answer.name("SearchSchemaElementType").text(kind);
                    });
                }
            });
        }
        projection_of(answer, &index.projection, &index.included);
        answer.name("Dimensions").integer(index.dimensions);
        answer.name("DistanceFunction").text(&index.distance);
        self.index_status(answer, &index.name);
        let (items, bytes) = of.stats.as_ref().map_or((0, 0), |_| index.measured(self.table));
        answer.name("IndexSizeBytes").integer(integer(bytes as u64));
        answer.name("ItemCount").integer(integer(items as u64));
        answer.name("IndexArn").text(&format!("{}/index/{}", self.arn(), index.name));
    }

    /// How much is in an index, and its name.
    fn measures(&self, answer: &mut Answer, name: &str, of: &Measured) {
        let counted = self.table.table.scan_page(&Scan::new().index(name).select(Select::Count));
        let items = counted.map_or(0, |page| page.count);
        // The entries of all indexes are measured together.
        let all = of.stats.as_ref().map_or((0, 0), |stats| (stats.index_entries, stats.index_entry_bytes));
        let bytes = (all.1 as u128 * items as u128).checked_div(u128::from(all.0)).unwrap_or(0);
        answer.name("IndexSizeBytes").integer(integer(bytes));
        answer.name("ItemCount").integer(integer(items));
        answer.name("IndexArn").text(&format!("{}/index/{name}", self.arn()));
    }

    /// What the table was restored from.
    fn restored(&self, answer: &mut Answer) {
        let Some(restored) = &self.table.settings.restored else { return };
        answer.name("RestoreSummary").object(|answer| {
            if let Some(arn) = &restored.backup_arn {
                answer.name("SourceBackupArn").text(arn);
            }
            answer.name("SourceTableArn").text(&restored.table_arn);
            time(answer.name("RestoreDateTime"), restored.moment);
            answer.name("RestoreInProgress").boolean(self.status() == "CREATING");
        });
    }

    fn stream(&self, answer: &mut Answer, schema: &TableSchema) {
        let label = self.table.settings.stream_label.as_deref();
        if let Some(stream) = schema.stream() {
            answer.name("StreamSpecification").object(|answer| {
                answer.name("StreamEnabled").boolean(true);
                answer.name("StreamViewType").text(stream.view_type.name());
            });
        }
        if let Some(label) = label {
            answer.name("LatestStreamLabel").text(label);
            answer.name("LatestStreamArn").text(&format!("{}/stream/{label}", self.arn()));
        }
    }
}

/// A moment, in epoch seconds with a fraction.
pub(crate) fn time(answer: &mut Answer, millis: i64) {
    answer.raw(&format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000)));
}

/// A number that no answer has a wider one for.
fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// The name and the type of an attribute of a key: that of text where it has no type.
fn named(part: &KeyPart) -> (&str, &str) {
    (part.name(), part.type_().unwrap_or(KeyType::S).name())
}

/// Writes a `KeySchema` of one or two parts.
pub(crate) fn key_schema<'p>(answer: &mut Answer, parts: impl IntoIterator<Item = &'p KeyPart>) {
    answer.name("KeySchema").list(|answer| {
        for (part, kind) in parts.into_iter().zip(["HASH", "RANGE"]) {
            key_element(answer, part, kind);
        }
    });
}

fn key_element(answer: &mut Answer, part: &KeyPart, kind: &str) {
    answer.object(|answer| {
        answer.name("AttributeName").text(part.name());
        answer.name("KeyType").text(kind);
    });
}

fn projection(answer: &mut Answer, projection: &Projection) {
    match projection {
        Projection::All => projection_of(answer, "ALL", &[]),
        Projection::KeysOnly => projection_of(answer, "KEYS_ONLY", &[]),
        Projection::Include(attributes) => {
            let mut sorted = attributes.clone();
            sorted.sort_unstable();
            projection_of(answer, "INCLUDE", &sorted);
        }
    }
}

fn projection_of(answer: &mut Answer, kind: &str, attributes: &[String]) {
    answer.name("Projection").object(|answer| {
        answer.name("ProjectionType").text(kind);
        if !attributes.is_empty() {
            answer.name("NonKeyAttributes").list(|answer| attributes.iter().for_each(|name| answer.text(name)));
        }
    });
}

fn throughput(answer: &mut Answer, throughput: &Throughput) {
    answer.name("ProvisionedThroughput").object(|answer| {
        if let Some(increased) = throughput.increased {
            time(answer.name("LastIncreaseDateTime"), increased);
        }
        if let Some(decreased) = throughput.decreased {
            time(answer.name("LastDecreaseDateTime"), decreased);
        }
        answer.name("NumberOfDecreasesToday").integer(throughput.decreases);
        answer.name("ReadCapacityUnits").integer(throughput.read);
        answer.name("WriteCapacityUnits").integer(throughput.write);
    });
}

/// Writes limits, where there are any.
pub(crate) fn on_demand(answer: &mut Answer, limits: Option<OnDemand>) {
    let Some(limits) = limits else { return };
    answer.name("OnDemandThroughput").object(|answer| {
        for (name, units) in [("MaxReadRequestUnits", limits.read), ("MaxWriteRequestUnits", limits.write)] {
            if let Some(units) = units {
                answer.name(name).integer(units);
            }
        }
    });
}

/// What is kept ready: what was asked for, at least what is provisioned or what a new table has.
fn warm(answer: &mut Answer, asked: Option<Warm>, throughput: &Throughput, status: &str) {
    let (read, write) = warm_units(asked, throughput);
    let status = if status == "ACTIVE" { "ACTIVE" } else { "UPDATING" };
    answer.name("WarmThroughput").object(|answer| {
        answer.name("ReadUnitsPerSecond").integer(read);
        answer.name("WriteUnitsPerSecond").integer(write);
        answer.name("Status").text(status);
    });
}

/// How many units are kept ready, to read and to write.
pub(crate) fn warm_units(asked: Option<Warm>, throughput: &Throughput) -> (i64, i64) {
    let asked = asked.unwrap_or_default();
    let (read, write) = if throughput.read > 0 { (throughput.read, throughput.write) } else { FIRST_UNITS };
    (asked.read.unwrap_or(read).max(read), asked.write.unwrap_or(write).max(write))
}

/// Writes a `ProvisionedThroughput` as it was asked for.
pub(crate) fn units(answer: &mut Answer, throughput: &Throughput) {
    answer.name("ProvisionedThroughput").object(|answer| {
        answer.name("ReadCapacityUnits").integer(throughput.read);
        answer.name("WriteCapacityUnits").integer(throughput.write);
    });
}

/// Writes an `SSEDescription`, where there is something to say.
pub(crate) fn encryption(answer: &mut Answer, encryption: Option<&Encryption>) {
    let Some(encryption) = encryption else { return };
    answer.name("SSEDescription").object(|answer| {
        answer.name("Status").text("ENABLED");
        answer.name("SSEType").text("KMS");
        answer.name("KMSMasterKeyArn").text(&encryption.key_arn);
    });
}

/// Writes what a backup says of indexes: names, keys, projections, and the units of global ones.
pub(crate) fn index_infos(answer: &mut Answer, schema: &TableSchema, settings: &Settings) {
    let layout = schema.key_layout().ok().flatten();
    let table_part = layout.as_ref().unwrap_or(KeyLayout::untyped()).partition();
    if !schema.local_indexes().is_empty() {
        answer.name("LocalSecondaryIndexes").list(|answer| {
            for index in schema.local_indexes() {
                answer.object(|answer| {
                    answer.name("IndexName").text(index.index_name());
                    key_schema(answer, [table_part, index.sort_part()]);
                    projection(answer, index.projected());
                });
            }
        });
    }
    if schema.global_indexes().is_empty() {
        return;
    }
    answer.name("GlobalSecondaryIndexes").list(|answer| {
        for index in schema.global_indexes() {
            let known = settings.indexes.get(index.index_name()).cloned().unwrap_or_default();
            answer.object(|answer| {
                answer.name("IndexName").text(index.index_name());
                global_key_schema(answer, index);
                projection(answer, index.projected());
                units(answer, &known.throughput);
                on_demand(answer, known.on_demand);
            });
        }
    });
}

fn global_key_schema(answer: &mut Answer, index: &GlobalSecondaryIndex) {
    answer.name("KeySchema").list(|answer| {
        index.partition_parts().iter().for_each(|part| key_element(answer, part, "HASH"));
        index.sort_parts().iter().for_each(|part| key_element(answer, part, "RANGE"));
    });
}
