//! What passes over the connections of a world: what the trace is told of it, and what happens to single frames.

use super::connection::Fate;
use super::tap::{Extent, Heard};
use super::wires::Wires;
use crate::scenario::Host;
use crate::trace::{What, Wire};

/// What happens to a frame on its way to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The connection is reset right behind it.
    Cut,
    /// It comes twice.
    Duplicate,
    /// It comes behind the next one.
    Reorder,
    /// It does not come.
    Lose,
    /// The connection is reset when so many bytes of it have come.
    Tear(usize),
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
            // What comes later will be heard then, and what does not come, or in part, never.
            let is_lost = mishap == Some(Mishap::Lose) && extent.start.is_some();
            if !is_lost && !matches!(mishap, Some(Mishap::Reorder | Mishap::Tear(_))) {
                self.recorder().record(host, what);
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
                    [Some(Host::Client(_)), _] | [Some(Host::World), Some(Host::Gateway(_))]
                        if status >= 400 =>
                    {
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
            self.news().tell();
        }
        state.fired.extend(fired);
        let (mishap, injected) = mishaps.into_iter().next()?;
        if matches!(mishap, Mishap::Cut | Mishap::Tear(_))
            && let Some(connection) = state.connections.get_mut(&number)
        {
            connection.fate = Some(Fate::Reset);
        }
        drop(state);
        self.recorder().record(&Host::World, injected);
        self.look_again();
        Some(mishap)
    }
}

/// The `event` of a text frame.
fn event_of(what: &What) -> Option<String> {
    let What::Received { frame: Wire::Text(text), .. } = what else { return None };
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(value.get("event")?.as_str()?.to_owned())
}
