//! What a server may say, and what the client makes of it. Nothing a server sends can do more than end
//! the connection; what a newer server adds is ignored and counted.

use super::delivery::{Durable, Place, Taken};
use super::link::{Advice, Link, Pulse, Welcomed};
use super::machine::Client;
use super::pace::Pace;
use super::port::Output;
use crate::config::client::{Refreshing, Rule};
use crate::contract::frame::{AdviceReason, ClientFrame, Limits, LogBody, LogFrame, ServerFrame};
use crate::contract::id::MessageId;
use serde::Deserialize;
use std::time::Duration;

/// The durable events that this client can show.
const DURABLE: [&str; 4] = ["user_turn", "recommendations", "message", "error"];
/// The ephemeral events that it understands.
const EPHEMERAL: [&str; 7] =
    ["welcome", "resumed", "resume_failed", "ack", "typing", "reconnect_advice", "ping"];

/// Only the name of a frame.
#[derive(Deserialize)]
struct Named {
    event: String,
}

/// A text message, understood as far as this client can.
enum Reading {
    Frame(ServerFrame),
    /// A durable frame of a newer server: it has a place in the log, and nothing to show.
    UnknownDurable(Place),
    Unknown,
    Bad,
}

fn read(text: &str) -> Reading {
    if let Ok(frame) = serde_json::from_str(text) {
        return Reading::Frame(frame);
    }
    let Ok(named) = serde_json::from_str::<Named>(text) else {
        return Reading::Bad;
    };
    let event = named.event.as_str();
    if DURABLE.contains(&event) || EPHEMERAL.contains(&event) {
        return Reading::Bad;
    }
    serde_json::from_str(text).map_or(Reading::Unknown, Reading::UnknownDurable)
}

/// A connection whose replays leave a hole so often is given up.
const REPLAYS_MAX: u32 = 3;

impl Client {
    pub(super) fn frame(&mut self, text: &str, out: &mut Vec<Output>) {
        if self.link.socket().is_none() {
            self.rum.bad_frames += 1;
            return;
        }
        match read(text) {
            Reading::Frame(frame) => self.understood(frame, out),
            Reading::UnknownDurable(place) => {
                self.rum.unknown_frames += 1;
                self.durable(Durable::Unknown(place), out);
            }
            Reading::Unknown => self.rum.unknown_frames += 1,
            Reading::Bad => self.rum.bad_frames += 1,
        }
    }

    fn understood(&mut self, frame: ServerFrame, out: &mut Vec<Output>) {
        match frame {
            ServerFrame::Welcome { connection_id: _, heartbeat_ms, limits } => {
                self.welcomed(Duration::from_millis(heartbeat_ms), limits, out);
            }
            ServerFrame::Resumed { .. } => {
                self.rum.resumed += 1;
                self.replayed(out);
            }
            ServerFrame::ResumeFailed { .. } => {
                self.rum.resume_failed += 1;
                self.restart_view(out);
            }
            ServerFrame::Ack { message_id, seq } => {
                if !self.acked(&message_id, seq, out) {
                    self.rum.dup_dropped += 1;
                }
                self.pump(out);
            }
            ServerFrame::Typing { in_reply_to } => {
                if self.delivery.typing(&in_reply_to) {
                    self.rum.dup_dropped += 1;
                } else {
                    out.push(Output::Typing { in_reply_to });
                }
            }
            ServerFrame::ReconnectAdvice { why, min_ms, max_ms } => {
                self.advised(why, min_ms, max_ms);
                if why == AdviceReason::Auth {
                    self.refresh_in_session(out);
                }
            }
            ServerFrame::Ping { n } => {
                if self.policy.answer_pings == Rule::On {
                    self.transmit(ClientFrame::Pong { n }, out);
                }
            }
            ServerFrame::Log(frame) => self.durable(Durable::Frame(frame), out),
        }
    }

