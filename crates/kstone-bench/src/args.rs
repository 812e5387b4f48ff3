//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use crate::peers::{Scale, System};
use crate::store::Result;
use crate::workload::{Stage, Workload};

/// What `--help` says before the lists of workloads and peers.
const HELP: &str = "\
kstone through its C ABI compared with other stores, interleaved, in one run.

  --records N...       how many records; several sizes show the growth with N   [1000000]
                       all: 10000, 100000, 1000000 and 5000000
  --threads T          threads of the workloads that have several               [2]
  --peer NAME...       systems to compare with, or none                         [all]
  --workload NAME...   what to measure                                          [all]
  --rounds R           how often everything is measured; medians count          [3]
  --operations N       operations of a workload that is no load, at most        [300000]
  --seed N             what all keys follow from                                [1]
  --clock wall|cpu     the tables show the monotonic clock or the thread's CPU time; JSON has both   [wall]
  --json FILE          all numbers
  --plot FILE.svg      the comparison, and the growth where there are several sizes
  --help               this text
";

/// What `--records all` stands for.
const ALL_RECORDS: [usize; 4] = [10_000, 100_000, 1_000_000, 5_000_000];

/// Which of the two times the tables show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The monotonic clock.
    Wall,
    /// CPU time, of workloads with one thread.
    Cpu,
}

/// What a run is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) records: Vec<usize>,
    pub(crate) threads: usize,
    pub(crate) systems: Vec<System>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) rounds: usize,
    pub(crate) operations: usize,
    pub(crate) seed: u64,
    pub(crate) clock: Clock,
    pub(crate) json: Option<PathBuf>,
    pub(crate) plot: Option<PathBuf>,
}

/// What the program is started for.
#[derive(Debug)]
pub(crate) enum Command {
    /// Show the help.
    Help,
    /// Run everything and report.
    Run(Plan),
    /// Measure one system in one stage, as the run that started this process says on standard input.
    Child(System, Stage, Scale),
}

impl Plan {
    /// The arguments for a process that measures a system in a stage.
    pub(crate) fn child_arguments(&self, system: System, stage: Stage, records: usize) -> Vec<String> {
        vec![
            "--child".into(),
            system.name().into(),
            stage.name().into(),
            format!("--records={records}"),
            format!("--threads={}", self.threads),
            format!("--operations={}", self.operations),
            format!("--seed={}", self.seed),
        ]
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            records: vec![1_000_000],
            threads: 2,
            systems: System::ALL.to_vec(),
            workloads: Workload::ALL.to_vec(),
            rounds: 3,
            operations: 300_000,
            seed: 1,
            clock: Clock::Wall,
            json: None,
            plot: None,
        }
    }
}

/// Reads the arguments, the program's name not among them.
pub(crate) fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Command> {
    let mut plan = Plan::default();
    let mut child = None;
    let mut parser = Parser::from_args(arguments.into_iter().map(Into::into));
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("records") => plan.records = list(&mut parser, sizes)?.concat(),
            Arg::Long("threads") => plan.threads = positive(&parser.value()?.string()?)?,
            Arg::Long("peer") => {
                let peers = list(&mut parser, peer)?;
                plan.systems = System::ALL.iter().copied().filter(|system| is_chosen(*system, &peers)).collect();
            }
            Arg::Long("workload") => {
                let chosen = list(&mut parser, workload)?;
                plan.workloads = Workload::ALL.iter().copied().filter(|workload| chosen.contains(workload)).collect();
            }
            Arg::Long("rounds") => plan.rounds = positive(&parser.value()?.string()?)?,
            Arg::Long("operations") => plan.operations = positive(&parser.value()?.string()?)?,
            Arg::Long("seed") => plan.seed = parser.value()?.parse()?,
            Arg::Long("clock") => plan.clock = clock(&parser.value()?.string()?)?,
            Arg::Long("json") => plan.json = Some(parser.value()?.into()),
            Arg::Long("plot") => plan.plot = Some(parser.value()?.into()),
            Arg::Long("child") => child = Some((parser.value()?.string()?, parser.value()?.string()?)),
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    if plan.records.iter().any(|&records| records < 1_000 || records / plan.threads == 0) {
        return Err("--records: at least 1000, and one for each thread".into());
    }
    let Some((system, stage)) = child else {
        return Ok(Command::Run(plan));
    };
    let system = System::from_name(&system).ok_or("--child: no such system")?;
    let stage = Stage::from_name(&stage).ok_or("--child: no such stage")?;
    let Plan { operations, threads, seed, .. } = plan;
    Ok(Command::Child(system, stage, Scale { records: plan.records[0], operations, threads, seed }))
}

