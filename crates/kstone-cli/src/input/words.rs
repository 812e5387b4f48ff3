//! The words of PartiQL, and how names are written so that they are none of them.

/// The words of PartiQL that others follow.
pub(crate) const WORDS: [&str; 28] = [
    "ALL",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "DELETE",
    "EXPLAIN",
    "FROM",
    "GROUP",
    "IN",
    "INSERT",
    "INTO",
    "IS",
    "LIMIT",
    "MODIFIED",
    "NEW",
    "NOT",
    "OFFSET",
    "OLD",
    "OR",
    "ORDER",
    "REMOVE",
    "RETURNING",
    "SELECT",
    "SET",
    "UPDATE",
    "VALUE",
    "WHERE",
];

/// Those that may be the last.
pub(crate) const LAST_WORDS: [&str; 6] = ["ASC", "DESC", "MISSING", "NULL", "false", "true"];

/// The functions, which parentheses follow.
pub(crate) const FUNCTIONS: [&str; 16] = [
    "AVG",
    "COUNT",
    "EXISTS",
    "MAX",
    "MIN",
    "SUM",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
    "set_add",
    "set_delete",
    "size",
];

/// Whether a word is one of PartiQL's.
pub(crate) fn is_keyword(word: &str) -> bool {
    let mut all = WORDS.iter().chain(&LAST_WORDS).chain(&FUNCTIONS);
    all.any(|known| known.eq_ignore_ascii_case(word))
}

/// A name as a statement takes it: quoted where it is no plain word.
pub(crate) fn name_as_written(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_word && begins_well && !is_keyword(name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
