//! The fast engine: one paused runtime for all hosts, which passes from event to event. Waiting costs
//! nothing, however long.
//!
//! # Design
//! tokio advances a paused clock to the next timer whenever every task is idle. A host is its root in a
//! task; killing it drops the root at once, and the tasks that it owns run no further. (A task of such a
//! task may run once more at that instant, when network and disk are cut already.) The order of what happens at
//! one instant is that of tokio's queue, which depends on nothing but what happened before. Timers have a
//! grain of a millisecond.

use super::census::Census;
use super::event_net::EventNet;
use super::{Engine, TaskCount, panic_text};
use crate::world::news::News;
use crate::world::recorder::Clock;
use futures_util::future::{BoxFuture, poll_fn};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, RngSeed, Runtime, UnhandledPanic};
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{Instant, sleep_until};

/// How often other tasks may come first while the last tasks of a killed host are dropped.
const DROPS_MAX: usize = 10_000;

/// A simulation of hosts.
pub(crate) struct EventEngine {
    runtime: Runtime,
    time: Arc<Time>,
    net: EventNet,
    census: Arc<Census>,
    hosts: Vec<EventHost>,
    /// Places in `hosts`.
    names: Arc<Mutex<BTreeMap<String, usize>>>,
}

struct EventHost {
    root: Box<dyn Fn() -> BoxFuture<'static, ()>>,
    /// The running root.
    life: Arc<Mutex<Option<BoxFuture<'static, ()>>>>,
    /// The task that polls it.
    task: Option<AbortHandle>,
}

/// The clock, inside the runtime and outside.
struct Time {
    start: Instant,
    /// Whether hosts run.
    running: AtomicBool,
    /// When they last did, microseconds.
    between: AtomicU64,
}

impl fmt::Debug for EventEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventEngine({:?})", self.elapsed())
    }
}

impl Time {
    fn now(&self) -> Duration {
        match self.running.load(Ordering::Relaxed) {
            true => self.start.elapsed(),
            false => Duration::from_micros(self.between.load(Ordering::Relaxed)),
        }
    }
}

impl EventEngine {
    /// Lets the hosts run until `pass` is through.
    fn run(&self, pass: impl Future<Output = ()>) -> Result<(), String> {
        self.time.running.store(true, Ordering::Relaxed);
        let passed = catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(pass)));
        self.pause_clock();
        passed.map_err(|panic| panic_text(panic.as_ref()))
    }

    fn pause_clock(&self) {
        let _inside = self.runtime.enter();
        let now = u64::try_from(self.time.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.time.between.store(now, Ordering::Relaxed);
        self.time.running.store(false, Ordering::Relaxed);
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.lock().expect("no panic while it is held").get(name).copied()
    }
}

impl Engine for EventEngine {
    type Cable = EventNet;

    fn new(seed: u64, latency: Duration) -> Self {
        let census = Arc::new(Census::default());
        let (births, ends) = (Arc::clone(&census), Arc::clone(&census));
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .rng_seed(RngSeed::from_bytes(&seed.to_le_bytes()))
            // A panic that nobody looks at must not pass for a calm run.
            .unhandled_panic(UnhandledPanic::ShutdownRuntime)
            .on_task_spawn(move |task| births.born(task))
            .on_task_terminate(move |task| ends.gone(task))
            .build()
            .expect("a runtime without I/O asks the system for nothing");
        let start = runtime.block_on(async { Instant::now() });
        let time = Time { start, running: AtomicBool::default(), between: AtomicU64::default() };
        let (net, hosts, names) = (EventNet::new(latency), Vec::new(), Arc::default());
        runtime.spawn(net.clone().deliver());
        Self { runtime, time: Arc::new(time), net, census, hosts, names }
    }

    fn cable(&self) -> EventNet {
        self.net.clone()
    }

    fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Arc::new(move || time.now())
    }

    fn tasks(&self) -> TaskCount {
        let (census, names) = (Arc::clone(&self.census), Arc::clone(&self.names));
        Arc::new(move |name| {
            let place = names.lock().expect("no panic while it is held").get(name).copied();
            place.map_or(0, |host| census.alive(host).saturating_sub(1))
        })
    }

    fn host<F>(&mut self, name: &str, root: impl Fn() -> F + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let root: Box<dyn Fn() -> BoxFuture<'static, ()>> = Box::new(move || Box::pin(root()));
        let mut names = self.names.lock().expect("no panic while it is held");
        names.insert(name.to_owned(), self.hosts.len());
        drop(names);
        self.hosts.push(EventHost { root, life: Arc::default(), task: None });
        self.start(name);
    }

    fn kill(&mut self, name: &str) -> usize {
        let Some(place) = self.place(name) else { return 0 };
        let Some(host) = self.hosts.get_mut(place) else { return 0 };
        let life = std::mem::take(&mut host.life);
        let root = life.lock().expect("a root that panics ends the run").take();
        let inside = self.runtime.enter();
        drop(root);
        drop(inside);
        if let Some(task) = host.task.take() {
            task.abort();
        }
        for _ in 0..DROPS_MAX {
            // A panic on the way shows again when time is to pass.
            if self.census.alive(place) == 0 || self.run(yield_now()).is_err() {
                break;
            }
        }
        self.census.alive(place)
    }

    fn start(&mut self, name: &str) {
        let Some(place) = self.place(name) else { return };
        let Some(host) = self.hosts.get_mut(place) else { return };
        let life = Arc::new(Mutex::new(Some((host.root)())));
        host.life = Arc::clone(&life);
        let task = poll_fn(move |context| {
            let mut root = life.lock().expect("a root that panics ends the run");
            match root.as_mut() {
                Some(root) => root.as_mut().poll(context),
                None => Poll::Ready(()),
            }
        });
        let task = self.census.founding(place, || self.runtime.spawn(task));
        host.task = Some(task.abort_handle());
    }

    fn advance(&mut self, until: Duration, news: &News) -> Result<(), String> {
        let until = self.time.start + until;
        self.run(async {
            // Biased: news of this instant count before its end.
            tokio::select! {
                biased;
                () = news.heard() => {}
                () = sleep_until(until) => {}
            }
        })
    }

    fn elapsed(&self) -> Duration {
        self.time.now()
    }
}
