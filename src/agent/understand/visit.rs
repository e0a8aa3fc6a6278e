//! Visits: whether a sentence asks for one, takes it back, or names the home to go to.

use super::Context;
use super::act::Act;
use super::phrase::{begins, find, holds, is};
use super::place::title_case;
use super::reference::Reference;
use super::token::{Sentence, Token};
use crate::contract::agent::{Pending, Topic};

const VISITS: &str = "visit*|tour|tours|touring|viewing|viewings|appointment*|walk through|walkthrough|showing|inspection|\
    inspect|see it|see this|see that place|see that apartment|see that one|see that property|see that home|see that house|\
    see the apartment*|see the place*|see the house|see the home|see the property|see the unit|see the condo|view it|\
    view the apartment|view the place|view the house|view the property|view that one|view that apartment|view that home|view that house|view that place|view that property|view this|view the home|look at it|\
    look at the apartment*|look at the place|look at the property|look at the house|look at that|look at this|\
    take a look|take a peek|check it out|check that out|check this out|check the place out|check out the|go see|go and see|\
    stop by|come by|drop by|swing by|schedule a|schedule an|schedule me|schedule it|schedule the|schedule one|\
    schedule for|schedule on|schedule something|schedule to|schedule that|scheduling|book it|book a visit|go to the apartment|go to the property|go to the place|go there|\
    in person|set it up|set that up|set up a time|arrange a time|make an appointment|go there to see|see for myself|come see|\
    meet ~ agent|schedule|reschedule|see the townhouse|view the condo|view the unit";
/// What is looked for with the same words and is no visit.
const NO_VISIT: &str = "my schedule|see it on the map|schedule is|see other|see more|see another|look at other|look at some other|\
    visiting my|visiting family|visited|look at more|look at another|dont want to visit|dont want to schedule|\
    dont want a visit|not want to visit|not want to schedule|not ready to|dont need to visit|dont need to see|\
    dont need a visit|without visiting|take a look for|dont schedule|do not schedule|see this as|take a look at other|\
    dont want to see|dont want to view|later i will|schedule it later|schedule later|schedule that later|schedule the viewing later|\
    schedule the visit later|visit later on|visit it later on|not wish to|not interested in visiting|rather not visit|\
    see it on my|not to schedule|not schedule|not visit|check out the other|how many visits";
/// A home by any of these has no name.
const UNNAMED: &str = "it|its|that|this|there|them|one|ones|apartment*|apt|place|places|property|properties|home|homes|house|\
    houses|unit|condo|building|complex|flat|listing|residence|location|the|a|an|to|at|of|for|in|on|me|my|see|visit|look|tour|and|or|\
    please|you|i|can|could|would|id|like|want|first|second|third|last|cheaper|same|inside|person|out|up|time|today|tomorrow|\
    next|this|later|so|with|around|by|from|is|appointment|schedule|viewing|showing|soon|day|date|week|then|also|yes|no|some|any|\
    thanks|thank|monday|tuesday|wednesday|thursday|friday|saturday|sunday|he|she|we|us|our|your|their|possible|if|when|what|\
    which|where|do|does|go|be|am|are|will|how|about|interested|arrange|make|set|book|plan|need|let|lets|visiting|scheduled|\
    scheduling|new|nice|good|great|now|not|just|really|town|area|city|another|other|via|through|march|april|june|july|\
    august|september|october|november|december|january|february|may|bedroom*|bed|beds|bath*|one's|things|town|pm|morning|afternoon|evening|\
    walk|walkthrough|inspection|check|take|right|away|asap|early|late|as|possible|before|after|during|works|work|free|available|okay|ok|sure|hi|hello|hey|yeah|yup|yep";
/// The longest name of a home, in words.
const NAME_WORDS_MAX: usize = 6;

/// Whether a sentence asks for a visit.
pub(super) fn asks(words: &[&str], context: &Context<'_>) -> bool {
    if holds(words, NO_VISIT) {
        return false;
    }
    let known = context.shown() || context.state.chosen.is_some() || context.state.visit.is_some();
    if !known && holds(words, "find*|search*|looking for") {
        return false;
    }
    match find(words, VISITS) {
        None => false,
        // "I'm visiting Salem" is small talk; a home to go to makes it a wish.
        Some(_) => {
            known
                || context.noun
                || holds(
                    words,
                    "schedule|book|arrange|appointment|set up|like to|want to|can i|could i|plan",
                )
        }
    }
}

/// Whether a sentence goes to see something, which a name and a day make a visit.
pub(super) fn goes_to(words: &[&str]) -> bool {
    holds(words, "see|check out|look at|go to|come to|drop in at|meet at")
}

