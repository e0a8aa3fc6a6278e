//! What the agent counts. Labels come from closed sets, and nothing a user said is in them.

use crate::contract::agent::{Action, AgentResponse, Intent, Pending};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// A turn takes from 20 µs in a small catalogue to a few milliseconds among a million listings; the budgets
/// of 1 ms and 10 ms are bounds of their own.
const DURATION_BUCKETS: [f64; 14] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_2, 0.000_35, 0.000_5, 0.000_75, 0.001, 0.002, 0.005, 0.01,
    0.025, 0.1, 1.0,
];
/// None, a page, what a person reads, what a person refines.
const RESULTS_BUCKETS: [f64; 9] = [0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 1_000.0, 10_000.0, 100_000.0];

/// Why a request got no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no request.
    InvalidRequest,
    /// It is of another version of the contract.
    ContractVersion,
    /// The agent has a bug.
    Panic,
}

impl Fault {
    const ALL: [Self; 3] = [Self::InvalidRequest, Self::ContractVersion, Self::Panic];

    fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::ContractVersion => "contract_version",
            Self::Panic => "panic",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfIntent {
    intent: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfType {
    error_type: &'static str,
}

/// The counters of one agent.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) registry: Registry,
    requests: Family<OfIntent, Counter>,
    durations: Histogram,
    results: Histogram,
    errors: Family<OfType, Counter>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Histogram::new(DURATION_BUCKETS),
            results: Histogram::new(RESULTS_BUCKETS),
            errors: Family::default(),
        };
        // A series exists before it counts, since a rise from nothing is none to `rate`.
        for fault in Fault::ALL {
            drop(metrics.errors.get_or_create(&OfType { error_type: fault.as_str() }));
        }
        let registry = &mut metrics.registry;
        registry.register("agent_re_requests", "Turns by intent", metrics.requests.clone());
        registry.register(
            "agent_re_execution_duration_seconds",
            "Time from a request to its response",
            metrics.durations.clone(),
        );
        registry.register(
            "agent_re_search_results_count",
            "Listings that meet a search exactly",
            metrics.results.clone(),
        );
        registry.register("agent_re_errors", "Requests without a response", metrics.errors.clone());
        metrics
    }

    pub(super) fn answered(&self, response: &AgentResponse, took: Duration) {
        self.requests.get_or_create(&OfIntent { intent: response.intent.as_str() }).inc();
        self.durations.observe(took.as_secs_f64());
        if let Some(results) = results(response) {
            self.results.observe(results);
        }
    }

    pub(super) fn failed(&self, fault: Fault) {
        self.errors.get_or_create(&OfType { error_type: fault.as_str() }).inc();
    }
}

/// How many listings met the search exactly; nothing if there was none.
fn results(response: &AgentResponse) -> Option<f64> {
    if let Some(Action::ShowListings { total, relaxation, .. }) = response.actions.first() {
        let total = if relaxation.is_some() { 0 } else { *total };
        return Some(u32::try_from(total).map_or(f64::INFINITY, f64::from));
    }
    let searched = [Intent::PropertySearch, Intent::Refine, Intent::Cheaper, Intent::Bigger];
    let asks_where = matches!(&response.state.pending,
        Some(Pending::Slot { slot, .. }) if slot == "city" || slot == "state");
    (searched.contains(&response.intent) && !asks_where).then_some(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::{Catalog, respond};
    use crate::contract::agent::{AGENT_CONTRACT, AgentRequest, AgentState};
    use axum::body::to_bytes;
    use axum::http::HeaderMap;

    /// What a scrape says after some turns, each from the start of a conversation.
    fn scraped(texts: &[&str], micros: u64) -> String {
        let text = include_str!("../../../sessions/catalogs/willamette.csv");
        let catalog = Catalog::read(text.as_bytes()).unwrap().0;
        let metrics = Metrics::new();
        for text in texts {
            let request = AgentRequest {
                version: AGENT_CONTRACT,
                thread_id: "t".parse().unwrap(),
                message_id: "m".parse().unwrap(),
                text: (*text).to_owned(),
                heard: Vec::new(),
                today: "2026-03-02".to_owned(),
                state: AgentState::default(),
            };
            metrics.answered(&respond(&catalog, &request), Duration::from_micros(micros));
        }
        metrics.failed(Fault::InvalidRequest);
        let response = crate::telemetry::scrape(&metrics.registry, &HeaderMap::new());
        let body = futures_util::FutureExt::now_or_never(to_bytes(response.into_body(), 1 << 20));
        String::from_utf8(body.unwrap().unwrap().to_vec()).unwrap()
    }

    fn says(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|said| said == *line), "`{line}` is not in\n{text}");
        }
    }

    #[test]
    fn counts_turns_by_intent_and_errors_by_type() {
        let text = scraped(&["homes to buy in Bend", "homes to rent in Salem", "What a day!"], 40);
        says(
            &text,
            &[
                "agent_re_requests_total{intent=\"property_search\"} 2",
                "agent_re_requests_total{intent=\"no_match\"} 1",
                "agent_re_errors_total{error_type=\"invalid_request\"} 1",
                "agent_re_errors_total{error_type=\"contract_version\"} 0",
            ],
        );
    }

    #[test]
    fn tells_durations_below_a_millisecond_apart() {
        let text = scraped(&["homes to buy in Bend"], 180);
        says(
            &text,
            &[
                "agent_re_execution_duration_seconds_bucket{le=\"0.0001\"} 0",
                "agent_re_execution_duration_seconds_bucket{le=\"0.0002\"} 1",
                "agent_re_execution_duration_seconds_count 1",
            ],
        );
        assert!(DURATION_BUCKETS.iter().filter(|bound| **bound <= 0.001).count() >= 8);
        assert!(DURATION_BUCKETS.contains(&0.001) && DURATION_BUCKETS.contains(&0.01), "budgets");
    }

    #[test]
    fn counts_what_a_search_finds_exactly() {
        let text = scraped(
            &[
                "homes to buy in Bend",
                "3 bedroom house to buy in Bend under 450k",
                "homes to buy in Bend, must be under 100k, only in Bend",
                "I want to buy a home",
                "What a day!",
            ],
            40,
        );
        says(
            &text,
            &[
                "agent_re_search_results_count_bucket{le=\"0.0\"} 2",
                "agent_re_search_results_count_bucket{le=\"3.0\"} 2",
                "agent_re_search_results_count_bucket{le=\"10.0\"} 3",
                "agent_re_search_results_count_count 3",
            ],
        );
    }
}
