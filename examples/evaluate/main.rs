//! Measures the agent and the router against labelled data: what was understood, routed and found.
//!
//! `cargo run --release --example evaluate -- help` lists the measures. Each reads files that lie outside the project,
//! calls what is deployed and prints figures or predictions; it knows formats of data sets, which the assistant does not.

#![expect(clippy::print_stdout, reason = "figures and predictions are what it is for")]

mod price;
mod relax;
mod routing;
mod sgd;
mod talk;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::path::PathBuf;

type Failure = Box<dyn Error>;

/// Measures the assistant against labelled data.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Dialogues of the schema-guided dataset; prints predictions, a dialogue a line.
    Sgd {
        /// The dialogues, a line each.
        file: PathBuf,
        /// Listings that the catalogue holds besides those of the dialogues; by default `listings.jsonl`
        /// beside the file, if it is there.
        #[arg(long)]
        listings: Option<PathBuf>,
    },
    /// Labelled utterances; prints precision and recall of the search family.
    Routing {
        /// The utterances, a line each.
        file: PathBuf,
        /// Prints every mistake.
        #[arg(long)]
        mistakes: bool,
    },
    /// Compares searches and relaxations with those of the reference; prints the mismatches.
    Relax(relax::Relax),
    /// Dialogues with a price at their end; prints how often it was understood.
    Price {
        /// The dialogues, a line each.
        file: PathBuf,
    },
}

fn main() -> Result<(), Failure> {
    match Arguments::parse().command {
        Command::Sgd { file, listings } => sgd::run(&file, listings),
        Command::Routing { file, mistakes } => routing::run(&file, mistakes),
        Command::Price { file } => price::run(&file),
        Command::Relax(relax) => relax.run(),
    }
}

/// The JSON values of a file, a line each.
fn lines<T: serde::de::DeserializeOwned>(file: &std::path::Path) -> Result<Vec<T>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let parsed = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    parsed
        .map(|(at, line)| {
            serde_json::from_str(line)
                .map_err(|error| format!("{}, line {}: {error}", file.display(), at + 1).into())
        })
        .collect()
}
