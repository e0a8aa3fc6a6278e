//! What a user does with a sentence: agrees, refuses, asks, looks for something, wants more, decides.
//!
//! Knows phrases, not listings; whether an act makes sense here is decided where it is carried out.

use super::Context;
use super::phrase::{begins, find, holds};
use super::reference::{Reference, references};
use super::slot::{self, Value, Wish};
use super::token::Sentence;
use super::{beyond, day, feature, foreign, place, question, stance, visit};
use crate::contract::agent::{Day, Topic};

/// One thing a user does.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent) enum Act {
    /// "yes", "that's correct".
    Affirm,
    /// "no", "I'd rather not".
    Negate,
    /// "I like it", "that sounds good".
    Like,
    /// "I don't like it", "that won't work".
    Dislike,
    /// "thanks".
    Thanks,
    /// "that's all", "nothing else".
    Done,
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
    /// "a condo", where the catalogue has none: the kind.
    NoSuchKind(&'static str),
    /// "show me more", "anything else?".
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
    /// Something that listings have no field for.
    Beyond {
        /// What, after "about".
        what: &'static str,
        /// Of which homes; absent if it is wished for.
        of: Option<Vec<Reference>>,
    },
    /// "let me think about it".
    Wait,
    /// Two or more shown listings side by side: which, empty if not said.
    Compare(Vec<Reference>),
    /// "the second one, please": a home pointed at, and nothing asked of it.
    Point(Vec<Reference>),
    /// "I'd like to visit it".
    Visit,
    /// "drop the visit".
    CancelVisit,
    /// A home by a name that the catalogue does not have.
    Named(String),
    /// "next Friday".
    Day(Day),
    /// Something that other agents deal in: a cab, a calendar, the weather.
    Foreign,
}

pub(super) const SEARCHES: &str = "find*|search*|looking for|look for|looking|need|want|require|\
    show me|show|id like|would like|like to|buy|rent|wanna|seeking|seek|wish|hoping|trying|help|\
    get me|get|do you have|have you got|are there|is there|any|interested in|hunting|hunt|\
    moving to|moving|move|after|list|what about|how about|give me|locate|check|try|see|suggest|recommend|in need|switch|look|\
    thinking of|explore|relocat*|got|name me|name some|could use|in the market|let us|lets";
const MORE: &str = "more please|what else|else|other option*|more option*|next one*|show me other*|any other*|\
    another|more listing*|more homes|more apartment*|more house*|more place*|more propert*|the rest|other|others|\
    different|alternativ*|some more|show me more|show more|see more|hear more|any more|a few more|more of them|\
    more results|more choice*|keep looking|keep searching|keep going|try again|one more|additional|\
    look again|search again|more suggestion*|other suggestion*|something else|anything else|somewhere else|\
    next please|find more|give me more|get me more|list more|load more|look further|find me more|have more|more to choose|\
    something better|anything better|better one|better option*|keep on looking|further option*|go on|more units|\
    something different|i want more|more available|tell me more option*|continue searching|continue looking";
const NOT_MORE: &str = "anything else i need|other time|another time|another day|another date|other day|different day|\
    different date|another question|one more question|one more thing|other question*|need anything else|any more help|needing any*|\
    need any other|anything else for now|nothing else|need any more|different time|anything else right now|\
    need any further|no other|no one else|else is required|want anything else|require anything else|\
    anything else at|other information|other info|other help|another city for|need any additional|other than";
const CHEAPER: &str = "cheaper|less expensive|lower price*|lower rent|lower cost|less rent|cost less|costs less|\
    cheap|more affordable|affordable|less pricey|too expensive|bit expensive|little expensive|too pricey|\
    bit pricey|little pricey|so expensive|very expensive|too much money|pretty expensive|quite expensive|\
    out of my price range|out of my budget|over my budget|above my budget|too high|bit high|cant afford|\
    less costly|lower budget|lower in price|too steep|bit steep|too costly|beyond my budget|less money|pricey|\
    too dear|bit much|little high|bring ~ price down|better price";
const BIGGER: &str = "bigger|larger|more bedrooms|more space|more room|more rooms|another bedroom|too small|\
    too cramped|one more bedroom|extra bedroom|an extra room|more spacious|roomier|too tiny|additional bedroom|\
    bit small|little small";
