//! A SELECT from its plan to its result: page by page, all at once, or explained.

use super::select::{Met, Reading};
use super::statement::{StatementResult, StatementRun};
use super::{collect, explain};
use crate::error::{Error, Reason, Result};

impl Reading<'_> {
    /// Executes it, or explains how it would be.
    pub(super) fn run(self, run: StatementRun<'_>) -> Result<StatementResult> {
        self.run_as(run, None)
    }

    /// The same, saying what it met where it looks at items one after the other.
    pub(super) fn run_measured(self, run: StatementRun<'_>, met: &mut Met) -> Result<StatementResult> {
        self.run_as(run, Some(met))
    }

    fn run_as(self, run: StatementRun<'_>, met: Option<&mut Met>) -> Result<StatementResult> {
        if run.parsed.explain {
            return Ok(explain::explain(&self));
        }
        let columns = self.columns();
        let mut result = if self.select.groups.is_some() || self.plan.sorts {
            if run.limit.is_some() || run.token.is_some() {
                return Err(Error::from(Reason::GroupedWithToken));
            }
            collect::collect(self)?
        } else {
            self.page(run, met)?
        };
        result.columns = columns;
        Ok(result)
    }
}
