//! `kstone` where nobody types: statements from a pipe and the command line, files in and out, exit codes.

#![expect(clippy::unwrap_used, reason = "a panic is how tests fail")]

#[path = "script/dump.rs"]
mod dump;
#[path = "script/interrupt.rs"]
mod interrupt;
mod process;
#[path = "script/settings.rs"]
mod settings;
#[path = "script/typed.rs"]
mod typed;
#[path = "script/unsaved.rs"]
mod unsaved;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use process::{Directory, airports, golden, kstone, kstone_with_input, shell, snapshot, start};

const DOT_COMMANDS: [&str; 26] = [
    ".help",
    ".format",
    ".exit",
    ".quit",
    ".schema",
    ".indexes",
    ".stats",
    ".timer",
    ".clear",
    ".read",
    ".import",
    ".export",
    ".save",
    ".open",
    ".explain",
    ".fork",
    ".tables",
    ".dump",
    ".put",
    ".output",
    ".once",
    ".parameter",
    ".prepare",
    ".run",
    ".nullvalue",
    ".width",
];

// Results in each format.

#[test]
fn each_format_prints_its_golden_file() {
    for format in ["table", "json", "jsonl", "compact", "csv"] {
        let expected = fs::read_to_string(golden(&format!("{format}.txt"))).unwrap();
        let input = fs::read(golden("items.sql")).unwrap();
        assert_eq!(kstone_with_input(&["shell", "--format", format], &input).ok(), expected, "--format {format}");
        let switched = format!(".format {format}\n{}", fs::read_to_string(golden("items.sql")).unwrap());
        assert_eq!(shell(&switched).ok(), expected, ".format {format}");
    }
}

#[test]
fn a_table_fits_the_width_that_is_asked_for() {
    let input = fs::read(golden("items.sql")).unwrap();
    let table = kstone_with_input(&["shell", "--width", "110"], &input).ok();
    assert_eq!(table, fs::read_to_string(golden("table-110.txt")).unwrap());
    assert_eq!(kstone(&["shell", "--width", "19"]).code, 2);
}

#[test]
fn a_pipe_gets_no_colours_and_nothing_but_results() {
    let out = shell(&fs::read_to_string(golden("items.sql")).unwrap()).ok();
    assert!(!out.contains('\u{1b}') && !out.contains("kstone") && !out.contains(" items"), "{out}");
}

#[test]
fn all_pages_of_a_result_are_printed() {
    // 3 MB are several pages; the last item alone has the attribute `last`.
    let directory = Directory::new();
    let text = "x".repeat(100_000);
    let rows: String = (10..40).map(|n| format!("p,{n},{text},\n")).collect();
    let file = directory.file("long.csv", format!("pk,sk,text,last\n{rows}p,99,,true\n"));
    let input = format!(".import {file}\nSELECT * FROM items WHERE pk = 'p';\n");
    let lines = kstone_with_input(&["shell", "--format", "jsonl"], input.as_bytes()).ok();
    assert_eq!(lines.lines().count(), 31);
    let csv = kstone_with_input(&["shell", "--format", "csv"], input.as_bytes()).ok();
    assert_eq!((csv.lines().count(), csv.lines().next().unwrap()), (32, "pk,sk,last,text"));
    assert!(csv.ends_with("\np,99,true,\n"));
    let json = kstone_with_input(&["shell", "--format", "json"], input.as_bytes()).ok();
    assert_eq!((json.matches("\n  {\n").count(), json.matches('[').count()), (31, 1));
    let table = shell(&input).ok();
    assert_eq!((table.matches('┌').count(), table.lines().count()), (1, 35));
}

// Errors.

#[test]
fn the_first_error_ends_the_run_and_names_the_line_of_its_statement() {
    let input = "INSERT INTO items VALUE {'pk': 'a'};\n\nSELECT *\nFROM items WHERE pk = ;\nSELECT * FROM items;\n";
    let run = shell(input);
    assert_eq!(run.out, "");
    let error = run.failed();
    assert!(error.starts_with("kstone: standard input: line 3: "), "{error}");
}

#[test]
fn keep_going_runs_the_rest_and_fails_all_the_same() {
    let input = "SELECT;\nINSERT INTO items VALUE {'pk': 'a'};\nSELECT nothing, FROM;\nSELECT pk FROM items;\n";
    let run = kstone_with_input(&["shell", "--keep-going", "--format", "csv"], input.as_bytes());
    assert_eq!(run.out, "pk\na\n");
    let error = run.failed();
    assert!(error.contains("input: line 1: ") && error.contains("input: line 3: "), "{error}");
}

