//! The commands of `cargo rehearse`, one a file.

pub(crate) mod ablate;
pub(crate) mod annotate;
pub(crate) mod bench;
pub(crate) mod bless;
pub(crate) mod coverage;
#[cfg(test)]
mod deployed;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod gate;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod shrink;
pub(crate) mod speech;
pub(crate) mod sweep;
pub(crate) mod twin;
pub(crate) mod watch;

use clap::ValueEnum;
use rehearse::rehearsal::Rehearsal;
use rehearse::world::EngineKind;

/// The engines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The reference: a runtime a host, time in ticks.
    Turmoil,
    /// The fast one: from event to event.
    Event,
}

impl Engine {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Turmoil => "turmoil",
            Self::Event => "event",
        }
    }
}

impl From<Engine> for EngineKind {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Turmoil => Self::Turmoil,
            Engine::Event => Self::Event,
        }
    }
}

/// How a command ended, if the harness did its work; of several runs the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Clean,
    Violated,
    /// A file, or a seed, could not be played.
    Unplayed,
}

impl Verdict {
    pub(crate) fn of(rehearsal: &Rehearsal) -> Self {
        match rehearsal.is_clean() {
            true => Self::Clean,
            false => Self::Violated,
        }
    }
}
