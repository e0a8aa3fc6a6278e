//! Draws one fault: its moment, whom it befalls, and its numbers.

use super::{
    Armed, ClientSpec, DiskFailure, Fault, Host, Intrusion, Kind, Misbehaviour, Trigger, WorldSpec,
};
use crate::random::split;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use std::time::Duration;

/// The longest fault that belongs to a turn.
pub(super) const OF_TURN_MS: u64 = 10_000;
/// A drain takes up to 40 s, so no deploy begins later before the end of the busy time.
const BOUNCE_MS: u64 = 40_000;
/// Two clocks that are wrong by so much in either direction stay within the leeway of a token, 5 s.
const SKEW_MAX_MS: u64 = 2_000;
/// The longest outage, if the run is long enough, and how much shorter one of the long ones may be.
const OUTAGE_MAX_MS: u64 = 240_000;
const OUTAGE_MS: u64 = 80_000;
/// What a fault waits for; the speaker is sent all of them.
const FRAMES: [&str; 7] =
    ["welcome", "ack", "typing", "user_turn", "recommendations", "message", "resumed"];
/// Frames that others follow.
const FOLLOWED: [&str; 2] = ["user_turn", "recommendations"];

/// Where a fault stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// At a time of the run.
    Run,
    /// Some time after a turn has begun.
    Turn(usize),
    /// With a frame that the speaker of a turn is sent.
    Frame(usize),
}

impl Moment {
    /// `early` are the turns that such a fault may wait for, `all` what has to do if there is none.
    pub(super) fn draw(dice: &mut Dice, kind: Kind, early: &[usize], all: usize) -> Self {
        let roll = dice.within(1, 6);
        if early.is_empty() {
            let last = u64::try_from(all).unwrap_or(u64::MAX).saturating_sub(1);
            let turn = usize::try_from(dice.within(0, last)).unwrap_or_default();
            return if kind.is_of_frame() { Self::Frame(turn) } else { Self::Run };
        }
        let turn = *dice.pick(early);
        match (kind.is_of_frame(), roll) {
            (true, _) | (false, 1 | 2) => Self::Frame(turn),
            (false, 3) => Self::Turn(turn),
            (false, _) => Self::Run,
        }
    }

    /// The turn that it waits for.
    pub(super) fn turn(self) -> Option<usize> {
        match self {
            Self::Run => None,
            Self::Turn(turn) | Self::Frame(turn) => Some(turn),
        }
    }
}

/// When faults of the run may be in force, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// They begin between these times.
    pub begins: (u64, u64),
    /// All are over then.
    pub over: u64,
}

/// Draws the parameters of one fault.
pub(super) struct Draw<'a> {
    pub dice: &'a mut Dice,
    pub world: &'a WorldSpec,
    pub clients: &'a [ClientSpec],
    /// Whom a fault of a client befalls; absent: anybody.
    pub host: Option<Host>,
}

