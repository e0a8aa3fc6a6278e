//! Where the listings are: cities, states, and which cities lie near which.
//!
//! A city is a name in a state. How far another one is counts in rings (research/reagent.md section 6):
//! half a step within the same metropolis, a step nearby, and out of reach beyond. Where the catalogue does
//! not know positions, every city of the same state is a step away, and every city if it knows no states.

use super::rows;
use crate::agent::catalog::Listing;
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, BTreeSet};

/// Up to this distance two cities are one metropolis.
const METRO_KM: f64 = 5.0;
/// Up to this distance a city is nearby.
const NEARBY_KM: f64 = 20.0;
/// The distance within a metropolis.
const METRO: f64 = 0.5;
/// The distance of what is nearby, or of what is not known to be farther.
const NEARBY: f64 = 1.0;

/// All places of a catalogue.
#[derive(Debug, Clone, Default)]
pub(in crate::agent) struct Places {
    towns: Vec<Town>,
    /// Spelling and towns of a name, by key.
    names: BTreeMap<String, (String, Vec<usize>)>,
    /// Spelling and rows of a state, by key.
    states: BTreeMap<String, (String, RoaringBitmap)>,
    /// The town of each row.
    town_of: Vec<Option<usize>>,
    /// The rows without a city.
    pub(super) cityless: RoaringBitmap,
    /// The rows without a state.
    pub(super) stateless: RoaringBitmap,
    /// The rows in a city whose position is not known.
    adrift: RoaringBitmap,
    all: RoaringBitmap,
}

#[derive(Debug, Clone, Default)]
struct Town {
    /// The key of its state.
    state: Option<String>,
    rows: RoaringBitmap,
    centre: Option<(f64, f64)>,
    /// Towns around it, and how far they are.
    around: BTreeMap<usize, f64>,
}

/// The towns a user asked for. Several if the name alone does not tell.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent) struct Asked {
    towns: Vec<usize>,
    /// Whether what lies around them counts as well.
    nearby: bool,
}

impl Places {
    /// Also spells each city and each state of `listings` in one way throughout.
    pub(super) fn new(listings: &mut [Listing]) -> Self {
        let mut places = Self { all: rows(listings, |_| true), ..Self::default() };
        let mut towns: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
        let mut positions: Vec<Vec<(f64, f64)>> = Vec::new();
        for (row, listing) in (0..).zip(listings.iter_mut()) {
            let state = places.enter_state(row, listing);
            let Some(city) = &mut listing.city else {
                places.cityless.insert(row);
                places.town_of.push(None);
                continue;
            };
            let key = key(city);
            let town = *towns.entry((key.clone(), state.clone())).or_insert_with(|| {
                places.towns.push(Town { state, ..Town::default() });
                positions.push(Vec::new());
                places.towns.len() - 1
            });
            let name = places.names.entry(key).or_insert_with(|| (city.clone(), Vec::new()));
            city.clone_from(&name.0);
            if !name.1.contains(&town) {
                name.1.push(town);
            }
            places.town_of.push(Some(town));
            if let Some(town) = places.towns.get_mut(town) {
                town.rows.insert(row);
            }
            if let Some(known) = positions.get_mut(town) {
                known.extend(listing.position);
            }
        }
        for (town, known) in places.towns.iter_mut().zip(positions) {
            town.centre = middle(known);
            if town.centre.is_none() {
                places.adrift |= &town.rows;
            }
        }
        places.find_neighbours();
        places
    }

    /// The key of a listing's state.
    fn enter_state(&mut self, row: u32, listing: &mut Listing) -> Option<String> {
        let Some(state) = &mut listing.state else {
            self.stateless.insert(row);
            return None;
        };
        let key = key(state);
        let known = self.states.entry(key.clone());
        let (spelling, rows) = known.or_insert_with(|| (state.clone(), RoaringBitmap::new()));
        state.clone_from(spelling);
        rows.insert(row);
        Some(key)
    }

