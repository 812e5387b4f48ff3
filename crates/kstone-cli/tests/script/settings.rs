//! Where results go and how they look: `.output`, `.once`, `.nullvalue`, `.width`, `.parameter`, `.tables`, `--rc`, `~`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use crate::process::{Directory, Run, kstone, shell, snapshot};

const ITEMS: &str = "INSERT INTO items VALUE {'pk': 'a', 'n': 1, 'z': null};\n.format csv\n";

#[test]
fn results_go_to_a_file_until_they_do_not() {
    let directory = Directory::new();
    let (one, two) = (directory.path("one.csv"), directory.file("two.csv", "what was there\n"));
    let out = shell(&format!(
        "{ITEMS}.output '{one}'\nSELECT pk FROM items;\n.format\n.once '{two}'\nSELECT n FROM items;\nSELECT z FROM items;\n\
         .output off\nSELECT n FROM items;\n.output '{two}'\n.output\n.format\n"
    ))
    .ok();
    assert_eq!(out, "n\n1\ncsv\n");
    assert_eq!(fs::read_to_string(&one).unwrap(), "pk\na\ncsv\nz\n\"\"\n");
    assert_eq!(fs::read_to_string(&two).unwrap(), "", "a file is written anew");
}

#[test]
fn once_is_for_the_next_statement_also_where_that_fails() {
    let directory = Directory::new();
    let file = directory.path("once.txt");
    let input = format!("{ITEMS}.once '{file}'\nSELECT n FROM items;\nSELECT pk FROM items;\n");
    assert_eq!(shell(&input).ok(), "pk\na\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), "n\n1\n");
    let run = kstone(&["shell", "--keep-going", "-c", &format!(".once '{file}'"), "-c", "bad", "-c", ".format"]);
    assert_eq!((run.out.as_str(), run.code), ("table\n", 1));
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
}

#[test]
fn results_never_overwrite_the_snapshot_that_is_open_and_go_to_no_command() {
    let directory = Directory::new();
    let file = snapshot(&directory);
    let before = fs::read(&file).unwrap();
    let link = directory.path("link.ksnap");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let hard_link = directory.path("hard-link.ksnap");
    fs::hard_link(&file, &hard_link).unwrap();
    for command in [".output", ".once"] {
        for name in [&file, &link, &hard_link, &format!("{}/./airports.ksnap", directory.path(""))] {
            let said = kstone(&["shell", &file, "-c", &format!("{command} '{name}'")]).failed();
            assert!(said.contains("is the snapshot that is open"), "{said}");
        }
        let said = shell(&format!("{command} '|sort'\n")).failed();
        assert!(
            said.contains("results cannot be sent to a command: `kstone query FILE.ksnap STATEMENT |sort`"),
            "{said}"
        );
        assert!(shell(&format!("{command} /nowhere/at/all\n")).failed().contains("/nowhere/at/all: No such file"));
        assert!(shell(&format!("{command} '{}'\n", directory.path(""))).failed().contains("directory"));
        assert!(shell(&format!("{command} a b\n")).failed().contains("unexpected argument 'b'"));
    }
    for name in [&file, &link] {
        let said = kstone(&["shell", &file, "-c", &format!(".export '{name}'")]).failed();
        assert!(said.contains("is the snapshot that is open"), "{said}");
        assert!(kstone(&["export", &file, name]).failed().contains("is the snapshot that is open"));
    }
    assert!(shell(".once\n").failed().contains("<FILE>"));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn null_is_shown_as_the_user_wants() {
    let select = "SELECT pk, z FROM items;\n";
    assert_eq!(shell(&format!("{ITEMS}.nullvalue NULL\n.nullvalue\n{select}")).ok(), "NULL\npk,z\na,NULL\n");
    assert_eq!(shell(&format!("{ITEMS}.nullvalue\n{select}")).ok(), "null in tables, nothing in CSV\npk,z\na,\n");
    let table = shell(&format!("{ITEMS}.format table\n.nullvalue ''\n{select}")).ok();
    assert!(table.contains("│ a  │   │"), "{table}");
    let missing = shell(&format!("{ITEMS}.nullvalue NULL\nSELECT pk, nothing FROM items;\n")).ok();
    assert_eq!(missing, "pk,nothing\na,\n", "what is not there is not null");
    assert!(shell(".nullvalue a b\n").failed().contains("unexpected argument 'b'"));
}

#[test]
fn a_prepared_statement_runs_with_other_values() {
    let prepare = ".format jsonl\n.prepare add \"INSERT INTO items VALUE {'pk': ?, 'n': ?}\"\n\
                   .prepare get \"SELECT n FROM items WHERE pk = ?\"\n";
    let runs = ".run add a 1\n.run add 'b c' '\"1\"'\n.run add '\"3\"' '[-1, null]'\n";
    let got = shell(&format!("{prepare}{runs}.run get a\n.run get 'b c'\n.run get '\"3\"'\n")).ok();
    assert_eq!(got, "{\"n\":1}\n{\"n\":\"1\"}\n{\"n\":[-1,null]}\n");
    let deleted = "DELETE FROM items WHERE pk = ?";
    let left = format!(".prepare get \"{deleted}\"\n.run get a\nSELECT COUNT(*) AS c FROM items;\n");
    assert_eq!(shell(&format!("{prepare}{runs}{left}")).ok(), "{\"c\":2}\n", "the last of a name counts");
    for (line, part) in [
        (".run none", "nothing is prepared as none"),
        (".run get", "1 parameter (?1): found 0"),
        (".run get a b", "found 2"),
        (".prepare get", "required arguments were not provided"),
        (".prepare get SELECT", "well formed"),
    ] {
        let failed = shell(&format!("{prepare}{line}\n")).failed();
        assert!(failed.contains(part), "{line}: {failed}");
    }
}

#[test]
fn columns_are_as_wide_as_the_user_wants() {
    let rows = "INSERT INTO items VALUE {'pk': 'abcdefgh', 'n': 1};\nSELECT pk, n FROM items;\n";
    let table = shell(&format!(".width 5 -4\n{rows}.width\n.width 0\n.width\nSELECT pk FROM items;\n")).ok();
    assert!(table.contains("│ abcd… │    1 │"), "{table}");
    assert!(table.contains("\n5 -4\n0\n") && table.contains("│ abcdefgh │"), "{table}");
    for (widths, part) in [("x", "invalid value 'x'"), ("1001", "1001 is not in -1000..=1000"), ("1.5", "invalid")] {
        assert!(shell(&format!(".width {widths}\n")).failed().contains(part), "{widths}");
    }
}

#[test]
fn parameters_are_bound_by_name_and_by_place() {
    let set = ".parameter set :n 36\n.parameter set name \"O'Hara\"\n.parameter set 1 '\"user#1\"'\n\
               .parameter set :tags --typed '{\"SS\": [\"a\"]}'\n.parameter set neg -1.5\n";
    let out = shell(&format!(
        "{set}INSERT INTO items VALUE {{'pk': ?, 'n': :n, 'name': :name, 'tags': :tags, 'neg': :neg}};\n\
         .format jsonl\nSELECT * FROM items WHERE n = :n;\nSELECT neg FROM items WHERE pk = ? AND n > :neg;\n\
         .format csv\n.parameter list\n.parameter unset n\n.parameter clear\n.parameter list\n"
    ))
    .ok();
    assert_eq!(
        out,
        "{\"pk\":\"user#1\",\"n\":36,\"name\":\"O'Hara\",\"neg\":-1.5,\"tags\":[\"a\"]}\n{\"neg\":-1.5}\n\
         parameter,value\n1,user#1\n:n,36\n:name,O'Hara\n:neg,-1.5\n:tags,\"[\"\"a\"\"]\"\nparameter,value\n"
    );
    for (input, part) in [
        ("SELECT * FROM items WHERE pk = :pk;", "line 1: the parameter :pk has no value: .parameter set :pk VALUE"),
        ("SELECT * FROM items WHERE pk = ?;", "the parameter ? number 1 has no value: .parameter set 1 VALUE"),
        (".parameter", "set"),
        (".parameter sett a 1", "set"),
        (".parameter set :a", "<VALUE>"),
        (".parameter set 'a b' 1", "a b is no parameter"),
        (".parameter set :a --typed 1", "the value: "),
        (".parameter unset :a", "the parameter :a has no value"),
        (".parameter list all", "unexpected argument 'all'"),
    ] {
        let said = shell(&format!("{input}\n")).failed();
        assert!(said.contains(part), "{input}: {said}");
    }
    // Errors of the statement keep their columns.
    let said = shell(".parameter set :long 1\nSELECT * FROM items WHERE a = :long AND AND;\n").failed();
    assert!(said.contains("line 1, column 41: "), "{said}");
    let explained = shell(".parameter set :a x\n.explain on\nSELECT * FROM items WHERE pk = :a;\n");
    assert_eq!((explained.code, explained.err.lines().count()), (0, 1), "{}", explained.err);
}

#[test]
fn the_table_and_its_indexes_are_listed_as_from_takes_them() {
    assert_eq!(shell(".format csv\n.tables\n").ok(), "name,kind\nitems,table\n");
    let schema = r#"{"name":"my-orders","local_indexes":[{"name":"by-total","sort_key":"total"}],
        "global_indexes":[{"name":"open","partition_key":"status"}]}"#;
    let listed = kstone(&["shell", "--schema", schema, "-f", "jsonl", "-c", ".tables"]).ok();
    assert_eq!(
        listed,
        "{\"name\":\"\\\"my-orders\\\"\",\"kind\":\"table\"}\n\
         {\"name\":\"\\\"my-orders\\\".\\\"by-total\\\"\",\"kind\":\"local index\"}\n\
         {\"name\":\"\\\"my-orders\\\".open\",\"kind\":\"global index\"}\n"
    );
    for line in listed.lines() {
        let name = serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned();
        kstone(&["shell", "--schema", schema, "-c", &format!("SELECT * FROM {name}")]).ok();
    }
    assert!(shell(".tables x\n").failed().contains("unexpected argument 'x'"));
}

/// `kstone` in a home of its own.
fn at_home(home: &str, arguments: &[&str], input: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kstone"));
    command.args(arguments).env("HOME", home).env_remove("XDG_CONFIG_HOME");
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A run that ends at its first error does not read the rest.
    drop(std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap() }
}

#[test]
fn a_tilde_is_the_home_directory_in_every_command_that_takes_a_file() {
    let directory = Directory::new();
    let home = directory.path("");
    directory.file("a.jsonl", "{\"pk\": \"a\"}\n");
    directory.file("schema.json", "{\"name\": \"orders\"}");
    directory.file("a.sql", ".format\n");
    let input = "INSERT INTO items VALUE {'pk': 'b'};\n.import ~/a.jsonl\n.export ~/a.json\n.save ~/a.ksnap\n\
                 .open ~/a.ksnap\n.schema ~/schema.json\n.save '~/a.ksnap'\n.read ~/a.sql\n.once ~/once\n.format\n\
                 .output ~/out\n.format\n";
    assert_eq!(at_home(&home, &["shell"], input).ok(), "table\n");
    for (file, content) in [("once", "table\n"), ("out", "table\n")] {
        assert_eq!(fs::read_to_string(directory.path(file)).unwrap(), content);
    }
    assert_eq!(fs::read_to_string(directory.path("a.json")).unwrap().lines().count(), 2);
    assert_eq!(at_home("", &["shell"], ".read ~/a.sql\n").code, 1);
    assert!(at_home("", &["shell"], ".read ~/a.sql\n").err.contains("HOME does not say where ~ is"));
    assert!(at_home(&home, &["shell"], ".read ~nobody/a.sql\n").failed().contains("~nobody/a.sql: No such file"));
}

#[test]
fn a_file_of_settings_is_read_where_it_is_asked_for_and_only_there() {
    let directory = Directory::new();
    let home = directory.path("");
    directory.file(".kstonerc", "bad;\n");
    assert_eq!(at_home(&home, &["shell"], ".format\n").ok(), "table\n");
    let rc = directory.file("rc", ".format csv\n");
    assert_eq!(at_home(&home, &["shell", "--rc", &rc], ".format\n").ok(), "csv\n");
    assert_eq!(at_home(&home, &["shell", "--rc", &rc, "-c", ".format"], "").ok(), "csv\n");
    assert_eq!(at_home(&home, &["shell", "--no-rc"], ".format\n").ok(), "table\n");
    let bad = directory.file("bad", "\n\n.fromat csv\n");
    let said = at_home(&home, &["shell", "--rc", &bad], ".format\n");
    assert_eq!(said.out, "");
    assert_eq!(said.failed(), format!("kstone: {bad}: line 3: unknown command .fromat: did you mean .format?\n"));
    assert!(at_home(&home, &["shell", "--rc", "/nowhere"], "").failed().contains("/nowhere: No such file"));
    let leaving = directory.file("leaving", ".exit\n");
    assert_eq!(at_home(&home, &["shell", "--rc", &leaving], ".format\n").ok(), "");
}

#[test]
fn files_are_found_whatever_bytes_their_names_have() {
    let directory = Directory::new();
    let name = |name: &[u8]| directory.0.path().join(OsStr::from_bytes(name)).into_os_string();
    let (csv, ksnap, json) = (name(b"\xff.csv"), name(b"\xff.ksnap"), name(b"\xff.json"));
    fs::write(&csv, "pk,n\na,1\n").unwrap();
    let run = kstone(&[OsStr::new("import"), &csv, OsStr::new("--into"), &ksnap]);
    assert_eq!(run.code, 0, "{run:?}");
    let select = OsStr::new("SELECT n FROM items");
    let csv_format = [OsStr::new("-f"), OsStr::new("csv")];
    assert_eq!(kstone(&[&[OsStr::new("query"), &ksnap, select], &csv_format[..]].concat()).ok(), "n\n1\n");
    assert_eq!(
        kstone(&[OsStr::new("shell"), &ksnap, OsStr::new("-c"), select, csv_format[0], csv_format[1]]).ok(),
        "n\n1\n"
    );
    let run = kstone(&[OsStr::new("export"), &ksnap, &json]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("\\xff.json"), "{}", run.err);
    assert_eq!(fs::read_to_string(&json).unwrap(), "{\"Item\":{\"pk\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}}}\n");
    let delete = OsStr::new("DELETE FROM items WHERE pk = 'a'");
    kstone(&[OsStr::new("query"), &ksnap, delete, OsStr::new("--save")]).ok();
    let missing = kstone(&[OsStr::new("query"), &name(b"\xfe.ksnap"), select]).failed();
    assert!(missing.contains("there is no file ") && missing.contains("\\xfe.ksnap"), "{missing}");
}
