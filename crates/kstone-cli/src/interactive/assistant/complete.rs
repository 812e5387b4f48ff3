//! What Tab offers at a place of a statement or a dot command.

use clap::ValueEnum;

use crate::dot::{self, ForkEnd, Switch};
use crate::format::Format;
use crate::input::lexis::{Place, Scanner};
use crate::input::words::{FUNCTIONS, LAST_WORDS, WORDS, name_as_written};
use crate::session::vocabulary::Vocabulary;

/// The commands that take a file.
const OF_FILES: [&str; 8] = [".read", ".import", ".export", ".save", ".open", ".schema", ".output", ".once"];

/// What may stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completion {
    /// The name of a file.
    File,
    /// These words, in the place of what begins here.
    Words(usize, Vec<String>),
}

/// What may follow this text.
pub(super) fn complete(text: &str, vocabulary: &Vocabulary) -> Completion {
    if text.trim_start().starts_with('.') { complete_dot(text) } else { complete_statement(text, vocabulary) }
}

fn complete_dot(text: &str) -> Completion {
    let start = text.rfind(' ').map_or(0, |blank| blank + 1);
    let word = &text[start..];
    let offered: Vec<String> = match text.split_whitespace().next() {
        Some(command) if start > 0 && !text[..start].trim().is_empty() => match command {
            ".format" => names::<Format>(),
            ".timer" | ".explain" => names::<Switch>(),
            ".fork" => names::<ForkEnd>(),
            ".help" => dot::names().collect(),
            ".parameter" if !text[..start].trim().contains(' ') => {
                dot::arguments(command).unwrap_or_default().split('|').map(str::to_owned).collect()
            }
            _ if word.starts_with('-') => dot::options(command),
            _ if OF_FILES.contains(&command) => return Completion::File,
            _ => Vec::new(),
        },
        _ => dot::names().collect(),
    };
    Completion::Words(start, offered.into_iter().filter(|name| name.starts_with(word)).collect())
}

fn names<T: ValueEnum>() -> Vec<String> {
    T::value_variants().iter().filter_map(T::to_possible_value).map(|value| value.get_name().to_owned()).collect()
}

fn complete_statement(text: &str, vocabulary: &Vocabulary) -> Completion {
    let mut scanner = Scanner::default();
    let mut rest = text;
    let mut run = "";
    while !rest.is_empty() {
        (_, run) = scanner.next(&mut rest);
    }
    let attributes = || vocabulary.attributes().map(str::to_owned);
    let tables = || std::iter::once(vocabulary.table().to_owned());
    let indexes = || vocabulary.indexes().iter().cloned();
    match scanner.inside() {
        // The keys of VALUE {'…': …} are quoted so.
        Place::Text => quoted(text, run, '\'', attributes()),
        Place::Name => quoted(text, run, '"', tables().chain(indexes()).chain(attributes())),
        Place::Code => {
            let code = text.len() - run.len();
            let start = text[code..]
                .rfind(|c: char| !c.is_alphanumeric() && c != '_')
                .map_or(code, |at| code + at + text[code + at..].chars().next().map_or(0, char::len_utf8));
            complete_word(&text[..start], &text[start..], vocabulary, start)
        }
        Place::LineComment | Place::BlockComment | Place::End => Completion::Words(text.len(), Vec::new()),
    }
}

/// Names with the closing quote, in the place of what stands behind the opening one.
fn quoted(text: &str, run: &str, quote: char, names: impl Iterator<Item = String>) -> Completion {
    let word = run.strip_prefix(quote).unwrap_or(run);
    let matching = names.filter(|name| name.starts_with(word) && !name.contains(quote));
    Completion::Words(text.len() - word.len(), matching.map(|name| format!("{name}{quote}")).collect())
}

