//! A run: the rounds, and the report at their end.

use std::fs;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::Instant;

use crate::args::Plan;
use crate::peers::System;
use crate::peers::kstone::version;
use crate::plot;
use crate::process::Worker;
use crate::report;
use crate::results::{Results, Sample};
use crate::store::Result;
use crate::workload::{Stage, Workload};

/// Measures what the plan says, prints the tables, and writes the files.
pub(crate) fn run(mut plan: Plan) -> Result<()> {
    let started = Instant::now();
    plan.systems.retain(|&system| {
        if !system.is_built() {
            eprintln!("{} is skipped: the build did not find it (Debian: librocksdb-dev)", system.name());
        }
        system.is_built()
    });
    let machine = machine();
    println!("kstone {} on {machine}", version());
    println!("{} threads, {} operations, seed {}", plan.threads, report::thousands(plan.operations), plan.seed);
    let allocator = if cfg!(feature = "mimalloc") { "mimalloc where they are Rust" } else { "the system's malloc" };
    println!("peers allocate with {allocator}\n");
    let mut results = Results::new(plan.clock);
    for &records in &plan.records {
        for round in 0..plan.rounds {
            for stage in Stage::ALL {
                run_stage(&plan, records, round, stage, &mut results)?;
            }
        }
    }
    say("");
    let text = report::text(&plan, &results) + &format!("The run took {} s.\n", started.elapsed().as_secs());
    stdout().write_all(text.as_bytes())?;
    if let Some(path) = &plan.json {
        let json = results.to_json(&plan, &machine, &version());
        fs::write(path, serde_json::to_string_pretty(&json)? + "\n")?;
    }
    if let Some(path) = &plan.plot {
        plot::draw(path, &plan, &results)?;
    }
    Ok(())
}

/// One stage of one round: the processes of all systems, and each workload by one after another.
fn run_stage(plan: &Plan, records: usize, round: usize, stage: Stage, results: &mut Results) -> Result<()> {
    let workloads: Vec<Workload> = plan.workloads.iter().copied().filter(|w| w.stage() == stage).collect();
    if workloads.is_empty() {
        return Ok(());
    }
    let start = |&system: &System| Worker::start(plan, system, stage, records);
    let mut workers = plan.systems.iter().map(start).collect::<Result<Vec<Worker>>>()?;
    workers.iter_mut().try_for_each(Worker::wait_until_ready)?;
    for (i, &workload) in workloads.iter().enumerate() {
        for turn in 0..workers.len() {
            let count = workers.len();
            let worker = &mut workers[(turn + round + i) % count];
            let progress = (report::thousands(records), round + 1, plan.rounds, workload.name(), worker.system.name());
            say(&format!(
                "{} records, round {} of {}: {}, {}",
                progress.0, progress.1, progress.2, progress.3, progress.4
            ));
            if let Some(measurement) = worker.measure(workload)? {
                results.add(Sample { records, workload, system: worker.system, measurement });
            }
        }
    }
    Ok(())
}

/// What the run is at, on one line of a terminal.
fn say(text: &str) {
    let mut stderr = stderr();
    if stderr.is_terminal() {
        // Progress that cannot be shown is no reason to stop.
        drop(write!(stderr, "\r\x1b[K{text}"));
        drop(stderr.flush());
    }
}

/// The processor and how many of its cores there are.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    format!("{}, {cores} cores", model.map_or("an unknown processor", |(_, name)| name.trim()))
}
