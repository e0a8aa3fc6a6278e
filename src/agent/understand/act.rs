//! What a user does with a sentence: agrees, refuses, asks, looks for something, wants more.
//!
//! Knows phrases, not listings; whether an act makes sense here is decided where it is carried out.

use super::Context;
use super::phrase::{begins, holds};
use super::question::{self, Topic};
use super::reference::{Reference, references};
use super::slot::{self, Strength, Value, Wish};
use super::token::{Sentence, Token};

/// One thing a user does.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent) enum Act {
    /// "yes", "that's fine".
    Affirm,
    /// "no", "I'd rather not".
    Negate,
    /// "I'm looking for a flat"; the wishes are acts of their own.
    Search,
    /// "start over".
    Restart,
    /// A wish for a home.
    Wish(Wish),
    /// "price does not matter": the slot, by name.
    Free(&'static str),
    /// "in Seattle", which the catalogue does not have.
    Elsewhere(String),
    /// "show me more".
    More,
    /// "something cheaper".
    Cheaper,
    /// "something bigger".
    Bigger,
    /// A question about shown listings.
    Ask {
        /// What about them; never empty.
        topics: Vec<Topic>,
        /// Which of them; empty if not said.
        of: Vec<Reference>,
    },
}

const NOUNS: &str = "home|homes|house|houses|flat|flats|apartment|apartments|apt|apts|condo|condos|place|\
    places|studio|studios|townhouse|townhouses|townhome|townhomes|property|properties|\
    listing|listings|bungalow|bungalows|duplex|loft|lofts|unit|units|cottage|cottages|\
    real estate|rental|rentals";
/// What else one rents, buys and looks for; a turn about these is another agent's.
const FOREIGN: &str = "car|cars|bike|flight|flights|hotel|hotels|restaurant|restaurants|movie|movies|steak|\
    pizza|ticket|tickets|weather|insurance|book|song|train|bus|taxi";
pub(super) const SEARCHES: &str = "find|search|looking for|look for|searching|need|want|\
    show me|show|like|buy|rent|\
    get me|do you have|have you got|are there|is there|any|interested in|hunting|\
    moving to|after|list|what about|move to|give me";
const AFFIRMS: &str = "yes|yeah|yep|yup|sure|ok|okay|fine|go ahead|sounds good|please do|that works|\
    thats fine|that is fine|thats ok|thats okay|why not|perfect|great|absolutely|\
    of course|alright|all right|do it|i can do that|works for me|no problem|\
    lets do that|definitely";
const NEGATES: &str = "no|nope|nah|not really|dont|do not|id rather not|i would rather not|rather not|\
    not ok|never|too expensive|thats too|i cant|i dont";
const NOT_NEGATES: &str =
    "no more than|no higher than|no less than|no cheaper than|no problem|no budget";
const MORE: &str = "show me more|show more|see more|any more|more please|anything else|what else|\
    something else|other options|more options|next ones|show me others|any others|\
    another one|more listings|more homes|the rest";
const CHEAPER: &str = "cheaper|less expensive|lower price|lower priced|lower rent";
const BIGGER: &str = "bigger|larger|more bedrooms|more space|more room|more rooms|another bedroom";
const FREES: [(&str, &str); 5] = [
    ("city", "any city|anywhere|another city|other city|other cities|city doesnt matter"),
    (
        "price_max",
        "any price|price doesnt matter|price does not matter|budget doesnt matter|\
            money is no object|no budget",
    ),
    ("beds_min", "any number of bedrooms|bedrooms dont matter"),
    ("baths_min", "any number of baths|baths dont matter"),
    (
        "parking",
        "no parking|no garage|garage is not needed|parking is not needed|parking not needed|\
            without parking|dont need parking|parking doesnt matter|\
            parking is not important|parking isnt important|forget the parking|drop the parking|\
            without a garage",
    ),
];

