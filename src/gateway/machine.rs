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
//! and the live ones; since the tail is one ordered stream, nothing can fall between. `calls` is the way to
//! the supervisor, `timers` what the time does.

use super::calls::{Call, Calls};
use super::limits::{Bucket, Empty};
use super::port::{CallFailure, Caller, Claim, Input, Output, Visitor};
use super::timers::Timers;
use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::contract::frame::{
    AdviceReason, ClientFrame, Limits, LogFrame, PROTOCOL, ResumeFailure, ServerFrame,
};
use crate::contract::id::{Cursor, MessageId, ThreadId};
use crate::contract::thread::{Accepted, SubmitTurn, TailLine, ThreadHead};
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug)]
pub(super) enum Phase {
    Greeting,
    Opening { thread: ThreadId, caller: Caller, cursor: Cursor },
    Joined(Joined),
    Closing,
}

#[derive(Debug)]
pub(super) struct Joined {
    pub(super) thread: ThreadId,
    claim: Claim,
    /// The log that the client's cursor is about.
    epoch: u64,
    /// The last frame sent to the client.
    sent: u64,
    /// Where the client wants to go on and how far the replay reaches, until `resumed` has been said.
    resuming: Option<(u64, u64)>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) config: GatewayConfig,
    pub(super) visitor: Visitor,
    pub(super) phase: Phase,
    /// Turns that have no ack yet. Once joined, the first is with the supervisor; those that were said
    /// right behind the hello wait for that.
    pub(super) turns: VecDeque<SubmitTurn>,
    pub(super) calls: Calls,
    pub(super) timers: Timers,
    frames: Bucket,
}

impl Connection {
    /// A connection that was upgraded at `now`.
    pub(super) fn new(config: GatewayConfig, visitor: Visitor, now: Duration) -> Self {
        Self {
            timers: Timers::new(&config, visitor.phase, now),
            frames: Bucket::new(config.frames_burst_max, config.frames_per_second_max),
            config,
            visitor,
            phase: Phase::Greeting,
            turns: VecDeque::new(),
            calls: Calls::default(),
        }
    }

