//! What each event of a trace is about, and so which events follow each other.
//!
//! Events of one host about one topic make a strand. It knows nothing of violations.

use crate::scenario::Host;
use crate::trace::{Event, Trace, What, Wire};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Something that an event is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// A turn, by its message id.
    Turn(String),
    /// How a connection comes, greets and goes.
    Conn(u64),
    /// That a connection is alive: pings and pongs.
    Beat(u64),
    /// A client's way to its gateways.
    Link,
}

/// What a text frame is about; whatever else it says is read nowhere here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Head {
    /// Its name.
    pub event: String,
    /// The log it belongs to.
    pub thread_id: Option<String>,
    /// The turn that it is.
    pub message_id: Option<String>,
    /// The turn that it belongs to.
    pub in_reply_to: Option<String>,
    /// Its place in the log.
    pub seq: Option<u64>,
}

impl Head {
    /// What a frame is about, if it is text and one of ours.
    pub(super) fn of(frame: &Wire) -> Option<Self> {
        match frame {
            Wire::Text(text) => serde_json::from_str(text).ok(),
            Wire::Binary(_) | Wire::Control(_) | Wire::Close { .. } => None,
        }
    }

    pub(super) fn turn(&self) -> Option<&str> {
        self.in_reply_to.as_deref().or(self.message_id.as_deref())
    }
}

/// Events by their place in the trace, in order.
pub(super) type Strand = Vec<usize>;

/// A trace, sorted by what its events are about.
#[derive(Debug, Default)]
pub(super) struct Topics {
    /// For each event.
    pub of: Vec<Option<Topic>>,
    strands: BTreeMap<(Host, Topic), Strand>,
    /// Who has connected to whom.
    ends: BTreeMap<u64, [Host; 2]>,
    /// The turn that each frame of a log belongs to.
    pub frames: BTreeMap<(String, u64), String>,
    /// The conversation of each turn, and who said it.
    pub turns: BTreeMap<String, (String, Host)>,
    /// Everybody to whom something happened.
    pub hosts: BTreeSet<Host>,
    /// The turn that is asked about on a connection to an agent.
    asked: BTreeMap<u64, String>,
}

impl Topics {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut topics = Self::default();
        for (place, event) in trace.events.iter().enumerate() {
            topics.note(event);
            let topic = topics.topic(event);
            if let Some(topic) = &topic {
                topics.strand_mut(&event.host, topic).push(place);
            }
            let is_way = matches!(event.host, Host::Client(_)) && is_link(&event.what);
            if is_way && topic != Some(Topic::Link) {
                topics.strand_mut(&event.host, &Topic::Link).push(place);
            }
            topics.of.push(topic);
        }
        topics
    }

    fn strand_mut(&mut self, host: &Host, topic: &Topic) -> &mut Strand {
        self.strands.entry((host.clone(), topic.clone())).or_default()
    }

    /// What happened to a host about a topic up to an event, by the places in the trace.
    pub(super) fn strand(&self, host: &Host, topic: &Topic, to: usize) -> &[usize] {
        let strand = self.strands.get(&(host.clone(), topic.clone()));
        let strand = strand.map_or(&[][..], Vec::as_slice);
        strand.split_at(strand.partition_point(|place| *place <= to)).0
    }

    /// The other end of a connection.
    pub(super) fn peer(&self, conn: u64, host: &Host) -> Option<&Host> {
        self.ends.get(&conn)?.iter().find(|end| *end != host)
    }

    /// Remembers what later events refer to.
    fn note(&mut self, event: &Event) {
        self.hosts.insert(event.host.clone());
        if let What::Connected { conn, to } = &event.what {
            self.ends.insert(*conn, [event.host.clone(), to.clone()]);
        }
        if let What::Asked { conn, request } = &event.what {
            self.asked.insert(*conn, request.message_id.to_string());
        }
        if let What::Said { message_id, thread, .. } = &event.what {
            let by = (thread.to_string(), event.host.clone());
            self.turns.insert(message_id.to_string(), by);
        }
        if let What::Log { thread, frames } = &event.what {
            for frame in frames {
                let place = (thread.to_string(), frame.seq);
                self.frames.insert(place, frame.in_reply_to.to_string());
            }
        }
    }

    fn topic(&self, event: &Event) -> Option<Topic> {
        let turn = |id: &str| Some(Topic::Turn(id.to_owned()));
        match &event.what {
            What::Said { message_id, .. }
            | What::Acked { message_id, .. }
            | What::GivenUp { message_id, .. } => turn(message_id.as_str()),
            What::Typing { in_reply_to } => turn(in_reply_to.as_str()),
            What::Shown { frame } => turn(frame.in_reply_to.as_str()),
            What::Asked { request, .. } => turn(request.message_id.as_str()),
            What::Answered { conn, .. } => turn(self.asked.get(conn)?),
            What::Received { conn, frame } => Some(about(*conn, frame)),
            What::Connected { conn, .. }
            | What::Refused { conn, .. }
            | What::Ended { conn, .. }
            | What::Left { conn } => Some(Topic::Conn(*conn)),
            What::Dialled { .. }
            | What::NotConnected { .. }
            | What::Link { .. }
            | What::Looked
            | What::ViewReset => Some(Topic::Link),
            What::Started
            | What::Stopped { .. }
            | What::Died { .. }
            | What::Injected { .. }
            | What::Healed { .. }
            | What::ScriptDone
            | What::Log { .. }
            | What::TimedOut { .. } => None,
        }
    }
}

/// What a frame on a connection is about.
fn about(conn: u64, frame: &Wire) -> Topic {
    let head = Head::of(frame).unwrap_or_default();
    match (head.turn(), head.event.as_str(), frame) {
        (Some(turn), _, _) => Topic::Turn(turn.to_owned()),
        (None, "ping" | "pong", _) | (None, _, Wire::Control(_)) => Topic::Beat(conn),
        (None, _, _) => Topic::Conn(conn),
    }
}

/// Whether it belongs to the way of a client to its gateways.
fn is_link(what: &What) -> bool {
    matches!(
        what,
        What::Dialled { .. }
            | What::Connected { .. }
            | What::NotConnected { .. }
            | What::Refused { .. }
            | What::Ended { .. }
            | What::Link { .. }
            | What::ViewReset
    )
}
