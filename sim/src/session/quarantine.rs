//! Sessions that may fail for a while: whose business they are, and until when. It knows no calendar.

use super::model::QuarantineYaml;
use super::yaml::Problem;
use std::fmt;

/// Why the failure of a session counts for nothing, until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// Where the reason is discussed.
    pub issue: String,
    /// Who mends it.
    pub owner: String,
    /// The last day, as `2026-12-31`.
    pub until: String,
}

impl Quarantine {
    /// Reads it; mistakes go to `problems`.
    pub(super) fn read(yaml: &QuarantineYaml, problems: &mut Vec<Problem>) -> Self {
        let QuarantineYaml { issue, owner, until } = yaml;
        for text in [issue, owner] {
            if text.value.trim().is_empty() {
                problems.push(Problem::new(text.span, "expected a text: somebody has to end this"));
            }
        }
        if !is_day(&until.value) {
            let text = format!("expected a day such as 2026-12-31, got `{}`", until.value);
            problems.push(Problem::new(until.span, text));
        }
        let [issue, owner, until] = [issue, owner, until].map(|text| text.value.clone());
        Self { issue, owner, until }
    }

    /// Whether it has ended before `today`, a day as `2026-12-31`.
    #[must_use]
    pub fn is_over(&self, today: &str) -> bool {
        self.until.as_str() < today
    }
}

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issue, owner, until } = self;
        write!(f, "in quarantine until {until} ({issue}, {owner})")
    }
}

/// Days of this form are in the order of their texts.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let within = |text: &str, digits, most| {
        let all_digits = text.len() == digits && text.chars().all(|c| c.is_ascii_digit());
        all_digits && text.parse().is_ok_and(|number: u32| (1..=most).contains(&number))
    };
    within(year, 4, 9999) && within(month, 2, 12) && within(day, 2, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_its_last_day() {
        let [issue, owner, until] = ["GW-412", "ana", "2026-12-31"].map(str::to_owned);
        let quarantine = Quarantine { issue, owner, until };
        assert!(!quarantine.is_over("2026-12-31") && !quarantine.is_over("2026-09-01"));
        assert!(quarantine.is_over("2027-01-01"));
        for bad in ["2026-13-01", "26-12-31", "2026-12-00", "2026-1-1", "soon", "2026-12-31-1"] {
            assert!(!is_day(bad), "{bad}");
        }
    }
}
