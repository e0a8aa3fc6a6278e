//! Whether a sentence is about homes, or about what other agents deal in: cars, calendars, tables, the weather.

use super::Context;
use super::phrase::{holds, is};
use super::token::Sentence;
use super::{day, question, visit};
use crate::agent::gazetteer::slips;

const NOUNS: &str = "home|homes|house|houses|flat|flats|apartment|apartments|apartement*|appartment*|apartmen|\
    aparment*|apt|apts|condo|condos|condominium*|place|places|studio|studios|townhouse|townhouses|\
    townhome|townhomes|property|properties|propert|listing|listings|bungalow|bungalows|duplex|\
    loft|lofts|unit|units|cottage|cottages|real estate|rental|rentals|residence*|housing|accommodation*|\
    pad|lodging|dwelling*|homestead|roommate|villa|villas|mansion";
/// What else one rents, buys, books and looks for; a sentence about these is another agent's.
const FOREIGN: &str = "cab|cabs|taxi|taxis|uber|lyft|a ride|shared ride|ride share|car|cars|vehicle*|eat|eating|food|\
    cuisine|serves|drink|drinks|bike|flight|flights|hotel|hotels|restaurant*|\
    movie|movies|steak|pizza|ticket|tickets|weather|insurance|book store|song|songs|train|bus|calendar|\
    am i free|i am free|im free|i be free|i free|my schedule|my availab*|available time|\
    free time|spare time|free slot*|openings|opening on|reminder|alarm|event|events|do i have|\
    i have free|i have time|i have any|table for|dinner|lunch|appointments do i|i have something|\
    i have anything|my day look*|on my agenda|i am available|i available|me available|concert*|\
    hair|stylist|salon|dentist|doctor|therapist|playlist|recipe|bank|loan|my itinerary";

/// Whether a home is named.
pub(super) fn names_homes(sentence: &Sentence) -> bool {
    let words = sentence.plain();
    let slip = |word: &&str| word.len() > 6 && slips(word, "apartment", 2).is_some();
    holds(&words, NOUNS) || words.iter().any(slip)
}

/// Whether something is named that other agents deal in.
pub(super) fn is_foreign(sentence: &Sentence, context: &Context<'_>) -> bool {
    let words = sentence.plain();
    let words = words.as_slice();
    // "I'm free on the 4th" answers "on which day?".
    let answers = visit::is_asked(context)
        && !sentence.question
        && holds(
            words,
            "im free|i am free|i will be free|ill be free|i be free|my schedule|i am available|my calendar|i have|i should have|\
            free time|available time",
        )
        && context.today.is_some_and(|today| !day::days(sentence, today).is_empty());
    let own = holds(words, "my car|our car|my cars") || question::mentions_feature(words);
    let homes = holds(words, NOUNS) && !only_rental(words);
    let foreign = holds(words, FOREIGN)
        && !own
        && (!homes || holds(words, "calendar|event|events|to eat|serves|am i free|do i have"))
        && !holds(words, "not add|dont add|not put|dont put|skip|no need to add")
        && !holds(words, "do i have to");
    (foreign || rents_something(words)) && !answers
}

/// Whether "rental" is the only word for a home, as in "rental car".
fn only_rental(words: &[&str]) -> bool {
    let others: Vec<_> =
        words.iter().copied().filter(|word| !matches!(*word, "rental" | "rentals")).collect();
    !holds(&others, NOUNS)
}

/// "rent the Cruze", "book that one": something is rented by name, and it is no home.
fn rents_something(words: &[&str]) -> bool {
    const KNOWN: &str = "first|second|third|fourth|last|cheap*|one|same|big*|small*|larg*|new*|whole|entire|nice|visit|tour|\
        appointment|viewing|showing|date|day|time|walk|two|three|four|#|other|best|expensive|furnished|studio|most|least";
    (0..words.len()).filter_map(|at| words.get(at..)).any(|rest| match rest {
        ["rent" | "reserve", "the", thing, ..] => {
            !is(thing, NOUNS) && !is(thing, KNOWN) && thing.len() > 2
        }
        [..] => false,
    })
}
