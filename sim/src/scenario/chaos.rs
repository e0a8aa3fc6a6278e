//! Scenarios in which things go wrong: people and a schedule of faults, drawn from a seed before anything runs.
//!
//! # Design
//! A swarm (Groce et al., "Swarm Testing", ISSTA 2012): a seed switches on some kinds of faults, and only
//! those, because everything a little at a time hides what one kind alone, or its absence, brings out. Some
//! seeds have no fault at all, some a single kind, some nearly all.
//!
//! Whatever is drawn comes from a generator with a name of its own, so that a kind that is added, or draws
//! more, leaves the rest of each seed's scenario as it was.
//!
//! Faults are over when the busy time is; the last words of every client come after it, in a world that has
//! to have recovered by itself. In most seeds no fault lasts so long that a client may park (ten attempts,
//! some two minutes); in a few the busy time is long, and one may.

use super::draw::{Dice, Draw, Moment, OF_TURN_MS, Span};
use super::generate::SAYINGS;
use super::together;
use super::{Armed, ClientSpec, Fault, Host, Kind, Pace, Scenario, Trigger, Turn, WorldSpec};
use std::time::Duration;

/// When the faults of the run are over, in most seeds.
const BUSY_MS: u64 = 60_000;
/// The same in a long one, in which an outage may outlast the patience of a client.
const LONG_MS: u64 = 450_000;
/// How long after that the last turn of a client begins, at the earliest.
const LAST_TURN_AFTER_MS: u64 = 2_000;
/// Nothing goes wrong before: everybody is there.
const CALM_MS: u64 = 500;
/// How soon after it was gone a network may be gone again.
const BLINK_MS: u64 = 850;
/// Longer than a gateway takes, which is 4,000 characters.
const LONG_TEXT_CHARS: usize = 4_500;
/// How many turns a hasty user says at once: more than may be under way.
const HASTY_TURNS: u64 = 90;
/// Who talks.
const NAMES: [&str; 5] = ["ana", "ben", "caro", "dan", "eve"];

