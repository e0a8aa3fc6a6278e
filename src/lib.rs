//! The assistant: gateway, supervisor, real-estate agent, token service and client.
//!
//! Read in this order: [`contract`] says what the parts promise each other.

pub mod contract;
