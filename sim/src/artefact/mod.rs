//! A failure as one file: everything that a run needs to fail again, and where it was seen.
//!
//! It is played like a session, shrunk into a smaller one, and becomes a test in `sessions/regressions/`.

pub(crate) mod emit;

use crate::oracle::Violation;
use crate::scenario::{Host, Scenario};
use crate::schedule;
use crate::session::{Broken, Problem, Sources, Span, parse};
use crate::trace::Trace;
use crate::world::EngineKind;
use serde::{Deserialize, Serialize};

/// What the first lines of each file say.
const HEAD: &str = "\
# A failure: `cargo rehearse run` plays this file, `cargo rehearse shrink` makes it smaller, and in
# sessions/regressions/ it is a test. Whatever `config` does not say is as in production.
";

/// A scenario that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artefact {
    /// How it failed.
    pub failure: Failure,
    /// All that happens in it.
    pub scenario: Scenario,
}

/// How and where a scenario failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The commit of the project; absent if there is no git.
    #[serde(default)]
    pub commit: Option<String>,
    /// SHA-256 of its `Cargo.lock`, hexadecimal; absent if there is none.
    #[serde(default)]
    pub lockfile: Option<String>,
    /// What played it.
    pub engine: EngineKind,
    /// How to see it again.
    pub repeat: String,
    /// What the oracles said.
    pub violations: Vec<Finding>,
}

/// A violation, as a file tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The oracle.
    pub oracle: String,
    /// When it came to light, simulated microseconds since the start of the run.
    pub at_us: u64,
    /// Where; absent if no single host is to blame.
    #[serde(default)]
    pub host: Option<Host>,
    /// One sentence.
    pub what: String,
}

impl From<&Violation> for Finding {
    fn from(violation: &Violation) -> Self {
        let Violation { oracle, at_us, host, what } = violation;
        let (oracle, what) = ((*oracle).to_owned(), what.clone());
        Self { oracle, at_us: *at_us, host: host.clone(), what }
    }
}

impl Finding {
    /// Two runs of one scenario that part; no oracle's business, but a failure all the same.
    #[must_use]
    pub fn of_divergence(what: String) -> Self {
        Self { oracle: "determinism".to_owned(), at_us: 0, host: None, what }
    }
}

impl Artefact {
    /// Whether a text means to be an artefact, and not a session.
    #[must_use]
    pub fn claims(text: &str) -> bool {
        text.lines().any(|line| line.starts_with("scenario:"))
    }

    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// [`Broken`], with the first mistake.
    pub fn read(path: &str, text: &str) -> Result<Self, Broken> {
        let broken = |problem| Broken {
            path: path.to_owned(),
            sources: Sources::new(path, text),
            problems: vec![problem],
        };
        let artefact: Self = parse(text).map_err(broken)?;
        artefact.scenario.check().map_err(|why| {
            let span = Span { start: 0, len: 0 };
            broken(Problem { span, text: why.to_string(), advice: None })
        })?;
        Ok(artefact)
    }

    /// Which of its faults never happened in a run, a sentence each: then it proves nothing any more.
    #[must_use]
    pub fn stale(&self, trace: &Trace) -> Vec<String> {
        let idle =
            self.scenario.armed().filter(|place| !schedule::began(trace, place.turn, place.index));
        let told = idle.map(|place| {
            let at = place.turn.map_or("the run".to_owned(), |turn| format!("turn {}", turn + 1));
            let (number, kind) = (place.index + 1, place.armed.fault.kind());
            format!("the artefact is stale: fault {number} of {at} ({kind}) never happened")
        });
        told.collect()
    }

    /// The text of the file, which [`Artefact::read`] reads as this same value.
    ///
    /// # Panics
    /// Never: a scenario is plain data with string keys.
    #[must_use]
    pub fn write(&self) -> String {
        let value = serde_json::to_value(self).expect("a scenario is plain data");
        format!("{HEAD}{}", emit::document(&value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Crowd, chaos, default_world};
    use crate::trace::{Event, What};
    use assistant::config::client::Rule;
    use std::time::Duration;

    fn artefact(scenario: Scenario) -> Artefact {
        let finding = Finding {
            oracle: "dedup".to_owned(),
            at_us: 1,
            host: Some(Host::Gateway(1)),
            what: "ana showed frame 3 of `t-ana` twice: \"Hello\"".to_owned(),
        };
        let failure = Failure {
            commit: Some("0e1f".to_owned()),
            lockfile: None,
            engine: EngineKind::Event,
            repeat: "cargo rehearse run --chaos --seed 7".to_owned(),
            violations: vec![finding],
        };
        Artefact { failure, scenario }
    }

    fn read_again(artefact: &Artefact) {
        let text = artefact.write();
        assert!(Artefact::claims(&text));
        match Artefact::read("a.yaml", &text) {
            Ok(read) => assert_eq!(read, *artefact, "{text}"),
            Err(broken) => panic!("{:#?}\n{text}", broken.problems),
        }
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        for seed in 0..250 {
            read_again(&artefact(chaos(seed)));
        }
        let mut scenario = default_world(1);
        scenario.world.config.client.cursor = Rule::Off;
        scenario.world.config.client.open_timeout = None;
        scenario.world.config.client.window = usize::MAX;
        scenario.world.config.gateway.heartbeat = Duration::from_millis(1_500);
        read_again(&artefact(scenario));
        let (clients, lasts) = (20, Duration::from_secs(5));
        let crowd = Crowd { clients, arrive_over: lasts, turn_every: Some(lasts), lasts };
        read_again(&artefact(crowd.scenario(1)));
    }

    #[test]
    fn what_it_does_not_know_is_refused_with_its_place() {
        let text = artefact(default_world(3)).write();
        for (good, bad) in [
            ("  seed: 3\n", "  seed: 3\n  sead: 4\n"),
            ("  pace: apart", "  pace: together_apart"),
            ("limit: 600s", "limit: soon"),
            ("config: {}", "config: { client: { cursr: \"Off\" } }"),
            ("user: u-ana", "user: u-ana, usr: b"),
        ] {
            assert!(text.contains(good), "{good} in\n{text}");
            let broken = Artefact::read("a.yaml", &text.replacen(good, bad, 1));
            let broken = broken.expect_err(bad);
            assert_eq!(broken.problems.len(), 1, "{broken:?}");
            assert!(broken.problems[0].span.start < text.len() + 10, "{broken:?}");
        }
    }

    #[test]
    fn faults_that_do_not_happen_any_more_are_told() {
        let stormy = (0..).map(chaos).find(|scenario| scenario.armed().count() > 3);
        let artefact = artefact(stormy.expect("most are"));
        let stale = artefact.stale(&Trace::default());
        assert_eq!(stale.len(), artefact.scenario.armed().count());
        assert!(stale.iter().all(|told| told.ends_with(") never happened")), "{stale:#?}");
        let events = artefact.scenario.armed().skip(1).map(|place| {
            let (turn, index, fault) = (place.turn, place.index, place.armed.fault.clone());
            let what = What::Injected { turn, index, fault };
            Event { at_us: 0, host: Host::World, what }
        });
        assert_eq!(artefact.stale(&Trace { events: events.collect() }), [stale[0].clone()]);
    }

    #[test]
    fn what_no_world_can_play_is_refused() {
        let mut scenario = chaos(3);
        scenario.world.gateways = 5;
        let broken = Artefact::read("a.yaml", &artefact(scenario).write());
        let problems = broken.expect_err("it was read").problems;
        assert_eq!(problems[0].text, "a world has 1 to 4 gateways, not 5");
    }
}
