//! What a gateway counts. Labels come from closed sets, whatever a peer sends.
//!
//! Conservation by construction: a [`Census`] entry is made when a connection is accepted, and its one
//! drop counts the close and the duration and takes it out of the [`Admission`], whose size is the gauge.

use crate::contract::close::{CloseReason, may_be_sent};
use crate::contract::id::UserId;
use crate::gateway::limits::Admission;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Seconds; connections live from a blink to a day (B10).
const DURATION_BUCKETS: [f64; 10] =
    [0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0];
/// Seconds; from one data centre to a telephone in a tunnel.
const RTT_BUCKETS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 10.0];
/// Bytes; up to the bound of the queue.
const QUEUE_BUCKETS: [f64; 6] = [1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Result {
    result: &'static str,
}

/// Who is connected, and who wants to know when somebody leaves.
#[derive(Debug, Default)]
pub(super) struct Presences {
    admission: Mutex<Admission>,
    left: Notify,
    draining: AtomicBool,
}

impl Presences {
    pub(super) fn new(admission: Admission) -> Self {
        Self { admission: Mutex::new(admission), ..Self::default() }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Admission) -> T) -> T {
        look(&mut self.admission.lock().expect("no panic while it is held"))
    }

    /// From now on the connections that are left count as remaining.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Waits until nobody is connected. Cancel safe.
    pub(super) async fn empty(&self) {
        loop {
            let left = self.left.notified();
            if self.with(|admission| admission.connections()) == 0 {
                return;
            }
            left.await;
        }
    }
}

/// Gauges that are read when somebody asks, so that they cannot drift from what they measure.
impl Collector for Presences {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::result::Result<(), fmt::Error> {
        let connections = self.with(|admission| admission.connections());
        let remaining = if self.draining.load(Ordering::Relaxed) { connections } else { 0 };
        for (name, help, value) in [
            ("ws_connections", "Connections now", connections),
            ("ws_drain_remaining", "Connections that a drain has still to close", remaining),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let sample = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(sample)?;
        }
        Ok(())
    }
}

/// The counters of one gateway.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) registry: Registry,
    presences: Arc<Presences>,
    upgrades: Family<Outcome, Counter>,
    auth_rejected: Family<Why, Counter>,
    closes: Family<Close, Counter>,
    durations: Histogram,
    sent: Family<Event, Counter>,
    received: Family<Event, Counter>,
    dropped: Family<Why, Counter>,
    advice: Family<Why, Counter>,
    resumes: Family<Result, Counter>,
    replayed: Counter,
    queue: Histogram,
    rtt: Histogram,
}

impl Metrics {
    pub(super) fn new(presences: Arc<Presences>) -> Self {
        let metrics = Self {
            registry: Registry::default(),
            presences,
            upgrades: Family::default(),
            auth_rejected: Family::default(),
            closes: Family::default(),
            durations: Histogram::new(DURATION_BUCKETS),
            sent: Family::default(),
            received: Family::default(),
            dropped: Family::default(),
            advice: Family::default(),
            resumes: Family::default(),
            replayed: Counter::default(),
            queue: Histogram::new(QUEUE_BUCKETS),
            rtt: Histogram::new(RTT_BUCKETS),
        };
        metrics.at_zero();
        metrics.registered()
    }

    /// Series that exist before they count, since a rise from nothing is none to `rate` and `increase`.
    fn at_zero(&self) {
        for reason in CloseReason::ALL {
            drop(self.closes.get_or_create(&End::Ours(reason).labels()));
        }
        drop(self.closes.get_or_create(&End::Lost.labels()));
        for why in ["expired", "invalid", "missing", "revoked", "wrong_kind"] {
            drop(self.auth_rejected.get_or_create(&Why { why }));
        }
        for why in ["auth", "drain", "overload", "rate", "slow"] {
            drop(self.advice.get_or_create(&Why { why }));
        }
        for result in ["ahead", "epoch", "recovered"] {
            drop(self.resumes.get_or_create(&Result { result }));
        }
        drop(self.dropped.get_or_create(&Why { why: "unsent" }));
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register_collector(Box::new(Arc::clone(&self.presences)));
        for (name, help, family) in [
            ("ws_auth_rejected", "Tokens refused by reason", &self.auth_rejected),
            ("ws_dropped_frames", "Frames that were not written by reason", &self.dropped),
            ("ws_reconnect_advice", "Advice to reconnect by its reason", &self.advice),
        ] {
            registry.register(name, help, family.clone());
        }
        for (name, help, family) in [
            ("ws_frames_sent", "Frames written by event", &self.sent),
            ("ws_frames_received", "Frames received by event", &self.received),
        ] {
            registry.register(name, help, family.clone());
        }
        for (name, help, histogram) in [
            (
                "ws_connection_duration_seconds",
                "How long connections lived since their welcome",
                &self.durations,
            ),
            ("ws_pong_rtt_seconds", "Time from a ping to its answer", &self.rtt),
            ("ws_queue_bytes", "What waits to be written when a frame joins it", &self.queue),
        ] {
            registry.register(name, help, histogram.clone());
        }
        registry.register("ws_upgrades", "Upgrade requests by outcome", self.upgrades.clone());
        registry.register("ws_closes", "Ended connections by close code", self.closes.clone());
        registry.register("ws_resume", "Answers to a cursor by result", self.resumes.clone());
        let help = "Durable frames sent again or late, by a resume";
        registry.register("ws_replayed_frames", help, self.replayed.clone());
        self
    }

