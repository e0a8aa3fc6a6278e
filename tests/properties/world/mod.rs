//! A plausible shell and gateway around one client machine, which judge every step. They answer what the
//! machine asks for, well or badly, and repeat old answers; they know the invariants and no policy.

use super::bench::{client, turn};
use assistant::client::{Client, Input, Kept, Output, State};
use assistant::config::client::ClientPolicy;
use assistant::contract::close::{Verdict, verdict};
use assistant::contract::frame::LogBody;
use assistant::contract::id::MessageId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

mod fair;
mod gateway;
mod judge;
mod script;

pub(crate) use script::{Act, Dial, Gateway, Token, acts};

/// The invariants that a script breaks, each with its circumstances; at the end the world turns fair.
pub(crate) fn violations(policy: &ClientPolicy, script: &[Act]) -> Vec<String> {
    let mut world = World::new(policy);
    world.act(&Act::App(Input::Connect));
    script.iter().for_each(|act| world.act(act));
    world.turn_fair();
    world.violations
}

/// Where the one socket of the shell stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Socket {
    Dialling,
    Open(Talk),
}

/// What the gateway knows of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Talk {
    /// How much of the log it has sent.
    next: usize,
    /// The last advice that makes sense, milliseconds.
    advice: Option<(u64, u64)>,
    /// The turns that came and were not answered.
    in_flight: BTreeSet<MessageId>,
}

/// What the app and the gateway's last word forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ban {
    None,
    Closed,
    Never,
}

pub(crate) struct World {
    policy: ClientPolicy,
    client: Client,
    instances: u64,
    now: Duration,
    generation: u64,
    refreshing: BTreeSet<u64>,
    sockets: BTreeMap<u64, Socket>,
    /// Tokens granted, and how many there were when the last attempt ended.
    tokens: u64,
    stale_tokens: u64,
    begun_at: Option<Duration>,
    offline: bool,
    inbox: VecDeque<MessageId>,
    epoch: u64,
    log: Vec<LogBody>,
    accepted: Vec<MessageId>,
    said: usize,
    settled: BTreeSet<MessageId>,
    /// How often the gateway closed while it had a turn in hand.
    closed_at: BTreeMap<MessageId, u32>,
    /// The code of the last end of an open socket.
    last_end: Option<u16>,
    ban: Ban,
    shown: Vec<usize>,
    shown_epoch: u64,
    violations: Vec<String>,
    pub(crate) reached: BTreeSet<&'static str>,
}

