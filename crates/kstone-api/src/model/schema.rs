//! The schema of a table: its secondary indexes, the attribute that expires items, its stream.
//!
//! ```
//! use kstone_api::{GlobalSecondaryIndex, LocalSecondaryIndex, Projection, StreamViewType, TableSchema};
//!
//! let schema = TableSchema::new()
//!     .name("orders")
//!     .add_local_index(LocalSecondaryIndex::new("by-date", "ordered_at"))
//!     .add_global_index(
//!         GlobalSecondaryIndex::new("by-status", "status").sort_key("total").projection(Projection::KeysOnly),
//!     )
//!     .with_ttl("expires_at")
//!     .with_stream(StreamViewType::NewAndOldImages);
//! schema.validate()?;
//! # Ok::<(), kstone_api::Error>(())
//! ```
//!
//! The same as JSON text, which [`TableSchema::from_json`] reads and [`TableSchema::to_json`] writes:
//!
//! ```text
//! { "name": "orders",
//!   "partition_key"?: {"name": "customer", "type": "S"}, "sort_key"?: {"name": "ordered_at", "type": "N"},
//!   "local_indexes":  [{"name": "by-date", "sort_key": "ordered_at", "projection"?}],
//!   "global_indexes": [{"name": "by-status", "partition_key": "status", "sort_key"?: "total",
//!                       "projection"?: "KEYS_ONLY"}],
//!   "ttl_attribute": "expires_at", "ttl_visible"?: true,
//!   "stream": {"view_type": "NEW_AND_OLD_IMAGES", "capacity"?: 100000} }
//! ```
//!
//! Every member may be left out but those of an index or a stream without `?`. A projection is `"ALL"`, the default,
//! `"KEYS_ONLY"` or a list of attribute names.
//!
//! Builders take whatever they are given; [`TableSchema::validate`] says what is wrong with the whole. As key
//! attributes of an index, `pk` and `sk` are the table's key where that has no types: a global index by `sk` is the usual
//! inverted index. Key attributes that are named alone have no declared type: one of an item may be S, N or B, and each
//! item's orders among those of its type. Those of a typed table's key have its types. With a type they take values of that type only, in all indexes and the table's key
//! alike; a global index may have up to [`KEY_PARTS_MAX`] of each sort then:
//!
//! ```text
//! { "name": "by-region", "partition_key": [{"name": "region", "type": "S"}, {"name": "tier", "type": "N"}],
//!   "sort_key": {"name": "total", "type": "N"} }
//! ```

use std::collections::{HashMap, HashSet};

use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};

use crate::error::{Error, Reason, Result, Rule};

pub use crate::expression::KEY_PARTS_MAX;
use crate::table::stream::{STREAM_CAPACITY, STREAM_CAPACITY_LIMIT, StreamViewType};

mod json;

/// The most local indexes of a table, DynamoDB's.
pub const LOCAL_INDEXES_MAX: usize = 5;
/// The most global indexes of a table, DynamoDB's default quota.
pub const GLOBAL_INDEXES_MAX: usize = 20;
/// The most attributes that the INCLUDE projections of a table may name in all, DynamoDB's.
pub const PROJECTED_ATTRIBUTES_MAX: usize = 100;

/// The names that tables and indexes may have: this many characters of `[a-zA-Z0-9_.-]`.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=255;
/// The names that key attributes, projected attributes and the TTL attribute may have, in characters.
const ATTRIBUTE_CHARS: std::ops::RangeInclusive<usize> = 1..=255;

/// What a table is besides its items. See the module for an example and for its form as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableSchema {
    pub(crate) name: Option<String>,
    pub(crate) partition_key: Option<KeyPart>,
    pub(crate) sort_key: Option<KeyPart>,
    pub(crate) local_indexes: Vec<LocalSecondaryIndex>,
    pub(crate) global_indexes: Vec<GlobalSecondaryIndex>,
    pub(crate) ttl_attribute: Option<String>,
    pub(crate) ttl_visible: bool,
    pub(crate) stream: Option<StreamSpecification>,
}