    pub(super) fn upgrade(&self, outcome: &'static str) {
        self.upgrades.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn auth_rejected(&self, why: &'static str) {
        self.auth_rejected.get_or_create(&Why { why }).inc();
    }

    pub(super) fn sent(&self, event: &'static str) {
        self.sent.get_or_create(&Event { event }).inc();
    }

    /// `event` must come from our own frames; what is not one counts as `other`.
    pub(super) fn received(&self, event: &'static str) {
        self.received.get_or_create(&Event { event }).inc();
    }

    pub(super) fn dropped(&self, why: &'static str, frames: usize) {
        if frames > 0 {
            let frames = u64::try_from(frames).unwrap_or(u64::MAX);
            self.dropped.get_or_create(&Why { why }).inc_by(frames);
        }
    }

    pub(super) fn advised(&self, why: &'static str) {
        self.advice.get_or_create(&Why { why }).inc();
    }

    /// A cursor was answered; with so many frames if it could be served.
    pub(super) fn resumed(&self, result: &'static str, frames: u64) {
        self.resumes.get_or_create(&Result { result }).inc();
        self.replayed.inc_by(frames);
    }

    /// A frame was queued, and now so many bytes wait.
    pub(super) fn queued(&self, bytes: usize) {
        self.queue.observe(u32::try_from(bytes).map_or(f64::MAX, f64::from));
    }

    pub(super) fn answered(&self, after: Duration) {
        self.rtt.observe(after.as_secs_f64());
    }

    /// Counts a connection in; dropping the entry counts it out. One that is refused by a close frame
    /// belongs to no user.
    pub(super) fn connected(self: &Arc<Self>, user: Option<UserId>) -> Census {
        self.upgrade("accepted");
        self.presences.with(|admission| admission.enter(user.as_ref()));
        Census { metrics: Arc::clone(self), user, welcomed: None, end: End::Lost }
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
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
    user: Option<UserId>,
    welcomed: Option<Instant>,
    /// How it will be counted out; lost unless somebody knows better.
    pub(super) end: End,
}

impl Census {
    /// From now on it counts as a conversation; one that never got so far lasted 0 s.
    pub(super) fn welcome(&mut self) {
        self.welcomed = Some(Instant::now());
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        self.metrics.closes.get_or_create(&self.end.labels()).inc();
        let lasted = self.welcomed.map_or(Duration::ZERO, |welcomed| welcomed.elapsed());
        self.metrics.durations.observe(lasted.as_secs_f64());
        self.metrics.presences.with(|admission| admission.leave(self.user.as_ref()));
        self.metrics.presences.left.notify_waiters();
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

    #[tokio::test(start_paused = true)]
    async fn mt_conserve_a_connection_is_counted_out_exactly_once() {
        let presences = Arc::<Presences>::default();
        let metrics = Arc::new(Metrics::new(Arc::clone(&presences)));
        let user = UserId::new("u").unwrap();
        let mut entry = metrics.connected(Some(user.clone()));
        presences.drain();
        let text = metrics.text();
        assert!(
            text.contains("ws_connections 1") && text.contains("ws_drain_remaining 1"),
            "{text}"
        );
        entry.end = End::Ours(CloseReason::Drain);
        drop(entry);
        presences.empty().await;
        drop(metrics.connected(None));
        let text = metrics.text();
        for line in [
            r#"ws_closes_total{code="1012",reason="drain"} 1"#,
            r#"ws_closes_total{code="1006",reason="peer_lost"} 1"#,
            "ws_connection_duration_seconds_count 2",
            r#"ws_upgrades_total{outcome="accepted"} 2"#,
            "ws_connections 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(presences.with(|admission| admission.may_enter(&user)));
    }

    #[tokio::test(start_paused = true)]
    async fn mt_duration_counts_from_the_welcome() {
        let metrics = Arc::new(Metrics::new(Arc::default()));
        let mut entry = metrics.connected(None);
        tokio::time::advance(Duration::from_secs(7)).await;
        entry.welcome();
        tokio::time::advance(Duration::from_secs(3)).await;
        drop(entry);
        let unwelcomed = metrics.connected(None);
        tokio::time::advance(Duration::from_secs(5)).await;
        drop(unwelcomed);
        let text = metrics.text();
        assert!(text.contains("ws_connection_duration_seconds_sum 3.0"), "{text}");
        assert!(text.contains("ws_connection_duration_seconds_count 2"), "{text}");
    }
}