fn complete_word(before: &str, word: &str, vocabulary: &Vocabulary, start: usize) -> Completion {
    let previous = before.split_whitespace().next_back().unwrap_or_default().to_ascii_uppercase();
    if ["FROM", "INTO", "UPDATE"].contains(&previous.as_str()) {
        let table = vocabulary.table();
        // The name of an index may follow.
        let blank = if vocabulary.indexes().is_empty() { " " } else { "" };
        let known = table.starts_with(word).then(|| format!("{}{blank}", name_as_written(table)));
        return Completion::Words(start, known.into_iter().collect());
    }
    if let Some(owner) = before.strip_suffix('.') {
        let table = vocabulary.table();
        let is_table = [table.to_owned(), format!("\"{table}\"")].iter().any(|name| owner.ends_with(name.as_str()));
        let indexes = vocabulary.indexes().iter().filter(|name| is_table && name.starts_with(word));
        return Completion::Words(start, indexes.map(|name| format!("{} ", name_as_written(name))).collect());
    }
    if word.is_empty() {
        return Completion::Words(start, Vec::new());
    }
    let begins_so = |known: &&&str| known.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let words = WORDS.iter().filter(begins_so).map(|known| format!("{known} "));
    let last_words = LAST_WORDS.iter().filter(begins_so).map(|known| (*known).to_owned());
    let functions = FUNCTIONS.iter().filter(begins_so).map(|known| format!("{known}("));
    let attributes = vocabulary.attributes().filter(|name| name.starts_with(word)).map(name_as_written);
    Completion::Words(start, words.chain(last_words).chain(functions).chain(attributes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kstone_api::{Database, TableSchema};

    fn vocabulary() -> Vocabulary {
        let schema = r#"{"name": "airports",
            "global_indexes": [{"name": "by-city", "partition_key": "city", "sort_key": "name"}]}"#;
        let db = Database::create_in_memory_with_schema(TableSchema::from_json(schema).unwrap()).unwrap();
        let mut vocabulary = Vocabulary::default();
        vocabulary.learn(&db);
        vocabulary.learn_attribute("country-code");
        vocabulary.learn_attribute("order");
        vocabulary
    }

    fn offered(text: &str) -> Vec<String> {
        match complete(text, &vocabulary()) {
            Completion::Words(start, words) => words.iter().map(|word| format!("{}{word}", &text[..start])).collect(),
            Completion::File => vec!["FILE".to_owned()],
        }
    }

    #[test]
    fn a_typed_tables_key_is_offered_before_there_are_items() {
        let schema =
            r#"{"partition_key": {"name": "player", "type": "S"}, "sort_key": {"name": "score", "type": "N"}}"#;
        let db = Database::create_in_memory_with_schema(TableSchema::from_json(schema).unwrap()).unwrap();
        let mut vocabulary = Vocabulary::default();
        vocabulary.learn(&db);
        assert_eq!(vocabulary.attributes().collect::<Vec<_>>(), ["player", "score"]);
    }

    #[test]
    fn words_are_offered_where_they_may_stand() {
        for (text, expected) in [
            ("sel", vec!["SELECT "]),
            ("SELECT c", vec!["SELECT COUNT(", "SELECT contains(", "SELECT city", "SELECT \"country-code\""]),
            (
                "SELECT a FROM b WHERE c IS mi",
                vec!["SELECT a FROM b WHERE c IS MISSING", "SELECT a FROM b WHERE c IS MIN("],
            ),
            ("SELECT * FROM ", vec!["SELECT * FROM airports"]),
            ("SELECT * FROM air", vec!["SELECT * FROM airports"]),
            ("SELECT * FROM airports.", vec!["SELECT * FROM airports.\"by-city\" "]),
            ("SELECT * FROM \"airports\".by", vec!["SELECT * FROM \"airports\".\"by-city\" "]),
            ("SELECT * FROM airports.x", vec![]),
            ("SELECT city.na", vec![]),
            ("SELECT * FROM x", vec![]),
            ("SELECT * FROM airports.\"by", vec!["SELECT * FROM airports.\"by-city\""]),
            ("SELECT * FROM airports WHERE (na", vec!["SELECT * FROM airports WHERE (name"]),
            ("SELECT ord", vec!["SELECT ORDER ", "SELECT \"order\""]),
            ("INSERT INTO airports VALUE {'p", vec!["INSERT INTO airports VALUE {'pk'"]),
            ("SELECT 'it''s' -- c", vec![]),
            ("SELECT 1; upd", vec!["SELECT 1; UPDATE "]),
            ("SELECT ä", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(offered(text), expected, "{text}");
        }
    }

    #[test]
    fn dot_commands_and_their_arguments_are_offered() {
        for (text, expected) in [
            (".ex", vec![".exit", ".export", ".explain"]),
            (".q", vec![".quit"]),
            (".format j", vec![".format json", ".format jsonl"]),
            (".timer ", vec![".timer on", ".timer off"]),
            (".fork d", vec![".fork drop"]),
            (".help .cl", vec![".help .clear"]),
            (".par", vec![".parameter"]),
            (".parameter ", vec![".parameter set", ".parameter unset", ".parameter list", ".parameter clear"]),
            (".parameter u", vec![".parameter unset"]),
            (".parameter set s", vec![]),
            (".once a", vec!["FILE"]),
            (".output ", vec!["FILE"]),
            (".import --k", vec![".import --key"]),
            (".import a", vec!["FILE"]),
            (".save ", vec!["FILE"]),
            (".exit ", vec![]),
        ] {
            assert_eq!(offered(text), expected, "{text}");
        }
    }
}
