//! The shape of a session file, key by key, as serde reads it. It does not know what the names mean.
//!
//! What is said of a key here is what an editor shows, and what stands in `docs/session-format.md`.
//!
//! Enums are externally tagged and nothing is flattened or untagged: errors keep their place.

use super::fault_model::ArmedYaml;
use super::matcher::Raw;
use super::schema::{self, Length};
use super::yaml::{At, present};
use assistant::supervisor::Rollout;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A golden session: a conversation, what goes wrong during it, and what must come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionYaml {
    /// The name: that of the file, without `.yaml`.
    pub(super) session: At<String>,
    /// A sentence on what it proves.
    #[serde(default)]
    pub(super) about: String,
    /// Words to choose sessions by.
    #[serde(default)]
    pub(super) tags: Vec<String>,
    /// Where all randomness of the run comes from. Another one is another interleaving.
    pub(super) seed: u64,
    /// Values for `{{name}}` in what is said and expected.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::vars")]
    pub(super) vars: Option<At<Pairs<At<Raw>>>>,
    /// Fragments in `sessions/_fragments/`, by name: their turns come first.
    #[serde(default, rename = "use")]
    pub(super) uses: Vec<At<String>>,
    /// More seeds under which all of this must hold; the transcript of `seed` alone is kept.
    #[serde(default, deserialize_with = "present")]
    pub(super) sweep: Option<SweepYaml>,
    /// This session fails for a known reason: until then its failure counts for nothing.
    #[serde(default, deserialize_with = "present")]
    pub(super) quarantine: Option<QuarantineYaml>,
    /// The hosts and the network between them; what is left out is as usual.
    #[serde(default)]
    pub(super) world: WorldYaml,
    /// Who talks. Left out, it is one client `user`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(length(min = 1))]
    pub(super) clients: Option<At<Vec<ClientYaml>>>,
    /// What is said, in order; each turn waits for the end of the one before.
    #[schemars(length(min = 1))]
    pub(super) turns: At<Vec<TurnYaml>>,
    /// What goes wrong at times counted from the start of the run.
    #[serde(default)]
    pub(super) faults: Vec<ArmedYaml>,
}

/// More seeds of a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SweepYaml {
    /// How many, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) seeds: At<u64>,
}

/// Why a session may fail, and until when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuarantineYaml {
    /// Where the reason is discussed.
    pub(super) issue: At<String>,
    /// Who mends it.
    pub(super) owner: At<String>,
    /// The last day, such as `2026-12-31`; after it the quarantine is itself a failure.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub(super) until: At<String>,
}

/// Turns that sessions share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FragmentYaml {
    pub(super) fragment: At<String>,
    #[serde(default, rename = "about")]
    pub(super) _about: String,
    pub(super) turns: At<Vec<TurnYaml>>,
}

/// The hosts and the network between them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorldYaml {
    /// The listings: a file in `sessions/catalogs/`, without `.csv`. Usually `willamette`.
    #[serde(default, deserialize_with = "present")]
    pub(super) catalog: Option<At<String>>,
    /// How many gateways there are, 1 to 4; clients try them in turn. Usually 2.
    #[serde(default, deserialize_with = "present")]
    #[schemars(range(min = 1, max = 4))]
    pub(super) gateways: Option<At<u32>>,
    /// The smallest one-way delay of a link, at least 1ms. Usually 10ms.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Length")]
    pub(super) latency: Option<At<String>>,
    /// What is added to it at random, at most. Usually 5ms.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Length")]
    pub(super) jitter: Option<At<String>>,
    /// How much a socket holds in each direction, bytes, at least 256. Usually 65536.
    #[serde(default, deserialize_with = "present")]
    #[schemars(range(min = 256))]
    pub(super) socket_bytes: Option<At<usize>>,
    /// The run is given up at this simulated time. Usually 10m.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Length")]
    pub(super) limit: Option<At<String>>,
    /// Who is given the agent. Usually everybody.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::rollout")]
    pub(super) rollout: Option<Rollout>,
}

