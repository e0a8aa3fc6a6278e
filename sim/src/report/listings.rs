//! Listings and relaxations as lines of text. What a listing does not state is shown as unknown, never as "no".

use assistant::contract::agent::{Card, Change, ListingType, RelaxationNote};

/// Listings as a table; what a listing does not state is a `?`.
pub(super) fn cards(cards: &[Card]) -> Vec<String> {
    let rows: Vec<[String; 7]> = cards.iter().map(cells).collect();
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter()
        .map(|row| {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

fn cells(card: &Card) -> [String; 7] {
    let unknown = || "?".to_owned();
    let month = match card.listing_type {
        ListingType::Buy => "",
        ListingType::Rent => "/month",
    };
    let beds = match card.beds {
        None => "? bd".to_owned(),
        Some(0) => "studio".to_owned(),
        Some(beds) => format!("{beds} bd"),
    };
    let notes: String = card.notes.iter().map(|note| format!(" [{note}]")).collect();
    [
        card.id.to_string(),
        card.price.map_or_else(unknown, |price| format!("${}{month}", thousands(price))),
        beds,
        card.baths.map_or_else(|| "? ba".to_owned(), |baths| format!("{baths} ba")),
        card.sqft
            .map_or_else(|| "? sqft".to_owned(), |sqft| format!("{} sqft", thousands(sqft.into()))),
        card.city.clone().unwrap_or_else(unknown),
        format!("{}{notes}", card.title),
    ]
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What was stretched to find listings, in one line.
pub(super) fn stretched(note: &RelaxationNote) -> String {
    let changes: Vec<String> = note.changes.iter().map(change_words).collect();
    let listings = if note.count == 1 { "listing" } else { "listings" };
    format!("stretched  {} ({} {listings})", changes.join(", "), note.count)
}

fn change_words(change: &Change) -> String {
    match change {
        Change::PriceMax { from, to } => format!("price_max {from} -> {to}"),
        Change::PriceMin { from, to } => format!("price_min {from} -> {to}"),
        Change::BedsMin { from, to } => format!("beds_min {from} -> {to}"),
        Change::BathsMin { from, to } => format!("baths_min {from} -> {to}"),
        Change::City { from, to } => format!("city {from} -> {}", to.join(", ")),
        Change::State { from, to } => format!("state {from} -> {}", to.join(", ")),
        Change::BedsExact { from, to } => {
            let to: Vec<_> = to.iter().map(ToString::to_string).collect();
            format!("beds_exact {from} -> {}", to.join(", "))
        }
        Change::SqftMin { from, to } => format!("sqft_min {from} -> {to}"),
        Change::Parking {} => "parking dropped".to_owned(),
        Change::Laundry {} => "laundry dropped".to_owned(),
        Change::Furnished {} => "furnished dropped".to_owned(),
        Change::Pets {} => "pets dropped".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_unknown_of_a_listing() {
        let card = Card {
            id: "L-1".parse().unwrap(),
            title: "Room".to_owned(),
            listing_type: ListingType::Rent,
            price: Some(1_234_500),
            beds: Some(0),
            baths: None,
            sqft: None,
            city: None,
            state: None,
            address: None,
            phone: None,
            property_type: None,
            pets: None,
            parking: None,
            laundry: None,
            furnished: None,
            year_built: None,
            available: None,
            deposit: None,
            notes: vec!["pets not stated".to_owned()],
        };
        let expected = "L-1  $1,234,500/month  studio  ? ba  ? sqft  ?  Room [pets not stated]";
        assert_eq!(cards(&[card]), [expected]);
    }

    #[test]
    fn names_every_stretched_constraint() {
        let changes = vec![
            Change::PriceMax { from: 400, to: 412 },
            Change::BedsMin { from: 2, to: 1 },
            Change::BathsMin { from: 1.5, to: 1.0 },
            Change::City {
                from: "Portland".to_owned(),
                to: vec!["Gresham".to_owned(), "Salem".to_owned()],
            },
            Change::Parking {},
        ];
        let text = stretched(&RelaxationNote { changes, count: 1 });
        let expected = "stretched  price_max 400 -> 412, beds_min 2 -> 1, baths_min 1.5 -> 1, \
                        city Portland -> Gresham, Salem, parking dropped (1 listing)";
        assert_eq!(text, expected);
    }
}
