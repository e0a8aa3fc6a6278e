//! The agent's memory as if it had said what the other side said in the dialogue.

use super::dialogue::{Act, Turn};
use super::listings::Homes;
use assistant::contract::agent::{AgentState, Day, Pending, Visit};

/// What is on the table after a turn of the system: its offer, or a visit that it has arranged.
pub(super) fn offers(state: &mut AgentState, turn: &Turn, homes: &Homes) {
    if let Some(id) = homes.offered(turn) {
        state.shown = vec![id.clone()];
        state.seen.push(id);
        state.focus.clear();
    }
    if turn.does("NOTIFY_SUCCESS") {
        state.visits.extend(state.visit.take());
    }
}

/// What the turn of the system before a user's turn asked.
pub(super) fn pending(state: &mut AgentState, said: Option<&Turn>, homes: &Homes) {
    state.pending = None;
    let Some(turn) = said else {
        return;
    };
    if turn.does("CONFIRM") {
        state.pending = Some(confirmed(state, turn, homes));
    } else if turn.does("OFFER_INTENT") {
        state.pending = Some(Pending::VisitOffer {});
    } else if turn.value("REQUEST", "property_name").is_some() {
        state.pending = Some(Pending::VisitListing {});
    } else if let Some(day) = turn.value("REQUEST", "visit_date").and_then(day_of) {
        let visit = state.visit.get_or_insert_default();
        visit.listing = visit.listing.take().or_else(|| state.chosen.clone());
        state.pending = Some(Pending::VisitConfirm { proposed: Some(day) });
    } else if turn.value("REQUEST", "visit_date").is_some() {
        state.pending = Some(Pending::VisitDay {});
    } else if turn.does("REQUEST") {
        state.pending = asked(turn);
    } else if turn.does("REQ_MORE") {
        state.pending = Some(Pending::AnythingElse {});
    }
}

/// The question for slots of a search.
fn asked(turn: &Turn) -> Option<Pending> {
    const SLOTS: [(&str, &str); 8] = [
        ("area", "city"),
        ("number_of_beds", "beds_min"),
        ("number_of_baths", "baths_min"),
        ("intent", "listing_type"),
        ("furnished", "furnished"),
        ("pets_allowed", "pets"),
        ("has_garage", "parking"),
        ("in_unit_laundry", "laundry"),
    ];
    let asked = SLOTS.iter().filter(|(schema, _)| turn.value("REQUEST", schema).is_some());
    let mut asked = asked.map(|(_, slot)| (*slot).to_owned());
    let slot = asked.next()?;
    Some(Pending::Slot { slot, also: asked.collect() })
}

/// A visit as the system says it back. The agent's own words for the day stay if it is the same day.
fn confirmed(state: &mut AgentState, turn: &Turn, homes: &Homes) -> Pending {
    let name = turn.value("CONFIRM", "property_name").and_then(|act| act.canonical());
    let listing = name.and_then(|name| homes.named(name, &state.seen));
    let named = name.filter(|_| listing.is_none()).map(str::to_owned);
    let own = state.visit.take().and_then(|visit| visit.day);
    state.visit = Some(Visit { listing, named, day: own });
    Pending::VisitConfirm { proposed: turn.value("CONFIRM", "visit_date").and_then(day_of) }
}

/// A day as the system says it.
fn day_of(act: &Act) -> Option<Day> {
    Some(Day { date: act.canonical()?.to_owned(), said: act.said()?.to_lowercase() })
}
