//! What a user demands, as tests of a listing, and the listings that pass all of them.
//!
//! "Not stated" is neither yes nor no: such a listing does not meet the demand, and is told apart from one
//! that denies it. Knows no relaxation and no sentence.

use super::catalog::Catalog;
use super::index::{Asked, Index};
use crate::contract::agent::{ListingType, PetWish, Slots};
use roaring::RoaringBitmap;

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
    BedsExact(u32),
    BedsMin(u32),
    /// A name, and what is meant by it.
    City(String, Asked),
    Has(Feature),
    PriceMax(u64),
    PriceMin(u64),
    PropertyType(String),
    SqftMin(u32),
    State(String),
    Type(ListingType),
}

/// What a home has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    /// Furniture is in it, or not.
    Furnished(bool),
    Laundry,
    Parking,
    Pets(PetWish),
}

/// How far a listing is from a demand. Distances are positive; their unit depends on the demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    Met,
    Missed(f64),
    Unstated(f64),
}

impl Verdict {
    /// Of what is stated.
    pub(super) fn of(distance: f64) -> Self {
        if distance <= 0.0 { Self::Met } else { Self::Missed(distance) }
    }

    /// Of a yes or a no.
    pub(super) fn met(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed(1.0) }
    }

    /// 0 if the demand is met.
    pub(super) fn distance(self) -> f64 {
        match self {
            Self::Met => 0.0,
            Self::Missed(distance) | Self::Unstated(distance) => distance,
        }
    }
}

impl Test {
    /// How far a number is from the demand, as in research/reagent.md section 6; not positive if it is met.
    pub(super) fn gap(&self, has: f64) -> f64 {
        match self {
            Self::BathsMin(min) => min - has,
            Self::BedsMin(min) => f64::from(*min) - has,
            Self::BedsExact(number) => (has - f64::from(*number)).abs(),
            Self::PriceMax(max) if has <= float(*max) => 0.0,
            Self::PriceMax(max) => has / float(*max) - 1.0,
            Self::PriceMin(min) => shortfall(has, float(*min)),
            Self::SqftMin(min) => shortfall(has, f64::from(*min)),
            Self::City(..) | Self::Has(_) | Self::PropertyType(_) => f64::INFINITY,
            Self::State(_) | Self::Type(_) => f64::INFINITY,
        }
    }
}

/// How much of `min` is missing, as a share.
fn shortfall(has: f64, min: f64) -> f64 {
    if has >= min { 0.0 } else { 1.0 - has / min }
}

/// The nearest float; exact below 2^53.
pub(super) fn float(number: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & 0xffff_ffff).unwrap_or(u32::MAX));
    half(number >> 32) * 4_294_967_296.0 + half(number)
}

/// The demands of `slots`, by name.
fn constraints(catalog: &Catalog, slots: &Slots) -> Vec<Constraint> {
    let has = |wish: Option<bool>, feature| wish.filter(|wish| *wish).map(|_| Test::Has(feature));
    let city = |name: &String| {
        let nearby = slots.nearby == Some(true);
        let asked = catalog.index().places().asked(name, slots.state.as_deref(), nearby);
        Test::City(name.clone(), asked)
    };
    let furnished = slots.furnished.map(|wanted| Test::Has(Feature::Furnished(wanted)));
    let tests = [
        ("baths_min", slots.baths_min.map(Test::BathsMin)),
        ("beds_exact", slots.beds_exact.map(Test::BedsExact)),
        ("beds_min", slots.beds_min.map(Test::BedsMin)),
        ("city", slots.city.as_ref().map(city)),
        ("furnished", furnished),
        ("laundry", has(slots.laundry, Feature::Laundry)),
        ("listing_type", slots.listing_type.map(Test::Type)),
        ("parking", has(slots.parking, Feature::Parking)),
        ("pets", slots.pets.map(|wish| Test::Has(Feature::Pets(wish)))),
        ("price_max", slots.price_max.map(Test::PriceMax)),
        ("price_min", slots.price_min.map(Test::PriceMin)),
        ("property_type", slots.property_type.clone().map(Test::PropertyType)),
        ("sqft_min", slots.sqft_min.map(Test::SqftMin)),
        ("state", slots.state.clone().map(Test::State)),
    ];
    let named = |names: &[String], name| names.iter().any(|n| n == name);
    let constraint = |(name, test): (&'static str, Option<Test>)| {
        test.map(|test| Constraint {
            name,
            hard: matches!(test, Test::Type(_) | Test::PropertyType(_)) || named(&slots.hard, name),
            firm: named(&slots.firm, name),
            test,
        })
    };
    tests.into_iter().filter_map(constraint).collect()
}

/// A search and what it finds.
#[derive(Debug)]
pub(super) struct Search<'c> {
    pub(super) catalog: &'c Catalog,
    /// By name.
    pub(super) demands: Vec<Constraint>,
    /// The rows that meet each demand.
    pub(super) met: Vec<RoaringBitmap>,
    /// The rows that meet all of them.
    pub(super) exact: RoaringBitmap,
}

impl<'c> Search<'c> {
    pub(super) fn new(catalog: &'c Catalog, slots: &Slots) -> Self {
        let demands = constraints(catalog, slots);
        let index = catalog.index();
        let met: Vec<_> = demands.iter().map(|demand| index.within(&demand.test, 0.0)).collect();
        let exact = all_of(index.all(), met.iter().collect());
        Self { catalog, demands, met, exact }
    }

    pub(super) fn index(&self) -> &'c Index {
        self.catalog.index()
    }

    /// The rows that deny no demand but leave some soft ones unstated.
    pub(super) fn unstated(&self) -> RoaringBitmap {
        let may = self.demands.iter().zip(&self.met).map(|(demand, met)| {
            if demand.hard { met.clone() } else { met | self.index().unstated(&demand.test) }
        });
        let may: Vec<_> = may.collect();
        all_of(self.index().all(), may.iter().collect()) - &self.exact
    }

    /// The demands that a row leaves unstated.
    pub(super) fn open(&self, row: u32) -> impl Iterator<Item = &Constraint> {
        let verdict = move |demand: &Constraint| self.index().verdict(&demand.test, row);
        let demands = self.demands.iter();
        demands.filter(move |demand| matches!(verdict(demand), Verdict::Unstated(_)))
    }
}

/// The rows in all of `sets`, the smallest first, as it makes the others cheap.
pub(super) fn all_of(all: &RoaringBitmap, mut sets: Vec<&RoaringBitmap>) -> RoaringBitmap {
    sets.sort_by_key(|set| set.len());
    let mut sets = sets.into_iter();
    let mut rows = sets.next().unwrap_or(all).clone();
    for set in sets {
        rows &= set;
    }
    rows
}