impl World {
    pub(crate) fn new(policy: &ClientPolicy) -> Self {
        Self {
            policy: policy.clone(),
            client: client(policy, 1),
            instances: 1,
            now: Duration::ZERO,
            generation: 0,
            refreshing: BTreeSet::new(),
            sockets: BTreeMap::new(),
            tokens: 0,
            stale_tokens: 0,
            begun_at: None,
            offline: false,
            inbox: VecDeque::new(),
            epoch: 1,
            log: Vec::new(),
            accepted: Vec::new(),
            said: 0,
            settled: BTreeSet::new(),
            closed_at: BTreeMap::new(),
            last_end: None,
            ban: Ban::None,
            shown: Vec::new(),
            shown_epoch: 0,
            violations: Vec::new(),
            reached: BTreeSet::new(),
        }
    }

    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::App(input) => self.step(input),
            Act::Say => {
                self.said += 1;
                self.say(self.said);
            }
            Act::SayAgain(at) => {
                let open: Vec<usize> =
                    (1..=self.said).filter(|turn_| !self.settled.contains(&turn(*turn_))).collect();
                if !open.is_empty() {
                    self.say(open[at.index(open.len())]);
                }
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
                    let input = self.answer(*token, generation);
                    self.step(&input);
                }
            }
            Act::Recreate => self.recreate(),
            Act::Restart => self.restart(),
            Act::Stale(kind, at) => self.stale(*kind, *at),
            Act::Dial(dial) => self.dialled(*dial),
            Act::Gateway(act) => self.served(act),
        }
    }

    fn say(&mut self, number: usize) {
        let (message_id, text) = (turn(number), "hello".to_owned());
        self.step(&Input::Send { message_id, text });
    }

    fn wake(&mut self) {
        if let Some(due) = self.client.deadline() {
            self.now = self.now.max(due);
            self.step(&Input::Wake);
        }
    }

    fn answer(&mut self, token: Token, generation: u64) -> Input {
        match token {
            Token::Refuse => Input::TokenRefused { generation },
            Token::Unreachable => Input::TokenUnreachable { generation },
            Token::Grant => {
                self.tokens += 1;
                let (token, expires_in) = (format!("t{}", self.tokens), Duration::from_secs(60));
                Input::TokenGranted { generation, token, expires_in }
            }
        }
    }

    /// The store was lost; every connection is told by its end.
    fn recreate(&mut self) {
        self.epoch += 1;
        self.log.clear();
        self.accepted.clear();
        self.act(&Act::Gateway(Gateway::End(None)));
    }

    /// The app ends without a word, and starts again with what was written down.
    fn restart(&mut self) {
        self.reached.insert("Restart");
        self.nothing_vanished();
        let json = serde_json::to_string(&self.client.kept()).unwrap();
        let kept: Kept = serde_json::from_str(&json).unwrap();
        self.instances += 1;
        self.client = client(&self.policy, self.instances);
        self.generation = kept.attempts;
        self.client.restore(kept);
        self.refreshing.clear();
        self.sockets.clear();
        self.inbox.clear();
        (self.begun_at, self.offline) = (None, false);
        (self.ban, self.last_end) = (Ban::None, None);
        self.stale_tokens = self.tokens;
        self.step(&Input::Connect);
    }

    fn step(&mut self, input: &Input) {
        self.heed(input);
        let before = (self.client.state(), self.client.rum().attempts);
        if ends_an_attempt(input) {
            self.stale_tokens = self.tokens;
        }
        let mut out = Vec::new();
        self.client.step(self.now, input.clone(), &mut out);
        self.begun(input, before);
        self.judge(&out);
    }

    /// What an input forbids or allows from now on.
    fn heed(&mut self, input: &Input) {
        match input {
            Input::Connect => self.ban = Ban::None,
            Input::Close => self.ban = Ban::Closed,
            Input::Offline => self.offline = true,
            Input::Online => self.offline = false,
            Input::SocketRejected { status, .. } if *status == 404 => self.ban = Ban::Never,
            Input::SocketClosed { code: Some(code), .. } if verdict(*code) == Verdict::Never => {
                self.ban = Ban::Never;
            }
            Input::Visible
            | Input::Send { .. }
            | Input::Wake
            | Input::TokenGranted { .. }
            | Input::TokenRefused { .. }
            | Input::TokenUnreachable { .. }
            | Input::SocketOpened { .. }
            | Input::SocketRejected { .. }
            | Input::SocketFailed { .. }
            | Input::Frame { .. }
            | Input::Alive { .. }
            | Input::SocketClosed { .. } => {}
        }
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
            Output::Open { generation, token } => self.dial(*generation, token),
            Output::Transmit { generation, frame } => self.receive(*generation, frame),
            Output::CloseSocket { generation, code } => {
                if *code != 1000 && !(3000..=4999).contains(code) {
                    self.broken("CC-NO-ILLEGAL-SEND", &code.to_string());
                }
                self.forget(*generation);
            }
            Output::AbortSocket { generation } => self.forget(*generation),
            Output::Show(frame) => self.show(frame),
            Output::Typing { .. } => {}
            Output::Acked { message_id, .. } => self.settle(message_id, "Acked"),
            Output::Failed { message_id, .. } => self.settle(message_id, "Failed"),
            Output::StateChanged(state) => self.changed(*state),
            Output::ResumeRestarted => {
                self.reached.insert("ResumeRestarted");
                self.shown.clear();
            }
        }
    }

    fn dial(&mut self, generation: u64, token: &str) {
        self.generation = self.generation.max(generation);
        if !self.sockets.is_empty() {
            self.broken("SW-ONE", &format!("{:?} and {generation}", self.sockets));
        }
        let number: u64 = token[1..].parse().unwrap_or_default();
        if number <= self.stale_tokens || number != self.tokens {
            self.broken("AU-FRESH", &format!("{token} of {}", self.tokens));
        }
        self.sockets.insert(generation, Socket::Dialling);
    }

    fn forget(&mut self, generation: u64) {
        self.refreshing.remove(&generation);
        self.stale_tokens = self.tokens;
        if self.sockets.remove(&generation).is_some() {
            self.inbox.clear();
        }
    }

    fn settle(&mut self, message_id: &MessageId, how: &'static str) {
        self.reached.insert(how);
        if !self.settled.insert(message_id.clone()) {
            self.broken("AK-ONCE", &format!("{message_id} is {how}, and was settled before"));
        }
    }

    fn state(&self) -> State {
        self.client.state()
    }
}

/// Whether an attempt or a connection is over with this input, so that its token is too.
fn ends_an_attempt(input: &Input) -> bool {
    matches!(
        input,
        Input::SocketClosed { .. }
            | Input::SocketFailed { .. }
            | Input::SocketRejected { .. }
            | Input::TokenRefused { .. }
            | Input::TokenUnreachable { .. }
    )
}
