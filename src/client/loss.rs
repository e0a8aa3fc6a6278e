//! How attempts end: the close-code and handshake tables, the ladder, parking.

use super::backoff::uniform;
use super::link::{Advice, Link, Rest};
use super::machine::Client;
use super::port::{Output, ParkReason, Pause, SendFailure, SignOutReason, StopReason};
use crate::config::client::{CloseCodes, CountReset, Rule};
use crate::contract::close::{CloseReason, Verdict, verdict};
use crate::contract::id::Cursor;
use std::mem;
use std::time::Duration;

/// How an attempt or a connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The server sent this close code.
    Announced(u16),
    /// The stream ended without a word, or never began.
    Dropped,
    /// This client gave it up.
    Watchdog,
}

/// The client's own watchdog; a browser may send only 1000 and 3000 to 4999.
pub(super) const WATCHDOG: u16 = 4499;
/// No close frame (RFC 6455 section 7.1.5).
pub(super) const DROPPED: u16 = 1006;
/// The TLS handshake failed (RFC 6455 section 7.4.1).
const TLS: u16 = 1015;
/// The IANA registry's "unauthorized", for gateways of another make.
const UNAUTHORIZED: u16 = 3000;

impl Loss {
    fn code(self) -> u16 {
        match self {
            Self::Announced(code) => code,
            Self::Dropped => DROPPED,
            Self::Watchdog => WATCHDOG,
        }
    }
}

/// The same close code, so many times in a row; attempts that got no connection do not count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Streak {
    code: u16,
    length: u32,
}

impl Streak {
    fn add(&mut self, code: u16) -> u32 {
        let length = if self.code == code { self.length } else { 0 };
        *self = Self { code, length: length.saturating_add(1) };
        self.length
    }
}

/// What an answer to the upgrade other than 101 means (B2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The token.
    Token,
    /// The request: repeating it cannot help.
    Setup,
    /// The moment, or something between here and the gateway.
    Moment,
}

fn refusal(status: u16) -> Refusal {
    match status {
        401 | 403 => Refusal::Token,
        408 | 425 | 429 => Refusal::Moment,
        400..=499 => Refusal::Setup,
        // A redirect is never followed with the token; a captive portal sends one and goes away.
        _ => Refusal::Moment,
    }
}

/// Whether a connection held long enough to start the count again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stability {
    Stable,
    Unstable,
}

impl Client {
    pub(super) fn token_refused(&mut self, out: &mut Vec<Output>) {
        self.sign_out(SignOutReason::Revoked, out);
    }

    /// No token that would serve can be had.
    pub(super) fn sign_out(&mut self, why: SignOutReason, out: &mut Vec<Output>) {
        match &self.link {
            Link::Refreshing(_) => self.rum.failed += 1,
            Link::Up(_, welcomed) if welcomed.refreshing => {
                self.leave(CloseReason::Normal.code(), out);
            }
            Link::Resting(_) | Link::Opening(_) | Link::Greeting(..) | Link::Up(..) => return,
        }
        self.retire(CloseReason::Normal.code());
        self.rest(Rest::SignedOut(why));
    }

    pub(super) fn token_unreachable(&mut self, out: &mut Vec<Output>) {
        match &mut self.link {
            Link::Refreshing(_) => self.ended(Loss::Dropped, out),
            // The server asks again, or closes with 4410 when the token has run out.
            Link::Up(_, welcomed) => welcomed.refreshing = false,
            Link::Resting(_) | Link::Opening(_) | Link::Greeting(..) => {}
        }
    }

    pub(super) fn rejected(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        out: &mut Vec<Output>,
    ) {
        let Link::Opening(_) = &self.link else {
            return;
        };
        self.blind_failures = 0;
        match refusal(status) {
            Refusal::Moment => self.failed(retry_after),
            Refusal::Setup => {
                self.give_up_attempt();
                self.rest(Rest::Stopped(StopReason::Status(status)));
            }
            Refusal::Token => {
                self.give_up_attempt();
                self.forget_token();
                self.refused = self.refused.saturating_add(1);
                if self.refused > self.policy.forced_refreshes_max {
                    self.rest(Rest::SignedOut(SignOutReason::Status(status)));
                } else {
                    self.begin(out);
                }
            }
        }
    }

