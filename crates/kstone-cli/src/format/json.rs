//! Items as plain JSON: an indented array, or a line each.

use std::io::Write;

use kstone_api::ItemRef;

use super::{Columns, Printer, value};
use crate::failure::Failure;
use crate::output::indent::indent;
use crate::output::text::is_unsafe;

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
    escape_unsafe(text)
}

fn escape_unsafe(text: String) -> String {
    if !text.contains(is_unsafe) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
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
    fn item(&mut self, item: ItemRef<'_>, out: &mut dyn Write) -> Result<(), Failure> {
        let before = if self.begun { ",\n  " } else { "[\n  " };
        self.begun = true;
        Ok(write!(out, "{before}{}", indent(&object(item, &self.columns), 1))?)
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<(), Failure> {
        Ok(out.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })?)
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
    fn item(&mut self, item: ItemRef<'_>, out: &mut dyn Write) -> Result<(), Failure> {
        Ok(writeln!(out, "{}", object(item, &self.columns))?)
    }

    fn finish(&mut self, _: &mut dyn Write) -> Result<(), Failure> {
        Ok(())
    }
}
