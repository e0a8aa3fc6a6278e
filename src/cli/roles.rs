//! `assistant gateway|supervisor|agent|auth`: one role a process, for a deployment of several.

use super::jsonl;
use super::keep::{fresh_rng, keys_from, sessions_at, store_at, system_wall};
use super::rollout::RolloutOptions;
use assistant::agent::{self, Catalog};
use assistant::auth::{self, TokenService};
use assistant::config::{AgentConfig, GatewayConfig, SupervisorConfig, TokenConfig};
use assistant::gateway;
use assistant::http::{Peer, Stop};
use assistant::net::{Net, TokioNet};
use assistant::supervisor;
use clap::Args;
use std::error::Error;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The catalogue that `assistant serve` uses unless told otherwise.
const DEMO_CATALOG: &str = include_str!("../../sessions/catalogs/willamette.csv");

#[derive(Debug, Args)]
pub(super) struct Gateway {
    /// Its own address.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// The supervisor's address.
    #[arg(long)]
    supervisor: String,
    /// The token service's address.
    #[arg(long)]
    token_service: String,
    /// A page that may connect from a browser, `https://host[:port]` exactly; repeat for several.
    #[arg(long)]
    origin: Vec<String>,
    /// The file with the signing secret, at least 32 bytes.
    #[arg(long)]
    secret: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Supervisor {
    /// Its own address.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: String,
    /// The agent's address.
    #[arg(long)]
    agent: String,
    /// The file in which it keeps its threads.
    #[arg(long)]
    store: PathBuf,
    #[command(flatten)]
    rollout: RolloutOptions,
}

#[derive(Debug, Args)]
pub(super) struct Agent {
    /// Its own address.
    #[arg(long, default_value = "127.0.0.1:8082")]
    listen: String,
    /// The catalogue, a CSV or JSON Lines file; without it a small invented one.
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// Serves nobody: reads requests from the standard input and writes the responses, each a line of JSON.
    #[arg(long, conflicts_with = "listen")]
    jsonl: bool,
}

#[derive(Debug, Args)]
pub(super) struct Auth {
    /// Its own address.
    #[arg(long, default_value = "127.0.0.1:8083")]
    listen: String,
    /// The file with the signing secret, at least 32 bytes.
    #[arg(long)]
    secret: PathBuf,
    /// The file in which it keeps who is logged in and who logged out.
    #[arg(long)]
    store: PathBuf,
}

impl Gateway {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let gateway = gateway::Gateway {
            config: GatewayConfig { origins: self.origin, ..GatewayConfig::default() },
            keys: keys_from(&self.secret)?,
            supervisor: Peer { net: TokioNet, address: self.supervisor },
            token_service: Peer { net: TokioNet, address: self.token_service },
            wall: system_wall(),
            rng: fresh_rng()?,
        };
        let (listener, trigger, stop) = start("gateway", &self.listen).await?;
        until_signal(trigger, gateway::run::<TokioNet>(gateway, listener, stop)).await
    }
}

impl Supervisor {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let (rollout, following) = self.rollout.start()?;
        let supervisor = supervisor::Supervisor {
            config: SupervisorConfig::default(),
            store: store_at(&self.store)?,
            agent: Peer { net: TokioNet, address: self.agent },
            rollout,
            wall: system_wall(),
            rng: fresh_rng()?,
        };
        let (listener, trigger, stop) = start("supervisor", &self.listen).await?;
        let running = supervisor::run::<TokioNet>(supervisor, listener, stop);
        until_signal(trigger, async { tokio::try_join!(running, following).map(drop) }).await
    }
}

impl Agent {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let catalog = read_catalog(self.catalog.as_deref())?;
        if self.jsonl {
            return jsonl::answer(&catalog, io::stdin().lock(), io::stdout().lock());
        }
        let (listener, trigger, stop) = start("agent", &self.listen).await?;
        let config = AgentConfig::default();
        until_signal(trigger, agent::run::<TokioNet>(config, catalog, listener, stop)).await
    }
}

impl Auth {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let service = TokenService {
            config: TokenConfig::default(),
            keys: keys_from(&self.secret)?,
            store: sessions_at(&self.store)?,
            wall: system_wall(),
        };
        let (listener, trigger, stop) = start("auth", &self.listen).await?;
        until_signal(trigger, auth::run::<TokioNet>(service, listener, stop)).await
    }
}

async fn start(
    role: &str,
    address: &str,
) -> Result<(TcpListener, watch::Sender<bool>, Stop), Box<dyn Error>> {
    let listener = TokioNet.listen(address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    tracing::info!(role, address = %listener.local_addr()?, "listens");
    let (trigger, stop) = Stop::new();
    Ok((listener, trigger, stop))
}

async fn until_signal(
    trigger: watch::Sender<bool>,
    role: impl Future<Output = io::Result<()>>,
) -> Result<(), Box<dyn Error>> {
    tokio::try_join!(role, stop_on_signal(trigger))?;
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM and makes the wish to stop; a second one ends the process at once.
pub(super) async fn stop_on_signal(trigger: watch::Sender<bool>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut first = true;
    loop {
        // Biased for no reason but that every select says so: the two are the same wish.
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = trigger.closed() => return Ok(()),
        }
        if !first {
            return Err(io::Error::other("stopped at once, as asked"));
        }
        first = false;
        tracing::info!("draining; once more to stop at once");
        trigger.send_replace(true);
    }
}

/// Reads a catalogue; rows it cannot use are reported and left out.
pub(super) fn read_catalog(path: Option<&Path>) -> Result<Catalog, Box<dyn Error>> {
    let (catalog, bad_rows) = match path {
        Some(path) => {
            let file = File::open(path).map_err(|error| {
                format!("cannot open the catalogue {}: {error}", path.display())
            })?;
            let file = io::BufReader::new(file);
            let lines = path.extension().is_some_and(|ending| ending == "jsonl");
            let read = if lines { Catalog::read_json_lines(file) } else { Catalog::read(file) };
            read.map_err(|error| format!("cannot use the catalogue {}: {error}", path.display()))?
        }
        None => Catalog::read(DEMO_CATALOG.as_bytes())?,
    };
    for row in &bad_rows {
        tracing::warn!("left out of the catalogue: {row}");
    }
    tracing::info!(listings = catalog.listings().len(), left_out = bad_rows.len(), "catalogue");
    Ok(catalog)
}
