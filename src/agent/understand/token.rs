//! Words, digits and stops of an utterance. Knows how text is written, not what it is about.

/// A sentence: words in lower case without apostrophes, digits, commas and dashes.
#[derive(Debug, Clone, Default)]
pub(super) struct Sentence {
    pub(super) tokens: Vec<Token>,
    /// Ended by a question mark.
    pub(super) question: bool,
}

/// The smallest thing with a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word in lower case; `capital` if it was written with a capital letter.
    Word { text: String, capital: bool },
    /// Digits, in millionths so that `1.25` is exact; `dollar` after a dollar sign.
    Digits { micros: u64, dollar: bool },
    /// Ends a clause.
    Comma,
    /// Joins words or the ends of a range.
    Dash,
    /// Stands between two things of a kind, as in `2bd/1ba` or `$2k/month`.
    Slash,
}

impl Token {
    /// The word; `#` for digits, `,`, `-` and `/` for the marks.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Word { text, .. } => text,
            Self::Digits { .. } => "#",
            Self::Comma => ",",
            Self::Dash => "-",
            Self::Slash => "/",
        }
    }
}

impl Sentence {
    /// [`Token::text`] of all tokens.
    pub(super) fn words(&self) -> Vec<&str> {
        self.tokens.iter().map(Token::text).collect()
    }

    /// The same without the dashes inside words: "pet-friendly" is two words.
    pub(super) fn plain(&self) -> Vec<&str> {
        self.tokens.iter().map(Token::text).filter(|text| *text != "-").collect()
    }
}

/// Splits an utterance at `.`, `?`, `!`, `;` and line ends. Sentences are never empty.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut sentences = vec![Sentence::default()];
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let tokens = match sentences.last_mut() {
            Some(sentence) => &mut sentence.tokens,
            None => return sentences,
        };
        let mut used = first.len_utf8();
        if first.is_alphabetic() {
            used = word(rest, tokens);
        } else if let Some(length) = digits(rest, tokens) {
            used = length;
        } else if matches!(first, '-' | '–' | '—') {
            tokens.push(Token::Dash);
        } else if first == '/' {
            tokens.push(Token::Slash);
        } else if first == '&' {
            tokens.push(Token::Word { text: "and".to_owned(), capital: false });
        } else if matches!(first, ',' | ':' | '(' | ')') {
            tokens.push(Token::Comma);
        } else if matches!(first, '?' | '!' | '.' | ';' | '\n') && !abbreviated(tokens) {
            if let Some(sentence) = sentences.last_mut() {
                sentence.question = first == '?';
            }
            sentences.push(Sentence::default());
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    sentences.retain(|sentence| !sentence.tokens.is_empty());
    sentences
}

/// Takes one word from the start of `rest`; says how many bytes.
fn word(rest: &str, tokens: &mut Vec<Token>) -> usize {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’');
    let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    let written = rest.get(..end).unwrap_or_default();
    tokens.push(Token::Word {
        text: written.replace(['\'', '’'], "").to_lowercase(),
        capital: written.starts_with(char::is_uppercase),
    });
    end
}

/// Takes digits such as `$1,500` or `2.5` from the start of `rest`; says how many bytes.
fn digits(rest: &str, tokens: &mut Vec<Token>) -> Option<usize> {
    let bare = rest.trim_start_matches('$').trim_start_matches(' ');
    let dollar = rest.starts_with('$');
    let start = rest.len() - bare.len();
    if !bare.starts_with(|c: char| c.is_ascii_digit()) || (!dollar && start > 0) {
        return None;
    }
    let (mut value, mut unit, mut end) = (0_u64, 1_000_000_u64, 0);
    let mut fraction = false;
    for (at, c) in bare.char_indices() {
        let after = bare.get(at + 1..).unwrap_or_default();
        match c.to_digit(10) {
            Some(digit) if fraction => {
                unit /= 10;
                value = value.saturating_add(u64::from(digit).saturating_mul(unit));
            }
            Some(digit) => {
                let digit = u64::from(digit) * unit;
                value = value.saturating_mul(10).saturating_add(digit);
            }
            None if c == ',' && !fraction && is_group(after) => {}
            None if c == '.' && !fraction && after.starts_with(|c: char| c.is_ascii_digit()) => {
                fraction = true;
            }
            None => break,
        }
        end = at + 1;
    }
    tokens.push(Token::Digits { micros: value, dollar });
    Some(start + end)
}

/// Whether exactly three digits follow: the comma before them groups thousands.
fn is_group(after: &str) -> bool {
    let digits = after.chars().take_while(char::is_ascii_digit).count();
    digits == 3
}

/// Whether the stop belongs to the word before it, as in `St. Paul`.
fn abbreviated(tokens: &[Token]) -> bool {
    tokens.last().is_some_and(|token| matches!(token.text(), "st" | "ft" | "mt"))
}
