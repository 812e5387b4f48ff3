//! The crate's modules are in layers: none imports itself, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Imports = BTreeMap<String, BTreeSet<String>>;

fn source_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the crate's sources") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => source_files(&path, files),
            false => files.push(path),
        }
    }
}

/// What each module of the crate's root names of the others, tests and documentation left out.
fn imports() -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    let mut imports = Imports::new();
    for file in files.iter().filter(|file| !file.ends_with("lib.rs") && !file.ends_with("tests.rs")) {
        let module = file.strip_prefix(&root).expect("below the root").with_extension("");
        let module = module.iter().next().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).expect("readable");
        let code = text.split("#[cfg(test)]\nmod tests").next().expect("a first part").replace("#[cfg(doc)]\n", "//");
        let named = imports.entry(module.clone()).or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for path in line.split("crate::").skip(1) {
                let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
                named.insert(path[..end].to_owned());
            }
        }
        named.remove(&module);
    }
    imports
}

/// What a module reaches, over any number of others.
fn reached<'a>(imports: &'a Imports, module: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut left = vec![module];
    while let Some(module) = left.pop() {
        let next = imports.get(module).into_iter().flatten();
        left.extend(next.map(String::as_str).filter(|name| reached.insert(*name)));
    }
    reached
}

#[test]
fn no_module_imports_itself_by_way_of_others() {
    let imports = imports();
    assert!(imports["engine"].contains("tree") && imports["tree"].contains("memtable"), "imports are found");
    let in_rings: Vec<&String> =
        imports.keys().filter(|&module| reached(&imports, module).contains(&module[..])).collect();
    assert!(in_rings.is_empty(), "these import each other: {in_rings:?}");
}

#[test]
fn unsafe_code_knows_nothing_above_it() {
    let imports = imports();
    assert_eq!(imports["raw"], BTreeSet::from(["tag".to_owned()]), "a tag is what a handle begins with");
}
