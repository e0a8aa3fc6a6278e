//! What can go wrong, and when. The verbs are turmoil's where it has one.

use super::{Host, length};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A fault that waits for its moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Armed {
    /// When.
    pub at: Trigger,
    /// What.
    #[serde(rename = "do")]
    pub fault: Fault,
}

/// The moment of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Trigger {
    /// This long after the turn (or the run) began.
    Elapsed(#[serde(with = "length")] Duration),
    /// As soon as the client of the turn has received this frame; for a fault that names a client, that
    /// client.
    Frame {
        /// The `event` of the frame, such as `recommendations`.
        event: String,
        /// Which of them in the turn, from 1.
        nth: u32,
    },
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Fault {
    /// `kill -9`: peers see their connections end; what the host had written survives.
    Crash {
        /// Which host.
        host: Host,
        /// How long until it starts again.
        #[serde(with = "length")]
        down: Duration,
    },
    /// The plug is pulled: peers hear nothing, writes that were not synced are lost.
    PowerLoss {
        /// Which host.
        host: Host,
        /// How long until it starts again.
        #[serde(with = "length")]
        down: Duration,
    },
    /// A graceful stop and a start: a deploy.
    Bounce {
        /// Which host.
        host: Host,
    },
    /// Nothing passes between two hosts; what was sent arrives after the end, or the connection
    /// times out.
    Partition {
        /// The two hosts.
        between: [Host; 2],
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// Everything between two hosts waits, and then arrives.
    Hold {
        /// The two hosts.
        between: [Host; 2],
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// The connection of a client is reset.
    Cut {
        /// Which client.
        client: Host,
    },
    /// A frame reaches a client twice in a row; only behind [`Trigger::Frame`].
    Duplicate {
        /// Which client.
        client: Host,
    },
    /// A frame reaches a client behind the one that follows it; only behind [`Trigger::Frame`].
    Reorder {
        /// Which client.
        client: Host,
    },
    /// A client reads nothing from its sockets; what is sent to it piles up, first on its side and then
    /// at the senders, which wait.
    SlowReader {
        /// Which client.
        client: Host,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// Nothing passes on the connections that a client has, in either direction, and neither end is told:
    /// no end, no reset, no timeout. New connections work. At its end whoever still holds one is reset, as
    /// by a NAT that has forgotten it.
    HalfOpen {
        /// Which client.
        client: Host,
        /// How long nobody is told.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// A client's device has no network: it is told so, its links are partitioned, and it is told again
    /// when they are repaired.
    Offline {
        /// Which client.
        client: Host,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// A client's process is not run: SIGSTOP, or the lid of a laptop. Time goes on, so its timers are late
    /// when it resumes; its sockets fill meanwhile.
    Pause {
        /// Which client; roles start tasks of their own, which no engine can hold back.
        host: Host,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// Instead of a serving host runs one that answers every request in the same wrong way.
    Misbehave {
        /// Which host: the agent or the token service.
        host: Host,
        /// How it answers.
        how: Misbehaviour,
        /// How long, until the right one starts again.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// The disk of a host fails its database, which ends the host; whoever keeps it running starts it again when
    /// the disk is sound.
    BadDisk {
        /// Which host: the supervisor or the token service.
        host: Host,
        /// In which way.
        how: DiskFailure,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// The wall clock of a serving host is wrong from now on, to the end of the run.
    Skew {
        /// Which host.
        host: Host,
        /// How far it is ahead, milliseconds; negative: behind.
        by_ms: i64,
    },
}

/// How a host that misbehaves answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// With status 500.
    Refuse,
    /// With status 200 and half a body.
    Garble,
    /// With status 200 and JSON that is not of the contract.
    Drift,
    /// Not at all.
    Hang,
}

/// What a failing disk refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskFailure {
    /// Everything: EIO.
    Io,
    /// Every write: ENOSPC, as on a file system that copies on write.
    Full,
}

impl Fault {
    /// Whether it has no end: it happens to one frame, at once, or stays for the rest of the run.
    #[must_use]
    pub fn is_momentary(&self) -> bool {
        match self {
            Self::Cut { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Skew { .. } => true,
            Self::Crash { .. }
            | Self::PowerLoss { .. }
            | Self::Bounce { .. }
            | Self::Partition { .. }
            | Self::Hold { .. }
            | Self::SlowReader { .. }
            | Self::HalfOpen { .. }
            | Self::Offline { .. }
            | Self::Misbehave { .. }
            | Self::BadDisk { .. }
            | Self::Pause { .. } => false,
        }
    }

    /// How long it lasts, if that is set beforehand.
    #[must_use]
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Self::Crash { down: lasts, .. }
            | Self::PowerLoss { down: lasts, .. }
            | Self::Partition { lasts, .. }
            | Self::Hold { lasts, .. }
            | Self::SlowReader { lasts, .. }
            | Self::HalfOpen { lasts, .. }
            | Self::Offline { lasts, .. }
            | Self::Pause { lasts, .. }
            | Self::Misbehave { lasts, .. }
            | Self::BadDisk { lasts, .. } => Some(*lasts),
            Self::Bounce { .. }
            | Self::Cut { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Skew { .. } => None,
        }
    }

    /// The same, to be changed.
    pub fn lasts_mut(&mut self) -> Option<&mut Duration> {
        match self {
            Self::Crash { down: lasts, .. }
            | Self::PowerLoss { down: lasts, .. }
            | Self::Partition { lasts, .. }
            | Self::Hold { lasts, .. }
            | Self::SlowReader { lasts, .. }
            | Self::HalfOpen { lasts, .. }
            | Self::Offline { lasts, .. }
            | Self::Pause { lasts, .. }
            | Self::Misbehave { lasts, .. }
            | Self::BadDisk { lasts, .. } => Some(lasts),
            Self::Bounce { .. }
            | Self::Cut { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::Skew { .. } => None,
        }
    }

    /// The client that it befalls, if it is one client's own trouble.
    #[must_use]
    pub fn client(&self) -> Option<&Host> {
        match self {
            Self::Cut { client }
            | Self::Duplicate { client }
            | Self::Reorder { client }
            | Self::SlowReader { client, .. }
            | Self::HalfOpen { client, .. }
            | Self::Offline { client, .. }
            | Self::Pause { host: client, .. } => Some(client),
            Self::Crash { .. }
            | Self::PowerLoss { .. }
            | Self::Bounce { .. }
            | Self::Partition { .. }
            | Self::Hold { .. }
            | Self::Misbehave { .. }
            | Self::BadDisk { .. }
            | Self::Skew { .. } => None,
        }
    }
}
