//! Scenarios with the same parts and simpler numbers.

use super::Trials;
use crate::scenario::{Armed, Config, Fault, Scenario, Trigger, WorldSpec};
use std::time::Duration;

/// What a turn says if it does not matter.
const ANYTHING: &str = "Hello there";

pub(super) fn simpler<E>(
    mut scenario: Scenario,
    trials: &mut Trials<'_, E>,
) -> Result<Scenario, E> {
    for edit in EDITS {
        let candidate = edit(scenario.clone());
        if candidate != scenario && trials.fails(&candidate)? {
            scenario = candidate;
        }
    }
    for turn in 0..scenario.turns.len() {
        let mut candidate = scenario.clone();
        if let Some(turn) = candidate.turns.get_mut(turn) {
            ANYTHING.clone_into(&mut turn.text);
        }
        if candidate != scenario && trials.fails(&candidate)? {
            scenario = candidate;
        }
    }
    for place in 0..lengths(&mut scenario).len() {
        scenario = shorter(scenario, place, trials)?;
    }
    Ok(scenario)
}

/// Changes of the whole that are tried once.
const EDITS: &[fn(Scenario) -> Scenario] = &[
    // What fails with the values of production is no sabotage.
    |scenario| in_world(scenario, |world| world.config = Config::default()),
    |scenario| in_world(scenario, |world| world.gateways = 1),
    |scenario| in_world(scenario, |world| world.gateways = world.gateways.min(2)),
    |scenario| in_world(scenario, |world| world.latency = WorldSpec::default().latency),
    |scenario| in_world(scenario, |world| world.socket_bytes = WorldSpec::default().socket_bytes),
    |mut scenario| {
        scenario.clients.iter_mut().for_each(|client| client.instance = None);
        scenario
    },
    |mut scenario| {
        scenario.clients.iter_mut().for_each(|client| client.arrives = None);
        scenario
    },
    |mut scenario| {
        scenario.clients.iter_mut().for_each(|client| client.kept = None);
        scenario
    },
    |mut scenario| {
        for armed in all_armed(&mut scenario) {
            if let Trigger::Frame { nth, .. } = &mut armed.at {
                *nth = 1;
            }
        }
        scenario
    },
    |mut scenario| {
        for armed in all_armed(&mut scenario) {
            if let Fault::Skew { by_ms, .. } = &mut armed.fault {
                *by_ms /= 2;
            }
        }
        scenario
    },
];

fn in_world(mut scenario: Scenario, change: fn(&mut WorldSpec)) -> Scenario {
    change(&mut scenario.world);
    scenario
}

fn all_armed(scenario: &mut Scenario) -> impl Iterator<Item = &mut Armed> {
    let of_turns = scenario.turns.iter_mut().flat_map(|turn| &mut turn.faults);
    scenario.faults.iter_mut().chain(of_turns)
}

/// Shortens one length as far as it goes: to nothing, or by halves to rounder ones.
fn shorter<E>(
    mut scenario: Scenario,
    place: usize,
    trials: &mut Trials<'_, E>,
) -> Result<Scenario, E> {
    loop {
        let Some(now) = lengths(&mut scenario).get(place).map(|length| **length) else {
            return Ok(scenario);
        };
        let mut found = None;
        for length in [Duration::ZERO, rounder(now / 2), rounder(now)] {
            let mut candidate = scenario.clone();
            if let Some(place) = lengths(&mut candidate).get_mut(place) {
                **place = length;
            }
            if length < now && trials.fails(&candidate)? {
                found = Some(candidate);
                break;
            }
        }
        match found {
            Some(candidate) => scenario = candidate,
            None => return Ok(scenario),
        }
    }
}

/// Whole seconds if there are some, else tens of milliseconds, else milliseconds.
fn rounder(length: Duration) -> Duration {
    let ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let step = if ms >= 1_000 {
        1_000
    } else if ms >= 10 {
        10
    } else {
        1
    };
    Duration::from_millis(ms / step * step)
}

/// Every length that may become shorter; their number and order do not depend on their values.
fn lengths(scenario: &mut Scenario) -> Vec<&mut Duration> {
    let WorldSpec { jitter, lasts, arrive_over, .. } = &mut scenario.world;
    let mut lengths = vec![jitter, lasts, arrive_over];
    for turn in &mut scenario.turns {
        lengths.push(&mut turn.pause);
        lengths.extend(turn.faults.iter_mut().flat_map(of_fault));
    }
    lengths.extend(scenario.faults.iter_mut().flat_map(of_fault));
    lengths
}

fn of_fault(armed: &mut Armed) -> impl Iterator<Item = &mut Duration> {
    let at = match &mut armed.at {
        Trigger::Elapsed(at) => Some(at),
        Trigger::Frame { .. } => None,
    };
    at.into_iter().chain(armed.fault.lasts_mut())
}
