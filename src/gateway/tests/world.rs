//! A plausible shell and supervisor around the machine, and a judge of what the machine says.
//!
//! The judge sees inputs and outputs only. Each broken invariant becomes a line that begins with its name.

use super::script::{accepted, connection, head, hello, line, say, text};
use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::contract::frame::{ClientFrame, LogFrame, PROTOCOL, ServerFrame};
use crate::contract::id::Cursor;
use crate::contract::thread::{Refused, TailLine, ThreadHead};
use crate::gateway::machine::Connection;
use crate::gateway::port::{CallFailure, Input, Output};
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// How the supervisor answers a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    Well,
    Badly(CallFailure),
}

/// Something that happens. What cannot happen now is passed over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// A hello with a cursor so far behind the head, or beyond it.
    Hello(i8),
    HelloOfAnotherEpoch,
    Say,
    SayTooMuch,
    Catchup(u64),
    Pong,
    Auth,
    Binary,
    Opened(Answer),
    Submitted(Answer),
    /// The log grows.
    Append(u64),
    /// The tail brings its next frame.
    Next,
    /// The tail brings a frame again.
    Again(u64),
    /// The tail leaves some frames out.
    Skip(u64),
    Foreign,
    Level,
    Ended,
    Reauthorized(Option<u64>),
    Drain(u64),
    /// The peer stops to read.
    Stall,
    /// It reads on.
    Flow,
    /// A newer connection of the client has taken over.
    Overtaken,
    Revoked,
    Pass(u64),
}

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let failure = prop_oneof![
        6 => Just(CallFailure::Away),
        1 => Just(CallFailure::Refused(Refused::NotOwner)),
        1 => Just(CallFailure::Refused(Refused::NoThread)),
        2 => Just(CallFailure::Refused(Refused::Store)),
    ];
    let answer = prop_oneof![3 => Just(Answer::Well), 1 => failure.prop_map(Answer::Badly)];
    // Often a little longer than the notice of a token's end, so that the notice comes.
    let good_for = prop_oneof![3 => 30_000..33_000_u64, 1 => 0..60_000_u64];
    let quiet = prop_oneof![
        8 => (0..6_u64).prop_map(Act::Append),
        20 => Just(Act::Next),
        3 => (0..4_u64).prop_map(Act::Again),
        2 => Just(Act::Level),
        6 => Just(Act::Say),
        4 => (0..20_u64).prop_map(Act::Catchup),
        3 => Just(Act::Pong),
        8 => (0..2_000_u64).prop_map(Act::Pass),
    ];
    let wild = prop_oneof![
        4 => (-2..10_i8).prop_map(Act::Hello),
        1 => Just(Act::HelloOfAnotherEpoch),
        1 => Just(Act::SayTooMuch),
        2 => Just(Act::Auth),
        1 => Just(Act::Binary),
        2 => (1..4_u64).prop_map(Act::Skip),
        1 => Just(Act::Foreign),
        6 => Just(Act::Ended),
        2 => prop::option::weighted(0.8, good_for).prop_map(Act::Reauthorized),
        1 => (0..3_000_u64).prop_map(Act::Drain),
        1 => Just(Act::Stall),
        1 => Just(Act::Flow),
        1 => Just(Act::Overtaken),
        1 => Just(Act::Revoked),
        4 => (0..30_000_u64).prop_map(Act::Pass),
    ];
    let act = prop_oneof![
        12 => quiet,
        2 => wild,
        4 => answer.clone().prop_map(Act::Opened),
        4 => answer.prop_map(Act::Submitted),
    ];
    let begin = prop_oneof![
        6 => (0..8_u64, -2..8_i8).prop_map(|(length, behind)| {
            vec![Act::Append(length), Act::Hello(behind), Act::Opened(Answer::Well)]
        }),
        1 => Just(vec![Act::HelloOfAnotherEpoch, Act::Opened(Answer::Well)]),
        1 => Just(vec![]),
    ];
    (begin, prop::collection::vec(act, 0..120)).prop_map(|(begin, rest)| [begin, rest].concat())
}

/// Changes what the machine says before it is judged, as a broken machine would.
pub(super) type Doctor = fn(&mut Vec<Output>);

