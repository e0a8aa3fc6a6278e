//! What a sentence says a home must be like: city, price, bedrooms, baths, parking, to buy or to rent.
//!
//! Knows how firmly each wish was said, and nothing of the wishes before it.

use super::Context;
use super::number::{self, Amount, Number};
use super::phrase::{begins, ends, holds, is};
use super::token::{Sentence, Token};
use crate::contract::agent::ListingType;

/// One wish and how firmly it was said.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent) struct Wish {
    pub(in crate::agent) value: Value,
    pub(in crate::agent) strength: Strength,
}

/// What is wished for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent) enum Value {
    Type(ListingType),
    /// A city of the catalogue.
    City(String),
    PriceMax(u64),
    PriceMin(u64),
    Beds(u32),
    Baths(f64),
    Parking,
}

/// How firmly a wish was said, from soft to hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::agent) enum Strength {
    /// "my budget is", or nothing at all.
    Loose,
    /// "at most", "under", "up to".
    Firm,
    /// "must", "only", "no more than".
    Hard,
}

/// What a word before or after an amount makes of it.
#[derive(Clone, Copy)]
enum Cue {
    Max(Strength),
    Min,
    Around,
}

const BEFORE: [(Cue, &str); 5] = [
    (
        Cue::Max(Strength::Hard),
        "no more than|not more than|not cost more than|spend more than|pay more than|\
            afford more than|go over|go above|go higher than|not over|not above|never over|\
            nothing over|nothing above|no higher than|not exceed|cant exceed|stay under|\
            stay below|stay within|stay at|stick to|stick with|keep it under",
    ),
    (
        Cue::Max(Strength::Firm),
        "max|maximum|at most|under|below|up to|less than|less then|cheaper than|lower than|\
            within|limit|go to|go up to|price to|budget to|it to",
    ),
    (Cue::Max(Strength::Loose), "budget|spend|pay|afford|for"),
    (Cue::Around, "around|about|roughly|approximately"),
    (
        Cue::Min,
        "at least|over|above|more than|starting at|starting from|from|min|minimum|\
            no less than|not less than|no cheaper than|not under|not below",
    ),
];

const AFTER: [(Cue, &str); 2] = [
    (Cue::Max(Strength::Firm), "max|maximum|at most|or less|or under|or below|tops"),
    (Cue::Min, "or more|and up|minimum"),
];

const BEDS: &str = "bed|beds|bedroom|bedrooms|bedroomed|bd|bds|bdr|bdrm|br|brs";
const BATHS: &str = "bath|baths|bathroom|bathrooms|ba|bas";
/// What else is counted in numbers that look like rents.
const OTHER_UNITS: &str =
    "sqft|sq|square|feet|ft|miles|mile|minutes|min|years|days|weeks|months|people";
/// A number below this without a dollar sign is not a price; the lowest rent on offer is higher.
const BARE_PRICE_MIN: u64 = 300;
/// "around" spans this many percent to either side; research/reagent.md section 6, R2.
const AROUND_PERCENT: u64 = 15;

/// All wishes of a sentence, in the order said.
pub(super) fn wishes(sentence: &Sentence, context: &Context<'_>) -> Vec<Wish> {
    let words = sentence.words();
    let mut wishes = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let (before, rest) = words.split_at(at);
        let tokens = sentence.tokens.get(at..).unwrap_or_default();
        let (used, values, strength) = amount(before, tokens, context)
            .or_else(|| city(before, tokens, context))
            .or_else(|| {
                word(before, rest).map(|(used, value)| (used, vec![value], Strength::Loose))
            })
            .unwrap_or((1, Vec::new(), Strength::Loose));
        let after = rest.get(used..).unwrap_or_default();
        let strength = if is_hard(before, after) { Strength::Hard } else { strength };
        wishes.extend(values.into_iter().map(|value| Wish { value, strength }));
        at += used;
    }
    let types = wishes.iter().filter(|wish| matches!(wish.value, Value::Type(_)));
    let unsure = types.clone().any(|a| types.clone().any(|b| a.value != b.value));
    wishes.retain(|wish| !unsure || !matches!(wish.value, Value::Type(_)));
    wishes
}

