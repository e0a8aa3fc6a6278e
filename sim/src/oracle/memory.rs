//! A conversation is remembered: the agent is told what it answered last, and what was said to others since.
//!
//! An agent keeps nothing, so what the supervisor tells it is all it knows. Turns of a thread are answered in the
//! order of its log. An answer that was thrown away, by a crash for instance, leaves no trace in the log and none
//! in the memory; one that was asked for twice is the same twice. After thanks the supervisor leaves one thing open
//! in it: whether there is anything else.

use super::{Oracle, Violation, logs, user_turn};
use crate::scenario::Scenario;
use crate::trace::{Event, Trace, What};
use assistant::contract::agent::{
    AGENT_CONTRACT, AgentRequest, AgentResponse, AgentState, Intent, Pending, Status,
};
use assistant::contract::frame::{AgentName, LogBody, LogFrame};
use assistant::contract::id::MessageId;
use std::collections::BTreeMap;

const NAME: &str = "memory";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is the agent told where the conversation stands, whatever happened since?",
    judge,
};

/// Of what was said to others, so much is remembered at least.
const HEARD_MIN: usize = 8;

/// The states that the agent has answered each turn with.
type Answers<'t> = BTreeMap<&'t MessageId, Vec<&'t AgentState>>;

/// What the agent must be told before a turn.
#[derive(Clone, Default)]
struct Memory<'t> {
    /// The last turn that it answered; none at the start.
    last: Option<&'t MessageId>,
    /// What was said to others since; unknown after a question of the supervisor's own.
    heard: Option<Vec<&'t str>>,
    /// Whether the last word was the answer to thanks: the user was asked whether there is anything else.
    is_thanked: bool,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let answers = answers(trace);
    let mut memories = BTreeMap::new();
    for (_, _, frames) in logs(trace) {
        remember(frames, &mut memories);
    }
    let asked = trace.events.iter().filter_map(asked);
    let wrong = asked.filter_map(|(event, _, request)| {
        let memory = memories.get(&request.message_id)?;
        let what = other_state(request, memory, &answers).or_else(|| unheard(request, memory))?;
        Some(Violation::at(NAME, event, what))
    });
    wrong.collect()
}

fn asked(event: &Event) -> Option<(&Event, u64, &AgentRequest)> {
    if let What::Asked { conn, request } = &event.what {
        return Some((event, *conn, request));
    }
    None
}

fn answers(trace: &Trace) -> Answers<'_> {
    let mut turns: BTreeMap<u64, &MessageId> = BTreeMap::new();
    let mut answers = Answers::new();
    for event in &trace.events {
        if let Some((_, conn, request)) = asked(event) {
            turns.insert(conn, &request.message_id);
        } else if let What::Answered { conn, response: Some(response), .. } = &event.what
            && let Some(turn) = turns.get(conn)
            && is_taken(response)
        {
            answers.entry(turn).or_default().push(&response.state);
        }
    }
    answers
}

/// Whether an answer ends a turn.
fn is_taken(response: &AgentResponse) -> bool {
    response.version == AGENT_CONTRACT && response.status != Status::Decline
}

/// What there is to know before each turn of a log.
fn remember<'t>(frames: &'t [LogFrame], memories: &mut BTreeMap<&'t MessageId, Memory<'t>>) {
    let ends: BTreeMap<&MessageId, &LogBody> = frames
        .iter()
        .filter(|frame| frame.body.is_final())
        .map(|frame| (&frame.in_reply_to, &frame.body))
        .collect();
    let mut memory = Memory { heard: Some(Vec::new()), ..Memory::default() };
    for frame in frames {
        let Some(turn) = user_turn(frame) else { continue };
        memories.insert(turn, memory.clone());
        let Some(LogBody::Message { agent, intent, .. }) = ends.get(turn) else { continue };
        memory.is_thanked = *agent == AgentName::General && *intent == Intent::Thanks;
        match (agent, intent) {
            (AgentName::RealEstate, _) => {
                memory.last = Some(turn);
                memory.heard = Some(Vec::new());
            }
            (AgentName::General, Intent::Clarify) => memory.heard = None,
            (AgentName::General, _) => {
                if let (Some(heard), LogBody::UserTurn { text, .. }) =
                    (&mut memory.heard, &frame.body)
                {
                    heard.push(text);
                }
            }
        }
    }
}

/// The agent is told another state than it answered last.
fn other_state(
    request: &AgentRequest,
    memory: &Memory<'_>,
    answers: &Answers<'_>,
) -> Option<String> {
    let (turn, thread) = (&request.message_id, &request.thread_id);
    let open = |state: &AgentState| {
        let thanked = memory.is_thanked.then_some(Pending::AnythingElse {});
        AgentState { pending: state.pending.clone().or(thanked), ..state.clone() }
    };
    let Some(last) = memory.last else {
        return (request.state != open(&AgentState::default())).then(|| {
            format!("the agent was asked about {turn} with a state though {thread} had none")
        });
    };
    let known = answers.get(last)?;
    (!known.iter().any(|state| open(state) == request.state)).then(|| {
        format!(
            "the agent was asked about {turn} of {thread} with another state than it had answered {last} with"
        )
    })
}

