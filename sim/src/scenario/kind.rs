//! The kinds of faults by name: what a seed switches on and what a table counts.

use super::Fault;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A fault without its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is a variant of `Fault`, which says what it is")]
pub enum Kind {
    Crash,
    PowerLoss,
    Bounce,
    Partition,
    OneWay,
    Flap,
    Latency,
    Hold,
    Refuse,
    BlackHole,
    Cut,
    Lose,
    Tear,
    Fragment,
    Duplicate,
    Reorder,
    SlowReader,
    HalfOpen,
    Offline,
    Pause,
    Misbehave,
    BadDisk,
    LostSync,
    SlowSync,
    SignOut,
    Intrude,
    Skew,
}

impl Kind {
    /// Each once.
    pub const ALL: [Self; 27] = [
        Self::Crash,
        Self::PowerLoss,
        Self::Bounce,
        Self::Partition,
        Self::OneWay,
        Self::Flap,
        Self::Latency,
        Self::Hold,
        Self::Refuse,
        Self::BlackHole,
        Self::Cut,
        Self::Lose,
        Self::Tear,
        Self::Fragment,
        Self::Duplicate,
        Self::Reorder,
        Self::SlowReader,
        Self::HalfOpen,
        Self::Offline,
        Self::Pause,
        Self::Misbehave,
        Self::BadDisk,
        Self::LostSync,
        Self::SlowSync,
        Self::SignOut,
        Self::Intrude,
        Self::Skew,
    ];

    /// As in session files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::PowerLoss => "power_loss",
            Self::Bounce => "bounce",
            Self::Partition => "partition",
            Self::OneWay => "one_way",
            Self::Flap => "flap",
            Self::Latency => "latency",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
            Self::BlackHole => "black_hole",
            Self::Cut => "cut",
            Self::Lose => "lose",
            Self::Tear => "tear",
            Self::Fragment => "fragment",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::SlowReader => "slow_reader",
            Self::HalfOpen => "half_open",
            Self::Offline => "offline",
            Self::Pause => "pause",
            Self::Misbehave => "misbehave",
            Self::BadDisk => "bad_disk",
            Self::LostSync => "lost_sync",
            Self::SlowSync => "slow_sync",
            Self::SignOut => "sign_out",
            Self::Intrude => "intrude",
            Self::Skew => "skew",
        }
    }
}

impl Kind {
    /// Whether it happens to a frame, and so can only wait for one.
    #[must_use]
    pub fn is_of_frame(self) -> bool {
        matches!(self, Self::Lose | Self::Tear | Self::Duplicate | Self::Reorder)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Fault {
    /// What sort of fault it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Crash { .. } => Kind::Crash,
            Self::PowerLoss { .. } => Kind::PowerLoss,
            Self::Bounce { .. } => Kind::Bounce,
            Self::Partition { .. } => Kind::Partition,
            Self::OneWay { .. } => Kind::OneWay,
            Self::Flap { .. } => Kind::Flap,
            Self::Latency { .. } => Kind::Latency,
            Self::Hold { .. } => Kind::Hold,
            Self::Refuse { .. } => Kind::Refuse,
            Self::BlackHole { .. } => Kind::BlackHole,
            Self::Cut { .. } => Kind::Cut,
            Self::Lose { .. } => Kind::Lose,
            Self::Tear { .. } => Kind::Tear,
            Self::Fragment { .. } => Kind::Fragment,
            Self::Duplicate { .. } => Kind::Duplicate,
            Self::Reorder { .. } => Kind::Reorder,
            Self::SlowReader { .. } => Kind::SlowReader,
            Self::HalfOpen { .. } => Kind::HalfOpen,
            Self::Offline { .. } => Kind::Offline,
            Self::Pause { .. } => Kind::Pause,
            Self::Misbehave { .. } => Kind::Misbehave,
            Self::BadDisk { .. } => Kind::BadDisk,
            Self::LostSync { .. } => Kind::LostSync,
            Self::SlowSync { .. } => Kind::SlowSync,
            Self::SignOut { .. } => Kind::SignOut,
            Self::Intrude { .. } => Kind::Intrude,
            Self::Skew { .. } => Kind::Skew,
        }
    }
}
