//! Proof that the oracles have teeth: a rule of the assistant is removed, and somebody has to notice.
//!
//! Every rule is a field of a configuration whose "off" is a legal value, so nothing is patched: a scenario of a
//! seed is played with one rule off until an oracle objects that is content with the same seed otherwise.
//!
//! # What is not here
//! Rules that our own gateway never puts to the test, because they guard against another one or against what only a
//! browser hides: `clock_jump`, `normal_retries_max`, `blind_failures_max`, `distrust_same_token`, `check_generation`,
//! `heartbeat_max`, and the token service's `reuse_leeway`; those whose absence only a crowd feels:
//! `first_retry_spread`, `retry_after_surplus_percent`, the window of a drain, its gaps and its grace, a user's share
//! of connections; and those without which something is only noticed by another rule, somewhat later: `count_restarts`,
//! the gateway's `supervisor_deadline` and `close_timeout`, and the beats of followed lists. `tests/properties/`,
//! `tests/gateway/` and `sim/tests/storms.rs` hold them.

use crate::scenario::{Config, Scenario};
use assistant::config::client::{CloseCodes, CountReset, Refreshing, Rule as Switch};
use std::time::Duration;

/// A rule and how it is removed.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Whose, and which: `client.cursor` is the field `cursor` of the client's policy.
    pub name: &'static str,
    off: fn(&mut Config),
}

impl Rule {
    /// The same scenario without this rule.
    #[must_use]
    pub fn removed_from(&self, scenario: &Scenario) -> Scenario {
        let mut without = scenario.clone();
        (self.off)(&mut without.world.config);
        without.name = format!("{}-without-{}", scenario.name, self.name);
        without
    }
}

const fn rule(name: &'static str, off: fn(&mut Config)) -> Rule {
    Rule { name, off }
}

/// Longer than any run.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

/// Every rule that can be removed, in the order of the configurations.
pub const RULES: &[Rule] = &[
    rule("client.backoff_cap", |c| c.client.backoff_cap = c.client.backoff_base),
    rule("client.jitter_percent", |c| c.client.jitter_percent = 0),
    rule("client.attempts_max", |c| c.client.attempts_max = None),
    rule("client.count_reset", |c| c.client.count_reset = CountReset::OnOpen),
    rule("client.advice_max", |c| c.client.advice_max = Duration::ZERO),
    rule("client.retry_after_max", |c| c.client.retry_after_max = Duration::ZERO),
    rule("client.attempt_interval", |c| c.client.attempt_interval = Duration::ZERO),
    rule("client.kick_interval", |c| c.client.kick_interval = Duration::ZERO),
    rule("client.heed_offline", |c| c.client.heed_offline = Switch::Off),
    rule("client.close_codes", |c| c.client.close_codes = CloseCodes::RetryAll),
    rule("client.refreshing", |c| c.client.refreshing = Refreshing::Never),
    rule("client.forced_refreshes_max", |c| c.client.forced_refreshes_max = 0),
    rule("client.refresh_timeout", |c| c.client.refresh_timeout = None),
    rule("client.open_timeout", |c| c.client.open_timeout = None),
    rule("client.welcome_timeout", |c| c.client.welcome_timeout = None),
    rule("client.cursor", |c| c.client.cursor = Switch::Off),
    rule("client.hole_frames_max", |c| c.client.hole_frames_max = 0),
    rule("client.catchup", |c| c.client.catchup = Switch::Off),
    rule("client.seen_max", |c| c.client.seen_max = 0),
    rule("client.silence_grace", |c| c.client.silence_grace = None),
    rule("client.probe_timeout", |c| c.client.probe_timeout = Duration::ZERO),
    rule("client.answer_pings", |c| c.client.answer_pings = Switch::Off),
    rule("client.outbox_expiry", |c| c.client.outbox_expiry = None),
    rule("client.window", |c| c.client.window = usize::MAX),
    rule("client.pace_percent", |c| c.client.pace_percent = 0),
    rule("client.resend", |c| c.client.resend = Switch::Off),
    rule("client.poison_resends_max", |c| {
        // What the limits hold back never makes a gateway close.
        c.client.heed_limits = Switch::Off;
        c.client.poison_resends_max = None;
    }),
    rule("client.heed_limits", |c| c.client.heed_limits = Switch::Off),
    rule("gateway.hello_timeout", |c| c.gateway.hello_timeout = FOR_EVER),
    rule("gateway.pong_timeout", |c| c.gateway.pong_timeout = FOR_EVER),
    rule("gateway.frames_per_second_max", |c| {
        (c.gateway.frames_burst_max, c.gateway.frames_per_second_max) = (1_000_000, 1_000_000);
        c.gateway.user_frames_burst_max = 1_000_000;
        c.gateway.user_frames_per_second_max = 1_000_000;
    }),
    rule("gateway.supervisor_patience", |c| c.gateway.supervisor_patience = FOR_EVER),
    rule("gateway.peer_patience", |c| c.gateway.peer_patience = FOR_EVER),
    rule("gateway.expiry_notice", |c| c.gateway.expiry_notice = Duration::ZERO),
    rule("gateway.write_timeout", |c| c.gateway.write_timeout = FOR_EVER),
    rule("gateway.drain_notice", |c| c.gateway.drain_notice = Duration::ZERO),
    rule("supervisor.agent_deadline", |c| c.supervisor.agent_deadline = FOR_EVER),
    rule("supervisor.agent_calls_max", |c| c.supervisor.agent_calls_max = 1),
    rule("supervisor.breaker_failures_max", |c| c.supervisor.breaker_failures_max = u32::MAX),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::default_world;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_changes_something() {
        let whole = default_world(1);
        let mut names = BTreeSet::new();
        for rule in RULES {
            assert!(names.insert(rule.name), "two rules are called {}", rule.name);
            let without = rule.removed_from(&whole);
            assert_ne!(without.world.config, whole.world.config, "{}", rule.name);
        }
    }
}
