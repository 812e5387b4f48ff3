//! Items as plain JSON: an indented array, or a line each.

use kstone_api::ItemRef;

use super::{Columns, Printer, value};
use crate::failure::Failure;
use crate::output::Screen;
use crate::output::indent::indent;
use crate::output::text::visible_json;

/// The item as an object without blanks, its attributes in the order of the columns. What JSON allows in a text and a
/// terminal would act upon is escaped.
fn object(item: ItemRef<'_>, columns: &Columns) -> String {
    let mut text = String::from("{");
    for (name, value) in columns.sort(item) {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&value::quoted(name));
        text.push(':');
        text.push_str(&value::json(value));
    }
    text.push('}');
    visible_json(text)
}

pub(crate) struct ArrayPrinter {
    columns: Columns,
    begun: bool,
}

impl ArrayPrinter {
    pub(crate) fn new(columns: Columns) -> Self {
        Self { columns, begun: false }
    }
}

impl Printer for ArrayPrinter {
    fn item(&mut self, item: ItemRef<'_>, out: &mut Screen<'_>) -> Result<(), Failure> {
        let before = if self.begun { ",\n  " } else { "[\n  " };
        self.begun = true;
        Ok(write!(out, "{before}{}", indent(&object(item, &self.columns), 1))?)
    }

    fn finish(&mut self, out: &mut Screen<'_>) -> Result<(), Failure> {
        Ok(out.text(if self.begun { "\n]\n" } else { "[]\n" })?)
    }
}

pub(crate) struct LinesPrinter {
    columns: Columns,
}

impl LinesPrinter {
    pub(crate) fn new(columns: Columns) -> Self {
        Self { columns }
    }
}

impl Printer for LinesPrinter {
    fn item(&mut self, item: ItemRef<'_>, out: &mut Screen<'_>) -> Result<(), Failure> {
        Ok(writeln!(out, "{}", object(item, &self.columns))?)
    }

    fn finish(&mut self, _: &mut Screen<'_>) -> Result<(), Failure> {
        Ok(())
    }
}
