//! The bars that kstone is held to, and what a run says about each.
//!
//! There are two maps, since they say different things: DashMap of arrays of fixed length, which lie inside its table, is
//! the least that memory and processor allow; DashMap of boxed bytes is what a program holds whose keys and values vary.
//! Ratios are of medians.

use crate::peers::System::{self, Blart, DashBoxed, DashFixed, Kstone, Lmdb, Sqlite};
use crate::results::Results;
use crate::workload::Workload;

/// The size at which the bars are set; a run without it is compared at its largest.
pub(crate) const RECORDS: usize = 1_000_000;
/// Bytes of key and value of a record.
const PAYLOAD_BYTES: f64 = 116.0;
/// What may be left in addition to a part of the peak, after everything was deleted.
const ALLOWED_BYTES: f64 = 4e6;

/// Which side of the bar is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    AtMost,
    AtLeast,
}

/// One bar and what was measured.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) sense: Sense,
    pub(crate) bar: f64,
    pub(crate) goal: f64,
    /// None where the run has not all that it takes.
    pub(crate) measured: Option<f64>,
}

/// How a number stands to its bar and goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Goal,
    Met,
    Missed,
    NotMeasured,
}

impl Bar {
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(measured) = self.measured else { return Verdict::NotMeasured };
        let reaches = |limit| match self.sense {
            Sense::AtMost => measured <= limit,
            Sense::AtLeast => measured >= limit,
        };
        match (reaches(self.bar), reaches(self.goal)) {
            (true, true) => Verdict::Goal,
            (true, false) => Verdict::Met,
            (false, _) => Verdict::Missed,
        }
    }
}

/// All bars, compared at this number of records. Instructions have bars, too, which `make instructions` shows.
pub(crate) fn all(results: &Results, records: usize) -> Vec<Bar> {
    let at = At { results, records };
    [points(at), threads(at), ordered(at), against_sqlite(at), requests(at), documents(at), memory(at)].concat()
}

fn most(name: &'static str, unit: &'static str, bar: f64, goal: f64, measured: Option<f64>) -> Bar {
    Bar { name, unit, sense: Sense::AtMost, bar, goal, measured }
}

fn least(name: &'static str, unit: &'static str, bar: f64, goal: f64, measured: Option<f64>) -> Bar {
    Bar { name, unit, sense: Sense::AtLeast, bar, goal, measured }
}

const FIXED: &str = "× map of arrays";
const BOXED: &str = "× map of boxes";

fn points(at: At<'_>) -> Vec<Bar> {
    vec![
        most("get, fresh keys", BOXED, 1.1, 0.8, at.to(Workload::GetFresh, DashBoxed)),
        most("get, prepared keys", BOXED, 1.1, 0.8, at.to(Workload::Get, DashBoxed)),
        most("get, fresh keys", FIXED, 2.0, 1.4, at.to(Workload::GetFresh, DashFixed)),
        most("get, prepared keys", FIXED, 2.0, 1.4, at.to(Workload::Get, DashFixed)),
        most("get-many, a key, to the map's get", FIXED, 0.6, 0.45, at.many_to_get()),
        most("absent, fresh keys", BOXED, 3.0, 1.8, at.to(Workload::AbsentFresh, DashBoxed)),
        most("absent, prepared keys", BOXED, 3.0, 1.8, at.to(Workload::Absent, DashBoxed)),
        most("get at 20,000 records, fresh keys", FIXED, 2.5, 1.6, at.to(Workload::GetSmallFresh, DashFixed)),
        most("get at 20,000 records, prepared keys", FIXED, 2.5, 1.6, at.to(Workload::GetSmall, DashFixed)),
        most("load by puts", BOXED, 1.0, 0.7, at.to(Workload::Load, DashBoxed)),
        most("overwrite", FIXED, 4.0, 2.0, at.to(Workload::Overwrite, DashFixed)),
        most("overwrite", BOXED, 0.8, 0.45, at.to(Workload::Overwrite, DashBoxed)),
        most("slowest put of a load, CPU", "µs", 1000.0, 300.0, at.kstone(Workload::SlowestPut)),
    ]
}

fn threads(at: At<'_>) -> Vec<Bar> {
    vec![
        most("50/50 mix, several threads", FIXED, 2.5, 1.5, at.to(Workload::MixThreads, DashFixed)),
        least("get, threads against 1", "× maps apart", 0.95, 1.0, at.get_scaling()),
        least("put, threads against 1", "× maps apart", 0.85, 1.0, at.put_scaling()),
    ]
}

