//! One turn from its route to its final frame. Pure: the shell makes the calls and keeps the clock.
//!
//! ```text
//!            route = general
//! Start ────────────────────────────────▶ Finish
//!   │ route = real estate                   ▲
//!   ▼            answer                     │
//! Calling ──────────────────────────────────┤
//!   │ ▲          calls used up: error frame │
//!   ▼ │ pause ──────────────────────────────┘
//! Waiting
//! ```

use super::general;
use super::router::route;
use super::store::OpenTurn;
use crate::config::SupervisorConfig;
use crate::contract::agent::{
    AGENT_CONTRACT, Action, AgentRequest, AgentResponse, AgentState, Intent, Status,
};
use crate::contract::frame::{AgentName, ErrorCode, LogBody};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the supervisor remembers of a conversation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct SupervisorState {
    /// What the real-estate agent returned last.
    #[serde(default)]
    pub(super) agent: AgentState,
    /// How many turns in a row nobody understood.
    #[serde(default)]
    pub(super) no_match: u32,
}

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
    phase: Phase,
    calls: u32,
}

impl Turn {
    /// A turn in a conversation that stands at `state`; `today` is the day it is answered on.
    pub(super) fn new(
        config: SupervisorConfig,
        turn: OpenTurn,
        state: SupervisorState,
        today: String,
    ) -> Self {
        Self { config, turn, today, state, phase: Phase::Fresh, calls: 0 }
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
            (Phase::Fresh, Input::Start) => match route(&self.turn.text, &self.state) {
                AgentName::RealEstate => self.call(out),
                AgentName::General => self.answer_generally(out),
            },
            (Phase::Calling, Input::Answered(response)) => self.answered(now, *response, out),
            (Phase::Calling, Input::Garbled) => self.failed(now, ErrorCode::AgentInvalid, out),
            (Phase::Calling, Input::Unreachable) => {
                self.failed(now, ErrorCode::AgentUnavailable, out);
            }
            (Phase::Waiting { until }, Input::Wake) if now >= until => self.call(out),
            // An early wake, or an input of a call that is over.
            (Phase::Fresh | Phase::Calling | Phase::Waiting { .. } | Phase::Finished, _) => {}
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
                let state = SupervisorState { agent: response.state, no_match: 0 };
                self.finish(bodies, state, out);
            }
        }
    }

    fn answer_generally(&mut self, out: &mut Vec<Output>) {
        let reply = general::reply(&self.turn.text, self.state.no_match);
        let mut state = self.state.clone();
        state.no_match = match reply.intent == Intent::NoMatch {
            true => state.no_match.saturating_add(1),
            false => 0,
        };
        let text = reply.text.to_owned();
        let body = LogBody::Message { agent: AgentName::General, intent: reply.intent, text };
        self.finish(vec![body], state, out);
    }

    fn failed(&mut self, now: Duration, code: ErrorCode, out: &mut Vec<Output>) {
        if self.calls < self.config.agent_calls_max {
            self.phase = Phase::Waiting { until: now + self.config.agent_retry_pause };
            return;
        }
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

    const ZERO: Duration = Duration::ZERO;

    fn turn(text: &str) -> Turn {
        let open = OpenTurn {
            arrival: 1,
            thread_id: "t-1".parse().unwrap(),
            message_id: "m-1".parse().unwrap(),
            text: text.to_owned(),
        };
        let state = SupervisorState::default();
        Turn::new(SupervisorConfig::default(), open, state, "2026-03-01".to_owned())
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
}
