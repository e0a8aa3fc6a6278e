//! The state of all connections of a world, and what can go wrong with them.
//!
//! # Design
//! A fault is a state of a connection or of a pair of hosts, judged where bytes are *read*: what was sent
//! during a partition waits in the engine's buffer and arrives after the repair, as with TCP's
//! retransmissions; if the writer has waited longer than the user timeout, its end of the connection fails.
//! Latency jitter delays a chunk on the reader's side by a number that depends on the seed, the
//! connection, the direction and the chunk's index and on nothing else.

use super::random::prf;
use super::recorder::Recorder;
use super::tap::Heard;
use crate::scenario::Host;
use crate::trace::{What, Wire};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::sync::watch;

/// How long written bytes may stay undelivered before the connection ends: `TCP_USER_TIMEOUT`, 20 s.
pub(super) const USER_TIMEOUT: Duration = Duration::from_secs(20);
/// The state of all connections of a world.
#[derive(Debug)]
pub(super) struct Wires {
    seed: u64,
    latency: Duration,
    jitter: Duration,
    recorder: Recorder,
    state: Mutex<State>,
    /// Changes whenever somebody who waits for a link should look again.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    connections: BTreeMap<u64, Connection>,
    /// By the engine's label, until the dialler has taken it up.
    accepted: BTreeMap<String, u64>,
    next: u64,
    /// Blocked pairs, in both orders of their hosts.
    blocked: BTreeMap<[Host; 2], Block>,
    /// Hosts whose process is down.
    down: BTreeSet<Host>,
    /// Hosts without power.
    dark: BTreeSet<Host>,
    sockets: BTreeMap<Host, usize>,
    watches: Vec<FrameWatch>,
    fired: Vec<usize>,
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
enum Fate {
    /// Reset by the network.
    Reset,
    /// The process at this end is gone; the other end reads the end of the stream from then on.
    Orphaned { side: usize, at: Duration },
    /// This end is gone, and nobody tells the other.
    Silent { side: usize },
}

#[derive(Debug)]
struct Connection {
    /// Dialler and accepter; the dialler is unknown until it has taken the connection up.
    ends: [Option<Host>; 2],
    open: [bool; 2],
    fate: Option<Fate>,
    /// Since when a side has had bytes under way that cannot arrive.
    stuck_since: [Option<Duration>; 2],
    wakers: [Vec<Waker>; 2],
}

/// Waits for the `nth` frame `event` that a client reads.
#[derive(Debug, Clone)]
pub(super) struct FrameWatch {
    /// What to report when it comes.
    pub id: usize,
    /// The reader.
    pub client: Host,
    /// The `event` of the frame.
    pub event: String,
    /// How many are still to come, this one included.
    pub left: u32,
    /// What to tell the trace if the connection is to be reset right behind the frame.
    pub cut: Option<What>,
}

impl Wires {
    /// A network without connections or faults.
    #[must_use]
    pub(super) fn new(
        seed: u64,
        latency: Duration,
        jitter: Duration,
        recorder: Recorder,
    ) -> Arc<Self> {
        let (state, changed) = (Mutex::default(), watch::Sender::new(0));
        Arc::new(Self { seed, latency, jitter, recorder, state, changed })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }

    /// Writes the trace, and tells the time.
    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Changes whenever [`Wires::reach`] may say something else.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What becomes of an attempt to connect now.
    pub(super) fn reach(&self, from: &Host, to: &Host) -> Reach {
        let state = self.state();
        if state.blocked.contains_key(&[from.clone(), to.clone()]) || state.dark.contains(to) {
            Reach::Swallowed
        } else if state.down.contains(to) {
            Reach::Refused { after: self.latency * 2 }
        } else {
            Reach::Open
        }
    }

    /// A connection that `host` has accepted gets its number.
    pub(super) fn accepted(&self, host: &Host, label: String) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        let connection = Connection {
            ends: [None, Some(host.clone())],
            open: [false, true],
            fate: None,
            stuck_since: [None, None],
            wakers: [Vec::new(), Vec::new()],
        };
        state.connections.insert(number, connection);
        state.accepted.insert(label, number);
        *state.sockets.entry(host.clone()).or_default() += 1;
        number
    }

    /// The number of a connection that `host` has dialled; none if the other end has gone already.
    pub(super) fn dialled(&self, host: &Host, label: &str) -> Option<u64> {
        let mut state = self.state();
        let number = state.accepted.remove(label)?;
        let connection = state.connections.get_mut(&number)?;
        connection.ends[0] = Some(host.clone());
        connection.open[0] = true;
        *state.sockets.entry(host.clone()).or_default() += 1;
        Some(number)
    }

