//! The sentences of the agent: short, friendly, the same for the same facts. Decides nothing.

use super::catalog::{Catalog, Listing};
use super::search::{Constraint, Test, Verdict};
use crate::contract::agent::{Card, Change, ListingType, Slots};

/// A listing as the user sees it, noting which of `demands` it leaves unstated.
pub(super) fn card(listing: &Listing, demands: &[Constraint]) -> Card {
    let unstated = demands
        .iter()
        .filter(|demand| matches!(demand.verdict(listing), Verdict::Unstated(_)))
        .map(|demand| format!("{} not stated", subject(demand)));
    let period = listing.period.iter().map(|period| format!("rent per {period}"));
    Card {
        id: listing.id.clone(),
        title: name(listing),
        listing_type: listing.listing_type,
        price: listing.price,
        beds: listing.beds,
        baths: listing.baths,
        sqft: listing.sqft,
        city: listing.city.clone(),
        notes: unstated.chain(period).collect(),
    }
}

/// The headline, or what can be said in its place.
pub(super) fn name(listing: &Listing) -> String {
    if let Some(title) = &listing.title {
        return title.clone();
    }
    let kind = listing.property_type.as_deref().unwrap_or("home");
    let beds = match listing.beds {
        Some(0) => "studio ".to_owned(),
        Some(beds) => format!("{beds}-bedroom "),
        None => String::new(),
    };
    let place = listing.city.as_ref().map(|city| format!(" in {city}"));
    format!("The {beds}{kind}{}", place.unwrap_or_default())
}

/// Price, bedrooms and baths, as far as stated.
pub(super) fn summary(listing: &Listing) -> String {
    let facts = [
        listing.price.map(|dollars| price(listing, dollars)),
        listing.beds.map(|beds| match beds {
            0 => "studio".to_owned(),
            _ => count(beds.into(), "bedroom"),
        }),
        listing.baths.map(baths),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    if facts.is_empty() {
        "price, bedrooms and baths not stated".to_owned()
    } else {
        facts.join(", ")
    }
}

/// The price of a listing, with what a rent is paid for.
pub(super) fn price(listing: &Listing, dollars: u64) -> String {
    match &listing.period {
        Some(period) => format!("${}/{}", grouped(dollars), period.to_lowercase()),
        None => money(dollars, Some(listing.listing_type)),
    }
}

/// `$1,250,000`, `$2,100/month`.
fn money(dollars: u64, kind: Option<ListingType>) -> String {
    let month = if kind == Some(ListingType::Rent) { "/month" } else { "" };
    format!("${}{month}", grouped(dollars))
}

/// Digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// "1 home", "2 homes".
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// "1 bath", "2.5 baths".
pub(super) fn baths(number: f64) -> String {
    let plural = if number > 1.0 || number == 0.0 { "s" } else { "" };
    format!("{number} bath{plural}")
}

/// "a", "a and b", "a, b and c".
fn list(items: &[String], joint: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} {joint} {last}", rest.join(", ")),
    }
}

/// What a demand is about.
fn subject(demand: &Constraint) -> &'static str {
    match demand.test {
        Test::BathsMin(_) => "baths",
        Test::BedsMin(_) => "bedrooms",
        Test::City(_) => "city",
        Test::Type(_) => "rent or sale",
        Test::Parking => "parking",
        Test::PriceMax(_) | Test::PriceMin(_) => "price",
    }
}

/// " for sale in Bend with at least 3 bedrooms and parking at up to $450,000".
fn wanted(slots: &Slots) -> String {
    let kind = match slots.listing_type {
        Some(ListingType::Buy) => " for sale",
        Some(ListingType::Rent) => " for rent",
        None => "",
    };
    let city = slots.city.as_ref().map(|city| format!(" in {city}"));
    let with = [
        slots.beds_min.map(|beds| format!("at least {}", count(beds.into(), "bedroom"))),
        slots.baths_min.map(|least| format!("at least {}", baths(least))),
        slots.parking.filter(|wanted| *wanted).map(|_| "parking".to_owned()),
    ];
    let with: Vec<_> = with.into_iter().flatten().collect();
    let with = match with.as_slice() {
        [] => String::new(),
        items => format!(" with {}", list(items, "and")),
    };
    let money = |dollars| money(dollars, slots.listing_type);
    let price = match (slots.price_min, slots.price_max) {
        (None, None) => String::new(),
        (Some(min), None) => format!(" from {}", money(min)),
        (None, Some(max)) => format!(" at up to {}", money(max)),
        (Some(min), Some(max)) => format!(" from {} to {}", money(min), money(max)),
    };
    format!("{kind}{}{with}{price}", city.unwrap_or_default())
}