    /// The end of whatever was under way: a failed attempt, or a lost connection.
    pub(super) fn ended(&mut self, loss: Loss, out: &mut Vec<Output>) {
        match &self.link {
            Link::Resting(_) => {}
            Link::Refreshing(_) => self.failed(None),
            Link::Opening(_) => {
                self.unanswered_open();
                self.failed(None);
            }
            Link::Greeting(..) => self.lost(loss, out),
            Link::Up(_, welcomed) => {
                if welcomed.refreshing && loss != Loss::Watchdog {
                    self.abort(out);
                }
                self.lost(loss, out);
            }
        }
    }

    /// Nobody answered the upgrade, or a browser hides what was answered: perhaps a refusal of the token.
    fn unanswered_open(&mut self) {
        self.blind_failures = self.blind_failures.saturating_add(1);
        if self.policy.blind_failures_max.is_some_and(|most| self.blind_failures >= most) {
            self.blind_failures = 0;
            self.forget_token();
        }
    }

    /// This client cannot go on with the connection, but perhaps with another.
    pub(super) fn give_up(&mut self, out: &mut Vec<Output>) {
        self.leave(WATCHDOG, out);
        self.lost(Loss::Watchdog, out);
    }

    /// The cursor cannot be served: the log is asked for from its start, on a new connection, because
    /// only a hello carries an epoch.
    pub(super) fn restart_view(&mut self, out: &mut Vec<Output>) {
        if self.delivery.cursor() == Cursor::default() {
            return self.give_up(out);
        }
        self.delivery.restart();
        out.push(Output::ResumeRestarted);
        self.leave(CloseReason::Normal.code(), out);
        self.retire(CloseReason::Normal.code());
        self.backoff.failed();
        if self.backoff.exhausted(&self.policy) {
            self.rest(Rest::Parked(ParkReason::Attempts));
        } else {
            self.begin_limited(out);
        }
    }

    /// An attempt failed before there was a socket.
    fn failed(&mut self, retry_after: Option<Duration>) {
        self.give_up_attempt();
        if self.backoff.exhausted(&self.policy) {
            return self.rest(Rest::Parked(ParkReason::Attempts));
        }
        let (length, pause) = self.climb();
        let asked = retry_after.unwrap_or_default().min(self.policy.retry_after_max);
        let surplus = asked.saturating_mul(self.policy.retry_after_surplus_percent) / 100;
        let asked = uniform(&mut self.rng, asked, asked.saturating_add(surplus));
        if asked > length {
            self.wait(asked, Pause::RetryAfter);
        } else {
            self.wait(length, pause);
        }
    }

    fn give_up_attempt(&mut self) {
        self.rum.failed += 1;
        self.retire(DROPPED);
        self.backoff.failed();
    }

    /// A connection is gone: what its close code says is done.
    fn lost(&mut self, loss: Loss, out: &mut Vec<Output>) {
        let code = loss.code();
        if code == CloseReason::TooBig.code() || code == CloseReason::BadRequest.code() {
            self.blame(code, out);
        }
        let verdict = match self.policy.close_codes {
            CloseCodes::Table => verdict(code),
            CloseCodes::RetryAll => Verdict::Retry,
        };
        let advice = self.link.socket().and_then(|socket| socket.advice);
        if self.retire(code) == Stability::Stable {
            self.backoff.reset();
            self.streak = Streak::default();
        } else if !matches!(verdict, Verdict::RetryWithin(_))
            || self.policy.count_restarts == Rule::On
        {
            self.backoff.failed();
        }
        let row = self.streak.add(code);
        if let Some(rest) = self.final_rest(verdict, code, row) {
            self.rest(rest);
        } else if verdict == Verdict::RefreshFirst {
            self.spent_token = self.token.clone();
            self.forget_token();
            self.begin(out);
        } else {
            let (length, pause) = match advice {
                Some(Advice(from, to)) => {
                    if !matches!(verdict, Verdict::RetryWithin(_)) {
                        self.backoff.skip();
                    }
                    (uniform(&mut self.rng, from, to), Pause::Advice)
                }
                None => self.unadvised(verdict, loss),
            };
            self.wait(length, pause);
        }
    }

    /// Gives up the turns at which the gateway closed too often. A lone one that is too big needs no proof.
    fn blame(&mut self, code: u16, out: &mut Vec<Output>) {
        let Some(resends) = self.policy.poison_resends_max else {
            return;
        };
        let certain = code == CloseReason::TooBig.code() && self.outbox.in_flight() == 1;
        for message_id in self.outbox.blame(if certain { 0 } else { resends }) {
            self.fail_turn(message_id, SendFailure::Poison, out);
        }
    }

