//! One turn from its route to its final frame. Pure: the shell makes the calls and keeps the clock.
//!
//! ```text
//!            general, a question, or the agent is switched off
//! Start ──────────────────────────────────────────────────────▶ Finish
//!   │ route = real estate                                         ▲
//!   ▼            answer, declined, or breaker open: error frame   │
//! Calling ────────────────────────────────────────────────────────┤
//!   │ ▲          calls used up: error frame                       │
//!   ▼ │ pause ────────────────────────────────────────────────────┘
//! Waiting
//! ```
//! A turn is handed on at most once: from the agent that declines to general conversation, which never does.

use super::general;
use super::general::Clarified;
use super::router::{Route, route};
use super::state::SupervisorState;
use super::store::OpenTurn;
use crate::config::SupervisorConfig;
use crate::contract::agent::{
    AGENT_CONTRACT, Action, AgentRequest, AgentResponse, Intent, Pending, Status,
};
use crate::contract::frame::{AgentName, ErrorCode, LogBody};
use std::time::Duration;

/// What happens to a turn.
#[derive(Debug)]
pub(super) enum Input {
    /// It begins.
    Start,
    /// The agent answered; the body may be anything.
    Answered(Box<AgentResponse>),
    /// The agent answered something that is not an [`AgentResponse`].
    Garbled,
    /// The agent did not answer.
    Unreachable,
    /// The agent was not asked: it has failed too often.
    Resting,
    /// The deadline passed.
    Wake,
}

/// What is to be done for a turn.
#[derive(Debug, PartialEq)]
pub(super) enum Output {
    /// Ask the agent.
    Call(Box<AgentRequest>),
    /// Append these frames and keep this state. The last thing a turn says.
    Finish { bodies: Vec<LogBody>, state: Box<SupervisorState> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Fresh,
    Calling,
    Waiting { until: Duration },
    Finished,
}

/// One turn.
#[derive(Debug)]
pub(super) struct Turn {
    config: SupervisorConfig,
    turn: OpenTurn,
    today: String,
    state: SupervisorState,
    /// Whether the user is given the agent.
    included: bool,
    phase: Phase,
    calls: u32,
}

/// The circumstances of a turn.
#[derive(Debug)]
pub(super) struct Context {
    /// Where the conversation stands.
    pub(super) state: SupervisorState,
    /// The day the turn is answered on.
    pub(super) today: String,
    /// Whether the user is given the agent.
    pub(super) included: bool,
}

impl Turn {
    /// A turn that has not begun.
    pub(super) fn new(config: SupervisorConfig, turn: OpenTurn, context: Context) -> Self {
        let Context { state, today, included } = context;
        Self { config, turn, today, state, included, phase: Phase::Fresh, calls: 0 }
    }

