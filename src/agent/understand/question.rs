//! Questions about shown listings: what is asked, and of which.
//!
//! The difficulty is to tell "does it have parking?" from "do you have anything with parking?"; what a
//! listing answers is known elsewhere.

use super::Context;
use super::act::{Act, SEARCHES};
use super::phrase::{begins, holds};
use super::reference::Reference;
use super::token::Sentence;

/// What can be asked about a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::agent) enum Topic {
    Overview,
    Price,
    Beds,
    Baths,
    Size,
    Parking,
    Pets,
    Laundry,
    Furnished,
    Year,
    Available,
    City,
}

const TOPICS: [(Topic, &str); 12] = [
    (Topic::Overview, "more about|tell me about|details"),
    (Topic::Price, "price|cost|costs|how much|expensive|asking"),
    (Topic::Beds, "bed|beds|bedroom|bedrooms"),
    (Topic::Baths, "bath|baths|bathroom|bathrooms"),
    (
        Topic::Size,
        "sqft|square feet|square footage|size|big|large|bigger|biggest|larger|largest|sq ft|\
            how small",
    ),
    (Topic::Parking, "parking|garage|carport|park my car"),
    (Topic::Pets, "pet|pets|dog|dogs|cat|cats|animals|puppy|kitten"),
    (Topic::Laundry, "laundry|washer|dryer|washing machine"),
    (Topic::Furnished, "furnished|furniture|unfurnished"),
    (Topic::Year, "built|how old|what year|which year|age of"),
    (Topic::Available, "available|availability|move in|vacant|free from"),
    (Topic::City, "where|which city|what city|located|location"),
];
/// How questions begin.
const OPENINGS: &str = "is|are|does|do they|has|have|can i|can we|could i|may i|what is|what are|whats|\
    what about|what year|what size|how big|how much|how many|how old|how large|when|\
    where|and|which|what|tell me";
/// A sentence that looks for homes, whatever it asks of them.
const LOOKING: &str = "is there|are there|anything|something|any homes|any houses|any flats|any apartments|\
    do you have|have you got|find|show me|looking for";

/// A question about shown listings, if the sentence is one.
pub(super) fn question(
    sentence: &Sentence,
    context: &Context<'_>,
    of: &[Reference],
) -> Option<Act> {
    let words = sentence.words();
    let words = words.as_slice();
    let topics: Vec<_> =
        TOPICS.iter().filter(|(_, names)| holds(words, names)).map(|(topic, _)| *topic).collect();
    let opening = words.iter().position(|word| !is_filler(word)).unwrap_or(0);
    let body = words.get(opening..).unwrap_or_default();
    let asks = sentence.question || begins(body, OPENINGS);
    let pointed = of.iter().any(|reference| !matches!(reference, Reference::It | Reference::All));
    if topics.is_empty() {
        // "the second one", "what about the last one?"
        let wishes = holds(words, SEARCHES) && !begins(words, "what about");
        let compared = of.iter().all(|one| matches!(one, Reference::Cheapest | Reference::Dearest));
        let topic = if begins(words, "which") && compared { Topic::Price } else { Topic::Overview };
        return (pointed && context.shown && !wishes)
            .then(|| Act::Ask { topics: vec![topic], of: of.to_vec() });
    }
    let about_a_home = !of.is_empty() || context.shown;
    let looking = holds(words, LOOKING) && !pointed || holds(words, "you|your");
    let tells = topics.contains(&Topic::Overview) && !of.is_empty();
    (about_a_home && (asks || tells) && !looking).then(|| Act::Ask { topics, of: of.to_vec() })
}

/// Words before the first one that counts.
fn is_filler(word: &str) -> bool {
    matches!(word, "," | "and" | "but" | "also" | "so" | "ok" | "okay" | "yes" | "great" | "well")
}

/// Joins "And the third one? Does it allow pets?" to one question.
pub(super) fn join(acts: &mut Vec<Act>) {
    for at in (1..acts.len()).rev() {
        let Some((before, [Act::Ask { of: it, .. }, ..])) = acts.split_at_mut_checked(at) else {
            continue;
        };
        let implicit = it.iter().all(|one| *one == Reference::It);
        if let Some(Act::Ask { topics, of }) = before.last()
            && implicit
            && *topics == [Topic::Overview]
        {
            it.clone_from(of);
            acts.remove(at - 1);
        }
    }
}