/// The chaotic world of a seed.
#[must_use]
pub fn chaos(seed: u64) -> Scenario {
    let mut world = world(seed);
    let clients = clients(seed);
    let mut turns: Vec<Turn> = clients
        .iter()
        .enumerate()
        .flat_map(|(place, client)| turns(seed, place, client.hasty))
        .collect();
    let mut faults = Vec::new();
    let span = span(seed);
    let early = early(&turns, busy_ms(seed));
    let kinds = kinds(seed);
    for &kind in &kinds {
        let mut dice = Dice::named(seed, kind.name());
        let times = if kind == Kind::SignOut { 1 } else { dice.within(1, 3) };
        if let Some(client) = clients.first().filter(|_| kind == Kind::Offline && dice.once_in(3)) {
            faults.extend(blinks(&mut dice, client, span));
        }
        for _ in 0..times {
            let moment = Moment::draw(&mut dice, kind, &early, turns.len());
            let host = speaker(moment, &turns, &clients);
            let mut draw = Draw { dice: &mut dice, world: &world, clients: &clients, host };
            let armed = draw.armed(kind, moment, span);
            match moment.turn().and_then(|turn| turns.get_mut(turn)) {
                Some(turn) => turn.faults.push(armed),
                None => faults.push(armed),
            }
        }
    }
    faults.extend(outage(seed));
    faults.extend(together::stranger(seed, &kinds, &world, span));
    faults.extend(together::late_claim(seed, &kinds, &world, &clients));
    if let Some((turn, armed)) = together::deaf(seed, &kinds, (&turns, &early), &clients) {
        world.socket_bytes = together::SMALL_SOCKET_BYTES;
        turns.get_mut(turn).into_iter().for_each(|turn| turn.faults.push(armed.clone()));
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

/// In half of the long runs the only gateway is away for longer than a turn may wait for its ack.
fn outage(seed: u64) -> Option<Armed> {
    let mut dice = Dice::named(seed, "outage");
    if busy_ms(seed) == BUSY_MS || dice.once_in(2) {
        return None;
    }
    let (at, lasts, host) = (dice.ms(5_000, 60_000), dice.ms(320_000, 380_000), Host::Gateway(1));
    let faults = [
        Fault::Refuse { host: host.clone(), lasts },
        Fault::BlackHole { host: host.clone(), lasts },
        Fault::Crash { host: host.clone(), down: lasts },
        Fault::PowerLoss { host: host.clone(), down: lasts },
        Fault::Partition { between: [host, Host::Supervisor], lasts },
    ];
    Some(Armed { at: Trigger::Elapsed(at), fault: dice.pick(&faults).clone() })
}

/// A device in a train: off and on again, several times within seconds.
fn blinks(dice: &mut Dice, client: &ClientSpec, span: Span) -> Vec<Armed> {
    let times = 6;
    let (from, to) = span.begins;
    let first = dice.within(from, to.saturating_sub(times * BLINK_MS).max(from));
    let blink = |dice: &mut Dice, place| {
        let at = Duration::from_millis(first + place * BLINK_MS) + dice.ms(0, 100);
        let fault = Fault::Offline { client: client.host(), lasts: dice.ms(20, 500) };
        Armed { at: Trigger::Elapsed(at), fault }
    };
    (0..times).map(|place| blink(dice, place)).collect()
}

/// Who speaks in the turn that a fault waits for.
fn speaker(moment: Moment, turns: &[Turn], clients: &[ClientSpec]) -> Option<Host> {
    clients.get(turns.get(moment.turn()?)?.client).map(ClientSpec::host)
}

/// Which kinds of faults a seed has.
fn kinds(seed: u64) -> Vec<Kind> {
    let mut dice = Dice::named(seed, "kinds");
    let mut kinds = match dice.within(1, 16) {
        1 => Vec::new(),
        2..=5 => vec![*dice.pick(&Kind::ALL)],
        _ => {
            let odds = *dice.pick(&[2, 3, 6]);
            Kind::ALL.into_iter().filter(|_| dice.once_in(odds)).collect()
        }
    };
    if kinds.len() > 1 {
        // Nothing outlives a disk that lies and a power loss, and who is signed out says no more.
        let rare = [(Kind::LostSync, Kind::PowerLoss), (Kind::PowerLoss, Kind::LostSync)];
        let (kept, left_out) = *dice.pick(&rare);
        let both = kinds.contains(&kept);
        let signs_out = dice.once_in(4);
        kinds.retain(|kind| !(both && *kind == left_out) && (signs_out || *kind != Kind::SignOut));
    }
    kinds
}

fn busy_ms(seed: u64) -> u64 {
    if Dice::named(seed, "busy").once_in(10) { LONG_MS } else { BUSY_MS }
}

/// When the faults of the run begin: anywhere, or all so close together that they meet.
fn span(seed: u64) -> Span {
    let (mut dice, over) = (Dice::named(seed, "window"), busy_ms(seed));
    let latest = over - OF_TURN_MS / 2;
    let from = dice.within(CALM_MS, latest - OF_TURN_MS);
    let begins = *dice.pick(&[(CALM_MS, latest), (CALM_MS, latest), (from, from + OF_TURN_MS)]);
    Span { begins, over }
}

fn world(seed: u64) -> WorldSpec {
    let mut dice = Dice::named(seed, "world");
    // Where all ways are closed at once, a client may park; so a long run has few.
    let gateways = *dice.pick(if busy_ms(seed) > BUSY_MS { &[1] } else { &[1, 2, 2, 3] });
    let (latency, jitter) = (dice.ms(1, 40), dice.ms(0, 20));
    let arrive_over = *dice.pick(&[0, 0, 2, 10]);
    let mut world = WorldSpec {
        gateways,
        latency,
        jitter,
        arrive_over: Duration::from_secs(arrive_over),
        lasts: Duration::from_millis(busy_ms(seed) + LAST_TURN_AFTER_MS),
        limit: Duration::from_secs(1_500),
        ..WorldSpec::default()
    };
    if dice.once_in(3) {
        // Little enough for replies to fill it.
        world.socket_bytes = *dice.pick(&[1024, 1024, 4 * 1024]);
    }
    if Dice::named(seed, "tokens").once_in(3) {
        // Long enough for a handshake that takes all its time, and for the notice before its end.
        world.config.token.access_ttl = Duration::from_secs(dice.within(40, 90));
    }
    world
}

/// One to five; some are a second tab on the thread of one before them, a few a copy of such a tab, or somebody
/// who has no business there.
fn clients(seed: u64) -> Vec<ClientSpec> {
    let mut dice = Dice::named(seed, "clients");
    let names = dice.within(1, 5);
    let mut clients: Vec<ClientSpec> = Vec::new();
    for (_, name) in (0..names).zip(NAMES) {
        let (mut user, mut thread) = (format!("u-{name}"), format!("t-{name}"));
        let mut instance = None;
        if !clients.is_empty() && dice.once_in(3) {
            let other = dice.pick(&clients).clone();
            thread = other.thread;
            match dice.within(1, 12) {
                1 => {}
                2..=4 => {
                    user = other.user;
                    instance = Some(other.instance.unwrap_or(other.name));
                }
                _ => user = other.user,
            }
        }
        let hasty = dice.once_in(20);
        clients.push(ClientSpec { instance, hasty, ..ClientSpec::new(name, &user, &thread) });
    }
    clients
}

/// What one client says: in a hurry, as people do, or with long silences, and once more at the end.
fn turns(seed: u64, client: usize, hasty: bool) -> Vec<Turn> {
    let mut dice = Dice::named(seed, &format!("turns of {client}"));
    let (shortest, longest) =
        *dice.pick(&[(0, 1_000), (1_000, 8_000), (8_000, 20_000), (8_000, busy_ms(seed) / 3)]);
    let mut turns = Vec::new();
    let mut passed = 0;
    let mut say = |dice: &mut Dice, pause| {
        let mut text = (*dice.pick(&SAYINGS)).to_owned();
        if dice.once_in(50) {
            text = text.chars().cycle().take(LONG_TEXT_CHARS).collect();
        }
        let pause = Duration::from_millis(pause);
        turns.push(Turn { client, text, pause, faults: Vec::new() });
    };
    let (least, most) = if hasty { (HASTY_TURNS, HASTY_TURNS) } else { (1, 7) };
    let (shortest, longest) = if hasty { (0, 10) } else { (shortest, longest) };
    for _ in 0..dice.within(least, most) {
        let pause = dice.within(shortest, longest);
        if passed + pause > busy_ms(seed) {
            break;
        }
        passed += pause;
        say(&mut dice, pause);
    }
    say(&mut dice, busy_ms(seed) + LAST_TURN_AFTER_MS - passed);
    turns
}

/// The turns that begin so early that their faults end in the busy time, unless much goes wrong before.
fn early(turns: &[Turn], busy_ms: u64) -> Vec<usize> {
    let mut passed = Duration::ZERO;
    let mut before = None;
    let mut early = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        if before.replace(turn.client) != Some(turn.client) {
            passed = Duration::ZERO;
        }
        passed += turn.pause;
        if passed <= Duration::from_millis(busy_ms - 2 * OF_TURN_MS) {
            early.push(index);
        }
    }
    early
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
        for seed in 0..1000 {
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
        assert!(counts.values().all(|count| *count > 50), "{counts:?}");
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
        let timed = Kind::ALL.len() - 4;
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
                assert!(ends <= Duration::from_millis(busy_ms(seed)), "seed {seed}: {armed:?}");
            }
            for (place, _) in scenario.clients.iter().enumerate() {
                let own = scenario.turns.iter().filter(|turn| turn.client == place);
                let passed: Duration = own.map(|turn| turn.pause).sum();
                assert_eq!(passed, scenario.world.lasts, "seed {seed}");
            }
        }
    }
}