impl TableSchema {
    /// A table without a name, indexes, TTL or stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The schema that this JSON text describes, validated.
    ///
    /// # Errors
    /// [`Error::Invalid`] for text that is not JSON, an unknown or repeated member, a missing one or one of the wrong
    /// type, saying which at which line and column; as [`TableSchema::validate`] for the rest.
    ///
    /// ```
    /// use kstone_api::TableSchema;
    ///
    /// let schema = TableSchema::from_json(r#"{"ttl_attribute": "expires_at"}"#)?;
    /// assert_eq!(schema, TableSchema::new().with_ttl("expires_at"));
    /// assert!(TableSchema::from_json(r#"{"ttl": "expires_at"}"#).is_err());
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self> {
        let schema = json::read(text)?;
        schema.validate()?;
        Ok(schema)
    }

    /// The schema as JSON text, without spaces and without what is not set.
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// What the table is called: in statements, where it is `items` without a name, and in an account, where it needs one.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The attribute that partitions the table, and its type: the table is typed then. Without it keys are bytes that
    /// callers give with each item, called `pk` and `sk`. Items of a typed table carry their key attributes; these live in
    /// the key alone.
    #[must_use]
    pub fn partition_key(mut self, attribute: impl Into<String>, type_: KeyType) -> Self {
        self.partition_key = Some(KeyPart::new(attribute.into(), type_));
        self
    }

