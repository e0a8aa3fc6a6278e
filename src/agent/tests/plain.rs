//! The semantics of search and relaxation once more, slow and plain, from research/reagent.md section 6: every
//! listing against every demand, every set against every set. Shares nothing with the agent but the listings.

use crate::agent::{Catalog, Listing};
use crate::contract::agent::{PetWish, Pets, Slots};
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Names = BTreeSet<&'static str>;

/// A demand: name, weight, cap. Cities are one step apart, as no position is known.
const DEMANDS: [(&str, f64, f64); 13] = [
    ("baths_min", 1.2, 1.0),
    ("beds_exact", 2.5, 1.0),
    ("beds_min", 2.5, 1.0),
    ("city", 2.0, f64::INFINITY),
    ("furnished", 1.0, f64::INFINITY),
    ("laundry", 1.0, f64::INFINITY),
    ("listing_type", 99.0, 0.0),
    ("parking", 1.0, f64::INFINITY),
    ("pets", 4.0, f64::INFINITY),
    ("price_max", 1.0, 0.25),
    ("price_min", 1.0, 0.25),
    ("property_type", 99.0, 0.0),
    ("sqft_min", 0.8, 0.25),
];

/// How far a listing is from a demand; nothing if the user does not make it.
fn distance(x: &Listing, slots: &Slots, name: &str) -> Option<f64> {
    let yes = |has: Option<bool>| has.map_or(0.5, |has| if has { 0.0 } else { 1.0 });
    let at_least = |has: Option<f64>, min: f64| has.map_or(0.5, |has| (min - has).max(0.0));
    let share = |has: Option<f64>, min: f64| has.map_or(0.5, |has| (1.0 - has / min).max(0.0));
    let same = |same: bool| if same { 0.0 } else { 1.0 };
    let number = |value: Option<u32>| value.map(f64::from);
    let price = x.price.map(|price| f64::from(u32::try_from(price).unwrap()));
    let dollars = |dollars: u64| f64::from(u32::try_from(dollars).unwrap());
    Some(match name {
        "baths_min" => at_least(x.baths, slots.baths_min?),
        "beds_exact" => {
            let wanted = f64::from(slots.beds_exact?);
            number(x.beds).map_or(0.5, |has| (has - wanted).abs())
        }
        "beds_min" => at_least(number(x.beds), slots.beds_min?.into()),
        "city" => same(x.city == Some(slots.city.clone()?)),
        "furnished" => {
            let wanted = slots.furnished?;
            yes(x.furnished.map(|has| has == wanted))
        }
        "laundry" => yes(x.laundry).max(same(slots.laundry?)),
        "listing_type" => same(x.listing_type == slots.listing_type?),
        "parking" => yes(x.parking).max(same(slots.parking?)),
        "pets" => {
            let wish = slots.pets?;
            yes(x.pets.map(|pets| match wish {
                PetWish::Any => pets != Pets::Neither,
                PetWish::Cats => pets == Pets::Cats || pets == Pets::Both,
                PetWish::Dogs => pets == Pets::Dogs || pets == Pets::Both,
            }))
        }
        "price_max" => {
            let max = dollars(slots.price_max?);
            price.map_or(0.5, |price| (price / max - 1.0).max(0.0))
        }
        "price_min" => share(price, dollars(slots.price_min?)),
        "property_type" => same(x.property_type == Some(slots.property_type.clone()?)),
        "sqft_min" => share(number(x.sqft), slots.sqft_min?.into()),
        _ => panic!("{name} is no demand"),
    })
}

/// The demands that a listing does not meet.
pub(super) fn missed(x: &Listing, slots: &Slots) -> Names {
    let misses = |name: &&str| distance(x, slots, name).is_some_and(|distance| distance > 0.0);
    DEMANDS.iter().map(|(name, _, _)| *name).filter(misses).collect()
}

/// Whether a demand is never stretched.
pub(super) fn is_hard(slots: &Slots, name: &str) -> bool {
    matches!(name, "listing_type" | "property_type") || slots.hard.iter().any(|hard| hard == name)
}

/// Whether nothing forbids to offer a listing: no hard demand is missed, none by more than its cap.
pub(super) fn may_be_offered(x: &Listing, slots: &Slots) -> bool {
    DEMANDS.iter().all(|(name, _, cap)| {
        let firm = slots.firm.iter().any(|firm| firm == name);
        let cap = if firm && name.starts_with("price") { 0.10 } else { *cap };
        let distance = distance(x, slots, name).unwrap_or(0.0);
        distance <= 0.0 || !is_hard(slots, name) && distance <= cap + 1e-12
    })
}

/// What it costs to take a listing, in billionths.
pub(super) fn cost(x: &Listing, slots: &Slots) -> i64 {
    let costs = DEMANDS.iter().map(|(name, weight, _)| {
        weight * distance(x, slots, name).filter(|distance| *distance > 0.0).unwrap_or(0.0)
    });
    format!("{:.0}", costs.sum::<f64>() * 1e9).parse().unwrap()
}

/// The listings within all caps, by what they miss; those that miss least in the sense of inclusion.
pub(super) fn options<'c>(catalog: &'c Catalog, slots: &Slots) -> Vec<(Names, Vec<&'c Listing>)> {
    let mut pools: BTreeMap<Names, Vec<&Listing>> = BTreeMap::new();
    for x in catalog.listings().iter().filter(|x| may_be_offered(x, slots)) {
        pools.entry(missed(x, slots)).or_default().push(x);
    }
    let sets: Vec<_> = pools.keys().cloned().collect();
    let minimal = |set: &Names| !sets.iter().any(|less| less.is_subset(set) && less != set);
    let mut options: Vec<_> = pools.into_iter().filter(|(set, _)| minimal(set)).collect();
    for (_, pool) in &mut options {
        // Listings are in the order of price and id, and this sort keeps it among equals.
        pool.sort_by_key(|x| cost(x, slots));
    }
    options.sort_by_cached_key(|(set, pool)| (cost(pool[0], slots), set.len(), set.clone()));
    options.retain(|(set, _)| !set.is_empty());
    options
}

/// Every smallest set of demands that no listing meets, found by trying all.
pub(super) fn causes(catalog: &Catalog, slots: &Slots) -> BTreeSet<Names> {
    let nowhere = Listing { city: None, ..blank() };
    let made: Vec<_> = DEMANDS
        .iter()
        .map(|(name, _, _)| *name)
        .filter(|name| distance(&nowhere, slots, name).is_some())
        .collect();
    let masks: BTreeSet<Names> = catalog.listings().iter().map(|x| missed(x, slots)).collect();
    let sets = (0_u32..1 << made.len()).map(|bits| {
        let chosen = made.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
        chosen.map(|(_, name)| *name).collect::<Names>()
    });
    let hits: Vec<Names> =
        sets.filter(|set| masks.iter().all(|mask| !mask.is_disjoint(set))).collect();
    let minimal = |set: &&Names| !hits.iter().any(|less| less.is_subset(set) && less != *set);
    hits.iter().filter(minimal).cloned().collect()
}

/// A listing that states nothing.
fn blank() -> Listing {
    let text = "id,listing_type,price,price_period,beds,baths,sqft,city,property_type,pets_allowed,\
        parking,laundry,furnished,year_built,available,title\nx,buy,,,,,,,,,,,,,,";
    Catalog::read(text.as_bytes()).unwrap().0.listings()[0].clone()
}
