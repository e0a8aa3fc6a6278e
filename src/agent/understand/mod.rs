//! From what a user wrote to what the user does: an utterance in, acts out, several a turn.
//!
//! It knows the cities of the catalogue and what the agent asked last, and nothing else: not what was
//! found, not what will be answered.

mod act;
mod number;
mod phrase;
mod question;
mod reference;
mod slot;
mod token;

pub(super) use act::Act;
pub(super) use question::Topic;
pub(super) use reference::Reference;
pub(super) use slot::{Strength, Value, Wish};

use super::catalog::Catalog;
use crate::contract::agent::{AgentState, Pending, Slots};

/// What an utterance is read against.
struct Context<'a> {
    catalog: &'a Catalog,
    /// The slot the agent asked for last.
    asked: Option<&'a str>,
    /// Whether something is being looked for already.
    searching: bool,
    /// Whether the utterance names homes.
    noun: bool,
    /// Whether there is a listing to speak of.
    shown: bool,
}

/// The acts of a turn in the order they were said; none if the turn is nothing of the agent's.
pub(super) fn understand(text: &str, catalog: &Catalog, state: &AgentState) -> Vec<Act> {
    let sentences = token::sentences(text);
    let noun = sentences.iter().any(act::names_homes);
    let context = Context {
        catalog,
        noun,
        asked: match &state.pending {
            Some(Pending::Slot { slot }) => Some(slot),
            Some(Pending::Relaxation { .. }) | None => None,
        },
        searching: state.slots != Slots::default()
            || state.pending.is_some()
            || !state.seen.is_empty(),
        shown: !state.seen.is_empty() || !state.shown.is_empty(),
    };
    if !noun && sentences.iter().any(act::is_foreign) {
        return Vec::new();
    }
    let mut acts: Vec<_> =
        sentences.iter().flat_map(|sentence| act::acts(sentence, &context)).collect();
    question::join(&mut acts);
    let ours = noun || context.searching || acts.iter().any(|act| act.stands_alone(&sentences));
    if ours { acts } else { Vec::new() }
}
