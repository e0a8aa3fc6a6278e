//! Who answers a turn: an open question first, then what the words of the turn are evidence for. Pure.
//!
//! Listings on the screen lower what is needed. During a search, what nobody recognises goes to the agent too: it
//! knows its cities, and may decline. A text that could be a search but is not clearly one is asked about.

use super::evidence::{ENOUGH, evidence};
use super::general;
use super::state::SupervisorState;
use crate::contract::agent::Intent;
use crate::contract::frame::AgentName;

/// Evidence that is worth a question.
const WORTH_ASKING: i32 = 2;

/// What becomes of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// This agent answers, unless it declines.
    To(AgentName),
    /// The user is asked whether this is about homes.
    Clarify,
}

/// Chooses what becomes of `text`.
pub(super) fn route(text: &str, state: &SupervisorState) -> Route {
    if state.agent.pending.is_some() {
        return Route::To(AgentName::RealEstate);
    }
    let searching = !state.agent.shown.is_empty();
    let small_talk = general::recognises(text);
    let greeted = small_talk == Some(Intent::Greeting);
    let small_talk = small_talk.is_some();
    let evidence = evidence(text);
    let enough = if searching { 1 } else { ENOUGH };
    if evidence >= enough || (searching && !small_talk) {
        Route::To(AgentName::RealEstate)
    } else if evidence >= WORTH_ASKING && (!small_talk || greeted) {
        Route::Clarify
    } else {
        Route::To(AgentName::General)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::agent::Pending;

    #[test]
    fn routes_by_question_then_words_then_context() {
        let (agent, general) = (Route::To(AgentName::RealEstate), Route::To(AgentName::General));
        let fresh = SupervisorState::default();
        let mut shown = SupervisorState::default();
        shown.agent.shown = vec!["L-0001".parse().unwrap()];
        let mut asked = SupervisorState::default();
        asked.agent.pending = Some(Pending::Slot { slot: "city".to_owned(), also: vec![] });
        for (text, state, expected) in [
            ("hello there", &fresh, general),
            ("hello, I need an apartment", &fresh, agent),
            ("2 bed flats in Portland under 400k", &fresh, agent),
            ("I need a place to rent", &fresh, agent),
            ("I need a place", &fresh, Route::Clarify),
            ("hi, we are moving to Salem", &fresh, Route::Clarify),
            ("thanks, I want it for rent", &fresh, general),
            ("what is the weather like?", &fresh, general),
            ("does the second one have parking?", &shown, agent),
            ("thanks, that was great", &shown, general),
            ("Portland", &fresh, general),
            ("ok what about Salem then", &shown, agent),
            ("Portland", &asked, agent),
            ("hello there", &asked, agent),
            ("", &fresh, general),
        ] {
            assert_eq!(route(text, state), expected, "{text}");
        }
    }
}
