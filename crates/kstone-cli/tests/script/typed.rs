//! The shell on a table whose key has names and types.

use std::fs;

use crate::process::{Directory, kstone, shell};

const SCHEMA: &str = r#".schema '{"name":"scores","partition_key":{"name":"player","type":"S"},"sort_key":{"name":"score","type":"N"}}'"#;
const INSERTS: &str = "INSERT INTO scores VALUE {'player': 'bob', 'score': 7, 'a': true};\n\
                       INSERT INTO scores VALUE {'player': 'ann', 'score': 20.50, 'pk': 'x'};\n\
                       INSERT INTO scores VALUE {'score': -3, 'player': 'ann'};\n";

#[test]
fn a_schema_types_an_empty_database_and_no_other() {
    let shown = shell(&format!("{SCHEMA}\n.schema\n.tables\n")).ok();
    assert!(shown.contains("\"partition_key\": {\n    \"name\": \"player\",\n    \"type\": \"S\"\n  }"), "{shown}");
    assert!(shown.contains("scores"), "{shown}");
    let refused = shell(&format!("INSERT INTO items VALUE {{'pk': 'a'}};\n{SCHEMA}\n")).failed();
    assert!(refused.contains("the names and types of a table's key cannot be changed"), "{refused}");
}

#[test]
fn results_have_the_key_first_and_its_numbers_in_order() {
    let select = "SELECT * FROM scores WHERE player = 'ann';\n";
    let csv = shell(&format!("{SCHEMA}\n{INSERTS}.format csv\n{select}")).ok();
    assert_eq!(csv, "player,score,pk\nann,-3,\nann,20.5,x\n");
    let lines = shell(&format!("{SCHEMA}\n{INSERTS}.format jsonl\n{select}")).ok();
    assert_eq!(lines, "{\"player\":\"ann\",\"score\":-3}\n{\"player\":\"ann\",\"score\":20.5,\"pk\":\"x\"}\n");
    let one = "DELETE FROM scores WHERE player = 'ann' AND score = -3.0 RETURNING ALL OLD *;\n";
    assert_eq!(shell(&format!("{SCHEMA}\n{INSERTS}.format jsonl\n{one}")).ok(), "{\"player\":\"ann\",\"score\":-3}\n");
}

#[test]
fn a_dump_and_an_export_make_the_table_again() {
    let directory = Directory::new();
    let bytes = r#".schema '{"partition_key":{"name":"id","type":"B"},"local_indexes":[],"ttl_attribute":"t"}'"#;
    let put = r#".put '{"id": {"B": "/wA="}, "n": {"N": "1"}}'"#;
    for (schema, items) in [(SCHEMA, INSERTS), (bytes, put)] {
        let dump = shell(&format!("{schema}\n{items}\n.dump\n")).ok();
        assert_eq!(shell(&format!("{dump}.dump\n")).ok(), dump);
        let (file, again) = (directory.path("items.json"), directory.path("again.json"));
        shell(&format!("{schema}\n{items}\n.export '{file}'\n")).ok();
        let exported = fs::read_to_string(&file).unwrap();
        assert!(!exported.contains("\"sk\""), "{exported}");
        shell(&format!("{schema}\n.import '{file}'\n.export '{again}'\n")).ok();
        assert_eq!(fs::read_to_string(&again).unwrap(), exported);
    }
}

#[test]
fn csv_takes_the_key_and_its_types_from_the_schema() {
    let directory = Directory::new();
    let file = directory.file("scores.csv", "pk,score,player\n1,20,007\n2,3,007\n");
    let select = ".format jsonl\nSELECT * FROM scores WHERE player = '007';\n";
    let found = shell(&format!("{SCHEMA}\n.import '{file}'\n{select}")).ok();
    assert_eq!(found, "{\"player\":\"007\",\"score\":3,\"pk\":2}\n{\"player\":\"007\",\"score\":20,\"pk\":1}\n");
    assert_eq!(shell(&format!("{SCHEMA}\n.import '{file}' --key player --sort score\n{select}")).ok(), found);
    for (csv, options, why) in [
        (
            "score,player\n1,\n",
            "",
            ": line 2: One or more parameter values were invalid: Missing the key player in the item",
        ),
        ("score,player\nx,ann\n", "", ": line 2: "),
        ("score,pk\n1,ann\n", "", "there is no column player; there are: score, pk"),
        ("score,player\n1,ann\n", "--key score", "the table's schema names its key: score cannot stand for player"),
        ("score,player\n1,ann\n", "--types score=S", "Type mismatch for key score expected: N actual: S"),
    ] {
        let file = directory.file("bad.csv", csv);
        let said = shell(&format!("{SCHEMA}\n.import '{file}' {options}\n")).failed();
        assert!(said.contains(why), "{csv}: {said}");
    }
    let json = directory.file("scores.json", "{\"player\":\"ann\",\"score\":1}\n");
    let said = shell(&format!("{SCHEMA}\n.import '{json}' --key score\n")).failed();
    assert!(said.contains("the table's schema names its key: score cannot stand for player"), "{said}");
}

#[test]
fn a_snapshot_of_a_typed_table_is_made_asked_and_added_to() {
    let directory = Directory::new();
    let (snapshot, more) = (directory.path("scores.ksnap"), directory.file("more.csv", "player,score\nann,100\n"));
    shell(&format!("{SCHEMA}\n{INSERTS}.save '{snapshot}'\n")).ok();
    let run = kstone(&["import", &more, "--into", &snapshot]);
    assert_eq!(run.code, 0, "{run:?}");
    let text = "SELECT score FROM scores WHERE player = 'ann' AND score >= 20 ORDER BY score DESC";
    let found = kstone(&["query", &snapshot, text, "--format", "jsonl"]).ok();
    assert_eq!(found, "{\"score\":100}\n{\"score\":20.5}\n");
}
