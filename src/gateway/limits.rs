//! How much one connection, one user and all of them together may ask of a gateway. Pure; told the time.

use crate::config::GatewayConfig;
use crate::contract::id::UserId;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many in a row, then so many a second.
///
/// A bucket is one number, the generic cell rate algorithm (ITU-T I.371, as in Redis' cell module): the
/// time at which it will be full again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    burst: u32,
    per_second: u32,
    full_at: Duration,
}

impl Bucket {
    /// A full bucket. A rate of 0 means no limit.
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        Self { burst, per_second, full_at: Duration::ZERO }
    }

    /// Takes one, if there is one.
    ///
    /// # Errors
    /// [`Empty`].
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Empty> {
        let Some(interval) = Duration::from_secs(1).checked_div(self.per_second) else {
            return Ok(());
        };
        let full_at = self.full_at.max(now) + interval;
        if full_at > now + interval * self.burst {
            return Err(Empty);
        }
        self.full_at = full_at;
        Ok(())
    }
}

/// Nothing is left in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Empty;

/// Who is connected, counted once.
#[derive(Debug)]
pub(super) struct Admission {
    config: GatewayConfig,
    upgrades: Bucket,
    users: BTreeMap<UserId, Presence>,
    connections: usize,
}

impl Default for Admission {
    fn default() -> Self {
        Self::new(GatewayConfig::default())
    }
}

/// One user's share.
#[derive(Debug)]
struct Presence {
    connections: usize,
    frames: Bucket,
}

impl Admission {
    /// Nobody is connected.
    pub(super) fn new(config: GatewayConfig) -> Self {
        let upgrades = Bucket::new(config.upgrades_burst_max, config.upgrades_per_second_max);
        Self { config, upgrades, users: BTreeMap::new(), connections: 0 }
    }

    /// How many connections there are.
    pub(super) fn connections(&self) -> usize {
        self.connections
    }

    /// Whether there is room for one more upgrade, whoever asks.
    pub(super) fn knock(&mut self, now: Duration) -> bool {
        let in_time = self.upgrades.take(now).is_ok();
        in_time && self.connections < self.config.connections_max
    }

    /// Whether this user may have one more connection.
    pub(super) fn may_enter(&self, user: &UserId) -> bool {
        let present = self.users.get(user).map_or(0, |user| user.connections);
        present < self.config.connections_per_user_max
    }

    /// Counts a connection in; one that is to be refused by a close frame belongs to nobody.
    pub(super) fn enter(&mut self, user: Option<&UserId>) {
        self.connections += 1;
        if let Some(user) = user {
            let (burst, rate) =
                (self.config.user_frames_burst_max, self.config.user_frames_per_second_max);
            let fresh = || Presence { connections: 0, frames: Bucket::new(burst, rate) };
            self.users.entry(user.clone()).or_insert_with(fresh).connections += 1;
        }
    }

    /// Counts a connection out, as it was counted in.
    pub(super) fn leave(&mut self, user: Option<&UserId>) {
        self.connections = self.connections.saturating_sub(1);
        let Some(user) = user else { return };
        if let Some(presence) = self.users.get_mut(user) {
            presence.connections = presence.connections.saturating_sub(1);
            if presence.connections == 0 {
                self.users.remove(user);
            }
        }
    }

    /// Counts a message of this user, on whichever connection.
    ///
    /// # Errors
    /// [`Empty`] if the user sends too fast over all connections.
    pub(super) fn spend(&mut self, now: Duration, user: &UserId) -> Result<(), Empty> {
        self.users.get_mut(user).map_or(Ok(()), |user| user.frames.take(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(3, 2);
        let taken = |bucket: &mut Bucket, ms| bucket.take(Duration::from_millis(ms)).is_ok();
        let times = [0, 0, 0, 0, 499, 500, 500, 1_000, 10_000, 10_000, 10_000, 10_000];
        let given: Vec<bool> = times.iter().map(|ms| taken(&mut bucket, *ms)).collect();
        let expected = [true, true, true, false, false, true, false, true, true, true, true, false];
        assert_eq!(given, expected);
        let mut unlimited = Bucket::new(1, 0);
        assert!((0..1000).all(|_| unlimited.take(Duration::ZERO).is_ok()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_bucket_never_gives_more_than_burst_and_rate_in_any_window(
            waits in prop::collection::vec(0..400u64, 1..200), burst in 1..50u32, rate in 1..50u32,
        ) {
            let mut bucket = Bucket::new(burst, rate);
            let (mut now, mut given) = (Duration::ZERO, Vec::new());
            for wait in waits {
                now += Duration::from_millis(wait);
                if bucket.take(now).is_ok() {
                    given.push(now);
                }
            }
            for (first, from) in given.iter().enumerate() {
                for (last, to) in given.iter().enumerate().skip(first) {
                    let most = f64::from(burst) + (*to - *from).as_secs_f64() * f64::from(rate);
                    let count = u32::try_from(last - first + 1).unwrap();
                    prop_assert!(f64::from(count) <= most + 1e-6, "{count} from {from:?} to {to:?}");
                }
            }
        }
    }

    #[test]
    fn a_user_has_so_many_connections_and_one_budget_for_all() {
        let config = GatewayConfig {
            connections_per_user_max: 2,
            user_frames_burst_max: 3,
            ..GatewayConfig::default()
        };
        let mut admission = Admission::new(config);
        let (ana, ben) = (user("ana"), user("ben"));
        for _ in 0..2 {
            assert!(admission.may_enter(&ana));
            admission.enter(Some(&ana));
        }
        assert!(!admission.may_enter(&ana));
        assert!(admission.may_enter(&ben));
        let spent: Vec<bool> = (0..4).map(|_| admission.spend(SECOND, &ana).is_ok()).collect();
        assert_eq!(spent, [true, true, true, false]);
        admission.leave(Some(&ana));
        assert!(admission.may_enter(&ana));
        assert_eq!(admission.connections(), 1);
    }

    #[test]
    fn a_gateway_has_so_many_connections_and_upgrades_a_second() {
        let config = GatewayConfig {
            connections_max: 2,
            upgrades_burst_max: 3,
            upgrades_per_second_max: 1,
            ..GatewayConfig::default()
        };
        let mut admission = Admission::new(config);
        for _ in 0..2 {
            assert!(admission.knock(SECOND));
            admission.enter(None);
        }
        assert!(!admission.knock(SECOND));
        admission.leave(None);
        assert!(!admission.knock(SECOND), "three upgrades at once");
        assert!(admission.knock(SECOND * 2));
    }
}