type Found = (usize, Vec<Value>, Strength);

/// Bedrooms, baths or a price.
fn amount(before: &[&str], tokens: &[Token], context: &Context<'_>) -> Option<Found> {
    let amount = number::amount(tokens, before.last() == Some(&"between"))?;
    let rest: Vec<_> = tokens.get(amount.used..)?.iter().map(Token::text).collect();
    let skipped = rest.iter().take_while(|word| matches!(**word, "-" | "or" | "more" | "full"));
    let skipped = skipped.count();
    let unit = rest.get(skipped).copied().unwrap_or_default();
    let cue = cue(before, &rest);
    let at_most = matches!(cue, Some(Cue::Max(Strength::Firm | Strength::Hard)));
    let counted = |values| Some((amount.used + skipped + 1, values, Strength::Loose));
    let asked = |slot, unit: &str| {
        context.asked == Some(slot) && matches!(unit, "" | ",") && !amount.low.is_money()
    };
    let bedroom = is(unit, BEDS) || asked("beds_min", unit);
    if bedroom || is(unit, BATHS) || asked("baths_min", unit) {
        let value = if bedroom {
            u32::try_from(amount.low.whole()).ok().map(Value::Beds)
        } else {
            amount.low.quarters().map(Value::Baths)
        };
        // There is no slot for "at most two bedrooms"; taking it for "at least" would be wrong.
        return counted(value.filter(|_| !at_most).into_iter().collect());
    }
    if is(unit, OTHER_UNITS) || is_part_of_a_name(before) {
        return Some((amount.used, Vec::new(), Strength::Loose));
    }
    let (values, strength) = price(amount, cue, before, context)?;
    Some((amount.used, values, strength))
}

/// What an amount of money means.
fn price(
    amount: Amount,
    cue: Option<Cue>,
    before: &[&str],
    context: &Context<'_>,
) -> Option<(Vec<Value>, Strength)> {
    let dollars = amount.low.whole();
    let money = amount.low.is_money() || amount.high.is_some_and(Number::is_money);
    let likely = dollars >= BARE_PRICE_MIN && before.last() != Some(&"in");
    let asked = matches!(context.asked, Some("price_max" | "price_min")) && cue.is_none();
    if !(money || likely || asked && before.is_empty()) {
        return None;
    }
    if let Some(high) = amount.high {
        let values = vec![Value::PriceMin(dollars), Value::PriceMax(high.whole())];
        return Some((values, Strength::Firm));
    }
    Some(match cue {
        Some(Cue::Max(strength)) => (vec![Value::PriceMax(dollars)], strength),
        Some(Cue::Min) => (vec![Value::PriceMin(dollars)], Strength::Loose),
        Some(Cue::Around) => {
            let span = dollars.saturating_mul(AROUND_PERCENT) / 100;
            let (low, high) = (dollars - span, dollars.saturating_add(span));
            (vec![Value::PriceMin(low), Value::PriceMax(high)], Strength::Firm)
        }
        None if context.asked == Some("price_min") => {
            (vec![Value::PriceMin(dollars)], Strength::Loose)
        }
        None if asked => (vec![Value::PriceMax(dollars)], Strength::Firm),
        None => (vec![Value::PriceMax(dollars)], Strength::Loose),
    })
}

/// The phrase nearest to the amount decides; of those that end alike, the longest.
fn cue(before: &[&str], after: &[&str]) -> Option<Cue> {
    /// Words that may stand between the phrase and the amount.
    const FILLERS: usize = 3;
    let mut head = before;
    for _ in 0..=FILLERS {
        let matching = BEFORE.iter().filter_map(|(cue, phrases)| Some((ends(head, phrases)?, cue)));
        if let Some((_, cue)) = matching.max_by_key(|(length, _)| *length) {
            return Some(*cue);
        }
        head = match head.split_last() {
            Some((&("," | "#"), _)) | None => break,
            Some((_, rest)) => rest,
        };
    }
    let clause = after.split(|word| *word == ",").next().unwrap_or_default();
    // "3 bedrooms, 400k": what stands before another amount belongs to that one.
    let own = if clause.contains(&"#") { &[] } else { clause };
    (0..=FILLERS)
        .map_while(|skip| own.get(skip..))
        .find_map(|tail| AFTER.iter().find(|(_, phrases)| begins(tail, phrases)))
        .map(|(cue, _)| *cue)
}