impl Act {
    /// Whether the act is about homes even if no home is named and nothing is looked for yet.
    pub(super) fn stands_alone(&self, sentences: &[Sentence]) -> bool {
        match self {
            Self::Ask { .. } | Self::Search | Self::Restart => true,
            Self::Wish(Wish { value, .. }) => match value {
                Value::Beds(_) | Value::Baths(_) => true,
                // A bare "Portland" is a search; "I was in Portland" is not.
                Value::City(city) => {
                    let words: usize = sentences.iter().map(|s| s.tokens.len()).sum();
                    words <= city.split(' ').count() + 1
                }
                Value::Type(_) | Value::PriceMax(_) | Value::PriceMin(_) | Value::Parking => false,
            },
            Self::Affirm | Self::Negate | Self::Free(_) | Self::Elsewhere(_) => false,
            Self::More | Self::Cheaper | Self::Bigger => false,
        }
    }
}

/// Whether a home is named.
pub(super) fn names_homes(sentence: &Sentence) -> bool {
    holds(&sentence.words(), NOUNS)
}

/// Whether something is named that other agents deal in.
pub(super) fn is_foreign(sentence: &Sentence) -> bool {
    holds(&sentence.words(), FOREIGN)
}

/// All acts of one sentence, in the order they are carried out.
pub(super) fn acts(sentence: &Sentence, context: &Context<'_>) -> Vec<Act> {
    let words = sentence.words();
    let mut acts = Vec::new();
    let wishes = slot::wishes(sentence, context);
    for clause in words.split(|word| *word == ",") {
        acts.extend(verdict(clause));
    }
    let of = references(sentence);
    if let Some(question) = question::question(sentence, context, &of) {
        acts.push(question);
        return acts;
    }
    if holds(&words, "start over|new search|start again") {
        acts.push(Act::Restart);
    }
    let noun = names_homes(sentence);
    if noun && (holds(&words, SEARCHES) || !wishes.is_empty()) {
        acts.push(Act::Search);
    }
    let free = FREES.iter().filter(|(_, phrases)| holds(&words, phrases));
    acts.extend(free.map(|(slot, _)| Act::Free(slot)));
    acts.extend(elsewhere(sentence, &words, &wishes, context));
    let wished = !wishes.is_empty();
    acts.extend(wishes.into_iter().map(Act::Wish));
    if holds(&words, BIGGER) {
        acts.push(Act::Bigger);
    } else if holds(&words, CHEAPER) && !wished {
        acts.push(Act::Cheaper);
    } else if (holds(&words, MORE) || matches!(*words, ["more"] | ["next"])) && !wished {
        acts.push(Act::More);
    }
    acts
}

/// Agreement or refusal at the start of a clause.
fn verdict(clause: &[&str]) -> Option<Act> {
    if begins(clause, AFFIRMS) {
        Some(Act::Affirm)
    } else if begins(clause, NEGATES) && !begins(clause, NOT_NEGATES) {
        Some(Act::Negate)
    } else {
        None
    }
}

/// A city that the catalogue does not have: a capitalised word after "in", or the answer to "which city?".
fn elsewhere(
    sentence: &Sentence,
    words: &[&str],
    wishes: &[Wish],
    context: &Context<'_>,
) -> Option<Act> {
    if wishes.iter().any(|wish| matches!(wish.value, Value::City(_))) {
        return None;
    }
    let capital =
        |at: usize| matches!(sentence.tokens.get(at), Some(Token::Word { capital: true, .. }));
    let start = match words.iter().position(|word| matches!(*word, "in" | "near")) {
        Some(at) if capital(at + 1) => at + 1,
        None if context.asked == Some("city") && wishes.is_empty() && capital(0) => 0,
        Some(_) | None => return None,
    };
    let name: Vec<_> = (start..words.len())
        .take_while(|at| capital(*at))
        .filter_map(|at| words.get(at))
        .map(|word| title_case(word))
        .collect();
    let answer = verdict(words).is_some() || holds(words, "anywhere|any");
    (!answer && name.len() <= 3).then(|| Act::Elsewhere(name.join(" ")))
}

fn title_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl Wish {
    /// A wish that nothing may stretch.
    pub(in crate::agent) fn hard(value: Value) -> Self {
        Self { value, strength: Strength::Hard }
    }
}
