//! What the supervisor remembers of a conversation, and how it reads what earlier versions wrote.

use crate::contract::agent::AgentState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version that is written. 1 had no number, no `clarifying` and no `heard`.
const VERSION: u64 = 2;

/// How many turns with others are remembered.
const HEARD_MAX: usize = 8;

/// The memory of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SupervisorState {
    pub(super) version: u64,
    /// What the real-estate agent returned last.
    pub(super) agent: AgentState,
    /// How many turns in a row nobody understood.
    pub(super) no_match: u32,
    /// The turn about which the user was asked whether it is about homes.
    pub(super) clarifying: Option<String>,
    /// What the user said to others since the agent answered last, oldest first.
    pub(super) heard: Vec<String>,
}

impl Default for SupervisorState {
    fn default() -> Self {
        Self {
            version: VERSION,
            agent: AgentState::default(),
            no_match: 0,
            clarifying: None,
            heard: Vec::new(),
        }
    }
}

/// Why a memory cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadState {
    /// A newer supervisor wrote it; this one would lose what it does not know.
    #[error(
        "version {0} of a conversation's state is newer than {VERSION}, the newest that this release reads"
    )]
    Newer(u64),
    /// It is not what its version writes.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
}

impl SupervisorState {
    /// Keeps what the user said to others; of a long talk, the end.
    pub(super) fn hear(&mut self, text: &str) {
        self.heard.push(text.to_owned());
        let surplus = self.heard.len().saturating_sub(HEARD_MAX);
        self.heard.drain(..surplus);
    }

    /// The memory of a conversation in which the agent has answered last.
    pub(super) fn answered(agent: AgentState) -> Self {
        Self { agent, ..Self::default() }
    }

    /// Reads what any version up to this one wrote.
    ///
    /// # Errors
    /// [`BadState`].
    pub(super) fn read(mut record: Value) -> Result<Self, BadState> {
        let mut version = record.get("version").and_then(Value::as_u64).unwrap_or(1);
        if version > VERSION {
            return Err(BadState::Newer(version));
        }
        if let (1, Some(fields)) = (version, record.as_object_mut()) {
            version = 2;
            fields.entry("agent").or_insert_with(|| Value::Object(serde_json::Map::default()));
            fields.entry("no_match").or_insert(0.into());
            fields.insert("clarifying".to_owned(), Value::Null);
            fields.insert("heard".to_owned(), Value::Array(Vec::new()));
            fields.insert("version".to_owned(), version.into());
        }
        Ok(serde_json::from_value(record)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_version_1_wrote() {
        let old = json!({
            "agent": {
                "slots": {"city": "Salem", "price_max": 300_000, "firm": ["price_max"]},
                "shown": ["L-0001"],
                "seen": ["L-0001"],
                "pending": {"relaxation": {"slots": {"city": "Salem", "price_max": 320_000}}},
            },
            "no_match": 2,
        });
        let state = SupervisorState::read(old).unwrap();
        assert_eq!((state.version, state.no_match, state.clarifying), (VERSION, 2, None));
        assert_eq!(state.agent.slots.city.as_deref(), Some("Salem"));
        assert!(state.agent.pending.is_some());
        assert_eq!(SupervisorState::read(json!({})).unwrap(), SupervisorState::default());
    }

    #[test]
    fn reads_what_it_writes() {
        let state = SupervisorState {
            no_match: 1,
            clarifying: Some("a place".to_owned()),
            ..SupervisorState::default()
        };
        let written = serde_json::to_value(&state).unwrap();
        assert_eq!(SupervisorState::read(written).unwrap(), state);
    }

    #[test]
    fn refuses_what_a_newer_version_wrote_and_what_nobody_wrote() {
        let newer = SupervisorState::read(json!({"version": 3, "moods": []})).unwrap_err();
        assert!(newer.to_string().contains("version 3"), "{newer}");
        assert!(SupervisorState::read(json!({"version": 2, "moods": []})).is_err());
        assert!(SupervisorState::read(json!("text")).is_err());
    }
}