/// Digits of an id such as `kc-7129300520`, or a year.
fn is_part_of_a_name(before: &[&str]) -> bool {
    match before {
        [.., word, "-"] => word.starts_with(char::is_alphabetic),
        [.., "built" | "since" | "zip" | "number" | "year", "in" | "after" | "before" | "code"]
        | [.., "built" | "since" | "zip" | "number" | "year"] => true,
        _ => false,
    }
}

/// The longest name of a city at the start of `tokens`.
fn city(before: &[&str], tokens: &[Token], context: &Context<'_>) -> Option<Found> {
    /// The longest name looked for: "Salt Lake City" and one to spare.
    const CITY_WORDS_MAX: usize = 4;
    let words: Vec<_> = tokens.iter().take(CITY_WORDS_MAX).collect();
    let (used, city) = (1..=words.len()).rev().find_map(|used| {
        let name: Vec<_> = words.get(..used)?.iter().map(|token| token.text()).collect();
        if name.iter().any(|word| matches!(*word, "," | "#")) {
            return None;
        }
        Some((used, context.catalog.city(&name.join(" "))?))
    })?;
    let capital = matches!(tokens.first(), Some(Token::Word { capital: true, .. }));
    let placed = before.last().is_some_and(|word| is_place_word(word));
    let alone = before.is_empty() && used == tokens.len();
    // Many cities are words too: "Bend", "Mobile", "Normal".
    let likely = !before.is_empty() || context.searching || context.noun;
    let meant = placed || alone || capital && likely;
    meant.then(|| (used, vec![Value::City(city.to_owned())], Strength::Loose))
}

/// Whether a place may follow.
pub(super) fn is_place_word(word: &str) -> bool {
    matches!(
        word,
        "in" | "near" | "around" | "at" | "to" | "within" | "about" | "try" | "for" | "only"
    )
}

/// A wish said by a word of its own.
fn word(before: &[&str], rest: &[&str]) -> Option<(usize, Value)> {
    let kind = |used, kind| Some((used, Value::Type(kind)));
    match rest {
        ["to", "let", ..] => kind(2, ListingType::Rent),
        ["for", "sale", ..] => kind(2, ListingType::Buy),
        ["per" | "a" | "each", "month", ..] => kind(2, ListingType::Rent),
        [
            "rent" | "rents" | "renting" | "rental" | "rentals" | "lease" | "leasing" | "monthly",
            ..,
        ] => kind(1, ListingType::Rent),
        ["-", "month" | "mo", ..] => kind(2, ListingType::Rent),
        ["buy" | "buying" | "purchase" | "purchasing", ..] => kind(1, ListingType::Buy),
        ["parking" | "garage" | "carport", ..] if !is_denied(before, rest) => {
            Some((1, Value::Parking))
        }
        _ => None,
    }
}

/// "without parking", "parking is not needed".
fn is_denied(before: &[&str], rest: &[&str]) -> bool {
    let near = before.get(before.len().saturating_sub(4)..).unwrap_or_default();
    let after = rest.get(..rest.len().min(5)).unwrap_or_default();
    const DENIALS: &str = "no|not|without|dont|doesnt|isnt|never|forget|drop|skip|optional|ignore";
    holds(near, DENIALS) || holds(after, "not|doesnt|isnt|optional")
}

/// Whether a word of the same clause makes the wish a condition.
fn is_hard(before: &[&str], after: &[&str]) -> bool {
    const CONDITIONS: &str = "must|only|strictly|absolutely|definitely|has to be|has to have|have to be|\
        have to have|needs to be|needs to have|need to have";
    const AFTERWARDS: &str = "only|is a must|required|is required|is essential|no more";
    let clause = before.rsplit(|word| *word == ",").next().unwrap_or_default();
    holds(clause, CONDITIONS) || begins(after, AFTERWARDS)
}
