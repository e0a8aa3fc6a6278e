//! Scenarios as proptest makes them: every number and every choice shrinks on its own, towards less.
//!
//! # Design
//! `chaos` draws scenarios from a seed, so that a seed is all that a failure needs. Here the parts are values of a
//! strategy: what is drawn first is the simplest of its kind, a list shrinks by its items, and what refers to a
//! client or a turn is a number that is taken as it fits, so that nothing has to be drawn again when they get fewer.
//!
//! The bounds are those of `chaos`: faults are over before the last words of each client, no fault lasts so long that
//! a client parks, and clocks stay within the leeway of a token.

use proptest::prelude::*;
use proptest::sample::select;
use rehearse::scenario::{
    Armed, ClientSpec, DiskFailure, Fault, Host, Misbehaviour, Pace, Scenario, Trigger, Turn,
    WorldSpec,
};
use std::time::Duration;

/// When the faults of the run are over.
const BUSY_MS: u64 = 60_000;
/// When the last turn of a client begins.
const LAST_TURN_MS: u64 = BUSY_MS + 2_000;
/// The longest fault of a turn; no turn but the last begins so late that one would outlast the busy time.
const OF_TURN_MS: u64 = 10_000;
/// A drain takes up to 40 s.
const LAST_BOUNCE_MS: u64 = 20_000;
const NAMES: [&str; 4] = ["ana", "ben", "caro", "dan"];
const SAYINGS: [&str; 5] = [
    "Hello there",
    "2 bed homes to buy in Portland under $400k",
    "Show me more",
    "Does the second one have parking?",
    "Something to rent in Eugene, max 2k a month",
];
/// What a fault waits for; the speaker of a turn is sent all of them.
const FRAMES: [&str; 4] = ["message", "ack", "user_turn", "recommendations"];

/// Whatever can go wrong in a world that has to keep its promises.
pub(crate) fn scenarios() -> impl Strategy<Value = Scenario> {
    let clients = prop::collection::vec(any::<bool>(), 1..=NAMES.len());
    let turns = prop::collection::vec((0..NAMES.len(), select(&SAYINGS[..]), 0..5_000_u64), 0..8);
    let faults = prop::collection::vec(draft(), 0..6);
    (0..1_000_u64, world(), clients, turns, faults).prop_map(
        |(seed, world, sharing, said, drafts)| {
            let clients = clients_of(&sharing);
            let mut scenario = Scenario {
                name: format!("proptest-{seed}"),
                seed,
                world,
                turns: turns_of(&clients, &said),
                clients,
                pace: Pace::Apart,
                faults: Vec::new(),
            };
            drafts.iter().for_each(|draft| draft.put_into(&mut scenario));
            scenario
        },
    )
}

fn world() -> impl Strategy<Value = WorldSpec> {
    (1..=3_u32, 1..40_u64, 0..20_u64, 0..10_u64).prop_map(|(gateways, latency, jitter, arrive)| {
        WorldSpec {
            gateways,
            latency: Duration::from_millis(latency),
            jitter: Duration::from_millis(jitter),
            arrive_over: Duration::from_secs(arrive),
            lasts: Duration::from_millis(LAST_TURN_MS),
            ..WorldSpec::default()
        }
    })
}

/// Clients with a conversation of their own, or with that of the first.
fn clients_of(sharing: &[bool]) -> Vec<ClientSpec> {
    let clients = sharing.iter().zip(NAMES).map(|(is_shared, name)| {
        let owner = if *is_shared { NAMES[0] } else { name };
        let [user, thread] = ["u", "t"].map(|letter| format!("{letter}-{owner}"));
        ClientSpec::new(name, &user, &thread)
    });
    clients.collect()
}

