//! The dialogues as the data has them; fields that are not needed are not read.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One dialogue.
#[derive(Debug, Deserialize)]
pub(crate) struct Dialogue {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) turns: Vec<Turn>,
}

/// One turn of either side.
#[derive(Debug, Deserialize)]
pub(crate) struct Turn {
    pub(super) i: u64,
    speaker: String,
    pub(super) utterance: String,
    /// Whether it is about homes.
    pub(super) homes: bool,
    /// Of the system; those of the user are never read.
    #[serde(default)]
    acts: Vec<Act>,
    #[serde(default)]
    pub(super) service_results: Vec<Map<String, Value>>,
}

/// Something the system does.
#[derive(Debug, Deserialize)]
pub(crate) struct Act {
    pub(super) act: String,
    #[serde(default)]
    pub(super) slot: Option<String>,
    #[serde(default)]
    values: Option<Vec<String>>,
    #[serde(default)]
    canonical_values: Option<Vec<String>>,
}

impl Turn {
    pub(super) fn is_user(&self) -> bool {
        self.speaker == "USER"
    }

    /// What the system does in this turn.
    pub(super) fn acts(&self) -> &[Act] {
        if self.is_user() { &[] } else { &self.acts }
    }

    /// The first value of an act of the system on a slot.
    pub(super) fn value(&self, act: &str, slot: &str) -> Option<&Act> {
        self.acts().iter().find(|x| x.act == act && x.slot.as_deref() == Some(slot))
    }

    /// Whether the system does this.
    pub(super) fn does(&self, act: &str) -> bool {
        self.acts().iter().any(|x| x.act == act)
    }
}

impl Act {
    /// As said.
    pub(super) fn said(&self) -> Option<&str> {
        self.values.as_ref()?.first().map(String::as_str)
    }

    /// As the service writes it.
    pub(super) fn canonical(&self) -> Option<&str> {
        let canonical = self.canonical_values.as_ref().and_then(|values| values.first());
        canonical.map(String::as_str).or_else(|| self.said())
    }
}
