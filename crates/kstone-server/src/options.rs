//! What a server is told when it is made.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::log::Log;

/// Where a server listens, whom it answers, and its limits.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The address to listen at; port 0 takes any that is free. None: only at `unix`.
    pub address: Option<SocketAddr>,
    /// A socket file to listen at, too.
    pub unix: Option<PathBuf>,
    /// Keys whose signatures are verified; where there are none, only the shape of a signature is looked at. An address
    /// beyond loopback needs some.
    pub credentials: Vec<Credentials>,
    /// Whether requests that are not signed at all are answered, where no signature is verified.
    pub allow_unsigned: bool,
    /// Origins whose pages may call, `*` for any.
    pub cors: Vec<String>,
    /// Names in addition to those of loopback under which clients may call the server.
    pub hosts: Vec<String>,
    /// Whether `GET /metrics` answers.
    pub metrics: bool,
    /// What is written of requests.
    pub log: Log,
    /// How many threads serve connections.
    pub workers: usize,
    /// How many connections there may be at once; others are closed at once.
    pub connections_max: usize,
    /// How long a connection may be without a request, and take to send a request's head.
    pub idle: Duration,
    /// How long a request's body may take to arrive.
    pub body: Duration,
    /// How long connections get to finish once the server is stopped.
    pub drain: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000)),
            unix: None,
            credentials: Vec::new(),
            allow_unsigned: false,
            cors: Vec::new(),
            hosts: Vec::new(),
            metrics: false,
            log: Log::Off,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            connections_max: 16_384,
            // SDKs keep connections for 60 seconds.
            idle: Duration::from_secs(75),
            body: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// An access key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key's identifier.
    pub key: String,
    /// Its secret, which is shown nowhere.
    pub secret: String,
}

impl Credentials {
    /// Those of `KEY:SECRET`.
    ///
    /// ```
    /// use kstone_server::Credentials;
    /// assert_eq!(Credentials::parse("AKID:a:b").unwrap().secret, "a:b");
    /// assert!(Credentials::parse("AKID").is_none() && Credentials::parse(":x").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (key, secret) = text.split_once(':')?;
        (!key.is_empty() && !secret.is_empty()).then(|| Self { key: key.to_owned(), secret: secret.to_owned() })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}