#[test]
fn commands_of_the_command_line_are_numbered_where_there_are_several() {
    let select = "SELECT * FROM items;";
    assert_eq!(kstone(&["shell", "-c", "INSERT INTO items VALUE {'pk': 'a'}", "-c", select]).ok().lines().count(), 5);
    assert!(kstone(&["shell", "-c", "SELECT"]).failed().starts_with("kstone: -c: line 1: "));
    let error = kstone(&["shell", "-c", select, "-c", "\n.format xml"]).failed();
    assert!(error.starts_with("kstone: -c 2: line 2: invalid value 'xml'"), "{error}");
    let run = kstone(&["shell", "--keep-going", "-c", "SELECT", "-c", ".format"]);
    assert_eq!((run.out.as_str(), run.code), ("table\n", 1));
}

#[test]
fn input_that_is_no_text_is_refused_with_its_line() {
    let run = kstone_with_input(&["shell"], b"SELECT * FROM items;\nSELECT '\xff';\n");
    assert_eq!(run.failed(), "kstone: standard input: line 2: not UTF-8: byte 0xff after 8 good ones\n");
}

#[test]
fn what_is_not_closed_at_the_end_is_an_error() {
    assert_eq!(
        shell("SELECT 1\n'abc;\n").failed(),
        "kstone: standard input: the string that begins at line 2 is not closed\n"
    );
}

#[test]
fn an_unknown_command_suggests_the_nearest() {
    assert_eq!(
        shell("\n.fromat json\n").failed(),
        "kstone: standard input: line 2: unknown command .fromat: did you mean .format?\n"
    );
}

#[test]
fn a_wrong_command_line_exits_with_2_and_says_why() {
    for (arguments, part) in [
        (&["shel"][..], "similar subcommands exist: 'help', 'shell'"),
        (&["shell", "--format", "xml"], "[possible values: table, json, jsonl, compact, csv]"),
        (&["query"], "required arguments were not provided"),
        (&["import", "a.csv"], "--into <FILE.ksnap>"),
        (&["completions", "cmd.exe"], "bash"),
        (&[], "Usage: kstone <COMMAND>"),
        (&["shell", "--rc", "a", "--no-rc"], "cannot be used with"),
    ] {
        let run = kstone(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.contains(part), "{}", run.err);
    }
}

