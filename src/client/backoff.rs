//! How long to wait before the next attempt, and how many have failed. Knows nothing of sockets.

use crate::config::client::ClientPolicy;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use std::time::Duration;

/// The exponent stops growing here, so that no count overflows (centrifuge-js does the same).
const STEP_MAX: u32 = 31;

/// The state of the ladder: which delay comes next, and how many attempts have failed in a row.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    step: u32,
    failures: u32,
}

impl Backoff {
    /// Starts again from the first step.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Counts a failed attempt.
    pub fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// The number of the attempt that comes next or is under way: 1 after a reset.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.failures.saturating_add(1)
    }

    /// The step whose delay comes next: 0 after a reset.
    #[must_use]
    pub fn step(&self) -> u32 {
        self.step
    }

    /// Whether as many attempts failed in a row as the policy allows.
    #[must_use]
    pub fn exhausted(&self, policy: &ClientPolicy) -> bool {
        policy.attempts_max.is_some_and(|most| self.failures >= most)
    }

    /// Goes up a step without drawing its delay, because another rule gave one.
    pub fn skip(&mut self) {
        self.step = self.step.saturating_add(1);
    }

    /// The delay of this step, and goes up one.
    pub fn draw(&mut self, policy: &ClientPolicy, rng: &mut ChaCha8Rng) -> Duration {
        let nominal = nominal(policy, self.step);
        self.skip();
        let jitter = nominal * policy.jitter_percent.min(100) / 100;
        uniform(rng, nominal.saturating_sub(jitter), nominal.saturating_add(jitter))
    }
}

/// The delay of a step before jitter: base, 2 base, 4 base … up to the cap.
#[must_use]
pub fn nominal(policy: &ClientPolicy, step: u32) -> Duration {
    policy.backoff_base.saturating_mul(1 << step.min(STEP_MAX)).min(policy.backoff_cap)
}

/// A duration between the bounds, both included; `from` if they are in the wrong order.
pub fn uniform(rng: &mut ChaCha8Rng, from: Duration, to: Duration) -> Duration {
    let share = f64::from(rng.next_u32()) / f64::from(u32::MAX);
    from.saturating_add(to.saturating_sub(from).mul_f64(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    #[test]
    fn doubles_up_to_the_cap_and_never_overflows() {
        let policy = ClientPolicy::default();
        let seconds = |step| nominal(&policy, step).as_secs();
        let seen: Vec<u64> = [0, 1, 2, 3, 4, 5, 31, 32, u32::MAX].map(seconds).to_vec();
        assert_eq!(seen, [1, 2, 4, 8, 16, 16, 16, 16, 16]);
    }

    #[test]
    fn jitter_does_not_vanish_at_the_cap() {
        let policy = ClientPolicy::default();
        let at_cap = |seed| {
            let mut backoff = Backoff { step: u32::MAX, failures: u32::MAX };
            backoff.failed();
            backoff.draw(&policy, &mut ChaCha8Rng::seed_from_u64(seed))
        };
        let delays: Vec<Duration> = (0..1000).map(at_cap).collect();
        let spread = *delays.iter().max().unwrap() - *delays.iter().min().unwrap();
        assert!(spread * 10 >= policy.backoff_cap * 3, "{spread:?}");
    }

    #[test]
    fn parks_after_the_tenth_failure_and_starts_again_after_a_reset() {
        let policy = ClientPolicy::default();
        let mut backoff = Backoff::default();
        for attempt in 1..=10 {
            assert!(!backoff.exhausted(&policy));
            assert_eq!(backoff.attempt(), attempt);
            backoff.failed();
        }
        assert!(backoff.exhausted(&policy));
        backoff.reset();
        assert_eq!((backoff.attempt(), backoff.step()), (1, 0));
    }
}
