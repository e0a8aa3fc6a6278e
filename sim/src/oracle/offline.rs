//! A client whose device has no network says so and leaves the network alone.
//!
//! What it dials into nothing it dials again when the network is back, and all devices of a train come out of the
//! tunnel at once.

use super::{Oracle, Violation, is_final};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Trace, What};
use std::collections::BTreeMap;

const NAME: &str = "offline";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "does a client without a network leave it alone?", judge };

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    // A client that is not run hears of it late.
    let mut away: BTreeMap<&Host, u64> = BTreeMap::new();
    let mut paused: BTreeMap<&Host, u32> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        match (&event.what, &event.host) {
            (What::Injected { fault: Fault::Offline { client, .. }, .. }, _) => {
                away.entry(client).or_insert(event.at_us);
            }
            (What::Healed { fault: Fault::Offline { client, .. } }, _) => {
                // The device is told "online" with the end of the first of two.
                away.remove(client);
            }
            (What::Injected { fault: Fault::Pause { host, .. }, .. }, _) => {
                *paused.entry(host).or_default() += 1;
            }
            (What::Healed { fault: Fault::Pause { host, .. } }, _) => {
                away.remove(host);
                if let Some(times) = paused.get_mut(host) {
                    *times = times.saturating_sub(1);
                }
            }
            (What::Link { state }, _) if is_final(state) || state == "closed" => {
                away.remove(&event.host);
            }
            (What::Dialled { to }, _) => {
                let since = away.get(&event.host).map(|since| event.at_us - since);
                let is_run = paused.get(&event.host).is_none_or(|times| *times == 0);
                // What it did at the same moment it did before it heard.
                if let Some(ms) = since.filter(|us| *us > 0 && is_run).map(|us| us / 1_000) {
                    let what = format!(
                        "{} dialled {to} though its device had been without a network for {ms} ms",
                        event.host
                    );
                    found.push(Violation::at(NAME, event, what));
                }
            }
            (_, _) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::bench::{client, healthy};
    use super::*;
    use std::time::Duration;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_dials_without_a_network() {
        let fault = || Fault::Offline { client: client("ben"), lasts: Duration::from_secs(1) };
        let dials = || What::Dialled { to: Host::TokenService };
        let mut run = healthy();
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault() });
        run.tell(client("ana"), dials());
        let mut back = run.clone();
        run.tell(client("ben"), dials());
        run.refused_by(&ORACLE, "ben dialled token-service though its device had been without");
        back.tell(Host::World, What::Healed { fault: fault() });
        back.tell(client("ben"), dials());
        back.accepted_by(&ORACLE);
    }
}
