//! The general conversation agent: greets, thanks, and says what it cannot do. Pure.

use crate::contract::agent::Intent;

/// A general reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) intent: Intent,
    pub(super) text: &'static str,
}

/// What each kind of small talk is recognised by, words in a row; the first row with one of them wins.
const RULES: &[(Intent, &[&str], &str)] = &[
    (
        Intent::Goodbye,
        &[
            "bye",
            "goodbye",
            "good bye",
            "farewell",
            "cheerio",
            "see you",
            "see ya",
            "talk to you later",
            "good night",
        ],
        "Goodbye! Your search is kept here for when you come back.",
    ),
    (
        Intent::Thanks,
        &["thanks", "thank you", "thank", "thx", "cheers", "appreciate"],
        "You're welcome. Is there anything else you would like to see?",
    ),
    (
        Intent::SmallTalk,
        &[
            "weather",
            "your name",
            "who are you",
            "joke",
            "robot",
            "a bot",
            "how old are you",
            "do you have pets",
            "do you have any pets",
            "your hobbies",
            "made you",
            "are you from",
            "are you human",
            "a real person",
        ],
        "I am better with homes than with small talk. Which city are you interested in?",
    ),
    (
        Intent::Greeting,
        &[
            "hello",
            "hi",
            "hey",
            "good morning",
            "good afternoon",
            "good evening",
            "greetings",
            "how are you",
            "how is it going",
            "how s it going",
            "what s up",
            "how do you do",
            "nice to meet you",
        ],
        "Hello! I can help you find a home to buy or rent. Where would you like to live?",
    ),
    (
        Intent::Help,
        &[
            "help",
            "commands",
            "what can you do",
            "what can i ask",
            "what do you do",
            "how does this work",
            "how do you work",
            "what can i do",
            "what are you able",
        ],
        "I can search homes to buy or rent: tell me a city, a budget and how many bedrooms. \
         I also answer questions about the homes I have shown.",
    ),
];

/// Sayings of nothing recognised, from the first time in a row to the third and later.
const NO_MATCH: [&str; 3] = [
    "I did not understand that. Could you say it another way?",
    "Sorry, I still do not follow. You can say, for example, \"2 bed homes in Portland under $400k\".",
    "I seem to be no help here. Try a city and a budget, or ask a person at the office.",
];

/// The question about a turn that could be a search.
pub(super) const CLARIFY: &str = "Shall I look for a home to buy or rent for you?";

/// What is said if the user says no to [`CLARIFY`].
pub(super) const NOT_HOMES: &str =
    "All right. Homes are what I know about; tell me when you want to see some.";

/// What is said to whom the search is switched off.
pub(super) const SWITCHED_OFF: &str =
    "I cannot search homes for you at the moment. Please ask a person at the office.";

fn small_talk(text: &str) -> Option<Reply> {
    let words = spaced(text);
    let said = |sign: &&str| words.contains(&format!(" {sign} "));
    let rule = RULES.iter().find(|(_, signs, _)| signs.iter().any(said));
    rule.map(|(intent, _, text)| Reply { intent: *intent, text })
}

/// The words of a text in lower case, with a space around each.
fn spaced(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(" ".to_owned(), |all, word| all + word + " ")
}

/// What kind of small talk a turn is, if it is any.
pub(super) fn recognises(text: &str) -> Option<Intent> {
    small_talk(text).map(|reply| reply.intent)
}

/// Answers a turn; `no_match` says how many turns in a row were not understood before this one.
pub(super) fn reply(text: &str, no_match: u32) -> Reply {
    let [first, second, third] = NO_MATCH;
    let lost = match no_match {
        0 => first,
        1 => second,
        _ => third,
    };
    small_talk(text).unwrap_or(Reply { intent: Intent::NoMatch, text: lost })
}

/// What an answer to [`CLARIFY`] says: yes and what follows it, no, or something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Clarified<'t> {
    /// Yes, and what follows.
    Yes(&'t str),
    /// No, and nothing else.
    No,
    /// Neither.
    Neither,
}

/// Reads an answer to [`CLARIFY`].
pub(super) fn clarified(text: &str) -> Clarified<'_> {
    let trim =
        |text: &'_ str| -> usize { text.find(|c: char| c.is_alphanumeric()).unwrap_or(text.len()) };
    let text = text.get(trim(text)..).unwrap_or_default();
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    let (first, rest) = text.split_at_checked(end).unwrap_or_default();
    let rest = rest.get(trim(rest)..).unwrap_or_default();
    match first.to_lowercase().as_str() {
        "yes" | "yeah" | "yep" | "yup" | "sure" | "ok" | "okay" | "please" | "right"
        | "correct" => Clarified::Yes(rest),
        "no" | "nope" | "nah" if rest.split_whitespace().count() <= 2 => Clarified::No,
        _ if chooses(text) => Clarified::Yes(text),
        _ => Clarified::Neither,
    }
}

/// "To rent, please": which of the two that [`CLARIFY`] names.
fn chooses(text: &str) -> bool {
    const ANSWER_WORDS_MAX: usize = 4;
    const CHOICES: [&str; 6] =
        [" buy ", " buying ", " purchase ", " rent ", " renting ", " lease "];
    let words = spaced(text);
    let short = words.split_whitespace().count() <= ANSWER_WORDS_MAX;
    short && CHOICES.iter().any(|choice| words.contains(choice))
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
            ("How's it going?", Intent::Greeting),
            ("Are you a bot?", Intent::SmallTalk),
            ("I can see", Intent::NoMatch),
            ("is this something?", Intent::NoMatch),
            ("", Intent::NoMatch),
        ] {
            assert_eq!(reply(text, 0).intent, intent, "{text}");
        }
        let texts = [reply("x", 0).text, reply("x", 1).text, reply("x", 2).text];
        assert_eq!(texts, NO_MATCH);
        assert_eq!(reply("x", 99).text, texts[2]);
    }
    #[test]
    fn reads_an_answer_to_its_question() {
        for (text, expected) in [
            ("Yes", Clarified::Yes("")),
            ("yes, in Salem please", Clarified::Yes("in Salem please")),
            (" Sure!", Clarified::Yes("")),
            ("no", Clarified::No),
            ("No, thanks.", Clarified::No),
            ("to rent, please", Clarified::Yes("to rent, please")),
            ("Buy!", Clarified::Yes("Buy!")),
            ("where can I rent a car in Salem?", Clarified::Neither),
            ("no, a flat to rent in Salem", Clarified::Neither),
            ("what is the weather?", Clarified::Neither),
            ("", Clarified::Neither),
            ("…é", Clarified::Neither),
        ] {
            assert_eq!(clarified(text), expected, "{text}");
        }
    }
}
