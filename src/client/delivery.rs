//! Each durable frame once and in order, whatever is replayed, repeated or lost on the way.

use super::dedup::Seen;
use crate::config::client::{ClientPolicy, Rule};
use crate::contract::frame::LogFrame;
use crate::contract::id::{Cursor, MessageId, ThreadId};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The place of a durable frame of an event that a newer server knows and this client does not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    pub(super) thread_id: ThreadId,
    pub(super) epoch: u64,
    pub(super) seq: u64,
}

/// A durable frame, or the place of one that cannot be shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Durable {
    Frame(LogFrame),
    Unknown(Place),
}

impl Durable {
    fn place(&self) -> (&ThreadId, u64, u64) {
        match self {
            Self::Frame(frame) => (&frame.thread_id, frame.epoch, frame.seq),
            Self::Unknown(place) => (&place.thread_id, place.epoch, place.seq),
        }
    }
}

/// What became of a durable frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was next; it and what it released are to be shown.
    InOrder,
    /// Seen before.
    Duplicate,
    /// It waits beyond a hole.
    Buffered,
    /// More frames beyond a hole than may be kept.
    Overflow,
    /// Another thread's.
    Foreign,
    /// Another epoch's: the log is no longer the one that the cursor belongs to.
    OtherEpoch,
}

/// What a frame is remembered by: what makes it this one and no other. A trace does not, because a server
/// may give one to all frames of a turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Typing(MessageId),
    Place(u64, u64),
}

/// The cursor, what waits beyond a hole, and the memory for frames without a place.
#[derive(Debug)]
pub(super) struct Delivery {
    thread_id: ThreadId,
    cursor: Cursor,
    beyond: BTreeMap<u64, Durable>,
    /// Every hole below this `seq` has been asked for.
    asked_below: u64,
    /// Replays that ended and left the same hole.
    in_vain: u32,
    seen: Seen<Key>,
}

impl Delivery {
    pub(super) fn new(policy: &ClientPolicy, thread_id: ThreadId) -> Self {
        Self {
            thread_id,
            cursor: Cursor::default(),
            beyond: BTreeMap::new(),
            asked_below: 0,
            in_vain: 0,
            seen: Seen::new(policy.seen_max),
        }
    }

    pub(super) fn thread_id(&self) -> &ThreadId {
        &self.thread_id
    }

    pub(super) fn cursor(&self) -> Cursor {
        self.cursor
    }

    pub(super) fn restore(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// The view starts again from an empty log.
    pub(super) fn restart(&mut self) {
        self.cursor = Cursor::default();
        self.seen.clear();
        self.disconnect();
    }

    /// What waits beyond a hole comes again with the next resume.
    pub(super) fn disconnect(&mut self) {
        self.beyond.clear();
        self.asked_below = 0;
        self.in_vain = 0;
    }

    /// True if this turn's typing was announced before.
    pub(super) fn typing(&mut self, in_reply_to: &MessageId) -> bool {
        self.seen.insert(Key::Typing(in_reply_to.clone()))
    }

    /// Places a frame; `shown` receives what is to be shown, in order.
    pub(super) fn take(
        &mut self,
        policy: &ClientPolicy,
        durable: Durable,
        shown: &mut Vec<LogFrame>,
    ) -> Taken {
        let (thread_id, epoch, seq) = durable.place();
        if *thread_id != self.thread_id {
            return Taken::Foreign;
        }
        if policy.cursor == Rule::Off {
            return self.take_unplaced(durable, shown);
        }
        if self.epoch().is_some_and(|known| known != epoch) {
            return Taken::OtherEpoch;
        }
        if seq <= self.cursor.seq || self.beyond.contains_key(&seq) {
            return Taken::Duplicate;
        }
        if Some(seq) != self.cursor.seq.checked_add(1) {
            return self.hold(policy, seq, durable);
        }
        self.cursor.epoch = epoch;
        self.advance(durable, shown);
        while let Some(next) = self.cursor.seq.checked_add(1)
            && let Some(durable) = self.beyond.remove(&next)
        {
            self.advance(durable, shown);
        }
        Taken::InOrder
    }

    /// The epoch of the log in hand: the cursor's, or before the first frame that of what waits for it.
    fn epoch(&self) -> Option<u64> {
        if self.cursor == Cursor::default() {
            self.beyond.first_key_value().map(|(_, durable)| durable.place().1)
        } else {
            Some(self.cursor.epoch)
        }
    }

    fn advance(&mut self, durable: Durable, shown: &mut Vec<LogFrame>) {
        self.cursor.seq = durable.place().2;
        self.in_vain = 0;
        match durable {
            Durable::Frame(frame) => shown.push(frame),
            Durable::Unknown(_) => {}
        }
    }

    fn hold(&mut self, policy: &ClientPolicy, seq: u64, durable: Durable) -> Taken {
        if self.beyond.len() >= policy.hole_frames_max {
            return Taken::Overflow;
        }
        self.beyond.insert(seq, durable);
        Taken::Buffered
    }

    /// Without a cursor only the memory of ids holds a repeated frame back.
    fn take_unplaced(&mut self, durable: Durable, shown: &mut Vec<LogFrame>) -> Taken {
        let frame = match durable {
            Durable::Frame(frame) => frame,
            Durable::Unknown(_) => return Taken::InOrder,
        };
        if self.seen.insert(Key::Place(frame.epoch, frame.seq)) {
            return Taken::Duplicate;
        }
        shown.push(frame);
        Taken::InOrder
    }

    /// A replay has ended. How many have left the hole that there is; none without one.
    pub(super) fn replayed(&mut self) -> Option<u32> {
        if self.beyond.is_empty() {
            return None;
        }
        self.in_vain += 1;
        Some(self.in_vain)
    }

    /// True once for each hole: when it is new and nobody has asked for what is missing.
    pub(super) fn hole_is_new(&mut self) -> bool {
        let edge = self.beyond.first_key_value().map_or(0, |(seq, _)| *seq);
        let new = edge > self.asked_below;
        self.asked_below = self.asked_below.max(edge);
        new
    }
}
