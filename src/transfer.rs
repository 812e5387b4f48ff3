//! Export and import: items as lines of JSON.

use std::ffi::c_char;
use std::fmt::Write as _;

use kstone_api::{ImportReport, SkippedRecord};

use crate::boundary::text::OwnedText;
use crate::boundary::{ErrorObject, KSTONE_OK, Out, Status, by_contract, entry, file_path, read_struct};
use crate::cancellation::Uncancelled;
use crate::database::{Db, database};
use crate::import_spec::ImportSpec;

/// Writes every item to a file as a line of JSON, as the database is at one moment, replacing a file that exists, as
/// safely as kstone_snapshot_save. Items that have expired are left out.
///
/// Errors: KSTONE_ERR_IO, naming the file and the cause; KSTONE_ERR_INVALID for a path as in kstone_snapshot_save. The
/// file is then as it was.
/// Cost: one pass over the items. Memory: some MiB, and what is overwritten meanwhile.
/// Threads: any; writers wait for the point-in-time view, not for the file.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_export_json(
    db: *const Db,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        database(db)?.export_json_file(file_path(path, path_len, "path")?)?;
        Ok(KSTONE_OK)
    })
}

/// Puts the items of a file. spec may be NULL. *loaded says how many records were put, or deleted their item in an
/// incremental export, and *skipped how many were bad; *reasons is a text for people with a line for each of the first
/// ten of these, empty where there are none. All three may be NULL. Without KSTONE_IMPORT_SKIP the file is read twice,
/// first to check every record; so a pipe can only be imported with it.
///
/// Ownership: *reasons is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_CORRUPT for a bad record, unless they are skipped: the message names the file, the line, and what
/// is wrong; KSTONE_ERR_IO where the file cannot be read, also where its gzip data is truncated or damaged;
/// KSTONE_ERR_INVALID for a path or names that cannot be. Nothing was put then, unless the file failed, or was changed,
/// after it had been checked. As kstone_put otherwise: then what came before stays.
/// Cost: a parse and a put for each item, a second parse without KSTONE_IMPORT_SKIP. Memory: an item and its text; of a
/// file that is no pipe some hundred KiB of text, which is read ahead.
/// Threads: any; others see items as they come. Of a file that is no pipe the parsing is shared by helper threads where
/// the process may use more than one processor; they end with the call.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_import_json(
    db: *mut Db,
    path: *const c_char,
    path_len: usize,
    spec: *const ImportSpec,
    loaded: *mut usize,
    skipped: *mut usize,
    reasons: *mut *mut c_char,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let outputs = ImportOutputs::new(loaded, skipped, reasons);
        let database = database(db)?;
        let options = read_struct(spec)?.to_api()?;
        let report = database.import_json_file(file_path(path, path_len, "path")?, &options)?;
        outputs.set(&report);
        Ok(KSTONE_OK)
    })
}

/// Where an import says what it came to; each may be missing.
pub(crate) struct ImportOutputs {
    loaded: Option<Out<usize>>,
    skipped: Option<Out<usize>>,
    reasons: Option<Out<*mut c_char>>,
}

impl ImportOutputs {
    /// # Safety
    /// Each is NULL or may be written for as long as this is kept.
    pub(crate) unsafe fn new(loaded: *mut usize, skipped: *mut usize, reasons: *mut *mut c_char) -> Self {
        by_contract!(Self {
            loaded: Out::optional(loaded),
            skipped: Out::optional(skipped),
            reasons: Out::optional(reasons),
        })
    }

    pub(crate) fn set(self, report: &ImportReport) {
        // No more records than the address space has bytes were in reach of one call.
        let count = |records: u64| usize::try_from(records).unwrap_or(usize::MAX);
        if let Some(loaded) = self.loaded {
            loaded.set(count(report.loaded + report.deleted));
        }
        if let Some(skipped) = self.skipped {
            skipped.set(count(report.skipped));
        }
        if let Some(reasons) = self.reasons {
            reasons.set(OwnedText::for_caller(&text_of(&report.first_skipped)).as_ptr());
        }
    }
}

/// A line for each; a NUL in one is written out, so that C sees all of it.
fn text_of(skipped: &[SkippedRecord]) -> String {
    let mut text = String::new();
    for SkippedRecord { line, what } in skipped {
        writeln!(text, "line {line}: {}", what.replace('\0', "\\0")).expect("writing to a String cannot fail");
    }
    text
}
