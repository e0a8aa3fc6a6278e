//! The smallest stretches of a search that find something when nothing meets it exactly.
//!
//! Every listing has a *mask*: the set of demands it misses. A [`Way`] is an inclusion-minimal mask whose
//! listings miss no hard demand and none by more than its cap. Knows no conversation: whether a way is
//! offered, and what the user says to it, is decided elsewhere.
//!
//! # Design
//! The rows within all caps are split demand by demand into those that meet it and those that do not, the
//! former first. So every mask is met before the masks that contain it, and a branch that contains a mask
//! already found is not looked into. Dropping demands one by one and searching again would cost a search a
//! try and miss pairs. Semantics, weights and caps: research/reagent.md section 6.

use super::search::{Constraint, Feature, Search, Test, all_of};
use crate::contract::agent::{Change, Slots};
use roaring::RoaringBitmap;
use std::cmp::Ordering;

/// A set of demands, a bit for each in their order.
type Mask = u16;

/// Forgives the rounding of a quotient, as in the reference.
const EPSILON: f64 = 1e-12;

/// A way out: demands to stretch and what is found then.
#[derive(Debug, Clone)]
pub(super) struct Way<'s> {
    search: &'s Search<'s>,
    /// The demands to stretch, by name.
    pub(super) missed: Vec<&'s Constraint>,
    /// What is found; never empty.
    pub(super) rows: RoaringBitmap,
    /// The cost of the nearest.
    pub(super) cost: f64,
}

/// All minimal ways within the caps, cheapest first. Empty if something meets every demand.
pub(super) fn ways<'s>(search: &'s Search<'_>) -> Vec<Way<'s>> {
    if !search.exact.is_empty() {
        return Vec::new();
    }
    let near: Vec<_> = search
        .demands
        .iter()
        .zip(&search.met)
        .map(|(demand, met)| match demand.hard {
            true => met.clone(),
            false => search.index().within(&demand.test, demand.cap() + EPSILON),
        })
        .collect();
    let pool = all_of(search.index().all(), near.iter().collect());
    let mut ways: Vec<_> = minimal(pool, &search.met)
        .into_iter()
        .map(|(mask, rows)| Way::new(search, members(mask, &search.demands), rows))
        .collect();
    ways.sort_by(compare);
    ways
}

/// The inclusion-minimal masks of `pool`, each with its rows.
fn minimal(pool: RoaringBitmap, met: &[RoaringBitmap]) -> Vec<(Mask, RoaringBitmap)> {
    let mut found = Vec::new();
    split(pool, met, (0, 1), &mut found);
    found
}

/// Splits `pool`, whose rows miss exactly the demands of `missed` among those before `bit`.
fn split(
    mut pool: RoaringBitmap,
    met: &[RoaringBitmap],
    (missed, bit): (Mask, Mask),
    found: &mut Vec<(Mask, RoaringBitmap)>,
) {
    if pool.is_empty() || found.iter().any(|(smaller, _)| smaller & missed == *smaller) {
        return;
    }
    let Some((first, rest)) = met.split_first() else {
        return found.push((missed, pool));
    };
    split(&pool & first, rest, (missed, bit << 1), found);
    pool -= first;
    split(pool, rest, (missed | bit, bit << 1), found);
}

impl<'s> Way<'s> {
    fn new(search: &'s Search<'_>, missed: Vec<&'s Constraint>, rows: RoaringBitmap) -> Self {
        let mut way = Self { search, missed, rows, cost: 0.0 };
        way.cost = way.ranked(1, &RoaringBitmap::new()).first().map_or(0.0, |(cost, _)| *cost);
        way
    }

    /// The rows besides `seen` that are nearest, then by price and id, at most `count`.
    pub(super) fn nearest(&self, count: usize, seen: &RoaringBitmap) -> Vec<u32> {
        self.ranked(count, seen).into_iter().map(|(_, row)| row).collect()
    }

    fn ranked(&self, count: usize, seen: &RoaringBitmap) -> Vec<(f64, u32)> {
        let mut best: Vec<(f64, u32)> = Vec::with_capacity(count + 1);
        let rows = self.rows.iter();
        for row in rows.filter(|row| seen.is_empty() || !seen.contains(*row)) {
            let cost = self.cost_of(row);
            // Rows ascend, so that of equal costs the earlier stays.
            if best.len() == count && best.last().is_none_or(|(worst, _)| *worst <= cost) {
                continue;
            }
            let place = best.partition_point(|(other, _)| *other <= cost);
            best.insert(place, (cost, row));
            best.truncate(count);
        }
        best
    }

    /// What a row costs.
    fn cost_of(&self, row: u32) -> f64 {
        let index = self.search.index();
        let costs = self.missed.iter();
        let costs = costs.map(|x| x.weight() * index.verdict(&x.test, row).distance());
        // Nine digits: two costs that differ only by rounding are equal.
        (costs.sum::<f64>() * 1e9).round() / 1e9
    }

    /// What must change for `rows` to be found.
    pub(super) fn changes(&self, rows: &RoaringBitmap) -> Vec<Change> {
        let index = self.search.index();
        self.missed.iter().filter_map(|demand| index.change(&demand.test, rows)).collect()
    }

