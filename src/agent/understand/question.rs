//! Questions about shown listings: what is asked, and of which.
//!
//! The difficulty is to tell "does it have parking?" from "do you have anything with parking?"; what a
//! listing answers is known elsewhere.

use super::Context;
use super::act::Act;
use super::phrase::{begins, holds, is, longest};
use super::reference::Reference;
use super::token::{Sentence, Token};
use crate::contract::agent::Topic;

pub(super) const PARKING: &str = "parking|garage|garages|carport|car port|park my|park a|park your|place to park|\
    parking space*|parking spot*|car space|driveway";
pub(super) const LAUNDRY: &str = "in unit laundry|in unit washer|laundry|laundries|washer and dryer|washer dryer|\
    washer / dryer|washer|dryer|washing machine*|wash my clothes|wash clothes|laundromat|in unit wash*|\
    do my wash*|washing facilit*|washers|dryers|wash and dry|clothes washer|laundry room|w / d";
const TOPICS: [(Topic, &str); 16] = [
    (
        Topic::Overview,
        "more about|tell me about|detail|details|more information|more info|describe|know about it|\
            information about|more on|info on|info about",
    ),
    (
        Topic::Price,
        "price|prices|priced|cost|costs|how much|how expensive|asking price|rent|monthly rent|\
            going for|charge|fee",
    ),
    (Topic::Beds, "how many ~ bed*|number of bed*|how many rooms|bedroom count|how many br"),
    (Topic::Baths, "how many ~ bath*|number of bath*|how many bedrooms and bath*|many baths"),
    (
        Topic::Size,
        "sqft|square feet|square footage|square foot|size|how big|how large|sq ft|how small|\
            biggest|largest|bigger|larger|square meters|how spacious",
    ),
    (Topic::Parking, PARKING),
    (
        Topic::Pets,
        "pet|pets|pet friendly|dog|dogs|cat|cats|animal|animals|puppy|kitten|bring my _|keep my _|\
            restrictions|pet policy|kitty|restriction|have my _ with me|pooch|hamster|parrot|rabbit|\
            furry friend*|four legged|iguana|ferret|bird|birds|snake|snakes|turtle|turtles|lizard|fish|parakeet|guinea pig*|gerbil|spaniel|\
            retriever|poodle|labrador|bulldog|chihuahua|terrier|shepherd|python|tarantula|are they allowed|are they welcome|they allowed|doggo|kittens|puppies|doggie",
    ),
    (Topic::Laundry, LAUNDRY),
    (Topic::Furnished, "furnish*|furniture|unfurnish*|any restrictions|empty or|already decorated"),
    (Topic::Year, "built|how old|what year|which year|age of|how new|year of construction"),
    (
        Topic::Available,
        "is it available|still available|available from|availability|move in|vacant|free from|\
            when is it available|when ~ available|available when|available now|available yet|\
            available on|available in|available immediately|available",
    ),
    (
        Topic::City,
        "which city|what city|which town|what town|which area|what area|neighborhood|neighbourhood",
    ),
    (
        Topic::Address,
        "address|addresses|where is|where are|where ~ located|location|located|where exactly|wheres|street|\
            exact location|how do i get there|directions|find the place|situated",
    ),
    (
        Topic::Phone,
        "phone|telephone|phone number|contact|contacts|contact number|call them|reach them|reach|number|numbers|\
            get in touch|call the|give them a call|can i call|to call|phone no|mobile number|digits|\
            get ahold|get a hold|who do i call|talk to them|speak to them|speak with|hotline|landline|cell",
    ),
    (Topic::Deposit, "deposit|security deposit|upfront|up front|down payment|move in cost*"),
    (
        Topic::PropertyType,
        "what kind of|what type of|what sort of|is it a house|is it an apartment|is it a condo|property type|\
            a house or|an apartment or|a condo or|type of property|kind of property|type of home",
    ),
];
/// How questions begin.
const OPENINGS: &str = "is|are|does|do they|do the|do you know|has|have they|can i|can we|can you|could i|could you|\
    may i|what is|what are|whats|what about|what year|what size|how big|how much|how many|how old|how large|\
    when|where|and|which|what|tell me|how can|how do|how does|how is|will|would|whose|who|do pets|do i|\
    am i|are you able|are there|is there|give me|get me|provide|please tell|may we|does the|whether|any|\
    do we|whos|how|why|did|so is|also";
/// A question put into a statement or an order.
const EMBEDDED: &str = "tell me|let me know|check if|check whether|check to see|find out|know if|know whether|\
    know what|wondering|curious|confirm if|confirm whether|confirm about|know about|wonder if|\
    see if|see whether|ask if|ask whether|ask them|interested in knowing|need to know|want to know|like to know|inquire|\
    clarify|check on|tell us|learn|double check|check that|know its|know their|know the|let us know|\
    verify|also confirm|please confirm|confirm for me|inform me|also check|whether|please check";