/// A client: a tab in somebody's browser. Two that share a thread see the same conversation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientYaml {
    /// Its name here: letters, digits and `_`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_]+$"))]
    pub(super) name: At<String>,
    /// The person.
    #[schemars(regex(pattern = "^[A-Za-z0-9._:-]+$"))]
    pub(super) user: At<String>,
    /// The conversation. It belongs to whoever comes first.
    #[schemars(regex(pattern = "^[A-Za-z0-9._:-]+$"))]
    pub(super) thread: At<String>,
    /// The client above of which it is a copy, a duplicated tab: a later connection of one ends that of the other.
    #[serde(default, deserialize_with = "present")]
    pub(super) copy_of: Option<At<String>>,
    /// Before which turn it connects for the first time, counted from 1. Left out, it is there from the start.
    #[serde(default, deserialize_with = "present")]
    #[schemars(range(min = 1))]
    pub(super) arrives: Option<At<u32>>,
    /// How many frames it has seen of an earlier log of the conversation, one that the servers have lost.
    #[serde(default, deserialize_with = "present")]
    #[schemars(range(min = 1))]
    pub(super) remembers: Option<At<u64>>,
    /// With which reasons gateways close its connections until all is said, in order; `[]` is never.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::closed")]
    pub(super) closed: Option<At<Raw>>,
}

/// Something a user says, and what must come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["user", "expect"]))]
pub(super) struct TurnYaml {
    /// What is said.
    #[schemars(regex(pattern = "[^ ]"))]
    pub(super) user: At<String>,
    /// Which client says it. Left out, it is the first.
    #[serde(default, deserialize_with = "present")]
    pub(super) by: Option<At<String>>,
    /// How long the user thinks before.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Length")]
    pub(super) pause: Option<At<String>>,
    /// What goes wrong in this turn. A fault that never happens is a failure.
    #[serde(default)]
    pub(super) faults: Vec<ArmedYaml>,
    /// What must come of it. A turn without this is refused.
    #[serde(default, deserialize_with = "present")]
    pub(super) expect: Option<At<ExpectYaml>>,
}

/// What must come of a turn. What is not mentioned is free.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct ExpectYaml {
    /// Who replied.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::agent")]
    pub(super) agent: Option<At<Raw>>,
    /// How the turn was understood.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::intent")]
    pub(super) intent: Option<At<Raw>>,
    /// What the agent has understood so far; only those that are mentioned count, and `none` is one that is absent.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::slots")]
    pub(super) slots: Option<At<Pairs<At<Raw>>>>,
    /// What was shown: a mapping, or `unchanged` if nothing was.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::listings")]
    pub(super) listings: Option<At<WordOr<ListingsYaml>>>,
    /// Which wishes were stretched, and how far: a mapping, or `none`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::relaxation")]
    pub(super) relaxation: Option<At<WordOr<Pairs<At<StretchYaml>>>>>,
    /// The shown listings that the turn spoke of, in order.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::refers_to")]
    pub(super) refers_to: Option<At<Raw>>,
    /// The text of the reply.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::reply")]
    pub(super) reply: Option<At<Raw>>,
    /// The durable frames that were shown, in order.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::frames")]
    pub(super) frames: Option<At<Raw>>,
    /// An earlier turn, counted from 1: what is shown is the same, word for word.
    #[serde(default, deserialize_with = "present")]
    #[schemars(range(min = 1))]
    pub(super) same_as: Option<At<u32>>,
    /// The error that the turn ended in.
    #[serde(default, deserialize_with = "present")]
    pub(super) error: Option<At<ErrorYaml>>,
}

/// The listings shown last in the turn.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct ListingsYaml {
    /// Which, exactly and in order.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::ids")]
    pub(super) ids: Option<At<Raw>>,
    /// How many.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::count")]
    pub(super) count: Option<At<Raw>>,
    /// What each of them must be.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::each")]
    pub(super) each: Option<At<Pairs<At<Raw>>>>,
}

/// How far a wish was stretched; an empty mapping demands only that it was.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StretchYaml {
    /// What was asked.
    #[serde(default, deserialize_with = "present")]
    pub(super) from: Option<At<Raw>>,
    /// What is offered.
    #[serde(default, deserialize_with = "present")]
    pub(super) to: Option<At<Raw>>,
}

/// An error that ended a turn.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct ErrorYaml {
    /// Why.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::error_code")]
    pub(super) code: Option<At<Raw>>,
    /// Whether saying it again may help.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "schema::retryable")]
    pub(super) retryable: Option<At<Raw>>,
}

/// A mapping whose keys keep their places and their order.
#[derive(Debug)]
pub(super) struct Pairs<T>(pub(super) Vec<(At<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<T> {
            type Value = Pairs<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visit(PhantomData))
    }
}

/// A keyword such as `unchanged`, or a mapping.
#[derive(Debug)]
pub(super) enum WordOr<T> {
    Word(String),
    Map(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<T> {
            type Value = WordOr<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a keyword or a mapping")
            }
            fn visit_str<E>(self, word: &str) -> Result<WordOr<T>, E> {
                Ok(WordOr::Word(word.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WordOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(WordOr::Map)
            }
        }
        deserializer.deserialize_any(Visit(PhantomData))
    }
}
