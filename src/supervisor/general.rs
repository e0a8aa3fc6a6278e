//! The general conversation agent: greets, thanks, and says what it cannot do. Pure.

use crate::contract::agent::Intent;

/// A general reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) intent: Intent,
    pub(super) text: &'static str,
}

/// What each kind of small talk is recognised by; the first row with a word of the turn wins.
const RULES: &[(Intent, &[&str], &str)] = &[
    (
        Intent::Goodbye,
        &["bye", "goodbye", "farewell", "cheerio"],
        "Goodbye! Your search is kept here for when you come back.",
    ),
    (
        Intent::Thanks,
        &["thanks", "thank", "thx", "cheers"],
        "You're welcome. Is there anything else you would like to see?",
    ),
    (
        Intent::Help,
        &["help", "can", "commands", "how"],
        "I can search homes to buy or rent: tell me a city, a budget and how many bedrooms. \
         I also answer questions about the homes I have shown.",
    ),
    (
        Intent::Greeting,
        &["hello", "hi", "hey", "morning", "afternoon", "evening", "greetings"],
        "Hello! I can help you find a home to buy or rent. Where would you like to live?",
    ),
    (
        Intent::SmallTalk,
        &["weather", "name", "joke", "robot", "bot", "feeling"],
        "I am better with homes than with small talk. Which city are you interested in?",
    ),
];

/// Sayings of nothing recognised, from the first time in a row to the third and later.
const NO_MATCH: [&str; 3] = [
    "I did not understand that. Could you say it another way?",
    "Sorry, I still do not follow. You can say, for example, \"2 bed homes in Portland under $400k\".",
    "I seem to be no help here. Try a city and a budget, or ask a person at the office.",
];

/// Answers a turn; `no_match` says how many turns in a row were not understood before this one.
pub(super) fn reply(text: &str, no_match: u32) -> Reply {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    for (intent, signs, text) in RULES {
        if signs.iter().any(|sign| words.contains(sign)) {
            return Reply { intent: *intent, text };
        }
    }
    let [first, second, third] = NO_MATCH;
    let text = match no_match {
        0 => first,
        1 => second,
        _ => third,
    };
    Reply { intent: Intent::NoMatch, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_small_talk_and_escalates_what_it_does_not() {
        for (text, intent) in [
            ("Hi there", Intent::Greeting),
            ("thanks, bye!", Intent::Goodbye),
            ("what can you do?", Intent::Help),
            ("is this something?", Intent::NoMatch),
            ("", Intent::NoMatch),
        ] {
            assert_eq!(reply(text, 0).intent, intent, "{text}");
        }
        let texts = [reply("x", 0).text, reply("x", 1).text, reply("x", 2).text];
        assert_eq!(texts, NO_MATCH);
        assert_eq!(reply("x", 99).text, texts[2]);
    }
}
