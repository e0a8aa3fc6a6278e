//! Scenarios from seeds: the default world, in which everybody talks and nothing goes wrong, and crowds.

use super::{Armed, ClientSpec, Fault, Host, Pace, Scenario, Trigger, Turn, WorldSpec};
use std::time::Duration;

/// How long the default world is busy.
const BUSY: Duration = Duration::from_secs(60);
/// How often each client of it speaks.
const TURN_EVERY: Duration = Duration::from_secs(5);
/// Who talks in it.
const NAMES: [&str; 3] = ["ana", "ben", "caro"];
/// What they say; each begins elsewhere in the round.
pub(super) const SAYINGS: [&str; 8] = [
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
    let clients =
        NAMES.iter().map(|name| ClientSpec::new(name, &format!("u-{name}"), &format!("t-{name}")));
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

/// A working day and a night: a hundred people who each say something every five minutes, tokens that live ten, and
/// a deploy of both gateways, one after the other, every four hours.
#[must_use]
pub fn day() -> Scenario {
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let (arrive_over, turn_every) = (minutes(5), Some(minutes(5)));
    let crowd = Crowd { clients: 100, arrive_over, turn_every, lasts: hours(24) };
    let mut scenario = crowd.scenario(1);
    scenario.name = "day".to_owned();
    scenario.world.config.token.access_ttl = minutes(10);
    let deploys = (1..6).flat_map(|round| {
        [1, 2].map(|gateway| {
            let at = Trigger::Elapsed(hours(4 * round) + minutes(5 * u64::from(gateway)));
            Armed { at, fault: Fault::Bounce { host: Host::Gateway(gateway) } }
        })
    });
    scenario.faults = deploys.collect();
    scenario
}

/// Many clients, each a person with a thread of their own: `c0001`, `c0002` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// How many, at least 1.
    pub clients: usize,
    /// Over how long their first connections are spread.
    pub arrive_over: Duration,
    /// How long each thinks before each turn; absent: they only listen.
    pub turn_every: Option<Duration>,
    /// How long they stay at least.
    pub lasts: Duration,
}

impl Crowd {
    /// The scenario of a crowd, without faults. Each says as much as fits between its arrival and the end.
    #[must_use]
    pub fn scenario(&self, seed: u64) -> Scenario {
        let name = |number: usize| format!("c{number:04}");
        let clients = (1..=self.clients).map(|number| {
            let name = name(number);
            ClientSpec::new(&name, &format!("u-{name}"), &format!("t-{name}"))
        });
        let turns = (0..self.clients).flat_map(|client| {
            let pause = self.turn_every.unwrap_or(Duration::MAX);
            let sayings = SAYINGS.iter().cycle().skip(client % SAYINGS.len());
            sayings.take(self.turns_of(client)).map(move |text| Turn {
                client,
                text: (*text).to_owned(),
                pause,
                faults: Vec::new(),
            })
        });
        let usual = WorldSpec::default();
        Scenario {
            name: format!("crowd-{}-{seed}", self.clients),
            seed,
            world: WorldSpec {
                limit: self.lasts + usual.limit,
                lasts: self.lasts,
                arrive_over: self.arrive_over,
                ..usual
            },
            clients: clients.collect(),
            turns: turns.collect(),
            pace: Pace::Apart,
            faults: Vec::new(),
        }
    }

    fn turns_of(&self, client: usize) -> usize {
        let share = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let arrives = self.arrive_over * share(client) / share(self.clients.max(1));
        let every = self.turn_every.map_or(0, |every| every.as_millis());
        let stays = self.lasts.saturating_sub(arrives).as_millis();
        usize::try_from(stays.checked_div(every).unwrap_or(0)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_a_turn_every_five_minutes_and_a_deploy_every_four_hours() {
        let scenario = day();
        assert_eq!(scenario.check(), Ok(()));
        assert_eq!((scenario.clients.len(), scenario.faults.len()), (100, 10));
        assert!(scenario.turns.len() > 28_000, "{}", scenario.turns.len());
        assert_eq!(scenario.world.lasts, Duration::from_secs(86_400));
    }

    #[test]
    fn a_crowd_says_as_much_as_fits_and_shares_nothing() {
        let seconds = Duration::from_secs;
        let crowd = Crowd {
            clients: 10,
            arrive_over: seconds(20),
            turn_every: Some(seconds(10)),
            lasts: seconds(30),
        };
        let scenario = crowd.scenario(7);
        let turns = |client| scenario.turns.iter().filter(|turn| turn.client == client).count();
        assert_eq!([0, 4, 5, 6, 9].map(turns), [3, 2, 2, 1, 1]);
        assert_eq!(scenario.clients[9].name, "c0010");
        let threads = scenario.clients.iter().map(|client| &client.thread);
        assert_eq!(threads.collect::<std::collections::BTreeSet<_>>().len(), 10);
        assert!(Crowd { turn_every: None, ..crowd }.scenario(7).turns.is_empty());
    }
}
