//! The end is silence: no host runs on, no task or socket is left, no fault stays in force.
//!
//! A crash needs no farewell: a host that is started again answers for the one before it.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What};
use std::collections::BTreeMap;

const NAME: &str = "quiet";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is everything stopped at the end, with nothing left behind?",
    judge,
};

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut found: Vec<_> = trace.events.iter().filter_map(bad_end).collect();
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
    fn refuses_a_death_even_if_the_host_comes_back() {
        let mut run = healthy();
        let start = run.trace.events.iter().position(|event| by(event, "ana")).expect("ana starts");
        let mut died = run.trace.events[start].clone();
        died.what = What::Died { why: "panicked at a frame".to_owned() };
        run.trace.events.insert(start, died);
        run.refused_by(&ORACLE, "ana died: panicked at a frame");
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
