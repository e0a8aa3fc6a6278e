//! What a gateway counts. Labels come from closed sets, whatever a peer sends.
//!
//! Conservation by construction: a [`Census`] entry is made when a connection is accepted, and its one
//! drop counts the close, the duration and the gauge together.

use crate::contract::close::{CloseReason, may_be_sent};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::time::Instant;

/// Seconds; connections live from a blink to a day.
const DURATION_BUCKETS: [f64; 10] =
    [0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Close {
    code: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Event {
    event: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// The counters of one gateway.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) registry: Registry,
    upgrades: Family<Outcome, Counter>,
    connections: Gauge,
    closes: Family<Close, Counter>,
    durations: Histogram,
    sent: Family<Event, Counter>,
    received: Family<Event, Counter>,
    advice: Family<Why, Counter>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let metrics = Self {
            registry: Registry::default(),
            upgrades: Family::default(),
            connections: Gauge::default(),
            closes: Family::default(),
            durations: Histogram::new(DURATION_BUCKETS),
            sent: Family::default(),
            received: Family::default(),
            advice: Family::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("ws_upgrades", "Upgrade requests by outcome", self.upgrades.clone());
        registry.register("ws_connections", "Connections now", self.connections.clone());
        registry.register("ws_closes", "Ended connections by close code", self.closes.clone());
        registry.register(
            "ws_connection_duration_seconds",
            "How long connections lived",
            self.durations.clone(),
        );
        registry.register("ws_frames_sent", "Frames sent by event", self.sent.clone());
        registry.register("ws_frames_received", "Frames received by event", self.received.clone());
        registry.register(
            "ws_reconnect_advice",
            "Advice to reconnect by its reason",
            self.advice.clone(),
        );
        self
    }

    pub(super) fn upgrade(&self, outcome: &'static str) {
        self.upgrades.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn sent(&self, event: &'static str) {
        self.sent.get_or_create(&Event { event }).inc();
    }

    /// `event` must come from our own frames; what is not one counts as `other`.
    pub(super) fn received(&self, event: &'static str) {
        self.received.get_or_create(&Event { event }).inc();
    }

    pub(super) fn advised(&self, why: &'static str) {
        self.advice.get_or_create(&Why { why }).inc();
    }

    /// Counts a connection in; dropping the entry counts it out.
    pub(super) fn connected(self: &Arc<Self>) -> Census {
        self.connections.inc();
        Census { metrics: Arc::clone(self), since: Instant::now(), end: End::Lost }
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// We sent a close frame first.
    Ours(CloseReason),
    /// The peer sent a close frame first, perhaps an empty one.
    Theirs(Option<u16>),
    /// No close frame.
    Lost,
}

impl End {
    fn labels(self) -> Close {
        match self {
            Self::Ours(reason) => Close { code: code_label(reason.code()), reason: reason.text() },
            Self::Theirs(Some(code)) => Close { code: code_label(code), reason: "peer" },
            Self::Theirs(None) => Close { code: "1005", reason: "peer" },
            Self::Lost => Close { code: "1006", reason: "peer_lost" },
        }
    }
}

/// A code as a label: our own and the registered ones by themselves, the rest by their band.
fn code_label(code: u16) -> &'static str {
    const KNOWN: [(u16, &str); 22] = [
        (1000, "1000"),
        (1001, "1001"),
        (1002, "1002"),
        (1003, "1003"),
        (1007, "1007"),
        (1008, "1008"),
        (1009, "1009"),
        (1010, "1010"),
        (1011, "1011"),
        (1012, "1012"),
        (1013, "1013"),
        (1014, "1014"),
        (4400, "4400"),
        (4401, "4401"),
        (4403, "4403"),
        (4408, "4408"),
        (4409, "4409"),
        (4410, "4410"),
        (4411, "4411"),
        (4429, "4429"),
        (4499, "4499"),
        (3000, "3000"),
    ];
    match KNOWN.iter().find(|(known, _label)| *known == code) {
        Some((_code, label)) => label,
        None if !may_be_sent(code) => "other",
        None if code < 4000 => "3xxx",
        None => "4xxx",
    }
}

/// A connection that is counted in.
#[derive(Debug)]
pub(super) struct Census {
    metrics: Arc<Metrics>,
    since: Instant,
    /// How it will be counted out; lost unless somebody knows better.
    pub(super) end: End,
}

impl Drop for Census {
    fn drop(&mut self) {
        self.metrics.connections.dec();
        self.metrics.closes.get_or_create(&self.end.labels()).inc();
        self.metrics.durations.observe(self.since.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_label_from_a_closed_set() {
        let labels: BTreeSet<&str> = (0..=u16::MAX).map(code_label).collect();
        assert_eq!(labels.len(), 22 + 3, "{labels:?}");
        for reason in CloseReason::ALL {
            assert_eq!(code_label(reason.code()), reason.code().to_string());
        }
    }

    #[test]
    fn a_connection_is_counted_out_exactly_once() {
        let metrics = Arc::new(Metrics::new());
        let mut entry = metrics.connected();
        assert_eq!(metrics.connections.get(), 1);
        entry.end = End::Ours(CloseReason::Drain);
        drop(entry);
        drop(metrics.connected());
        assert_eq!(metrics.connections.get(), 0);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &metrics.registry).unwrap();
        for line in [
            r#"ws_closes_total{code="1012",reason="drain"} 1"#,
            r#"ws_closes_total{code="1006",reason="peer_lost"} 1"#,
            "ws_connection_duration_seconds_count 2",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
