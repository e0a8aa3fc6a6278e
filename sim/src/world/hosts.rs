//! The hosts of a world: the assistant's own roles, started with the same functions and configurations
//! as in production.

use super::disk::SimDisk;
use super::engine::{Cable, TaskCount};
use super::intruder::{Doors, Intruder};
use super::net::SimNet;
use super::recorder::Recorder;
use super::stand_in;
use super::wires::Wires;
use crate::random::split;
use crate::scenario::{ClientSpec, Host, Intrusion, Misbehaviour, Scenario};
use crate::trace::What;
use assistant::agent::{self, Catalog};
use assistant::auth::{self, TokenService};
use assistant::client::{ClientSetup, Kept};
use assistant::contract::id::{BadId, Cursor, ThreadId, UserId};
use assistant::contract::token::Revoke;
use assistant::gateway::{self, Gateway};
use assistant::http::{Peer, Stop};
use assistant::net::Net;
use assistant::supervisor::{self, Store, Supervisor};
use assistant::token::{Claims, Keys};
use assistant::wall::Wall;
use axum::http::{Method, StatusCode};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// The time of day at which every run starts: 2026-03-02, a Monday, 09:00 UTC.
const MORNING: Duration = Duration::from_secs(1_772_442_000);

/// Everything from which hosts are started, again and again.
pub(super) struct Troupe<C> {
    cable: C,
    wires: Arc<Wires>,
    recorder: Recorder,
    tasks: TaskCount,
    scenario: Scenario,
    catalog: Catalog,
    keys: Keys,
    disks: Mutex<BTreeMap<Host, SimDisk>>,
    running: Mutex<BTreeMap<Host, Running>>,
    skews: Skews,
    /// Hosts in whose place something else runs.
    stand_ins: Mutex<BTreeMap<Host, Misbehaviour>>,
}

/// How far the wall clocks of hosts are ahead, milliseconds.
type Skews = Arc<Mutex<BTreeMap<Host, i64>>>;

#[derive(Debug, Default)]
struct Running {
    /// How often it has been started.
    starts: u64,
    /// Makes its wish to stop; absent while it is not running.
    stop: Option<watch::Sender<bool>>,
    /// Whether it has ended without being asked.
    died: bool,
}

impl<C> fmt::Debug for Troupe<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Troupe({})", self.scenario.name)
    }
}

/// The serving hosts of a scenario, in the order in which they start.
#[must_use]
pub(super) fn serving_hosts(scenario: &Scenario) -> Vec<Host> {
    let gateways = (1..=scenario.world.gateways).map(Host::Gateway);
    [Host::TokenService, Host::Agent, Host::Supervisor].into_iter().chain(gateways).collect()
}

/// The port on which a role listens; anything, since hosts have addresses of their own.
fn address(host: &Host) -> String {
    format!("{host}:80")
}

impl<C: Cable> Troupe<C> {
    /// Nobody is running yet.
    #[must_use]
    pub(super) fn new(
        cable: C,
        wires: Arc<Wires>,
        tasks: TaskCount,
        scenario: Scenario,
        catalog: Catalog,
    ) -> Arc<Self> {
        let keys = Keys::from_secret(b"a secret of thirty-two bytes or more").expect("long enough");
        let (disks, running, skews) = (Mutex::default(), Mutex::default(), Skews::default());
        let recorder = wires.recorder().clone();
        Arc::new(Self {
            cable,
            wires,
            recorder,
            tasks,
            scenario,
            catalog,
            keys,
            disks,
            running,
            skews,
            stand_ins: Mutex::default(),
        })
    }

