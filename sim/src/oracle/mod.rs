//! Judges a run: each oracle asks one question of a trace and answers with violations.
//!
//! An oracle is a pure function of what should happen and what did. It knows nothing of the network that
//! played the run, so the same judgement holds for either engine, for real sockets and for a trace made by
//! hand. A violation is a value, not an error: a run that broke a promise is still a good run of the harness.

mod ack;
mod agent;
mod answered;
mod auth;
mod backoff;
mod blameless;
mod calm;
mod close_codes;
mod contract;
mod dedup;
mod detour;
mod drain;
mod holds;
mod hostile;
mod isolated;
mod leaves;
mod live;
mod liveness;
mod memory;
mod offline;
mod order;
mod patience;
mod prompt;
mod quiet;
mod recovery;
mod single_writer;
mod slow;
pub mod sometimes;
mod spread;
mod wire;

#[cfg(test)]
pub(crate) mod bench;

use crate::scenario::{Host, Scenario};
use crate::trace::{Event, Trace, What};
use assistant::contract::frame::{LogBody, LogFrame};
use assistant::contract::id::{MessageId, ThreadId};
use std::collections::{BTreeMap, BTreeSet};

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The name of the oracle that found it, as in [`ORACLES`].
    pub oracle: &'static str,
    /// When it came to light, simulated microseconds since the start of the run.
    pub at_us: u64,
    /// Where; absent if no single host is to blame.
    pub host: Option<Host>,
    /// One sentence with ids and numbers.
    pub what: String,
}

/// A question that every run has to answer with yes.
#[derive(Debug, Clone, Copy)]
pub struct Oracle {
    /// Its name, a word.
    pub name: &'static str,
    /// The question, in one line.
    pub asks: &'static str,
    /// Finds what speaks against a yes; empty if nothing does.
    pub judge: fn(&Scenario, &Trace) -> Vec<Violation>,
}

/// Every oracle, in alphabetical order.
pub const ORACLES: &[Oracle] = &[
    ack::ORACLE,
    agent::ORACLE,
    answered::ORACLE,
    auth::ORACLE,
    backoff::ORACLE,
    blameless::ORACLE,
    close_codes::ORACLE,
    contract::ORACLE,
    dedup::ORACLE,
    detour::ORACLE,
    drain::ORACLE,
    holds::ORACLE,
    hostile::ORACLE,
    isolated::ORACLE,
    leaves::ORACLE,
    live::ORACLE,
    liveness::ORACLE,
    memory::ORACLE,
    offline::ORACLE,
    order::ORACLE,
    patience::ORACLE,
    prompt::ORACLE,
    quiet::ORACLE,
    recovery::ORACLE,
    single_writer::ORACLE,
    slow::ORACLE,
    spread::ORACLE,
];

/// What all oracles find, oracle by oracle in the order of [`ORACLES`].
#[must_use]
pub fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    ORACLES.iter().flat_map(|oracle| (oracle.judge)(scenario, trace)).collect()
}

impl Violation {
    /// A violation that came to light with `event`; the harness itself is no culprit.
    fn at(oracle: &'static str, event: &Event, what: String) -> Self {
        Self {
            oracle,
            at_us: event.at_us,
            host: (event.host != Host::World).then(|| event.host.clone()),
            what,
        }
    }
}

/// The durable logs of a run, with the event that tells of each.
fn logs(trace: &Trace) -> impl Iterator<Item = (&Event, &ThreadId, &[LogFrame])> {
    trace.events.iter().filter_map(|event| {
        if let What::Log { thread, frames } = &event.what {
            Some((event, thread, frames.as_slice()))
        } else {
            None
        }
    })
}

/// The frames that clients showed, with the event that tells of each.
fn shown(trace: &Trace) -> impl Iterator<Item = (&Event, &LogFrame)> {
    trace.events.iter().filter_map(|event| {
        if let What::Shown { frame } = &event.what { Some((event, &**frame)) } else { None }
    })
}

/// The turns that users sent, with the event that tells of each.
fn said(trace: &Trace) -> impl Iterator<Item = (&Event, &MessageId)> {
    trace.events.iter().filter_map(|event| {
        if let What::Said { message_id, .. } = &event.what {
            Some((event, message_id))
        } else {
            None
        }
    })
}

/// The turns that their hosts gave up.
fn given_up(trace: &Trace) -> BTreeSet<(&Host, &MessageId)> {
    let given_up = trace.events.iter().filter_map(|event| {
        if let What::GivenUp { message_id, .. } = &event.what {
            Some((&event.host, message_id))
        } else {
            None
        }
    });
    given_up.collect()
}

/// The clients that went for good, each with the event that tells so; whether they had a reason is asked by
/// `leaves`.
fn gone(trace: &Trace) -> BTreeMap<&Host, &Event> {
    let mut gone = BTreeMap::new();
    for event in &trace.events {
        let What::Link { state } = &event.what else { continue };
        if is_final(state) {
            gone.insert(&event.host, event);
        } else if state != "closed" {
            gone.remove(&event.host);
        }
    }
    gone
}

/// Whether a client in this state comes back to nobody but its user.
pub(crate) fn is_final(state: &str) -> bool {
    state.starts_with("signed-out") || state.starts_with("stopped")
}

/// Whether every user came to the end of the script.
fn script_done(trace: &Trace) -> bool {
    trace.events.iter().any(|event| matches!(event.what, What::ScriptDone))
}

/// The id of the user turn that this frame is, if it is one.
fn user_turn(frame: &LogFrame) -> Option<&MessageId> {
    match &frame.body {
        LogBody::UserTurn { message_id, .. } => Some(message_id),
        LogBody::Recommendations { .. } | LogBody::Message { .. } | LogBody::Error { .. } => None,
    }
}

/// The frame's `event`, as on the wire.
fn kind(frame: &LogFrame) -> &'static str {
    match frame.body {
        LogBody::UserTurn { .. } => "user_turn",
        LogBody::Recommendations { .. } => "recommendations",
        LogBody::Message { .. } => "message",
        LogBody::Error { .. } => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_run_breaks_no_promise() {
        let run = bench::healthy();
        assert_eq!(judge(&run.scenario, &run.trace), []);
    }

    #[test]
    fn an_empty_trace_is_refused_because_nothing_happened() {
        let run = bench::healthy();
        let found = judge(&run.scenario, &Trace::default());
        let names: Vec<_> = found.iter().map(|violation| violation.oracle).collect();
        assert_eq!(names, ["answered", "recovery"], "{found:?}");
    }

    #[test]
    fn oracles_stand_in_order_and_ask_a_question() {
        assert!(ORACLES.is_sorted_by(|a, b| a.name < b.name));
        assert!(ORACLES.iter().all(|oracle| oracle.asks.ends_with('?')));
    }
}
