//! An agent that fails is asked once more, left alone for a while if it goes on, and never waited for without end.
//!
//! Seen from the network: a call of the supervisor is an attempt to connect to the agent. Calls say
//! nothing of their turn, so only a turn that was alone in the world is held to its number of calls.

use super::calm::Calm;
use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario, Target};
use crate::trace::{Event, Trace, What};
use assistant::config::SupervisorConfig;
use assistant::contract::frame::{ErrorCode, LogBody, LogFrame};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "agent";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is a failing agent tried again, then left alone, and never waited for?",
    judge,
};

/// What a way to the client and back may take beyond the calls.
const SLACK: Duration = Duration::from_secs(3);
/// What clocks may differ by: a tick of the reference engine.
const TICK: Duration = Duration::from_millis(100);

/// What is under way.
#[derive(Default)]
struct Desk<'t> {
    /// The turns that have no end: when each was said, and acked.
    open: BTreeMap<&'t str, (u64, Option<u64>)>,
    /// When the agent was last called.
    called: Option<u64>,
    /// Whether something is wrong with the agent.
    own: Calm,
    /// Whether another was open at the same time as the one that is.
    crowded: bool,
    /// Calls since the turn that is open was said.
    calls: u32,
    /// When each call since the last that succeeded was made.
    failed: Vec<u64>,
    /// Whether an agent was left alone since, and may be tried once at a time.
    rests: bool,
    /// Whether something else is wrong.
    others: Calm,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let config = SupervisorConfig::default();
    let mut desk = Desk::default();
    let mut found = Vec::new();
    for event in &trace.events {
        let words = desk.step(event, &config);
        found.extend(words.map(|what| Violation::at(NAME, event, what)));
    }
    found
}

/// Whether a fault is the agent's own.
fn is_of_agent(fault: &Fault) -> bool {
    fault.target() == Target::Server(&Host::Agent)
}

impl<'t> Desk<'t> {
    fn step(&mut self, event: &'t Event, config: &SupervisorConfig) -> Option<String> {
        self.own.hear_of(event, is_of_agent);
        self.others.hear_of(event, |fault| !is_of_agent(fault));
        match (&event.what, &event.host) {
            (What::Said { message_id, .. }, _) => {
                self.crowded = !self.open.is_empty();
                self.open.insert(message_id.as_str(), (event.at_us, None));
                self.calls = 0;
            }
            (What::Acked { message_id, .. }, _) => {
                self.open
                    .entry(message_id.as_str())
                    .and_modify(|(_, acked)| *acked = Some(event.at_us));
            }
            (What::GivenUp { message_id, .. }, _) => {
                self.open.remove(message_id.as_str());
            }
            (What::Dialled { to: Host::Agent }, Host::Supervisor) => {
                self.calls += 1;
                let eager = self.too_eager(event.at_us, config);
                self.failed.push(event.at_us);
                self.called = Some(event.at_us);
                return eager;
            }
            (What::Answered { status: 200, response: Some(_), .. }, _) => self.failed.clear(),
            (What::Started, Host::Supervisor) => self.failed.clear(),
            (What::Shown { frame }, _) if frame.body.is_final() => {
                let (said, acked) = self.open.remove(frame.in_reply_to.as_str())?;
                let ends = self.ends(event, frame, acked, config);
                return ends.or_else(|| self.shut_out(frame, said, config));
            }
            (_, _) => {}
        }
        None
    }

    /// A turn ends for its user.
    fn ends(
        &mut self,
        event: &Event,
        frame: &LogFrame,
        acked: Option<u64>,
        config: &SupervisorConfig,
    ) -> Option<String> {
        let turn = &frame.in_reply_to;
        let alone = !std::mem::replace(&mut self.crowded, !self.open.is_empty());
        let undisturbed = alone && self.others.reigns(event.at_us);
        let is_error =
            |wanted: ErrorCode| matches!(frame.body, LogBody::Error { code, .. } if code == wanted);
        let unavailable = is_error(ErrorCode::AgentUnavailable);
        let calls = self.calls;
        if !unavailable && !is_error(ErrorCode::AgentInvalid) {
            self.rests = false;
        }
        let failed = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        self.rests |= (unavailable && calls == 0) || failed >= config.breaker_failures_max;
        if !undisturbed {
            // Whose calls these were is not known, nor what they have come to.
            self.rests |= unavailable;
            return None;
        }
        let most =
            config.agent_deadline * config.agent_calls_max + config.agent_retry_pause + SLACK;
        let took = acked.map(|acked| Duration::from_micros(event.at_us - acked));
        if let Some(took) = took.filter(|took| *took > most) {
            let ms = took.as_millis();
            return Some(format!("{turn} waited {ms} ms for its agent, longer than {most:?}"));
        }
        if self.own.reigns(event.at_us) && (unavailable || is_error(ErrorCode::AgentInvalid)) {
            return Some(format!(
                "{turn} had no answer of its agent, with which nothing was wrong"
            ));
        }
        (unavailable && calls > 0 && calls < config.agent_calls_max && !self.rests)
            .then(|| format!("{turn} was given up after {calls} calls of its agent"))
    }

