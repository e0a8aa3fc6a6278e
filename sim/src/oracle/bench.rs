//! A healthy run made by hand, and the tools to sabotage it: every oracle must accept the one and refuse
//! the other.

use super::{Oracle, Violation};
use crate::scenario::{Armed, ClientSpec, Fault, Host, Pace, Scenario, Trigger, Turn, WorldSpec};
use crate::trace::{Event, Trace, What, Wire};
use assistant::contract::agent::{
    AGENT_CONTRACT, AgentRequest, AgentResponse, AgentState, Card, Change, Intent, ListingType,
    RelaxationNote, Status,
};
use assistant::contract::frame::{
    AgentName, ClientFrame, Limits, LogBody, LogFrame, Meta, PROTOCOL, ServerFrame,
};
use assistant::contract::id::Cursor;
use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    pub(crate) scenario: Scenario,
    pub(crate) trace: Trace,
}

/// An id of any kind.
pub(crate) fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// A client's host.
pub(crate) fn client(name: &str) -> Host {
    Host::Client(name.to_owned())
}

/// Whether the event is of this client.
pub(crate) fn by(event: &Event, name: &str) -> bool {
    event.host == client(name)
}

/// A frame of `t-1`.
pub(crate) fn frame(seq: u64, in_reply_to: &str, body: LogBody) -> LogFrame {
    LogFrame {
        thread_id: id("t-1"),
        epoch: 7,
        seq,
        in_reply_to: id(in_reply_to),
        meta: Meta { trace: id(&format!("f-{seq}")) },
        body,
    }
}

/// A turn of a user in the log.
pub(crate) fn user_turn(seq: u64, message_id: &str, text: &str) -> LogFrame {
    let body = LogBody::UserTurn { message_id: id(message_id), text: text.to_owned() };
    frame(seq, message_id, body)
}

/// A reply in the log.
pub(crate) fn message(seq: u64, in_reply_to: &str, text: &str) -> LogFrame {
    let body = LogBody::Message {
        agent: AgentName::RealEstate,
        intent: Intent::PropertySearch,
        text: text.to_owned(),
    };
    frame(seq, in_reply_to, body)
}

/// What the agent is asked about a turn of `t-1` when it has nothing to remember.
pub(crate) fn request(message_id: &str) -> AgentRequest {
    AgentRequest {
        version: AGENT_CONTRACT,
        thread_id: id("t-1"),
        message_id: id(message_id),
        text: "words".to_owned(),
        heard: vec![],
        today: "2026-03-02".to_owned(),
        state: AgentState::default(),
    }
}

/// Two listings in the log, found by stretching the price.
pub(crate) fn recommendations(seq: u64, in_reply_to: &str) -> LogFrame {
    let bungalow = Card {
        id: id("L-0007"),
        title: "Sellwood bungalow near the river".to_owned(),
        listing_type: ListingType::Buy,
        price: Some(385_000),
        beds: Some(2),
        baths: Some(1.5),
        sqft: Some(1_020),
        city: Some("Portland".to_owned()),
        state: None,
        address: None,
        phone: None,
        property_type: None,
        pets: None,
        parking: None,
        laundry: None,
        furnished: None,
        year_built: None,
        available: None,
        deposit: None,
        notes: vec![],
    };
    let flat = Card {
        id: id("L-0012"),
        title: "Flat above the bakery".to_owned(),
        price: Some(412_000),
        sqft: None,
        notes: vec!["pets not stated".to_owned()],
        ..bungalow.clone()
    };
    let body = LogBody::Recommendations {
        agent: AgentName::RealEstate,
        recommendations: vec![bungalow, flat],
        relaxation: Some(RelaxationNote {
            changes: vec![Change::PriceMax { from: 400_000, to: 412_000 }],
            count: 2,
        }),
    };
    frame(seq, in_reply_to, body)
}

/// What is said in [`healthy`]: id, text, place in the log.
const TURNS: [(&str, &str, u64); 3] = [
    ("m-1", "2 bed homes in Portland under $400k", 1),
    ("m-2", "Does the first have parking?", 4),
    ("m-3", "Thanks", 6),
];

