//! Tables, as wide as the terminal at most.
//!
//! A table needs all its rows to know its columns, so a long result is several tables: each has up to [`ROWS_MAX`] rows
//! and about [`BYTES_MAX`] bytes of text, whatever comes first. Nested values get at most [`NESTED_COLUMNS`]; where the
//! table is still too wide, the widest columns are shortened first, none below [`SHORTENED_MIN`].

use std::collections::HashMap;

use anstyle::Style;
use kstone_api::{ItemRef, Type, ValueRef};

use super::{Columns, Layout, Printer, value};
use crate::failure::Failure;
use crate::output::Screen;
use crate::output::style::{FAINT, HEADING, PLAIN};
use crate::output::text::{shorten, visible, width};

const ROWS_MAX: usize = 10_000;
const BYTES_MAX: usize = 16 << 20;
const NESTED_COLUMNS: usize = 40;
const SHORTENED_MIN: usize = 6;

pub(crate) struct TablePrinter {
    columns: Columns,
    layout: Layout,
    rows: Vec<HashMap<String, Cell>>,
    bytes: usize,
}

struct Cell {
    text: String,
    /// Set to the right, as numbers are.
    right: bool,
    faint: bool,
}

impl TablePrinter {
    pub(crate) fn new(columns: Columns, layout: Layout) -> Self {
        Self { columns, layout, rows: Vec::new(), bytes: 0 }
    }

    fn cell(&self, value: ValueRef<'_>) -> Cell {
        let text = match &self.layout.null {
            Some(null) if value.is_null() => null.clone(),
            _ => value::plain(value),
        };
        let text = visible(&text);
        let nested = matches!(value.type_(), Type::L | Type::M | Type::SS | Type::NS | Type::BS);
        let text = match self.layout.look.width {
            Some(width) => shorten(&text, if nested { width.min(NESTED_COLUMNS) } else { width }),
            None => text,
        };
        Cell { text: text.into_owned(), right: value.type_() == Type::N, faint: value.is_null() }
    }

    /// Prints the rows there are as a table and forgets them.
    fn flush(&mut self, out: &mut Screen<'_>) -> Result<(), Failure> {
        let names = self.columns.names();
        if !self.rows.is_empty() && !names.is_empty() {
            self.print(&names, out)?;
        }
        self.columns.forget_met();
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }

    fn print(&self, names: &[&str], out: &mut Screen<'_>) -> Result<(), Failure> {
        let headings: Vec<_> = names.iter().map(|name| visible(name)).collect();
        let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
        for row in &self.rows {
            for (column, name) in names.iter().enumerate() {
                widths[column] = widths[column].max(row.get(*name).map_or(0, |cell| width(&cell.text)));
            }
        }
        if let Some(columns) = self.layout.look.width {
            // Each column has a line and two blanks, and there is a line at the end.
            fit(&mut widths, columns.saturating_sub(3 * names.len() + 1));
        }
        let wanted = |column: usize| self.layout.column_widths.get(column).copied().unwrap_or_default();
        for (column, width) in widths.iter_mut().enumerate() {
            if wanted(column) != 0 {
                *width = wanted(column).unsigned_abs().into();
            }
        }
        rule(&widths, ["┌", "┬", "┐"], out)?;
        for (heading, &width) in headings.iter().zip(&widths) {
            cell(HEADING, &pad(heading, width, false), out)?;
        }
        end_row(out)?;
        rule(&widths, ["├", "┼", "┤"], out)?;
        for row in &self.rows {
            for (column, (name, &width)) in names.iter().zip(&widths).enumerate() {
                match row.get(*name) {
                    Some(found) => {
                        let right = found.right || wanted(column) < 0;
                        cell(if found.faint { FAINT } else { PLAIN }, &pad(&found.text, width, right), out)?;
                    }
                    None => cell(PLAIN, &pad("", width, false), out)?,
                }
            }
            end_row(out)?;
        }
        rule(&widths, ["└", "┴", "┘"], out)
    }
}

const BAR: &str = "│";

fn rule(widths: &[usize], [left, cross, right]: [&str; 3], out: &mut Screen<'_>) -> Result<(), Failure> {
    let dashes: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
    out.styled(FAINT, &format!("{left}{}{right}", dashes.join(cross)))?;
    Ok(out.text("\n")?)
}

/// A cell and the bar on its left.
fn cell(style: Style, text: &str, out: &mut Screen<'_>) -> Result<(), Failure> {
    out.styled(FAINT, BAR)?;
    out.text(" ")?;
    out.styled(style, text)?;
    Ok(out.text(" ")?)
}

fn end_row(out: &mut Screen<'_>) -> Result<(), Failure> {
    out.styled(FAINT, BAR)?;
    Ok(out.text("\n")?)
}

impl Printer for TablePrinter {
    fn item(&mut self, item: ItemRef<'_>, out: &mut Screen<'_>) -> Result<(), Failure> {
        self.columns.meet(item);
        let mut row = HashMap::new();
        for (name, value) in item {
            let cell = self.cell(value);
            self.bytes += name.len() + cell.text.len();
            row.insert(name.to_owned(), cell);
        }
        self.rows.push(row);
        if self.rows.len() >= ROWS_MAX || self.bytes >= BYTES_MAX { self.flush(out) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Screen<'_>) -> Result<(), Failure> {
        self.flush(out)
    }
}

/// The text in exactly this many columns.
fn pad(text: &str, columns: usize, right: bool) -> String {
    let text = shorten(text, columns);
    let blanks = " ".repeat(columns.saturating_sub(width(&text)));
    if right { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
}

/// Shortens the widest columns until all of them take what is available, or none is wider than [`SHORTENED_MIN`].
fn fit(widths: &mut [usize], available: usize) {
    let taken = |limit: usize| widths.iter().map(|width| *width.min(&limit)).sum::<usize>();
    let widest = widths.iter().copied().max().unwrap_or_default();
    if taken(widest) <= available {
        return;
    }
    let limit = (SHORTENED_MIN..widest).rev().find(|limit| taken(*limit) <= available).unwrap_or(SHORTENED_MIN);
    // What is left is less than a column for each of those that were shortened.
    let mut left = available.saturating_sub(taken(limit));
    for width in widths {
        if *width > limit {
            *width = limit + usize::from(left > 0);
            left = left.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn the_widest_columns_give_way_first() {
        for (mut widths, available, fitted) in [
            (vec![3, 10], 13, vec![3, 10]),
            (vec![3, 10], 12, vec![3, 9]),
            (vec![3, 30, 20], 33, vec![3, 15, 15]),
            (vec![3, 30, 20], 34, vec![3, 16, 15]),
            (vec![30, 8, 20], 48, vec![20, 8, 20]),
            (vec![30, 30, 30], 10, vec![6, 6, 6]),
            (vec![2, 30], 3, vec![2, 6]),
            (vec![], 10, vec![]),
        ] {
            fit(&mut widths, available);
            assert_eq!(widths, fitted);
        }
    }
}
