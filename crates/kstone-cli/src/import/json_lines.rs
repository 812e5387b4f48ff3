//! Plain JSON lines: an object a line, such as `--format jsonl` prints.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use kstone_api::Database;
use kstone_api::json::{JsonForm, item_from_str};

use super::keys::Keys;
use super::progress::Progress;
use crate::failure::Failure;
use crate::input::lines::Lines;

/// Puts the items of a file; how many. Blank lines are passed over.
pub(super) fn import(db: &Database, path: &Path, keys: &Keys, progress: &mut Progress<'_>) -> Result<u64, Failure> {
    let mut lines = Lines::new(BufReader::new(progress.reading(File::open(path)?)));
    let mut items = 0;
    while let Some(line) = lines.next()? {
        if line.trim().is_empty() {
            continue;
        }
        let put =
            item_from_str(&line, JsonForm::Plain).map_err(Failure::from).and_then(|mut item| keys.put(db, &mut item));
        put.map_err(|failure| failure.at(format_args!("line {}", lines.number())))?;
        items += 1;
        progress.check()?;
    }
    Ok(items)
}

/// Whether the first item of a file says the types of its values, as DynamoDB's exports do: the item itself, or what
/// its only member `Item` holds.
pub(super) fn is_typed(path: &Path) -> Result<bool, Failure> {
    let mut lines = Lines::new(BufReader::new(File::open(path)?));
    while let Some(line) = lines.next()? {
        if !line.trim().is_empty() {
            return Ok(item_from_str(&line, JsonForm::Typed).is_ok() || line.trim_start().starts_with("{\"Item\":"));
        }
    }
    Ok(false)
}
