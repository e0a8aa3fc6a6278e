//! Which shown listing a sentence speaks of: "it", "the second one", "the last one", "both".
//!
//! Reads only words; what was shown is known to who resolves the reference.

use super::phrase::holds;
use super::token::{Sentence, Token};

/// A way to point at shown listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::agent) enum Reference {
    /// "it", or nothing at all: the one last spoken of.
    It,
    /// "they", "both", "all".
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
}

const ORDINALS: [&str; 10] = [
    "first|1st",
    "second|2nd",
    "third|3rd",
    "fourth|4th",
    "fifth|5th",
    "sixth|6th",
    "seventh|7th",
    "eighth|8th",
    "ninth|9th",
    "tenth|10th",
];
/// What the listing itself may be called after an ordinal.
const ONE: &str = "one|ones|listing|home|house|apartment|flat|place|condo|option|property|unit|\
    townhouse|result|bungalow|studio";

/// Every explicit reference of a sentence, each once, in the order of [`Reference`].
pub(super) fn references(sentence: &Sentence) -> Vec<Reference> {
    let words = ordinal_words(sentence);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut found: Vec<_> = (1..)
        .zip(ORDINALS)
        .filter(|(_, names)| names.split('|').any(|name| points(&words, name)))
        .map(|(nth, _)| Reference::Nth(nth))
        .collect();
    let which = words.first() == Some(&"which");
    let named = |names: &str| {
        which && holds(&words, names) || names.split('|').any(|name| points(&words, name))
    };
    if named("last|final") {
        found.push(Reference::Last);
    }
    if named("cheaper|cheapest|least expensive") {
        found.push(Reference::Cheapest);
    }
    if named("more expensive|most expensive|pricier|priciest|dearer") {
        found.push(Reference::Dearest);
    }
    if named("bigger|biggest|larger|largest") {
        found.push(Reference::Largest);
    }
    if found.is_empty() && holds(&words, "both|they|them|their|these|those|each of them") {
        found.push(Reference::All);
    }
    if found.is_empty() && holds(&words, "it|its|that one|this one|that|this") {
        found.push(Reference::It);
    }
    found
}

/// The words; digits that end in `st`, `nd`, `rd` or `th` joined to an ordinal.
fn ordinal_words(sentence: &Sentence) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut digits = None;
    for token in &sentence.tokens {
        match (token, digits.take()) {
            (Token::Word { text, .. }, Some(number))
                if matches!(text.as_str(), "st" | "nd" | "rd" | "th") =>
            {
                words.pop();
                words.push(format!("{number}{text}"));
            }
            (Token::Digits { micros, .. }, _) => {
                digits = Some(micros / 1_000_000);
                words.push("#".to_owned());
            }
            (token, _) => words.push(token.text().to_owned()),
        }
    }
    words
}

/// Whether `name` points at a listing: "the second", "second one", but not "the second bathroom".
fn points(words: &[&str], name: &str) -> bool {
    if !holds(words, name) {
        return false;
    }
    if ONE.split('|').any(|one| holds(words, &format!("{name} {one}"))) {
        return true;
    }
    let article = format!("the {name}");
    let length = article.split(' ').count();
    let at = words.windows(length).position(|window| window.join(" ") == article);
    let next = at.map(|at| words.get(at + length).copied().unwrap_or_default());
    next.is_some_and(|next| {
        matches!(next, "" | "," | "and" | "or" | "has" | "have" | "is" | "allow" | "come" | "comes")
    })
}
