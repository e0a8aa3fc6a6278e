//! Every turn comes to its end: exactly one final frame in the log, and that frame in front of its user.
//!
//! It does not ask how good an answer is, nor whether it came in time.

use super::{Oracle, Violation, given_up, gone, logs, said, script_done, shown, user_turn};
use crate::scenario::Scenario;
use crate::trace::{Event, Trace, What};
use assistant::contract::frame::LogFrame;
use assistant::contract::id::MessageId;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "answered";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does every turn end in exactly one final frame, shown to its user?",
    judge,
};

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut found = unfinished_run(scenario, trace);
    found.extend(badly_ended_turns(trace));
    found.extend(unanswered_users(trace));
    found
}

fn unfinished_run(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::TimedOut { outstanding } = &event.what {
            let what = format!(
                "the run was given up at its time limit; outstanding: {}",
                outstanding.join("; ")
            );
            found.push(Violation::at(NAME, event, what));
        }
    }
    let whole_run = |what| Violation {
        oracle: NAME,
        at_us: trace.events.last().map_or(0, |event| event.at_us),
        host: None,
        what,
    };
    if !script_done(trace) && found.is_empty() {
        found.push(whole_run("the script never came to its end".to_owned()));
    }
    if script_done(trace) {
        let said: BTreeSet<usize> = trace.events.iter().filter_map(said_turn).collect();
        let silent = (0..scenario.turns.len()).filter(|turn| !said.contains(turn));
        found.extend(silent.map(|turn| {
            whole_run(format!("turn {} of the script was never said", turn.saturating_add(1)))
        }));
    }
    found
}

fn said_turn(event: &Event) -> Option<usize> {
    if let What::Said { turn, .. } = event.what { Some(turn) } else { None }
}

fn badly_ended_turns(trace: &Trace) -> Vec<Violation> {
    let acked: BTreeSet<&MessageId> = trace.events.iter().filter_map(acked_turn).collect();
    let mut found = Vec::new();
    for (event, thread, frames) in logs(trace) {
        let mut turns: BTreeMap<&MessageId, Vec<&LogFrame>> = BTreeMap::new();
        for frame in frames {
            turns.entry(&frame.in_reply_to).or_default().push(frame);
        }
        for (turn, frames) in turns {
            for fault in faults_of(turn, &frames, acked.contains(turn)) {
                let what = format!("in the log of {thread} turn {turn} {fault}");
                found.push(Violation::at(NAME, event, what));
            }
        }
    }
    found
}

fn acked_turn(event: &Event) -> Option<&MessageId> {
    if let What::Acked { message_id, .. } = &event.what { Some(message_id) } else { None }
}

/// What is wrong with the frames of one turn, as ends of a sentence.
fn faults_of(turn: &MessageId, frames: &[&LogFrame], acked: bool) -> Vec<String> {
    let finals: Vec<&&LogFrame> = frames.iter().filter(|f| f.body.is_final()).collect();
    let mut faults = Vec::new();
    if finals.len() > 1 {
        faults.push(format!("has {} final frames", finals.len()));
    }
    if finals.is_empty() && acked {
        faults.push("was acked and has no final frame".to_owned());
    }
    if frames.first().and_then(|frame| user_turn(frame)) != Some(turn) {
        faults.push("does not begin with its user_turn".to_owned());
    }
    if let (Some(end), Some(last)) = (finals.first(), frames.last())
        && !last.body.is_final()
    {
        faults.push(format!("goes on with frame {} after its final frame {}", last.seq, end.seq));
    }
    faults
}

fn unanswered_users(trace: &Trace) -> Vec<Violation> {
    let ended: BTreeSet<_> = shown(trace)
        .filter(|(_, frame)| frame.body.is_final())
        .map(|(event, frame)| (&event.host, &frame.in_reply_to))
        .collect();
    let (given_up, gone) = (given_up(trace), gone(trace));
    said(trace)
        .filter(|(event, _)| !gone.contains_key(&event.host))
        .filter(|(event, turn)| !ended.contains(&(&event.host, *turn)))
        .filter(|(event, turn)| !given_up.contains(&(&event.host, *turn)))
        .map(|(event, turn)| {
            let host = &event.host;
            let what = format!("{host} said {turn} and was shown no final frame");
            Violation::at(NAME, event, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::bench::{by, healthy, id};
    use super::*;
    use crate::scenario::Host;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_an_acked_turn_without_a_final_frame() {
        let mut run = healthy();
        run.log().remove(2);
        run.refused_by(&ORACLE, "in the log of t-1 turn m-1 was acked and has no final frame");
    }

    #[test]
    fn refuses_two_final_frames() {
        let mut run = healthy();
        run.log()[4].in_reply_to = id("m-1");
        run.refused_by(&ORACLE, "in the log of t-1 turn m-1 has 2 final frames");
    }

    #[test]
    fn refuses_a_final_frame_before_its_turn() {
        let mut run = healthy();
        run.log().swap(3, 4);
        run.refused_by(&ORACLE, "in the log of t-1 turn m-2 does not begin with its user_turn");
    }

    #[test]
    fn refuses_a_frame_after_the_final_one() {
        let mut run = healthy();
        run.log().swap(1, 2);
        run.refused_by(
            &ORACLE,
            "in the log of t-1 turn m-1 goes on with frame 2 after its final frame 3",
        );
    }

    #[test]
    fn refuses_a_user_who_is_shown_no_end_unless_the_turn_was_given_up() {
        let mut run = healthy();
        run.forget(|event| {
            by(event, "ana") && matches!(&event.what, What::Shown { frame } if frame.seq == 7)
        });
        run.refused_by(&ORACLE, "ana said m-3 and was shown no final frame");
        let mut gone = run.clone();
        gone.link("ana", "signed-out (Refused)");
        gone.accepted_by(&ORACLE);
        run.give_up("ana", "m-3");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_run_that_timed_out_and_says_what_was_outstanding() {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::ScriptDone));
        run.tell(
            Host::World,
            What::TimedOut { outstanding: vec!["ana waits for the end of turn 3".to_owned()] },
        );
        run.refused_by(
            &ORACLE,
            "given up at its time limit; outstanding: ana waits for the end of turn 3",
        );
    }

    #[test]
    fn refuses_a_run_without_an_end() {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::ScriptDone));
        run.refused_by(&ORACLE, "the script never came to its end");
    }

    #[test]
    fn refuses_a_script_that_was_not_said_to_its_end() {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Said { turn: 1, .. }));
        run.refused_by(&ORACLE, "turn 2 of the script was never said");
    }
}
