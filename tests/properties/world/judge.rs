//! What must hold after every step, written down when it does not.

use super::super::bench::welcome;
use super::{Ban, Socket, World};
use assistant::client::{Input, Kept, Output, Pause, Rum, State};
use assistant::contract::frame::LogFrame;
use proptest::sample::Index;
use std::time::Duration;

/// The shortest time between two attempts: 0.8 of the first delay.
const SHORTEST: Duration = Duration::from_millis(800);

impl World {
    /// An input of an attempt that is over changes nothing but its count.
    pub(super) fn stale(&mut self, kind: u8, at: Index) {
        let live = !self.refreshing.is_empty() || !self.sockets.is_empty();
        let over = if live { self.generation } else { self.generation + 1 };
        let over = usize::try_from(over).unwrap();
        if over <= 1 {
            return;
        }
        let generation = u64::try_from(1 + at.index(over - 1)).unwrap();
        let (token, expires_in) = ("t0".to_owned(), Duration::from_secs(60));
        let input = match kind {
            0 => Input::TokenGranted { generation, token, expires_in },
            1 => Input::TokenRefused { generation },
            2 => Input::TokenUnreachable { generation },
            3 => Input::SocketOpened { generation },
            4 => Input::SocketRejected { generation, status: 404, retry_after: None },
            5 => Input::SocketFailed { generation },
            6 => Input::Frame { generation, text: welcome(25_000) },
            7 => Input::Alive { generation },
            _ => Input::SocketClosed { generation, code: Some(4401) },
        };
        self.reached.insert("stale");
        let before = self.picture();
        let mut out = Vec::new();
        self.client.step(self.now, input.clone(), &mut out);
        let after = self.picture();
        if !out.is_empty() || before != after {
            self.broken("SW-STALE", &format!("{input:?}: {out:?}"));
        }
        self.judge(&out);
    }

    /// All that can be seen of the client, but for the count of stale inputs and the age of its turns.
    fn picture(&self) -> (State, Option<Duration>, Kept, Rum) {
        let mut kept = self.client.kept();
        kept.outbox.iter_mut().for_each(|turn| turn.waited_ms = 0);
        let rum = Rum { stale_dropped: 0, ..self.client.rum().clone() };
        (self.client.state(), self.client.deadline(), kept, rum)
    }

    /// Judges the attempts that a step began; before it there were this state and so many attempts.
    pub(super) fn begun(&mut self, input: &Input, (state, attempts): (State, u64)) {
        let begun = self.client.rum().attempts - attempts;
        let wakes =
            matches!(input, Input::Connect | Input::Online | Input::Visible | Input::Send { .. });
        let parked = matches!(state, State::Parked { .. });
        if begun > 1 || (parked && !wakes && begun > 0) {
            self.broken("BO-PARK", &format!("{input:?} began {begun} attempts"));
        }
        if begun == 0 {
            return;
        }
        // Only a token that was refused is replaced at once.
        let forced = matches!(
            input,
            Input::SocketRejected { status: 401 | 403, .. }
                | Input::SocketClosed { code: Some(4410), .. }
        );
        let soon = self.begun_at.is_some_and(|before| self.now - before < SHORTEST);
        if soon && !forced {
            self.broken("BO-BOUND", &format!("{input:?} after {:?}", self.begun_at));
        }
        self.begun_at = Some(self.now);
    }

    /// Judges the end of a connection: what its last advice and its code demand.
    pub(super) fn ended(&mut self, code: Option<u16>, advice: Option<(u64, u64)>, pending: bool) {
        let state = self.state();
        if let (Some((min, max)), State::Waiting { until, pause, .. }) = (advice, state) {
            self.reached.insert("Advice");
            let wait = until - self.now;
            let floor = self.begun_at.unwrap_or_default() + SHORTEST;
            let within = Duration::from_millis(min) <= wait && wait <= Duration::from_millis(max);
            if pause != Pause::Advice || !(within || until == floor) {
                self.broken("BO-ADVICE", &format!("{wait:?} of {min}..={max}, {pause:?}"));
            }
        } else if matches!(state, State::Waiting { pause: Pause::Advice, .. }) {
            self.broken("BO-ADVICE", "none was given");
        }
        let first = self.last_end != Some(1000);
        if code == Some(1000) && pending && first && matches!(state, State::Stopped { .. }) {
            self.broken("CC-1000-INTENT", "turns wait");
        }
        if matches!(code, Some(1009 | 4400)) && pending {
            self.reached.insert("poison");
        }
        self.last_end = Some(code.unwrap_or(1006));
    }

