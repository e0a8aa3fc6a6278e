//! The commands of `assistant` and what they share.

mod chat;
mod credential;
mod jsonl;
mod keep;
mod roles;
mod rollout;
mod serve;

use assistant::contract::token::Revoke;
use assistant::http::Peer;
use assistant::net::TokioNet;
use clap::{Parser, Subcommand};
use hyper::{Method, StatusCode};
use keep::Keep;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

/// How long the token service may take to end a session.
const LOGOUT_DEADLINE: Duration = Duration::from_secs(5);

/// A conversational real-estate assistant.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start all roles in this process.
    Serve(serve::Serve),
    /// Start a gateway alone.
    Gateway(roles::Gateway),
    /// Start the supervisor alone.
    Supervisor(roles::Supervisor),
    /// Start the real-estate agent alone.
    Agent(roles::Agent),
    /// Start the token service alone.
    Auth(roles::Auth),
    /// Talk to a running assistant in this terminal.
    Chat(chat::Chat),
    /// Print an access token for any other WebSocket client.
    Token {
        /// The data directory of `assistant serve`.
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// Who the token is about.
        #[arg(long)]
        user: String,
        /// Log in anew and print a refresh token instead, as `chat --refresh-token` takes it. Each use
        /// replaces it by another.
        #[arg(long)]
        refresh: bool,
    },
    /// End the session of a refresh token, wherever it is in use.
    Logout {
        /// The data directory of `assistant serve`; tells where the token service is.
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// A token service elsewhere, `host:port`.
        #[arg(long)]
        token_service: Option<String>,
        /// Any refresh token of the session.
        #[arg(long)]
        refresh_token: String,
    },
}

impl Arguments {
    /// Runs the command to its end.
    pub(crate) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self.command {
            Command::Serve(serve) => serve.run().await,
            Command::Gateway(gateway) => gateway.run().await,
            Command::Supervisor(supervisor) => supervisor.run().await,
            Command::Agent(agent) => agent.run().await,
            Command::Auth(auth) => auth.run().await,
            Command::Chat(chat) => chat.run().await,
            Command::Token { data, user, refresh } => print_token(data, &user, refresh),
            Command::Logout { data, token_service, refresh_token } => {
                let address = match token_service {
                    Some(elsewhere) => elsewhere,
                    None => Keep::existing(data)?.addresses()?.token_service,
                };
                log_out(address, refresh_token).await
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "the token is what the command is for")]
fn print_token(data: PathBuf, user: &str, refresh: bool) -> Result<(), Box<dyn Error>> {
    let keep = Keep::existing(data)?;
    let token = match refresh {
        true => keep.refresh_token(user.parse()?)?,
        false => keep.access_token(user.parse()?)?,
    };
    println!("{token}");
    Ok(())
}

async fn log_out(address: String, refresh_token: String) -> Result<(), Box<dyn Error>> {
    let service = Peer { net: TokioNet, address };
    let ask = Revoke { refresh_token };
    match service.call(Method::POST, "/v1/revoke", &ask, LOGOUT_DEADLINE).await? {
        (StatusCode::NO_CONTENT, _empty) => Ok(()),
        (status, _body) => Err(format!("the token service answered {status}").into()),
    }
}
