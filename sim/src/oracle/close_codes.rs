//! CC-NO-ILLEGAL-SEND and CC-NEVER: what is closed is closed in the words of the contract, and a client does
//! what the code says.
//!
//! How long it waits is asked by `backoff`. A close frame that only answers the other side's, or comes for a
//! connection that the client has left already, decides nothing.

use super::{Oracle, Violation};
use crate::scenario::{Host, Scenario};
use crate::trace::{Event, Trace, What, Wire};
use assistant::contract::close::{CloseReason, Verdict, may_be_sent, verdict};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "close_codes";

/// The longest reason of a close frame, bytes (RFC 6455 section 5.5).
const REASON_BYTES_MAX: usize = 123;

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is every close code legal, and obeyed by the client that reads it?",
    judge,
};

/// A client and the connection in its hands.
#[derive(Default)]
struct Client {
    conn: Option<u64>,
    /// The code after which it must not come back, and when it came.
    over: Option<(u16, u64)>,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut clients: BTreeMap<&Host, Client> = BTreeMap::new();
    let mut gateways_read: BTreeSet<(u64, u16)> = BTreeSet::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::Received { conn, frame: Wire::Close { code, reason } } = &event.what {
            let is_answer = code.is_some_and(|code| gateways_read.contains(&(*conn, code)));
            let wrong = illegal(*code, reason).or_else(|| {
                let by_gateway = matches!(event.host, Host::Client(_)) && !is_answer;
                by_gateway.then(|| of_no_gateway(*code, reason)).flatten()
            });
            found.extend(wrong.map(|why| {
                let what = format!("{} read on connection {conn} a close frame {why}", event.host);
                Violation::at(NAME, event, what)
            }));
            if let (Host::Gateway(_), Some(code)) = (&event.host, code) {
                gateways_read.insert((*conn, *code));
            }
        }
        if matches!(event.host, Host::Client(_)) {
            let client = clients.entry(&event.host).or_default();
            found.extend(client.follow(event).map(|what| Violation::at(NAME, event, what)));
        }
    }
    found
}

/// Why nobody may send this.
fn illegal(code: Option<u16>, reason: &str) -> Option<String> {
    let length = reason.len();
    match code {
        None => Some("without a code".to_owned()),
        Some(code) if !may_be_sent(code) => Some(format!("with the illegal code {code}")),
        Some(code) if length > REASON_BYTES_MAX => {
            Some(format!("with code {code} and a reason of {length} bytes"))
        }
        Some(_) => None,
    }
}

/// Why no gateway says this of its own.
fn of_no_gateway(code: Option<u16>, reason: &str) -> Option<String> {
    let known =
        CloseReason::ALL.iter().any(|known| Some(known.code()) == code && known.text() == reason);
    let code = code.unwrap_or_default();
    (!known).then(|| format!("{code} {reason:?}, which no gateway sends"))
}

impl Client {
    fn follow(&mut self, event: &Event) -> Option<String> {
        match (&event.what, self.conn) {
            (What::Dialled { .. }, _) => return self.comes_back(event),
            (What::Connected { conn, to: Host::Gateway(_) }, _) => self.conn = Some(*conn),
            (What::Link { state }, _) if !holds(state) => self.conn = None,
            (What::Received { conn, frame: Wire::Close { code: Some(code), .. } }, Some(held))
                if held == *conn =>
            {
                self.over = (verdict(*code) == Verdict::Never).then_some((*code, event.at_us));
                self.conn = None;
            }
            (_, _) => {}
        }
        None
    }

    /// It dials, and perhaps must not.
    fn comes_back(&self, event: &Event) -> Option<String> {
        let (code, at_us) = self.over?;
        let after_ms = event.at_us.saturating_sub(at_us) / 1_000;
        Some(format!(
            "{} was closed with {code}, which is final, and dialled again {after_ms} ms later",
            event.host
        ))
    }
}

/// Whether a client in this state has a connection, or will have the one that it dials.
fn holds(state: &str) -> bool {
    state == "connected" || state.starts_with("connecting (")
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;

    /// Ben, who holds connection 2, is closed.
    fn closed(code: u16, reason: &str) -> Bench {
        let mut run = healthy();
        run.is_closed("ben", 2, code, reason);
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_a_close_that_is_obeyed() {
        healthy().accepted_by(&ORACLE);
        closed(4401, "unauthorized").accepted_by(&ORACLE);
        let mut run = closed(1012, "drain");
        run.tell(client("ben"), What::Dialled { to: Host::TokenService });
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_code_or_a_reason_that_may_not_be_sent() {
        let long = "x".repeat(124);
        for (code, reason, words) in [
            (Some(1006), "", "ben read on connection 2 a close frame with the illegal code 1006"),
            (Some(2500), "", "with the illegal code 2500"),
            (Some(1012), &*long, "with code 1012 and a reason of 124 bytes"),
            (None, "", "ben read on connection 2 a close frame without a code"),
            (Some(1012), "bye", "a close frame 1012 \"bye\", which no gateway sends"),
            (Some(4321), "drain", "a close frame 4321 \"drain\", which no gateway sends"),
        ] {
            let mut run = healthy();
            let frame = Wire::Close { code, reason: reason.to_owned() };
            run.tell(client("ben"), What::Received { conn: 2, frame });
            run.refused_by(&ORACLE, words);
        }
    }

    #[test]
    fn accepts_an_answer_to_the_close_of_a_client() {
        let mut run = healthy();
        let frame = || Wire::Close { code: Some(4499), reason: String::new() };
        run.link("ben", "waiting for attempt 2");
        run.tell(Host::Gateway(1), What::Received { conn: 2, frame: frame() });
        run.tell(client("ben"), What::Received { conn: 2, frame: frame() });
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_comes_back_after_a_final_code() {
        for code in [4401, 4403, 4409, 1008] {
            let reason = CloseReason::ALL.iter().find(|reason| reason.code() == code);
            let mut run = closed(code, reason.map_or("", |reason| reason.text()));
            run.tell(client("ben"), What::Dialled { to: Host::TokenService });
            let words = format!("ben was closed with {code}, which is final, and dialled again 1");
            run.refused_by(&ORACLE, &words);
        }
        let mut run = closed(4409, "superseded");
        run.tell(client("ben"), What::Dialled { to: Host::Gateway(2) });
        run.refused_by(&ORACLE, "ben was closed with 4409");
    }

    #[test]
    fn lets_a_late_close_of_an_earlier_connection_pass() {
        let mut run = healthy();
        run.link("ben", "connecting: asks for a token (attempt 1)");
        run.is_closed("ben", 2, 4409, "superseded");
        run.tell(client("ben"), What::Dialled { to: Host::TokenService });
        run.accepted_by(&ORACLE);
    }
}