/// What became of a script.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Broken invariants.
    pub(super) broken: Vec<String>,
    /// What was said at least once, without its numbers, and situations worth a name.
    pub(super) seen: BTreeSet<String>,
}

pub(super) fn run(script: &[Act], doctor: Doctor) -> Verdict {
    let config = GatewayConfig {
        turns_waiting_max: 2,
        supervisor_patience: Duration::from_secs(1),
        ..GatewayConfig::default()
    };
    let machine = connection(&config, Duration::from_secs(90));
    let mut world = World {
        machine,
        now: Duration::ZERO,
        length: 0,
        tail: None,
        opening: false,
        submitting: VecDeque::new(),
        stalled: false,
        said: 0,
        doctor,
        judge: Judge::default(),
    };
    for act in script {
        world.happen(*act);
    }
    world.judge.verdict
}

const EPOCH: u64 = 7;

struct World {
    machine: Connection,
    now: Duration,
    length: u64,
    /// The last frame the tail brought.
    tail: Option<u64>,
    opening: bool,
    submitting: VecDeque<String>,
    stalled: bool,
    said: u64,
    doctor: Doctor,
    judge: Judge,
}

impl World {
    fn happen(&mut self, act: Act) {
        if let Act::Pass(ms) = act {
            return self.pass(self.now + Duration::from_millis(ms));
        }
        if let Some(input) = self.input(act) {
            self.step(input);
        }
    }

    fn pass(&mut self, until: Duration) {
        while let Some(at) = self.machine.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.step(Input::Wake);
            if self.machine.deadline().is_some_and(|next| next <= self.now) {
                return self.judge.blame("DEADLINE", "a wake leaves its deadline where it was");
            }
        }
        self.now = until;
    }

    fn input(&mut self, act: Act) -> Option<Input> {
        match act {
            Act::Append(frames) => {
                self.length += frames;
                None
            }
            Act::Pass(_) => None,
            Act::Opened(answer) => std::mem::take(&mut self.opening).then(|| {
                Input::Opened(match answer {
                    Answer::Well => Ok(head(EPOCH, self.length)),
                    Answer::Badly(failure) => Err(failure),
                })
            }),
            Act::Submitted(answer) => self.submitting.pop_front().map(|id| {
                Input::Submitted(match answer {
                    Answer::Well => {
                        self.length += 1;
                        Ok(accepted(&id, self.length))
                    }
                    Answer::Badly(failure) => Err(failure),
                })
            }),
            Act::Next => self.bring(1, EPOCH),
            Act::Skip(frames) => self.bring(1 + frames, EPOCH),
            Act::Foreign => self.bring(1, EPOCH + 1),
            Act::Again(back) => {
                let seq = self.tail?.saturating_sub(back);
                (seq > 0).then(|| Input::Line(line(EPOCH, seq)))
            }
            Act::Level => self.tail.map(|_| Input::Line(TailLine::Level { head: self.length })),
            Act::Ended => self.tail.take().map(|_| Input::TailEnded),
            Act::Reauthorized(good) => {
                let until = good.map(|ms| self.now + Duration::from_millis(ms + 1));
                Some(Input::Reauthorized(until))
            }
            Act::Drain(ms) => Some(Input::Drain { after: Duration::from_millis(ms) }),
            Act::Stall | Act::Flow => {
                self.stalled = matches!(act, Act::Stall);
                let waiting = usize::from(self.stalled);
                Some(Input::Wrote { waiting })
            }
            Act::Overtaken => self.tail.map(|_| Input::Line(TailLine::Superseded {})),
            Act::Revoked => Some(Input::Revoked),
            Act::Binary => Some(Input::Broken(CloseReason::Binary)),
            Act::Hello(_)
            | Act::HelloOfAnotherEpoch
            | Act::Say
            | Act::SayTooMuch
            | Act::Catchup(_)
            | Act::Pong
            | Act::Auth => Some(self.client(act)),
        }
    }

    fn client(&mut self, act: Act) -> Input {
        self.said += 1;
        match act {
            Act::Hello(behind) => {
                let seq = self.length.saturating_add_signed(-i64::from(behind));
                hello(PROTOCOL, Cursor { epoch: if seq == 0 { 0 } else { EPOCH }, seq })
            }
            Act::HelloOfAnotherEpoch => hello(PROTOCOL, Cursor { epoch: 3, seq: 1 }),
            Act::SayTooMuch => say("long", "x".repeat(5_000)),
            Act::Catchup(after) => Input::Frame(ClientFrame::Catchup { after }),
            Act::Pong => Input::Frame(ClientFrame::Pong { n: 1 }),
            Act::Auth => Input::Frame(ClientFrame::Auth { token: "x".to_owned() }),
            Act::Say
            | Act::Binary
            | Act::Opened(_)
            | Act::Submitted(_)
            | Act::Append(_)
            | Act::Next
            | Act::Again(_)
            | Act::Skip(_)
            | Act::Foreign
            | Act::Level
            | Act::Ended
            | Act::Reauthorized(_)
            | Act::Drain(_)
            | Act::Stall
            | Act::Flow
            | Act::Overtaken
            | Act::Revoked
            | Act::Pass(_) => say(&format!("m{}", self.said), "hi".to_owned()),
        }
    }

    /// The tail moves on by some frames and brings the last of them.
    fn bring(&mut self, frames: u64, epoch: u64) -> Option<Input> {
        let seq = self.tail? + frames;
        (seq <= self.length).then(|| {
            self.tail = Some(seq);
            Input::Line(line(epoch, seq))
        })
    }

    fn step(&mut self, input: Input) {
        self.judge.hears(&input);
        let mut out = Vec::new();
        self.machine.step(self.now, input, &mut out);
        for output in &out {
            match output {
                Output::Open { .. } => self.opening = true,
                Output::Submit { turn, .. } => {
                    self.submitting.push_back(turn.message_id.to_string());
                }
                Output::Follow { after, .. } => self.tail = Some(*after),
                Output::Send(_)
                | Output::Reauthorize { .. }
                | Output::Answered(_)
                | Output::Close(_) => {}
            }
        }
        (self.doctor)(&mut out);
        for output in &out {
            self.judge.sees(output);
        }
        if !self.stalled {
            self.machine.step(self.now, Input::Wrote { waiting: 0 }, &mut out);
        }
        let open = self.machine.deadline().is_some();
        if open == self.judge.closed {
            self.judge.blame("DEADLINE", "only a closed connection has nothing to wait for");
        }
    }
}

