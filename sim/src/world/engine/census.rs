//! Counts the tasks of each host where all hosts share one runtime.
//!
//! A task belongs to the host whose task has started it. The runtime tells of every birth and every end,
//! owned or detached, so what a host leaves behind is seen and nobody else's tasks are.

use std::sync::{Mutex, MutexGuard};
use tokio::runtime::TaskMeta;
use tokio::task::{Id, try_id};

/// Tasks by host; hosts are numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Census(Mutex<Roll>);

#[derive(Debug, Default)]
struct Roll {
    hosts: Hosts,
    alive: Vec<usize>,
    /// The host whose root is being started.
    founding: Option<usize>,
}

#[expect(clippy::disallowed_types, reason = "ids have no order, and nobody walks through the map")]
type Hosts = std::collections::HashMap<Id, usize>;

impl Census {
    fn roll(&self) -> MutexGuard<'_, Roll> {
        self.0.lock().expect("no panic while it is held")
    }

    /// Runs `found`, which starts the root of a host.
    pub(super) fn founding<T>(&self, host: usize, found: impl FnOnce() -> T) -> T {
        self.roll().founding = Some(host);
        let founded = found();
        self.roll().founding = None;
        founded
    }

    /// A task begins.
    pub(super) fn born(&self, task: &TaskMeta<'_>) {
        let mut roll = self.roll();
        let parent = try_id().and_then(|parent| roll.hosts.get(&parent).copied());
        let Some(host) = parent.or(roll.founding) else { return };
        roll.hosts.insert(task.id(), host);
        if roll.alive.len() <= host {
            roll.alive.resize(host + 1, 0);
        }
        if let Some(alive) = roll.alive.get_mut(host) {
            *alive += 1;
        }
    }

    /// A task has ended or was dropped.
    pub(super) fn gone(&self, task: &TaskMeta<'_>) {
        let mut roll = self.roll();
        if let Some(host) = roll.hosts.remove(&task.id())
            && let Some(alive) = roll.alive.get_mut(host)
        {
            *alive -= 1;
        }
    }

    /// How many tasks of a host live, its root among them.
    pub(super) fn alive(&self, host: usize) -> usize {
        self.roll().alive.get(host).copied().unwrap_or(0)
    }
}
