//! Scenarios in which things go wrong: people and a schedule of faults, drawn from a seed before anything runs.
//!
//! # Design
//! A swarm (Groce et al., "Swarm Testing", ISSTA 2012): a seed switches on some kinds of faults, and only
//! those, because everything a little at a time hides what one kind alone, or its absence, brings out. Some
//! seeds have no fault at all, some a single kind.
//!
//! Whatever is drawn comes from a generator with a name of its own, so that a kind that is added, or draws
//! more, leaves the rest of each seed's scenario as it was.
//!
//! Faults are over when the busy time is; the last words of every client come after it, in a world that has
//! to have recovered by itself. No fault lasts so long that a client may park (ten attempts, some two
//! minutes): a parked client rightly waits for somebody.

use super::generate::SAYINGS;
use super::{
    Armed, ClientSpec, DiskFailure, Fault, Host, Kind, Misbehaviour, Pace, Scenario, Trigger, Turn,
    WorldSpec,
};
use crate::random::split;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use std::time::Duration;

/// When the faults of the run are over.
const BUSY_MS: u64 = 60_000;
/// When the last turn of a client begins, at the earliest.
const LAST_TURN_MS: u64 = BUSY_MS + 2_000;
/// Nothing goes wrong before: everybody is there.
const CALM_MS: u64 = 500;
/// The longest fault that belongs to a turn, and how long before the end of the busy time no such turn begins.
const OF_TURN_MS: u64 = 10_000;
/// A drain takes up to 40 s, so no deploy begins later.
const LAST_BOUNCE_MS: u64 = 20_000;
/// Two clocks that are wrong by so much in either direction stay within the leeway of a token, 5 s.
const SKEW_MAX_MS: u64 = 2_000;
/// Who talks.
const NAMES: [&str; 5] = ["ana", "ben", "caro", "dan", "eve"];
/// What a fault waits for; the speaker is sent all of them.
const FRAMES: [&str; 6] = ["welcome", "ack", "user_turn", "recommendations", "message", "resumed"];

/// The chaotic world of a seed.
#[must_use]
pub fn chaos(seed: u64) -> Scenario {
    let world = world(seed);
    let clients = clients(seed);
    let mut turns: Vec<Turn> = (0..clients.len()).flat_map(|client| turns(seed, client)).collect();
    let mut faults = Vec::new();
    let window = window(seed);
    for kind in kinds(seed) {
        let mut dice = Dice::named(seed, kind.name());
        for _ in 0..dice.within(1, 3) {
            let moment = Moment::draw(&mut dice, kind, &turns);
            let host = moment.speaker(&turns, &clients);
            let mut draw = Draw { dice: &mut dice, world: &world, clients: &clients, host };
            let armed = draw.armed(kind, &moment, window);
            match moment.turn().and_then(|turn| turns.get_mut(turn)) {
                Some(turn) => turn.faults.push(armed),
                None => faults.push(armed),
            }
        }
    }
    Scenario {
        name: format!("chaos-{seed}"),
        seed,
        world,
        clients,
        turns,
        pace: Pace::Apart,
        faults,
    }
}

/// Which kinds of faults a seed has.
fn kinds(seed: u64) -> Vec<Kind> {
    let mut dice = Dice::named(seed, "kinds");
    match dice.within(1, 16) {
        1 => Vec::new(),
        2..=5 => vec![*dice.pick(&Kind::ALL)],
        _ => Kind::ALL.into_iter().filter(|_| dice.within(1, 2) == 1).collect(),
    }
}

/// Between which times the faults of the run begin: anywhere, or all so close together that they meet.
fn window(seed: u64) -> (u64, u64) {
    let mut dice = Dice::named(seed, "window");
    let latest = BUSY_MS - OF_TURN_MS / 2;
    let from = dice.within(CALM_MS, latest - OF_TURN_MS);
    *dice.pick(&[(CALM_MS, latest), (CALM_MS, latest), (from, from + OF_TURN_MS)])
}

