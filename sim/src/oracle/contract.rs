//! Whatever is said is said in the words of the contract, on the socket and to the agent.
//!
//! The types of the contract are its schema (`snapshots/` is made of them), so a frame is held to be valid if
//! it reads as its type and is written again as the very same JSON: then nothing was left out, added or of
//! another form. A conversation has a form as well: `hello` first and once, then `welcome`, then the rest.

use super::wire;
use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What, Wire};
use assistant::contract::agent::AGENT_CONTRACT;
use assistant::contract::frame::{ClientFrame, PROTOCOL, ServerFrame};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "contract";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is every frame and every word with the agent as the contract has it?",
    judge,
};

/// How far a connection has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    has_hello: bool,
    has_welcome: bool,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let (shuffled, strangers) = (wire::shuffled(trace), wire::strangers(trace));
    let mut links: BTreeMap<u64, Progress> = BTreeMap::new();
    let mut agents = Agents::default();
    let mut found = Vec::new();
    for event in &trace.events {
        let what = match (&event.host, &event.what) {
            (Host::Client(_), What::Received { conn, frame }) => {
                let progress = links.entry(*conn).or_default();
                let read = text(frame).and_then(read::<ServerFrame>);
                let told = read.and_then(|frame| progress.tells(&frame));
                told.err().filter(|_| !shuffled.contains(conn)).map(|why| (*conn, why))
            }
            (Host::Gateway(_), What::Received { conn, frame }) if !strangers.contains(conn) => {
                let progress = links.entry(*conn).or_default();
                let read = text(frame).and_then(read::<ClientFrame>);
                read.and_then(|frame| progress.asks(&frame)).err().map(|why| (*conn, why))
            }
            (_, _) => agents.hear(event),
        };
        let words = |(conn, why)| format!("{} read on connection {conn} {why}", event.host);
        found.extend(what.map(|what| Violation::at(NAME, event, words(what))));
    }
    found
}

/// The text of a frame; a close frame and those of the WebSocket protocol are no business of the contract.
fn text(frame: &Wire) -> Result<Option<&str>, String> {
    match frame {
        Wire::Text(text) => Ok(Some(text)),
        Wire::Binary(length) => Err(format!("a binary frame of {length} bytes")),
        Wire::Control(_) | Wire::Close { .. } => Ok(None),
    }
}

fn read<T: DeserializeOwned + Serialize>(text: Option<&str>) -> Result<Option<T>, String> {
    let Some(text) = text else { return Ok(None) };
    let frame: T =
        serde_json::from_str(text).map_err(|error| format!("no frame ({error}): {text}"))?;
    let again = serde_json::to_string(&frame).unwrap_or_default();
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    if again != text && value(&again) != value(text) {
        return Err(format!("more or less than the contract has: {text}"));
    }
    Ok(Some(frame))
}

impl Progress {
    /// A client's frame comes.
    fn asks(&mut self, frame: &Option<ClientFrame>) -> Result<(), String> {
        let Some(frame) = frame else { return Ok(()) };
        let is_hello = matches!(frame, ClientFrame::Hello { .. });
        if let ClientFrame::Hello { protocol, .. } = frame
            && *protocol != PROTOCOL
        {
            return Err(format!("a hello of version {protocol}"));
        }
        match (self.has_hello, is_hello) {
            (false, false) => Err(format!("{} before hello", frame.event())),
            (true, true) => Err("a second hello".to_owned()),
            (_, _) => {
                self.has_hello = true;
                Ok(())
            }
        }
    }

    /// A server's frame comes.
    fn tells(&mut self, frame: &Option<ServerFrame>) -> Result<(), String> {
        let Some(frame) = frame else { return Ok(()) };
        let needs_welcome = match frame {
            ServerFrame::Welcome { .. } if self.has_welcome => {
                return Err("a second welcome".to_owned());
            }
            ServerFrame::Welcome { .. } => {
                self.has_welcome = true;
                return Ok(());
            }
            ServerFrame::Resumed { recovered: false, .. } => {
                return Err("a resumed that recovered nothing".to_owned());
            }
            ServerFrame::ReconnectAdvice { min_ms, max_ms, .. } if min_ms > max_ms => {
                return Err(format!("an advice from {min_ms} to {max_ms} ms"));
            }
            // A cursor that cannot be served is refused instead of a welcome.
            ServerFrame::ResumeFailed { .. } if self.has_welcome => {
                return Err("resume_failed behind the welcome".to_owned());
            }
            ServerFrame::ResumeFailed { .. }
            | ServerFrame::ReconnectAdvice { .. }
            | ServerFrame::Ping { .. } => false,
            ServerFrame::Resumed { .. }
            | ServerFrame::Ack { .. }
            | ServerFrame::Typing { .. }
            | ServerFrame::Log(_) => true,
        };
        if needs_welcome && !self.has_welcome {
            return Err(format!("{} before welcome", frame.event()));
        }
        Ok(())
    }
}

