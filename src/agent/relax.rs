//! The smallest stretches of a search that find something when nothing meets it exactly.
//!
//! Every listing has a *mask*: the set of demands it misses. A [`Way`] is an inclusion-minimal mask whose
//! listings miss no hard demand and none by more than its cap. Knows no conversation: whether a way is
//! offered, and what the user says to it, is decided elsewhere.
//!
//! # Design
//! One pass over the listings gives all masks, so all ways come at once and are exactly the minimal ones;
//! dropping demands one by one and searching again would cost a search a try and miss pairs. Semantics,
//! weights and caps: research/reagent.md section 6.

use super::catalog::{Catalog, Listing};
use super::search::{Constraint, Test, Verdict};
use crate::contract::agent::{Change, Slots};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A set of demands, a bit for each in their order.
type Mask = u16;

/// A way out: demands to stretch and what is found then.
#[derive(Debug, Clone)]
pub(super) struct Way<'c, 'q> {
    /// The demands to stretch, by name.
    pub(super) missed: Vec<&'q Constraint>,
    /// What is found, nearest first, then by price and id; never empty.
    pub(super) listings: Vec<&'c Listing>,
    /// The cost of the nearest.
    pub(super) cost: f64,
}

/// All minimal ways within the caps, cheapest first. Empty if something meets every demand.
pub(super) fn ways<'c, 'q>(catalog: &'c Catalog, demands: &'q [Constraint]) -> Vec<Way<'c, 'q>> {
    let mut pools: BTreeMap<Mask, Vec<(f64, &'c Listing)>> = BTreeMap::new();
    for listing in catalog.listings() {
        if let Some((mask, cost)) = near(listing, demands) {
            pools.entry(mask).or_default().push((cost, listing));
        }
    }
    if pools.contains_key(&0) {
        return Vec::new();
    }
    let masks: Vec<_> = pools.keys().copied().collect();
    let minimal = |mask: Mask| !masks.iter().any(|other| *other != mask && other & mask == *other);
    pools.retain(|mask, _| minimal(*mask));
    let mut ways: Vec<_> = pools.into_iter().map(|(mask, pool)| way(mask, pool, demands)).collect();
    ways.sort_by(compare);
    ways
}

/// What `listing` misses and at what cost; nothing if it misses a hard demand or one beyond its cap.
fn near(listing: &Listing, demands: &[Constraint]) -> Option<(Mask, f64)> {
    /// Forgives the rounding of a quotient, as in the reference.
    const EPSILON: f64 = 1e-12;
    let (mut mask, mut cost) = (0, 0.0);
    for (bit, demand) in demands.iter().enumerate() {
        let distance = match demand.verdict(listing) {
            Verdict::Met => continue,
            Verdict::Missed(distance) | Verdict::Unstated(distance) => distance,
        };
        if demand.hard || distance > demand.cap() + EPSILON {
            return None;
        }
        mask |= 1 << bit;
        cost += demand.weight() * distance;
    }
    // Nine digits: two costs that differ only by rounding are equal.
    Some((mask, (cost * 1e9).round() / 1e9))
}

fn way<'c, 'q>(
    mask: Mask,
    mut pool: Vec<(f64, &'c Listing)>,
    demands: &'q [Constraint],
) -> Way<'c, 'q> {
    // Stable: equal costs stay in the order of the catalogue.
    pool.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    Way {
        missed: members(mask, demands),
        cost: pool.first().map_or(0.0, |(cost, _)| *cost),
        listings: pool.into_iter().map(|(_, listing)| listing).collect(),
    }
}

fn members(mask: Mask, demands: &[Constraint]) -> Vec<&Constraint> {
    let chosen = demands.iter().enumerate();
    chosen.filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, demand)| demand).collect()
}

/// Cheaper first, then fewer demands, then by their names.
fn compare(a: &Way<'_, '_>, b: &Way<'_, '_>) -> Ordering {
    let names = |way: &Way<'_, '_>| way.missed.iter().map(|c| c.name).collect::<Vec<_>>();
    a.cost
        .total_cmp(&b.cost)
        .then_with(|| a.missed.len().cmp(&b.missed.len()))
        .then_with(|| names(a).cmp(&names(b)))
}

