//! The harness: runs the whole assistant inside a simulated network and judges what happened.
//!
//! Everything that happens is a value: a scenario enters a world, a trace leaves it, oracles turn the
//! trace into violations, a report tells them.

#[cfg(not(tokio_unstable))]
compile_error!(
    "build with `--cfg tokio_unstable`, as .cargo/config.toml does (RUSTFLAGS in the environment \
     overrides it): without it tokio swallows panics and leaves its scheduling unseeded"
);

pub mod ablate;
pub mod artefact;
pub mod coverage;
pub mod divergence;
pub mod explain;
pub mod oracle;
pub mod project;
pub mod random;
pub mod rehearsal;
pub mod report;
pub mod scenario;
pub mod schedule;
pub mod session;
pub mod shards;
pub mod shrink;
pub mod sweep;
pub mod trace;
pub mod transparent;
pub mod twin;
pub mod view;
pub mod world;
