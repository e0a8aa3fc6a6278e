//! What a sentence says a home must be like, wish by wish: numbers here, names in `place`, the rest in
//! `feature`.
//!
//! Knows how firmly each wish was said, and nothing of the wishes before it.

use super::Context;
use super::feature;
use super::number::{self, Amount, Number};
use super::phrase::{begins, ends, holds, is};
use super::place;
use super::price;
use super::token::{Sentence, Token};
use crate::agent::gazetteer::slips;
use crate::contract::agent::{ListingType, PetWish};

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
    /// A state of the catalogue.
    State(String),
    PriceMax(u64),
    PriceMin(u64),
    Beds(u32),
    BedsExact(u32),
    Baths(f64),
    SqftMin(u32),
    Pets(PetWish),
    Parking,
    Laundry,
    Furnished(bool),
    /// A type of the catalogue.
    PropertyType(String),
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

/// What some words of a sentence say: how many tokens they take, the wishes, how firm they are.
pub(super) type Found = (usize, Vec<Value>, Strength);

const BEDS: &str = "bed|beds|bedroom*|bd|bds|bdr|bdrs|bdrm|bdrms|br|brs|bedrm|bedrms";
const BATHS: &str =
    "bath|baths|bathroom|bathrooms|ba|bas|bth|bths|bathrm|bathrms|washroom|washrooms";
const ROOMS: &str = "room|rooms|roms|romms|rms";
const AREA: &str = "sqft|sq|square|sf|squarefeet";
/// What else is counted in numbers that look like rents or rooms.
const OTHER_UNITS: &str = "feet|ft|mile*|minute*|min|mins|year*|day*|week*|month*|people|person*|\
    hour*|am|pm|o|oclock|st|nd|rd|th|floor*|level*|story|stories|dog|dogs|cat|cats|kids|children|\
    street|avenue|road|drive|lane|boulevard|court|way|different|option*|choice*|home*|house*|\
    apartment*|flat|flats|place*|listing*|result*|percent|guest*|of us";
/// The most rooms that a number without a unit may mean.
const BARE_ROOMS_MAX: u64 = 10;
/// Baths are counted in quarters.
const BATHS_STEP: f64 = 0.25;

/// All wishes of a sentence, in the order said.
pub(super) fn wishes(sentence: &Sentence, context: &Context<'_>) -> Vec<Wish> {
    let words = sentence.words();
    let mut wishes = Vec::new();
    let mut bare = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let (before, rest) = words.split_at(at);
        let tokens = sentence.tokens.get(at..).unwrap_or_default();
        let (used, values, strength) = amount(before, tokens, context)
            .or_else(|| place::city(before, tokens, context))
            .or_else(|| place::state(tokens, context))
            .or_else(|| feature::feature(before, rest, context))
            .unwrap_or((1, Vec::new(), Strength::Loose));
        let after = rest.get(used..).unwrap_or_default();
        let word = rest.first().copied().unwrap_or_default();
        if values.is_empty() && is_bare(before, word, after) {
            bare.extend(rooms_alone(tokens));
        }
        let strength = if is_hard(before, after) { Strength::Hard } else { strength };
        wishes.extend(values.into_iter().map(|value| Wish { value, strength }));
        at += used.max(1);
    }
    answer_rooms(&mut wishes, &bare, &words, context);
    let types = wishes.iter().filter(|wish| matches!(wish.value, Value::Type(_)));
    let unsure = types.clone().any(|a| types.clone().any(|b| a.value != b.value));
    wishes.retain(|wish| !unsure || !matches!(wish.value, Value::Type(_)));
    wishes
}

