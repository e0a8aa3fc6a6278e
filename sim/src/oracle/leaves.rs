//! CC-NEVER from the other side: a client goes for good only if somebody meant it to.
//!
//! Who is signed out was signed out; who is superseded has a copy; who is kept out is no owner. Everything else that
//! ends a client is a client lost. That one which has a reason does not come back is asked by `close_codes`.

use super::{Oracle, Violation, is_final};
use crate::scenario::{ClientSpec, Fault, Host, Scenario};
use crate::trace::{Trace, What};
use assistant::contract::close::CloseReason;
use std::collections::BTreeSet;

const NAME: &str = "leaves";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does no client go for good but one that was signed out, replaced or kept out?",
    judge,
};

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut signed_out: BTreeSet<&Host> = BTreeSet::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::Injected { fault: Fault::SignOut { client }, .. } = &event.what {
            signed_out.insert(client);
        }
        let What::Link { state } = &event.what else { continue };
        let host = &event.host;
        if is_final(state) && !has_reason(scenario, host, state, signed_out.contains(host)) {
            let what = format!("{host} is {state}, and nobody meant it to be");
            found.push(Violation::at(NAME, event, what));
        }
    }
    found
}

fn has_reason(scenario: &Scenario, host: &Host, state: &str, signed_out: bool) -> bool {
    let says = |reason: CloseReason| state.contains(&reason.code().to_string());
    if state.starts_with("signed-out") {
        return signed_out;
    }
    let has_owner = shares(scenario, host, |own, other| own.user != other.user);
    (says(CloseReason::Superseded) && is_copied(scenario, host))
        || (says(CloseReason::Forbidden) && has_owner)
}

/// Whether another client has the name of this one, and so may end its connection.
pub(super) fn is_copied(scenario: &Scenario, host: &Host) -> bool {
    shares(scenario, host, |own, other| instance(own) == instance(other))
}

/// Whether another client of the same thread stands like this to the one that a host is.
fn shares(
    scenario: &Scenario,
    host: &Host,
    stands: impl Fn(&ClientSpec, &ClientSpec) -> bool,
) -> bool {
    let Some(own) = scenario.client(host) else { return false };
    let mut others = scenario.clients.iter().filter(|other| other.name != own.name);
    others.any(|other| own.thread == other.thread && stands(own, other))
}

fn instance(client: &ClientSpec) -> &str {
    client.instance.as_ref().unwrap_or(&client.name)
}

#[cfg(test)]
mod tests {
    use super::super::bench::{client, healthy};
    use super::*;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_is_signed_out_by_nobody() {
        let mut run = healthy();
        run.link("ben", "signed-out (Refused)");
        run.refused_by(&ORACLE, "ben is signed-out (Refused), and nobody meant it to be");
        let mut run = healthy();
        let fault = Fault::SignOut { client: client("ben") };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        run.link("ben", "signed-out (Refused)");
        run.accepted_by(&ORACLE);
        run.link("ana", "signed-out (Refused)");
        run.refused_by(&ORACLE, "ana is signed-out");
    }

    #[test]
    fn refuses_a_client_that_is_replaced_by_nobody_or_kept_out_of_its_own() {
        let mut run = healthy();
        run.link("ben", "stopped (Code(4409))");
        run.refused_by(&ORACLE, "ben is stopped (Code(4409))");
        run.scenario.clients[1].instance = Some("ana".to_owned());
        run.accepted_by(&ORACLE);
        run.link("ben", "stopped (Code(4403))");
        run.refused_by(&ORACLE, "ben is stopped (Code(4403))");
        run.scenario.clients[1].user = "u-2".to_owned();
        run.accepted_by(&ORACLE);
        run.link("ben", "stopped (Code(1008))");
        run.refused_by(&ORACLE, "ben is stopped (Code(1008))");
    }
}
