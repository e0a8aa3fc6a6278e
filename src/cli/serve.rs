//! `assistant serve`: all roles in one process, on real sockets and real files.

use super::keep::{Addresses, Keep, fresh_rng, system_wall};
use super::roles::{read_catalog, stop_on_signal};
use super::rollout::RolloutOptions;
use assistant::agent;
use assistant::auth::{self, TokenService};
use assistant::config::{AgentConfig, GatewayConfig, SupervisorConfig, TokenConfig};
use assistant::gateway::{self, Gateway};
use assistant::http::{Peer, Stop};
use assistant::net::{Net, TokioNet};
use assistant::supervisor::{self, Supervisor};
use clap::Args;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpListener;

/// Where and what to serve.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where threads and the signing secret are kept; created if need be.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// The gateway's address.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// The catalogue, a CSV or JSON Lines file; without it a small invented one.
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// A page that may connect from a browser, `https://host[:port]` exactly; repeat for several.
    #[arg(long)]
    origin: Vec<String>,
    #[command(flatten)]
    rollout: RolloutOptions,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let (rollout, following) = self.rollout.clone().start()?;
        let catalog = read_catalog(self.catalog.as_deref())?;
        let keep = Keep::created(self.data.clone())?;
        let (keys, store, wall) = (keep.keys()?, keep.store()?, system_wall());
        let at_gateway = bind(&self.listen).await?;
        // Clients hold on to the token service's address over a restart.
        let at_tokens = match keep.addresses() {
            Ok(before) => match TokioNet.listen(&before.token_service).await {
                Ok(listener) => listener,
                Err(_taken) => bind_inside().await?,
            },
            Err(_first_start) => bind_inside().await?,
        };
        let [at_supervisor, at_agent] = [bind_inside().await?, bind_inside().await?];
        let addresses = Addresses {
            gateway: at_gateway.local_addr()?.to_string(),
            token_service: at_tokens.local_addr()?.to_string(),
        };
        let peer = |listener: &TcpListener| {
            let address = listener.local_addr().map(|address| address.to_string());
            address.map(|address| Peer { net: TokioNet, address })
        };
        let gateway = Gateway {
            config: self.gateway_config(),
            keys: keys.clone(),
            supervisor: peer(&at_supervisor)?,
            token_service: peer(&at_tokens)?,
            wall: wall.clone(),
            rng: fresh_rng()?,
        };
        let supervisor = Supervisor {
            config: SupervisorConfig::default(),
            store,
            agent: peer(&at_agent)?,
            rollout,
            wall: wall.clone(),
            rng: fresh_rng()?,
        };
        let tokens =
            TokenService { config: TokenConfig::default(), keys, store: keep.sessions()?, wall };
        keep.publish(&addresses)?;
        self.greet(&addresses);

        // What stands behind the gateway stops after it, so that a drain can finish its turns.
        let (stop_front, front) = Stop::new();
        let (stop_back, back) = Stop::new();
        let front = async {
            let ended = gateway::run::<TokioNet>(gateway, at_gateway, front).await;
            drop(stop_back);
            ended
        };
        let config = AgentConfig::default();
        tokio::try_join!(
            front,
            supervisor::run::<TokioNet>(supervisor, at_supervisor, back.clone()),
            agent::run::<TokioNet>(config, catalog, at_agent, back.clone()),
            auth::run::<TokioNet>(tokens, at_tokens, back),
            stop_on_signal(stop_front),
            following,
        )?;
        Ok(())
    }

    fn gateway_config(&self) -> GatewayConfig {
        GatewayConfig {
            origins: self.origin.clone(),
            // Nobody balances in front of it, so there is nobody to wait for before a drain.
            drain_notice: Duration::ZERO,
            ..GatewayConfig::default()
        }
    }

    #[expect(clippy::print_stdout, reason = "says how to connect")]
    fn greet(&self, addresses: &Addresses) {
        let data = self.data.display();
        let me = std::env::args().next().unwrap_or_else(|| "assistant".to_owned());
        println!("The assistant listens on ws://{}/ws", addresses.gateway);
        println!("  talk to it     {me} chat --data {data} --user ana");
        println!("  other clients  {me} token --data {data} --user ana");
        println!("                 send it as `Authorization: Bearer TOKEN`, then say hello");
        println!("  metrics        http://{}/metrics", addresses.gateway);
        println!("  stop           Ctrl-C, once to drain, twice to stop at once");
    }
}

async fn bind(address: &str) -> Result<TcpListener, String> {
    let bound = TokioNet.listen(address).await;
    bound.map_err(|error| format!("cannot listen on {address}: {error}; choose another --listen"))
}

/// A port that only this machine can reach.
async fn bind_inside() -> io::Result<TcpListener> {
    TokioNet.listen("127.0.0.1:0").await
}
