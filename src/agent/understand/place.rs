//! Where a home shall be: a city of the catalogue by name, alias or slip of the pen; one that the catalogue
//! does not have; and "there".

use super::Context;
use super::act::Act;
use super::phrase::{holds, is};
use super::slot::{Found, Strength, Value, Wish};
use super::state;
use super::token::{Sentence, Token};

/// The longest name of a city looked for: "Salt Lake City" and one to spare.
const CITY_WORDS_MAX: usize = 4;
/// After these a place is meant.
const PLACED: &str = "in|near|around|at|to|within|about|try|for|only|of|check|from|is|be|like|downtown|\
    city|prefer|inside|outside|meant|mean|actually|towards|by|and|or|also|want|need|explore|search";
/// A name after these is most of all a place.
const LOCATED: &str = "in|near|around|to|at|within|inside|try|for|downtown";
/// What stands after "in" and is no city, though written like one or a slip away from one.
const NO_CITY: &str = "january|february|march|april|may|june|july|august|september|october|november|\
    december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|total|general|person|particular|\
    advance|addition|there|their|place|house|houses|home|unit|town|order|case|fact|mind|about|budget|\
    apartment*|month*|today|tomorrow|other|another|same|area|region|north|south|east|west|please|\
    washer|dryer|laundry|garage|my|the|a|an|that|this|any|some|no|all|one|two|three|four|five|i|it|you|\
    your|me|us|we|so|or|and|on|by|price|range|renting|buying|living|moving|large|small|family|school*|\
    less|least|most|around|between|under|over|seconds|minutes|hours|days|weeks|years|case|time|return|\
    good|great|nice|better|center|central|downtown|near|nearby|yes|yeah|sure|okay|thanks|thank|hello|\
    bedroom*|bathroom*|bath*|bed*|floor|rent|sale|pets|dogs|cats|parking|sound|sounds|which|where|what";

/// The city at the start of `tokens`.
pub(super) fn city(before: &[&str], tokens: &[Token], context: &Context<'_>) -> Option<Found> {
    let (used, city) = named(tokens, before, context)?;
    let next = tokens.get(used).map_or("", Token::text);
    // "Portland Street" and "the Salem Court" are no cities.
    let street = is(
        next,
        "street|st|avenue|ave|road|rd|drive|lane|boulevard|blvd|court|apartments|county|university",
    );
    let excluded = before.last().is_some_and(|word| matches!(*word, "not" | "except" | "but"))
        || begins_with_denial(before);
    if street || excluded {
        return Some((used, Vec::new(), Strength::Loose));
    }
    match state::after_city(tokens.get(used..)?, context) {
        Some((more, state)) => {
            Some((used + more, vec![Value::City(city), Value::State(state)], Strength::Loose))
        }
        None => Some((used, vec![Value::City(city)], Strength::Loose)),
    }
}

/// The state at the start of `tokens`, if one was asked for.
pub(super) fn state(tokens: &[Token], context: &Context<'_>) -> Option<Found> {
    let (used, state) = state::answer(tokens, context)?;
    Some((used, vec![Value::State(state)], Strength::Loose))
}

/// "not in Seattle", "anywhere but Seattle", "I don't want Seattle".
fn begins_with_denial(before: &[&str]) -> bool {
    let near = before.get(before.len().saturating_sub(3)..).unwrap_or_default();
    let clause = near.rsplit(|word| *word == ",").next().unwrap_or_default();
    holds(
        clause,
        "not in|not near|not|outside of|outside|except|anything but|anywhere but|other than|\
        rather than|instead of|dont want|leave|leaving",
    )
}

/// The city that a sentence excludes, if it is the one looked for.
pub(super) fn excluded(sentence: &Sentence, context: &Context<'_>) -> Option<String> {
    let words = sentence.words();
    (0..words.len()).find_map(|at| {
        let before = words.get(..at)?;
        let (_, city) = named(sentence.tokens.get(at..)?, before, context)?;
        begins_with_denial(before).then_some(city)
    })
}

