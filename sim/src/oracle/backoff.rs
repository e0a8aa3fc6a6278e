//! BO-BOUND, BO-RANGE, BO-NO-RESET-ON-OPEN, BO-PARK and BO-ADVICE, seen from the network: how often and how
//! soon a client dials.
//!
//! An attempt begins when the token service is dialled outside of a connection. Attempts that failed before
//! a gateway said anything climb the ladder; only a connection that held, or somebody who cares (a network
//! that is back, a user who speaks to a parked client), starts it again. A token that was refused is replaced
//! at once.
//!
//! It holds every client to the standing design, whatever policy a scenario gives it: a rule that is switched
//! off is to be missed.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What, Wire};
use assistant::config::ClientPolicy;
use assistant::config::client::{CountReset, Refreshing};
use assistant::contract::close::{Verdict, verdict};
use assistant::contract::frame::{AdviceReason, ServerFrame};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "backoff";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does every client dial no sooner and no more often than it may?",
    judge,
};

/// What clocks may differ by: a tick of the reference engine, which is the smallest latency.
const SLACK: Duration = Duration::from_millis(20);

/// When a client was asked to come back, counted from the moment at which it was.
#[derive(Debug, Clone, Copy)]
struct Advice {
    since: Duration,
    min: Duration,
    max: Option<Duration>,
}

/// What has happened since an attempt began.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    /// A gateway has said something.
    has_socket: bool,
    /// Somebody has cared.
    woken: Option<Woken>,
    /// The token was refused.
    is_refused: bool,
}

/// Who has cared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    /// A user, or a process that runs again.
    Cared,
    /// A network that is back.
    Kicked,
}

/// One client on its ladder.
struct Ladder<'p> {
    policy: &'p ClientPolicy,
    /// Whether each attempt begins with a token.
    refreshing: Refreshing,
    /// When the last attempt began.
    begun: Option<Duration>,
    /// What has happened since.
    since: Since,
    /// Attempts in a row without a socket.
    failures: u32,
    /// Since when it is connected.
    connected: Option<Duration>,
    /// Whether it rests until somebody cares.
    is_parked: bool,
    /// The connection to a gateway, and what was advised on it.
    conn: Option<(u64, Option<(Duration, Duration)>)>,
    advice: Option<Advice>,
    /// When the token service was last dialled in session.
    in_session: Option<Duration>,
    /// Whether the last attempt began because the network was back.
    was_kicked: bool,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let (policy, refreshing) = (ClientPolicy::default(), scenario.world.config.client.refreshing);
    let ladder = || Ladder::new(&policy, refreshing);
    let mut ladders: BTreeMap<&Host, Ladder<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let Some(client) = fault(event).and_then(Fault::client) {
            ladders.entry(client).or_insert_with(ladder).befalls(event);
        }
        if matches!(event.host, Host::Client(_)) {
            let ladder = ladders.entry(&event.host).or_insert_with(ladder);
            let words = |what| format!("{} {what}", event.host);
            found.extend(ladder.step(event).map(|what| Violation::at(NAME, event, words(what))));
        }
    }
    found
}

fn fault(event: &Event) -> Option<&Fault> {
    if let What::Injected { fault, .. } | What::Healed { fault } = &event.what {
        Some(fault)
    } else {
        None
    }
}

impl<'p> Ladder<'p> {
    fn new(policy: &'p ClientPolicy, refreshing: Refreshing) -> Self {
        Self {
            policy,
            refreshing,
            begun: None,
            since: Since::default(),
            failures: 0,
            connected: None,
            is_parked: false,
            conn: None,
            advice: None,
            in_session: None,
            was_kicked: false,
        }
    }

    /// A fault of the client itself begins or ends: its network is gone or back, or it was not run.
    fn befalls(&mut self, event: &Event) {
        if let Some(Fault::Offline { .. } | Fault::Pause { .. }) = fault(event) {
            self.wake();
            let is_back = matches!(&event.what, What::Healed { fault: Fault::Offline { .. } });
            if is_back {
                self.since.woken = Some(Woken::Kicked);
            }
        }
    }

    fn wake(&mut self) {
        self.since.woken = Some(Woken::Cared);
        self.failures = 0;
        self.advice = None;
    }

