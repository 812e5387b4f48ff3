//! What a server counts, as Prometheus reads it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use kstone_dynamodb::Account;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The labels of a request: bounded, since operations are those of the model.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

/// Upper bounds in seconds: from what an answer takes in process to what nobody should wait for.
const SECONDS: [f64; 12] = [5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 2.5e-2, 0.25, 2.5];

/// Counters of one server; all workers share them.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<OperationLabel, Histogram>,
    received: Counter,
    sent: Counter,
    pub(crate) connections: Gauge,
    pub(crate) refused_connections: Counter,
    memory: Gauge<u64, AtomicU64>,
    tables: Gauge<u64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Arc<Self> {
        let seconds = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            seconds,
            received: Counter::default(),
            sent: Counter::default(),
            connections: Gauge::default(),
            refused_connections: Counter::default(),
            memory: Gauge::default(),
            tables: Gauge::default(),
        };
        Arc::new(metrics.registered())
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("kstone_requests", "Requests answered", self.requests.clone());
        let help = "From the request's last byte to the answer's first";
        registry.register_with_unit("kstone_request", help, Unit::Seconds, self.seconds.clone());
        registry.register_with_unit("kstone_received", "Bytes of bodies", Unit::Bytes, self.received.clone());
        registry.register_with_unit("kstone_sent", "Bytes of answers' bodies", Unit::Bytes, self.sent.clone());
        registry.register("kstone_connections", "Connections that are open", self.connections.clone());
        let help = "Connections closed at once, since there were too many";
        registry.register("kstone_connections_refused", help, self.refused_connections.clone());
        registry.register_with_unit("kstone_memory", "What the tables take", Unit::Bytes, self.memory.clone());
        registry.register("kstone_tables", "Tables", self.tables.clone());
        self
    }

    /// Counts a request.
    pub(crate) fn answered(&self, operation: &'static str, status: u16, bytes: (usize, usize), took: Duration) {
        self.requests.get_or_create(&RequestLabels { operation, status }).inc();
        self.seconds.get_or_create(&OperationLabel { operation }).observe(took.as_secs_f64());
        self.received.inc_by(bytes.0 as u64);
        self.sent.inc_by(bytes.1 as u64);
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self, account: &Account) -> String {
        let (bytes, tables) = account.memory_bytes_and_tables();
        self.memory.set(bytes);
        self.tables.set(tables);
        let mut text = String::new();
        // Into a string: nothing can fail.
        encode(&mut text, &self.registry).expect("memory");
        text
    }
}
