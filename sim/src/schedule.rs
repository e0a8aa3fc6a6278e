//! What became of the faults of a scenario: which of them happened in a run.

use crate::scenario::{Kind, Scenario};
use crate::trace::{Trace, What};
use std::collections::BTreeMap;

/// Whether a fault began, by its place in the scenario.
#[must_use]
pub fn began(trace: &Trace, turn: Option<usize>, index: usize) -> bool {
    trace.events.iter().any(|event| {
        matches!(&event.what, What::Injected { turn: by, index: place, .. }
            if *by == turn && *place == index)
    })
}

/// How often each kind of fault stands in a scenario, and how often it happened in the run.
#[must_use]
pub fn tally(scenario: &Scenario, trace: &Trace) -> BTreeMap<Kind, (u64, u64)> {
    let mut kinds: BTreeMap<Kind, (u64, u64)> = BTreeMap::new();
    for place in scenario.armed() {
        let (scheduled, happened) = kinds.entry(place.armed.fault.kind()).or_default();
        *scheduled += 1;
        *happened += u64::from(began(trace, place.turn, place.index));
    }
    kinds
}
