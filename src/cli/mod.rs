//! The commands of `assistant` and what they share.

mod chat;
mod keep;
mod roles;
mod serve;

use clap::{Parser, Subcommand};
use keep::Keep;
use std::error::Error;
use std::path::PathBuf;

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
        /// Print a refresh token instead, as `chat --refresh-token` takes it.
        #[arg(long)]
        refresh: bool,
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
        }
    }
}

#[expect(clippy::print_stdout, reason = "the token is what the command is for")]
fn print_token(data: PathBuf, user: &str, refresh: bool) -> Result<(), Box<dyn Error>> {
    let keep = Keep::existing(data)?;
    let token = match refresh {
        true => keep.refresh_token(&user.parse()?)?,
        false => keep.access_token(&user.parse()?)?,
    };
    println!("{token}");
    Ok(())
}