fn world(seed: u64) -> WorldSpec {
    let mut dice = Dice::named(seed, "world");
    let gateways = *dice.pick(&[1, 2, 2, 3]);
    let (latency, jitter) = (dice.ms(1, 40), dice.ms(0, 20));
    let arrive_over = *dice.pick(&[0, 0, 2, 10]);
    WorldSpec {
        gateways,
        latency,
        jitter,
        arrive_over: Duration::from_secs(arrive_over),
        lasts: Duration::from_millis(LAST_TURN_MS),
        ..WorldSpec::default()
    }
}

/// One to five; some are a second tab on the thread of one before them.
fn clients(seed: u64) -> Vec<ClientSpec> {
    let mut dice = Dice::named(seed, "clients");
    let names = dice.within(1, 5);
    let mut clients: Vec<ClientSpec> = Vec::new();
    for (_, name) in (0..names).zip(NAMES) {
        let (user, thread) = match clients.is_empty() || dice.within(1, 3) > 1 {
            true => (format!("u-{name}"), format!("t-{name}")),
            false => {
                let other = dice.pick(&clients);
                (other.user.clone(), other.thread.clone())
            }
        };
        clients.push(ClientSpec { name: name.to_owned(), user, thread });
    }
    clients
}

/// What one client says: in a hurry, as people do, or with long silences, and once more at the end.
fn turns(seed: u64, client: usize) -> Vec<Turn> {
    let mut dice = Dice::named(seed, &format!("turns of {client}"));
    let (shortest, longest) = *dice.pick(&[(0, 1_000), (1_000, 8_000), (8_000, 20_000)]);
    let mut turns = Vec::new();
    let mut passed = 0;
    let mut say = |dice: &mut Dice, pause| {
        let (text, pause) = ((*dice.pick(&SAYINGS)).to_owned(), Duration::from_millis(pause));
        turns.push(Turn { client, text, pause, faults: Vec::new() });
    };
    for _ in 0..dice.within(1, 7) {
        let pause = dice.within(shortest, longest);
        if passed + pause > BUSY_MS {
            break;
        }
        passed += pause;
        say(&mut dice, pause);
    }
    say(&mut dice, LAST_TURN_MS - passed);
    turns
}

/// Where a fault stands.
enum Moment {
    /// At a time of the run.
    Run,
    /// Some time after a turn has begun.
    Turn(usize),
    /// With a frame that the speaker of a turn is sent.
    Frame(usize),
}

impl Moment {
    fn draw(dice: &mut Dice, kind: Kind, turns: &[Turn]) -> Self {
        let roll = dice.within(1, 6);
        let early = early(turns);
        if early.is_empty() {
            // Nobody says anything but last words; a frame of those has to do.
            let all: Vec<usize> = (0..turns.len()).collect();
            return match kind {
                Kind::Duplicate | Kind::Reorder => Self::Frame(*dice.pick(&all)),
                Kind::Crash
                | Kind::PowerLoss
                | Kind::Bounce
                | Kind::Partition
                | Kind::Hold
                | Kind::Cut
                | Kind::SlowReader
                | Kind::HalfOpen
                | Kind::Offline
                | Kind::Pause
                | Kind::Misbehave
                | Kind::BadDisk
                | Kind::Skew => Self::Run,
            };
        }
        let turn = *dice.pick(&early);
        match (kind, roll) {
            (Kind::Duplicate | Kind::Reorder, _) | (_, 1 | 2) => Self::Frame(turn),
            (_, 3) => Self::Turn(turn),
            (_, _) => Self::Run,
        }
    }

    fn turn(&self) -> Option<usize> {
        match self {
            Self::Run => None,
            Self::Turn(turn) | Self::Frame(turn) => Some(*turn),
        }
    }

    /// Who speaks in the turn.
    fn speaker(&self, turns: &[Turn], clients: &[ClientSpec]) -> Option<Host> {
        let turn = turns.get(self.turn()?)?;
        clients.get(turn.client).map(host)
    }
}

/// The turns that begin so early that their faults end in the busy time, unless much goes wrong before.
fn early(turns: &[Turn]) -> Vec<usize> {
    let mut passed = Duration::ZERO;
    let mut before = None;
    let mut early = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        if before.replace(turn.client) != Some(turn.client) {
            passed = Duration::ZERO;
        }
        passed += turn.pause;
        if passed <= Duration::from_millis(BUSY_MS - 2 * OF_TURN_MS) {
            early.push(index);
        }
    }
    early
}

