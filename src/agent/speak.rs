//! The sentences of the agent: short, friendly, the same for the same facts. Decides nothing.

use super::catalog::{Catalog, Listing};
use crate::contract::agent::{Card, ListingType, PetWish, Slots};

/// A listing as the user sees it, noting which of its `open` subjects were asked for and are not stated.
pub(super) fn card(listing: &Listing, open: &[&str]) -> Card {
    let unstated = open.iter().map(|subject| format!("{subject} not stated"));
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
        state: listing.state.clone(),
        address: listing.address.clone(),
        phone: listing.phone.clone(),
        property_type: listing.property_type.clone(),
        pets: listing.pets,
        parking: listing.parking,
        laundry: listing.laundry,
        furnished: listing.furnished,
        year_built: listing.year_built,
        available: listing.available.clone(),
        deposit: listing.deposit,
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

/// Price, bedrooms and baths, as far as stated and not part of `name`.
pub(super) fn summary(listing: &Listing, name: &str) -> String {
    let said = |fact: &String| name.contains(fact.as_str());
    let facts = [
        listing.price.map(|dollars| price(listing, dollars)).filter(|price| !said(price)),
        listing.beds.filter(|_| listing.title.is_some()).map(|beds| match beds {
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
pub(super) fn money(dollars: u64, kind: Option<ListingType>) -> String {
    let month = if kind == Some(ListingType::Rent) { "/month" } else { "" };
    format!("${}{month}", grouped(dollars))
}

/// Digits in groups of three.
#[must_use]
pub fn grouped(number: u64) -> String {
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
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{} {}", grouped(number), plural(noun)),
    }
}

/// More than one.
fn plural(noun: &str) -> String {
    let ending = if noun.ends_with(['s', 'x']) { "es" } else { "s" };
    format!("{noun}{ending}")
}

/// "1 bath", "2.5 baths".
pub(super) fn baths(number: f64) -> String {
    let plural = if number > 1.0 || number == 0.0 { "s" } else { "" };
    format!("{number} bath{plural}")
}

/// "a", "a and b", "a, b and c".
pub(super) fn list(items: &[String], joint: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} {joint} {last}", rest.join(", ")),
    }
}

/// " for sale in Bend with at least 3 bedrooms and parking at up to $450,000".
pub(super) fn wanted(slots: &Slots) -> String {
    let kind = match slots.listing_type {
        Some(ListingType::Buy) => " for sale",
        Some(ListingType::Rent) => " for rent",
        None => "",
    };
    let places: Vec<_> = slots.city.iter().chain(&slots.state).map(String::as_str).collect();
    let near = if slots.nearby == Some(true) { "in or near" } else { "in" };
    let place = match places.as_slice() {
        [] => String::new(),
        places => format!(" {near} {}", places.join(", ")),
    };
    let with = [
        slots.beds_exact.map(|beds| match beds {
            0 => "no separate bedroom".to_owned(),
            _ => format!("exactly {}", count(beds.into(), "bedroom")),
        }),
        slots.beds_min.map(|beds| format!("at least {}", count(beds.into(), "bedroom"))),
        slots.baths_min.map(|least| format!("at least {}", baths(least))),
        slots.sqft_min.map(|least| format!("at least {} square feet", grouped(least.into()))),
        slots.parking.filter(|wanted| *wanted).map(|_| "parking".to_owned()),
        slots.laundry.filter(|wanted| *wanted).map(|_| "laundry".to_owned()),
        slots.furnished.map(|wanted| if wanted { "furniture" } else { "no furniture" }.to_owned()),
        slots.pets.map(|wish| format!("{} allowed", pets(wish))),
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
    format!("{kind}{place}{with}{price}")
}

/// "1 home", "2 condos".
pub(super) fn homes(slots: &Slots, number: u64) -> String {
    count(number, kind(slots))
}

/// The word for what is looked for.
pub(super) fn kind(slots: &Slots) -> &str {
    slots.property_type.as_deref().unwrap_or("home")
}

/// The word for several of them.
pub(super) fn kinds(slots: &Slots) -> String {
    plural(kind(slots))
}

/// Who must be allowed.
pub(super) fn pets(wish: PetWish) -> &'static str {
    match wish {
        PetWish::Any => "pets",
        PetWish::Cats => "cats",
        PetWish::Dogs => "dogs",
    }
}

/// "2", "2 or 4".
pub(super) fn either(numbers: &[u32]) -> String {
    list(&numbers.iter().map(ToString::to_string).collect::<Vec<_>>(), "or")
}

/// Exact matches.
pub(super) fn found(slots: &Slots, total: u64, shown: u64) -> String {
    let sentence = format!("I found {}{}.", homes(slots, total), wanted(slots));
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
        1 => format!("{here} {shown} more; 1 is still to come."),
        _ => format!("{here} {shown} more; {} are still to come.", grouped(left)),
    }
}

/// Nothing further.
pub(super) fn no_more(slots: &Slots) -> String {
    format!(
        "You have seen every {}{} that I have. Tell me what to change, and I will look again.",
        kind(slots),
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

/// The city lies in several states.
pub(super) fn ask_state(city: &str, states: &[&str]) -> String {
    let states: Vec<_> = states.iter().map(|state| format!("{city}, {state}")).collect();
    format!("There is more than one {city}: {}. Which one do you mean?", list(&states, "and"))
}

/// The user did not say which of several cities.
pub(super) fn several_states(city: &str, states: &[&str]) -> String {
    let states: Vec<_> = states.iter().map(ToString::to_string).collect();
    format!("I looked in every {city}: {}.", list(&states, "and"))
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

/// A wish that no search can take.
pub(super) fn not_searchable(what: &str) -> String {
    format!(
        "I cannot search by {what}; by city, price, bedrooms, baths, size, pets, parking, laundry and \
        furniture I can."
    )
}

/// What the listing of a home has no field for, and its title does not mention.
pub(super) fn says_nothing(what: &str, name: &str) -> String {
    format!("The listing of {} says nothing about {what}.", inside(name))
}

/// What nothing but the title of a home mentions.
pub(super) fn mentions(what: &str, title: &str) -> String {
    format!("The title mentions {what}: {title}.")
}

/// Several cities in one turn.
pub(super) fn one_city(city: &str) -> String {
    format!("I look in one city at a time, now in {city}.")
}

/// Fixed sentences.
pub(super) const NO_HURRY: &str = "Take your time. Your search stays here as it is.";
pub(super) const GONE: &str = "That home is no longer in my listings.";
pub(super) const NOT_STATED_PRICE: &str =
    "The homes I have shown do not state a price that I could undercut.";
pub(super) const NOT_STATED_BEDS: &str =
    "The homes I have shown do not state their bedrooms, so I cannot tell which are bigger.";

/// The catalogue has no homes of that kind.
pub(super) fn no_such_kind(kind: &str) -> String {
    format!("None of my listings says that it is a {kind}.")
}

/// Fewer than two homes to set side by side.
pub(super) fn nothing_to_compare(shown: usize) -> String {
    match shown {
        0 => "I have not shown you homes that I could compare yet.".to_owned(),
        1 => {
            "I have shown you one home just now, so there is nothing to compare it with.".to_owned()
        }
        _ => "Which two of the homes shall I compare?".to_owned(),
    }
}

/// A name inside a sentence.
pub(super) fn inside(name: &str) -> String {
    name.strip_prefix("The ").map_or_else(|| name.to_owned(), |rest| format!("the {rest}"))
}