    /// The search that finds `rows`, made of `slots`; what is missed without a change becomes free.
    pub(super) fn relaxed(&self, slots: &Slots, rows: &RoaringBitmap) -> Slots {
        let mut slots = slots.clone();
        for demand in &self.missed {
            match demand.test {
                Test::BathsMin(_) => slots.baths_min = None,
                Test::BedsExact(_) => slots.beds_exact = None,
                Test::BedsMin(_) => slots.beds_min = None,
                Test::City(..) => slots.nearby = Some(true),
                Test::Has(Feature::Furnished(_)) => slots.furnished = None,
                Test::Has(Feature::Laundry) => slots.laundry = None,
                Test::Has(Feature::Parking) => slots.parking = None,
                Test::Has(Feature::Pets(_)) => slots.pets = None,
                Test::PriceMax(_) => slots.price_max = None,
                Test::PriceMin(_) => slots.price_min = None,
                Test::SqftMin(_) => slots.sqft_min = None,
                Test::State(_) => slots.state = None,
                Test::PropertyType(_) | Test::Type(_) => {}
            }
        }
        for change in self.changes(rows) {
            match change {
                Change::BathsMin { to, .. } => slots.baths_min = Some(to),
                // A slot holds one number; several are any.
                Change::BedsExact { to, .. } => {
                    slots.beds_exact = to.first().filter(|_| to.len() == 1).copied();
                }
                Change::BedsMin { to, .. } => slots.beds_min = Some(to),
                Change::City { to, .. } => {
                    // A slot holds one city; several are what lies around it.
                    match to.as_slice() {
                        [] => (slots.city, slots.nearby) = (None, None),
                        [city] => {
                            slots.state = self.telling_state(city, rows).or(slots.state);
                            (slots.city, slots.nearby) = (Some(city.clone()), None);
                        }
                        _ => {}
                    }
                }
                Change::PriceMax { to, .. } => slots.price_max = Some(to),
                Change::PriceMin { to, .. } => slots.price_min = Some(to),
                Change::SqftMin { to, .. } => slots.sqft_min = Some(to),
                Change::State { to, .. } => {
                    slots.state = to.first().filter(|_| to.len() == 1).cloned();
                }
                Change::Furnished {}
                | Change::Laundry {}
                | Change::Parking {}
                | Change::Pets {} => {}
            }
        }
        slots
    }

    /// The state of `rows`, if `city` alone does not tell which city it is.
    fn telling_state(&self, city: &str, rows: &RoaringBitmap) -> Option<String> {
        let catalog = self.search.catalog;
        let states = catalog.index().places().states_with(rows);
        states.into_iter().next().filter(|_| catalog.states_of(city).len() > 1)
    }
}

fn members(mask: Mask, demands: &[Constraint]) -> Vec<&Constraint> {
    let chosen = demands.iter().enumerate();
    chosen.filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, demand)| demand).collect()
}

/// Cheaper first, then fewer demands, then by their names.
fn compare(a: &Way<'_>, b: &Way<'_>) -> Ordering {
    let names = |way: &Way<'_>| way.missed.iter().map(|c| c.name).collect::<Vec<_>>();
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
            Test::BedsExact(_) | Test::BedsMin(_) => 2.5,
            Test::City(..) => 2.0,
            Test::Has(Feature::Pets(_)) => 4.0,
            Test::Has(_) | Test::PriceMax(_) | Test::PriceMin(_) => 1.0,
            Test::SqftMin(_) => 0.8,
            Test::State(_) => 8.0,
            // Hard by nature: no cost buys it.
            Test::PropertyType(_) | Test::Type(_) => f64::INFINITY,
        }
    }

    /// The longest distance that may be offered.
    fn cap(&self) -> f64 {
        match self.test {
            Test::PriceMax(_) | Test::PriceMin(_) if self.firm => 0.10,
            Test::PriceMax(_) | Test::PriceMin(_) | Test::SqftMin(_) => 0.25,
            Test::BathsMin(_) | Test::BedsExact(_) | Test::BedsMin(_) => 1.0,
            // The longest there is, short of what is out of reach.
            Test::City(..) | Test::Has(_) | Test::State(_) => 1.0,
            Test::PropertyType(_) | Test::Type(_) => 0.0,
        }
    }
}

/// The minimal sets of demands that no listing meets together: the minimal hitting sets of all masks.
pub(super) fn causes<'s>(search: &'s Search<'_>) -> Vec<Vec<&'s Constraint>> {
    let mut sets: Vec<Mask> = vec![0];
    for (mask, _) in minimal(search.index().all().clone(), &search.met) {
        let bits = (0..search.demands.len()).map(|bit| 1 << bit).filter(|bit| mask & bit != 0);
        let bits: Vec<Mask> = bits.collect();
        let (mut hit, missed): (Vec<_>, Vec<_>) = sets.into_iter().partition(|set| set & mask != 0);
        let mut grown: Vec<_> =
            missed.iter().flat_map(|set| bits.iter().map(move |bit| set | bit)).collect();
        grown.retain(|set| !hit.iter().any(|smaller| smaller & set == *smaller));
        hit.append(&mut grown);
        sets = hit;
    }
    sets.sort_by_key(|set| set.count_ones());
    sets.into_iter().map(|set| members(set, &search.demands)).collect()
}

/// The smallest of [`causes`], soft demands first; empty if some listing meets all, or there is none.
pub(super) fn cause<'s>(search: &'s Search<'_>) -> Vec<&'s Constraint> {
    let key = |set: &Vec<&Constraint>| {
        let hard = set.iter().filter(|demand| demand.hard).count();
        (set.len(), hard, set.iter().map(|demand| demand.name).collect::<Vec<_>>())
    };
    causes(search).into_iter().min_by_key(key).unwrap_or_default()
}
