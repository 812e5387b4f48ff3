//! Comma-separated values, quoted as RFC 4180 says, lines ending with LF.

use std::io;

use csv::WriterBuilder;
use kstone_api::{ItemRef, ValueRef};

use super::{Columns, Printer, value};
use crate::failure::Failure;
use crate::output::Screen;

pub(crate) struct CsvPrinter {
    columns: Columns,
    null: String,
    begun: bool,
}

impl CsvPrinter {
    pub(crate) fn new(columns: Columns, null: String) -> Self {
        Self { columns, null, begun: false }
    }

    fn heading(&mut self, out: &mut Screen<'_>) -> Result<(), Failure> {
        let names = self.columns.names();
        if !self.begun && !names.is_empty() {
            self.begun = true;
            write_record(&names, out)?;
        }
        Ok(())
    }
}

impl Printer for CsvPrinter {
    fn item(&mut self, item: ItemRef<'_>, out: &mut Screen<'_>) -> Result<(), Failure> {
        self.heading(out)?;
        if let Some((unknown, _)) = item.iter().find(|(name, _)| !self.columns.contains(name)) {
            return Err(Failure::message(format!("the attribute {unknown} turned up after the headings")));
        }
        let cell = |value: ValueRef<'_>| if value.is_null() { self.null.clone() } else { value::plain(value) };
        let names = self.columns.names();
        let cells: Vec<_> = names.iter().map(|name| item.get(name).map(cell).unwrap_or_default()).collect();
        write_record(&cells, out)
    }

    fn finish(&mut self, out: &mut Screen<'_>) -> Result<(), Failure> {
        self.heading(out)
    }
}

fn write_record(cells: &[impl AsRef<[u8]>], out: &mut Screen<'_>) -> Result<(), Failure> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(cells).map_err(io::Error::from)?;
    let line = writer.into_inner().map_err(|error| Failure::message(error.to_string()))?;
    let line = String::from_utf8(line).map_err(|error| Failure::message(error.to_string()))?;
    Ok(out.text(&line)?)
}
