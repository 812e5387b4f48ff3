//! The layers of this crate: no two modules need each other, not even through others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules in a folder, and which others each of them names after `prefix`, also inside braces.
fn uses(folder: &str, prefix: &str) -> Graph {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut graph = Graph::new();
    for entry in fs::read_dir(source).expect("the source is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "rs") || ["lib", "tests"].contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(path).expect("it can be read");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let mut named = BTreeSet::new();
        for rest in code.split(prefix).skip(1) {
            let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or_default());
            let first = if rest.starts_with('{') { list } else { rest.split("::").next().unwrap_or_default() };
            named.extend(first.split(',').map(|word| word.trim().split("::").next().unwrap_or_default().to_owned()));
        }
        named.remove(&name);
        graph.insert(name, named);
    }
    graph
}

/// Takes away what needs nothing that is left, again and again: what stays is a ring and what needs it.
fn rings(mut graph: Graph) -> Vec<String> {
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        let before = graph.len();
        graph.retain(|_, named| named.iter().any(|other| left.contains(other)));
        if graph.len() == before {
            return graph.into_keys().collect();
        }
    }
}

#[test]
fn no_two_modules_need_each_other() {
    let families = uses("src", "crate::");
    assert!(families["write"].contains("cond") && families.len() > 25, "{families:?}");
    assert_eq!(rings(families), [""; 0]);
    let boundary = uses("src/boundary", "super::");
    assert!(boundary["guard"].contains("failure") && boundary.len() > 8, "{boundary:?}");
    assert_eq!(rings(boundary), [""; 0]);
}
