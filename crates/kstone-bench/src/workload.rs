//! What is measured: the workloads, their order, and which process they share.
//!
//! Workloads of one [`Stage`] run in one process, in the order of [`Workload::ALL`], on the records that the stage
//! loaded. Each stage starts a process of its own for each system, so that what an earlier dataset left in the
//! allocator favours or hurts nobody.

/// A process of each system, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// N records of 16-byte keys, loaded by one thread.
    Points,
    /// The same, loaded by several threads.
    Threads,
    /// N / threads records, one thread.
    Alone,
    /// As many stores as threads, each with N / threads records and a thread of its own.
    Apart,
    /// N records, every put timed by itself.
    Slowest,
    /// 20,000 records, which stay in the cache.
    Small,
    /// N records in partitions of 10.
    Tens,
    /// N records in partitions of 1,000.
    Thousands,
    /// N records of 16-byte keys, for what is more than a put or a get.
    Requests,
    /// Up to 250,000 records with three attributes to index.
    Indexed,
    /// Up to 100,000 documents of 1 KB and 20 attributes.
    Documents,
    /// N records of 16-byte keys, deleted in random order.
    EmptiedAtRandom,
    /// N records of 16-byte keys, deleted in the order in which they were put.
    EmptiedInOrder,
    /// N records of 16-byte keys, up to 1,000,000.
    Fork,
    /// N records of 16-byte keys, to a file and back.
    Files,
    /// No records of its own: flushes, items, JSON.
    Calls,
}

impl Stage {
    /// All, in the order in which they run.
    pub(crate) const ALL: [Self; 16] = [
        Self::Points,
        Self::Threads,
        Self::Alone,
        Self::Apart,
        Self::Slowest,
        Self::Small,
        Self::Tens,
        Self::Thousands,
        Self::Requests,
        Self::Indexed,
        Self::Documents,
        Self::EmptiedAtRandom,
        Self::EmptiedInOrder,
        Self::Fork,
        Self::Files,
        Self::Calls,
    ];

    /// The word for it between the processes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Threads => "threads",
            Self::Alone => "alone",
            Self::Apart => "apart",
            Self::Slowest => "slowest",
            Self::Small => "small",
            Self::Tens => "tens",
            Self::Thousands => "thousands",
            Self::Requests => "requests",
            Self::Indexed => "indexed",
            Self::Documents => "documents",
            Self::EmptiedAtRandom => "emptied-at-random",
            Self::EmptiedInOrder => "emptied-in-order",
            Self::Fork => "fork",
            Self::Files => "files",
            Self::Calls => "calls",
        }
    }

    /// The stage of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// What a measured number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds for one operation.
    NsPerOp,
    /// Nanoseconds for one item.
    NsPerItem,
    /// Microseconds.
    Micros,
    /// Bytes of memory for one record, key and value included.
    BytesPerRecord,
    /// Of memory, how much of its peak is left.
    Percent,
}

impl Unit {
    /// As the tables write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NsPerOp => "ns/op",
            Self::NsPerItem => "ns/item",
            Self::Micros => "µs",
            Self::BytesPerRecord => "B/record",
            Self::Percent => "%",
        }
    }
}

macro_rules! workloads {
    ($($variant:ident $name:literal $stage:ident $unit:ident $text:literal;)+) => {
        /// One thing that is measured.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Workload {
            $(#[doc = $text] $variant,)+
        }

        impl Workload {
            /// All, in the order in which they run.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it in arguments, tables and between the processes.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The process it runs in.
            pub(crate) fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)+ }
            }

            /// What its number counts.
            pub(crate) fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)+ }
            }

            /// What it does, in one line.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