/// Bedrooms, baths, size or a price.
fn amount(before: &[&str], tokens: &[Token], context: &Context<'_>) -> Option<Found> {
    if let Some(used) = dialled(tokens) {
        return Some((used, Vec::new(), Strength::Loose));
    }
    let amount = number::amount(tokens, before.last() == Some(&"between"))?;
    let rest: Vec<_> = tokens.get(amount.used..)?.iter().map(Token::text).collect();
    const BETWEEN: &str = "-|or|more|full|large|big|spacious|separate|plus|nice|good|whole|private";
    let skipped = rest.iter().take_while(|word| is(word, BETWEEN)).count();
    let unit = unit(rest.get(skipped).copied().unwrap_or_default());
    let cue = price::cue(before, &rest);
    let counted = amount.used + skipped + 1;
    if is(unit, BEDS) || is(unit, BATHS) || is(unit, ROOMS) && amount.low.whole() <= BARE_ROOMS_MAX
    {
        let tail = rest.get(skipped..).unwrap_or_default();
        let (extra, values) = rooms(amount, unit, (before, tail), cue);
        return Some((counted + extra, values, Strength::Loose));
    }
    if is(unit, AREA) {
        let least = match cue {
            Some(price::Cue::Max(_)) => None,
            Some(price::Cue::Around) => Some(amount.low.whole().saturating_mul(85) / 100),
            Some(price::Cue::Min) | None => Some(amount.low.whole()),
        };
        let least = least.and_then(|least| u32::try_from(least).ok());
        return Some((counted, least.map(Value::SqftMin).into_iter().collect(), Strength::Loose));
    }
    // "5 o'clock" and "4 people" are no prices, but "2 grand" and "$3 million homes" are.
    if is(unit, OTHER_UNITS) && !amount.low.is_money() || is_part_of_a_name(before, tokens) {
        return Some((amount.used, Vec::new(), Strength::Loose));
    }
    let (values, strength) = price::price(amount, cue, (before, unit), context)?;
    Some((amount.used, values, strength))
}

/// A unit as it should have been written.
fn unit(word: &str) -> &str {
    const UNITS: [&str; 4] = ["bedrooms", "bedroom", "bathrooms", "bathroom"];
    let slip = |unit: &&&str| word.len() >= 6 && slips(word, unit, 2).is_some();
    UNITS.iter().find(slip).copied().unwrap_or(word)
}

/// A telephone number or a date: digits that dashes join more than once.
fn dialled(tokens: &[Token]) -> Option<usize> {
    let digits = |at: usize| matches!(tokens.get(at), Some(Token::Digits { dollar: false, .. }));
    let joined = |at: usize| matches!(tokens.get(at), Some(Token::Dash | Token::Slash));
    (digits(0) && joined(1) && digits(2) && joined(3) && digits(4)).then_some(5)
}

/// What a number of rooms means; `tail` begins with the unit. Also how many words of the tail a second
/// unit takes that shares the number: "two bedrooms and baths".
fn rooms(
    amount: Amount,
    unit: &str,
    (before, tail): (&[&str], &[&str]),
    cue: Option<price::Cue>,
) -> (usize, Vec<Value>) {
    let raised = holds(before, "jack*|bump*|raise*|increase*|change*|switch*|make it|move it");
    let at_most = matches!(cue, Some(price::Cue::Max(Strength::Firm | Strength::Hard))) && !raised;
    // There is no slot for "at most two bedrooms"; taking it for "at least" would be wrong.
    if at_most {
        return (0, Vec::new());
    }
    let exactly = is_exact(before) && amount.high.is_none();
    // "More than two" is not two.
    let beyond = cue == Some(price::Cue::Min) && ends(before, price::UPWARDS).is_some();
    let beds = || {
        let beds = u32::try_from(amount.low.whole()).ok()?.checked_add(u32::from(beyond));
        beds.map(|beds| if exactly { Value::BedsExact(beds) } else { Value::Beds(beds) })
    };
    let more = if beyond { BATHS_STEP } else { 0.0 };
    let baths = || amount.low.quarters().map(|baths| Value::Baths(baths + more));
    if is(unit, BATHS) {
        return (0, baths().into_iter().collect());
    }
    let room = usize::from(tail.get(1).is_some_and(|word| is(word, ROOMS)));
    let shared = match tail.get(1 + room..) {
        Some([joint, second, ..]) => matches!(*joint, "and" | "/") && is(second, BATHS),
        Some([_] | []) | None => false,
    };
    let extra = if shared { room + 2 } else { room };
    (extra, beds().into_iter().chain(baths().filter(|_| shared)).collect())
}

/// "just two", "exactly two", "only two".
fn is_exact(before: &[&str]) -> bool {
    let near: Vec<_> = before.iter().rev().take_while(|word| **word != ",").take(2).collect();
    near.iter().any(|word| matches!(**word, "exactly" | "just" | "only" | "precisely"))
        && !near.iter().any(|word| matches!(**word, "least" | "not"))
}

/// A small number at the start of `tokens`.
fn rooms_alone(tokens: &[Token]) -> Option<Number> {
    let amount = number::amount(tokens, false)?;
    let small = (1..=BARE_ROOMS_MAX).contains(&amount.low.whole()) && !amount.low.is_money();
    small.then_some(amount.low)
}

