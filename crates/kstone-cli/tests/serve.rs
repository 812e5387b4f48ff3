//! `kstone serve` as a process: what it is told, what it keeps, how it ends.

#![expect(clippy::unwrap_used, reason = "a process that fails is a test that fails")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A server that runs as a process of its own.
struct Served {
    process: Child,
    address: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_kstone"))
            .args(arguments)
            .env_remove("KSTONE_AUTH")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once("http://").unwrap_or_else(|| panic!("{line}")).1.to_owned();
        Self { process, address }
    }

    fn call(&self, operation: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            socket,
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: DynamoDB_20120810.{operation}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Ends it by a signal; what it has said on standard error.
    fn end(mut self, signal: Signal) -> String {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(self.process.wait().unwrap().success(), "{said}");
        said
    }
}

const CREATE: &str = r#"{"TableName":"music","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"artist","AttributeType":"S"}],
    "KeySchema":[{"AttributeName":"artist","KeyType":"HASH"}]}"#;
const PUT: &str = r#"{"TableName":"music","Item":{"artist":{"S":"Nina Simone"}}}"#;
const GET: &str = r#"{"TableName":"music","Key":{"artist":{"S":"Nina Simone"}}}"#;

fn kstone(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kstone")).args(arguments).env_remove("KSTONE_AUTH").output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn tables_of_a_file_are_there_and_items_are_in_the_snapshot_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (schema, snapshot) = (folder.path().join("tables.json"), folder.path().join("app.ksnap"));
    fs::write(&schema, format!("{CREATE}\n{}", CREATE.replace("music", "films"))).unwrap();
    let first = ["serve", "--port", "0", "--allow-unsigned", "--schema", text(&schema), "--snapshot", text(&snapshot)];
    for signal in [Signal::TERM, Signal::INT] {
        let _ = fs::remove_file(&snapshot);
        let served = Served::start(&first);
        assert_eq!(served.call("ListTables", "{}"), r#"{"TableNames":["films","music"]}"#);
        assert_eq!(served.call("PutItem", PUT), "{}");
        assert!(served.end(signal).contains("1 item saved to"));
        let again = Served::start(&["serve", "--port", "0", "--allow-unsigned", "--snapshot", text(&snapshot)]);
        assert_eq!(again.call("GetItem", GET), r#"{"Item":{"artist":{"S":"Nina Simone"}}}"#);
        again.end(signal);
    }
}

#[test]
fn a_snapshot_is_saved_now_and_then() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("app.ksnap");
    let served = Served::start(&[
        "serve",
        "--port",
        "0",
        "--allow-unsigned",
        "--snapshot",
        text(&snapshot),
        "--save-every",
        "1",
    ]);
    served.call("CreateTable", CREATE);
    served.call("PutItem", PUT);
    let is_saved = || {
        let Ok(account) = kstone_dynamodb::Account::open(kstone_dynamodb::AccountOptions::default()) else {
            return false;
        };
        account.snapshot_load(&snapshot).is_ok_and(|items| items == 1)
    };
    let saved = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        is_saved()
    });
    assert!(saved);
    // Killed: what was saved stays.
    let mut process = served.process;
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(is_saved());
}

#[test]
fn a_server_that_is_well_says_so() {
    let served = Served::start(&["serve", "--port", "0"]);
    let url = format!("http://{}", served.address);
    assert!(kstone(&["healthcheck", &url]).status.success());
    served.end(Signal::TERM);
    let asked = kstone(&["healthcheck", &url]);
    assert!(!asked.status.success() && String::from_utf8_lossy(&asked.stderr).contains(&url));
}

#[test]
fn the_command_line_of_dynamodb_local_starts_it() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&[
        "-Djava.library.path=./DynamoDBLocal_lib",
        "-jar",
        "DynamoDBLocal.jar",
        "-inMemory",
        "-sharedDb",
        "-port",
        "0",
        "-dbPath",
        text(folder.path()),
        "--allow-unsigned",
    ]);
    assert_eq!(served.call("ListTables", "{}"), r#"{"TableNames":[]}"#);
    served.end(Signal::TERM);
    assert!(folder.path().join("kstone.ksnap").exists());
}

#[test]
fn what_cannot_be_served_is_said_before_anything_is() {
    let folder = tempfile::tempdir().unwrap();
    let (schema, broken) = (folder.path().join("tables.json"), folder.path().join("broken.ksnap"));
    fs::write(&schema, format!("{CREATE}{CREATE}")).unwrap();
    fs::write(&broken, "no snapshot").unwrap();
    let taken = Served::start(&["serve", "--port", "0"]);
    let port = taken.address.rsplit_once(':').unwrap().1.to_owned();
    for (arguments, why) in [
        (vec!["--host", "0.0.0.0", "--port", "0"], "--auth KEY:SECRET"),
        (vec!["--schema", text(&schema), "--port", "0"], "request 2: Table already exists: music"),
        (vec!["--schema", "/nowhere/tables.json", "--port", "0"], "cannot read /nowhere/tables.json"),
        (vec!["--snapshot", text(&broken), "--port", "0"], "broken.ksnap"),
        (vec!["--port", &port], "cannot listen at"),
        (vec!["--account-id", "1"], "an account has twelve digits"),
        (vec!["--auth", "nocolon"], "a key, a colon and its secret"),
        (vec!["--save-every", "5"], "--snapshot"),
        (vec!["--memory-max", "1T"], "T is no unit"),
        (vec!["--memory-max", "1K", "--port", "0"], "memory"),
    ] {
        let ended = kstone(&[&["serve"], &arguments[..]].concat());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && said.contains(why), "{arguments:?}: {said}");
        assert!(ended.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(&broken).unwrap(), "no snapshot");
    taken.end(Signal::TERM);
}
