//! What a listing says to a question, and that it does not say. Nothing but its fields is ever used.

use super::catalog::{Listing, Pets};
use super::speak;
use crate::contract::agent::Topic;

/// The answer to one question about one listing, as a sentence about `name`.
pub(super) fn answer(topic: Topic, listing: &Listing, name: &str) -> String {
    stated(topic, listing, name).unwrap_or_else(|| {
        let open = open(topic);
        format!("The listing of {} does not {open}.", speak::inside(name))
    })
}

/// The answer, if the listing states it.
fn stated(topic: Topic, listing: &Listing, name: &str) -> Option<String> {
    match topic {
        Topic::Overview => Some(overview(listing, name)),
        Topic::Price => listing.price.map(|price| {
            let price = speak::price(listing, price);
            // What is told from others by its price is named without it here.
            let name = name.strip_suffix(&format!(" at {price}")).unwrap_or(name);
            format!("{name} is {price}.")
        }),
        Topic::Beds => listing.beds.map(|beds| match beds {
            0 => format!("{name} is a studio, without a separate bedroom."),
            _ => format!("{name} has {}.", speak::count(beds.into(), "bedroom")),
        }),
        Topic::Baths => listing.baths.map(|baths| format!("{name} has {}.", speak::baths(baths))),
        Topic::Size => listing
            .sqft
            .map(|sqft| format!("{name} has {} square feet.", speak::grouped(sqft.into()))),
        Topic::Parking => listing.parking.map(|has| has_or_not(name, has, "parking")),
        Topic::Laundry => listing.laundry.map(|has| has_or_not(name, has, "laundry")),
        Topic::Pets => listing.pets.map(|pets| match pets {
            Pets::Neither => format!("{name} does not allow pets."),
            Pets::Cats => format!("{name} allows cats, but no dogs."),
            Pets::Dogs => format!("{name} allows dogs, but no cats."),
            Pets::Both => format!("{name} allows cats and dogs."),
        }),
        Topic::Furnished => listing.furnished.map(|furnished| {
            let not = if furnished { "" } else { "not " };
            format!("{name} is {not}furnished.")
        }),
        Topic::Year => listing.year_built.map(|year| format!("{name} was built in {year}.")),
        Topic::Available => {
            listing.available.as_ref().map(|day| format!("{name} is available from {day}."))
        }
        Topic::City => listing.city.as_ref().map(|city| format!("{name} is in {city}.")),
        Topic::Address => address(listing, name),
        Topic::Phone => listing
            .phone
            .as_ref()
            .map(|phone| format!("The phone number for {} is {phone}.", speak::inside(name))),
        Topic::Deposit => listing
            .deposit
            .map(|dollars| format!("{name} asks for a deposit of ${}.", speak::grouped(dollars))),
        Topic::PropertyType => {
            listing.property_type.as_ref().map(|kind| format!("{name} is listed as: {kind}."))
        }
    }
}

/// Street, number and city.
fn address(listing: &Listing, name: &str) -> Option<String> {
    let street = listing.address.as_ref()?;
    let city = listing.city.as_ref().map(|city| format!(", {city}"));
    Some(format!("{name} is at {street}{}.", city.unwrap_or_default()))
}

/// What the listing states, as the catalogue writes it.
pub(super) fn fact(topic: Topic, listing: &Listing) -> Option<String> {
    let flag = |value: Option<bool>| value.map(|has| if has { "yes" } else { "no" }.to_owned());
    match topic {
        Topic::Overview => None,
        Topic::Price => listing.price.map(|price| price.to_string()),
        Topic::Beds => listing.beds.map(|beds| beds.to_string()),
        Topic::Baths => listing.baths.map(|baths| baths.to_string()),
        Topic::Size => listing.sqft.map(|sqft| sqft.to_string()),
        Topic::Parking => flag(listing.parking),
        Topic::Pets => listing.pets.map(|pets| {
            let pets = match pets {
                Pets::Neither => "none",
                Pets::Cats => "cats",
                Pets::Dogs => "dogs",
                Pets::Both => "cats|dogs",
            };
            pets.to_owned()
        }),
        Topic::Laundry => flag(listing.laundry),
        Topic::Furnished => flag(listing.furnished),
        Topic::Year => listing.year_built.map(|year| year.to_string()),
        Topic::Available => listing.available.clone(),
        Topic::City => listing.city.clone(),
        Topic::Address => listing.address.clone(),
        Topic::Phone => listing.phone.clone(),
        Topic::Deposit => listing.deposit.map(|dollars| dollars.to_string()),
        Topic::PropertyType => listing.property_type.clone(),
    }
}