/// A sentence that looks for homes, whatever it asks of them.
const LOOKING: &str = "anything|something|somewhere|any homes|any houses|any flats|any apartment*|any place*|\
    any propert*|any of|any listing*|any unit*|any condo*|do you have any|do you have a|do you have an|do you have some|\
    have you got|search|searching|show me|looking for|look for|another|other|others|else|find me|\
    find a|find an|find some|find one|find any|find homes|find apartment*|find house*|find place*|\
    i need a|i need an|i want a|i want an|i need one|i want one|id like a|id like an|id like one|\
    like a|like an|like one|any with|ones with|ones that|one with|one that|apartments with|homes with|\
    houses with|places with|apartments that|places that|homes that|houses that|apartments where|\
    places where|is there a|is there an|is there any|are there any|are there|what about one|how about one|\
    prefer a|prefer one|prefer an|rather have|switch to|change to|are there some|locate|get me a|get me an|get a|get an|\
    get me some|give me a|give me an|give me some|more options|more apartments|different|instead|\
    come up with|how about a|how about an|what about a|what about an|should have|must have|must be|should be|\
    must allow|should allow|has to|have to|needs to|look into|make sure";
/// "Is there a garage?" asks about the home on the table.
const EXISTS: &str = "is there a|is there an|is there any|are there|are there any|does it|does this|does that|\
    does the|do they|is it|is this|is that|is the|are the|are pets|are dogs|are cats|are animals|has it|\
    will it|would it|can it|whats the|what is the|whats their|what is their|whats its|what is its|\
    can i|may i|could i|can we|do you know|do i";

/// Questions in the middle of a sentence that has no stops.
const INSIDE: &str = "are pets|are dogs|are cats|are animals|is it|does it|do they|what is the|what is their|whats the|\
    whats their|is the apartment|is the place|is the property|is this|does the|is there|what number";
/// Homes that are not on the table.
const OTHERS: &str = "any of|any apartment*|any homes|any houses|any places|any other|anything|something|others|\
    other apartment*|other home*|other place*|other one*|other option*|other house*|other propert*|\
    else|another apartment*|another home|another place|another one|apartments available|apartments with|homes with|places with|ones with";

/// A question about shown listings, if the sentence is one.
pub(super) fn question(
    sentence: &Sentence,
    context: &Context<'_>,
    of: &[Reference],
) -> Option<Act> {
    let words = sentence.plain();
    let words = words.as_slice();
    let mut topics = topics(words, context);
    let sized = of.iter().any(|one| matches!(one, Reference::Largest | Reference::Smallest));
    if sized && topics.len() > 1 {
        topics.retain(|topic| *topic != Topic::Size);
    }
    if !sentence.question && !super::feature::waived(words).is_empty() {
        return None;
    }
    let opening = words.iter().position(|word| !is_filler(word)).unwrap_or(0);
    let body = words.get(opening..).unwrap_or_default();
    let embedded = holds(words, EMBEDDED);
    let asks = sentence.question || begins(body, OPENINGS) || embedded || holds(words, INSIDE);
    let pointed = of.iter().any(|one| !matches!(one, Reference::It | Reference::All));
    if topics.is_empty() {
        return overview(words, of, pointed, context);
    }
    let it = of.iter().any(|one| *one != Reference::It)
        || holds(words, "it|its|they|their|them|this one|that one");
    let about_a_home = context.shown() || it && !of.is_empty();
    let told = topics.iter().any(|topic| matches!(topic, Topic::Phone | Topic::Deposit))
        || holds(words, "address|where is|wheres|where exactly");
    let exists = clauses(words).any(|clause| begins(clause, EXISTS)) && !holds(words, OTHERS);
    let others =
        holds(words, OTHERS) && !holds(words, "anything about|something about|anything on");
    let short = begins(body, "what about|how about") && words.len() <= 5;
    let looking =
        !pointed && !told && !short && (others || holds(words, LOOKING) && !embedded && !exists);
    let counted = sentence.tokens.iter().any(|token| matches!(token, Token::Digits { .. }));
    let yours = holds(words, "you have|your|you got")
        && !embedded
        && !told
        && !topics.contains(&Topic::Price);
    let tells = topics.contains(&Topic::Overview)
        && !of.is_empty()
        && (asks
            || begins(body, "tell|more|details|give|describe|id like|i would like|i want|i need"));
    // Nobody wishes for a telephone number: naming it is asking for it.
    let names = told
        && !counted
        && !begins(
            body,
            "i will call|ill call|i will give|ill give|i will contact|ill contact|i will reach|i am going|im going|i can call",
        )
        && (words.len() <= 6
            || holds(words, "please|need|want|like|also|too|get|give|provide|send|share|have"));
    (about_a_home && (asks && !looking && !yours || tells || names))
        .then(|| Act::Ask { topics, of: of.to_vec() })
}

