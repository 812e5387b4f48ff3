//! Secondary indexes: which entry an item has in each, and which entries a query wants.
//!
//! An entry is a [`Record`] of the index keyspace. Its key puts it where a query looks for it, its body holds what the
//! index shows of the item:
//!
//! ```text
//! local   partition key   index u16 │ the table's partition key
//!         sort key        sort value │ the table's sort key
//!
//! global  partition key   index u16 │ partition values
//!         sort key        sort values, where the index has some │ length u16 │ the table's partition key │ its sort key
//!
//! body    flags u8 │ expires_at i64, where the item expires │ the projected item in its stored form
//! flags   1 where the item expires │ 2 of a local index │ the number of sort values, from the third bit on
//! value   type u8 │ bytes in the order of the values, which end themselves          (see `KeyValue`)
//! ```
//!
//! Numbers of several bytes are big-endian in keys, where they take part in the order. So an entry is found by the
//! bytes of its key alone; entries of equal values lie in one fixed order; two items never share an entry; and the key
//! of the item stands in its entry once. As the stripe comes from what follows the index's number, a local entry lies
//! in the stripe of its item (see [`kstone_core::key`]). Each index has up to four partition attributes and four sort
//! attributes. In a typed table an entry has the label of its item's key, so that what it shows has the key, too, and its
//! body holds none of it.
//!
//! # Invariants
//! 1. An item has at most one entry in an index, and none where it lacks a key attribute (the index is sparse).
//! 2. The entry is a function of index, key, item and expiry: two versions of an item that agree in what the index
//!    shows have equal entries, which are left alone, but for those of an index that is being filled.
//! 3. No entry of one partition value, or of one sort value, lies in the range of another.
//!
//! Thread safety: compiled indexes are plain values, shared freely; everything else is a pure function.

use std::collections::HashSet;

use crate::error::Result;
use kstone_core::buffer::{Buffer, StackBuffer};
use kstone_core::engine::Writes;
use kstone_core::item::ItemRef;
use kstone_core::key::{INDEX_SLOTS, KeyRef, Route, RoutedKey};
use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};
use kstone_core::record::Record;
use smallvec::SmallVec;

use crate::expression::KeySchema;
use crate::model::schema::{GlobalSecondaryIndex, LocalSecondaryIndex, Projection, TableSchema};

mod attribute;
mod coverage;
mod entry;
mod key_value;
mod range;

use attribute::{KeyAttribute, Role, TableItem};
pub use entry::IndexEntry;
pub use key_value::KeyValue;
pub use range::KeyCondition;

/// The number of an index, by which its entries know it. An index keeps it as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct IndexId(pub u16);

impl IndexId {
    /// Which part of the stripes its entries have to themselves.
    fn slot(self) -> u16 {
        self.0 % INDEX_SLOTS
    }

    /// Tells what reads an index from what reads another one, or the table.
    pub(crate) fn key_bytes(index: Option<Self>) -> Vec<u8> {
        index.map_or_else(Vec::new, |Self(number)| number.to_be_bytes().to_vec())
    }
}

/// Whether an index shares the table's partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// It sorts each partition of the table by another attribute.
    Local,
    /// It partitions the table by another attribute.
    Global,
}

/// The indexes of a schema, compiled.
///
/// ```
/// use kstone_api::index::Indexes;
/// use kstone_api::{GlobalSecondaryIndex, TableSchema};
///
/// let by_status = GlobalSecondaryIndex::new("by-status", "status");
/// let schema = TableSchema::new().add_global_index(by_status.clone());
/// let first = Indexes::compile(&schema, &Indexes::default());
/// let by_age = GlobalSecondaryIndex::new("by-age", "age");
/// let schema = TableSchema::new().add_global_index(by_age).add_global_index(by_status);
/// let second = Indexes::compile(&schema, &first);
/// assert_eq!(second.get("by-status"), first.get("by-status"), "what stays keeps its number");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Indexes {
    /// By name: of several that refuse an item, DynamoDB reports the first in this order.
    by_name: Vec<Index>,
    /// The number given out last.
    last_id: IndexId,
}

