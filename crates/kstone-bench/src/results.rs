//! All numbers of a run.

use serde_json::{Value as Json, json};

use crate::args::{Clock, Plan};
use crate::peers::System;
use crate::runner::Measurement;
use crate::stats::Summary;
use crate::workload::{Unit, Workload};

/// One measurement and what it is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) records: usize,
    pub(crate) workload: Workload,
    pub(crate) system: System,
    pub(crate) measurement: Measurement,
}

/// The measurements of all rounds.
#[derive(Debug)]
pub(crate) struct Results {
    samples: Vec<Sample>,
    clock: Clock,
}

impl Results {
    /// No measurements yet; medians will be of this clock.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { samples: Vec::new(), clock }
    }

    /// Adds a measurement.
    pub(crate) fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// What the rounds say about a system's workload; none where it has no part in it.
    pub(crate) fn summary(&self, records: usize, workload: Workload, system: System) -> Option<Summary> {
        self.summary_by(self.clock, records, workload, system)
    }

    /// Its median.
    pub(crate) fn median(&self, records: usize, workload: Workload, system: System) -> Option<f64> {
        self.summary(records, workload, system).map(|summary| summary.median)
    }

    /// How much longer than their CPU time the workloads of one thread took by the monotonic clock, as a part of it: what
    /// other programs on the same cores cost this run.
    pub(crate) fn waiting(&self) -> f64 {
        let timed = |unit| matches!(unit, Unit::NsPerOp | Unit::NsPerItem | Unit::Micros);
        let ratios: Vec<f64> = self
            .samples
            .iter()
            .filter(|sample| timed(sample.workload.unit()))
            .filter_map(|sample| Some(sample.measurement.value / sample.measurement.cpu? - 1.0))
            .collect();
        ratios.iter().sum::<f64>() / ratios.len().max(1) as f64
    }

    /// Everything, with both clocks and every round.
    pub(crate) fn to_json(&self, plan: &Plan, machine: &str, version: &str) -> Json {
        let mut all = Vec::new();
        for &records in &plan.records {
            for &workload in &plan.workloads {
                for &system in &plan.systems {
                    let Some(wall) = self.summary_by(Clock::Wall, records, workload, system) else { continue };
                    all.push(json!({
                        "records": records,
                        "workload": workload.name(),
                        "system": system.name(),
                        "unit": workload.unit().name(),
                        "wall": wall,
                        "cpu": self.summary_by(Clock::Cpu, records, workload, system),
                        "rounds": self.values(Clock::Wall, records, workload, system),
                    }));
                }
            }
        }
        json!({
            "machine": machine,
            "kstone": version,
            "threads": plan.threads,
            "rounds": plan.rounds,
            "operations": plan.operations,
            "seed": plan.seed,
            "waiting": self.waiting(),
            "results": all,
        })
    }

    fn summary_by(&self, clock: Clock, records: usize, workload: Workload, system: System) -> Option<Summary> {
        Summary::of(&self.values(clock, records, workload, system))
    }

    fn values(&self, clock: Clock, records: usize, workload: Workload, system: System) -> Vec<f64> {
        let of_it =
            |sample: &&Sample| sample.records == records && sample.workload == workload && sample.system == system;
        let value = |sample: &Sample| match (clock, sample.measurement.cpu) {
            (Clock::Cpu, Some(cpu)) => cpu,
            _ => sample.measurement.value,
        };
        self.samples.iter().filter(of_it).map(value).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Results of one round of one size.
    pub(crate) fn results(records: usize, values: &[(Workload, System, f64)]) -> Results {
        let mut results = Results::new(Clock::Wall);
        for &(workload, system, value) in values {
            let measurement = Measurement { value, cpu: None };
            results.add(Sample { records, workload, system, measurement });
        }
        results
    }

    fn with_cpu(clock: Clock) -> Results {
        let mut results = Results::new(clock);
        for (value, cpu) in [(110.0, 100.0), (260.0, 200.0), (130.0, 130.0)] {
            let measurement = Measurement { value, cpu: Some(cpu) };
            results.add(Sample { records: 1_000, workload: Workload::Get, system: System::Kstone, measurement });
        }
        results
    }

    #[test]
    fn medians_are_of_the_chosen_clock() {
        let median = |clock| with_cpu(clock).median(1_000, Workload::Get, System::Kstone);
        assert_eq!(median(Clock::Wall), Some(130.0));
        assert_eq!(median(Clock::Cpu), Some(130.0));
        assert_eq!(with_cpu(Clock::Cpu).summary(1_000, Workload::Get, System::Kstone).map(|s| s.max), Some(200.0));
        assert_eq!(with_cpu(Clock::Wall).median(2_000, Workload::Get, System::Kstone), None);
    }

    #[test]
    fn waiting_is_the_mean_excess_over_cpu_time() {
        assert!((with_cpu(Clock::Wall).waiting() - 0.4 / 3.0).abs() < 1e-9);
        assert_eq!(Results::new(Clock::Wall).waiting(), 0.0);
    }

    #[test]
    fn json_has_both_clocks_and_every_round() {
        let plan = Plan { records: vec![1_000], ..Plan::default() };
        let json = with_cpu(Clock::Wall).to_json(&plan, "a machine", "1.2.3");
        assert_eq!(json["results"][0]["wall"]["median"], 130.0);
        assert_eq!(json["results"][0]["cpu"]["max"], 200.0);
        assert_eq!(json["results"][0]["rounds"], json!([110.0, 260.0, 130.0]));
        assert_eq!(json["results"].as_array().map(Vec::len), Some(1));
    }
}