/// The help, with all names.
pub(crate) fn help() -> String {
    let mut text = HELP.to_owned();
    text.push_str("\nPeers:\n");
    for system in System::ALL.iter().filter(|&&system| system != System::Kstone) {
        let missing = if system.is_built() { "" } else { " (not in this build)" };
        text.push_str(&format!("  {:<17}{}{missing}\n", system.name(), system.text()));
    }
    text.push_str("\nWorkloads:\n");
    for workload in Workload::ALL {
        text.push_str(&format!("  {:<17}{}\n", workload.name(), workload.text()));
    }
    text
}

/// The values of an option that takes several: `--peer a b`, `--peer a,b`, `--peer=a,b`.
fn list<T>(parser: &mut Parser, read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    for value in parser.values()? {
        for word in value.string()?.split(',').filter(|word| !word.is_empty()) {
            all.push(read(word)?);
        }
    }
    Ok(all)
}

fn positive(word: &str) -> Result<usize> {
    match word.replace('_', "").parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("'{word}' is no positive number").into()),
    }
}

/// A number of records; "all" are those of the growth.
fn sizes(word: &str) -> Result<Vec<usize>> {
    if word == "all" { Ok(ALL_RECORDS.to_vec()) } else { Ok(vec![positive(word)?]) }
}

/// A peer by its name; "none" is no peer.
fn peer(word: &str) -> Result<Option<System>> {
    if word == "none" {
        return Ok(None);
    }
    System::from_name(word).map(Some).ok_or_else(|| format!("no peer is called '{word}': see --help").into())
}

fn is_chosen(system: System, peers: &[Option<System>]) -> bool {
    system == System::Kstone || peers.contains(&Some(system))
}

fn workload(word: &str) -> Result<Workload> {
    Workload::from_name(word).ok_or_else(|| format!("no workload is called '{word}': see --help").into())
}

fn clock(word: &str) -> Result<Clock> {
    match word {
        "wall" => Ok(Clock::Wall),
        "cpu" => Ok(Clock::Cpu),
        _ => Err("--clock: wall or cpu".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Plan {
        match parse(line.split_whitespace()).expect("the arguments are right") {
            Command::Run(plan) => plan,
            other => panic!("{other:?}"),
        }
    }

    fn error(line: &str) -> String {
        parse(line.split_whitespace()).expect_err("the arguments are wrong").to_string()
    }

    #[test]
    fn nothing_is_the_default() {
        assert_eq!(plan(""), Plan::default());
    }

    #[test]
    fn several_values_follow_an_option_or_stand_behind_commas() {
        let expected = vec![System::Kstone, System::DashFixed, System::Lmdb];
        assert_eq!(plan("--peer lmdb dash-fixed --rounds 5").systems, expected);
        assert_eq!(plan("--peer=lmdb,dash-fixed").systems, expected);
        assert_eq!(plan("--records 10000 1_000_000").records, [10_000, 1_000_000]);
        assert_eq!(plan("--records all").records, [10_000, 100_000, 1_000_000, 5_000_000]);
    }

    #[test]
    fn kstone_is_always_there() {
        assert_eq!(plan("--peer none").systems, [System::Kstone]);
        assert_eq!(plan("--peer kstone").systems, [System::Kstone]);
    }

    #[test]
    fn workloads_run_in_their_own_order() {
        assert_eq!(plan("--workload get load").workloads, [Workload::Load, Workload::Get]);
    }

    #[test]
    fn files_clock_and_numbers_are_read() {
        let plan = plan("--json a.json --plot b.svg --clock cpu --threads 4 --rounds 7 --operations 9 --seed 3");
        assert_eq!(plan.json.as_deref(), Some("a.json".as_ref()));
        assert_eq!(plan.plot.as_deref(), Some("b.svg".as_ref()));
        assert_eq!(plan.clock, Clock::Cpu);
        assert_eq!((plan.threads, plan.rounds, plan.operations, plan.seed), (4, 7, 9, 3));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error("--peer mysql").contains("'mysql'"));
        assert!(error("--workload sort").contains("'sort'"));
        assert!(error("--rounds 0").contains("'0'"));
        assert!(error("--records 10").contains("at least 1000"));
        assert!(error("--records -5").contains("records"));
        assert!(error("--clock sun").contains("wall or cpu"));
        assert!(error("--speed 9").contains("--speed"));
        assert!(error("load").contains("load"));
    }

    #[test]
    fn a_child_is_told_what_its_run_was_told() {
        let plan = plan("--threads 3 --operations 70 --seed 5");
        let arguments = plan.child_arguments(System::Redb, Stage::Tens, 4_000);
        let Command::Child(system, stage, scale) = parse(arguments).expect("the arguments are right") else {
            panic!("no child");
        };
        assert_eq!((system, stage), (System::Redb, Stage::Tens));
        assert_eq!((scale.records, scale.operations, scale.threads, scale.seed), (4_000, 70, 3, 5));
    }

    #[test]
    fn help_names_everything() {
        let help = help();
        assert!(Workload::ALL.iter().all(|workload| help.contains(workload.name())));
        assert!(System::ALL[1..].iter().all(|system| help.contains(system.name())));
    }
}
