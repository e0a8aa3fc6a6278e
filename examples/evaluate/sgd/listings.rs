//! The homes of the dialogues as a catalogue: the results that the service gave, what was offered without
//! results, and a list of more.

use super::dialogue::{Dialogue, Turn};
use crate::Failure;
use assistant::agent::Catalog;
use assistant::contract::agent::ListingType;
use assistant::contract::id::ListingId;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: [&str; 18] = [
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
    "address",
    "phone",
];

/// The homes, and how to find one again.
#[derive(Debug)]
pub(crate) struct Homes {
    pub(super) catalog: Catalog,
    by_name: BTreeMap<String, Vec<ListingId>>,
}

/// A row of the catalogue by column.
type Row = BTreeMap<&'static str, String>;

impl Homes {
    /// From all dialogues and further listings in the data's own format.
    pub(super) fn of(
        dialogues: &[Dialogue],
        known: &[Map<String, Value>],
    ) -> Result<Self, Failure> {
        let mut rows: BTreeSet<Row> = known.iter().map(known_row).collect();
        let turns = || dialogues.iter().flat_map(|dialogue| &dialogue.turns).filter(|t| t.homes);
        rows.extend(turns().flat_map(|turn| &turn.service_results).map(result_row));
        let names: BTreeSet<_> =
            rows.iter().filter_map(|row| row.get("title")).map(|t| key(t)).collect();
        // Dialogues without results still offer homes.
        let offered = turns().filter_map(offer_row);
        let unknown: Vec<_> = offered
            .filter(|row| row.get("title").is_some_and(|t| !names.contains(&key(t))))
            .collect();
        rows.extend(unknown);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS)?;
        for (at, row) in rows.iter().enumerate() {
            let cell = |column: &str| match column {
                "id" => format!("h-{at}"),
                _ => row.get(column).cloned().unwrap_or_default(),
            };
            writer.write_record(COLUMNS.map(cell))?;
        }
        let (catalog, bad) = Catalog::read(writer.into_inner()?.as_slice())?;
        if let Some(row) = bad.first() {
            return Err(format!("a listing does not fit: {row}").into());
        }
        let mut by_name: BTreeMap<String, Vec<ListingId>> = BTreeMap::new();
        for listing in catalog.listings() {
            if let Some(title) = &listing.title {
                by_name.entry(key(title)).or_default().push(listing.id.clone());
            }
        }
        Ok(Self { catalog, by_name })
    }

    /// The home that a turn of the system offers: by name, and by whatever else it says.
    pub(super) fn offered(&self, turn: &Turn) -> Option<ListingId> {
        let ids = self.by_name.get(&key(turn.value("OFFER", "property_name")?.canonical()?))?;
        let says = |slot: &str| turn.value("OFFER", slot).and_then(|act| act.canonical());
        let agrees = |said: Option<&str>, has: Option<String>| match (said, has) {
            (Some(said), Some(has)) => usize::from(key(said) == key(&has)),
            (Some(_) | None, _) => 0,
        };
        let score = |id: &&ListingId| {
            let listing = self.catalog.get(id);
            listing.map_or(0, |home| {
                agrees(says("address"), home.address.clone())
                    + agrees(says("number_of_beds"), home.beds.map(|x| x.to_string()))
                    + agrees(says("number_of_baths"), home.baths.map(|x| x.to_string()))
                    + agrees(says("rent").or(says("price")), home.price.map(|x| x.to_string()))
            })
        };
        ids.iter().rev().max_by_key(score).cloned()
    }

    /// A home of this name, one of `near` if possible.
    pub(super) fn named(&self, name: &str, near: &[ListingId]) -> Option<ListingId> {
        let ids = self.by_name.get(&key(name))?;
        ids.iter().find(|id| near.contains(id)).or_else(|| ids.first()).cloned()
    }
}

/// Lower-case letters and digits.
fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => if *flag { "True" } else { "False" }.to_owned(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn flag(text: &str, [yes, no]: [&str; 2]) -> String {
    match text {
        "True" => yes.to_owned(),
        "False" => no.to_owned(),
        _ => String::new(),
    }
}

/// A listing of the data's own list.
fn known_row(listing: &Map<String, Value>) -> Row {
    let get = |name: &str| text(listing.get(name));
    Row::from([
        ("listing_type", get("listing_type")),
        ("price", get("price")),
        ("beds", get("beds")),
        ("baths", get("baths")),
        ("city", get("area")),
        ("pets_allowed", flag(&get("pets_allowed"), ["cats|dogs", "none"])),
        ("parking", flag(&get("has_garage"), ["yes", "no"])),
        ("laundry", flag(&get("in_unit_laundry"), ["yes", "no"])),
        ("furnished", flag(&get("furnished"), ["yes", "no"])),
        ("title", get("property_name")),
        ("address", get("address")),
        ("phone", get("phone_number")),
    ])
}

/// A result of either service.
fn result_row(result: &Map<String, Value>) -> Row {
    let get = |name: &str| text(result.get(name));
    row(&get)
}

/// What a turn offers, if it offers a home.
fn offer_row(turn: &Turn) -> Option<Row> {
    turn.value("OFFER", "property_name")?;
    let get = |name: &str| {
        let said = turn.value("OFFER", name).and_then(|act| act.canonical());
        said.unwrap_or_default().to_owned()
    };
    Some(row(&get))
}

fn row(get: &dyn Fn(&str) -> String) -> Row {
    let kind = match get("intent").as_str() {
        "buy" => ListingType::Buy,
        _ => ListingType::Rent,
    };
    let price = [get("rent"), get("price")].concat();
    Row::from([
        ("listing_type", if kind == ListingType::Buy { "buy" } else { "rent" }.to_owned()),
        ("price", digits(&price)),
        ("beds", get("number_of_beds")),
        ("baths", get("number_of_baths")),
        ("city", get("area")),
        ("pets_allowed", flag(&get("pets_allowed"), ["cats|dogs", "none"])),
        ("parking", flag(&get("has_garage"), ["yes", "no"])),
        ("laundry", flag(&get("in_unit_laundry"), ["yes", "no"])),
        ("furnished", flag(&get("furnished"), ["yes", "no"])),
        ("title", get("property_name")),
        ("address", get("address")),
        ("phone", get("phone_number")),
    ])
}
