//! The client's decisions, one step an input. Knows no socket, no clock and no entropy but what it is
//! handed; what a server says is read in `frames`, how attempts begin and end is decided in
//! `reconnect` and `loss`.
//!
//! ```text
//!                      Connect, and whatever wakes a rest
//!  Idle ──────────────────────────┐
//!                                 ▼        granted              opened             welcome
//!  Waiting ── until ───────► Refreshing ───────────► Opening ───────────► Greeting ────────► Up
//!  Offline ── Online ─────────►   │                     │                     │               │
//!  Parked ─── Online, Visible, ─► │                     │                     │               │
//!             Send, Connect       └──── unreachable ────┴──── no answer ──────┴── end, silence┘
//!  Stopped, SignedOut,                                        │
//!  Closed ─── Connect ─────►            Waiting, Parked, SignedOut or Stopped, by the tables
//!
//!  from anywhere:  Close → Closed   Offline → Offline (attempts and sockets only)
//! ```
//!
//! # Design
//! An attempt has a number, its generation, from its token to its end. Whoever answers late answers an
//! older number and is dropped, so there is nothing to unsubscribe and no order of goodbyes to get wrong.
//! Timers are not armed and disarmed: [`Client::deadline`] is computed from the state.

use super::backoff::Backoff;
use super::delivery::Delivery;
use super::link::{Attempt, Link, Pulse, Rest, Socket};
use super::loss::{Loss, Streak};
use super::outbox::{Launch, Outbox, Queued};
use super::port::{Input, Kept, Output, SendFailure, SignOutReason, State, StopReason};
use super::rum::Rum;
use crate::config::client::{ClientPolicy, CountReset, Rule};
use crate::contract::close::CloseReason;
use crate::contract::frame::{ClientFrame, PROTOCOL};
use crate::contract::id::{ClientId, Cursor, MessageId, ThreadId};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::time::Duration;

/// A user turn that has not seen its final frame.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) since: Duration,
    pub(super) replied: bool,
}

/// The reconnecting client of one thread.
#[derive(Debug)]
pub struct Client {
    pub(super) policy: ClientPolicy,
    client_id: ClientId,
    pub(super) rng: ChaCha8Rng,
    /// The time of the last step; `None` before the first.
    clock: Option<Duration>,
    pub(super) link: Link,
    pub(super) generation: u64,
    pub(super) backoff: Backoff,
    pub(super) streak: Streak,
    /// Upgrades refused for their token since the last welcome.
    pub(super) refused: u32,
    pub(super) last_kick: Option<Duration>,
    /// When the last attempt began.
    pub(super) last_begun: Option<Duration>,
    /// Attempts in a row that ended without a socket and without a word.
    pub(super) blind_failures: u32,
    pub(super) offline: bool,
    pub(super) token: Option<String>,
    /// The token that ran out in session.
    pub(super) spent_token: Option<String>,
    pub(super) delivery: Delivery,
    pub(super) outbox: Outbox,
    pub(super) unanswered: BTreeMap<MessageId, Unanswered>,
    pub(super) rum: Rum,
    told: State,
}

impl Client {
    /// A client that has not been asked to connect.
    #[must_use]
    pub fn new(
        policy: ClientPolicy,
        client_id: ClientId,
        thread_id: ThreadId,
        rng: ChaCha8Rng,
    ) -> Self {
        Self {
            delivery: Delivery::new(&policy, thread_id),
            policy,
            client_id,
            rng,
            clock: None,
            link: Link::Resting(Rest::Idle),
            generation: 0,
            backoff: Backoff::default(),
            streak: Streak::default(),
            refused: 0,
            last_kick: None,
            last_begun: None,
            blind_failures: 0,
            offline: false,
            token: None,
            spent_token: None,
            outbox: Outbox::default(),
            unanswered: BTreeMap::new(),
            rum: Rum::default(),
            told: State::Idle,
        }
    }

    /// Goes on where an earlier instance stopped; to be called before the first step. What belongs to
    /// another thread is ignored.
    pub fn restore(&mut self, kept: Kept) {
        if kept.thread_id == *self.delivery.thread_id() {
            self.generation = self.generation.max(kept.attempts);
            self.delivery.restore(kept.cursor);
            self.outbox.restore(self.now(), kept.outbox);
        }
    }

    /// What a later instance needs to go on.
    #[must_use]
    pub fn kept(&self) -> Kept {
        Kept {
            thread_id: self.delivery.thread_id().clone(),
            cursor: self.delivery.cursor(),
            attempts: self.generation,
            outbox: self.outbox.keep(self.now()),
        }
    }

