//! One connection from its upgrade to its close. Pure: the shell reads, writes and keeps the clock.
//!
//! ```text
//! Greeting ──hello──▶ Opening ──head──▶ Joined ◀──▶ (the supervisor is away: calls are repeated)
//!    ▲                   │ cursor unusable │
//!    └───resume_failed───┘                 │
//! any state ──refusal, silence, drain──▶ Closing ──▶ the shell says goodbye
//! ```
//!
//! Joined follows the thread log from the client's cursor. `resumed` stands between the replayed frames
//! and the live ones; since the tail is one ordered stream, nothing can fall between.

use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::contract::frame::{
    AdviceReason, ClientFrame, Limits, LogFrame, PROTOCOL, ResumeFailure, ServerFrame,
};
use crate::contract::id::{ConnectionId, Cursor, MessageId, ThreadId, UserId};
use crate::contract::thread::{Accepted, Refused, SubmitTurn, TailLine, ThreadHead};
use std::collections::VecDeque;
use std::time::Duration;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// The subject of the token.
    pub(super) user: UserId,
    /// Names the connection in logs.
    pub(super) connection_id: ConnectionId,
    /// When the token ends, on the machine's clock.
    pub(super) expires: Duration,
}

/// What happens to a connection.
#[derive(Debug)]
pub(super) enum Input {
    /// A frame of the client.
    Frame(ClientFrame),
    /// A pong or ping of the WebSocket protocol.
    Control,
    /// The peer sent something that is no frame.
    Broken(CloseReason),
    /// The supervisor opened the thread, or would not.
    Opened(Result<ThreadHead, CallFailure>),
    /// The supervisor took the turn, or would not.
    Submitted(Result<Accepted, CallFailure>),
    /// A line of the tail.
    Line(TailLine),
    /// The tail ended.
    TailEnded,
    /// The token in an `auth` frame was good until then, or was not.
    Reauthorized(Option<Duration>),
    /// The gateway is to stop, this connection after that delay.
    Drain {
        /// How long the connection may still live.
        after: Duration,
    },
    /// The deadline passed.
    Wake,
}

/// Why a call to the supervisor brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// It said no.
    Refused(Refused),
    /// It did not answer.
    Away,
}

/// What is to be done for a connection.
#[derive(Debug, PartialEq)]
pub(super) enum Output {
    /// Write this frame.
    Send(ServerFrame),
    /// Ask the supervisor for the thread.
    Open { thread: ThreadId, user: UserId },
    /// Give the supervisor a turn.
    Submit { thread: ThreadId, turn: SubmitTurn },
    /// Read the log from here, instead of from where it was read so far.
    Follow { thread: ThreadId, after: u64 },
    /// Check this token; it must be about the same user.
    Reauthorize { token: String },
    /// Write a close frame and end. The last thing a connection says.
    Close(CloseReason),
}

#[derive(Debug)]
enum Phase {
    Greeting,
    Opening { thread: ThreadId, cursor: Cursor },
    Joined(Joined),
    Closing,
}

#[derive(Debug)]
struct Joined {
    thread: ThreadId,
    /// The log that the client's cursor is about.
    epoch: u64,
    /// The last frame sent to the client.
    sent: u64,
    /// Where the client wants to go on and how far the replay reaches, until `resumed` has been said.
    resuming: Option<(u64, u64)>,
}

/// What the supervisor is asked again after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Open,
    Submit,
    Follow,
}

#[derive(Debug, Clone, Copy)]
struct Retry {
    call: Call,
    at: Duration,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    config: GatewayConfig,
    visitor: Visitor,
    phase: Phase,
    /// Turns that have no ack yet. Once joined, the first is with the supervisor; those that were said
    /// right behind the hello wait for that.
    turns: VecDeque<SubmitTurn>,
    /// When a hello is overdue.
    hello_by: Duration,
    /// The last ping and whether it was answered.
    ping: Ping,
    /// Calls to repeat, at most one of a kind.
    retries: Vec<Retry>,
    /// Since when the supervisor has not answered.
    away_since: Option<Duration>,
    pauses: u32,
    drain_at: Option<Duration>,
    warned_of_expiry: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ping {
    n: u64,
    next: Duration,
    answer_by: Option<Duration>,
}

impl Connection {
    /// A connection that was upgraded at `now`.
    pub(super) fn new(config: GatewayConfig, visitor: Visitor, now: Duration) -> Self {
        let ping = Ping { n: 0, next: now + config.heartbeat, answer_by: None };
        Self {
            hello_by: now + config.hello_timeout,
            config,
            visitor,
            phase: Phase::Greeting,
            turns: VecDeque::new(),
            ping,
            retries: Vec::new(),
            away_since: None,
            pauses: 0,
            drain_at: None,
            warned_of_expiry: false,
        }
    }

