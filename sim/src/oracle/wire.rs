//! Reads the wire out of a trace: who talks over which connection, and what a frame is about.
//!
//! Only the fields that say what a frame is about are read, without a copy: whether the rest is as it must
//! be is asked by `contract`.

use crate::scenario::{Fault, Host};
use crate::trace::{Event, Trace, What, Wire};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a frame is about.
#[derive(Debug, Deserialize)]
pub(super) struct Head<'t> {
    /// Its name.
    pub event: &'t str,
    /// The log it belongs to.
    pub thread_id: Option<&'t str>,
    /// The turn that it is.
    pub message_id: Option<&'t str>,
    /// The turn that it belongs to.
    pub in_reply_to: Option<&'t str>,
    /// Its place in the log.
    pub seq: Option<u64>,
}

impl Head<'_> {
    /// Whether the frame is of a thread log.
    pub(super) fn is_durable(&self) -> bool {
        matches!(self.event, "user_turn" | "recommendations" | "message" | "error")
    }
}

/// A text frame that was read.
#[derive(Debug)]
pub(super) struct Frame<'t> {
    /// The event that tells of it.
    pub event: &'t Event,
    /// The connection.
    pub conn: u64,
    /// What it is about.
    pub head: Head<'t>,
}

/// The text frame of an event; none if it is no frame, or not one of the contract.
pub(super) fn frame(event: &Event) -> Option<Frame<'_>> {
    let What::Received { conn, frame: Wire::Text(text) } = &event.what else { return None };
    let head = serde_json::from_str(text).ok()?;
    Some(Frame { event, conn: *conn, head })
}

/// The text frames of a run, in order.
pub(super) fn frames(trace: &Trace) -> impl Iterator<Item = Frame<'_>> {
    trace.events.iter().filter_map(frame)
}

/// The client and the connection to a gateway that it has got with this event.
pub(super) fn joined(event: &Event) -> Option<(&Host, u64)> {
    match (&event.host, &event.what) {
        (host @ Host::Client(_), What::Connected { conn, to: Host::Gateway(_) }) => {
            Some((host, *conn))
        }
        (_, _) => None,
    }
}

/// The connections of the world itself: those of intruders, and of users elsewhere.
pub(super) fn strangers(trace: &Trace) -> BTreeSet<u64> {
    let dialled = trace.events.iter().filter_map(|event| match (&event.host, &event.what) {
        (Host::World, What::Connected { conn, .. }) => Some(*conn),
        (_, _) => None,
    });
    dialled.collect()
}

/// The connections on which a fault has doubled, moved or lost a frame.
pub(super) fn shuffled(trace: &Trace) -> BTreeSet<u64> {
    let mut current = BTreeMap::new();
    let mut shuffled = BTreeSet::new();
    for event in &trace.events {
        if let Some((host, conn)) = joined(event) {
            current.insert(host, conn);
        }
        if let What::Injected {
            fault: Fault::Duplicate { client } | Fault::Reorder { client } | Fault::Lose { client },
            ..
        } = &event.what
        {
            shuffled.extend(current.get(client));
        }
    }
    shuffled
}
