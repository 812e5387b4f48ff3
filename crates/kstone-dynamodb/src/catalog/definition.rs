//! What a request says a table is to be: its schema and its settings.
//!
//! The rules between the members have been checked (`operations/create_table.rs`); what is read here is believed.
//!
//! Thread safety: plain values.

use std::borrow::Cow;

use kstone_api::{
    GlobalSecondaryIndex, KeyPart, KeyType, LocalSecondaryIndex, Projection, StreamSpecification, StreamViewType,
    TableSchema,
};

use super::settings::{IndexSettings, OnDemand, Throughput, VectorIndex, Warm};
use crate::view::{Structure, Value};

/// The types of attributes, as a request defines them.
pub(crate) struct Definitions<'a>(Vec<(Cow<'a, str>, KeyType)>);

impl<'a> Definitions<'a> {
    /// Those of a member `AttributeDefinitions`.
    pub(crate) fn of(input: &Structure<'a>) -> Self {
        let one = |element: Value<'a>| {
            let definition = element.structure();
            let type_ = KeyType::from_name(&definition.get("AttributeType")?.text())?;
            Some((definition.get("AttributeName")?.text(), type_))
        };
        Self(elements(input.get("AttributeDefinitions")).filter_map(one).collect())
    }

    /// Those that parts of keys have.
    pub(crate) fn of_parts<'p>(parts: impl Iterator<Item = &'p KeyPart>) -> Definitions<'static> {
        let named = parts.filter_map(|part| Some((Cow::Owned(part.name().to_owned()), part.type_()?)));
        Definitions(named.collect())
    }

    /// The type of an attribute; S where none is defined, which the rules have refused.
    pub(crate) fn type_of(&self, attribute: &str) -> KeyType {
        self.defined(attribute).unwrap_or(KeyType::S)
    }

    /// The type of an attribute, if one is defined.
    pub(crate) fn defined(&self, attribute: &str) -> Option<KeyType> {
        self.0.iter().find(|(name, _)| name == attribute).map(|(_, type_)| *type_)
    }

    /// Takes the types of attributes that are defined already, which a request cannot change.
    pub(crate) fn yield_to(&mut self, present: &[(String, String)]) {
        for (name, type_) in &mut self.0 {
            let known = present.iter().find(|(known, _)| known == name);
            *type_ = known.and_then(|(_, type_)| KeyType::from_name(type_)).unwrap_or(*type_);
        }
    }

    /// Names and types, as settings have them.
    pub(crate) fn owned(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, type_)| (name.clone().into_owned(), type_.name().to_owned())).collect()
    }
}

/// The schema that a CreateTable asks for.
pub(crate) fn schema(name: &str, input: &Structure<'_>) -> TableSchema {
    let definitions = Definitions::of(input);
    let mut schema = TableSchema::new().name(name);
    for (attribute, is_hash) in keys(input) {
        let type_ = definitions.type_of(&attribute);
        schema = match is_hash {
            true => schema.partition_key(attribute, type_),
            false => schema.sort_key(attribute, type_),
        };
    }
    for index in elements(known(input, "LocalSecondaryIndexes")) {
        schema = schema.add_local_index(local_index(&index.structure(), &definitions));
    }
    for index in elements(input.get("GlobalSecondaryIndexes")) {
        schema = schema.add_global_index(global_index(&index.structure(), &definitions));
    }
    match stream(input) {
        Some(stream) => schema.with_stream(stream),
        None => schema,
    }
}

/// The attributes of a key, and whether each is of the partition's.
fn keys<'a>(of: &Structure<'a>) -> impl Iterator<Item = (String, bool)> + use<'a> {
    elements(of.get("KeySchema")).map(|element| {
        let element = element.structure();
        (text(&element, "AttributeName"), text(&element, "KeyType") == "HASH")
    })
}

/// The local index that a structure describes.
pub(crate) fn local_index(index: &Structure<'_>, definitions: &Definitions<'_>) -> LocalSecondaryIndex {
    let sort_key = keys(index).find(|(_, is_hash)| !is_hash).map(|(attribute, _)| attribute).unwrap_or_default();
    let type_ = definitions.type_of(&sort_key);
    LocalSecondaryIndex::typed(text(index, "IndexName"), sort_key, type_).projection(projection(index))
}

/// The global index that a structure of CreateTable or UpdateTable describes.
pub(crate) fn global_index(index: &Structure<'_>, definitions: &Definitions<'_>) -> GlobalSecondaryIndex {
    let mut of_keys = GlobalSecondaryIndex::on(text(index, "IndexName"));
    for (attribute, is_hash) in keys(index) {
        let type_ = definitions.type_of(&attribute);
        of_keys = match is_hash {
            true => of_keys.partition_key(attribute, type_),
            false => of_keys.sort_key(attribute, type_),
        };
    }
    of_keys.projection(projection(index)).into()
}

