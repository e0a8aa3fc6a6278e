//! The catalogue as columns and bitmaps: which listings meet a demand, and how far another one is from it.
//!
//! A row is the place of a listing in the order of the catalogue, so that an ascending walk over a set of
//! rows is the order by price and id, and a price limit is a range of rows.

mod ladder;
mod places;

pub(super) use places::{Asked, Places};

use super::catalog::Listing;
use super::search::{Feature, Test, Verdict, float};
use crate::contract::agent::{Change, ListingType, PetWish, Pets};
use ladder::Ladder;
use roaring::RoaringBitmap;
use std::collections::BTreeMap;

/// What an unstated value counts as; as in the reference.
const UNSTATED: f64 = 0.5;
/// What a "no" counts as, and a name that is not stated.
const NO: f64 = 1.0;
/// Baths are kept in quarters.
const QUARTERS: f64 = 4.0;

/// Columns and bitmaps of a catalogue.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    all: RoaringBitmap,
    /// Of the rows that state a price, which come first.
    prices: Vec<u64>,
    beds: Ladder,
    baths: Ladder,
    sqft: Ladder,
    rent: RoaringBitmap,
    parking: Answers,
    laundry: Answers,
    furnished: Answers,
    cats: Answers,
    dogs: Answers,
    some_pets: Answers,
    /// Spelling and rows of a type, by its lower case.
    types: BTreeMap<String, (String, RoaringBitmap)>,
    places: Places,
}

/// The rows that say yes, and those that say no.
#[derive(Debug, Clone, Default)]
struct Answers {
    yes: RoaringBitmap,
    no: RoaringBitmap,
}

impl Answers {
    fn new(listings: &[Listing], answer: impl Fn(&Listing) -> Option<bool>) -> Self {
        Self {
            yes: rows(listings, |x| answer(x) == Some(true)),
            no: rows(listings, |x| answer(x) == Some(false)),
        }
    }

    /// The rows that say what is wanted, and those that say the opposite.
    fn sides(&self, wanted: bool) -> (&RoaringBitmap, &RoaringBitmap) {
        if wanted { (&self.yes, &self.no) } else { (&self.no, &self.yes) }
    }

    fn says(&self, row: u32) -> Option<bool> {
        self.yes.contains(row).then_some(true).or_else(|| self.no.contains(row).then_some(false))
    }
}

/// The rows of the listings that fit, which are in the order of the catalogue.
fn rows(listings: &[Listing], fits: impl Fn(&Listing) -> bool) -> RoaringBitmap {
    let rows = (0..).zip(listings).filter(|(_, listing)| fits(listing)).map(|(row, _)| row);
    RoaringBitmap::from_sorted_iter(rows).expect("rows ascend")
}

/// Whether pets as the user wishes them may live there.
fn allows(pets: Pets, wish: PetWish) -> bool {
    match wish {
        PetWish::Any => pets != Pets::Neither,
        PetWish::Cats => matches!(pets, Pets::Cats | Pets::Both),
        PetWish::Dogs => matches!(pets, Pets::Dogs | Pets::Both),
    }
}