    /// The attribute that the partitions of a typed table are sorted by, and its type.
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>, type_: KeyType) -> Self {
        self.sort_key = Some(KeyPart::new(attribute.into(), type_));
        self
    }

    /// Adds an index of each partition by another sort key.
    #[must_use]
    pub fn add_local_index(mut self, index: LocalSecondaryIndex) -> Self {
        self.local_indexes.push(index);
        self
    }

    /// Adds an index of the table by another partition key.
    #[must_use]
    pub fn add_global_index(mut self, index: impl Into<GlobalSecondaryIndex>) -> Self {
        self.global_indexes.push(index.into());
        self
    }

    /// The same without its indexes: any item may be put then, also one that an index would refuse. Indexes that are
    /// added behind the items leave such items out.
    #[must_use]
    pub fn without_indexes(mut self) -> Self {
        self.local_indexes.clear();
        self.global_indexes.clear();
        self
    }

    /// The same without the global index of this name.
    #[must_use]
    pub fn without_global_index(mut self, name: &str) -> Self {
        self.global_indexes.retain(|index| index.name != name);
        self
    }

    /// The same without the local index of this name.
    #[must_use]
    pub fn without_local_index(mut self, name: &str) -> Self {
        self.local_indexes.retain(|index| index.name != name);
        self
    }

    /// The same, whose items do not expire.
    #[must_use]
    pub fn without_ttl(mut self) -> Self {
        self.ttl_attribute = None;
        self.ttl_visible = false;
        self
    }

    /// The same without a stream.
    #[must_use]
    pub fn without_stream(mut self) -> Self {
        self.stream = None;
        self
    }

    /// Items expire at the epoch second that this attribute holds, a number.
    #[must_use]
    pub fn with_ttl(mut self, attribute: impl Into<String>) -> Self {
        self.ttl_attribute = Some(attribute.into());
        self
    }

    /// Shows an item that has expired until something removes it, and updates it, as DynamoDB does. Without this it is
    /// gone at once, for reads and writes alike. See [`crate::ttl`].
    #[must_use]
    pub fn with_ttl_visible(mut self) -> Self {
        self.ttl_visible = true;
        self
    }

    /// Keeps a stream of the changes: a [`StreamViewType`], or a [`StreamSpecification`] to say how many.
    #[must_use]
    pub fn with_stream(mut self, stream: impl Into<StreamSpecification>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// What the table is called, if it has a name.
    pub fn table_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The names and types of a typed table's key; none of an untyped one.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for names that no key can have, and for a sort key alone.
    pub fn key_layout(&self) -> Result<Option<KeyLayout>> {
        match (&self.partition_key, &self.sort_key) {
            (Some(partition), sort) => Ok(Some(KeyLayout::new(partition.clone(), sort.clone())?)),
            (None, None) => Ok(None),
            (None, Some(sort)) => Err(Error::from(Reason::SortKeyAlone { sort: sort.name().into() })),
        }
    }

    /// The local indexes, as they were added.
    pub fn local_indexes(&self) -> &[LocalSecondaryIndex] {
        &self.local_indexes
    }

    /// The global indexes, as they were added.
    pub fn global_indexes(&self) -> &[GlobalSecondaryIndex] {
        &self.global_indexes
    }

    /// The attribute that says when an item expires.
    pub fn ttl_attribute(&self) -> Option<&str> {
        self.ttl_attribute.as_deref()
    }

    /// Whether an item that has expired is seen until something removes it.
    pub fn ttl_visible(&self) -> bool {
        self.ttl_visible
    }

    /// The stream of changes.
    pub fn stream(&self) -> Option<StreamSpecification> {
        self.stream
    }

    /// Checks the schema as a whole against DynamoDB's rules: names of tables and indexes are 3 to 255 of
    /// `[a-zA-Z0-9_.-]` and no two indexes share one; there are at most [`LOCAL_INDEXES_MAX`] and
    /// [`GLOBAL_INDEXES_MAX`] of them; their two key attributes differ; INCLUDE names at least one attribute, each
    /// once, all indexes together at most [`PROJECTED_ATTRIBUTES_MAX`]; names of attributes have 1 to 255 characters; a
    /// stream keeps 1 to [`STREAM_CAPACITY_LIMIT`] records.
    ///
    /// # Errors
    /// [`Error::Invalid`] saying what is wrong and where, in DynamoDB's words where it has some.
    pub fn validate(&self) -> Result<()> {
        if let Some(name) = &self.name {
            check_name("name", name)?;
        }
        let layout = self.key_layout()?;
        let partition = layout.as_ref().unwrap_or(KeyLayout::untyped()).partition();
        for (i, index) in self.local_indexes.iter().enumerate() {
            let place = |member| format!("local_indexes[{i}].{member}");
            check_name(&place("name"), &index.name)?;
            check_attribute(&place("sort_key"), index.sort_key.name())?;
            check_keys_differ([partition, &index.sort_key], &index.name)?;
            check_projection(&place("projection"), &index.projection, &index.name)?;
        }
        for (i, index) in self.global_indexes.iter().enumerate() {
            let place = |member| format!("global_indexes[{i}].{member}");
            check_name(&place("name"), &index.name)?;
            check_parts(&place("partition_key"), &index.partition_key, 1)?;
            check_parts(&place("sort_key"), &index.sort_key, 0)?;
            check_keys_differ(index.partition_key.iter().chain(&index.sort_key), &index.name)?;
            check_projection(&place("projection"), &index.projection, &index.name)?;
        }
        self.check_types(layout.as_ref())?;
        self.check_counts()?;
        if let Some(attribute) = &self.ttl_attribute {
            check_attribute("ttl_attribute", attribute)?;
        } else if self.ttl_visible {
            return Err(Error::from(Reason::VisibleForever));
        }
        match self.stream {
            Some(stream) if !(1..=STREAM_CAPACITY_LIMIT).contains(&stream.capacity) => {
                Err(Error::from(Reason::StreamCapacity { found: stream.capacity, max: STREAM_CAPACITY_LIMIT }))
            }
            _ => Ok(()),
        }
    }

    /// Refuses an attribute of two types, and a type for the key of an untyped table.
    fn check_types(&self, layout: Option<&KeyLayout>) -> Result<()> {
        let local = self.local_indexes.iter().map(|index| &index.sort_key);
        let global = self.global_indexes.iter().flat_map(|index| index.partition_key.iter().chain(&index.sort_key));
        let of_table = layout.into_iter().flat_map(KeyLayout::parts);
        let mut types: HashMap<&str, KeyType> = HashMap::new();
        for part in of_table.chain(local).chain(global) {
            let (name, Some(type_)) = (part.name(), part.type_()) else { continue };
            if layout.is_none() && KeyLayout::untyped().has(name) {
                return Err(Error::from(Reason::UntypedDeclared { name: name.into() }));
            }
            match types.insert(name, type_) {
                Some(other) if other != type_ => {
                    return Err(Error::from(Reason::TwoTypes {
                        name: name.into(),
                        first: other.name(),
                        second: type_.name(),
                    }));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What concerns all indexes together.
    fn check_counts(&self) -> Result<()> {
        let mut names = HashSet::new();
        let local = self.local_indexes.iter().map(|index| (&index.name, &index.projection));
        let global = self.global_indexes.iter().map(|index| (&index.name, &index.projection));
        let mut projected = 0;
        for (name, projection) in local.chain(global) {
            if !names.insert(name) {
                return Err(Reason::IndexTwice { name: name.as_str().into() }.into());
            }
            if let Projection::Include(attributes) = projection {
                projected += attributes.len();
            }
        }
        if self.local_indexes.len() > LOCAL_INDEXES_MAX {
            return Err(Reason::TooManyLocalIndexes { limit: LOCAL_INDEXES_MAX }.into());
        }
        if self.global_indexes.len() > GLOBAL_INDEXES_MAX {
            return Err(Reason::TooManyGlobalIndexes { limit: GLOBAL_INDEXES_MAX }.into());
        }
        if projected > PROJECTED_ATTRIBUTES_MAX {
            return Err(Reason::TooManyProjected { found: projected, limit: PROJECTED_ATTRIBUTES_MAX }.into());
        }
        Ok(())
    }
}

/// An index of each partition of the table by another sort key: its items, in the order of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSecondaryIndex {
    pub(crate) name: String,
    pub(crate) sort_key: KeyPart,
    pub(crate) projection: Projection,
}

impl LocalSecondaryIndex {
    /// An index that sorts by this attribute, of any type that a key can have, and shows whole items.
    pub fn new(name: impl Into<String>, sort_key: impl Into<String>) -> Self {
        Self::of(name.into(), KeyPart::of_any_type(sort_key.into()))
    }

    /// An index that sorts by this attribute of this type and shows whole items.
    pub fn typed(name: impl Into<String>, sort_key: impl Into<String>, type_: KeyType) -> Self {
        Self::of(name.into(), KeyPart::new(sort_key.into(), type_))
    }

    fn of(name: String, sort_key: KeyPart) -> Self {
        Self { name, sort_key, projection: Projection::All }
    }

    /// What the index shows of an item.
    #[must_use]
    pub fn projection(mut self, projection: Projection) -> Self {
        self.projection = projection;
        self
    }

    /// The index's name.
    #[must_use]
    pub fn index_name(&self) -> &str {
        &self.name
    }

    /// The attribute that the index sorts by.
    #[must_use]
    pub fn sort_attribute(&self) -> &str {
        self.sort_key.name()
    }

    /// The same with its type.
    #[must_use]
    pub fn sort_part(&self) -> &KeyPart {
        &self.sort_key
    }

    /// What [`projection`](Self::projection) was told.
    #[must_use]
    pub fn projected(&self) -> &Projection {
        &self.projection
    }
}

/// An index of the whole table by another partition key and, where it has one, another sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalSecondaryIndex {
    pub(crate) name: String,
    pub(crate) partition_key: Vec<KeyPart>,
    pub(crate) sort_key: Vec<KeyPart>,
    pub(crate) projection: Projection,
}

impl GlobalSecondaryIndex {
    /// An index by this attribute, of any type that a key can have, without a sort key, that shows whole items.
    pub fn new(name: impl Into<String>, partition_key: impl Into<String>) -> Self {
        let partition_key = vec![KeyPart::of_any_type(partition_key.into())];
        Self { name: name.into(), partition_key, sort_key: Vec::new(), projection: Projection::All }
    }

    /// Sorts each partition of the index by this attribute, of any type that a key can have; items that lack it are not in
    /// the index.
    #[must_use]
    pub fn sort_key(mut self, attribute: impl Into<String>) -> Self {
        self.sort_key = vec![KeyPart::of_any_type(attribute.into())];
        self
    }

    /// What the index shows of an item.
    #[must_use]
    pub fn projection(mut self, projection: Projection) -> Self {
        self.projection = projection;
        self
    }

    /// The index's name.
    #[must_use]
    pub fn index_name(&self) -> &str {
        &self.name
    }

    /// The attribute that is the index's partition key, the first where it has several.
    #[must_use]
    pub fn partition_attribute(&self) -> &str {
        self.partition_key.first().map_or("", KeyPart::name)
    }

    /// The attribute that the index sorts by, the first where it has several; none where it has none.
    #[must_use]
    pub fn sort_attribute(&self) -> Option<&str> {
        self.sort_key.first().map(KeyPart::name)
    }

    /// All attributes of the partition key, with their types.
    #[must_use]
    pub fn partition_parts(&self) -> &[KeyPart] {
        &self.partition_key
    }

    /// All attributes that the index sorts by, with their types.
    #[must_use]
    pub fn sort_parts(&self) -> &[KeyPart] {
        &self.sort_key
    }

    /// What [`projection`](Self::projection) was told.
    #[must_use]
    pub fn projected(&self) -> &Projection {
        &self.projection
    }
}

/// What an index shows of an item, and keeps a copy of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Projection {
    /// Every attribute.
    #[default]
    All,
    /// The table's key and the index's key attributes.
    KeysOnly,
    /// The keys and the attributes of these names. A name is that of a whole attribute: a dot in it is part of it.
    Include(Vec<String>),
}

/// A stream of changes: what it shows and how many records it keeps.
///
/// ```
/// use kstone_api::{StreamSpecification, StreamViewType, TableSchema};
///
/// let audit = StreamSpecification::new(StreamViewType::NewAndOldImages).capacity(1_000_000);
/// let schema = TableSchema::new().with_stream(audit);
/// # assert_eq!(schema.stream(), Some(audit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSpecification {
    /// What a record shows.
    pub view_type: StreamViewType,
    /// The most records kept; beyond it the oldest go, and a reader that has not read them is told so.
    pub capacity: usize,
}

