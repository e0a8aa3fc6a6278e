//! Every timeout, limit and policy once, with its unit, default and source. Plain values.

pub mod client;
mod server;

pub use client::ClientPolicy;
pub use server::{AgentConfig, GatewayConfig, SupervisorConfig, TokenConfig};
