//! Finds phrases among words. A list of phrases is written as one text with bars: `"yes|go ahead"`.
//!
//! Knows nothing of what phrases mean.

/// Whether `words` holds any of `phrases`, its words in a row.
pub(super) fn holds(words: &[&str], phrases: &str) -> bool {
    (0..words.len()).any(|at| words.get(at..).is_some_and(|rest| begins(rest, phrases)))
}

/// Whether `words` begins with any of `phrases`.
pub(super) fn begins(words: &[&str], phrases: &str) -> bool {
    phrases.split('|').any(|phrase| {
        let mut words = words.iter();
        phrase.split(' ').all(|word| words.next() == Some(&word))
    })
}

/// The length of the longest of `phrases` that `words` ends with.
pub(super) fn ends(words: &[&str], phrases: &str) -> Option<usize> {
    let matching = phrases.split('|').filter(|phrase| {
        let mut words = words.iter().rev();
        phrase.rsplit(' ').all(|word| words.next() == Some(&word))
    });
    matching.map(str::len).max()
}

/// Whether `word` is one of `phrases`.
pub(super) fn is(word: &str, phrases: &str) -> bool {
    phrases.split('|').any(|phrase| phrase == word)
}
