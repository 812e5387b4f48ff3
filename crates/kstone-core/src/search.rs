//! Searches in sorted records. They look at tags in handles and touch a record only where its tag is equal.

use crate::key::{Edge, KeyRef, SortEdge, Tag};
use crate::record::Record;
use crate::same::same_bytes;

/// Records of one tag that are no more than so many are asked for as a whole before their ends are looked at.
pub(crate) const SMALL_RUN: usize = 16;

/// How many handles are looked at one by one before halving what is left.
const NEAR: usize = 8;

/// The first place in sorted `records` that is not before the edge among those of this tag.
pub(crate) fn seek_in(records: &[Record], tag: Tag, edge: Edge<'_>) -> usize {
    let below = records.partition_point(|record| record.tag() < tag);
    below + place_in(tag_run(&records[below..], tag), edge)
}

/// The record with this key among those at the start that have its tag.
#[inline(always)]
pub(crate) fn find_in<'a>(records: &'a [Record], tag: Tag, key: KeyRef<'_>) -> Option<&'a Record> {
    let first = records.first().filter(|first| first.tag() == tag)?;
    // Most are alone, and are what is looked for.
    first.prefetch_item();
    if records.get(1).is_none_or(|next| next.tag() != tag) {
        return first.has_key(key).then_some(first);
    }
    find_in_several(records, tag, key)
}

#[inline(never)]
fn find_in_several<'a>(records: &'a [Record], tag: Tag, key: KeyRef<'_>) -> Option<&'a Record> {
    let run = tag_run(records, tag);
    let at = place_in(run, Edge::Partition(key.pk(), SortEdge::Before(key.sk())));
    run.get(at).filter(|record| record.has_key(key))
}

/// Where this record itself is among sorted ones, each key once.
pub(crate) fn position_of(records: &[Record], record: &Record) -> Option<usize> {
    let tag = record.tag();
    let below = records.partition_point(|other| other.tag() < tag);
    let run = tag_run(&records[below..], tag);
    let at = if run.len() <= NEAR {
        run.iter().position(|other| other.same(record))?
    } else {
        place_in(run, Edge::Partition(record.pk(), SortEdge::Before(record.sk())))
    };
    run.get(at).filter(|other| other.same(record)).map(|_| below + at)
}

/// The records at the start of these that have the tag; they are asked for where they are few.
pub(crate) fn asked_tag_run(records: &[Record], tag: Tag) -> &[Record] {
    let run = tag_run(records, tag);
    if run.len() <= SMALL_RUN {
        run.iter().for_each(Record::prefetch_item);
    }
    run
}

/// The records at the start of these that have the tag.
pub(crate) fn tag_run(records: &[Record], tag: Tag) -> &[Record] {
    let near = records.iter().take(NEAR).take_while(|record| record.tag() == tag).count();
    let far = if near < NEAR { 0 } else { records[near..].partition_point(|record| record.tag() == tag) };
    &records[..near + far]
}

/// The records of a run of one tag that are between these edges. Looks at the ends first: nearly every run is one
/// partition, as most queries want all of it, and each record between that is looked at is a cache miss.
#[inline(always)]
pub(crate) fn between<'a>(run: &'a [Record], from: Edge<'_>, to: Edge<'_>) -> &'a [Record] {
    if let (Edge::Partition(pk, SortEdge::Start), Edge::Partition(to_pk, SortEdge::End)) = (from, to)
        && let [first, .., last] | [first @ last] = run
        && std::ptr::eq(pk, to_pk)
        && same_bytes(first.pk(), pk)
        && same_bytes(last.pk(), pk)
    {
        return run;
    }
    let from = place_in(run, from);
    &run[from..from + place_in(&run[from..], to)]
}

/// The first place in a run of one tag that is not before the edge; as for [`between`], the ends first.
fn place_in(run: &[Record], edge: Edge<'_>) -> usize {
    match edge {
        Edge::Partition(pk, SortEdge::Start) if run.first().is_some_and(|first| same_bytes(first.pk(), pk)) => 0,
        Edge::Partition(pk, SortEdge::End) if run.last().is_some_and(|last| same_bytes(last.pk(), pk)) => run.len(),
        _ => run.partition_point(|record| record.is_before(edge)),
    }
}
