//! Clients that failed together do not come back together.
//!
//! A wait that is a step of the ladder to the millisecond was not spread. One may be so by chance, most of a run's
//! may not. (AWS Architecture Blog, "Exponential Backoff and Jitter", shows what happens then.)

use super::{Oracle, Violation};
use crate::scenario::{Host, Scenario};
use crate::trace::{Trace, What};
use std::collections::BTreeMap;

const NAME: &str = "spread";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "are the waits of a run spread, and none like the next?", judge };

/// The steps of the ladder, microseconds.
const STEPS: [u64; 5] = [1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000];
/// What counts as the same, microseconds.
const SAME_US: u64 = 1_500;
/// So few waits prove nothing.
const WAITS_MIN: usize = 4;

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut since: BTreeMap<&Host, u64> = BTreeMap::new();
    let (mut waits, mut exact, mut last) = (0_usize, 0_usize, None);
    for event in &trace.events {
        match (&event.what, &event.host) {
            (What::Link { state }, _) if state.starts_with("waiting") => {
                since.insert(&event.host, event.at_us);
            }
            (What::Link { .. } | What::Looked, _) => {
                since.remove(&event.host);
            }
            (What::Injected { fault, .. } | What::Healed { fault }, _) => {
                fault.client().map(|client| since.remove(client));
            }
            (What::Dialled { .. }, _) => {
                if let Some(began) = since.remove(&event.host) {
                    let wait = event.at_us - began;
                    waits += 1;
                    exact += usize::from(STEPS.iter().any(|step| step.abs_diff(wait) <= SAME_US));
                    last = Some(event);
                }
            }
            (_, _) => {}
        }
    }
    let wrong = last.filter(|_| exact >= WAITS_MIN && exact * 2 >= waits);
    let violation = wrong.map(|event| {
        let what =
            format!("{exact} of the {waits} waits of the run are steps of the ladder, unspread");
        Violation { host: None, ..Violation::at(NAME, event, what) }
    });
    violation.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;

    /// Ben waits for so long, and dials.
    fn wait(run: &mut Bench, us: u64) {
        run.link("ben", "waiting for attempt 1");
        run.tell(client("ben"), What::Dialled { to: Host::TokenService });
        run.trace.events.last_mut().expect("an event").at_us += us - 1_000;
    }

    #[test]
    fn accepts_waits_that_are_spread_and_a_few_that_are_not() {
        let mut run = healthy();
        for us in [1_000_000, 2_000_000, 4_000_000, 931_000, 1_871_000, 4_777_000, 9_100_000] {
            wait(&mut run, us);
        }
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_waits_that_are_all_steps_of_the_ladder() {
        let mut run = healthy();
        for us in [1_000_000, 2_000_000, 4_000_000, 8_000_000, 731_000] {
            wait(&mut run, us);
        }
        run.refused_by(&ORACLE, "4 of the 5 waits of the run are steps of the ladder");
    }
}
