//! The circuit breaker before an agent: after failures in a row it is left alone for a while. Pure.
//!
//! ```text
//!          failures_max in a row
//! Closed ────────────────────────▶ Open { until } ──┐ one call at `until`, then every `rest`
//!    ▲                                │  ▲          │
//!    └──────────── a success ─────────┘  └──────────┘
//! ```
//! A turn that finds it open fails at once, so that nobody waits for an agent that is known to be away, and the agent
//! is not asked by everybody while it gets up. (The pattern is Nygard's, "Release It!".)

use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(super) struct Breaker {
    failures_max: u32,
    rest: Duration,
    failures: u32,
    /// When the next call may try; absent while closed.
    until: Option<Duration>,
}

impl Breaker {
    /// A closed breaker; it never opens if `failures_max` is 0.
    pub(super) fn new(failures_max: u32, rest: Duration) -> Self {
        Self { failures_max, rest, failures: 0, until: None }
    }

    /// Whether a call may be made at `now`. A call that may try on an open breaker keeps the others waiting.
    pub(super) fn admits(&mut self, now: Duration) -> bool {
        match self.until {
            None => true,
            Some(until) if now >= until => {
                self.until = Some(now + self.rest);
                true
            }
            Some(_) => false,
        }
    }

    /// A call succeeded.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// A call failed at `now`.
    pub(super) fn failed(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures_max > 0 && self.failures >= self.failures_max {
            self.until = Some(now + self.rest);
        }
    }

    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_with_a_success() {
        let mut breaker = Breaker::new(3, at(100));
        for _ in 0..2 {
            breaker.failed(at(0));
        }
        breaker.succeeded();
        for _ in 0..2 {
            breaker.failed(at(0));
        }
        assert!(breaker.admits(at(0)), "they were not in a row");
        breaker.failed(at(10));
        assert!(breaker.is_open() && !breaker.admits(at(109)));
        assert!(breaker.admits(at(110)) && !breaker.admits(at(110)), "one may try");
        breaker.failed(at(150));
        assert!(!breaker.admits(at(249)) && breaker.admits(at(250)));
        breaker.succeeded();
        assert!(!breaker.is_open() && breaker.admits(at(250)));
    }

    #[test]
    fn zero_failures_turn_it_off() {
        let mut breaker = Breaker::new(0, at(100));
        for _ in 0..10 {
            breaker.failed(at(0));
        }
        assert!(breaker.admits(at(0)));
    }

    proptest! {
        /// It never stays open for ever, even if who tried never comes back to say how it went.
        #[test]
        fn whatever_happened_a_call_may_be_made_after_a_rest(
            events in prop::collection::vec((0..3_u8, 0..500_u64), 0..50)
        ) {
            let mut breaker = Breaker::new(3, at(100));
            let mut now = Duration::ZERO;
            for (event, later) in events {
                now += at(later);
                match event {
                    0 => breaker.failed(now),
                    1 => breaker.succeeded(),
                    _ => { breaker.admits(now); }
                }
            }
            prop_assert!(breaker.admits(now + at(100)));
        }
    }
}
