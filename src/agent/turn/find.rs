//! What a search shows in a turn: exact matches, or the nearest stretch, or what stands in the way.

use super::super::offer::{self, Step};
use super::super::relax::{self, Way};
use super::super::search::Search;
use super::super::speak;
use super::super::understand::Act;
use super::super::wishes::changed;
use super::{PAGE_LISTINGS_MAX, Turn};
use crate::contract::agent::{Action, Card, Intent, Pending, RelaxationNote, Slots};
use roaring::RoaringBitmap;

/// The most other ways out that are mentioned beside the one offered (research/reagent.md, R4).
const OTHER_WAYS_MAX: usize = 2;

impl Turn<'_> {
    /// Yes to what was offered; further wishes come on top.
    pub(super) fn accept(&mut self, offered: &Slots, acts: &[Act]) {
        self.did(Intent::AcceptRelaxation);
        let slots = changed(offered, acts, None);
        self.state.pending = None;
        if slots != *offered {
            return self.look(slots);
        }
        self.state.slots = slots;
        let search = Search::new(self.catalog, &self.state.slots);
        let unseen = &search.exact - self.seen();
        let page = page(&unseen);
        let further = match number(page.len()) {
            0 => "You have seen all of them.".to_owned(),
            shown => speak::further(shown, unseen.len() - shown),
        };
        self.say(offer::accepted(&self.state.slots, &further));
        self.show(&search, &page, search.exact.len(), None);
    }

    /// Searches anew and shows the first page: of the exact matches, or of the nearest if there are none.
    pub(super) fn look(&mut self, slots: Slots) {
        self.begin(slots);
        if self.asks_for_the_state() {
            return;
        }
        let search = Search::new(self.catalog, &self.state.slots);
        if search.exact.is_empty() {
            return self.relax(&search);
        }
        let (page, total) = (page(&search.exact), search.exact.len());
        self.say(speak::found(&self.state.slots, total, number(page.len())));
        self.show(&search, &page, total, None);
    }

    /// Cities of one name are not mixed unless the user was asked and did not mind.
    fn asks_for_the_state(&mut self) -> bool {
        let Some(city) = self.state.slots.city.clone().filter(|_| self.state.slots.state.is_none())
        else {
            return false;
        };
        let states = self.catalog.states_of(&city);
        if states.len() < 2 {
            return false;
        }
        let asked =
            matches!(&self.before.pending, Some(Pending::Slot { slot, .. }) if slot == "state");
        if asked || self.before.slots.city.as_ref() == Some(&city) {
            self.say(speak::several_states(&city, &states));
            return false;
        }
        self.ask("state", speak::ask_state(&city, &states));
        true
    }

    /// Offers the cheapest way out of which something is still unseen, or says what stands in the way. The
    /// slots stay as they are.
    fn relax(&mut self, search: &Search<'_>) {
        let ways = relax::ways(search);
        if ways.is_empty() {
            return self.give_up(search);
        }
        let seen = self.seen();
        let mut fresh = ways.iter().filter(|way| !way.rows.is_subset(&seen));
        let Some(way) = fresh.next() else {
            return self.say(offer::no_more_near(&self.state.slots));
        };
        let page = way.nearest(PAGE_LISTINGS_MAX, &seen);
        let rows: RoaringBitmap = page.iter().copied().collect();
        let total = way.rows.len();
        let slots = &self.state.slots;
        let mut text = offer::offer(slots, &steps(search, way, &rows), number(page.len()), total);
        let others = fresh.take(OTHER_WAYS_MAX);
        let others: Vec<_> =
            others.map(|way| (way.rows.len(), steps(search, way, &way.rows))).collect();
        if !others.is_empty() {
            text = format!("{text} {}", offer::otherwise(&others, slots));
        }
        let relaxed = way.relaxed(slots, &rows);
        self.say(text);
        let note = RelaxationNote { changes: way.changes(&rows), count: total };
        self.show(search, &page, total, Some(note));
        self.state.pending = Some(Pending::Relaxation { slots: relaxed });
    }

    /// Nothing is near: says why and asks for one thing, price first, and what is soft before what is not.
    fn give_up(&mut self, search: &Search<'_>) {
        const ORDER: [&str; 14] = [
            "price_max",
            "price_min",
            "sqft_min",
            "baths_min",
            "parking",
            "laundry",
            "furnished",
            "beds_min",
            "beds_exact",
            "city",
            "pets",
            "state",
            "property_type",
            "listing_type",
        ];
        let cause = relax::cause(search);
        let rank = |name: &str| ORDER.iter().position(|asked| *asked == name);
        let asked = cause.iter().min_by_key(|demand| (demand.hard, rank(demand.name)));
        let text = offer::impossible(&self.state.slots, &cause);
        match asked {
            Some(demand) => {
                self.ask(demand.name, format!("{text} {}", offer::give_way(demand)));
            }
            None => self.say(text),
        }
    }

    /// The next page: of the exact matches, then of those that leave something unstated; while a
    /// relaxation is on offer, of that.
    pub(super) fn more(&mut self) {
        if self.state.slots == Slots::default() && self.state.seen.is_empty() {
            return self.ask("city", speak::ask_city(self.catalog));
        }
        let search = Search::new(self.catalog, &self.state.slots);
        if search.exact.is_empty() {
            return self.relax(&search);
        }
        let seen = self.seen();
        let unseen = &search.exact - &seen;
        if !unseen.is_empty() {
            let page = page(&unseen);
            let shown = number(page.len());
            self.say(speak::further(shown, unseen.len() - shown));
            return self.show(&search, &page, search.exact.len(), None);
        }
        let unstated = search.unstated();
        let page = page(&(&unstated - seen));
        if page.is_empty() {
            return self.say(speak::no_more(&self.state.slots));
        }
        self.say(speak::unstated(number(page.len())));
        self.show(&search, &page, unstated.len(), None);
    }

    /// What the user has seen in this search.
    fn seen(&self) -> RoaringBitmap {
        self.state.seen.iter().filter_map(|id| self.catalog.row(id)).collect()
    }

    /// Shows a page, unless it is empty.
    fn show(
        &mut self,
        search: &Search<'_>,
        page: &[u32],
        total: u64,
        relaxation: Option<RelaxationNote>,
    ) {
        if page.is_empty() {
            return;
        }
        let listings: Vec<Card> = page.iter().filter_map(|row| card(search, *row)).collect();
        self.state.shown = listings.iter().map(|card| card.id.clone()).collect();
        self.state.seen.extend(self.state.shown.iter().cloned());
        self.state.focus.clear();
        self.actions.push(Action::ShowListings { listings, total, relaxation });
    }
}

fn card(search: &Search<'_>, row: u32) -> Option<Card> {
    let open: Vec<_> = search.open(row).map(offer::subject).collect();
    Some(speak::card(search.catalog.at(row)?, &open))
}

/// What each missed demand would have to become for `rows`.
fn steps<'s>(search: &Search<'_>, way: &Way<'s>, rows: &RoaringBitmap) -> Vec<Step<'s>> {
    let index = search.index();
    let step = |demand: &&'s _| Step {
        demand,
        change: index.change(&demand.test, rows),
        open: rows.is_subset(&index.unstated(&demand.test)),
    };
    way.missed.iter().map(step).collect()
}

/// The first page of `rows`.
fn page(rows: &RoaringBitmap) -> Vec<u32> {
    rows.iter().take(PAGE_LISTINGS_MAX).collect()
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
