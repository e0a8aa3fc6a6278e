//! What a listing says to a question, and that it does not say. Nothing but its fields is ever used.

use super::catalog::{Listing, Pets};
use super::speak;
use super::understand::Topic;

/// The answer to one question about one listing, as a sentence about `name`.
pub(super) fn answer(topic: Topic, listing: &Listing, name: &str) -> String {
    stated(topic, listing, name).unwrap_or_else(|| {
        let open = open(topic);
        format!("The listing of {} does not say {open}.", inside(name))
    })
}

/// The answer, if the listing states it.
fn stated(topic: Topic, listing: &Listing, name: &str) -> Option<String> {
    match topic {
        Topic::Overview => Some(overview(listing, name)),
        Topic::Price => listing.price.map(|price| {
            let price = speak::price(listing, price);
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
    }
}

fn has_or_not(name: &str, has: bool, what: &str) -> String {
    let verb = if has { "has" } else { "has no" };
    format!("{name} {verb} {what}.")
}

/// What the listing leaves open.
fn open(topic: Topic) -> &'static str {
    match topic {
        Topic::Overview => "more",
        Topic::Price => "what it costs",
        Topic::Beds => "how many bedrooms it has",
        Topic::Baths => "how many baths it has",
        Topic::Size => "how big it is",
        Topic::Parking => "whether there is parking",
        Topic::Pets => "whether pets are allowed",
        Topic::Laundry => "whether there is laundry",
        Topic::Furnished => "whether it is furnished",
        Topic::Year => "when it was built",
        Topic::Available => "when it is available",
        Topic::City => "which city it is in",
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
    let first = format!("{name}: {}.", speak::summary(listing));
    let rest = TOPICS.iter().filter_map(|topic| stated(*topic, listing, "It"));
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join(" ")
}

/// A name inside a sentence.
fn inside(name: &str) -> String {
    name.strip_prefix("The ").map_or_else(|| name.to_owned(), |rest| format!("the {rest}"))
}
