//! A SELECT from its plan to its result: page by page, all at once, or explained.

use super::select::Reading;
use super::statement::{StatementResult, StatementRun};
use super::{collect, explain};
use crate::error::{Error, Reason, Result};
use crate::request::page_limits::ReadSizes;

impl Reading<'_> {
    /// Executes it, or explains how it would be.
    pub(super) fn run(self, run: StatementRun<'_>) -> Result<StatementResult> {
        self.run_as(run, None)
    }

    /// The same, adding how large the items are that it looks at one after the other.
    pub(super) fn run_measured(self, run: StatementRun<'_>, sizes: &mut ReadSizes) -> Result<StatementResult> {
        self.run_as(run, Some(sizes))
    }

    fn run_as(self, run: StatementRun<'_>, sizes: Option<&mut ReadSizes>) -> Result<StatementResult> {
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
            self.page(run, sizes)?
        };
        result.columns = columns;
        Ok(result)
    }
}