fn named(tokens: &[Token], before: &[&str], context: &Context<'_>) -> Option<(usize, String)> {
    let window: Vec<_> = tokens.iter().take(CITY_WORDS_MAX).collect();
    let placed = before.last().is_some_and(|word| is(word, PLACED));
    let area = |used: usize| {
        is(tokens.get(used).map_or("", Token::text), "area|region|neighborhood|vicinity")
    };
    let located = before.last().is_some_and(|word| is(word, LOCATED));
    let asked = context.asks("city");
    let capital = matches!(tokens.first(), Some(Token::Word { capital: true, .. }));
    let places = context.catalog.gazetteer();
    let name = |used: usize| {
        let name: Vec<_> = window.get(..used)?.iter().map(|token| token.text()).collect();
        let marks = name.iter().any(|word| matches!(*word, "," | "#" | "-" | "/"));
        (!marks).then(|| name.join(" "))
    };
    let lengths = || (1..=window.len()).rev();
    if let Some((used, city)) =
        lengths().find_map(|used| Some((used, places.city(&name(used)?)?.to_owned())))
    {
        let rest = tokens.get(used..).unwrap_or_default();
        let state = state::after_city(rest, context).map_or(0, |(more, _)| more);
        let alone = before.is_empty() && state == rest.len();
        let likely = !before.is_empty() || context.searching() || context.noun;
        // "redmond or kirkland?"
        let next = tokens.get(used).map_or("", Token::text);
        let first = before.is_empty() && context.searching() && is(next, "or|and|please|instead");
        // Many cities are words too: "Bend", "Mobile", "Normal".
        let lower = asked || used > 1;
        let meant = placed || alone || first || capital && likely || lower || area(used);
        return meant.then_some((used, city));
    }
    let upper = capital && window.first().is_some_and(|token| token.text().len() > 1);
    let open = asked || located;
    lengths().find_map(|used| {
        let name = name(used)?;
        if is(&name, NO_CITY) || name.split(' ').any(|word| is(word, NO_CITY)) {
            return None;
        }
        let alias = || places.alias(&name).filter(|_| open || upper && context.noun);
        let slip = || places.misspelled(&name).filter(|_| located || asked && capital);
        let city = alias().or_else(slip)?;
        Some((used, city.to_owned()))
    })
}

/// A city that the catalogue does not have: capitalised words after "in", or the answer to "which city?".
pub(super) fn elsewhere(sentence: &Sentence, context: &Context<'_>) -> Option<String> {
    let words = sentence.words();
    let capital = |at: usize| match sentence.tokens.get(at) {
        Some(Token::Word { capital: true, text }) => !is(text, NO_CITY),
        Some(Token::Word { .. } | Token::Digits { .. } | Token::Comma) => false,
        Some(Token::Dash | Token::Slash) | None => false,
    };
    let start = match words.iter().position(|word| matches!(*word, "in" | "near")) {
        Some(at) if capital(at + 1) => at + 1,
        None if context.asks("city") && capital(0) && words.len() <= 3 => 0,
        Some(_) | None => return None,
    };
    let name: Vec<_> = (start..words.len())
        .take_while(|at| capital(*at))
        .filter_map(|at| words.get(at))
        .map(|word| title_case(word))
        .collect();
    let whole =
        start > 0 || name.len() + usize::from(words.last() == Some(&"please")) >= words.len();
    let answer = !whole || holds(&words, "anywhere|any|yes|no|nope|yeah|sure|thanks");
    let name = name.join(" ");
    let known = context.catalog.gazetteer().city(&name).is_some();
    (!answer && !known && name.split(' ').count() <= 3).then_some(name)
}

pub(super) fn title_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Whether a sentence points at a place named before: "there", "in that area".
pub(super) fn points_back(words: &[&str]) -> bool {
    holds(
        words,
        "there|over there|that ~ area|that ~ city|that ~ town|that ~ place|that ~ location|\
         that ~ neighborhood|that ~ region|that ~ vicinity|the area|the same ~ area|same ~ city|\
         the same ~ place|same town|same location|the same|nearby|near by|close by|around the area|\
         the region|the city|the vicinity|this area|this city|locally|this region|the town|same region|\
         the neighborhood",
    )
}

/// The last city that a sentence names at all.
pub(super) fn mentioned(sentence: &Sentence, context: &Context<'_>) -> Option<String> {
    let words = sentence.words();
    let (mut at, mut last) = (0, None);
    while let Some(tokens) = sentence.tokens.get(at..).filter(|tokens| !tokens.is_empty()) {
        let before = words.get(..at).unwrap_or_default();
        at += match named(tokens, before, context) {
            Some((used, city)) => {
                last = Some(city);
                used
            }
            None => 1,
        };
    }
    last
}

/// A search right after talk with others goes on in the city that was spoken of there.
pub(super) fn went_on(acts: &[Act], context: &Context<'_>) -> Option<Act> {
    let search = acts.contains(&Act::Search)
        || acts.iter().any(|act| {
            matches!(act, Act::Wish(Wish { value: Value::Beds(_) | Value::Baths(_), .. }))
        });
    let placed = acts.iter().any(|act| {
        matches!(act, Act::Elsewhere(_) | Act::Free("city"))
            || matches!(act, Act::Wish(Wish { value: Value::City(_), .. }))
    });
    let open = context.state.slots.city.is_none() && context.back && search && !placed;
    let city = context.state.heard.city.clone().filter(|_| open)?;
    Some(Act::Wish(Wish { value: Value::City(city), strength: Strength::Loose }))
}

/// Whether `words` say that any place will do.
pub(super) fn anywhere(words: &[&str]) -> bool {
    const ANY: &str = "any city|anywhere|any area|any place is|another city|other cit*|city doesnt matter|\
        different city|location doesnt matter|i dont care where|wherever|everywhere";
    holds(words, ANY)
        && !holds(words, "anywhere else|anywhere near|anywhere around|anywhere with|anywhere in")
}
