//! The streams of an account, by their ARNs: those in force, and for 24 hours those that have ended.
//!
//! ```text
//! a table gets a stream ─► opened: a label, an ARN ──────────────────► ListStreams, DescribeStream
//! it loses it, or is deleted ─► ended ─ 24 hours by the account's clock ─► forgotten
//! ```
//! A stream is one shard for its life. What it holds is [`kstone_api::stream::Stream`]'s, which a table and its streams
//! here share; a stream that ended is read to its end. All that have ended hold together no more bytes than one stream
//! may, so that what is switched on and off all day stays bounded.
//!
//! Thread safety: looks take a read lock for a moment; changes take a write lock.

pub(crate) mod iterator;
pub(crate) mod label;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use kstone_api::KeyLayout;
use kstone_api::Table;
use kstone_api::stream::{STREAM_MAX_BYTES, Stream};
use parking_lot::RwLock;

/// For how many seconds a record is kept, and a stream that has ended.
pub(crate) const RETENTION_SECONDS: i64 = 24 * 60 * 60;
/// The most streams that have ended and are still known. AWS has no such number.
const ENDED_MAX: usize = 1000;

/// The streams of an account. Ascending by table and label, which is the order of their ARNs.
pub(crate) struct Streams {
    /// What stands before a table's name in an ARN.
    prefix: Box<str>,
    known: RwLock<BTreeMap<StreamName, Arc<KnownStream>>>,
}

/// What tells a stream from all others of its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamName {
    pub(crate) table: Box<str>,
    pub(crate) label: Box<str>,
}

/// A stream, and what is known of it.
pub(crate) struct KnownStream {
    pub(crate) name: StreamName,
    pub(crate) created_millis: i64,
    /// Names and types of its table's key.
    pub(crate) layout: KeyLayout,
    kept: Kept,
}

/// Where its records are.
enum Kept {
    /// In the stream that this table has.
    Open(Table),
    /// In a stream that no table has any more, since this time in epoch seconds.
    Ended(Arc<Stream>, i64),
}

impl KnownStream {
    /// The records, if there are any left.
    pub(crate) fn records(&self) -> Option<Arc<Stream>> {
        match &self.kept {
            Kept::Open(table) => table.change_stream(),
            Kept::Ended(stream, _) => Some(Arc::clone(stream)),
        }
    }

    /// When it ended, in epoch seconds, if it has.
    pub(crate) fn ended(&self) -> Option<i64> {
        match self.kept {
            Kept::Open(_) => None,
            Kept::Ended(_, at) => Some(at),
        }
    }

    /// The name of its only shard, in AWS's form.
    pub(crate) fn shard_id(&self) -> String {
        let mut hash = crc32fast::Hasher::new();
        hash.update(self.name.table.as_bytes());
        hash.update(self.name.label.as_bytes());
        format!("shardId-{:020}-{:08x}", self.created_millis, hash.finalize())
    }

    fn is_forgotten(&self, now: i64) -> bool {
        self.ended().is_some_and(|at| now.saturating_sub(at) > RETENTION_SECONDS)
    }
}

impl Streams {
    pub(crate) fn new(region: &str, account_id: &str) -> Self {
        let prefix = format!("arn:aws:dynamodb:{region}:{account_id}:table/").into();
        Self { prefix, known: RwLock::default() }
    }

    /// A stream's ARN.
    pub(crate) fn arn(&self, name: &StreamName) -> String {
        format!("{}{}/stream/{}", self.prefix, name.table, name.label)
    }

    /// What an ARN names, whether there is such a stream or not.
    pub(crate) fn name_in(&self, arn: &str) -> Option<StreamName> {
        let (table, label) = arn.strip_prefix(&*self.prefix)?.split_once("/stream/")?;
        Some(StreamName { table: table.into(), label: label.into() })
    }

