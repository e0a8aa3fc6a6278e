//! The state of all connections of a world, and what can go wrong with them.
//!
//! # Design
//! A fault is a state of a connection or of a pair of hosts, judged where bytes are *read*: what was sent
//! during a partition waits in the engine's buffer and arrives after the repair, as with TCP's
//! retransmissions; if the writer has waited longer than the user timeout, its end of the connection fails.
//! Latency jitter delays what is sent by a number that depends on the seed, the connection, the direction
//! and the index of the chunk and on nothing else.

use super::blocked::Blocked;
use super::connection::{Act, Block, Connection, Fate, Gate, Surroundings};
use super::news::News;
use super::recorder::Recorder;
use super::watches::FrameWatch;
use crate::random::prf;
use crate::scenario::{Host, WorldSpec};
use crate::trace::What;
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
    /// How much a socket holds in each direction, bytes.
    window: usize,
    recorder: Recorder,
    news: News,
    state: Mutex<State>,
    /// Changes whenever somebody who waits for a link should look again.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) connections: BTreeMap<u64, Connection>,
    /// By the engine's label, until the dialler has taken it up.
    accepted: BTreeMap<String, u64>,
    next: u64,
    blocked: Blocked,
    /// What faults do to hosts and links besides, as often as they want it so.
    troubles: Vec<Trouble>,
    /// Hosts whose process waits for its disk, and until when.
    stalled: BTreeMap<Host, Duration>,
    /// Hosts whose process is down.
    down: BTreeSet<Host>,
    /// Hosts without power.
    dark: BTreeSet<Host>,
    sockets: BTreeMap<Host, usize>,
    pub(super) watches: Vec<FrameWatch>,
    pub(super) fired: Vec<usize>,
}

/// Something that a host or a link suffers for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The host reads nothing.
    Slow(Host),
    /// The host refuses new connections.
    Refuses(Host),
    /// Attempts to connect to the host are swallowed.
    Swallows(Host),
    /// What the host reads comes in pieces of this many bytes at most.
    Fragments(Host, usize),
    /// What passes between the hosts takes so much longer.
    Latency([Host; 2], Duration),
}

