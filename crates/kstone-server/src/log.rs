//! What is written of requests: a line each, on standard error.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is written of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Log {
    /// Nothing.
    #[default]
    Off,
    /// A line of JSON for each request.
    Json,
}

/// A request that has been answered.
pub(crate) struct Entry<'a> {
    pub(crate) operation: &'a str,
    pub(crate) status: u16,
    /// The exception's name, where the request was refused.
    pub(crate) error: Option<&'a str>,
    pub(crate) request_bytes: usize,
    pub(crate) response_bytes: usize,
    pub(crate) took: Duration,
    pub(crate) request_id: &'a str,
}

impl Log {
    /// Writes a request down.
    pub(crate) fn write(self, entry: &Entry<'_>) {
        if self == Self::Off {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let line = serde_json::json!({
            "time": (now * 1000.0).round() / 1000.0,
            "operation": entry.operation,
            "status": entry.status,
            "error": entry.error,
            "request_bytes": entry.request_bytes,
            "response_bytes": entry.response_bytes,
            "microseconds": u64::try_from(entry.took.as_micros()).unwrap_or(u64::MAX),
            "request_id": entry.request_id,
        });
        // A log that nobody takes is no reason to refuse requests.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
}
