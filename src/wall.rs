//! The seam to the calendar: the time of day, for token expiry and nothing else.
//!
//! Durations and timers come from tokio's clock, which a harness can pause; only what is compared with
//! a timestamp that another host wrote needs this.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Tells the time since 1970-01-01 UTC.
#[derive(Clone)]
pub struct Wall(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Wall {
    /// A clock that asks `read` each time.
    pub fn new(read: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The time since 1970-01-01 UTC.
    #[must_use]
    pub fn now(&self) -> Duration {
        (self.0)()
    }

    /// The day, `YYYY-MM-DD` in UTC.
    ///
    /// The conversion is Howard Hinnant's `civil_from_days`
    /// (<https://howardhinnant.github.io/date_algorithms.html>).
    #[must_use]
    pub fn today(&self) -> String {
        let days = self.now().as_secs() / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wall({:?})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_day() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (1_767_225_599, "2025-12-31"),
            (1_772_323_200, "2026-03-01"),
        ] {
            assert_eq!(Wall::new(move || Duration::from_secs(seconds)).today(), day);
        }
    }
}
