//! What the use of a refresh token means. Pure: the store keeps the [`Chain`], the time is handed in.
//!
//! # Design
//! Every use of a refresh token spends it and yields the next number (RFC 9700 section 4.14.2). A number that
//! comes again is a thief's, or that of a client which did not get its answer. The two cannot be told apart,
//! so the last number may be repeated without limit of time: a client that slept for a week between question
//! and answer is not signed out. The price is a thief who repeats each token before its owner uses the next
//! one, and is not noticed. Whoever falls behind by more than that and the leeway ends the session for both.
//!
//! The successor of `n` is `n + 1`, however often it is asked for, so that no chain ever forks.

use crate::config::TokenConfig;
use crate::token::{Claims, LEEWAY};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is known of a session; the default is one that has only begun.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Chain {
    /// The highest number that was used, 0 before the first.
    pub(super) used: u64,
    /// When that happened first, since 1970.
    pub(super) advanced: Duration,
    /// From when on no refresh token of the session is good, since 1970; all this may be forgotten then.
    pub(super) ends: Duration,
    /// Whether the session is over.
    pub(super) revoked: bool,
}

/// What the use of a token means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The first use. The answer is the next number.
    Advance,
    /// The answer was lost, or the question came twice. The answer is the next number, as it was before.
    Repeat,
    /// The token was spent long ago: somebody has stolen it, and the session is over.
    Reuse,
    /// The session was over already.
    Revoked,
}

impl Chain {
    /// Uses a refresh token that is genuine and has not expired.
    pub(super) fn present(
        &mut self,
        claims: &Claims,
        now: Duration,
        config: &TokenConfig,
    ) -> Verdict {
        let recent = now.saturating_sub(self.advanced) <= config.reuse_leeway;
        if self.revoked {
            Verdict::Revoked
        } else if claims.n > self.used {
            self.used = claims.n;
            self.advanced = now;
            // The token may be repeated up to its end, and each time its successor lasts anew.
            self.outlast(claims.good_until() + config.refresh_ttl + LEEWAY);
            Verdict::Advance
        } else if claims.n == self.used || (claims.n + 1 == self.used && recent) {
            Verdict::Repeat
        } else {
            self.revoke(claims);
            Verdict::Reuse
        }
    }

    /// Ends the session of this token. Whether it had not ended before.
    pub(super) fn revoke(&mut self, claims: &Claims) -> bool {
        self.outlast(claims.good_until());
        !std::mem::replace(&mut self.revoked, true)
    }

