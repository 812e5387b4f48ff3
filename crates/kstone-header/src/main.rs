//! Makes `include/kstone.h`, and its copy for Go: the manual's text from `include/kstone.h.in`, and in it, where the text says so, what the
//! modules of `src/` declare, with their doc comments, as cbindgen writes it in C.
//!
//! A line of the template that begins with `@` is a directive:
//! ```text
//! @handles page iter    the handle types of src/page.rs and src/iter.rs
//! @module item_build    the constants, structs and functions of src/item_build.rs
//! ```
//! `@VERSION@`, `@VERSION_MAJOR@`, `@VERSION_MINOR@` and `@VERSION_PATCH@` stand for the version in Cargo.toml.
//!
//! ```text
//! kstone-header           writes the header
//! kstone-header --check   says where the header is not what it should be, and writes nothing
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use cbindgen::{Builder, Config, ItemType};
use regex::Regex;

type Outcome<T> = Result<T, Box<dyn Error>>;

const TEMPLATE: &str = "include/kstone.h.in";
/// The header, and its copy in the Go module, whose vendored form has nothing of what is outside of the module.
const HEADERS: [&str; 2] = ["include/kstone.h", "bindings/go/kstone.h"];
const LINE_MAX_BYTES: usize = 120;
const SETTINGS: &str = "cbindgen.toml";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(&root),
        ["--check"] => check(&root),
        _ => Err("there is one argument: --check".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(root: &Path) -> Outcome<()> {
    let text = header(root)?;
    for path in HEADERS {
        if !fs::read_to_string(root.join(path)).is_ok_and(|present| present == text) {
            fs::write(root.join(path), &text).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    Ok(())
}

fn check(root: &Path) -> Outcome<()> {
    let made = header(root)?;
    HEADERS.iter().try_for_each(|path| check_one(path, &made, &read(&root.join(path))?))
}

fn check_one(path: &str, made: &str, present: &str) -> Outcome<()> {
    if made == present {
        return Ok(());
    }
    let same = made.lines().zip(present.lines()).take_while(|(made, present)| made == present).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("the end").to_owned();
    Err(format!(
        "{path} is not what its sources give: run scripts/header. It first differs in line {}:\n  there: {}\n  made:  {}",
        same + 1,
        line(present),
        line(made)
    )
    .into())
}

/// The whole header.
fn header(root: &Path) -> Outcome<String> {
    let template = read(&root.join(TEMPLATE))?;
    let mut shown = Vec::new();
    let mut text = String::new();
    for (number, line) in template.lines().enumerate() {
        let declarations = match line.strip_prefix('@').map(|directive| directive.split_once(' ')) {
            None => Some(format!("{}\n", with_version(line))),
            Some(Some(("module", module))) => {
                shown.push(module.to_owned());
                Some(declared(root, &[module.to_owned()], &NOT_HANDLES)?)
            }
            Some(Some(("handles", modules))) => {
                let modules: Vec<String> = modules.split(' ').map(str::to_owned).collect();
                Some(declared(root, &modules, &[ItemType::OpaqueItems])?)
            }
            Some(_) => None,
        };
        text += &declarations.ok_or_else(|| format!("{TEMPLATE}:{}: {line} is no directive", number + 1))?;
    }
    if let Some(module) = modules(root)?.iter().find(|module| !shown.contains(module)) {
        return Err(format!("{TEMPLATE} does not show src/{module}.rs, which declares something for C").into());
    }
    match text.lines().find(|line| line.len() > LINE_MAX_BYTES || line.contains('`') || !line.is_ascii()) {
        Some(line) => {
            Err(format!("a line for C is ASCII, without `, of at most {LINE_MAX_BYTES} bytes: {line}").into())
        }
        None => Ok(text),
    }
}

/// What stands in a module that declares something for C.
const FOR_C: [&str; 3] = ["#[unsafe(no_mangle)]", "\npub const KSTONE_", "#[repr(C)]\npub struct "];

const NOT_HANDLES: [ItemType; 5] =
    [ItemType::Constants, ItemType::Enums, ItemType::Structs, ItemType::Typedefs, ItemType::Functions];

/// The modules that declare something for C, by their paths in `src/` without `.rs`.
fn modules(root: &Path) -> Outcome<Vec<String>> {
    let mut modules = Vec::new();
    let mut folders = vec![PathBuf::new()];
    let source = root.join("src");
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(source.join(&folder))? {
            let name = folder.join(entry?.file_name());
            let path = source.join(&name);
            if path.is_dir() {
                folders.push(name);
                continue;
            }
            let text = read(&path)?;
            if name.extension().is_some_and(|extension| extension == "rs")
                && FOR_C.iter().any(|mark| text.contains(mark))
            {
                modules.push(name.with_extension("").to_string_lossy().into_owned());
            }
        }
    }
    modules.sort();
    Ok(modules)
}

/// What the modules declare of these kinds, in C.
fn declared(root: &Path, modules: &[String], kinds: &[ItemType]) -> Outcome<String> {
    let mut config = Config::from_file(root.join(SETTINGS))?;
    // Without this, cbindgen leaves out what no function of the same module uses.
    config.export.include = config.export.rename.keys().cloned().collect();
    config.export.item_types = kinds.to_vec();
    let mut builder = Builder::new().with_config(config);
    for module in modules {
        let path = root.join("src").join(module).with_extension("rs");
        read(&path)?;
        builder = builder.with_src(path);
    }
    let mut text = Vec::new();
    builder.generate()?.write(&mut text);
    Ok(for_c(&String::from_utf8(text)?))
}

/// What cbindgen cannot be told: comments of one line stand on one line, negative values and casts in parentheses, and
/// structs have their names as tags too.
fn for_c(declarations: &str) -> String {
    let one_line = Regex::new(r"(?m)^( *)/\*\*\n *\* (.{1,110})\n *\*/$").expect("a regular expression");
    let bare_value = Regex::new(r"(?m)^#define (\w+) ([-(].*)$").expect("a regular expression");
    let no_tag = Regex::new(r"(?s)typedef struct \{(.*?)\n\} (\w+);").expect("a regular expression");
    let empty_lines = Regex::new(r"\n{3,}").expect("a regular expression");
    let text = declarations.replace('`', "");
    let text = one_line.replace_all(&text, "$1/** $2 */");
    let text = bare_value.replace_all(&text, "#define $1 ($2)");
    let text = no_tag.replace_all(&text, "typedef struct $2 {$1\n} $2;");
    let text = empty_lines.replace_all(&text, "\n\n");
    format!("{}\n", text.trim())
}

fn with_version(line: &str) -> String {
    line.replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@VERSION_MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
        .replace("@VERSION_MINOR@", env!("CARGO_PKG_VERSION_MINOR"))
        .replace("@VERSION_PATCH@", env!("CARGO_PKG_VERSION_PATCH"))
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
