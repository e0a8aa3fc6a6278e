//! What the people in a run saw, turn by turn: the trace without times, ids, connections and everything
//! else that another network would change.
//!
//! It knows nothing of how it is printed or judged. Two runs that told their users the same have equal views.
//!
//! # Design
//! What a speaker sees stands where it appeared. What somebody else sees stands at the turn it belongs to,
//! unless that turn was already over for them: two sockets promise no order between each other, so a calm
//! run would differ from the next if the order of arrival at different clients counted.

use crate::scenario::{Fault, Host, Pace, Scenario, Trigger};
use crate::trace::{Event, Trace, What};
use assistant::contract::close::CloseReason;
use assistant::contract::frame::{LogBody, LogFrame};
use assistant::contract::id::MessageId;
use std::collections::BTreeMap;

/// A run as its users saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What happened before anybody spoke, in order.
    pub opening: Vec<Fact>,
    /// What happened in each turn of the scenario, in order; absent if the turn was never said.
    pub turns: Vec<Option<Vec<Fact>>>,
}

/// Something that a user, or the reader of a transcript, is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The client it concerns, as an index into the scenario; absent if it concerns the world.
    pub client: Option<usize>,
    /// What.
    pub what: Seen,
}

/// The kinds of facts.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A frame was shown. The echo of one's own turn is left out.
    Frame {
        /// Its content.
        body: Box<LogBody>,
        /// The turn it belongs to, if that is not the one it stands at.
        stray: Option<Stray>,
    },
    /// The user said the turn again, after a retryable error.
    SaidAgain,
    /// The client gave the turn up.
    GivenUp {
        /// Why.
        why: String,
    },
    /// The client's connection changed; in runs without faults only if it is gone for good.
    Link(Link),
    /// The client's view started again.
    StartedAgain {
        /// How many frames it showed anew.
        frames: usize,
    },
    /// A fault struck.
    Fault {
        /// The fault.
        fault: Fault,
        /// What it waited for.
        at: Option<Trigger>,
        /// Whether a turn armed it; otherwise the run did.
        in_turn: bool,
    },
    /// A host died.
    Died {
        /// Which.
        host: Host,
        /// The error or the panic message.
        why: String,
    },
    /// The run was given up.
    TimedOut {
        /// What was still outstanding.
        outstanding: Vec<String>,
    },
}

/// Where a frame out of its turn belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// To this turn of the scenario.
    Turn(usize),
    /// To nothing that anybody said.
    Unknown,
}

/// A change of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It is gone; the client tries again.
    Lost,
    /// It is back.
    Reconnected,
    /// Another state, in the client's word, such as `parked`.
    Other(String),
    /// It will not be back: the client's word, and why a gateway closed it if one did.
    Gone(String, Option<CloseReason>),
}

/// Reads the view out of a run.
#[must_use]
pub fn view(scenario: &Scenario, trace: &Trace) -> View {
    let armed = scenario.turns.iter().any(|turn| !turn.faults.is_empty());
    let names = scenario.clients.iter().enumerate();
    let mut reading = Reading {
        scenario,
        places: names.map(|(place, client)| (client.name.as_str(), place)).collect(),
        calm: !armed && scenario.faults.is_empty(),
        over: false,
        view: View { opening: Vec::new(), turns: vec![None; scenario.turns.len()] },
        turn_of: BTreeMap::new(),
        last_said: None,
        clients: BTreeMap::new(),
    };
    for event in &trace.events {
        reading.read(event);
    }
    reading.view
}

/// A view in the making.
struct Reading<'t> {
    scenario: &'t Scenario,
    /// Places of clients by name.
    places: BTreeMap<&'t str, usize>,
    calm: bool,
    /// Whether all is said.
    over: bool,
    view: View,
    turn_of: BTreeMap<&'t MessageId, usize>,
    last_said: Option<usize>,
    clients: BTreeMap<usize, ClientSoFar<'t>>,
}

/// What one client has seen so far.
#[derive(Default)]
struct ClientSoFar<'t> {
    /// The last turn it said itself.
    said: Option<usize>,
    /// By speaker, the last turn of which it has shown a frame.
    heard: BTreeMap<usize, usize>,
    /// Its frames since its view began, and those of the view before.
    shown: Vec<&'t LogFrame>,
    before: Vec<&'t LogFrame>,
    /// Where the fact of the last new beginning stands.
    restart: Option<(Option<usize>, usize)>,
    /// The last state of its connection; absent before the first success.
    link: Option<Link>,
}

