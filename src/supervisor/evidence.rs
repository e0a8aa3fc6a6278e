//! How much a text speaks of looking for a home: named signals with weights, added up. Pure, and without context.
//!
//! Weights were chosen on real openings of conversations (see `examples/evaluate`, `routing`). A signal counts once,
//! however often it is seen. Words of other trades weigh against: "rent a car" and "pay my rent" are no search.

/// Words with a space between them.
#[derive(Debug, Clone, Copy)]
struct Words(&'static str);

impl Words {
    fn contains(self, word: &str) -> bool {
        self.0.split(' ').any(|one| one == word)
    }
}

/// The sum from which on a text is about looking for a home.
pub const ENOUGH: i32 = 3;

/// Names of homes that mean little else.
const DWELLINGS: Words = Words(
    "apartment apartments apt apts condo condominium condominiums condos duplex duplexes housing \
    townhouse townhouses",
);
/// Names of homes that also stand in other talk.
const BUILDINGS: Words = Words(
    "accommodation accommodations accomodation building bungalow flat flats home homes house houses \
    listing listings loft pad properties property residence residences studio studios unit units \
    villa",
);
/// Whose: "my house" is not looked for.
const OWNERS: Words = Words("'s her his its my our their whose your");
/// Before "house" or "home", what makes it something else.
const NAMES: Words = Words("at beach call coffee court open smart steak white");
/// What a home is counted by.
const ROOMS: Words = Words("ba bath bathroom bathrooms baths bd bdrm bed bedroom bedrooms beds br");
const COUNTS: Words = Words("1 2 3 4 5 6 another double five four more one single six three two");
/// What homes have, and where they are.
const FEATURES: Words = Words(
    "area balcony elevator furnished furniture garage landlord laundry lease neighborhood place \
    places rent rental rentals renting rents rooms somewhere spot sqft unfurnished",
);
/// Somewhere, of no kind.
const PLACES: Words = Words("place places room rooms somewhere spot");
/// What is done in a home, after "to".
const LIVING: Words = Words("buy call lease live move rent settle stay");
const PETS: Words = Words("animal animals cat cats dog dogs pet pets");
const ALLOWED: Words = Words("accepted allowed friendly permitted welcome");
const ALLOWING: Words = Words("accept accepts allow allowing allows permit permits take takes");
/// What one does who looks for something.
const SEEKING: Words = Words(
    "after browse buy check explore find finding get give have help hunt hunting interested like \
    locate look looking move moving need offer prefer purchase recommend relocate relocating rent \
    require search searching see seek seeking shifting show suggest there try want wish",
);
/// Before a place, what one does who changes homes.
const MOVING: Words = Words("live living move moving relocate relocating");
const INTO: Words = Words("in into near to");
/// Words of other trades.
const OTHER_TRADES: Words = Words(
    "account airline alarm album appointment automobile balance bank bill bills book cab calendar car \
    card cards cars coin credit currency dice dinner directions event events flight flights food gas \
    hatchback hotel hotels insurance interest light lights list loan lunch mortgage movie movies \
    museum music oil order pay payment payments plane playlist recipe reminder reservation \
    reservations restaurant restaurants ride rides route sedan skis song songs spell suv tank tax \
    taxes taxi thermostat ticket tickets timer tire traffic tuxedo uber vaccine vaccines vehicle \
    visa web",
);
const ANYTHING: Words = Words("anything anywhere someplace something somewhere");
const ELSE: Words =
    Words("better bigger cheaper different else larger more new other similar smaller");
const FURTHER: Words = Words(
    "additional alternate alternative another different extra further more next other similar",
);
/// Beginnings of words for what is offered.
const OFFERS: Words = Words(
    "accommodation alternative apartment building choice complex condo flat home house listing \
    location one option place possibilit propert recommendation result solution spot suggestion unit",
);
const OTHERS: Words = Words("another more others");
/// With these, "anything else" is not asked for.
const DECLINING: Words =
    Words("call cancel didnt dont if name not nothing order ordering refer stop");

/// The signals that a text gives, each with its weight, the positive ones first.
#[must_use]
pub fn signals(text: &str) -> Vec<(&'static str, i32)> {
    let clauses = clauses(text);
    let clauses: Vec<Vec<&str>> = clauses.iter().map(|clause| words(clause)).collect();
    let any = |test: fn(&[&str]) -> bool| clauses.iter().any(|clause| test(clause));
    let has = |list: Words| clauses.iter().flatten().any(|word| list.contains(word));
    let rated = [
        ("dwelling", 3, clauses.iter().flatten().any(|word| is_dwelling(word))),
        ("building", 2, any(building)),
        ("counted rooms", 3, any(counted_rooms)),
        ("rooms", 1, has(ROOMS) && !any(counted_rooms)),
        ("place to live", 2, any(place_to_live)),
        ("pets allowed", 2, any(pets_allowed)),
        ("further offers", 3, any(further_offers)),
        ("feature", 1, has(FEATURES)),
        ("moving house", 1, any(|clause| follows(clause, MOVING, INTO, 0))),
        ("seeking", 1, has(SEEKING)),
        ("other trade", -3, has(OTHER_TRADES)),
    ];
    rated.into_iter().filter(|(_, _, seen)| *seen).map(|(name, weight, _)| (name, weight)).collect()
}

/// The sum of the signals.
#[must_use]
pub fn evidence(text: &str) -> i32 {
    signals(text).iter().map(|(_name, weight)| weight).sum()
}

/// The parts of a text between stops and commas, in lower case, with "n't" and "'s" as words.
fn clauses(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace('’', "'").replace("n't", " not").replace("'s", " 's ");
    text.split(['.', '!', '?', ';', ',']).map(str::to_owned).collect()
}

fn words(clause: &str) -> Vec<&str> {
    let words = clause.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '$');
    words.filter(|word| !word.is_empty()).collect()
}

