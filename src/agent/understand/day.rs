//! Days in words: `the 8th`, `March 8th`, `8th of this month`, `next Friday`, `Thursday next week`, `today`.
//!
//! A day without a month or a year is the next one to come, today included. Knows no clock: what "today"
//! is comes in.

use super::token::{Sentence, Token};
use crate::contract::agent::Day;

/// A day of the Gregorian calendar, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::agent) struct Date(i64);

impl Date {
    /// Reads `YYYY-MM-DD`.
    pub(in crate::agent) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        Self::of(year, month, day)
    }

    /// The day, if the month has it. Howard Hinnant's `days_from_civil`
    /// (<https://howardhinnant.github.io/date_algorithms.html>).
    fn of(year: i64, month: i64, day: i64) -> Option<Self> {
        if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted - era * 400;
        let month_from_march = (month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self(era * 146_097 + day_of_era - 719_468);
        (date.civil() == (year, month, day)).then_some(date)
    }

    /// Year, month and day; the inverse of [`Self::of`].
    fn civil(self) -> (i64, i64, i64) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }

    /// 0 is Monday.
    fn weekday(self) -> i64 {
        (self.0 + 3).rem_euclid(7)
    }

    /// `YYYY-MM-DD`.
    fn iso(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// "Friday, March 8th".
    pub(in crate::agent) fn spoken(self) -> String {
        let (_, month, day) = self.civil();
        let name = |names: &[&str], at: i64| {
            let name = usize::try_from(at).ok().and_then(|at| names.get(at)).copied();
            let mut letters = name.unwrap_or_default().chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        };
        let ending = match day {
            1 | 21 | 31 => "st",
            2 | 22 => "nd",
            3 | 23 => "rd",
            _ => "th",
        };
        let (weekday, month) = (name(&WEEKDAYS, self.weekday()), name(&MONTHS, month - 1));
        format!("{weekday}, {month} {day}{ending}")
    }
}

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const ORDINALS: [&str; 31] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty first",
    "twenty second",
    "twenty third",
    "twenty fourth",
    "twenty fifth",
    "twenty sixth",
    "twenty seventh",
    "twenty eighth",
    "twenty ninth",
    "thirtieth",
    "thirty first",
];
/// After an ordinal these make it a count of something else: "the second one", "the 3rd floor".
const COUNTED: &str = "one|ones|floor|floors|street|st|avenue|ave|home|homes|house|apartment|apartments|place|\
    property|listing|option|flat|condo|unit|result|choice|of|bedroom|bathroom|bath|time|thing|level|and|\
    townhouse|bungalow|studio|have|has|allow|allows|come|comes";

/// Reads days at the start of tokens.
#[derive(Clone, Copy)]
struct Reader<'t> {
    tokens: &'t [Token],
    today: Date,
}

/// Every day that a sentence names, in order.
pub(super) fn days(sentence: &Sentence, today: Date) -> Vec<Day> {
    let mut days = Vec::new();
    let mut at = 0;
    while let Some(tokens) = sentence.tokens.get(at..).filter(|rest| !rest.is_empty()) {
        let reader = Reader { tokens, today };
        let before = at.checked_sub(1).and_then(|at| sentence.tokens.get(at)).map(Token::text);
        let read = reader
            .near()
            .or_else(|| reader.weekday())
            .or_else(|| reader.month_first(before))
            .or_else(|| reader.day_first(before));
        at += match read {
            Some((date, used)) => {
                days.push(Day { date: date.iso(), said: said(tokens, used) });
                used
            }
            None => 1,
        };
    }
    days
}

/// The words of the first `used` tokens; an ending stands at its digits.
fn said(tokens: &[Token], used: usize) -> String {
    let mut said = String::new();
    let mut glued = true;
    for token in tokens.iter().take(used) {
        let (text, glue) = match token {
            Token::Digits { micros, .. } => ((micros / 1_000_000).to_string(), true),
            Token::Word { text, .. } => (text.clone(), false),
            Token::Comma => continue,
            Token::Dash | Token::Slash => ("/".to_owned(), true),
        };
        let ending = matches!(text.as_str(), "st" | "nd" | "rd" | "th" | "/");
        if !said.is_empty() && !(glued && (ending || said.ends_with('/'))) {
            said.push(' ');
        }
        said.push_str(&text);
        glued = glue;
    }
    said
}

