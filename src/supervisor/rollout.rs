//! Who is given the real-estate agent, and who the general fallback. Pure.

use crate::contract::id::UserId;
use serde::{Deserialize, Serialize};

/// The switch and the canary share; an operator changes them while the supervisor runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rollout {
    /// Whether anybody is given the agent. Default true.
    #[serde(rename = "ENABLE_RE_AGENT")]
    pub enabled: bool,
    /// The share of users that are given it, percent; 100 or more is everybody. Default 100.
    #[serde(rename = "RE_AGENT_PERCENT")]
    pub percent: u32,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { enabled: true, percent: 100 }
    }
}

impl Rollout {
    /// Whether `user` is given the agent. A user who is keeps it while the share grows.
    pub(super) fn includes(self, user: &UserId) -> bool {
        self.enabled && place(user) < self.percent
    }
}

/// A user's place in the rollout, 0 to 99, the same on every machine and in every release: FNV-1a of the id,
/// mixed (the finaliser of `MurmurHash3`) because the low bits of FNV-1a are uneven.
fn place(user: &UserId) -> u32 {
    let hash = user.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    u32::try_from((mixed ^ (mixed >> 33)) % 100).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u32) -> UserId {
        format!("user-{number}").parse().unwrap()
    }

    #[test]
    fn the_share_is_met_and_who_is_in_stays_in_while_it_grows() {
        for percent in [0, 1, 10, 50, 99, 100] {
            let narrow = Rollout { enabled: true, percent };
            let wide = Rollout { percent: percent + 1, ..narrow };
            let included = (0..10_000).filter(|n| narrow.includes(&user(*n))).count();
            let expected = usize::try_from(percent * 100).unwrap();
            assert!(included.abs_diff(expected) <= 150, "{included} at {percent} %");
            assert!((0..10_000).all(|n| !narrow.includes(&user(n)) || wide.includes(&user(n))));
        }
    }

    #[test]
    fn switched_off_it_includes_nobody() {
        let off = Rollout { enabled: false, percent: 100 };
        assert!((0..100).all(|n| !off.includes(&user(n))));
    }

    #[test]
    fn places_are_the_same_for_ever() {
        let places = ["ana", "ben", "user-1", "0"].map(|name| place(&name.parse().unwrap()));
        assert_eq!(places, [2, 39, 77, 60]);
    }

    #[test]
    fn is_written_as_operators_know_it() {
        let written = serde_json::to_string(&Rollout::default()).unwrap();
        assert_eq!(written, r#"{"ENABLE_RE_AGENT":true,"RE_AGENT_PERCENT":100}"#);
        assert_eq!(serde_json::from_str::<Rollout>("{}").unwrap(), Rollout::default());
        assert!(serde_json::from_str::<Rollout>(r#"{"ENABLE_RE_AGNT":false}"#).is_err());
    }
}
