//! The end is silence: no host runs on, no task or socket is left, no fault stays in force.
//!
//! A crash needs no farewell: a host that is started again answers for the one before it. A host may die
//! while its disk fails.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "quiet";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is everything stopped at the end, with nothing left behind?",
    judge,
};

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut failing: Vec<&Host> = Vec::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::Injected { fault: Fault::BadDisk { host, .. }, .. } = &event.what {
            failing.push(host);
        } else if let What::Healed { fault: Fault::BadDisk { host, .. } } = &event.what {
            let place = failing.iter().position(|failing| *failing == host);
            place.map(|place| failing.swap_remove(place));
        } else if !(matches!(event.what, What::Died { .. }) && failing.contains(&&event.host)) {
            found.extend(bad_end(event));
        }
    }
    found.extend(torn_away(scenario, trace));
    found.extend(still_running(trace));
    found.extend(never_healed(trace));
    found
}

fn bad_end(event: &Event) -> Option<Violation> {
    let host = &event.host;
    if let What::Died { why } = &event.what {
        return Some(Violation::at(NAME, event, format!("{host} died: {why}")));
    }
    if let What::Stopped { tasks, sockets } = event.what
        && (tasks, sockets) != (0, 0)
    {
        let what = format!("{host} stopped and left {tasks} tasks and {sockets} sockets behind");
        return Some(Violation::at(NAME, event, what));
    }
    None
}

/// Hosts that took their grace to stop though nobody was left to be served: one task at least did not end by itself.
/// At the end of a run each is asked when the one before it has stopped. A connection may have ended on one
/// side only, and no network of a world asks whether an idle peer is still there: where that can be, nothing is asked.
fn torn_away(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut asked = None;
    let mut found = Vec::new();
    let silences =
        |event: &Event| matches!(&event.what, What::Injected { fault, .. } if leaves_behind(fault));
    if trace.events.iter().any(silences) {
        return found;
    }
    for event in &trace.events {
        match (&event.what, &event.host) {
            (What::Stopped { .. }, Host::Client(_)) => asked = Some(event.at_us),
            (What::Stopped { .. }, host) => {
                let Some(since) = asked else { continue };
                asked = Some(event.at_us);
                let took = Duration::from_micros(event.at_us.saturating_sub(since));
                if took >= grace(scenario, host) {
                    let ms = took.as_millis();
                    let what = format!("{host} took {ms} ms to stop though nobody was left");
                    found.push(Violation::at(NAME, event, what));
                }
            }
            (_, _) => {}
        }
    }
    found
}

/// Whether a connection may end by it on one side, and the other never hears of that.
fn leaves_behind(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::PowerLoss { .. }
            | Fault::Partition { .. }
            | Fault::OneWay { .. }
            | Fault::Flap { .. }
            | Fault::Hold { .. }
            | Fault::HalfOpen { .. }
    )
}

/// What a host grants to tasks that do not end by themselves.
fn grace(scenario: &Scenario, host: &Host) -> Duration {
    let config = &scenario.world.config;
    match host {
        // The notice passes in any case; what is kept for the last moment is a second.
        Host::Gateway(_) => config.gateway.drain_notice + Duration::from_secs(1),
        Host::Supervisor => config.supervisor.grace,
        Host::Agent => config.agent.grace,
        Host::TokenService => config.token.grace,
        Host::Client(_) | Host::World => Duration::MAX,
    }
}

fn still_running(trace: &Trace) -> Vec<Violation> {
    let mut running: BTreeMap<&Host, &Event> = BTreeMap::new();
    for event in &trace.events {
        if matches!(event.what, What::Started) {
            running.insert(&event.host, event);
        } else if matches!(event.what, What::Stopped { .. } | What::Died { .. }) {
            running.remove(&event.host);
        }
    }
    running
        .into_iter()
        .map(|(host, event)| {
            let what = format!("{host} was started and never stopped");
            Violation::at(NAME, event, what)
        })
        .collect()
}

