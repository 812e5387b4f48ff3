//! What a request said, quoted in an answer, and never more of it than a quarter of a megabyte.
//!
//! AWS quotes without a limit. A request of 16 MB that is quoted as Java prints its objects would be an answer of hundreds
//! of megabytes, so quotations end here after a quarter of a megabyte.

use std::fmt;

/// The most bytes of a quotation.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// A quotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Echo(String);

impl Echo {
    /// Of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut echo = Self::default();
        echo.push(text);
        echo
    }

    /// `[a, b]`: of several texts, as Java prints a list.
    #[must_use]
    pub fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::joined(texts, ", ")
    }

    fn joined<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, separator: &str) -> Self {
        let mut echo = Self::of("[");
        for (at, text) in texts.into_iter().enumerate() {
            echo.push(if at == 0 { "" } else { separator });
            echo.push(text.as_ref());
        }
        echo.push("]");
        echo
    }

    /// `["a", "b"]`: the same with quotation marks, and something else than a comma and a blank where that is wanted.
    #[must_use]
    pub fn quoted_list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>, separator: &str) -> Self {
        Self::joined(texts.into_iter().map(|text| format!("\"{}\"", text.as_ref())), separator)
    }

    /// Adds as much of `text` as there is budget for.
    pub fn push(&mut self, text: &str) {
        let budget = MAX_BYTES - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(budget)]);
    }

    /// Whether nothing more is taken in.
    #[must_use]
    pub fn is_full(&self) -> bool {
        // Less than a character's bytes may be left over.
        self.0.len() + 4 > MAX_BYTES
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Echo, MAX_BYTES};

    #[test]
    fn lists_look_like_javas() {
        assert_eq!(Echo::list(["a", "b"]).as_str(), "[a, b]");
        assert_eq!(Echo::quoted_list(["a", "a"], ",").as_str(), "[\"a\",\"a\"]");
        assert_eq!(Echo::list(Vec::<String>::new()).as_str(), "[]");
    }

    #[test]
    fn no_quotation_outgrows_its_limit_or_splits_a_character() {
        let mut echo = Echo::of(&"ä".repeat(MAX_BYTES));
        echo.push("x");
        assert!(echo.as_str().len() <= MAX_BYTES && echo.is_full());
        assert!(echo.as_str().chars().all(|c| c == 'ä' || c == 'x'));
    }
}
