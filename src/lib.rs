//! The assistant: gateway, supervisor, real-estate agent, token service and client.
//!
//! Read in this order: [`contract`] says what the parts promise each other, [`net`] and [`wall`] are the
//! seams to the world, [`http`] is the root of every serving role, [`token`] says who somebody is.

pub mod agent;
pub mod auth;
pub mod client;
pub mod config;
pub mod contract;
pub mod gateway;
pub mod http;
pub mod net;
pub mod supervisor;
pub mod telemetry;
pub mod token;
pub mod wall;
