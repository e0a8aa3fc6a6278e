//! Names of things: short, printable newtypes that cannot be mistaken for each other.
//!
//! An id is 1 to 64 characters of `A-Z a-z 0-9 . _ : -`, so that it is safe in a path, a log line and a
//! file name. The check runs wherever an id enters: a peer's JSON, a session file, a command line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest id, in characters.
pub const ID_CHARS_MAX: usize = 64;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: 1 to {ID_CHARS_MAX} characters of A-Z a-z 0-9 . _ : -")]
pub struct BadId {
    /// The refused text, cut to 80 characters.
    pub text: String,
}

/// Accepts `text` if it has the shape of an id.
fn checked(text: String) -> Result<String, BadId> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
    if (1..=ID_CHARS_MAX).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text)
    } else {
        Err(BadId { text: text.chars().take(80).collect() })
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String", extend("pattern" = "^[A-Za-z0-9._:-]{1,64}$"))]
        pub struct $name(String);

        impl $name {
            /// Checks a text that came from outside.
            ///
            /// # Errors
            /// [`BadId`] if the text is empty, too long or holds another character.
            pub fn new(text: impl Into<String>) -> Result<Self, BadId> {
                checked(text.into()).map(Self)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A conversation; outlives connections.
    ThreadId
);
id!(
    /// A user turn, chosen by the client; the key under which the supervisor accepts it once.
    MessageId
);
id!(
    /// One client instance (a tab), random at its start.
    ClientId
);
id!(
    /// One welcomed connection, chosen by the gateway.
    ConnectionId
);
id!(
    /// A person: the subject of a token.
    UserId
);
id!(
    /// A login of a user: the access tokens of one chain of refresh tokens.
    SessionId
);
id!(
    /// One frame of a thread log, unique per frame.
    TraceId
);
id!(
    /// A listing of the catalogue.
    ListingId
);

/// A place in a thread log: everything up to and including `seq` has been seen.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Chosen at random when the log is created, 1 to 2^53 - 1 (exact in every JSON reader);
    /// 0 means "I have nothing yet".
    pub epoch: u64,
    /// The last frame seen; 0 before the first.
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_unsafe_in_a_path_or_a_log() {
        for bad in ["", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert!(ThreadId::new(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(ThreadId::new("t-1.a_b:c").is_ok());
        assert!(serde_json::from_str::<ThreadId>("\"a/b\"").is_err());
    }
}
