//! An event in one line, with the names of the transcript.

use super::topics::Head;
use crate::report::transcript::fault_words;
use crate::trace::{Event, What, Wire};
use assistant::contract::frame::LogFrame;

/// What happened, without when and where.
pub(super) fn of(event: &Event) -> String {
    match &event.what {
        What::Started => "starts".to_owned(),
        What::Stopped { tasks, sockets } => {
            format!("has stopped ({tasks} tasks and {sockets} sockets left)")
        }
        What::Died { why } => format!("dies: {why}"),
        What::Dialled { to } => format!("dials {to}"),
        What::Connected { conn, to } => format!("conn#{conn} to {to}"),
        What::NotConnected { to, why } => format!("cannot connect to {to}: {why}"),
        What::Received { conn, frame } => format!("conn#{conn} reads {}", frame_words(frame)),
        What::Refused { conn, status, .. } => format!("conn#{conn} is refused with {status}"),
        What::Ended { conn, how } => format!("conn#{conn} is over: {how}"),
        What::Asked { conn, request } => format!("conn#{conn} asks about {}", request.message_id),
        What::Answered { conn, status, .. } => format!("conn#{conn} answers {status}"),
        What::Said { turn, message_id, text, .. } => {
            format!("says turn {} as {message_id}: {text}", turn.saturating_add(1))
        }
        What::Acked { message_id, seq } => {
            format!("tells its user that {message_id} is accepted as frame {seq}")
        }
        What::GivenUp { message_id, why } => format!("gives {message_id} up: {why}"),
        What::Shown { frame } => format!("shows {}", log_frame(frame)),
        What::Typing { in_reply_to } => format!("tells its user that {in_reply_to} is at work"),
        What::Left { conn } => format!("lets go of conn#{conn}"),
        What::Looked => "looks at its client again".to_owned(),
        What::ViewReset => "starts its view again".to_owned(),
        What::Link { state } => format!("link {state}"),
        What::Injected { fault, .. } => format!("fault: {}", fault_words(fault)),
        What::Healed { fault } => format!("over: {}", fault_words(fault)),
        What::ScriptDone => "the script is over".to_owned(),
        What::Log { thread, frames } => {
            format!("the log of {thread} holds {} frames", frames.len())
        }
        What::TimedOut { outstanding } => format!("given up with {}", outstanding.join("; ")),
    }
}

fn log_frame(frame: &LogFrame) -> String {
    let LogFrame { thread_id, seq, in_reply_to, .. } = frame;
    format!("frame {seq} of {thread_id} (of {in_reply_to})")
}

fn frame_words(frame: &Wire) -> String {
    match frame {
        Wire::Text(_) => match Head::of(frame) {
            Some(head) => head_words(&head),
            None => "a text that is no frame".to_owned(),
        },
        Wire::Binary(length) => format!("{length} bytes"),
        Wire::Control(what) => what.clone(),
        Wire::Close { code: Some(code), reason } => format!("close {code} {reason}"),
        Wire::Close { code: None, .. } => "close".to_owned(),
    }
}

fn head_words(head: &Head) -> String {
    let event = &head.event;
    match (&head.thread_id, head.seq, head.turn()) {
        (Some(thread), Some(seq), Some(turn)) => {
            format!("frame {seq} of {thread}: {event} (of {turn})")
        }
        (None, Some(seq), Some(turn)) => format!("{event} of {turn} as frame {seq}"),
        (_, _, Some(turn)) => format!("{event} {turn}"),
        (_, _, None) => event.clone(),
    }
}