    /// Wakes everybody who waits for a link, in the order of the connections.
    fn look_again(&self) {
        let mut state = self.state();
        let wakers: Vec<Waker> = state
            .connections
            .values_mut()
            .flat_map(|connection| connection.wakers.iter_mut().flat_map(std::mem::take))
            .collect();
        drop(state);
        for waker in wakers {
            waker.wake();
        }
        self.changed.send_modify(|version| *version += 1);
    }

    /// Keeps two hosts apart.
    pub(super) fn block(&self, [a, b]: &[Host; 2], block: Block) {
        let mut state = self.state();
        state.blocked.insert([a.clone(), b.clone()], block);
        state.blocked.insert([b.clone(), a.clone()], block);
        drop(state);
        self.look_again();
    }

    /// Lets two hosts reach each other again.
    pub(super) fn unblock(&self, [a, b]: &[Host; 2]) {
        let mut state = self.state();
        state.blocked.remove(&[a.clone(), b.clone()]);
        state.blocked.remove(&[b.clone(), a.clone()]);
        drop(state);
        self.look_again();
    }

    /// Resets every connection that a client has. Returns whether there was one.
    pub(super) fn cut(&self, client: &Host) -> bool {
        let mut state = self.state();
        let mut any = false;
        for connection in state.connections.values_mut() {
            if connection.ends.iter().flatten().any(|end| end == client) && connection.is_whole() {
                connection.fate = Some(Fate::Reset);
                any = true;
            }
        }
        drop(state);
        self.look_again();
        any
    }

    /// A process is gone: the other ends of its connections read the end of the stream.
    pub(super) fn process_dies(&self, host: &Host) {
        let now = self.recorder.now();
        self.take_down(host, |connection, side, seed| {
            connection.fate = Some(Fate::Orphaned { side, at: now + seed });
        });
    }

    /// A machine is gone: the other ends of its connections hear nothing.
    pub(super) fn power_fails(&self, host: &Host) {
        self.state().dark.insert(host.clone());
        self.take_down(host, |connection, side, _delay| {
            connection.fate = Some(Fate::Silent { side });
        });
    }

    fn take_down(&self, host: &Host, doom: impl Fn(&mut Connection, usize, Duration)) {
        let mut state = self.state();
        state.down.insert(host.clone());
        state.sockets.remove(host);
        for (number, connection) in &mut state.connections {
            let side = connection.ends.iter().position(|end| end.as_ref() == Some(host));
            let Some(side) = side.filter(|_| connection.is_whole()) else { continue };
            let delay = self.latency + self.delay(*number, side, u64::MAX);
            doom(connection, side, delay);
        }
        drop(state);
        self.look_again();
    }

    /// A host is there again. Whoever still writes to its former self is told so.
    pub(super) fn comes_up(&self, host: &Host) {
        let mut state = self.state();
        state.down.remove(host);
        state.dark.remove(host);
        drop(state);
        self.look_again();
    }

    /// How many sockets a host has open.
    #[must_use]
    pub(super) fn sockets(&self, host: &Host) -> usize {
        self.state().sockets.get(host).copied().unwrap_or(0)
    }

    /// Reports `watch.id` once its frame has been read.
    pub(super) fn watch(&self, watch: FrameWatch) {
        self.state().watches.push(watch);
    }

    /// Forgets the watches that have not fired.
    pub(super) fn forget_watches(&self) {
        self.state().watches.clear();
    }

    /// The ids of watches that have fired since the last call.
    pub(super) fn fired(&self) -> Vec<usize> {
        std::mem::take(&mut self.state().fired)
    }

    /// The jitter of one chunk.
    pub(super) fn delay(&self, connection: u64, side: usize, index: u64) -> Duration {
        let span = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        let direction = u64::try_from(side).unwrap_or(0);
        let drawn = prf(self.seed, connection, direction, index);
        Duration::from_micros(drawn.checked_rem(span).unwrap_or(0))
    }