type Read = Option<(Date, usize)>;

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", Token::text)
    }

    fn plus(&self, days: i64) -> Date {
        Date(self.today.0 + days)
    }

    /// "later today", "tomorrow", "the day after tomorrow".
    fn near(&self) -> Read {
        Some(match (self.word(0), self.word(1), self.word(2)) {
            ("later", "today", _) => (self.today, 2),
            ("day", "after", "tomorrow") => (self.plus(2), 3),
            ("today" | "tonight", _, _) => (self.today, 1),
            ("tomorrow", _, _) => (self.plus(1), 1),
            _ => return None,
        })
    }

    /// "Friday", "this Friday", "next Friday", "Friday next week".
    fn weekday(&self) -> Read {
        let lead = match (self.word(0), self.word(1)) {
            ("the", "following" | "coming") => 2,
            ("this" | "next" | "coming" | "following", "coming") => 2,
            ("this" | "next" | "coming" | "following", _) => 1,
            _ => 0,
        };
        let name = self.word(lead);
        let named = |day: &&str| {
            name == *day || name.len() >= 3 && name.len() <= 5 && day.starts_with(name)
        };
        let weekday = i64::try_from(WEEKDAYS.iter().position(named)?).ok()?;
        // "sun" and "sat" are words of their own.
        if matches!(name, "sun" | "sat") && lead == 0 {
            return None;
        }
        let ahead = (weekday - self.today.weekday()).rem_euclid(7);
        let monday = -self.today.weekday();
        let spoken_of = (self.word(lead + 1), self.word(lead + 2));
        Some(match (lead, spoken_of) {
            (0, ("next", "week")) => (self.plus(monday + 7 + weekday), 3),
            (0, ("of", "next")) if self.word(3) == "week" => (self.plus(monday + 7 + weekday), 4),
            (0, ("this", "week")) => (self.plus(ahead), 3),
            (0, _) => (self.plus(ahead), 1),
            // Next Friday, said on a Friday, is in a week.
            (lead, _) if ahead == 0 && self.word(0) != "this" => (self.plus(7), lead + 1),
            (lead, _) => (self.plus(ahead), lead + 1),
        })
    }

    /// "March 8th", "March the 8th", "Mar 8", "on 3/8".
    fn month_first(&self, before: Option<&str>) -> Read {
        if let (Some(month), "/", Some(day)) = (self.digits(0), self.word(1), self.digits(2)) {
            // "2/1" is also two bedrooms and a bath.
            let placed = matches!(before, Some("on" | "for" | "to" | "by")) && self.word(3) != "/";
            return self.coming(month, day).filter(|_| placed).map(|date| (date, 3));
        }
        let month = self.month(0)?;
        let skip = 1 + usize::from(self.word(1) == "the");
        let (day, used) = self.ordinal(skip)?;
        Some((self.coming(month, day)?, skip + used))
    }

    /// "the 8th", "8th of March", "8th of this month", "8 March".
    fn day_first(&self, before: Option<&str>) -> Read {
        let article = usize::from(self.word(0) == "the");
        let (day, used) = self.ordinal(article)?;
        let end = article + used;
        let bare = self.digits(article).is_some() && used == 1;
        let of = usize::from(self.word(end) == "of");
        let the = of + usize::from(self.word(end + of) == "the");
        match (self.word(end + the), self.word(end + the + 1)) {
            ("this" | "current", "month") => {
                let (year, month, _) = self.today.civil();
                return Some((Date::of(year, month, day)?, end + the + 2));
            }
            ("next" | "following", "month") => {
                let (year, month, _) = self.today.civil();
                let date = Date::of(year + month / 12, month % 12 + 1, day)?;
                return Some((date, end + the + 2));
            }
            ("month", _) if the == 2 => return Some((self.next(day)?, end + 3)),
            _ => {}
        }
        if let Some(month) = self.month(end + of) {
            return Some((self.coming(month, day)?, end + of + 1));
        }
        let spelled = self.digits(article).is_none();
        let placed = matches!(before, Some("on" | "for" | "by" | "is" | "to" | "till" | "until"));
        // "8" alone is a number, "the first" alone is a listing.
        if bare || spelled && !placed || super::phrase::is(self.word(end), COUNTED) {
            return None;
        }
        Some((self.next(day)?, end))
    }

    /// A number of 1 to 31 without a scale.
    fn digits(&self, at: usize) -> Option<i64> {
        match self.tokens.get(at) {
            Some(Token::Digits { micros, dollar: false }) if micros % 1_000_000 == 0 => {
                i64::try_from(micros / 1_000_000).ok().filter(|day| (1..=31).contains(day))
            }
            Some(
                Token::Digits { .. }
                | Token::Word { .. }
                | Token::Comma
                | Token::Dash
                | Token::Slash,
            )
            | None => None,
        }
    }

    /// The day of a month and how many tokens it takes: "8th", "8", "eighth".
    fn ordinal(&self, at: usize) -> Option<(i64, usize)> {
        if let Some(day) = self.digits(at) {
            let ended = matches!(self.word(at + 1), "st" | "nd" | "rd" | "th");
            return Some((day, 1 + usize::from(ended)));
        }
        let (first, second) = (self.word(at), self.word(at + 1));
        let pair = format!("{first} {second}");
        let place = |wanted: &str| ORDINALS.iter().position(|word| *word == wanted);
        let (place, used) =
            place(&pair).map(|place| (place, 2)).or_else(|| Some((place(first)?, 1)))?;
        Some((i64::try_from(place).ok()? + 1, used))
    }

    /// The number of a month by its name or its first letters.
    fn month(&self, at: usize) -> Option<i64> {
        let name = self.word(at);
        let named = |month: &&str| {
            *month == name || (3..=4).contains(&name.len()) && month.starts_with(name)
        };
        let place = MONTHS.iter().position(named)?;
        i64::try_from(place).ok().map(|place| place + 1)
    }

    /// That day of that month, this year or the next.
    fn coming(&self, month: i64, day: i64) -> Option<Date> {
        let (year, ..) = self.today.civil();
        let this = Date::of(year, month, day).filter(|date| *date >= self.today);
        this.or_else(|| Date::of(year + 1, month, day))
    }

    /// The next day with that number.
    fn next(&self, day: i64) -> Option<Date> {
        let (year, month, _) = self.today.civil();
        let months = (0..12).map(|ahead| {
            let month = month - 1 + ahead;
            Date::of(year + month / 12, month % 12 + 1, day)
        });
        months.flatten().find(|date| *date >= self.today)
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::sentences;
    use super::*;

    /// On Friday, 2019-03-01: the days of the text as `date said`.
    fn check(text: &str, expected: &str) {
        let today = Date::parse("2019-03-01").unwrap();
        let days: Vec<_> = sentences(text)
            .iter()
            .flat_map(|sentence| days(sentence, today))
            .map(|day| format!("{} {}", day.date, day.said))
            .collect();
        assert_eq!(days.join(", "), expected, "{text}");
    }

    #[test]
    fn reads_days_relative_to_today() {
        for (text, expected) in [
            ("on the 8th please", "2019-03-08 the 8th"),
            ("March 8th works", "2019-03-08 march 8th"),
            ("8th of March", "2019-03-08 8th of march"),
            ("the 8th of this month", "2019-03-08 the 8th of this month"),
            ("the 3rd of next month", "2019-04-03 the 3rd of next month"),
            ("14 March", "2019-03-14 14 march"),
            ("Mar the 5th", "2019-03-05 mar the 5th"),
            ("on the first", "2019-03-01 the first"),
            ("the twenty first of April", "2019-04-21 the twenty first of april"),
            ("next Friday", "2019-03-08 next friday"),
            ("next Tuesday", "2019-03-05 next tuesday"),
            ("this Friday", "2019-03-01 this friday"),
            ("Thursday next week", "2019-03-07 thursday next week"),
            ("Saturday this week", "2019-03-02 saturday this week"),
            ("can we do Monday?", "2019-03-04 monday"),
            ("the day after tomorrow", "2019-03-03 day after tomorrow"),
            ("later today", "2019-03-01 later today"),
            ("January 3rd", "2020-01-03 january 3rd"),
            ("the 31st", "2019-03-31 the 31st"),
            ("on 3/8", "2019-03-08 3/8"),
            ("a 2/1 in Salem", ""),
            ("not the 6th, the 14th", "2019-03-06 the 6th, 2019-03-14 the 14th"),
            ("the second one on the 3rd floor", ""),
            ("the first and the third", ""),
            ("2 bedrooms in May or so", ""),
            ("the 30th of February", ""),
            ("the sun sat there", ""),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn days_survive_the_way_to_text_and_back() {
        for day in (-800_000..800_000).step_by(997) {
            let date = Date(day);
            let (year, month, of_month) = date.civil();
            assert!(!(0..=9999).contains(&year) || Date::of(year, month, of_month) == Some(date));
        }
        for text in ["2023-02-29", "2024-13-01", "2024-00-10", "soon", "2024-1"] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert_eq!(Date::parse("2019-03-08").unwrap().spoken(), "Friday, March 8th");
    }
}
