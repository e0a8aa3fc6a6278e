//! The listings, read once from CSV and never changed. Knows nothing of users, searches or sentences.
//!
//! An empty cell is unknown, which is not "no". A row that does not fit is left out and reported; the
//! rest is served. Listings are kept by price and id, unknown prices last, whatever the order of rows.

use crate::contract::agent::ListingType;
use crate::contract::id::{BadId, ListingId};
use std::collections::BTreeMap;
use std::io;

/// The columns that must be there; others are ignored.
const COLUMNS: [&str; 16] = [
    "id",
    "listing_type",
    "price",
    "price_period",
    "beds",
    "baths",
    "sqft",
    "city",
    "property_type",
    "pets_allowed",
    "parking",
    "laundry",
    "furnished",
    "year_built",
    "available",
    "title",
];

/// A home on offer. `None` is "not stated".
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Unique in a catalogue.
    pub id: ListingId,
    /// To buy or to rent.
    pub listing_type: ListingType,
    /// Dollars; the rent of a month unless `period` names another span.
    pub price: Option<u64>,
    /// What a rent is paid for, if not a month, such as `week`.
    pub period: Option<String>,
    /// Bedrooms; 0 is a studio.
    pub beds: Option<u32>,
    /// Bathrooms, in quarters.
    pub baths: Option<f64>,
    /// Square feet.
    pub sqft: Option<u32>,
    /// The city, in one spelling throughout a catalogue.
    pub city: Option<String>,
    /// Such as `house` or `apartment`.
    pub property_type: Option<String>,
    /// Which pets may live there.
    pub pets: Option<Pets>,
    /// Whether there is parking.
    pub parking: Option<bool>,
    /// Whether there is laundry.
    pub laundry: Option<bool>,
    /// Whether it is furnished.
    pub furnished: Option<bool>,
    /// The year it was built in.
    pub year_built: Option<u32>,
    /// From when it is free, as the listing says it.
    pub available: Option<String>,
    /// The headline.
    pub title: Option<String>,
}

/// Which pets may live in a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pets {
    /// None.
    Neither,
    /// Cats, no dogs.
    Cats,
    /// Dogs, no cats.
    Dogs,
    /// Cats and dogs.
    Both,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadRow {
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub why: RowFault,
}

/// Why a row is not a listing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Too many or too few cells.
    #[error("{found} cells instead of {wanted}")]
    Cells {
        /// As in the header.
        wanted: u64,
        /// In this row.
        found: u64,
    },
    /// Not text.
    #[error("not UTF-8")]
    Encoding,
    /// The id is missing or of the wrong shape.
    #[error(transparent)]
    Id(#[from] BadId),
    /// An earlier row has this id.
    #[error("the id `{0}` is taken by an earlier row")]
    Duplicate(ListingId),
    /// A cell holds something else than its column.
    #[error("`{value}` in column `{column}` is not {wanted}")]
    Cell {
        /// The column.
        column: &'static str,
        /// The cell, cut to 80 characters.
        value: String,
        /// What belongs there.
        wanted: &'static str,
    },
}

/// Why there is no catalogue at all.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The source cannot be read.
    #[error("the catalogue cannot be read")]
    Read(#[from] csv::Error),
    /// The header lacks a column.
    #[error("the catalogue has no column `{0}`")]
    MissingColumn(&'static str),
}

/// All listings, by price and id.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    listings: Vec<Listing>,
    places: BTreeMap<ListingId, usize>,
    cities: BTreeMap<String, String>,
}

