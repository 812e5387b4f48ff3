//! What the replays of cases and of scenarios share.

/// Writes out what is repeated: `⟪a*300⟫` stands for 300 times `a`. Other words in such brackets stay as they are.
pub(crate) fn written_out(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('⟪') {
        let (word, after) = after.split_once('⟫').expect("what is opened is closed");
        out.push_str(before);
        match word.rsplit_once('*') {
            Some((what, times)) => out.push_str(&what.repeat(times.parse().expect("a number"))),
            None => out.extend(["⟪", word, "⟫"]),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How sure a source is: captured on AWS and published, tested against AWS by its source, documented, emulated by a
/// source that says no more, or our choice where nobody knows.
pub(crate) const SURE: &[&str] = &["captured", "tested", "documented", "emulated", "ours"];
