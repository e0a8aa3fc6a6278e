//! The listings, read once and never changed. Knows nothing of users and sentences.
//!
//! Listings are kept by price and id, unknown prices last, whatever the order of rows: a row of the index is
//! a place in that order.

mod listing;
mod read;

pub use listing::Listing;
pub use read::{BadRow, CatalogError, RowFault};

use super::gazetteer::Gazetteer;
use super::index::Index;
pub use crate::contract::agent::Pets;
use crate::contract::id::ListingId;
use std::io;

/// All listings, by price and id.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    listings: Vec<Listing>,
    /// Rows by id.
    by_id: Vec<u32>,
    index: Index,
    gazetteer: Gazetteer,
}

impl Catalog {
    /// Reads a CSV with a header; `catalog/read.rs` says what it may hold and what becomes of other rows.
    ///
    /// # Errors
    /// [`CatalogError`] if the source fails or a column is missing.
    pub fn read(source: impl io::Read) -> Result<(Self, Vec<BadRow>), CatalogError> {
        read::csv(source)
    }

    /// Reads JSON Lines, an object a line, with the columns of a CSV as fields.
    ///
    /// # Errors
    /// [`CatalogError`] if the source fails.
    pub fn read_json_lines(source: impl io::Read) -> Result<(Self, Vec<BadRow>), CatalogError> {
        read::json_lines(source)
    }

    /// Orders and indexes listings with distinct ids.
    fn new(mut listings: Vec<Listing>) -> Self {
        listings.sort_by(|a, b| {
            let key = |x: &Listing| (x.price.is_none(), x.price);
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        let index = Index::new(&mut listings);
        let mut by_id: Vec<_> = (0..).zip(&listings).map(|(row, _)| row).collect();
        by_id.sort_by(|a, b| {
            at(&listings, *a).map(|x| &x.id).cmp(&at(&listings, *b).map(|x| &x.id))
        });
        let gazetteer = Gazetteer::new(&listings);
        Self { listings, by_id, index, gazetteer }
    }

    /// All listings, by price and id, unknown prices last.
    #[must_use]
    pub fn listings(&self) -> &[Listing] {
        &self.listings
    }

    /// The listing with this id.
    #[must_use]
    pub fn get(&self, id: &ListingId) -> Option<&Listing> {
        self.at(self.row(id)?)
    }

    /// The row of the listing with this id.
    pub(super) fn row(&self, id: &ListingId) -> Option<u32> {
        let id_at = |row: &u32| self.at(*row).map(|listing| &listing.id);
        let place = self.by_id.binary_search_by(|row| id_at(row).cmp(&Some(id))).ok()?;
        self.by_id.get(place).copied()
    }

    /// The listing of a row.
    pub(super) fn at(&self, row: u32) -> Option<&Listing> {
        at(&self.listings, row)
    }

    /// The columns and bitmaps.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// The names that users may say for cities and homes.
    pub(super) fn gazetteer(&self) -> &Gazetteer {
        &self.gazetteer
    }

    /// The catalogue's spelling of a city, whatever the case and punctuation of `name`.
    #[must_use]
    pub fn city(&self, name: &str) -> Option<&str> {
        self.index.places().city(name)
    }

    /// All cities, in alphabetical order, each name once.
    pub fn cities(&self) -> impl ExactSizeIterator<Item = &str> {
        self.index.places().cities()
    }

    /// The states in which there is a city of this name, in alphabetical order.
    #[must_use]
    pub fn states_of(&self, city: &str) -> Vec<&str> {
        self.index.places().states_of(city)
    }

    /// The catalogue's spelling of a state, whatever the case of `name`.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&str> {
        self.index.places().state(name)
    }

    /// The catalogue's spelling of a type of home, if a listing is of it.
    #[must_use]
    pub fn property_type(&self, name: &str) -> Option<&str> {
        self.index.property_type(name)
    }
}

fn at(listings: &[Listing], row: u32) -> Option<&Listing> {
    listings.get(usize::try_from(row).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "id,listing_type,price,price_period,beds,baths,sqft,city,property_type,\
        pets_allowed,parking,laundry,furnished,year_built,available,title";

    #[test]
    fn finds_a_city_in_any_case_and_spells_it_one_way() {
        let rows = format!(
            "{HEADER}\na,buy,5,,,,,ST. PAUL,,,,,,,,\nb,buy,4,,,,,St. Paul,,,,,,,,\nc,buy,1,,,,,Coeur d'Alene,,,,,,,,"
        );
        let (catalog, _) = Catalog::read(rows.as_bytes()).unwrap();
        assert_eq!(catalog.city("st paul"), Some("St. Paul"));
        assert_eq!(catalog.city("coeur dalene"), Some("Coeur d'Alene"));
        assert_eq!(catalog.cities().len(), 2);
        let spelled: Vec<_> = catalog.listings().iter().flat_map(|x| &x.city).collect();
        assert_eq!(spelled, ["Coeur d'Alene", "St. Paul", "St. Paul"]);
    }

    #[test]
    fn the_committed_catalogue_is_whole() {
        let text = include_str!("../../../sessions/catalogs/willamette.csv");
        let (catalog, bad) = Catalog::read(text.as_bytes()).unwrap();
        assert_eq!((catalog.listings().len(), bad), (60, Vec::new()));
        let cities: Vec<_> = catalog.cities().collect();
        assert_eq!(cities, ["Bend", "Eugene", "Portland", "Salem"]);
    }
}
