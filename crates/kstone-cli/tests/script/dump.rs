//! `.dump` and what reads it again: the same items, the same schema.

use std::fs;

use crate::process::{Directory, kstone, kstone_with_input, shell};

/// Items that a statement cannot say, and some that it can, with what may go wrong in quotes and lines.
const ITEMS: [&str; 12] = [
    r#"{"pk":{"S":"plain"},"n":{"N":"-1.5E-10"},"t":{"BOOL":true},"f":{"BOOL":false},"z":{"NULL":true}}"#,
    r#"{"pk":{"S":"quotes"},"a'b\"c":{"S":"it's \"so\"; -- no comment\n.exit\r\n/* nor this */"}}"#,
    r#"{"pk":{"S":"control"},"c":{"S":"\u0000\u001b]52;c;aGk=\u0007\u009b\u202e\u007f\ufeff"}}"#,
    r#"{"pk":{"S":"sets"},"ss":{"SS":["a","b'c"]},"ns":{"NS":["1","-2.50"]},"bs":{"BS":["AAE=","/w=="]}}"#,
    r#"{"pk":{"S":"bytes"},"b":{"B":"AP8="},"e":{"B":""}}"#,
    r#"{"pk":{"B":"/wA="},"sk":{"B":"gA=="},"n":{"N":"1"}}"#,
    r#"{"pk":{"S":"nested"},"l":{"L":[{"M":{"true":{"N":"1"},"e":{"L":[]}}},{"SS":["x"]},{"NULL":true}]},"m":{"M":{}}}"#,
    r#"{"pk":{"S":"日本 🦀"},"sk":{"S":"ä"},"e":{"S":""}}"#,
    r#"{"pk":{"S":":name ?"},"a":{"S":":name ?"}}"#,
    r#"{"pk":{"S":"digits"},"n":{"N":"12345678901234567890123456789012345678"}}"#,
    r#"{"pk":{"S":" blanks "},"a":{"S":" '' \\' \\\\ \t"}}"#,
    r#"{"pk":{"S":"path"},"a b.c[0]":{"S":"~"}}"#,
];

fn export(input: &str, directory: &Directory, name: &str) -> String {
    let file = directory.path(name);
    shell(&format!("{input}\n.export '{file}'\n")).ok();
    fs::read_to_string(file).unwrap()
}

#[test]
fn what_is_dumped_is_made_again_whatever_it_holds() {
    let directory = Directory::new();
    let deep =
        format!("{{\"pk\":{{\"S\":\"deep\"}},\"d\":{}{{\"N\":\"1\"}}{}}}", "{\"L\":[".repeat(30), "]}".repeat(30));
    let long = format!("{{\"pk\":{{\"S\":\"long\"}},\"t\":{{\"S\":\"{}\"}}}}", "x'".repeat(100_000));
    let items = ITEMS.map(str::to_owned).into_iter().chain([deep, long]).collect::<Vec<_>>().join("\n");
    let file = directory.file("items.json", items);
    let schema =
        r#"{"name":"my-orders","global_indexes":[{"name":"by-n","partition_key":"it's"}],"ttl_attribute":"ttl"}"#;
    let schema = directory.file("schema.json", schema);
    let dump = shell(&format!(".schema '{schema}'\n.import '{file}' --from dynamodb\n.dump\n")).ok();
    let dumped = directory.file("dump.sql", &dump);
    assert_eq!(dump.matches("\nINSERT INTO \"my-orders\" VALUE {").count(), 9, "{dump}");
    assert_eq!(dump.matches("\n.put ").count(), 5);
    let original =
        export(&format!(".schema '{schema}'\n.import '{file}' --from dynamodb"), &directory, "original.json");
    assert_eq!(original.lines().count(), 14);
    assert_eq!(export(&format!(".read '{dumped}'"), &directory, "again.json"), original);
    let again = kstone_with_input(&["shell"], format!("{dump}\n.dump\n").as_bytes()).ok();
    assert_eq!(again, dump);
    // Through .output, and on the command line of another process.
    let written = directory.path("written.sql");
    shell(&format!(".read '{dumped}'\n.output '{written}'\n.dump\n.output off\n")).ok();
    assert_eq!(fs::read_to_string(written).unwrap(), dump);
}

/// An index that is added leaves out items whose attributes cannot be its keys; nobody could put them after that.
#[test]
fn items_that_an_index_left_out_are_made_again() {
    let inserts = "INSERT INTO items VALUE {'pk': 'a', 'g': TRUE};\nINSERT INTO items VALUE {'pk': 'b', 'g': 'x'};\n\
                   INSERT INTO items VALUE {'pk': 'c', 'g': ''};\n";
    let schema = r#".schema '{"global_indexes":[{"name":"by-g","partition_key":"g"}],"ttl_attribute":"ttl"}'"#;
    let dump = shell(&format!("{inserts}{schema}\n.dump\n")).ok();
    assert_eq!(shell(&format!("{dump}.dump\n")).ok(), dump);
    let asked = ".format jsonl\nSELECT COUNT(*) AS n FROM items;\nSELECT pk FROM items.\"by-g\";\n";
    assert_eq!(shell(&format!("{dump}{asked}")).ok(), "{\"n\":3}\n{\"pk\":\"b\"}\n");
}

#[test]
fn an_empty_database_is_dumped_as_its_schema() {
    let dump = shell(".dump\n").ok();
    assert_eq!(dump.lines().count(), 2, "{dump}");
    assert!(dump.lines().nth(1).unwrap().starts_with(".schema "), "{dump}");
    assert!(shell(".dump items\n").failed().contains("unexpected argument 'items'"));
}

#[test]
fn a_dump_is_not_made_into_items_that_are_there() {
    let insert = "INSERT INTO items VALUE {'pk': 'a'};\n";
    let dump = shell(&format!("{insert}.dump\n")).ok();
    assert!(shell(&format!("{insert}{dump}")).failed().contains("Duplicate primary key"));
}

#[test]
fn put_takes_one_item_of_typed_json_and_nothing_else() {
    let out =
        shell(".put '{\"pk\": {\"S\": \"a\"}, \"b\": {\"B\": \"AA==\"}}'\n.format jsonl\nSELECT * FROM items;\n").ok();
    assert_eq!(out, "{\"pk\":\"a\",\"b\":\"AA==\"}\n");
    for (item, part) in [
        ("", "<ITEM>"),
        ("''", "there is no item"),
        ("'{\"pk\": \"a\"}'", ""),
        ("'{\"b\": {\"S\": \"a\"}}'", "pk"),
        ("'{\"pk\": {\"N\": \"x\"}}'", ""),
        ("'{\"pk\": {\"S\": \"a\"}'", ""),
        ("'[]'", ""),
        ("{} {}", "unexpected argument"),
    ] {
        let run = kstone(&["shell", "--keep-going", "-c", &format!(".put {item}"), "-c", "SELECT * FROM items"]);
        assert_eq!(run.out, "", "{item}");
        let said = run.failed();
        assert!(said.contains(part), "{item}: {said}");
    }
}
