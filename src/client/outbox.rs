//! The user's turns until they are durable: in order, bounded, never silently lost.

use super::port::KeptTurn;
use crate::config::client::{ClientPolicy, Rule};
use crate::contract::frame::{ClientFrame, Limits};
use crate::contract::id::MessageId;
use std::collections::VecDeque;
use std::time::Duration;

/// A turn that has no ack yet.
#[derive(Debug)]
struct Entry {
    message_id: MessageId,
    text: String,
    since: Duration,
    /// Time waited under an earlier instance.
    waited: Duration,
    in_flight: bool,
    /// How often the gateway closed while it was under suspicion.
    closed_at: u32,
}

/// What became of a user's send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queued {
    Yes,
    Full,
}

/// A turn at the head of the queue: on its way, or refused.
#[derive(Debug)]
pub(super) enum Launch {
    Send(ClientFrame),
    TooLong(MessageId),
}

/// Unacknowledged turns, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn contains(&self, message_id: &MessageId) -> bool {
        self.entries.iter().any(|entry| entry.message_id == *message_id)
    }

    pub(super) fn queue(
        &mut self,
        policy: &ClientPolicy,
        now: Duration,
        message_id: MessageId,
        text: String,
    ) -> Queued {
        let bytes = self.bytes.saturating_add(text.len());
        if self.entries.len() >= policy.outbox_entries_max || bytes > policy.outbox_bytes_max {
            return Queued::Full;
        }
        self.bytes = bytes;
        let (since, waited) = (now, Duration::ZERO);
        let entry = Entry { message_id, text, since, waited, in_flight: false, closed_at: 0 };
        self.entries.push_back(entry);
        Queued::Yes
    }

    /// The place of the oldest turn that is not in flight, if the window has room.
    ///
    /// While a turn is suspected of making the gateway close, one goes at a time, so that an innocent one
    /// is not blamed for its neighbour.
    pub(super) fn next(&self, policy: &ClientPolicy) -> Option<usize> {
        let suspected = self.entries.iter().any(|entry| entry.closed_at > 0);
        let window = if suspected { 1 } else { policy.window };
        let waiting = self.entries.iter().position(|entry| !entry.in_flight)?;
        (self.in_flight() < window).then_some(waiting)
    }

    /// How many turns were sent on this connection and have no ack.
    pub(super) fn in_flight(&self) -> usize {
        self.entries.iter().filter(|entry| entry.in_flight).count()
    }

    /// Marks the next turn as sent.
    pub(super) fn launch(&mut self, policy: &ClientPolicy, limits: &Limits) -> Option<Launch> {
        let place = self.next(policy)?;
        let entry = self.entries.get_mut(place)?;
        let message_id = entry.message_id.clone();
        let frame = ClientFrame::UserMessage { message_id, text: entry.text.clone() };
        if policy.heed_limits == Rule::On && exceeds(&frame, &entry.text, limits) {
            let message_id = entry.message_id.clone();
            self.remove(&message_id);
            return Some(Launch::TooLong(message_id));
        }
        entry.in_flight = true;
        Some(Launch::Send(frame))
    }

    /// Removes a turn; true if it was there.
    pub(super) fn remove(&mut self, message_id: &MessageId) -> bool {
        let place = self.entries.iter().position(|entry| entry.message_id == *message_id);
        let removed = place.and_then(|place| self.entries.remove(place));
        self.bytes =
            self.bytes.saturating_sub(removed.as_ref().map_or(0, |entry| entry.text.len()));
        removed.is_some()
    }

    /// The connection is gone: what was in flight goes again, in the order of old.
    pub(super) fn disconnect(&mut self, policy: &ClientPolicy) {
        if policy.resend == Rule::On {
            self.entries.iter_mut().for_each(|entry| entry.in_flight = false);
        }
    }

    /// The gateway closed at something in flight. Removes and returns what it closed at more often than
    /// that.
    pub(super) fn blame(&mut self, most: u32) -> Vec<MessageId> {
        for entry in self.entries.iter_mut().filter(|entry| entry.in_flight) {
            entry.closed_at = entry.closed_at.saturating_add(1);
        }
        self.remove_all(|entry| entry.in_flight && entry.closed_at > most)
    }

    /// When the oldest turn expires.
    pub(super) fn deadline(&self, policy: &ClientPolicy) -> Option<Duration> {
        let expiry = policy.outbox_expiry?;
        self.entries.iter().map(|entry| expires(entry, expiry)).min()
    }

    /// Removes and returns the turns that have waited too long.
    pub(super) fn expire(&mut self, policy: &ClientPolicy, now: Duration) -> Vec<MessageId> {
        policy
            .outbox_expiry
            .map_or_else(Vec::new, |expiry| self.remove_all(|entry| expires(entry, expiry) <= now))
    }

    pub(super) fn keep(&self, now: Duration) -> Vec<KeptTurn> {
        let keep = |entry: &Entry| KeptTurn {
            message_id: entry.message_id.clone(),
            text: entry.text.clone(),
            waited_ms: millis(entry.waited.saturating_add(now.saturating_sub(entry.since))),
            closed_at: entry.closed_at,
        };
        self.entries.iter().map(keep).collect()
    }

    /// Takes over the turns of an earlier instance.
    pub(super) fn restore(&mut self, now: Duration, kept: Vec<KeptTurn>) {
        for turn in kept {
            self.bytes = self.bytes.saturating_add(turn.text.len());
            self.entries.push_back(Entry {
                message_id: turn.message_id,
                text: turn.text,
                since: now,
                waited: Duration::from_millis(turn.waited_ms),
                in_flight: false,
                closed_at: turn.closed_at,
            });
        }
    }

    /// The clock starts: what was restored before has waited since now.
    pub(super) fn start_clock(&mut self, now: Duration) {
        self.entries.iter_mut().for_each(|entry| entry.since = now);
    }

    fn remove_all(&mut self, gone: impl Fn(&Entry) -> bool) -> Vec<MessageId> {
        let ids = |entry: &Entry| entry.message_id.clone();
        let removed: Vec<MessageId> = self.entries.iter().filter(|e| gone(e)).map(ids).collect();
        for message_id in &removed {
            self.remove(message_id);
        }
        removed
    }
}

fn expires(entry: &Entry, expiry: Duration) -> Duration {
    entry.since.saturating_add(expiry.saturating_sub(entry.waited))
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a turn breaks the limits that the server named.
fn exceeds(frame: &ClientFrame, text: &str, limits: &Limits) -> bool {
    let beyond = |count: usize, most: u64| u64::try_from(count).is_ok_and(|count| count > most);
    let bytes = serde_json::to_vec(frame).map_or(0, |json| json.len());
    beyond(text.chars().count(), limits.text_chars_max) || beyond(bytes, limits.message_bytes_max)
}
