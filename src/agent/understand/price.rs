//! What an amount of money means: a ceiling, a floor, a range or a rough idea, and how firmly.

use super::Context;
use super::number::{Amount, Number};
use super::phrase::{begins, ends, holds, is};
use super::slot::{Strength, Value};

/// What a word before or after an amount makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    Max(Strength),
    Min,
    Around,
}

const BEFORE: [(Cue, &str); 5] = [
    (
        Cue::Max(Strength::Hard),
        "stay under|stay below|stay within|stay at|stick to|stick with|keep it under|keep it below|\
            keep it to|stay around",
    ),
    (
        Cue::Max(Strength::Firm),
        "max|maximum|at most|under|below|up to|less than|less then|cheaper than|lower than|\
            within|limit|fewer than|beneath|upto|south of|\
            no higher|tops|cap|ceiling|not exceeding|below about|budget of up to",
    ),
    (Cue::Max(Strength::Loose), "budget|spend|pay|afford|for|spending|paying"),
    (
        Cue::Around,
        "around|about|roughly|approximately|approx|circa|close to|near|ballpark of|or so",
    ),
    (
        Cue::Min,
        "at least|over|above|more than|more then|higher than|starting at|starting from|from|min|minimum|\
            exceed|beyond|past|north of|upwards of|no less|greater than|bigger than|exceeds|exceeding",
    ),
];
/// Ceilings only right before the amount: "raise it to 400k", but not "I want it to have 3 bedrooms".
const CLOSE: &str = "go to|price to|budget to|rent to|it to|go up to|stretch to|up to|offer";
/// A floor that turns into a ceiling when it is denied: "not over", "can't go above".
pub(super) const UPWARDS: &str = "over|above|more than|more then|higher than|exceed|beyond|past|north of|greater than|\
    bigger than|upwards of";
/// A ceiling that turns into a floor when it is denied: "not under".
const DOWNWARDS: &str = "under|below|less than|less then|cheaper than|lower than|fewer than";
const DENIALS: &str = "no|not|never|nothing|cant|cannot|dont|doesnt|shouldnt|wouldnt|wont|isnt|without|\
    couldnt|mustnt|arent|didnt|none|neither|nor|hardly|unable";

const AFTER: [(Cue, &str); 4] = [
    (
        Cue::Max(Strength::Firm),
        "max|maximum|at most|or less|or under|or below|or cheaper|or lower|tops|top|is my limit|\
            is my max|is the limit|is the max|is the most|and under|and below|limit|at the most",
    ),
    (Cue::Max(Strength::Loose), "budget"),
    (Cue::Around, "or so|ish|give or take|or thereabouts"),
    (Cue::Min, "or more|and up|minimum|or higher|or above|at least|and above|or over|plus|upwards"),
];

/// A number below this without a dollar sign is not a price; the lowest rent on offer is higher.
const BARE_PRICE_MIN: u64 = 300;
/// "around" spans this many percent to either side; research/reagent.md section 6, R2.
const AROUND_PERCENT: u64 = 15;
/// Words that may stand between a cue and its amount.
const FILLERS: usize = 3;
/// How far before a cue a denial may stand.
const DENIAL_WORDS: usize = 5;

/// What an amount of money means between the words before it and the word after it.
pub(super) fn price(
    amount: Amount,
    cue: Option<Cue>,
    (before, unit): (&[&str], &str),
    context: &Context<'_>,
) -> Option<(Vec<Value>, Strength)> {
    let dollars = amount.low.whole();
    let money = amount.low.is_money()
        || amount.high.is_some_and(Number::is_money)
        || is(unit, "dollar*|credit*|usd|buck*|monthly");
    let likely = dollars >= BARE_PRICE_MIN && !matches!(before.last(), Some(&("in" | "the")));
    let asked = context.asks("price_max") || context.asks("price_min");
    let alone = asked
        && before.iter().all(|word| is(word, "about|around|maybe|say|its|like|,|ok|okay|well"));
    if !(money || likely || alone) {
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
        None if context.asks("price_min") => (vec![Value::PriceMin(dollars)], Strength::Loose),
        None if asked => (vec![Value::PriceMax(dollars)], Strength::Firm),
        None => (vec![Value::PriceMax(dollars)], Strength::Loose),
    })
}

/// The phrase nearest to the amount decides; of those that end alike, the longest.
pub(super) fn cue(before: &[&str], after: &[&str]) -> Option<Cue> {
    if ends(before, CLOSE).is_some() {
        return Some(Cue::Max(Strength::Firm));
    }
    let mut head = before;
    for _ in 0..=FILLERS {
        let matching = BEFORE.iter().filter_map(|(cue, phrases)| Some((ends(head, phrases)?, cue)));
        if let Some((_, cue)) = matching.max_by_key(|(length, _)| *length) {
            // "How about 900" proposes 900 and not something near it.
            let proposed = *cue == Cue::Around && ends(head, "how about|what about").is_some();
            return (!proposed).then(|| turned(*cue, head));
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

/// A cue at the end of `head`, turned round if it is denied in the same clause.
fn turned(cue: Cue, head: &[&str]) -> Cue {
    let clause =
        head.rsplit(|word| matches!(*word, "," | "but" | "and")).next().unwrap_or_default();
    let near = clause.get(clause.len().saturating_sub(DENIAL_WORDS)..).unwrap_or_default();
    if !holds(near, DENIALS) {
        return cue;
    }
    if ends(head, UPWARDS).is_some() {
        Cue::Max(Strength::Hard)
    } else if ends(head, DOWNWARDS).is_some() {
        Cue::Min
    } else {
        cue
    }
}
