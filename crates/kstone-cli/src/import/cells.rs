//! The types of CSV cells: as given, or as all cells of a column allow.

use clap::ValueEnum as _;
use kstone_api::KeystoneValue;
use kstone_api::json::{JsonForm, value_from_str};

use crate::failure::Failure;

/// How many digits an exact number may have, DynamoDB's.
const DIGITS_MAX: usize = 38;

/// What the cells of a column become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColumnType {
    #[value(name = "S")]
    Text,
    #[value(name = "N")]
    Number,
    #[value(name = "B")]
    Binary,
    #[value(name = "BOOL")]
    Bool,
    #[value(name = "L")]
    List,
    #[value(name = "M")]
    Map,
}

/// Reads `price=N`.
pub(super) fn parse_column_type(text: &str) -> Result<(String, ColumnType), String> {
    let (column, name) = text.rsplit_once('=').ok_or("write it as COLUMN=TYPE")?;
    let type_ = ColumnType::from_str(name, true).map_err(|_| format!("{name} is none of S, N, B, BOOL, L, M"))?;
    Ok((column.to_owned(), type_))
}

impl ColumnType {
    /// The value of a cell that is not empty.
    ///
    /// # Errors
    /// Where the cell is no such value. Numbers are checked when the item is put.
    pub(super) fn value(self, column: &str, cell: &str) -> Result<KeystoneValue, Failure> {
        let wrong = |what: &str| Failure::message(format!("column {column}: '{}' is {what}", cell.escape_debug()));
        match self {
            Self::Text => Ok(KeystoneValue::string(cell)),
            Self::Number => Ok(KeystoneValue::number(cell)),
            Self::Bool => match cell.to_ascii_lowercase().as_str() {
                "true" => Ok(KeystoneValue::Bool(true)),
                "false" => Ok(KeystoneValue::Bool(false)),
                _ => Err(wrong("neither true nor false")),
            },
            Self::Binary => {
                let typed = serde_json::json!({ "B": cell }).to_string();
                value_from_str(&typed, JsonForm::Typed).map_err(|_| wrong("no base64"))
            }
            Self::List | Self::Map => {
                let value = value_from_str(cell, JsonForm::Plain)
                    .map_err(|error| Failure::message(format!("column {column}: {}", of_cell(&error.to_string()))))?;
                match (self, &value) {
                    (Self::List, KeystoneValue::L(_)) | (Self::Map, KeystoneValue::M(_)) => Ok(value),
                    (Self::List, _) => Err(wrong("no JSON array")),
                    _ => Err(wrong("no JSON object")),
                }
            }
        }
    }
}

/// An error about a cell, whose place is one in the cell: lines are those of the file everywhere else.
fn of_cell(error: &str) -> String {
    let place = |error: &str| {
        let (before, place) = error.rsplit_once("line ")?;
        let (line, rest) = place.split_once(" column ")?;
        let (column, after) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let row = if line == "1" { String::new() } else { format!("row {line}, ") };
        Some(format!("{before}{row}byte {column} of the cell{after}"))
    };
    place(error).unwrap_or_else(|| error.to_owned())
}

/// What the cells of a column seen so far have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inference {
    /// Numbers count only where no two cells of different text are equal.
    exact: bool,
    number: bool,
    bool: bool,
    seen: bool,
}

impl Inference {
    /// Of any column, or of a column of the key, whose texts must stay apart and which is never a BOOL.
    pub(super) fn new(of_key: bool) -> Self {
        Self { exact: of_key, number: true, bool: !of_key, seen: false }
    }

