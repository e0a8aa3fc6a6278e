//! A gateway that cannot reach the supervisor for long sends its clients elsewhere.
//!
//! They keep their connection while it may come back at any moment, because all of them would return at once; but a
//! gateway on the wrong side of a partition would hold them for ever.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario, Target};
use crate::trace::{Trace, What};
use assistant::config::GatewayConfig;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "detour";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does a gateway that cannot serve send its clients elsewhere?",
    judge,
};

/// What it takes to notice that a tail is dead, to ask again, and to close.
const SLACK: Duration = Duration::from_secs(10);

/// Which faults keep a gateway from the supervisor, by gateway, and since when the first of them.
#[derive(Default)]
struct Cuts<'t>(BTreeMap<&'t Host, (u64, usize)>);

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let config = GatewayConfig::default();
    let most =
        config.peer_patience + config.supervisor_deadline + config.supervisor_patience + SLACK;
    let mut cuts = Cuts::default();
    // Whom each client is connected to, since when.
    let mut links: BTreeMap<&Host, (&Host, u64)> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        match (&event.what, &event.host) {
            (What::Injected { fault, .. }, _) => cuts.change(fault, Some(event.at_us)),
            (What::Healed { fault }, _) => cuts.change(fault, None),
            (What::Connected { to: gateway @ Host::Gateway(_), .. }, client @ Host::Client(_)) => {
                links.insert(client, (gateway, event.at_us));
            }
            (What::Link { state }, client) => {
                let held = links.get(client).copied();
                if state != "connected" && !state.starts_with("connecting (") {
                    links.remove(client);
                }
                let Some((gateway, joined)) = held else { continue };
                let Some(since) = cuts.since(gateway) else { continue };
                let held = Duration::from_micros(event.at_us - since.max(joined));
                let seconds = held.as_secs();
                let what = format!(
                    "{gateway} held {client} for {seconds} s though it could not reach the supervisor"
                );
                found.extend((held > most).then(|| Violation::at(NAME, event, what)));
            }
            (_, _) => {}
        }
        // A client that is held on to for good never changes its state.
        let stuck = links.iter().find(|(_, (gateway, joined))| {
            cuts.since(gateway).is_some_and(|since| {
                Duration::from_micros(event.at_us.saturating_sub(since.max(*joined))) > most
            })
        });
        if let Some((client, (gateway, _))) = stuck {
            let client = *client;
            let what = format!("{gateway} holds {client} though it cannot reach the supervisor");
            found.push(Violation::at(NAME, event, what));
            links.remove(client);
        }
    }
    found
}

impl<'t> Cuts<'t> {
    fn change(&mut self, fault: &'t Fault, begins: Option<u64>) {
        let is_cut = matches!(fault, Fault::Partition { .. });
        let Target::Link(one, other) = fault.target() else { return };
        let ((gateway @ Host::Gateway(_), Host::Supervisor)
        | (Host::Supervisor, gateway @ Host::Gateway(_))) = (one, other)
        else {
            return;
        };
        if !is_cut {
            return;
        }
        match begins {
            Some(at) => self.0.entry(gateway).or_insert((at, 0)).1 += 1,
            None => {
                if let Some((_, times)) = self.0.get_mut(gateway) {
                    *times = times.saturating_sub(1);
                }
                self.0.retain(|_, (_, times)| *times > 0);
            }
        }
    }

    fn since(&self, gateway: &Host) -> Option<u64> {
        self.0.get(gateway).map(|(since, _)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;

    /// The gateway is cut off, and so much later ben's connection changes.
    fn cut_off(seconds: u64) -> Bench {
        let mut run = healthy();
        let between = [Host::Gateway(1), Host::Supervisor];
        let fault = Fault::Partition { between, lasts: Duration::from_secs(500) };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        run.link("ana", "waiting for attempt 1");
        run.link("ben", "waiting for attempt 1");
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_a_gateway_that_lets_go_in_time() {
        healthy().accepted_by(&ORACLE);
        cut_off(20).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_gateway_that_holds_on_to_its_clients() {
        cut_off(200).refused_by(&ORACLE, "gateway-1 held ben for 200 s");
        let mut run = cut_off(10);
        run.trace.events.pop();
        run.tell(client("ana"), What::ViewReset);
        run.trace.events.last_mut().expect("an event").at_us += 200_000_000;
        run.refused_by(&ORACLE, "gateway-1 holds ben though it cannot reach the supervisor");
    }

    #[test]
    fn excuses_a_cut_that_is_healed() {
        let mut run = cut_off(10);
        let between = [Host::Gateway(1), Host::Supervisor];
        let fault = Fault::Partition { between, lasts: Duration::from_secs(500) };
        run.trace.events.pop();
        run.tell(Host::World, What::Healed { fault });
        run.tell(client("ana"), What::ViewReset);
        run.trace.events.last_mut().expect("an event").at_us += 200_000_000;
        run.accepted_by(&ORACLE);
    }
}