#[test]
fn a_closed_pipe_ends_the_run_quietly() {
    let directory = Directory::new();
    let mut child = start(&["query", &snapshot(&directory), "SELECT * FROM items", "--format", "jsonl"]);
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

// Dot commands.

#[test]
fn help_lists_the_commands_or_explains_one() {
    let all = shell(".help\n").ok();
    for name in DOT_COMMANDS {
        assert!(all.contains(&format!("  {name}")) || all.contains(&format!(", {name}")), "{name}: {all}");
    }
    assert!(shell(".help .import\n").ok().contains("Usage: .import [OPTIONS] <FILE>"));
}

#[test]
fn exit_and_quit_leave_the_rest_alone() {
    for command in [".exit", ".quit"] {
        assert_eq!(shell(&format!(".format\n{command}\nSELECT * FROM nonsense;\n")).ok(), "table\n");
    }
}

#[test]
fn a_schema_is_shown_changed_and_its_indexes_listed() {
    let directory = Directory::new();
    let json = r#"{"name":"airports","global_indexes":[{"name":"by-city","partition_key":"city","sort_key":"name"}]}"#;
    let file = directory.file("schema.json", json);
    let shown = shell(&format!(".schema\n.schema {file}\n.schema\n.indexes\n.format csv\n.indexes\n")).ok();
    assert_eq!(shown, fs::read_to_string(golden("schema.txt")).unwrap());
    let given = kstone(&["shell", "--schema", &file, "-c", ".schema"]).ok();
    assert!(shown.contains(&given) && given.contains("by-city"), "{given}");
    assert_eq!(kstone(&["shell", "--schema", json, "-c", ".schema"]).ok(), given);
    assert_eq!(shell(&format!(".schema '{json}'\n.schema\n")).ok(), given);
    assert!(shell(".schema '{\"names\": 1}'\n").failed().contains("line 1: "));
    let help = shell(".help schema\n").ok();
    let example = help.split_once("needed:\n").unwrap().1;
    let shown = kstone(&["shell", "--schema", example, "-c", ".schema"]).ok();
    assert!(shown.contains("by-status") && shown.contains("capacity"), "{shown}");
    let bad = directory.file("bad.json", r#"{"names": 1}"#);
    assert!(shell(&format!(".schema {bad}\n")).failed().contains("bad.json: "));
    let snapshot = snapshot(&directory);
    assert!(kstone(&["shell", &snapshot, "--schema", &file]).failed().contains("--schema is for an empty database"));
}

#[test]
fn statistics_count_the_items() {
    let out = shell("INSERT INTO items VALUE {'pk': 'a'};\n.format csv\n.stats\n").ok();
    assert!(out.starts_with("statistic,value\n") && out.contains("\nitems,1\n"), "{out}");
}

#[test]
fn the_timer_tells_next_to_the_results_how_long_a_statement_took() {
    let run = shell(".timer\n.timer on\n.timer\nSELECT * FROM items;\nINSERT INTO items VALUE {'pk': 'a'};\n");
    assert_eq!((run.code, run.out.as_str()), (0, "off\non\n"));
    let lines: Vec<&str> = run.err.lines().collect();
    assert!(lines[0].starts_with("0 items in ") && lines[1].starts_with("OK in ") && lines[1].ends_with(" ms"));
}

#[test]
fn explain_tells_next_to_the_results_how_they_are_found() {
    let run = shell(".explain on\nSELECT * FROM items WHERE pk = 'a';\n.explain off\nSELECT * FROM items;\n.explain\n");
    assert_eq!((run.code, run.out.as_str()), (0, "off\n"));
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    assert!(run.err.starts_with("plan: "), "{}", run.err);
}

#[test]
fn clear_prints_nothing_into_a_pipe() {
    assert_eq!(shell(".clear\n").ok(), "");
}

#[test]
fn a_file_is_read_with_its_own_lines_in_errors() {
    let directory = Directory::new();
    let inner = directory.file("inner.sql", "INSERT INTO items VALUE {'pk': 'a'};\n\nbad;\n");
    let outer = directory.file("outer.sql", format!("\n.read '{inner}'\n"));
    let run = shell(&format!(".read '{outer}'\nSELECT * FROM items;\n"));
    assert_eq!(run.out, "");
    let error = run.failed();
    assert!(error.starts_with(&format!("kstone: {inner}: line 3: ")), "{error}");
    assert!(shell(".read nowhere.sql\n").failed().contains("line 1: nowhere.sql: No such file"));
    let leaving = directory.file("leaving.sql", ".exit\n");
    assert_eq!(shell(&format!(".read {leaving}\n.format\n")).ok(), "");
}

#[test]
fn files_that_read_each_other_end_with_an_error() {
    let directory = Directory::new();
    let file = directory.path("self.sql");
    fs::write(&file, format!(".read {file}\n")).unwrap();
    assert_eq!(
        shell(&format!(".read {file}\n")).failed(),
        format!("kstone: {file}: line 1: more than 16 files read each other\n")
    );
}

#[test]
fn a_fork_is_kept_or_dropped() {
    let insert = |pk| format!("INSERT INTO items VALUE {{'pk': '{pk}'}};\n");
    let select = ".format csv\nSELECT pk FROM items WHERE pk IN ['a', 'b'];\n";
    let dropped = format!("{}.fork\n{}.fork drop\n{select}", insert("a"), insert("b"));
    assert_eq!(shell(&dropped).ok(), "pk\na\n");
    let kept = format!("{}.fork\n{}.fork keep\n{select}", insert("a"), insert("b"));
    assert_eq!(shell(&kept).ok().lines().count(), 3);
    assert!(shell(".fork drop\n").failed().contains("there is no fork"));
    assert!(shell(&".fork\n".repeat(17)).failed().contains("line 17: 16 forks of each other are the most"));
}

#[test]
fn a_snapshot_is_saved_and_opened() {
    let directory = Directory::new();
    let file = directory.path("a b.ksnap");
    let insert = "INSERT INTO items VALUE {'pk': 'a', 'n': 1}";
    assert_eq!(kstone(&["shell", "-c", insert, "-c", &format!(".save '{file}'")]).ok(), "");
    let select = "SELECT n FROM items";
    assert_eq!(kstone(&["shell", &file, "-f", "csv", "-c", select]).ok(), "n\n1\n");
    let reopened = format!(".open '{file}'\n.format csv\n{select};\n.open :memory:\n{select};\n");
    assert_eq!(shell(&reopened).ok(), "n\n1\nn\n");
    // Without a name it goes back to where it came from.
    assert_eq!(kstone(&["shell", &file, "-c", "UPDATE items SET n = 2 WHERE pk = 'a'", "-c", ".save"]).ok(), "");
    assert_eq!(kstone(&["shell", &file, "-f", "csv", "-c", select]).ok(), "n\n2\n");
    assert!(shell(".save\n").failed().contains("line 1: no snapshot was opened: name a file"));
    for run in [shell(".open nowhere.ksnap\n"), kstone(&["shell", "nowhere.ksnap"])] {
        let said = run.failed();
        assert!(
            said.contains("there is no file nowhere.ksnap: `kstone shell` begins with an empty database"),
            "{said}"
        );
    }
    let broken = directory.file("broken.ksnap", "no snapshot");
    assert!(kstone(&["shell", &broken]).failed().contains("broken.ksnap"));
}

#[test]
fn csv_is_imported_with_its_types_inferred_or_given() {
    let directory = Directory::new();
    let file = directory.file("a.csv", "id,zip,n,ok,note\n1,01234,1.50,true,\n2,5,-3,FALSE,\"a,\n\"\"b\"\"\"\n");
    let select = ".format jsonl\nSELECT * FROM items;\n";
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        sorted(shell(&format!(".import {file} --key id\n{select}")).ok()),
        [
            r#"{"pk":"1","id":"1","n":1.5,"ok":true,"zip":"01234"}"#,
            r#"{"pk":"2","id":"2","n":-3,"note":"a,\n\"b\"","ok":false,"zip":"5"}"#
        ]
    );
    assert_eq!(
        sorted(shell(&format!(".import {file} --key id --sort zip --types n=S,ok=S\n{select}")).ok()),
        [
            r#"{"pk":"1","sk":"01234","id":"1","n":"1.50","ok":"true","zip":"01234"}"#,
            r#"{"pk":"2","sk":"5","id":"2","n":"-3","note":"a,\n\"b\"","ok":"FALSE","zip":"5"}"#
        ]
    );
}

#[test]
fn an_import_that_fails_says_where_and_changes_nothing() {
    let directory = Directory::new();
    let long = "x".repeat(3_000);
    for (csv, options, error) in [
        ("id,a\n1,2\n3\n", "--key id", ": line 3: 1 cells under 2 headings"),
        ("id,a\n1,2\n,3\n", "--key id", ": line 3: the key attribute id is missing"),
        ("id,a\nx,2\ntrue,3\n", "--key id --types id=BOOL", ": line 2: column id: 'x' is neither true nor false"),
        (
            "id,a\ntrue,3\n",
            "--key id --types id=BOOL",
            ": line 2: the key attribute id is of type BOOL, it may be S, B or N",
        ),
        (&format!("id,a\n1,2\n{long},3\n"), "--key id", ": line 3: "),
        ("id,a\n1,2\n2,x\n", "--key id --types a=N", ": line 3: "),
        ("id,a\n1,true\n2,x\n", "--key id --types a=BOOL", ": line 3: column a: 'x' is neither true nor false"),
        ("id,a\n1,2\n", "--key ID", "there is no column ID; there are: id, a"),
        ("id,a\n1,2\n", "--key id --sort id", "id cannot be both the partition key and the sort key"),
        ("id,a\n1,2\n,3\n", "--key a --sort id", ": line 3: the key attribute id is missing"),
        ("id,a\n1,2\n", "--key id --types b=N", "there is no column b"),
        ("id,a\n1,2\n", "", "there is no column pk"),
        (
            "id,id\n1,2\n",
            "--key id",
            "line 1: two columns are called id, one of them is column 2: --csv-rename 2=NAME gives it another name, \
             --csv-skip 2 leaves it out",
        ),
        ("id,\n1,2\n", "--key id", "line 1: column 2 has no name: --csv-rename 2=NAME gives it"),
        ("id,pk\n1,2\n", "--key id", "line 1: column 2 is called pk, as the key itself is: --csv-rename 2=NAME"),
        ("id,a\n1,2\n", "--key id --csv-rename x=y", "there is no column x; there are: id, a"),
        ("id,a\n1,2\n", "--key id --csv-skip 3", "there is no column 3; there are: id, a"),
        ("id,a\n1,2\n", "--key id --csv-rename a=id", "two columns are called id"),
        ("id,a,a\n1,2,3\n", "--key id --csv-skip a", "columns 2 and 3 are called a: say which by its number"),
        ("id,a\n1,2\n", "--key id --csv-skip id", "there is no column id; there are: a"),
        ("id,a\n1,\"2\n3,4\n", "--key id", ": line 2: the quote that opens here is never closed (column 3)"),
        ("id;a\n1;2\n", "--key id", "there is no column id; there are: id;a"),
        ("id,a\nx,2\n", "--key id --csv-key-type N", ": line 2: "),
        ("", "--key id", "the file is empty: CSV begins with a line of headings"),
    ] {
        let file = directory.file("bad.csv", csv);
        let input = format!(".import {file} {options}\n.format csv\nSELECT * FROM items;\n");
        let run = kstone_with_input(&["shell", "--keep-going"], input.as_bytes());
        assert_eq!(run.out, "", "{csv}");
        let said = run.failed();
        assert!(said.starts_with("kstone: standard input: line 1: ") && said.contains(error), "{said}");
    }
    let file = directory.file("bad.csv", b"id,a\n1,\xff\n");
    assert!(
        shell(&format!(".import {file} --key id\n")).failed().contains(": line 2: not UTF-8: byte 0xff at column 3")
    );
    let file = directory.file("what", "");
    assert!(shell(&format!(".import {file}\n")).failed().contains("its name does not say what it is: use --from"));
    let zip = directory.file("items.zip", b"PK\x03\x04....");
    assert!(shell(&format!(".import {zip}\n")).failed().contains("items.zip: this is a zip archive"));
    assert!(shell(&format!(".import {file} --from jsonl --types a=N\n")).failed().contains("--types is for CSV"));
    assert!(shell(".import nowhere.csv\n").failed().contains("nowhere.csv: No such file"));
}

#[test]
fn what_is_printed_as_json_lines_is_imported_again() {
    let directory = Directory::new();
    let input = fs::read(golden("items.sql")).unwrap();
    let lines = kstone_with_input(&["shell", "--format", "jsonl"], &input).ok();
    for name in ["items.jsonl", "items.ndjson", "items.json"] {
        let file = directory.file(name, format!("\n{lines}"));
        let input = format!(".import {file}\n.format jsonl\nSELECT * FROM items WHERE pk = 'user#1';\n");
        // Sets are arrays in plain JSON, and so lists when they come back.
        assert_eq!(shell(&input).ok(), lines, "{name}");
    }
    let file =
        directory.file("songs.jsonl", "{\"Artist\": \"A\", \"Song\": 7.50}\n{\"Artist\": \"B\", \"Song\": \"x\"}\n");
    let input =
        format!(".import {file} --key Artist --sort Song\n.format jsonl\nSELECT * FROM items WHERE pk = 'A';\n");
    assert_eq!(shell(&input).ok(), "{\"pk\":\"A\",\"sk\":\"7.5\",\"Artist\":\"A\",\"Song\":7.5}\n");
    for (line, error) in [
        ("{\"n\": 1}", "bad.jsonl: line 2: the key attribute pk is missing"),
        ("{\"pk\": [1]}", "bad.jsonl: line 2: the key attribute pk is of type L, it may be S, B or N"),
        ("{\"pk\": \"a\"", "bad.jsonl: line 2: "),
        ("[]", "bad.jsonl: line 2: an item is a JSON object (column 1)"),
        ("{\"pk\": \"a\", \"sk\": \"\"}", "bad.jsonl: line 2: the key attribute sk is empty"),
    ] {
        let file = directory.file("bad.jsonl", format!("{{\"pk\": \"good\"}}\n{line}\n"));
        let run = kstone(&["shell", "--keep-going", "-c", &format!(".import {file}"), "-c", "SELECT * FROM items"]);
        assert_eq!(run.out, "");
        let said = run.failed();
        assert!(said.contains(error), "{said}");
        assert_eq!(said.matches("line ").count(), 2, "that of the script and that of the file: {said}");
    }
}

#[test]
fn keys_of_csv_that_look_like_numbers_stay_as_they_are() {
    let directory = Directory::new();
    let file = directory.file("versions.csv", "version,n\n1.1,1\n1.10,2\n01,3\n1,4\n");
    let select = "-c SELECT pk, version FROM items";
    let keys = |options: &str| {
        let (flag, select) = select.split_once(' ').unwrap();
        let import = format!(".import {file} --key version {options}");
        let mut lines: Vec<String> =
            kstone(&["shell", "-f", "jsonl", "-c", &import, flag, select]).ok().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let exact = ["01", "1", "1.1", "1.10"].map(|key| format!(r#"{{"pk":"{key}","version":"{key}"}}"#));
    assert_eq!(keys(""), exact);
    assert_eq!(keys("--csv-key-type auto"), exact);
    assert_eq!(keys("--csv-key-type N"), [r#"{"pk":"1","version":1}"#, r#"{"pk":"1.1","version":1.1}"#]);
}

#[test]
fn columns_of_csv_are_renamed_and_left_out() {
    let directory = Directory::new();
    // As pandas and R write it, with the row's number first under no name.
    let file = directory.file("frame.csv", "\"\",id,pk,x,x\n0,a,p,1,2\n1,b,q,3,4\n");
    let import = format!(".import {file} --key id --csv-skip 1 --csv-rename pk=parent --csv-rename 5=y --types y=S");
    let run = kstone(&["shell", "-f", "jsonl", "-c", &import, "-c", "SELECT * FROM items WHERE pk = 'a'"]);
    assert_eq!(run.ok(), "{\"pk\":\"a\",\"id\":\"a\",\"parent\":\"p\",\"x\":1,\"y\":\"2\"}\n");
    // Cells between semicolons and tabs.
    for (name, delimiter, option) in
        [("a.csv", ";", "--csv-delimiter ';'"), ("b.tsv", "\t", ""), ("c.csv", "\t", "--csv-delimiter tab")]
    {
        let file = directory.file(name, ["pk", "v\na", "1,5\n"].join(delimiter));
        let run =
            kstone(&["shell", "-f", "jsonl", "-c", &format!(".import {file} {option}"), "-c", "SELECT * FROM items"]);
        assert_eq!(run.ok(), "{\"pk\":\"a\",\"v\":\"1,5\"}\n");
    }
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What other programs write is read, by its name and its beginning, in a file or through a pipe.
#[test]
fn json_and_csv_of_every_kind_are_imported() {
    let directory = Directory::new();
    let typed = r#"{"pk":{"S":"a"},"v":{"N":"1"}}"#;
    let select = "SELECT * FROM items";
    for (name, content) in [
        ("lines.jsonl", format!("{typed}\n").into_bytes()),
        ("plain.json", b"\xef\xbb\xbf\r\n{\"v\": 1, \"pk\": \"a\"}\r\n".to_vec()),
        ("array.json", b"[\n  {\"pk\": \"a\",\n   \"v\": 1}\n]\n".to_vec()),
        ("scan.json", format!("{{\n    \"Items\": [\n        {typed}\n    ],\n    \"Count\": 1,\n    \"ScannedCount\": 1,\n    \"ConsumedCapacity\": null\n}}\n").into_bytes()),
        ("incremental.json.gz", gzipped(format!(r#"{{"Metadata":{{"WriteTimestampMicros":{{"N":"1"}}}},"Keys":{{"pk":{{"S":"a"}}}},"NewImage":{typed}}}"#).as_bytes())),
        ("lines.jsonl.gz", [gzipped(b"{\"pk\":"), gzipped(b"\"a\",\"v\":1}\n")].concat()),
        ("cells.csv.gz", gzipped(b"pk,v\na,1\n")),
        ("no name that says it", format!("{{\"Item\":{typed}}}\n").into_bytes()),
        ("nor this", gzipped(typed.as_bytes())),
    ] {
        let file = directory.file(name, &content);
        let run = kstone(&["shell", "-f", "jsonl", "-c", &format!(".import '{file}'"), "-c", select]);
        assert_eq!(run.ok(), "{\"pk\":\"a\",\"v\":1}\n", "{name}");
        if !name.contains("csv") {
            let into = directory.path("piped.ksnap");
            let run = kstone_with_input(&["import", "/dev/stdin", "--into", &into], &content);
            assert!(run.code == 0 && run.err.contains("1 item imported"), "{name}: {run:?}");
            fs::remove_file(into).unwrap();
        }
    }
    let truncated = directory.file("cut.json.gz", &gzipped(typed.as_bytes())[..30]);
    assert!(
        shell(&format!(".import {truncated}\n")).failed().contains("cut.json.gz: the gzip data ends in the middle")
    );
    let ion = directory.file("x.json.gz", gzipped(b"$ion_1_0 {Item:{}}"));
    assert!(shell(&format!(".import {ion}\n")).failed().contains("x.json.gz: line 1: this is an export in Amazon Ion"));
}

#[test]
fn a_folder_is_imported_in_order_and_what_is_passed_over_is_named() {
    let directory = Directory::new();
    let folder = directory.path("folder");
    fs::create_dir(&folder).unwrap();
    let into = directory.path("all.ksnap");
    let import = || kstone(&["import", &folder, "--into", &into]);
    assert!(import().failed().contains("compressed by gzip or not in the folder; it is empty"));
    directory.file("folder/manifest-files.json", "{\"dataFileS3Key\":\"x\"}");
    directory.file("folder/x.ion.gz", "");
    assert!(import().failed().contains("in the folder; passed over: manifest-files.json, x.ion.gz"));
    directory.file("folder/2.json", "{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"2\"}}");
    directory.file("folder/1.csv", "pk,v\na,1\n");
    directory.file("folder/._2.json", "\0\x05\x16\x07");
    directory.file("folder/.hidden.json", "x");
    let run = import();
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("2 items imported") && run.err.contains("1 of them replaced one"), "{}", run.err);
    assert!(
        run.err.ends_with("; passed over: ._2.json, .hidden.json, manifest-files.json and 1 more\n"),
        "{}",
        run.err
    );
    assert_eq!(kstone(&["query", &into, "-f", "jsonl", "SELECT * FROM items"]).ok(), "{\"pk\":\"a\",\"v\":2}\n");
}

#[test]
fn an_import_that_fails_leaves_its_snapshot_as_it_was() {
    let directory = Directory::new();
    let into = snapshot(&directory);
    let before = fs::read(&into).unwrap();
    let file = directory.file("bad.jsonl", "{\"pk\":\"new\"}\n{\"pk\":[]}\n");
    assert!(kstone(&["import", &file, "--into", &into]).failed().contains("bad.jsonl: line 2: "));
    assert!(fs::read(&into).unwrap() == before);
}

/// A name that is bytes and no text.
#[cfg(target_os = "linux")]
#[test]
fn paths_that_are_no_text_are_paths() {
    use std::os::unix::ffi::OsStrExt as _;
    let directory = Directory::new();
    let path = |name: &[u8]| Path::new(&directory.path("")).join(std::ffi::OsStr::from_bytes(name));
    let (csv, snapshot, lines) = (path(b"\xff.csv"), path(b"b\xfe.ksnap"), path(b"\xfd.jsonl"));
    fs::write(&csv, "pk,v\na,1\n").unwrap();
    let run = |arguments: &[&std::ffi::OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_kstone")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["import".as_ref(), csv.as_ref(), "--into".as_ref(), snapshot.as_ref()]);
    // Added to, not begun anew.
    fs::write(&csv, "pk,v\nb,1\n").unwrap();
    run(&["import".as_ref(), csv.as_ref(), "--into".as_ref(), snapshot.as_ref()]);
    run(&["export".as_ref(), snapshot.as_ref(), lines.as_ref()]);
    assert_eq!(fs::read_to_string(&lines).unwrap().lines().count(), 2);
    run(&["query".as_ref(), snapshot.as_ref(), "DELETE FROM items WHERE pk = 'a'".as_ref(), "--save".as_ref()]);
    let shown = run(&[
        "shell".as_ref(),
        snapshot.as_ref(),
        "-f".as_ref(),
        "jsonl".as_ref(),
        "-c".as_ref(),
        "SELECT pk FROM items".as_ref(),
    ]);
    assert_eq!(shown, "{\"pk\":\"b\"}\n");
    assert_eq!(fs::read_dir(directory.path("")).unwrap().count(), 3);
}

#[test]
fn an_export_comes_back_whole_from_a_file_or_a_compressed_directory() {
    let directory = Directory::new();
    let snapshot = snapshot(&directory);
    let lines = directory.path("airports.json");
    let run = kstone(&["export", &snapshot, &lines]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    assert_eq!(run.err, format!("kstone: 3376 items written to {lines}\n"));
    let exported = fs::read_to_string(&lines).unwrap();
    assert_eq!(exported.lines().count(), 3376);

    // As DynamoDB writes it: compressed files in the directory `data`, manifests next to it.
    let export = directory.path("export");
    fs::create_dir_all(format!("{export}/data")).unwrap();
    directory.file("export/manifest-summary.json", "{}");
    let all: Vec<&str> = exported.lines().collect();
    for (at, part) in all.chunks(1_700).enumerate() {
        let file = fs::File::create(format!("{export}/data/{at}.json.gz")).unwrap();
        let mut file = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        file.write_all(part.join("\n").as_bytes()).unwrap();
        file.finish().unwrap();
    }
    for source in [&lines, &export] {
        let again = directory.path("again.json");
        let run = kstone(&["shell", "-c", &format!(".import {source}"), "-c", &format!(".export {again}")]);
        assert_eq!(run.ok(), "");
        assert_eq!(fs::read_to_string(again).unwrap(), exported);
    }
    directory.file("export/data/9.json", "{\"Item\":{\"pk\":{\"S\":\"new\"}}}\n{\"Item\":{\"pk\":{\"X\":\"bad\"}}}\n");
    let run = kstone(&["shell", "--keep-going", "-c", &format!(".import {export}"), "-c", "SELECT * FROM items"]);
    assert_eq!(run.out, "");
    let said = run.failed();
    assert!(said.contains("data/9.json: line 2: "), "{said}");
}

#[test]
fn rows_with_the_same_key_are_told() {
    let directory = Directory::new();
    let into = directory.path("states.ksnap");
    let run = kstone(&["import", &airports(), "--into", &into, "--key", "state"]);
    assert!(run.err.contains("; 3319 of them replaced one with the same key"), "{}", run.err);
}

// The other commands.

#[test]
fn query_answers_from_a_snapshot_and_changes_it_only_if_asked_to() {
    let directory = Directory::new();
    let snapshot = snapshot(&directory);
    let count = "SELECT COUNT(*) FROM items WHERE pk = 'CA'";
    let query = |arguments: &[&str]| kstone(&[&["query", &snapshot, "-f", "jsonl"], arguments].concat()).ok();
    let before = query(&[count]);
    assert!(before.contains("205"), "{before}");
    let delete = "DELETE FROM items WHERE pk = 'CA' AND sk = 'SFO'";
    let unsaved = kstone(&["query", &snapshot, "-f", "jsonl", delete, count]);
    let warning = format!("kstone: warning: changes of {snapshot} are not saved: --save does that\n");
    assert_eq!((unsaved.code, unsaved.err.as_str()), (0, warning.as_str()));
    assert!(unsaved.out.contains("204"));
    assert_eq!(query(&[count]), before);
    query(&[delete, "--save"]);
    assert!(query(&[count]).contains("204"));
    assert!(kstone(&["query", ":memory:", "SELECT * FROM items", "--save"]).failed().contains("needs a snapshot"));
    assert!(kstone(&["query", &snapshot, "SELECT"]).failed().starts_with("kstone: STATEMENT: line 1: "));
}

#[test]
fn completions_and_manual_pages_tell_of_every_command() {
    let commands = ["shell", "query", "import", "export", "completions", "man"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = kstone(&["completions", shell]).ok();
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
    }
    let page = kstone(&["man"]).ok();
    assert!(page.contains(".TH kstone 1") && commands.iter().all(|command| page.contains(command)), "{page}");
    assert!(!page.contains("help(1)"), "there is no such page");
    let directory = Directory::new();
    kstone(&["man", &directory.path("man1")]).ok();
    assert_eq!(fs::read_to_string(directory.path("man1/kstone.1")).unwrap(), page);
    for command in commands {
        let page = fs::read_to_string(directory.path(&format!("man1/kstone-{command}.1"))).unwrap();
        for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\"", "EXAMPLES"] {
            assert!(page.contains(&format!(".SH {heading}\n")), "{command}: {heading}");
        }
    }
    let page = fs::read_to_string(directory.path("man1/kstone-shell.1")).unwrap();
    for term in DOT_COMMANDS.iter().chain(&["NO_COLOR", "KSTONE_HISTORY", "Ctrl\\-D"]) {
        assert!(page.contains(term), "{term}");
    }
}

#[test]
fn a_pipe_gets_every_byte_of_text_as_it_is() {
    let hostile = "\u{1b}]52;c;aGk=\u{7}\u{9b}31m\u{202e}\u{7f}";
    let insert = format!("INSERT INTO items VALUE {{'pk': 'a', 'x{hostile}': 'v{hostile}'}};\n");
    let out = shell(&format!("{insert}.format csv\nSELECT * FROM items;\n")).ok();
    assert_eq!(out, format!("pk,x{hostile}\na,v{hostile}\n"));
    let out = shell(&format!("{insert}.format jsonl\nSELECT * FROM items;\n")).ok();
    let item: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(item[format!("x{hostile}")], format!("v{hostile}"));
    let error = shell(&format!(".teleport{hostile}\n")).failed();
    assert!(error.contains(hostile), "{error:?}");
}