    /// Takes one input. `now` counts from any fixed point and never runs backwards; what is to be done is
    /// appended to `out`, in order.
    pub fn step(&mut self, now: Duration, input: Input, out: &mut Vec<Output>) {
        if self.clock.is_none() {
            self.outbox.start_clock(now);
        }
        self.clock = Some(now.max(self.now()));
        if !input.generation().is_none_or(|generation| self.is_current(generation)) {
            return;
        }
        match input {
            Input::Connect => self.connect(out),
            Input::Close => self.close(out),
            Input::Online => self.online(out),
            Input::Offline => self.went_offline(out),
            Input::Visible => self.visible(out),
            Input::Send { message_id, text } => self.send(message_id, text, out),
            Input::Wake => self.wake(out),
            Input::TokenGranted { token, .. } => self.token_granted(token, out),
            Input::TokenRefused { .. } => self.token_refused(out),
            Input::TokenUnreachable { .. } => self.token_unreachable(out),
            Input::SocketOpened { .. } => self.opened(out),
            Input::SocketRejected { status, retry_after, .. } => {
                self.rejected(status, retry_after, out);
            }
            Input::SocketFailed { .. } => self.ended(Loss::Dropped, out),
            Input::SocketClosed { code, .. } => {
                self.ended(code.map_or(Loss::Dropped, Loss::Announced), out);
            }
            Input::Frame { text, .. } => {
                self.heard();
                self.frame(&text, out);
            }
            Input::Alive { .. } => self.heard(),
        }
        let state = self.state();
        if state != self.told {
            self.told = state;
            out.push(Output::StateChanged(state));
        }
    }