/// Exact matches.
pub(super) fn found(slots: &Slots, total: u64, shown: u64) -> String {
    let sentence = format!("I found {}{}.", count(total, "home"), wanted(slots));
    if shown == total {
        return sentence;
    }
    format!("{sentence} Here are the {shown} with the lowest prices; ask for more to see the rest.")
}

/// Further matches, with `left` still unseen.
pub(super) fn further(shown: u64, left: u64) -> String {
    let here = if shown == 1 { "Here is" } else { "Here are" };
    match left {
        0 => format!("{here} {shown} more. That is all of them."),
        _ => format!("{here} {shown} more; {left} are still to come."),
    }
}

/// Nothing further.
pub(super) fn no_more(slots: &Slots) -> String {
    format!(
        "You have seen every home{} that I have. Tell me what to change, and I will look again.",
        wanted(slots)
    )
}

/// Nothing further that comes near, while a relaxation is on offer.
pub(super) fn no_more_near(slots: &Slots) -> String {
    format!(
        "I found no home{}, and you have seen all that come close. Shall I go on with those?",
        wanted(slots)
    )
}

/// Listings that leave something unstated, after all that match.
pub(super) fn unstated(shown: u64) -> String {
    match shown {
        1 => "That is all that surely matches. This one fits, but does not state everything you asked for.".to_owned(),
        _ => "That is all that surely matches. These fit, but do not state everything you asked for.".to_owned(),
    }
}

/// Near misses: what was asked, what would have to change, and the question whether it may.
pub(super) fn relaxation(slots: &Slots, changes: &[Change], shown: u64, total: u64) -> String {
    let nothing = format!("I found no home{}.", wanted(slots));
    let fit = match (shown, total) {
        (1, 1) => "this home fits".to_owned(),
        (shown, total) if shown == total => format!("these {shown} homes fit"),
        _ => format!("these {shown} fit, the closest of {total} near matches"),
    };
    if changes.is_empty() {
        return format!(
            "{nothing} The closest leave open whether they fit. Shall I go on with such homes?"
        );
    }
    let steps: Vec<_> = changes.iter().map(|change| step(change, slots)).collect();
    let steps = list(&steps, "and");
    format!("{nothing} If you {steps}, {fit}. Shall I go on with that?")
}

/// What the user would have to do.
fn step(change: &Change, slots: &Slots) -> String {
    let money = |dollars: &u64| money(*dollars, slots.listing_type);
    match change {
        Change::PriceMax { from, to } => {
            format!("go up to {} instead of {}", money(to), money(from))
        }
        Change::PriceMin { from, to } => {
            format!("go down to {} instead of {}", money(to), money(from))
        }
        Change::BedsMin { from, to } => {
            format!("take {} instead of {from}", count((*to).into(), "bedroom"))
        }
        Change::BathsMin { from, to } => format!("take {} instead of {from}", baths(*to)),
        Change::City { from, to } if to.is_empty() => format!("look outside {from}"),
        Change::City { from, to } => format!("look in {} instead of {from}", list(to, "or")),
        Change::Parking {} => "do not insist on parking".to_owned(),
    }
}

/// The other ways out: how many homes, and under which changes.
pub(super) fn otherwise(ways: &[(u64, Vec<Change>)], slots: &Slots) -> String {
    let money = |dollars: &u64| money(*dollars, slots.listing_type);
    let under = |change: &Change| match change {
        Change::PriceMax { to, .. } => format!("at up to {}", money(to)),
        Change::PriceMin { to, .. } => format!("from {}", money(to)),
        Change::BedsMin { to, .. } => format!("with {}", count((*to).into(), "bedroom")),
        Change::BathsMin { to, .. } => format!("with {}", baths(*to)),
        Change::City { .. } => "in another city".to_owned(),
        Change::Parking {} => "without stated parking".to_owned(),
    };
    let way = |(total, changes): &(u64, Vec<Change>)| {
        let under: Vec<_> = changes.iter().map(under).collect();
        format!("{total} {}", under.join(" "))
    };
    let ways: Vec<_> = ways.iter().map(way).collect();
    format!("Otherwise I have {}.", list(&ways, "or"))
}

