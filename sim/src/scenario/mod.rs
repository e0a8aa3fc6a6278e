//! What shall happen: a value that a golden session, a seed or a shrunk failure turns into.
//!
//! A scenario knows neither the engine that plays it nor the oracles that judge the outcome.

mod changes;
mod chaos;
mod draw;
mod fault;
mod generate;
mod host;
mod kind;
mod legal;
pub(crate) mod length;
mod overlay;
mod together;

pub use chaos::chaos;
pub use fault::{Armed, DiskFailure, Fault, Intrusion, Misbehaviour, Target, Trigger};
pub use generate::{Crowd, day, default_world};
pub use host::{BadHost, Host};
pub use kind::Kind;
pub use legal::Unplayable;
pub use overlay::{calm, overlay};

use assistant::config::{AgentConfig, ClientPolicy, GatewayConfig, SupervisorConfig, TokenConfig};
use assistant::contract::id::Cursor;
use assistant::supervisor::Rollout;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// Everything a world needs to know, besides the catalogue's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The session's name, or `seed-N`.
    pub name: String,
    /// Where all randomness of the run comes from.
    pub seed: u64,
    /// The hosts and the network between them.
    pub world: WorldSpec,
    /// Who talks, in the order of their names' first use.
    pub clients: Vec<ClientSpec>,
    /// What they say, in order.
    pub turns: Vec<Turn>,
    /// Whether turns wait for each other.
    pub pace: Pace,
    /// Faults at times counted from the start of the run.
    #[serde(default)]
    pub faults: Vec<Armed>,
}

/// A fault of a scenario and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'s> {
    /// The turn that it waits for, as an index; absent for one at a time of the run.
    pub turn: Option<usize>,
    /// Its place among the faults of that turn or run.
    pub index: usize,
    /// The fault.
    pub armed: &'s Armed,
}

impl Scenario {
    /// The client that a host is, if it is one.
    #[must_use]
    pub fn client(&self, host: &Host) -> Option<&ClientSpec> {
        let Host::Client(name) = host else { return None };
        self.clients.iter().find(|client| client.name == *name)
    }

    /// Whether two clients of a thread call themselves the same, so that each connection of one ends that of the other.
    #[must_use]
    pub fn is_contested(&self, thread: &str) -> bool {
        let own = self.clients.iter().filter(|client| client.thread == thread);
        let names: Vec<&str> = own.map(ClientSpec::instance).collect();
        let distinct: BTreeSet<&&str> = names.iter().collect();
        distinct.len() < names.len()
    }

    /// Every fault: those of the run, then those of each turn.
    pub fn armed(&self) -> impl Iterator<Item = Place<'_>> {
        let of_turns = self.turns.iter().enumerate();
        let lists = of_turns.map(|(turn, spec)| (Some(turn), &spec.faults));
        std::iter::once((None, &self.faults)).chain(lists).flat_map(|(turn, faults)| {
            let places = faults.iter().enumerate();
            places.map(move |(index, armed)| Place { turn, index, armed })
        })
    }
}

/// The hosts and the network between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldSpec {
    /// How many gateways, 1 to 4; clients try them in turn.
    pub gateways: u32,
    /// The name of a catalogue in `sessions/catalogs/`, without `.csv`.
    pub catalog: String,
    /// The smallest one-way delay of a link.
    #[serde(with = "length")]
    pub latency: Duration,
    /// What is added to it at random, at most.
    #[serde(with = "length")]
    pub jitter: Duration,
    /// How much a socket holds in each direction, bytes: what has arrived and is not read, what may be under way,
    /// and what may be sent into the void.
    #[serde(default = "socket_bytes")]
    pub socket_bytes: usize,
    /// The run is given up at this simulated time.
    #[serde(with = "length")]
    pub limit: Duration,
    /// The script is not over before this time, even if everything is said: faults have time to happen.
    #[serde(with = "length")]
    pub lasts: Duration,
    /// Over how long the first connections of the clients are spread, evenly and in their order.
    #[serde(with = "length")]
    pub arrive_over: Duration,
    /// What the roles and the clients keep to.
    #[serde(with = "changes", default)]
    pub config: Config,
}

/// What the roles and the clients keep to: the values of production, unless a test says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Every gateway.
    pub gateway: GatewayConfig,
    /// The supervisor.
    pub supervisor: SupervisorConfig,
    /// Who is given the agent.
    pub rollout: Rollout,
    /// The agent.
    pub agent: AgentConfig,
    /// The token service.
    pub token: TokenConfig,
    /// Every client.
    pub client: ClientPolicy,
}

/// What a socket holds unless a scenario says otherwise: 64 KiB.
const fn socket_bytes() -> usize {
    64 * 1024
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self {
            gateways: 2,
            catalog: "willamette".to_owned(),
            latency: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            socket_bytes: socket_bytes(),
            limit: Duration::from_secs(600),
            lasts: Duration::ZERO,
            arrive_over: Duration::ZERO,
            config: Config::default(),
        }
    }
}

/// One client instance: a tab in somebody's browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// Its name in the session, such as `ana`.
    pub name: String,
    /// The person; two tabs may share one.
    pub user: String,
    /// The conversation; two tabs may share one.
    pub thread: String,
    /// What it calls itself to a gateway; its name if absent. A tab that was copied shares this with the one it
    /// is a copy of, and the connection of one ends that of the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The turn before which it connects for the first time, as an index into [`Scenario::turns`]; from the start if
    /// absent. Only where turns wait for each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<usize>,
    /// What an earlier instance of it had seen of the conversation: nothing if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Cursor>,
    /// Whether its user says the next turn without waiting for the end of the last; only where clients follow their
    /// own turns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hasty: bool,
}

impl ClientSpec {
    /// One that is there from the start, has seen nothing, and is no copy of another.
    #[must_use]
    pub fn new(name: &str, user: &str, thread: &str) -> Self {
        Self {
            name: name.to_owned(),
            user: user.to_owned(),
            thread: thread.to_owned(),
            instance: None,
            arrives: None,
            kept: None,
            hasty: false,
        }
    }

    /// What it calls itself to a gateway.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.instance.as_ref().unwrap_or(&self.name)
    }

    /// The host that it is.
    #[must_use]
    pub fn host(&self) -> Host {
        Host::Client(self.name.clone())
    }
}

/// Something a user says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Who, as an index into [`Scenario::clients`].
    pub client: usize,
    /// What.
    pub text: String,
    /// How long the user thinks before speaking.
    #[serde(with = "length")]
    pub pause: Duration,
    /// Faults that wait for this turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Armed>,
}

/// Whether turns wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Each turn waits for the end of the one before it, whoever spoke: a golden session.
    Together,
    /// Each client follows its own turns: generated traffic.
    Apart,
}
