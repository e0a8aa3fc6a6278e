//! Finds phrases among words. A list of phrases is written as one text with bars: `"yes|go ahead"`.
//!
//! In a phrase, `pet*` stands for any word that begins with "pet", `_` for any one word, and `~` for up to
//! [`GAP_WORDS_MAX`] words of the same clause. Knows nothing of what phrases mean.
//!
//! A turn looks for hundreds of lists at each of its words, so a thread takes a list apart once and looks it
//! up by first words from then on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most words that `~` skips.
const GAP_WORDS_MAX: usize = 3;

/// One word of a phrase, or what stands for words.
#[derive(Debug, Clone, Copy)]
enum Part {
    Word(&'static str),
    Stem(&'static str),
    Any,
    Gap,
}

/// A list of phrases, taken apart.
#[derive(Debug, Default)]
struct Phrases {
    /// What follows the first word, by that word.
    by_word: BTreeMap<&'static str, Vec<Vec<Part>>>,
    /// Phrases that begin otherwise.
    others: Vec<Vec<Part>>,
    /// How their first words may begin: most words begin otherwise, and need no look at the lists.
    initials: Initials,
}

/// A set of the first bytes of words; some count as the same.
#[derive(Debug, Clone, Copy, Default)]
struct Initials(u64);

impl Initials {
    /// Every word.
    const ANY: Self = Self(u64::MAX);

    /// The words that begin as this one does.
    fn of(word: &str) -> Self {
        word.bytes().next().map_or(Self::ANY, |byte| Self(1 << (byte % 64)))
    }

    fn share(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

thread_local! {
    /// Lists by where their text lies: the text of a program stays where it is.
    static KNOWN: RefCell<BTreeMap<*const str, Rc<Phrases>>> = const { RefCell::new(BTreeMap::new()) };
}

impl Phrases {
    fn of(text: &'static str) -> Rc<Self> {
        let take_apart = || Rc::new(Self::new(text));
        KNOWN.with_borrow_mut(|known| Rc::clone(known.entry(text).or_insert_with(take_apart)))
    }

    fn new(text: &'static str) -> Self {
        let mut phrases = Self::default();
        for phrase in text.split('|') {
            let mut parts: Vec<_> = phrase.split(' ').map(Part::new).collect();
            phrases.initials.join(parts.first().map_or(Initials::ANY, |part| part.initials()));
            if let Some(Part::Word(word)) = parts.first().copied() {
                phrases.by_word.entry(word).or_default().push(parts.split_off(1));
            } else {
                phrases.others.push(parts);
            }
        }
        phrases
    }

    /// How many words the longest phrase takes that `words` begins with.
    fn longest(&self, words: &[&str]) -> Option<usize> {
        let (first, after) = words.split_first()?;
        if !self.initials.share(Initials::of(first)) {
            return None;
        }
        let known = self.by_word.get(first).into_iter().flatten();
        let known = known.filter_map(|rest| Some(1 + length(after, rest)?));
        let others = self.others.iter().filter_map(|parts| length(words, parts));
        known.chain(others).max()
    }
}

impl Part {
    fn new(text: &'static str) -> Self {
        match (text, text.strip_suffix('*')) {
            ("_", _) => Self::Any,
            ("~", _) => Self::Gap,
            (_, Some(stem)) => Self::Stem(stem),
            (_, None) => Self::Word(text),
        }
    }

    /// How words may begin that fit.
    fn initials(self) -> Initials {
        match self {
            Self::Word(word) | Self::Stem(word) => Initials::of(word),
            Self::Any | Self::Gap => Initials::ANY,
        }
    }

    fn fits(self, word: &str) -> bool {
        match self {
            Self::Word(wanted) => word == wanted,
            Self::Stem(stem) => word.starts_with(stem),
            Self::Any => word != ",",
            Self::Gap => false,
        }
    }
}

/// Whether `words` holds any of `phrases`, its words in a row.
pub(super) fn holds(words: &[&str], phrases: &'static str) -> bool {
    find(words, phrases).is_some()
}

/// Where the first of `phrases` stands in `words`, and how many words it takes.
pub(super) fn find(words: &[&str], phrases: &'static str) -> Option<(usize, usize)> {
    let phrases = Phrases::of(phrases);
    (0..words.len()).find_map(|at| Some((at, phrases.longest(words.get(at..)?)?)))
}

/// Whether `words` begins with any of `phrases`.
pub(super) fn begins(words: &[&str], phrases: &'static str) -> bool {
    longest(words, phrases).is_some()
}

/// How many words the longest of `phrases` takes that `words` begins with.
pub(super) fn longest(words: &[&str], phrases: &'static str) -> Option<usize> {
    Phrases::of(phrases).longest(words)
}

/// How many words `parts` take at the start of `words`.
fn length(words: &[&str], parts: &[Part]) -> Option<usize> {
    let Some((head, rest)) = parts.split_first() else {
        return Some(0);
    };
    if matches!(head, Part::Gap) {
        let clause = words.iter().take_while(|word| **word != ",").count();
        return (0..=clause.min(GAP_WORDS_MAX))
            .find_map(|skip| Some(skip + length(words.get(skip..)?, rest)?));
    }
    let (first, after) = words.split_first()?;
    if head.fits(first) { Some(1 + length(after, rest)?) } else { None }
}

/// The length in letters of the longest of `phrases` that `words` ends with; these have no `~`.
pub(super) fn ends(words: &[&str], phrases: &'static str) -> Option<usize> {
    let matching = phrases.split('|').filter(|phrase| {
        let mut words = words.iter().rev();
        phrase
            .rsplit(' ')
            .all(|wanted| words.next().is_some_and(|word| Part::new(wanted).fits(word)))
    });
    matching.map(str::len).max()
}

/// Whether `word` is one of `phrases`.
pub(super) fn is(word: &str, phrases: &'static str) -> bool {
    let phrases = Phrases::of(phrases);
    if !phrases.initials.share(Initials::of(word)) {
        return false;
    }
    let mut known = phrases.by_word.get(word).into_iter().flatten();
    known.any(Vec::is_empty)
        || phrases.others.iter().any(|parts| matches!(parts.as_slice(), [part] if part.fits(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_stems_gaps_and_any_word() {
        for (text, phrases, expected) in [
            ("yes please do", "please|yes please", Some((0, 2))),
            ("is it furnished", "furnish*", Some((2, 1))),
            ("i like the sound of it", "like ~ it", Some((1, 5))),
            ("i like the sound of all of it", "like ~ it", None),
            ("i like , it", "like ~ it", None),
            ("any other place", "other _", Some((1, 2))),
            ("any other ,", "other _", None),
            ("a", "a b", None),
        ] {
            let words: Vec<_> = text.split(' ').collect();
            assert_eq!(find(&words, phrases), expected, "{text}");
        }
        assert_eq!(ends(&["at", "most"], "most|at most"), Some(7));
    }
}