    fn welcomed(&mut self, heartbeat: Duration, limits: Limits, out: &mut Vec<Output>) {
        let Link::Greeting(socket, _) = &self.link else {
            self.rum.bad_frames += 1;
            return;
        };
        let now = self.now();
        let heartbeat = heartbeat.min(self.policy.heartbeat_max);
        let welcomed = Welcomed {
            at: now,
            limits,
            pace: Pace::new(self.policy.pace_percent, &limits, now),
            silence: self.policy.silence_grace.map(|grace| heartbeat.saturating_add(grace)),
            pulse: Pulse::Heard(now),
            refreshing: false,
        };
        self.rum.welcome.add(now.saturating_sub(socket.began));
        self.link = Link::Up(socket.clone(), welcomed);
        self.refused = 0;
        // The server has counted the hello as well.
        self.spend();
        self.pump(out);
    }

    /// Keeps the advice for the end of this connection if its bounds make sense (B4). Advice to renew the
    /// token says nothing of an end that comes later for another reason.
    fn advised(&mut self, why: AdviceReason, min_ms: u64, max_ms: u64) {
        let (from, to) = (Duration::from_millis(min_ms), Duration::from_millis(max_ms));
        let valid = from <= to && to <= self.policy.advice_max && !self.policy.advice_max.is_zero();
        match self.link.socket() {
            Some(socket) if valid => {
                if why != AdviceReason::Auth {
                    socket.advice = Some(Advice(from, to));
                }
                self.rum.advice += 1;
            }
            Some(_) | None => self.rum.advice_ignored += 1,
        }
    }

    fn refresh_in_session(&mut self, out: &mut Vec<Output>) {
        let generation = self.generation;
        match self.link.welcomed() {
            Some(welcomed)
                if !welcomed.refreshing && self.policy.refreshing != Refreshing::Never =>
            {
                welcomed.refreshing = true;
                out.push(Output::Refresh { generation });
            }
            Some(_) | None => {}
        }
    }

    /// Settles a turn; false if it was settled before.
    fn acked(&mut self, message_id: &MessageId, seq: u64, out: &mut Vec<Output>) -> bool {
        let first = self.outbox.remove(message_id);
        if first {
            out.push(Output::Acked { message_id: message_id.clone(), seq });
        }
        first
    }

    fn durable(&mut self, durable: Durable, out: &mut Vec<Output>) {
        let mut shown = Vec::new();
        match self.delivery.take(&self.policy, durable, &mut shown) {
            Taken::InOrder => {
                for frame in shown {
                    self.show(frame, out);
                }
                self.ask_for_hole(out);
                self.pump(out);
            }
            Taken::Buffered => self.ask_for_hole(out),
            Taken::Duplicate => self.rum.dup_dropped += 1,
            Taken::Foreign => self.rum.foreign_dropped += 1,
            Taken::OtherEpoch => {
                self.rum.foreign_dropped += 1;
                self.give_up(out);
            }
            Taken::Overflow => self.give_up(out),
        }
    }

    /// What is still missing after a replay is asked for again: it may have been lost on its way too.
    fn replayed(&mut self, out: &mut Vec<Output>) {
        match self.delivery.replayed() {
            Some(times) if times > REPLAYS_MAX => self.give_up(out),
            Some(_) if self.policy.catchup == Rule::On => self.catch_up(out),
            Some(_) | None => {}
        }
    }

    fn ask_for_hole(&mut self, out: &mut Vec<Output>) {
        if self.delivery.hole_is_new() {
            self.rum.gaps += 1;
            if self.policy.catchup == Rule::On {
                self.catch_up(out);
            }
        }
    }

    fn show(&mut self, frame: LogFrame, out: &mut Vec<Output>) {
        match &frame.body {
            // The log itself is the best ack.
            LogBody::UserTurn { message_id, .. } => {
                self.acked(message_id, frame.seq, out);
            }
            LogBody::Recommendations { .. } | LogBody::Message { .. } | LogBody::Error { .. } => {
                self.replied(&frame);
            }
        }
        out.push(Output::Show(frame));
    }

    fn replied(&mut self, frame: &LogFrame) {
        let now = self.now();
        if let Some(turn) = self.unanswered.get_mut(&frame.in_reply_to)
            && !std::mem::replace(&mut turn.replied, true)
        {
            self.rum.first_reply.add(now.saturating_sub(turn.since));
        }
        if frame.body.is_final() {
            self.unanswered.remove(&frame.in_reply_to);
        }
    }
}
