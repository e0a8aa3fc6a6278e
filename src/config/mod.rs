//! Every timeout, limit and policy once, with its unit, default and source. Plain values.

mod server;

pub use server::{AgentConfig, GatewayConfig, SupervisorConfig, TokenConfig};
