//! Ctrl-C where nobody types: the run ends with exit code 130, and files are as they were.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::process::{Directory, airports, kstone, snapshot, start};

fn press_ctrl_c(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// What a run printed to standard error until it ended, and its exit code.
fn end(mut child: Child) -> (Option<i32>, String) {
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Waits for the program to have printed something, so that it is at work and catches Ctrl-C.
fn wait_for_output(child: &mut Child) {
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
}

#[test]
fn waiting_for_input_ends_and_says_what_is_lost() {
    let directory = Directory::new();
    let file = snapshot(&directory);
    let before = fs::read(&file).unwrap();
    let mut child = start(&["shell", &file]);
    child.stdin.as_mut().unwrap().write_all(b"DELETE FROM items WHERE pk = 'CA' AND sk = 'SFO';\n.format\n").unwrap();
    wait_for_output(&mut child);
    press_ctrl_c(&child);
    // Standard input stays open: only Ctrl-C can end it.
    let stdin = child.stdin.take();
    let (code, said) = end(child);
    drop(stdin);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("kstone: interrupted\n") && said.contains("are not saved"), "{said}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn statements_without_end_are_ended_also_where_errors_are_not() {
    let directory = Directory::new();
    let file = snapshot(&directory);
    let sql = "SELECT pk, COUNT(*) AS n FROM items GROUP BY pk ORDER BY n DESC LIMIT 1;\nbad;\n".repeat(20_000);
    let sql = directory.file("long.sql", sql);
    let started = Instant::now();
    let mut child = start(&["query", "--keep-going", "--save", &file, &format!(".read '{sql}'")]);
    wait_for_output(&mut child);
    press_ctrl_c(&child);
    let (code, said) = end(child);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.ends_with("kstone: interrupted\n"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(60), "it took {:?}", started.elapsed());
}

#[test]
fn an_import_that_is_ended_writes_nothing() {
    let directory = Directory::new();
    let pipe = directory.path("endless.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let into = directory.path("into.ksnap");
    kstone(&["import", &airports(), "--into", &into, "--key", "state"]);
    let before = fs::read(&into).unwrap();
    let child = start(&["import", &pipe, "--from", "jsonl", "--into", &into]);
    let mut file = fs::File::options().write(true).open(&pipe).unwrap();
    for at in 0..2_000 {
        writeln!(file, "{{\"pk\": \"item{at}\"}}").unwrap();
    }
    press_ctrl_c(&child);
    // Until the other end is closed.
    while writeln!(file, "{{\"pk\": \"item\"}}").is_ok() {}
    let (code, said) = end(child);
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(fs::read(&into).unwrap(), before);
}