#[derive(Debug, Default)]
struct Judge {
    closed: bool,
    cursor: Option<Cursor>,
    log: Option<ThreadHead>,
    /// The last frame sent, once welcomed.
    sent: Option<u64>,
    /// The `resumed` that is still to come.
    owed: Option<(u64, u64)>,
    waiting: VecDeque<String>,
    in_flight: bool,
    verdict: Verdict,
}

impl Judge {
    fn blame(&mut self, invariant: &str, what: &str) {
        self.verdict.broken.push(format!("{invariant}: {what}"));
    }

    fn hears(&mut self, input: &Input) {
        if self.closed {
            return;
        }
        match input {
            Input::Frame(ClientFrame::Hello { cursor, .. }) => self.cursor = Some(*cursor),
            Input::Frame(ClientFrame::UserMessage { message_id, .. }) => {
                self.waiting.push_back(message_id.to_string());
            }
            Input::Frame(ClientFrame::Catchup { after }) => {
                let Some(sent) = self.sent else {
                    return;
                };
                if self.owed.is_some() {
                    self.verdict.seen.insert("a catchup during a replay".to_owned());
                }
                let to = self.owed.map_or(sent, |(_from, to)| to.max(sent));
                self.sent = Some(sent.min(*after));
                self.owed = Some((sent.min(*after), to));
            }
            Input::Opened(Ok(log)) => self.log = Some(log.clone()),
            Input::Submitted(Ok(_)) => {
                self.in_flight = false;
                self.waiting.pop_front();
            }
            Input::Submitted(Err(_)) => self.in_flight = false,
            Input::Line(TailLine::Frame(frame)) => self.hears_of(frame),
            Input::Frame(ClientFrame::Pong { .. } | ClientFrame::Auth { .. })
            | Input::Control
            | Input::Broken(_)
            | Input::Opened(Err(_))
            | Input::Line(TailLine::Level { .. } | TailLine::Superseded {})
            | Input::TailEnded
            | Input::Overspent
            | Input::Wrote { .. }
            | Input::Revoked
            | Input::Reauthorized(_)
            | Input::Drain { .. }
            | Input::Wake => {}
        }
    }

