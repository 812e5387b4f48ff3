//! The shell's section of the README and its picture are what the shell shows, in a real pseudo-terminal.
//!
//! `KSTONE_RECORD=1 cargo test -p kstone-cli --test terminal readme` writes both anew.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::common::{Terminal, root};
use avt::Color;

const SIZE: (usize, usize) = (92, 60);
const TYPED: [&str; 6] = [
    ".import examples/data/airports.csv --key state --sort iata",
    "SELECT sk, name, city FROM items\nWHERE pk = 'CA' AND sk BETWEEN 'SAC' AND 'SBD';",
    "EXPLAIN SELECT name FROM items WHERE pk = 'CA' AND sk = 'SFO';",
    "SELECT pk, COUNT(*) AS airports FROM items GROUP BY pk ORDER BY airports DESC LIMIT 3;",
    ".format json",
    "SELECT name, latitude FROM items WHERE pk = 'NY' AND sk = 'JFK';",
];

fn terminal() -> Terminal {
    let mut terminal = Terminal::shell(&[], &[("NO_COLOR", "")], SIZE);
    for text in TYPED {
        terminal.run(text);
    }
    terminal
}

/// Durations and rates are never twice the same.
fn without_times(text: &str) -> String {
    let masked = |line: &str| match line.contains("a second") {
        true => line
            .split_inclusive(|c: char| !c.is_ascii_digit())
            .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()))
            .collect(),
        false => line.to_owned(),
    };
    text.lines().map(|line| masked(line) + "\n").collect()
}

/// Compares with what the file says, or writes that anew.
fn check(path: PathBuf, found: &str, replace: impl Fn(&str) -> (String, String)) {
    let text = fs::read_to_string(&path).unwrap_or_default();
    let (said, rewritten) = replace(&text);
    if std::env::var_os("KSTONE_RECORD").is_some() {
        fs::write(&path, rewritten).unwrap();
    } else {
        assert_eq!(without_times(&said), without_times(found), "{}: KSTONE_RECORD=1 writes it anew", path.display());
    }
}

#[test]
fn the_readmes_transcript_is_what_the_shell_shows() {
    let shown = terminal().text();
    let shown = format!("$ kstone shell\n{}", shown.trim_end().trim_end_matches("kstone>").trim_end()) + "\n";
    check(root().join("README.md"), &shown, |readme| {
        let start = readme.find("$ kstone shell\n").expect("the README has a transcript");
        let end = start + readme[start..].find("```").expect("the transcript ends");
        (readme[start..end].to_owned(), format!("{}{shown}{}", &readme[..start], &readme[end..]))
    });
}

#[test]
fn the_picture_is_what_the_shell_shows() {
    let picture = svg(&terminal());
    check(root().join("docs/shell.svg"), &picture, |svg| (svg.to_owned(), picture.clone()));
}

/// The screen as a picture: one text for each run of characters of one look.
fn svg(terminal: &Terminal) -> String {
    const CELL: f64 = 8.4;
    const LINE: f64 = 18.0;
    const MARGIN: f64 = 16.0;
    let lines: Vec<_> = terminal.screen.screen().visible_lines().cloned().collect();
    let used = lines.iter().rposition(|line| !line.text().trim().is_empty()).map_or(0, |last| last + 1);
    let (width, height) = (SIZE.0 as f64 * CELL + 2.0 * MARGIN, used as f64 * LINE + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-size=\"14\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, monospace\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1d1f27\"/>\n"
    );
    for (row, line) in lines[..used].iter().enumerate() {
        let mut column = 0;
        for run in line.chunks(|left, right| left.pen() != right.pen()) {
            let text: String = run.iter().map(avt::Cell::char).collect();
            let (start, pen) = (column, run[0].pen());
            column += run.len();
            if text.trim().is_empty() {
                continue;
            }
            let (x, y) = (MARGIN + start as f64 * CELL, MARGIN + (row as f64 + 0.8) * LINE);
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let weight = if pen.is_bold() { " font-weight=\"bold\"" } else { "" };
            let opacity = if pen.is_faint() { " opacity=\"0.6\"" } else { "" };
            let length = run.len() as f64 * CELL;
            let color = color(pen.foreground());
            writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" fill=\"{color}\"{weight}{opacity}>{escaped}</text>"
            )
            .unwrap();
        }
    }
    out + "</svg>\n"
}

/// The terminal's sixteen colours; text without one is light grey.
fn color(color: Option<Color>) -> String {
    const PALETTE: [&str; 8] = ["#4a4e5a", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#dcdfe4"];
    match color {
        None => "#dcdfe4".to_owned(),
        Some(Color::Indexed(index)) => PALETTE[usize::from(index) % PALETTE.len()].to_owned(),
        Some(Color::RGB(rgb)) => format!("#{:02x}{:02x}{:02x}", rgb.r, rgb.g, rgb.b),
    }
}
