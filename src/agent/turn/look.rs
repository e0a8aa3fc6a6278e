//! What moves the search in a turn: new wishes, a refused relaxation, cheaper, bigger.

use super::super::understand::{Act, Value, Wish};
use super::super::wishes::{apply, intent_of_search, wants_city};
use super::super::{offer, speak};
use super::Turn;
use crate::contract::agent::{AgentState, Intent, Slots};

impl Turn<'_> {
    /// No to what was offered; a wish that was said again is meant.
    pub(super) fn refuse(&mut self, slots: Slots) {
        self.did(Intent::RefuseRelaxation);
        self.state.slots = slots;
        self.state.pending = None;
        self.say(offer::refused(&self.state.slots));
    }

    /// Everything that moves the search.
    pub(super) fn change(&mut self, slots: Slots, acts: &[Act]) {
        let said = |wanted: &Act| acts.contains(wanted);
        let elsewhere = acts
            .iter()
            .find_map(|act| if let Act::Elsewhere(city) = act { Some(city) } else { None });
        let wished = acts.iter().any(|act| matches!(act, Act::Wish(_) | Act::Free(_)));
        for act in acts {
            if let Act::NoSuchKind(kind) = act
                && (wished || said(&Act::Search))
            {
                self.say(speak::no_such_kind(kind));
            }
        }
        if let Some(city) = &slots.city
            && names_other_city(acts, city)
        {
            self.say(speak::one_city(city));
        }
        if said(&Act::Cheaper) {
            self.cheaper(slots);
        } else if said(&Act::Bigger) {
            self.bigger(slots);
        } else if let Some(city) = elsewhere {
            self.did(intent_of_search(self.before, acts));
            self.state.slots = Slots { city: None, ..slots };
            self.ask("city", speak::elsewhere(city, self.catalog));
        } else if said(&Act::More) && !wished && !said(&Act::Restart) {
            self.did(Intent::More);
            self.more();
        } else if wished || said(&Act::Search) || said(&Act::Restart) {
            self.did(intent_of_search(self.before, acts));
            if wants_city(&slots, acts, self.before) {
                self.begin(slots);
                self.ask("city", speak::ask_city(self.catalog));
            } else {
                self.look(slots);
            }
        }
    }

    /// A search from its start: what was decided and heard stays, what was shown does not count.
    pub(super) fn begin(&mut self, slots: Slots) {
        self.state = AgentState {
            slots,
            chosen: self.state.chosen.take(),
            visit: self.state.visit.take(),
            visits: std::mem::take(&mut self.state.visits),
            heard: std::mem::take(&mut self.state.heard),
            ..AgentState::default()
        };
    }

    /// Lower prices than those shown. Hard: dearer homes are no answer to "cheaper".
    fn cheaper(&mut self, mut slots: Slots) {
        self.did(Intent::Cheaper);
        let lowest = self.shown().iter().filter_map(|x| x.price).min();
        let Some(lowest) = lowest.and_then(|price| price.checked_sub(1)) else {
            self.state.slots = slots;
            return self.say(speak::NOT_STATED_PRICE.to_owned());
        };
        apply(&mut slots, &Wish::hard(Value::PriceMax(lowest)));
        self.look(slots);
    }

    /// More bedrooms than those shown.
    fn bigger(&mut self, mut slots: Slots) {
        self.did(Intent::Bigger);
        let most = self.shown().iter().filter_map(|x| x.beds).max();
        let Some(more) = most.and_then(|beds| beds.checked_add(1)) else {
            self.state.slots = slots;
            return self.say(speak::NOT_STATED_BEDS.to_owned());
        };
        apply(&mut slots, &Wish::hard(Value::Beds(more)));
        self.look(slots);
    }
}

/// Whether a turn wishes for other cities than the one that is looked in.
fn names_other_city(acts: &[Act], city: &str) -> bool {
    acts.iter().any(
        |act| matches!(act, Act::Wish(Wish { value: Value::City(other), .. }) if other != city),
    )
}
