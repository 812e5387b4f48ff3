//! ItemCollectionMetrics of requests that write several items (facts 87): each collection once, of the tables that have
//! local indexes, whose collections are all far below the first gigabyte.
//!
//! Thread safety: plain functions.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_api::{KeyLayout, KeyType};

use crate::answer::Answer;
use crate::attributes::RequestKey;
use crate::catalog::CatalogTable;
use crate::view::Structure;

/// Writes the member `ItemCollectionMetrics` for these items, where the request asks for it.
pub(super) fn write<'w>(
    answer: &mut Answer,
    input: &Structure<'_>,
    written: impl Iterator<Item = (&'w Arc<CatalogTable>, &'w RequestKey<'w>)>,
) {
    if !input.get("ReturnItemCollectionMetrics").is_some_and(|metrics| metrics.quoted().is("SIZE")) {
        return;
    }
    let mut tables: Vec<(&Arc<CatalogTable>, Vec<&RequestKey<'_>>)> = Vec::new();
    for (table, key) in written {
        match tables.iter_mut().find(|(other, _)| Arc::ptr_eq(other, table)) {
            Some((_, keys)) if keys.iter().any(|other| other.pk == key.pk) => {}
            Some((_, keys)) => keys.push(key),
            None => tables.push((table, vec![key])),
        }
    }
    tables.retain(|(table, _)| !table.table.schema().local_indexes().is_empty());
    if tables.is_empty() {
        return;
    }
    answer.name("ItemCollectionMetrics").object(|answer| {
        for (table, keys) in tables {
            let collections = |answer: &mut Answer| {
                keys.iter().for_each(|key| collection(answer, &table.layout, key));
            };
            answer.data_name(&table.name).list(collections);
        }
    });
}

fn collection(answer: &mut Answer, layout: &KeyLayout, key: &RequestKey<'_>) {
    let part = layout.partition();
    let type_ = part.type_().unwrap_or(KeyType::S);
    answer.object(|answer| {
        answer.name("ItemCollectionKey").object(|answer| {
            answer.data_name(part.name()).object(|answer| {
                answer.name(type_.name());
                match std::str::from_utf8(&key.pk) {
                    Ok(text) if type_ != KeyType::B => answer.text(text),
                    _ => answer.text(&STANDARD.encode(&key.pk)),
                }
            });
        });
        answer.name("SizeEstimateRangeGB").list(|answer| {
            answer.double(0.0);
            answer.double(1.0);
        });
    });
}
