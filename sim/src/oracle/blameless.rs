//! Nobody is sent away for what only a bad client does, nor, while nothing is wrong, for a silence or
//! for a token that could have been replaced.
//!
//! The clients of a world keep the protocol and its limits, so a gateway that closes one for breaking them is wrong,
//! or the client is.

use super::calm::Calm;
use super::{Oracle, Violation};
use crate::scenario::{Host, Scenario};
use crate::trace::{Trace, What, Wire};
use assistant::contract::close::CloseReason;

const NAME: &str = "blameless";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "is no client sent away for what it did not do?", judge };

/// What no client of ours does, whatever happens around it.
const NEVER: [CloseReason; 6] = [
    CloseReason::Protocol,
    CloseReason::Binary,
    CloseReason::Utf8,
    CloseReason::TooBig,
    CloseReason::BadRequest,
    CloseReason::RateLimited,
];

/// What happens to a client only if something is wrong.
const NOT_IN_CALM: [CloseReason; 2] = [CloseReason::Timeout, CloseReason::TokenExpired];

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut calm = Calm::default();
    let mut found = Vec::new();
    for event in &trace.events {
        calm.hear(event);
        let (What::Received { conn, frame: Wire::Close { code: Some(code), .. } }, Host::Client(_)) =
            (&event.what, &event.host)
        else {
            continue;
        };
        let says = |reasons: &[CloseReason]| reasons.iter().any(|r| r.code() == *code);
        if says(&NEVER) || (calm.reigns(event.at_us) && says(&NOT_IN_CALM)) {
            let what = format!("{} was closed with {code} on connection {conn}", event.host);
            found.push(Violation::at(NAME, event, what));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::bench::{client, healthy};
    use super::*;
    use crate::scenario::Fault;
    use std::time::Duration;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_is_called_a_bad_one() {
        for code in [1002, 1003, 1007, 1009, 4400, 4429] {
            let mut run = healthy();
            run.is_closed("ben", 2, code, "");
            run.refused_by(&ORACLE, &format!("ben was closed with {code} on connection 2"));
        }
    }

    #[test]
    fn refuses_an_end_for_silence_in_a_calm_and_excuses_it_after_a_fault() {
        for code in [4408, 4410] {
            let mut run = healthy();
            run.is_closed("ben", 2, code, "");
            run.accepted_by(&ORACLE);
            let mut calm = healthy();
            calm.tell(client("ben"), What::ViewReset);
            calm.trace.events.last_mut().expect("an event").at_us += 61_000_000;
            calm.is_closed("ben", 2, code, "");
            calm.refused_by(&ORACLE, "ben was closed with 44");
            let fault = Fault::Offline { client: client("ben"), lasts: Duration::from_secs(1) };
            calm.tell(Host::World, What::Injected { turn: None, index: 0, fault });
            calm.trace.events.last_mut().expect("an event").at_us += 61_000_000;
            let before = calm.trace.events.len();
            calm.is_closed("ben", 2, code, "");
            calm.trace.events.remove(before - 2);
            calm.accepted_by(&ORACLE);
        }
    }
}
