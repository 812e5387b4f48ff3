//! The header as manual: rule 10.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn header() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/kstone.h");
    fs::read_to_string(path).expect("the header is part of the source")
}

/// The names of the extern functions of the source.
fn exported() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut names = Vec::new();
    for entry in fs::read_dir(source).expect("the source is there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).expect("it can be read");
            let functions = text.split("extern \"C\" fn ").skip(1);
            names.extend(functions.filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.to_owned()));
        }
    }
    names.retain(|name| name.starts_with("kstone_"));
    names
}

#[test]
fn every_function_is_in_the_header_with_a_comment_before_it() {
    let header = header();
    let names = exported();
    assert!(names.len() >= 58, "{names:?}");
    for name in names {
        let call = format!("{name}(");
        let declared = header.match_indices(&call).any(|(at, _)| {
            let line = header[..at].rfind('\n').map_or(0, |newline| newline + 1);
            header[..line].trim_end_matches("KSTONE_MUST_USE\n").ends_with("*/\n")
        });
        assert!(declared, "{name} is not declared, or not explained");
    }
}

#[test]
fn every_constant_type_and_field_has_a_comment_before_it() {
    let header = header();
    let (_, body) = header.split_once("extern \"C\" {\n#endif\n").expect("it has a beginning");
    let lines: Vec<&str> = body.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let declares = line.starts_with("#define") || line.starts_with("typedef") || line.starts_with("    ");
        let continues = line.starts_with("     ");
        if declares && !continues && !line.trim_start().starts_with(['/', '*']) {
            assert!(lines[number - 1].ends_with("*/"), "no comment before: {line}");
        }
    }
}

#[test]
fn comments_are_for_c() {
    let header = header();
    for rust in ["# Safety", "```", "`", "[`", "//", "crate::", "None", "Some("] {
        let (_, body) = header.split_once("#ifndef KSTONE_H").expect("it has a guard");
        assert!(!body.contains(rust), "{rust}");
    }
    assert!(header.is_ascii());
    let longest = header.lines().max_by_key(|line| line.len()).unwrap_or_default();
    assert!(longest.len() <= 120, "{longest}");
}

/// The examples, which are indented in the comments, as one C89 program.
#[test]
fn examples_compile() {
    let header = header();
    let mut program = String::from("#include <stdio.h>\n#include <string.h>\n#include \"kstone.h\"\n");
    for line in header.lines().filter_map(|line| line.strip_prefix(" *     ")) {
        program.extend([line, "\n"]);
    }
    assert!(program.matches("\nstatic ").count() >= 15, "{program}");
    let mut compiler = Command::new("cc")
        .args(
            "-std=c89 -Wall -Wextra -Wpedantic -Wno-unused-function -Werror -fsyntax-only -x c -Iinclude -".split(' '),
        )
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("there is a C compiler where Rust links");
    let mut input = compiler.stdin.take().expect("it was piped");
    input.write_all(program.as_bytes()).expect("the compiler reads");
    drop(input);
    assert!(compiler.wait().expect("it ends").success());
}
