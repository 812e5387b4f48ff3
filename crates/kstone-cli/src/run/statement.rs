//! A statement: its plan and its time where they are asked for, and its pages, printed as they come.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use kstone_api::{Database, Record, Statement, StatementResult};

use crate::failure::Failure;
use crate::format::{Columns, Format, Printer, plain};
use crate::interrupt::Interrupt;
use crate::output::Screen;
use crate::output::text::items;
use crate::session::Session;

/// Runs a statement, prints its items, and says what else is wanted of it.
///
/// # Errors
/// What the database says; [`Failure::PipeClosed`]; [`Failure::Interrupted`].
pub(super) fn run(session: &Session, text: &str) -> Result<(), Failure> {
    if session.settings.explain && is_a(text, "SELECT") {
        show_plan(session, text)?;
    }
    run_bound(session, &session.parameters.bind(text)?)
}

/// The same of a statement with its values.
///
/// # Errors
/// As [`run`].
pub(super) fn run_bound(session: &Session, statement: &Statement) -> Result<(), Failure> {
    let outcome = execute(session, statement)?;
    if !is_a(statement.text(), "SELECT") {
        session.learn_database();
    }
    let summary = match outcome.items {
        _ if !outcome.has_result => "OK".to_owned(),
        count => items(count as u64),
    };
    if session.settings.timer {
        session.remark(&format!("{summary} in {}", milliseconds(outcome.spent)))?;
    } else {
        session.note(&summary)?;
    }
    Ok(())
}

/// Whether a statement begins with this keyword.
pub(super) fn is_a(text: &str, keyword: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
}

/// A time as people read it.
fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

fn show_plan(session: &Session, text: &str) -> Result<(), Failure> {
    let explained = session.db().execute_statement(&session.parameters.bind(&format!("EXPLAIN {text}"))?)?;
    let columns = Columns::named(&explained.columns);
    for record in &explained.records {
        let parts = columns.sort(record.item()).into_iter().map(|(name, value)| format!("{name}: {}", plain(value)));
        session.remark(&parts.collect::<Vec<_>>().join("; "))?;
    }
    Ok(())
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Outcome {
    /// Whether there is something to print, be it no items.
    has_result: bool,
    /// Items that were printed.
    items: usize,
    /// How long the database took, printing left out.
    spent: Duration,
}

/// Runs a statement and prints its items.
fn execute(session: &Session, statement: &Statement) -> Result<Outcome, Failure> {
    let mut pages = Pages::new(session.db(), statement, session.interrupt());
    let first = pages.next()?.unwrap_or_default();
    let mut outcome = Outcome { has_result: first.returns_rows, ..Outcome::default() };
    // A write without RETURNING has no result, not an empty one.
    if outcome.has_result {
        let mut columns = Columns::named(&first.columns).of_key(session.key()?);
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
pub(super) fn show(
    session: &Session,
    columns: Columns,
    mut next: impl FnMut() -> Result<Option<Vec<Record>>, Failure>,
) -> Result<usize, Failure> {
    let mut printer = session.format().printer(columns, session.layout());
    let mut out = session.results();
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
    out: &mut Screen<'_>,
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
    statement: &'a Statement,
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
    fn new(db: &'a Database, statement: &'a Statement, interrupt: &'a Interrupt) -> Self {
        Self { db, statement, interrupt, next: Next::First, spent: Duration::ZERO }
    }

    /// The same pages that are still to come, a second time.
    fn copy(&self) -> Self {
        Self { next: self.next.clone(), spent: Duration::ZERO, ..*self }
    }

    fn next(&mut self) -> Result<Option<StatementResult>, Failure> {
        let statement = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::First => self.statement.clone(),
            Next::After(token) => self.statement.clone().token(&token),
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
