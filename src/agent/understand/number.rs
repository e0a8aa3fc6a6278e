//! Amounts in digits and words: `2k`, `1.2M`, `half a million`, `$1,500-2,000`, `between 300 and 400k`.
//!
//! Knows nothing of what is counted.

use super::token::Token;

/// An amount, in millionths so that `2.25` is exact. Arithmetic saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    micros: u64,
    /// 1, or what `k`, `thousand` or `million` said.
    scale: u64,
    /// Written with a dollar sign.
    pub(super) dollar: bool,
}

/// One amount or the two ends of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) low: Number,
    pub(super) high: Option<Number>,
    /// How many tokens it took.
    pub(super) used: usize,
}

impl Number {
    /// Whole units, rounded down.
    pub(super) fn whole(self) -> u64 {
        self.micros.saturating_mul(self.scale) / 1_000_000
    }

    /// Units in quarters, if it is a number of quarters below a thousand.
    pub(super) fn quarters(self) -> Option<f64> {
        let quarters = self.micros / 250_000;
        let exact = self.scale == 1 && self.micros.is_multiple_of(250_000) && quarters < 4000;
        exact.then(|| u32::try_from(quarters).ok().map(|q| f64::from(q) / 4.0))?
    }

    /// Whether it can only be money: a dollar sign or thousands.
    pub(super) fn is_money(self) -> bool {
        self.dollar || self.scale > 1
    }
}

/// Reads an amount or a range from the start of `tokens`; `and` joins a range only after "between".
pub(super) fn amount(tokens: &[Token], between: bool) -> Option<Amount> {
    let (mut low, used) = number(tokens)?;
    let rest = tokens.get(used..).unwrap_or_default();
    let joined = match rest.first().map(Token::text) {
        Some("-" | "to" | "or" | "till" | "through") => true,
        Some("and") => between,
        _ => false,
    };
    if let Some((high, more)) = rest.get(1..).filter(|_| joined).and_then(number) {
        if low.scale == 1 && low.whole() < 1000 {
            low.scale = high.scale;
        }
        if low.whole() <= high.whole() {
            let low = Number { dollar: low.dollar || high.dollar, ..low };
            return Some(Amount { low, high: Some(high), used: used + 1 + more });
        }
    }
    number(tokens).map(|(low, used)| Amount { low, high: None, used })
}

/// Reads one number and says how many tokens it took.
fn number(tokens: &[Token]) -> Option<(Number, usize)> {
    let word = |at: usize| tokens.get(at).map_or("", Token::text);
    let (micros, dollar, mut used) = match tokens.first()? {
        Token::Digits { micros, dollar } => (*micros, *dollar, 1),
        Token::Word { text, .. } => match (text.as_str(), word(1), word(2)) {
            ("half", "a", "million" | "mil" | "mill") => (500_000, false, 2),
            ("half", "million" | "mil", _) => (500_000, false, 1),
            ("a", "half", "million" | "mil") => (500_000, false, 2),
            ("quarter", "million" | "mil", _) => (250_000, false, 1),
            ("quarter", "of", "a") if word(3) == "million" => (250_000, false, 3),
            ("a", "quarter", "million" | "mil") => (250_000, false, 2),
            ("a", "quarter", "of") if word(3) == "a" && word(4) == "million" => (250_000, false, 4),
            ("a", "couple", "of") => (2_000_000, false, 3),
            ("a", "hundred" | "thousand" | "million" | "grand" | "mil", _) => (1_000_000, false, 1),
            _ => {
                let (count, used) = count(tokens)?;
                (count.saturating_mul(1_000_000), false, used)
            }
        },
        Token::Comma | Token::Dash | Token::Slash => return None,
    };
    let mut number = Number { micros, scale: 1, dollar };
    if word(used) == "and" && word(used + 1) == "a" && word(used + 2) == "half" {
        number.micros = micros.saturating_add(500_000);
        used += 3;
    }
    if word(used) == "hundred" {
        number.micros = number.micros.saturating_mul(100);
        used += 1;
        let skip = usize::from(word(used) == "and");
        let rest = tokens.get(used + skip..).unwrap_or_default();
        if let Some((count, more)) = count(rest).filter(|_| !is_counted(rest)) {
            number.micros = number.micros.saturating_add(count.saturating_mul(1_000_000));
            used += skip + more;
        }
    }
    if let Some(scale) = scale(word(used)) {
        number.scale = scale;
        used += 1;
        // "two thousand five hundred"
        if let Some((rest, more)) = tokens.get(used..).and_then(hundreds) {
            number.micros = number.micros.saturating_add(rest.saturating_mul(1_000_000) / scale);
            used += more;
        }
    }
    Some((number, used))
}

