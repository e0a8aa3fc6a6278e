//! Conversations as text: what happens to a connection and what it says, in one column.
//!
//! A line `120 say m1` is an input at 120 ms; the lines `- ...` after it are the outputs it must have.
//! `9000 pass` lets the time go by until then, with a wake at every deadline; its outputs tell their time.
//! The peer takes every frame at once, until `120 stall`.

use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::contract::frame::{ClientFrame, LogBody, LogFrame, Meta, PROTOCOL, ServerFrame};
use crate::contract::id::{ClientId, ConnectionId, Cursor, MessageId, ThreadId, TraceId, UserId};
use crate::contract::thread::{Accepted, Refused, TailLine, ThreadHead};
use crate::gateway::machine::Connection;
use crate::gateway::port::{CallFailure, Input, Output, Visitor};
use std::time::Duration;

/// The one thread of these tests.
pub(super) const THREAD: &str = "t";

/// A connection whose token is good for `token`.
pub(super) fn connection(config: &GatewayConfig, token: Duration) -> Connection {
    let visitor = Visitor {
        user: UserId::new("u").unwrap(),
        connection_id: ConnectionId::new("c").unwrap(),
        expires: token,
        phase: Duration::ZERO,
    };
    Connection::new(config.clone(), visitor, Duration::ZERO)
}

pub(super) fn hello(protocol: u32, cursor: Cursor) -> Input {
    let (client_id, thread_id) = (ClientId::new("k").unwrap(), ThreadId::new(THREAD).unwrap());
    Input::Frame(ClientFrame::Hello { protocol, client_id, attempt: None, thread_id, cursor })
}

pub(super) fn say(id: &str, text: String) -> Input {
    Input::Frame(ClientFrame::UserMessage { message_id: MessageId::new(id).unwrap(), text })
}

pub(super) fn head(epoch: u64, head: u64) -> ThreadHead {
    ThreadHead { thread_id: ThreadId::new(THREAD).unwrap(), epoch, head, claim: 0 }
}

pub(super) fn accepted(id: &str, seq: u64) -> Accepted {
    Accepted { message_id: MessageId::new(id).unwrap(), seq }
}

pub(super) fn line(epoch: u64, seq: u64) -> TailLine {
    let message_id = MessageId::new(format!("m{seq}")).unwrap();
    TailLine::Frame(LogFrame {
        thread_id: ThreadId::new(THREAD).unwrap(),
        epoch,
        seq,
        in_reply_to: message_id.clone(),
        meta: Meta { trace: TraceId::new(format!("{epoch}-{seq}")).unwrap() },
        body: LogBody::UserTurn { message_id, text: String::new() },
    })
}

/// Runs the inputs of `script` and compares the whole text.
pub(super) fn check(script: &str) {
    check_with(script, Duration::from_secs(3_600), &GatewayConfig::default());
}

/// As [`check`], with a token that is good for `token` and another configuration.
pub(super) fn check_with(script: &str, token: Duration, config: &GatewayConfig) {
    let lines = || script.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut talk = Talk { machine: connection(config, token), stalled: false, told: Vec::new() };
    for input in lines().filter(|line| !line.starts_with('-')) {
        talk.told.push(input.to_owned());
        let (at, what) = input.split_once(' ').unwrap();
        let at = Duration::from_millis(at.parse().unwrap());
        match what {
            "pass" => talk.pass(at),
            "stall" => talk.stalled = true,
            _ => talk.step(at, read(what), ""),
        }
    }
    let expected: Vec<&str> = lines().collect();
    assert_eq!(talk.told.join("\n"), expected.join("\n"));
}

struct Talk {
    machine: Connection,
    stalled: bool,
    told: Vec<String>,
}

impl Talk {
    fn step(&mut self, at: Duration, input: Input, time: &str) {
        let mut out = Vec::new();
        self.machine.step(at, input, &mut out);
        self.told.extend(out.iter().map(|output| format!("- {time}{}", text(output))));
        if !self.stalled {
            let before = out.len();
            self.machine.step(at, Input::Wrote { waiting: 0 }, &mut out);
            assert_eq!(out.len(), before, "a peer that reads is no reason to speak");
        }
    }

    fn pass(&mut self, until: Duration) {
        while let Some(at) = self.machine.deadline().filter(|at| *at <= until) {
            self.step(at, Input::Wake, &format!("{} ", at.as_millis()));
            assert_ne!(self.machine.deadline(), Some(at), "a wake that does not move the deadline");
        }
    }
}

