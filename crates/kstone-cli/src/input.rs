//! Statements and dot commands out of text: lines, what is code in them, and where a statement ends.

pub(crate) mod lexis;
pub(crate) mod lines;
pub(crate) mod splitter;
pub(crate) mod words;

/// Words that everybody tries first mean their dot commands.
pub(crate) fn with_dot(text: &str) -> String {
    let word = text.trim().trim_end_matches(';');
    match word.to_ascii_lowercase().as_str() {
        "exit" | "quit" | "help" => format!(".{}", word.to_ascii_lowercase()),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_dot;

    #[test]
    fn words_that_everybody_tries_are_commands() {
        for (text, command) in
            [("exit", ".exit"), (" QUIT; ", ".quit"), ("help\n", ".help"), ("exits;", "exits;"), (".exit", ".exit")]
        {
            assert_eq!(with_dot(text), command);
        }
    }
}
