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
    Hold,
    Cut,
    Duplicate,
    Reorder,
    SlowReader,
    HalfOpen,
    Offline,
    Pause,
    Misbehave,
    BadDisk,
    Skew,
}

impl Kind {
    /// Each once.
    pub const ALL: [Self; 15] = [
        Self::Crash,
        Self::PowerLoss,
        Self::Bounce,
        Self::Partition,
        Self::Hold,
        Self::Cut,
        Self::Duplicate,
        Self::Reorder,
        Self::SlowReader,
        Self::HalfOpen,
        Self::Offline,
        Self::Pause,
        Self::Misbehave,
        Self::BadDisk,
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
            Self::Hold => "hold",
            Self::Cut => "cut",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::SlowReader => "slow_reader",
            Self::HalfOpen => "half_open",
            Self::Offline => "offline",
            Self::Pause => "pause",
            Self::Misbehave => "misbehave",
            Self::BadDisk => "bad_disk",
            Self::Skew => "skew",
        }
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
            Self::Hold { .. } => Kind::Hold,
            Self::Cut { .. } => Kind::Cut,
            Self::Duplicate { .. } => Kind::Duplicate,
            Self::Reorder { .. } => Kind::Reorder,
            Self::SlowReader { .. } => Kind::SlowReader,
            Self::HalfOpen { .. } => Kind::HalfOpen,
            Self::Offline { .. } => Kind::Offline,
            Self::Pause { .. } => Kind::Pause,
            Self::Misbehave { .. } => Kind::Misbehave,
            Self::BadDisk { .. } => Kind::BadDisk,
            Self::Skew { .. } => Kind::Skew,
        }
    }
}