impl<'t> Reading<'t> {
    fn read(&mut self, event: &'t Event) {
        match &event.what {
            What::Injected { turn, index, fault } => self.fault(*turn, *index, fault),
            What::Died { why } => {
                let (host, why) = (event.host.clone(), why.clone());
                self.tell(self.last_said, None, Seen::Died { host, why });
            }
            What::TimedOut { outstanding } => {
                let outstanding = outstanding.clone();
                self.tell(self.last_said, None, Seen::TimedOut { outstanding });
            }
            What::Said { .. }
            | What::GivenUp { .. }
            | What::Shown { .. }
            | What::ViewReset
            | What::Link { .. } => self.read_client(event),
            What::Received { .. }
            | What::Started
            | What::Looked
            | What::Typing { .. }
            | What::Left { .. }
            | What::Stopped { .. }
            | What::Dialled { .. }
            | What::Connected { .. }
            | What::NotConnected { .. }
            | What::Refused { .. }
            | What::Ended { .. }
            | What::Asked { .. }
            | What::Answered { .. }
            | What::Acked { .. }
            | What::Healed { .. }
            | What::Log { .. } => {}
            // What follows is the way home: nobody watches the connection any more.
            What::ScriptDone => (self.calm, self.over) = (true, true),
        }
    }

    fn read_client(&mut self, event: &'t Event) {
        let Some(client) = self.client(&event.host) else {
            return;
        };
        if let What::Said { turn, message_id, .. } = &event.what {
            self.said(client, *turn, message_id);
        } else if let What::GivenUp { message_id, why } = &event.what {
            let slot = self.turn_of.get(message_id).copied().or(self.last_said);
            let why = why.clone();
            self.tell(slot, Some(client), Seen::GivenUp { why });
        } else if let What::Shown { frame } = &event.what {
            self.shown(client, frame);
        } else if matches!(event.what, What::ViewReset) {
            self.restarted(client);
        } else if let What::Link { state } = &event.what {
            self.link(client, state);
        }
    }

    fn client(&self, host: &Host) -> Option<usize> {
        let Host::Client(name) = host else {
            return None;
        };
        self.places.get(name.as_str()).copied()
    }

    fn tell(&mut self, slot: Option<usize>, client: Option<usize>, what: Seen) {
        self.facts(slot).push(Fact { client, what });
    }

    /// The facts of a turn, or of the time before the first.
    fn facts(&mut self, slot: Option<usize>) -> &mut Vec<Fact> {
        match slot.and_then(|turn| self.view.turns.get_mut(turn)) {
            Some(facts) => facts.get_or_insert_default(),
            None => &mut self.view.opening,
        }
    }

    /// The turn that a client is in, as far as its own doing goes.
    fn now(&self, client: usize) -> Option<usize> {
        match self.scenario.pace {
            Pace::Together => self.last_said,
            Pace::Apart => self.clients.get(&client).and_then(|so_far| so_far.said),
        }
    }

    fn said(&mut self, client: usize, turn: usize, message_id: &'t MessageId) {
        let again = matches!(self.view.turns.get(turn), Some(Some(_)));
        if again {
            self.tell(Some(turn), Some(client), Seen::SaidAgain);
        } else {
            self.facts(Some(turn));
        }
        self.turn_of.insert(message_id, turn);
        self.last_said = Some(turn);
        self.clients.entry(client).or_default().said = Some(turn);
    }

    fn fault(&mut self, turn: Option<usize>, index: usize, fault: &Fault) {
        let armed = match turn {
            Some(turn) => self.scenario.turns.get(turn).map(|turn| &turn.faults),
            None => Some(&self.scenario.faults),
        };
        let at = armed.and_then(|faults| faults.get(index)).map(|armed| armed.at.clone());
        let slot = match self.scenario.pace {
            Pace::Together => self.last_said,
            Pace::Apart => turn.or(self.last_said),
        };
        let seen = Seen::Fault { fault: fault.clone(), at, in_turn: turn.is_some() };
        self.tell(slot, None, seen);
    }

    fn shown(&mut self, client: usize, frame: &'t LogFrame) {
        let so_far = self.clients.entry(client).or_default();
        so_far.shown.push(frame);
        if let Some((slot, place)) = so_far.restart
            && so_far.before.contains(&frame)
        {
            if let Some(Fact { what: Seen::StartedAgain { frames }, .. }) =
                self.facts(slot).get_mut(place)
            {
                *frames = frames.saturating_add(1);
            }
            return;
        }
        let (slot, stray) = self.place(client, frame);
        if stray.is_none() && slot == self.own(client, frame) {
            return;
        }
        let body = Box::new(frame.body.clone());
        self.tell(slot, Some(client), Seen::Frame { body, stray });
    }

