//! Writes the trace: one list that every part of a world appends to.

use crate::scenario::Host;
use crate::trace::{Event, Trace, What};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tells the time since the start of the run.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A handle to the trace of a run.
#[derive(Clone)]
pub struct Recorder {
    clock: Clock,
    trace: Arc<Mutex<Trace>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// An empty trace whose events are stamped by `clock`.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, trace: Arc::default() }
    }

    /// The time since the start of the run.
    #[must_use]
    pub fn now(&self) -> Duration {
        (self.clock)()
    }

    /// Appends an event that happens now.
    ///
    /// # Panics
    /// If a panic has interrupted an earlier append.
    pub fn record(&self, host: &Host, what: What) {
        let at_us = u64::try_from(self.now().as_micros()).unwrap_or(u64::MAX);
        let event = Event { at_us, host: host.clone(), what };
        self.trace.lock().expect("appending does not panic").events.push(event);
    }

    /// Takes the trace, in the order of time; what happened at one instant stays in the order recorded.
    ///
    /// Hosts run one after the other within a tick, so events of one tick are recorded host by host.
    ///
    /// # Panics
    /// If a panic has interrupted an earlier append.
    #[must_use]
    pub fn finish(&self) -> Trace {
        let mut trace = std::mem::take(&mut *self.trace.lock().expect("appending does not panic"));
        trace.events.sort_by_key(|event| event.at_us);
        trace
    }
}