    /// When to step with [`Input::Wake`].
    pub(super) fn deadline(&self) -> Option<Duration> {
        let hello = match self.phase {
            Phase::Greeting | Phase::Opening { .. } => Some(self.hello_by),
            Phase::Joined(_) => None,
            Phase::Closing => return None,
        };
        let expiry = self.advise_at().unwrap_or(self.visitor.expires);
        let timers =
            [hello, self.ping.answer_by, self.drain_at, Some(self.ping.next), Some(expiry)];
        timers.into_iter().flatten().chain(self.retries.iter().map(|retry| retry.at)).min()
    }

    /// Takes one input at `now`.
    pub(super) fn step(&mut self, now: Duration, input: Input, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Closing) {
            return;
        }
        match input {
            Input::Frame(frame) => {
                self.heard(now);
                self.frame(frame, out);
            }
            Input::Control => self.heard(now),
            Input::Broken(reason) => self.close(reason, out),
            Input::Opened(result) => self.opened(now, result, out),
            Input::Submitted(result) => self.submitted(now, result, out),
            Input::Line(TailLine::Frame(frame)) => self.forward(now, frame, out),
            Input::Line(TailLine::Beat { .. }) => self.supervisor_is_back(),
            Input::Line(TailLine::Superseded {}) => self.close(CloseReason::Superseded, out),
            Input::TailEnded => self.repeat(now, Call::Follow, out),
            Input::Reauthorized(Some(expires)) => {
                self.visitor.expires = expires;
                // One that is about to end from its start would be told, and replaced, without a pause.
                self.warned_of_expiry = expires.saturating_sub(now) <= self.config.expiry_notice;
            }
            Input::Reauthorized(None) => self.close(CloseReason::TokenExpired, out),
            Input::Drain { after } => {
                self.drain_at.get_or_insert(now + after);
            }
            Input::Wake => self.wake(now, out),
        }
    }

    fn heard(&mut self, now: Duration) {
        self.ping.answer_by = None;
        self.ping.next = now + self.config.heartbeat;
    }

    fn close(&mut self, reason: CloseReason, out: &mut Vec<Output>) {
        self.phase = Phase::Closing;
        out.push(Output::Close(reason));
    }

    /// Says when to come back, then closes.
    fn send_away(&mut self, reason: CloseReason, why: AdviceReason, out: &mut Vec<Output>) {
        let (min_ms, max_ms) = match reason == CloseReason::Drain {
            true => (0, 1_000),
            false => (1_000, 5_000),
        };
        out.push(Output::Send(ServerFrame::ReconnectAdvice { why, min_ms, max_ms }));
        self.close(reason, out);
    }

    fn frame(&mut self, frame: ClientFrame, out: &mut Vec<Output>) {
        match (&mut self.phase, frame) {
            (Phase::Greeting, ClientFrame::Hello { protocol, thread_id, cursor, .. }) => {
                if protocol != PROTOCOL {
                    return self.close(CloseReason::BadRequest, out);
                }
                let user = self.visitor.user.clone();
                out.push(Output::Open { thread: thread_id.clone(), user });
                self.phase = Phase::Opening { thread: thread_id, cursor };
            }
            (
                Phase::Opening { .. } | Phase::Joined(_),
                ClientFrame::UserMessage { message_id, text },
            ) => {
                self.said(message_id, text, out);
            }
            (Phase::Joined(joined), ClientFrame::Catchup { after }) => {
                let after = after.min(joined.sent);
                // A replay that still runs keeps its end: `resumed` must not be said before it.
                let to = joined.resuming.map_or(joined.sent, |(_from, to)| to.max(joined.sent));
                joined.resuming = Some((after, to));
                joined.sent = after;
                let thread = joined.thread.clone();
                out.push(Output::Follow { thread, after });
                joined.say_resumed(out);
            }
            (
                Phase::Joined(_) | Phase::Greeting | Phase::Opening { .. },
                ClientFrame::Pong { .. },
            ) => {}
            (Phase::Joined(_), ClientFrame::Auth { token }) => {
                out.push(Output::Reauthorize { token });
            }
            // A second hello, or anything before the thread is open.
            (Phase::Greeting | Phase::Opening { .. } | Phase::Joined(_) | Phase::Closing, _) => {
                self.close(CloseReason::BadRequest, out);
            }
        }
    }

