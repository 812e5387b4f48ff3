//! The columns of a CSV file: which there are, what they are called, and what their cells become.

use std::collections::HashSet;

use super::cells::{ColumnType, Inference};
use super::csv::CsvOptions;
use super::keys::Keys;
use super::rows::Row;
use crate::failure::Failure;

/// A column that is imported.
#[derive(Debug)]
pub(super) struct Column {
    /// Its number in the file, from 0.
    pub(super) at: usize,
    pub(super) name: String,
    /// As the options say; none where the cells are to say it.
    given: Option<ColumnType>,
    inference: Inference,
}

impl Column {
    pub(super) fn column_type(&self) -> ColumnType {
        self.given.unwrap_or(self.inference.column_type())
    }
}

/// The columns of a row of headings: without those that are skipped, under the names that the options give them.
///
/// # Errors
/// Where the options name a column that is not there; where a column has no name, the name of another one or that of
/// the key: says how to give it another.
pub(super) fn columns(headings: &Row<'_>, keys: &Keys, options: &CsvOptions) -> Result<Vec<Column>, Failure> {
    let names: Vec<&str> = headings.cells().collect();
    let mut renamed: Vec<&str> = names.clone();
    for (old, new) in &options.rename {
        renamed[find(&names, old)?] = new;
    }
    let mut skipped = vec![false; names.len()];
    for name in &options.skip {
        skipped[find(&names, name)?] = true;
    }
    let mut columns: Vec<Column> = Vec::new();
    let mut taken = HashSet::new();
    for (at, &name) in renamed.iter().enumerate().filter(|(at, _)| !skipped[*at]) {
        let number = at + 1;
        let what = if name.is_empty() {
            format!("column {number} has no name")
        } else if taken.contains(name) {
            format!("two columns are called {}, one of them is column {number}", name.escape_debug())
        } else if keys.is_taken(name) {
            format!("column {number} is called {name}, as the key itself is")
        } else {
            taken.insert(name);
            columns.push(Column { at, name: name.to_owned(), given: None, inference: Inference::new(false) });
            continue;
        };
        let way_round = format!("--csv-rename {number}=NAME gives it another name, --csv-skip {number} leaves it out");
        return Err(Failure::message(format!("line {}: {what}: {way_round}", headings.line)));
    }
    let known = || columns.iter().map(|column| column.name.escape_debug().to_string()).collect::<Vec<_>>().join(", ");
    let missing = |name: &str| Failure::message(format!("there is no column {name}; there are: {}", known()));
    let place = |name: &str| columns.iter().position(|column| column.name == name).ok_or_else(|| missing(name));
    keys.required().try_for_each(|name| place(name).map(drop))?;
    let given = options.types.iter().map(|(name, type_)| Ok((place(name)?, *type_)));
    let given = given.collect::<Result<Vec<_>, Failure>>()?;
    for column in &mut columns {
        if keys.names().any(|key| key == column.name) {
            column.given = keys.column_type(&column.name).or(options.key_type.column_type());
            column.inference = Inference::new(true);
        }
    }
    for (at, type_) in given {
        columns[at].given = Some(type_);
    }
    Ok(columns)
}

/// The column of this name, or of this number, from 1, where none is called so.
fn find(names: &[&str], wanted: &str) -> Result<usize, Failure> {
    let mut named = names.iter().enumerate().filter(|(_, name)| **name == wanted).map(|(at, _)| at);
    match (named.next(), named.next()) {
        (Some(at), None) => Ok(at),
        (Some(at), Some(again)) => Err(Failure::message(format!(
            "columns {} and {} are called {}: say which by its number",
            at + 1,
            again + 1,
            wanted.escape_debug()
        ))),
        (None, _) => {
            wanted.parse().ok().filter(|number| (1..=names.len()).contains(number)).map(|number| number - 1).ok_or_else(
                || {
                    let known: Vec<_> = names.iter().map(|name| name.escape_debug().to_string()).collect();
                    Failure::message(format!("there is no column {wanted}; there are: {}", known.join(", ")))
                },
            )
        }
    }
}

/// Takes note of the cells of a row, for the types of the columns.
pub(super) fn meet(columns: &mut [Column], row: &Row<'_>) {
    let mut columns = columns.iter_mut().peekable();
    for (at, cell) in row.cells().enumerate() {
        if let Some(column) = columns.next_if(|column| column.at == at) {
            column.inference.meet(cell);
        }
    }
}