    fn outlast(&mut self, moment: Duration) {
        self.ends = self.ends.max(moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Duration = Duration::from_secs(1_800_000_000);

    fn claims(n: u64, at: Duration) -> Claims {
        let (user, session) = ("u".parse().unwrap(), "s".parse().unwrap());
        Claims::refresh(user, session, n, at, TokenConfig::default().refresh_ttl)
    }

    #[test]
    fn a_use_is_judged_by_its_number_and_the_time() {
        use Verdict::{Advance, Repeat, Reuse, Revoked};
        let leeway = TokenConfig::default().reuse_leeway.as_secs();
        let day = 86_400;
        // Each a list of uses: seconds after the one before, number, verdict.
        for uses in [
            &[(0, 1, Advance), (600, 2, Advance), (600, 3, Advance)][..],
            // A store that lost its memory trusts the signature.
            &[(0, 40, Advance), (1, 41, Advance), (1, 7, Reuse)],
            // A lost answer, however late.
            &[(0, 1, Advance), (29 * day, 1, Repeat), (0, 1, Repeat), (0, 2, Advance)],
            // A question that overtook itself, and one that is too late for that.
            &[(0, 1, Advance), (5, 2, Advance), (leeway, 1, Repeat), (600, 3, Advance)],
            &[(0, 1, Advance), (5, 2, Advance), (leeway + 1, 1, Reuse), (0, 2, Revoked)],
            // Repetitions do not prolong the leeway.
            &[(0, 1, Advance), (0, 2, Advance), (leeway, 2, Repeat), (1, 1, Reuse)],
            // Two behind is never late.
            &[(0, 1, Advance), (0, 2, Advance), (0, 3, Advance), (0, 1, Reuse), (0, 4, Revoked)],
        ] {
            let (mut chain, mut now) = (Chain::default(), START);
            for (wait, number, verdict) in uses {
                now += Duration::from_secs(*wait);
                let before = chain.clone();
                let said = chain.present(&claims(*number, now), now, &TokenConfig::default());
                assert_eq!(said, *verdict, "number {number} of {uses:?}");
                let unchanged = matches!(said, Repeat | Revoked);
                assert_eq!(chain == before, unchanged, "number {number} of {uses:?}");
            }
        }
    }

    #[test]
    fn a_revoked_session_is_remembered_as_long_as_any_of_its_tokens_is_good() {
        let config = TokenConfig::default();
        let (mut chain, first) = (Chain::default(), claims(1, START));
        chain.present(&first, START, &config);
        // The answer is lost, and asked for again at the last moment.
        let late = first.good_until() - Duration::from_nanos(1);
        assert_eq!(chain.present(&first, late, &config), Verdict::Repeat);
        let second = claims(2, late);
        chain.revoke(&first);
        assert!(second.good_until() <= chain.ends);
        let mut unused = Chain::default();
        unused.revoke(&first);
        assert_eq!(unused.ends, first.good_until());
    }

    /// What somebody who holds tokens of the session does.
    #[derive(Debug, Clone)]
    enum Act {
        /// Uses the newest token; whether the answer arrives.
        Newest {
            answered: bool,
        },
        /// Uses the token that came this many before the newest.
        Older(u64),
        Wait(u64),
        Logout,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            8 => any::<bool>().prop_map(|answered| Act::Newest { answered }),
            2 => (1..4_u64).prop_map(Act::Older),
            4 => (0..60_u64).prop_map(Act::Wait),
            1 => Just(Act::Logout),
        ];
        prop::collection::vec(act, 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn honest_use_goes_on_and_reuse_ends_the_session(acts in acts()) {
            let config = TokenConfig::default();
            let (mut chain, mut now) = (Chain::default(), START);
            // The newest token that was answered, when each number was used first, the end of the session.
            let (mut newest, mut first_used, mut over) = (1, std::collections::BTreeMap::new(), false);
            for act in acts {
                let number = match &act {
                    Act::Wait(seconds) => {
                        now += Duration::from_secs(*seconds);
                        continue;
                    }
                    Act::Logout => {
                        chain.revoke(&claims(newest, now));
                        over = true;
                        continue;
                    }
                    Act::Newest { .. } => newest,
                    Act::Older(by) if *by < newest => newest - by,
                    Act::Older(_) => continue,
                };
                let verdict = chain.present(&claims(number, now), now, &config);
                let granted = matches!(verdict, Verdict::Advance | Verdict::Repeat);
                prop_assert!(!(over && granted), "a session that is over gets a token");
                if let Act::Newest { answered } = act {
                    prop_assert_eq!(granted, !over, "the newest token is refused");
                    first_used.entry(number).or_insert(now);
                    newest += u64::from(granted && answered);
                    // Of all that were ever answered only this one leads on.
                    prop_assert!(chain.used <= newest && newest <= chain.used + 1);
                } else {
                    // Good until its successor was used, and a little longer.
                    let spent = first_used.get(&(number + 1));
                    let late = spent.is_some_and(|at| now - *at > config.reuse_leeway);
                    let far_behind = first_used.contains_key(&(number + 2));
                    prop_assert_eq!(granted, !over && !late && !far_behind);
                    over |= !granted;
                }
                prop_assert_eq!(chain.revoked, over);
            }
        }
    }
}
