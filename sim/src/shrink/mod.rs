//! A failing scenario becomes a small one that fails in the same way: fewer faults, clients and turns, and
//! rounder numbers.
//!
//! It plays nothing: whoever calls it says whether a candidate fails. Randomness in a world is split by name
//! and by packet, so what is left out changes nothing else, and few steps mislead.

mod ddmin;
mod parts;
mod simpler;

pub use ddmin::ddmin;

use crate::scenario::Scenario;
use std::collections::BTreeMap;

/// The smallest scenario that was found to fail, starting from `scenario`, which does. It is 1-minimal: without
/// any one of its faults, its clients or its turns it does not fail.
///
/// `fails` is asked once for each candidate, and must always give the same answer to one.
///
/// # Errors
/// The first error of `fails`.
pub fn shrink<E>(
    scenario: &Scenario,
    fails: &mut dyn FnMut(&Scenario) -> Result<bool, E>,
) -> Result<Scenario, E> {
    let mut trials = Trials { fails, known: BTreeMap::new() };
    let mut best = scenario.clone();
    loop {
        let before = best.clone();
        best = parts::fewer_faults(&best, &mut trials)?;
        best = parts::fewer_clients(&best, &mut trials)?;
        best = parts::fewer_turns(&best, &mut trials)?;
        best = simpler::simpler(best, &mut trials)?;
        if best == before {
            return Ok(best);
        }
    }
}

/// The candidates so far.
struct Trials<'f, E> {
    fails: &'f mut dyn FnMut(&Scenario) -> Result<bool, E>,
    /// What came of each, by its text.
    known: BTreeMap<String, bool>,
}

impl<E> Trials<'_, E> {
    fn fails(&mut self, candidate: &Scenario) -> Result<bool, E> {
        if candidate.check().is_err() {
            return Ok(false);
        }
        let text = serde_json::to_string(candidate).expect("a scenario is plain data");
        if let Some(known) = self.known.get(&text) {
            return Ok(*known);
        }
        let fails = (self.fails)(candidate)?;
        self.known.insert(text, fails);
        Ok(fails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Fault, Host, Kind, Trigger, chaos};
    use std::convert::Infallible;
    use std::time::Duration;

    fn kinds(scenario: &Scenario) -> Vec<Kind> {
        scenario.armed().map(|place| place.armed.fault.kind()).collect()
    }

    /// A seed whose scenario has faults of these kinds.
    fn with(wanted: &[Kind]) -> Scenario {
        let mut seeds = (0..).map(chaos);
        let found = seeds.find(|scenario| {
            let found = kinds(scenario);
            wanted.iter().all(|kind| found.contains(kind)) && scenario.clients.len() > 3
        });
        found.expect("every pair of kinds comes up")
    }

    #[test]
    fn what_has_nothing_to_do_with_the_failure_goes() {
        let scenario = with(&[Kind::Hold, Kind::Duplicate]);
        let mut trials = 0;
        let Ok(small) = shrink(&scenario, &mut |candidate| {
            trials += 1;
            let kinds = kinds(candidate);
            let both = kinds.contains(&Kind::Hold) && kinds.contains(&Kind::Duplicate);
            Ok::<_, Infallible>(both && candidate.clients.len() >= 2)
        });
        let mut left = kinds(&small);
        left.sort();
        assert_eq!(left, [Kind::Hold, Kind::Duplicate]);
        assert_eq!(small.clients.len(), 2);
        // Only faults keep turns, and nothing keeps their silences.
        for turn in &small.turns {
            assert_eq!((turn.faults.is_empty(), turn.pause), (false, Duration::ZERO));
        }
        assert_eq!(small.world.lasts, Duration::ZERO);
        assert!(trials < 300, "{trials} trials");
    }

    #[test]
    fn lengths_stay_as_long_as_they_must_be_and_no_longer() {
        let scenario = with(&[Kind::Offline]);
        let long = Duration::from_millis(700);
        let mut fails = |candidate: &Scenario| {
            let mut faults = candidate.armed().map(|place| &place.armed.fault);
            let offline =
                |fault: &Fault| matches!(fault, Fault::Offline { lasts, .. } if *lasts >= long);
            Ok::<_, Infallible>(faults.any(offline))
        };
        let scenario = if fails(&scenario) == Ok(true) { scenario } else { lengthened(scenario) };
        let Ok(small) = shrink(&scenario, &mut fails);
        let left: Vec<_> = small.armed().collect();
        assert_eq!(left.len(), 1);
        let lasts = left[0].armed.fault.lasts().expect("it lasts");
        assert!((long..2 * long).contains(&lasts), "{lasts:?}");
        if let Trigger::Elapsed(at) = left[0].armed.at {
            assert_eq!(at, Duration::ZERO);
        }
    }

    fn lengthened(mut scenario: Scenario) -> Scenario {
        for turn in &mut scenario.turns {
            turn.faults.clear();
        }
        let client = Host::Client(scenario.clients[0].name.clone());
        let lasts = Duration::from_secs(20);
        let fault = Fault::Offline { client, lasts };
        let at = Trigger::Elapsed(Duration::from_secs(3));
        scenario.faults = vec![crate::scenario::Armed { at, fault }];
        scenario
    }
}