    /// Which turn the frame is to stand at, and where it belongs if that is another one.
    fn place(&mut self, client: usize, frame: &LogFrame) -> (Option<usize>, Option<Stray>) {
        let now = self.now(client);
        let Some(turn) = self.turn_of.get(&frame.in_reply_to).copied() else {
            return (now, Some(Stray::Unknown));
        };
        let speaker = self.scenario.turns.get(turn).map(|turn| turn.client);
        let slot = match speaker {
            Some(speaker) if speaker != client => {
                let so_far = self.clients.entry(client).or_default();
                let heard = so_far.heard.entry(speaker).or_insert(turn);
                *heard = turn.max(*heard);
                Some(*heard)
            }
            Some(_) | None => now,
        };
        (slot, (slot != Some(turn)).then_some(Stray::Turn(turn)))
    }

    /// The turn of which this frame is the echo to its own speaker.
    fn own(&self, client: usize, frame: &LogFrame) -> Option<usize> {
        if !matches!(frame.body, LogBody::UserTurn { .. }) {
            return None;
        }
        let turn = self.turn_of.get(&frame.in_reply_to).copied()?;
        let speaker = self.scenario.turns.get(turn)?.client;
        (speaker == client).then_some(turn)
    }

    fn restarted(&mut self, client: usize) {
        let slot = self.now(client);
        self.tell(slot, Some(client), Seen::StartedAgain { frames: 0 });
        let place = self.facts(slot).len().saturating_sub(1);
        let so_far = self.clients.entry(client).or_default();
        so_far.before.append(&mut so_far.shown);
        so_far.restart = Some((slot, place));
    }

    fn link(&mut self, client: usize, state: &str) {
        let so_far = self.clients.entry(client).or_default();
        let word: String = state.chars().take_while(|c| c.is_alphabetic()).collect();
        let link = match word.as_str() {
            "connected" => Link::Reconnected,
            "connecting" | "waiting" | "offline" | "lost" => Link::Lost,
            "stopped" | "signed" => gone(state),
            _ => Link::Other(word),
        };
        let first = so_far.link.is_none();
        if first && link == Link::Lost || so_far.link.as_ref() == Some(&link) {
            return;
        }
        so_far.link = Some(link.clone());
        let first_success = first && link == Link::Reconnected;
        let is_told = match &link {
            Link::Gone(..) => !self.over,
            Link::Lost | Link::Reconnected | Link::Other(_) => !self.calm && !first_success,
        };
        if is_told {
            self.tell(self.now(client), Some(client), Seen::Link(link));
        }
    }
}

/// Reads `stopped (Code(4409))`.
fn gone(state: &str) -> Link {
    let (word, why) = state.split_once(" (").unwrap_or((state, ""));
    let code: String = why.chars().filter(char::is_ascii_digit).collect();
    let known = CloseReason::ALL.into_iter().find(|reason| reason.code().to_string() == code);
    Link::Gone(word.replace('-', " "), known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::{Bench, healthy};

    fn links(run: &Bench) -> Vec<Link> {
        let view = view(&run.scenario, &run.trace);
        let facts = view.opening.into_iter().chain(view.turns.into_iter().flatten().flatten());
        let links = facts.filter_map(|fact| match fact.what {
            Seen::Link(link) => Some(link),
            Seen::Frame { .. }
            | Seen::SaidAgain
            | Seen::GivenUp { .. }
            | Seen::StartedAgain { .. }
            | Seen::Fault { .. }
            | Seen::Died { .. }
            | Seen::TimedOut { .. } => None,
        });
        links.collect()
    }

    #[test]
    fn who_goes_for_good_is_told_of_in_a_calm_run_too_until_all_is_said() {
        let mut run = healthy();
        run.scenario.turns[0].faults.clear();
        run.forget(|event| matches!(event.what, What::Injected { .. } | What::Healed { .. }));
        run.link("ben", "stopped (Code(4409))");
        assert_eq!(links(&run), []);
        run.forget(|event| event.what == What::ScriptDone);
        let gone = |word: &str, why| Link::Gone(word.to_owned(), why);
        assert_eq!(links(&run), [gone("stopped", Some(CloseReason::Superseded))]);
        run.link("ben", "signed-out (Revoked)");
        assert_eq!(links(&run).last(), Some(&gone("signed out", None)));
    }
}
