//! What client and token service say to each other: `POST /v1/refresh`.

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
}
