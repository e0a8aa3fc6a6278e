//! When each connection closes while a gateway drains. Pure.
//!
//! # Design
//! Independent random delays would bunch: of 1,000 closes in 25 s some second would see 60 instead of 40. So
//! the window is cut into as many slots as there are connections, and the slots are dealt in random order.
//! Staggering by the server beats every client policy: the fleet returns at the pace at which it is sent.

use crate::config::GatewayConfig;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use std::time::Duration;

/// The slots that are still to be dealt.
#[derive(Debug)]
pub(super) struct Plan {
    slots: Vec<Duration>,
    window: Duration,
}

impl Plan {
    /// A plan for so many connections, from the moment of the wish to stop.
    pub(super) fn new(config: &GatewayConfig, connections: usize, rng: &mut ChaCha8Rng) -> Self {
        let count = u32::try_from(connections).unwrap_or(u32::MAX);
        let window = config.drain_window.min(config.drain_gap_max.saturating_mul(count));
        let slot = |n: u32| config.drain_notice + window.mul_f64(f64::from(n) / f64::from(count));
        let mut slots: Vec<Duration> = (0..count).map(slot).collect();
        for last in (1..slots.len()).rev() {
            slots.swap(last, below(rng, last + 1));
        }
        Self { slots, window: config.drain_notice + window }
    }

    /// When the next connection that asks is to close. One that was not planned for closes at the end.
    pub(super) fn deal(&mut self) -> Duration {
        self.slots.pop().unwrap_or(self.window)
    }
}

/// A number from zero to below `count`.
fn below(rng: &mut ChaCha8Rng, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
    usize::try_from(rng.next_u64() % count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    fn dealt(connections: usize, seed: u64) -> Vec<Duration> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut plan = Plan::new(&GatewayConfig::default(), connections, &mut rng);
        (0..connections).map(|_| plan.deal()).collect()
    }

    #[test]
    fn dr_rate_no_second_sees_more_than_its_share() {
        for connections in [300, 1_000, 10_000] {
            let mut slots = dealt(connections, 1);
            slots.sort();
            let most = connections / 25 * 12 / 10;
            for (first, from) in slots.iter().enumerate() {
                let until = *from + Duration::from_secs(1);
                let count = slots[first..].iter().take_while(|slot| **slot < until).count();
                assert!(count <= most, "{count} in the second from {from:?}");
            }
            let notice = GatewayConfig::default().drain_notice;
            assert_eq!(slots[0], notice);
            assert!(slots[connections - 1] < notice + Duration::from_secs(25));
        }
    }

    #[test]
    fn a_few_connections_do_not_take_the_whole_window() {
        let last = dealt(3, 1).into_iter().max().unwrap();
        assert!(last <= GatewayConfig::default().drain_notice + Duration::from_millis(300));
        assert!(dealt(0, 1).is_empty());
    }

    #[test]
    fn the_order_is_random_and_repeatable() {
        assert_eq!(dealt(100, 1), dealt(100, 1));
        assert_ne!(dealt(100, 1), dealt(100, 2));
        assert!(!dealt(100, 1).is_sorted());
    }
}
