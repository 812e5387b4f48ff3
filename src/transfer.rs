//! Export and import: items as lines of JSON.

use std::ffi::c_char;
use std::fmt::Write as _;

use kstone_api::{ImportOptions, SkippedRecord};

use crate::boundary::{Failure, Out, enter, known_flags, path, text};
use crate::cancellation::Uncancelled;
use crate::database::{Db, database};
use crate::error::Error;
use crate::options::{c_struct, not_served, read_struct};
use crate::status::{KSTONE_OK, Status};
use crate::text::OwnedText;

/// Flag of a kstone_import_spec: bad records are skipped and counted. Without it the first one ends the import before
/// anything is put.
pub const KSTONE_IMPORT_SKIP: u32 = 1u32;

/// EXPORT AND IMPORT
///
/// The way out to DynamoDB, and in from it: a file of lines, each an item in the form of DynamoDB's table exports,
/// {"Item":{"pk":{"S":"user#1"},"sk":{"S":"profile"},"age":{"N":"30"}}}. The key comes first, as the attributes pk and
/// sk: S where its bytes are UTF-8, B elsewhere; no sk where there is none. Then come the attributes of the item by
/// name. What was exported and imported again exports as the same bytes. Paths are as in kstone_snapshot_save.
///
/// An import also takes lines that are an item without {"Item":...} around it, and passes over blank lines, a byte order
/// mark, and the CR before an LF. A line has up to 8,388,608 bytes. Items are put one by one as by kstone_put, through
/// indexes and into the stream, in the place of items that are there. The attributes pk and sk are the key itself and
/// do not stay in the item; a key attribute of another name (see kstone_import_spec) does.
///
/// ```c
/// static int load_songs(kstone_db *db, const char *path) {
///     kstone_import_spec spec = {0};
///     kstone_error *err = NULL;
///     size_t loaded = 0, skipped = 0;
///     char *reasons = NULL;
///     spec.struct_size = sizeof spec;
///     spec.pk_name = "Artist";
///     spec.sk_name = "SongTitle";
///     spec.pk_name_len = spec.sk_name_len = KSTONE_STRLEN;
///     spec.flags = KSTONE_IMPORT_SKIP;
///     if (kstone_import_json(db, path, KSTONE_STRLEN, &spec, &loaded, &skipped, &reasons, &err) < 0) {
///         fprintf(stderr, "%s\n", kstone_error_message(err));
///         kstone_free(err);
///         return 0;
///     }
///     printf("%lu songs, %lu bad records\n%s", (unsigned long)loaded, (unsigned long)skipped, reasons);
///     kstone_free(reasons);
///     return 1;
/// }
/// ```
///
/// How to import. Set struct_size to sizeof(kstone_import_spec) and everything else to 0, then what you want. Instead of
/// a kstone_import_spec, NULL means all defaults.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct ImportSpec {
    /// sizeof(kstone_import_spec), in bytes.
    pub struct_size: usize,
    /// The attribute that is the partition key: S, B or N, of which the text is the key. NULL: pk, which is S or B.
    pub pk_name: *const c_char,
    /// How many bytes pk_name has, or KSTONE_STRLEN.
    pub pk_name_len: usize,
    /// The attribute that is the sort key, which every item must have. NULL: none where pk_name is set, elsewhere sk,
    /// which items may lack.
    pub sk_name: *const c_char,
    /// How many bytes sk_name has, or KSTONE_STRLEN.
    pub sk_name_len: usize,
    /// KSTONE_IMPORT_SKIP or 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

c_struct!(ImportSpec, "kstone_import_spec", [struct_size, pk_name, pk_name_len, sk_name, sk_name_len, flags, reserved]);

impl ImportSpec {
    /// The options as the API takes them.
    ///
    /// # Safety
    /// What it points at may be read.
    unsafe fn to_api(self) -> Result<ImportOptions, Failure> {
        known_flags(self.flags, KSTONE_IMPORT_SKIP)?;
        not_served(self.reserved != 0, "kstone_import_spec.reserved")?;
        let mut options = ImportOptions::new();
        // SAFETY: as this function's.
        unsafe {
            if !self.pk_name.is_null() {
                options = options.partition_key(text(self.pk_name, self.pk_name_len, "kstone_import_spec.pk_name")?);
            }
            if !self.sk_name.is_null() {
                options = options.sort_key(text(self.sk_name, self.sk_name_len, "kstone_import_spec.sk_name")?);
            }
        }
        Ok(if self.flags & KSTONE_IMPORT_SKIP != 0 { options.skip_bad_records() } else { options })
    }
}

/// Writes every item to a file as a line of JSON, as the database is at one moment, in the place of a file that is
/// there, as safely as kstone_snapshot_save. Items that have expired are left out.
///
/// Errors: KSTONE_ERR_IO, naming the file and the cause; KSTONE_ERR_INVALID for a path as in kstone_snapshot_save. The
/// file is then as it was.
/// Cost: a walk over the items. Memory: some MiB, and what is overwritten meanwhile.
/// Threads: any; writers wait for the moment of the cut, not for the file.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_export_json(
    db: *const Db,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let _uncancelled = Uncancelled::new();
            database(db)?.export_json_file(self::path(path, path_len, "path")?)?;
            Ok(KSTONE_OK)
        })
    }
}

/// Puts an item for each line of a file. spec may be NULL. *loaded and *skipped say how many records were put and how
/// many were bad; *reasons is a text for people with a line for each of the first ten of these, empty where there are
/// none. All three may be NULL. Without KSTONE_IMPORT_SKIP the file is read twice, first to check every record; so a
/// pipe can only be imported with it.
///
/// Ownership: *reasons is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_CORRUPT for a bad record, unless they are skipped: the message names the file, the line, and what
/// is wrong; KSTONE_ERR_IO where the file cannot be read; KSTONE_ERR_INVALID for a path or names that cannot be. Nothing
/// was put then, unless the file failed, or was changed, after it had been checked. As kstone_put otherwise: then what
/// came before stays.
/// Cost: a parse and a put for each line, a second parse without KSTONE_IMPORT_SKIP. Memory: a line and its item.
/// Threads: any; others see items as they come.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_import_json(
    db: *mut Db,
    path: *const c_char,
    path_len: usize,
    spec: *const ImportSpec,
    loaded: *mut usize,
    skipped: *mut usize,
    reasons: *mut *mut c_char,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let _uncancelled = Uncancelled::new();
            let (loaded, skipped, reasons) = (Out::optional(loaded), Out::optional(skipped), Out::optional(reasons));
            let database = database(db)?;
            let options = read_struct(spec)?.to_api()?;
            let report = database.import_json_file(self::path(path, path_len, "path")?, &options)?;
            // No more records than the address space has bytes were in reach of one call.
            let count = |records: u64| usize::try_from(records).unwrap_or(usize::MAX);
            if let Some(loaded) = loaded {
                loaded.set(count(report.loaded));
            }
            if let Some(skipped) = skipped {
                skipped.set(count(report.skipped));
            }
            if let Some(reasons) = reasons {
                reasons.set(OwnedText::for_caller(&text_of(&report.first_skipped)).as_ptr());
            }
            Ok(KSTONE_OK)
        })
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
