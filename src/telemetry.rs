//! Metrics in the exposition formats, from a registry that belongs to one role.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::registry::Registry;
use std::fmt::Write as _;

/// The content type of the `OpenMetrics` format.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// The answer to a scrape: `OpenMetrics` for who asks for it, as Prometheus does, and the older text format for
/// everybody else, such as `promtool check metrics`.
///
/// # Panics
/// Never: writing to a string does not fail.
#[must_use]
pub fn scrape(registry: &Registry, headers: &HeaderMap) -> Response {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)
        .expect("writing to a String does not fail");
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains(OPEN_METRICS)) {
        let kind = format!("{OPEN_METRICS}; version=1.0.0; charset=utf-8");
        return ([(header::CONTENT_TYPE, kind)], text).into_response();
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text_format(&text)).into_response()
}

/// The older format differs in two things: a counter is described under the name of its samples, and there is
/// no mark at the end.
fn text_format(open_metrics: &str) -> String {
    let mut text = String::new();
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let counter = |line: Option<&&str>| line.is_some_and(|line| line.ends_with(" counter"));
        let described = match words.as_slice() {
            ["#", "EOF"] => continue,
            ["#", "HELP", name, help] if counter(lines.peek()) => {
                format!("# HELP {name}_total {help}")
            }
            ["#", "TYPE", name, "counter"] => format!("# TYPE {name}_total counter"),
            _ => line.to_owned(),
        };
        writeln!(text, "{described}").expect("writing to a String does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_described_under_the_name_of_its_samples() {
        let open = "# HELP a Help it.\n# TYPE a counter\na_total{x=\"1\"} 2\n\
                    # HELP b A gauge.\n# TYPE b gauge\nb 3\n# EOF\n";
        let text = "# HELP a_total Help it.\n# TYPE a_total counter\na_total{x=\"1\"} 2\n\
                    # HELP b A gauge.\n# TYPE b gauge\nb 3\n";
        assert_eq!(text_format(open), text);
    }
}