/// The agent is not told what was said to others, or something else.
fn unheard(request: &AgentRequest, memory: &Memory<'_>) -> Option<String> {
    let (turn, said) = (&request.message_id, memory.heard.as_ref()?);
    let (told, all) = (request.heard.len(), said.len());
    let end = all.checked_sub(told).and_then(|before| said.get(before..));
    let is_end = end.is_some_and(|end| end.iter().eq(request.heard.iter()));
    let is_told = is_end && told >= all.min(HEARD_MIN);
    (!is_told).then(|| {
        format!("the agent was asked about {turn} and told {told} other turns, not the {all} since its last")
    })
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, healthy, request};
    use super::*;

    fn state(city: &str) -> AgentState {
        let mut state = AgentState::default();
        state.slots.city = Some(city.to_owned());
        state
    }

    /// The agent is asked about a turn, told a state and what it has not heard, and answers with a state.
    fn asks(
        run: &mut Bench,
        conn: u64,
        turn: &str,
        (told, heard): (AgentState, &[&str]),
        then: &str,
    ) {
        let heard = heard.iter().map(|text| (*text).to_owned()).collect();
        run.asks(conn, AgentRequest { heard, state: told, ..request(turn) });
        run.answers(conn, state(then));
    }

    /// The first turn is answered twice, the first time in vain, and then the second.
    fn talk(told: AgentState, heard: &[&str]) -> Bench {
        let mut run = healthy();
        asks(&mut run, 8, "m-1", (AgentState::default(), &[]), "Portland");
        asks(&mut run, 9, "m-1", (AgentState::default(), &[]), "Portland");
        asks(&mut run, 10, "m-2", (told, heard), "Salem");
        run
    }

    /// The second turn was answered by somebody else.
    fn generally(mut run: Bench, intent: Intent) -> Bench {
        let text = "I see.".to_owned();
        run.log()[4].body = LogBody::Message { agent: AgentName::General, intent, text };
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_one_in_which_the_agent_is_told_everything() {
        healthy().accepted_by(&ORACLE);
        talk(state("Portland"), &[]).accepted_by(&ORACLE);
        let mut run = generally(talk(state("Portland"), &[]), Intent::SmallTalk);
        asks(&mut run, 11, "m-3", (state("Portland"), &["Does the first have parking?"]), "Bend");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_state_that_is_lost_or_stale() {
        let words = "asked about m-2 of t-1 with another state than it had answered m-1 with";
        talk(AgentState::default(), &[]).refused_by(&ORACLE, words);
        talk(state("Eugene"), &[]).refused_by(&ORACLE, words);
        let mut run = talk(state("Portland"), &[]);
        asks(&mut run, 11, "m-3", (state("Portland"), &[]), "Bend");
        run.refused_by(
            &ORACLE,
            "asked about m-3 of t-1 with another state than it had answered m-2",
        );
    }

    #[test]
    fn refuses_a_state_out_of_nowhere() {
        let mut run = healthy();
        asks(&mut run, 8, "m-1", (state("Portland"), &[]), "Portland");
        run.refused_by(&ORACLE, "asked about m-1 with a state though t-1 had none");
    }

    #[test]
    fn refuses_an_agent_that_does_not_hear_what_was_said_to_others() {
        let words = "asked about m-3 and told 0 other turns, not the 1 since its last";
        let mut run = generally(talk(state("Portland"), &[]), Intent::SmallTalk);
        asks(&mut run, 11, "m-3", (state("Portland"), &[]), "Bend");
        run.refused_by(&ORACLE, words);
        talk(state("Portland"), &["what nobody said"]).refused_by(&ORACLE, "told 1 other turns");
        let mut run = generally(talk(state("Portland"), &[]), Intent::Clarify);
        asks(&mut run, 11, "m-3", (state("Portland"), &[]), "Bend");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn after_thanks_the_user_was_asked_whether_there_is_anything_else() {
        let asked = AgentState { pending: Some(Pending::AnythingElse {}), ..state("Portland") };
        let after = |intent, told| {
            let mut run = generally(talk(state("Portland"), &[]), intent);
            asks(&mut run, 11, "m-3", (told, &["Does the first have parking?"]), "Bend");
            run
        };
        after(Intent::Thanks, asked.clone()).accepted_by(&ORACLE);
        after(Intent::Thanks, state("Portland")).refused_by(&ORACLE, "another state");
        after(Intent::SmallTalk, asked).refused_by(&ORACLE, "another state");
    }
}