    /// A turn is refused without a call although the agent has rested.
    fn shut_out(&self, frame: &LogFrame, said: u64, config: &SupervisorConfig) -> Option<String> {
        let unavailable =
            matches!(frame.body, LogBody::Error { code: ErrorCode::AgentUnavailable, .. });
        // A call may have failed as late as its deadline, and the rest begins then.
        let rest = config.breaker_rest + config.agent_deadline + SLACK;
        let rested = said.checked_sub(u64::try_from(rest.as_micros()).unwrap_or(u64::MAX))?;
        let turn = &frame.in_reply_to;
        (unavailable && self.called.is_none_or(|called| called < rested))
            .then(|| format!("{turn} was refused, and the agent had not been called for {rest:?}"))
    }

    /// A call is made although so many have failed in a row that the agent is to be left alone.
    fn too_eager(&self, now: u64, config: &SupervisorConfig) -> Option<String> {
        let before = |at: u64| Duration::from_micros(now.saturating_sub(at));
        // What is younger may still succeed.
        let over = self.failed.iter().filter(|at| before(**at) > config.agent_deadline + TICK);
        let failures = over.count();
        let is_open = u32::try_from(failures).is_ok_and(|n| n >= config.breaker_failures_max);
        let gap = self.failed.last().map(|last| before(*last))?;
        let (ms, rest) = (gap.as_millis(), config.breaker_rest);
        (is_open && gap + TICK < rest).then(|| {
            format!(
                "the agent was called {ms} ms after the last time, though {failures} calls in a row \
                 had failed and it is to rest for {rest:?}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, frame, healthy, id};
    use super::*;

    fn say(run: &mut Bench, turn: &str) {
        run.say("ana", 2, turn, "2 bed homes");
        run.tell(client("ana"), What::Acked { message_id: id(turn), seq: 8 });
    }

    fn call(run: &mut Bench) {
        run.tell(Host::Supervisor, What::Dialled { to: Host::Agent });
    }

    fn unavailable(run: &mut Bench, turn: &str) {
        let (code, message) = (ErrorCode::AgentUnavailable, "Later.".to_owned());
        run.show("ana", &frame(8, turn, LogBody::Error { code, message, retryable: true }));
    }

    /// A healthy run, so long ago that its faults have no effect any more.
    fn calm() -> Bench {
        let mut run = healthy();
        run.tell(client("ana"), What::ViewReset);
        run.trace.events.last_mut().expect("an event").at_us += 100_000_000;
        run
    }

    /// Something is wrong with the agent.
    fn troubled(run: &mut Bench) {
        let fault = Fault::Refuse { host: Host::Agent, lasts: Duration::from_secs(60) };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
    }

    #[test]
    fn accepts_a_healthy_run_and_an_agent_that_was_tried_twice() {
        healthy().accepted_by(&ORACLE);
        let mut run = calm();
        troubled(&mut run);
        say(&mut run, "m-4");
        call(&mut run);
        call(&mut run);
        unavailable(&mut run, "m-4");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_turn_that_is_given_up_after_one_call() {
        let mut run = calm();
        troubled(&mut run);
        say(&mut run, "m-4");
        call(&mut run);
        unavailable(&mut run, "m-4");
        run.refused_by(&ORACLE, "m-4 was given up after 1 calls of its agent");
    }

    #[test]
    fn refuses_a_turn_that_waits_for_ever() {
        let mut run = calm();
        say(&mut run, "m-4");
        call(&mut run);
        run.trace.events.last_mut().expect("an event").at_us += 9_000_000;
        unavailable(&mut run, "m-4");
        run.refused_by(&ORACLE, "m-4 waited 9002 ms for its agent");
    }

    #[test]
    fn refuses_a_turn_without_a_call_once_the_agent_has_rested() {
        let mut run = calm();
        troubled(&mut run);
        say(&mut run, "m-4");
        unavailable(&mut run, "m-4");
        run.refused_by(&ORACLE, "m-4 was refused, and the agent had not been called for 10s");
        let mut run = calm();
        troubled(&mut run);
        call(&mut run);
        say(&mut run, "m-4");
        unavailable(&mut run, "m-4");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_failure_of_an_agent_with_which_nothing_is_wrong() {
        let mut run = calm();
        say(&mut run, "m-4");
        call(&mut run);
        call(&mut run);
        unavailable(&mut run, "m-4");
        run.refused_by(&ORACLE, "m-4 had no answer of its agent, with which nothing was wrong");
    }

    #[test]
    fn refuses_an_agent_that_is_not_left_alone() {
        let calls = |times: usize, pause: u64| {
            let mut run = calm();
            for _ in 0..times {
                call(&mut run);
                run.trace.events.last_mut().expect("an event").at_us += pause * 1_000_000;
            }
            run
        };
        calls(5, 1).accepted_by(&ORACLE);
        calls(20, 5).accepted_by(&ORACLE);
        calls(9, 2)
            .refused_by(&ORACLE, "the agent was called 2001 ms after the last time, though 5");
    }
}
