//! DD-EXACT and AK-ONCE: nothing is shown or logged twice.
//!
//! It looks at places and names only; whether they come in order is asked elsewhere.

use super::{Oracle, Violation, logs, user_turn};
use crate::scenario::{Host, Scenario};
use crate::trace::{Trace, What};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "dedup";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "is every frame shown once and every turn logged once?", judge };

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut found = shown_twice(trace);
    found.extend(logged_twice(trace));
    found.extend(traced_twice(trace));
    found.extend(typing_twice(trace));
    found
}

fn typing_twice(trace: &Trace) -> Vec<Violation> {
    let mut told = BTreeSet::new();
    let again = trace.events.iter().filter_map(|event| {
        let What::Typing { in_reply_to } = &event.what else { return None };
        let what = format!("{} told its user twice that {in_reply_to} is at work", event.host);
        (!told.insert((&event.host, in_reply_to))).then(|| Violation::at(NAME, event, what))
    });
    again.collect()
}

fn shown_twice(trace: &Trace) -> Vec<Violation> {
    let mut views: BTreeMap<&Host, BTreeSet<_>> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if matches!(event.what, What::ViewReset) {
            views.remove(&event.host);
        }
        let What::Shown { frame } = &event.what else {
            continue;
        };
        let (host, thread, seq) = (&event.host, &frame.thread_id, frame.seq);
        if !views.entry(host).or_default().insert((thread, seq)) {
            let what = format!("{host} showed frame {seq} of {thread} again");
            found.push(Violation::at(NAME, event, what));
        }
    }
    found
}

fn logged_twice(trace: &Trace) -> Vec<Violation> {
    let mut found = Vec::new();
    for (event, thread, frames) in logs(trace) {
        let mut places = BTreeMap::new();
        for frame in frames {
            let Some(turn) = user_turn(frame) else {
                continue;
            };
            if let Some(first) = places.insert(turn, frame.seq) {
                let what = format!(
                    "the log of {thread} holds turn {turn} twice, as frames {first} and {}",
                    frame.seq
                );
                found.push(Violation::at(NAME, event, what));
            }
        }
    }
    found
}

fn traced_twice(trace: &Trace) -> Vec<Violation> {
    let mut places = BTreeMap::new();
    let mut found = Vec::new();
    for (event, thread, frames) in logs(trace) {
        for frame in frames {
            let id = &frame.meta.trace;
            if let Some((there, first)) = places.insert(id, (thread, frame.seq)) {
                let what = format!(
                    "frame {first} of {there} and frame {} of {thread} share the trace id {id}",
                    frame.seq
                );
                found.push(Violation::at(NAME, event, what));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::bench::healthy;
    use super::*;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_frame_shown_twice() {
        let mut run = healthy();
        run.repeat(|event| matches!(&event.what, What::Shown { frame } if frame.seq == 2));
        run.refused_by(&ORACLE, "ana showed frame 2 of t-1 again");
    }

    #[test]
    fn accepts_a_frame_shown_again_after_a_reset_of_the_view() {
        let mut run = healthy();
        run.replay("ana");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_turn_logged_twice() {
        let mut run = healthy();
        let again = run.log()[0].clone();
        run.log()[3].body = again.body;
        run.refused_by(&ORACLE, "the log of t-1 holds turn m-1 twice, as frames 1 and 4");
    }

    #[test]
    fn refuses_two_frames_with_one_trace_id() {
        let mut run = healthy();
        let meta = run.log()[0].meta.clone();
        run.log()[4].meta = meta;
        run.refused_by(&ORACLE, "frame 1 of t-1 and frame 5 of t-1 share the trace id f-1");
    }
}