    /// Takes one more cell; an empty one says nothing.
    pub(super) fn meet(&mut self, cell: &str) {
        if !cell.is_empty() {
            self.seen = true;
            self.number = self.number && is_plain_number(cell) && !(self.exact && has_another_text(cell));
            self.bool = self.bool && (cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false"));
        }
    }

    pub(super) fn column_type(self) -> ColumnType {
        match self {
            Self { seen: true, number: true, .. } => ColumnType::Number,
            Self { seen: true, bool: true, .. } => ColumnType::Bool,
            _ => ColumnType::Text,
        }
    }
}

/// A number that nobody would take for a code: no leading zeros or plus, no exponent, as many digits as are exact.
fn is_plain_number(cell: &str) -> bool {
    let (whole, fraction) = match cell.strip_prefix('-').unwrap_or(cell).split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (cell.strip_prefix('-').unwrap_or(cell), None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    digits(whole)
        && fraction.is_none_or(digits)
        && !leading_zero
        && whole.len() + fraction.map_or(0, str::len) <= DIGITS_MAX
}

/// Whether a plain number has a shorter text: one without the zeros that end its fraction or the minus of a zero.
fn has_another_text(number: &str) -> bool {
    number.contains('.') && number.ends_with('0') || number == "-0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_keys_stay_apart() {
        for (cells, expected) in [
            (vec!["1", "20", "-3.5"], ColumnType::Number),
            (vec!["1.1", "1.10"], ColumnType::Text),
            (vec!["1", "-0"], ColumnType::Text),
            (vec!["true", "false"], ColumnType::Text),
            (vec!["01"], ColumnType::Text),
        ] {
            let mut inference = Inference::new(true);
            cells.iter().for_each(|cell| inference.meet(cell));
            assert_eq!(inference.column_type(), expected, "{cells:?}");
        }
    }

    fn inferred(cells: &[&str]) -> ColumnType {
        let mut inference = Inference::new(false);
        cells.iter().for_each(|cell| inference.meet(cell));
        inference.column_type()
    }

    #[test]
    fn a_column_is_of_numbers_or_truths_only_where_every_cell_is() {
        for (cells, expected) in [
            (vec!["1", "-2.50", "", "0", "0.5"], ColumnType::Number),
            (vec!["1", "2", "x"], ColumnType::Text),
            (vec!["true", "False", ""], ColumnType::Bool),
            (vec!["true", "1"], ColumnType::Text),
            (vec!["", ""], ColumnType::Text),
            (vec!["02134"], ColumnType::Text),
            (vec!["+1"], ColumnType::Text),
            (vec!["1E5"], ColumnType::Text),
            (vec!["1."], ColumnType::Text),
            (vec![".5"], ColumnType::Text),
            (vec!["-"], ColumnType::Text),
            (vec!["--1"], ColumnType::Text),
            (vec!["1 "], ColumnType::Text),
            (vec!["12345678901234567890123456789012345678"], ColumnType::Number),
            (vec!["123456789012345678901234567890123456789"], ColumnType::Text),
        ] {
            assert_eq!(inferred(&cells), expected, "{cells:?}");
        }
    }

    #[test]
    fn cells_become_values_of_their_columns_type() {
        let value = |type_: ColumnType, cell| type_.value("c", cell);
        assert_eq!(value(ColumnType::Bool, "TRUE").unwrap(), KeystoneValue::Bool(true));
        assert_eq!(value(ColumnType::Binary, "aGk=").unwrap(), KeystoneValue::binary("hi"));
        assert_eq!(value(ColumnType::List, "[1]").unwrap(), KeystoneValue::list([KeystoneValue::number(1)]));
        assert_eq!(value(ColumnType::Map, "{}").unwrap(), KeystoneValue::map::<String>([]));
        for (type_, cell, error) in [
            (ColumnType::Bool, "yes", "column c: 'yes' is neither true nor false"),
            (ColumnType::Binary, "a", "column c: 'a' is no base64"),
            (ColumnType::List, "{}", "column c: '{}' is no JSON array"),
            (ColumnType::Map, "1", "column c: '1' is no JSON object"),
        ] {
            assert_eq!(value(type_, cell).unwrap_err().to_string(), error);
        }
        let unclosed = value(ColumnType::Map, "{").unwrap_err().to_string();
        assert!(
            unclosed.starts_with("column c: invalid JSON") && unclosed.ends_with("byte 1 of the cell"),
            "{unclosed}"
        );
        let later = value(ColumnType::List, "[1,\n1e999]").unwrap_err().to_string();
        assert!(later.contains("row 2, byte ") && !later.contains("line"), "{later}");
    }

    #[test]
    fn types_are_given_by_column() {
        assert_eq!(parse_column_type("a=b=n"), Ok(("a=b".to_owned(), ColumnType::Number)));
        assert_eq!(parse_column_type("a=X").unwrap_err(), "X is none of S, N, B, BOOL, L, M");
        assert_eq!(parse_column_type("a").unwrap_err(), "write it as COLUMN=TYPE");
    }
}
