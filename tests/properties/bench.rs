//! One client on a bench: every answer is the one that the attempt under way waits for.

use assistant::client::{Client, Input, Output, State};
use assistant::config::client::ClientPolicy;
use assistant::contract::id::{ClientId, MessageId, ThreadId};
use proptest::prelude::ProptestConfig;
use proptest::test_runner::{FileFailurePersistence, RngSeed};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// So many cases, always the same ones unless the environment names a seed.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let path = "tests/proptest-regressions.txt";
    let default = ProptestConfig::default();
    let asked = default.cases != 256;
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    ProptestConfig {
        cases: if asked { default.cases } else { cases },
        rng_seed,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(path))),
        ..default
    }
}

pub(crate) fn client(policy: &ClientPolicy, seed: u64) -> Client {
    let client_id = ClientId::new("c").unwrap();
    Client::new(policy.clone(), client_id, thread(), ChaCha8Rng::seed_from_u64(seed))
}

pub(crate) fn thread() -> ThreadId {
    ThreadId::new("t").unwrap()
}

pub(crate) fn turn(number: usize) -> MessageId {
    MessageId::new(format!("m{number}")).unwrap()
}

/// A `welcome` with this heartbeat, milliseconds, and the limits that the gateway ships.
pub(crate) fn welcome(heartbeat_ms: u64) -> String {
    format!(
        r#"{{"event":"welcome","connection_id":"k","heartbeat_ms":{heartbeat_ms},"limits":{{"message_bytes_max":65536,"text_chars_max":4000,"frames_burst_max":40,"frames_per_second_max":20}}}}"#
    )
}

pub(crate) fn advice(min_ms: u64, max_ms: u64) -> String {
    format!(r#"{{"event":"reconnect_advice","why":"drain","min_ms":{min_ms},"max_ms":{max_ms}}}"#)
}

/// The default with one rule changed.
pub(crate) fn off(change: fn(&mut ClientPolicy)) -> ClientPolicy {
    let mut policy = ClientPolicy::default();
    change(&mut policy);
    policy
}

/// A client, the time, and what it asked for last.
pub(crate) struct Bench {
    pub(crate) client: Client,
    pub(crate) now: Duration,
    pub(crate) generation: u64,
    tokens: u64,
    /// What was asked for in the last step.
    pub(crate) out: Vec<Output>,
}

impl Bench {
    pub(crate) fn new(policy: &ClientPolicy, seed: u64) -> Self {
        Self {
            client: client(policy, seed),
            now: Duration::ZERO,
            generation: 0,
            tokens: 0,
            out: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.client.state()
    }

    pub(crate) fn step(&mut self, input: Input) {
        self.out.clear();
        self.client.step(self.now, input, &mut self.out);
        for output in &self.out {
            if let Output::Refresh { generation } | Output::Open { generation, .. } = output {
                self.generation = *generation;
            }
        }
    }

    pub(crate) fn pass(&mut self, length: Duration) {
        self.now += length;
    }

    /// Goes to the deadline; false if there is none.
    pub(crate) fn wake(&mut self) -> bool {
        let Some(due) = self.client.deadline() else {
            return false;
        };
        self.now = self.now.max(due);
        self.step(Input::Wake);
        true
    }

    pub(crate) fn grant(&mut self) {
        self.tokens += 1;
        let (generation, token) = (self.generation, format!("t{}", self.tokens));
        self.step(Input::TokenGranted { generation, token, expires_in: SECOND });
    }

    pub(crate) fn opened(&mut self) {
        self.step(Input::SocketOpened { generation: self.generation });
    }

    pub(crate) fn frame(&mut self, text: String) {
        self.step(Input::Frame { generation: self.generation, text });
    }

    pub(crate) fn alive(&mut self) {
        self.step(Input::Alive { generation: self.generation });
    }

    pub(crate) fn ends(&mut self, code: Option<u16>) {
        self.step(Input::SocketClosed { generation: self.generation, code });
    }

    pub(crate) fn rejected(&mut self, status: u16, retry_after: Option<Duration>) {
        let generation = self.generation;
        self.step(Input::SocketRejected { generation, status, retry_after });
    }

    pub(crate) fn failed(&mut self) {
        self.step(Input::SocketFailed { generation: self.generation });
    }

    pub(crate) fn say(&mut self, number: usize) {
        let (message_id, text) = (turn(number), "hello".to_owned());
        self.step(Input::Send { message_id, text });
    }

    /// Waits until an attempt begins, and lets it get to an open socket.
    pub(crate) fn open(&mut self) {
        if let State::Waiting { .. } = self.state() {
            self.wake();
        }
        if let State::Refreshing { .. } = self.state() {
            self.grant();
        }
        self.opened();
    }

    /// As [`Bench::open`], and welcomed.
    pub(crate) fn up(&mut self) {
        self.open();
        self.frame(welcome(25_000));
        assert_eq!(self.state(), State::Connected);
    }

    /// Asked to connect, and welcomed.
    pub(crate) fn connected(policy: &ClientPolicy, seed: u64) -> Self {
        let mut bench = Self::new(policy, seed);
        bench.step(Input::Connect);
        bench.up();
        bench
    }
}
