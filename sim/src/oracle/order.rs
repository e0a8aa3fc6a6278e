//! OR-THREAD and AK-FIFO: frames come in the order of their log, turns in the order in which they were said, and
//! answers in that of the turns.
//!
//! It does not ask whether anything is missing at the end; that is `recovery`.

use super::{Oracle, Violation, logs, said, user_turn};
use crate::scenario::{Host, Scenario};
use crate::trace::{Trace, What};
use assistant::contract::id::{MessageId, ThreadId};
use std::collections::BTreeMap;

const NAME: &str = "order";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "is everything shown and logged in order, without a hole?", judge };

/// How far a client's view of a thread has come.
struct View {
    epoch: u64,
    seq: u64,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut found = shown_out_of_order(trace);
    found.extend(logged_with_holes(trace));
    found.extend(turns_out_of_order(trace));
    found.extend(answered_out_of_order(trace));
    found
}

/// The first turn of each log that was answered before one that had come earlier.
fn answered_out_of_order(trace: &Trace) -> Vec<Violation> {
    let mut found = Vec::new();
    for (event, thread, frames) in logs(trace) {
        let turns = frames.iter().filter_map(user_turn);
        let ends = frames.iter().filter(|frame| frame.body.is_final());
        let parted = turns.zip(ends).find(|(turn, end)| **turn != end.in_reply_to);
        found.extend(parted.map(|(turn, end)| {
            let what =
                format!("in the log of {thread} {} was answered before {turn}", end.in_reply_to);
            Violation::at(NAME, event, what)
        }));
    }
    found
}

fn shown_out_of_order(trace: &Trace) -> Vec<Violation> {
    let mut views: BTreeMap<(&Host, &ThreadId), View> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        let host = &event.host;
        if matches!(event.what, What::ViewReset) {
            views.retain(|(viewer, _), _| *viewer != host);
        }
        let What::Shown { frame } = &event.what else {
            continue;
        };
        let (thread, seq, epoch) = (&frame.thread_id, frame.seq, frame.epoch);
        let view = views.entry((host, thread)).or_insert(View { epoch, seq: 0 });
        if view.epoch != epoch {
            let before = view.epoch;
            let what = format!(
                "{host} showed frame {seq} of {thread} in epoch {epoch} after frames of epoch {before}"
            );
            found.push(Violation::at(NAME, event, what));
        }
        if Some(seq) != view.seq.checked_add(1) {
            let before = view.seq;
            let what = format!("{host} showed frame {seq} of {thread} after frame {before}");
            found.push(Violation::at(NAME, event, what));
        }
        *view = View { epoch, seq };
    }
    found
}

fn logged_with_holes(trace: &Trace) -> Vec<Violation> {
    let mut found = Vec::new();
    for (event, thread, frames) in logs(trace) {
        let first = frames.first().map(|frame| frame.epoch);
        for (place, frame) in (1_u64..).zip(frames) {
            let (seq, epoch) = (frame.seq, frame.epoch);
            if seq != place {
                let what = format!("the log of {thread} holds frame {seq} at place {place}");
                found.push(Violation::at(NAME, event, what));
            }
            if Some(epoch) != first {
                let what =
                    format!("frame {seq} of the log of {thread} is of another epoch, {epoch}");
                found.push(Violation::at(NAME, event, what));
            }
        }
    }
    found
}

fn turns_out_of_order(trace: &Trace) -> Vec<Violation> {
    let mut speakers: BTreeMap<&MessageId, (&Host, usize)> = BTreeMap::new();
    for (place, (event, turn)) in said(trace).enumerate() {
        speakers.entry(turn).or_insert((&event.host, place));
    }
    let mut found = Vec::new();
    for (event, thread, frames) in logs(trace) {
        let mut last: BTreeMap<&Host, (usize, &MessageId)> = BTreeMap::new();
        for turn in frames.iter().filter_map(user_turn) {
            let Some((speaker, place)) = speakers.get(turn) else {
                continue;
            };
            if let Some((before, earlier)) = last.insert(speaker, (*place, turn))
                && *place < before
            {
                let what = format!(
                    "{speaker} said {turn} before {earlier}, but the log of {thread} has it after"
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
    fn refuses_a_hole_in_what_is_shown() {
        let mut run = healthy();
        run.forget(|event| matches!(&event.what, What::Shown { frame } if frame.seq == 2));
        run.refused_by(&ORACLE, "ana showed frame 3 of t-1 after frame 1");
    }

    #[test]
    fn refuses_a_view_that_does_not_begin_at_the_first_frame() {
        let mut run = healthy();
        run.forget(|event| matches!(&event.what, What::Shown { frame } if frame.seq == 1));
        run.refused_by(&ORACLE, "ana showed frame 2 of t-1 after frame 0");
    }

    #[test]
    fn accepts_a_view_that_starts_again() {
        let mut run = healthy();
        run.replay("ana");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_change_of_epoch_within_a_view() {
        let mut run = healthy();
        run.edit(|what| {
            if let What::Shown { frame } = what
                && frame.seq == 3
            {
                frame.epoch = 8;
            }
        });
        run.refused_by(&ORACLE, "showed frame 3 of t-1 in epoch 8 after frames of epoch 7");
    }

    #[test]
    fn refuses_a_hole_in_the_log() {
        let mut run = healthy();
        run.log().remove(1);
        run.refused_by(&ORACLE, "the log of t-1 holds frame 3 at place 2");
    }

    #[test]
    fn refuses_a_change_of_epoch_within_a_log() {
        let mut run = healthy();
        run.log()[4].epoch = 9;
        run.refused_by(&ORACLE, "frame 5 of the log of t-1 is of another epoch, 9");
    }

    #[test]
    fn refuses_turns_logged_in_another_order_than_said() {
        let mut run = healthy();
        run.log().swap(3, 5);
        run.refused_by(&ORACLE, "ana said m-2 before m-3");
    }

    #[test]
    fn refuses_answers_in_another_order_than_the_turns() {
        let mut run = healthy();
        let [second, third] = [4, 6].map(|place| run.log()[place].in_reply_to.clone());
        (run.log()[4].in_reply_to, run.log()[6].in_reply_to) = (third, second);
        run.refused_by(&ORACLE, "in the log of t-1 m-3 was answered before m-2");
    }
}
