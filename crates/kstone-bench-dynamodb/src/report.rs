//! The table of a run, and what it says about the bars.

use std::fmt::Write;

use crate::args::Plan;
use crate::requests::Workload;
use crate::run::{Measured, Time};

/// What an operation may take, and how many times faster than the peer it is to be.
struct Bar {
    /// Microseconds at most.
    bar: f64,
    /// Microseconds that are aimed at.
    goal: f64,
    /// At least so many times faster; None where nothing is asked.
    times: Option<f64>,
}

fn bar(workload: Workload) -> Bar {
    match workload {
        Workload::PutNew | Workload::PutOver => Bar { bar: 3.5, goal: 2.0, times: Some(8.0) },
        Workload::Get => Bar { bar: 2.0, goal: 1.0, times: Some(6.0) },
        Workload::Query => Bar { bar: 8.0, goal: 4.0, times: Some(6.0) },
        Workload::Update => Bar { bar: 5.0, goal: 3.0, times: Some(20.0) },
        Workload::Transact => Bar { bar: 15.0, goal: 8.0, times: None },
    }
}

/// The tables by both clocks.
pub(crate) fn text(plan: &Plan, measured: &[Measured]) -> String {
    let mut out = format!(
        "{} records, {} operations: medians of {} rounds, µs an operation, JSON in and out\n",
        plan.records, plan.operations, plan.rounds
    );
    table(&mut out, "by the monotonic clock", measured, |time| time.wall);
    table(&mut out, "by the thread's CPU time", measured, |time| time.cpu);
    let waiting = waiting(measured) * 100.0;
    line(
        &mut out,
        &format!("The work took {waiting:.0} % longer than its CPU time: that much others had of the cores."),
    );
    out
}

fn table(out: &mut String, title: &str, measured: &[Measured], clock: impl Fn(&Time) -> f64) {
    line(out, &format!("\n{title}"));
    line(
        out,
        &format!(
            "{:<24}{:>8}{:>9}{:>9}{:>8}{:>8}{:>8}{:>8}",
            "", "kstone", "dynoxide", "× faster", "bar", "goal", "bar ×", "spread"
        ),
    );
    for each in measured {
        line(out, &row(each, &clock));
    }
}

fn row(each: &Measured, clock: impl Fn(&Time) -> f64) -> String {
    let times = |all: &[Time]| all.iter().map(|time| clock(time) / 1_000.0).collect::<Vec<f64>>();
    let (own, other) = (times(&each.kstone), times(&each.peer));
    let (kstone, peer) = (median(&own), median(&other));
    let Bar { bar, goal, times } = bar(each.workload);
    let is_met = kstone <= bar && times.is_none_or(|least| peer / kstone >= least);
    let verdict = match (is_met, kstone <= goal) {
        (true, true) => "met, goal too",
        (true, false) => "met",
        (false, _) => "missed",
    };
    format!(
        "{:<24}{kstone:>8.2}{peer:>9.2}{:>9.1}{:>8}{:>8}{:>8}{:>7.0}%  {verdict}",
        each.workload.name(),
        peer / kstone,
        format!("≤ {bar}"),
        format!("≤ {goal}"),
        times.map_or_else(|| "·".into(), |least| format!("≥ {least}")),
        spread(&own) * 100.0
    )
}

/// The middle one, or the mean of the middle two.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (1, Some(&value)) => value,
        (_, Some(&value)) => f64::midpoint(sorted[middle - 1], value),
        (_, None) => f64::NAN,
    }
}

/// How far the rounds lie apart, as a part of their median.
fn spread(values: &[f64]) -> f64 {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (greatest - least) / median(values)
}

fn waiting(measured: &[Measured]) -> f64 {
    let times = || measured.iter().flat_map(|each| each.kstone.iter().chain(&each.peer));
    let (wall, cpu) = (times().map(|time| time.wall).sum::<f64>(), times().map(|time| time.cpu).sum::<f64>());
    wall / cpu - 1.0
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", text.trim_end()).expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(kstone: f64, peer: f64) -> String {
        let time = |micros: f64| vec![Time { wall: micros * 1e3, cpu: micros * 1e3 }];
        let measured = Measured { workload: Workload::Get, kstone: time(kstone), peer: time(peer) };
        let row = row(&measured, |time| time.wall);
        row.rsplit("%  ").next().map(str::to_owned).expect("a row ends with its verdict")
    }

    #[test]
    fn a_bar_has_two_sides() {
        assert_eq!(verdict(0.9, 9.0), "met, goal too");
        assert_eq!(verdict(1.5, 9.0), "met");
        assert_eq!(verdict(1.5, 8.0), "missed");
        assert_eq!(verdict(2.5, 90.0), "missed");
    }

    #[test]
    fn medians_and_spreads() {
        assert_eq!(median(&[9.0, 1.0, 4.0]), 4.0);
        assert_eq!(median(&[10.0, 1.0, 2.0, 4.0]), 3.0);
        assert_eq!(spread(&[80.0, 100.0, 130.0]), 0.5);
    }
}