    fn step(&mut self, event: &Event) -> Option<String> {
        let at = Duration::from_micros(event.at_us);
        match (&event.what, self.refreshing) {
            (What::Dialled { to: Host::TokenService }, Refreshing::EveryConnection) => {
                if self.connected.is_none() {
                    return self.begin(at);
                }
                self.in_session = Some(at);
            }
            (
                What::Dialled { to: Host::Gateway(_) },
                Refreshing::OnlyAtStart | Refreshing::Never,
            ) => return self.begin(at),
            (What::Connected { conn, to: Host::Gateway(_) }, _) => self.conn = Some((*conn, None)),
            (What::Link { state }, _) => return self.changes(at, state),
            (What::Said { .. } | What::Looked, _) if self.is_parked => self.wake(),
            (What::Refused { status, retry_after, .. }, _) => {
                self.since.is_refused |= matches!(status, 401 | 403);
                let asked = Duration::from_secs(retry_after.unwrap_or(0));
                let min = asked.min(self.policy.retry_after_max);
                self.advice = Some(Advice { since: at, min, max: None });
            }
            (What::Received { conn, frame }, _) => self.hears(at, *conn, frame),
            (_, _) => {}
        }
        None
    }

    fn hears(&mut self, at: Duration, from: u64, frame: &Wire) {
        let Some((_, advised)) = self.conn.as_mut().filter(|(conn, _)| *conn == from) else {
            return;
        };
        self.since.has_socket = true;
        match frame {
            // Earlier than its user is told.
            Wire::Text(text) if text.contains("\"welcome\"") => self.connected = Some(at),
            Wire::Text(text) if text.contains("\"reconnect_advice\"") => {
                let advice = serde_json::from_str(text).ok().and_then(|frame| read(&frame));
                let valid = |(min, max): &(Duration, Duration)| {
                    min <= max && *max <= self.policy.advice_max
                };
                *advised = advice.filter(valid).or(*advised);
            }
            Wire::Close { code, .. } => {
                let verdict = verdict(code.unwrap_or(1005));
                self.since.is_refused |= verdict == Verdict::RefreshFirst;
                let asked = match (*advised, verdict) {
                    (Some((min, max)), _) => Some((min, Some(max))),
                    (None, Verdict::RetryAfter(seconds)) => {
                        Some((Duration::from_secs(seconds.into()), None))
                    }
                    (None, _) => None,
                };
                self.advice = asked.map(|(min, max)| Advice { since: at, min, max });
                self.conn = None;
            }
            Wire::Text(_) | Wire::Binary(_) | Wire::Control(_) => {}
        }
    }

    fn changes(&mut self, at: Duration, state: &str) -> Option<String> {
        self.is_parked = state.starts_with("parked") || state.starts_with("stopped");
        if self.is_parked {
            self.advice = None;
        }
        if state == "connected" {
            self.connected = Some(at);
            return None;
        }
        let since = self.connected.take()?;
        let stable = match self.policy.count_reset {
            CountReset::AfterStable(least) => least,
            CountReset::OnOpen => Duration::ZERO,
        };
        if at.saturating_sub(since) >= stable.saturating_sub(SLACK) {
            self.failures = 0;
        }
        // It has dialled at once, before it told anybody that the connection is gone; unless it waits now, and
        // has dialled for another token just before.
        let has_begun = self.in_session == Some(at) && state.starts_with("connecting");
        if has_begun { self.begin(at) } else { None }
    }

    /// An attempt begins.
    fn begin(&mut self, at: Duration) -> Option<String> {
        let gap = self.begun.replace(at).map(|begun| at.saturating_sub(begun));
        let since = std::mem::take(&mut self.since);
        let advice = self.advice.take();
        self.conn = None;
        if since.is_refused {
            return None;
        }
        let too_soon = gap.and_then(|gap| self.too_soon(gap, since));
        too_soon.or_else(|| self.against(advice?, at))
    }

    /// Whether an attempt comes too soon after the one before it.
    fn too_soon(&mut self, gap: Duration, since: Since) -> Option<String> {
        let (ms, least) = (gap.as_millis(), self.policy.attempt_interval);
        let is_kicked = since.woken == Some(Woken::Kicked);
        if std::mem::replace(&mut self.was_kicked, is_kicked) && is_kicked {
            let least = self.policy.kick_interval;
            if gap + SLACK < least {
                return Some(format!("was kicked twice within {ms} ms, less than {least:?}"));
            }
        }
        if gap + SLACK < least {
            return Some(format!("began two attempts {ms} ms apart, less than {least:?}"));
        }
        if since.has_socket || since.woken.is_some() {
            return None;
        }
        let least = shortest(self.policy, self.failures);
        self.failures = self.failures.saturating_add(1);
        let failures = self.failures;
        if self.policy.attempts_max.is_some_and(|most| failures >= most) {
            return Some(format!("went on after {failures} failed attempts in a row"));
        }
        (gap + SLACK < least).then(|| {
            format!(
                "began an attempt {ms} ms after the last, which was failure {failures} in a row and \
                 asks for {least:?}"
            )
        })
    }

    /// What a server has asked for and did not get.
    fn against(&self, advice: Advice, at: Duration) -> Option<String> {
        let waited = at.saturating_sub(advice.since);
        let (min, ms) = (advice.min, waited.as_millis());
        if waited + SLACK < min {
            return Some(format!("was asked to wait {min:?} and dialled after {ms} ms"));
        }
        // Whoever is told to come at once may have begun an attempt just now.
        let max = advice.max?.max(self.policy.attempt_interval);
        (waited > max + SLACK)
            .then(|| format!("was advised to come back within {max:?} and dialled after {ms} ms"))
    }
}

