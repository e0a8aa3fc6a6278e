//! Labelled utterances: which of them the router takes for a property search, each as the first of a conversation.
//!
//! Labels that only a whole dialogue could decide are left out.

use crate::{Failure, lines};
use assistant::supervisor::{ENOUGH, evidence, signals};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, Deserialize)]
struct Utterance {
    text: String,
    label: String,
}

const SEARCHES: [&str; 3] = ["property_search", "refine", "more_results"];
const LEFT_OUT: [&str; 6] =
    ["slot_answer", "select", "listing_qa", "schedule_visit", "affirm", "negate"];

/// Prints precision, recall and false-positive rate of the search family.
pub(crate) fn run(file: &Path, mistakes: bool) -> Result<(), Failure> {
    let utterances: Vec<Utterance> = lines(file)?;
    let (mut hits, mut misses, mut alarms, mut rest) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut by_label: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for case in utterances.iter().filter(|case| !LEFT_OUT.contains(&case.label.as_str())) {
        let wanted = SEARCHES.contains(&case.label.as_str());
        let got = evidence(&case.text) >= ENOUGH;
        match (wanted, got) {
            (true, true) => hits += 1,
            (true, false) => misses += 1,
            (false, true) => alarms += 1,
            (false, false) => rest += 1,
        }
        let (all, right) = by_label.entry(&case.label).or_default();
        *all += 1;
        *right += u32::from(wanted == got);
        if mistakes && wanted != got {
            println!("{}: {} {:?}", case.label, case.text, signals(&case.text));
        }
    }
    for (label, (all, right)) in by_label {
        println!("{label}: {right} of {all} right");
    }
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
    println!(
        "recall {:.4} precision {:.4} false-positive rate {:.4}",
        share(hits, hits + misses),
        share(hits, hits + alarms),
        share(alarms, alarms + rest)
    );
    Ok(())
}
