//! Reads a catalogue from CSV with a header, or from JSON Lines, an object a line.
//!
//! A row that does not fit is reported with line and reason and left out; the rest is served. An empty cell,
//! a `null` or an absent field is unknown.
//!
//! | column | holds | |
//! |---|---|---|
//! | `id` | 1 to 64 of `A-Z a-z 0-9 . _ : -`, unique | in every row |
//! | `listing_type` | `buy`, `rent` | in every row |
//! | `price` | whole dollars | column in every CSV |
//! | `price_period` | what a rent is paid for, empty is `month` | column in every CSV |
//! | `beds`, `sqft`, `year_built` | a whole number; 0 beds are a studio | column in every CSV |
//! | `baths` | a number in quarters | column in every CSV |
//! | `city`, `property_type`, `available`, `title` | text | column in every CSV |
//! | `pets_allowed` | `none`, `cats`, `dogs`, `cats\|dogs`; `yes` and `no` for both or none | column in every CSV |
//! | `parking`, `laundry`, `furnished` | `yes`, `no` | column in every CSV |
//! | `state`, `zip`, `address`, `phone` | text | |
//! | `lat`, `lon` | degrees | |
//! | `amenities` | texts joined by a bar | |
//! | `deposit` | whole dollars | |
//!
//! JSON may say `true` and `false` for yes and no, numbers for numbers, and lists of texts where texts are
//! joined by a bar. Some columns answer to a second name, see [`ALIASES`]; what is not named here is ignored.

use super::Catalog;
use super::listing::Listing;
use crate::contract::agent::{ListingType, Pets};
use crate::contract::id::{BadId, ListingId};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// The columns that a CSV must have.
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

/// The columns that may be absent, which leaves them unknown throughout.
const OPTIONAL: [&str; 8] =
    ["state", "zip", "lat", "lon", "amenities", "address", "phone", "deposit"];

/// Second names of columns, as other collections of listings write them.
const ALIASES: [(&str, &str); 5] = [
    ("title", "property_name"),
    ("city", "area"),
    ("phone", "phone_number"),
    ("parking", "has_garage"),
    ("laundry", "in_unit_laundry"),
];

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
    /// Not an object of plain values.
    #[error("not a JSON object of plain values")]
    Json,
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
    /// The lines cannot be read.
    #[error("the catalogue cannot be read")]
    Lines(#[from] io::Error),
    /// The header lacks a column.
    #[error("the catalogue has no column `{0}`")]
    MissingColumn(&'static str),
}

/// Reads a CSV with a header.
///
/// # Errors
/// [`CatalogError`] if the source fails or a column is missing.
pub(super) fn csv(source: impl io::Read) -> Result<(Catalog, Vec<BadRow>), CatalogError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let columns = Columns::of(reader.headers()?)?;
    let mut harvest = Harvest::default();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        let read = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => columns.listing(&record),
            Err(error) => Err(row_fault(error)?),
        };
        harvest.take(record.position().map_or(line, csv::Position::line), read);
    }
    Ok(harvest.catalog())
}

/// Reads an object a line; empty lines are skipped.
///
/// # Errors
/// [`CatalogError`] if the source fails.
pub(super) fn json_lines(source: impl io::Read) -> Result<(Catalog, Vec<BadRow>), CatalogError> {
    let mut harvest = Harvest::default();
    for (line, bytes) in (1..).zip(io::BufReader::new(source).split(b'\n')) {
        let bytes = bytes?;
        match std::str::from_utf8(&bytes).map(str::trim) {
            Ok("") => {}
            Ok(text) => harvest.take(line, json_listing(text)),
            Err(_) => harvest.take(line, Err(RowFault::Encoding)),
        }
    }
    Ok(harvest.catalog())
}

/// What was read so far.
#[derive(Default)]
struct Harvest {
    listings: BTreeMap<ListingId, Listing>,
    bad: Vec<BadRow>,
}

impl Harvest {
    fn take(&mut self, line: u64, read: Result<Listing, RowFault>) {
        match read {
            Ok(listing) if self.listings.contains_key(&listing.id) => {
                self.bad.push(BadRow { line, why: RowFault::Duplicate(listing.id) });
            }
            Ok(listing) => {
                self.listings.insert(listing.id.clone(), listing);
            }
            Err(why) => self.bad.push(BadRow { line, why }),
        }
    }

