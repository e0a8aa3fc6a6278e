//! One turn: carries out the acts of the user on the state of the conversation and composes the reply.
//!
//! Knows the order in which acts count: first the answer to what the agent asked, then visits, then changes
//! to the search, then a decision, then questions about listings. What moves the search is in `look`, what it shows
//! in `find`, questions in `talk`, visits and decisions in `visit`; how things are found, relaxed or said is decided
//! elsewhere.

mod find;
mod look;
mod talk;
mod visit;

use super::catalog::{Catalog, Listing};
use super::speak;
use super::understand::{Act, Date, overhear, understand};
use super::wishes::{changed, differs};
use crate::contract::agent::{
    AGENT_CONTRACT, Action, AgentRequest, AgentResponse, AgentState, Answer, Intent, Pending,
    Slots, Status,
};
use crate::contract::id::ListingId;

/// The most listings shown in a turn; more of them are not read in a chat (research/reagent.md, R1).
pub const PAGE_LISTINGS_MAX: usize = 3;

/// Answers a turn. The same request and catalogue always give the same response.
#[must_use]
pub fn respond(catalog: &Catalog, request: &AgentRequest) -> AgentResponse {
    let today = Date::parse(&request.today);
    let mut before = request.state.clone();
    before.heard = overhear(&request.heard, catalog, &before, today);
    let acts = understand(&request.text, catalog, &before, today, !request.heard.is_empty());
    let mut turn = Turn {
        catalog,
        before: &before,
        state: before.clone(),
        intent: None,
        sentences: Vec::new(),
        actions: Vec::new(),
        refers_to: Vec::new(),
        answers: Vec::new(),
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
    answers: Vec<Answer>,
}

/// What a turn says in short.
#[derive(Debug, Clone, Copy)]
struct Said {
    yes: bool,
    no: bool,
}

impl Said {
    fn of(acts: &[Act]) -> Self {
        let said = |act: &Act| acts.contains(act);
        let no = said(&Act::Negate) || said(&Act::Dislike);
        Self { yes: (said(&Act::Affirm) || said(&Act::Like)) && !no, no }
    }
}

impl Turn<'_> {
    fn carry_out(&mut self, acts: &[Act]) {
        let slots = changed(&self.before.slots, acts, self.before.pending.as_ref());
        let wishes = acts.iter().any(|act| matches!(act, Act::Wish(_) | Act::Free(_)));
        let Said { yes, no } = Said::of(acts);
        // "A garage would be nice" and "the last one looks good" are no word on the offer.
        let pointed = acts.iter().any(|act| matches!(act, Act::Point(_)));
        let agreed = yes && (acts.contains(&Act::Affirm) || !wishes) && !pointed;
        match self.state.pending.clone() {
            Some(Pending::Relaxation { slots }) if agreed => self.accept(&slots, acts),
            Some(Pending::Relaxation { .. }) if no && !(wishes && differs(&slots, self.before)) => {
                self.refuse(slots);
            }
            Some(Pending::Slot { slot, .. }) if yes && is_flag(&slot) && !wishes => {
                let freed = changed(&slots, &[Act::Free(flag(&slot))], None);
                self.change(freed, &[acts, &[Act::Free(flag(&slot))]].concat());
            }
            Some(Pending::Slot { .. } | Pending::Relaxation { .. }) | None => {
                self.proceed(slots, acts);
            }
            Some(pending) => {
                if !self.answer_visit(&pending, acts) {
                    // Whatever else the user says is the answer: there was something else.
                    self.state.pending.take_if(|open| *open == Pending::AnythingElse {});
                    self.proceed(slots, acts);
                }
            }
        }
        self.talk(acts);
        self.remind();
    }

    /// What was asked is not answered: everything else a user may do.
    fn proceed(&mut self, slots: Slots, acts: &[Act]) {
        let asks = acts.iter().any(|act| matches!(act, Act::Ask { .. } | Act::Compare(_)));
        if acts.contains(&Act::CancelVisit) {
            self.cancel_visit();
        } else if acts.contains(&Act::Visit) || self.moves_visit(acts) {
            self.visit(acts);
        } else {
            self.change(slots, acts);
            if self.intent.is_none() && !asks {
                self.decide(acts);
            }
        }
    }

    /// The listings shown last, as far as they are still there.
    fn shown(&self) -> Vec<&Listing> {
        let ids = self.before.shown.iter();
        ids.filter_map(|id| self.catalog.get(id)).collect()
    }

    /// What a listing is called in this conversation: by its price too if another seen has its name, and
    /// by its size if another has both.
    fn called(&self, listing: &Listing) -> String {
        let name = speak::name(listing);
        let seen = self.before.seen.iter().chain(&self.before.shown);
        let others = seen.filter(|id| **id != listing.id).filter_map(|id| self.catalog.get(id));
        let others: Vec<_> = others.filter(|other| speak::name(other) == name).collect();
        match (listing.price, listing.sqft) {
            _ if others.is_empty() => name,
            (Some(price), _) if others.iter().all(|other| other.price != listing.price) => {
                format!("{name} at {}", speak::price(listing, price))
            }
            (_, Some(sqft)) if others.iter().all(|other| other.sqft != listing.sqft) => {
                format!("{name} with {} square feet", speak::grouped(sqft.into()))
            }
            _ => format!("{name} ({})", listing.id),
        }
    }

    fn did(&mut self, intent: Intent) {
        self.intent.get_or_insert(intent);
    }

    fn say(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    fn ask(&mut self, slot: &str, question: String) {
        self.say(question);
        self.state.pending = Some(Pending::Slot { slot: slot.to_owned(), also: Vec::new() });
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
                answers: Vec::new(),
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
            answers: self.answers,
            state: self.state,
        }
    }
}

/// Whether "yes" to "would you do without?" frees the slot.
fn is_flag(slot: &str) -> bool {
    !flag(slot).is_empty()
}

/// The name of a slot that is asked for with "would you do without?"; empty for others.
fn flag(slot: &str) -> &'static str {
    const FLAGS: [&str; 4] = ["furnished", "laundry", "parking", "pets"];
    FLAGS.into_iter().find(|flag| *flag == slot).unwrap_or_default()
}
