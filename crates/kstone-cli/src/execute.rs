//! Running a statement: its pages, one after the other, printed as they come.

use std::collections::VecDeque;
use std::io::Write as _;
use std::time::{Duration, Instant};

use kstone_api::{Database, Record, Statement, StatementResult};

use crate::failure::Failure;
use crate::format::{Columns, Format, Printer};
use crate::interrupt::Interrupt;
use crate::pager::Output;
use crate::session::Session;
use crate::terminal::Look;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// Whether there is something to print, be it no items.
    pub(crate) has_result: bool,
    /// Items that were printed.
    pub(crate) items: usize,
    /// How long the database took, printing left out.
    pub(crate) spent: Duration,
}

/// Runs a statement and prints its items.
///
/// # Errors
/// What the database says; [`Failure::PipeClosed`]; [`Failure::Interrupted`].
pub(crate) fn execute(session: &Session, text: &str) -> Result<Outcome, Failure> {
    let mut pages = Pages::new(session.db(), text, session.interrupt());
    let first = pages.next()?.unwrap_or_default();
    let mut outcome = Outcome { has_result: first.returns_rows, ..Outcome::default() };
    // A write without RETURNING has no result, not an empty one.
    if outcome.has_result {
        let mut columns = Columns::named(&first.columns);
        if session.format() == Format::Csv && !columns.are_named() {
            meet_all(&mut columns, &first, pages.copy())?;
        }
        let mut results = VecDeque::from([first]);
        outcome.items = show(session, columns, || match results.pop_front() {
            Some(page) => Ok(Some(page.records)),
            None => Ok(pages.next()?.map(|page| page.records)),
        })?;
    }
    outcome.spent = pages.spent;
    Ok(outcome)
}

/// Prints pages of items in the session's format, through a pager where they do not fit; how many items.
///
/// # Errors
/// Those of `next`; [`Failure::PipeClosed`]; [`Failure::Interrupted`].
pub(crate) fn show(
    session: &Session,
    columns: Columns,
    mut next: impl FnMut() -> Result<Option<Vec<Record>>, Failure>,
) -> Result<usize, Failure> {
    let look: Look = session.look();
    let mut printer = session.format().printer(columns, look);
    let mut out = Output::new(look);
    let mut count = 0;
    let printed = print_all(&mut *printer, &mut out, &mut count, session, &mut next);
    let was_paged = out.is_paged();
    let finished = out.finish().map_err(Failure::from);
    match printed.and(finished) {
        Err(Failure::PipeClosed) if was_paged => Ok(count),
        other => other.map(|()| count),
    }
}

fn print_all(
    printer: &mut dyn Printer,
    out: &mut Output<'_>,
    count: &mut usize,
    session: &Session,
    next: &mut impl FnMut() -> Result<Option<Vec<Record>>, Failure>,
) -> Result<(), Failure> {
    while let Some(records) = next()? {
        for item in &records {
            session.interrupt().check()?;
            printer.item(item.item(), out)?;
            *count += 1;
        }
        session.learn(&records);
    }
    printer.finish(out)?;
    Ok(out.flush()?)
}

/// Looks through a whole result for its columns, which CSV prints first. Holds their names and one page.
fn meet_all(columns: &mut Columns, first: &StatementResult, mut rest: Pages<'_>) -> Result<(), Failure> {
    first.records.iter().for_each(|record| columns.meet(record.item()));
    while let Some(page) = rest.next()? {
        page.records.iter().for_each(|record| columns.meet(record.item()));
    }
    Ok(())
}

/// The pages of a statement's result.
struct Pages<'a> {
    db: &'a Database,
    text: &'a str,
    interrupt: &'a Interrupt,
    next: Next,
    spent: Duration,
}

#[derive(Clone)]
enum Next {
    First,
    After(Vec<u8>),
    Nothing,
}

impl<'a> Pages<'a> {
    fn new(db: &'a Database, text: &'a str, interrupt: &'a Interrupt) -> Self {
        Self { db, text, interrupt, next: Next::First, spent: Duration::ZERO }
    }

    /// The same pages that are still to come, a second time.
    fn copy(&self) -> Self {
        Self { next: self.next.clone(), spent: Duration::ZERO, ..*self }
    }

    fn next(&mut self) -> Result<Option<StatementResult>, Failure> {
        let statement = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::First => Statement::new(self.text),
            Next::After(token) => Statement::new(self.text).token(&token),
            Next::Nothing => return Ok(None),
        };
        self.interrupt.check()?;
        let started = Instant::now();
        let result = self.db.execute_statement(&statement);
        self.spent += started.elapsed();
        let page = result?;
        if let Some(token) = &page.token {
            self.next = Next::After(token.clone());
        }
        Ok(Some(page))
    }
}
