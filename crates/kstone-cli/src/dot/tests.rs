use super::*;

fn error(line: &str) -> String {
    parse(line).unwrap_err().to_string()
}

#[test]
fn every_command_is_read() {
    for (line, dot) in [
        (".help", Dot::Help { command: None }),
        (".help .import", Dot::Help { command: Some(".import".to_owned()) }),
        (".format jsonl", Dot::Format { format: Some(Format::Jsonl) }),
        (".exit", Dot::Exit),
        (".quit", Dot::Exit),
        (".schema", Dot::Schema { schema: None }),
        (".indexes", Dot::Indexes),
        (".stats", Dot::Stats),
        (".timer on", Dot::Timer { switch: Some(Switch::On) }),
        (".clear", Dot::Clear),
        (".read 'a file'", Dot::Read { file: "a file".into() }),
        (".export a.jsonl", Dot::Export { file: "a.jsonl".into() }),
        (".save \"a b\"", Dot::Save { file: Some("a b".into()) }),
        (".save", Dot::Save { file: None }),
        (".open :memory:", Dot::Open { file: ":memory:".into() }),
        (".explain off", Dot::Explain { switch: Some(Switch::Off) }),
        (".fork", Dot::Fork { end: None }),
        (".tables", Dot::Tables),
        (".dump", Dot::Dump),
        (".put '{\"pk\": {}}'", Dot::Put { item: "{\"pk\": {}}".to_owned() }),
        (".output", Dot::Output { file: None }),
        (".output off", Dot::Output { file: Some("off".into()) }),
        (".once 'a b'", Dot::Once { file: "a b".into() }),
        (".parameter list", Dot::Parameter { action: ParameterAction::List }),
        (".parameter unset :a", Dot::Parameter { action: ParameterAction::Unset { name: ":a".to_owned() } }),
        (".prepare a \"SELECT 'x'\"", Dot::Prepare { name: "a".to_owned(), statement: vec!["SELECT 'x'".to_owned()] }),
        (".run a -1 x", Dot::Run { name: "a".to_owned(), values: vec!["-1".to_owned(), "x".to_owned()] }),
        (".nullvalue ''", Dot::Nullvalue { text: Some(String::new()) }),
        (".width 1 -2 0", Dot::Width { columns: vec![1, -2, 0] }),
        (".fork keep", Dot::Fork { end: Some(ForkEnd::Keep) }),
    ] {
        assert_eq!(parse(line).unwrap(), dot, "{line}");
    }
}

#[test]
fn what_is_unknown_is_told_the_nearest() {
    assert_eq!(error(".hlep"), "unknown command .hlep: did you mean .help?");
    assert_eq!(error(".index"), "unknown command .index: did you mean .indexes?");
    assert_eq!(error(".table"), "unknown command .table: did you mean .tables?");
    assert_eq!(error(".parameters"), "unknown command .parameters: did you mean .parameter?");
    assert_eq!(error(".ouput"), "unknown command .ouput: did you mean .output?");
    assert_eq!(error(".qit"), "unknown command .qit: did you mean .quit?");
    assert_eq!(error(".teleport"), "unknown command .teleport: .help lists all there are");
    assert_eq!(error("."), "unknown command .: .help lists all there are");
}

#[test]
fn wrong_arguments_are_told_what_is_right() {
    for (line, part) in [
        (".format xml", "possible values: table, json, jsonl, compact, csv"),
        (".timer", ""),
        (".read", "<FILE>"),
        (".exit now", "unexpected argument 'now'"),
        (".exit --help", "unexpected argument '--help'"),
        (".save 'a", "a quote is not closed"),
        (".once", "<FILE>"),
        (".put", "<ITEM>"),
        (".width a", "invalid value 'a'"),
        (".width 40000", "is not in"),
        (".parameter", "set"),
        (".parameter sit :a 1", "'set'"),
        (".parameter help", "unrecognized subcommand 'help'"),
        (".tables a", "unexpected argument 'a'"),
        (".dump a", "unexpected argument 'a'"),
        (".nullvalue a b", "unexpected argument 'b'"),
        (".output a b", "unexpected argument 'b'"),
    ] {
        match parse(line) {
            Err(failure) => assert!(failure.to_string().contains(part), "{line}: {failure}"),
            Ok(dot) => assert_eq!(dot, Dot::Timer { switch: None }),
        }
    }
}

#[test]
fn help_tells_of_every_command() {
    let all = help(None).unwrap();
    for name in names() {
        assert!(all.contains(&name), "{name}");
        assert!(help(Some(&name)).unwrap().contains("Usage: "), "{name}");
    }
    assert!(help(Some("import")).unwrap().contains("--key"));
    assert_eq!(help(Some("hepl")).unwrap_err().to_string(), "unknown command .hepl: did you mean .help?");
}

#[test]
fn arguments_are_shown_as_they_are_typed() {
    assert_eq!(arguments(".format").as_deref(), Some("[table|json|jsonl|compact|csv]"));
    assert_eq!(arguments(".read").as_deref(), Some("FILE"));
    assert_eq!(arguments(".save").as_deref(), Some("[FILE]"));
    assert_eq!(arguments(".parameter").as_deref(), Some("set|unset|list|clear"));
    assert_eq!(arguments(".output").as_deref(), Some("[FILE|off]"));
    assert_eq!(arguments(".quit").as_deref(), Some(""));
    assert_eq!(arguments(".nothing"), None);
}