/// What is said between the supervisor and the agent.
#[derive(Default)]
struct Agents {
    /// Whether something else answers in the place of the agent.
    misbehaves: bool,
    /// The connections to that.
    excused: BTreeSet<u64>,
}

impl Agents {
    fn hear(&mut self, event: &Event) -> Option<(u64, String)> {
        match (&event.what, self.misbehaves) {
            (What::Injected { fault: Fault::Misbehave { host: Host::Agent, .. }, .. }, _) => {
                self.misbehaves = true;
            }
            (What::Healed { fault: Fault::Misbehave { host: Host::Agent, .. } }, _) => {
                self.misbehaves = false;
            }
            (What::Connected { conn, to: Host::Agent }, true) => {
                self.excused.insert(*conn);
            }
            (What::Asked { conn, request }, _) if request.version != AGENT_CONTRACT => {
                return Some((*conn, format!("a request of version {}", request.version)));
            }
            (What::Answered { conn, status, response }, _) if !self.excused.contains(conn) => {
                let version = response.as_ref().map(|response| response.version);
                let why = match (status, version) {
                    (200, Some(AGENT_CONTRACT)) => return None,
                    (200, Some(version)) => format!("a response of version {version}"),
                    (200, None) => "status 200 without a response of the contract".to_owned(),
                    (status, _) => format!("status {status} from an agent that is well"),
                };
                return Some((*conn, why));
            }
            (_, _) => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{client, healthy, id};
    use super::*;
    use crate::scenario::Misbehaviour;
    use assistant::contract::frame::ResumeFailure;
    use std::time::Duration;

    fn says(text: &str) -> What {
        What::Received { conn: 2, frame: Wire::Text(text.to_owned()) }
    }

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_what_is_no_frame_or_has_another_form() {
        let unknown = r#"{"event":"shout","n":1}"#;
        let more = r#"{"event":"ping","n":1,"mood":"fine"}"#;
        for (host, what, words) in [
            (client("ben"), says("{"), "ben read on connection 2 no frame"),
            (client("ben"), says(unknown), "ben read on connection 2 no frame"),
            (client("ben"), says(more), "ben read on connection 2 more or less than the contract"),
            (Host::Gateway(1), says(unknown), "gateway-1 read on connection 2 no frame"),
            (
                Host::Gateway(1),
                What::Received { conn: 2, frame: Wire::Binary(7) },
                "gateway-1 read on connection 2 a binary frame of 7 bytes",
            ),
        ] {
            let mut run = healthy();
            run.tell(host, what);
            run.refused_by(&ORACLE, words);
        }
    }

    #[test]
    fn refuses_a_conversation_out_of_its_form() {
        let mut run = healthy();
        run.join("ben", 2, 0);
        run.refused_by(&ORACLE, "gateway-1 read on connection 2 a second hello");
        run.refused_by(&ORACLE, "ben read on connection 2 a second welcome");
        let mut run = healthy();
        run.sends(4, &ClientFrame::Pong { n: 1 });
        run.refused_by(&ORACLE, "gateway-1 read on connection 4 pong before hello");
        run.receives("ben", 4, &ServerFrame::Ack { message_id: id("m-1"), seq: 1 });
        run.refused_by(&ORACLE, "ben read on connection 4 ack before welcome");
    }

    #[test]
    fn accepts_a_refused_cursor_instead_of_a_welcome_and_not_behind_one() {
        let failed = ServerFrame::ResumeFailed { why: ResumeFailure::Epoch, head: 3, epoch: 9 };
        let mut run = healthy();
        run.receives("ben", 4, &failed);
        run.accepted_by(&ORACLE);
        run.receives("ben", 2, &failed);
        run.refused_by(&ORACLE, "ben read on connection 2 resume_failed behind the welcome");
    }

    #[test]
    fn refuses_a_wrong_answer_of_an_agent_unless_it_shall_be_wrong() {
        let answer = || What::Answered { conn: 8, status: 200, response: None };
        let mut run = healthy();
        run.tell(Host::Supervisor, answer());
        run.refused_by(&ORACLE, "supervisor read on connection 8 status 200 without a response");
        let mut run = healthy();
        run.tell(Host::Supervisor, What::Answered { conn: 8, status: 400, response: None });
        run.refused_by(&ORACLE, "supervisor read on connection 8 status 400 from an agent");
        let mut run = healthy();
        let (host, how) = (Host::Agent, Misbehaviour::Drift);
        let fault = Fault::Misbehave { host, how, lasts: Duration::from_secs(1) };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault.clone() });
        run.tell(Host::Supervisor, What::Connected { conn: 8, to: Host::Agent });
        run.tell(Host::World, What::Healed { fault });
        run.tell(Host::Supervisor, answer());
        run.accepted_by(&ORACLE);
    }
}
