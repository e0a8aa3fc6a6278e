//! How fast turns may go out, so that a client never meets the server's limit on frames.
//!
//! # Design
//! A leaky bucket, kept as the one point in time at which it is empty (the generic cell rate algorithm).
//! Every frame pours in; only turns wait for room. Turns may use a share of the limit, so that hello,
//! pongs, catchups and tokens, which never wait, find the rest free.

use crate::contract::frame::Limits;
use std::time::Duration;

/// The bucket of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// What a frame pours in: the time between two of them at the steady rate.
    frame: Duration,
    /// How full it may be when a turn goes out.
    room: Duration,
    /// When it will be empty.
    empty_at: Duration,
}

impl Pace {
    /// A bucket that holds this share of the server's limits; `None` if there is no limit to keep.
    pub(super) fn new(share_percent: u32, limits: &Limits, now: Duration) -> Option<Self> {
        let share = |count: u32| u64::from(count) * u64::from(share_percent.min(100));
        let per_100_seconds = share(limits.frames_per_second_max);
        let frame = Duration::from_secs(100).checked_div(u32::try_from(per_100_seconds).ok()?)?;
        let burst = u32::try_from(share(limits.frames_burst_max) / 100).unwrap_or(u32::MAX);
        let room = frame.saturating_mul(burst.saturating_sub(1));
        Some(Self { frame, room, empty_at: now })
    }

    /// When the next turn may go out.
    pub(super) fn due(&self) -> Duration {
        self.empty_at.saturating_sub(self.room)
    }

    /// Counts a frame that goes out now.
    pub(super) fn spend(&mut self, now: Duration) {
        self.empty_at = self.empty_at.max(now).saturating_add(self.frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(frames_burst_max: u32, frames_per_second_max: u32) -> Limits {
        let (message_bytes_max, text_chars_max) = (1, 1);
        Limits { message_bytes_max, text_chars_max, frames_burst_max, frames_per_second_max }
    }

    /// When each of the next turns goes out, milliseconds.
    fn times(share_percent: u32, limits: &Limits, count: usize) -> Option<Vec<u128>> {
        let mut now = Duration::from_secs(1);
        let mut pace = Pace::new(share_percent, limits, now)?;
        let mut next = || {
            now = now.max(pace.due());
            pace.spend(now);
            now.as_millis()
        };
        Some((0..count).map(|_| next()).collect())
    }

    #[test]
    fn turns_use_their_share_of_burst_and_rate() {
        let cases = [
            (50, limits(4, 20), Some(vec![1000, 1000, 1100, 1200])),
            (100, limits(2, 20), Some(vec![1000, 1000, 1050, 1100])),
            // Not even one whole frame: one at a time, never none.
            (50, limits(1, 1), Some(vec![1000, 3000, 5000, 7000])),
            (50, limits(0, 1), Some(vec![1000, 3000, 5000, 7000])),
            (50, limits(9, 0), None),
            (0, limits(9, 9), None),
            (50, limits(u32::MAX, u32::MAX), None),
        ];
        for (share_percent, limits, expected) in cases {
            assert_eq!(times(share_percent, &limits, 4), expected, "{share_percent} {limits:?}");
        }
    }
}