fn has_or_not(name: &str, has: bool, what: &str) -> String {
    let verb = if has { "has" } else { "has no" };
    format!("{name} {verb} {what}.")
}

/// What the listing does not do.
fn open(topic: Topic) -> &'static str {
    match topic {
        Topic::Overview => "say more",
        Topic::Price => "say what it costs",
        Topic::Beds => "say how many bedrooms it has",
        Topic::Baths => "say how many baths it has",
        Topic::Size => "say how big it is",
        Topic::Parking => "say whether there is parking",
        Topic::Pets => "say whether pets are allowed",
        Topic::Laundry => "say whether there is laundry",
        Topic::Furnished => "say whether it is furnished",
        Topic::Year => "say when it was built",
        Topic::Available => "say when it is available",
        Topic::City => "say which city it is in",
        Topic::Address => "give an address",
        Topic::Phone => "give a phone number",
        Topic::Deposit => "say whether there is a deposit",
        Topic::PropertyType => "say what kind of home it is",
    }
}

/// All that matters of a listing, with what it does not state left out.
fn overview(listing: &Listing, name: &str) -> String {
    const TOPICS: [Topic; 8] = [
        Topic::Size,
        Topic::Parking,
        Topic::Pets,
        Topic::Laundry,
        Topic::Furnished,
        Topic::Year,
        Topic::Available,
        Topic::City,
    ];
    let first = format!("{name}: {}.", speak::summary(listing, name));
    let city = listing.city.as_ref().filter(|_| listing.title.is_none());
    let told = |topic: &&Topic| {
        **topic == Topic::City && city.is_some()
            || **topic == Topic::Size && name.ends_with(" square feet")
    };
    let rest = TOPICS.iter().filter(|topic| !told(topic));
    let rest = rest.filter_map(|topic| stated(*topic, listing, "It"));
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join(" ")
}

/// Homes side by side, and what sets the first two apart in price and size.
pub(super) fn comparison(listings: &[(String, &Listing)]) -> String {
    let lines = listings.iter().map(|(name, listing)| {
        let flags = [
            (listing.parking, "parking"),
            (listing.laundry, "laundry"),
            (listing.furnished, "furniture"),
        ];
        let more = listing
            .sqft
            .map(|sqft| format!("{} square feet", speak::grouped(sqft.into())))
            .into_iter()
            .chain(flags.into_iter().filter_map(|(has, what)| {
                has.map(|has| format!("{}{what}", if has { "" } else { "no " }))
            }));
        let facts: Vec<_> = std::iter::once(speak::summary(listing, name)).chain(more).collect();
        format!("{name}: {}.", facts.join(", "))
    });
    let mut text: Vec<_> = lines.collect();
    if let [(_, first), (_, second)] = listings {
        text.extend(difference(first, second));
    }
    text.join(" ")
}

/// "The first is $20,000 cheaper and 100 square feet smaller."
fn difference(first: &Listing, second: &Listing) -> Option<String> {
    let gap = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) if a != b => Some((a.abs_diff(b), a < b)),
        (Some(_) | None, _) => None,
    };
    let price = gap(first.price, second.price).map(|(gap, less)| {
        let word = if less { "cheaper" } else { "dearer" };
        format!("${} {word}", speak::grouped(gap))
    });
    let size = gap(first.sqft.map(u64::from), second.sqft.map(u64::from)).map(|(gap, less)| {
        let word = if less { "smaller" } else { "larger" };
        format!("{} square feet {word}", speak::grouped(gap))
    });
    let parts: Vec<_> = [price, size].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("The first is {}.", parts.join(" and ")))
}