    /// When to step with [`Input::Wake`].
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Waiting { until } => Some(until),
            Phase::Fresh | Phase::Calling | Phase::Finished => None,
        }
    }

    /// Takes one input at `now`.
    pub(super) fn step(&mut self, now: Duration, input: Input, out: &mut Vec<Output>) {
        match (self.phase, input) {
            (Phase::Fresh, Input::Start) => self.start(out),
            (Phase::Calling, Input::Answered(response)) => self.answered(now, *response, out),
            (Phase::Calling, Input::Garbled) => self.failed(now, ErrorCode::AgentInvalid, out),
            (Phase::Calling, Input::Unreachable) => {
                self.failed(now, ErrorCode::AgentUnavailable, out);
            }
            (Phase::Calling, Input::Resting) => self.give_up(ErrorCode::AgentUnavailable, out),
            (Phase::Waiting { until }, Input::Wake) if now >= until => self.call(out),
            // An early wake, or an input of a call that is over.
            (Phase::Fresh | Phase::Calling | Phase::Waiting { .. } | Phase::Finished, _) => {}
        }
    }

    /// Reads the answer to our own question first, and then routes what is left.
    fn start(&mut self, out: &mut Vec<Output>) {
        if let Some(unclear) = &self.state.clarifying {
            match general::clarified(&self.turn.text) {
                Clarified::Yes(more) => {
                    self.turn.text =
                        format!("{unclear}. {more}").trim_end_matches([' ', '.']).to_owned();
                    return self.first_call(out);
                }
                Clarified::No => return self.say(Intent::SmallTalk, general::NOT_HOMES, out),
                Clarified::Neither => {
                    let unclear = unclear.clone();
                    self.state.hear(&unclear);
                }
            }
        }
        match route(&self.turn.text, &self.state) {
            Route::To(AgentName::RealEstate) => self.first_call(out),
            Route::To(AgentName::General) => self.answer_generally(out),
            Route::Clarify => {
                let state = SupervisorState {
                    clarifying: Some(self.turn.text.clone()),
                    ..self.state.clone()
                };
                self.finish(vec![message(Intent::Clarify, general::CLARIFY)], state, out);
            }
        }
    }

    fn first_call(&mut self, out: &mut Vec<Output>) {
        match self.included {
            true => self.call(out),
            false => self.say(Intent::NoMatch, general::SWITCHED_OFF, out),
        }
    }

    fn call(&mut self, out: &mut Vec<Output>) {
        self.calls += 1;
        self.phase = Phase::Calling;
        out.push(Output::Call(Box::new(AgentRequest {
            version: AGENT_CONTRACT,
            thread_id: self.turn.thread_id.clone(),
            message_id: self.turn.message_id.clone(),
            text: self.turn.text.clone(),
            heard: self.state.heard.clone(),
            today: self.today.clone(),
            state: self.state.agent.clone(),
        })));
    }

    fn answered(&mut self, now: Duration, response: AgentResponse, out: &mut Vec<Output>) {
        if response.version != AGENT_CONTRACT {
            return self.failed(now, ErrorCode::AgentInvalid, out);
        }
        match response.status {
            Status::Decline => self.answer_generally(out),
            Status::Done | Status::Need => {
                let mut bodies: Vec<LogBody> =
                    response.actions.into_iter().map(recommendations).collect();
                bodies.push(LogBody::Message {
                    agent: AgentName::RealEstate,
                    intent: response.intent,
                    text: response.text,
                });
                let state = SupervisorState::answered(response.state);
                self.finish(bodies, state, out);
            }
        }
    }

    fn answer_generally(&mut self, out: &mut Vec<Output>) {
        let reply = general::reply(&self.turn.text, self.state.no_match);
        self.state.no_match = match reply.intent == Intent::NoMatch {
            true => self.state.no_match.saturating_add(1),
            false => 0,
        };
        self.say(reply.intent, reply.text, out);
    }

    /// Answers without the agent. Our own question is over by that; a turn that fails leaves it open.
    fn say(&mut self, intent: Intent, text: &str, out: &mut Vec<Output>) {
        let mut state = SupervisorState { clarifying: None, ..self.state.clone() };
        state.agent.pending = self.open_after(intent);
        state.hear(&self.turn.text);
        self.finish(vec![message(intent, text)], state, out);
    }

    /// What the user is asked after such a reply. Thanks are answered by "anything else?", unless something is open
    /// already; who reads the answer is the agent, so nobody is asked who is not given it.
    fn open_after(&self, intent: Intent) -> Option<Pending> {
        let open = self.state.agent.pending.clone();
        let open = open.filter(|open| *open != Pending::AnythingElse {});
        open.or((intent == Intent::Thanks && self.included).then_some(Pending::AnythingElse {}))
    }

    fn failed(&mut self, now: Duration, code: ErrorCode, out: &mut Vec<Output>) {
        if self.calls < self.config.agent_calls_max {
            self.phase = Phase::Waiting { until: now + self.config.agent_retry_pause };
            return;
        }
        self.give_up(code, out);
    }

    fn give_up(&mut self, code: ErrorCode, out: &mut Vec<Output>) {
        let message = match code {
            ErrorCode::AgentUnavailable => "The search is not available right now.",
            ErrorCode::AgentInvalid => "The search gave an answer I could not use.",
        };
        let message = format!("{message} Please send that again in a moment.");
        let body = LogBody::Error { code, message, retryable: true };
        let state = self.state.clone();
        self.finish(vec![body], state, out);
    }

    fn finish(&mut self, bodies: Vec<LogBody>, state: SupervisorState, out: &mut Vec<Output>) {
        self.phase = Phase::Finished;
        out.push(Output::Finish { bodies, state: Box::new(state) });
    }
}

fn message(intent: Intent, text: &str) -> LogBody {
    LogBody::Message { agent: AgentName::General, intent, text: text.to_owned() }
}

