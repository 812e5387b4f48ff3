//! The processes of a run, and how they speak: the run writes the name of a workload on a line, the child answers with
//! a line of JSON, a [`Measurement`] or null where the system has no part in the workload.
//!
//! One child works at a time; the others wait for their line. Each system has a process of its own, so that no
//! system's memory lies among another's, and memory can be counted by process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::args::Plan;
use crate::peers::{Scale, System};
use crate::runner::Measurement;
use crate::store::Result;
use crate::workload::{Stage, Workload};

/// What a child does: answers every line until its input ends.
pub(crate) fn serve(system: System, stage: Stage, scale: Scale) -> Result<()> {
    let mut measure = system.measure(stage, scale)?;
    println!("ready");
    for line in std::io::stdin().lines() {
        let line = line?;
        let workload = Workload::from_name(&line).ok_or_else(|| format!("no workload is called '{line}'"))?;
        let measurement = match &mut measure {
            Some(measure) => measure.measure(workload)?,
            None => None,
        };
        println!("{}", serde_json::to_string(&measurement)?);
    }
    Ok(())
}

/// A child, as its run sees it.
pub(crate) struct Worker {
    /// The system that it measures.
    pub(crate) system: System,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts the process; [`Worker::wait_until_ready`] says when its data is made.
    pub(crate) fn start(plan: &Plan, system: System, stage: Stage, records: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(plan.child_arguments(system, stage, records))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("the child has an output")?);
        Ok(Self { system, child, input, output })
    }

    /// Returns when the child waits for its first line.
    pub(crate) fn wait_until_ready(&mut self) -> Result<()> {
        self.answer().map(drop)
    }

    /// Has the child run the workload.
    pub(crate) fn measure(&mut self, workload: Workload) -> Result<Option<Measurement>> {
        let input = self.input.as_mut().ok_or("the child has an input")?;
        writeln!(input, "{}", workload.name())?;
        let answer = self.answer().map_err(|error| format!("{}, {}: {error}", self.system.name(), workload.name()))?;
        Ok(serde_json::from_str(&answer)?)
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the process ended early".into());
        }
        Ok(line)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input ends the child, which then removes its files. What it says about its end is of no use.
        self.input = None;
        drop(self.child.wait());
    }
}
