//! Text on a terminal: how wide it is, what of it may be shown, where it is shortened.

use std::borrow::Cow;
use std::path::Path;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The mark for what was left out.
const ELLIPSIS: char = '…';

/// How many columns a terminal gives this text, which has no control characters.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A number of items in words.
pub(crate) fn items(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "1 item".to_owned(),
        count => format!("{count} items"),
    }
}

/// The text in lines of at most this many columns, broken at blanks; what follows a break is set in by two. Lines that
/// are set in already, such as those of an excerpt, stay as they are, and so does a word that is too long.
pub(crate) fn wrap(text: &str, columns: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + 8);
    for line in text.lines() {
        let mut used = 0;
        for (at, word) in line.split(' ').enumerate() {
            let needed = width(word);
            if at > 0 && used + 1 + needed > columns && !line.starts_with(' ') {
                wrapped.push_str("\n  ");
                used = 2;
            } else if at > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += needed;
        }
        wrapped.push('\n');
    }
    wrapped.truncate(wrapped.trim_end_matches('\n').len());
    wrapped
}

/// The text without what would move the cursor, colour the screen or reorder the line: control characters, and those
/// that set the writing direction, become escapes.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// The same, but for line feeds and tabs, of a text that may take several lines.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_unsafe(c) && !matches!(c, '\n' | '\t'))
}

/// A path as it is shown: what is not UTF-8 of it as `\xff`.
pub(crate) fn path(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// JSON with what a terminal would act upon as JSON's own escapes: the same value.
pub(crate) fn visible_json(json: String) -> String {
    let is_escaped = |c| is_unsafe(c) && c != '\n';
    if !json.contains(is_escaped) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_escaped(c) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a terminal would act upon the character instead of showing it. All of them are of the basic plane.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text in at most this many columns, at least 1: what is longer ends with `…`. What is one character to a reader,
/// such as a flag, is there as a whole or not at all.
pub(crate) fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    // A character has at most 4 bytes and may have no width, so length decides only where it is short enough.
    if text.len() <= columns || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let end = text.grapheme_indices(true).find(|(_, character)| {
        used += width(character);
        used >= columns
    });
    let mut shortened = text[..end.map_or(text.len(), |(at, _)| at)].to_owned();
    shortened.push(ELLIPSIS);
    Cow::Owned(shortened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_is_shortened_at_a_character() {
        for (text, columns, shown) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("abcd", 1, "…"),
            ("äöüß", 4, "äöüß"),
            ("äöüß", 3, "äö…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"),
            ("e\u{301}e\u{301}e", 2, "e\u{301}…"),
            ("🇳🇴🇸🇪🇩🇰", 5, "🇳🇴🇸🇪…"),
            ("🇳🇴🇸🇪🇩🇰", 4, "🇳🇴…"),
            ("👩‍👩‍👧👍🏽x", 4, "👩‍👩‍👧…"),
            ("👩‍👩‍👧👍🏽x", 5, "👩‍👩‍👧👍🏽x"),
            ("한국어", 5, "한국…"),
            ("", 1, ""),
        ] {
            assert_eq!(shorten(text, columns), shown);
            assert!(width(&shorten(text, columns)) <= columns, "{text}");
        }
    }

    #[test]
    fn lines_are_broken_at_blanks_and_excerpts_are_not() {
        for (text, columns, lines) in [
            ("one two three", 13, "one two three"),
            ("one two three", 12, "one two\n  three"),
            ("one two three", 7, "one two\n  three"),
            ("one two three", 6, "one\n  two\n  three"),
            ("日本 日本語", 10, "日本\n  日本語"),
            ("incomprehensibilities", 8, "incomprehensibilities"),
            ("no good:\n  SELECT * FORM items\n           ^", 9, "no good:\n  SELECT * FORM items\n           ^"),
            ("", 5, ""),
        ] {
            assert_eq!(wrap(text, columns), lines, "{columns}");
        }
    }

    #[test]
    fn what_would_work_on_the_terminal_is_escaped() {
        assert_eq!(visible("a\tb\n\u{1b}[31mred\u{7f}\u{9b}"), "a\\tb\\n\\u{1b}[31mred\\u{7f}\\u{9b}");
        assert_eq!(visible("abc\u{202e}def"), "abc\\u{202e}def");
        assert_eq!(visible("日本 äö"), "日本 äö");
    }
}