/// Whether a sentence moves a visit to another day, whatever its words for "other".
pub(super) fn moves(words: &[&str]) -> bool {
    holds(
        words,
        "another day|another date|different day|different date|other day|different time|another time",
    )
}

/// Whether the agent waits for a word on a visit.
pub(super) fn is_asked(context: &Context<'_>) -> bool {
    matches!(
        context.state.pending,
        Some(Pending::VisitOffer {} | Pending::VisitDay {} | Pending::VisitConfirm { .. })
    )
}

/// A question in a sentence that also speaks of a visit: about what a visit says nothing of.
pub(super) fn question(sentence: &Sentence, topics: Vec<Topic>, of: Vec<Reference>) -> Option<Act> {
    let topics: Vec<_> = topics
        .into_iter()
        .filter(|topic| {
            matches!(
                topic,
                Topic::Phone | Topic::Pets | Topic::Furnished | Topic::Parking | Topic::Laundry
            ) || matches!(topic, Topic::Deposit | Topic::Price)
        })
        .collect();
    let asked = sentence.question || holds(&sentence.plain(), "check|tell|know|number|find out");
    (asked && !topics.is_empty()).then_some(Act::Ask { topics, of })
}

/// "cancel the visit".
pub(super) fn cancels(words: &[&str]) -> bool {
    holds(
        words,
        "cancel ~ visit|cancel ~ appointment|cancel ~ tour|cancel ~ viewing|drop ~ visit|forget ~ visit|\
        call off ~ visit|delete ~ visit|remove ~ visit|cancel it",
    )
}

/// The home that a sentence names in words of its own: "visit Aria Court on the 12th".
pub(super) fn named(sentence: &Sentence, context: &Context<'_>) -> Option<String> {
    let words = sentence.words();
    let asked = matches!(context.state.pending, Some(Pending::VisitListing {}));
    let known = (0..words.len()).any(|at| {
        words
            .get(at..)
            .and_then(|rest| context.catalog.gazetteer().titled(rest))
            .is_some_and(|(used, _)| used > 1)
    });
    if known {
        return None;
    }
    let start = match find(
        &words,
        "visit|visiting|visit to|tour|tour of|tour at|see|viewing of|viewing at|appointment at|appointment with|\
        appointment for|look at|inspect|view|showing at|showing of|check out|visit for|property|go to|complex|called|named",
    ) {
        Some((at, used)) => at + used,
        None if asked => 0,
        None => return None,
    };
    let mut name = Name::default();
    for (at, token) in sentence.tokens.get(start..)?.iter().enumerate() {
        let next = sentence.tokens.get(start + at + 1).map_or("", Token::text);
        if !name.takes(token, next) {
            break;
        }
    }
    let words_only = asked && !begins(&words, "no|yes|any|none");
    name.spelled().filter(|_| name.capitals || words_only)
}

/// A name in the making.
#[derive(Default)]
struct Name {
    words: Vec<String>,
    /// Whether a word was written with a capital.
    capitals: bool,
}

impl Name {
    /// Takes a token, or ends before it; `next` is the word after it.
    fn takes(&mut self, token: &Token, next: &str) -> bool {
        const BEFORE: &str = "the|a|an|to|at|of|for|in|property|apartment|apartments|complex|visit|is|called|named|i|\
            id|like|want|see|me|please|it|its|would|yes|tour";
        let begun = !self.words.is_empty();
        if self.words.len() == NAME_WORDS_MAX {
            return false;
        }
        match token {
            Token::Word { text, .. } if !begun && is(text, BEFORE) => {}
            Token::Word { text, capital } => {
                let joins = begun && matches!(text.as_str(), "at" | "of" | "the");
                let generic = is(text, UNNAMED) && (!capital || !begun);
                if generic && !joins {
                    return false;
                }
                self.capitals |= *capital;
                self.words.push(text.clone());
            }
            // "1000 Kiely", but not "the 8th".
            Token::Digits { micros, dollar: false } if !begun && !is(next, "st|nd|rd|th") => {
                self.words.push((micros / 1_000_000).to_string());
            }
            Token::Dash => {}
            Token::Digits { .. } | Token::Comma | Token::Slash => return false,
        }
        true
    }

    /// The name, if it has a word.
    fn spelled(&self) -> Option<String> {
        let joint = |word: &&String| matches!(word.as_str(), "at" | "of" | "the");
        let end = self.words.iter().rev().take_while(joint).count();
        let words = self.words.get(..self.words.len() - end)?;
        let worded = words.iter().any(|word| word.starts_with(char::is_alphabetic));
        worded.then(|| words.iter().map(|word| title_case(word)).collect::<Vec<_>>().join(" "))
    }
}