fn read(frame: &ServerFrame) -> Option<(Duration, Duration)> {
    if let ServerFrame::ReconnectAdvice { why, min_ms, max_ms } = frame
        && *why != AdviceReason::Auth
    {
        return Some((Duration::from_millis(*min_ms), Duration::from_millis(*max_ms)));
    }
    None
}

/// The shortest delay of a step of the ladder.
fn shortest(policy: &ClientPolicy, step: u32) -> Duration {
    let nominal = policy.backoff_base.saturating_mul(1 << step.min(31)).min(policy.backoff_cap);
    nominal * 100_u32.saturating_sub(policy.jitter_percent) / 100
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;
    use assistant::contract::frame::ServerFrame;

    const TOKENS: What = What::Dialled { to: Host::TokenService };

    /// Ben does something, so many milliseconds after the last event.
    fn after(run: &mut Bench, ms: u64, what: What) {
        run.tell(client("ben"), what);
        run.trace.events.last_mut().expect("an event").at_us += (ms - 1) * 1_000;
    }

    /// Ben has lost his connection and dials with these pauses, milliseconds, in vain.
    fn dials(pauses: &[u64]) -> Bench {
        let mut run = healthy();
        run.link("ben", "waiting for attempt 1");
        for pause in pauses {
            after(&mut run, *pause, TOKENS);
        }
        run
    }

    /// Ben is closed after this advice and comes back after so long.
    fn advised(min_ms: u64, max_ms: u64, comes: u64) -> Bench {
        let mut run = healthy();
        let why = AdviceReason::Overload;
        run.receives("ben", 2, &ServerFrame::ReconnectAdvice { why, min_ms, max_ms });
        run.is_closed("ben", 2, 1013, "overload");
        run.link("ben", "waiting for attempt 2");
        after(&mut run, comes, TOKENS);
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_a_client_that_climbs() {
        healthy().accepted_by(&ORACLE);
        dials(&[500, 900, 1_700, 3_300, 6_500, 13_000, 13_000]).accepted_by(&ORACLE);
        advised(1_000, 5_000, 3_000).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_attempts_that_come_too_soon() {
        dials(&[500, 700]).refused_by(&ORACLE, "ben began two attempts 700 ms apart, less than");
        dials(&[500, 900, 1_000]).refused_by(
            &ORACLE,
            "ben began an attempt 1000 ms after the last, which was failure 2",
        );
        dials(&[500, 900, 1_700, 3_300, 900])
            .refused_by(&ORACLE, "failure 4 in a row and asks for");
    }

    #[test]
    fn bo_no_reset_on_open_refuses_a_ladder_that_starts_again_after_a_short_connection() {
        let mut run = dials(&[500, 900, 1_700]);
        run.join("ben", 4, 7);
        run.link("ben", "connected");
        run.link("ben", "waiting for attempt 4");
        after(&mut run, 900, TOKENS);
        run.accepted_by(&ORACLE);
        after(&mut run, 900, TOKENS);
        run.refused_by(&ORACLE, "failure 3 in a row and asks for 3.2s");
    }

    #[test]
    fn bo_park_refuses_an_attempt_after_the_last_unless_somebody_cares() {
        let pauses = [16_000; 11];
        let mut run = dials(&pauses);
        run.refused_by(&ORACLE, "ben went on after 10 failed attempts in a row");
        run = dials(&pauses[..10]);
        run.accepted_by(&ORACLE);
        run.link("ben", "parked (Attempts)");
        run.say("ben", 3, "m-9", "Hello?");
        after(&mut run, 1_000, TOKENS);
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_does_not_heed_advice() {
        advised(2_000, 5_000, 900)
            .refused_by(&ORACLE, "ben was asked to wait 2s and dialled after");
        advised(1_000, 5_000, 6_000).refused_by(
            &ORACLE,
            "ben was advised to come back within 5s and dialled after 6001 ms",
        );
        let mut run = dials(&[500]);
        let refused = What::Refused { conn: 4, status: 503, retry_after: Some(4) };
        after(&mut run, 50, refused);
        after(&mut run, 3_000, TOKENS);
        run.refused_by(&ORACLE, "ben was asked to wait 4s and dialled after 3000 ms");
    }

    #[test]
    fn accepts_a_token_that_is_replaced_at_once() {
        let mut run = dials(&[500]);
        after(&mut run, 50, What::Refused { conn: 4, status: 403, retry_after: None });
        after(&mut run, 1, TOKENS);
        run.accepted_by(&ORACLE);
    }
}
