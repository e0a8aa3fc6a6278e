//! From what a user wrote to what the user does: an utterance in, acts out, several a turn.
//!
//! It knows the names in the catalogue, what was shown and what the agent asked last, and nothing else: not
//! what will be found or answered.

mod act;
mod beyond;
mod day;
mod feature;
mod foreign;
mod number;
mod phrase;
mod place;
mod price;
mod question;
mod reference;
mod slot;
mod stance;
mod state;
mod token;
mod visit;

#[cfg(test)]
mod tests;

pub(super) use act::Act;
pub(super) use beyond::is_mentioned;
pub(super) use day::Date;
pub(super) use reference::Reference;
pub(super) use slot::{Strength, Value, Wish};

use super::catalog::Catalog;
use crate::contract::agent::{AgentState, Heard, Pending, Slots};

/// What an utterance is read against.
struct Context<'a> {
    catalog: &'a Catalog,
    state: &'a AgentState,
    today: Option<Date>,
    /// Whether the utterance names homes.
    noun: bool,
    /// Whether others were spoken with right before this turn.
    back: bool,
}

impl Context<'_> {
    /// Whether something is being looked for already.
    fn searching(&self) -> bool {
        let state = self.state;
        state.slots != Slots::default() || state.pending.is_some() || !state.seen.is_empty()
    }

    /// Whether there is a listing to speak of.
    fn shown(&self) -> bool {
        !self.state.seen.is_empty() || !self.state.shown.is_empty()
    }

    /// Whether the agent asked for this slot last.
    fn asks(&self, name: &str) -> bool {
        match &self.state.pending {
            Some(Pending::Slot { slot, also }) => {
                slot == name || also.iter().any(|other| other == name)
            }
            Some(
                Pending::Relaxation { .. } | Pending::VisitOffer {} | Pending::VisitListing {},
            )
            | Some(
                Pending::VisitDay {} | Pending::VisitConfirm { .. } | Pending::AnythingElse {},
            )
            | None => false,
        }
    }
}

/// The acts of a turn in the order they were said; none if the turn is nothing of the agent's.
pub(super) fn understand(
    text: &str,
    catalog: &Catalog,
    state: &AgentState,
    today: Option<Date>,
    back: bool,
) -> Vec<Act> {
    let sentences = token::sentences(text);
    let noun = sentences.iter().any(foreign::names_homes);
    let context = Context { catalog, state, today, noun, back };
    let mut acts: Vec<_> =
        sentences.iter().flat_map(|sentence| act::acts(sentence, &context)).collect();
    question::join(&mut acts);
    act::settle(&mut acts);
    acts.extend(place::went_on(&acts, &context));
    let foreign = acts.contains(&Act::Foreign) && !context.searching() && !noun;
    let ours = noun || context.searching() || acts.iter().any(|act| act.stands_alone(&sentences));
    if ours && !foreign { acts } else { Vec::new() }
}

/// What talk with others named, on top of what was named before.
pub(super) fn overhear(
    texts: &[String],
    catalog: &Catalog,
    state: &AgentState,
    today: Option<Date>,
) -> Heard {
    let mut heard = state.heard.clone();
    let context = Context { catalog, state, today, noun: true, back: false };
    for sentence in texts.iter().flat_map(|text| token::sentences(text)) {
        if let Some(city) = place::mentioned(&sentence, &context) {
            heard.city = Some(city);
        }
        let days = today.map(|today| day::days(&sentence, today)).unwrap_or_default();
        // "Anything else today?" names no day.
        if let Some(day) = days.into_iter().rfind(|day| day.said != "today") {
            heard.day = Some(day);
        }
    }
    heard
}