impl StreamSpecification {
    /// A stream of [`STREAM_CAPACITY`] records.
    pub fn new(view_type: StreamViewType) -> Self {
        Self { view_type, capacity: STREAM_CAPACITY }
    }

    /// Keeps this many records: 1 to [`STREAM_CAPACITY_LIMIT`].
    #[must_use]
    pub fn capacity(mut self, records: usize) -> Self {
        self.capacity = records;
        self
    }
}

impl From<StreamViewType> for StreamSpecification {
    fn from(view_type: StreamViewType) -> Self {
        Self::new(view_type)
    }
}

/// A value that breaks a rule of its shape.
fn breaks_rule(place: &str, value: &str, rule: Rule) -> Error {
    Reason::BreaksRule { value: quoted(value).into(), place: place.into(), rule }.into()
}

fn check_name(place: &str, name: &str) -> Result<()> {
    check_length(place, name, &NAME_CHARS)?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        return Err(breaks_rule(place, name, Rule::NameCharacters));
    }
    Ok(())
}

fn check_attribute(place: &str, name: &str) -> Result<()> {
    check_length(place, name, &ATTRIBUTE_CHARS)
}

fn check_length(place: &str, text: &str, chars: &std::ops::RangeInclusive<usize>) -> Result<()> {
    let found = text.chars().count();
    if found < *chars.start() {
        return Err(breaks_rule(place, text, Rule::LengthFrom(*chars.start())));
    }
    if found > *chars.end() {
        return Err(breaks_rule(place, text, Rule::LengthTo(*chars.end())));
    }
    Ok(())
}