impl Indexes {
    /// Compiles a validated schema that takes the place of `before`.
    ///
    /// An index of the same name, kind, key attributes and projection is the same index. Any other is new, and its
    /// number is none that `before` knows, nor equal to one of those modulo [`INDEX_SLOTS`]: entries that an index has
    /// left behind are never mistaken for another's, and the entries of each lie by themselves.
    pub fn compile(schema: &TableSchema, before: &Self) -> Self {
        Self::compile_with(schema, before, (true, &[]))
    }

    /// As [`Indexes::compile`], where no number is given that one of the retired has. `keeps` says whether an index of
    /// `before` may be one of this schema's; otherwise all of them are to be filled.
    pub(crate) fn compile_with(schema: &TableSchema, before: &Self, (keeps, retired): (bool, &[IndexId])) -> Self {
        let layout = schema.key_layout().ok().flatten();
        let table = layout.as_ref().unwrap_or(KeyLayout::untyped());
        let local = schema.local_indexes().iter().map(|index| Index::local(index, table));
        let global = schema.global_indexes().iter().map(|index| Index::global(index, table));
        let mut by_name: Vec<Index> = local.chain(global).collect();
        by_name.sort_by(|a, b| a.name.cmp(&b.name));
        let mut last_id = before.last_id;
        // Two tables have at most twice 25 indexes, and few are retired: fewer than there are slots.
        let before_ids = before.iter().map(Index::id);
        let mut slots: Vec<u16> = before_ids.chain(retired.iter().copied()).map(IndexId::slot).collect();
        for index in &mut by_name {
            let same =
                before.get(&index.name).filter(|old| keeps && Index { id: index.id, ..(*old).clone() } == *index);
            index.id = same.map(|old| old.id).unwrap_or_else(|| {
                loop {
                    last_id = IndexId(last_id.0.wrapping_add(1));
                    if !slots.contains(&last_id.slot()) {
                        slots.push(last_id.slot());
                        return last_id;
                    }
                }
            });
        }
        Self { by_name, last_id }
    }

    /// The index of this name.
    pub fn get(&self, name: &str) -> Option<&Index> {
        let at = self.by_name.binary_search_by(|index| index.name().cmp(name)).ok()?;
        Some(&self.by_name[at])
    }

    /// The index of this number.
    pub fn by_id(&self, id: IndexId) -> Option<&Index> {
        self.by_name.iter().find(|index| index.id == id)
    }

    /// The type that a schema declares for a key attribute of this name: one, in all its indexes.
    pub(crate) fn declared_type(&self, attribute: &str) -> Option<KeyType> {
        let parts = self.iter().flat_map(|index| index.partition.iter().chain(&index.sort));
        parts.filter(|part| part.name() == attribute).find_map(KeyPart::type_)
    }

    /// Those of them that are none of these.
    pub(crate) fn without(&self, others: &Self) -> Self {
        let is_other = |index: &&Index| others.by_id(index.id).is_none();
        Self { by_name: self.iter().filter(is_other).cloned().collect(), last_id: self.last_id }
    }

    /// Checks the key attributes of an item that is to be written.
    ///
    /// # Errors
    /// As [`Index::entry`], of the first index by name that refuses the item.
    pub(crate) fn check(&self, key: KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
        let item = TableItem::under(key, item);
        self.iter().try_for_each(|index| index.key_of(&item).map(drop))
    }

    /// The indexes, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Index> {
        self.by_name.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Adds the writes that lead from the entries of an item's old version to those of its new one.
    ///
    /// # Errors
    /// As [`Index::entry`], of the first index by name that refuses the new version.
    pub(crate) fn change(
        &self,
        old: Option<&Version<'_>>,
        new: Option<&Version<'_>>,
        unchanged: Unchanged,
        to: &mut Writes,
    ) -> Result<()> {
        self.iter().try_for_each(|index| index.change(old, new, unchanged, to))
    }

    /// The entries of an item that is in the table already. One that an index refuses is not in that index: it was put
    /// before the index was, as DynamoDB's backfill leaves such items out, too.
    pub fn present_entries(&self, key: KeyRef<'_>, item: ItemRef<'_>, expires_at: Option<i64>) -> Vec<Record> {
        self.iter().filter_map(|index| index.entry_of(key, item, expires_at).ok().flatten()).collect()
    }

