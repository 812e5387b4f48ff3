//! [`Value`] through serde in DynamoDB's typed form, such as `{"N":"30"}` or `{"L":[{"S":"a"}]}`.
//!
//! Numbers are JSON strings and so stay exact; bytes are base64 text of the standard alphabet, padded. Maps are written
//! in the order of their names. Reading refuses unknown types, a value of no or of several types, repeated names in a
//! map, text that is no number, and nesting beyond [`MAX_NESTING_LEVELS`]; sets are checked when the value is stored.
//! `kstone_api::json` reads text with errors that say where; this is for callers that use serde.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MAX_NESTING_LEVELS, Type, Value};
use crate::number;

/// The typed form: a map of the type's name to the value.
///
/// ```
/// use kstone_core::value::Value;
///
/// let text = serde_json::to_string(&Value::list([Value::number(1.5), Value::binary("hi")])).unwrap();
/// assert_eq!(text, r#"{"L":[{"N":"1.5"},{"B":"aGk="}]}"#);
/// ```
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut typed = serializer.serialize_map(Some(1))?;
        let name = self.type_().name();
        match self {
            Self::S(text) | Self::N(text) => typed.serialize_entry(name, text),
            Self::B(bytes) => typed.serialize_entry(name, &STANDARD.encode(bytes)),
            Self::Bool(value) => typed.serialize_entry(name, value),
            Self::Null => typed.serialize_entry(name, &true),
            Self::L(values) => typed.serialize_entry(name, values),
            Self::M(entries) => typed.serialize_entry(name, &entries.iter().collect::<BTreeMap<_, _>>()),
            Self::SS(texts) | Self::NS(texts) => typed.serialize_entry(name, texts),
            Self::BS(elements) => {
                let texts: Vec<String> = elements.iter().map(|bytes| STANDARD.encode(bytes)).collect();
                typed.serialize_entry(name, &texts)
            }
        }?;
        typed.end()
    }
}

/// The typed form, as [`Serialize`] writes it.
///
/// ```
/// use kstone_core::value::Value;
///
/// let value: Value = serde_json::from_str(r#"{"M":{"n":{"N":"1E3"}}}"#).unwrap();
/// assert_eq!(value, Value::map([("n", Value::number(1000))]));
/// assert!(serde_json::from_str::<Value>(r#"{"N":"ten"}"#).is_err());
/// ```
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Typed { levels: 0 }.deserialize(deserializer)
    }
}

/// One value in the typed form, inside this many lists and maps.
#[derive(Clone, Copy)]
struct Typed {
    levels: usize,
}

impl Typed {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        if self.levels == MAX_NESTING_LEVELS {
            return Err(E::custom(format_args!(
                "Nesting Levels have exceeded supported limits: more than {MAX_NESTING_LEVELS} levels"
            )));
        }
        Ok(Self { levels: self.levels + 1 })
    }

    fn payload<'de, A: MapAccess<'de>>(self, type_: Type, map: &mut A) -> Result<Value, A::Error> {
        Ok(match type_ {
            Type::S => Value::S(map.next_value()?),
            Type::N => Value::N(map.next_value::<Number>()?.0),
            Type::B => Value::B(map.next_value::<Base64>()?.0),
            Type::Bool => Value::Bool(map.next_value()?),
            Type::Null => {
                if !map.next_value::<bool>()? {
                    return Err(de::Error::custom("Null attribute value types must have the value of true"));
                }
                Value::Null
            }
            Type::L => Value::L(map.next_value_seed(TypedList(self.inner()?))?),
            Type::M => Value::M(map.next_value_seed(TypedMap(self.inner()?))?),
            Type::SS => Value::SS(map.next_value()?),
            Type::NS => Value::NS(map.next_value::<Vec<Number>>()?.into_iter().map(|number| number.0).collect()),
            Type::BS => Value::BS(map.next_value::<Vec<Base64>>()?.into_iter().map(|bytes| bytes.0).collect()),
        })
    }
}

impl<'de> DeserializeSeed<'de> for Typed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Typed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value such as {\"S\": \"text\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(name) = map.next_key::<String>()? else {
            return Err(de::Error::custom(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        let type_ = Type::from_name(&name)
            .ok_or_else(|| de::Error::custom(format_args!("{name:?} is not an attribute type")))?;
        let value = self.payload(type_, &mut map)?;
        if map.next_key::<String>()?.is_some() {
            return Err(de::Error::custom(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes",
            ));
        }
        Ok(value)
    }
}

/// The values of a list; the seed is that of one value.
struct TypedList(Typed);

impl<'de> DeserializeSeed<'de> for TypedList {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for TypedList {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of attribute values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(self.0)? {
            values.push(value);
        }
        Ok(values)
    }
}

/// The entries of a map; the seed is that of one value.
struct TypedMap(Typed);

impl<'de> DeserializeSeed<'de> for TypedMap {
    type Value = HashMap<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TypedMap {
    type Value = HashMap<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of attribute values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.0)?;
            if entries.contains_key(&name) {
                return Err(de::Error::custom(format_args!("the name {name:?} stands twice in a map")));
            }
            entries.insert(name, value);
        }
        Ok(entries)
    }
}

/// A number's canonical text.
struct Number(String);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        number::canonical(&text).map(|text| Self(text.into_owned())).map_err(de::Error::custom)
    }
}

/// Bytes written as base64 text.
struct Base64(Bytes);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(|error| de::Error::custom(format_args!("not base64: {error}")))?;
        Ok(Self(bytes.into()))
    }
}
