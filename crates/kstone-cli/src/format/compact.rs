//! Items in a line each: `[1] pk="CA", sk="SFO", latitude=37.61900194`.

use kstone_api::ItemRef;

use super::{Columns, Printer, value};
use crate::failure::Failure;
use crate::output::Screen;
use crate::output::text::visible;

pub(crate) struct CompactPrinter {
    columns: Columns,
    count: usize,
}

impl CompactPrinter {
    pub(crate) fn new(columns: Columns) -> Self {
        Self { columns, count: 0 }
    }
}

impl Printer for CompactPrinter {
    fn item(&mut self, item: ItemRef<'_>, out: &mut Screen<'_>) -> Result<(), Failure> {
        self.count += 1;
        write!(out, "[{}] ", self.count)?;
        for (at, (name, value)) in self.columns.sort(item).into_iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(out, "{comma}{}={}", visible(name), visible(&value::json(value)))?;
        }
        Ok(writeln!(out)?)
    }

    fn finish(&mut self, _: &mut Screen<'_>) -> Result<(), Failure> {
        Ok(())
    }
}
