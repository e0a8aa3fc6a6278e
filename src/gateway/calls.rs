//! What a connection asks of the supervisor, and what it does while the supervisor is away.

use super::machine::{Connection, Phase};
use super::port::{CallFailure, Output};
use crate::contract::close::CloseReason;
use crate::contract::frame::AdviceReason;
use crate::contract::thread::Refused;
use std::time::Duration;

/// What the supervisor is asked again after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Open,
    Submit,
    Follow,
}

/// Calls to repeat, and for how long the supervisor has not answered.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// At most one of a kind, with its time.
    retries: Vec<(Call, Duration)>,
    away_since: Option<Duration>,
    pauses: u32,
}

impl Calls {
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.retries.iter().map(|(_call, at)| *at).min()
    }

    /// Whether this call is to be repeated.
    pub(super) fn plans(&self, call: Call) -> bool {
        self.retries.iter().any(|(planned, _at)| *planned == call)
    }

    /// The supervisor gave a sign of life.
    pub(super) fn supervisor_is_back(&mut self) {
        self.away_since = None;
        self.pauses = 0;
    }

    /// The calls whose time has come.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Call> {
        let (due, later) = self.retries.iter().copied().partition(|(_call, at)| *at <= now);
        self.retries = later;
        let due: Vec<(Call, Duration)> = due;
        due.into_iter().map(|(call, _at)| call).collect()
    }
}

impl Connection {
    pub(super) fn call_failed(
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
    pub(super) fn repeat(&mut self, now: Duration, call: Call, out: &mut Vec<Output>) {
        let since = *self.calls.away_since.get_or_insert(now);
        if now.saturating_sub(since) >= self.config.supervisor_patience {
            return self.send_away(CloseReason::Overload, AdviceReason::Overload, out);
        }
        let doubled = self.config.supervisor_pause.saturating_mul(1 << self.calls.pauses.min(16));
        let at = now + doubled.min(self.config.supervisor_pause_max);
        self.calls.pauses = self.calls.pauses.saturating_add(1);
        self.calls.retries.retain(|(planned, _at)| *planned != call);
        self.calls.retries.push((call, at));
    }

    pub(super) fn call(&self, call: Call, out: &mut Vec<Output>) {
        match (&self.phase, call) {
            (Phase::Opening { thread, caller, .. }, Call::Open) => {
                let (thread, caller) = (thread.clone(), caller.clone());
                out.push(Output::Open { thread, user: self.visitor.user.clone(), caller });
            }
            (Phase::Joined(joined), Call::Submit) => {
                let turn = self.turns.front().cloned();
                let thread = joined.thread.clone();
                out.extend(turn.map(|turn| Output::Submit { thread, turn }));
            }
            (Phase::Joined(joined), Call::Follow) => out.push(joined.follow()),
            // A call that its phase has no use for any more.
            (Phase::Greeting | Phase::Opening { .. } | Phase::Joined(_) | Phase::Closing, _) => {}
        }
    }
}