impl Catalog {
    /// Reads a CSV with a header; see the module for what becomes of rows that do not fit.
    ///
    /// # Errors
    /// [`CatalogError`] if the source fails or a column is missing.
    pub fn read(source: impl io::Read) -> Result<(Self, Vec<BadRow>), CatalogError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
        let columns = Columns::of(reader.headers()?)?;
        let mut listings = BTreeMap::new();
        let mut bad = Vec::new();
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line();
            let read = match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => columns.listing(&record),
                Err(error) => Err(row_fault(error)?),
            };
            let line = record.position().map_or(line, csv::Position::line);
            match read {
                Ok(listing) if listings.contains_key(&listing.id) => {
                    bad.push(BadRow { line, why: RowFault::Duplicate(listing.id) });
                }
                Ok(listing) => {
                    listings.insert(listing.id.clone(), listing);
                }
                Err(why) => bad.push(BadRow { line, why }),
            }
        }
        Ok((Self::new(listings.into_values().collect()), bad))
    }

    /// Orders and indexes listings with distinct ids.
    fn new(mut listings: Vec<Listing>) -> Self {
        listings.sort_by(|a, b| {
            let key = |x: &Listing| (x.price.is_none(), x.price);
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        let mut cities = BTreeMap::new();
        for listing in &mut listings {
            if let Some(city) = &mut listing.city {
                let spelling = cities.entry(city_key(city)).or_insert_with(|| city.clone());
                city.clone_from(spelling);
            }
        }
        let places = listings
            .iter()
            .enumerate()
            .map(|(place, listing)| (listing.id.clone(), place))
            .collect();
        Self { listings, places, cities }
    }

    /// All listings, by price and id, unknown prices last.
    #[must_use]
    pub fn listings(&self) -> &[Listing] {
        &self.listings
    }

    /// The listing with this id.
    #[must_use]
    pub fn get(&self, id: &ListingId) -> Option<&Listing> {
        self.listings.get(*self.places.get(id)?)
    }

    /// The catalogue's spelling of a city, whatever the case and punctuation of `name`.
    #[must_use]
    pub fn city(&self, name: &str) -> Option<&str> {
        self.cities.get(&city_key(name)).map(String::as_str)
    }

    /// All cities, in alphabetical order.
    pub fn cities(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cities.values().map(String::as_str)
    }
}

/// Lower-case words with one space between them; apostrophes vanish.
fn city_key(name: &str) -> String {
    name.replace(['\'', '’'], "")
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A fault of one row, or the error of the whole source.
fn row_fault(error: csv::Error) -> Result<RowFault, CatalogError> {
    let fault = if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() {
        Some(RowFault::Cells { wanted: *expected_len, found: *len })
    } else {
        matches!(error.kind(), csv::ErrorKind::Utf8 { .. }).then_some(RowFault::Encoding)
    };
    fault.ok_or_else(|| error.into())
}

/// Where each column of [`COLUMNS`] stands.
struct Columns(BTreeMap<&'static str, usize>);

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, CatalogError> {
        let place = |column| {
            let at = header.iter().position(|name| name == column);
            at.map(|at| (column, at)).ok_or(CatalogError::MissingColumn(column))
        };
        Ok(Self(COLUMNS.into_iter().map(place).collect::<Result<_, _>>()?))
    }

    fn listing(&self, record: &csv::StringRecord) -> Result<Listing, RowFault> {
        let cell = |column| Cell {
            column,
            value: self
                .0
                .get(column)
                .and_then(|at| record.get(*at))
                .filter(|value| !value.is_empty()),
        };
        Ok(Listing {
            id: ListingId::new(cell("id").value.unwrap_or_default())?,
            listing_type: cell("listing_type")
                .one_of("buy or rent", listing_type)?
                .ok_or_else(|| cell("listing_type").wrong("buy or rent"))?,
            price: cell("price").one_of("whole dollars", |text| text.parse().ok())?,
            period: cell("price_period").text().filter(|text| text != "month"),
            beds: cell("beds").one_of("a whole number", |text| text.parse().ok())?,
            baths: cell("baths").one_of("a number in quarters", quarters)?,
            sqft: cell("sqft").one_of("a whole number", |text| text.parse().ok())?,
            city: cell("city").text(),
            property_type: cell("property_type").text(),
            pets: cell("pets_allowed").one_of("none, cats, dogs or cats|dogs", pets)?,
            parking: cell("parking").one_of("yes or no", yes_or_no)?,
            laundry: cell("laundry").one_of("yes or no", yes_or_no)?,
            furnished: cell("furnished").one_of("yes or no", yes_or_no)?,
            year_built: cell("year_built").one_of("a year", |text| text.parse().ok())?,
            available: cell("available").text(),
            title: cell("title").text(),
        })
    }
}

/// One cell; an empty one has no value.
struct Cell<'r> {
    column: &'static str,
    value: Option<&'r str>,
}

impl Cell<'_> {
    fn text(&self) -> Option<String> {
        self.value.map(str::to_owned)
    }

    fn one_of<T>(
        &self,
        wanted: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, RowFault> {
        self.value.map(|text| parse(text).ok_or_else(|| self.wrong(wanted))).transpose()
    }

    fn wrong(&self, wanted: &'static str) -> RowFault {
        RowFault::Cell {
            column: self.column,
            value: self.value.unwrap_or_default().chars().take(80).collect(),
            wanted,
        }
    }
}

fn listing_type(text: &str) -> Option<ListingType> {
    match text {
        "buy" => Some(ListingType::Buy),
        "rent" => Some(ListingType::Rent),
        _ => None,
    }
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn pets(text: &str) -> Option<Pets> {
    match text {
        "none" => Some(Pets::Neither),
        "cats" => Some(Pets::Cats),
        "dogs" => Some(Pets::Dogs),
        "cats|dogs" | "dogs|cats" => Some(Pets::Both),
        _ => None,
    }
}

/// A count of bathrooms; a source that says `NaN`, `-1` or `1.3` says nothing.
fn quarters(text: &str) -> Option<f64> {
    let count: f64 = text.parse().ok()?;
    ((0.0..=1000.0).contains(&count) && (count * 4.0).fract() == 0.0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "id,listing_type,price,price_period,beds,baths,sqft,city,property_type,\
        pets_allowed,parking,laundry,furnished,year_built,available,title";

    /// The ids in order, then what was left out, a line each.
    fn check(rows: &str, expected: &[&str]) {
        let (catalog, bad) = Catalog::read(format!("{HEADER}\n{rows}").as_bytes()).unwrap();
        let ids = catalog.listings().iter().map(|x| x.id.to_string());
        let got: Vec<_> = ids.chain(bad.iter().map(BadRow::to_string)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn keeps_listings_by_price_and_id_with_unknown_prices_last() {
        check(
            "c,buy,,,,,,,,,,,,,,\nb,buy,5,,,,,,,,,,,,,\nd,rent,4,month,,,,,,,,,,,,\na,buy,5,,,,,,,,,,,,,",
            &["d", "a", "b", "c"],
        );
    }

    #[test]
    fn leaves_out_bad_rows_with_line_and_reason() {
        check(
            "a,buy,5,,,,,,,,,,,,,\na,buy,6,,,,,,,,,,,,,\nb,lease,5,,,,,,,,,,,,,\nc,,5,,,,,,,,,,,,,\n\
             d d,buy,5,,,,,,,,,,,,,\ne,buy,5\nf,buy,-5,,,,,,,,,,,,,\ng,buy,5,,,NaN,,,,,,,,,,\n\
             h,buy,5,,,,,,,,maybe,,,,,\ni,rent,7,month,0,1.25,,,,cats|dogs,yes,no,,1950,,\"A, \"\"b\"\"\"",
            &[
                "a",
                "i",
                "line 3: the id `a` is taken by an earlier row",
                "line 4: `lease` in column `listing_type` is not buy or rent",
                "line 5: `` in column `listing_type` is not buy or rent",
                "line 6: `d d` is not an id: 1 to 64 characters of A-Z a-z 0-9 . _ : -",
                "line 7: 3 cells instead of 16",
                "line 8: `-5` in column `price` is not whole dollars",
                "line 9: `NaN` in column `baths` is not a number in quarters",
                "line 10: `maybe` in column `parking` is not yes or no",
            ],
        );
    }

    #[test]
    fn reports_bytes_that_are_not_text_and_reads_on() {
        let mut bytes = format!("{HEADER}\na,buy,5,,,,,,,,,,,,,").into_bytes();
        bytes.extend(b"\xff\nb,buy,5,,,,,,,,,,,,,\n");
        let (catalog, bad) = Catalog::read(bytes.as_slice()).unwrap();
        assert_eq!(catalog.listings().len(), 1);
        assert_eq!(bad[0].to_string(), "line 2: not UTF-8");
    }

    #[test]
    fn names_a_missing_column() {
        let error = Catalog::read("id,listing_type\n".as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the catalogue has no column `price`");
        assert!(Catalog::read("".as_bytes()).is_err());
    }

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
        let text = include_str!("../../sessions/catalogs/willamette.csv");
        let (catalog, bad) = Catalog::read(text.as_bytes()).unwrap();
        assert_eq!((catalog.listings().len(), bad), (60, Vec::new()));
        let cities: Vec<_> = catalog.cities().collect();
        assert_eq!(cities, ["Bend", "Eugene", "Portland", "Salem"]);
    }
}