const COMPARE: &str = "compare*|comparison|difference between|differences between|versus|vs|side by side|how do they differ|\
    how are they different|which is better|which one is better|what sets|differ";
const RESTART: &str = "start over|new search|start again|start from scratch|begin again|forget everything|reset|\
    forget all that|start fresh|start anew";

impl Act {
    /// Whether the act is about homes even if no home is named and nothing is looked for yet.
    pub(super) fn stands_alone(&self, sentences: &[Sentence]) -> bool {
        match self {
            Self::Ask { .. } | Self::Search | Self::Restart | Self::Compare(_) | Self::Visit => {
                true
            }
            Self::Wish(Wish { value, .. }) => match value {
                Value::Beds(_) | Value::BedsExact(_) | Value::Baths(_) | Value::PropertyType(_) => {
                    true
                }
                // A bare "Portland" is a search; "I was in Portland" is not.
                Value::City(city) => {
                    let words = sentences.iter().flat_map(Sentence::words);
                    words.filter(|word| *word != ",").count() <= city.split(' ').count() + 1
                }
                Value::Type(_) | Value::PriceMax(_) | Value::PriceMin(_) | Value::Parking => false,
                Value::SqftMin(_) | Value::Pets(_) | Value::Laundry | Value::Furnished(_) => false,
                Value::State(_) => false,
            },
            Self::Affirm | Self::Negate | Self::Free(_) | Self::Elsewhere(_) | Self::Like => false,
            Self::Dislike | Self::Thanks | Self::Done | Self::Point(_) | Self::CancelVisit => false,
            Self::More | Self::Cheaper | Self::Bigger => false,
            Self::Named(_) | Self::Day(_) | Self::Foreign | Self::NoSuchKind(_) => false,
            Self::Beyond { .. } | Self::Wait => false,
        }
    }
}

/// All acts of one sentence, in the order they are carried out.
pub(super) fn acts(sentence: &Sentence, context: &Context<'_>) -> Vec<Act> {
    let words = sentence.plain();
    let words = words.as_slice();
    let mut acts = stands(words);
    if foreign::is_foreign(sentence, context) {
        acts.extend(stance::opinion(words, true));
        acts.push(Act::Foreign);
        return acts;
    }
    let days = days(sentence, words, context);
    let mut of = references(sentence, context, days.is_empty());
    if searches_cheapest(words, &of, context) {
        of.clear();
        acts.extend([Act::Search, Act::Free("price_max"), Act::Free("price_min")]);
    }
    let asked = context.shown() && beyond::asks(words);
    let unstated = beyond::named(words, asked);
    if let Some(what) = unstated.filter(|_| asked) {
        acts.push(Act::Beyond { what, of: Some(of) });
        return acts;
    }
    acts.extend(unstated.map(|what| Act::Beyond { what, of: None }));
    if holds(words, COMPARE) && (context.shown() || foreign::names_homes(sentence)) {
        acts.push(Act::Compare(of));
        return acts;
    }
    let named = || {
        of.iter().any(|one| matches!(one, Reference::Named(..)))
            || visit::named(sentence, context).is_some()
    };
    let visits =
        visit::asks(words, context) || !days.is_empty() && visit::goes_to(words) && named();
    let question = question::question(sentence, context, &of);
    if let Some(Act::Ask { topics, of }) = question.clone().filter(|_| visits) {
        acts.extend(visit::question(sentence, topics, of));
    } else if let Some(question) = question {
        // "That sounds good, is it furnished?" both likes and asks.
        let head = words.split(|word| *word == ",").next().unwrap_or_default();
        acts.extend(
            stance::opinion(head, true)
                .filter(|_| head.len() < words.len() && !sentence_asks(head)),
        );
        acts.push(question);
        return acts;
    }
    acts.extend(search(sentence, words, context));
    acts.extend(visit_acts(sentence, words, (visits, days), context));
    if context.shown() {
        let stated = !sentence.question || begins(words, "that|this|it|yes|great|perfect|ok");
        acts.extend(stance::opinion(words, stated));
    }
    let pointed = of.into_iter().filter(|one| !matches!(one, Reference::It | Reference::All));
    let pointed: Vec<_> = pointed.collect();
    if !pointed.is_empty() {
        // "The bigger of the two" is one of them, and no wish for others.
        acts.retain(|act| !matches!(act, Act::Bigger | Act::Cheaper));
        acts.push(Act::Point(pointed));
    }
    acts
}

