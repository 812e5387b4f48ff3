//! One reading of an input: what its records say is done in their order, whoever reads them.
//!
//! ```text
//! this thread   text of batch 0 ─ read 0 ─ text of 1 ─ text of 2 ─ text of 3 ─ do 0, 1 ─ …
//! helper                                                read 1 ──────────────── read 2 ─ …
//! ```
//!
//! Records are read one by one until one has settled the form of the input, and so are all of an input that is not read
//! ahead: there each is done before the next is asked for.

use std::cell::RefCell;
use std::io::BufRead;
use std::sync::Arc;

use kstone_core::in_order::in_order;

use super::batch::{Batch, BatchReader, Changes};
use super::record::{Action, Change, RecordReader};
use super::records::{Failed, Records};
use super::{ImportOptions, ImportReport, OnBad};
use crate::error::{Error, Position, Reason, Result};
use crate::model::json::JsonForm;
use crate::table::Table;

pub(super) struct Reading<'a> {
    pub(super) table: &'a Table,
    /// What errors call the input.
    pub(super) name: &'a str,
    pub(super) options: &'a ImportOptions,
    /// Whether more may be asked for than is done.
    pub(super) reads_ahead: bool,
}

impl Reading<'_> {
    /// Reads everything and puts nothing.
    pub(super) fn check(&self, input: impl BufRead) -> Result<()> {
        Run { reading: self, checks_only: true, report: ImportReport::default() }.all(input).map(drop)
    }

    /// Does what the records say.
    pub(super) fn import(&self, input: impl BufRead) -> Result<ImportReport> {
        Run { reading: self, checks_only: false, report: ImportReport::default() }.all(input)
    }

    fn error(&self, failed: Failed) -> Error {
        match failed {
            Failed::Io(error) => Error::io("read", self.name, error),
            Failed::Bad { line, what } => Error::corrupt(self.name, Position::Line(line), what),
        }
    }
}

/// What a reading has come to.
struct Run<'a> {
    reading: &'a Reading<'a>,
    checks_only: bool,
    report: ImportReport,
}

impl Run<'_> {
    fn all(mut self, input: impl BufRead) -> Result<ImportReport> {
        let Reading { table, options, reads_ahead, .. } = *self.reading;
        let mut records = Records::of(input).map_err(|failed| self.reading.error(failed))?;
        let mut reader = RecordReader::new(options);
        let mut changes = Changes::default();
        while let Some((place, text)) = records.next().map_err(|failed| self.reading.error(failed))? {
            changes.clear();
            changes.read(&mut reader, &table.state(), place, text);
            self.take(&mut changes)?;
            if let Some(form) = reader.form().filter(|_| reads_ahead) {
                self.share(records, form)?;
                break;
            }
        }
        Ok(self.report)
    }

    /// Has helper threads read the rest of the records.
    fn share<R: BufRead>(&mut self, mut records: Records<R>, form: JsonForm) -> Result<()> {
        let Reading { table, options, .. } = *self.reading;
        let batches = Arc::new(BatchReader { options: options.clone(), form, checks_only: self.checks_only });
        let readers = Arc::clone(&batches);
        let spare = RefCell::new(Vec::<Batch>::new());
        let process = std::process::id();
        // What ended the input, where it was no end: the records before it come first.
        let mut ended = Ok(());
        let reading = self.reading;
        let next = || {
            let (state, used) = (table.state(), spare.borrow_mut().pop());
            let mut batch = match used {
                Some(used) => used.reused(state),
                None => Batch::new(state),
            };
            while ended.is_ok() && !batch.is_full() {
                table.check_interrupt()?;
                match records.next() {
                    Ok(Some((place, text))) => batch.add(&batches, place, text),
                    Ok(None) => break,
                    Err(failed) => ended = Err(reading.error(failed)),
                }
            }
            if std::process::id() != process {
                return Err(Error::from(Reason::ImportForked));
            }
            Ok(Some(batch).filter(|batch| !batch.is_empty()))
        };
        in_order(
            next,
            move |batch| readers.read(batch),
            |mut batch: Batch| {
                self.take(&mut batch.changes)?;
                spare.borrow_mut().push(batch);
                Ok(())
            },
        )?;
        ended
    }

    /// Does what records say, and counts them.
    fn take(&mut self, changes: &mut Changes) -> Result<()> {
        let Reading { table, options, .. } = *self.reading;
        for (place, outcome) in changes.outcomes.drain(..) {
            table.check_interrupt()?;
            let what = match outcome {
                Ok(_) if self.checks_only => continue,
                Ok(change) => match put_or_delete(table, change, &changes.bytes) {
                    Ok(()) => {
                        self.report.count(change.action);
                        continue;
                    }
                    Err(Error::Invalid(refusal)) => refusal.to_string(),
                    // It is not of the record: its limits were checked.
                    Err(other) => return Err(other),
                },
                Err(error) => error.to_string(),
            };
            let (line, what) = place.locate(&what);
            if options.bad != OnBad::Skip {
                return Err(self.reading.error(Failed::Bad { line, what }));
            }
            self.report.skip(line, what);
        }
        Ok(())
    }
}

fn put_or_delete(table: &Table, change: Change, bytes: &[u8]) -> Result<()> {
    let [pk, sk, body] = change.parts(bytes);
    match change.action {
        Action::Put => table.put_body(pk, sk, body),
        Action::Delete => table.delete_with_sk(pk, sk),
    }
}
