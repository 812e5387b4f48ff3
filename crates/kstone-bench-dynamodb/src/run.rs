//! The rounds: each workload by one side right after the other.

#![expect(unsafe_code, reason = "the thread's CPU time is had from libc alone")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Result;
use crate::account::Account;
use crate::args::Plan;
use crate::engine::{Engine, Operation};
use crate::peer::Peer;
use crate::requests::{self, Workload};

/// What one operation took, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    /// By the monotonic clock.
    pub(crate) wall: f64,
    /// CPU time of the thread.
    pub(crate) cpu: f64,
}

/// What the rounds of one workload say.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) workload: Workload,
    pub(crate) kstone: Vec<Time>,
    pub(crate) peer: Vec<Time>,
}

/// Fills both sides, compares their answers and measures all rounds.
pub(crate) fn run(plan: &Plan) -> Result<Vec<Measured>> {
    let (mut kstone, mut peer) = (Account::open()?, Peer::open()?);
    fill(&mut kstone, plan)?;
    fill(&mut peer, plan)?;
    check(&mut kstone, &mut peer, plan)?;
    let nothing = |workload| Measured { workload, kstone: Vec::new(), peer: Vec::new() };
    let mut all = Workload::ALL.map(nothing);
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for measured in &mut all {
            let bodies = requests::bodies(plan, measured.workload, round);
            if round % 2 == 0 {
                measured.kstone.push(measure(&mut kstone, measured.workload, &bodies)?);
            }
            measured.peer.push(measure(&mut peer, measured.workload, &bodies)?);
            if round % 2 == 1 {
                measured.kstone.push(measure(&mut kstone, measured.workload, &bodies)?);
            }
        }
    }
    Ok(all.into())
}

fn fill(engine: &mut impl Engine, plan: &Plan) -> Result<()> {
    engine.call(Operation::CreateTable, requests::create_filled().as_bytes())?;
    engine.call(Operation::CreateTable, requests::create_fresh().as_bytes())?;
    for body in requests::filling(plan.records) {
        engine.call(Operation::PutItem, body.as_bytes())?;
    }
    Ok(())
}

/// Both sides answer the first request of each kind with the same JSON.
fn check(kstone: &mut impl Engine, peer: &mut impl Engine, plan: &Plan) -> Result<()> {
    for workload in Workload::ALL {
        let bodies = requests::bodies(&Plan { operations: 1, ..*plan }, workload, 0);
        let body = bodies.first().ok_or("a workload has a request")?.as_bytes();
        let one: serde_json::Value = serde_json::from_slice(kstone.call(workload.operation(), body)?)?;
        let other: serde_json::Value = serde_json::from_slice(peer.call(workload.operation(), body)?)?;
        if one != other {
            return Err(format!("{}: {one} and {other}", workload.name()).into());
        }
    }
    Ok(())
}

fn measure(engine: &mut impl Engine, workload: Workload, bodies: &[String]) -> Result<Time> {
    if workload == Workload::PutNew {
        engine.call(Operation::DeleteTable, requests::delete_fresh().as_bytes())?;
        engine.call(Operation::CreateTable, requests::create_fresh().as_bytes())?;
    }
    let (cpu, wall) = (thread_cpu(), Instant::now());
    for body in bodies {
        let answer = engine
            .call(workload.operation(), body.as_bytes())
            .map_err(|error| format!("{}, {}: {error}", workload.name(), body))?;
        black_box(answer.first());
    }
    let each = |time: Duration| time.as_secs_f64() * 1e9 / bodies.len() as f64;
    Ok(Time { wall: each(wall.elapsed()), cpu: each(thread_cpu() - cpu) })
}

/// The CPU time that the calling thread has used so far.
fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to for the duration of the call.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "Linux has this clock");
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is not negative");
    let nanoseconds = u64::try_from(time.tv_nsec).expect("CPU time is not negative");
    Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_answer_alike_and_are_measured() {
        let plan = Plan { records: 200, operations: 20, rounds: 2 };
        let measured = run(&plan).expect("both sides answer");
        assert_eq!(measured.len(), Workload::ALL.len());
        for each in measured {
            assert!(each.kstone.len() == plan.rounds && each.peer.len() == plan.rounds);
            assert!(each.kstone.iter().chain(&each.peer).all(|time| time.wall > 0.0), "{:?}", each.workload);
        }
    }
}
