//! The shape of faults in a session file, key by key, as serde reads it: the rest of `model.rs`.

use super::schema::{self, Length};
use super::yaml::{At, present};
use crate::scenario::{DiskFailure, Intrusion, Misbehaviour};
use schemars::JsonSchema;
use serde::Deserialize;

/// A fault and its moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ArmedYaml {
    /// When it happens.
    pub(super) at: At<TriggerYaml>,
    /// What happens.
    #[serde(rename = "do")]
    pub(super) fault: FaultYaml,
}

/// When a fault happens: either with a frame, or after a time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["frame"] }, { "required": ["elapsed"], "not": { "required": ["nth"] } }]))]
pub(super) struct TriggerYaml {
    /// As soon as the speaker's client has read this frame of the turn.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::trigger_frame")]
    pub(super) frame: Option<At<String>>,
    /// Which of several such frames, counted from 1. Left out, it is the first.
    #[serde(default, deserialize_with = "present")]
    #[schemars(range(min = 1))]
    pub(super) nth: Option<At<u32>>,
    /// So long after the turn, or the run, has begun.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Length")]
    pub(super) elapsed: Option<At<String>>,
}

/// Something that goes wrong.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum FaultYaml {
    /// The process of a serving host is killed; it is started again after `down`.
    Crash {
        /// Which host.
        host: At<String>,
        /// How long it stays down.
        #[schemars(with = "Length")]
        down: At<String>,
    },
    /// A serving host loses power: nobody is told, and what it had not synced is lost.
    PowerLoss {
        /// Which host.
        host: At<String>,
        /// How long it stays down.
        #[schemars(with = "Length")]
        down: At<String>,
    },
    /// A serving host is asked to stop and started again once it has: a deploy.
    Bounce {
        /// Which host.
        host: At<String>,
    },
    /// Nothing passes between two hosts.
    Partition {
        /// The two hosts.
        #[schemars(schema_with = "schema::pair")]
        between: At<Vec<At<String>>>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// What one host sends another is lost.
    OneWay {
        /// Who sends.
        from: At<String>,
        /// Whom it does not reach.
        to: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The link of two hosts goes and comes.
    Flap {
        /// The two hosts.
        #[schemars(schema_with = "schema::pair")]
        between: At<Vec<At<String>>>,
        /// How long it is down, and then up.
        #[schemars(with = "Length")]
        every: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// Whatever passes between two hosts takes longer.
    Latency {
        /// The two hosts.
        #[schemars(schema_with = "schema::pair")]
        between: At<Vec<At<String>>>,
        /// By how much.
        #[schemars(with = "Length")]
        by: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// Everything between two hosts waits, and then arrives.
    Hold {
        /// The two hosts.
        #[schemars(schema_with = "schema::pair")]
        between: At<Vec<At<String>>>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// A host refuses every new connection; the old ones go on.
    Refuse {
        /// Which host.
        host: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// Attempts to connect to a host are swallowed; the old connections go on.
    BlackHole {
        /// Which host.
        host: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The connection of a client is reset.
    Cut {
        /// Which client.
        client: At<String>,
    },
    /// The frame in `at` never reaches the client, whose connection goes on.
    Lose {
        /// Which client.
        client: At<String>,
    },
    /// The connection of a client is reset inside the frame in `at`.
    Tear {
        /// Which client.
        client: At<String>,
        /// How many bytes of the frame arrive.
        #[schemars(range(min = 1))]
        bytes: usize,
    },
    /// Everything reaches a client in small pieces.
    Fragment {
        /// Which client.
        client: At<String>,
        /// How many bytes a piece has, at most.
        #[schemars(range(min = 1))]
        bytes: usize,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The frame in `at` reaches the client twice.
    Duplicate {
        /// Which client.
        client: At<String>,
    },
    /// The frame in `at` reaches the client behind the next one.
    Reorder {
        /// Which client.
        client: At<String>,
    },
    /// A client reads nothing from its sockets.
    SlowReader {
        /// Which client.
        client: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The connections of a client pass nothing, and neither end is told until it is over.
    HalfOpen {
        /// Which client.
        client: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The device of a client has no network, and knows it.
    Offline {
        /// Which client.
        client: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The process of a client does not run: the lid of a laptop.
    Pause {
        /// Which host.
        host: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The agent or the token service answers everything wrongly, or a gateway can only `fail`: it closes everybody with 1011.
    Misbehave {
        /// Which host.
        host: At<String>,
        /// In which way.
        #[schemars(schema_with = "schema::misbehaviour")]
        how: Misbehaviour,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The disk of the supervisor or of the token service fails its database, which ends the host; it starts again when the disk is sound.
    BadDisk {
        /// Which host.
        host: At<String>,
        /// In which way.
        #[schemars(schema_with = "schema::disk_failure")]
        how: DiskFailure,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// The disk of the supervisor or of the token service says that it has synced, and has not.
    LostSync {
        /// Which host.
        host: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// Each sync of the disk of the supervisor or of the token service takes long.
    SlowSync {
        /// Which host.
        host: At<String>,
        /// How long each takes.
        #[schemars(with = "Length")]
        by: At<String>,
        /// How long.
        #[schemars(with = "Length")]
        lasts: At<String>,
    },
    /// Somebody connects to a gateway with a good token and breaks the protocol.
    Intrude {
        /// Which gateway.
        host: At<String>,
        /// In which way.
        #[schemars(schema_with = "schema::intrusion")]
        how: Intrusion,
    },
    /// The user of a client ends its session from elsewhere.
    SignOut {
        /// Which client.
        client: At<String>,
    },
    /// The wall clock of a serving host is wrong from then on.
    Skew {
        /// Which host.
        host: At<String>,
        /// By how much: `90s` is ahead, `-2m` is behind.
        #[schemars(schema_with = "schema::skew")]
        by: At<String>,
    },
}
