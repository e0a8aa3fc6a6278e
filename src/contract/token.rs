//! What clients, gateways and the token service say to each other.
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST /v1/refresh` | [`Refresh`] | 200 [`Granted`], 401 |
//! | `POST /v1/revoke` | [`Revoke`] | 204, whatever the token is (RFC 7009 section 2.2) |
//! | `GET /v1/revocations` | | 200, a [`RevocationLine`] a line, without end |
//!
//! A login begins a session. Its refresh token is replaced by every use; its access tokens name it, so that
//! gateways can end the connections of a session that was revoked.

use super::id::SessionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for a fresh access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The long-lived credential.
    pub refresh_token: String,
}

/// A fresh access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Granted {
    /// A JSON Web Token for the gateway.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// The credential for the next refresh; the one just used is spent. Absent if it stays good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Ends the session of a refresh token: a logout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Any refresh token of the session.
    pub refresh_token: String,
}

/// One line of the followed list of revoked sessions: first those in force, then a beat, then what comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationLine {
    /// Connections of this session are to be ended, and its access tokens refused.
    Revoked {
        /// The session.
        session: SessionId,
        /// When its last access token has expired and the session may be forgotten, seconds since 1970.
        until: u64,
    },
    /// Nothing new; the stream is alive.
    Beat {},
}
