//! Who answers a turn: an open question first, then the words of the turn. Pure.
//!
//! Each word is evidence for the property family; listings on the screen lower what is needed. During a
//! search, what nobody recognises goes to the agent too: it knows its cities, and may decline. Everything
//! else is general conversation.

use super::general;
use super::graph::SupervisorState;
use crate::contract::agent::Intent;
use crate::contract::frame::AgentName;

/// Evidence that is enough without context.
const ENOUGH: u32 = 2;

/// Words of property search: alone they are enough.
const STRONG: &[&str] = &[
    "apartment",
    "apartments",
    "bath",
    "bathroom",
    "bathrooms",
    "baths",
    "bd",
    "bed",
    "bedroom",
    "bedrooms",
    "beds",
    "condo",
    "condos",
    "flat",
    "flats",
    "home",
    "homes",
    "house",
    "houses",
    "housing",
    "listing",
    "listings",
    "property",
    "properties",
    "rent",
    "rental",
    "rentals",
    "studio",
    "townhouse",
];

/// Words that point to a search or to something shown, but also stand in other talk.
const WEAK: &[&str] = &[
    "address",
    "another",
    "available",
    "bigger",
    "budget",
    "buy",
    "cheaper",
    "compare",
    "cost",
    "deposit",
    "dollars",
    "else",
    "first",
    "furnished",
    "garage",
    "larger",
    "last",
    "laundry",
    "lease",
    "less",
    "looking",
    "max",
    "maximum",
    "more",
    "move",
    "one",
    "ones",
    "parking",
    "pets",
    "price",
    "purchase",
    "second",
    "show",
    "size",
    "smaller",
    "sqft",
    "third",
    "under",
    "year",
];

/// Chooses who answers `text`.
pub(super) fn route(text: &str, state: &SupervisorState) -> AgentName {
    if state.agent.pending.is_some() {
        return AgentName::RealEstate;
    }
    let searching = !state.agent.shown.is_empty();
    let enough = if searching { 1 } else { ENOUGH };
    let unknown = || general::reply(text, 0).intent == Intent::NoMatch;
    match evidence(text) >= enough || (searching && unknown()) {
        true => AgentName::RealEstate,
        false => AgentName::General,
    }
}

/// How much a text speaks of property search.
fn evidence(text: &str) -> u32 {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '$').filter(|w| !w.is_empty());
    words
        .map(|word| {
            if STRONG.contains(&word) {
                ENOUGH
            } else {
                u32::from(WEAK.contains(&word) || is_amount(word))
            }
        })
        .sum()
}

/// Whether a word is a sum of money, such as `$400` or `400k`.
fn is_amount(word: &str) -> bool {
    let digits = word.trim_start_matches('$').trim_end_matches(['k', 'm']);
    let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    number && (digits.len() < word.len() || digits.len() >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::agent::Pending;

    #[test]
    fn routes_by_question_then_words_then_context() {
        let fresh = SupervisorState::default();
        let mut shown = SupervisorState::default();
        shown.agent.shown = vec!["L-0001".parse().unwrap()];
        let mut asked = SupervisorState::default();
        asked.agent.pending = Some(Pending::Slot { slot: "city".to_owned() });
        for (text, state, expected) in [
            ("hello there", &fresh, AgentName::General),
            ("2 bed flats in Portland under 400k", &fresh, AgentName::RealEstate),
            ("I need a place to rent", &fresh, AgentName::RealEstate),
            ("what is the weather like?", &fresh, AgentName::General),
            ("does the second one have parking?", &shown, AgentName::RealEstate),
            ("thanks, that was great", &shown, AgentName::General),
            ("Portland", &fresh, AgentName::General),
            ("ok what about Salem then", &shown, AgentName::RealEstate),
            ("Portland", &asked, AgentName::RealEstate),
            ("", &fresh, AgentName::General),
        ] {
            assert_eq!(route(text, state), expected, "{text}");
        }
    }
}
