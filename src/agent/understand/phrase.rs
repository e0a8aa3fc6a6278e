//! Finds phrases among words. A list of phrases is written as one text with bars: `"yes|go ahead"`.
//!
//! In a phrase, `pet*` stands for any word that begins with "pet", `_` for any one word, and `~` for up to
//! [`GAP_WORDS_MAX`] words of the same clause. Knows nothing of what phrases mean.

/// The most words that `~` skips.
const GAP_WORDS_MAX: usize = 3;

/// Whether `words` holds any of `phrases`, its words in a row.
pub(super) fn holds(words: &[&str], phrases: &str) -> bool {
    find(words, phrases).is_some()
}

/// Where the first of `phrases` stands in `words`, and how many words it takes.
pub(super) fn find(words: &[&str], phrases: &str) -> Option<(usize, usize)> {
    (0..words.len()).find_map(|at| {
        let used = longest(words.get(at..)?, phrases)?;
        Some((at, used))
    })
}

/// Whether `words` begins with any of `phrases`.
pub(super) fn begins(words: &[&str], phrases: &str) -> bool {
    longest(words, phrases).is_some()
}

/// How many words the longest of `phrases` takes that `words` begins with.
pub(super) fn longest(words: &[&str], phrases: &str) -> Option<usize> {
    phrases.split('|').filter_map(|phrase| length(words, phrase)).max()
}

/// How many words `phrase` takes at the start of `words`.
fn length(words: &[&str], phrase: &str) -> Option<usize> {
    let (head, rest) = match phrase.split_once(' ') {
        Some((head, rest)) => (head, Some(rest)),
        None => (phrase, None),
    };
    if head == "~" {
        let clause = words.iter().take_while(|word| **word != ",").count();
        let rest = rest?;
        return (0..=clause.min(GAP_WORDS_MAX))
            .find_map(|skip| Some(skip + length(words.get(skip..)?, rest)?));
    }
    let (first, after) = words.split_first()?;
    if !fits(first, head) {
        return None;
    }
    match rest {
        None => Some(1),
        Some(rest) => Some(1 + length(after, rest)?),
    }
}

fn fits(word: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == wanted || wanted == "_" && word != ",",
    }
}

/// The length in letters of the longest of `phrases` that `words` ends with; these have no `~`.
pub(super) fn ends(words: &[&str], phrases: &str) -> Option<usize> {
    let matching = phrases.split('|').filter(|phrase| {
        let mut words = words.iter().rev();
        phrase.rsplit(' ').all(|wanted| words.next().is_some_and(|word| fits(word, wanted)))
    });
    matching.map(str::len).max()
}

/// Whether `word` is one of `phrases`.
pub(super) fn is(word: &str, phrases: &str) -> bool {
    phrases.split('|').any(|phrase| fits(word, phrase))
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