/// What was drawn, and the last words of each client.
fn turns_of(clients: &[ClientSpec], said: &[(usize, &str, u64)]) -> Vec<Turn> {
    let mut passed = vec![0; clients.len()];
    let turn = |client, text: &str, pause| Turn {
        client,
        text: text.to_owned(),
        pause: Duration::from_millis(pause),
        faults: Vec::new(),
    };
    let mut turns = Vec::new();
    for (client, text, pause) in said {
        let client = client % clients.len();
        *passed.get_mut(client).expect("it was taken as it fits") += pause;
        turns.push(turn(client, text, *pause));
    }
    let last = passed.iter().enumerate();
    turns.extend(last.map(|(client, passed)| turn(client, SAYINGS[0], LAST_TURN_MS - passed)));
    turns
}

/// A fault that has not found its place yet.
#[derive(Debug, Clone)]
struct Draft {
    make: fn(&Parts) -> Fault,
    at: Moment,
    lasts_ms: u64,
    client: usize,
    host: usize,
    choice: usize,
    skew_ms: i64,
}

/// When a fault begins.
#[derive(Debug, Clone)]
enum Moment {
    Run(u64),
    Turn(usize, u64),
    Frame(usize, &'static str),
}

/// What faults are made of.
struct Parts {
    client: Host,
    server: Host,
    pair: [Host; 2],
    lasts: Duration,
    choice: usize,
    skew_ms: i64,
}

/// Those that happen to a frame, and so only behind one.
const OF_FRAMES: [fn(&Parts) -> Fault; 3] = [
    |parts| Fault::Duplicate { client: parts.client.clone() },
    |parts| Fault::Reorder { client: parts.client.clone() },
    |parts| Fault::Tear { client: parts.client.clone(), bytes: parts.choice },
];

const FAULTS: [fn(&Parts) -> Fault; 20] = [
    |parts| Fault::Cut { client: parts.client.clone() },
    |parts| Fault::Hold { between: parts.pair.clone(), lasts: parts.lasts },
    |parts| Fault::Partition { between: parts.pair.clone(), lasts: parts.lasts },
    |parts| {
        let [from, to] = parts.pair.clone();
        Fault::OneWay { from, to, lasts: parts.lasts }
    },
    |parts| {
        let every = Duration::from_millis(100) + parts.lasts / 10;
        Fault::Flap { between: parts.pair.clone(), every, lasts: parts.lasts }
    },
    |parts| {
        let by = parts.lasts / 20;
        Fault::Latency { between: parts.pair.clone(), by, lasts: parts.lasts }
    },
    |parts| Fault::Refuse { host: parts.server.clone(), lasts: parts.lasts },
    |parts| Fault::BlackHole { host: parts.server.clone(), lasts: parts.lasts },
    |parts| {
        let (client, bytes) = (parts.client.clone(), parts.choice);
        Fault::Fragment { client, bytes, lasts: parts.lasts }
    },
    |parts| {
        let host = pick(&[Host::Supervisor, Host::TokenService], parts.choice);
        Fault::SlowSync { host, by: parts.lasts / 20, lasts: parts.lasts }
    },
    |parts| Fault::Crash { host: parts.server.clone(), down: parts.lasts },
    |parts| Fault::PowerLoss { host: parts.server.clone(), down: parts.lasts },
    |parts| Fault::SlowReader { client: parts.client.clone(), lasts: parts.lasts },
    |parts| Fault::HalfOpen { client: parts.client.clone(), lasts: parts.lasts },
    |parts| Fault::Offline { client: parts.client.clone(), lasts: parts.lasts },
    |parts| Fault::Pause { host: parts.client.clone(), lasts: parts.lasts },
    |parts| Fault::Bounce { host: parts.server.clone() },
    |parts| Fault::Skew { host: parts.server.clone(), by_ms: parts.skew_ms },
    |parts| {
        use Misbehaviour::{Drift, Garble, Hang, Refuse};
        let host = pick(&[Host::Agent, Host::TokenService], parts.choice);
        let how = pick(&[Refuse, Garble, Drift, Hang], parts.choice / 2);
        Fault::Misbehave { host, how, lasts: parts.lasts }
    },
    |parts| {
        let host = pick(&[Host::Supervisor, Host::TokenService], parts.choice);
        let how = pick(&[DiskFailure::Full, DiskFailure::Io], parts.choice / 2);
        Fault::BadDisk { host, how, lasts: parts.lasts }
    },
];

fn draft() -> impl Strategy<Value = Draft> {
    let turns = 0..12_usize;
    let of_frame = (turns.clone(), select(&FRAMES[..]))
        .prop_map(|(turn, event)| Moment::Frame(turn, event))
        .boxed();
    let at = prop_oneof![
        of_frame.clone(),
        (turns, 0..2_000_u64).prop_map(|(turn, ms)| Moment::Turn(turn, ms)),
        (500..BUSY_MS - OF_TURN_MS).prop_map(Moment::Run),
    ];
    let made = prop_oneof![
        1 => (select(&OF_FRAMES[..]), of_frame),
        4 => (select(&FAULTS[..]), at),
    ];
    (made, 20..25_000_u64, 0..NAMES.len(), 0..6_usize, 0..8_usize, -2_000..2_000_i64).prop_map(
        |((make, at), lasts_ms, client, host, choice, skew_ms)| Draft {
            make,
            at,
            lasts_ms,
            client,
            host,
            choice,
            skew_ms,
        },
    )
}

impl Draft {
    /// Finds its place, and the hosts that it befalls.
    fn put_into(&self, scenario: &mut Scenario) {
        let host = |client| Host::Client(pick(&scenario.clients, client).name);
        let turns = scenario.turns.len();
        // A fault of last words would outlast the busy time.
        let early = turns - scenario.clients.len();
        let (at, turn, longest) = match self.at {
            Moment::Frame(turn, event) if early > 0 => {
                let at = Trigger::Frame { event: event.to_owned(), nth: 1 };
                (at, Some(turn % early), OF_TURN_MS)
            }
            Moment::Turn(turn, ms) if early > 0 => {
                (Trigger::Elapsed(Duration::from_millis(ms)), Some(turn % early), OF_TURN_MS)
            }
            Moment::Run(ms) => (Trigger::Elapsed(Duration::from_millis(ms)), None, BUSY_MS - ms),
            Moment::Frame(..) | Moment::Turn(..) => return,
        };
        let client = match turn {
            Some(turn) => host(pick(&scenario.turns, turn).client),
            None => host(self.client),
        };
        let gateways: Vec<Host> = (1..=scenario.world.gateways).map(Host::Gateway).collect();
        let gateway = pick(&gateways, self.choice);
        let lasts = Duration::from_millis(self.lasts_ms.min(longest));
        let parts = self.parts(client, gateway, lasts);
        let fault = (self.make)(&parts);
        let at = match (&fault, at) {
            (Fault::Bounce { .. }, Trigger::Elapsed(at)) => {
                Trigger::Elapsed(at.min(Duration::from_millis(LAST_BOUNCE_MS)))
            }
            (_, at) => at,
        };
        let armed = Armed { at, fault };
        match turn.and_then(|turn| scenario.turns.get_mut(turn)) {
            Some(turn) => turn.faults.push(armed),
            None => scenario.faults.push(armed),
        }
    }

    fn parts(&self, client: Host, gateway: Host, lasts: Duration) -> Parts {
        let servers = [gateway.clone(), Host::Supervisor, Host::Agent, Host::TokenService];
        let pairs = [
            [client.clone(), gateway.clone()],
            [gateway.clone(), Host::Supervisor],
            [Host::Supervisor, Host::Agent],
            [client.clone(), Host::TokenService],
            [gateway, Host::TokenService],
        ];
        let server = pick(&servers, self.host);
        let pair = pick(&pairs, self.host);
        let (choice, skew_ms) = (self.choice, self.skew_ms);
        Parts { client, server, pair, lasts, choice, skew_ms }
    }
}

/// One of some things, for a number that is taken as it fits.
fn pick<T: Clone>(things: &[T], number: usize) -> T {
    things.get(number % things.len()).expect("there are some").clone()
}
