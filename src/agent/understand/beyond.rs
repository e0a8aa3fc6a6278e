//! What people ask of homes and listings have no field for: a view, schools, a pool. Named, so that the reply
//! can say so instead of acting as if nothing had been said.

use super::phrase::{begins, holds};
use super::token;

/// What it is, after "about", and words for it.
const UNSTATED: [(&str, &str); 18] = [
    ("schools", "school|schools|kindergarten*"),
    ("the view", "a view|views|view of|the view|ocean view|lake view|waterfront|beachfront"),
    ("a pool", "pool|swimming pool|hot tub|jacuzzi"),
    ("a garden", "garden|yard|backyard|back yard|lawn"),
    ("a balcony", "balcony|balconies|patio|terrace"),
    ("a gym", "gym|fitness*"),
    ("public transport", "public transport*|subway|train station|bus stop|transit"),
    ("air conditioning", "air condition*|central air|aircon"),
    ("a fireplace", "fireplace|fire place"),
    ("a basement", "basement|cellar"),
    ("an elevator", "elevator|elevators"),
    ("a dishwasher", "dishwasher"),
    ("shops", "shops|shopping|supermarket*|grocer*"),
    ("crime", "crime|safe area|safe neighborhood|is it safe|safety"),
    ("noise", "quiet|noisy|noise"),
    ("a mortgage", "mortgage*|interest rate*"),
    ("taxes and fees", "property tax*|hoa|hoa fee*"),
    ("internet", "internet|wifi|wi fi|broadband"),
];
/// A wish for the year; a question about it is answered.
const BUILT: &str = "built after|built since|built before|built in the|newly built|new construction|recently built|\
    newer than";

/// What `words` want to know or have that listings have no field for.
pub(super) fn named(words: &[&str], asks: bool) -> Option<&'static str> {
    let known = UNSTATED.iter().find(|(_, phrases)| holds(words, phrases)).map(|(name, _)| *name);
    known.or_else(|| (!asks && holds(words, BUILT)).then_some("the year"))
}

/// Whether a title mentions what [`named`] has found.
pub(in crate::agent) fn is_mentioned(what: &str, title: &str) -> bool {
    let mut known = UNSTATED.iter().filter(|(name, _)| *name == what);
    let sentences = token::sentences(title);
    known.any(|(_, phrases)| sentences.iter().any(|title| holds(&title.words(), phrases)))
}

/// Whether `words` ask it of a home that was shown, and do not look for others.
pub(super) fn asks(words: &[&str]) -> bool {
    const LOOKS: &str = "anything|something|any homes|any houses|any place*|any of|do you have|find|show me|\
        looking for|look for|i want|i need|id like|what about one|with a|with an|others|another";
    const ASKS: &str =
        "is|are|does|do|has|have|can|how|what|whats|which|where|and|is there|are there|tell me";
    begins(words, ASKS) && !holds(words, LOOKS)
}
