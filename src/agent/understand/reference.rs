//! Which listing a sentence speaks of: "it", "the second one", "the last one", "both", a home by its name
//! or by a word of its title or address.
//!
//! Whether what is pointed at was shown is known to who resolves the reference.

use super::Context;
use super::phrase::{begins, holds, is, longest};
use super::token::{Sentence, Token};
use crate::agent::gazetteer::{NAME_WORDS_MAX, name_words};
use crate::contract::id::ListingId;

/// A way to point at listings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::agent) enum Reference {
    /// "it", "they", or nothing at all: what was last spoken of.
    It,
    /// "both", "all of them".
    All,
    /// "the second one", counted from 1.
    Nth(usize),
    /// "the last one".
    Last,
    /// "the cheaper one".
    Cheapest,
    /// "the more expensive one".
    Dearest,
    /// "the bigger one".
    Largest,
    /// "the smaller one".
    Smallest,
    /// "the newest one".
    Newest,
    /// By title or address: the homes of that name, in order of the catalogue, and the words for it.
    Named(Vec<ListingId>, String),
}

const ORDINALS: [&str; 10] = [
    "first|1st|former|number one|number 1|option one|option 1",
    "second|2nd|latter|number two|number 2|option two|option 2",
    "third|3rd|number three|number 3|option three|option 3",
    "fourth|4th|number four",
    "fifth|5th|number five",
    "sixth|6th",
    "seventh|7th",
    "eighth|8th",
    "ninth|9th",
    "tenth|10th",
];
/// What the listing itself may be called after an ordinal.
const ONE: &str = "one|ones|listing|home|house|apartment|flat|place|condo|option|property|unit|\
    townhouse|result|bungalow|studio|choice";
/// Words of titles and addresses that tell nothing apart.
const DULL: &str = "home|homes|house|houses|apartment|apartments|condo|condos|place|with|near|from|bedroom|\
    bedrooms|bath|baths|street|avenue|road|drive|lane|boulevard|court|north|south|east|west|available|\
    for|rent|sale|unit|studio|large|spacious|city|pets|parking|laundry|garage|cheap|price|property|\
    good|great|nice|have|this|that|they|view|look|want|like|does|allow|allowed|number|phone|address";

/// Every explicit reference of a sentence, each once, in the order of [`Reference`].
///
/// Unless `bare`, "the 8th" is a day and only "the 8th home" is a home.
pub(super) fn references(sentence: &Sentence, context: &Context<'_>, bare: bool) -> Vec<Reference> {
    let words = ordinal_words(sentence);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut found: Vec<_> = (1..)
        .zip(ORDINALS)
        .filter(|(_, names)| points(&words, names, bare))
        .map(|(nth, _)| Reference::Nth(nth))
        .collect();
    let which = words.first() == Some(&"which");
    let named = |names: &'static str| which && holds(&words, names) || points(&words, names, true);
    for (names, reference) in [
        ("last|final", Reference::Last),
        ("cheaper|cheapest|least expensive|less expensive", Reference::Cheapest),
        ("more expensive|most expensive|pricier|priciest|dearer", Reference::Dearest),
        ("bigger|biggest|larger|largest", Reference::Largest),
        ("smaller|smallest", Reference::Smallest),
        ("newer|newest", Reference::Newest),
    ] {
        if named(names) {
            found.push(reference);
        }
    }
    if holds(&words, "first two|top two|first 2") {
        found = vec![Reference::Nth(1), Reference::Nth(2)];
    }
    found.extend(by_name(&words, context));
    if found.is_empty()
        && holds(
            &words,
            "both|these|those|each of them|all of them|all three|all of these|each one|each",
        )
    {
        found.push(Reference::All);
    }
    if found.is_empty() && holds(&words, "it|its|they|them|their|that one|this one|that|this") {
        found.push(Reference::It);
    }
    found
}

/// Homes spoken of by their title, or by a word that only one of those shown has.
fn by_name(words: &[&str], context: &Context<'_>) -> Option<Reference> {
    let places = context.catalog.gazetteer();
    let titled = (0..words.len()).find_map(|at| {
        let window = words.get(at..(at + NAME_WORDS_MAX + 2).min(words.len()))?;
        let (used, ids) = places.titled(window)?;
        // A title of one word needs to be one of those shown, or it is just a word.
        let shown = ids.iter().any(|id| context.state.seen.contains(id));
        let said = window.get(..used)?.join(" ");
        (used > 1 || shown).then(|| Reference::Named(ids.to_vec(), said))
    });
    titled.or_else(|| described(words, context))
}

/// "the one near the river", "the Sellwood place": a word of one shown home's title or address alone.
fn described(words: &[&str], context: &Context<'_>) -> Option<Reference> {
    let shown: Vec<_> =
        context.state.shown.iter().filter_map(|id| context.catalog.get(id)).collect();
    if shown.len() < 2 {
        return None;
    }
    let names: Vec<Vec<String>> = shown
        .iter()
        .map(|listing| {
            let texts = [listing.title.as_deref(), listing.address.as_deref()];
            texts.into_iter().flatten().flat_map(name_words).collect()
        })
        .collect();
    let pointing = holds(words, "the|that|this|one");
    let mut pointed =
        words.iter().filter(|word| word.len() > 3 && !is(word, DULL)).filter_map(|word| {
            let mut having =
                names.iter().zip(&shown).filter(|(name, _)| name.iter().any(|n| n == word));
            let (_, listing) = having.next()?;
            having.next().is_none().then(|| listing.id.clone())
        });
    let first = pointed.next().filter(|_| pointing)?;
    pointed.all(|other| other == first).then(|| Reference::Named(vec![first], String::new()))
}

/// The words; digits that end in `st`, `nd`, `rd` or `th` joined to an ordinal.
fn ordinal_words(sentence: &Sentence) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for token in &sentence.tokens {
        match token {
            Token::Word { text, .. }
                if is(text, "st|nd|rd|th")
                    && words
                        .last()
                        .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit())) =>
            {
                if let Some(number) = words.last_mut() {
                    number.push_str(text);
                }
            }
            Token::Digits { micros, .. } => words.push((micros / 1_000_000).to_string()),
            Token::Dash => {}
            Token::Word { .. } | Token::Comma | Token::Slash => words.push(token.text().to_owned()),
        }
    }
    words
}

/// Whether one of `names` points at a listing: "the second", "second one", but not "the second bathroom".
fn points(words: &[&str], names: &'static str, bare: bool) -> bool {
    const GOES_ON: &str =
        ",|and|or|has|have|is|allow|allows|come|comes|please|on|of|with|for|looks|sounds|seems";
    (0..words.len()).any(|at| {
        let (before, rest) = words.split_at(at);
        let Some(used) = longest(rest, names) else {
            return false;
        };
        let (name, after) = rest.split_at(used);
        let numbered = matches!(name, ["number" | "option", _]);
        let alone = bare
            && before.last() == Some(&"the")
            && after.first().is_none_or(|next| is(next, GOES_ON));
        numbered || alone || begins(after, ONE)
    })
}
