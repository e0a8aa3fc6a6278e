//! Tables of what people say and what they do with it, in several situations of a conversation.

mod homes;
mod money;
mod shown;

use super::*;
use crate::contract::agent::{ListingType, PetWish};

/// Where a conversation stands.
#[derive(Clone, Copy)]
enum Standing {
    /// Nothing was said.
    Fresh,
    /// Homes in Salem are looked for, none is shown.
    Asked(&'static [&'static str]),
    /// One home is on the table.
    Shown,
    /// Three homes are on the table.
    Several,
    /// A visit was offered.
    Offered,
    /// A day was asked for.
    WhichDay,
    /// A visit was said back.
    Confirm,
    /// "Which home would you like to visit?"
    WhichHome,
}

fn catalog() -> Catalog {
    let text = include_str!("../../../../sessions/catalogs/willamette.csv");
    Catalog::read(text.as_bytes()).unwrap().0
}

fn state(standing: Standing) -> AgentState {
    let ids = |ids: &[&str]| ids.iter().map(|id| id.parse().unwrap()).collect::<Vec<_>>();
    let mut state = AgentState::default();
    match standing {
        Standing::Fresh => {}
        Standing::Asked(slots) => {
            let mut slots = slots.iter().map(|slot| (*slot).to_owned());
            let slot = slots.next().unwrap();
            state.pending = Some(Pending::Slot { slot, also: slots.collect() });
        }
        Standing::Several => state.shown = ids(&["L-0001", "L-0002", "L-0003"]),
        Standing::Shown => state.shown = ids(&["L-0002"]),
        Standing::Offered => state.pending = Some(Pending::VisitOffer {}),
        Standing::WhichDay => state.pending = Some(Pending::VisitDay {}),
        Standing::Confirm => state.pending = Some(Pending::VisitConfirm { proposed: None }),
        Standing::WhichHome => state.pending = Some(Pending::VisitListing {}),
    }
    match standing {
        Standing::Offered | Standing::WhichDay | Standing::Confirm => {
            state.shown = ids(&["L-0002"]);
            state.chosen = state.shown.first().cloned();
        }
        Standing::Fresh | Standing::Asked(_) | Standing::Shown | Standing::Several => {}
        Standing::WhichHome => {}
    }
    state.seen.clone_from(&state.shown);
    state
}

/// The acts of a text, in short, on Friday, 2019-03-01; agreement, thanks and the like are left out.
fn read(standing: Standing, text: &str) -> String {
    let acts = understand(text, &catalog(), &state(standing), Date::parse("2019-03-01"), false);
    let mut said: Vec<_> = acts.iter().filter_map(short).collect();
    said.dedup();
    // "That sounds good" is a yes too.
    let (like, dislike) = (acts.contains(&Act::Like), acts.contains(&Act::Dislike));
    said.retain(|act| !(like && act == "yes" || dislike && act == "no"));
    said.join(", ")
}

/// Each line: what is said, two spaces at least, what it does.
fn check(standing: Standing, table: &str) {
    let mut wrong = String::new();
    let mut lines = 0;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines += 1;
        let (text, expected) = line.split_once("  ").unwrap_or((line, ""));
        let got = read(standing, text);
        if got != expected.trim() {
            wrong.push_str(&format!("{text}\n  expected {}\n  got      {got}\n", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "of {lines} lines\n{wrong}");
}

fn short(act: &Act) -> Option<String> {
    Some(match act {
        Act::Affirm => "yes".to_owned(),
        Act::Negate => "no".to_owned(),
        Act::Like => "like".to_owned(),
        Act::Dislike => "dislike".to_owned(),
        Act::Done => "done".to_owned(),
        Act::Thanks | Act::Search => return None,
        Act::Restart => "restart".to_owned(),
        Act::Wish(wish) => {
            let firm = match wish.strength {
                Strength::Loose => "",
                Strength::Firm => "~",
                Strength::Hard => "!",
            };
            format!("{}{firm}", value(&wish.value))
        }
        Act::Free(slot) => format!("free {slot}"),
        Act::Elsewhere(city) => format!("elsewhere {city}"),
        Act::NoSuchKind(kind) => format!("no {kind}"),
        Act::More => "more".to_owned(),
        Act::Cheaper => "cheaper".to_owned(),
        Act::Bigger => "bigger".to_owned(),
        Act::Ask { topics, of } => {
            let topics: Vec<_> =
                topics.iter().map(|topic| format!("{topic:?}").to_lowercase()).collect();
            format!("ask {}{}", topics.join("+"), pointed(of))
        }
        Act::Beyond { what, of: Some(of) } => format!("ask of {what}{}", pointed(of)),
        Act::Beyond { what, of: None } => format!("beyond {what}"),
        Act::Wait => "wait".to_owned(),
        Act::Compare(of) => format!("compare{}", pointed(of)),
        Act::Point(of) => format!("point{}", pointed(of)),
        Act::Visit => "visit".to_owned(),
        Act::CancelVisit => "cancel".to_owned(),
        Act::Named(name) => format!("named {name}"),
        Act::Day(day) => format!("on {}", day.date.trim_start_matches("2019-")),
        Act::Foreign => "foreign".to_owned(),
    })
}

fn pointed(of: &[Reference]) -> String {
    of.iter()
        .filter(|one| **one != Reference::It)
        .map(|one| match one {
            Reference::Nth(nth) => format!(" #{nth}"),
            Reference::Named(ids, _) => format!(" {}", ids[0]),
            Reference::It
            | Reference::All
            | Reference::Last
            | Reference::Cheapest
            | Reference::Dearest
            | Reference::Largest
            | Reference::Smallest
            | Reference::Newest => format!(" {one:?}").to_lowercase(),
        })
        .collect()
}

fn value(value: &Value) -> String {
    match value {
        Value::Type(ListingType::Buy) => "buy".to_owned(),
        Value::Type(ListingType::Rent) => "rent".to_owned(),
        Value::City(city) => city.clone(),
        Value::State(state) => format!("in {state}"),
        Value::PriceMax(price) => format!("<={price}"),
        Value::PriceMin(price) => format!(">={price}"),
        Value::Beds(beds) => format!("{beds}bd"),
        Value::BedsExact(beds) => format!("={beds}bd"),
        Value::Baths(baths) => format!("{baths}ba"),
        Value::SqftMin(sqft) => format!("{sqft}sqft"),
        Value::Pets(PetWish::Any) => "pets".to_owned(),
        Value::Pets(PetWish::Cats) => "cats".to_owned(),
        Value::Pets(PetWish::Dogs) => "dogs".to_owned(),
        Value::Parking => "parking".to_owned(),
        Value::Laundry => "laundry".to_owned(),
        Value::Furnished(true) => "furnished".to_owned(),
        Value::Furnished(false) => "unfurnished".to_owned(),
        Value::PropertyType(kind) => kind.clone(),
    }
}
