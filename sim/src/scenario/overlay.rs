//! Schedules of faults laid over a golden session, drawn from a seed: the same words in a worse world.
//!
//! A schedule is a function of the scenario and its own seed alone. The session's own faults stay as they are.
//!
//! # Design
//! A golden session is over in less than a simulated second if nothing goes wrong, so what is added waits for
//! turns and for frames, and hardly ever for times of the run. Its lengths have a sum: a user says a turn
//! again twenty times at most, two seconds apart, and nobody shall have to give up.

use super::draw::{Dice, Draw};
use super::{Armed, ClientSpec, Fault, Host, Kind, Scenario, Trigger};
use std::time::Duration;

/// How many turns of bad luck a schedule has, at most.
const KINDS_MAX: u64 = 4;
/// How long all faults of a schedule last together, at most.
const SUM_MS: u64 = 24_000;
/// How long one of them lasts, at most.
const LONGEST_MS: u64 = 10_000;
/// By when a turn is answered if nothing goes wrong: the faults that wait for a time within it begin before.
const TURN_MS: u64 = 250;
/// What every speaker is sent in every turn, and, if need be, on the way back.
const FRAMES: [&str; 7] =
    ["ack", "user_turn", "recommendations", "message", "message", "welcome", "resumed"];
/// What no conversation survives unchanged: a user who is signed out is gone, and a disk that lies about its
/// syncs has lost what it promised.
const NEVER: [Kind; 2] = [Kind::SignOut, Kind::LostSync];
/// The scenario without any fault: what its users must be told, whatever goes wrong. What a user does stays: one
/// that is signed out is to be gone.
#[must_use]
pub fn calm(scenario: &Scenario) -> Scenario {
    let is_wanted = |armed: &Armed| armed.fault.kind() == Kind::SignOut;
    let mut calm = scenario.clone();
    calm.faults.retain(is_wanted);
    for turn in &mut calm.turns {
        turn.faults.retain(is_wanted);
    }
    calm
}

/// The session with the faults of schedule `seed` besides its own. It has another name, so that what is kept of
/// its run lies elsewhere.
#[must_use]
pub fn overlay(session: &Scenario, seed: u64) -> Scenario {
    let mut scenario = session.clone();
    scenario.name = format!("{}-chaos-{seed}", session.name);
    let label = |what: &str| format!("{what} over {}", session.name);
    let kinds = kinds(&mut Dice::named(seed, &label("kinds")));
    let mut left = SUM_MS;
    for kind in kinds {
        let mut dice = Dice::named(seed, &label(kind.name()));
        for _ in 0..dice.within(1, 2) {
            let (shortest, longest) = *dice.pick(&[(20, 400), (400, 3_000), (3_000, LONGEST_MS)]);
            let lasts = dice.within(shortest, longest).min(left);
            let place = Place::draw(&mut dice, kind, session.turns.len());
            let host = place.turn().and_then(|turn| speaker(session, turn));
            let (world, clients) = (&session.world, session.clients.as_slice());
            let mut draw = Draw { dice: &mut dice, world, clients, host };
            let fault = draw.fault(kind, Duration::from_millis(lasts));
            if fault.lasts().is_some() {
                left -= lasts;
            }
            place.put(fault, &mut dice, &mut scenario);
        }
    }
    scenario
}

/// One to four kinds that a conversation must survive.
fn kinds(dice: &mut Dice) -> Vec<Kind> {
    let mut open: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !NEVER.contains(kind)).collect();
    let mut kinds = Vec::new();
    for _ in 0..dice.within(1, KINDS_MAX) {
        let kind = *dice.pick(&open);
        open.retain(|other| *other != kind);
        kinds.push(kind);
    }
    kinds
}

fn speaker(session: &Scenario, turn: usize) -> Option<Host> {
    session.clients.get(session.turns.get(turn)?.client).map(ClientSpec::host)
}

/// Where a fault stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    Run,
    Turn(usize),
    Frame(usize),
}

impl Place {
    fn draw(dice: &mut Dice, kind: Kind, turns: usize) -> Self {
        let last = u64::try_from(turns).unwrap_or(u64::MAX).saturating_sub(1);
        let turn = usize::try_from(dice.within(0, last)).unwrap_or_default();
        match (kind.is_of_frame(), dice.within(1, 8)) {
            (true, _) | (false, 1..=4) => Self::Frame(turn),
            (false, 5..=7) => Self::Turn(turn),
            (false, _) => Self::Run,
        }
    }

    fn turn(self) -> Option<usize> {
        match self {
            Self::Run => None,
            Self::Turn(turn) | Self::Frame(turn) => Some(turn),
        }
    }

    fn put(self, fault: Fault, dice: &mut Dice, scenario: &mut Scenario) {
        let at = match self {
            Self::Run | Self::Turn(_) => Trigger::Elapsed(dice.ms(0, TURN_MS)),
            Self::Frame(_) => {
                let drawn = *dice.pick(&FRAMES);
                // A hole shows itself by what follows: what is lost is never the last frame of a turn.
                let event = if fault.kind() == Kind::Lose { "user_turn" } else { drawn };
                Trigger::Frame { event: event.to_owned(), nth: 1 }
            }
        };
        let faults = match self.turn().and_then(|turn| scenario.turns.get_mut(turn)) {
            Some(turn) => &mut turn.faults,
            None => &mut scenario.faults,
        };
        faults.push(Armed { at, fault });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::healthy;
    use std::collections::BTreeSet;

    #[test]
    fn a_schedule_can_be_played_keeps_what_was_there_and_depends_on_its_seed_alone() {
        let session = healthy().scenario;
        let own = session.armed().count();
        assert!(own > 0);
        let mut different = BTreeSet::new();
        for seed in 0..200 {
            let scenario = overlay(&session, seed);
            assert_eq!(scenario.check(), Ok(()), "seed {seed}");
            assert_eq!(scenario, overlay(&session, seed), "seed {seed}");
            assert!(scenario.armed().count() > own, "seed {seed}");
            for place in session.armed() {
                assert!(scenario.armed().any(|other| other == place), "seed {seed}");
            }
            assert_eq!(calm(&scenario).turns, calm(&session).turns);
            assert_eq!(calm(&scenario).armed().count(), 0);
            different.insert(serde_json::to_string(&scenario).expect("plain data"));
        }
        assert_eq!(different.len(), 200);
    }

    #[test]
    fn a_calm_session_keeps_what_its_users_do() {
        let mut session = healthy().scenario;
        let client = session.clients[1].host();
        let at = Trigger::Elapsed(Duration::from_secs(1));
        session.turns[2].faults.push(Armed { at, fault: Fault::SignOut { client } });
        let kept: Vec<Kind> =
            calm(&session).armed().map(|place| place.armed.fault.kind()).collect();
        assert_eq!(kept, [Kind::SignOut]);
    }

    #[test]
    fn every_kind_that_a_conversation_survives_is_drawn_and_the_sum_is_kept() {
        let session = calm(&healthy().scenario);
        let mut drawn = BTreeSet::new();
        for seed in 0..300 {
            let scenario = overlay(&session, seed);
            drawn.extend(scenario.armed().map(|place| place.armed.fault.kind().name()));
            let sum: Duration =
                scenario.armed().filter_map(|place| place.armed.fault.lasts()).sum();
            assert!(sum <= Duration::from_millis(SUM_MS), "seed {seed}: {sum:?}");
        }
        let all = Kind::ALL.into_iter().filter(|kind| !NEVER.contains(kind)).map(Kind::name);
        assert_eq!(drawn, all.collect());
    }
}
