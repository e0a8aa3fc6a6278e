//! One turn with the agent, without a network.

use assistant::agent::{Catalog, respond};
use assistant::contract::agent::{AGENT_CONTRACT, AgentRequest, AgentResponse, AgentState};
use assistant::contract::id::{MessageId, ThreadId};

/// What is said on a day, after what was said to others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) today: &'a str,
    pub(crate) heard: Vec<String>,
}

/// The agent's answer to a line in a conversation that stands at `state`.
pub(crate) fn say(catalog: &Catalog, line: Line<'_>, state: AgentState) -> AgentResponse {
    let request = AgentRequest {
        version: AGENT_CONTRACT,
        thread_id: ThreadId::new("evaluation").expect("a plain id"),
        message_id: MessageId::new("turn").expect("a plain id"),
        text: line.text.to_owned(),
        heard: line.heard,
        today: line.today.to_owned(),
        state,
    };
    respond(catalog, &request)
}