impl Index {
    /// Of listings in the order of the catalogue, whose cities and states it spells in one way.
    pub(super) fn new(listings: &mut [Listing]) -> Self {
        let places = Places::new(listings);
        let listings = &*listings;
        let column =
            |value: fn(&Listing) -> Option<u32>| Ladder::new(listings.iter().map(value).collect());
        let pets = |wish| Answers::new(listings, move |x| x.pets.map(|pets| allows(pets, wish)));
        let mut types = BTreeMap::new();
        for (row, listing) in (0..).zip(listings) {
            if let Some(kind) = &listing.property_type {
                let entry = types.entry(kind.to_lowercase());
                let (_, rows) = entry.or_insert_with(|| (kind.clone(), RoaringBitmap::new()));
                rows.insert(row);
            }
        }
        Self {
            all: rows(listings, |_| true),
            prices: listings.iter().map_while(|x| x.price).collect(),
            beds: column(|x| x.beds),
            baths: column(|x| x.baths.and_then(quarters)),
            sqft: column(|x| x.sqft),
            rent: rows(listings, |x| x.listing_type == ListingType::Rent),
            parking: Answers::new(listings, |x| x.parking),
            laundry: Answers::new(listings, |x| x.laundry),
            furnished: Answers::new(listings, |x| x.furnished),
            cats: pets(PetWish::Cats),
            dogs: pets(PetWish::Dogs),
            some_pets: pets(PetWish::Any),
            types,
            places,
        }
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// The catalogue's spelling of a type.
    pub(super) fn property_type(&self, name: &str) -> Option<&str> {
        self.types.get(&name.to_lowercase()).map(|(spelling, _)| spelling.as_str())
    }

    /// All rows.
    pub(super) fn all(&self) -> &RoaringBitmap {
        &self.all
    }

    /// The price of a row.
    pub(super) fn price(&self, row: u32) -> Option<u64> {
        self.prices.get(usize::try_from(row).ok()?).copied()
    }

    /// The rows at most `reach` away from what `test` demands; reach 0 meets it.
    pub(super) fn within(&self, test: &Test, reach: f64) -> RoaringBitmap {
        let near = |has: f64| test.gap(has) <= reach;
        match test {
            Test::BathsMin(_) => {
                self.numbers(&self.baths, reach, |has| near(f64::from(has) / QUARTERS))
            }
            Test::BedsMin(_) => self.numbers(&self.beds, reach, |has| near(f64::from(has))),
            Test::SqftMin(_) => self.numbers(&self.sqft, reach, |has| near(f64::from(has))),
            Test::BedsExact(number) => {
                let enough = |has: u32| has >= *number || near(f64::from(has));
                let too_many = |has: u32| has > *number && !near(f64::from(has));
                self.numbers(&self.beds, reach, enough) - self.beds.rising(too_many)
            }
            Test::PriceMax(_) => {
                let end = self.prices.partition_point(|price| near(float(*price)));
                self.rows_of_prices(0, end, reach)
            }
            Test::PriceMin(_) => {
                let start = self.prices.partition_point(|price| !near(float(*price)));
                self.rows_of_prices(start, self.prices.len(), reach)
            }
            Test::City(_, asked) => self.places.within(asked, reach),
            Test::State(_) | Test::PropertyType(_) | Test::Type(_) if reach >= NO => {
                self.all.clone()
            }
            Test::State(state) => self.places.in_state(state),
            Test::PropertyType(kind) => self.of_type(kind).cloned().unwrap_or_default(),
            Test::Type(ListingType::Rent) => self.rent.clone(),
            Test::Type(ListingType::Buy) => &self.all - &self.rent,
            Test::Has(_) if reach >= NO => self.all.clone(),
            Test::Has(feature) => {
                let (answers, wanted) = self.answers(*feature);
                let (right, wrong) = answers.sides(wanted);
                if reach >= UNSTATED { &self.all - wrong } else { right.clone() }
            }
        }
    }

    /// The rows that do not state what `test` is about.
    pub(super) fn unstated(&self, test: &Test) -> RoaringBitmap {
        match test {
            Test::BathsMin(_) => &self.all - self.baths.stated(),
            Test::BedsMin(_) | Test::BedsExact(_) => &self.all - self.beds.stated(),
            Test::SqftMin(_) => &self.all - self.sqft.stated(),
            Test::PriceMax(_) | Test::PriceMin(_) => {
                let mut rows = self.all.clone();
                rows.remove_range(..row(self.prices.len()));
                rows
            }
            Test::City(..) => self.places.cityless.clone(),
            Test::State(_) => self.places.stateless.clone(),
            Test::PropertyType(_) => {
                self.types.values().fold(self.all.clone(), |rest, (_, rows)| rest - rows)
            }
            Test::Type(_) => RoaringBitmap::new(),
            Test::Has(feature) => {
                let (answers, _) = self.answers(*feature);
                &self.all - &answers.yes - &answers.no
            }
        }
    }

    /// How far a row is from what `test` demands.
    pub(super) fn verdict(&self, test: &Test, row: u32) -> Verdict {
        let number = |column: &Ladder| column.value(row).map(f64::from);
        let judge = |has: Option<f64>| {
            has.map_or(Verdict::Unstated(UNSTATED), |has| Verdict::of(test.gap(has)))
        };
        match test {
            Test::BathsMin(_) => judge(number(&self.baths).map(|quarters| quarters / QUARTERS)),
            Test::BedsMin(_) | Test::BedsExact(_) => judge(number(&self.beds)),
            Test::SqftMin(_) => judge(number(&self.sqft)),
            Test::PriceMax(_) | Test::PriceMin(_) => judge(self.price(row).map(float)),
            Test::City(_, asked) => {
                let distance = self.places.distance(asked, row);
                let unstated = distance > 0.0 && self.places.cityless.contains(row);
                if unstated { Verdict::Unstated(distance) } else { Verdict::of(distance) }
            }
            Test::State(_) if self.places.stateless.contains(row) => Verdict::Unstated(NO),
            Test::State(state) => Verdict::met(self.places.is_in_state(state, row)),
            Test::PropertyType(kind) => {
                Verdict::met(self.of_type(kind).is_some_and(|rows| rows.contains(row)))
            }
            Test::Type(kind) => {
                Verdict::met(self.rent.contains(row) == (*kind == ListingType::Rent))
            }
            Test::Has(feature) => {
                let (answers, wanted) = self.answers(*feature);
                match answers.says(row) {
                    None => Verdict::Unstated(UNSTATED),
                    Some(says) => Verdict::met(says == wanted),
                }
            }
        }
    }

    /// What must become of `test` for `rows` to be found: a bound is the loosest that one of them attains.
    /// A demand that all of them leave unstated has no bound and no change.
    pub(super) fn change(&self, test: &Test, rows: &RoaringBitmap) -> Option<Change> {
        Some(match test {
            Test::BathsMin(from) => {
                let to = self.baths.least(rows).map(|quarters| f64::from(quarters) / QUARTERS)?;
                Change::BathsMin { from: *from, to }
            }
            Test::BedsMin(from) => Change::BedsMin { from: *from, to: self.beds.least(rows)? },
            Test::BedsExact(from) => {
                // No other number is near enough to be offered.
                let numbers = from.saturating_sub(1)..=from.saturating_add(1);
                let with = |number: &u32| {
                    let above = self.beds.rising(|has| has > *number);
                    !(self.beds.rising(|has| has >= *number) - above).is_disjoint(rows)
                };
                let to: Vec<_> = numbers.filter(with).collect();
                (!to.is_empty()).then_some(Change::BedsExact { from: *from, to })?
            }
            Test::SqftMin(from) => Change::SqftMin { from: *from, to: self.sqft.least(rows)? },
            Test::PriceMax(from) => {
                let priced = rows.range(..row(self.prices.len())).next_back();
                Change::PriceMax { from: *from, to: self.price(priced?)? }
            }
            Test::PriceMin(from) => Change::PriceMin { from: *from, to: self.price(rows.min()?)? },
            Test::City(from, _) => {
                Change::City { from: from.clone(), to: self.places.cities_of(rows) }
            }
            Test::State(from) => {
                Change::State { from: from.clone(), to: self.places.states_with(rows) }
            }
            Test::Has(Feature::Furnished(_)) => Change::Furnished {},
            Test::Has(Feature::Laundry) => Change::Laundry {},
            Test::Has(Feature::Parking) => Change::Parking {},
            Test::Has(Feature::Pets(_)) => Change::Pets {},
            Test::PropertyType(_) | Test::Type(_) => return None,
        })
    }

    /// The rows whose number fits, and those without one if that is near enough.
    fn numbers(&self, column: &Ladder, reach: f64, fits: impl Fn(u32) -> bool) -> RoaringBitmap {
        let fitting = column.rising(fits);
        if reach >= UNSTATED { fitting | (&self.all - column.stated()) } else { fitting }
    }

    /// The rows of some prices, and those without one if that is near enough.
    fn rows_of_prices(&self, start: usize, end: usize, reach: f64) -> RoaringBitmap {
        let mut rows = RoaringBitmap::new();
        rows.insert_range(row(start)..row(end));
        if reach >= UNSTATED {
            rows |= self.unstated(&Test::PriceMax(0));
        }
        rows
    }

    /// What is said about a feature, and which answer is wanted.
    fn answers(&self, feature: Feature) -> (&Answers, bool) {
        match feature {
            Feature::Furnished(wanted) => (&self.furnished, wanted),
            Feature::Laundry => (&self.laundry, true),
            Feature::Parking => (&self.parking, true),
            Feature::Pets(PetWish::Any) => (&self.some_pets, true),
            Feature::Pets(PetWish::Cats) => (&self.cats, true),
            Feature::Pets(PetWish::Dogs) => (&self.dogs, true),
        }
    }

    fn of_type(&self, kind: &str) -> Option<&RoaringBitmap> {
        self.types.get(&kind.to_lowercase()).map(|(_, rows)| rows)
    }
}

/// A place in a column as a row.
fn row(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A number of baths that a catalogue takes, in quarters.
fn quarters(baths: f64) -> Option<u32> {
    (0..=4000).find(|quarters| f64::from(*quarters) >= baths * QUARTERS)
}
