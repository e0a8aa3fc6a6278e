//! One turn: carries out the acts of the user on the state of the conversation and composes the reply.
//!
//! Knows the order in which acts count: first the answer to what the agent asked, then changes to the
//! search, then questions about listings. How things are found, relaxed or said is decided elsewhere.

use super::catalog::{Catalog, Listing};
use super::search::{self, Constraint};
use super::understand::{Act, Reference, Topic, Value, Wish, understand};
use super::wishes::{apply, changed, differs, intent_of_search, wants_city};
use super::{answer, relax, speak};
use crate::contract::agent::{
    AGENT_CONTRACT, Action, AgentRequest, AgentResponse, AgentState, Intent, Pending,
    RelaxationNote, Slots, Status,
};
use crate::contract::id::ListingId;

/// The most listings shown in a turn; more of them are not read in a chat (research/reagent.md, R1).
pub const PAGE_LISTINGS_MAX: usize = 3;
/// The most other ways out that are mentioned beside the one offered (research/reagent.md, R4).
const OTHER_WAYS_MAX: usize = 2;

/// Answers a turn. The same request and catalogue always give the same response.
#[must_use]
pub fn respond(catalog: &Catalog, request: &AgentRequest) -> AgentResponse {
    let acts = understand(&request.text, catalog, &request.state);
    let mut turn = Turn {
        catalog,
        before: &request.state,
        state: request.state.clone(),
        intent: None,
        sentences: Vec::new(),
        actions: Vec::new(),
        refers_to: Vec::new(),
    };
    turn.carry_out(&acts);
    turn.response()
}

/// A turn in the making.
struct Turn<'a> {
    catalog: &'a Catalog,
    /// The conversation before the turn; references point into it.
    before: &'a AgentState,
    state: AgentState,
    /// The first thing done; nothing if the turn is not the agent's.
    intent: Option<Intent>,
    sentences: Vec<String>,
    actions: Vec<Action>,
    refers_to: Vec<ListingId>,
}

