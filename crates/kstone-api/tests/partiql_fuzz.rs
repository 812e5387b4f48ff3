//! The statement fuzzer for everybody: its target, driven by mutations from a seed instead of by coverage.
//!
//! `KSTONE_SEED=n` repeats a run, `KSTONE_OPERATIONS=n` makes it longer. `scripts/fuzz partiql` drives the same target
//! with libFuzzer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(unreachable_pub, reason = "the fuzzer's library hands it on")]
#[path = "../../../fuzz/src/statement.rs"]
mod statement;

/// What mutations put in: tokens, and what is no token.
const PIECES: [&str; 48] = [
    "SELECT ",
    " FROM items",
    " WHERE ",
    " AND ",
    " OR ",
    "NOT ",
    " IS MISSING",
    " IS NULL",
    " IN ",
    " BETWEEN ",
    " ORDER BY ",
    " DESC",
    " LIMIT ",
    " OFFSET ",
    " GROUP BY ",
    "COUNT(*)",
    "SUM(n)",
    "EXPLAIN ",
    "EXISTS(",
    "RETURNING ALL OLD *",
    "SET ",
    "REMOVE ",
    "list_append(",
    "set_add(",
    "size(",
    "begins_with(",
    "pk",
    "sk",
    "n",
    "'a'",
    "'",
    "''",
    "\"",
    "?",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<<",
    ">>",
    "1e125",
    "-",
    "ä",
    "\0",
    "/*",
    "--",
];

/// The text with one thing changed: something put in, taken out, doubled or joined with another text.
fn mutate(random: &mut fastrand::Rng, text: &str, other: &str) -> String {
    let place = |random: &mut fastrand::Rng, text: &str| {
        let at = random.usize(0..=text.len());
        (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
    };
    let (a, b) = (place(random, text), place(random, text));
    let (from, to) = (a.min(b), a.max(b));
    match random.u8(0..5) {
        0 => format!("{}{}{}", &text[..a], random.choice(PIECES).unwrap(), &text[a..]),
        1 => format!("{}{}", &text[..from], &text[to..]),
        2 => format!("{}{}{}", &text[..to], &text[from..to].repeat(random.usize(1..8)), &text[to..]),
        3 => format!("{}{}", &text[..a], &other[place(random, other)..]),
        _ => format!("{}{}{}", &text[..from], random.choice(PIECES).unwrap(), &text[to..]),
    }
}

#[test]
fn no_statement_panics_or_changes_something_when_it_fails() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("KSTONE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("KSTONE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let corpus = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/partiql")).unwrap();
    let mut texts: Vec<String> = corpus.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    texts.sort();
    assert!(texts.len() >= 10, "the corpus is there");
    texts.iter().for_each(|text| statement::run(text.as_bytes()));
    for _ in 0..number("KSTONE_OPERATIONS").unwrap_or(20_000) {
        let mut text = random.choice(&texts).unwrap().clone();
        for _ in 0..random.u8(1..6) {
            let other = random.usize(0..texts.len());
            text = mutate(&mut random, &text, &texts[other]);
            text.truncate((0..=text.len().min(10_000)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0));
        }
        statement::run(text.as_bytes());
    }
}