    /// The disk of a host, which outlives its processes.
    #[must_use]
    pub(super) fn disk(&self, host: &Host) -> SimDisk {
        let mut disks = self.disks.lock().expect("no panic while it is held");
        disks.entry(host.clone()).or_default().clone()
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Host, Running>> {
        self.running.lock().expect("no panic while it is held")
    }

    /// Whether a host runs.
    #[must_use]
    pub(super) fn is_running(&self, host: &Host) -> bool {
        self.running().get(host).is_some_and(|running| running.stop.is_some())
    }

    /// Whether a host has ended without being asked or killed; asked again, it has not.
    #[must_use]
    pub(super) fn forget_death(&self, host: &Host) -> bool {
        self.running().get_mut(host).is_some_and(|running| std::mem::take(&mut running.died))
    }

    /// Wishes that a host stops.
    pub(super) fn ask_to_stop(&self, host: &Host) {
        if let Some(stop) = self.running().get(host).and_then(|running| running.stop.as_ref()) {
            stop.send_replace(true);
        }
    }

    /// Lets something else run in the place of a host, or the host again, from its next start on.
    pub(super) fn stand_in(&self, host: &Host, how: Option<Misbehaviour>) {
        let mut stand_ins = self.stand_ins.lock().expect("no panic while it is held");
        match how {
            Some(how) => stand_ins.insert(host.clone(), how),
            None => stand_ins.remove(host),
        };
    }

    /// Notes that a host was killed.
    pub(super) fn killed(&self, host: &Host) {
        if let Some(running) = self.running().get_mut(host) {
            running.stop = None;
        }
    }

    /// The root of a serving host, from its start to its end.
    pub(super) async fn root(self: Arc<Self>, host: Host) {
        let (trigger, stop) = Stop::new();
        let starts = {
            let mut all = self.running();
            let running = all.entry(host.clone()).or_default();
            running.stop = Some(trigger);
            running.died = false;
            running.starts += 1;
            running.starts
        };
        self.recorder.record(&host, What::Started);
        let ended = self.role(&host, starts, stop.clone()).await;
        let what = match (ended, stop.is_requested()) {
            (Ok(()), true) => What::Stopped {
                tasks: (self.tasks)(&host.to_string()),
                sockets: self.wires.sockets(&host),
            },
            (Ok(()), false) => What::Died { why: "ended without being asked".to_owned() },
            (Err(error), _) => What::Died { why: error.to_string() },
        };
        let died = matches!(what, What::Died { .. });
        self.recorder.record(&host, what);
        self.wires.leaves(&host);
        self.killed(&host);
        if let Some(running) = self.running().get_mut(&host) {
            running.died = died;
        }
        self.wires.news().tell();
    }

    async fn role(&self, host: &Host, starts: u64, stop: Stop) -> io::Result<()> {
        let net = SimNet::new(self.cable.clone(), host.clone(), Arc::clone(&self.wires));
        let listener = net.listen(&address(host)).await?;
        let stand_in = self.stand_ins.lock().expect("no panic while it is held").get(host).copied();
        if let Some(how) = stand_in {
            return stand_in::run::<SimNet<C>>(how, listener, stop).await;
        }
        let rng = split(self.scenario.seed, &format!("{host}/{starts}"));
        let wall = self.wall(host);
        let config = &self.scenario.world.config;
        let peer = |to: Host| Peer { net: net.clone(), address: address(&to) };
        match host {
            Host::Gateway(_) => {
                let (config, keys) = (config.gateway.clone(), self.keys.clone());
                let (supervisor, token_service) =
                    (peer(Host::Supervisor), peer(Host::TokenService));
                let gateway = Gateway { config, keys, supervisor, token_service, wall, rng };
                gateway::run::<SimNet<C>>(gateway, listener, stop).await
            }
            Host::Supervisor => {
                let store = Store::open(self.disk(host)).map_err(io::Error::other)?;
                let rollout = supervisor::unchanging(config.rollout);
                let (config, agent) = (config.supervisor.clone(), peer(Host::Agent));
                let supervisor = Supervisor { config, store, agent, rollout, wall, rng };
                supervisor::run::<SimNet<C>>(supervisor, listener, stop).await
            }
            Host::Agent => {
                let (config, catalog) = (config.agent.clone(), self.catalog.clone());
                agent::run::<SimNet<C>>(config, catalog, listener, stop).await
            }
            Host::TokenService => {
                let store = auth::Store::open(self.disk(host)).map_err(io::Error::other)?;
                let (config, keys) = (config.token.clone(), self.keys.clone());
                let service = TokenService { config, keys, store, wall };
                auth::run::<SimNet<C>>(service, listener, stop).await
            }
            Host::Client(_) | Host::World => Err(io::Error::other("not a serving host")),
        }
    }

    /// The clients of the scenario. Each starts its round of the gateways at another one.
    ///
    /// # Errors
    /// If a name in the scenario is not an id.
    pub(super) fn clients(&self) -> Result<Vec<ClientSetup<SimNet<C>>>, BadId> {
        let clients = self.scenario.clients.iter().enumerate();
        clients
            .map(|(place, spec)| {
                let host = spec.host();
                let net = SimNet::new(self.cable.clone(), host, Arc::clone(&self.wires));
                let peer = |to: Host| Peer { net: net.clone(), address: address(&to) };
                let mut gateways: Vec<_> =
                    (1..=self.scenario.world.gateways).map(|n| peer(Host::Gateway(n))).collect();
                let first = place.checked_rem(gateways.len()).unwrap_or(0);
                gateways.rotate_left(first);
                let thread_id: ThreadId = spec.thread.parse()?;
                Ok(ClientSetup {
                    policy: self.scenario.world.config.client.clone(),
                    client_id: spec.instance().parse()?,
                    gateways,
                    token_service: peer(Host::TokenService),
                    refresh_token: self.login(spec)?,
                    rng: split(self.scenario.seed, &format!("client {}", spec.name)),
                    kept: spec.kept.map(|cursor| kept(&thread_id, cursor)),
                    thread_id,
                })
            })
            .collect()
    }

    /// The refresh token with which a client begins: a login a client, whose session has the client's name.
    fn login(&self, client: &ClientSpec) -> Result<String, BadId> {
        let user: UserId = client.user.parse()?;
        let ttl = self.scenario.world.config.token.refresh_ttl;
        let claims = Claims::refresh(user, client.name.parse()?, 1, MORNING, ttl);
        Ok(self.keys.sign(&claims))
    }

    /// Ends the session of a client from elsewhere, however long the token service takes to hear of it.
    pub(super) fn sign_out(
        self: Arc<Self>,
        client: &Host,
    ) -> impl Future<Output = ()> + Send + use<C> {
        let login = self.scenario.client(client).and_then(|spec| self.login(spec).ok());
        let net = SimNet::new(self.cable.clone(), Host::World, Arc::clone(&self.wires));
        let token_service = Peer { net, address: address(&Host::TokenService) };
        async move {
            let Some(refresh_token) = login else { return };
            let ask = Revoke { refresh_token };
            let deadline = Duration::from_secs(5);
            loop {
                let answer = token_service.call(Method::POST, "/v1/revoke", &ask, deadline).await;
                if answer.is_ok_and(|(status, _)| status == StatusCode::NO_CONTENT) {
                    break;
                }
                sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Somebody whom nobody knows connects to a gateway and misbehaves.
    pub(super) fn intrude(
        self: Arc<Self>,
        host: &Host,
        how: Intrusion,
    ) -> impl Future<Output = ()> + Send + use<C> {
        let net = SimNet::new(self.cable.clone(), Host::World, Arc::clone(&self.wires));
        let peer = |to: &Host| Peer { net: net.clone(), address: address(to) };
        let doors = Doors { gateway: peer(host), token_service: peer(&Host::TokenService) };
        let (now, keys) = (self.wall(host).now(), self.keys.clone());
        let name = format!("mallory-{}", self.recorder.now().as_micros());
        Intruder { name, now, keys, how }.run(doors)
    }

    /// Sets a host's wall clock ahead, or back.
    pub(super) fn skew(&self, host: &Host, by_ms: i64) {
        let mut skews = self.skews.lock().expect("no panic while it is held");
        *skews.entry(host.clone()).or_default() += by_ms;
    }

    fn wall(&self, host: &Host) -> Wall {
        let (recorder, skews, host) =
            (self.recorder.clone(), Arc::clone(&self.skews), host.clone());
        Wall::new(move || {
            let skews = skews.lock().expect("no panic while it is held");
            let by_ms = skews.get(&host).copied().unwrap_or(0);
            let by = Duration::from_millis(by_ms.unsigned_abs());
            let now = MORNING + recorder.now();
            if by_ms < 0 { now.saturating_sub(by) } else { now + by }
        })
    }
}

/// What a client kept that has seen this and left nothing unsaid.
fn kept(thread: &ThreadId, cursor: Cursor) -> Kept {
    Kept { thread_id: thread.clone(), cursor, attempts: 0, outbox: Vec::new() }
}
