//! Where a user stands: agrees, refuses, likes it, does not, has had enough.
//!
//! Knows phrases only; what is agreed to or liked is known to who carries it out.

use super::act::Act;
use super::phrase::{begins, find, holds, longest};

const AFFIRMS: &str = "yes|yeah|yep|yup|yea|ya|sure|ok|okay|okey|fine|go ahead|sounds good|please do|that works|\
    thats fine|that is fine|thats ok|thats okay|why not|perfect|great|absolutely|exactly|\
    of course|alright|all right|do it|i can do that|works for me|no problem|certainly|indeed|\
    lets do that|definitely|correct|right|please do|please go|please hook|please proceed|please schedule|please book|please make|please set|please arrange|please confirm|please i|thats correct|that is correct|thats right|that is right|\
    i confirm|confirm*|thats it|that is it|proceed|affirmative|yessir|aye|good|cool|nice|excellent|\
    awesome|fantastic|wonderful|that would be|that will|thatll|thatd be|sounds|that sounds|that seems|\
    thats what|that is what|looks good|looks right|looks correct|thats accurate|that is accurate|\
    thats great|that is great|thats good|that is good|thats perfect|that is perfect|by all means|\
    very well|true|lets go|lets do it|thats confirmed|that is confirmed|could you do so|can you do so|could you do that|do so|id love to|i would love|you got it|make it so|i agree|agreed|\
    thats all correct|its correct|it is correct|all correct|all good|happy with that|yay|fix it";
/// Agreement if nothing follows.
const WHOLE: &str = "please|i do|i would|it is|right|i sure would|i sure do|i would please";
const NEGATES: &str = "no|nope|nah|not really|dont|do not|id rather not|i would rather not|rather not|\
    not ok|never|thats too|i cant|i dont|not now|not yet|not right now|not at|not just|not today|\
    not for|not this|not interested|maybe later|later|never mind|nevermind|some other time|\
    another time|perhaps later|perhaps another|maybe another|maybe some|i do not|ill do that later|\
    i will do that later|ill schedule it later|ill schedule later|will do that later|hold off|\
    i am not|im not|not necessary|thats not|that is not|i would not|i wouldnt|not until|ill pass|pass|\
    i might|i may|i need to think|i still need|let me think|wait|i need to see if|not so|\
    it can be done later|possibly later|maybe not|probably not|i think not|neither|none|nothing|lets do that later|do that later|maybe at|at a later|will think|ill think|i will think|\
    i changed my mind|ive changed|cancel that|negative|no way|sorry no|uh no|um no|i need more time|not sure";
const NOT_NEGATES: &str = "no more than|no higher than|no less than|no cheaper than|no problem|no budget|\
    no worries|dont worry|no matter|no preference|no pets|no parking|no garage|no doubt|i cant wait|\
    i cant go|i cant spend|i cant pay|i cant afford|i dont want to spend|not over|not more|never over|no pref|\
    i may|i might like|im not picky|not in|not near|no furniture|i may have|dont you|do not you|no laundry|\
    i dont need|i dont care|i do not need|dont need|do not need|i dont have|no later|no need for|i dont want it over|\
    i am not picky|not too|not sure if they";
const PRAISE: &str = "good|great|nice|perfect|fine|excellent|amazing|awesome|wonderful|terrific|fantastic|cool|\
    lovely|ideal|interesting|promising|suitable|suits|suit|fits|fit|works|work for|will work|might work|could work|would work|should work|will do|be interested in|\
    thatll do|love it|love this|love that|love the|i love|id love|satisf*|happy with|okay|ok|just right|\
    pleasant|reasonable|decent|beautiful|superb|brilliant|better|exactly what|exactly right|exactly as|what i need*|what i want*|\
    what im looking for|what i am looking for|what i was looking for|like what i|everything i need*|\
    everything im looking for|interested in it|interested in this|interested in that|interested in the|i want it|\
    i want this|i want that|ill take|i will take|id take|take it|take this|take that|take the|go with|\
    go for it|go for this|go for that|i choose|ill choose|id choose|pick this|pick that|pick the|ill pick|\
    found my|i accept|prefer this|prefer that|prefer it|my new home|settle on|settle for|i like|\
    really like|like it|like this|like that|like the|delight*|appeal*|attractive|impressive|right up my|\
    the one|sold|gorgeous|splendid|marvelous|magnificent|acceptable|sounds like|would like that|i enjoy|\
    enough for me|sufficient|neat|sweet|adequate|looks like|winner|a match|try this|try that|try it|best|everything i want*|i select|select this|select that|ill do it|a deal|incredible|super|\
    match*|meets|favorite|id like it|would like it|yay|fabulous|adorable|all i need*|all i want*";