/// Whether a number between these words may answer "how many?": nothing is counted after it.
fn is_bare(before: &[&str], word: &str, after: &[&str]) -> bool {
    const ENDS: &str = ",|please|will|would|should|is|are|for|thanks|thank|and|in|or|at|if|maybe|then|\
        each|of those|of them|would|minimum|max|at|with|to|of each|for both|both|only|sounds|works|ought|,";
    let last = before.last().copied().unwrap_or_default();
    let free = after.is_empty() || begins(after, ENDS);
    // "a suitable one" is a home, "just one" is a number.
    let homely = word == "one"
        && !is(
            last,
            "|just|only|need|want|least|require|with|like|for|have|is|,|be|of|maybe|or|and|having|about|exactly",
        );
    free && !homely
        && !matches!(
            last,
            "the" | "this" | "that" | "on" | "floor" | "level" | "#" | "any" | "which"
        )
}

/// Bare numbers as the answer to the questions for rooms.
fn answer_rooms(wishes: &mut Vec<Wish>, bare: &[Number], words: &[&str], context: &Context<'_>) {
    let said = |beds: bool| {
        wishes.iter().any(|wish| {
            matches!(wish.value, Value::Beds(_) | Value::BedsExact(_)) && beds
                || matches!(wish.value, Value::Baths(_)) && !beds
        })
    };
    let (asks_beds, asks_baths) = (context.asks("beds_min"), context.asks("baths_min"));
    let wants_beds = asks_beds && !said(true) && (!said(false) || !asks_baths || bare.len() > 1);
    let wants_baths = asks_baths && !said(false) && (!said(true) || !bare.is_empty());
    // "one" is a home more often than a number.
    let pronoun = holds(words, "one in|one with|one at|one that|one near|find one|find me one");
    let mut numbers = bare.iter().filter(|number| !(pronoun && number.whole() == 1));
    let both = holds(words, "each|both");
    let mut answer = |value: Option<Value>| {
        wishes.extend(value.map(|value| Wish { value, strength: Strength::Loose }));
    };
    let beds_of = |number: &Number| u32::try_from(number.whole()).ok();
    if wants_beds && let Some(number) = numbers.next() {
        let exactly = holds(words, "just|only|exactly");
        let beds = beds_of(number);
        answer(beds.map(|beds| if exactly { Value::BedsExact(beds) } else { Value::Beds(beds) }));
        if both && wants_baths {
            return answer(number.quarters().map(Value::Baths));
        }
    }
    if wants_baths && let Some(number) = numbers.next() {
        answer(number.quarters().map(Value::Baths));
    }
}

/// Digits of an id such as `kc-7129300520`, a year, a floor, or the number of a house.
fn is_part_of_a_name(before: &[&str], tokens: &[Token]) -> bool {
    let street = matches!(
        tokens,
        [Token::Digits { dollar: false, .. }, Token::Word { capital: true, text }, ..]
            if text.len() > 2 && !is(text, BEDS) && !is(text, BATHS)
    );
    let named = match before {
        [.., word, "-"] => word.starts_with(char::is_alphabetic),
        [.., "built" | "since" | "zip" | "number" | "year", "in" | "after" | "before" | "code"]
        | [.., "built" | "since" | "zip" | "number" | "year" | "floor" | "level" | "unit"] => true,
        [..] => false,
    };
    named || street
}

/// Whether a word of the same clause makes the wish a condition.
fn is_hard(before: &[&str], after: &[&str]) -> bool {
    const CONDITIONS: &str = "must|only|strictly|absolutely|definitely|has to be|has to have|have to be|\
        have to have|needs to be|needs to have|need to have|needs|cannot|cant";
    const AFTERWARDS: &str = "only|is a must|are a must|required|is required|is essential|no more|\
        are required|must be|has to be|have to be|needs to be|need to be|is necessary|is needed";
    /// "I need parking" is a condition, "I need a place with parking" is how people begin.
    const OPENERS: &str = "need to|need a|need an|need the|need some|need help|need your|need you|need my|\
        need one|need somewhere|need something|need another|need new";
    let clause = before.rsplit(|word| *word == ",").next().unwrap_or_default();
    let needed = holds(clause, "need")
        && !holds(clause, OPENERS)
        && !holds(after, "home*|house*|apartment*|flat|place");
    needed || holds(clause, CONDITIONS) || begins(after, AFTERWARDS)
}

impl Wish {
    /// A wish that nothing may stretch.
    pub(in crate::agent) fn hard(value: Value) -> Self {
        Self { value, strength: Strength::Hard }
    }
}