/// Draws the parameters of one fault.
pub(super) struct Draw<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) world: &'a WorldSpec,
    pub(super) clients: &'a [ClientSpec],
    /// Whom a fault of a client befalls; absent: anybody.
    pub(super) host: Option<Host>,
}

impl Draw<'_> {
    fn armed(&mut self, kind: Kind, moment: &Moment, (from, to): (u64, u64)) -> Armed {
        let latest = if kind == Kind::Bounce { LAST_BOUNCE_MS } else { to };
        let (at, longest) = match moment {
            Moment::Run => {
                let at = self.dice.within(from.min(latest), to.min(latest));
                (Trigger::Elapsed(Duration::from_millis(at)), BUSY_MS - at)
            }
            Moment::Turn(_) => (Trigger::Elapsed(self.dice.ms(0, 2_000)), OF_TURN_MS),
            Moment::Frame(_) => {
                let event = (*self.dice.pick(&FRAMES)).to_owned();
                let nth = *self.dice.pick(&[1, 1, 1, 2]);
                (Trigger::Frame { event, nth }, OF_TURN_MS)
            }
        };
        let (shortest, longer) = *self.dice.pick(&[(20, 500), (500, 4_000), (4_000, 25_000)]);
        let lasts = Duration::from_millis(self.dice.within(shortest, longer).min(longest));
        Armed { at, fault: self.fault(kind, lasts) }
    }

    pub(super) fn fault(&mut self, kind: Kind, lasts: Duration) -> Fault {
        match kind {
            Kind::Crash => Fault::Crash { host: self.server(), down: lasts },
            Kind::PowerLoss => Fault::PowerLoss { host: self.server(), down: lasts },
            Kind::Bounce => Fault::Bounce { host: self.server() },
            Kind::Partition => Fault::Partition { between: self.pair(), lasts },
            Kind::Hold => Fault::Hold { between: self.pair(), lasts },
            Kind::Cut => Fault::Cut { client: self.client() },
            Kind::Duplicate => Fault::Duplicate { client: self.client() },
            Kind::Reorder => Fault::Reorder { client: self.client() },
            Kind::SlowReader => Fault::SlowReader { client: self.client(), lasts },
            Kind::HalfOpen => Fault::HalfOpen { client: self.client(), lasts },
            Kind::Offline => Fault::Offline { client: self.client(), lasts },
            Kind::Pause => Fault::Pause { host: self.client(), lasts },
            Kind::Misbehave => {
                let host = self.dice.pick(&[Host::Agent, Host::TokenService]).clone();
                let how = *self.dice.pick(&[
                    Misbehaviour::Refuse,
                    Misbehaviour::Garble,
                    Misbehaviour::Drift,
                    Misbehaviour::Hang,
                ]);
                Fault::Misbehave { host, how, lasts }
            }
            Kind::BadDisk => {
                let host = self.dice.pick(&[Host::Supervisor, Host::TokenService]).clone();
                let how = *self.dice.pick(&[DiskFailure::Io, DiskFailure::Full]);
                Fault::BadDisk { host, how, lasts }
            }
            Kind::Skew => {
                let by = i64::try_from(self.dice.within(1, SKEW_MAX_MS)).unwrap_or_default();
                let by_ms = *self.dice.pick(&[by, -by]);
                Fault::Skew { host: self.server(), by_ms }
            }
        }
    }

    fn client(&mut self) -> Host {
        let anybody = host(self.dice.pick(self.clients));
        self.host.clone().unwrap_or(anybody)
    }

    fn gateway(&mut self) -> Host {
        let last = u64::from(self.world.gateways);
        Host::Gateway(u32::try_from(self.dice.within(1, last)).unwrap_or(1))
    }

    fn server(&mut self) -> Host {
        let gateway = self.gateway();
        let servers = [gateway, Host::Supervisor, Host::Agent, Host::TokenService];
        self.dice.pick(&servers).clone()
    }

    /// Two hosts that talk to each other.
    fn pair(&mut self) -> [Host; 2] {
        let (client, gateway) = (self.client(), self.gateway());
        let pairs = [
            [client.clone(), gateway.clone()],
            [client, Host::TokenService],
            [gateway.clone(), Host::Supervisor],
            [Host::Supervisor, Host::Agent],
            [gateway, Host::TokenService],
        ];
        self.dice.pick(&pairs).clone()
    }
}

