//! Faults that mean something only together: each is survived alone, and their meeting by chance is too rare.
//!
//! Like everything in a swarm they are drawn only where a seed has switched on their kinds, from a generator of their
//! own.

use super::draw::{Dice, Span};
use super::generate::SAYINGS;
use super::{Armed, ClientSpec, Fault, Host, Intrusion, Kind, Trigger, Turn, WorldSpec};
use std::time::Duration;

/// A socket that a reply fills.
pub(super) const SMALL_SOCKET_BYTES: usize = 1024;
/// What is answered with listings.
const SEARCH: &str = SAYINGS[1];
/// How long a gateway waits for its supervisor, and the wait of a client for its welcome, with the next one. The way is
/// mended between the two.
const SPLIT_MS: u64 = 17_000;

/// Whoever breaks the protocol is followed by somebody with a bad token, or a crowd.
pub(super) fn stranger(seed: u64, kinds: &[Kind], world: &WorldSpec, span: Span) -> Option<Armed> {
    let mut dice = Dice::named(seed, "stranger");
    let (from, to) = span.begins;
    let at = Trigger::Elapsed(dice.ms(from, to));
    let gateway = u32::try_from(dice.within(1, u64::from(world.gateways))).unwrap_or(1);
    let how = *dice.pick(&[
        Intrusion::Crowd,
        Intrusion::Expired,
        Intrusion::Revoked,
        Intrusion::Revoked,
        Intrusion::Forged,
    ]);
    let fault = Fault::Intrude { host: Host::Gateway(gateway), how };
    kinds.contains(&Kind::Intrude).then_some(Armed { at, fault })
}

/// A gateway is cut off from the supervisor when a client comes, and nobody tells it that the client has gone to
/// another: its claim comes late.
pub(super) fn late_claim(
    seed: u64,
    kinds: &[Kind],
    world: &WorldSpec,
    clients: &[ClientSpec],
) -> Vec<Armed> {
    let mut dice = Dice::named(seed, "late claim");
    let wanted = [Kind::Partition, Kind::HalfOpen];
    let place = clients.len().saturating_sub(1);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let arrives = world.arrive_over * count(place) / count(clients.len().max(1));
    let early = Duration::from_millis(400);
    let Some(client) = clients.get(place).filter(|_| wanted.iter().all(|k| kinds.contains(k)))
    else {
        return Vec::new();
    };
    if world.gateways < 2 || arrives < early * 2 {
        return Vec::new();
    }
    // Clients begin their round each at another gateway.
    let gateway = Host::Gateway(count(place) % world.gateways + 1);
    let lasts = Duration::from_millis(SPLIT_MS) + dice.ms(0, 500);
    let between = [gateway, Host::Supervisor];
    let split = Armed {
        at: Trigger::Elapsed(arrives.saturating_sub(early)),
        fault: Fault::Partition { between, lasts },
    };
    let gone = Armed {
        at: Trigger::Elapsed(arrives + dice.ms(1_000, 3_000)),
        fault: Fault::HalfOpen { client: client.host(), lasts: dice.ms(20_000, 25_000) },
    };
    vec![split, gone]
}

/// A client stops to read when listings are on their way to it that its socket does not hold, for longer than its
/// gateway has patience: the turn, and the fault.
pub(super) fn deaf(
    seed: u64,
    kinds: &[Kind],
    (turns, early): (&[Turn], &[usize]),
    clients: &[ClientSpec],
) -> Option<(usize, Armed)> {
    let mut dice = Dice::named(seed, "deaf");
    if !kinds.contains(&Kind::SlowReader) || dice.once_in(2) {
        return None;
    }
    let is_search = |turn: &&usize| turns.get(**turn).is_some_and(|turn| turn.text == SEARCH);
    let searches: Vec<usize> = early.iter().filter(is_search).copied().collect();
    if searches.is_empty() {
        return None;
    }
    let turn = *dice.pick(&searches);
    let client = clients.get(turns.get(turn)?.client)?.host();
    // The log is followed then, and the answer is on its way.
    let at = Trigger::Frame { event: "user_turn".to_owned(), nth: 1 };
    Some((turn, Armed { at, fault: Fault::SlowReader { client, lasts: dice.ms(7_100, 9_900) } }))
}

#[cfg(test)]
mod tests {
    use super::super::chaos;
    use super::*;

    #[test]
    fn both_are_drawn_in_some_seeds_and_only_where_their_kinds_are_on() {
        let mut late = 0;
        let mut deaf = 0;
        for seed in 0..500 {
            let scenario = chaos(seed);
            let faults: Vec<&Fault> = scenario.armed().map(|place| &place.armed.fault).collect();
            let splits = faults.iter().filter(|fault| {
                matches!(fault, Fault::Partition { between: [Host::Gateway(_), Host::Supervisor], lasts }
                    if lasts.as_millis() / 1_000 == u128::from(SPLIT_MS) / 1_000)
            });
            late += u32::from(splits.count() > 0);
            let small = scenario.world.socket_bytes == SMALL_SOCKET_BYTES;
            let slow = faults.iter().any(|fault| fault.kind() == Kind::SlowReader);
            deaf += u32::from(small && slow);
        }
        assert!(late >= 5 && deaf >= 20, "{late} and {deaf}");
        let nobody = (&[][..], &[][..]);
        assert_eq!(super::deaf(1, &[Kind::SlowReader], nobody, &[]), None);
        assert_eq!(late_claim(1, &[], &WorldSpec::default(), &[]), []);
    }
}