/// Ana talks in three turns, ben is a second tab; her connection is cut, the supervisor crashes.
pub(crate) fn healthy() -> Bench {
    let log = vec![
        user_turn(1, "m-1", TURNS[0].1),
        recommendations(2, "m-1"),
        message(3, "m-1", "I found 2 homes."),
        user_turn(4, "m-2", TURNS[1].1),
        message(5, "m-2", "The listing does not say."),
        user_turn(6, "m-3", TURNS[2].1),
        message(7, "m-3", "You are welcome."),
    ];
    let mut run = Bench { scenario: scenario(), trace: Trace::default() };
    let hosts = [client("ana"), client("ben"), Host::Gateway(1), Host::Supervisor, Host::Agent];
    for host in &hosts {
        run.tell(host.clone(), What::Started);
    }
    run.join("ana", 1, 0);
    run.link("ana", "connected");
    run.join("ben", 2, 0);
    run.link("ben", "connected");
    for (turn, (message_id, text, seq)) in TURNS.into_iter().enumerate() {
        let conn = if turn == 0 { 1 } else { 3 };
        run.say("ana", turn, message_id, text);
        let text = text.to_owned();
        run.sends(conn, &ClientFrame::UserMessage { message_id: id(message_id), text });
        let (message_id, acked) = (id(message_id), seq);
        run.receives("ana", conn, &ServerFrame::Ack { message_id, seq });
        let message_id = id(TURNS[turn].0);
        run.tell(client("ana"), What::Acked { message_id, seq: acked });
        for frame in log.iter().filter(|f| f.in_reply_to.as_str() == TURNS[turn].0) {
            let conn = if frame.seq < 3 { 1 } else { 3 };
            for (name, conn) in [("ana", conn), ("ben", 2)] {
                run.receives(name, conn, &ServerFrame::Log(frame.clone()));
                run.show(name, frame);
            }
            if frame.seq == 2 {
                run.cut_and_crash();
            }
        }
    }
    run.tell(Host::World, What::ScriptDone);
    for host in &hosts {
        let what = What::Stopped { tasks: 0, sockets: 0 };
        run.tell(host.clone(), what);
    }
    let thread = id("t-1");
    let frames = log;
    run.tell(Host::World, What::Log { thread, frames });
    run
}

fn scenario() -> Scenario {
    let tab = |name: &str| ClientSpec::new(name, "u-1", "t-1");
    let turn = |(_, text, _): &(&str, &str, u64)| Turn {
        client: 0,
        text: (*text).to_owned(),
        pause: Duration::ZERO,
        faults: vec![],
    };
    let mut turns: Vec<Turn> = TURNS.iter().map(turn).collect();
    turns[0].faults = vec![
        Armed {
            at: Trigger::Frame { event: "recommendations".to_owned(), nth: 1 },
            fault: Fault::Cut { client: client("ana") },
        },
        Armed { at: Trigger::Elapsed(Duration::from_millis(150)), fault: crash() },
    ];
    Scenario {
        name: "reconnect-mid-reply".to_owned(),
        seed: 42,
        world: WorldSpec::default(),
        clients: vec![tab("ana"), tab("ben")],
        turns,
        pace: Pace::Together,
        faults: vec![],
    }
}

fn crash() -> Fault {
    Fault::Crash { host: Host::Supervisor, down: Duration::from_secs(2) }
}

impl Bench {
    /// Adds an event, a millisecond after the last.
    pub(crate) fn tell(&mut self, host: Host, what: What) {
        let at_us = self.trace.events.last().map_or(0, |last| last.at_us + 1_000);
        self.trace.events.push(Event { at_us, host, what });
    }

    /// The agent is asked.
    pub(crate) fn asks(&mut self, conn: u64, request: AgentRequest) {
        self.tell(Host::Agent, What::Asked { conn, request: Box::new(request) });
    }

    /// The agent answers, and is to remember a state.
    pub(crate) fn answers(&mut self, conn: u64, state: AgentState) {
        let response = AgentResponse {
            version: AGENT_CONTRACT,
            status: Status::Done,
            intent: Intent::PropertySearch,
            text: "I found 2 homes.".to_owned(),
            actions: vec![],
            refers_to: vec![],
            answers: vec![],
            state,
        };
        let response = Some(Box::new(response));
        self.tell(Host::Supervisor, What::Answered { conn, status: 200, response });
    }

    pub(crate) fn link(&mut self, name: &str, state: &str) {
        let state = state.to_owned();
        self.tell(client(name), What::Link { state });
    }

    pub(crate) fn say(&mut self, name: &str, turn: usize, message_id: &str, text: &str) {
        let what = What::Said {
            turn,
            message_id: id(message_id),
            thread: id("t-1"),
            text: text.to_owned(),
        };
        self.tell(client(name), what);
    }

    pub(crate) fn show(&mut self, name: &str, frame: &LogFrame) {
        let frame = Box::new(frame.clone());
        self.tell(client(name), What::Shown { frame });
    }

    pub(crate) fn give_up(&mut self, name: &str, message_id: &str) {
        let what = What::GivenUp { message_id: id(message_id), why: "expired".to_owned() };
        self.tell(client(name), what);
    }

    /// Adds an event that happens together with the last.
    pub(crate) fn also(&mut self, host: Host, what: What) {
        let at_us = self.trace.events.last().map_or(0, |last| last.at_us);
        self.trace.events.push(Event { at_us, host, what });
    }