    /// What stands in the way of `side` of a connection.
    pub(super) fn gate(&self, number: u64, side: usize, context: &mut Context<'_>) -> Gate {
        let now = self.recorder.now();
        let mut state = self.state();
        let Some(connection) = state.connections.get(&number) else { return Gate::Gone };
        let block = match &connection.ends {
            [Some(a), Some(b)] => state.blocked.get(&[a.clone(), b.clone()]).copied(),
            [_, _] => None,
        };
        let other_is_up = match connection.ends.get(1 - side) {
            Some(Some(other)) => !state.down.contains(other),
            Some(None) | None => true,
        };
        let Some(connection) = state.connections.get_mut(&number) else { return Gate::Gone };
        let stuck = connection.stuck_since.get(side).copied().flatten();
        let gate = match (connection.fate, block) {
            (Some(Fate::Reset), _) => Gate::Failed(io::ErrorKind::ConnectionReset),
            (Some(Fate::Orphaned { side: dead, .. } | Fate::Silent { side: dead }), _)
                if dead == side =>
            {
                Gate::Gone
            }
            (Some(Fate::Orphaned { at, .. }), _) => Gate::Ending { at },
            // A packet from before reaches the new process, which knows nothing of it.
            (Some(Fate::Silent { .. }), _) if stuck.is_some() && other_is_up => {
                connection.fate = Some(Fate::Reset);
                Gate::Failed(io::ErrorKind::ConnectionReset)
            }
            (Some(Fate::Silent { .. }), _) => Gate::Blocked { stuck },
            (None, Some(Block::Partition)) => Gate::Blocked { stuck },
            (None, Some(Block::Hold)) => Gate::Blocked { stuck: None },
            (None, None) => Gate::Open,
        };
        if let Gate::Blocked { stuck: Some(since) } = gate
            && now.saturating_sub(since) >= USER_TIMEOUT
        {
            connection.fate = Some(Fate::Silent { side });
            return Gate::Failed(io::ErrorKind::TimedOut);
        }
        match gate {
            Gate::Blocked { .. } | Gate::Ending { .. } | Gate::Open => {
                if let Some(wakers) = connection.wakers.get_mut(side)
                    && !wakers.iter().any(|waker| waker.will_wake(context.waker()))
                {
                    wakers.push(context.waker().clone());
                }
            }
            Gate::Failed(_) | Gate::Gone => {}
        }
        if gate == Gate::Open
            && let Some(stuck) = connection.stuck_since.get_mut(side)
        {
            *stuck = None;
        }
        gate
    }

    /// Notes that `side` has bytes under way that cannot arrive now.
    pub(super) fn stuck(&self, number: u64, side: usize) {
        let now = self.recorder.now();
        if let Some(connection) = self.state().connections.get_mut(&number)
            && let Some(since) = connection.stuck_since.get_mut(side)
        {
            since.get_or_insert(now);
        }
    }

    /// Tells the trace what a host has read. Returns where the connection is cut, if it is.
    pub(super) fn hear(
        &self,
        host: &Host,
        number: u64,
        heard: Vec<(usize, Heard)>,
    ) -> Option<usize> {
        for (end, item) in heard {
            let (what, event) = self.meaning(number, item)?;
            self.recorder.record(host, what);
            if event.is_some_and(|event| self.is_cut_at(host, &event, number)) {
                return Some(end);
            }
        }
        None
    }

    /// The event of the trace and, for a text frame, its `event`.
    fn meaning(&self, conn: u64, item: Heard) -> Option<(What, Option<String>)> {
        Some(match item {
            Heard::Frame(frame) => {
                let event = event_of(&frame);
                (What::Received { conn, frame }, event)
            }
            Heard::Asked(request) => (What::Asked { conn, request }, None),
            Heard::Answered { status, response } => {
                let state = self.state();
                let ends = &state.connections.get(&conn)?.ends;
                match ends.get(1) {
                    Some(Some(Host::Agent)) => (What::Answered { conn, status, response }, None),
                    Some(_) | None => return None,
                }
            }
        })
    }

    /// Counts a frame for the watches; whether one of them cuts the connection here.
    fn is_cut_at(&self, client: &Host, event: &str, number: u64) -> bool {
        let mut state = self.state();
        let mut cut = Vec::new();
        let mut fired = Vec::new();
        state.watches.retain_mut(|watch| {
            if watch.client == *client && watch.event == event {
                watch.left = watch.left.saturating_sub(1);
            }
            if watch.left == 0 {
                fired.push(watch.id);
                cut.extend(watch.cut.take());
            }
            watch.left > 0
        });
        state.fired.extend(fired);
        if cut.is_empty() {
            return false;
        }
        if let Some(connection) = state.connections.get_mut(&number) {
            connection.fate = Some(Fate::Reset);
        }
        drop(state);
        for injected in cut {
            self.recorder.record(&Host::World, injected);
        }
        self.look_again();
        true
    }

    pub(super) fn close(&self, host: &Host, number: u64, side: usize) {
        let mut state = self.state();
        if let Some(sockets) = state.sockets.get_mut(host) {
            *sockets = sockets.saturating_sub(1);
        }
        if let Some(connection) = state.connections.get_mut(&number) {
            if let Some(open) = connection.open.get_mut(side) {
                *open = false;
            }
            if connection.open == [false, false] {
                state.connections.remove(&number);
            }
        }
    }
}

/// The `event` of a text frame.
fn event_of(frame: &Wire) -> Option<String> {
    let Wire::Text(text) = frame else { return None };
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(value.get("event")?.as_str()?.to_owned())
}

/// What becomes of an attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Open,
    /// Nobody answers, until something changes.
    Swallowed,
    Refused {
        after: Duration,
    },
}

/// What stands in the way of one side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Blocked {
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

impl Connection {
    fn is_whole(&self) -> bool {
        self.fate.is_none()
    }
}
