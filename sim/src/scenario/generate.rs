//! Scenarios from seeds: the default world, in which everybody talks and nothing goes wrong.

use super::{ClientSpec, Pace, Scenario, Turn, WorldSpec};
use std::time::Duration;

/// How long the default world is busy.
const BUSY: Duration = Duration::from_secs(60);
/// How often each client of it speaks.
const TURN_EVERY: Duration = Duration::from_secs(5);
/// Who talks in it.
const NAMES: [&str; 3] = ["ana", "ben", "caro"];
/// What they say; each begins elsewhere in the round.
const SAYINGS: [&str; 8] = [
    "Hello there",
    "2 bed homes to buy in Portland under $400k",
    "Does the second one have parking?",
    "Show me more",
    "3 bedrooms in Bend under 450k",
    "No thanks",
    "Something to rent in Eugene, max 2k a month",
    "Thank you",
];

/// The default world: two gateways and three clients that each speak every five seconds, for a minute of
/// simulated time.
#[must_use]
pub fn default_world(seed: u64) -> Scenario {
    let clients = NAMES.iter().map(|name| ClientSpec {
        name: (*name).to_owned(),
        user: format!("u-{name}"),
        thread: format!("t-{name}"),
    });
    let rounds = usize::try_from(BUSY.as_secs() / TURN_EVERY.as_secs()).unwrap_or(1);
    let mut turns = Vec::new();
    for round in 0..rounds {
        for client in 0..NAMES.len() {
            let start = usize::try_from(seed % 8).unwrap_or(0);
            let saying = SAYINGS.iter().cycle().nth(start + client * 3 + round);
            turns.push(Turn {
                client,
                text: saying.copied().unwrap_or_default().to_owned(),
                pause: TURN_EVERY,
                faults: Vec::new(),
            });
        }
    }
    Scenario {
        name: format!("seed-{seed}"),
        seed,
        world: WorldSpec::default(),
        clients: clients.collect(),
        turns,
        pace: Pace::Apart,
        faults: Vec::new(),
    }
}
