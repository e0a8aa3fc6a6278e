//! What happened: the one record of a run, in order. Oracles and reports read nothing else.
//!
//! A trace holds nothing that differs between two runs of one scenario: no wall time, no address, no
//! masked byte, no task id. Its text form is one JSON object a line, and its hash is the hash of that text.

use crate::scenario::{Fault, Host};
use assistant::contract::agent::{AgentRequest, AgentResponse};
use assistant::contract::frame::LogFrame;
use assistant::contract::id::{MessageId, ThreadId};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::time::Duration;

/// Everything that happened in a run, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// In the order in which it happened.
    pub events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Simulated time since the start of the run, microseconds.
    pub at_us: u64,
    /// Where.
    pub host: Host,
    /// What.
    pub what: What,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A host runs (again).
    Started,
    /// A host ended on its own, after it was asked to.
    Stopped {
        /// Tasks of the host that were still alive.
        tasks: usize,
        /// Sockets of the host that were still open.
        sockets: usize,
    },
    /// A host's root ended without being asked, or panicked.
    Died {
        /// The error or the panic message.
        why: String,
    },
    /// A client begins to connect to another host, or the supervisor to the agent.
    Dialled {
        /// The other host.
        to: Host,
    },
    /// The host connected to another.
    Connected {
        /// The connection, counted over the whole run, from 1.
        conn: u64,
        /// The other host.
        to: Host,
    },
    /// The host could not connect to another.
    NotConnected {
        /// The other host.
        to: Host,
        /// The kind of error.
        why: String,
    },
    /// The host read a whole WebSocket frame from a connection.
    Received {
        /// The connection.
        conn: u64,
        /// The frame.
        frame: Wire,
    },
    /// A serving host has refused what a client asked for; an upgrade, for instance.
    Refused {
        /// The connection.
        conn: u64,
        /// The HTTP status, 400 or more.
        status: u16,
        /// How long to wait, as `Retry-After` says in seconds; absent if it does not.
        retry_after: Option<u64>,
    },
    /// The connection is over for this host.
    Ended {
        /// The connection.
        conn: u64,
        /// `end` (the peer closed) or the kind of error.
        how: String,
    },
    /// A gateway has let go of a connection that it had accepted.
    Left {
        /// The connection.
        conn: u64,
    },
    /// An agent read a request.
    Asked {
        /// The connection.
        conn: u64,
        /// The request.
        request: Box<AgentRequest>,
    },
    /// The supervisor read an agent's response.
    Answered {
        /// The connection.
        conn: u64,
        /// The HTTP status.
        status: u16,
        /// The response; absent if it is not one.
        response: Option<Box<AgentResponse>>,
    },
    /// A user sent a turn.
    Said {
        /// The turn, as an index into the scenario.
        turn: usize,
        /// Its id; another one each time it is sent again after a retryable error.
        message_id: MessageId,
        /// The conversation.
        thread: ThreadId,
        /// What was said.
        text: String,
    },
    /// A client was told that its turn is durable.
    Acked {
        /// The turn's id.
        message_id: MessageId,
        /// Its place in the log.
        seq: u64,
    },
    /// A client gave a turn up, and said so.
    GivenUp {
        /// The turn's id.
        message_id: MessageId,
        /// Why.
        why: String,
    },
    /// A client showed a frame to its user.
    Shown {
        /// The frame.
        frame: Box<LogFrame>,
    },
    /// A client told its user that somebody is at work on a turn.
    Typing {
        /// The turn.
        in_reply_to: MessageId,
    },
    /// A user looked again at a client that rested.
    Looked,
    /// A client's view starts again from nothing.
    ViewReset,
    /// A client's connection changed as its user sees it.
    Link {
        /// Such as `connected` or `waiting 3.2s (attempt 2)`.
        state: String,
    },
    /// A fault began.
    Injected {
        /// Which turn armed it; absent for one at a time of the run.
        turn: Option<usize>,
        /// Its place among the faults of that turn or run.
        index: usize,
        /// The fault.
        fault: Fault,
    },
    /// A fault ended.
    Healed {
        /// The fault.
        fault: Fault,
    },
    /// The script is over: every user has the end of every turn, or gave up.
    ScriptDone,
    /// The durable log of a thread, read after all hosts had stopped.
    Log {
        /// The thread.
        thread: ThreadId,
        /// Its frames, in order.
        frames: Vec<LogFrame>,
    },
    /// The run was given up at its time limit.
    TimedOut {
        /// What was still outstanding, in words.
        outstanding: Vec<String>,
    },
}

/// A WebSocket frame, unmasked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// A text message.
    Text(String),
    /// A binary message, by its length.
    Binary(usize),
    /// A ping or pong of the WebSocket protocol.
    Control(String),
    /// A close frame.
    Close {
        /// Its code; absent in an empty close frame.
        code: Option<u16>,
        /// Its reason.
        reason: String,
    },
}

impl Trace {
    /// One JSON object a line.
    ///
    /// # Panics
    /// Never: every event is plain data with string keys.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for event in &self.events {
            text.push_str(&serde_json::to_string(event).expect("events are plain data"));
            text.push('\n');
        }
        text
    }

    /// SHA-256 of [`Trace::to_text`], hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        Sha256::digest(self.to_text()).iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a String");
            hex
        })
    }

    /// As [`first_divergence`] of their texts.
    #[must_use]
    pub fn first_divergence(&self, other: &Self) -> Option<String> {
        first_divergence(&self.to_text(), &other.to_text())
    }

    /// The time of the last event.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.events.last().map_or(0, |event| event.at_us))
    }
}

/// The first event in which two traces differ, given as texts, from both sides, after the last one they share.
#[must_use]
pub fn first_divergence(once: &str, again: &str) -> Option<String> {
    let mut lines = (once.lines(), again.lines());
    let (mut number, mut shared) = (0, "nothing");
    loop {
        number += 1;
        match (lines.0.next(), lines.1.next()) {
            (None, None) => return None,
            (Some(one), Some(other)) if one == other => shared = one,
            (one, other) => {
                let [one, other] = [one, other].map(|line| line.unwrap_or("the end"));
                return Some(format!(
                    "event {number}\n  after   {shared}\n  once    {one}\n  again   {other}"
                ));
            }
        }
    }
}
