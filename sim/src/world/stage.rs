//! What the world sees of its users, and how it reaches their clients.

use super::errands::Errands;
use super::freeze::Freeze;
use super::news::News;
use crate::scenario::Host;
use assistant::client::Command;
use assistant::contract::id::ThreadId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{mpsc, watch};

/// What the world can see of the stage, and how it reaches the clients; clones are the same stage.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    scene: Arc<watch::Sender<Scene>>,
    /// Told whenever the script is done, everything has settled, or every client has ended.
    news: News,
    reins: Arc<Mutex<BTreeMap<Host, Reins>>>,
    pub(super) errands: Errands,
}

/// How a client's device is reached.
#[derive(Debug)]
pub(super) struct Reins {
    /// A client ends when the last strong sender is dropped, which is its user's.
    pub(super) commands: mpsc::WeakSender<Command>,
    pub(super) freeze: Freeze,
}

#[derive(Debug, Default)]
pub(super) struct Scene {
    /// What users wait for, by turn, in words.
    pub(super) waiting: BTreeMap<usize, String>,
    /// Clients whose connection is on its way, in words.
    pub(super) unsettled: BTreeMap<Host, String>,
    /// How far each client that goes on has shown its thread.
    shown: BTreeMap<ThreadId, BTreeMap<Host, u64>>,
    /// Threads of which some clients have shown more than others.
    uneven: BTreeSet<ThreadId>,
    pub(super) script_done: bool,
    pub(super) all_closed: bool,
}

impl Stage {
    pub(super) fn change(&self, change: impl FnOnce(&mut Scene)) {
        let mut is_news = false;
        self.scene.send_modify(|scene| {
            let before = scene.standing();
            change(scene);
            is_news = scene.standing() != before;
        });
        if is_news {
            self.news.tell();
        }
    }

    fn see<T>(&self, look: impl FnOnce(&Scene) -> T) -> T {
        look(&self.scene.borrow())
    }

    /// Told whenever one of the answers below has changed.
    pub(super) fn news(&self) -> &News {
        &self.news
    }

    pub(super) fn reins(&self) -> MutexGuard<'_, BTreeMap<Host, Reins>> {
        self.reins.lock().expect("no panic while it is held")
    }

    /// Tells a client something that only its device knows. Nothing happens if it has ended.
    pub(super) fn tell(&self, client: &Host, command: Command) {
        let commands = self.reins().get(client).and_then(|reins| reins.commands.upgrade());
        if let Some(commands) = commands {
            // A client that has stopped to listen has ended.
            drop(commands.try_send(command));
        }
    }

    /// Runs something beside the clients, on the network that it brings; it is dropped if it outlasts them.
    pub(super) fn run(&self, errand: impl Future<Output = ()> + Send + 'static) {
        self.errands.add(Box::pin(errand));
    }

    /// Stops to run a client until [`Stage::resume`].
    pub(super) fn pause(&self, client: &Host) {
        if let Some(reins) = self.reins().get(client) {
            reins.freeze.freeze();
        }
    }

    /// Ends one [`Stage::pause`].
    pub(super) fn resume(&self, client: &Host) {
        let freeze = self.reins().get(client).map(|reins| reins.freeze.clone());
        if let Some(freeze) = freeze {
            freeze.thaw();
        }
    }

    /// Waits until the script is done and everything has settled.
    pub async fn quiet(&self) {
        let quiet = |scene: &Scene| scene.script_done && scene.settled();
        // The stage itself holds the sender.
        drop(self.scene.subscribe().wait_for(quiet).await);
    }

    /// Whether every user has the end of every turn, or gave up.
    #[must_use]
    pub fn script_done(&self) -> bool {
        self.see(|scene| scene.script_done)
    }

    /// Whether every client is connected and has shown what the others have, or has given up for good.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.see(Scene::settled)
    }

    /// Whether every client has ended.
    #[must_use]
    pub fn all_closed(&self) -> bool {
        self.see(|scene| scene.all_closed)
    }

    /// What is still outstanding, in words.
    #[must_use]
    pub fn outstanding(&self) -> Vec<String> {
        self.see(|scene| scene.waiting.values().chain(scene.unsettled.values()).cloned().collect())
    }
}

impl Scene {
    fn standing(&self) -> [bool; 3] {
        [self.script_done, self.settled(), self.all_closed]
    }

    fn settled(&self) -> bool {
        self.unsettled.is_empty() && self.uneven.is_empty()
    }

    /// A client has shown this much of its thread.
    pub(super) fn show(&mut self, client: &Host, thread: &ThreadId, seq: u64) {
        self.shown.entry(thread.clone()).or_default().insert(client.clone(), seq);
        self.compare(thread);
    }

    /// A client goes on no more.
    pub(super) fn leave(&mut self, client: &Host, thread: &ThreadId) {
        self.unsettled.remove(client);
        if let Some(clients) = self.shown.get_mut(thread) {
            clients.remove(client);
        }
        self.compare(thread);
    }

    fn compare(&mut self, thread: &ThreadId) {
        let mut shown = self.shown.get(thread).into_iter().flat_map(BTreeMap::values);
        let first = shown.next();
        match shown.all(|seq| Some(seq) == first) {
            true => self.uneven.remove(thread),
            false => self.uneven.insert(thread.clone()),
        };
    }
}