/// Where the user stands.
fn stands(words: &[&str]) -> Vec<Act> {
    let mut acts = Vec::new();
    let done = stance::is_done(words) && !begins(words, "no|nope|nah|not");
    for clause in words.split(|word| *word == ",") {
        acts.extend(stance::verdict(clause).filter(|act| *act != Act::Negate || !done));
    }
    let rest = [
        (Act::Thanks, stance::thanks(words)),
        (Act::Done, stance::is_done(words)),
        (Act::Wait, stance::hesitates(words)),
    ];
    acts.extend(rest.into_iter().filter(|(_, said)| *said).map(|(act, _)| act));
    acts
}

/// "What's the cheapest you have in Kent?" looks at all homes, not at those shown.
fn searches_cheapest(words: &[&str], of: &[Reference], context: &Context<'_>) -> bool {
    const ALL: &str =
        "you have|you got|you offer|on offer|on the market|available in|for sale in|for rent in";
    *of == [Reference::Cheapest] && context.shown() && holds(words, ALL)
}

/// Whether words begin as a question does.
fn sentence_asks(words: &[&str]) -> bool {
    begins(words, "is|are|does|do|can|could|what|whats|how|where|may|will|would|which")
}

/// What a sentence says of the search.
fn search(sentence: &Sentence, words: &[&str], context: &Context<'_>) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut wishes = slot::wishes(sentence, context);
    if holds(words, RESTART) {
        acts.push(Act::Restart);
    }
    if let Some(city) = back_there(words, &wishes, context) {
        wishes.push(Wish { value: Value::City(city), strength: slot::Strength::Loose });
    }
    let free = feature::waived(words);
    let excluded = place::excluded(sentence, context);
    if let Some(city) = excluded
        && context.state.slots.city.as_ref() == Some(&city)
    {
        acts.push(Act::Free("city"));
    }
    let noun = foreign::names_homes(sentence);
    // "It sounds like the apartment I want" looks for nothing any more.
    let pleased = context.shown()
        && wishes.is_empty()
        && stance::opinion(words, true) == Some(Act::Like)
        && (!holds(
            words,
            "find|search|searching|look for|looking for|show me|another|other|different|some more",
        ) || holds(
            words,
            "what i am looking for|what im looking for|i was looking for|what im searching for",
        ))
        || holds(words, "thanks for|thank you for");
    if noun
        && !pleased
        && (holds(words, SEARCHES) || !wishes.is_empty())
        && !visit::asks(words, context)
    {
        acts.push(Act::Search);
    }
    let placed = wishes.iter().any(|wish| matches!(wish.value, Value::City(_) | Value::State(_)));
    if !placed {
        acts.extend(place::elsewhere(sentence, context).map(Act::Elsewhere));
    }
    let visits = visit::asks(words, context);
    acts.extend(feature::missing_kind(words, context).filter(|_| !visits).map(Act::NoSuchKind));
    let wished = !wishes.is_empty();
    let waived = |wish: &Wish| free.iter().any(|slot| is_of(&wish.value, slot));
    acts.extend(wishes.into_iter().filter(|wish| !waived(wish)).map(Act::Wish));
    acts.extend(free.into_iter().map(Act::Free));
    if holds(words, BIGGER) && !holds(words, "or bigger|or larger") {
        acts.push(Act::Bigger);
    } else if holds(
        words,
        "thats ~ cheaper|its ~ cheaper|it is ~ cheaper|that is ~ cheaper|cheaper than the",
    ) {
        acts.push(Act::Like);
    } else if holds(words, CHEAPER)
        && (context.shown() || holds(words, "cheaper"))
        && !prices(&acts)
    {
        acts.push(Act::Cheaper);
    } else if more(words) && !wished && !visit::moves(words) {
        acts.push(Act::More);
    }
    acts
}

