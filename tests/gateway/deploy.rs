//! Dashboard and alerts against what a gateway really exposes: no name or label that does not exist, and
//! nothing exposed that nobody looks at.

use super::hostile::LABELS;
use super::pipe::PipeNet;
use super::site::{beside, joined, scrape};
use assistant::config::GatewayConfig;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const DASHBOARD: &str = "gateway-dashboard.json";
const ALERTS: &str = "alerts.yaml";

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `"expr"` of a dashboard.
fn exprs(value: &Value, found: &mut Vec<String>) {
    for (name, field) in value.as_object().into_iter().flatten() {
        match field.as_str().filter(|_| name == "expr" || name == "query") {
            Some(expr) => found.push(expr.to_owned()),
            None => exprs(field, found),
        }
    }
    value.as_array().into_iter().flatten().for_each(|item| exprs(item, found));
}

fn dashboard() -> String {
    let mut found = Vec::new();
    exprs(&serde_json::from_str(&read(DASHBOARD)).unwrap(), &mut found);
    assert!(found.len() > 13, "the dashboard has only {} expressions", found.len());
    found.join("\n")
}

/// The metrics that a text names, each with the label matchers right behind it.
fn named(text: &str) -> Vec<(String, String)> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let text = text.replace("\\\"", "\"");
    text.match_indices("ws_")
        .filter(|(at, _)| !text[..*at].ends_with(is_name))
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            let matchers = behind.strip_prefix('{').and_then(|all| all.split_once('}'));
            (name.to_owned(), matchers.map_or_else(String::new, |(all, _)| all.to_owned()))
        })
        .collect()
}

/// What is wrong with one use of a metric.
fn wrong(families: &BTreeSet<String>, name: &str, matchers: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !families.contains(family(name)) {
        found.push(format!("{name} is not exposed"));
    }
    for matcher in matchers.split(',').filter(|matcher| !matcher.is_empty()) {
        let (label, values) = matcher.split_once(['=', '!']).unwrap_or((matcher, ""));
        let values = values.trim_matches(['=', '~', '"']);
        if label == "instance" {
            continue;
        }
        let Some((_, known)) = LABELS.iter().find(|(known, _)| *known == label) else {
            let is_code = label == "code" && values.parse::<u16>().is_ok();
            if !is_code {
                found.push(format!("{name} has no label {label}={values}"));
            }
            continue;
        };
        for value in values.split('|').filter(|value| !known.contains(value)) {
            found.push(format!("{label} of {name} is never `{value}`"));
        }
    }
    found
}

/// The name without the suffix of a histogram's samples.
fn family(name: &str) -> &str {
    ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

#[tokio::test(start_paused = true)]
async fn dashboard_and_alerts_speak_of_what_is_exposed() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let _socket = joined(&site).await;
        let metrics = scrape(&site).await;
        let described = metrics.lines().filter(|line| line.starts_with("# "));
        let mut catalogue: Vec<&str> = described.collect();
        catalogue.sort_unstable();
        let types = catalogue.iter().filter_map(|line| line.strip_prefix("# TYPE "));
        let families: BTreeSet<String> =
            types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
        assert!(families.len() >= 14, "{families:?}");
        let samples = metrics.lines().filter(|line| !line.starts_with('#') && line.contains('{'));
        let series: Vec<&str> =
            samples.filter_map(|line| line.rsplit_once(' ')).map(|s| s.0).collect();
        let distinct: BTreeSet<&&str> = series.iter().collect();
        assert_eq!(distinct.len(), series.len(), "a series is exposed twice:\n{metrics}");

        let (dashboard, alerts) = (dashboard(), read(ALERTS));
        let mut found = Vec::new();
        for (file, text) in [(DASHBOARD, &dashboard), (ALERTS, &alerts)] {
            for (name, matchers) in named(text) {
                let wrong = wrong(&families, &name, &matchers);
                found.extend(wrong.into_iter().map(|what| format!("{file}: {what}")));
            }
        }
        let shown: BTreeSet<String> =
            named(&dashboard).iter().map(|(name, _)| family(name).to_owned()).collect();
        let unseen = families.difference(&shown);
        found.extend(unseen.map(|name| format!("{DASHBOARD}: nobody looks at {name}")));
        assert!(found.is_empty(), "{}", found.join("\n"));

        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!("gateway__metrics", catalogue.join("\n")));
    })
    .await;
}

#[test]
fn a_name_a_label_and_a_value_that_do_not_exist_are_found() {
    let families = BTreeSet::from(["ws_closes_total".to_owned(), "ws_rtt_seconds".to_owned()]);
    for (text, expected) in [
        ("rate(ws_close_total[5m])", "ws_close_total is not exposed"),
        ("ws_closes_total{kode=\"1006\"}", "ws_closes_total has no label kode=1006"),
        ("ws_closes_total{code=\"4xyz\"}", "ws_closes_total has no label code=4xyz"),
        ("ws_closes_total{why=~\"drain|rain\"}", "why of ws_closes_total is never `rain`"),
    ] {
        let found: Vec<String> =
            named(text).iter().flat_map(|(name, all)| wrong(&families, name, all)).collect();
        assert_eq!(found, [expected], "{text}");
    }
    let fine = "histogram_quantile(0.5, ws_rtt_seconds_bucket{instance=~\"$i\"}) + ws_closes_total";
    assert!(named(fine).iter().all(|(name, all)| wrong(&families, name, all).is_empty()));
    assert_eq!(named(fine).len(), 2);
}
