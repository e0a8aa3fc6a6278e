//! A plausible shell and gateway around one client machine, which judge every step. They answer what the
//! machine asks for, well or badly, and repeat old answers; they know the invariants and no policy.

use assistant::client::{Client, Input, Output, State};
use assistant::config::client::ClientPolicy;
use assistant::contract::agent::Intent;
use assistant::contract::close::{Verdict, verdict};
use assistant::contract::frame::{AgentName, ClientFrame, LogBody, LogFrame, Meta, ServerFrame};
use assistant::contract::id::{ClientId, MessageId, ThreadId, TraceId};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

mod judge;
mod script;

pub(crate) use script::{Act, Dial, Gateway, Token, acts};

pub(crate) fn client(policy: &ClientPolicy, seed: u64) -> Client {
    let client_id = ClientId::new("c").unwrap();
    Client::new(policy.clone(), client_id, thread(), ChaCha8Rng::seed_from_u64(seed))
}

/// The invariants that a script breaks, each with its circumstances.
pub(crate) fn violations(policy: &ClientPolicy, script: &[Act]) -> Vec<String> {
    let mut world = World::new(policy);
    world.act(&Act::App(Input::Connect));
    script.iter().for_each(|act| world.act(act));
    world.violations
}

pub(crate) fn welcome() -> String {
    r#"{"event":"welcome","connection_id":"k","heartbeat_ms":25000,
        "limits":{"message_bytes_max":65536,"text_chars_max":4000}}"#
        .to_owned()
}

fn thread() -> ThreadId {
    ThreadId::new("t").unwrap()
}

fn turn(number: usize) -> MessageId {
    MessageId::new(format!("m{number}")).unwrap()
}

/// Where the one socket of the shell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Socket {
    Dialling,
    Open { next: usize },
}

/// What the app and the gateway's last word forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ban {
    None,
    Closed,
    Never,
}

pub(crate) struct World {
    client: Client,
    now: Duration,
    generation: u64,
    refreshing: BTreeSet<u64>,
    sockets: BTreeMap<u64, Socket>,
    inbox: VecDeque<MessageId>,
    epoch: u64,
    log: Vec<LogBody>,
    accepted: Vec<MessageId>,
    said: usize,
    settled: BTreeSet<MessageId>,
    ban: Ban,
    pub(crate) shown: Vec<usize>,
    pub(crate) violations: Vec<String>,
    pub(crate) reached: BTreeSet<&'static str>,
}

impl World {
    pub(crate) fn new(policy: &ClientPolicy) -> Self {
        Self {
            client: client(policy, 1),
            now: Duration::ZERO,
            generation: 0,
            refreshing: BTreeSet::new(),
            sockets: BTreeMap::new(),
            inbox: VecDeque::new(),
            epoch: 1,
            log: Vec::new(),
            accepted: Vec::new(),
            said: 0,
            settled: BTreeSet::new(),
            ban: Ban::None,
            shown: Vec::new(),
            violations: Vec::new(),
            reached: BTreeSet::new(),
        }
    }

