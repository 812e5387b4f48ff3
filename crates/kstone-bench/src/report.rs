//! The tables of a run, as text.

use std::fmt::Write;

use crate::args::{Clock, Plan};
use crate::bars::{self, Bar, Sense, Verdict};
use crate::peers::System;
use crate::results::Results;
use crate::workload::Workload;

/// What stands where there is no number.
const NOTHING: &str = "·";
const NAME_WIDTH: usize = 16;
const UNIT_WIDTH: usize = 9;
const COLUMN_WIDTH: usize = 11;

/// All tables.
pub(crate) fn text(plan: &Plan, results: &Results) -> String {
    let mut out = String::new();
    for &records in &plan.records {
        let title =
            format!("{} records: medians of {} rounds{}", thousands(records), plan.rounds, clock_note(plan.clock));
        table(&mut out, &title, plan, |workload, system| results.median(records, workload, system).map(number));
        table(
            &mut out,
            "kstone's time or memory ÷ the peer's (below 1: kstone is better)",
            plan,
            |workload, system| {
                let kstone = results.median(records, workload, System::Kstone)?;
                let peer = results.median(records, workload, system)?;
                (system != System::Kstone).then(|| format!("{:.2}", kstone / peer))
            },
        );
        if plan.rounds > 1 {
            table(&mut out, "spread: (greatest − least) ÷ median of the rounds", plan, |workload, system| {
                let summary = results.summary(records, workload, system)?;
                Some(format!("{:.0} %", summary.spread() * 100.0))
            });
        }
    }
    growth_table(&mut out, plan, results);
    bar_table(&mut out, plan, results);
    let waiting = results.waiting() * 100.0;
    line(
        &mut out,
        &format!("One thread's work took {waiting:.0} % longer than its CPU time: that much others had of the cores."),
    );
    out
}

fn clock_note(clock: Clock) -> &'static str {
    match clock {
        Clock::Wall => "",
        Clock::Cpu => " (CPU time, where one thread works)",
    }
}

/// A row for each workload, a column for each system; rows and columns without any cell are left out.
fn table(out: &mut String, title: &str, plan: &Plan, cell: impl Fn(Workload, System) -> Option<String>) {
    let has = |workload: Workload, system: System| cell(workload, system).is_some();
    let systems: Vec<System> =
        plan.systems.iter().copied().filter(|&system| plan.workloads.iter().any(|&w| has(w, system))).collect();
    if systems.is_empty() {
        return;
    }
    let mut header = format!("{:<NAME_WIDTH$}{:<UNIT_WIDTH$}", "", "");
    systems.iter().for_each(|system| header.push_str(&right(system.name())));
    line(out, title);
    line(out, &header);
    for &workload in &plan.workloads {
        if !systems.iter().any(|&system| has(workload, system)) {
            continue;
        }
        let mut row = format!("{:<NAME_WIDTH$}{:<UNIT_WIDTH$}", workload.name(), workload.unit().name());
        for &system in &systems {
            row.push_str(&right(&cell(workload, system).unwrap_or_else(|| NOTHING.into())));
        }
        line(out, &row);
    }
    line(out, "");
}

/// How kstone and its peers grow with the number of records.
fn growth_table(out: &mut String, plan: &Plan, results: &Results) {
    let (Some(&first), Some(&last)) = (plan.records.iter().min(), plan.records.iter().max()) else { return };
    if first == last {
        return;
    }
    let title = format!("growth: medians at {} records ÷ at {}", thousands(last), thousands(first));
    table(out, &title, plan, |workload, system| {
        let ratio = results.median(last, workload, system)? / results.median(first, workload, system)?;
        Some(format!("{ratio:.2}"))
    });
}

fn bar_table(out: &mut String, plan: &Plan, results: &Results) {
    let largest = plan.records.iter().copied().max().unwrap_or(bars::RECORDS);
    let records = if plan.records.contains(&bars::RECORDS) { bars::RECORDS } else { largest };
    let note = if records == bars::RECORDS { "" } else { " (they are set at 1,000,000)" };
    line(out, &format!("bars at {} records{note}", thousands(records)));
    line(out, &format!("{:<41}{:>8}{:>8}{:>10}  {:<19}{}", "", "bar", "goal", "measured", "", ""));
    let all = bars::all(results, records);
    all.iter().for_each(|bar| line(out, &bar_row(bar)));
    let count = |verdict| all.iter().filter(|bar| bar.verdict() == verdict).count();
    let (goal, met) = (count(Verdict::Goal), count(Verdict::Met));
    let (missed, not_measured) = (count(Verdict::Missed), count(Verdict::NotMeasured));
    line(
        out,
        &format!("{} met, {goal} of them with their goal; {missed} missed; {not_measured} not measured", goal + met),
    );
    line(out, "");
}

fn bar_row(bar: &Bar) -> String {
    let sign = if bar.sense == Sense::AtMost { '≤' } else { '≥' };
    let limit = |value: f64| format!("{sign} {value}");
    let measured = bar.measured.map_or_else(|| NOTHING.into(), |value| format!("{value:.2}"));
    let verdict = match bar.verdict() {
        Verdict::Goal => "met, goal too",
        Verdict::Met => "met",
        Verdict::Missed => "MISSED",
        Verdict::NotMeasured => "not measured",
    };
    format!("{:<41}{:>8}{:>8}{:>10}  {:<19}{verdict}", bar.name, limit(bar.bar), limit(bar.goal), measured, bar.unit)
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", text.trim_end()).expect("a String takes everything");
}

fn right(text: &str) -> String {
    format!("{text:>COLUMN_WIDTH$}")
}

fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { thousands(value.round() as usize) }
}

/// "1,234,567".
pub(crate) fn thousands(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    #[test]
    fn numbers_have_three_digits_or_more() {
        assert_eq!(number(7.25), "7.2");
        assert_eq!(number(1234.4), "1,234");
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }

    #[test]
    fn tables_show_medians_ratios_and_bars_and_leave_out_what_is_empty() {
        let plan = Plan { records: vec![1_000], rounds: 1, ..Plan::default() };
        let values = [(Workload::Get, System::Kstone, 50.0), (Workload::Get, System::DashFixed, 100.0)];
        let text = text(&plan, &results(1_000, &values));
        let row = |start: &str| text.lines().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
        assert_eq!(row("get  ").len(), 2);
        assert!(row("get  ")[0].contains("50.0") && row("get  ")[0].contains("100"));
        assert!(row("get  ")[1].ends_with("0.50"));
        assert!(row("get, prepared keys")[1].ends_with("met, goal too"));
        assert!(!text.contains("lmdb") && !text.contains("spread"));
    }

    #[test]
    fn several_sizes_show_the_growth() {
        let plan = Plan { records: vec![1_000, 5_000], rounds: 1, ..Plan::default() };
        let mut results = results(1_000, &[(Workload::Get, System::Kstone, 50.0)]);
        let measurement = crate::runner::Measurement { value: 75.0, cpu: None };
        results.add(crate::results::Sample {
            records: 5_000,
            workload: Workload::Get,
            system: System::Kstone,
            measurement,
        });
        assert!(text(&plan, &results).contains("1.50"));
    }
}
