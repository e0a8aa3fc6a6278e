//! The machine, case by case: a script of inputs on the left, what it asks for on the right.

use super::machine::Client;
use super::port::{Input, Output};
use crate::config::client::ClientPolicy;
use crate::contract::frame::ClientFrame;
use crate::contract::id::{ClientId, MessageId, ThreadId};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::time::Duration;

mod delivery;
mod link;

/// A client under a script: a line is `seconds input`, or `wake` for "at the deadline".
struct Stage {
    client: Client,
    now: Duration,
}

impl Stage {
    fn new(policy: ClientPolicy) -> Self {
        let client_id = ClientId::new("c").unwrap();
        let thread_id = ThreadId::new("t").unwrap();
        let rng = ChaCha8Rng::seed_from_u64(1);
        let client = Client::new(policy, client_id, thread_id, rng);
        Self { client, now: Duration::ZERO }
    }

    fn play(&mut self, script: &str) -> String {
        let mut told = String::new();
        for line in script.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
            let mut out = Vec::new();
            let input = self.input(line);
            self.client.step(self.now, input, &mut out);
            told.extend(out.iter().map(|output| format!("{} ", tell(output))));
        }
        told.trim_end().to_owned()
    }

    fn input(&mut self, line: &str) -> Input {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let seconds = || Duration::from_secs(rest.parse().unwrap());
        let generation = self.client.generation;
        match verb {
            "connect" => Input::Connect,
            "close" => Input::Close,
            "online" => Input::Online,
            "offline" => Input::Offline,
            "visible" => Input::Visible,
            "send" => Input::Send { message_id: id(rest), text: "hello".to_owned() },
            "wake" => {
                self.now = self.now.max(self.client.deadline().expect("a timer"));
                Input::Wake
            }
            "late" => {
                self.now += seconds();
                Input::Wake
            }
            "pass" => {
                self.now += seconds();
                Input::Alive { generation }
            }
            answer => self.answer(answer, rest),
        }
    }

    /// An answer of the token service or the gateway to the attempt under way.
    fn answer(&self, verb: &str, rest: &str) -> Input {
        let generation = self.client.generation;
        let frame = |text: String| Input::Frame { generation, text };
        match verb {
            "token" => {
                let (token, expires_in) = (rest.to_owned(), Duration::from_secs(60));
                Input::TokenGranted { generation, token, expires_in }
            }
            "revoked" => Input::TokenRefused { generation },
            "unreachable" => Input::TokenUnreachable { generation },
            "opened" => Input::SocketOpened { generation },
            "failed" => Input::SocketFailed { generation },
            "status" => {
                let mut numbers = rest.split(' ').map(|number| number.parse::<u16>().unwrap());
                let status = numbers.next().unwrap();
                let retry_after = numbers.next().map(|seconds| Duration::from_secs(seconds.into()));
                Input::SocketRejected { generation, status, retry_after }
            }
            "closed" => Input::SocketClosed { generation, code: rest.parse().ok() },
            "frame" => frame(rest.to_owned()),
            "welcome" => frame(WELCOME.to_owned()),
            "log" => {
                let (seq, event) = rest.split_once(' ').unwrap();
                frame(log(1, seq, event))
            }
            other => panic!("no such line: {other}"),
        }
    }
}

const WELCOME: &str = r#"{"event":"welcome","connection_id":"k","heartbeat_ms":25000,
    "limits":{"message_bytes_max":65536,"text_chars_max":4000}}"#;

/// `turn:m1` is the user's turn, `reply:m1` the final frame.
fn log(epoch: u64, seq: &str, event: &str) -> String {
    let (kind, turn) = event.split_once(':').unwrap();
    let body = match kind {
        "turn" => format!(r#""event":"user_turn","message_id":"{turn}","text":"hello""#),
        "reply" => r#""event":"message","agent":"general","intent":"greeting","text":"hi""#.into(),
        newer => format!(r#""event":"{newer}""#),
    };
    format!(
        r#"{{{body},"thread_id":"t","epoch":{epoch},"seq":{seq},"in_reply_to":"{turn}","meta":{{"trace":"x{seq}"}}}}"#
    )
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn tell(output: &Output) -> String {
    match output {
        Output::Refresh { generation } => format!("refresh#{generation}"),
        Output::Open { generation, token } => format!("open#{generation}({token})"),
        Output::Transmit { frame, .. } => match frame {
            ClientFrame::Hello { cursor, .. } => format!("hello@{}", cursor.seq),
            ClientFrame::UserMessage { message_id, .. } => format!("say({message_id})"),
            ClientFrame::Pong { n } => format!("pong({n})"),
            ClientFrame::Auth { token } => format!("auth({token})"),
            ClientFrame::Catchup { after } => format!("catchup@{after}"),
        },
        Output::CloseSocket { generation, code } => format!("bye#{generation}({code})"),
        Output::AbortSocket { generation } => format!("abort#{generation}"),
        Output::Show(frame) => format!("show@{}", frame.seq),
        Output::Typing { in_reply_to } => format!("typing({in_reply_to})"),
        Output::Acked { message_id, seq } => format!("acked({message_id}@{seq})"),
        Output::Failed { message_id, why } => format!("failed({message_id}:{why:?})"),
        Output::StateChanged(state) => {
            let state = format!("{state:?}");
            format!("={}", state.split(' ').next().unwrap())
        }
        Output::ResumeRestarted => "restarted".to_owned(),
    }
}

const UP: &str = "connect; token a; opened; welcome";

#[track_caller]
fn check(policy: ClientPolicy, before: &str, script: &str, expected: &str) {
    let mut stage = Stage::new(policy);
    stage.play(before);
    assert_eq!(stage.play(script), expected, "after `{before}`, `{script}`");
}

/// The default with one rule changed.
fn off(change: fn(&mut ClientPolicy)) -> ClientPolicy {
    let mut policy = ClientPolicy::default();
    change(&mut policy);
    policy
}
