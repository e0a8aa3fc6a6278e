//! Metrics in the exposition format, from a registry that belongs to one role.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::registry::Registry;

/// The answer to a scrape.
///
/// # Panics
/// Never: writing to a string does not fail.
#[must_use]
pub fn scrape(registry: &Registry) -> Response {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)
        .expect("writing to a String does not fail");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
