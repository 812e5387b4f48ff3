//! Text on a terminal: how wide it is, what of it may be shown, where it is cut.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The mark for what was left out.
const ELLIPSIS: char = '…';

/// How many columns a terminal gives this text, which has no control characters.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text without what would move the cursor, colour the screen or reorder the line: control characters, and those
/// that set the writing direction, become escapes.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text in at most this many columns, at least 1: what is longer ends with `…`.
pub(crate) fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    // A character has at most 4 bytes and may have no width, so length decides only where it is short enough.
    if text.len() <= columns || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or_default();
        used >= columns
    });
    let mut cut = text[..end.map_or(text.len(), |(at, _)| at)].to_owned();
    cut.push(ELLIPSIS);
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_is_cut_at_a_character() {
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
            ("", 1, ""),
        ] {
            assert_eq!(shorten(text, columns), shown);
            assert!(width(&shorten(text, columns)) <= columns, "{text}");
        }
    }

    #[test]
    fn what_would_work_on_the_terminal_is_escaped() {
        assert_eq!(visible("a\tb\n\u{1b}[31mred\u{7f}\u{9b}"), "a\\tb\\n\\u{1b}[31mred\\u{7f}\\u{9b}");
        assert_eq!(visible("abc\u{202e}def"), "abc\\u{202e}def");
        assert_eq!(visible("日本 äö"), "日本 äö");
    }
}