    /// When to step with [`Input::Wake`]; `None` means that no timer exists.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.link.is_dormant() {
            return None;
        }
        let expiry = self.outbox.deadline(&self.policy);
        let pace = self.outbox.next(&self.policy).and_then(|_| self.link.pace_due());
        self.link.deadline().into_iter().chain(expiry).chain(pace).min()
    }

    /// What a person wants to know.
    #[must_use]
    pub fn state(&self) -> State {
        self.link.state(self.backoff.attempt())
    }

    /// What the client has measured.
    #[must_use]
    pub fn rum(&self) -> &Rum {
        &self.rum
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.unwrap_or_default()
    }

    /// Whether an answer belongs to the attempt under way; counts it if not.
    fn is_current(&mut self, generation: u64) -> bool {
        let current = generation == self.generation && !self.link.is_resting();
        if !current {
            self.rum.stale_dropped += 1;
        }
        current || self.policy.check_generation == Rule::Off
    }

    fn token_granted(&mut self, token: String, out: &mut Vec<Output>) {
        match &mut self.link {
            Link::Refreshing(attempt) => {
                if self.policy.distrust_same_token == Rule::On
                    && self.spent_token.as_ref() == Some(&token)
                {
                    let why = SignOutReason::Code(CloseReason::TokenExpired.code());
                    return self.sign_out(why, out);
                }
                let began = attempt.began;
                self.token = Some(token.clone());
                self.open(began, token, out);
            }
            Link::Up(_, welcomed) if welcomed.refreshing => {
                welcomed.refreshing = false;
                self.token = Some(token.clone());
                self.transmit(ClientFrame::Auth { token }, out);
            }
            Link::Resting(_) | Link::Opening(_) | Link::Greeting(..) | Link::Up(..) => {}
        }
    }

    /// Dials with a token; the second half of an attempt that began then.
    pub(super) fn open(&mut self, began: Duration, token: String, out: &mut Vec<Output>) {
        let until = self.after(self.policy.open_timeout);
        self.link = Link::Opening(Attempt { began, until });
        out.push(Output::Open { generation: self.generation, token });
    }

    fn opened(&mut self, out: &mut Vec<Output>) {
        let Link::Opening(attempt) = &self.link else {
            return;
        };
        let socket = Socket { began: attempt.began, opened: self.now(), advice: None };
        self.link = Link::Greeting(socket, self.after(self.policy.welcome_timeout));
        self.rum.opens += 1;
        self.blind_failures = 0;
        if self.policy.count_reset == CountReset::OnOpen {
            self.backoff.reset();
        }
        let cursor = match self.policy.cursor {
            Rule::On => self.delivery.cursor(),
            Rule::Off => Cursor::default(),
        };
        let frame = ClientFrame::Hello {
            protocol: PROTOCOL,
            client_id: self.client_id.clone(),
            attempt: Some(self.generation),
            thread_id: self.delivery.thread_id().clone(),
            cursor,
        };
        self.transmit(frame, out);
    }

    fn send(&mut self, message_id: MessageId, text: String, out: &mut Vec<Output>) {
        if self.outbox.contains(&message_id) {
            return;
        }
        let wakes = match &self.link {
            Link::Resting(rest) => match rest {
                Rest::SignedOut(_) | Rest::Closed => {
                    return self.fail_turn(message_id, SendFailure::NotConnected, out);
                }
                Rest::Stopped(StopReason::Code(_) | StopReason::Status(_)) => {
                    return self.fail_turn(message_id, SendFailure::NotConnected, out);
                }
                Rest::Stopped(StopReason::Normal) | Rest::Parked(_) => true,
                Rest::Idle | Rest::Waiting { .. } | Rest::Offline => false,
            },
            Link::Refreshing(_) | Link::Opening(_) | Link::Greeting(..) | Link::Up(..) => false,
        };
        let now = self.now();
        match self.outbox.queue(&self.policy, now, message_id.clone(), text) {
            Queued::Full => self.fail_turn(message_id, SendFailure::OutboxFull, out),
            Queued::Yes => {
                // Bounded like the outbox: a server that acks and never answers must not fill memory.
                if self.unanswered.len() < self.policy.outbox_entries_max {
                    let turn = Unanswered { since: now, replied: false };
                    self.unanswered.insert(message_id, turn);
                }
                self.pump(out);
            }
        }
        if wakes {
            self.kick(out);
        }
    }

    /// Sends a frame now, and counts it.
    pub(super) fn transmit(&mut self, frame: ClientFrame, out: &mut Vec<Output>) {
        self.spend();
        out.push(Output::Transmit { generation: self.generation, frame });
    }

    /// Counts a frame against the server's limits, if they are known.
    pub(super) fn spend(&mut self) {
        let now = self.now();
        if let Some(pace) = self.link.welcomed().and_then(|welcomed| welcomed.pace.as_mut()) {
            pace.spend(now);
        }
    }

    /// Sends what the window and the server's limits allow.
    pub(super) fn pump(&mut self, out: &mut Vec<Output>) {
        let Some(limits) = self.link.welcomed().map(|welcomed| welcomed.limits) else {
            return;
        };
        while self.link.pace_due().is_none_or(|due| due <= self.now())
            && let Some(launch) = self.outbox.launch(&self.policy, &limits)
        {
            match launch {
                Launch::Send(frame) => self.transmit(frame, out),
                Launch::TooLong(message_id) => {
                    self.fail_turn(message_id, SendFailure::TooLong, out);
                }
            }
        }
    }

    /// Tells the app that a turn, which is in the outbox no longer, has failed.
    pub(super) fn fail_turn(
        &mut self,
        message_id: MessageId,
        why: SendFailure,
        out: &mut Vec<Output>,
    ) {
        self.unanswered.remove(&message_id);
        self.rum.turns_failed += 1;
        out.push(Output::Failed { message_id, why });
    }

    /// Reports the turns that waited too long and makes room for the next ones.
    pub(super) fn expire(&mut self, out: &mut Vec<Output>) {
        for message_id in self.outbox.expire(&self.policy, self.now()) {
            self.fail_turn(message_id, SendFailure::Expired, out);
        }
        self.pump(out);
    }

    fn wake(&mut self, out: &mut Vec<Output>) {
        self.expire(out);
        let Some(due) = self.link.deadline().filter(|due| *due <= self.now()) else {
            return;
        };
        let late = self.now().saturating_sub(due);
        match &self.link {
            Link::Resting(_) => self.waited(out),
            Link::Refreshing(_) | Link::Opening(_) | Link::Greeting(..) => {
                self.abort(out);
                self.ended(Loss::Watchdog, out);
            }
            Link::Up(_, welcomed) => match welcomed.pulse {
                Pulse::Heard(_) => self.probe(out),
                Pulse::Probing(_) if self.policy.clock_jump.is_some_and(|jump| late > jump) => {
                    self.probe(out);
                }
                Pulse::Probing(_) => {
                    self.abort(out);
                    self.ended(Loss::Watchdog, out);
                }
            },
        }
    }

    /// Asks a silent server for a sign of life; whatever it answers to `catchup` is one.
    fn probe(&mut self, out: &mut Vec<Output>) {
        let until = self.now().saturating_add(self.policy.probe_timeout);
        if let Some(welcomed) = self.link.welcomed() {
            welcomed.pulse = Pulse::Probing(until);
            self.rum.probes += 1;
            self.catch_up(out);
        }
    }

    pub(super) fn catch_up(&mut self, out: &mut Vec<Output>) {
        let frame = ClientFrame::Catchup { after: self.delivery.cursor().seq };
        self.transmit(frame, out);
    }

    fn heard(&mut self) {
        let now = self.now();
        if let Some(welcomed) = self.link.welcomed() {
            welcomed.pulse = Pulse::Heard(now);
        }
    }

    /// The point in time that lies this far ahead.
    pub(super) fn after(&self, timeout: Option<Duration>) -> Option<Duration> {
        timeout.map(|timeout| self.now().saturating_add(timeout))
    }
}