    fn catalog(self) -> (Catalog, Vec<BadRow>) {
        (Catalog::new(self.listings.into_values().collect()), self.bad)
    }
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

/// The first of a column's names for which there is something.
fn by_name<T>(column: &'static str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let alias = || ALIASES.iter().find(|(name, _)| *name == column).and_then(|(_, a)| find(a));
    find(column).or_else(alias)
}

/// Where each column of a CSV stands.
struct Columns(BTreeMap<&'static str, usize>);

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, CatalogError> {
        let place = |column| {
            let at = by_name(column, |wanted| header.iter().position(|name| name == wanted));
            at.map(|at| (column, at)).ok_or(CatalogError::MissingColumn(column))
        };
        let mut columns = COLUMNS.into_iter().map(place).collect::<Result<BTreeMap<_, _>, _>>()?;
        columns.extend(OPTIONAL.into_iter().filter_map(|column| place(column).ok()));
        Ok(Self(columns))
    }

    fn listing(&self, record: &csv::StringRecord) -> Result<Listing, RowFault> {
        listing(&|column| self.0.get(column).and_then(|at| record.get(*at)))
    }
}

fn json_listing(text: &str) -> Result<Listing, RowFault> {
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|_| RowFault::Json)?;
    let mut cells = BTreeMap::new();
    for column in COLUMNS.into_iter().chain(OPTIONAL) {
        let value = by_name(column, |name| object.get(name).filter(|value| !value.is_null()));
        if let Some(value) = value {
            cells.insert(column, cell_text(value).ok_or(RowFault::Json)?);
        }
    }
    listing(&|column| cells.get(column).map(String::as_str))
}

/// A value as a CSV would hold it.
fn cell_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Number(number) => {
            let text = number.to_string();
            Some(text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned))
        }
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(items) => {
            items.iter().map(cell_text).collect::<Option<Vec<_>>>().map(|texts| texts.join("|"))
        }
        Value::Object(_) => None,
    }
}

/// The listing whose columns hold what `find` says.
fn listing<'r>(find: &dyn Fn(&'static str) -> Option<&'r str>) -> Result<Listing, RowFault> {
    let cell = |column| Cell { column, value: find(column).filter(|value| !value.is_empty()) };
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
        state: cell("state").text(),
        zip: cell("zip").text(),
        position: cell("lat")
            .one_of("degrees from -90 to 90", degrees(90.0))?
            .zip(cell("lon").one_of("degrees from -180 to 180", degrees(180.0))?),
        address: cell("address").text(),
        phone: cell("phone").text(),
        deposit: cell("deposit").one_of("whole dollars", |text| text.parse().ok())?,
        property_type: cell("property_type").text(),
        pets: cell("pets_allowed").one_of("none, cats, dogs, cats|dogs, yes or no", pets)?,
        parking: cell("parking").one_of("yes or no", yes_or_no)?,
        laundry: cell("laundry").one_of("yes or no", yes_or_no)?,
        furnished: cell("furnished").one_of("yes or no", yes_or_no)?,
        amenities: cell("amenities")
            .value
            .map(|text| text.split('|').map(|item| item.trim().to_owned()).collect())
            .unwrap_or_default(),
        year_built: cell("year_built").one_of("a year", |text| text.parse().ok())?,
        available: cell("available").text(),
        title: cell("title").text(),
    })
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
        "none" | "no" => Some(Pets::Neither),
        "cats" => Some(Pets::Cats),
        "dogs" => Some(Pets::Dogs),
        "cats|dogs" | "dogs|cats" | "yes" => Some(Pets::Both),
        _ => None,
    }
}

/// An angle of at most `limit` either way.
fn degrees(limit: f64) -> impl Fn(&str) -> Option<f64> {
    move |text| text.parse().ok().filter(|angle: &f64| angle.abs() <= limit)
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
    fn reads_objects_with_values_of_their_own_kinds_and_other_names() {
        let lines = concat!(
            r#"{"id":"a","listing_type":"rent","price":1500.0,"beds":2,"baths":1.5,"area":"Salem","#,
            r#""has_garage":true,"pets_allowed":["cats","dogs"],"furnished":null,"lat":44.9,"lon":-123,"#,
            r#""amenities":["Pool","Gym"],"surprise":{"x":1}}"#,
            "\n\n",
            r#"{"id":"b","listing_type":"rent","price":1,"pets_allowed":true,"property_name":"Elm Court"}"#,
            "\n{\"id\":\"a\",\"listing_type\":\"buy\"}\n[1]\n{\"id\":\"c\",\"listing_type\":\"buy\",\"beds\":1.5}\n",
            "{\"id\":\"d\",\"listing_type\":\"buy\",\"city\":{\"x\":1}}\n"
        );
        let (catalog, bad) = json_lines(lines.as_bytes()).unwrap();
        let bad: Vec<_> = bad.iter().map(BadRow::to_string).collect();
        let expected = [
            "line 4: the id `a` is taken by an earlier row",
            "line 5: not a JSON object of plain values",
            "line 6: `1.5` in column `beds` is not a whole number",
            "line 7: not a JSON object of plain values",
        ];
        assert_eq!(bad, expected);
        let [b, a] = catalog.listings() else { panic!("two listings") };
        assert_eq!((b.pets, b.title.as_deref()), (Some(Pets::Both), Some("Elm Court")));
        assert_eq!((a.price, a.baths, a.parking), (Some(1500), Some(1.5), Some(true)));
        assert_eq!((a.city.as_deref(), a.pets), (Some("Salem"), Some(Pets::Both)));
        assert_eq!((a.furnished, a.position), (None, Some((44.9, -123.0))));
        assert_eq!(a.amenities, ["Pool", "Gym"]);
    }
}