/// The clauses of a sentence, and what stands after their joints.
fn clauses<'w>(words: &'w [&'w str]) -> impl Iterator<Item = &'w [&'w str]> {
    let joint = |word: &str| is(word, ",|but|and|so|also|because|now|yes|yeah|then|ok|okay");
    (0..words.len())
        .filter(move |at| *at == 0 || words.get(at - 1).is_some_and(|word| joint(word)))
        .filter_map(|at| words.get(at..))
}

/// What a sentence mentions that a listing could answer, in the order of [`Topic`].
fn topics(words: &[&str], context: &Context<'_>) -> Vec<Topic> {
    let mut found: Vec<_> =
        TOPICS.iter().filter(|(_, names)| holds(words, names)).map(|(topic, _)| *topic).collect();
    let drop = |found: &mut Vec<Topic>, topic| found.retain(|one| *one != topic);
    // "a reservation number of 2" and "the number of bedrooms" are nobody's telephone.
    if holds(words, "number of|numbers of")
        && !holds(words, "phone|contact|number of the|number of that|number of this|number of it")
    {
        drop(&mut found, Topic::Phone);
    }
    if holds(words, "rent*") && !context.shown() {
        drop(&mut found, Topic::Price);
    }
    if holds(words, "to rent|for rent|rent it|rent a|rent an|rent this|rent that|rent the|renting")
        && !holds(words, "how much|cost|price")
    {
        drop(&mut found, Topic::Price);
    }
    if holds(words, "contact|location|call|reach") && holds(words, "how much") && found.len() > 1 {
        drop(&mut found, Topic::Overview);
    }
    if holds(
        words,
        "my location|same location|this location|that location|at this location|location is",
    ) && !holds(words, "address|where")
    {
        drop(&mut found, Topic::Address);
    }
    if holds(words, "included in the price|in the price|for the price|in the rent|with the rent") {
        drop(&mut found, Topic::Price);
    }
    let asked = context.state.pending.is_some()
        && holds(words, "time available|available on|week available|available for");
    if asked || super::visit::is_asked(context) && found == [Topic::Available] {
        drop(&mut found, Topic::Available);
    }
    if found.contains(&Topic::Deposit) && !holds(words, "price|rent|cost|costs") {
        drop(&mut found, Topic::Price);
    }
    if found.contains(&Topic::Address) {
        drop(&mut found, Topic::City);
    }
    // "Is there anything available?" looks, "which pets are allowed" names no size.
    if found.len() > 1 {
        drop(&mut found, Topic::Available);
    }
    if holds(
        words,
        "apartments available|homes available|anything available|options available|else available|places available|other available|others available|am i available|me available|my availab*|i available|ones available|else is available|available apartments|available options",
    ) {
        drop(&mut found, Topic::Available);
    }
    found
}

/// "the second one", "what about the last one?", "which one is cheaper?".
fn overview(words: &[&str], of: &[Reference], pointed: bool, context: &Context<'_>) -> Option<Act> {
    const WISHES: &str = "visit|see|tour|take it|take the|want|like|love|find|search|book|schedule|show|\
        prefer|choose|go with|need|perfect|great|good|nice|works|fine|rent|buy|interested";
    let compared = of.iter().all(|one| matches!(one, Reference::Cheapest | Reference::Dearest));
    let which = begins(words, "which");
    let topic = match of {
        _ if which && compared => Topic::Price,
        [Reference::Largest] if which => Topic::Size,
        _ => Topic::Overview,
    };
    (pointed && context.shown() && (which || !holds(words, WISHES)))
        .then(|| Act::Ask { topics: vec![topic], of: of.to_vec() })
}

/// Words before the first one that counts.
fn is_filler(word: &str) -> bool {
    is(
        word,
        ",|and|but|also|so|ok|okay|yes|great|well|yeah|yep|sure|thanks|thank|oh|hm|hmm|perfect|good|nice|\
            cool|alright|please|then|just|maybe|correct|right|interesting|awesome|yup|hey|hi|hello|no",
    )
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

/// Whether `words` begin with a question about a listing's features; used to keep wishes apart.
pub(super) fn mentions_feature(words: &[&str]) -> bool {
    longest(words, PARKING).or_else(|| longest(words, LAUNDRY)).is_some()
}
