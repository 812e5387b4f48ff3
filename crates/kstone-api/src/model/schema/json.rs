//! A schema as JSON text.
//!
//! The structs here are the text's shape and nothing else. Reading takes nothing on trust that serde would: a struct is
//! an object (serde would take an array of its members, too), a member that is there is not null, a name in a fixed set
//! is a string. The structs bound the depth, so hostile nesting ends at the first value that has no place.

use std::fmt;
use std::marker::PhantomData;

use crate::error::{Error, Reason, Result};
use kstone_core::key_layout::{KeyPart, KeyType};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{GlobalSecondaryIndex, LocalSecondaryIndex, Projection, StreamSpecification, TableSchema};
use crate::table::stream::{STREAM_CAPACITY, StreamViewType};

pub(super) fn read(text: &str) -> Result<TableSchema> {
    match serde_json::from_str::<Object<SchemaJson>>(text) {
        Ok(Object(schema)) => Ok(schema.into()),
        Err(error) => Err(Error::from(Reason::SchemaSyntax { error: error.to_string().into() })),
    }
}

pub(super) fn write(schema: &TableSchema) -> String {
    serde_json::to_string(&SchemaJson::from(schema)).expect("strings and numbers are always JSON")
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaJson {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    partition_key: Option<Object<KeyJson>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    sort_key: Option<Object<KeyJson>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    local_indexes: Vec<Object<LocalJson>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    global_indexes: Vec<Object<GlobalJson>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    ttl_attribute: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ttl_visible: bool,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    stream: Option<Object<StreamJson>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyJson {
    name: String,
    #[serde(rename = "type")]
    type_: KeyTypeJson,
}

/// The type of a key attribute.
#[derive(Clone, Copy)]
struct KeyTypeJson(KeyType);

impl Serialize for KeyTypeJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for KeyTypeJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown =
            || D::Error::custom(format_args!("unknown type {:?}, expected one of S, N, B", super::quoted(&name)));
        KeyType::from_name(&name).map(Self).ok_or_else(unknown)
    }
}

impl From<KeyJson> for KeyPart {
    fn from(KeyJson { name, type_ }: KeyJson) -> Self {
        Self::new(name, type_.0)
    }
}

impl KeyJson {
    /// Of a typed table's key; an untyped one has no part to write.
    fn of(part: &KeyPart) -> Option<Object<Self>> {
        Some(Object(Self { name: part.name().to_owned(), type_: KeyTypeJson(part.type_()?) }))
    }
}

/// A key attribute of an index: a name alone or, with its type, an object.
struct PartJson(KeyPart);

/// One of them or a list of such with types.
#[derive(Default)]
struct PartsJson(Vec<KeyPart>);

impl PartsJson {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for PartJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match KeyJson::of(&self.0) {
            Some(typed) => typed.serialize(serializer),
            None => serializer.serialize_str(self.0.name()),
        }
    }
}

impl Serialize for PartsJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => PartJson(one.clone()).serialize(serializer),
            several => serializer.collect_seq(several.iter().cloned().map(PartJson)),
        }
    }
}

impl<'de> Deserialize<'de> for PartJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let part = deserializer.deserialize_any(PartsVisitor { takes_list: false })?.pop();
        part.map(Self).ok_or_else(|| D::Error::custom("a key attribute is missing"))
    }
}

impl<'de> Deserialize<'de> for PartsJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(PartsVisitor { takes_list: true }).map(Self)
    }
}

struct PartsVisitor {
    takes_list: bool,
}