    /// A client reads a frame.
    pub(crate) fn receives(&mut self, name: &str, conn: u64, frame: &ServerFrame) {
        let text = serde_json::to_string(frame).expect("frames have a JSON form");
        self.also(client(name), What::Received { conn, frame: Wire::Text(text) });
    }

    /// The first gateway reads a frame.
    pub(crate) fn sends(&mut self, conn: u64, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).expect("frames have a JSON form");
        self.also(Host::Gateway(1), What::Received { conn, frame: Wire::Text(text) });
    }

    /// A client reads a close frame.
    pub(crate) fn is_closed(&mut self, name: &str, conn: u64, code: u16, reason: &str) {
        let frame = Wire::Close { code: Some(code), reason: reason.to_owned() };
        self.also(client(name), What::Received { conn, frame });
    }

    /// A client is connected to the first gateway and welcomed; it has the log up to `seq`.
    pub(crate) fn join(&mut self, name: &str, conn: u64, seq: u64) {
        self.also(client(name), What::Connected { conn, to: Host::Gateway(1) });
        let cursor = Cursor { epoch: if seq == 0 { 0 } else { 7 }, seq };
        let (client_id, thread_id) = (id(name), id("t-1"));
        let (protocol, attempt) = (PROTOCOL, Some(conn));
        self.sends(conn, &ClientFrame::Hello { protocol, client_id, attempt, thread_id, cursor });
        let limits = Limits {
            message_bytes_max: 65_536,
            text_chars_max: 4_000,
            frames_burst_max: 40,
            frames_per_second_max: 20,
        };
        let connection_id = id(&format!("c-{conn}"));
        let heartbeat_ms = 25_000;
        self.receives(name, conn, &ServerFrame::Welcome { connection_id, heartbeat_ms, limits });
        self.receives(name, conn, &ServerFrame::Resumed { from: seq, to: seq, recovered: true });
    }

    /// Both faults of the first turn, from their beginning to their end.
    fn cut_and_crash(&mut self) {
        let cut = Fault::Cut { client: client("ana") };
        for (index, fault) in [cut, crash()].into_iter().enumerate() {
            let turn = Some(0);
            self.tell(Host::World, What::Injected { turn, index, fault });
        }
        self.also(client("ana"), What::Ended { conn: 1, how: "connection reset".to_owned() });
        self.link("ana", "waiting 3.2s (attempt 1)");
        self.tell(Host::Supervisor, What::Started);
        self.tell(Host::World, What::Healed { fault: crash() });
        self.join("ana", 3, 2);
        self.link("ana", "connected");
    }

    /// The client's view starts again, and everything it had shown is shown anew.
    pub(crate) fn replay(&mut self, name: &str) {
        let shown: Vec<Event> = self.trace.events.iter().filter(|e| by(e, name)).cloned().collect();
        self.tell(client(name), What::ViewReset);
        for event in shown {
            if matches!(event.what, What::Shown { .. }) {
                self.tell(event.host, event.what);
            }
        }
    }

    /// The log of `t-1`.
    pub(crate) fn log(&mut self) -> &mut Vec<LogFrame> {
        self.trace
            .events
            .iter_mut()
            .find_map(|event| {
                if let What::Log { frames, .. } = &mut event.what { Some(frames) } else { None }
            })
            .expect("the run has a log")
    }

    /// Changes events.
    pub(crate) fn edit(&mut self, change: impl Fn(&mut What)) {
        for event in &mut self.trace.events {
            change(&mut event.what);
        }
    }

    /// Removes events.
    pub(crate) fn forget(&mut self, which: impl Fn(&Event) -> bool) {
        let before = self.trace.events.len();
        self.trace.events.retain(|event| !which(event));
        assert!(self.trace.events.len() < before, "nothing was sabotaged");
    }

    /// Lets the first such event happen again, right after itself.
    pub(crate) fn repeat(&mut self, which: impl Fn(&Event) -> bool) {
        let place = self.trace.events.iter().position(which).expect("an event");
        let again = self.trace.events[place].clone();
        self.trace.events.insert(place + 1, again);
    }

    #[track_caller]
    pub(crate) fn accepted_by(&self, oracle: &Oracle) {
        let found: Vec<Violation> = (oracle.judge)(&self.scenario, &self.trace);
        assert_eq!(found, []);
    }

    #[track_caller]
    pub(crate) fn refused_by(&self, oracle: &Oracle, words: &str) {
        let found = (oracle.judge)(&self.scenario, &self.trace);
        assert!(
            found.iter().any(|violation| violation.what.contains(words)),
            "expected `{words}` among {found:#?}"
        );
        assert!(found.iter().all(|violation| violation.oracle == oracle.name));
    }
}