    /// Adds the writes of an item's entries in indexes that are being filled; each that refuses the item is noted.
    pub(crate) fn fill(&self, version: &Version<'_>, to: &mut Writes, refused: &mut HashSet<IndexId>) {
        // What is refused was put before the index was.
        let refusing = self.iter().filter(|index| index.change(None, Some(version), Unchanged::Written, to).is_err());
        refused.extend(refusing.map(Index::id));
    }

    /// The indexes that refuse an item that is in the table already, so that it is not in them.
    pub(crate) fn refusing<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = IndexId> + 'a {
        let item = TableItem { key: record.key_ref(), item: record.item() };
        self.iter().filter(move |index| index.key_of(&item).is_err()).map(Index::id)
    }
}

/// What a write of an item does about an entry that it does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unchanged {
    /// The entry is there, and left alone.
    Left,
    /// The index is being filled: the entry may not be there yet, and what fills the index leaves out items that were
    /// written meanwhile.
    Written,
}

/// A version of an item, as indexes see it.
pub(crate) struct Version<'a> {
    item: TableItem<'a>,
    expires_at: Option<i64>,
}

impl<'a> Version<'a> {
    /// The item of a record, and when it expires.
    pub(crate) fn of(record: &'a Record, expires_at: Option<i64>) -> Self {
        Self { item: TableItem { key: record.key_ref(), item: record.item() }, expires_at }
    }
}

/// Up to how many bytes the key of an entry is put together on the stack, and what it shows of an item.
const KEY_ON_STACK_BYTES: usize = 128;
const BODY_ON_STACK_BYTES: usize = 256;

/// The values that make up the key of an entry: those of its partition, then those by which it is sorted.
type EntryKey<'a> = SmallVec<[KeyValue<'a>; 2]>;

/// A key attribute of an index, with the type that the table's key gives to it where the index declares none.
fn typed_by(table: &KeyLayout, part: &KeyPart) -> KeyPart {
    let of_table = table.parts().find(|own| table.is_typed() && own.name() == part.name());
    of_table.unwrap_or(part).clone()
}

/// One index, compiled from its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    id: IndexId,
    name: Box<str>,
    kind: IndexKind,
    partition: Box<[KeyPart]>,
    sort: Box<[KeyPart]>,
    /// Whether `pk` and `sk` are the table's key.
    of_untyped: bool,
    /// The names of the attributes that entries hold, ascending; all attributes where there is no list.
    projected: Option<Vec<Box<str>>>,
}

impl Index {
    fn local(definition: &LocalSecondaryIndex, table: &KeyLayout) -> Self {
        let LocalSecondaryIndex { name, sort_key, projection } = definition;
        let parts = (table.partitions(), std::slice::from_ref(sort_key));
        Self::new((name, IndexKind::Local), parts, projection, table)
    }

    fn global(definition: &GlobalSecondaryIndex, table: &KeyLayout) -> Self {
        let GlobalSecondaryIndex { name, partition_key, sort_key, projection } = definition;
        Self::new((name, IndexKind::Global), (partition_key, sort_key), projection, table)
    }

    fn new(
        (name, kind): (&str, IndexKind),
        (partition, sort): (&[KeyPart], &[KeyPart]),
        projection: &Projection,
        table: &KeyLayout,
    ) -> Self {
        let included: &[String] = match projection {
            Projection::Include(attributes) => attributes,
            Projection::All | Projection::KeysOnly => &[],
        };
        let keys = table.parts().chain(partition).chain(sort).map(KeyPart::name);
        let mut projected: Vec<Box<str>> = keys.chain(included.iter().map(String::as_str)).map(Box::from).collect();
        projected.sort_unstable();
        projected.dedup();
        let projected = (*projection != Projection::All).then_some(projected);
        let (id, of_untyped) = (IndexId::default(), !table.is_typed());
        let [partition, sort] = [partition, sort].map(|parts| parts.iter().map(|part| typed_by(table, part)).collect());
        Self { id, name: name.into(), kind, partition, sort, of_untyped, projected }
    }