    /// Gives the stream that a table has a label, which it returns. To be called when the stream is there, by whoever
    /// changes the table.
    pub(crate) fn opened(&self, table: &Table, name: &str, layout: &KeyLayout, now_millis: i64) -> String {
        let mut known = self.known.write();
        known.retain(|_, stream| !stream.is_forgotten(now_millis.div_euclid(1000)));
        // Two streams of one table that were switched on in one millisecond have two labels all the same.
        let named = |millis| StreamName { table: name.into(), label: label::label(millis).into() };
        // The end of time leaves some milliseconds for that.
        let mut created_millis = now_millis.min(i64::MAX - 2 * ENDED_MAX as i64);
        while known.contains_key(&named(created_millis)) {
            created_millis += 1;
        }
        let (name, kept) = (named(created_millis), Kept::Open(table.clone()));
        let label = name.label.to_string();
        let stream = KnownStream { name: name.clone(), created_millis, layout: layout.clone(), kept };
        known.insert(name, Arc::new(stream));
        label
    }

    /// Ends the stream in force of the table of this name, if it has one; `records` is what it held. To be called when the
    /// table has it no longer.
    pub(crate) fn ended(&self, table: &str, records: Arc<Stream>, now_millis: i64) {
        let now = now_millis.div_euclid(1000);
        let mut known = self.known.write();
        let first = StreamName { table: table.into(), label: "".into() };
        let mut of_table = known.range_mut(first..).take_while(|(name, _)| *name.table == *table);
        if let Some((name, stream)) = of_table.find(|(_, stream)| stream.ended().is_none()) {
            let (created_millis, layout) = (stream.created_millis, stream.layout.clone());
            let kept = Kept::Ended(records, now);
            *stream = Arc::new(KnownStream { name: name.clone(), created_millis, layout, kept });
        }
        known.retain(|_, stream| !stream.is_forgotten(now));
        bound_ended(&mut known);
    }

    /// The stream of this name.
    pub(crate) fn get(&self, name: &StreamName, now: i64) -> Option<Arc<KnownStream>> {
        self.known.read().get(name).filter(|stream| !stream.is_forgotten(now)).cloned()
    }

    /// At most so many streams behind this one, which need not be one; of one table alone where one is named.
    pub(crate) fn after(
        &self,
        start: Option<&StreamName>,
        table: Option<&str>,
        (most, now): (usize, i64),
    ) -> Vec<StreamName> {
        let known = self.known.read();
        let behind = known.range((start.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        let wanted = behind
            .filter(|(name, stream)| table.is_none_or(|table| *name.table == *table) && !stream.is_forgotten(now));
        wanted.take(most).map(|(name, _)| name.clone()).collect()
    }

    /// Those of a fork, whose tables `table_of` knows.
    pub(crate) fn forked(&self, table_of: impl Fn(&str) -> Option<Table>) -> Self {
        let known = self.known.read();
        let forked = known.iter().filter_map(|(name, stream)| {
            let kept = match &stream.kept {
                Kept::Open(_) => Kept::Open(table_of(&name.table)?),
                Kept::Ended(records, at) => Kept::Ended(Arc::clone(records), *at),
            };
            let (created_millis, layout) = (stream.created_millis, stream.layout.clone());
            let stream = KnownStream { name: name.clone(), created_millis, layout, kept };
            Some((name.clone(), Arc::new(stream)))
        });
        Self { prefix: self.prefix.clone(), known: RwLock::new(forked.collect()) }
    }
}

/// Forgets the oldest of those that have ended until the others are few and small enough.
fn bound_ended(known: &mut BTreeMap<StreamName, Arc<KnownStream>>) {
    let bytes = |stream: &KnownStream| stream.records().map_or(0, |records| records.bytes());
    let ended = |(name, stream): (&StreamName, &Arc<KnownStream>)| {
        Some((stream.ended()?, stream.created_millis, bytes(stream), name.clone()))
    };
    let mut ended: Vec<_> = known.iter().filter_map(ended).collect();
    ended.sort_unstable_by(|one, other| other.cmp(one));
    let mut held = 0;
    for (at, (_, _, bytes, name)) in ended.into_iter().enumerate() {
        held += bytes;
        // The one that ended last stays, however much it holds.
        if at > 0 && (at >= ENDED_MAX || held > STREAM_MAX_BYTES) {
            known.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
