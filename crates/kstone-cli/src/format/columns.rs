//! Which attributes a result shows, in which order.

use std::collections::BTreeSet;

use kstone_api::{ItemRef, KeyLayout, ValueRef};

/// The columns of a result: those that the statement names, as it names them; then what else turns up, the key first
/// and the rest by name.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    named: Vec<String>,
    met: BTreeSet<String>,
    key: KeyLayout,
}

impl Columns {
    pub(crate) fn named(names: &[String]) -> Self {
        Self { named: names.to_vec(), met: BTreeSet::new(), key: KeyLayout::untyped().clone() }
    }

    /// The same of a table of this key.
    pub(crate) fn of_key(self, key: KeyLayout) -> Self {
        Self { key, ..self }
    }

    /// Whether the statement says which columns there are.
    pub(crate) fn are_named(&self) -> bool {
        !self.named.is_empty()
    }

    /// Makes columns of an item's attributes.
    pub(crate) fn meet(&mut self, item: ItemRef<'_>) {
        for (name, _) in item {
            if !self.contains(name) {
                self.met.insert(name.to_owned());
            }
        }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.met.contains(name) || self.named.iter().any(|named| named == name)
    }

    /// All columns in their order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut met: Vec<&str> = self.met.iter().map(String::as_str).collect();
        met.sort_by_key(|name| self.rank(name));
        self.named.iter().map(String::as_str).chain(met).collect()
    }

    /// An item's attributes in the order of the columns, whether they are columns or not.
    pub(crate) fn sort<'i>(&self, item: ItemRef<'i>) -> Vec<(&'i str, ValueRef<'i>)> {
        let mut attributes: Vec<_> = item.iter().collect();
        // Stable, so that those of no rank stay ordered by name, as they are in the item.
        attributes.sort_by_key(|(name, _)| self.rank(name));
        attributes
    }

    /// Where an attribute comes before others: at its place in the statement, or first if it is of the key.
    fn rank(&self, name: &str) -> usize {
        let named = self.named.iter().position(|named| named == name);
        named.unwrap_or(self.named.len() + self.key.parts().position(|part| part.name() == name).unwrap_or(2))
    }

    /// Forgets the attributes that were met in addition to the named ones.
    pub(crate) fn forget_met(&mut self) {
        self.met.clear();
    }
}
