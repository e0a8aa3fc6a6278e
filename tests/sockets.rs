//! The calm sessions once more over loopback TCP and real files: what users see there is what they see
//! in the simulated network.
//!
//! Without this, the simulation could agree with itself and with nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use assistant::agent::{self, Catalog};
use assistant::auth::{self, TokenService};
use assistant::client::ClientSetup;
use assistant::config::{AgentConfig, ClientPolicy, GatewayConfig, SupervisorConfig, TokenConfig};
use assistant::gateway::{self, Gateway};
use assistant::http::{Peer, Stop};
use assistant::net::{Net, TokioNet};
use assistant::supervisor::{self, Store, Supervisor};
use assistant::token::{Claims, Keys};
use assistant::wall::Wall;
use redb::backends::FileBackend;
use rehearse::project::Project;
use rehearse::random::split;
use rehearse::rehearsal::Rehearsal;
use rehearse::report::transcript::transcript;
use rehearse::scenario::Scenario;
use rehearse::trace::Trace;
use rehearse::world::Recorder;
use rehearse::world::script::{Cues, play};
use rehearse::world::stage::Stage;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// The time of day does not matter, as long as everybody agrees on it.
const NOON: Duration = Duration::from_secs(1_772_452_800);

/// A session in which somebody thinks for longer is left to the simulation.
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[test]
fn users_see_the_same_over_real_sockets_and_files() {
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut played = 0;
    for path in project.session_paths().unwrap() {
        let session = project.session(&path).unwrap();
        if session.turn_faults.iter().flatten().chain(&session.faults).next().is_some() {
            continue;
        }
        // Here time is real.
        if session.scenario.turns.iter().any(|turn| turn.pause > PAUSE_MAX) {
            continue;
        }
        let scenario = session.scenario;
        let simulated = Rehearsal::of_scenario(&project, &scenario).unwrap();
        let catalog = project.catalog(&scenario.world.catalog).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let real = runtime.block_on(on_sockets(&scenario, catalog));
        assert_eq!(
            transcript(&scenario, &real),
            transcript(&scenario, &simulated.trace),
            "{} differs between sockets (left) and simulation (right)",
            path.display()
        );
        played += 1;
    }
    assert!(played >= 4, "only {played} sessions are calm");
}

/// Plays a scenario with every role on a port of its own and the store in a file.
async fn on_sockets(scenario: &Scenario, catalog: &str) -> Trace {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(file(&directory, "threads.redb")).unwrap();
    let sessions = auth::Store::open(file(&directory, "sessions.redb")).unwrap();
    let (catalog, _bad_rows) = Catalog::read(catalog.as_bytes()).unwrap();
    let keys = Keys::from_secret(&[7; 32]).unwrap();
    let wall = Wall::new(|| NOON);
    let [at_gateway, at_supervisor, at_agent, at_tokens] =
        [port().await, port().await, port().await, port().await];
    let gateway = Gateway {
        config: GatewayConfig { drain_notice: Duration::ZERO, ..GatewayConfig::default() },
        keys: keys.clone(),
        supervisor: peer(&at_supervisor),
        token_service: peer(&at_tokens),
        wall: wall.clone(),
        rng: split(scenario.seed, "gateway"),
    };
    let supervisor = Supervisor {
        config: SupervisorConfig::default(),
        store,
        agent: peer(&at_agent),
        rollout: supervisor::unchanging(scenario.world.config.rollout),
        wall: wall.clone(),
        rng: split(scenario.seed, "supervisor"),
    };
    let config = TokenConfig::default();
    let tokens = TokenService { config, keys: keys.clone(), store: sessions, wall };
    let cast = cast(scenario, &keys, &peer(&at_gateway), &peer(&at_tokens));

    let started = Instant::now();
    let recorder = Recorder::new(Arc::new(move || started.elapsed()));
    let (stop_roles, stop) = Stop::new();
    let (stop_clients, finish) = Stop::new();
    let (turn_begins, sockets) = (Box::new(|_| ()), Box::new(|_: &_| 0));
    let cues = Cues { turn_begins, sockets, tasks: Box::new(|| 0), finish };
    let stage = Stage::default();
    let users = async {
        let script = play(Arc::new(scenario.clone()), cast, recorder.clone(), stage.clone(), cues);
        let applause = async {
            stage.quiet().await;
            stop_clients.send_replace(true);
        };
        tokio::join!(script, applause);
        stop_roles.send_replace(true);
        Ok(())
    };
    tokio::try_join!(
        users,
        gateway::run::<TokioNet>(gateway, at_gateway, stop.clone()),
        supervisor::run::<TokioNet>(supervisor, at_supervisor, stop.clone()),
        agent::run::<TokioNet>(AgentConfig::default(), catalog, at_agent, stop.clone()),
        auth::run::<TokioNet>(tokens, at_tokens, stop),
    )
    .unwrap();
    recorder.finish()
}

/// A database file.
fn file(directory: &TempDir, name: &str) -> FileBackend {
    let path = directory.path().join(name);
    let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    FileBackend::new(file).unwrap()
}

/// The clients of a scenario, all at one gateway.
fn cast(
    scenario: &Scenario,
    keys: &Keys,
    gateway: &Peer<TokioNet>,
    token_service: &Peer<TokioNet>,
) -> Vec<ClientSetup<TokioNet>> {
    let clients = scenario.clients.iter().map(|spec| {
        let (user, session) = (spec.user.parse().unwrap(), spec.name.parse().unwrap());
        let login = Claims::refresh(user, session, 1, NOON, Duration::from_secs(3_600));
        ClientSetup {
            policy: ClientPolicy::default(),
            client_id: spec.name.parse().unwrap(),
            thread_id: spec.thread.parse().unwrap(),
            gateways: vec![gateway.clone()],
            token_service: token_service.clone(),
            refresh_token: keys.sign(&login),
            rng: split(scenario.seed, &spec.name),
            kept: None,
        }
    });
    clients.collect()
}

async fn port() -> TcpListener {
    TokioNet.listen("127.0.0.1:0").await.unwrap()
}

fn peer(listener: &TcpListener) -> Peer<TokioNet> {
    Peer { net: TokioNet, address: listener.local_addr().unwrap().to_string() }
}
