//! What the shell says when it starts.

use crate::output::text::{shorten, visible, width};
use crate::session::database_file::Source;

/// The columns between the two sides of the box.
const INSIDE: usize = 55;

/// The box, and below it what becomes of the data.
pub(crate) fn banner(source: &Source) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let rule = "═".repeat(INSIDE);
    let label = "  Database: ";
    let database = source.to_string();
    let database = visible(&database);
    let lines = [
        String::new(),
        format!("         KeystoneDB Interactive Shell v{version}"),
        String::new(),
        format!("{label}{}", shorten(&database, INSIDE - label.len())),
        String::new(),
        "  Quick Start:".to_owned(),
        "    .help           - Show all commands".to_owned(),
        "    .format <type>  - Change output (table|json|compact)".to_owned(),
        "    .exit           - Exit shell".to_owned(),
        String::new(),
    ];
    let sides = lines.map(|line| format!("║{line}{}║\n", " ".repeat(INSIDE.saturating_sub(width(&line)))));
    let note = if *source == Source::Memory {
        "Note: In-memory mode - data is temporary and will be lost on exit."
    } else {
        "Note: In-memory mode - the snapshot was read; changes are lost on exit unless you .save them."
    };
    format!("╔{rule}╗\n{}╚{rule}╝\n\n  {note}\n", sides.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the specification shows it, the line that is wider than its box included.
    #[test]
    fn the_banner_is_the_specifications() {
        assert_eq!(
            banner(&Source::Memory),
            "\
╔═══════════════════════════════════════════════════════╗
║                                                       ║
║         KeystoneDB Interactive Shell v0.1.0           ║
║                                                       ║
║  Database: :memory:                                   ║
║                                                       ║
║  Quick Start:                                         ║
║    .help           - Show all commands                ║
║    .format <type>  - Change output (table|json|compact)║
║    .exit           - Exit shell                       ║
║                                                       ║
╚═══════════════════════════════════════════════════════╝

  Note: In-memory mode - data is temporary and will be lost on exit.
"
            .replace("v0.1.0", &format!("v{}", env!("CARGO_PKG_VERSION")))
        );
    }

    #[test]
    fn a_long_name_stays_in_the_box() {
        let text = banner(&Source::File(format!("/data/{}.ksnap", "x".repeat(100)).into()));
        assert!(text.contains("║  Database: /data/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…║\n"), "{text}");
        assert!(text.contains("unless you .save"));
    }
}