    fn hears_of(&mut self, frame: &LogFrame) {
        let expected = self.sent.map(|sent| sent + 1);
        let situation = match (frame.epoch == EPOCH, expected) {
            (false, _) => "a frame of another epoch",
            (true, Some(expected)) if frame.seq > expected => "a frame beyond a hole",
            (true, Some(expected)) if frame.seq < expected => "a frame again",
            (true, _) => return,
        };
        self.verdict.seen.insert(situation.to_owned());
    }

    fn sees(&mut self, output: &Output) {
        let words: Vec<String> = text(output).split(' ').map(str::to_owned).collect();
        let named = match output {
            Output::Close(_) => &words[..2],
            Output::Send(
                ServerFrame::ResumeFailed { .. } | ServerFrame::ReconnectAdvice { .. },
            ) => &words[..2],
            Output::Open { .. }
            | Output::Submit { .. }
            | Output::Follow { .. }
            | Output::Reauthorize { .. }
            | Output::Answered(_)
            | Output::Send(_) => &words[..1],
        };
        self.verdict.seen.insert(named.join(" "));
        if self.closed {
            self.blame("SILENT", &format!("{} after the close", words.join(" ")));
        }
        match output {
            Output::Close(_) => self.closed = true,
            Output::Submit { turn, .. } => self.sees_submit(turn.message_id.as_str()),
            Output::Follow { after, .. } if Some(*after) != self.sent => {
                self.blame("FOLLOW", &format!("after {after}, sent {:?}", self.sent));
            }
            Output::Send(frame) => self.sees_frame(frame),
            Output::Open { .. }
            | Output::Follow { .. }
            | Output::Answered(_)
            | Output::Reauthorize { .. } => {}
        }
    }

    fn sees_submit(&mut self, id: &str) {
        if self.in_flight {
            self.blame("AK-FIFO", "two turns in flight");
        }
        if self.waiting.front().is_none_or(|first| first != id) {
            self.blame("AK-FIFO", &format!("{id} is not the first of {:?}", self.waiting));
        }
        if self.waiting.len() > 1 {
            self.verdict.seen.insert("a turn with others behind it".to_owned());
        }
        self.in_flight = true;
    }

    fn sees_frame(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Welcome { .. } => self.sees_welcome(),
            ServerFrame::Resumed { from, to, .. } => {
                if self.owed != Some((*from, *to)) || self.sent != Some(*to) {
                    let (owed, sent) = (self.owed, self.sent);
                    let what = format!("resumed {from}..{to}, owed {owed:?}, sent {sent:?}");
                    self.blame("RC-ALL-OR-NOTHING", &what);
                }
                if from < to {
                    self.verdict.seen.insert("a replay of some frames".to_owned());
                }
                self.owed = None;
            }
            ServerFrame::Log(frame) => {
                if self.log.as_ref().map(|log| log.epoch) != Some(frame.epoch) {
                    self.blame("RC-EPOCH", &format!("a frame of epoch {}", frame.epoch));
                }
                if self.sent.map(|sent| sent + 1) != Some(frame.seq) {
                    let what = format!("{} after {:?}", frame.seq, self.sent);
                    self.blame("RC-ALL-OR-NOTHING", &what);
                }
                if self.owed.is_some_and(|(_from, to)| frame.seq > to) {
                    self.blame("RC-ALL-OR-NOTHING", "a live frame before resumed");
                }
                self.sent = Some(frame.seq);
            }
            ServerFrame::ResumeFailed { .. } => self.cursor = None,
            ServerFrame::Ack { .. }
            | ServerFrame::Typing { .. }
            | ServerFrame::ReconnectAdvice { .. }
            | ServerFrame::Ping { .. } => {}
        }
    }

    fn sees_welcome(&mut self) {
        let Some((cursor, log)) = self.cursor.zip(self.log.clone()) else {
            return self.blame("RC-EPOCH", "a welcome without hello and head");
        };
        let fresh = cursor == Cursor::default();
        if !fresh && (cursor.epoch != log.epoch || cursor.seq > log.head) {
            self.blame("RC-EPOCH", &format!("{cursor:?} was welcomed to {log:?}"));
        }
        self.sent = Some(cursor.seq);
        self.owed = Some((cursor.seq, log.head));
    }
}