impl Constraint {
    /// The cost of one unit of distance.
    fn weight(&self) -> f64 {
        match self.test {
            Test::BathsMin(_) => 1.2,
            Test::BedsMin(_) => 2.5,
            Test::City(_) => 2.0,
            Test::Parking | Test::PriceMax(_) | Test::PriceMin(_) => 1.0,
            // Hard by nature: no cost buys it.
            Test::Type(_) => f64::INFINITY,
        }
    }

    /// The longest distance that may be offered.
    fn cap(&self) -> f64 {
        match self.test {
            Test::BathsMin(_) | Test::BedsMin(_) => 1.0,
            Test::PriceMax(_) | Test::PriceMin(_) if self.firm => 0.10,
            Test::PriceMax(_) | Test::PriceMin(_) => 0.25,
            Test::City(_) | Test::Parking | Test::Type(_) => f64::INFINITY,
        }
    }
}

/// What must change for `shown` to be found: each bound is the loosest that a shown listing attains.
/// A demand that all of them leave unstated has no bound and no change.
pub(super) fn changes(missed: &[&Constraint], shown: &[&Listing]) -> Vec<Change> {
    let prices = || shown.iter().filter_map(|x| x.price);
    let change = |demand: &&Constraint| match &demand.test {
        Test::BathsMin(from) => shown
            .iter()
            .filter_map(|x| x.baths)
            .min_by(f64::total_cmp)
            .map(|to| Change::BathsMin { from: *from, to }),
        Test::BedsMin(from) => {
            let to = shown.iter().filter_map(|x| x.beds).min();
            to.map(|to| Change::BedsMin { from: *from, to })
        }
        Test::City(from) => {
            let to: BTreeSet<_> = shown.iter().filter_map(|x| x.city.clone()).collect();
            Some(Change::City { from: from.clone(), to: to.into_iter().collect() })
        }
        Test::Parking => Some(Change::Parking {}),
        Test::PriceMax(from) => prices().max().map(|to| Change::PriceMax { from: *from, to }),
        Test::PriceMin(from) => prices().min().map(|to| Change::PriceMin { from: *from, to }),
        Test::Type(_) => None,
    };
    missed.iter().filter_map(change).collect()
}

/// The search that `changes` make of `slots`; what is missed without a change becomes free.
pub(super) fn relaxed(slots: &Slots, missed: &[&Constraint], changes: &[Change]) -> Slots {
    let mut slots = slots.clone();
    for demand in missed {
        match demand.test {
            Test::BathsMin(_) => slots.baths_min = None,
            Test::BedsMin(_) => slots.beds_min = None,
            Test::City(_) => slots.city = None,
            Test::Parking => slots.parking = None,
            Test::PriceMax(_) => slots.price_max = None,
            Test::PriceMin(_) => slots.price_min = None,
            Test::Type(_) => {}
        }
    }
    for change in changes {
        match change {
            Change::BathsMin { to, .. } => slots.baths_min = Some(*to),
            Change::BedsMin { to, .. } => slots.beds_min = Some(*to),
            Change::City { to, .. } => {
                // Slots hold one city; several are the whole catalogue.
                slots.city = to.first().filter(|_| to.len() == 1).cloned();
            }
            Change::Parking {} => {}
            Change::PriceMax { to, .. } => slots.price_max = Some(*to),
            Change::PriceMin { to, .. } => slots.price_min = Some(*to),
        }
    }
    slots
}

/// A smallest set of demands that no listing meets together, soft ones first; empty if some listing
/// meets all.
pub(super) fn cause<'q>(catalog: &Catalog, demands: &'q [Constraint]) -> Vec<&'q Constraint> {
    let listings = catalog.listings().iter();
    let masks: BTreeSet<Mask> = listings.map(|listing| missed(listing, demands)).collect();
    let hits = |set: &Mask| masks.iter().all(|mask| set & mask != 0);
    let key = |set: &Mask| {
        let members = members(*set, demands);
        let hard = members.iter().filter(|demand| demand.hard).count();
        let names: Vec<_> = members.iter().map(|demand| demand.name).collect();
        (members.len(), hard, names)
    };
    let all: Mask = (1 << demands.len()) - 1;
    let best = (1..=all).filter(hits).min_by_key(key);
    best.map(|set| members(set, demands)).unwrap_or_default()
}

/// Every demand that `listing` does not meet.
fn missed(listing: &Listing, demands: &[Constraint]) -> Mask {
    let bits = demands.iter().enumerate();
    bits.filter(|(_, demand)| demand.verdict(listing) != Verdict::Met)
        .fold(0, |mask, (bit, _)| mask | 1 << bit)
}
