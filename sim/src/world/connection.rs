//! The state of one connection, and what it lets each of its ends do.
//!
//! Pure: it is told the time and what holds between its hosts.

use crate::scenario::Host;
use std::io;
use std::task::{Context, Waker};
use std::time::Duration;

/// How long written bytes may stay undelivered before the connection ends: `TCP_USER_TIMEOUT`, 20 s.
pub(super) const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// What a side wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    Write,
}

/// How a pair of hosts is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// Everything waits, for as long as it takes.
    Hold,
    /// Everything is lost and sent again, until the user timeout.
    Partition,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Reset by the network.
    Reset,
    /// The process at this end is gone; the other end reads the end of the stream from then on.
    Orphaned { side: usize, at: Duration },
    /// This end is gone, and nobody tells the other.
    Silent { side: usize },
    /// The way between is gone, and nobody tells either end.
    Forgotten,
}

/// What stands in the way of one side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// The other end has not taken the connection up; it is reset at this time if it never does.
    Unclaimed {
        until: Duration,
    },
    /// Nothing arrives now; what is written waits.
    Blocked {
        stuck: Option<Duration>,
    },
    /// What was sent arrives, and nobody learns that it has.
    Unheard {
        stuck: Option<Duration>,
    },
    /// Nothing arrives ever again; what is written is lost.
    Void {
        stuck: Option<Duration>,
    },
    /// What is there may be read; the stream ends at this time.
    Ending {
        at: Duration,
    },
    Failed(io::ErrorKind),
    /// This side itself is no more.
    Gone,
}

/// What a connection has to know of the world around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings {
    pub now: Duration,
    /// What keeps its two hosts apart.
    pub block: Option<Block>,
    /// Whether that is so on the way back only: what the other host sends arrives.
    pub hears: bool,
    /// Whether the other host can answer.
    pub other_is_up: bool,
    /// Whether this host reads nothing for the time being.
    pub is_slow: bool,
}

/// Two ends: the dialler is side 0, the accepter side 1.
#[derive(Debug)]
pub(super) struct Connection {
    /// The dialler is unknown until it has taken the connection up.
    pub ends: [Option<Host>; 2],
    pub fate: Option<Fate>,
    open: [bool; 2],
    /// When it is reset if the dialler has not taken it up.
    claim_until: Duration,
    /// When a side last wrote.
    wrote_at: [Option<Duration>; 2],
    /// Since when a side has had bytes under way that cannot arrive.
    stuck_since: [Option<Duration>; 2],
    /// What each side has sent and the other has not taken, bytes.
    under_way: [usize; 2],
    wakers: [Vec<Waker>; 2],
}

impl Connection {
    /// A connection that `host` has accepted and that nobody has taken up.
    pub(super) fn accepted(host: Host, claim_until: Duration) -> Self {
        Self {
            ends: [None, Some(host)],
            fate: None,
            open: [false, true],
            claim_until,
            wrote_at: [None, None],
            stuck_since: [None, None],
            under_way: [0, 0],
            wakers: [Vec::new(), Vec::new()],
        }
    }

    /// The dialler takes it up.
    pub(super) fn claim(&mut self, host: Host) -> Vec<Waker> {
        self.ends[0] = Some(host);
        self.open[0] = true;
        self.take_wakers()
    }

    /// Whether nothing has befallen it.
    pub(super) fn is_whole(&self) -> bool {
        self.fate.is_none()
    }

    /// Whether it runs between these two.
    pub(super) fn runs_between(&self, between: [&Host; 2]) -> bool {
        self.ends.iter().all(|end| end.as_ref().is_some_and(|end| between.contains(&end)))
    }

    /// The host at the other end of `side`.
    pub(super) fn other(&self, side: usize) -> Option<&Host> {
        self.ends.get(1_usize.saturating_sub(side))?.as_ref()
    }

    /// A side lets go. Returns whether that was the last one.
    pub(super) fn close(&mut self, side: usize) -> bool {
        if let Some(open) = self.open.get_mut(side) {
            *open = false;
        }
        self.open == [false, false]
    }

    /// How much `side` may send now, bytes, if a socket holds `window`.
    pub(super) fn room(&self, side: usize, window: usize) -> usize {
        window.saturating_sub(self.under_way.get(side).copied().unwrap_or(0))
    }

    /// Notes that `side` has sent something.
    pub(super) fn sent(&mut self, side: usize, length: usize, now: Duration) {
        if let Some(wrote_at) = self.wrote_at.get_mut(side) {
            *wrote_at = Some(now);
        }
        if let Some(under_way) = self.under_way.get_mut(side) {
            *under_way += length;
        }
    }