fn ordered(at: At<'_>) -> Vec<Bar> {
    vec![
        most("query of 10", "× LMDB", 0.55, 0.35, at.to(Workload::Query10, Lmdb)),
        most("query of 1,000, all touched", "× LMDB", 0.55, 0.35, at.to(Workload::Query1000, Lmdb)),
        most("full scan, all touched", "× LMDB", 0.55, 0.35, at.to(Workload::Scan, Lmdb)),
        most("scan of 100 items by iterator", "ns", 2000.0, 1000.0, at.kstone(Workload::ScanFirst)),
        most("scan of 100 items by page", "ns", 2000.0, 1000.0, at.kstone(Workload::ScanFirstPage)),
        // "Constant": a count of N records against one of 20,000.
        most("count", "× at 20,000", 1.5, 1.1, at.ratio(Workload::Count, Workload::CountSmall)),
    ]
}

fn against_sqlite(at: At<'_>) -> Vec<Bar> {
    let faster = |workload| at.to(workload, Sqlite).map(f64::recip);
    vec![
        least("get against SQLite", "× faster", 8.0, 12.0, faster(Workload::Get)),
        least("put against SQLite", "× faster", 12.0, 12.0, faster(Workload::Load)),
        least("query of 10 against SQLite", "× faster", 5.0, 12.0, faster(Workload::Query10)),
        most("load of a snapshot", "× SQLite's backup", 1.0, 0.5, at.to(Workload::LoadFile, Sqlite)),
    ]
}

fn requests(at: At<'_>) -> Vec<Bar> {
    vec![
        most("put with a global index", "× plain put", 2.5, 1.8, at.ratio(Workload::PutIndexed, Workload::PutPlain)),
        most("transaction of 4 puts", "× blart", 1.5, 1.0, at.to(Workload::Transact, Blart)),
    ]
}

fn documents(at: At<'_>) -> Vec<Bar> {
    let in_micros = |workload| at.kstone(workload).map(|nanoseconds| nanoseconds / 1_000.0);
    vec![
        most("building a global index, a document", "µs", 1.5, 0.8, in_micros(Workload::IndexBuild)),
        most("dropping it", "µs", 1000.0, 1000.0, at.kstone(Workload::IndexDrop)),
        // "Constant": ten times the documents take ten times as long where each is visited.
        most(
            "dropping it, of ten times the documents",
            "× as long",
            10.0,
            1.5,
            at.ratio(Workload::IndexDrop, Workload::IndexDropSmall),
        ),
        most("filter of documents by one value", "× SQLite", 1.0, 0.5, at.to(Workload::DocFilter, Sqlite)),
        most("filter of documents by OR", "× SQLite", 1.0, 0.5, at.to(Workload::DocOr, Sqlite)),
        most("filter of documents by IN of six", "× SQLite", 1.0, 0.5, at.to(Workload::DocIn, Sqlite)),
    ]
}

fn memory(at: At<'_>) -> Vec<Bar> {
    vec![
        most("memory beyond key and value", "B/record", 38.0, 30.0, at.overhead()),
        most("left after deleting all at random", "% of peak", 30.0, 10.0, at.left(Workload::LeftAtRandom)),
        most("left after deleting all in order", "% of peak", 30.0, 10.0, at.left(Workload::LeftInOrder)),
    ]
}

#[derive(Clone, Copy)]
struct At<'a> {
    results: &'a Results,
    records: usize,
}

