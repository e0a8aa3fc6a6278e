//! How attempts begin: on the app's word, when the network or a person comes back, when a wait is over.

use super::link::{Attempt, Link, Rest};
use super::loss::{DROPPED, Streak, WATCHDOG};
use super::machine::Client;
use super::port::{Output, Pause};
use crate::config::client::{Refreshing, Rule};
use crate::contract::close::CloseReason;
use std::time::Duration;

impl Client {
    pub(super) fn connect(&mut self, out: &mut Vec<Output>) {
        self.refused = 0;
        self.spent_token = None;
        self.streak = Streak::default();
        self.kick_or_replace(out);
    }

    pub(super) fn online(&mut self, out: &mut Vec<Output>) {
        self.offline = false;
        match &self.link {
            Link::Resting(Rest::Waiting { .. } | Rest::Offline | Rest::Parked(_)) => self.kick(out),
            Link::Refreshing(_) | Link::Opening(_) | Link::Greeting(..) => {
                self.kick_or_replace(out);
            }
            Link::Resting(Rest::Idle | Rest::SignedOut(_) | Rest::Stopped(_) | Rest::Closed)
            | Link::Up(..) => {}
        }
    }

    pub(super) fn visible(&mut self, out: &mut Vec<Output>) {
        match &self.link {
            Link::Resting(Rest::Waiting { .. } | Rest::Parked(_)) => self.kick(out),
            Link::Resting(
                Rest::Idle | Rest::Offline | Rest::SignedOut(_) | Rest::Stopped(_) | Rest::Closed,
            )
            | Link::Refreshing(_)
            | Link::Opening(_)
            | Link::Greeting(..)
            | Link::Up(..) => {}
        }
    }

    pub(super) fn went_offline(&mut self, out: &mut Vec<Output>) {
        if self.policy.heed_offline == Rule::Off {
            return;
        }
        self.offline = true;
        match &self.link {
            Link::Resting(Rest::Waiting { .. }) => self.rest(Rest::Offline),
            Link::Resting(_) => {}
            Link::Refreshing(_) | Link::Opening(_) | Link::Greeting(..) | Link::Up(..) => {
                self.abort(out);
                self.call_off(DROPPED);
                self.rest(Rest::Offline);
            }
        }
    }

    /// Wins over everything: after it the link is closed and no timer exists.
    pub(super) fn close(&mut self, out: &mut Vec<Output>) {
        self.leave(CloseReason::Normal.code(), out);
        self.call_off(CloseReason::Normal.code());
        self.backoff.reset();
        self.rest(Rest::Closed);
    }

    /// Begins at once, with the count at zero, unless the last such beginning was just now.
    pub(super) fn kick(&mut self, out: &mut Vec<Output>) {
        self.backoff.reset();
        self.begin_limited(out);
    }

    fn kick_or_replace(&mut self, out: &mut Vec<Output>) {
        let began = match &self.link {
            Link::Resting(_) => return self.kick(out),
            Link::Refreshing(attempt) | Link::Opening(attempt) => attempt.began,
            Link::Greeting(socket, _) => socket.began,
            Link::Up(..) => return,
        };
        self.backoff.reset();
        if self.now().saturating_sub(began) >= self.policy.kick_patience {
            self.abort(out);
            self.call_off(WATCHDOG);
            self.begin_limited(out);
        }
    }

    /// Begins now, or as soon as the limit on attempts by request allows.
    pub(super) fn begin_limited(&mut self, out: &mut Vec<Output>) {
        let kicked = self.last_kick.map(|at| at.saturating_add(self.policy.kick_interval));
        match kicked.max(self.next_allowed()) {
            _ if self.offline => self.rest(Rest::Offline),
            Some(until) if until > self.now() => {
                self.rest(Rest::Waiting { until, pause: Pause::Kick });
            }
            Some(_) | None => {
                self.last_kick = Some(self.now());
                self.begin(out);
            }
        }
    }

    /// The earliest start of the next attempt, whoever asks for it.
    fn next_allowed(&self) -> Option<Duration> {
        self.last_begun.map(|at| at.saturating_add(self.policy.attempt_interval))
    }

    /// The wait is over.
    pub(super) fn waited(&mut self, out: &mut Vec<Output>) {
        match &self.link {
            Link::Resting(Rest::Waiting { pause: Pause::Kick, .. }) => self.begin_limited(out),
            Link::Resting(_)
            | Link::Refreshing(_)
            | Link::Opening(_)
            | Link::Greeting(..)
            | Link::Up(..) => self.begin(out),
        }
    }

    /// A new attempt, from its token on.
    pub(super) fn begin(&mut self, out: &mut Vec<Output>) {
        self.expire(out);
        self.generation += 1;
        self.rum.attempts += 1;
        let began = self.now();
        self.last_begun = Some(began);
        let reusable = match self.policy.refreshing {
            Refreshing::EveryConnection => None,
            Refreshing::OnlyAtStart | Refreshing::Never => self.token.clone(),
        };
        if let Some(token) = reusable {
            return self.open(began, token, out);
        }
        let until = self.after(self.policy.refresh_timeout);
        self.link = Link::Refreshing(Attempt { began, until });
        out.push(Output::Refresh { generation: self.generation });
    }

    /// The token that was refused is not to be used again.
    pub(super) fn forget_token(&mut self) {
        match self.policy.refreshing {
            Refreshing::EveryConnection | Refreshing::OnlyAtStart => self.token = None,
            Refreshing::Never => {}
        }
    }

    pub(super) fn wait(&mut self, length: Duration, pause: Pause) {
        let until = self.now().saturating_add(length);
        let until = self.next_allowed().map_or(until, |allowed| until.max(allowed));
        self.rest(Rest::Waiting { until, pause });
    }

    pub(super) fn rest(&mut self, rest: Rest) {
        match rest {
            Rest::Parked(_) => self.rum.parked += 1,
            Rest::SignedOut(_) => self.token = None,
            Rest::Idle | Rest::Waiting { .. } | Rest::Offline | Rest::Stopped(_) | Rest::Closed => {
            }
        }
        self.link = Link::Resting(rest);
    }

    /// Says goodbye to a socket, or drops an attempt.
    pub(super) fn leave(&mut self, code: u16, out: &mut Vec<Output>) {
        if self.link.socket().is_some() {
            out.push(Output::CloseSocket { generation: self.generation, code });
        } else {
            self.abort(out);
        }
    }

    /// Drops whatever is under way.
    pub(super) fn abort(&self, out: &mut Vec<Output>) {
        if !self.link.is_resting() {
            out.push(Output::AbortSocket { generation: self.generation });
        }
    }
}
