//! Whether faults only delay what users are told: the same words, in order, once.
//!
//! It compares two runs of one conversation, one of them without faults, and knows nothing of how they were
//! played. Retryable errors, the turns that are said again after them, typing, connections and times are left
//! out; everything else that a client showed counts.

use crate::oracle::{Violation, is_final};
use crate::report::transcript::body_words;
use crate::scenario::Scenario;
use crate::trace::{Event, Trace, What};
use assistant::contract::frame::{LogBody, LogFrame};
use assistant::contract::id::MessageId;
use similar::TextDiff;
use std::collections::{BTreeMap, BTreeSet};

/// What a difference is called, beside the names of the oracles.
pub const TRANSPARENT: &str = "transparent";

/// What each client of a scenario was told, a block a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    clients: Vec<Block>,
    /// That the run was given up, in words; empty if it was not.
    end: String,
}

/// What one client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    name: String,
    lines: Vec<String>,
    /// Whether it went for good, so that it was told a beginning only.
    gone: bool,
}

/// Reads what the users of a run were told. Left out is a thread on which two clients call themselves the same: which
/// of them goes on, the network decides, and who is stopped says no more.
#[must_use]
pub fn told(scenario: &Scenario, trace: &Trace) -> Told {
    let turns = turns_of(trace);
    let void = said_in_vain(trace);
    let compared = scenario.clients.iter().filter(|client| !scenario.is_contested(&client.thread));
    let clients = compared.map(|client| {
        let mut block = Block { name: client.name.clone(), lines: Vec::new(), gone: false };
        let own = trace.events.iter().filter(|event| event.host.to_string() == client.name);
        own.for_each(|event| block.read(event, &turns, &void));
        block
    });
    let given_up = trace.events.iter().filter_map(|event| {
        let What::TimedOut { outstanding } = &event.what else { return None };
        Some(format!("the run was given up: {}\n", outstanding.join("; ")))
    });
    Told { clients: clients.collect(), end: given_up.collect() }
}

impl Block {
    fn read(
        &mut self,
        event: &Event,
        turns: &BTreeMap<&MessageId, usize>,
        void: &BTreeSet<MessageId>,
    ) {
        if let What::Shown { frame } = &event.what {
            if !void.contains(&frame.in_reply_to) {
                self.lines.push(line(frame, turns));
            }
        } else if let What::GivenUp { message_id, why } = &event.what {
            let turn = turn_words(turns.get(message_id));
            self.lines.push(format!("  {turn}  given up: {why}"));
        } else if matches!(event.what, What::ViewReset) {
            self.lines.clear();
        } else if let What::Link { state } = &event.what {
            self.gone |= is_final(state);
        }
    }

    fn text(&self) -> String {
        let lines: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        format!("to {}\n{lines}", self.name)
    }

    /// Both, as far as whoever of them was gone first can have been told.
    fn beside(&self, other: &Self) -> [String; 2] {
        let length = match self.gone || other.gone {
            true => self.lines.len().min(other.lines.len()),
            false => usize::MAX,
        };
        [self, other].map(|block| {
            let lines = block.lines.iter().take(length).cloned().collect();
            Self { lines, ..block.clone() }.text()
        })
    }
}

/// The turn of each message, as an index into the scenario.
fn turns_of(trace: &Trace) -> BTreeMap<&MessageId, usize> {
    let said = trace.events.iter().filter_map(|event| {
        if let What::Said { turn, message_id, .. } = &event.what {
            Some((message_id, *turn))
        } else {
            None
        }
    });
    said.collect()
}

/// The messages that ended in an error which invites to say the turn again.
fn said_in_vain(trace: &Trace) -> BTreeSet<MessageId> {
    let errors = trace.events.iter().filter_map(|event| {
        if let What::Shown { frame } = &event.what
            && matches!(frame.body, LogBody::Error { retryable: true, .. })
        {
            Some(frame.in_reply_to.clone())
        } else {
            None
        }
    });
    errors.collect()
}

fn turn_words(turn: Option<&usize>) -> String {
    turn.map_or("unknown turn".to_owned(), |turn| format!("turn {}", turn.saturating_add(1)))
}

fn line(frame: &LogFrame, turns: &BTreeMap<&MessageId, usize>) -> String {
    let turn = turn_words(turns.get(&frame.in_reply_to));
    format!("  {turn}  {}", body_words(&frame.body, ""))
}

impl Told {
    /// Where `other` parts from this, which is what should have been told; absent if nowhere. Lines with `-` were
    /// not told, lines with `+` were told instead. Of a client that went for good in one of them, only the beginning
    /// counts; whether it may is asked by the oracle `leaves`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let pairs = self.clients.iter().zip(&other.clients);
        let (mut ours, mut theirs) = (String::new(), String::new());
        for [our, their] in pairs.map(|(our, their)| our.beside(their)) {
            ours.push_str(&our);
            theirs.push_str(&their);
        }
        ours.push_str(&self.end);
        theirs.push_str(&other.end);
        if ours == theirs {
            return None;
        }
        let diff = TextDiff::from_lines(ours.as_str(), theirs.as_str());
        let mut unified = diff.unified_diff();
        Some(unified.context_radius(1).header("calm", "under these faults").to_string())
    }
}

