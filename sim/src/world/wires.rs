//! The state of all connections of a world, and what can go wrong with them.
//!
//! # Design
//! A fault is a state of a connection or of a pair of hosts, judged where bytes are *read*: what was sent
//! during a partition waits in the engine's buffer and arrives after the repair, as with TCP's
//! retransmissions; if the writer has waited longer than the user timeout, its end of the connection fails.
//! Latency jitter delays a chunk on the reader's side by a number that depends on the seed, the
//! connection, the direction and the chunk's index and on nothing else.

use super::blocked::Blocked;
use super::connection::{Act, Block, Connection, Fate, Gate, Surroundings};
use super::news::News;
use super::recorder::Recorder;
use super::tap::{Extent, Heard};
use crate::random::prf;
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
    news: News,
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
    blocked: Blocked,
    /// Hosts that read nothing, and how many faults want it so.
    slow: BTreeMap<Host, usize>,
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
        news: News,
    ) -> Arc<Self> {
        let (state, changed) = (Mutex::default(), watch::Sender::new(0));
        Arc::new(Self { seed, latency, jitter, recorder, news, state, changed })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }

    /// Writes the trace, and tells the time.
    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Told whenever a watch has fired.
    pub(super) fn news(&self) -> &News {
        &self.news
    }

    /// Changes whenever [`Wires::reach`] may say something else.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What becomes of an attempt to connect now.
    pub(super) fn reach(&self, from: &Host, to: &Host) -> Reach {
        let state = self.state();
        if state.blocked.between(from, to).is_some() || state.dark.contains(to) {
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
        state.blocked.add(between, block);
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
        self.state().blocked.remove(between, block);
        self.look_again();
    }

    /// Resets every connection that a client has. Returns whether there was one.
    pub(super) fn cut(&self, client: &Host) -> bool {
        self.doom(client, None, Fate::Reset)
    }

    /// The way of every connection that a client has is gone, and nobody is told. Returns whether there was
    /// one.
    pub(super) fn forget(&self, client: &Host) -> bool {
        self.doom(client, None, Fate::Forgotten)
    }

    /// Whoever still holds a connection of this client that [`Wires::forget`] met is told so.
    pub(super) fn disown(&self, client: &Host) {
        self.doom(client, Some(Fate::Forgotten), Fate::Reset);
    }

    fn doom(&self, client: &Host, before: Option<Fate>, after: Fate) -> bool {
        let mut state = self.state();
        let mut any = false;
        for connection in state.connections.values_mut() {
            let is_theirs = connection.ends.iter().flatten().any(|end| end == client);
            if is_theirs && connection.fate == before {
                connection.fate = Some(after);
                any = true;
            }
        }
        drop(state);
        self.look_again();
        any
    }

    /// A host reads nothing until [`Wires::quicken`].
    pub(super) fn slow_down(&self, host: &Host) {
        *self.state().slow.entry(host.clone()).or_default() += 1;
    }

    /// Ends one [`Wires::slow_down`].
    pub(super) fn quicken(&self, host: &Host) {
        let mut state = self.state();
        if let Some(times) = state.slow.get_mut(host) {
            *times = times.saturating_sub(1);
        }
        state.slow.retain(|_host, times| *times > 0);
        drop(state);
        self.look_again();
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

    /// What stands in the way of one side of a connection.
    pub(super) fn gate(
        &self,
        number: u64,
        (side, act): (usize, Act),
        context: &mut Context<'_>,
    ) -> Gate {
        let now = self.recorder.now();
        let mut state = self.state();
        let State { connections, blocked, slow, down, .. } = &mut *state;
        let Some(connection) = connections.get_mut(&number) else { return Gate::Gone };
        let block = match &connection.ends {
            [Some(a), Some(b)] => blocked.between(a, b),
            [_, _] => None,
        };
        let host = connection.ends.get(side).and_then(Option::as_ref);
        let is_slow = !slow.is_empty() && host.is_some_and(|host| slow.contains_key(host));
        let other_is_up = connection.other(side).is_none_or(|other| !down.contains(other));
        let around = Surroundings { now, block, other_is_up, is_slow };
        connection.gate((side, act), around, context)
    }

    /// How much `side` may send now, bytes: no more than the other side's socket can hold.
    pub(super) fn room(&self, number: u64, side: usize) -> usize {
        self.state().connections.get(&number).map_or(0, |connection| connection.room(side))
    }

    /// Notes that `side` has sent something.
    pub(super) fn sent(&self, number: u64, side: usize, length: usize) {
        let now = self.recorder.now();
        if let Some(connection) = self.state().connections.get_mut(&number) {
            connection.sent(side, length, now);
        }
    }

    /// Notes that `side` has taken something off the way.
    pub(super) fn took(&self, number: u64, side: usize, length: usize) {
        let mut state = self.state();
        let connection = state.connections.get_mut(&number);
        let wakers = connection.map(|connection| connection.took(side, length));
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
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
            let Some(what) = self.meaning(number, item) else { continue };
            let mishap = self.mishap(host, &what, number);
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

    /// The event of the trace.
    fn meaning(&self, conn: u64, item: Heard) -> Option<What> {
        Some(match item {
            Heard::Frame(frame) => What::Received { conn, frame },
            Heard::Asked(request) => What::Asked { conn, request },
            Heard::Answered { status, retry_after, response } => {
                let state = self.state();
                let ends = &state.connections.get(&conn)?.ends;
                match ends {
                    [_, Some(Host::Agent)] => What::Answered { conn, status, response },
                    [Some(Host::Client(_)), _] if status >= 400 => {
                        What::Refused { conn, status, retry_after }
                    }
                    [_, _] => return None,
                }
            }
        })
    }

    /// Counts a frame for the watches. What one of them does to it.
    fn mishap(&self, client: &Host, what: &What, number: u64) -> Option<Mishap> {
        let mut state = self.state();
        if !state.watches.iter().any(|watch| watch.client == *client) {
            return None;
        }
        let event = event_of(what)?;
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
        if !fired.is_empty() {
            self.news.tell();
        }
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

/// The `event` of a text frame.
fn event_of(what: &What) -> Option<String> {
    let What::Received { frame: Wire::Text(text), .. } = what else { return None };
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
