//! The token service. It keeps how far the refresh tokens of each session were used, and who logged out.

mod chain;
mod shell;
mod store;

pub use shell::{TokenService, run};
pub use store::{Store, StoreError};