fn projection(index: &Structure<'_>) -> Projection {
    let Some(projection) = index.get("Projection").map(|projection| projection.structure()) else {
        return Projection::All;
    };
    match &*text(&projection, "ProjectionType") {
        "KEYS_ONLY" => Projection::KeysOnly,
        "INCLUDE" => Projection::Include(texts(projection.get("NonKeyAttributes"))),
        _ => Projection::All,
    }
}

/// The stream that a `StreamSpecification` switches on.
pub(crate) fn stream(input: &Structure<'_>) -> Option<StreamSpecification> {
    let stream = known(input, "StreamSpecification")?.structure();
    let is_on = stream.get("StreamEnabled").is_some_and(|enabled| enabled.boolean());
    let view_type = stream.get("StreamViewType").and_then(|name| name.text().parse::<StreamViewType>().ok());
    is_on.then(|| StreamSpecification::new(view_type.unwrap_or(StreamViewType::NewAndOldImages)))
}

/// What is provisioned for a table or an index.
pub(crate) fn throughput(of: &Structure<'_>) -> Throughput {
    units_of(of, "ProvisionedThroughput")
}

/// The same by another member.
pub(crate) fn units_of(of: &Structure<'_>, member: &str) -> Throughput {
    let Some(units) = of.get(member).map(|units| units.structure()) else {
        return Throughput::default();
    };
    let number = |name| integer(&units, name).unwrap_or(0);
    Throughput { read: number("ReadCapacityUnits"), write: number("WriteCapacityUnits"), ..Throughput::default() }
}

/// The limits of what is paid for by request.
pub(crate) fn on_demand(of: &Structure<'_>) -> Option<OnDemand> {
    limits_of(of, "OnDemandThroughput")
}

/// The same by another member.
pub(crate) fn limits_of(of: &Structure<'_>, member: &str) -> Option<OnDemand> {
    let limits = of.get(member)?.structure();
    let (read, write) = (integer(&limits, "MaxReadRequestUnits"), integer(&limits, "MaxWriteRequestUnits"));
    Some(OnDemand { read, write })
}

/// What is kept ready.
pub(crate) fn warm(of: &Structure<'_>) -> Option<Warm> {
    let units = known(of, "WarmThroughput")?.structure();
    Some(Warm { read: integer(&units, "ReadUnitsPerSecond"), write: integer(&units, "WriteUnitsPerSecond") })
}

/// What a global index is told.
pub(crate) fn index_settings(index: &Structure<'_>) -> IndexSettings {
    IndexSettings { throughput: throughput(index), on_demand: on_demand(index), warm: warm(index) }
}

/// The vector index that a structure of CreateTable or UpdateTable describes.
pub(crate) fn vector_index(index: &Structure<'_>) -> VectorIndex {
    let attribute = index.get("VectorAttribute").map(|attribute| text(&attribute.structure(), "AttributeName"));
    let projection = index.get("Projection").map(|projection| projection.structure());
    let search = elements(index.get("SearchSchema")).map(|element| {
        let element = element.structure();
        (text(&element, "AttributeName"), text(&element, "SearchSchemaElementType"))
    });
    VectorIndex {
        name: text(index, "IndexName"),
        attribute: attribute.unwrap_or_default(),
        dimensions: integer(index, "Dimensions").unwrap_or(0),
        distance: text(index, "DistanceFunction"),
        search_schema: search.collect(),
        projection: projection.as_ref().map(|projection| text(projection, "ProjectionType")).unwrap_or_default(),
        included: texts(projection.and_then(|projection| projection.get("NonKeyAttributes"))),
    }
}

/// The member of this name, where the structure has such a one.
pub(crate) fn known<'a>(of: &Structure<'a>, name: &str) -> Option<Value<'a>> {
    let at = of.shape().shape().members().iter().position(|member| member.name == name)?;
    of.at(at)
}

/// The elements of a list that may not be there.
pub(crate) fn elements<'a>(list: Option<Value<'a>>) -> impl Iterator<Item = Value<'a>> + use<'a> {
    list.into_iter().flat_map(|list| list.elements())
}

/// A member's text; empty where it is not there.
pub(crate) fn text(of: &Structure<'_>, name: &str) -> String {
    of.get(name).map(|value| value.text().into_owned()).unwrap_or_default()
}

fn texts(list: Option<Value<'_>>) -> Vec<String> {
    elements(list).map(|text| text.text().into_owned()).collect()
}

fn integer(of: &Structure<'_>, name: &str) -> Option<i64> {
    of.get(name).map(|value| value.integer())
}