impl Turn<'_> {
    fn carry_out(&mut self, acts: &[Act]) {
        let slots = changed(&self.before.slots, acts, self.before.pending.as_ref());
        let wishes = acts.iter().any(|act| matches!(act, Act::Wish(_) | Act::Free(_)));
        let yes = acts.contains(&Act::Affirm);
        let no = acts.contains(&Act::Negate);
        match self.state.pending.clone() {
            Some(Pending::Relaxation { slots }) if yes && !no => self.accept(&slots, acts),
            Some(Pending::Relaxation { .. }) if no && !(wishes && differs(&slots, self.before)) => {
                self.refuse(slots);
            }
            Some(Pending::Slot { slot }) if slot == "parking" && yes => {
                self.change(Slots { parking: None, ..slots }, acts);
            }
            _ => self.change(slots, acts),
        }
        for act in acts {
            if let Act::Ask { topics, of } = act {
                self.answer(topics, of);
            }
        }
    }

    /// Yes to what was offered; further wishes come on top.
    fn accept(&mut self, offered: &Slots, acts: &[Act]) {
        self.did(Intent::AcceptRelaxation);
        let slots = changed(offered, acts, None);
        self.state.pending = None;
        if slots != *offered {
            return self.look(slots);
        }
        self.state.slots = slots;
        let demands = search::constraints(&self.state.slots);
        let matching = search::exact(self.catalog, &demands);
        let unseen = self.unseen(&matching);
        let page = page(&unseen);
        let (shown, left) = (number(page.len()), number(unseen.len() - page.len()));
        self.say(speak::accepted(&self.state.slots, shown, left));
        self.show(page, number(matching.len()), None);
    }

    /// No to what was offered; a wish that was said again is meant.
    fn refuse(&mut self, slots: Slots) {
        self.did(Intent::RefuseRelaxation);
        self.state.slots = slots;
        self.state.pending = None;
        self.say(speak::refused(&self.state.slots));
    }

    /// Everything that moves the search.
    fn change(&mut self, slots: Slots, acts: &[Act]) {
        let said = |wanted: &Act| acts.contains(wanted);
        let elsewhere = acts
            .iter()
            .find_map(|act| if let Act::Elsewhere(city) = act { Some(city) } else { None });
        let wished = acts.iter().any(|act| matches!(act, Act::Wish(_) | Act::Free(_)));
        if said(&Act::Cheaper) {
            self.cheaper(slots);
        } else if said(&Act::Bigger) {
            self.bigger(slots);
        } else if let Some(city) = elsewhere {
            self.did(intent_of_search(self.before, acts));
            self.state.slots = Slots { city: None, ..slots };
            self.ask("city", speak::elsewhere(city, self.catalog));
        } else if wished || said(&Act::Search) || said(&Act::Restart) {
            self.did(intent_of_search(self.before, acts));
            if wants_city(&slots, acts, self.before) {
                self.state = AgentState { slots, ..AgentState::default() };
                self.ask("city", speak::ask_city(self.catalog));
            } else {
                self.look(slots);
            }
        } else if said(&Act::More) {
            self.did(Intent::More);
            self.more();
        }
    }

    /// Lower prices than those shown. Hard: dearer homes are no answer to "cheaper".
    fn cheaper(&mut self, mut slots: Slots) {
        self.did(Intent::Cheaper);
        let lowest = self.shown().iter().filter_map(|x| x.price).min();
        let Some(lowest) = lowest.and_then(|price| price.checked_sub(1)) else {
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
            return self.say(speak::NOT_STATED_BEDS.to_owned());
        };
        apply(&mut slots, &Wish::hard(Value::Beds(more)));
        self.look(slots);
    }

    /// Searches anew and shows the first page: of the exact matches, or of the nearest if there are none.
    fn look(&mut self, slots: Slots) {
        self.state = AgentState { slots, ..AgentState::default() };
        let demands = search::constraints(&self.state.slots);
        let matching = search::exact(self.catalog, &demands);
        if matching.is_empty() {
            return self.relax(&demands);
        }
        let (page, total) = (page(&matching), number(matching.len()));
        self.say(speak::found(&self.state.slots, total, number(page.len())));
        self.show(page, total, None);
    }

    /// Offers the cheapest way out, or says what stands in the way. The slots stay as they are.
    fn relax(&mut self, demands: &[Constraint]) {
        let ways = relax::ways(self.catalog, demands);
        let Some((way, others)) = ways.split_first() else {
            return self.give_up(demands);
        };
        let unseen = self.unseen(&way.listings);
        if unseen.is_empty() {
            return self.say(speak::no_more_near(&self.state.slots));
        }
        let page = page(&unseen);
        let changes = relax::changes(&way.missed, page);
        let total = number(way.listings.len());
        let slots = &self.state.slots;
        let relaxed = relax::relaxed(slots, &way.missed, &changes);
        let mut text = speak::relaxation(slots, &changes, number(page.len()), total);
        let others: Vec<_> = others
            .iter()
            .take(OTHER_WAYS_MAX)
            .map(|way| (number(way.listings.len()), relax::changes(&way.missed, &way.listings)))
            .filter(|(_, changes)| !changes.is_empty())
            .collect();
        if !others.is_empty() {
            text = format!("{text} {}", speak::otherwise(&others, slots));
        }
        self.say(text);
        let note = RelaxationNote { changes, count: total };
        self.show(page, total, Some(note));
        self.state.pending = Some(Pending::Relaxation { slots: relaxed });
    }

    /// Nothing is near: says why and asks for one thing, price first, and what is soft before what is not.
    fn give_up(&mut self, demands: &[Constraint]) {
        const ORDER: [&str; 6] =
            ["price_max", "price_min", "beds_min", "baths_min", "parking", "city"];
        let cause = relax::cause(self.catalog, demands);
        let rank = |name: &str| ORDER.iter().position(|asked| *asked == name);
        let asked = cause
            .iter()
            .filter_map(|demand| rank(demand.name).map(|rank| (demand.hard, rank, *demand)))
            .min_by_key(|(hard, rank, _)| (*hard, *rank));
        let text = speak::impossible(&self.state.slots, &cause);
        match asked {
            Some((_, _, demand)) => {
                self.ask(demand.name, format!("{text} {}", speak::give_way(demand)));
            }
            None => self.say(text),
        }
    }

    /// The next page: of the exact matches, then of those that leave something unstated; while a
    /// relaxation is on offer, of that.
    fn more(&mut self) {
        if self.state.slots == Slots::default() && self.state.seen.is_empty() {
            return self.ask("city", speak::ask_city(self.catalog));
        }
        let demands = search::constraints(&self.state.slots);
        let matching = search::exact(self.catalog, &demands);
        if matching.is_empty() {
            return self.relax(&demands);
        }
        let unseen = self.unseen(&matching);
        if !unseen.is_empty() {
            let page = page(&unseen);
            let left = unseen.len() - page.len();
            self.say(speak::further(number(page.len()), number(left)));
            return self.show(page, number(matching.len()), None);
        }
        let unstated = search::unstated(self.catalog, &demands);
        let unseen = self.unseen(&unstated);
        if unseen.is_empty() {
            return self.say(speak::no_more(&self.state.slots));
        }
        let page = page(&unseen);
        self.say(speak::unstated(number(page.len())));
        self.show(page, number(unstated.len()), None);
    }

    /// Answers from the fields of the listings spoken of.
    fn answer(&mut self, topics: &[Topic], of: &[Reference]) {
        self.did(Intent::ListingQuestion);
        let Some(ids) = self.resolve(of) else {
            return self.say(speak::never_shown(self.before.shown.len(), self.before.seen.len()));
        };
        for id in &ids {
            match self.catalog.get(id) {
                None => self.say(speak::GONE.to_owned()),
                Some(listing) => {
                    let name = speak::name(listing);
                    for topic in topics {
                        self.say(answer::answer(*topic, listing, &name));
                    }
                }
            }
        }
        for id in &ids {
            if !self.refers_to.contains(id) {
                self.refers_to.push(id.clone());
            }
        }
        self.state.focus = ids;
    }

    /// The listings spoken of, in the order shown; nothing if one of them was not shown.
    fn resolve(&self, of: &[Reference]) -> Option<Vec<ListingId>> {
        let shown = &self.before.shown;
        let spoken_of = match self.refers_to.as_slice() {
            [] => &self.before.focus,
            _ => &self.state.focus,
        };
        let focus: Vec<_> = spoken_of.iter().filter(|id| shown.contains(id)).cloned().collect();
        let listings = self.shown();
        let id = |listing: Option<&&Listing>| listing.map(|listing| listing.id.clone());
        let mut ids = Vec::new();
        for reference in if of.is_empty() { &[Reference::It] } else { of } {
            match reference {
                Reference::It if !focus.is_empty() => ids.extend(focus.iter().cloned()),
                Reference::All if focus.len() > 1 => ids.extend(focus.iter().cloned()),
                Reference::It | Reference::All => ids.extend(shown.iter().cloned()),
                Reference::Nth(nth) => ids.push(shown.get(nth.checked_sub(1)?)?.clone()),
                Reference::Last => ids.push(shown.last()?.clone()),
                Reference::Cheapest => {
                    ids.push(id(listings
                        .iter()
                        .filter(|x| x.price.is_some())
                        .min_by_key(|x| x.price))?);
                }
                Reference::Dearest => ids.push(id(listings.iter().max_by_key(|x| x.price))?),
                Reference::Largest => ids.push(id(listings.iter().max_by_key(|x| x.sqft))?),
            }
        }
        (!ids.is_empty()).then_some(ids)
    }

    /// The listings shown last, as far as they are still there.
    fn shown(&self) -> Vec<&Listing> {
        let ids = self.before.shown.iter();
        ids.filter_map(|id| self.catalog.get(id)).collect()
    }

    /// Those of `listings` that the user has not seen in this search.
    fn unseen<'c>(&self, listings: &[&'c Listing]) -> Vec<&'c Listing> {
        let unseen = |listing: &&&Listing| !self.state.seen.contains(&listing.id);
        listings.iter().filter(unseen).copied().collect()
    }

    fn did(&mut self, intent: Intent) {
        self.intent.get_or_insert(intent);
    }

    fn say(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    fn ask(&mut self, slot: &str, question: String) {
        self.say(question);
        self.state.pending = Some(Pending::Slot { slot: slot.to_owned() });
    }

    /// Shows a page, unless it is empty.
    fn show(&mut self, page: &[&Listing], total: u64, relaxation: Option<RelaxationNote>) {
        if page.is_empty() {
            return;
        }
        let demands = search::constraints(&self.state.slots);
        self.state.shown = page.iter().map(|listing| listing.id.clone()).collect();
        self.state.seen.extend(self.state.shown.iter().cloned());
        self.state.focus.clear();
        self.actions.push(Action::ShowListings {
            listings: page.iter().map(|listing| speak::card(listing, &demands)).collect(),
            total,
            relaxation,
        });
    }

    fn response(self) -> AgentResponse {
        let Some(intent) = self.intent else {
            return AgentResponse {
                version: AGENT_CONTRACT,
                status: Status::Decline,
                intent: Intent::NoMatch,
                text: String::new(),
                actions: Vec::new(),
                refers_to: Vec::new(),
                state: self.before.clone(),
            };
        };
        let open = self.state.pending.is_some();
        AgentResponse {
            version: AGENT_CONTRACT,
            status: if open { Status::Need } else { Status::Done },
            intent,
            text: self.sentences.join(" "),
            actions: self.actions,
            refers_to: self.refers_to,
            state: self.state,
        }
    }
}

/// The first page of `listings`.
fn page<'s, 'c>(listings: &'s [&'c Listing]) -> &'s [&'c Listing] {
    listings.get(..PAGE_LISTINGS_MAX).unwrap_or(listings)
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