    fn said(&mut self, message_id: MessageId, text: String, out: &mut Vec<Output>) {
        if text.chars().count() > self.config.text_chars_max {
            return self.close(CloseReason::BadRequest, out);
        }
        if self.turns.len() >= self.config.turns_waiting_max {
            return self.send_away(CloseReason::RateLimited, AdviceReason::Rate, out);
        }
        self.turns.push_back(SubmitTurn { user: self.visitor.user.clone(), message_id, text });
        if self.turns.len() == 1 {
            self.call(Call::Submit, out);
        }
    }

    fn opened(
        &mut self,
        now: Duration,
        result: Result<ThreadHead, CallFailure>,
        out: &mut Vec<Output>,
    ) {
        let Phase::Opening { thread, cursor } = &self.phase else {
            return;
        };
        let (thread, cursor) = (thread.clone(), *cursor);
        let log = match result {
            Ok(log) => log,
            Err(failure) => return self.call_failed(now, Call::Open, failure, out),
        };
        self.supervisor_is_back();
        let why = if cursor.epoch == 0 && cursor.seq == 0 {
            None
        } else if cursor.epoch != log.epoch {
            Some(ResumeFailure::Epoch)
        } else {
            (cursor.seq > log.head).then_some(ResumeFailure::Ahead)
        };
        if let Some(why) = why {
            self.phase = Phase::Greeting;
            self.hello_by = now + self.config.hello_timeout;
            let (head, epoch) = (log.head, log.epoch);
            return out.push(Output::Send(ServerFrame::ResumeFailed { why, head, epoch }));
        }
        out.push(Output::Send(ServerFrame::Welcome {
            connection_id: self.visitor.connection_id.clone(),
            heartbeat_ms: millis(self.config.heartbeat),
            limits: Limits {
                message_bytes_max: count(self.config.message_bytes_max),
                text_chars_max: count(self.config.text_chars_max),
                frames_burst_max: self.config.frames_burst_max,
                frames_per_second_max: self.config.frames_per_second_max,
            },
        }));
        let mut joined = Joined {
            thread: thread.clone(),
            epoch: log.epoch,
            sent: cursor.seq,
            resuming: Some((cursor.seq, log.head)),
        };
        joined.say_resumed(out);
        self.phase = Phase::Joined(joined);
        out.push(Output::Follow { thread, after: cursor.seq });
        self.call(Call::Submit, out);
    }

    fn submitted(
        &mut self,
        now: Duration,
        result: Result<Accepted, CallFailure>,
        out: &mut Vec<Output>,
    ) {
        match result {
            Ok(Accepted { message_id, seq }) => {
                self.turns.pop_front();
                let in_reply_to = message_id.clone();
                out.push(Output::Send(ServerFrame::Ack { message_id, seq }));
                out.push(Output::Send(ServerFrame::Typing { in_reply_to }));
                self.supervisor_is_back();
                self.call(Call::Submit, out);
            }
            Err(failure) => self.call_failed(now, Call::Submit, failure, out),
        }
    }

    fn forward(&mut self, now: Duration, frame: LogFrame, out: &mut Vec<Output>) {
        let Phase::Joined(joined) = &mut self.phase else {
            return;
        };
        // The store was replaced by another: only a new hello can find out what that means.
        if frame.epoch != joined.epoch {
            return self.send_away(CloseReason::Drain, AdviceReason::Drain, out);
        }
        if frame.seq > joined.sent.saturating_add(1) {
            // A hole is never passed on. What follows it is not read: the log is asked for again.
            let planned = self.retries.iter().any(|retry| retry.call == Call::Follow);
            if !planned {
                self.repeat(now, Call::Follow, out);
            }
            return;
        }
        if frame.seq > joined.sent {
            joined.sent = frame.seq;
            out.push(Output::Send(ServerFrame::Log(frame)));
            joined.say_resumed(out);
        }
        self.supervisor_is_back();
    }