fn host(client: &ClientSpec) -> Host {
    Host::Client(client.name.clone())
}

/// A stream of draws.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn named(seed: u64, label: &str) -> Self {
        Self(split(seed, &format!("chaos: {label}")))
    }

    /// A number from `least` to `most`; all are as likely as makes no difference.
    pub(super) fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.next_u64() % (most.saturating_sub(least) + 1)
    }

    pub(super) fn ms(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.within(least, most))
    }

    pub(super) fn pick<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        let last = u64::try_from(things.len()).unwrap_or(u64::MAX).saturating_sub(1);
        let place = usize::try_from(self.within(0, last)).unwrap_or_default();
        things.get(place).expect("nothing is drawn from an empty list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn what_is_drawn_can_be_played_and_depends_on_the_seed_alone() {
        for seed in 0..500 {
            let scenario = chaos(seed);
            assert_eq!(scenario.check(), Ok(()), "seed {seed}");
            assert_eq!(scenario, chaos(seed), "seed {seed}");
        }
    }

    #[test]
    fn every_kind_is_drawn_alone_and_with_others_and_some_seeds_have_none() {
        let mut alone = BTreeSet::new();
        let mut counts: BTreeMap<Kind, u32> = BTreeMap::new();
        let mut calm = 0;
        for seed in 0..500 {
            let scenario = chaos(seed);
            let kinds: BTreeSet<Kind> =
                scenario.armed().map(|place| place.armed.fault.kind()).collect();
            calm += u32::from(kinds.is_empty());
            if kinds.len() == 1 {
                alone.extend(&kinds);
            }
            for kind in kinds {
                *counts.entry(kind).or_default() += 1;
            }
        }
        assert!(calm > 5, "{calm} seeds are calm");
        assert_eq!(alone, BTreeSet::from(Kind::ALL));
        assert!(counts.values().all(|count| *count > 100), "{counts:?}");
    }

    #[test]
    fn faults_wait_for_times_for_turns_and_for_frames() {
        let mut places: BTreeMap<(bool, bool), BTreeSet<Kind>> = BTreeMap::new();
        for seed in 0..500 {
            let scenario = chaos(seed);
            for place in scenario.armed() {
                let frame = matches!(place.armed.at, Trigger::Frame { .. });
                let kind = place.armed.fault.kind();
                places.entry((place.turn.is_none(), frame)).or_default().insert(kind);
            }
        }
        let timed = Kind::ALL.len() - 2;
        let counts = places.into_iter().map(|(place, kinds)| (place, kinds.len()));
        let expected =
            [((false, false), timed), ((false, true), Kind::ALL.len()), ((true, false), timed)];
        assert_eq!(counts.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn faults_of_the_run_are_over_before_the_last_words() {
        for seed in 0..500 {
            let scenario = chaos(seed);
            for armed in &scenario.faults {
                let Trigger::Elapsed(at) = armed.at else { panic!("seed {seed}: a frame") };
                let ends = at + armed.fault.lasts().unwrap_or_default();
                assert!(ends <= Duration::from_millis(BUSY_MS), "seed {seed}: {armed:?}");
            }
            for (place, _) in scenario.clients.iter().enumerate() {
                let own = scenario.turns.iter().filter(|turn| turn.client == place);
                let passed: Duration = own.map(|turn| turn.pause).sum();
                assert_eq!(passed, Duration::from_millis(LAST_TURN_MS), "seed {seed}");
            }
        }
    }

    #[test]
    fn a_kind_draws_the_same_whatever_else_is_drawn() {
        let mut dice = Dice::named(7, "crash");
        let first = dice.within(0, u64::MAX - 1);
        let mut other = Dice::named(7, "hold");
        other.within(0, 10);
        assert_eq!(Dice::named(7, "crash").within(0, u64::MAX - 1), first);
        assert_ne!(Dice::named(8, "crash").within(0, u64::MAX - 1), first);
    }
}
