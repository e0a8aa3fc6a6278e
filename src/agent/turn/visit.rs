//! Decisions and visits in a turn: which home, which day, and the user's word that it is right.
//!
//! ```text
//! decide ─▶ VisitOffer ─yes─▶ VisitListing ─home─▶ VisitDay ─day─▶ VisitConfirm ─yes─▶ noted
//!               └─no─▶ nothing      (what is known already is not asked)   └─other day─┘
//! ```
//!
//! A noted visit is a note in the state of the conversation. Nobody outside is told, and the reply says so.

use super::super::gazetteer::name_words;
use super::super::speak;
use super::super::understand::{Act, Date, Reference};
use super::super::visit as words;
use super::{Said, Turn};
use crate::contract::agent::{Day, Intent, Pending, Visit};
use crate::contract::id::ListingId;

impl Turn<'_> {
    /// The answer to a question about a visit, or to "anything else?"; false if it is none.
    pub(super) fn answer_visit(&mut self, pending: &Pending, acts: &[Act]) -> bool {
        let Said { yes, no } = Said::of(acts);
        let said = |act: &Act| acts.contains(act);
        let moves = acts.iter().any(|act| matches!(act, Act::Day(_) | Act::Visit));
        let searches = acts.iter().any(|act| {
            matches!(act, Act::Wish(_) | Act::Search | Act::More | Act::Cheaper | Act::Bigger)
        });
        let home = acts.iter().any(|act| matches!(act, Act::Point(_) | Act::Named(_)));
        let over = no || said(&Act::CancelVisit) || said(&Act::Done);
        match pending {
            Pending::VisitConfirm { proposed }
                if moves && !self.same_day(proposed.as_ref(), acts) =>
            {
                self.visit(acts);
            }
            Pending::VisitConfirm { .. } if no && !searches => self.other_day(acts),
            Pending::VisitConfirm { proposed } if yes || moves => self.note_visit(proposed.clone()),
            // "Not now, when am I free on the 13th?"
            Pending::VisitOffer {} if (no || said(&Act::Foreign) && !yes) && !said(&Act::Visit) => {
                self.refuse_visit(acts);
            }
            Pending::VisitOffer {} | Pending::VisitDay {} | Pending::VisitListing {}
                if moves && !said(&Act::CancelVisit) && (!no || self.day(acts)) =>
            {
                self.visit(acts);
            }
            Pending::VisitListing {} if home => self.visit(acts),
            Pending::AnythingElse {} if (over || said(&Act::Thanks)) && !searches && !moves => {
                self.nothing_else();
            }
            Pending::VisitOffer {} if said(&Act::Thanks) && !yes && !searches => {
                self.refuse_visit(acts);
            }
            Pending::VisitOffer {} | Pending::VisitDay {} | Pending::VisitListing {}
                if over && !searches =>
            {
                self.refuse_visit(acts);
            }
            Pending::VisitOffer {} if yes && !searches => self.visit(acts),
            Pending::VisitConfirm { .. } if said(&Act::CancelVisit) => self.refuse_visit(acts),
            Pending::Relaxation { .. } | Pending::Slot { .. } | Pending::VisitOffer {} => {
                return false;
            }
            Pending::VisitListing {} | Pending::VisitDay {} => return false,
            Pending::VisitConfirm { .. } | Pending::AnythingElse {} => return false,
        }
        true
    }

    fn day(&self, acts: &[Act]) -> bool {
        acts.iter().any(|act| matches!(act, Act::Day(_)))
    }

    /// Whether the day said, if any, is the one at hand.
    fn same_day(&self, proposed: Option<&Day>, acts: &[Act]) -> bool {
        let at_hand = self.state.visit.as_ref().and_then(|visit| visit.day.as_ref()).or(proposed);
        last_day(acts).is_none_or(|day| at_hand.is_some_and(|known| known.date == day.date))
    }

    /// Whether a day is said and a visit is there to be moved.
    pub(super) fn moves_visit(&self, acts: &[Act]) -> bool {
        let searches =
            acts.iter().any(|act| matches!(act, Act::Wish(_) | Act::Search | Act::Ask { .. }));
        let known = self.state.visit.is_some() || !self.state.visits.is_empty();
        self.day(acts) && known && !searches
    }

    /// Arranges a visit as far as the turn says; asks for what is missing.
    pub(super) fn visit(&mut self, acts: &[Act]) {
        self.did(Intent::ScheduleVisit);
        let mut visit = self.state.visit.take().unwrap_or_default();
        let named =
            acts.iter().find_map(|act| if let Act::Named(name) = act { Some(name) } else { None });
        if let Some(name) = named.filter(|name| self.title_with(name).is_none()) {
            visit = Visit { named: Some(name.clone()), listing: None, day: visit.day };
        } else if let Some(id) = self.home_of(acts, &visit) {
            let same = visit.listing.as_ref() == Some(&id);
            let named = name_said(acts).or(visit.named.filter(|_| same));
            visit = Visit { listing: Some(id.clone()), named, day: visit.day };
            self.state.chosen = Some(id.clone());
            self.speak_of(vec![id]);
        }
        visit.day = last_day(acts).cloned().or(visit.day);
        let noted = |known: &&Visit| {
            known.listing == visit.listing
                && (visit.listing.is_some() || known.named == visit.named)
        };
        if let Some(known) = self.state.visits.iter().find(noted).filter(|_| visit.day.is_none()) {
            let day = known.day.as_ref().map(spoken).unwrap_or_default();
            return self.say(words::noted_already(&self.destination(&visit), &day));
        }
        self.state.visit = Some(visit);
        self.ask_for_visit();
    }

    /// Asks for the first thing that the visit lacks.
    fn ask_for_visit(&mut self) {
        let Some(visit) = self.state.visit.clone() else {
            return;
        };
        let (pending, text) = match (&visit.listing, &visit.named, &visit.day) {
            (None, None, _) if self.before.shown.is_empty() => {
                (Pending::VisitListing {}, words::WHICH_HOME.to_owned())
            }
            (None, None, _) => (Pending::VisitListing {}, words::WHICH_OF_THEM.to_owned()),
            (_, _, day) => {
                let home = self.destination(&visit);
                // A day that others were told is as good a proposal as any.
                let proposed = self.state.heard.day.clone().filter(|_| day.is_none());
                match day.clone().or(proposed.clone()) {
                    None => (Pending::VisitDay {}, words::which_day(&home)),
                    Some(day) => {
                        (Pending::VisitConfirm { proposed }, words::confirm(&home, &spoken(&day)))
                    }
                }
            }
        };
        if visit.listing.is_none() && visit.named.is_some() {
            self.say(words::unknown_home(&self.destination(&visit)));
        }
        self.say(text);
        self.state.pending = Some(pending);
    }

    /// What the user is to go to, by its name.
    fn destination(&self, visit: &Visit) -> String {
        let listing = visit.listing.as_ref().and_then(|id| self.catalog.get(id));
        let name = listing.map(|listing| speak::inside(&self.called(listing)));
        name.or_else(|| visit.named.clone()).unwrap_or_else(|| "that home".to_owned())
    }

    /// The home that a visit is about.
    fn home_of(&self, acts: &[Act], visit: &Visit) -> Option<ListingId> {
        let called = acts
            .iter()
            .find_map(|act| if let Act::Named(name) = act { self.title_with(name) } else { None });
        if let Some(home) = called.or_else(|| self.pointed(acts)) {
            return Some(home);
        }
        if visit.named.is_some() && visit.listing.is_none() {
            return None;
        }
        let focus = &self.before.focus;
        let shown = &self.before.shown;
        let chosen = self.state.chosen.as_ref().or(visit.listing.as_ref());
        match (focus.as_slice(), shown.as_slice(), chosen) {
            (_, shown, Some(chosen)) if shown.contains(chosen) => Some(chosen.clone()),
            ([only], _, _) | ([], [only], _) => Some(only.clone()),
            (_, _, Some(chosen)) => Some(chosen.clone()),
            (_, _, None) => self
                .state
                .visits
                .last()
                .and_then(|visit| visit.listing.clone())
                .filter(|_| shown.is_empty()),
        }
    }

    /// The home seen in this search whose title holds all words of `name`.
    fn title_with(&self, name: &str) -> Option<ListingId> {
        let words = name_words(name);
        let holds = |id: &&ListingId| {
            let title = self.catalog.get(id).and_then(|home| home.title.as_deref());
            title.is_some_and(|title| {
                let title = name_words(title);
                words.iter().all(|word| title.contains(word))
            })
        };
        let pool = self.before.shown.iter().chain(self.before.seen.iter().rev());
        pool.into_iter().find(holds).cloned()
    }

    /// The one home pointed at.
    fn pointed(&self, acts: &[Act]) -> Option<ListingId> {
        let of =
            acts.iter().find_map(|act| if let Act::Point(of) = act { Some(of) } else { None })?;
        let homes: Vec<_> = self.resolve(of)?;
        match homes.as_slice() {
            [only] => Some(only.clone()),
            [..] => None,
        }
    }

    /// No to the day, and no other said.
    fn other_day(&mut self, acts: &[Act]) {
        if acts.contains(&Act::CancelVisit) || acts.contains(&Act::Done) {
            return self.refuse_visit(acts);
        }
        self.did(Intent::ScheduleVisit);
        if let Some(visit) = &mut self.state.visit {
            visit.day = None;
        }
        self.say(words::WHICH_OTHER_DAY.to_owned());
        self.state.pending = Some(Pending::VisitDay {});
    }

    /// Yes to a visit as it was said back.
    fn note_visit(&mut self, proposed: Option<Day>) {
        self.did(Intent::ConfirmVisit);
        self.state.pending = None;
        let Some(mut visit) = self.state.visit.take() else {
            return;
        };
        visit.day = visit.day.or(proposed);
        self.state.chosen = visit.listing.clone().or(self.state.chosen.take());
        let day = visit.day.as_ref().map(spoken).unwrap_or_default();
        let listing = visit.listing.as_ref().and_then(|id| self.catalog.get(id));
        let phone = listing.and_then(|listing| listing.phone.clone());
        self.say(words::noted(&self.destination(&visit), &day, phone.as_deref()));
        self.state.visits.push(visit);
    }

    /// No to a visit.
    fn refuse_visit(&mut self, acts: &[Act]) {
        self.did(Intent::RefuseVisit);
        self.state.pending = None;
        self.state.visit = None;
        let over = acts.contains(&Act::Done);
        self.say(if over { words::REFUSED_AND_OVER } else { words::REFUSED }.to_owned());
    }

    /// "Cancel the visit": the one being arranged, else the last one noted.
    pub(super) fn cancel_visit(&mut self) {
        self.did(Intent::RefuseVisit);
        self.state.pending = None;
        let visit = self.state.visit.take().or_else(|| self.state.visits.pop());
        let text = match visit {
            Some(visit) => words::cancelled(&self.destination(&visit)),
            None => words::NOTHING_TO_CANCEL.to_owned(),
        };
        self.say(text);
    }

    /// No to "anything else?".
    fn nothing_else(&mut self) {
        self.did(Intent::NothingElse);
        self.state.pending = None;
        self.say(words::FAREWELL.to_owned());
    }

    /// One of the homes is the one, or none of them pleases.
    pub(super) fn decide(&mut self, acts: &[Act]) {
        let Said { yes, no } = Said::of(acts);
        let said = |act: &Act| acts.contains(act);
        if no {
            // "That won't work" wants to see others.
            if said(&Act::Dislike) && !self.before.shown.is_empty() {
                self.did(Intent::More);
                self.more();
            }
            return;
        }
        let over = said(&Act::Done);
        // Of several homes, "that's all" chooses none.
        if !(yes || over && self.before.shown.len() == 1) {
            return;
        }
        let pointed = self.pointed(acts);
        let candidate = pointed.or_else(|| {
            match (self.before.focus.as_slice(), self.before.shown.as_slice()) {
                ([only], _) | ([], [only]) => Some(only.clone()),
                ([..], _) => None,
            }
        });
        let Some(id) = candidate else {
            if said(&Act::Like)
                && !said(&Act::Thanks)
                && !said(&Act::Foreign)
                && self.before.shown.len() > 1
            {
                self.did(Intent::SelectListing);
                self.say(words::WHICH_PLEASES.to_owned());
            }
            return;
        };
        let known = self.state.chosen.as_ref() == Some(&id)
            || self.state.visits.iter().any(|visit| visit.listing.as_ref() == Some(&id));
        if !known {
            self.choose(id, over);
        }
    }

    fn choose(&mut self, id: ListingId, over: bool) {
        self.did(Intent::SelectListing);
        self.state.visit = None;
        self.state.chosen = Some(id.clone());
        let name = self.catalog.get(&id).map(|home| self.called(home)).unwrap_or_default();
        self.speak_of(vec![id]);
        let name = speak::inside(&name);
        if over {
            return self.say(words::kept(&name));
        }
        self.say(words::chosen(&name));
        self.state.pending = Some(Pending::VisitOffer {});
    }

    /// A question was answered while a visit waits for a yes: asks again.
    pub(super) fn remind(&mut self) {
        let waiting = matches!(self.state.pending, Some(Pending::VisitConfirm { .. }));
        if !waiting || self.intent != Some(Intent::ListingQuestion) {
            return;
        }
        let Some(visit) = self.state.visit.clone() else {
            return;
        };
        if let Some(day) = &visit.day {
            self.say(words::confirm(&self.destination(&visit), &spoken(day)));
        }
    }
}

/// The words by which a home of the catalogue is pointed at.
fn name_said(acts: &[Act]) -> Option<String> {
    let of = acts.iter().find_map(|act| if let Act::Point(of) = act { Some(of) } else { None })?;
    let name = of.iter().find_map(|one| match one {
        Reference::Named(_, said) if !said.is_empty() => Some(said),
        Reference::Named(..) | Reference::It | Reference::All | Reference::Nth(_) => None,
        Reference::Last | Reference::Cheapest | Reference::Dearest | Reference::Largest => None,
        Reference::Smallest | Reference::Newest => None,
    });
    name.cloned()
}

/// The day said last.
fn last_day(acts: &[Act]) -> Option<&Day> {
    acts.iter().rev().find_map(|act| if let Act::Day(day) = act { Some(day) } else { None })
}

/// "Friday, March 8th".
fn spoken(day: &Day) -> String {
    Date::parse(&day.date).map_or_else(|| day.said.clone(), Date::spoken)
}
