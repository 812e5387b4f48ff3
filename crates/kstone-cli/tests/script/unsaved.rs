//! Changes that no file has, where nobody can be asked: a warning, and what `--save` writes.

use std::fs;

use crate::process::{Directory, Run, kstone, kstone_with_input};

const INSERT: &str = "INSERT INTO items VALUE {'pk': 'new'}";
const COUNT: &str = "SELECT COUNT(*) AS n FROM items";

/// A snapshot of so many items.
fn snapshot(directory: &Directory, name: &str, items: usize) -> String {
    let file = directory.path(name);
    let inserts: String = (0..items).map(|at| format!("INSERT INTO items VALUE {{'pk': 'item{at}'}};\n")).collect();
    kstone_with_input(&["shell"], format!("{inserts}.save '{file}'\n").as_bytes()).ok();
    file
}

fn count(file: &str) -> String {
    kstone(&["query", file, "-f", "csv", COUNT]).ok().lines().nth(1).unwrap().to_owned()
}

fn session(file: &str, input: &str) -> Run {
    kstone_with_input(&["shell", file], input.as_bytes())
}

#[test]
fn save_never_writes_another_database_over_the_one_that_was_opened() {
    let directory = Directory::new();
    let (a, b) = (snapshot(&directory, "a.ksnap", 1), snapshot(&directory, "b.ksnap", 2));
    for open in [format!(".open '{b}'"), ".open :memory:".to_owned(), format!(".read '{}'", directory.path("open.sql"))]
    {
        directory.file("open.sql", format!(".open '{b}'\n"));
        let run = kstone(&["query", "--save", &a, INSERT, &open]);
        assert!(run.out.is_empty());
        let said = run.failed();
        assert!(said.contains("--save writes ") && said.contains("no other can be opened"), "{said}");
        assert_eq!((count(&a), count(&b)), ("1".to_owned(), "2".to_owned()));
    }
    kstone(&["query", "--save", &a, INSERT]).ok();
    assert_eq!(count(&a), "2");
}

#[test]
fn save_does_not_guess_what_becomes_of_a_fork() {
    let directory = Directory::new();
    let a = snapshot(&directory, "a.ksnap", 1);
    let said = kstone(&["query", "--save", &a, ".fork", INSERT]).failed();
    assert!(said.contains("--save: .fork keep or .fork drop says what to save"), "{said}");
    assert_eq!(count(&a), "1");
    kstone(&["query", "--save", &a, ".fork", INSERT, ".fork keep"]).ok();
    assert_eq!(count(&a), "2");
    kstone(&["query", "--save", &a, ".fork", "DELETE FROM items WHERE pk = 'new'", ".fork drop"]).ok();
    assert_eq!(count(&a), "2");
}

#[test]
fn changes_that_get_lost_are_told_and_do_not_change_the_exit_code() {
    let directory = Directory::new();
    let (a, b) = (snapshot(&directory, "a.ksnap", 1), snapshot(&directory, "b.ksnap", 2));
    let lost = format!("kstone: warning: changes of {a} are not saved: .save does that\n");
    for input in [
        format!("{INSERT};\n"),
        format!("{INSERT};\n.exit\n"),
        format!("{INSERT};\n.save\nDELETE FROM items WHERE pk = 'new';\n"),
        ".schema '{\"name\": \"other\"}'\n".to_owned(),
        ".put '{\"pk\": {\"S\": \"x\"}}'\n".to_owned(),
        format!(".fork\n{INSERT};\n.fork keep\n"),
        format!("{INSERT};\n.fork\n.fork drop\n"),
    ] {
        fs::copy(&b, &a).unwrap();
        let run = session(&a, &input);
        assert_eq!((run.code, run.err.as_str()), (0, lost.as_str()), "{input}");
    }
    fs::copy(&b, &a).unwrap();
    let run = session(&a, &format!("{INSERT};\n.fork\n"));
    assert!(run.err.contains(" and of its fork are not saved"), "{}", run.err);
    let run = session(&a, &format!("{INSERT};\n.open '{b}'\n"));
    assert_eq!(run.err, format!("kstone: warning: before opening {b}: changes of {a} are not saved\n"));
    let run = session(&a, &format!("{INSERT};\nSELECT;\n"));
    assert_eq!(run.code, 1);
    assert!(run.err.ends_with(&lost), "{}", run.err);
}

#[test]
fn nothing_is_said_where_nothing_gets_lost() {
    let directory = Directory::new();
    let a = snapshot(&directory, "a.ksnap", 1);
    let (b, original) = (directory.path("b.ksnap"), directory.path("original.ksnap"));
    fs::copy(&a, &original).unwrap();
    for input in [
        "SELECT * FROM items;\n.stats\n.schema\n.indexes\n.dump\n".to_owned(),
        format!("{COUNT};\nEXPLAIN SELECT * FROM items;\nDELETE FROM items WHERE pk = 'nobody';\n"),
        format!("{INSERT};\n.save\n"),
        format!("DELETE FROM items WHERE pk = 'item0';\n.save '{b}'\n.exit\n"),
        format!(".fork\n{INSERT};\n.fork drop\n"),
        ".fork\n.fork keep\n".to_owned(),
        format!(".open :memory:\n{INSERT};\n"),
    ] {
        fs::copy(&original, &a).unwrap();
        assert_eq!(session(&a, &input).err, "", "{input}");
    }
    let failed = session(&a, "INSERT INTO items VALUE {'pk': 'item0'};\n").failed();
    assert!(!failed.contains("warning"), "{failed}");
    assert_eq!(kstone_with_input(&["shell"], format!("{INSERT};\n").as_bytes()).err, "");
    kstone(&["shell", "-c", INSERT]).ok();
}

#[test]
fn a_database_that_was_saved_once_is_of_that_file() {
    let directory = Directory::new();
    let file = directory.path("new.ksnap");
    let run =
        kstone(&["shell", "-c", INSERT, "-c", &format!(".save '{file}'"), "-c", "DELETE FROM items WHERE pk = 'new'"]);
    run.warned(&format!("changes of {file} are not saved"));
    let again = format!(".save '{file}'");
    kstone(&["shell", "-c", INSERT, "-c", &again, "-c", "INSERT INTO items VALUE {'pk': 'b'}", "-c", ".save"]).ok();
    assert_eq!(count(&file), "2");
}

#[test]
fn what_a_saved_fork_has_overwritten_is_not_taken_for_saved() {
    let directory = Directory::new();
    let a = snapshot(&directory, "a.ksnap", 1);
    let run =
        session(&a, &format!(".fork\n{INSERT};\n.save\n.fork drop\nINSERT INTO items VALUE {{'pk': 'other'}};\n"));
    run.warned("are not saved");
}