fn never_healed(trace: &Trace) -> Vec<Violation> {
    let mut open: Vec<(&Event, &Fault)> = Vec::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::Injected { fault, .. } = &event.what
            && !fault.is_momentary()
        {
            open.push((event, fault));
        }
        if let What::Healed { fault } = &event.what {
            if let Some(place) = open.iter().position(|(_, injected)| *injected == fault) {
                open.remove(place);
            } else {
                let what = format!("a fault ended that had not begun: {fault:?}");
                found.push(Violation::at(NAME, event, what));
            }
        }
    }
    found.extend(open.into_iter().map(|(event, fault)| {
        let what = format!("a fault began and never ended: {fault:?}");
        Violation::at(NAME, event, what)
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::super::bench::{by, healthy};
    use super::*;
    use crate::scenario::DiskFailure;

    #[test]
    fn accepts_a_healthy_run_with_a_crash_and_a_cut() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_host_that_was_never_stopped() {
        let mut run = healthy();
        run.forget(|event| {
            event.host == Host::Gateway(1) && matches!(event.what, What::Stopped { .. })
        });
        run.refused_by(&ORACLE, "gateway-1 was started and never stopped");
    }

    #[test]
    fn refuses_a_task_or_a_socket_left_behind() {
        let mut run = healthy();
        run.edit(|what| {
            if let What::Stopped { sockets, .. } = what {
                *sockets = 2;
            }
        });
        run.refused_by(&ORACLE, "ana stopped and left 0 tasks and 2 sockets behind");
        run.edit(|what| {
            if let What::Stopped { tasks, sockets } = what {
                (*tasks, *sockets) = (1, 0);
            }
        });
        run.refused_by(&ORACLE, "ana stopped and left 1 tasks and 0 sockets behind");
    }

    #[test]
    fn refuses_a_host_that_stops_only_because_its_grace_is_over() {
        let mut run = healthy();
        let up = |event: &Event| {
            event.host == Host::Supervisor && matches!(event.what, What::Stopped { .. })
        };
        let end = run.trace.events.iter().position(up).expect("it stops");
        let mut late = |seconds: u64| {
            run.trace.events[end..].iter_mut().for_each(|event| event.at_us += seconds * 1_000_000);
            run.clone()
        };
        late(4).accepted_by(&ORACLE);
        late(1).refused_by(&ORACLE, "supervisor took 5001 ms to stop though nobody was left");
    }

    #[test]
    fn refuses_a_death_even_if_the_host_comes_back() {
        let mut run = healthy();
        let start = run.trace.events.iter().position(|event| by(event, "ana")).expect("ana starts");
        let mut died = run.trace.events[start].clone();
        died.what = What::Died { why: "panicked at a frame".to_owned() };
        run.trace.events.insert(start, died);
        run.refused_by(&ORACLE, "ana died: panicked at a frame");
    }

    #[test]
    fn a_host_may_die_while_its_own_disk_fails_and_only_then() {
        let bad_disk = |host| {
            let how = DiskFailure::Io;
            Fault::BadDisk { host, how, lasts: Duration::from_secs(1) }
        };
        for (host, excused) in [(Host::Supervisor, true), (Host::TokenService, false)] {
            let mut run = healthy();
            let fault = bad_disk(host);
            let injected = What::Injected { turn: None, index: 0, fault: fault.clone() };
            let died = What::Died { why: "the store failed".to_owned() };
            let up = |event: &Event| {
                event.host == Host::Supervisor && matches!(event.what, What::Stopped { .. })
            };
            let end = run.trace.events.iter().position(up).expect("it stops");
            let at_us = run.trace.events[end].at_us;
            run.trace.events.remove(end);
            let event = |host, what| Event { at_us, host, what };
            let events = [
                event(Host::World, injected),
                event(Host::Supervisor, died),
                event(Host::World, What::Healed { fault }),
            ];
            run.trace.events.splice(end..end, events);
            match excused {
                true => run.accepted_by(&ORACLE),
                false => run.refused_by(&ORACLE, "supervisor died: the store failed"),
            }
        }
    }

    #[test]
    fn refuses_a_fault_that_never_ends() {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Healed { .. }));
        run.refused_by(&ORACLE, "a fault began and never ended: Crash");
    }

    #[test]
    fn refuses_the_end_of_a_fault_that_never_began() {
        let mut run = healthy();
        run.repeat(|event| matches!(event.what, What::Healed { .. }));
        run.refused_by(&ORACLE, "a fault ended that had not begun: Crash");
    }
}
