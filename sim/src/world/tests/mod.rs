//! Each fault, as the sockets of two hosts feel it, on both engines: no assistant, only bytes.

/// Makes a test of each function on each engine.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod turmoil {
            $(#[test] fn $name() { super::$name::<super::TurmoilEngine>(); })*
        }
        mod event {
            $(#[test] fn $name() { super::$name::<super::EventEngine>(); })*
        }
    };
}

mod connections;
mod deaths;
mod hosts;
mod links;
mod pressure;

use super::connection::Block;
use super::engine::{Cable, Engine, EventEngine, TurmoilEngine};
use super::net::SimNet;
use super::news::News;
use super::recorder::Recorder;
use super::watches::{FrameWatch, Mishap};
use super::wires::Wires;
use crate::scenario::{Host, WorldSpec};
use assistant::net::Net;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(super) const LATENCY: Duration = Duration::from_millis(10);
const SERVER: Host = Host::Agent;

fn ana() -> Host {
    Host::Client("ana".to_owned())
}

fn both() -> [Host; 2] {
    [ana(), SERVER]
}

fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// When, who, what.
type Note = (Duration, &'static str, String);

/// What the hosts of a stage note down.
#[derive(Debug, Clone)]
struct Notes {
    lines: Arc<Mutex<Vec<Note>>>,
    recorder: Recorder,
}

impl Notes {
    fn add(&self, who: &'static str, what: String) {
        self.lines.lock().unwrap().push((self.recorder.now(), who, what));
    }

    fn taken(&self) -> Vec<Note> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }

    /// When `who` first noted something that begins so.
    fn when(&self, who: &str, what: &str) -> Option<Duration> {
        let lines = self.lines.lock().unwrap();
        let found = lines.iter().find(|(_, other, line)| *other == who && line.starts_with(what));
        found.map(|(at, ..)| *at)
    }

    /// The bytes that `who` has read.
    fn read(&self, who: &str) -> String {
        let lines = self.lines.lock().unwrap();
        let read = lines.iter().filter(|(_, other, _)| *other == who);
        read.filter_map(|(.., line)| line.strip_prefix("read ")).collect()
    }

    /// How the notes of `who` end.
    fn last(&self, who: &str) -> String {
        let lines = self.lines.lock().unwrap();
        let last = lines.iter().rfind(|(_, other, _)| *other == who);
        last.map_or_else(String::new, |(.., line)| line.clone())
    }
}

/// Two hosts and the wires between them.
struct Stage<E: Engine> {
    engine: E,
    wires: Arc<Wires>,
    notes: Notes,
}

impl<E: Engine> Stage<E> {
    fn new(seed: u64) -> Self {
        let engine = E::new(seed, LATENCY);
        let recorder = Recorder::new(engine.clock());
        let world = WorldSpec { latency: LATENCY, jitter: ms(5), ..WorldSpec::default() };
        let wires = Wires::new(seed, &world, recorder.clone(), News::default());
        let notes = Notes { lines: Arc::default(), recorder };
        Self { engine, wires, notes }
    }

    /// A stage on which `server` listens and echoes.
    fn with_echo(seed: u64) -> Self {
        let mut stage = Self::new(seed);
        stage.host(&SERVER, echo);
        stage
    }

    fn host<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        host: &Host,
        root: impl Fn(SimNet<E::Cable>, Notes) -> F + 'static,
    ) {
        let net = SimNet::new(self.engine.cable(), host.clone(), Arc::clone(&self.wires));
        let notes = self.notes.clone();
        self.engine.host(&host.to_string(), move || root(net.clone(), notes.clone()));
    }

    /// Lets ana say `count` numbers, one every `pause`.
    fn with_talk(mut self, count: u64, pause: Duration) -> Self {
        self.host(&ana(), move |net, notes| talk(net, notes, count, pause));
        self
    }

    fn until(&mut self, at: Duration) {
        while self.engine.elapsed() < at {
            self.engine.advance(at, self.wires.news()).unwrap();
        }
    }

    fn crash(&mut self, host: &Host) {
        self.wires.process_dies(host);
        self.engine.kill(&host.to_string());
    }

    fn lose_power(&mut self, host: &Host) {
        self.wires.power_fails(host);
        self.engine.kill(&host.to_string());
    }

    fn start(&mut self, host: &Host) {
        self.wires.comes_up(host);
        self.engine.start(&host.to_string());
    }
}

/// The numbers that ana says.
fn numbers(count: u64) -> String {
    (0..count).map(|n| format!("{n};")).collect()
}

/// Echoes on every connection and notes what it reads.
async fn echo<C: Cable>(net: SimNet<C>, notes: Notes) {
    let mut listener = net.listen("agent:80").await.unwrap();
    let mut open = JoinSet::new();
    while let Ok(mut stream) = SimNet::<C>::accept(&mut listener).await {
        let notes = notes.clone();
        open.spawn(async move {
            let mut room = [0; 4096];
            loop {
                match stream.read(&mut room).await {
                    Ok(0) => return notes.add("server", "end".to_owned()),
                    Ok(length) => {
                        let text = String::from_utf8_lossy(&room[..length]).into_owned();
                        notes.add("server", format!("read {text}"));
                        if let Err(error) = stream.write_all(&room[..length]).await {
                            notes.add("server", format!("write {}", error.kind()));
                        }
                    }
                    Err(error) => return notes.add("server", format!("failed {}", error.kind())),
                }
            }
        });
    }
}

/// Connects, says numbers and notes what comes back.
async fn talk<C: Cable>(net: SimNet<C>, notes: Notes, count: u64, pause: Duration) {
    let stream = match net.connect("agent:80").await {
        Ok(stream) => stream,
        Err(error) => return notes.add("ana", format!("refused {}", error.kind())),
    };
    notes.add("ana", "connected".to_owned());
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (said, heard) = (notes.clone(), notes);
    let says = async move {
        for number in 0..count {
            if let Err(error) = writer.write_all(format!("{number};").as_bytes()).await {
                return said.add("ana", format!("write {}", error.kind()));
            }
            said.add("ana", format!("said {number}"));
            sleep(pause).await;
        }
        // Keeps its half open.
        std::future::pending::<()>().await;
    };
    let hears = async move {
        let mut room = [0; 4096];
        loop {
            match reader.read(&mut room).await {
                Ok(0) => return heard.add("ana", "end".to_owned()),
                Ok(length) => {
                    let text = String::from_utf8_lossy(&room[..length]).into_owned();
                    heard.add("ana", format!("read {text}"));
                }
                Err(error) => return heard.add("ana", format!("failed {}", error.kind())),
            }
        }
    };
    tokio::select! { biased; () = hears => {} () = says => {} }
}