    /// Compares each town with those on about its latitude.
    fn find_neighbours(&mut self) {
        const KM_PER_DEGREE: f64 = 111.0;
        let mut centres: Vec<_> = self
            .towns
            .iter()
            .enumerate()
            .filter_map(|(place, town)| town.centre.map(|centre| (centre, place)))
            .collect();
        centres.sort_by(|((a, _), _), ((b, _), _)| a.total_cmp(b));
        let mut pairs = Vec::new();
        for (at, (here, a)) in centres.iter().enumerate() {
            for (there, b) in centres.iter().skip(at + 1) {
                if there.0 - here.0 > NEARBY_KM / KM_PER_DEGREE {
                    break;
                }
                match km(*here, *there) {
                    far if far <= METRO_KM => pairs.push((*a, *b, METRO)),
                    far if far <= NEARBY_KM => pairs.push((*a, *b, NEARBY)),
                    _ => {}
                }
            }
        }
        for (a, b, distance) in pairs {
            for (here, there) in [(a, b), (b, a)] {
                if let Some(town) = self.towns.get_mut(here) {
                    town.around.insert(there, distance);
                }
            }
        }
    }

    pub(in crate::agent) fn city(&self, name: &str) -> Option<&str> {
        self.names.get(&key(name)).map(|(spelling, _)| spelling.as_str())
    }

    pub(in crate::agent) fn cities(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.values().map(|(spelling, _)| spelling.as_str())
    }

    pub(in crate::agent) fn state(&self, name: &str) -> Option<&str> {
        self.states.get(&key(name)).map(|(spelling, _)| spelling.as_str())
    }

    pub(in crate::agent) fn states_of(&self, city: &str) -> Vec<&str> {
        let towns = self.names.get(&key(city)).into_iter().flat_map(|(_, towns)| towns);
        let states = towns.filter_map(|town| self.towns.get(*town)?.state.as_ref());
        let mut states: Vec<_> = states.filter_map(|state| self.state(state)).collect();
        states.sort_unstable();
        states
    }

    /// The towns of this name: in `state`, if there is such a one.
    pub(in crate::agent) fn asked(&self, city: &str, state: Option<&str>, nearby: bool) -> Asked {
        let named = self.names.get(&key(city)).map(|(_, towns)| towns.clone()).unwrap_or_default();
        let state = state.map(key);
        let there = |town: &usize| self.towns.get(*town).is_some_and(|town| town.state == state);
        let mut towns: Vec<_> = named.iter().copied().filter(there).collect();
        if towns.is_empty() {
            towns = named;
        }
        Asked { towns, nearby }
    }

    /// The rows at most `reach` from what was asked for.
    pub(super) fn within(&self, asked: &Asked, reach: f64) -> RoaringBitmap {
        if asked.nearby && reach < NEARBY {
            return self.within(asked, NEARBY) - &self.cityless;
        }
        if asked.towns.is_empty() {
            return if reach >= NEARBY { self.all.clone() } else { RoaringBitmap::new() };
        }
        let mut rows = RoaringBitmap::new();
        for town in asked.towns.iter().filter_map(|town| self.towns.get(*town)) {
            rows |= &town.rows;
            let around = town.around.iter().filter(|(_, distance)| **distance <= reach);
            for neighbour in around.filter_map(|(place, _)| self.towns.get(*place)) {
                rows |= &neighbour.rows;
            }
            if reach >= NEARBY {
                let unmapped = if town.centre.is_some() { &self.adrift } else { &self.all };
                match town.state.as_ref().and_then(|state| self.states.get(state)) {
                    Some((_, state)) => rows |= unmapped & &(state | &self.stateless),
                    None => rows |= unmapped,
                }
            }
        }
        rows
    }