    /// The log grows by so many frames of other people.
    pub(crate) fn append(&mut self, frames: usize) {
        let body = LogBody::Message {
            agent: AgentName::General,
            intent: Intent::Greeting,
            text: "hi".to_owned(),
        };
        self.log.extend(std::iter::repeat_n(body, frames));
    }

    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::App(input) => self.step(input),
            Act::Say => {
                self.said += 1;
                let (message_id, text) = (turn(self.said), "hello".to_owned());
                self.step(&Input::Send { message_id, text });
            }
            Act::Wake => self.wake(),
            Act::Pass(millis) => {
                self.now += Duration::from_millis(*millis);
                if self.client.deadline().is_some_and(|due| due <= self.now) {
                    self.step(&Input::Wake);
                }
            }
            Act::Token(token) => {
                if let Some(generation) = self.refreshing.pop_first() {
                    self.step(&answer(*token, generation));
                }
            }
            Act::Recreate => self.recreate(),
            Act::Stale(kind, at) => self.stale(*kind, *at),
            Act::Dial(dial) => self.dialled(*dial),
            Act::Gateway(act) => self.served(act),
        }
    }

    /// The gateway answers the upgrade.
    fn dialled(&mut self, dial: Dial) {
        let Some((&generation, Socket::Dialling)) = self.sockets.iter().next_back() else {
            return;
        };
        self.sockets.remove(&generation);
        match dial {
            Dial::Opened => {
                self.sockets.insert(generation, Socket::Open { next: 0 });
                self.step(&Input::SocketOpened { generation });
            }
            Dial::Rejected(status, after) => {
                let (status, retry_after) = (status, after.map(Duration::from_secs));
                self.step(&Input::SocketRejected { generation, status, retry_after });
            }
            Dial::Failed => self.step(&Input::SocketFailed { generation }),
        }
    }

    /// The gateway does something on an open socket.
    fn served(&mut self, act: &Gateway) {
        let Some((&generation, &Socket::Open { next })) = self.sockets.iter().next_back() else {
            return;
        };
        match act {
            Gateway::Welcome => self.serve(welcome()),
            Gateway::Accept => self.accept(),
            Gateway::Next if next < self.log.len() => {
                self.sockets.insert(generation, Socket::Open { next: next + 1 });
                self.deliver(next + 1);
            }
            Gateway::Any(at) if !self.log.is_empty() => self.deliver(at.index(self.log.len()) + 1),
            Gateway::Say(text) => self.serve(text.clone()),
            Gateway::End(code) => {
                self.sockets.remove(&generation);
                self.inbox.clear();
                if code.is_some_and(|code| verdict(code) == Verdict::Never) {
                    self.ban = Ban::Never;
                }
                self.step(&Input::SocketClosed { generation, code: *code });
            }
            Gateway::Next | Gateway::Any(_) => {}
        }
    }

    fn wake(&mut self) {
        if let Some(due) = self.client.deadline() {
            self.now = self.now.max(due);
            self.step(&Input::Wake);
        }
    }

    /// The server sends this frame of its log.
    pub(crate) fn deliver(&mut self, seq: usize) {
        let body = self.log[seq - 1].clone();
        let in_reply_to = match &body {
            LogBody::UserTurn { message_id, .. } => message_id.clone(),
            LogBody::Recommendations { .. } | LogBody::Message { .. } | LogBody::Error { .. } => {
                turn(0)
            }
        };
        let trace = TraceId::new(format!("x{}-{seq}", self.epoch)).unwrap();
        let (thread_id, epoch, seq) = (thread(), self.epoch, u64::try_from(seq).unwrap());
        let meta = Meta { trace };
        let frame = LogFrame { thread_id, epoch, seq, in_reply_to, meta, body };
        self.serve(serde_json::to_string(&ServerFrame::Log(frame)).unwrap());
    }

    fn serve(&mut self, text: String) {
        if let Some((&generation, Socket::Open { .. })) = self.sockets.iter().next_back() {
            self.step(&Input::Frame { generation, text });
        }
    }

    fn accept(&mut self) {
        let Some(message_id) = self.inbox.pop_front() else {
            return;
        };
        if !self.accepted.contains(&message_id) {
            self.accepted.push(message_id.clone());
            let number = |id: &MessageId| id.as_str()[1..].parse::<usize>().unwrap();
            if !self.accepted.is_sorted_by_key(number) {
                self.broken("AK-FIFO", &format!("{:?}", self.accepted));
            }
            self.log.push(LogBody::UserTurn { message_id, text: "hello".to_owned() });
            self.append(1);
        }
    }

    /// The store was lost; every connection is told by its end.
    fn recreate(&mut self) {
        self.epoch += 1;
        self.log.clear();
        self.accepted.clear();
        self.act(&Act::Gateway(Gateway::End(None)));
    }

    fn step(&mut self, input: &Input) {
        if *input == Input::Connect {
            self.ban = Ban::None;
        }
        if *input == Input::Close {
            self.ban = Ban::Closed;
        }
        let parked = matches!(self.client.state(), State::Parked { .. });
        let wakes =
            matches!(input, Input::Connect | Input::Online | Input::Visible | Input::Send { .. });
        let mut out = Vec::new();
        let attempts = self.client.rum().attempts;
        self.client.step(self.now, input.clone(), &mut out);
        let begun = self.client.rum().attempts - attempts;
        if begun > 1 || (parked && !wakes && begun > 0) {
            self.broken("BO-PARK", &format!("{input:?} began {begun} attempts"));
        }
        self.judge(&out);
    }

    fn carry_out(&mut self, output: &Output) {
        match output {
            Output::Refresh { generation } => {
                self.generation = self.generation.max(*generation);
                if !self.refreshing.is_empty() {
                    self.broken("AU-SINGLE-FLIGHT", &format!("{:?}", self.refreshing));
                }
                self.refreshing.insert(*generation);
            }
            Output::Open { generation, .. } => {
                self.generation = self.generation.max(*generation);
                if !self.sockets.is_empty() {
                    self.broken("SW-ONE", &format!("{:?} and {generation}", self.sockets));
                }
                self.sockets.insert(*generation, Socket::Dialling);
            }
            Output::Transmit { generation, frame } => self.receive(*generation, frame),
            Output::CloseSocket { generation, .. } | Output::AbortSocket { generation } => {
                self.refreshing.remove(generation);
                if self.sockets.remove(generation).is_some() {
                    self.inbox.clear();
                }
            }
            Output::Show(frame) => self.show(frame),
            Output::Typing { .. } => {}
            Output::Acked { message_id, .. } | Output::Failed { message_id, .. } => {
                self.reached.insert("Acked");
                if !self.settled.insert(message_id.clone()) {
                    self.broken("AK-ONCE", message_id.as_str());
                }
            }
            Output::StateChanged(state) => self.changed(*state),
            Output::ResumeRestarted => {
                self.reached.insert("ResumeRestarted");
                self.shown.clear();
            }
        }
    }

    /// What the gateway makes of a frame.
    fn receive(&mut self, generation: u64, frame: &ClientFrame) {
        if !matches!(self.sockets.get(&generation), Some(Socket::Open { .. })) {
            self.broken("SW-ONE", &format!("a frame on {generation}, which is not open"));
            return;
        }
        match frame {
            ClientFrame::Hello { cursor, .. } => {
                let next = usize::try_from(cursor.seq).unwrap();
                if cursor.epoch != 0 && cursor.epoch != self.epoch {
                    let (head, epoch) = (self.log.len(), self.epoch);
                    self.serve(welcome());
                    self.serve(format!(
                        r#"{{"event":"resume_failed","why":"epoch","head":{head},"epoch":{epoch}}}"#
                    ));
                } else {
                    self.sockets.insert(generation, Socket::Open { next });
                }
            }
            ClientFrame::UserMessage { message_id, .. } => {
                self.inbox.push_back(message_id.clone());
            }
            ClientFrame::Catchup { after } => {
                self.reached.insert("Catchup");
                let next = usize::try_from(*after).unwrap();
                self.sockets.insert(generation, Socket::Open { next });
            }
            ClientFrame::Auth { .. } => {
                self.reached.insert("Auth");
            }
            ClientFrame::Pong { .. } => {}
        }
    }
}

fn answer(token: Token, generation: u64) -> Input {
    match token {
        Token::Refuse => Input::TokenRefused { generation },
        Token::Unreachable => Input::TokenUnreachable { generation },
        Token::Grant => {
            let (token, expires_in) = ("t".to_owned(), Duration::from_secs(60));
            Input::TokenGranted { generation, token, expires_in }
        }
    }
}