    /// Where the client rests if this verdict allows no further attempt of its own.
    fn final_rest(&self, verdict: Verdict, code: u16, row: u32) -> Option<Rest> {
        let pending = !self.outbox.is_empty() || !self.unanswered.is_empty();
        match verdict {
            Verdict::Never if code == CloseReason::Unauthorized.code() || code == UNAUTHORIZED => {
                Some(Rest::SignedOut(SignOutReason::Code(code)))
            }
            Verdict::Never => Some(Rest::Stopped(StopReason::Code(code))),
            Verdict::Stop if !pending || row > self.policy.normal_retries_max => {
                Some(Rest::Stopped(StopReason::Normal))
            }
            // What is too big now is too big whoever wakes the client (B1).
            Verdict::RetryAtMost(most)
                if row > u32::from(most) && code == CloseReason::TooBig.code() =>
            {
                Some(Rest::Stopped(StopReason::Code(code)))
            }
            Verdict::RetryAtMost(most) if row > u32::from(most) => {
                Some(Rest::Parked(ParkReason::Code(code)))
            }
            Verdict::RefreshFirst if row > self.policy.forced_refreshes_max => {
                Some(Rest::SignedOut(SignOutReason::Code(code)))
            }
            Verdict::Stop
            | Verdict::Retry
            | Verdict::RetryAtMost(_)
            | Verdict::RetryWithin(_)
            | Verdict::RetryAfter(_)
            | Verdict::RefreshFirst => {
                self.backoff.exhausted(&self.policy).then_some(Rest::Parked(ParkReason::Attempts))
            }
        }
    }

    /// The delay when the server gave no advice.
    fn unadvised(&mut self, verdict: Verdict, loss: Loss) -> (Duration, Pause) {
        match verdict {
            Verdict::RetryWithin(seconds) => {
                let most = Duration::from_secs(seconds.into());
                (uniform(&mut self.rng, Duration::ZERO, most), Pause::Spread)
            }
            Verdict::RetryAfter(seconds) => {
                self.backoff.skip();
                let least = Duration::from_secs(seconds.into());
                (uniform(&mut self.rng, least, least * 2), Pause::Floor)
            }
            Verdict::Retry | Verdict::RetryAtMost(_) if self.may_spread(loss) => {
                self.backoff.skip();
                let most = self.policy.first_retry_spread;
                (uniform(&mut self.rng, Duration::ZERO, most), Pause::Spread)
            }
            Verdict::Stop
            | Verdict::Never
            | Verdict::Retry
            | Verdict::RetryAtMost(_)
            | Verdict::RefreshFirst => self.climb(),
        }
    }

    /// The first retry after a close that the server announced (RFC 6455 section 7.2.3). A browser reports
    /// as codes what no server can announce.
    fn may_spread(&self, loss: Loss) -> bool {
        let announced = match loss {
            Loss::Announced(DROPPED | TLS) | Loss::Dropped | Loss::Watchdog => false,
            Loss::Announced(_) => true,
        };
        announced && self.backoff.step() == 0 && !self.policy.first_retry_spread.is_zero()
    }

    fn climb(&mut self) -> (Duration, Pause) {
        let step = self.backoff.step();
        (self.backoff.draw(&self.policy, &mut self.rng), Pause::Backoff { step })
    }

    /// Retires an attempt that nobody holds against the server.
    pub(super) fn call_off(&mut self, code: u16) {
        match &self.link {
            Link::Refreshing(_) | Link::Opening(_) => self.rum.cancelled += 1,
            Link::Resting(_) | Link::Greeting(..) | Link::Up(..) => {}
        }
        if self.retire(code) == Stability::Stable {
            self.backoff.reset();
        }
    }

    /// Takes the link down, counts it, and says how it had held. The caller decides what comes next.
    fn retire(&mut self, code: u16) -> Stability {
        let now = self.now();
        self.delivery.disconnect();
        self.outbox.disconnect(&self.policy);
        let link = mem::replace(&mut self.link, Link::Resting(Rest::Idle));
        let (socket, welcomed) = match link {
            Link::Resting(_) | Link::Refreshing(_) | Link::Opening(_) => {
                return Stability::Unstable;
            }
            Link::Greeting(socket, _) => (socket, None),
            Link::Up(socket, welcomed) => (socket, Some(welcomed.at)),
        };
        self.rum.closed(code, now.saturating_sub(socket.opened));
        let held = welcomed.map(|at| now.saturating_sub(at));
        match self.policy.count_reset {
            CountReset::AfterStable(least) if held.is_some_and(|held| held >= least) => {
                Stability::Stable
            }
            CountReset::AfterStable(_) | CountReset::OnOpen => Stability::Unstable,
        }
    }
}
