//! What can go wrong, and when. The verbs are turmoil's where it has one.

use super::Host;
use serde::Serialize;
use std::time::Duration;

/// A fault that waits for its moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Armed {
    /// When.
    pub at: Trigger,
    /// What.
    pub fault: Fault,
}

/// The moment of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Trigger {
    /// This long after the turn (or the run) began.
    Elapsed(Duration),
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Fault {
    /// `kill -9`: peers see their connections end; what the host had written survives.
    Crash {
        /// Which host.
        host: Host,
        /// How long until it starts again.
        down: Duration,
    },
    /// The plug is pulled: peers hear nothing, writes that were not synced are lost.
    PowerLoss {
        /// Which host.
        host: Host,
        /// How long until it starts again.
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
        lasts: Duration,
    },
    /// Everything between two hosts waits, and then arrives.
    Hold {
        /// The two hosts.
        between: [Host; 2],
        /// How long.
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
}

impl Fault {
    /// Whether it happens to one frame, at once and without an end.
    #[must_use]
    pub fn is_momentary(&self) -> bool {
        match self {
            Self::Cut { .. } | Self::Duplicate { .. } | Self::Reorder { .. } => true,
            Self::Crash { .. }
            | Self::PowerLoss { .. }
            | Self::Bounce { .. }
            | Self::Partition { .. }
            | Self::Hold { .. } => false,
        }
    }
}
