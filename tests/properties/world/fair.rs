//! After the script the world turns fair: what was under way is lost, and from then on everybody answers.

use super::super::bench::turn;
use super::{Act, Dial, Gateway, Token, World};
use assistant::client::{Input, State};
use std::time::Duration;

/// Enough for the longest wait (72 s), timeouts of what was lost, and a resume that starts again.
const BOUND: Duration = Duration::from_secs(200);

impl World {
    /// Judges what must happen in the end, not only what must not.
    pub(super) fn turn_fair(&mut self) {
        let invariant = match self.state() {
            State::Closed | State::Stopped { .. } | State::SignedOut { .. } => {
                self.step(&Input::Online);
                self.step(&Input::Connect);
                "SW-OPEN-AGAIN"
            }
            State::Idle
            | State::Refreshing { .. }
            | State::Connecting { .. }
            | State::Connected
            | State::Waiting { .. }
            | State::Offline
            | State::Parked { .. } => "SW-LIVENESS",
        };
        if !self.connects() {
            return self.broken(invariant, &format!("{:?} for ever", self.state()));
        }
        self.comes_to_rest();
    }

    fn connects(&mut self) -> bool {
        let (lost, until) = (self.generation, self.now + BOUND);
        for _ in 0..60 {
            let answered = self.generation > lost;
            match self.state() {
                State::Connected => return self.now <= until,
                State::Refreshing { .. } if answered => self.act(&Act::Token(Token::Grant)),
                State::Connecting { .. } if answered => {
                    self.act(&Act::Dial(Dial::Opened));
                    self.act(&Act::Gateway(Gateway::Welcome));
                }
                State::Offline => self.step(&Input::Online),
                State::Parked { .. } => self.step(&Input::Visible),
                State::Idle | State::SignedOut { .. } | State::Stopped { .. } | State::Closed => {
                    return false;
                }
                State::Refreshing { .. } | State::Connecting { .. } | State::Waiting { .. } => {
                    self.wake();
                }
            }
        }
        false
    }

    fn comes_to_rest(&mut self) {
        // What was skipped last is missed only when something follows it.
        self.append();
        for _ in 0..200 {
            self.serve_all();
            if self.open_turns() == 0 && self.state() == State::Connected {
                break;
            }
            if !self.connects() {
                return self.broken("SW-LIVENESS", &format!("{:?}", self.state()));
            }
            self.serve_all();
            self.wake();
        }
        self.nothing_vanished();
        if self.open_turns() > 0 {
            self.broken("AK-ONCE", &format!("{:?} waits for ever", self.client.kept().outbox));
        }
        let log: Vec<usize> = (1..=self.log.len()).collect();
        if self.shown != log || self.shown_epoch != self.epoch {
            self.broken("RC-COMPLETE", &format!("{:?} of {}", self.shown, log.len()));
        }
    }

    fn open_turns(&self) -> usize {
        (1..=self.said).filter(|number| !self.settled.contains(&turn(*number))).count()
    }

    /// Each turn is settled or kept.
    pub(super) fn nothing_vanished(&mut self) {
        let kept = self.client.kept().outbox;
        for number in 1..=self.said {
            let message_id = turn(number);
            let waits = kept.iter().any(|turn| turn.message_id == message_id);
            if waits == self.settled.contains(&message_id) {
                self.broken("AK-ONCE", &format!("{message_id}: waits {waits}, settled {}", !waits));
            }
        }
    }
}
