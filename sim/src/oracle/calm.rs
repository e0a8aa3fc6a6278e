//! Whether something is wrong that excuses what oracles would object to: faults in force, and since when none is.

use crate::scenario::Fault;
use crate::trace::{Event, What};
use std::time::Duration;

/// How long after a fault its effects may last: a heartbeat, what is granted beyond, and a token's notice.
pub(super) const CALM_AFTER: Duration = Duration::from_secs(60);

/// The faults of a run, as far as it has come.
#[derive(Default)]
pub(super) struct Calm {
    in_force: usize,
    /// When the last one began or ended.
    changed: Option<u64>,
}

impl Calm {
    /// Takes notice of every fault.
    pub(super) fn hear(&mut self, event: &Event) {
        self.hear_of(event, |_| true);
    }

    /// Takes notice of those faults that are meant.
    pub(super) fn hear_of(&mut self, event: &Event, is_meant: impl Fn(&Fault) -> bool) {
        match (&event.what, &event.host) {
            (What::Injected { fault, .. }, _) if is_meant(fault) => {
                self.in_force += usize::from(!fault.is_momentary());
                self.changed = Some(event.at_us);
            }
            (What::Healed { fault }, _) if is_meant(fault) => {
                self.in_force = self.in_force.saturating_sub(1);
                self.changed = Some(event.at_us);
            }
            (_, _) => {}
        }
    }

    /// Since when nothing is wrong, simulated microseconds; none while something is.
    pub(super) fn since(&self) -> Option<u64> {
        (self.in_force == 0).then(|| self.changed.unwrap_or_default())
    }

    /// Whether nothing is wrong, nor has been so lately that it may still have effects.
    pub(super) fn reigns(&self, now: u64) -> bool {
        self.has_lasted(now, CALM_AFTER)
    }

    /// Whether nothing has been wrong for so long.
    pub(super) fn has_lasted(&self, now: u64, long: Duration) -> bool {
        let passed = |at: u64| Duration::from_micros(now.saturating_sub(at));
        self.in_force == 0 && self.changed.is_none_or(|changed| passed(changed) > long)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;
    use crate::scenario::Host;
    use crate::trace::Trace;

    fn offline() -> Fault {
        Fault::Offline { client: client("ben"), lasts: Duration::from_secs(1) }
    }

    fn at_the_end(run: &Bench) -> Calm {
        let mut calm = Calm::default();
        run.trace.events.iter().for_each(|event| calm.hear(event));
        calm
    }

    #[test]
    fn calm_reigns_a_while_after_the_last_fault_and_always_without_one() {
        let minute = 60_000_000;
        assert!(Calm::default().reigns(0) && Calm::default().since() == Some(0));
        let mut run = Bench { trace: Trace::default(), ..healthy() };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: offline() });
        assert!(!at_the_end(&run).reigns(9 * minute) && at_the_end(&run).since().is_none());
        run.tell(Host::World, What::Healed { fault: offline() });
        assert!(
            !at_the_end(&run).reigns(minute + 1_000) && at_the_end(&run).reigns(minute + 1_001)
        );
        assert_eq!(at_the_end(&run).since(), Some(1_000));
        let cut = Fault::Cut { client: client("ben") };
        run.tell(Host::World, What::Injected { turn: None, index: 1, fault: cut });
        assert_eq!(at_the_end(&run).since(), Some(2_000), "it is over at once");
    }

    #[test]
    fn faults_that_are_not_meant_do_not_count() {
        let mut run = Bench { trace: Trace::default(), ..healthy() };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: offline() });
        let mut calm = Calm::default();
        calm.hear_of(&run.trace.events[0], |fault| fault.client().is_none());
        assert!(calm.reigns(0));
    }
}
