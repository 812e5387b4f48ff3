//! Records on their way from the text of an input into the database, some at a time.
//!
//! Memory: a batch has [`BATCH_BYTES`] of text, the rest of its last record, and what it is read into. A record of more
//! than [`TEXT_MAX_BYTES`] is not kept as text: it is read where it is met.
//!
//! Thread safety: a batch goes from thread to thread; any number of threads may read batches of one input at once.

use std::sync::Arc;

use super::ImportOptions;
use super::record::{Change, RecordReader};
use super::records::{RecordText, TextPlace};
use crate::error::Result;
use crate::model::json::JsonForm;
use crate::table::state::TableState;

/// A batch is full when its texts have so many bytes. Handing a batch over costs some microseconds, reading it a hundred.
const BATCH_BYTES: usize = 32 << 10;
/// A batch of short texts is full when it has so many.
const RECORDS_MAX: usize = 512;
const TEXT_MAX_BYTES: usize = 128 << 10;
/// More than most texts have, so that a batch that is full by one seldom moves.
const TEXT_USUAL_BYTES: usize = 2 << 10;

/// What records say, or what is wrong with them, in the order of the input. Blank lines say nothing and are not here.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) outcomes: Vec<(TextPlace, Result<Change>)>,
    /// What the changes lie in.
    pub(super) bytes: Vec<u8>,
}

impl Changes {
    pub(super) fn read(
        &mut self,
        reader: &mut RecordReader<'_>,
        table: &TableState,
        place: TextPlace,
        text: RecordText<'_>,
    ) {
        let outcome = reader.read(table, text, &mut self.bytes).transpose();
        self.outcomes.extend(outcome.map(|outcome| (place, outcome)));
    }

    pub(super) fn clear(&mut self) {
        self.outcomes.clear();
        self.bytes.clear();
    }
}

/// Some records, one after another.
pub(super) struct Batch {
    /// By which they are checked.
    table: Arc<TableState>,
    texts: Vec<u8>,
    /// Where each text is in the input, and where it ends in `texts`.
    ends: Vec<(TextPlace, usize)>,
    /// Before the batch is read: the last record, if it was read where it was met.
    pub(super) changes: Changes,
}

impl Batch {
    pub(super) fn new(table: Arc<TableState>) -> Self {
        let texts = Vec::with_capacity(BATCH_BYTES + TEXT_USUAL_BYTES);
        Self { table, texts, ends: Vec::new(), changes: Changes::default() }
    }

    /// An empty batch in the memory of one that is done.
    pub(super) fn reused(mut self, table: Arc<TableState>) -> Self {
        self.table = table;
        self.texts.clear();
        self.ends.clear();
        self.changes.clear();
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.changes.outcomes.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.texts.len() >= BATCH_BYTES || self.ends.len() >= RECORDS_MAX || !self.changes.outcomes.is_empty()
    }

    /// Adds the next record.
    pub(super) fn add(&mut self, reader: &BatchReader, place: TextPlace, text: RecordText<'_>) {
        match text {
            Ok(bytes) if bytes.len() <= TEXT_MAX_BYTES => {
                self.texts.extend_from_slice(bytes);
                self.ends.push((place, self.texts.len()));
            }
            text => self.changes.read(&mut reader.record_reader(), &self.table, place, text),
        }
    }
}

/// Reads the batches of an input.
pub(super) struct BatchReader {
    pub(super) options: ImportOptions,
    pub(super) form: JsonForm,
    /// Whether nobody needs the sound records.
    pub(super) checks_only: bool,
}

impl BatchReader {
    pub(super) fn read(&self, mut batch: Batch) -> Batch {
        let Batch { table, texts, ends, changes } = &mut batch;
        let last = changes.outcomes.pop();
        let mut reader = self.record_reader();
        let mut begin = 0;
        for (place, end) in ends.drain(..) {
            changes.read(&mut reader, table, place, Ok(&texts[begin..end]));
            begin = end;
            if self.checks_only && changes.outcomes.last().is_some_and(|(_, outcome)| outcome.is_ok()) {
                changes.outcomes.pop();
                changes.bytes.clear();
            }
        }
        changes.outcomes.extend(last);
        batch
    }

    fn record_reader(&self) -> RecordReader<'_> {
        RecordReader::of_form(&self.options, self.form)
    }
}