    /// Notes that `side` has taken something; a writer that had no room must learn of it.
    pub(super) fn took(&mut self, side: usize, length: usize, window: usize) -> Vec<Waker> {
        let other = 1_usize.saturating_sub(side);
        let was_full = self.room(other, window) == 0;
        if let Some(under_way) = self.under_way.get_mut(other) {
            *under_way = under_way.saturating_sub(length);
        }
        match self.wakers.get_mut(other) {
            Some(wakers) if was_full => std::mem::take(wakers),
            Some(_) | None => Vec::new(),
        }
    }

    /// What is under way is lost: whatever was written less than a round trip ago is not acknowledged.
    pub(super) fn lose_in_flight(&mut self, now: Duration, round_trip: Duration) {
        for (wrote_at, stuck_since) in self.wrote_at.iter().zip(&mut self.stuck_since) {
            if wrote_at.is_some_and(|at| now.saturating_sub(at) < round_trip) {
                stuck_since.get_or_insert(now);
            }
        }
    }

    /// Notes that `side` has bytes under way that cannot arrive; who waits must learn of the time limit.
    pub(super) fn stuck(&mut self, side: usize, now: Duration) -> Vec<Waker> {
        match self.stuck_since.get_mut(side) {
            Some(since @ None) => {
                *since = Some(now);
                self.wakers.get_mut(side).map(std::mem::take).unwrap_or_default()
            }
            Some(Some(_)) | None => Vec::new(),
        }
    }

    /// Everybody who waits for this connection.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        self.wakers.iter_mut().flat_map(std::mem::take).collect()
    }

    /// What stands in the way of `side`; whoever asks is woken when that may have changed.
    pub(super) fn gate(
        &mut self,
        (side, act): (usize, Act),
        around: Surroundings,
        context: &mut Context<'_>,
    ) -> Gate {
        let mut gate = self.judge(side, around);
        if around.is_slow && act == Act::Read {
            gate = match gate {
                Gate::Open | Gate::Unclaimed { .. } | Gate::Ending { .. } => {
                    Gate::Blocked { stuck: None }
                }
                Gate::Unheard { stuck } => Gate::Blocked { stuck },
                Gate::Blocked { .. } | Gate::Void { .. } | Gate::Failed(_) | Gate::Gone => gate,
            };
        }
        let waits = !matches!(gate, Gate::Failed(_) | Gate::Gone);
        if let Some(wakers) = self.wakers.get_mut(side)
            && waits
            && !wakers.iter().any(|waker| waker.will_wake(context.waker()))
        {
            wakers.push(context.waker().clone());
        }
        gate
    }

    fn judge(&mut self, side: usize, around: Surroundings) -> Gate {
        let stuck = self.stuck_since.get(side).copied().flatten();
        match (self.fate, around.block) {
            (Some(Fate::Reset), _) => Gate::Failed(io::ErrorKind::ConnectionReset),
            (Some(Fate::Orphaned { side: dead, .. } | Fate::Silent { side: dead }), _)
                if dead == side =>
            {
                Gate::Gone
            }
            (Some(Fate::Forgotten), _) => Gate::Void { stuck: None },
            (Some(Fate::Silent { .. }), Some(Block::Hold)) => Gate::Void { stuck: None },
            (Some(Fate::Orphaned { .. }) | None, Some(Block::Hold)) => {
                Gate::Blocked { stuck: None }
            }
            // A packet from before reaches a host that knows nothing of it.
            (Some(Fate::Silent { .. }), None) if stuck.is_some() && around.other_is_up => {
                self.fate = Some(Fate::Reset);
                Gate::Failed(io::ErrorKind::ConnectionReset)
            }
            (Some(Fate::Silent { .. }), _) => self.patience(side, around.now, Gate::Void { stuck }),
            (None, Some(Block::Partition)) if around.hears => {
                self.patience(side, around.now, Gate::Unheard { stuck })
            }
            (Some(Fate::Orphaned { .. }) | None, Some(Block::Partition)) => {
                self.patience(side, around.now, Gate::Blocked { stuck })
            }
            (Some(Fate::Orphaned { at, .. }), None) => Gate::Ending { at },
            (None, None) => self.open_gate(side, around.now),
        }
    }

    fn open_gate(&mut self, side: usize, now: Duration) -> Gate {
        if let Some(stuck) = self.stuck_since.get_mut(side) {
            *stuck = None;
        }
        match self.ends[0] {
            Some(_) => Gate::Open,
            None if now < self.claim_until => Gate::Unclaimed { until: self.claim_until },
            None => {
                self.fate = Some(Fate::Reset);
                Gate::Failed(io::ErrorKind::ConnectionReset)
            }
        }
    }

    /// Fails `side` once its bytes have been under way for too long.
    fn patience(&mut self, side: usize, now: Duration, gate: Gate) -> Gate {
        let stuck = self.stuck_since.get(side).copied().flatten();
        if stuck.is_some_and(|since| now.saturating_sub(since) >= USER_TIMEOUT) {
            self.fate = Some(Fate::Silent { side });
            return Gate::Failed(io::ErrorKind::TimedOut);
        }
        gate
    }
}
