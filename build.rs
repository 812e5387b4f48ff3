//! Writes `include/kstone.h` from the doc comments of `src/`, and tells the linker what makes a Rust library a good
//! shared library: a SONAME, and that it is never unloaded.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The modules that the header shows, in its order.
const SOURCES: [&str; 20] = [
    "boundary",
    "status",
    "library",
    "error",
    "options",
    "database",
    "schema",
    "item",
    "item_build",
    "access",
    "cond",
    "write",
    "spec",
    "page",
    "iter",
    "execute",
    "batch",
    "snapshot",
    "transfer",
    "stored",
];
const HEADER: &str = "include/kstone.h";
/// Raised when a program that works with this library would not work with the next.
const ABI_VERSION: u32 = 0;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed={HEADER}");
    write_header(&root);
    link_arguments();
}

fn write_header(root: &Path) {
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is part of the source");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(root.join("src").join(source).with_extension("rs"));
    }
    let bindings = match builder.generate() {
        Ok(bindings) => bindings,
        // The compiler explains it better.
        Err(cbindgen::Error::ParseSyntaxError { .. }) => return,
        Err(error) => panic!("no header: {error}"),
    };
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = for_c(&String::from_utf8(text).expect("the header is text"));
    let path = root.join(HEADER);
    if fs::read_to_string(&path).is_ok_and(|present| present == text) {
        return;
    }
    // A source tree that cannot be written to has its header already.
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
    if let Err(error) = written {
        println!("cargo:warning={HEADER} is out of date and cannot be written: {error}");
    }
}

/// Adapts what cbindgen writes. Comments lose what is meant for Rust alone: backticks, the sections on safety (the
/// header's conventions say the same in C's terms) and the fences around examples, which are indented instead.
/// Comments of one line go on one line, values with a sign or a cast into parentheses, and structs get their names as
/// tags too.
fn for_c(header: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let (mut in_safety, mut in_example) = (false, false);
    for line in header.lines().map(str::trim_end) {
        let ends = line.trim_start() == "*/";
        in_safety = (in_safety || line == " * # Safety") && !ends;
        if line.starts_with(" * ```") {
            in_example = !in_example;
        } else if ends {
            end_comment(&mut lines, line);
        } else if in_example {
            lines.push(line.replacen(" *", " *    ", 1));
        } else if !(in_safety || line.is_empty() && lines.last().is_some_and(String::is_empty)) {
            lines.push(with_parentheses(line).replace('`', ""));
        }
        let struct_name = line.strip_prefix("} ").and_then(|rest| rest.strip_suffix(';'));
        if let (Some(name), Some(start)) = (struct_name, lines.iter_mut().rfind(|line| *line == "typedef struct {")) {
            *start = format!("typedef struct {name} {{");
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Ends a comment: without the empty lines that led to what was taken out of it, and on one line where there is room.
fn end_comment(lines: &mut Vec<String>, end: &str) {
    while lines.last().is_some_and(|line| line.trim_start() == "*") {
        lines.pop();
    }
    let [.., start, text] = lines.as_slice() else { return };
    match text.trim_start().strip_prefix("* ") {
        Some(text) if start.trim_start() == "/**" => {
            let short = format!("{start} {text} */");
            lines.truncate(lines.len() - 2);
            lines.push(short);
        }
        _ => lines.push(end.to_owned()),
    }
}

fn with_parentheses(line: &str) -> String {
    match line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) {
        Some((name, value)) if value.starts_with(['-', '(']) => format!("#define {name} ({value})"),
        _ => line.to_owned(),
    }
}

fn link_arguments() {
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "freebsd" | "android") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libkstone.so.{ABI_VERSION}");
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        Ok("macos") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libkstone.{ABI_VERSION}.dylib");
        }
        _ => {}
    }
}
