//! What a connection does because of the time: pings, the end of a token, a drain, a peer that does not read.

use super::machine::{Connection, Phase};
use super::port::Output;
use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::contract::frame::{AdviceReason, ServerFrame};
use std::time::Duration;

/// The points in time that a connection waits for, but for the calls to repeat.
#[derive(Debug)]
pub(super) struct Timers {
    /// When a hello is overdue.
    pub(super) hello_by: Duration,
    /// When the peer must have taken the next frame, while one waits for it.
    pub(super) write_by: Option<Duration>,
    pub(super) drain_at: Option<Duration>,
    pub(super) warned_of_expiry: bool,
    ping: Ping,
}

/// The last ping and whether it was answered.
#[derive(Debug)]
struct Ping {
    n: u64,
    sent: Duration,
    next: Duration,
    answer_by: Option<Duration>,
}

impl Timers {
    pub(super) fn new(config: &GatewayConfig, phase: Duration, now: Duration) -> Self {
        let next = now + config.heartbeat.saturating_sub(phase);
        Self {
            hello_by: now + config.hello_timeout,
            write_by: None,
            drain_at: None,
            warned_of_expiry: false,
            ping: Ping { n: 0, sent: now, next, answer_by: None },
        }
    }

    /// The peer gave a sign of life.
    pub(super) fn heard(&mut self) {
        self.ping.answer_by = None;
    }

    /// The time since a ping, if this answers the last one.
    pub(super) fn answered(&self, now: Duration, n: u64) -> Option<Duration> {
        (n == self.ping.n && n > 0).then(|| now.saturating_sub(self.ping.sent))
    }
}

impl Connection {
    /// When to step with [`Input::Wake`](super::port::Input::Wake).
    pub(super) fn deadline(&self) -> Option<Duration> {
        let timers = &self.timers;
        let hello = match self.phase {
            Phase::Greeting => Some(timers.hello_by),
            Phase::Opening { .. } | Phase::Joined(_) => None,
            Phase::Closing => return None,
        };
        let expiry = self.advise_at().unwrap_or(self.visitor.expires);
        let all = [
            hello,
            timers.write_by,
            timers.drain_at,
            timers.ping.answer_by,
            Some(timers.ping.next),
            Some(expiry),
            self.calls.deadline(),
        ];
        all.into_iter().flatten().min()
    }

    pub(super) fn wake(&mut self, now: Duration, out: &mut Vec<Output>) {
        let passed = |at: Duration| at <= now;
        let greeting = matches!(self.phase, Phase::Greeting);
        if self.timers.drain_at.is_some_and(passed) {
            return self.send_away(CloseReason::Drain, AdviceReason::Drain, out);
        }
        if self.timers.write_by.is_some_and(passed) {
            return self.send_away(CloseReason::SlowConsumer, AdviceReason::Slow, out);
        }
        if (greeting && passed(self.timers.hello_by))
            || self.timers.ping.answer_by.is_some_and(passed)
        {
            return self.close(CloseReason::Timeout, out);
        }
        if passed(self.visitor.expires) {
            return self.close(CloseReason::TokenExpired, out);
        }
        if self.advise_at().is_some_and(passed) {
            self.timers.warned_of_expiry = true;
            let why = AdviceReason::Auth;
            self.send(now, ServerFrame::ReconnectAdvice { why, min_ms: 0, max_ms: 1_000 }, out);
        }
        if passed(self.timers.ping.next) {
            self.ping(now, out);
        }
        for call in self.calls.due(now) {
            self.call(call, out);
        }
    }

    /// Pings keep their beat whatever else is said, so that a peer may rely on it.
    fn ping(&mut self, now: Duration, out: &mut Vec<Output>) {
        let ping = &mut self.timers.ping;
        ping.n += 1;
        ping.sent = now;
        ping.next = now + self.config.heartbeat;
        ping.answer_by.get_or_insert(now + self.config.pong_timeout);
        let n = ping.n;
        self.send(now, ServerFrame::Ping { n }, out);
    }

    /// When the client is told that its token is about to end: once, and not before the welcome, since
    /// it could not answer with `auth` yet.
    fn advise_at(&self) -> Option<Duration> {
        let due = matches!(self.phase, Phase::Joined(_)) && !self.timers.warned_of_expiry;
        due.then(|| self.visitor.expires.saturating_sub(self.config.expiry_notice))
    }
}
