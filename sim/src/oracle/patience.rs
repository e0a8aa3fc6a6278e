//! BO-BOUND from the other side: an attempt to connect ends, well or badly, within what its steps may take.
//!
//! A peer that takes a connection and says nothing is the worst kind of dead. Time in which the client itself was
//! not run does not count.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What};
use assistant::config::ClientPolicy;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "patience";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "does every attempt to connect come to an end in time?", judge };

/// A tick of the reference engine, and what a runtime takes.
const SLACK: Duration = Duration::from_millis(200);

/// A step of an attempt.
struct Step<'t> {
    state: &'t str,
    since: u64,
    /// How many faults hold the client back.
    paused: u32,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut steps: BTreeMap<&Host, Step<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        let at = event.at_us;
        match (&event.what, &event.host) {
            (What::Injected { fault: Fault::Pause { host, .. }, .. }, _) => {
                steps.entry(host).or_insert(Step { state: "", since: at, paused: 0 }).paused += 1;
            }
            (What::Healed { fault: Fault::Pause { host, .. } }, _) => {
                if let Some(step) = steps.get_mut(host) {
                    step.paused = step.paused.saturating_sub(1);
                    step.since = at;
                }
            }
            // Another attempt of the same number, whose end this one is.
            (What::Dialled { to: Host::TokenService }, host) => {
                if let Some(step) = steps.get_mut(host).filter(|step| is_asking(step.state)) {
                    step.since = at;
                }
            }
            (What::Link { state }, _) => {
                let step = steps.entry(&event.host).or_insert(Step { state, since: at, paused: 0 });
                found.extend(too_long(step, event));
                (step.state, step.since) = (state, at);
            }
            (_, _) => {}
        }
    }
    found
}

fn too_long(step: &Step<'_>, event: &Event) -> Option<Violation> {
    let most = longest(step.state)?;
    let took = Duration::from_micros(event.at_us.saturating_sub(step.since));
    let (state, seconds) = (step.state, took.as_secs());
    (step.paused == 0 && took > most + SLACK).then(|| {
        let what = format!("{} was {state} for {seconds} s, longer than {most:?}", event.host);
        Violation::at(NAME, event, what)
    })
}

/// How long a client may be in such a state; none if that is up to others.
fn longest(state: &str) -> Option<Duration> {
    let policy = ClientPolicy::default();
    if is_asking(state) {
        return policy.refresh_timeout;
    }
    let is_dialling = state.starts_with("connecting (");
    is_dialling.then(|| {
        policy.open_timeout.unwrap_or_default() + policy.welcome_timeout.unwrap_or_default()
    })
}

fn is_asking(state: &str) -> bool {
    state.starts_with("connecting: asks for a token")
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;

    /// Ben is in this state for so long.
    fn after(mut run: Bench, state: &str, seconds: u64) -> Bench {
        run.link("ben", state);
        run.link("ben", "waiting for attempt 2");
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_attempts_that_end_in_time() {
        healthy().accepted_by(&ORACLE);
        after(healthy(), "connecting: asks for a token (attempt 1)", 10).accepted_by(&ORACLE);
        after(healthy(), "connecting (attempt 1)", 20).accepted_by(&ORACLE);
        after(healthy(), "waiting for attempt 1", 60).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_attempts_that_wait_for_ever() {
        after(healthy(), "connecting: asks for a token (attempt 1)", 11)
            .refused_by(&ORACLE, "ben was connecting: asks for a token (attempt 1) for 11 s");
        after(healthy(), "connecting (attempt 1)", 21)
            .refused_by(&ORACLE, "ben was connecting (attempt 1) for 21 s, longer than 20s");
    }

    #[test]
    fn does_not_count_the_time_in_which_the_client_was_not_run() {
        let fault = Fault::Pause { host: client("ben"), lasts: Duration::from_secs(60) };
        let mut run = healthy();
        run.link("ben", "connecting (attempt 1)");
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault.clone() });
        run.tell(Host::World, What::Healed { fault });
        run.trace.events.last_mut().expect("an event").at_us += 60_000_000;
        run.link("ben", "connected");
        run.accepted_by(&ORACLE);
    }
}