/// A run that told its users something else than the run without faults, as a violation.
#[must_use]
pub fn violation(difference: &str) -> Violation {
    let changed = difference.lines().filter(|line| {
        (line.starts_with('-') || line.starts_with('+'))
            && !line.starts_with("---")
            && !line.starts_with("+++")
    });
    let first = changed.clone().next().unwrap_or_default();
    let what = format!(
        "users are not told what they are told without faults: {} lines differ, the first is `{first}`",
        changed.count()
    );
    Violation { oracle: TRANSPARENT, at_us: 0, host: None, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::{Bench, frame, healthy, message, user_turn};
    use assistant::contract::frame::ErrorCode;

    fn of(run: &Bench) -> Told {
        told(&run.scenario, &run.trace)
    }

    fn error(retryable: bool) -> LogBody {
        let (code, message) = (ErrorCode::AgentUnavailable, "Please try again.".to_owned());
        LogBody::Error { code, message, retryable }
    }

    /// Where the first frame that answers `id` is shown to ana.
    fn first(run: &Bench, id: &str) -> usize {
        let shown = |event: &Event| {
            event.host.to_string() == "ana"
                && matches!(&event.what, What::Said { message_id, .. } if message_id.as_str() == id)
        };
        run.trace.events.iter().position(shown).expect("it was said")
    }

    #[test]
    fn a_turn_said_again_after_a_retryable_error_is_the_same_turn() {
        let calm = healthy();
        let mut run = healthy();
        let mut early = healthy();
        early.trace.events.clear();
        early.say("ana", 0, "m-0", "2 bed homes");
        early.show("ana", &user_turn(90, "m-0", "2 bed homes"));
        early.show("ana", &frame(91, "m-0", error(true)));
        let place = first(&run, "m-1");
        run.trace.events.splice(place..place, early.trace.events);
        assert_eq!(of(&calm).difference(&of(&run)), None);
    }

    #[test]
    fn a_view_that_starts_again_is_told_once() {
        let calm = healthy();
        let mut run = healthy();
        let shown: Vec<Event> = run
            .trace
            .events
            .iter()
            .filter(|event| {
                event.host.to_string() == "ana" && matches!(event.what, What::Shown { .. })
            })
            .cloned()
            .collect();
        let reset = Event { what: What::ViewReset, ..shown[0].clone() };
        run.trace.events.push(reset);
        run.trace.events.extend(shown);
        assert_eq!(of(&calm).difference(&of(&run)), None);
    }

    #[test]
    fn what_is_missing_doubled_out_of_order_or_else_is_a_difference() {
        let calm = of(&healthy());
        let refuse = |change: &dyn Fn(&mut Bench), part: &str| {
            let mut run = healthy();
            change(&mut run);
            let difference = calm.difference(&of(&run)).expect("a difference");
            assert!(difference.contains(part), "no {part:?} in:\n{difference}");
            let violation = violation(&difference);
            assert_eq!(violation.oracle, TRANSPARENT);
            assert!(violation.what.contains("lines differ"), "{violation:?}");
        };
        let shown = |seq: u64| move |event: &Event| matches!(&event.what, What::Shown { frame } if frame.seq == seq);
        refuse(&|run| run.forget(shown(3)), "-  turn 1  message from real_estate");
        refuse(&|run| run.repeat(shown(3)), "+  turn 1  message from real_estate");
        refuse(&|run| run.show("ana", &message(9, "m-3", "Else.")), "+  turn 3  message");
        refuse(&|run| run.show("ana", &message(9, "m-9", "Else.")), "+  unknown turn  message");
        refuse(&|run| run.show("ana", &frame(9, "m-3", error(false))), "+  turn 3  error");
        refuse(&|run| run.give_up("ana", "m-3"), "+  turn 3  given up");
        refuse(
            &|run| {
                let what = What::TimedOut { outstanding: vec!["turn 3".to_owned()] };
                let event = Event { what, ..run.trace.events[0].clone() };
                run.trace.events.push(event);
            },
            "+the run was given up: turn 3",
        );
        refuse(
            &|run| {
                let places: Vec<usize> = (0..run.trace.events.len())
                    .filter(|place| {
                        let event = &run.trace.events[*place];
                        event.host.to_string() == "ana" && matches!(event.what, What::Shown { .. })
                    })
                    .collect();
                run.trace.events.swap(places[1], places[2]);
            },
            "turn 1  recommendations",
        );
    }

    /// Ben has gone for good behind his third frame.
    fn signed_out() -> Bench {
        let mut run = healthy();
        run.forget(|event| {
            event.host.to_string() == "ben"
                && matches!(&event.what, What::Shown { frame } if frame.seq > 3)
        });
        run.link("ben", "signed-out (Code(4401))");
        run
    }

    #[test]
    fn who_goes_for_good_is_told_a_beginning() {
        let (calm, gone) = (of(&healthy()), of(&signed_out()));
        assert_eq!(calm.difference(&gone), None);
        assert_eq!(gone.difference(&calm), None);
        let mut other = signed_out();
        let else_ = message(3, "m-1", "Something else.");
        other.forget(|event| {
            event.host.to_string() == "ben"
                && matches!(&event.what, What::Shown { frame } if frame.seq == 3)
        });
        other.show("ben", &else_);
        let difference = calm.difference(&of(&other)).expect("a difference");
        assert!(difference.contains("Something else."), "{difference}");
        // Who is there still is told everything.
        let mut run = signed_out();
        run.forget(|event| matches!(&event.what, What::Link { state } if state.contains("4401")));
        assert!(calm.difference(&of(&run)).is_some());
    }

    #[test]
    fn of_two_that_call_themselves_the_same_nothing_is_compared() {
        let mut run = signed_out();
        run.scenario.clients[1].instance = Some("ana".to_owned());
        let mut calm = healthy();
        calm.scenario = run.scenario.clone();
        run.give_up("ana", "m-3");
        assert_eq!(of(&calm).difference(&of(&run)), None);
        calm.scenario.clients[1].thread = "t-2".to_owned();
        run.scenario = calm.scenario.clone();
        assert!(of(&calm).difference(&of(&run)).is_some());
    }
}
