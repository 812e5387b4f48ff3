//! DynamoDB's exports: lines of typed JSON, mostly compressed, in the files of a directory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use kstone_api::Database;

use super::KeyNames;
use super::progress::Progress;
use crate::failure::Failure;

/// The data files of an export: those in its directory `data`, or in the directory itself.
///
/// # Errors
/// Where the directory cannot be read or there are none.
pub(super) fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let data = directory.join("data");
    let within = if data.is_dir() { data } else { directory.to_owned() };
    let mut files = Vec::new();
    for entry in fs::read_dir(within)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        // Manifests lie beside the data.
        let is_data = name.ends_with(".json.gz") || name.ends_with(".json") && !name.starts_with("manifest");
        if is_data && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::message("there are no files *.json or *.json.gz in the directory"));
    }
    Ok(files)
}

/// Puts the items of a file; how many. It is read once: what is bad is found when what came before it was put.
pub(super) fn import(db: &Database, path: &Path, keys: &KeyNames, progress: &mut Progress<'_>) -> Result<u64, Failure> {
    let mut options = kstone_api::ImportOptions::new().skip_bad_records();
    if let Some(key) = &keys.key {
        options = options.partition_key(key);
    }
    if let Some(sort) = &keys.sort {
        options = options.sort_key(sort);
    }
    let mut file = BufReader::new(progress.reading(File::open(path)?));
    let compressed = file.fill_buf()?.starts_with(&GZIP);
    let report = if compressed {
        db.import_json_stream(BufReader::new(MultiGzDecoder::new(file)), &options)
    } else {
        db.import_json_stream(file, &options)
    };
    progress.check()?;
    let report = report?;
    match report.first_skipped.first() {
        Some(bad) => Err(Failure::message(format!("line {}: {}", bad.line, bad.what))),
        None => Ok(report.loaded),
    }
}

/// How gzip's files begin.
const GZIP: [u8; 2] = [0x1f, 0x8b];