impl Wires {
    /// A network without connections or faults.
    #[must_use]
    pub(super) fn new(seed: u64, world: &WorldSpec, recorder: Recorder, news: News) -> Arc<Self> {
        let WorldSpec { latency, jitter, socket_bytes: window, .. } = *world;
        let (state, changed) = (Mutex::default(), watch::Sender::new(0));
        Arc::new(Self { seed, latency, jitter, window, recorder, news, state, changed })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
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
        let has = |trouble: &Trouble| state.troubles.contains(trouble);
        if state.blocked.between(from, to).is_some()
            || state.dark.contains(to)
            || has(&Trouble::Swallows(to.clone()))
        {
            Reach::Swallowed
        } else if state.down.contains(to) || has(&Trouble::Refuses(to.clone())) {
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
    pub(super) fn look_again(&self) {
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
    pub(super) fn block(&self, [a, b]: &[Host; 2], block: Block) {
        for (from, to) in [(a, b), (b, a)] {
            self.block_way(from, to, block);
        }
    }

    /// Keeps what one host sends from another, besides whatever does so already.
    pub(super) fn block_way(&self, from: &Host, to: &Host, block: Block) {
        let (now, round_trip) = (self.recorder.now(), self.round_trip());
        let mut state = self.state();
        state.blocked.add(from, to, block);
        for connection in state.connections.values_mut() {
            if block == Block::Partition && connection.runs_between([from, to]) {
                connection.lose_in_flight(now, round_trip);
            }
        }
        drop(state);
        self.look_again();
    }

    /// Ends one [`Wires::block`] of this kind.
    pub(super) fn unblock(&self, [a, b]: &[Host; 2], block: Block) {
        for (from, to) in [(a, b), (b, a)] {
            self.unblock_way(from, to, block);
        }
    }

    /// Ends one [`Wires::block_way`] of this kind.
    pub(super) fn unblock_way(&self, from: &Host, to: &Host, block: Block) {
        self.state().blocked.remove(from, to, block);
        self.look_again();
    }

    /// Troubles a host or a link, until as many calls of [`Wires::relieve`].
    pub(super) fn trouble(&self, trouble: Trouble) {
        self.state().troubles.push(trouble);
        self.look_again();
    }

    /// Ends one [`Wires::trouble`].
    pub(super) fn relieve(&self, trouble: &Trouble) {
        let mut state = self.state();
        if let Some(place) = state.troubles.iter().position(|other| other == trouble) {
            state.troubles.remove(place);
        }
        drop(state);
        self.look_again();
    }

    /// A host's process waits for its disk from now on for so long.
    pub(super) fn stall(&self, host: &Host, length: Duration) {
        let now = self.recorder.now();
        let mut state = self.state();
        let until = state.stalled.entry(host.clone()).or_default();
        *until = (*until).max(now) + length;
    }

    /// In pieces of how many bytes a host reads, at most.
    pub(super) fn piece(&self, host: &Host) -> usize {
        let state = self.state();
        let pieces = state.troubles.iter().filter_map(|trouble| match trouble {
            Trouble::Fragments(reader, bytes) if reader == host => Some(*bytes),
            Trouble::Fragments(..)
            | Trouble::Slow(_)
            | Trouble::Refuses(_)
            | Trouble::Swallows(_)
            | Trouble::Latency(..) => None,
        });
        pieces.min().unwrap_or(usize::MAX).max(1)
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
            let delay = self.latency + self.jitter(*number, side, u64::MAX);
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

    /// The jitter of one chunk.
    fn jitter(&self, connection: u64, side: usize, index: u64) -> Duration {
        let span = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        let direction = u64::try_from(side).unwrap_or(0);
        let drawn = prf(self.seed, connection, direction, index);
        Duration::from_micros(drawn.checked_rem(span).unwrap_or(0))
    }

    /// How much longer than the engine's latency one chunk takes that `side` sends.
    pub(super) fn delay(&self, number: u64, side: usize, index: u64) -> Duration {
        let jitter = self.jitter(number, side, index);
        let state = self.state();
        if state.troubles.is_empty() && state.stalled.is_empty() {
            return jitter;
        }
        let Some([Some(a), Some(b)]) = state.connections.get(&number).map(|found| &found.ends)
        else {
            return jitter;
        };
        let later = state.troubles.iter().filter_map(|trouble| match trouble {
            Trouble::Latency(between, by) if between.contains(a) && between.contains(b) => {
                Some(*by)
            }
            Trouble::Latency(..)
            | Trouble::Slow(_)
            | Trouble::Refuses(_)
            | Trouble::Swallows(_)
            | Trouble::Fragments(..) => None,
        });
        let now = self.recorder.now();
        let stalled = [a, b].into_iter().filter_map(|host| state.stalled.get(host));
        let stalled = stalled.map(|until| until.saturating_sub(now)).max().unwrap_or_default();
        jitter + later.sum::<Duration>() + stalled
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
        let State { connections, blocked, troubles, down, .. } = &mut *state;
        let Some(connection) = connections.get_mut(&number) else { return Gate::Gone };
        let host = connection.ends.get(side).and_then(Option::as_ref);
        let (block, hears) = match (host, connection.other(side)) {
            (Some(host), Some(other)) => {
                let block = blocked.between(host, other);
                (block, block.is_some() && blocked.on_way(other, host).is_none())
            }
            (_, _) => (None, false),
        };
        let is_slow = !troubles.is_empty()
            && host.is_some_and(|host| troubles.contains(&Trouble::Slow(host.clone())));
        let other_is_up = connection.other(side).is_none_or(|other| !down.contains(other));
        let around = Surroundings { now, block, hears, other_is_up, is_slow };
        connection.gate((side, act), around, context)
    }

    /// How much `side` may send now, bytes: no more than the other side's socket can hold.
    pub(super) fn room(&self, number: u64, side: usize) -> usize {
        self.state()
            .connections
            .get(&number)
            .map_or(0, |connection| connection.room(side, self.window))
    }

    /// How much a socket holds in each direction, bytes.
    pub(super) fn window(&self) -> usize {
        self.window
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
        let wakers = connection.map(|connection| connection.took(side, length, self.window));
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

    /// A host lets go of its side of a connection.
    pub(super) fn close(&self, host: &Host, number: u64, side: usize) {
        let mut state = self.state();
        if let Some(sockets) = state.sockets.get_mut(host) {
            *sockets = sockets.saturating_sub(1);
        }
        // In which order a host that is killed lets go depends on the engine, and is no deed of its own.
        if side == 1 && matches!(host, Host::Gateway(_)) && !state.down.contains(host) {
            self.recorder.record(host, What::Left { conn: number });
        }
        let last = state.connections.get_mut(&number).is_some_and(|end| end.close(side));
        if last {
            state.connections.remove(&number);
            state.accepted.retain(|_label, other| *other != number);
        }
    }
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