/// "five hundred" after thousands.
fn hundreds(tokens: &[Token]) -> Option<(u64, usize)> {
    let (count, used) = count(tokens)?;
    let hundred = tokens.get(used).is_some_and(|next| next.text() == "hundred");
    hundred.then_some((count * 100, used + 1))
}

/// Whether the number word at the start counts something of its own ("two hundred and two baths").
fn is_counted(tokens: &[Token]) -> bool {
    let next = tokens.get(1).map_or("", Token::text);
    next.starts_with("bed") || next.starts_with("bath")
}

/// A number word up to ninety-nine.
fn count(tokens: &[Token]) -> Option<(u64, usize)> {
    let Token::Word { text, .. } = tokens.first()? else {
        return None;
    };
    let small = |text: &str| SMALL.iter().position(|word| *word == text);
    if let Some(value) = small(text) {
        return Some((u64::try_from(value).ok()?, 1));
    }
    let tens = u64::try_from(TENS.iter().position(|word| word == text)?).ok()? * 10 + 20;
    let dash = usize::from(tokens.get(1) == Some(&Token::Dash));
    let unit = tokens.get(1 + dash).and_then(|next| small(next.text()));
    Some(match unit {
        Some(unit @ 1..=9) => (tens + u64::try_from(unit).ok()?, 2 + dash),
        _ => (tens, 1),
    })
}

/// What a word after a number multiplies it by.
fn scale(word: &str) -> Option<u64> {
    match word {
        "k" | "ks" | "thousand" | "grand" => Some(1_000),
        "m" | "mm" | "mil" | "mill" | "million" => Some(1_000_000),
        _ => None,
    }
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

#[cfg(test)]
mod tests {
    use super::super::token::sentences;
    use super::*;

    /// `low` or `low..high` of the first amount in the text.
    fn check(text: &str, expected: &str) {
        let sentence = sentences(text).remove(0);
        let got = (0..sentence.tokens.len())
            .find_map(|at| amount(&sentence.tokens[at..], text.starts_with("between")))
            .map(|amount| match amount.high {
                Some(high) => format!("{}..{}", amount.low.whole(), high.whole()),
                None => amount.low.whole().to_string(),
            });
        assert_eq!(got.as_deref().unwrap_or("none"), expected, "{text}");
    }

    #[test]
    fn reads_amounts_in_digits_and_words() {
        for (text, expected) in [
            ("2k", "2000"),
            ("2.5k a month", "2500"),
            ("$1,250,000", "1250000"),
            ("$ 400", "400"),
            ("1.2M", "1200000"),
            ("1.2 million", "1200000"),
            ("half a million", "500000"),
            ("a quarter million", "250000"),
            ("a million", "1000000"),
            ("two grand", "2000"),
            ("two thousand five hundred", "2500"),
            ("four hundred thousand", "400000"),
            ("three hundred and fifty thousand", "350000"),
            ("twenty-five", "25"),
            ("one and a half million", "1500000"),
            ("fifteen hundred", "1500"),
            ("$1,500-2,000", "1500..2000"),
            ("1500 to 2k", "1500..2000"),
            ("between 300 and 400k", "300000..400000"),
            ("between 1500 and 2 grand", "1500..2000"),
            ("400k and 3", "400000"),
            ("400k - 3 beds", "400000"),
            ("1,5 beds", "1"),
            ("99999999999999999999999k", "18446744073709"),
            ("no digits at all", "none"),
        ] {
            check(text, expected);
        }
    }
}
