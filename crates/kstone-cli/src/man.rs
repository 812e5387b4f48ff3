//! Manual pages, made of the same description as `--help`.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::Cli;
use crate::failure::Failure;

/// Prints kstone(1).
///
/// # Errors
/// Where the output cannot be written.
pub(crate) fn print() -> Result<(), Failure> {
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    let mut out = io::stdout().lock();
    out.write_all(&page)?;
    Ok(out.flush()?)
}

/// Writes kstone(1) and a page for each command, such as kstone-shell(1).
///
/// # Errors
/// Where the directory cannot be made or written to.
pub(crate) fn write(directory: &Path) -> Result<(), Failure> {
    let written = fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(Cli::command(), directory));
    written.map_err(|error| Failure::from(error).at(directory.display()))
}