    /// How far a row is from what was asked for.
    pub(super) fn distance(&self, asked: &Asked, row: u32) -> f64 {
        let place = self.town(row);
        let distances = asked.towns.iter().map(|town| match self.towns.get(*town) {
            Some(_) if place == Some(*town) => 0.0,
            Some(from) => self.apart(from, place, row),
            None => f64::INFINITY,
        });
        let nearest = distances.min_by(f64::total_cmp).unwrap_or(NEARBY);
        if asked.nearby && place.is_some() && nearest <= NEARBY { 0.0 } else { nearest }
    }

    fn town(&self, row: u32) -> Option<usize> {
        self.town_of.get(usize::try_from(row).ok()?).copied().flatten()
    }

    /// The cities of `rows`, in alphabetical order.
    pub(super) fn cities_of(&self, rows: &RoaringBitmap) -> Vec<String> {
        /// Below this it is faster to look at each row than at each city.
        const FEW: u64 = 256;
        let among: BTreeSet<usize> = if rows.len() <= FEW {
            rows.iter().filter_map(|row| self.town(row)).collect()
        } else {
            let towns = self.towns.iter().enumerate();
            towns.filter(|(_, town)| !town.rows.is_disjoint(rows)).map(|(at, _)| at).collect()
        };
        let named = self.names.values();
        let named = named.filter(|(_, towns)| towns.iter().any(|town| among.contains(town)));
        let mut cities: Vec<_> = named.map(|(spelling, _)| spelling.clone()).collect();
        cities.sort();
        cities
    }

    /// The states of `rows`, in alphabetical order.
    pub(in crate::agent) fn states_with(&self, rows: &RoaringBitmap) -> Vec<String> {
        let known = self.states.values().filter(|(_, own)| !own.is_disjoint(rows));
        let mut states: Vec<_> = known.map(|(spelling, _)| spelling.clone()).collect();
        states.sort();
        states
    }

    /// Whether a row is in a state.
    pub(super) fn is_in_state(&self, state: &str, row: u32) -> bool {
        self.states.get(&key(state)).is_some_and(|(_, rows)| rows.contains(row))
    }

    fn apart(&self, from: &Town, place: Option<usize>, row: u32) -> f64 {
        let to = place.and_then(|place| self.towns.get(place));
        let mapped = to.is_some_and(|town| town.centre.is_some());
        if from.centre.is_some() && (mapped || to.is_none()) {
            let around = place.and_then(|place| from.around.get(&place));
            return around.copied().unwrap_or(f64::INFINITY);
        }
        let state = from.state.as_ref().and_then(|state| self.states.get(state));
        let foreign =
            state.is_some_and(|(_, rows)| !rows.contains(row) && !self.stateless.contains(row));
        if foreign { f64::INFINITY } else { NEARBY }
    }

    /// The rows in a state.
    pub(super) fn in_state(&self, state: &str) -> RoaringBitmap {
        self.states.get(&key(state)).map(|(_, rows)| rows.clone()).unwrap_or_default()
    }
}

/// Lower-case words with one space between them; apostrophes vanish.
fn key(name: &str) -> String {
    name.replace(['\'', '’'], "")
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The median of each coordinate: one wrong position does not move a city.
fn middle(positions: Vec<(f64, f64)>) -> Option<(f64, f64)> {
    let (mut north, mut east): (Vec<f64>, Vec<f64>) = positions.into_iter().unzip();
    let median = |degrees: &mut Vec<f64>| {
        degrees.sort_by(f64::total_cmp);
        degrees.get(degrees.len() / 2).copied()
    };
    median(&mut north).zip(median(&mut east))
}

/// The distance on a sphere, good enough for neighbours.
fn km((north, east): (f64, f64), (other_north, other_east): (f64, f64)) -> f64 {
    const EARTH_KM: f64 = 6371.0;
    let up = (other_north - north).to_radians();
    let along = (other_east - east).to_radians() * ((north + other_north) / 2.0).to_radians().cos();
    up.hypot(along) * EARTH_KM
}