    /// Takes one input at `now`.
    pub(super) fn step(&mut self, now: Duration, input: Input, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Closing) {
            return;
        }
        match input {
            Input::Frame(frame) => {
                if self.spend(now, out).is_ok() {
                    self.frame(now, frame, out);
                }
            }
            // Closes by itself when too many come; there is nothing else to do for one.
            Input::Control => drop(self.spend(now, out)),
            Input::Overspent => self.send_away(CloseReason::RateLimited, AdviceReason::Rate, out),
            Input::Broken(reason) => self.close(reason, out),
            Input::Wrote { waiting } => {
                self.timers.write_by = (waiting > 0).then(|| now + self.config.write_timeout);
            }
            Input::Opened(result) => self.opened(now, result, out),
            Input::Submitted(result) => self.submitted(now, result, out),
            Input::Line(TailLine::Frame(frame)) => self.forward(now, frame, out),
            Input::Line(TailLine::Level { .. }) => self.calls.supervisor_is_back(),
            Input::Line(TailLine::Superseded {}) => self.close(CloseReason::Superseded, out),
            Input::TailEnded => self.repeat(now, Call::Follow, out),
            Input::Reauthorized(Some(expires)) => {
                self.visitor.expires = expires;
                // One that is about to end from its start would be told, and replaced, without a pause.
                self.timers.warned_of_expiry =
                    expires.saturating_sub(now) <= self.config.expiry_notice;
            }
            Input::Reauthorized(None) => self.close(CloseReason::TokenExpired, out),
            Input::Revoked => self.close(CloseReason::Unauthorized, out),
            Input::Drain { after } => {
                self.timers.drain_at.get_or_insert(now + after);
            }
            Input::Wake => self.wake(now, out),
        }
    }

    /// The peer said something, which counts against its limit whatever it is.
    fn spend(&mut self, now: Duration, out: &mut Vec<Output>) -> Result<(), Empty> {
        self.timers.heard();
        self.frames
            .take(now)
            .inspect_err(|Empty| self.send_away(CloseReason::RateLimited, AdviceReason::Rate, out))
    }

    pub(super) fn close(&mut self, reason: CloseReason, out: &mut Vec<Output>) {
        self.phase = Phase::Closing;
        out.push(Output::Close(reason));
    }

    /// Writes a frame; from now on the peer has to take it.
    pub(super) fn send(&mut self, now: Duration, frame: ServerFrame, out: &mut Vec<Output>) {
        self.timers.write_by.get_or_insert(now + self.config.write_timeout);
        out.push(Output::Send(frame));
    }

    /// Says when to come back, then closes.
    pub(super) fn send_away(
        &mut self,
        reason: CloseReason,
        why: AdviceReason,
        out: &mut Vec<Output>,
    ) {
        let (min_ms, max_ms) = advice(why);
        out.push(Output::Send(ServerFrame::ReconnectAdvice { why, min_ms, max_ms }));
        self.close(reason, out);
    }

    fn frame(&mut self, now: Duration, frame: ClientFrame, out: &mut Vec<Output>) {
        match (&mut self.phase, frame) {
            (
                Phase::Greeting,
                ClientFrame::Hello { protocol, client_id, attempt, thread_id: thread, cursor },
            ) => {
                if protocol != PROTOCOL {
                    return self.close(CloseReason::BadRequest, out);
                }
                let caller = Caller { client_id, attempt };
                self.phase = Phase::Opening { thread, caller, cursor };
                self.call(Call::Open, out);
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
                out.push(joined.follow());
                self.say_resumed(now, out);
            }
            (
                Phase::Joined(_) | Phase::Greeting | Phase::Opening { .. },
                ClientFrame::Pong { n },
            ) => {
                out.extend(self.timers.answered(now, n).map(Output::Answered));
            }
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
        let Phase::Opening { thread, caller, cursor } = &self.phase else {
            return;
        };
        let (thread, client_id, cursor) = (thread.clone(), caller.client_id.clone(), *cursor);
        let log = match result {
            Ok(log) => log,
            Err(failure) => return self.call_failed(now, Call::Open, failure, out),
        };
        self.calls.supervisor_is_back();
        if let Some(why) = unusable(cursor, &log) {
            self.phase = Phase::Greeting;
            self.timers.hello_by = now + self.config.hello_timeout;
            let (head, epoch) = (log.head, log.epoch);
            return self.send(now, ServerFrame::ResumeFailed { why, head, epoch }, out);
        }
        self.send(now, self.welcome(), out);
        let joined = Joined {
            thread,
            claim: Claim { client_id, number: log.claim },
            epoch: log.epoch,
            sent: cursor.seq,
            resuming: Some((cursor.seq, log.head)),
        };
        let follow = joined.follow();
        self.phase = Phase::Joined(joined);
        self.say_resumed(now, out);
        out.push(follow);
        self.call(Call::Submit, out);
    }

    fn welcome(&self) -> ServerFrame {
        ServerFrame::Welcome {
            connection_id: self.visitor.connection_id.clone(),
            heartbeat_ms: millis(self.config.heartbeat),
            limits: Limits {
                message_bytes_max: count(self.config.message_bytes_max),
                text_chars_max: count(self.config.text_chars_max),
                frames_burst_max: self.config.frames_burst_max,
                frames_per_second_max: self.config.frames_per_second_max,
            },
        }
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
                self.send(now, ServerFrame::Ack { message_id, seq }, out);
                self.send(now, ServerFrame::Typing { in_reply_to }, out);
                self.calls.supervisor_is_back();
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
            if !self.calls.plans(Call::Follow) {
                self.repeat(now, Call::Follow, out);
            }
            return;
        }
        if frame.seq > joined.sent {
            joined.sent = frame.seq;
            self.send(now, ServerFrame::Log(frame), out);
            self.say_resumed(now, out);
        }
        self.calls.supervisor_is_back();
    }

    /// Says `resumed` once everything up to the head of the hello has been sent.
    fn say_resumed(&mut self, now: Duration, out: &mut Vec<Output>) {
        let Phase::Joined(joined) = &mut self.phase else {
            return;
        };
        if let Some((from, to)) = joined.resuming.filter(|(_from, to)| joined.sent >= *to) {
            joined.resuming = None;
            self.send(now, ServerFrame::Resumed { from, to, recovered: true }, out);
        }
    }
}

impl Joined {
    /// Reads the log on from what was sent.
    pub(super) fn follow(&self) -> Output {
        let (thread, claim) = (self.thread.clone(), self.claim.clone());
        Output::Follow { thread, after: self.sent, claim }
    }
}

/// Why a cursor cannot be served from this log. One that has seen nothing always can.
fn unusable(cursor: Cursor, log: &ThreadHead) -> Option<ResumeFailure> {
    if cursor == Cursor::default() {
        None
    } else if cursor.epoch != log.epoch {
        Some(ResumeFailure::Epoch)
    } else {
        (cursor.seq > log.head).then_some(ResumeFailure::Ahead)
    }
}

/// When to come back, milliseconds: at once where the server has staggered the closes already, not before
/// the floor of the contract's table where the peer was too fast (B1).
pub(super) fn advice(why: AdviceReason) -> (u64, u64) {
    match why {
        AdviceReason::Drain | AdviceReason::Auth => (0, 1_000),
        AdviceReason::Overload | AdviceReason::Slow => (1_000, 5_000),
        AdviceReason::Rate => (5_000, 10_000),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
