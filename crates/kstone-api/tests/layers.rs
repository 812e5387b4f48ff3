//! The crate's modules are in layers: none imports itself, directly or by way of others, but for those that are named here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Imports = BTreeMap<String, BTreeSet<String>>;

/// What still imports itself by way of others: a table and what it shares with its account, the commit of writes to several
/// tables, and the lists that these writes come in. Each that gets out of a ring leaves the list.
const IN_A_RING: [&str; 8] = [
    "account::environment",
    "account::limited",
    "request::operation",
    "request::operation_list",
    "request::transaction",
    "request::write",
    "table",
    "table::commit",
];

fn source_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the crate's sources") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => source_files(&path, files),
            false => files.push(path),
        }
    }
}

/// The path of a file's module.
fn module_of(file: &Path, root: &Path) -> Vec<String> {
    let path = file.strip_prefix(root).expect("below the root").with_extension("");
    path.iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

/// The code of a file, tests and documentation left out.
fn code_of(file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("readable");
    let code = text.split("#[cfg(test)]\nmod tests").next().expect("a first part").replace("#[cfg(doc)]\n", "//");
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The paths that code names behind a prefix, those in braces one by one.
fn paths_behind<'a>(code: &'a str, prefix: &str) -> Vec<Vec<&'a str>> {
    let name_end = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let mut paths = Vec::new();
    for mut rest in code.split(prefix).skip(1) {
        let mut path = Vec::new();
        loop {
            let end = name_end(rest);
            path.push(&rest[..end]);
            let Some(next) = rest[end..].strip_prefix("::") else { break };
            rest = next;
            if let Some(list) = rest.strip_prefix('{') {
                let list = list.split('}').next().unwrap_or_default();
                paths
                    .extend(list.split(',').map(|name| [&path[..], &[&name.trim()[..name_end(name.trim())]]].concat()));
                break;
            }
        }
        paths.push(path);
    }
    paths
}

/// What each module of the crate's first two levels names of the others; what lies deeper counts to these.
fn imports() -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    files.retain(|file| !file.ends_with("lib.rs") && !file.components().any(|part| part.as_os_str() == "tests"));
    files.retain(|file| !file.ends_with("tests.rs"));
    let two = |path: &[String]| path.iter().take(2).cloned().collect::<Vec<_>>().join("::");
    let modules: BTreeSet<String> = files.iter().map(|file| two(&module_of(file, &root))).collect();
    let known = |path: Vec<String>| {
        [two(&path), path.first().cloned().unwrap_or_default()].into_iter().find(|module| modules.contains(module))
    };
    let mut imports = Imports::new();
    for file in &files {
        let (path, code) = (module_of(file, &root), code_of(file));
        let owned = |path: Vec<&str>| path.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let mut named: Vec<Vec<String>> = paths_behind(&code, "crate::").into_iter().map(owned).collect();
        for named_here in paths_behind(&code, "super::") {
            let above = path[..path.len() - 1].to_vec();
            named.push([above, owned(named_here)].concat());
        }
        let module = two(&path);
        let of_module = imports.entry(module.clone()).or_default();
        of_module.extend(named.into_iter().filter_map(known).filter(|other| *other != module));
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
fn no_module_imports_itself_by_way_of_others_but_the_named() {
    let imports = imports();
    assert!(imports["request::page"].contains("request::selection"), "imports in files are found");
    assert!(imports["partiql::collect"].contains("partiql::select"), "those of siblings, too");
    assert!(imports["table"].contains("account::environment") && imports.len() > 50, "{imports:?}");
    let in_rings: Vec<&str> =
        imports.keys().map(String::as_str).filter(|module| reached(&imports, module).contains(module)).collect();
    let ring = |module: &&str| {
        let back = imports[*module].iter().filter(|next| reached(&imports, next).contains(*module));
        format!("{module} -> {}", back.cloned().collect::<Vec<_>>().join(", "))
    };
    assert_eq!(in_rings, IN_A_RING, "{:#?}", in_rings.iter().map(ring).collect::<Vec<_>>());
}

#[test]
fn what_callers_give_and_get_knows_no_table_and_streams_alone() {
    let imports = imports();
    let models = imports.iter().filter(|(module, _)| module.starts_with("model"));
    for (module, named) in models {
        let below = ["model", "error", "expression", "table::stream"];
        let is_below = |other: &String| below.iter().any(|below| other.starts_with(below));
        let above: Vec<&String> = named.iter().filter(|other| !is_below(other)).collect();
        assert!(above.is_empty(), "{module} imports {above:?}");
    }
}
