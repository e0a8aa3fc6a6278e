//! What a client has in hand towards the gateway: nothing, an attempt, or a socket.
//!
//! One value, so that two sockets, or a socket and a retry timer, cannot exist at once.

use super::pace::Pace;
use super::port::{ParkReason, Pause, SignOutReason, State, StopReason};
use crate::contract::frame::Limits;
use std::time::Duration;

/// The link of the attempt under way, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// No attempt is under way.
    Resting(Rest),
    /// The token service was asked.
    Refreshing(Attempt),
    /// The gateway was dialled.
    Opening(Attempt),
    /// Upgraded, hello sent, not yet welcomed.
    Greeting(Socket, Option<Duration>),
    /// Welcomed.
    Up(Socket, Welcomed),
}

/// Why no attempt is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Idle,
    Waiting { until: Duration, pause: Pause },
    Offline,
    Parked(ParkReason),
    SignedOut(SignOutReason),
    Stopped(StopReason),
    Closed,
}

/// An attempt without a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) began: Duration,
    pub(super) until: Option<Duration>,
}

/// An upgraded socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) began: Duration,
    pub(super) opened: Duration,
    pub(super) advice: Option<Advice>,
}

/// When to come back, as the server said: lower and upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Advice(pub(super) Duration, pub(super) Duration);

/// What `welcome` began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Welcomed {
    pub(super) at: Duration,
    pub(super) limits: Limits,
    pub(super) pace: Option<Pace>,
    /// The silence after which the server is probed.
    pub(super) silence: Option<Duration>,
    pub(super) pulse: Pulse,
    /// Whether a fresh token has been asked for in session.
    pub(super) refreshing: bool,
}

/// Whether the server gives signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulse {
    /// The last one came at this time.
    Heard(Duration),
    /// It was asked for one until this time.
    Probing(Duration),
}

impl Link {
    /// When the link's own timer is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Resting(Rest::Waiting { until, .. }) => Some(*until),
            Self::Resting(_) => None,
            Self::Refreshing(attempt) | Self::Opening(attempt) => attempt.until,
            Self::Greeting(_, until) => *until,
            Self::Up(_, welcomed) => welcomed.deadline(),
        }
    }

    /// Whether no timer at all may run, not even one of the outbox.
    pub(super) fn is_dormant(&self) -> bool {
        match self {
            Self::Resting(rest) => match rest {
                Rest::Idle | Rest::Waiting { .. } | Rest::Offline => false,
                Rest::Parked(_) | Rest::SignedOut(_) | Rest::Stopped(_) | Rest::Closed => true,
            },
            Self::Refreshing(_) | Self::Opening(_) | Self::Greeting(..) | Self::Up(..) => false,
        }
    }

    pub(super) fn is_resting(&self) -> bool {
        match self {
            Self::Resting(_) => true,
            Self::Refreshing(_) | Self::Opening(_) | Self::Greeting(..) | Self::Up(..) => false,
        }
    }

    /// The socket, if the upgrade succeeded.
    pub(super) fn socket(&mut self) -> Option<&mut Socket> {
        match self {
            Self::Greeting(socket, _) | Self::Up(socket, _) => Some(socket),
            Self::Resting(_) | Self::Refreshing(_) | Self::Opening(_) => None,
        }
    }

    /// When the connection has room for the next turn; `None` if that is now or never.
    pub(super) fn pace_due(&self) -> Option<Duration> {
        match self {
            Self::Up(_, welcomed) => welcomed.pace.map(|pace| pace.due()),
            Self::Resting(_) | Self::Refreshing(_) | Self::Opening(_) | Self::Greeting(..) => None,
        }
    }

    /// What `welcome` began, if it came.
    pub(super) fn welcomed(&mut self) -> Option<&mut Welcomed> {
        match self {
            Self::Up(_, welcomed) => Some(welcomed),
            Self::Resting(_) | Self::Refreshing(_) | Self::Opening(_) | Self::Greeting(..) => None,
        }
    }

    /// The state as a person sees it; `attempt` is the number of the attempt under way or next.
    pub(super) fn state(&self, attempt: u32) -> State {
        match self {
            Self::Resting(rest) => match *rest {
                Rest::Idle => State::Idle,
                Rest::Waiting { until, pause } => State::Waiting { until, attempt, pause },
                Rest::Offline => State::Offline,
                Rest::Parked(why) => State::Parked { why },
                Rest::SignedOut(why) => State::SignedOut { why },
                Rest::Stopped(why) => State::Stopped { why },
                Rest::Closed => State::Closed,
            },
            Self::Refreshing(_) => State::Refreshing { attempt },
            Self::Opening(_) | Self::Greeting(..) => State::Connecting { attempt },
            Self::Up(..) => State::Connected,
        }
    }
}

impl Welcomed {
    fn deadline(&self) -> Option<Duration> {
        match self.pulse {
            Pulse::Heard(at) => self.silence.map(|silence| at.saturating_add(silence)),
            Pulse::Probing(until) => Some(until),
        }
    }
}
