//! Folders of files, such as an export of DynamoDB's.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::Kind;
use crate::failure::Failure;
use crate::output::text;

/// How many files are named that are passed over.
const NAMED: usize = 3;

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// Files to import, by name.
    pub(super) files: Vec<PathBuf>,
    /// What is passed over: hidden files, manifests and files whose names say nothing of items.
    passed_over: Vec<String>,
}

impl Folder {
    /// The data files of a folder: those in its folder `data`, as exports have one, or in the folder itself.
    ///
    /// # Errors
    /// Where the folder cannot be read or there are none: says what there is.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let data = folder.join("data");
        let within = if data.is_dir() { &data } else { folder };
        let mut names =
            fs::read_dir(within)?.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>, Failure>>()?;
        names.sort();
        let mut found = Self::default();
        for name in names {
            let path = within.join(&name);
            if path.is_file() && may_be_data(&name) && Kind::of_name(&path).is_some() {
                found.files.push(path);
            } else {
                found.passed_over.push(text::path(Path::new(&name)));
            }
        }
        if found.files.is_empty() {
            let there_is = found.passed_over().unwrap_or_else(|| "it is empty".to_owned());
            let names = "*.json, *.jsonl, *.ndjson, *.csv or *.tsv, compressed by gzip or not";
            return Err(Failure::message(format!("there are no files {names} in the folder; {there_is}")));
        }
        Ok(found)
    }

    /// A file that stands alone.
    pub(super) fn of_file(file: &Path) -> Self {
        Self { files: vec![file.to_owned()], passed_over: Vec::new() }
    }

    /// What was passed over, in words.
    pub(super) fn passed_over(&self) -> Option<String> {
        let names = &self.passed_over;
        let more = names.len().saturating_sub(NAMED);
        let named = names[..names.len() - more].join(", ");
        match (names.is_empty(), more) {
            (true, _) => None,
            (_, 0) => Some(format!("passed over: {named}")),
            _ => Some(format!("passed over: {named} and {more} more")),
        }
    }
}

/// Whether a name is neither hidden (macOS leaves `._` files next to others) nor a manifest's.
fn may_be_data(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    !name.starts_with('.') && !name.starts_with('_') && !name.starts_with("manifest-")
}