    pub(super) fn judge(&mut self, out: &[Output]) {
        for output in out {
            self.carry_out(output);
        }
        let (state, deadline) = (self.client.state(), self.client.deadline());
        let in_hand = !self.refreshing.is_empty() || !self.sockets.is_empty();
        if self.offline && in_hand {
            self.broken("BO-OFFLINE", &format!("{state:?}"));
        }
        let over = matches!(state, State::SignedOut { .. } | State::Stopped { .. } | State::Closed);
        if deadline.is_some() && matches!(state, State::Parked { .. }) {
            self.broken("BO-PARK", "a timer while parked");
        }
        if deadline.is_some() && over {
            self.broken("SW-NO-ZOMBIE-TIMER", &format!("{state:?} {deadline:?}"));
        }
        match self.ban {
            Ban::None => {}
            Ban::Closed => {
                if state != State::Closed || in_hand {
                    self.broken("SW-CLOSE-WINS", &format!("{state:?}"));
                }
            }
            Ban::Never => {
                let ended = matches!(state, State::SignedOut { .. } | State::Stopped { .. });
                if !ended || deadline.is_some() || in_hand {
                    self.broken("CC-NEVER", &format!("{state:?} {deadline:?}"));
                }
            }
        }
        self.count(in_hand);
    }

    fn count(&mut self, in_hand: bool) {
        let rum = self.client.rum();
        let open = self.sockets.values().any(|socket| *socket != Socket::Dialling);
        let closes: u64 = rum.closes.values().sum();
        let under_way = u64::from(in_hand && !open);
        let attempts = rum.opens + rum.failed + rum.cancelled + under_way;
        if rum.attempts != attempts || rum.opens != closes + u64::from(open) {
            self.broken("MT-CLIENT", &format!("{rum:?}"));
        } else if rum.dup_dropped > 0 {
            self.reached.insert("duplicate");
        }
    }

    pub(super) fn show(&mut self, frame: &LogFrame) {
        self.reached.insert("Show");
        let seq = usize::try_from(frame.seq).unwrap();
        if !self.shown.is_empty() && frame.epoch != self.shown_epoch {
            self.broken("RC-EPOCH", &format!("{} after {}", frame.epoch, self.shown_epoch));
        }
        if self.shown.contains(&seq) {
            self.broken("DD-EXACT", &format!("{seq} again"));
        }
        if seq != self.shown.last().map_or(1, |last| last + 1) {
            self.broken("OR-THREAD", &format!("{seq} after {:?}", self.shown.last()));
        }
        self.shown_epoch = frame.epoch;
        self.shown.push(seq);
    }

    pub(super) fn changed(&mut self, state: State) {
        let State::Waiting { until, pause, .. } = state else {
            self.reached.insert(match state {
                State::Connected => "Connected",
                State::Parked { .. } => "Parked",
                State::SignedOut { .. } => "SignedOut",
                State::Stopped { .. } => "Stopped",
                State::Offline => "Offline",
                State::Idle
                | State::Refreshing { .. }
                | State::Connecting { .. }
                | State::Waiting { .. }
                | State::Closed => "another",
            });
            return;
        };
        self.reached.insert("Waiting");
        let wait = until.saturating_sub(self.now);
        if let Pause::Backoff { step } = pause {
            let nominal =
                Duration::from_secs([1, 2, 4, 8, 16][usize::try_from(step.min(4)).unwrap()]);
            if wait * 10 < nominal * 8 || wait * 10 > nominal * 12 {
                self.broken("BO-RANGE", &format!("{wait:?} at step {step}"));
            }
        }
        if wait > Duration::from_secs(72) {
            self.broken("BO-RANGE", &format!("{wait:?} for {pause:?}"));
        }
    }

    pub(super) fn broken(&mut self, invariant: &str, how: &str) {
        self.violations.push(format!("{invariant} at {:?}: {how}", self.now));
    }
}
