//! What a home shall have besides rooms: pets allowed, parking, laundry, furniture; to buy or to rent; of
//! which type. Each is a word or two, wished for or waived.

use super::Context;
use super::phrase::{begins, find, holds, is, longest};
use super::slot::{Found, Strength, Value};
use crate::contract::agent::{ListingType, PetWish};

/// The last place to look for a denial before a word.
const DENIAL_WORDS: usize = 4;
const DENIALS: &str = "no|not|without|dont|doesnt|isnt|never|forget|drop|skip|optional|ignore|remove|wont|\
    havent|unless|neednt|shouldnt";

/// Kinds of homes that say more than "home", as catalogues name them, and words for them.
const KINDS: [(&str, &str); 8] = [
    ("condo", "condo|condos|condominium*"),
    ("townhouse", "townhouse*|townhome*|town house*|town home*|row house*|rowhouse*"),
    ("duplex", "duplex*"),
    ("loft", "loft|lofts"),
    ("bungalow", "bungalow*"),
    ("cottage", "cottage*"),
    ("cabin", "cabin|cabins"),
    ("villa", "villa|villas"),
];

/// A kind of home that is named and that the catalogue does not have.
pub(super) fn missing_kind(words: &[&str], context: &Context<'_>) -> Option<&'static str> {
    let named = KINDS.iter().find(|(_, names)| {
        // "The bungalow" is one that was shown, or part of a name.
        let at = find(words, names).map(|(at, _)| at);
        at.is_some_and(|at| {
            at == 0
                || words
                    .get(at - 1)
                    .is_some_and(|word| is(word, "a|an|any|some|for|condo|of|bedroom|bed"))
        })
    });
    named.map(|(kind, _)| *kind).filter(|kind| context.catalog.property_type(kind).is_none())
}

/// The feature at the start of `rest`, if it is wished for.
pub(super) fn feature(before: &[&str], rest: &[&str], context: &Context<'_>) -> Option<Found> {
    let (used, value) = listing_type(before, rest)
        .or_else(|| property_type(rest, context))
        .or_else(|| studio(rest))
        .or_else(|| equipment(before, rest))?;
    let values = if is_waived(before, rest, used, &value) { Vec::new() } else { vec![value] };
    Some((used, values, Strength::Loose))
}

/// To buy or to rent.
fn listing_type(before: &[&str], rest: &[&str]) -> Option<(usize, Value)> {
    const RENT: &str = "to let|for rent|for lease|to rent|per month|a month|each month|rent*|lease|\
        leasing|leased|monthly|/ month|/ mo|- month|tenan*";
    const BUY: &str = "for sale|on sale|buy|buying|purchas*|to own|owning|own a|own one|homeowner*|\
        home owner*|mortgage|down payment|buyer";
    if let Some(used) = longest(rest, BUY) {
        return Some((used, Value::Type(ListingType::Buy)));
    }
    let used = longest(rest, RENT)?;
    // "the rent" is a price, "rent out" is for landlords.
    let noun = matches!(rest.first(), Some(&("rent" | "rents" | "monthly")))
        && (before.last().is_some_and(|word| {
            is(word, "the|less|lower|lowest|high|higher|cheap*|much|its|their|monthly|of|my|your|low|is|whats|more|reasonable|affordable|per")
        }) || begins(rest, "rent is|rent out|rent price|rent cost|rent and|rent be|rents for|monthly rent"));
    // "My lease is up" says nothing of the next home.
    let over = matches!(rest.first(), Some(&"lease"))
        && (before.last().is_some_and(|word| is(word, "my|our|the|current"))
            || begins(rest, "lease is|lease ends|lease end"));
    let renting = !over && (matches!(before.last(), Some(&("to" | "for"))) || !noun);
    renting.then_some((used, Value::Type(ListingType::Rent)))
}

/// A type of the catalogue that says more than "home".
fn property_type(rest: &[&str], context: &Context<'_>) -> Option<(usize, Value)> {
    let (name, used) =
        KINDS.iter().find_map(|(name, words)| Some((name, longest(rest, words)?)))?;
    let name = context.catalog.property_type(name)?;
    Some((used, Value::PropertyType(name.to_owned())))
}

/// "a studio": no separate bedroom.
fn studio(rest: &[&str]) -> Option<(usize, Value)> {
    let used = longest(rest, "studio apartment*|studio flat*|studio|studios")?;
    Some((used, Value::BedsExact(0)))
}

/// Pets, parking, laundry, furniture.
fn equipment(before: &[&str], rest: &[&str]) -> Option<(usize, Value)> {
    let pets = |wish| move |used| (used, Value::Pets(wish));
    if let Some(found) = longest(rest, super::question::PARKING).map(|used| (used, Value::Parking))
    {
        return Some(found);
    }
    if let Some(used) = longest(rest, super::question::LAUNDRY) {
        return Some((used, Value::Laundry));
    }
    if begins(rest, "unfurnished|un furnished|not furnished|without furniture|no furniture") {
        return Some((1, Value::Furnished(false)));
    }
    if begins(rest, "furnish*|furniture") {
        let not = before.last().is_some_and(|word| matches!(*word, "not" | "un"));
        return Some((1, Value::Furnished(!not)));
    }
    longest(rest, "cat friendly|cat|cats|kitten|kittens|kitty")
        .map(pets(PetWish::Cats))
        .or_else(|| {
            longest(rest, "dog friendly|dog|dogs|puppy|puppies|doggy|pup").map(pets(PetWish::Dogs))
        })
        .or_else(|| longest(rest, "pet friendly|pet|pets|animal|animals").map(pets(PetWish::Any)))
}

/// "without parking", "parking is not needed": no wish.
fn is_waived(before: &[&str], rest: &[&str], used: usize, value: &Value) -> bool {
    if matches!(value, Value::Type(_) | Value::PropertyType(_) | Value::Furnished(false)) {
        return false;
    }
    let clause =
        before.rsplit(|word| matches!(*word, "," | "but" | "and")).next().unwrap_or_default();
    let near = clause.get(clause.len().saturating_sub(DENIAL_WORDS)..).unwrap_or_default();
    let after = rest.get(used..).unwrap_or_default();
    let after = after.get(..after.len().min(5)).unwrap_or_default();
    let after = after.split(|word| matches!(*word, "," | "but")).next().unwrap_or_default();
    const WAIVED: &str = "not|doesnt|dont|isnt|arent|optional|unnecessary";
    // "not pet friendly?" asks; "pets not required" waives.
    holds(near, DENIALS) && !holds(near, "why not|not only|dont mind|not just|not sure")
        || holds(after, WAIVED)
}

/// The slots that a sentence sets free, by name.
pub(super) fn waived(words: &[&str]) -> Vec<&'static str> {
    const PRICE: &str = "any price|price doesnt matter|price does not matter|budget doesnt matter|\
        budget does not matter|money is no object|no budget|price is no object|money doesnt matter|\
        forget the budget|forget the price|ignore the price|no price limit|price isnt important|\
        dont care about the price|dont care about price|no limit on price|any budget";
    const FEATURES: [(&str, &str); 6] = [
        ("beds_min", "bed*|room|rooms"),
        ("baths_min", "bath*"),
        ("parking", super::question::PARKING),
        ("laundry", super::question::LAUNDRY),
        ("furnished", "furnish*|furniture"),
        ("pets", "pet|pets|pet friendly|dog*|cat|cats|animal*"),
    ];
    const NOTS: &str = "no|without|dont need|do not need|dont care about|doesnt need|dont need a|forget|\
        drop|skip|ignore|remove|any number of|not interested in|dont have|dont have a|dont have any|\
        no need for|not need|leave out|dont want|dont require|i have no|we have no|doesnt have to have|\
        doesnt have to be|does not have to be|doesnt need to be|doesnt have to allow|not need to be|\
        dont need to have|not looking for";
    const AFTER: &str = "doesnt matter|does not matter|dont matter|do not matter|isnt important|\
        is not important|is not needed|not needed|isnt needed|not required|not necessary|isnt necessary|\
        is optional|are optional|not important|not a must|is not a must|isnt a must|isnt required|\
        is irrelevant|arent important|are not needed|arent needed|unimportant|not essential|is not required";
    const ARTICLES: &str = "the|a|an|any|about|to|have|allow|have a|with|having";
    let mut free = Vec::new();
    if holds(words, PRICE) {
        free.push("price_max");
    }
    for (slot, names) in FEATURES {
        let waives = (0..words.len()).any(|at| {
            let (before, rest) = words.split_at(at);
            let Some(used) = longest(rest, names) else {
                return false;
            };
            let mut head = before;
            while let Some((_, rest)) = head.split_last().filter(|(last, _)| is(last, ARTICLES)) {
                head = rest;
            }
            let not = (0..head.len()).any(|from| {
                let tail = head.get(from..).unwrap_or_default();
                longest(tail, NOTS) == Some(tail.len())
            });
            // "no pets allowed" describes, "no pets needed" waives.
            let stated = rest.get(used..).is_some_and(|after| begins(after, "allowed|friendly"));
            not && !stated || rest.get(used..).is_some_and(|after| begins(after, AFTER))
        });
        if waives {
            free.push(slot);
        }
    }
    if super::place::anywhere(words) {
        free.push("city");
    }
    free
}