    fn call_failed(
        &mut self,
        now: Duration,
        call: Call,
        failure: CallFailure,
        out: &mut Vec<Output>,
    ) {
        match failure {
            CallFailure::Refused(Refused::NotOwner) => self.close(CloseReason::Forbidden, out),
            // The store was replaced by an empty one: only a new hello can open the thread again.
            CallFailure::Refused(Refused::NoThread) => {
                self.send_away(CloseReason::Drain, AdviceReason::Drain, out);
            }
            CallFailure::Refused(Refused::Store) | CallFailure::Away => self.repeat(now, call, out),
        }
    }

    /// Plans to call again, or gives up once the supervisor has been away for too long.
    fn repeat(&mut self, now: Duration, call: Call, out: &mut Vec<Output>) {
        let since = *self.away_since.get_or_insert(now);
        if now.saturating_sub(since) >= self.config.supervisor_patience {
            return self.send_away(CloseReason::Overload, AdviceReason::Overload, out);
        }
        let doubled = self.config.supervisor_pause.saturating_mul(1 << self.pauses.min(16));
        let at = now + doubled.min(self.config.supervisor_pause_max);
        self.pauses = self.pauses.saturating_add(1);
        self.retries.retain(|retry| retry.call != call);
        self.retries.push(Retry { call, at });
    }

    fn supervisor_is_back(&mut self) {
        self.away_since = None;
        self.pauses = 0;
    }

    fn call(&self, call: Call, out: &mut Vec<Output>) {
        match (&self.phase, call) {
            (Phase::Opening { thread, .. }, Call::Open) => {
                let user = self.visitor.user.clone();
                out.push(Output::Open { thread: thread.clone(), user });
            }
            (Phase::Joined(joined), Call::Submit) => {
                let turn = self.turns.front().cloned();
                let thread = joined.thread.clone();
                out.extend(turn.map(|turn| Output::Submit { thread, turn }));
            }
            (Phase::Joined(joined), Call::Follow) => {
                out.push(Output::Follow { thread: joined.thread.clone(), after: joined.sent });
            }
            // A call that its phase has no use for any more.
            (Phase::Greeting | Phase::Opening { .. } | Phase::Joined(_) | Phase::Closing, _) => {}
        }
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<Output>) {
        let passed = |at: Duration| at <= now;
        let waiting_for_hello = matches!(self.phase, Phase::Greeting | Phase::Opening { .. });
        if self.drain_at.is_some_and(passed) {
            return self.send_away(CloseReason::Drain, AdviceReason::Drain, out);
        }
        if (waiting_for_hello && passed(self.hello_by)) || self.ping.answer_by.is_some_and(passed) {
            return self.close(CloseReason::Timeout, out);
        }
        if passed(self.visitor.expires) {
            return self.close(CloseReason::TokenExpired, out);
        }
        if self.advise_at().is_some_and(passed) {
            self.warned_of_expiry = true;
            let why = AdviceReason::Auth;
            out.push(Output::Send(ServerFrame::ReconnectAdvice { why, min_ms: 0, max_ms: 1_000 }));
        }
        if passed(self.ping.next) {
            self.ping.n += 1;
            self.ping.next = now + self.config.heartbeat;
            self.ping.answer_by.get_or_insert(now + self.config.pong_timeout);
            out.push(Output::Send(ServerFrame::Ping { n: self.ping.n }));
        }
        let (due, later) = self.retries.iter().copied().partition(|retry| passed(retry.at));
        self.retries = later;
        let due: Vec<Retry> = due;
        for retry in due {
            self.call(retry.call, out);
        }
    }

    /// When the client is told that its token is about to end: once, and not before the welcome, since
    /// it could not answer with `auth` yet.
    fn advise_at(&self) -> Option<Duration> {
        let due = matches!(self.phase, Phase::Joined(_)) && !self.warned_of_expiry;
        due.then(|| self.visitor.expires.saturating_sub(self.config.expiry_notice))
    }
}

impl Joined {
    /// Says `resumed` once everything up to the head of the hello has been sent.
    fn say_resumed(&mut self, out: &mut Vec<Output>) {
        if let Some((from, to)) = self.resuming.filter(|(_from, to)| self.sent >= *to) {
            self.resuming = None;
            out.push(Output::Send(ServerFrame::Resumed { from, to, recovered: true }));
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