/// Checks the attributes of the partition key, or of the sort key, of an index.
fn check_parts(place: &str, parts: &[KeyPart], least: usize) -> Result<()> {
    if !(least..=KEY_PARTS_MAX).contains(&parts.len()) {
        return Err(Error::from(Reason::KeyPartCount {
            place: place.into(),
            found: parts.len(),
            least,
            most: KEY_PARTS_MAX,
        }));
    }
    match parts {
        [one] => check_attribute(place, one.name()),
        _ => parts.iter().enumerate().try_for_each(|(i, part)| check_attribute(&format!("{place}[{i}]"), part.name())),
    }
}

fn check_keys_differ<'a>(parts: impl IntoIterator<Item = &'a KeyPart>, index: &str) -> Result<()> {
    let mut names = HashSet::new();
    match parts.into_iter().map(KeyPart::name).find(|name| !names.insert(*name)) {
        None => Ok(()),
        Some(twice) => Err(Error::from(Reason::SameKeyNames { index: index.into(), attribute: twice.into() })),
    }
}

fn check_projection(place: &str, projection: &Projection, index: &str) -> Result<()> {
    let Projection::Include(attributes) = projection else { return Ok(()) };
    if attributes.is_empty() {
        return Err(Reason::ProjectsNothing { index: index.into() }.into());
    }
    let mut names = HashSet::new();
    for (i, attribute) in attributes.iter().enumerate() {
        check_attribute(&format!("{place}[{i}]"), attribute)?;
        if !names.insert(attribute) {
            return Err(Reason::ProjectedTwice { attribute: attribute.as_str().into(), index: index.into() }.into());
        }
    }
    Ok(())
}

/// `text`, cut where it is long.
fn quoted(text: &str) -> String {
    const QUOTED_CHARS: usize = 64;
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
