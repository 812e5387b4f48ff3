//! The few colours, and when there are any.

use anstyle::{AnsiColor, Style};

use super::text::visible_lines;

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const PROMPT: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const KEYWORD: Style = AnsiColor::Blue.on_default().bold();
pub(crate) const TEXT: Style = AnsiColor::Green.on_default();
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
pub(crate) const NUMBER: Style = AnsiColor::Yellow.on_default();
pub(crate) const COMMAND: Style = AnsiColor::Magenta.on_default();

/// The text in this style or without one, for a terminal: what it would act upon is escaped.
pub(crate) fn paint(colours: bool, style: Style, text: &str) -> String {
    let text = visible_lines(text);
    if colours { format!("{style}{text}{style:#}") } else { text.into_owned() }
}
