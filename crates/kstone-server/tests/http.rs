//! The server as clients see it: over sockets, with whatever bytes they send.

#![expect(clippy::unwrap_used, reason = "a socket that fails is a test that fails")]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use kstone_dynamodb::{Account, AccountOptions};
use kstone_server::{Credentials, Server, ServerError, ServerOptions, Stopper};

/// A server that runs until it is dropped.
struct Running {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(options: ServerOptions) -> Self {
        let account = Account::open(AccountOptions::default()).unwrap();
        let options = ServerOptions { address: options.address.map(|_| loopback()), workers: 2, ..options };
        let server = Server::bind(account, options).unwrap();
        let (address, stopper) = (server.address().unwrap_or(loopback()), server.stopper());
        let thread = std::thread::spawn(move || server.run().unwrap());
        Self { address, stopper, thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket
    }

    /// Sends bytes on a connection of their own, and reads until the server closes it.
    fn exchange(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect();
        // The server may have enough before all is sent.
        let _ = socket.write_all(bytes);
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A request of an operation, signed by nobody in particular.
    fn call(&self, operation: &str, body: &str) -> String {
        self.exchange(post(operation, body, &[SHAPE]).as_bytes())
    }

    fn end(mut self) {
        self.stopper.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
}

/// What a signature looks like.
const SHAPE: &str = "Authorization: AWS4-HMAC-SHA256 Credential=a/20261130/us-east-1/dynamodb/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature=00\r\nX-Amz-Date: 20261130T000000Z";

fn post(operation: &str, body: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: DynamoDB_20120810.{operation}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}: ")));
    line.map_or("", |line| &line[name.len() + 2..])
}

const CREATE: &str = r#"{"TableName":"music","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"artist","AttributeType":"S"}],
    "KeySchema":[{"AttributeName":"artist","KeyType":"HASH"}]}"#;
const PUT: &str = r#"{"TableName":"music","Item":{"artist":{"S":"Nina Simone"},"year":{"N":"1959"}}}"#;
const GET: &str = r#"{"TableName":"music","Key":{"artist":{"S":"Nina Simone"}}}"#;

#[test]
fn what_is_put_is_got_with_the_headers_that_sdks_want() {
    let server = Running::new(ServerOptions::default());
    assert!(server.call("CreateTable", CREATE).starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(body(&server.call("PutItem", PUT)), "{}");
    let got = server.call("GetItem", GET);
    assert_eq!(body(&got), r#"{"Item":{"artist":{"S":"Nina Simone"},"year":{"N":"1959"}}}"#);
    assert_eq!(header(&got, "x-amz-crc32"), kstone_dynamodb::checksum::crc32(body(&got).as_bytes()).to_string());
    assert_eq!(header(&got, "x-amzn-requestid").len(), 52);
    assert_eq!(header(&got, "content-type"), "application/x-amz-json-1.0");
    assert_eq!(header(&got, "content-length"), body(&got).len().to_string());
    let refused = server.call("GetItem", "{}");
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert_eq!(
        header(&refused, "x-amz-crc32"),
        kstone_dynamodb::checksum::crc32(body(&refused).as_bytes()).to_string()
    );
}

#[test]
fn a_connection_is_kept_and_requests_may_come_behind_each_other() {
    let server = Running::new(ServerOptions::default());
    let request = post("ListTables", "{}", &[SHAPE]).replace("Connection: close\r\n", "");
    let mut socket = server.connect();
    socket.write_all(format!("{request}{request}").as_bytes()).unwrap();
    socket.write_all(post("ListTables", "{}", &[SHAPE]).as_bytes()).unwrap();
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches(r#"{"TableNames":[]}"#).count(), 3, "{answers}");
}

#[test]
fn bodies_come_in_pieces_and_after_a_question() {
    let server = Running::new(ServerOptions::default());
    let chunked = post("ListTables", "", &[SHAPE, "Transfer-Encoding: chunked"]).replace("Content-Length: 0\r\n", "");
    let answer = server.exchange(format!("{chunked}1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n").as_bytes());
    assert_eq!(body(&answer), r#"{"TableNames":[]}"#);

    let mut socket = server.connect();
    let asked = post("ListTables", "{}", &[SHAPE, "Expect: 100-continue"]);
    socket.write_all(&asked.as_bytes()[..asked.len() - 2]).unwrap();
    let mut goes_on = [0; 25];
    socket.read_exact(&mut goes_on).unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"{}").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert_eq!(body(&answer), r#"{"TableNames":[]}"#);
}

#[test]
fn it_says_that_it_is_well_and_counts_where_it_is_asked_to() {
    let server = Running::new(ServerOptions { metrics: true, ..ServerOptions::default() });
    let get = |path: &str| {
        server.exchange(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
    };
    assert_eq!(body(&get("/")), "healthy: dynamodb.us-east-1.amazonaws.com \n");
    server.call("ListTables", "{}");
    server.call("PutItem", "{}");
    let counted = get("/metrics");
    assert!(counted.contains("kstone_requests_total{operation=\"ListTables\",status=\"200\"} 1"), "{counted}");
    assert!(counted.contains("kstone_requests_total{operation=\"PutItem\",status=\"400\"} 1"), "{counted}");
    assert!(get("/nothing").starts_with("HTTP/1.1 404 "));
    let silent = Running::new(ServerOptions::default());
    let answer = silent.exchange(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn the_front_door_refuses_in_its_order() {
    let server = Running::new(ServerOptions::default());
    let of_type = |kind: &str| post("ListTables", "{}", &[]).replace("application/x-amz-json-1.0", kind);
    assert!(server.exchange(of_type("text/plain").as_bytes()).starts_with("HTTP/1.1 404 "));
    assert!(body(&server.exchange(post("Dance", "{}", &[]).as_bytes())).contains("UnknownOperationException"));
    assert!(body(&server.exchange(post("ListTables", "{", &[]).as_bytes())).contains("SerializationException"));
    let refused = server.exchange(post("ListTables", "{}", &[]).as_bytes());
    assert!(body(&refused).contains("MissingAuthenticationTokenException"), "{refused}");
    let refused = server.exchange(post("ListTables", "{}", &["Authorization: AWS4-HMAC-SHA256 a"]).as_bytes());
    assert!(body(&refused).contains("IncompleteSignatureException"), "{refused}");
    assert!(body(&refused).contains("requires 'Credential' parameter."), "{refused}");
    let twice = post("ListTables", "{}", &[SHAPE]).replace("POST / ", "POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 ");
    assert!(body(&server.exchange(twice.as_bytes())).contains("Found both 'X-Amz-Algorithm'"));
    let open = Running::new(ServerOptions { allow_unsigned: true, ..ServerOptions::default() });
    assert_eq!(body(&open.exchange(post("ListTables", "{}", &[]).as_bytes())), r#"{"TableNames":[]}"#);
}

/// The headers of a request signed with these keys at this time.
fn signature(body: &str, key: &str, secret: &str, time: SystemTime) -> String {
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("host", "localhost"),
        ("x-amz-target", "DynamoDB_20120810.ListTables"),
    ];
    let request =
        SignableRequest::new("POST", "http://localhost/", headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
            .unwrap();
    let identity = aws_credential_types::Credentials::from_keys(key, secret, None).into();
    let params = aws_sigv4::sign::v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-2")
        .name("dynamodb")
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let lines = instructions.headers().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>();
    lines.join("\r\n")
}

#[test]
fn signatures_are_verified_where_there_are_keys() {
    let credentials = vec![Credentials::parse("AKID:secret").unwrap(), Credentials::parse("OTHER:word").unwrap()];
    let server = Running::new(ServerOptions { credentials, ..ServerOptions::default() });
    let now = SystemTime::now();
    let call = |body: &str, headers: &str| server.exchange(post("ListTables", body, &[headers]).as_bytes());
    for (key, secret) in [("AKID", "secret"), ("OTHER", "word")] {
        assert_eq!(body(&call("{}", &signature("{}", key, secret, now))), r#"{"TableNames":[]}"#);
    }
    let refused = |headers: &str, body_sent: &str, exception: &str| {
        let answer = call(body_sent, headers);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(exception), "{exception}: {answer}");
    };
    refused(&signature("{}", "AKID", "wrong", now), "{}", "InvalidSignatureException");
    refused(&signature("{}", "NOBODY", "secret", now), "{}", "UnrecognizedClientException");
    refused(&signature("{}", "AKID", "secret", now), r#"{"Limit":1}"#, "InvalidSignatureException");
    for by in [16 * 60, 3 * 86_400] {
        let by = Duration::from_secs(by);
        refused(&signature("{}", "AKID", "secret", now - by), "{}", "Signature expired");
        refused(&signature("{}", "AKID", "secret", now + by), "{}", "Signature expired");
    }
    refused(SHAPE, "{}", "UnrecognizedClientException");
    let signed = signature("{}", "AKID", "secret", now);
    refused(&signed.replace("us-east", "x").replace("eu-west-2", "us-east-1"), "{}", "InvalidSignatureException");
    assert!(server.exchange(b"GET / HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n").contains("healthy"));
}

#[test]
fn beyond_this_machine_there_must_be_keys() {
    let account = || Account::open(AccountOptions::default()).unwrap();
    let anywhere = Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
    let open = Server::bind(account(), ServerOptions { address: anywhere, ..ServerOptions::default() });
    assert!(matches!(open, Err(ServerError::Open(_))));
    let credentials = vec![Credentials::parse("a:b").unwrap()];
    assert!(
        Server::bind(account(), ServerOptions { address: anywhere, credentials, ..ServerOptions::default() }).is_ok()
    );
    let nowhere = Server::bind(account(), ServerOptions { address: None, ..ServerOptions::default() });
    assert!(matches!(nowhere, Err(ServerError::Nowhere)));
    let taken = Running::new(ServerOptions::default());
    let again = Server::bind(account(), ServerOptions { address: Some(taken.address), ..ServerOptions::default() });
    assert!(matches!(again, Err(ServerError::Listen { .. })));
}

#[test]
fn pages_of_other_origins_and_names_of_other_hosts_are_refused() {
    let server =
        Running::new(ServerOptions { cors: vec!["https://app.example".to_owned()], ..ServerOptions::default() });
    let of_page =
        |origin: &str| server.exchange(post("ListTables", "{}", &[SHAPE, &format!("Origin: {origin}")]).as_bytes());
    let allowed = of_page("https://app.example");
    assert_eq!(header(&allowed, "access-control-allow-origin"), "https://app.example");
    assert!(header(&allowed, "access-control-expose-headers").contains("x-amz-crc32"));
    assert!(of_page("https://evil.example").starts_with("HTTP/1.1 403 "));
    let preflight = "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: https://app.example\r\n\
                     Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,x-amz-target\r\n\r\n";
    let answer = server.exchange(preflight.as_bytes());
    assert_eq!(header(&answer, "access-control-allow-headers"), "authorization,x-amz-target");
    assert_eq!(header(&answer, "access-control-allow-origin"), "https://app.example");
    let rebound = post("ListTables", "{}", &[SHAPE]).replace("Host: localhost", "Host: rebound.example");
    assert!(server.exchange(rebound.as_bytes()).starts_with("HTTP/1.1 403 "));
}

#[test]
fn too_much_is_refused_and_too_slow_is_not_waited_for() {
    let short = Duration::from_millis(300);
    let server = Running::new(ServerOptions { body: short, idle: short, ..ServerOptions::default() });
    let huge = post("PutItem", "", &[SHAPE]).replace("Content-Length: 0", "Content-Length: 99999999999");
    assert!(server.exchange(huge.as_bytes()).starts_with("HTTP/1.1 413 "));
    let slow = post("PutItem", "", &[SHAPE]).replace("Content-Length: 0", "Content-Length: 10");
    assert!(server.exchange(slow.as_bytes()).starts_with("HTTP/1.1 408 "));
    // A head that does not end, and a connection without one, are closed.
    assert_eq!(body(&server.exchange(b"POST / HTTP/1.1\r\nHost: loc")), "");
    assert_eq!(server.exchange(b""), "");
    for garbage in [&b"\0\x01\x02\r\n\r\n"[..], b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", &[b'x'; 100_000]] {
        assert!(!server.exchange(garbage).contains("200 OK"));
    }
    assert_eq!(body(&server.call("ListTables", "{}")), r#"{"TableNames":[]}"#, "it still answers");
}

#[test]
fn a_body_of_sixteen_mebibytes_is_read_and_a_longer_one_is_not() {
    let server = Running::new(ServerOptions::default());
    let padded = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    let most = kstone_dynamodb::MAX_BODY_BYTES;
    assert_eq!(body(&server.call("ListTables", &padded(most))), r#"{"TableNames":[]}"#);
    assert!(server.call("ListTables", &padded(most + 1)).starts_with("HTTP/1.1 413 "));
}

#[test]
fn connections_beyond_the_limit_are_closed_and_idle_ones_delay_nobody() {
    let server = Running::new(ServerOptions { connections_max: 100, ..ServerOptions::default() });
    let idle: Vec<_> = (0..99).map(|_| server.connect()).collect();
    assert_eq!(body(&server.call("ListTables", "{}")), r#"{"TableNames":[]}"#);
    let more = [server.connect(), server.connect()];
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.call("ListTables", "{}"), "");
    drop((idle, more));
    let answered = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        server.call("ListTables", "{}").contains("200 OK")
    });
    assert!(answered, "connections that are gone are not counted");
}

#[test]
fn a_server_that_is_stopped_answers_what_is_under_way() {
    let server = Running::new(ServerOptions::default());
    let mut under_way = server.connect();
    let request = post("ListTables", "{}", &[SHAPE]).replace("Connection: close\r\n", "");
    under_way.write_all(&request.as_bytes()[..request.len() - 1]).unwrap();
    let mut idle = server.connect();
    std::thread::sleep(Duration::from_millis(100));
    server.stopper.stop();
    std::thread::sleep(Duration::from_millis(50));
    under_way.write_all(b"}").unwrap();
    let mut answer = String::new();
    under_way.read_to_string(&mut answer).unwrap();
    assert_eq!(body(&answer), r#"{"TableNames":[]}"#);
    assert_eq!(idle.read(&mut [0; 16]).unwrap(), 0);
    let address = server.address;
    server.end();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_socket_file_serves_and_goes_with_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kstone.sock");
    // One that a killed server left.
    drop(UnixListener::bind(&path).unwrap());
    let options = ServerOptions { address: None, unix: Some(path.clone()), ..ServerOptions::default() };
    let server = Running::new(options.clone());
    let mut socket = UnixStream::connect(&path).unwrap();
    socket.write_all(post("ListTables", "{}", &[SHAPE]).as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert_eq!(body(&answer), r#"{"TableNames":[]}"#);
    let account = Account::open(AccountOptions::default()).unwrap();
    assert!(matches!(Server::bind(account.clone(), options), Err(ServerError::Listen { .. })), "it is in use");
    server.end();
    assert!(!path.exists());
    // What is no socket is left alone.
    std::fs::write(&path, "precious").unwrap();
    let options = ServerOptions { address: None, unix: Some(path.clone()), ..ServerOptions::default() };
    assert!(matches!(Server::bind(account, options), Err(ServerError::Listen { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn many_clients_write_at_once_and_nothing_is_lost() {
    let server = Running::new(ServerOptions::default());
    server.call("CreateTable", CREATE);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for at in 0..50 {
                    let item = format!(r#"{{"TableName":"music","Item":{{"artist":{{"S":"{thread}-{at}"}}}}}}"#);
                    assert_eq!(body(&server.call("PutItem", &item)), "{}");
                }
            });
        }
    });
    for thread in 0..8 {
        let key = format!(r#"{{"TableName":"music","Key":{{"artist":{{"S":"{thread}-49"}}}}}}"#);
        assert!(server.call("GetItem", &key).contains("Item"));
    }
}
