//! The state of all connections of a world, and what can go wrong with them.
//!
//! # Design
//! A fault is a state of a connection or of a pair of hosts, judged where bytes are *read*: what was sent
//! during a partition waits in the engine's buffer and arrives after the repair, as with TCP's
//! retransmissions; if the writer has waited longer than the user timeout, its end of the connection fails.
//! Latency jitter delays a chunk on the reader's side by a number that depends on the seed, the
//! connection, the direction and the chunk's index and on nothing else.

use super::connection::{Block, Connection, Fate, Gate, Surroundings};
use super::random::prf;
use super::recorder::Recorder;
use super::tap::{Extent, Heard};
use crate::scenario::Host;
use crate::trace::{What, Wire};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::sync::watch;

/// How many latencies a dialler has to take up what was accepted; the engine needs two.
const CLAIM_LATENCIES: u32 = 4;

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
    /// What keeps pairs of hosts apart; faults may overlap.
    blocked: BTreeMap<[Host; 2], Vec<Block>>,
    /// Hosts whose process is down.
    down: BTreeSet<Host>,
    /// Hosts without power.
    dark: BTreeSet<Host>,
    sockets: BTreeMap<Host, usize>,
    watches: Vec<FrameWatch>,
    fired: Vec<usize>,
}

/// What happens to a frame on its way to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The connection is reset right behind it.
    Cut,
    /// It comes twice.
    Duplicate,
    /// It comes behind the next one.
    Reorder,
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
    /// What happens to the frame itself, and what to tell the trace of it.
    pub mishap: Option<(Mishap, What)>,
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
        if state.block_between(from, to).is_some() || state.dark.contains(to) {
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
        let claim_until = self.recorder.now() + self.latency * CLAIM_LATENCIES;
        let connection = Connection::accepted(host.clone(), claim_until);
        state.connections.insert(number, connection);
        state.accepted.insert(label, number);
        *state.sockets.entry(host.clone()).or_default() += 1;
        number
    }

    /// The number of a connection that `host` has dialled; none if it is lost already.
    pub(super) fn dialled(&self, host: &Host, label: &str) -> Option<u64> {
        let mut state = self.state();
        let number = state.accepted.remove(label)?;
        let connection = state.connections.get_mut(&number)?;
        if !connection.is_whole() {
            return None;
        }
        let wakers = connection.claim(host.clone());
        *state.sockets.entry(host.clone()).or_default() += 1;
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Some(number)
    }

    /// Wakes everybody who waits for a link, in the order of the connections.
    fn look_again(&self) {
        let mut state = self.state();
        let wakers: Vec<Waker> =
            state.connections.values_mut().flat_map(Connection::take_wakers).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        self.changed.send_modify(|version| *version += 1);
    }

    /// The longest time until a byte is acknowledged.
    fn round_trip(&self) -> Duration {
        self.latency * 2 + self.jitter
    }

    /// Keeps two hosts apart, besides whatever does so already.
    pub(super) fn block(&self, between: &[Host; 2], block: Block) {
        let (now, round_trip) = (self.recorder.now(), self.round_trip());
        let mut state = self.state();
        state.blocked.entry(link(between)).or_default().push(block);
        for connection in state.connections.values_mut() {
            if block == Block::Partition && connection.runs_between(between) {
                connection.lose_in_flight(now, round_trip);
            }
        }
        drop(state);
        self.look_again();
    }

    /// Ends one [`Wires::block`] of this kind.
    pub(super) fn unblock(&self, between: &[Host; 2], block: Block) {
        if let Some(blocks) = self.state().blocked.get_mut(&link(between))
            && let Some(place) = blocks.iter().position(|other| *other == block)
        {
            blocks.remove(place);
        }
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
        self.take_down(host, |connection, side, delay| {
            connection.fate = Some(Fate::Orphaned { side, at: now + delay });
        });
    }

    /// A machine is gone: the other ends of its connections hear nothing.
    pub(super) fn power_fails(&self, host: &Host) {
        self.state().dark.insert(host.clone());
        let (now, round_trip) = (self.recorder.now(), self.round_trip());
        self.take_down(host, |connection, side, _delay| {
            connection.lose_in_flight(now, round_trip);
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

    /// A process has ended in order, and nobody listens in its place.
    pub(super) fn leaves(&self, host: &Host) {
        self.state().down.insert(host.clone());
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
            [Some(a), Some(b)] => state.block_between(a, b),
            [_, _] => None,
        };
        let other_is_up = connection.other(side).is_none_or(|other| !state.down.contains(other));
        let around = Surroundings { now, block, other_is_up };
        let connection = state.connections.get_mut(&number);
        connection.map_or(Gate::Gone, |connection| connection.gate(side, around, context))
    }

    /// Notes that `side` has written.
    pub(super) fn wrote(&self, number: u64, side: usize) {
        let now = self.recorder.now();
        if let Some(connection) = self.state().connections.get_mut(&number) {
            connection.wrote(side, now);
        }
    }

    /// Notes that `side` has bytes under way that cannot arrive now.
    pub(super) fn stuck(&self, number: u64, side: usize) {
        let now = self.recorder.now();
        let wakers = match self.state().connections.get_mut(&number) {
            Some(connection) => connection.stuck(side, now),
            None => Vec::new(),
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Tells the trace what a host has read, up to the first frame that something happens to.
    pub(super) fn hear(
        &self,
        host: &Host,
        number: u64,
        heard: Vec<(Extent, Heard)>,
    ) -> Option<(Extent, Mishap)> {
        for (extent, item) in heard {
            let Some((what, event)) = self.meaning(number, item) else { continue };
            let mishap = event.and_then(|event| self.mishap(host, &event, number));
            // What comes later will be heard then.
            if mishap != Some(Mishap::Reorder) {
                self.recorder.record(host, what);
            }
            if let Some(mishap) = mishap {
                return Some((extent, mishap));
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

    /// Counts a frame for the watches. What one of them does to it.
    fn mishap(&self, client: &Host, event: &str, number: u64) -> Option<Mishap> {
        let mut state = self.state();
        let mut mishaps = Vec::new();
        let mut fired = Vec::new();
        state.watches.retain_mut(|watch| {
            if watch.client == *client && watch.event == event {
                watch.left = watch.left.saturating_sub(1);
            }
            if watch.left == 0 {
                fired.push(watch.id);
                mishaps.extend(watch.mishap.take());
            }
            watch.left > 0
        });
        state.fired.extend(fired);
        let (mishap, injected) = mishaps.into_iter().next()?;
        if mishap == Mishap::Cut
            && let Some(connection) = state.connections.get_mut(&number)
        {
            connection.fate = Some(Fate::Reset);
        }
        drop(state);
        self.recorder.record(&Host::World, injected);
        self.look_again();
        Some(mishap)
    }

    /// A host lets go of its side of a connection.
    pub(super) fn close(&self, host: &Host, number: u64, side: usize) {
        let mut state = self.state();
        if let Some(sockets) = state.sockets.get_mut(host) {
            *sockets = sockets.saturating_sub(1);
        }
        let last = state.connections.get_mut(&number).is_some_and(|end| end.close(side));
        if last {
            state.connections.remove(&number);
            state.accepted.retain(|_label, other| *other != number);
        }
    }
}

impl State {
    /// What keeps two hosts apart; a loss outweighs a wait.
    fn block_between(&self, a: &Host, b: &Host) -> Option<Block> {
        if self.blocked.is_empty() {
            return None;
        }
        let blocks = self.blocked.get(&link(&[a.clone(), b.clone()]))?;
        let partition = blocks.iter().find(|block| **block == Block::Partition);
        partition.or_else(|| blocks.first()).copied()
    }
}

/// Two hosts, whichever was named first.
fn link(between: &[Host; 2]) -> [Host; 2] {
    let mut link = between.clone();
    link.sort();
    link
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