/// A name of a home; the long ones however they are misspelt.
fn is_dwelling(word: &str) -> bool {
    DWELLINGS.contains(word)
        || (word.len() >= 7
            && word.starts_with('a')
            && ["apartment", "apartments"]
                .iter()
                .any(|right| strsim::levenshtein(word, right) <= 2))
}

/// Whether one of `list` stands at most `within` words before place `at`.
fn before(clause: &[&str], at: usize, within: usize, list: Words) -> bool {
    clause
        .get(at.saturating_sub(within)..at)
        .is_some_and(|near| near.iter().any(|word| list.contains(word)))
}

/// Whether a word of `first` is followed by one of `second`, at most `between` words later.
fn follows(clause: &[&str], first: Words, second: Words, between: usize) -> bool {
    let at = |place: usize| before(clause, place, between + 1, first);
    clause.iter().enumerate().any(|(place, word)| second.contains(word) && at(place))
}

fn building(clause: &[&str]) -> bool {
    let looked_for = |at: usize| !before(clause, at, 2, OWNERS) && !before(clause, at, 1, NAMES);
    clause.iter().enumerate().any(|(at, word)| BUILDINGS.contains(word) && looked_for(at))
}

fn counted_rooms(clause: &[&str]) -> bool {
    follows(clause, COUNTS, ROOMS, 1)
        || follows(clause, Words("bath bed"), Words("room rooms"), 0)
        || clause.iter().any(|word| {
            let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
            unit.len() < word.len() && ROOMS.contains(unit)
        })
}

fn place_to_live(clause: &[&str]) -> bool {
    let lives = clause.windows(3).any(|three| match three {
        [place, "to", living] => PLACES.contains(place) && LIVING.contains(living),
        _ => false,
    });
    lives || follows(clause, PLACES, ROOMS, 4)
}

fn pets_allowed(clause: &[&str]) -> bool {
    follows(clause, PETS, ALLOWED, 2) || follows(clause, ALLOWING, PETS, 1)
}

/// Whether more is asked for than what was shown.
fn further_offers(clause: &[&str]) -> bool {
    if clause.iter().any(|word| DECLINING.contains(word)) {
        return false;
    }
    let offer = |word: &str| OFFERS.0.split(' ').any(|stem| word.starts_with(stem));
    let pair = clause.windows(2).any(|two| match two {
        ["what", "else"] | ["keep" | "continue", "looking" | "searching" | "going"] => true,
        ["try", "again"] => true,
        [first, second] => {
            (ANYTHING.contains(first) && ELSE.contains(second))
                || (FURTHER.contains(first) && offer(second))
        }
        _ => false,
    });
    let alone = Words("alternative alternatives elsewhere");
    pair || clause.iter().any(|word| alone.contains(word)) || ends_with_others(clause)
}

/// "Show me some more", "any others?", "another, please": the end says what is wanted.
fn ends_with_others(clause: &[&str]) -> bool {
    let polite = Words("available now please then");
    let end = clause.iter().rposition(|word| !polite.contains(word));
    let Some((end, last)) = end.and_then(|end| Some((end, clause.get(end)?))) else {
        return false;
    };
    let asked = end == 0
        || before(clause, end, 4, SEEKING)
        || before(clause, end, 2, Words("about any are list next some up what"));
    OTHERS.contains(last) && asked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        signals(text).into_iter().map(|(name, _weight)| name).collect()
    }

    #[test]
    fn names_what_it_has_seen() {
        for (text, expected) in [
            ("Find me an appartment", &["dwelling", "seeking"][..]),
            ("a house with a garage", &["building", "feature"]),
            ("2bd/1ba please", &["counted rooms"]),
            ("three bed rooms", &["counted rooms", "feature"]),
            ("somewhere to live", &["place to live", "feature"]),
            ("We are moving to Salem", &["moving house", "seeking"]),
            ("only where dogs are allowed", &["pets allowed"]),
            ("does it allow pets?", &["pets allowed"]),
            ("Show me some more, please.", &["further offers", "seeking"]),
            ("Rent me a car", &["feature", "seeking", "other trade"]),
            ("lock the door of my house", &[]),
            ("Anna's flat", &[]),
            ("a table at the steak house", &[]),
            ("", &[]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn more_is_asked_for_in_many_ways_and_declined_in_as_many() {
        for text in [
            "Anything else?",
            "What else do you have?",
            "No, something cheaper.",
            "Other options?",
            "Another one!",
            "can you look elsewhere",
            "any alternatives",
            "keep looking",
            "any others available?",
            "more please",
            "the next place",
        ] {
            assert!(names(text).contains(&"further offers"), "{text}");
        }
        for text in [
            "I don't need anything else",
            "call me something else",
            "nothing else, thanks",
            "order some more",
            "one or the other",
            "more or less",
            "who else",
            "tell me more about you",
        ] {
            assert!(!names(text).contains(&"further offers"), "{text}");
        }
    }

    #[test]
    fn searches_are_told_from_talk_of_houses() {
        for (text, is_search) in [
            ("I'm moving for my new job and need an apartment in Salem", true),
            ("My name is Ida and I want to rent a flat", true),
            ("how about one with two baths", true),
            ("a room to rent near the river", true),
            ("I would like to rent a car in Salem", false),
            ("what is due on my mortgage", false),
            ("turn off the lights in the house", false),
            ("book me a table at the beach house", false),
            ("do you have pets?", false),
            ("where is your home", false),
            ("which animals do you have at home", false),
            ("I need a new house insurance", false),
        ] {
            assert_eq!(evidence(text) >= ENOUGH, is_search, "{text}: {:?}", signals(text));
        }
    }
}