fn recommendations(action: Action) -> LogBody {
    match action {
        Action::ShowListings { listings, relaxation, total: _ } => LogBody::Recommendations {
            agent: AgentName::RealEstate,
            recommendations: listings,
            relaxation,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::agent::AgentState;

    const ZERO: Duration = Duration::ZERO;

    fn turn(text: &str) -> Turn {
        let open = OpenTurn {
            arrival: 1,
            thread_id: "t-1".parse().unwrap(),
            message_id: "m-1".parse().unwrap(),
            text: text.to_owned(),
        };
        let state = SupervisorState::default();
        let context = Context { state, today: "2026-03-01".to_owned(), included: true };
        Turn::new(SupervisorConfig::default(), open, context)
    }

    fn step(turn: &mut Turn, now: Duration, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        turn.step(now, input, &mut out);
        out
    }

    fn response(status: Status) -> Box<AgentResponse> {
        Box::new(AgentResponse {
            version: AGENT_CONTRACT,
            status,
            intent: Intent::PropertySearch,
            text: "I found nothing.".to_owned(),
            actions: vec![],
            refers_to: vec![],
            answers: vec![],
            state: AgentState::default(),
        })
    }

    fn finals(out: &[Output]) -> Vec<&LogBody> {
        out.iter()
            .flat_map(|output| match output {
                Output::Finish { bodies, .. } => bodies.as_slice(),
                Output::Call(_) => &[],
            })
            .filter(|body| body.is_final())
            .collect()
    }

    #[test]
    fn a_greeting_needs_no_agent() {
        let out = step(&mut turn("hello"), ZERO, Input::Start);
        assert_eq!(finals(&out).len(), 1);
    }

    #[test]
    fn a_silent_agent_is_asked_twice_and_then_the_turn_fails_retryably() {
        let mut turn = turn("2 bed homes in Salem");
        assert!(matches!(step(&mut turn, ZERO, Input::Start)[..], [Output::Call(_)]));
        assert!(step(&mut turn, ZERO, Input::Unreachable).is_empty());
        let again = turn.deadline().unwrap();
        assert!(step(&mut turn, again / 2, Input::Wake).is_empty(), "woke too early");
        assert!(matches!(step(&mut turn, again, Input::Wake)[..], [Output::Call(_)]));
        let out = step(&mut turn, again, Input::Unreachable);
        assert!(matches!(finals(&out)[..], [LogBody::Error { retryable: true, .. }]));
        assert_eq!(turn.deadline(), None);
        assert!(step(&mut turn, again, Input::Answered(response(Status::Done))).is_empty());
    }

    #[test]
    fn an_answer_ends_the_turn_and_a_declined_one_is_answered_generally() {
        for (status, agent) in
            [(Status::Done, AgentName::RealEstate), (Status::Decline, AgentName::General)]
        {
            let mut turn = turn("2 bed homes in Salem");
            step(&mut turn, ZERO, Input::Start);
            let out = step(&mut turn, ZERO, Input::Answered(response(status)));
            assert!(
                matches!(finals(&out)[..], [LogBody::Message { agent: by, .. }] if *by == agent)
            );
        }
    }

    #[test]
    fn another_version_of_the_contract_is_no_answer() {
        let mut turn = turn("2 bed homes in Salem");
        step(&mut turn, ZERO, Input::Start);
        let mut newer = response(Status::Done);
        newer.version += 1;
        assert!(step(&mut turn, ZERO, Input::Answered(newer)).is_empty());
        assert!(turn.deadline().is_some());
    }
    #[test]
    fn a_resting_agent_fails_the_turn_at_once_and_retryably() {
        let mut turn = turn("2 bed homes in Salem");
        step(&mut turn, ZERO, Input::Start);
        let out = step(&mut turn, ZERO, Input::Resting);
        assert!(matches!(finals(&out)[..], [LogBody::Error { retryable: true, .. }]));
    }

    #[test]
    fn who_is_not_included_is_told_so_and_nobody_is_called() {
        let mut turn = turn("2 bed homes in Salem");
        turn.included = false;
        let out = step(&mut turn, ZERO, Input::Start);
        assert!(
            matches!(finals(&out)[..], [LogBody::Message { text, .. }] if text == general::SWITCHED_OFF)
        );
    }

    /// Says `texts` one after the other; what the agent was asked last, and the intent of the last reply.
    fn talk(texts: &[&str]) -> (Option<String>, Option<Intent>) {
        let mut state = SupervisorState::default();
        let (mut asked, mut intent) = (None, None);
        for text in texts {
            let mut turn = turn(text);
            turn.state = state.clone();
            match step(&mut turn, ZERO, Input::Start).pop() {
                Some(Output::Finish { bodies, state: after }) => {
                    state = *after;
                    intent = bodies.into_iter().find_map(|body| match body {
                        LogBody::Message { intent, .. } => Some(intent),
                        LogBody::UserTurn { .. }
                        | LogBody::Recommendations { .. }
                        | LogBody::Error { .. } => None,
                    });
                }
                Some(Output::Call(request)) => asked = Some(request.text),
                None => panic!("nothing happened"),
            }
        }
        (asked, intent)
    }

    #[test]
    fn asks_about_what_could_be_a_search_and_remembers_it_for_one_turn() {
        assert_eq!(talk(&["I need a place"]), (None, Some(Intent::Clarify)));
        let asked = |texts: &[&str]| talk(texts).0;
        assert_eq!(asked(&["I need a place", "yes"]).as_deref(), Some("I need a place"));
        assert_eq!(
            asked(&["I need a place", "yes, in Salem"]).as_deref(),
            Some("I need a place. in Salem")
        );
        assert_eq!(asked(&["I need a place", "2 bed flats"]).as_deref(), Some("2 bed flats"));
        assert_eq!(talk(&["I need a place", "no"]), (None, Some(Intent::SmallTalk)));
        assert_eq!(talk(&["I need a place", "no", "yes"]), (None, Some(Intent::NoMatch)));
    }

    #[test]
    fn after_thanks_the_agent_reads_whether_there_is_anything_else() {
        let after = |texts: &[&str], included: bool| {
            let mut state = SupervisorState::default();
            for text in texts {
                let mut turn = turn(text);
                (turn.state, turn.included) = (state, included);
                match step(&mut turn, ZERO, Input::Start).pop() {
                    Some(Output::Finish { state: after, .. }) => state = *after,
                    Some(Output::Call(request)) => return (request.state.pending, true),
                    None => panic!("nothing happened"),
                }
            }
            (state.agent.pending, false)
        };
        let asked = Some(Pending::AnythingElse {});
        assert_eq!(after(&["thanks"], true), (asked.clone(), false));
        assert_eq!(after(&["thanks", "no"], true), (asked, true), "the agent reads it");
        // Who is not given the agent has nobody to answer to.
        assert_eq!(after(&["thanks", "no"], false), (None, false));
        assert_eq!(after(&["hello"], true), (None, false));
    }

    #[test]
    fn anything_else_is_asked_once_and_over_when_others_have_answered() {
        for (text, pending) in [("what is the weather like?", None), ("thank you", Some(()))] {
            let mut turn = turn(text);
            turn.state.agent.pending = Some(Pending::AnythingElse {});
            step(&mut turn, ZERO, Input::Start);
            let declined = Input::Answered(response(Status::Decline));
            let Some(Output::Finish { state, .. }) = step(&mut turn, ZERO, declined).pop() else {
                panic!("the turn goes on");
            };
            assert_eq!(state.agent.pending.map(drop), pending, "{text}");
        }
        let mut turn = turn("thanks");
        turn.state.agent.pending = Some(Pending::VisitDay {});
        step(&mut turn, ZERO, Input::Start);
        let out = step(&mut turn, ZERO, Input::Answered(response(Status::Decline)));
        let kept = |state: &SupervisorState| state.agent.pending == Some(Pending::VisitDay {});
        assert!(matches!(&out[..], [Output::Finish { state, .. }] if kept(state)));
    }

    #[test]
    fn the_agent_hears_what_was_said_to_others_since_its_last_answer() {
        let mut state = SupervisorState::default();
        for text in ["hello", "is it raining in Salem?"] {
            let mut turn = turn(text);
            turn.state = state;
            let Some(Output::Finish { state: after, .. }) =
                step(&mut turn, ZERO, Input::Start).pop()
            else {
                panic!("{text} went to the agent");
            };
            state = *after;
        }
        let mut turn = turn("a flat to rent there");
        turn.state = state;
        let out = step(&mut turn, ZERO, Input::Start);
        assert!(
            matches!(&out[..], [Output::Call(request)] if request.heard == ["hello", "is it raining in Salem?"])
        );
        let Some(Output::Finish { state, .. }) =
            step(&mut turn, ZERO, Input::Answered(response(Status::Done))).pop()
        else {
            panic!("the turn goes on");
        };
        assert!(state.heard.is_empty());
    }
}
