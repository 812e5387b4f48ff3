//! kstone's documents: an item of 20 attributes, filters over scans, indexes that come and go by `kstone_configure`.

use std::ffi::CString;
use std::hint::black_box;
use std::ptr::null_mut;

use super::{BuiltItem, Kstone, attribute_of, empty_spec};
use crate::data::{Key, Shape, value_of};
use crate::documents::{ATTRIBUTES, Documents, FILTERED, Filter, INDEXED, index_key, text, text_of};
use crate::ffi;
use crate::store::Result;

/// The names of the attributes that indexed records have next to their value.
const KEYS: [&str; 3] = ["e1", "e2", "e3"];

fn name(attribute: usize) -> String {
    format!("a{attribute:02}")
}

fn schema<'a>(indexed: impl IntoIterator<Item = &'a str>) -> String {
    let index = |name| format!(r#"{{"name":"by-{name}","partition_key":"{name}"}}"#);
    let indexes: Vec<String> = indexed.into_iter().map(index).collect();
    format!(r#"{{"name":"items","global_indexes":[{}]}}"#, indexes.join(","))
}

fn expression(filter: Filter) -> String {
    let name = name(FILTERED);
    match filter {
        Filter::Equal => format!("{name} = :0"),
        Filter::Or => format!("{name} = :0 OR {name} = :1"),
        Filter::In => format!("{name} IN (:0, :1, :2, :3, :4, :5)"),
    }
}

impl Kstone {
    fn configure(&self, schema: &str) {
        // SAFETY: the text comes with its length; no error object is asked for.
        let status = unsafe { ffi::kstone_configure(self.db, schema.as_ptr().cast(), schema.len(), null_mut()) };
        assert_eq!(status, ffi::OK);
    }

    fn put_item(&self, key: &Key, item: &BuiltItem) {
        // SAFETY: every pointer comes with the length of what it points at; there is no sk.
        let status = unsafe {
            ffi::kstone_put(self.db, key.as_ptr().cast(), key.len(), std::ptr::null(), 0, item.0, null_mut())
        };
        assert_eq!(status, ffi::OK);
    }
}

impl Documents for Kstone {
    fn open_documents() -> Result<Self> {
        Self::with_memtable(0, Shape::Points)
    }

    fn put_documents(&mut self, keys: &[Key]) {
        let names: [String; ATTRIBUTES] = std::array::from_fn(name);
        for key in keys {
            let mut item = BuiltItem::new();
            for (i, name) in names.iter().enumerate() {
                item.set_str(name, &text(key, i));
            }
            self.put_item(key, &item);
        }
    }

    fn filter(&mut self, filter: Filter) -> usize {
        let mut params = BuiltItem::new();
        for value in 0..filter.values() {
            params.set_str(&format!(":{value}"), &text_of(value));
        }
        let (text, name) = (expression(filter), CString::new(name(FILTERED)).expect("a name has no NUL"));
        let spec =
            ffi::QuerySpec { filter: text.as_ptr().cast(), filter_len: text.len(), params: params.0, ..empty_spec() };
        let mut seen = 0;
        self.visit_items(spec, |item| {
            black_box(attribute_of(item, &name).first());
            seen += 1;
        });
        seen
    }

    fn build_index(&mut self) {
        self.configure(&schema([name(INDEXED).as_str()]));
    }

    fn drop_index(&mut self) {
        self.configure(&schema([]));
    }

    fn open_indexed(indexes: usize) -> Result<Self> {
        Self::with(0, &schema(KEYS.into_iter().take(indexes)), Shape::Points)
    }

    fn put_indexed(&mut self, keys: &[Key]) {
        for key in keys {
            let mut item = BuiltItem::new();
            for (i, name) in KEYS.iter().enumerate() {
                item.set_str(name, str::from_utf8(&index_key(key, i)).expect("letters are text"));
            }
            item.set_str("v", str::from_utf8(value_of(key)).expect("values are text"));
            self.put_item(key, &item);
        }
    }
}
