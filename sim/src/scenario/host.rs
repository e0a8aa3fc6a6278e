//! The names of hosts, as they stand in session files, traces and transcripts.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A host of the world.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    /// `gateway-1` …
    Gateway(u32),
    /// `supervisor`
    Supervisor,
    /// `agent`
    Agent,
    /// `token-service`
    TokenService,
    /// The name of a client.
    Client(String),
    /// `world`: the harness itself, in traces only.
    World,
}

/// Why a text is not a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host: gateway-1, gateway-2 …, supervisor, agent, token-service or a client's name"
)]
pub struct BadHost(pub String);

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(n) => write!(f, "gateway-{n}"),
            Self::Supervisor => f.write_str("supervisor"),
            Self::Agent => f.write_str("agent"),
            Self::TokenService => f.write_str("token-service"),
            Self::Client(name) => f.write_str(name),
            Self::World => f.write_str("world"),
        }
    }
}

impl FromStr for Host {
    type Err = BadHost;
    fn from_str(text: &str) -> Result<Self, BadHost> {
        if let Some(number) = text.strip_prefix("gateway-") {
            return match number.parse() {
                Ok(n @ 1..=4) => Ok(Self::Gateway(n)),
                Ok(_) | Err(_) => Err(BadHost(text.to_owned())),
            };
        }
        match text {
            "supervisor" => Ok(Self::Supervisor),
            "agent" => Ok(Self::Agent),
            "token-service" => Ok(Self::TokenService),
            "world" => Ok(Self::World),
            _ if !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
            {
                Ok(Self::Client(text.to_owned()))
            }
            _ => Err(BadHost(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Host {
    type Error = BadHost;
    fn try_from(text: String) -> Result<Self, BadHost> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.to_string()
    }
}