const NOT_PRAISE: &str =
    "not|isnt|dont|doesnt|wont|cant|cannot|never|wouldnt|didnt|hardly|nothing|arent|no";
const DISLIKE: &str = "dont like|do not like|wont work|will not work|doesnt work|does not work|not good|\
    not what|not for me|isnt what|not interested|doesnt suit|not suitable|not sure about|dont think so|\
    not really|dont love|not ideal|not my|not quite|doesnt sound|not great|hate|dislike|not a fan|\
    not too sure|too far|too old|not happy|not right for me|not working|rather not";
const DONE: &str = "thats all|that is all|that will be all|thatll be all|that would be all|that should be all|\
    all i need*|all i want*|all set|nothing else|need anything else|need any more|need any further|\
    need any other|nothing more|im done|i am done|no more help|no further|thats everything|\
    that is everything|everything i need*|all for now|all for today|be all|need nothing|will be it|ok for now|okay for now|\
    nothing for now|no longer need|you can go|that was all|bye|goodbye|good bye|see you|have a good day|farewell|\
    will be everything|all the help|all the information|all i was|im good|im okay|we are ok|were ok|im fine|thats enough|\
    have what i need|should be it|be it for now|no longer require|have everything|want anything else|\
    its all i|want nothing|all done|require anything|it for now|it right now|must go now|need more information|\
    need anymore|needing any*|any more help|any further help|it for today|i will be fine|all ill need|dont need anything";
const THANKS: &str = "thank*|thx|appreciat*|grateful|cheers|very kind|great help|helpful";

/// Agreement or refusal at the start of a clause.
pub(super) fn verdict(clause: &[&str]) -> Option<Act> {
    const OPENERS: &str = "oh|well|um|uh|hmm|hm|so|and|actually|sorry|im sorry|i am sorry|thanks|thank you|but|then|hey|i guess|i think|i suppose";
    let mut clause = clause;
    while let Some(used) = longest(clause, OPENERS).filter(|used| *used < clause.len()) {
        clause = clause.get(used..).unwrap_or_default();
    }
    if hesitates(clause) || begins(clause, NEGATES) && !begins(clause, NOT_NEGATES) {
        Some(Act::Negate)
    } else if begins(clause, AFFIRMS) || longest(clause, WHOLE) == Some(clause.len()) {
        Some(Act::Affirm)
    } else {
        None
    }
}

/// Whether the user wants time.
pub(super) fn hesitates(words: &[&str]) -> bool {
    holds(
        words,
        "think about it|think it over|think about this|think about that|sleep on it|get back to you|\
        let me think|need to think|decide later|havent decided|not decided|talk it over",
    )
}

/// Whether a sentence says that a home pleases, or that it does not.
pub(super) fn opinion(words: &[&str], stated: bool) -> Option<Act> {
    if holds(words, DISLIKE) {
        return Some(Act::Dislike);
    }
    let (at, _) = find(words, PRAISE)?;
    let thanks = holds(words, "good morning|good evening|good afternoon|good day|good help");
    let clause = words.get(..at)?.rsplit(|word| *word == ",").next().unwrap_or_default();
    let near = clause.get(clause.len().saturating_sub(4)..).unwrap_or_default();
    let denied = holds(near, NOT_PRAISE) && !holds(words, "not bad|no problem|no doubt");
    (stated && !denied && !thanks && !hesitates(words)).then_some(Act::Like)
}

/// Whether thanks are said.
pub(super) fn thanks(words: &[&str]) -> bool {
    holds(words, THANKS)
}

/// Whether the user says that nothing else is needed.
pub(super) fn is_done(words: &[&str]) -> bool {
    holds(words, DONE)
}
