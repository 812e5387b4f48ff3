//! The names that can be completed: of the table, of indexes and of attributes.

use std::collections::BTreeSet;

use kstone_api::{Database, KeyLayout, Scan};

use crate::session::indexes::indexes;

/// How many names of attributes are kept, and how many items are looked at for them.
const ATTRIBUTES_MAX: usize = 1_000;
const ITEMS_MAX: usize = 200;

/// What the database and the statements so far have named.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    table: String,
    indexes: Vec<String>,
    attributes: BTreeSet<String>,
}

impl Vocabulary {
    /// Takes the table's and the indexes' names from the schema, and attributes' names from there and from the
    /// database's first items.
    pub(crate) fn learn(&mut self, db: &Database) {
        let schema = db.schema();
        self.table = schema.table_name().unwrap_or("items").to_owned();
        self.indexes.clear();
        let layout = schema.key_layout().ok().flatten();
        for part in layout.as_ref().unwrap_or(KeyLayout::untyped()).parts() {
            self.learn_attribute(part.name());
        }
        for index in indexes(&schema) {
            self.learn_attribute(&index.partition_key);
            index.sort_key.iter().for_each(|name| self.learn_attribute(name));
            self.indexes.push(index.name);
        }
        schema.ttl_attribute().into_iter().for_each(|name| self.learn_attribute(name));
        // A database that cannot be read has no names to offer; the next statement says why.
        if let Ok(page) = db.scan_page(&Scan::new().limit(ITEMS_MAX)) {
            for record in &page.records {
                record.item().iter().for_each(|(name, _)| self.learn_attribute(name));
            }
        }
    }

    /// Takes an attribute's name, up to [`ATTRIBUTES_MAX`] of them.
    pub(crate) fn learn_attribute(&mut self, name: &str) {
        if self.attributes.len() < ATTRIBUTES_MAX && !self.attributes.contains(name) {
            self.attributes.insert(name.to_owned());
        }
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn indexes(&self) -> &[String] {
        &self.indexes
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(String::as_str)
    }
}