impl Draw<'_> {
    pub(super) fn armed(&mut self, kind: Kind, moment: Moment, span: Span) -> Armed {
        let (from, to) = span.begins;
        let latest = if kind == Kind::Bounce { span.over.saturating_sub(BOUNCE_MS) } else { to };
        let (at, longest) = match moment {
            Moment::Run => {
                let at = self.dice.within(from.min(latest), to.min(latest));
                (Trigger::Elapsed(Duration::from_millis(at)), span.over.saturating_sub(at))
            }
            Moment::Turn(_) => (Trigger::Elapsed(self.dice.ms(0, 2_000)), OF_TURN_MS),
            Moment::Frame(_) => {
                let events = if kind == Kind::Lose { &FOLLOWED[..] } else { &FRAMES };
                let event = (*self.dice.pick(events)).to_owned();
                let nth = *self.dice.pick(&[1, 1, 1, 2]);
                (Trigger::Frame { event, nth }, OF_TURN_MS)
            }
        };
        let most = span.over.saturating_sub(from).min(OUTAGE_MAX_MS);
        let longest_of_all = (most.saturating_sub(OUTAGE_MS).max(4_000), most.max(4_001));
        let (shortest, longer) =
            *self.dice.pick(&[(20, 500), (500, 4_000), (4_000, 25_000), longest_of_all]);
        let lasts = Duration::from_millis(self.dice.within(shortest, longer).min(longest));
        Armed { at, fault: self.fault(kind, lasts) }
    }

    #[expect(clippy::too_many_lines, reason = "a table of the faults")]
    pub(super) fn fault(&mut self, kind: Kind, lasts: Duration) -> Fault {
        match kind {
            Kind::Crash => Fault::Crash { host: self.server(), down: lasts },
            Kind::PowerLoss => Fault::PowerLoss { host: self.server(), down: lasts },
            Kind::Bounce => Fault::Bounce { host: self.server() },
            Kind::Skew => self.skew(),
            Kind::Refuse => Fault::Refuse { host: self.server(), lasts },
            Kind::BlackHole => Fault::BlackHole { host: self.server(), lasts },
            Kind::Partition => Fault::Partition { between: self.pair(), lasts },
            Kind::OneWay => {
                let ([one, other], is_back) = (self.pair(), self.dice.within(0, 1) == 1);
                let (from, to) = if is_back { (other, one) } else { (one, other) };
                Fault::OneWay { from, to, lasts }
            }
            Kind::Flap => {
                Fault::Flap { between: self.pair(), every: self.dice.ms(50, 4_000), lasts }
            }
            Kind::Latency => {
                Fault::Latency { between: self.pair(), by: self.dice.ms(20, 3_000), lasts }
            }
            Kind::Hold => Fault::Hold { between: self.pair(), lasts },
            Kind::Cut => Fault::Cut { client: self.client() },
            Kind::Lose => Fault::Lose { client: self.client() },
            Kind::Tear => Fault::Tear { client: self.client(), bytes: self.bytes(60) },
            Kind::Fragment => {
                Fault::Fragment { client: self.client(), bytes: self.bytes(64), lasts }
            }
            Kind::Duplicate => Fault::Duplicate { client: self.client() },
            Kind::Reorder => Fault::Reorder { client: self.client() },
            Kind::SlowReader => self.slow_reader(lasts),
            Kind::HalfOpen => Fault::HalfOpen { client: self.client(), lasts },
            Kind::Offline => Fault::Offline { client: self.client(), lasts },
            Kind::SignOut => Fault::SignOut { client: self.client() },
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
                let (host, failures) = (self.with_disk(), [DiskFailure::Io, DiskFailure::Full]);
                Fault::BadDisk { host, how: *self.dice.pick(&failures), lasts }
            }
            Kind::Intrude => {
                let how = *self.dice.pick(&[
                    Intrusion::Silent,
                    Intrusion::Binary,
                    Intrusion::Garbage,
                    Intrusion::Huge,
                    Intrusion::Flood,
                ]);
                Fault::Intrude { host: self.gateway(), how }
            }
            Kind::LostSync => Fault::LostSync { host: self.with_disk(), lasts },
            Kind::SlowSync => {
                Fault::SlowSync { host: self.with_disk(), by: self.dice.ms(5, 2_000), lasts }
            }
        }
    }

    /// How many bytes of something small.
    fn bytes(&mut self, most: u64) -> usize {
        usize::try_from(self.dice.within(1, most)).unwrap_or(1)
    }

    /// Long enough for a gateway to lose patience, and short enough to hear of it, in most cases.
    fn slow_reader(&mut self, lasts: Duration) -> Fault {
        let client = self.client();
        let patience = self.dice.ms(5_100, 6_900).min(lasts);
        let lasts = *self.dice.pick(&[lasts, patience, patience]);
        Fault::SlowReader { client, lasts }
    }

    fn skew(&mut self) -> Fault {
        let host = self.server();
        let by = i64::try_from(self.dice.within(1, SKEW_MAX_MS)).unwrap_or_default();
        Fault::Skew { host, by_ms: *self.dice.pick(&[by, -by]) }
    }

    fn client(&mut self) -> Host {
        let anybody = self.dice.pick(self.clients).host();
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

    fn with_disk(&mut self) -> Host {
        self.dice.pick(&[Host::Supervisor, Host::TokenService]).clone()
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

    /// Whether something happens that does once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.within(1, times) == 1
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

    #[test]
    fn a_kind_draws_the_same_whatever_else_is_drawn() {
        let mut dice = Dice::named(7, "crash");
        let first = dice.within(0, u64::MAX - 1);
        let mut other = Dice::named(7, "hold");
        other.within(0, 10);
        assert_eq!(Dice::named(7, "crash").within(0, u64::MAX - 1), first);
        assert_ne!(Dice::named(8, "crash").within(0, u64::MAX - 1), first);
    }

    #[test]
    fn a_fault_is_of_the_kind_that_was_asked_for() {
        let (world, scenario) = (WorldSpec::default(), super::super::default_world(1));
        let mut dice = Dice::named(1, "kinds");
        let clients = &scenario.clients;
        let mut draw = Draw { dice: &mut dice, world: &world, clients, host: None };
        for kind in Kind::ALL {
            assert_eq!(draw.fault(kind, Duration::from_secs(1)).kind(), kind);
        }
    }
}
