//! A memory of what was seen lately, for frames that have no place in the log.
//!
//! # Design
//! Durable frames are told apart by their `seq` and need no memory. The rest is keyed by exactly what
//! makes it this frame and no other: two different frames are never merged. The first design keyed
//! everything by `thread:trace||in_reply_to`, which lost frames that shared a trace.

use std::collections::BTreeMap;

/// The most recently seen keys, at most as many as the bound.
#[derive(Debug, Clone)]
pub struct Seen<K> {
    max: usize,
    clock: u64,
    stamps: BTreeMap<K, u64>,
    oldest_first: BTreeMap<u64, K>,
}

impl<K: Ord + Clone> Seen<K> {
    /// Remembers at most `max` keys; with 0 it remembers nothing.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, clock: 0, stamps: BTreeMap::new(), oldest_first: BTreeMap::new() }
    }

    /// Remembers the key as the newest. True if it was known.
    pub fn insert(&mut self, key: K) -> bool {
        if self.max == 0 {
            return false;
        }
        self.clock = self.clock.saturating_add(1);
        let before = self.stamps.insert(key.clone(), self.clock);
        if let Some(stamp) = before {
            self.oldest_first.remove(&stamp);
        }
        self.oldest_first.insert(self.clock, key);
        if self.stamps.len() > self.max
            && let Some((_, oldest)) = self.oldest_first.pop_first()
        {
            self.stamps.remove(&oldest);
        }
        before.is_some()
    }

    /// How many keys it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stamps.len()
    }

    /// Whether it remembers nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.stamps.clear();
        self.oldest_first.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_refreshes_and_the_oldest_goes_first() {
        let mut seen = Seen::new(2);
        let known: Vec<bool> = ["a", "b", "a", "c", "b", "a"].map(|key| seen.insert(key)).to_vec();
        // "c" pushes out "b", because "a" was refreshed; then "b" pushes out "a".
        assert_eq!(known, [false, false, true, false, false, false]);
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn with_a_bound_of_zero_nothing_is_ever_known() {
        let mut seen = Seen::new(0);
        assert!(!seen.insert(1) && !seen.insert(1) && seen.is_empty());
    }
}