impl At<'_> {
    fn median(self, workload: Workload, system: System) -> Option<f64> {
        self.results.median(self.records, workload, system)
    }

    fn kstone(self, workload: Workload) -> Option<f64> {
        self.median(workload, Kstone)
    }

    fn to(self, workload: Workload, peer: System) -> Option<f64> {
        Some(self.kstone(workload)? / self.median(workload, peer)?)
    }

    /// Of two workloads of kstone's.
    fn ratio(self, workload: Workload, to: Workload) -> Option<f64> {
        Some(self.kstone(workload)? / self.kstone(to)?)
    }

    fn many_to_get(self) -> Option<f64> {
        Some(self.kstone(Workload::GetMany)? / self.median(Workload::Get, DashFixed)?)
    }

    /// The part of the peak that is left, beyond an allowance that does not grow with it.
    fn left(self, workload: Workload) -> Option<f64> {
        let peak = self.kstone(Workload::Memory)? * self.records as f64;
        Some((self.kstone(workload)? - ALLOWED_BYTES / peak * 100.0).max(0.0))
    }

    fn overhead(self) -> Option<f64> {
        Some(self.kstone(Workload::Memory)? - PAYLOAD_BYTES)
    }

    fn get_scaling(self) -> Option<f64> {
        let ours = self.kstone(Workload::Get)? / self.kstone(Workload::GetThreads)?;
        Some(ours / self.scaling_apart(Workload::GetAlone, Workload::GetApart)?)
    }

    fn put_scaling(self) -> Option<f64> {
        let ours = self.kstone(Workload::Load)? / self.kstone(Workload::LoadThreads)?;
        Some(ours / self.scaling_apart(Workload::LoadAlone, Workload::LoadApart)?)
    }

    /// What threads gain that share nothing: the machine's part in it.
    fn scaling_apart(self, alone: Workload, apart: Workload) -> Option<f64> {
        Some(self.median(alone, DashFixed)? / self.median(apart, DashFixed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    fn find(bars: &[Bar], name: &str) -> Bar {
        bars.iter().find(|bar| bar.name == name).expect("there is such a bar").clone()
    }

    #[test]
    fn both_maps_and_both_kinds_of_keys_have_a_bar() {
        let values = [(Workload::Get, Kstone, 90.0), (Workload::GetFresh, Kstone, 120.0)];
        let maps = [DashFixed, DashBoxed].map(|map| [Workload::Get, Workload::GetFresh].map(|of| (of, map, 100.0)));
        let results = results(1_000, &[&values[..], maps.as_flattened()].concat());
        let bars = all(&results, 1_000);
        let measured = |name, unit| bars.iter().find(|bar| (bar.name, bar.unit) == (name, unit)).map(Bar::verdict);
        assert_eq!(measured("get, prepared keys", BOXED), Some(Verdict::Met));
        assert_eq!(measured("get, fresh keys", BOXED), Some(Verdict::Missed));
        assert_eq!(measured("get, prepared keys", FIXED), Some(Verdict::Goal));
        assert_eq!(measured("get, fresh keys", FIXED), Some(Verdict::Goal));
    }

    #[test]
    fn four_megabytes_are_no_part_of_what_is_left() {
        let values = [(Workload::Memory, Kstone, 100.0), (Workload::LeftAtRandom, Kstone, 34.0)];
        let bar = find(&all(&results(1_000_000, &values), 1_000_000), "left after deleting all at random");
        assert_eq!((bar.measured, bar.verdict()), (Some(30.0), Verdict::Met));
    }

    #[test]
    fn faster_than_sqlite_counts_the_other_way_round() {
        let results = results(1_000, &[(Workload::Get, Kstone, 100.0), (Workload::Get, Sqlite, 400.0)]);
        let bar = find(&all(&results, 1_000), "get against SQLite");
        assert_eq!((bar.measured, bar.verdict()), (Some(4.0), Verdict::Missed));
    }

    #[test]
    fn scaling_is_relative_to_maps_that_share_nothing() {
        let results = results(
            1_000,
            &[
                (Workload::Load, Kstone, 300.0),
                (Workload::LoadThreads, Kstone, 150.0),
                (Workload::LoadAlone, DashFixed, 400.0),
                (Workload::LoadApart, DashFixed, 250.0),
            ],
        );
        let bar = find(&all(&results, 1_000), "put, threads against 1");
        assert_eq!((bar.measured, bar.verdict()), (Some(1.25), Verdict::Goal));
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let bars = all(&results(1_000, &[(Workload::Get, Kstone, 1.0)]), 1_000);
        assert!(bars.iter().all(|bar| bar.verdict() == Verdict::NotMeasured));
        assert_eq!(bars.len(), 37);
    }

    #[test]
    fn memory_is_counted_beyond_key_and_value() {
        let results = results(1_000, &[(Workload::Memory, Kstone, 146.0)]);
        let bar = find(&all(&results, 1_000), "memory beyond key and value");
        assert_eq!((bar.measured, bar.verdict()), (Some(30.0), Verdict::Goal));
    }
}