/// Nothing, not even close; `cause` cannot be met together.
pub(super) fn impossible(slots: &Slots, cause: &[&Constraint]) -> String {
    let nothing = format!("I found no home{}, and nothing close to it.", wanted(slots));
    let demands: Vec<_> = cause.iter().map(|demand| phrase(demand, slots)).collect();
    let why = match demands.as_slice() {
        [] => return "I have no homes to offer at the moment.".to_owned(),
        [only] => format!("No listing is {only}."),
        _ => format!("No listing is {} at once.", list(&demands, "and")),
    };
    format!("{nothing} {why}")
}

/// A demand, after "is".
fn phrase(demand: &Constraint, slots: &Slots) -> String {
    match &demand.test {
        Test::BathsMin(least) => format!("known to have at least {}", baths(*least)),
        Test::BedsMin(least) => {
            format!("known to have at least {}", count((*least).into(), "bedroom"))
        }
        Test::City(city) => format!("in {city}"),
        Test::Type(ListingType::Buy) => "for sale".to_owned(),
        Test::Type(ListingType::Rent) => "for rent".to_owned(),
        Test::Parking => "known to have parking".to_owned(),
        Test::PriceMax(max) => format!("priced at up to {}", money(*max, slots.listing_type)),
        Test::PriceMin(min) => format!("priced from {}", money(*min, slots.listing_type)),
    }
}

/// The question about one demand that could give way.
pub(super) fn give_way(demand: &Constraint) -> &'static str {
    match demand.test {
        Test::BathsMin(_) => "How few baths would do?",
        Test::BedsMin(_) => "How few bedrooms would do?",
        Test::City(_) => "Which other city would do?",
        Test::Type(_) => "Would you rather rent or buy?",
        Test::Parking => "Would you do without parking?",
        Test::PriceMax(_) => "How high could you go?",
        Test::PriceMin(_) => "How low could you go?",
    }
}

/// Yes to a relaxation, and how many of its homes are left to show.
pub(super) fn accepted(slots: &Slots, shown: u64, left: u64) -> String {
    let wanted = wanted(slots);
    match shown {
        0 => format!("Good, from now on I look for homes{wanted}. You have seen all of them."),
        _ => format!("Good, from now on I look for homes{wanted}. {}", further(shown, left)),
    }
}

/// No to a relaxation.
pub(super) fn refused(slots: &Slots) -> String {
    format!(
        "All right, I stay with homes{}. Tell me what else to change, and I will look again.",
        wanted(slots)
    )
}

/// Which city?
pub(super) fn ask_city(catalog: &Catalog) -> String {
    format!("In which city shall I look? {}", offered_cities(catalog))
}

/// The city asked for is not in the catalogue.
pub(super) fn elsewhere(city: &str, catalog: &Catalog) -> String {
    format!("I have no homes in {city}. {} Which shall it be?", offered_cities(catalog))
}

/// A few cities by name, or how many there are.
fn offered_cities(catalog: &Catalog) -> String {
    const NAMED_CITIES_MAX: usize = 6;
    let cities = catalog.cities();
    if cities.len() > NAMED_CITIES_MAX {
        return format!("I have homes in {} cities.", cities.len());
    }
    let cities: Vec<_> = cities.map(str::to_owned).collect();
    format!("I have homes in {}.", list(&cities, "and"))
}

/// A question about a listing that was never shown.
pub(super) fn never_shown(shown: usize, seen: usize) -> String {
    const WORDS: [&str; 4] = ["no", "one", "two", "three"];
    let number = WORDS.get(shown).map_or_else(|| shown.to_string(), ToString::to_string);
    let homes = if shown == 1 { "home" } else { "homes" };
    let when = if seen > shown { "just now" } else { "so far" };
    if shown == 0 {
        return "I have not shown you a home yet. Tell me what you are looking for, and I will."
            .to_owned();
    }
    format!("I have shown you {number} {homes} {when}, so I cannot tell which you mean.")
}

/// Fixed sentences.
pub(super) const GONE: &str = "That home is no longer in my listings.";
pub(super) const NOT_STATED_PRICE: &str =
    "The homes I have shown do not state a price that I could undercut.";
pub(super) const NOT_STATED_BEDS: &str =
    "The homes I have shown do not state their bedrooms, so I cannot tell which are bigger.";
