//! The command line.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt};

use crate::Result;
use crate::requests::ITEMS_OF_A_PARTITION;

/// What `--help` says.
pub(crate) const HELP: &str = "\
DynamoDB's operations, JSON in and JSON out: kstone through its C ABI, and dynoxide embedded.

  --dynamodb        what brings make bench here
  --records N       items of the table that is read and updated, ten to a partition   [100000]
  --operations N    operations of a workload in a round                               [20000]
  --rounds R        how often everything is measured; medians count                   [7]
  --help            this text
";

/// What a run is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) records: usize,
    pub(crate) operations: usize,
    pub(crate) rounds: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { records: 100_000, operations: 20_000, rounds: 7 }
    }
}

/// Reads the arguments, the program's name not among them; None where the help is asked for.
pub(crate) fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Option<Plan>> {
    let mut plan = Plan::default();
    let mut parser = Parser::from_args(arguments.into_iter().map(Into::into));
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("dynamodb") => {}
            Arg::Long("records") => plan.records = parser.value()?.parse()?,
            Arg::Long("operations") => plan.operations = parser.value()?.parse()?,
            Arg::Long("rounds") => plan.rounds = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    if plan.records < ITEMS_OF_A_PARTITION || plan.operations == 0 || plan.rounds == 0 {
        return Err("--records: at least 10; --operations and --rounds: at least 1".into());
    }
    Ok(Some(plan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_the_default_and_numbers_are_read() {
        let plan = |line: &str| parse(line.split_whitespace()).expect("the arguments are right").expect("no help");
        assert_eq!(plan("--dynamodb"), Plan::default());
        let expected = Plan { records: 50, operations: 6, rounds: 2 };
        assert_eq!(plan("--dynamodb --records 50 --operations 6 --rounds=2"), expected);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        assert!(parse(["--records", "9"]).is_err());
        assert!(parse(["--rounds", "0"]).is_err());
        assert!(parse(["--peer", "none"]).is_err());
    }
}
