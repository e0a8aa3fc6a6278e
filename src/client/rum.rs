//! What a client measures about itself, for real-user monitoring. Counts only; it decides nothing.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A distribution, reduced to what a dashboard needs of one client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
}

impl Spread {
    pub(super) fn add(&mut self, length: Duration) {
        self.count += 1;
        self.total = self.total.saturating_add(length);
        self.max = self.max.max(length);
    }

    /// Datadog counts durations in nanoseconds.
    fn export(self) -> Value {
        let nanos = |length: Duration| u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        json!({ "count": self.count, "total_ns": nanos(self.total), "max_ns": nanos(self.max) })
    }
}

/// Everything counted since the client was made.
///
/// `attempts` = `opens` + `failed` + `cancelled` + the one under way; the sum of `closes` = `opens` less
/// the connection that is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rum {
    /// Attempts begun.
    pub attempts: u64,
    /// Upgrades that succeeded.
    pub opens: u64,
    /// Attempts that failed before a socket was open.
    pub failed: u64,
    /// Attempts that the app or the network called off before a socket was open.
    pub cancelled: u64,
    /// Ends of open connections by label, see [`label`].
    pub closes: BTreeMap<String, u64>,
    /// From the upgrade to the end.
    pub connection: Spread,
    /// From the start of the attempt, token included, to `welcome`.
    pub welcome: Spread,
    /// From a user's send to the first frame that answers it.
    pub first_reply: Spread,
    /// Durable and ephemeral frames seen before and dropped.
    pub dup_dropped: u64,
    /// Inputs of older attempts dropped.
    pub stale_dropped: u64,
    /// Frames of another thread or epoch refused.
    pub foreign_dropped: u64,
    /// Holes seen in the log.
    pub gaps: u64,
    /// Resumes that recovered everything.
    pub resumed: u64,
    /// Resumes that failed; the view started again.
    pub resume_failed: u64,
    /// Valid advice received.
    pub advice: u64,
    /// Advice with impossible bounds, ignored.
    pub advice_ignored: u64,
    /// Events of a newer server, ignored.
    pub unknown_frames: u64,
    /// Text that is no frame, or a frame out of place, ignored.
    pub bad_frames: u64,
    /// Probes of a silent connection.
    pub probes: u64,
    /// Times the client parked.
    pub parked: u64,
    /// Turns reported as failed to the app.
    pub turns_failed: u64,
}

impl Rum {
    pub(super) fn closed(&mut self, code: u16, lived: Duration) {
        *self.closes.entry(label(code)).or_default() += 1;
        self.connection.add(lived);
    }

    /// One custom action in the shape of Datadog's RUM event schema. Who uploads it adds `date`,
    /// `application`, `session` and `view`, which a machine without clock and entropy cannot know.
    #[must_use]
    pub fn export_for_rum(&self) -> Value {
        json!({
            "type": "action",
            "action": { "type": "custom", "target": { "name": "chat_connection" } },
            "context": { "chat_connection": {
                "attempts": self.attempts,
                "opens": self.opens,
                "failed": self.failed,
                "cancelled": self.cancelled,
                "closes": self.closes,
                "connection_duration": self.connection.export(),
                "time_to_welcome": self.welcome.export(),
                "time_to_first_reply": self.first_reply.export(),
                "dup_dropped": self.dup_dropped,
                "stale_dropped": self.stale_dropped,
                "foreign_dropped": self.foreign_dropped,
                "gaps": self.gaps,
                "resumes": { "recovered": self.resumed, "failed": self.resume_failed },
                "advice": { "valid": self.advice, "ignored": self.advice_ignored },
                "unknown_frames": self.unknown_frames,
                "bad_frames": self.bad_frames,
                "probes": self.probes,
                "parked": self.parked,
                "turns_failed": self.turns_failed,
            } },
        })
    }
}

/// The label of a close code: from a closed set, whatever a peer sends (B1, column "Norm").
#[must_use]
pub fn label(code: u16) -> String {
    match code {
        1000..=1003 | 1005..=1015 | 3000 | 3003 | 3008 => code.to_string(),
        4400 | 4401 | 4403 | 4408..=4411 | 4429 | 4499 => code.to_string(),
        3000..=3999 => "3xxx".to_owned(),
        4000..=4999 => "4xxx".to_owned(),
        _ => "other".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn labels_come_from_a_small_closed_set() {
        let labels: BTreeSet<String> = (0..=u16::MAX).map(label).collect();
        assert_eq!(labels.len(), 30, "{labels:?}");
        assert_eq!([1004, 3001, 4402].map(label), ["other", "3xxx", "4xxx"]);
    }

    #[test]
    fn the_export_is_a_custom_action() {
        let mut rum = Rum::default();
        rum.closed(1012, Duration::from_secs(2));
        let export = rum.export_for_rum();
        assert_eq!(export["action"]["type"], "custom");
        let context = &export["context"]["chat_connection"];
        assert_eq!(context["closes"]["1012"], 1);
        assert_eq!(context["connection_duration"]["max_ns"], 2_000_000_000_u64);
    }
}
