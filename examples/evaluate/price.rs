//! Budgets in people's own words: the price that the agent holds after a dialogue against the labelled one.

use crate::talk::{Line, say};
use crate::{Failure, lines};
use assistant::agent::Catalog;
use assistant::contract::agent::{AgentState, Pending, Slots};
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Deserialize)]
struct Case {
    id: u64,
    /// Who said what.
    history: Vec<(String, String)>,
    price: f64,
}

/// Prints the share of dialogues whose last price is right, and those where it is not.
pub(crate) fn run(file: &Path) -> Result<(), Failure> {
    let cases: Vec<Case> = lines(file)?;
    let mut right = 0_u32;
    let catalog = Catalog::default();
    for case in &cases {
        let slots = understood(&catalog, case);
        let price = price(&slots);
        if price.is_some_and(|price| (price - case.price).abs() < 0.5) {
            right += 1;
        } else {
            let said: Vec<_> = case.history.iter().filter(|(who, _)| who == "USER").collect();
            println!("{} wanted {} got {price:?}: {said:?}", case.id, case.price);
        }
    }
    let total = u32::try_from(cases.len())?;
    println!("{right} of {total} prices right: {:.4}", f64::from(right) / f64::from(total));
    Ok(())
}

/// The slots after the dialogue; what the other side asked is told by its words.
fn understood(catalog: &Catalog, case: &Case) -> Slots {
    let mut state = AgentState::default();
    for (who, text) in &case.history {
        if who == "USER" {
            state = say(catalog, Line { text, today: "2020-06-01", heard: vec![] }, state).state;
        } else {
            // Whatever else was asked, something is still being looked for.
            state.pending = asked(text).or(state.pending);
        }
    }
    state.slots
}

fn asked(text: &str) -> Option<Pending> {
    const QUESTIONS: [(&str, &str); 4] = [
        ("price", "price_max"),
        ("budget", "price_max"),
        ("bedroom", "beds_min"),
        ("rooms", "beds_min"),
    ];
    let lower = text.to_lowercase();
    let slot = QUESTIONS.iter().find(|(word, _)| text.contains('?') && lower.contains(word));
    slot.map(|(_, slot)| Pending::Slot { slot: (*slot).to_owned(), also: vec![] })
}

/// The one price that the slots speak of: a limit, the middle of "around", the end of a range.
fn price(slots: &Slots) -> Option<f64> {
    let float = |price: u64| u32::try_from(price).ok().map(f64::from);
    let (min, max) = (slots.price_min.and_then(float), slots.price_max.and_then(float));
    if let (Some(min), Some(max)) = (min, max) {
        let middle = ((min + max) / 2.0).round();
        let around = (min - (middle - (middle * 0.15).floor())).abs() <= 1.0;
        return Some(if around { middle } else { max });
    }
    max.or(min)
}