impl<'de> Visitor<'de> for PartsVisitor {
    type Value = Vec<KeyPart>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key attribute: its name, or an object of name and type")?;
        if self.takes_list { f.write_str(", or a list of such objects") } else { Ok(()) }
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> std::result::Result<Self::Value, E> {
        Ok(vec![KeyPart::of_any_type(name.to_owned())])
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Self::Value, A::Error> {
        KeyJson::deserialize(MapAccessDeserializer::new(map)).map(|key| vec![key.into()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
        if !self.takes_list {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        let mut parts = Vec::new();
        while let Some(Object(key)) = list.next_element::<Object<KeyJson>>()? {
            parts.push(key.into());
        }
        if parts.is_empty() {
            return Err(A::Error::invalid_length(0, &self));
        }
        Ok(parts)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalJson {
    name: String,
    sort_key: PartJson,
    #[serde(default, skip_serializing_if = "is_all")]
    projection: Projection,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GlobalJson {
    name: String,
    partition_key: PartsJson,
    #[serde(default, skip_serializing_if = "PartsJson::is_empty")]
    sort_key: PartsJson,
    #[serde(default, skip_serializing_if = "is_all")]
    projection: Projection,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamJson {
    view_type: StreamViewType,
    #[serde(default = "default_capacity")]
    capacity: usize,
}

fn default_capacity() -> usize {
    STREAM_CAPACITY
}

fn is_all(projection: &Projection) -> bool {
    *projection == Projection::All
}

/// A member that may be left out, but is not null where it is there.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

impl From<SchemaJson> for TableSchema {
    fn from(json: SchemaJson) -> Self {
        let local = |Object(LocalJson { name, sort_key: PartJson(sort_key), projection })| LocalSecondaryIndex {
            name,
            sort_key,
            projection,
        };
        let global = |Object(GlobalJson { name, partition_key, sort_key, projection })| GlobalSecondaryIndex {
            name,
            partition_key: partition_key.0,
            sort_key: sort_key.0,
            projection,
        };
        let stream = |Object(StreamJson { view_type, capacity })| StreamSpecification { view_type, capacity };
        Self {
            name: json.name,
            partition_key: json.partition_key.map(|Object(key)| key.into()),
            sort_key: json.sort_key.map(|Object(key)| key.into()),
            local_indexes: json.local_indexes.into_iter().map(local).collect(),
            global_indexes: json.global_indexes.into_iter().map(global).collect(),
            ttl_attribute: json.ttl_attribute,
            ttl_visible: json.ttl_visible,
            stream: json.stream.map(stream),
        }
    }
}

impl From<&TableSchema> for SchemaJson {
    fn from(schema: &TableSchema) -> Self {
        let (partition_key, sort_key) = (&schema.partition_key, &schema.sort_key);
        let TableSchema { name, local_indexes, global_indexes, ttl_attribute, ttl_visible, stream, .. } =
            schema.clone();
        let local = |LocalSecondaryIndex { name, sort_key, projection }| {
            Object(LocalJson { name, sort_key: PartJson(sort_key), projection })
        };
        let global = |GlobalSecondaryIndex { name, partition_key, sort_key, projection }| {
            let (partition_key, sort_key) = (PartsJson(partition_key), PartsJson(sort_key));
            Object(GlobalJson { name, partition_key, sort_key, projection })
        };
        let stream_json = |StreamSpecification { view_type, capacity }| Object(StreamJson { view_type, capacity });
        Self {
            name,
            partition_key: partition_key.as_ref().and_then(KeyJson::of),
            sort_key: sort_key.as_ref().and_then(KeyJson::of),
            local_indexes: local_indexes.into_iter().map(local).collect(),
            global_indexes: global_indexes.into_iter().map(global).collect(),
            ttl_attribute,
            ttl_visible,
            stream: stream.map(stream_json),
        }
    }
}

/// A struct that is read from a JSON object only.
struct Object<T>(T);

impl<T: Serialize> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

impl Serialize for Projection {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("ALL"),
            Self::KeysOnly => serializer.serialize_str("KEYS_ONLY"),
            Self::Include(attributes) => attributes.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Projection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(ProjectionVisitor)
    }
}

struct ProjectionVisitor;

impl<'de> Visitor<'de> for ProjectionVisitor {
    type Value = Projection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a projection: \"ALL\", \"KEYS_ONLY\" or a list of attribute names")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> std::result::Result<Projection, E> {
        match name {
            "ALL" => Ok(Projection::All),
            "KEYS_ONLY" => Ok(Projection::KeysOnly),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(&super::quoted(other)), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Projection, A::Error> {
        let mut attributes = Vec::new();
        while let Some(attribute) = list.next_element()? {
            attributes.push(attribute);
        }
        Ok(Projection::Include(attributes))
    }
}

impl Serialize for StreamViewType {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for StreamViewType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|_: Error| {
            let known = Self::ALL.map(Self::name).join(", ");
            D::Error::custom(format_args!("unknown view_type {:?}, expected one of {known}", super::quoted(&name)))
        })
    }
}
