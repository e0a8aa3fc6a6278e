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
    /// Nothing that one host sends reaches the other; the way back is open, but what arrives on it is never
    /// acknowledged, and no connection can be made in either direction.
    OneWay {
        /// Whose packets are lost.
        from: Host,
        /// Whom they do not reach.
        to: Host,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// A link that goes and comes: a [`Fault::Partition`] of this length, as long a repair, and so on.
    Flap {
        /// The two hosts.
        between: [Host; 2],
        /// How long the link is down, and then up.
        #[serde(with = "length")]
        every: Duration,
        /// How long this goes on.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// Whatever passes between two hosts takes longer.
    Latency {
        /// The two hosts.
        between: [Host; 2],
        /// By how much, in each direction.
        #[serde(with = "length")]
        by: Duration,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// A host refuses every new connection, as a process whose port is closed; the old ones go on.
    Refuse {
        /// Which host.
        host: Host,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// Attempts to connect to a host are swallowed, as by a firewall that drops or a full backlog; the old
    /// connections go on.
    BlackHole {
        /// Which host.
        host: Host,
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
    /// A frame never reaches a client, as if a message bus had dropped it; only behind [`Trigger::Frame`]. A hole
    /// shows itself by what follows, so it is a frame that others follow.
    Lose {
        /// Which client.
        client: Host,
    },
    /// The connection of a client is reset inside a frame, of which only the beginning arrives; only behind
    /// [`Trigger::Frame`].
    Tear {
        /// Which client.
        client: Host,
        /// How many bytes of the frame arrive; of a shorter one all but the last.
        bytes: usize,
    },
    /// Everything reaches a client in small pieces.
    Fragment {
        /// Which client.
        client: Host,
        /// How many bytes a piece has, at most; at least 1.
        bytes: usize,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
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
        /// Which host: the agent or the token service; or, if it fails, a gateway.
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
    /// The disk of a host says that it has synced, and has not: a power loss takes what was written since. No
    /// system survives both, so this shows what the oracles notice.
    LostSync {
        /// Which host: the supervisor or the token service.
        host: Host,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// Each sync of a host's disk takes long, and its process waits: meanwhile nothing that it says leaves it, and
    /// it hears nothing. Its timers go on, which those of a process that waits do not.
    SlowSync {
        /// Which host: the supervisor or the token service.
        host: Host,
        /// How long each sync takes.
        #[serde(with = "length")]
        by: Duration,
        /// How long.
        #[serde(with = "length")]
        lasts: Duration,
    },
    /// The user of a client ends its session from elsewhere: the token service is told to revoke it.
    SignOut {
        /// Which client.
        client: Host,
    },
    /// Somebody connects to a gateway and breaks the protocol, or comes with a bad token.
    Intrude {
        /// Which gateway.
        host: Host,
        /// In which way.
        how: Intrusion,
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
    /// A gateway only: lets everybody in, and closes each connection with 1011, as one does that has a bug.
    Fail,
}

impl Misbehaviour {
    /// Each once.
    pub const ALL: [Self; 5] = [Self::Refuse, Self::Garble, Self::Drift, Self::Hang, Self::Fail];

    /// Whether a host can misbehave like this.
    #[must_use]
    pub fn can_befall(self, host: &Host) -> bool {
        match self {
            Self::Refuse | Self::Garble | Self::Drift | Self::Hang => {
                matches!(host, Host::Agent | Host::TokenService)
            }
            Self::Fail => matches!(host, Host::Gateway(_)),
        }
    }
}

/// What an intruder does once it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intrusion {
    /// Nothing: no hello, no word.
    Silent,
    /// Sends a binary frame.
    Binary,
    /// Sends a text that is no JSON.
    Garbage,
    /// Sends a message longer than any that is taken.
    Huge,
    /// Sends frames faster than anybody may.
    Flood,
    /// The same over many connections, on none of them too fast.
    Crowd,
    /// Comes with a token that has ended.
    Expired,
    /// Comes with a token of a session that was ended.
    Revoked,
    /// Comes with a token that somebody else has signed.
    Forged,
    /// Sends text that is not UTF-8.
    Latin1,
    /// Sends a frame of a kind that there is not.
    Reserved,
}

impl Intrusion {
    /// Each once.
    pub const ALL: [Self; 11] = [
        Self::Silent,
        Self::Binary,
        Self::Garbage,
        Self::Huge,
        Self::Flood,
        Self::Crowd,
        Self::Expired,
        Self::Revoked,
        Self::Forged,
        Self::Latin1,
        Self::Reserved,
    ];

    /// How many connections it takes.
    #[must_use]
    pub fn connections(self) -> usize {
        match self {
            // As many as a user may have at one gateway, but one.
            Self::Crowd => 9,
            Self::Silent
            | Self::Binary
            | Self::Garbage
            | Self::Huge
            | Self::Flood
            | Self::Latin1
            | Self::Reserved
            | Self::Expired
            | Self::Revoked
            | Self::Forged => 1,
        }
    }
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

/// What a fault befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'f> {
    /// One client, whose own trouble it is.
    Client(&'f Host),
    /// A serving host.
    Server(&'f Host),
    /// What passes between two hosts.
    Link(&'f Host, &'f Host),
}

impl Fault {
    /// What it befalls.
    #[must_use]
    pub fn target(&self) -> Target<'_> {
        match self {
            Self::Cut { client }
            | Self::Lose { client }
            | Self::Tear { client, .. }
            | Self::Fragment { client, .. }
            | Self::Duplicate { client }
            | Self::Reorder { client }
            | Self::SlowReader { client, .. }
            | Self::HalfOpen { client, .. }
            | Self::Offline { client, .. }
            | Self::SignOut { client }
            | Self::Pause { host: client, .. } => Target::Client(client),
            Self::Crash { host, .. }
            | Self::PowerLoss { host, .. }
            | Self::Bounce { host }
            | Self::Refuse { host, .. }
            | Self::BlackHole { host, .. }
            | Self::Misbehave { host, .. }
            | Self::BadDisk { host, .. }
            | Self::LostSync { host, .. }
            | Self::SlowSync { host, .. }
            | Self::Intrude { host, .. }
            | Self::Skew { host, .. } => Target::Server(host),
            Self::Partition { between: [one, other], .. }
            | Self::Flap { between: [one, other], .. }
            | Self::Latency { between: [one, other], .. }
            | Self::Hold { between: [one, other], .. }
            | Self::OneWay { from: one, to: other, .. } => Target::Link(one, other),
        }
    }

    /// Whether it has no end: it happens to one frame, at once, or stays for the rest of the run.
    #[must_use]
    pub fn is_momentary(&self) -> bool {
        self.lasts().is_none() && !matches!(self, Self::Bounce { .. })
    }

    /// How long it lasts, if that is set beforehand.
    #[must_use]
    pub fn lasts(&self) -> Option<Duration> {
        self.clone().lasts_mut().copied()
    }

    /// The same, to be changed.
    pub fn lasts_mut(&mut self) -> Option<&mut Duration> {
        match self {
            Self::Crash { down: lasts, .. }
            | Self::PowerLoss { down: lasts, .. }
            | Self::Partition { lasts, .. }
            | Self::OneWay { lasts, .. }
            | Self::Flap { lasts, .. }
            | Self::Latency { lasts, .. }
            | Self::Refuse { lasts, .. }
            | Self::BlackHole { lasts, .. }
            | Self::Hold { lasts, .. }
            | Self::Fragment { lasts, .. }
            | Self::SlowReader { lasts, .. }
            | Self::HalfOpen { lasts, .. }
            | Self::Offline { lasts, .. }
            | Self::Pause { lasts, .. }
            | Self::Misbehave { lasts, .. }
            | Self::BadDisk { lasts, .. }
            | Self::LostSync { lasts, .. }
            | Self::SlowSync { lasts, .. } => Some(lasts),
            Self::Bounce { .. }
            | Self::Cut { .. }
            | Self::Lose { .. }
            | Self::Tear { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::SignOut { .. }
            | Self::Intrude { .. }
            | Self::Skew { .. } => None,
        }
    }

    /// Whether it happens to a frame, and so can only wait for one.
    #[must_use]
    pub fn is_of_frame(&self) -> bool {
        self.kind().is_of_frame()
    }

    /// The client that it befalls, if it is one client's own trouble.
    #[must_use]
    pub fn client(&self) -> Option<&Host> {
        if let Target::Client(client) = self.target() { Some(client) } else { None }
    }
}
