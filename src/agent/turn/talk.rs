//! Questions in a turn: what they are about, the answers, and homes side by side.

use super::super::catalog::Listing;
use super::super::understand::{Act, Reference, is_mentioned};
use super::super::{answer, speak};
use super::Turn;
use crate::contract::agent::{Answer, Intent, Topic};
use crate::contract::id::ListingId;

impl Turn<'_> {
    /// Answers everything that was asked.
    pub(super) fn talk(&mut self, acts: &[Act]) {
        let mut pointed = None;
        for act in acts {
            if let Act::Ask { topics, of } = act {
                self.answer(topics, of);
            } else if let Act::Beyond { what, of } = act {
                self.beyond(what, of.as_deref());
            } else if let Act::Compare(of) = act {
                self.compare(of);
            } else if let Act::Point(of) = act {
                pointed = Some(of);
            }
        }
        // "show me the second one"
        if let Some(of) = pointed.filter(|_| self.intent.is_none()) {
            self.answer(&[Topic::Overview], of);
        }
        if acts.contains(&Act::Wait) && self.intent.is_none() {
            self.did(Intent::SmallTalk);
            self.say(speak::NO_HURRY.to_owned());
        }
    }

    /// What listings have no field for: said of the homes asked about, or of all as far as a search goes.
    fn beyond(&mut self, what: &str, of: Option<&[Reference]>) {
        let Some(of) = of else {
            self.did(Intent::Refine);
            return self.say(speak::not_searchable(what));
        };
        self.did(Intent::ListingQuestion);
        let Some(ids) = self.resolve(of) else {
            return self.say(speak::never_shown(self.before.shown.len(), self.before.seen.len()));
        };
        for listing in ids.iter().filter_map(|id| self.catalog.get(id)) {
            let title = listing.title.as_ref().filter(|title| is_mentioned(what, title));
            self.say(match title {
                Some(title) => speak::mentions(what, title),
                None => speak::says_nothing(what, &self.called(listing)),
            });
        }
        self.speak_of(ids);
    }

    /// Answers from the fields of the listings spoken of.
    fn answer(&mut self, topics: &[Topic], of: &[Reference]) {
        self.did(Intent::ListingQuestion);
        let Some(ids) = self.resolve(of) else {
            return self.say(speak::never_shown(self.before.shown.len(), self.before.seen.len()));
        };
        for id in &ids {
            let Some(listing) = self.catalog.get(id) else {
                self.say(speak::GONE.to_owned());
                continue;
            };
            let name = self.called(listing);
            for topic in topics {
                let value = answer::fact(*topic, listing);
                self.answers.push(Answer { listing: id.clone(), topic: *topic, value });
                self.say(answer::answer(*topic, listing, &name));
            }
        }
        self.speak_of(ids);
    }

    /// Sets homes side by side; two of those shown last unless said otherwise.
    fn compare(&mut self, of: &[Reference]) {
        self.did(Intent::Compare);
        let pointed = of.iter().any(|one| !matches!(one, Reference::It | Reference::All));
        let ids = if pointed { self.resolve(of) } else { self.resolve(&[Reference::All]) };
        let ids = match ids {
            Some(ids) if ids.len() == 1 => self.beside(ids),
            other => other.unwrap_or_default(),
        };
        let listings: Vec<_> = ids.iter().filter_map(|id| self.catalog.get(id)).collect();
        if listings.len() < 2 {
            return self.say(speak::nothing_to_compare(self.before.shown.len()));
        }
        let named: Vec<_> =
            listings.iter().map(|listing| (self.called(listing), *listing)).collect();
        self.say(answer::comparison(&named));
        self.speak_of(ids);
    }

    /// One home and the one last spoken of, if that is another.
    fn beside(&self, ids: Vec<ListingId>) -> Vec<ListingId> {
        let other = self.before.focus.iter().find(|id| !ids.contains(id)).cloned();
        let other = other.or_else(|| match self.before.shown.as_slice() {
            [a, b] => [a, b].into_iter().find(|id| !ids.contains(id)).cloned(),
            [..] => None,
        });
        other.into_iter().chain(ids).collect()
    }

    /// "It" means these from now on.
    pub(super) fn speak_of(&mut self, ids: Vec<ListingId>) {
        for id in &ids {
            if !self.refers_to.contains(id) {
                self.refers_to.push(id.clone());
            }
        }
        self.state.focus = ids;
    }

    /// The listings spoken of, in the order shown; nothing if one of them was not shown.
    pub(super) fn resolve(&self, of: &[Reference]) -> Option<Vec<ListingId>> {
        let shown = &self.before.shown;
        let spoken_of = match self.refers_to.as_slice() {
            [] => &self.before.focus,
            _ => &self.state.focus,
        };
        let near = |id: &&ListingId| shown.contains(id) || self.state.chosen.as_ref() == Some(id);
        let focus: Vec<_> = spoken_of.iter().filter(near).cloned().collect();
        let mut ids: Vec<ListingId> = Vec::new();
        for reference in if of.is_empty() { &[Reference::It] } else { of } {
            let found = match reference {
                Reference::It if !focus.is_empty() => focus.clone(),
                Reference::All if focus.len() > 1 => focus.clone(),
                Reference::It if shown.is_empty() => self.state.chosen.iter().cloned().collect(),
                Reference::It | Reference::All => shown.clone(),
                Reference::Nth(nth) => vec![shown.get(nth.checked_sub(1)?)?.clone()],
                Reference::Last => vec![shown.last()?.clone()],
                Reference::Named(ids, _) => vec![self.nearest(ids)?],
                Reference::Cheapest | Reference::Dearest | Reference::Largest => {
                    vec![self.extreme(reference)?]
                }
                Reference::Smallest | Reference::Newest => vec![self.extreme(reference)?],
            };
            ids.extend(found.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
        }
        (!ids.is_empty()).then_some(ids)
    }

    /// Of homes with one name: one shown last, else one seen, else the first of the catalogue.
    fn nearest(&self, ids: &[ListingId]) -> Option<ListingId> {
        let among = |pool: &[ListingId]| ids.iter().find(|id| pool.contains(id)).cloned();
        among(&self.before.shown)
            .or_else(|| among(&self.before.seen))
            .or_else(|| ids.first().cloned())
    }

    /// Of the homes spoken of, or else shown: the cheapest, the largest and so on. Equals are in order.
    fn extreme(&self, reference: &Reference) -> Option<ListingId> {
        let focus = &self.before.focus;
        let pool = if focus.len() > 1 { focus } else { &self.before.shown };
        let listings = || pool.iter().filter_map(|id| self.catalog.get(id));
        let room = |x: &&Listing| x.sqft.map(u64::from).or(x.beds.map(u64::from));
        let found = match reference {
            Reference::Cheapest => listings().filter(|x| x.price.is_some()).min_by_key(|x| x.price),
            Reference::Dearest => listings().rev().max_by_key(|x| x.price),
            Reference::Largest => listings().rev().max_by_key(room),
            Reference::Smallest => listings().filter(|x| room(x).is_some()).min_by_key(room),
            Reference::Newest => listings().rev().max_by_key(|x| x.year_built),
            Reference::It | Reference::All | Reference::Nth(_) | Reference::Last => None,
            Reference::Named(..) => None,
        };
        found.map(|listing| listing.id.clone())
    }
}
