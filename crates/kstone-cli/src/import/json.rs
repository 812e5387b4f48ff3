//! JSON in every form that `kstone-api` imports.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _};
use std::path::Path;

use kstone_api::{Database, Error, ImportOptions, Unzip, foreign_format};

use super::progress::Progress;
use crate::failure::Failure;

/// Puts and deletes the items of a file; how many of both. It is read once, so that it may be a pipe: what is bad is
/// found when what came before it was put. Only of a file more is read than is put, by helper threads.
///
/// # Errors
/// Where the file cannot be read or holds anything else: says at which line.
pub(super) fn import(
    db: &Database,
    path: &Path,
    options: &ImportOptions,
    kind_is_known: bool,
    progress: &Progress<'_>,
) -> Result<(u64, u64), Failure> {
    let mut file = BufReader::new(progress.open(path)?);
    let outcome = if file.stream_position().is_ok() {
        if !kind_is_known {
            check_beginning(Unzip::new(BufReader::new(File::open(path)?))?)?;
        }
        db.import_json(file, options)
    } else {
        let mut pipe = Unzip::new(file)?;
        if !kind_is_known {
            check_beginning(&mut pipe)?;
        }
        db.import_json_stream(pipe, options)
    };
    progress.check()?;
    match outcome {
        Ok(report) => Ok((report.loaded, report.deleted)),
        // The caller names the file.
        Err(Error::Corrupt { at, what, .. }) => Err(Failure::message(format!("{at}: {what}"))),
        Err(Error::Io { source, .. }) => Err(Failure::message(source.to_string())),
        Err(other) => Err(other.into()),
    }
}

/// Refuses what does not begin as JSON of items does.
fn check_beginning(mut input: impl BufRead) -> Result<(), Failure> {
    let text = input.fill_buf()?;
    let begins = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text).trim_ascii_start();
    if matches!(begins.first(), Some(b'{' | b'[')) {
        return Ok(());
    }
    Err(Failure::message(
        foreign_format(text).map_or_else(
            || "its name does not say what it is: use --from".to_owned(),
            |what| format!("this is {what}"),
        ),
    ))
}
