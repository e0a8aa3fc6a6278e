//! The shape of a session file, key by key, as serde reads it. It does not know what the names mean.
//!
//! Enums are externally tagged and nothing is flattened or untagged: errors keep their place.

use super::matcher::Raw;
use super::yaml::{At, present};
use crate::scenario::{DiskFailure, Intrusion, Misbehaviour};
use assistant::supervisor::Rollout;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionYaml {
    pub(super) session: At<String>,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) seed: u64,
    #[serde(default)]
    pub(super) world: WorldYaml,
    #[serde(default, deserialize_with = "present")]
    pub(super) clients: Option<At<Vec<ClientYaml>>>,
    pub(super) turns: At<Vec<TurnYaml>>,
    #[serde(default)]
    pub(super) faults: Vec<ArmedYaml>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorldYaml {
    #[serde(default, deserialize_with = "present")]
    pub(super) catalog: Option<At<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) gateways: Option<At<u32>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) latency: Option<At<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) jitter: Option<At<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) limit: Option<At<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) rollout: Option<Rollout>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientYaml {
    pub(super) name: At<String>,
    pub(super) user: At<String>,
    pub(super) thread: At<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TurnYaml {
    pub(super) user: At<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) by: Option<At<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) pause: Option<At<String>>,
    #[serde(default)]
    pub(super) faults: Vec<ArmedYaml>,
    #[serde(default, deserialize_with = "present")]
    pub(super) expect: Option<At<ExpectYaml>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArmedYaml {
    pub(super) at: At<TriggerYaml>,
    #[serde(rename = "do")]
    pub(super) fault: FaultYaml,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TriggerYaml {
    #[serde(default, deserialize_with = "present")]
    pub(super) frame: Option<At<String>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) nth: Option<At<u32>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) elapsed: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum FaultYaml {
    Crash { host: At<String>, down: At<String> },
    PowerLoss { host: At<String>, down: At<String> },
    Bounce { host: At<String> },
    Partition { between: At<Vec<At<String>>>, lasts: At<String> },
    OneWay { from: At<String>, to: At<String>, lasts: At<String> },
    Flap { between: At<Vec<At<String>>>, every: At<String>, lasts: At<String> },
    Latency { between: At<Vec<At<String>>>, by: At<String>, lasts: At<String> },
    Hold { between: At<Vec<At<String>>>, lasts: At<String> },
    Refuse { host: At<String>, lasts: At<String> },
    BlackHole { host: At<String>, lasts: At<String> },
    Cut { client: At<String> },
    Lose { client: At<String> },
    Tear { client: At<String>, bytes: usize },
    Fragment { client: At<String>, bytes: usize, lasts: At<String> },
    Duplicate { client: At<String> },
    Reorder { client: At<String> },
    SlowReader { client: At<String>, lasts: At<String> },
    HalfOpen { client: At<String>, lasts: At<String> },
    Offline { client: At<String>, lasts: At<String> },
    Pause { host: At<String>, lasts: At<String> },
    Misbehave { host: At<String>, how: Misbehaviour, lasts: At<String> },
    BadDisk { host: At<String>, how: DiskFailure, lasts: At<String> },
    LostSync { host: At<String>, lasts: At<String> },
    SlowSync { host: At<String>, by: At<String>, lasts: At<String> },
    Intrude { host: At<String>, how: Intrusion },
    SignOut { client: At<String> },
    Skew { host: At<String>, by: At<String> },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectYaml {
    #[serde(default, deserialize_with = "present")]
    pub(super) agent: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) intent: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) slots: Option<At<Pairs<At<Raw>>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) listings: Option<At<WordOr<ListingsYaml>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) relaxation: Option<At<WordOr<Pairs<At<StretchYaml>>>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) refers_to: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) reply: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) frames: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) error: Option<At<ErrorYaml>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListingsYaml {
    #[serde(default, deserialize_with = "present")]
    pub(super) ids: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) count: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) each: Option<At<Pairs<At<Raw>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StretchYaml {
    #[serde(default, deserialize_with = "present")]
    pub(super) from: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) to: Option<At<Raw>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorYaml {
    #[serde(default, deserialize_with = "present")]
    pub(super) code: Option<At<Raw>>,
    #[serde(default, deserialize_with = "present")]
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
