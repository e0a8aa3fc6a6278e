//! The token service. It keeps nothing: a refresh token is proof enough.

mod shell;

pub use shell::{TokenService, run};