fn pair(text: &str) -> (u64, u64) {
    let (a, b) = text.split_once('/').unwrap();
    (a.parse().unwrap(), b.parse().unwrap())
}

fn failure(text: &str) -> Option<CallFailure> {
    let failures = [
        ("away", CallFailure::Away),
        ("not_owner", CallFailure::Refused(Refused::NotOwner)),
        ("no_thread", CallFailure::Refused(Refused::NoThread)),
        ("store", CallFailure::Refused(Refused::Store)),
    ];
    failures.into_iter().find(|(name, _failure)| *name == text).map(|(_name, failure)| failure)
}

/// An input from its words.
fn read(what: &str) -> Input {
    let words: Vec<&str> = what.split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    let cursor = |text| {
        let (epoch, seq) = pair(text);
        Cursor { epoch, seq }
    };
    match words[0] {
        "hello" => hello(PROTOCOL, cursor(words[1])),
        "hello_of_protocol" => hello(u32::try_from(number(1)).unwrap(), Cursor::default()),
        "say" => say(words[1], "hi".to_owned()),
        "say_chars" => say("long", "ä".repeat(usize::try_from(number(1)).unwrap())),
        "pong" => Input::Frame(ClientFrame::Pong { n: number(1) }),
        "auth" => Input::Frame(ClientFrame::Auth { token: words[1].to_owned() }),
        "catchup" => Input::Frame(ClientFrame::Catchup { after: number(1) }),
        "control" => Input::Control,
        "binary" => Input::Broken(CloseReason::Binary),
        "opened" => Input::Opened(failure(words[1]).map_or_else(
            || {
                let (epoch, last) = pair(words[1]);
                let claim = words.get(2).map_or(0, |claim| claim.parse().unwrap());
                Ok(ThreadHead { claim, ..head(epoch, last) })
            },
            Err,
        )),
        "submitted" => Input::Submitted(
            failure(words[1]).map_or_else(|| Ok(accepted(words[1], number(2))), Err),
        ),
        "frame" => {
            let (epoch, seq) = pair(words[1]);
            Input::Line(line(epoch, seq))
        }
        "level" => Input::Line(TailLine::Level { head: number(1) }),
        "ended" => Input::TailEnded,
        "good_until" => Input::Reauthorized(Some(Duration::from_millis(number(1)))),
        "bad_token" => Input::Reauthorized(None),
        "wrote" => Input::Wrote { waiting: usize::try_from(number(1)).unwrap() },
        "overspent" => Input::Overspent,
        "revoked" => Input::Revoked,
        "superseded" => Input::Line(TailLine::Superseded {}),
        "drain" => Input::Drain { after: Duration::from_millis(number(1)) },
        other => panic!("no input is called {other}"),
    }
}

/// An output in a few words.
pub(super) fn text(output: &Output) -> String {
    match output {
        Output::Open { thread, user, caller: _ } => format!("open {thread} {user}"),
        Output::Submit { thread, turn } => format!("submit {thread} {}", turn.message_id),
        Output::Follow { thread, after, claim } if claim.number == 0 => {
            format!("follow {thread} {after}")
        }
        Output::Follow { thread, after, claim } => {
            format!("follow {thread} {after} as {}#{}", claim.client_id, claim.number)
        }
        Output::Answered(after) => format!("answered {}", after.as_millis()),
        Output::Reauthorize { token } => format!("reauthorize {token}"),
        Output::Close(reason) => format!("close {} {}", reason.code(), reason.text()),
        Output::Send(frame) => match frame {
            ServerFrame::Welcome { connection_id, .. } => format!("welcome {connection_id}"),
            ServerFrame::Resumed { from, to, recovered } => {
                format!("resumed {from}..{to} {recovered}")
            }
            ServerFrame::ResumeFailed { why, head, epoch } => {
                format!("resume_failed {why:?} {epoch}/{head}")
            }
            ServerFrame::Ack { message_id, seq } => format!("ack {message_id} {seq}"),
            ServerFrame::Typing { in_reply_to } => format!("typing {in_reply_to}"),
            ServerFrame::ReconnectAdvice { why, min_ms, max_ms } => {
                format!("advice {} {min_ms}..{max_ms}", why.as_str())
            }
            ServerFrame::Ping { n } => format!("ping {n}"),
            ServerFrame::Log(frame) => format!("log {}/{}", frame.epoch, frame.seq),
        },
    }
}
