//! The bars that kstone is held to, and what a run says about each.
//!
//! "Map" is the faster of DashMap and papaya in the workload. Ratios are of medians.

use crate::peers::System::{self, DashMap, Kstone, Lmdb, Papaya, Sqlite};
use crate::results::Results;
use crate::workload::Workload;

/// The size at which the bars are set; a run without it is compared at its largest.
pub(crate) const RECORDS: usize = 1_000_000;
/// Between these sizes the growth of a get is compared.
const GROWTH: [usize; 2] = [100_000, 5_000_000];
/// Bytes of key and value of a record.
const PAYLOAD_BYTES: f64 = 116.0;
const MAPS: [System; 2] = [DashMap, Papaya];

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

/// All bars, compared at this number of records.
pub(crate) fn all(results: &Results, records: usize) -> Vec<Bar> {
    let at = At { results, records };
    let bar = |sense, name, unit, bar, goal, measured| Bar { name, unit, sense, bar, goal, measured };
    let most = |name, unit, limit, goal, measured| bar(Sense::AtMost, name, unit, limit, goal, measured);
    let least = |name, unit, limit, goal, measured| bar(Sense::AtLeast, name, unit, limit, goal, measured);
    let flush = at.kstone(Workload::FlushPartition).zip(at.kstone(Workload::FlushStripe)).map(|(a, b)| a.max(b));
    vec![
        most("get, present", "× map", 1.5, 1.0, at.to_map(Workload::Get)),
        most("get, absent", "× map", 3.5, 2.0, at.to_map(Workload::Absent)),
        most("load by puts", "× map", 0.8, 0.4, at.to_map(Workload::Load)),
        most("overwrite of present keys", "× map", 1.2, 0.6, at.to_map(Workload::Overwrite)),
        most("50/50 mix, several threads", "× map", 1.3, 0.8, at.to_map(Workload::MixThreads)),
        least("get, threads against 1", "× maps apart", 0.95, 1.0, at.get_scaling()),
        least("put, threads against 1", "× maps apart", 0.85, 1.0, at.put_scaling()),
        most("query of 10", "× LMDB", 0.8, 0.4, at.to(Workload::Query10, Lmdb)),
        most("query of 1,000, all touched", "× LMDB", 1.0, 0.5, at.to(Workload::Query1000, Lmdb)),
        most("full scan, all touched", "× LMDB", 1.0, 0.5, at.to(Workload::Scan, Lmdb)),
        least("get against SQLite", "× faster", 5.0, 10.0, at.to(Workload::Get, Sqlite).map(f64::recip)),
        least("put against SQLite", "× faster", 5.0, 10.0, at.to(Workload::Load, Sqlite).map(f64::recip)),
        least("query of 10 against SQLite", "× faster", 3.0, 10.0, at.to(Workload::Query10, Sqlite).map(f64::recip)),
        most("memory beyond key and value", "B/record", 48.0, 32.0, at.overhead()),
        most("flush of 1,000 records", "µs", 80.0, 30.0, flush),
        most("growth of get, 100,000 to 5,000,000", "× map's", 1.2, 1.0, growth(results)),
        most("slowest put of the load, CPU", "µs", 3000.0, 500.0, at.kstone(Workload::SlowestPut)),
        most("get at 20,000 records", "× map", 2.0, 1.2, at.to_map(Workload::GetSmall)),
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

    fn to_map(self, workload: Workload) -> Option<f64> {
        self.to(workload, self.faster_map(workload)?)
    }

    fn faster_map(self, workload: Workload) -> Option<System> {
        let speed = |map| self.median(workload, map).map(|median| (median, map));
        MAPS.into_iter().filter_map(speed).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, map)| map)
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

    /// What threads gain that share nothing: the machine's part in it. By the map that is faster so.
    fn scaling_apart(self, alone: Workload, apart: Workload) -> Option<f64> {
        let map = self.faster_map(apart)?;
        Some(self.median(alone, map)? / self.median(apart, map)?)
    }
}

fn growth(results: &Results) -> Option<f64> {
    let [small, large] = GROWTH;
    let of =
        |system| Some(results.median(large, Workload::Get, system)? / results.median(small, Workload::Get, system)?);
    let map = At { results, records: large }.faster_map(Workload::Get)?;
    Some(of(Kstone)? / of(map)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    fn find(bars: &[Bar], name: &str) -> Bar {
        bars.iter().find(|bar| bar.name == name).expect("there is such a bar").clone()
    }

    #[test]
    fn a_map_is_the_faster_one_in_the_workload() {
        let results = results(
            1_000,
            &[(Workload::Get, Kstone, 90.0), (Workload::Get, DashMap, 80.0), (Workload::Get, Papaya, 60.0)],
        );
        let bar = find(&all(&results, 1_000), "get, present");
        assert_eq!(bar.measured, Some(1.5));
        assert_eq!(bar.verdict(), Verdict::Met);
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
                (Workload::LoadAlone, DashMap, 400.0),
                (Workload::LoadApart, DashMap, 250.0),
            ],
        );
        let bar = find(&all(&results, 1_000), "put, threads against 1");
        assert_eq!((bar.measured, bar.verdict()), (Some(1.25), Verdict::Goal));
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let bars = all(&results(1_000, &[(Workload::Get, Kstone, 1.0)]), 1_000);
        assert!(bars.iter().all(|bar| bar.verdict() == Verdict::NotMeasured));
        assert_eq!(bars.len(), 18);
    }

    #[test]
    fn memory_is_counted_beyond_key_and_value() {
        let results = results(1_000, &[(Workload::Memory, Kstone, 146.0)]);
        let bar = find(&all(&results, 1_000), "memory beyond key and value");
        assert_eq!((bar.measured, bar.verdict()), (Some(30.0), Verdict::Goal));
    }
}