    /// Its key as conditions name it.
    pub(crate) fn key_schema(&self) -> KeySchema<'_> {
        KeySchema { partition: &self.partition, sort: &self.sort }
    }

    /// Whether an attribute of this name is part of its key.
    pub(crate) fn has_key_attribute(&self, name: &str) -> bool {
        self.key_schema().names().any(|own| own == name)
    }

    fn partition_attribute_at(&self, at: usize) -> Option<KeyAttribute<'_>> {
        let part = self.partition.get(at)?;
        Some(KeyAttribute { part, role: Role::Partition, of_untyped: self.of_untyped })
    }

    fn sort_attribute_at(&self, at: usize) -> Option<KeyAttribute<'_>> {
        let part = self.sort.get(at)?;
        Some(KeyAttribute { part, role: Role::Sort, of_untyped: self.of_untyped })
    }

    /// Those of its partition, then those by which it is sorted.
    fn attributes(&self) -> impl Iterator<Item = KeyAttribute<'_>> {
        let partition = (0..).map_while(|at| self.partition_attribute_at(at));
        partition.chain((0..).map_while(|at| self.sort_attribute_at(at)))
    }

    /// The number by which its entries know it.
    pub fn id(&self) -> IndexId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is local or global.
    pub fn kind(&self) -> IndexKind {
        self.kind
    }

    /// The attribute that partitions it, the first where there are several; the table's partition key in a local index.
    pub fn partition_attribute(&self) -> &str {
        self.partition.first().map_or("", KeyPart::name)
    }

    /// The attribute that its partitions are sorted by, the first where there are several.
    pub fn sort_attribute(&self) -> Option<&str> {
        self.sort.first().map(KeyPart::name)
    }

    /// All attributes that partition it, with their types.
    pub fn partition_parts(&self) -> &[KeyPart] {
        &self.partition
    }

    /// All attributes that its partitions are sorted by, with their types.
    pub fn sort_parts(&self) -> &[KeyPart] {
        &self.sort
    }

    /// Whether it has more than one partition attribute or more than one sort attribute.
    pub(crate) fn has_several_parts(&self) -> bool {
        self.partition.len() > 1 || self.sort.len() > 1
    }

    /// Whether its entries hold the attribute of this name where the item has it.
    pub fn projects(&self, attribute: &str) -> bool {
        self.projected.as_ref().is_none_or(|names| names.binary_search_by(|name| (**name).cmp(attribute)).is_ok())
    }

    /// Whether its entries hold whole items.
    pub fn projects_all(&self) -> bool {
        self.projected.is_none()
    }

    /// Adds the writes that lead from the entry of an item's old version to that of its new one: a tombstone where it
    /// goes or moves, a put where it comes, moves or shows something else, or where `unchanged` asks for it. An old
    /// version that the index refuses has no entry: it was put before the index was.
    ///
    /// Compares values where they lie: an entry that is left alone is not made. Each write costs one allocation.
    ///
    /// # Errors
    /// As [`Index::entry`], of the new version.
    fn change(
        &self,
        old: Option<&Version<'_>>,
        new: Option<&Version<'_>>,
        unchanged: Unchanged,
        to: &mut Writes,
    ) -> Result<()> {
        let new = match new {
            Some(version) => self.whole_key_of(&version.item)?.map(|key| (key, version)),
            None => None,
        };
        let old = old.and_then(|version| Some((self.whole_key_of(&version.item).ok()??, version)));
        match (old, new) {
            (Some((old_key, old)), Some((key, new))) if old_key == key => {
                if unchanged == Unchanged::Written || !self.shows_alike(old, new) {
                    to.push(self.put(&key, new)?);
                }
            }
            (old, new) => {
                if let Some((key, old)) = old {
                    to.push(self.with_key(&key, old.item.key, |key| (key.route(), Record::tombstone_of(&key)))?);
                }
                if let Some((key, new)) = new {
                    to.push(self.put(&key, new)?);
                }
            }
        }
        Ok(())
    }

    /// Whether the entries of two versions, whose keys are equal, are equal.
    fn shows_alike(&self, old: &Version<'_>, new: &Version<'_>) -> bool {
        // The keys of both are the same.
        let (old_item, item) = (old.item.item.without_key(), new.item.item.without_key());
        let is_shown = |(name, _): &(&str, _)| self.projects(name);
        old.expires_at == new.expires_at
            && match self.projects_all() {
                true => old_item == item,
                false => old_item.iter().filter(is_shown).eq(item.iter().filter(is_shown)),
            }
    }

    /// The entry of a version under its key, and where it belongs.
    fn put(&self, key: &EntryKey<'_>, version: &Version<'_>) -> Result<(Route, Record)> {
        let head = entry::head(self.kind, self.sort.len(), version.expires_at);
        self.with_key(key, version.item.key, |key| {
            let record = match self.projects_all() {
                true => Record::put_pieces(&key, &[&head, version.item.item.as_bytes()]),
                false => {
                    let mut shown = StackBuffer::<BODY_ON_STACK_BYTES>::new();
                    version.item.item.without_key().copy_where(&mut shown, |name| self.projects(name));
                    Record::put_pieces(&key, &[&head, &shown])
                }
            };
            (key.route(), record)
        })
    }

    /// Calls back with the key of an entry, which is on the stack where it is not long.
    fn with_key<T>(
        &self,
        values: &[KeyValue<'_>],
        table_key: KeyRef<'_>,
        use_key: impl FnOnce(RoutedKey<'_>) -> T,
    ) -> Result<T> {
        let mut bytes = StackBuffer::<KEY_ON_STACK_BYTES>::new();
        let (partition, sort) = values.split_at(self.partition.len());
        self.put_partition(partition, table_key.pk(), &mut bytes);
        let sk_at = bytes.len();
        sort.iter().for_each(|value| value.put(&mut bytes));
        entry::put_table_key(self.kind, table_key.pk(), table_key.sk(), &mut bytes);
        let (pk, sk) = bytes.split_at(sk_at);
        Ok(use_key(KeyRef::index_entry(pk, sk)?.with_label(table_key.label()).into()))
    }

    /// The values that make up the key of an item's entry; none where it lacks one of them.
    fn whole_key_of<'a>(&self, source: &TableItem<'a>) -> Result<Option<EntryKey<'a>>> {
        let key = self.key_of(source)?;
        Ok((key.len() == self.partition.len() + self.sort.len()).then_some(key))
    }

    /// The values of an item's key attributes, those that it has.
    fn key_of<'a>(&self, source: &TableItem<'a>) -> Result<EntryKey<'a>> {
        // All are looked at before one may be missing: what is there must be right.
        let mut key = EntryKey::new();
        for attribute in self.attributes() {
            key.extend(attribute.value_in(&self.name, source)?);
        }
        Ok(key)
    }

    /// The entry of the item of an untyped table under this key; none where the item lacks a key attribute.
    ///
    /// Costs a look-up of each key attribute, one pass over the item where not all is projected, one copy of what
    /// is, and one allocation.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) in DynamoDB's words where a key attribute is of another type than the
    /// schema declares, is neither S, N nor B, is empty, or is longer than a partition key (2048 bytes) or a sort key (1024
    /// bytes) may be; also where another key attribute is missing.
    pub fn entry(&self, pk: &[u8], sk: &[u8], item: ItemRef<'_>, expires_at: Option<i64>) -> Result<Option<Record>> {
        self.entry_of(KeyRef::new(pk, sk)?, item, expires_at)
    }

    /// As [`Index::entry`], of an item of any table: its body without the attributes of its key.
    ///
    /// # Errors
    /// As [`Index::entry`].
    pub fn entry_of(&self, key: KeyRef<'_>, item: ItemRef<'_>, expires_at: Option<i64>) -> Result<Option<Record>> {
        let version = Version { item: TableItem::under(key, item), expires_at };
        let key = self.whole_key_of(&version.item)?;
        key.map(|key| self.put(&key, &version).map(|(_, record)| record)).transpose()
    }

    /// Partition key and sort key of the entry that an item with these attributes, under this key, has or would have; none
    /// where one is missing or no key can have it.
    pub(crate) fn place_of(&self, key: KeyRef<'_>, item: ItemRef<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
        let item = TableItem::under(key, item);
        let values = self.whole_key_of(&item).ok()??;
        self.with_key(&values, key, |key| (key.key().pk().to_vec(), key.key().sk().to_vec())).ok()
    }

    /// The partition key of the entries with these partition values, or of the partition `pk` of a local index.
    fn put_partition(&self, values: &[KeyValue<'_>], pk: &[u8], out: &mut impl Buffer) {
        out.extend_from_slice(&self.id.0.to_be_bytes());
        match self.kind {
            IndexKind::Local => out.extend_from_slice(pk),
            IndexKind::Global => values.iter().for_each(|value| value.put(out)),
        }
    }
}

#[cfg(test)]
mod tests;
