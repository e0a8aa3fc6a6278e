//! What a search demands of a listing, and the listings that meet all of it.
//!
//! Knows no words and stretches nothing. Unknown is not false: what a listing leaves unstated does not
//! meet a demand, but is told apart from what it denies.

use super::catalog::{Catalog, Listing};
use crate::contract::agent::{ListingType, Slots};

/// One demand of a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Constraint {
    /// Its name in [`Slots`].
    pub(super) name: &'static str,
    pub(super) test: Test,
    /// Never relaxed.
    pub(super) hard: bool,
    /// Said as a limit.
    pub(super) firm: bool,
}

/// What is demanded.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    BathsMin(f64),
    BedsMin(u32),
    City(String),
    Type(ListingType),
    Parking,
    PriceMax(u64),
    PriceMin(u64),
}

/// How far a listing is from a demand. Distances are positive; their unit depends on the demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    Met,
    Missed(f64),
    Unstated(f64),
}

/// The demands of `slots`, by name.
pub(super) fn constraints(slots: &Slots) -> Vec<Constraint> {
    let tests = [
        ("baths_min", slots.baths_min.map(Test::BathsMin)),
        ("beds_min", slots.beds_min.map(Test::BedsMin)),
        ("city", slots.city.clone().map(Test::City)),
        ("listing_type", slots.listing_type.map(Test::Type)),
        ("parking", slots.parking.filter(|p| *p).map(|_| Test::Parking)),
        ("price_max", slots.price_max.map(Test::PriceMax)),
        ("price_min", slots.price_min.map(Test::PriceMin)),
    ];
    let named = |names: &[String], name| names.iter().any(|n| n == name);
    let constraint = |(name, test): (&'static str, Option<Test>)| {
        test.map(|test| Constraint {
            name,
            hard: matches!(test, Test::Type(_)) || named(&slots.hard, name),
            firm: named(&slots.firm, name),
            test,
        })
    };
    tests.into_iter().filter_map(constraint).collect()
}

impl Constraint {
    /// How far `listing` is from this demand; distances as in research/reagent.md section 6.
    pub(super) fn verdict(&self, listing: &Listing) -> Verdict {
        match &self.test {
            Test::BathsMin(min) => judge(listing.baths, |has| min - has),
            Test::BedsMin(min) => judge(listing.beds, |has| f64::from(*min) - f64::from(has)),
            Test::City(city) => match &listing.city {
                None => Verdict::Unstated(1.0),
                Some(has) if has.eq_ignore_ascii_case(city) => Verdict::Met,
                Some(_) => Verdict::Missed(1.0),
            },
            Test::Type(kind) if listing.listing_type == *kind => Verdict::Met,
            Test::Type(_) => Verdict::Missed(1.0),
            Test::Parking => judge(listing.parking, |has| if has { 0.0 } else { 1.0 }),
            Test::PriceMax(max) => judge(listing.price, |has| stretch(has, *max)),
            Test::PriceMin(min) => {
                judge(listing.price, |has| if has >= *min { 0.0 } else { 1.0 - ratio(has, *min) })
            }
        }
    }
}

/// A verdict from a distance, which is not positive if the demand is met.
fn judge<T>(value: Option<T>, distance: impl Fn(T) -> f64) -> Verdict {
    /// What an unstated value counts as; as in the reference.
    const UNSTATED: f64 = 0.5;
    match value.map(distance) {
        None => Verdict::Unstated(UNSTATED),
        Some(distance) if distance > 0.0 => Verdict::Missed(distance),
        Some(_) => Verdict::Met,
    }
}

/// How far `price` lies above `max`, as a share of `max`.
fn stretch(price: u64, max: u64) -> f64 {
    if price <= max { 0.0 } else { ratio(price, max) - 1.0 }
}

fn ratio(a: u64, b: u64) -> f64 {
    float(a) / float(b)
}

/// The nearest float; exact below 2^53.
fn float(number: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & 0xffff_ffff).unwrap_or(u32::MAX));
    half(number >> 32) * 4_294_967_296.0 + half(number)
}

/// The listings that meet every demand, in the order of the catalogue.
pub(super) fn exact<'c>(catalog: &'c Catalog, demands: &[Constraint]) -> Vec<&'c Listing> {
    let meets = |listing: &&Listing| {
        let mut verdicts = demands.iter().map(|demand| demand.verdict(listing));
        verdicts.all(|verdict| verdict == Verdict::Met)
    };
    catalog.listings().iter().filter(meets).collect()
}

/// The listings that deny no demand but leave some soft ones unstated, in the order of the catalogue.
pub(super) fn unstated<'c>(catalog: &'c Catalog, demands: &[Constraint]) -> Vec<&'c Listing> {
    let fits = |listing: &&Listing| {
        let mut open = false;
        demands.iter().all(|demand| match demand.verdict(listing) {
            Verdict::Met => true,
            Verdict::Missed(_) => false,
            Verdict::Unstated(_) => {
                open = true;
                !demand.hard
            }
        }) && open
    };
    catalog.listings().iter().filter(fits).collect()
}