/// What one sentence of a turn says of another: a home found is not missing, and "are pets allowed? I have
/// a dog" asks for nothing but an answer.
pub(super) fn settle(acts: &mut Vec<Act>) {
    let city = acts.iter().any(|act| matches!(act, Act::Wish(Wish { value: Value::City(_), .. })));
    let priced = prices(acts);
    let asked: Vec<_> = acts
        .iter()
        .filter_map(
            |act| if let Act::Ask { topics, .. } = act { Some(topics.clone()) } else { None },
        )
        .flatten()
        .collect();
    let answered = |value: &Value| match value {
        Value::Pets(_) => asked.contains(&Topic::Pets),
        Value::Furnished(_) => asked.contains(&Topic::Furnished),
        Value::Parking => asked.contains(&Topic::Parking),
        Value::Laundry => asked.contains(&Topic::Laundry),
        Value::Type(_) | Value::City(_) | Value::PriceMax(_) | Value::PriceMin(_) => false,
        Value::Beds(_) | Value::BedsExact(_) | Value::Baths(_) | Value::SqftMin(_) => false,
        Value::PropertyType(_) | Value::State(_) => false,
    };
    acts.retain(|act| {
        let settled = matches!(act, Act::Elsewhere(_)) && city
            || matches!(act, Act::Cheaper) && priced
            || matches!(act, Act::Free("pets")) && asked.contains(&Topic::Pets)
            || matches!(act, Act::Wish(wish) if answered(&wish.value));
        !settled
    });
}

/// Whether a price is wished for.
fn prices(acts: &[Act]) -> bool {
    acts.iter().any(|act| {
        matches!(act, Act::Wish(Wish { value: Value::PriceMax(_) | Value::PriceMin(_), .. }))
    })
}

/// Whether a value belongs to a slot.
fn is_of(value: &Value, slot: &str) -> bool {
    match value {
        Value::City(_) => slot == "city",
        Value::PriceMax(_) | Value::PriceMin(_) => slot == "price_max",
        Value::Beds(_) | Value::BedsExact(_) => slot == "beds_min",
        Value::Baths(_) => slot == "baths_min",
        Value::SqftMin(_) => slot == "sqft_min",
        Value::Pets(_) => slot == "pets",
        Value::Parking => slot == "parking",
        Value::Laundry => slot == "laundry",
        Value::Furnished(_) => slot == "furnished",
        Value::Type(_) | Value::PropertyType(_) | Value::State(_) => false,
    }
}

/// The city named to others, if the sentence points back at it and none is looked for.
fn back_there(words: &[&str], wishes: &[Wish], context: &Context<'_>) -> Option<String> {
    let named = wishes.iter().any(|wish| matches!(wish.value, Value::City(_)));
    let open = context.state.slots.city.is_none();
    let heard = context.state.heard.city.clone()?;
    let home = context.noun || context.asks("city");
    (!named && open && home && place::points_back(words)).then_some(heard)
}

/// Whether more results are asked for.
fn more(words: &[&str]) -> bool {
    let Some((at, _)) = find(words, MORE) else {
        return matches!(words, ["more"] | ["next"] | ["others"] | ["more", ","]);
    };
    let denied = at > 0 && words.get(at - 1).is_some_and(|word| matches!(*word, "no" | "nothing"));
    !denied && !holds(words, NOT_MORE)
}

/// The days of a sentence, but for "that is all for today".
fn days(sentence: &Sentence, words: &[&str], context: &Context<'_>) -> Vec<Day> {
    if stance::is_done(words)
        || holds(
            words,
            "for today|help today|not today|much today|helping me today|assistance today",
        )
    {
        return Vec::new();
    }
    context.today.map(|today| day::days(sentence, today)).unwrap_or_default()
}

/// What a sentence says of a visit.
fn visit_acts(
    sentence: &Sentence,
    words: &[&str],
    (visits, days): (bool, Vec<Day>),
    context: &Context<'_>,
) -> Vec<Act> {
    let mut acts = Vec::new();
    if visit::cancels(words) {
        acts.push(Act::CancelVisit);
    } else if visits {
        acts.push(Act::Visit);
    }
    if let Some(day) = days.into_iter().next_back() {
        acts.push(Act::Day(day));
    } else if visits
        && (context.back || holds(words, "that day|that date|same day|same date|then|that time"))
    {
        acts.extend(context.state.heard.day.clone().map(Act::Day));
    }
    if visits
        || matches!(context.state.pending, Some(crate::contract::agent::Pending::VisitListing {}))
    {
        acts.extend(visit::named(sentence, context).map(Act::Named));
    }
    acts
}
