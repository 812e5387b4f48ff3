//! Results as text: a printer for each format, fed page by page.

use clap::ValueEnum;
use kstone_api::ItemRef;

use crate::failure::Failure;
use crate::output::Screen;
use crate::output::terminal::Look;

mod columns;
mod compact;
mod csv;
mod json;
mod table;
mod value;

pub(crate) use columns::Columns;
pub(crate) use value::plain;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// A table that fits the terminal; values that do not fit end with …
    #[default]
    Table,
    /// One JSON array, indented.
    Json,
    /// A JSON object a line.
    Jsonl,
    /// The attributes of an item on a line, as name=value.
    Compact,
    /// Comma-separated values under a line of headings; what is not there or null is empty.
    Csv,
}

/// How results look: where they go, and what the user wants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) look: Look,
    /// The widths of a table's columns, by their place: negative is set to the right, 0 as wide as needed.
    pub(crate) column_widths: Vec<i16>,
    /// What stands for null in tables and CSV, where it is not `null` and nothing.
    pub(crate) null: Option<String>,
}

/// Prints the items of one result. Holds no more of them than it must.
pub(crate) trait Printer {
    /// Takes the next item.
    fn item(&mut self, item: ItemRef<'_>, out: &mut Screen<'_>) -> Result<(), Failure>;

    /// Ends the result.
    fn finish(&mut self, out: &mut Screen<'_>) -> Result<(), Failure>;
}

impl Format {
    /// A printer of a result with these columns. Only CSV needs to know all of them beforehand; where the others meet
    /// an attribute that is no column, it becomes one.
    pub(crate) fn printer(self, columns: Columns, layout: Layout) -> Box<dyn Printer> {
        match self {
            Self::Table => Box::new(table::TablePrinter::new(columns, layout)),
            Self::Json => Box::new(json::ArrayPrinter::new(columns)),
            Self::Jsonl => Box::new(json::LinesPrinter::new(columns)),
            Self::Compact => Box::new(compact::CompactPrinter::new(columns)),
            Self::Csv => Box::new(csv::CsvPrinter::new(columns, layout.null.unwrap_or_default())),
        }
    }

    /// What the user types for it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().expect("no format is hidden").get_name().to_owned()
    }
}

#[cfg(test)]
mod tests;