workloads! {
    Load "load" Points NsPerOp "puts of N records into an empty store, one thread";
    Memory "memory" Points BytesPerRecord "memory after the load, key and value (116 bytes) included";
    Get "get" Points NsPerOp "reads of present keys in random order, the value copied out; prepared keys";
    GetFresh "get-fresh" Points NsPerOp "the same, each key written by two stores of 8 bytes right before its read";
    GetMany "get-many" Points NsPerOp "the same by calls that take 16 keys each; time by keys";
    GetAttribute "get-attribute" Points NsPerOp "the same by a call that copies one attribute to the caller";
    GetChain "get-chain" Points NsPerOp "the same where the value read decides which key is next: no read overlaps another";
    Absent "absent" Points NsPerOp "reads of keys that are not there; prepared keys";
    AbsentFresh "absent-fresh" Points NsPerOp "the same with fresh keys";
    Scan "scan" Points NsPerItem "everything once through an iterator or cursor, every value touched";
    ScanPages "scan-pages" Points NsPerItem "the same by kstone's pages of 1 MiB";
    ScanFirst "scan-100-iter" Points NsPerOp "the first 100 items through an iterator or cursor, every value touched";
    ScanFirstPage "scan-100-page" Points NsPerOp "the same by a page of kstone's";
    Count "count" Points NsPerOp "how many records there are";
    GetThreads "get-threads" Points NsPerOp "get by several threads on one store, other keys each; time by total operations";
    Overwrite "overwrite" Points NsPerOp "puts of present keys in random order";
    OverwriteFresh "overwrite-fresh" Points NsPerOp "the same with fresh keys";
    Mix "mix" Points NsPerOp "gets and overwrites of present keys in turns, one thread";
    MixThreads "mix-threads" Points NsPerOp "the same by several threads on one store; time by total operations";
    Delete "delete" Points NsPerOp "deletes of present keys in random order";
    LoadThreads "load-threads" Threads NsPerOp "load by several threads of one store, other keys each; time by total operations";
    LoadAlone "load-alone" Alone NsPerOp "load of N / threads records, one thread";
    GetAlone "get-alone" Alone NsPerOp "get among N / threads records, one thread";
    LoadApart "load-apart" Apart NsPerOp "the same by several threads, each with a store of its own; time by total operations";
    GetApart "get-apart" Apart NsPerOp "the same by several threads, each with a store of its own; time by total operations";
    SlowestPut "slowest-put" Slowest Micros "the slowest single put of a load, in CPU time of its thread";
    GetSmall "get-20k" Small NsPerOp "get among 20,000 records, which stay in the cache";
    GetSmallFresh "get-20k-fresh" Small NsPerOp "the same with fresh keys";
    CountSmall "count-20k" Small NsPerOp "how many records there are among 20,000";
    Query10 "query-10" Tens NsPerOp "a partition of 10 records in key order, the values copied out";
    Last "last" Tens NsPerOp "the last record of such a partition: reverse, limit 1, the value copied out";
    Query1000 "query-1000" Thousands NsPerOp "a partition of 1,000 records in key order, every value touched";
    Filter "filter" Requests NsPerItem "every item examined, the twenty-sixth of them that begins with a letter handed out";
    Update "update" Requests NsPerOp "a present record read, changed and written; kstone by an update expression";
    UpdatePrepared "update-prepared" Requests NsPerOp "the same by a statement that was prepared";
    Transact "transact-4" Requests NsPerOp "a transaction of 4 puts of present keys, committed by itself";
    PutPlain "put-0-index" Indexed NsPerOp "puts of records with a value and three attributes into an empty store, no index";
    PutIndexed "put-1-index" Indexed NsPerOp "the same with a global index over one of the attributes";
    PutIndexedThrice "put-3-index" Indexed NsPerOp "the same with three, one over each";
    DocPut "doc-put" Documents NsPerOp "puts of documents of 1 KB and 20 attributes";
    DocFilter "doc-filter" Documents NsPerItem "all documents examined for one value of an attribute in their middle";
    DocOr "doc-or" Documents NsPerItem "the same for either of two values, by OR";
    DocIn "doc-in" Documents NsPerItem "the same for one of six values, by IN";
    IndexBuild "index-build" Documents NsPerItem "an index over another attribute of the documents made, a document";
    IndexDrop "index-drop" Documents Micros "that index dropped";
    IndexDropSmall "index-drop-10k" Documents Micros "the same index over a tenth of the documents dropped";
    LeftAtRandom "left-random" EmptiedAtRandom Percent "resident memory after deleting everything in random order, of the peak";
    LeftInOrder "left-ordered" EmptiedInOrder Percent "the same, deleted in the order in which it was put";
    Fork "fork" Fork Micros "a copy to be changed by itself, after 1,000 overwrites; maps and trees copy every record";
    SaveFile "save-file" Files NsPerItem "everything to a file, synced; SQLite by its backup API";
    LoadFile "load-file" Files NsPerItem "that file into an empty store in memory; SQLite by its backup API";
    FlushPartition "flush-part" Calls Micros "kstone_flush of 1,000 records of one partition in an otherwise empty database";
    FlushStripe "flush-stripe" Calls Micros "kstone_flush of 1,000 partitions of one record, all in one stripe";
    FlushSpread "flush-spread" Calls Micros "kstone_flush of 1,000 partitions of one record, spread over all 256 stripes";
    ItemBuild "item-1" Calls NsPerOp "build and free an item of one 100-byte string";
    ItemBuildTen "item-10" Calls NsPerOp "build and free an item of ten strings, numbers and truth values, names in order";
    JsonIn "json-in" Calls NsPerOp "an item from 430 bytes of plain JSON, and its end";
    JsonOut "json-out" Calls NsPerOp "that item to JSON text, and the text's end";
}

impl Workload {
    /// Whether only those stores are asked whose [`EXTRA`](crate::store::Store::EXTRA) names it.
    pub(crate) fn is_extra(self) -> bool {
        matches!(
            self,
            Self::GetMany
                | Self::GetAttribute
                | Self::ScanPages
                | Self::ScanFirst
                | Self::ScanFirstPage
                | Self::Count
                | Self::CountSmall
                | Self::UpdatePrepared
        )
    }

    /// The workload of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|workload| workload.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_workloads_and_stages() {
        for &workload in Workload::ALL {
            assert_eq!(Workload::from_name(workload.name()), Some(workload));
        }
        for stage in Stage::ALL {
            assert_eq!(Stage::from_name(stage.name()), Some(stage));
        }
        assert_eq!(Workload::from_name("Get"), None);
    }

    #[test]
    fn every_stage_has_workloads() {
        for stage in Stage::ALL {
            assert!(Workload::ALL.iter().any(|workload| workload.stage() == stage), "{stage:?}");
        }
    }
}
