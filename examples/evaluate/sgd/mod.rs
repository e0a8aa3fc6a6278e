//! Dialogues of the schema-guided dataset, acts track: the agent answers each user turn of a real dialogue.
//!
//! What the other side said, offered, asked and confirmed is as the dialogue had it; what the user wants is as
//! the agent itself understood it, turn by turn. Predictions are printed in the format of the data's scorer.
//! Schema slots are mapped to the agent's here, by the slots that a service has; the agent knows none of it.

mod dialogue;
mod listings;
mod rebuild;

use crate::talk::{Line, say};
use crate::{Failure, lines};
use assistant::agent::Catalog;
use assistant::contract::agent::{AgentResponse, AgentState, Intent, ListingType, PetWish, Topic};
use dialogue::{Dialogue, Turn};
use listings::Homes;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The day on which the dialogues take place.
const TODAY: &str = "2019-03-01";

/// What a service calls things.
#[derive(Debug)]
struct Service {
    find: &'static str,
    slots: &'static [&'static str],
}

const SERVICES: [(&str, Service); 2] = [
    (
        "Homes_1",
        Service {
            find: "FindApartment",
            slots: &[
                "area",
                "number_of_beds",
                "number_of_baths",
                "furnished",
                "pets_allowed",
                "property_name",
                "visit_date",
                "address",
                "phone_number",
                "rent",
            ],
        },
    ),
    (
        "Homes_2",
        Service {
            find: "FindHomeByArea",
            slots: &[
                "intent",
                "area",
                "number_of_beds",
                "number_of_baths",
                "has_garage",
                "in_unit_laundry",
                "property_name",
                "visit_date",
                "address",
                "phone_number",
                "price",
            ],
        },
    ),
];

/// Prints the predictions for a file of dialogues.
pub(crate) fn run(file: &Path, listings: Option<PathBuf>) -> Result<(), Failure> {
    let dialogues: Vec<Dialogue> = lines(file)?;
    let beside = file.with_file_name("listings.jsonl");
    let known = match listings.or_else(|| beside.exists().then_some(beside)) {
        Some(path) => lines(&path)?,
        None => Vec::new(),
    };
    let homes = Homes::of(&dialogues, &known)?;
    for dialogue in &dialogues {
        let service = SERVICES.iter().find(|(name, _)| *name == dialogue.service);
        let (_, service) =
            service.ok_or_else(|| format!("unknown service {}", dialogue.service))?;
        println!("{}", predictions(dialogue, service, &homes));
    }
    Ok(())
}

fn predictions(dialogue: &Dialogue, service: &Service, homes: &Homes) -> Value {
    let mut state = AgentState::default();
    let mut active = "NONE";
    let mut heard = Vec::new();
    let mut turns = Vec::new();
    let mut before: Option<&Turn> = None;
    for turn in &dialogue.turns {
        if !turn.homes {
            heard.push(turn.utterance.clone());
        } else if turn.is_user() {
            let said = before.filter(|before| before.homes && !before.is_user());
            rebuild::pending(&mut state, said, homes);
            let line =
                Line { text: &turn.utterance, today: TODAY, heard: std::mem::take(&mut heard) };
            let shown = state.shown.clone();
            let response = say(&homes.catalog, line, state);
            active = activity(response.intent, active, service);
            turns.push(prediction(turn.i, active, &response, service, &homes.catalog));
            state = response.state;
            state.shown = shown;
        } else {
            rebuild::offers(&mut state, turn, homes);
        }
        before = Some(turn);
    }
    json!({ "id": dialogue.id, "turns": turns })
}

/// What the user is busy with after a turn; most turns do not change it.
fn activity(intent: Intent, before: &'static str, service: &Service) -> &'static str {
    match intent {
        Intent::PropertySearch | Intent::Refine | Intent::More | Intent::Cheaper => service.find,
        Intent::Bigger | Intent::SelectListing | Intent::AcceptRelaxation => service.find,
        Intent::RefuseRelaxation => service.find,
        Intent::ScheduleVisit | Intent::ConfirmVisit => "ScheduleVisit",
        Intent::RefuseVisit | Intent::NothingElse => "NONE",
        Intent::ListingQuestion | Intent::Compare | Intent::Greeting | Intent::Thanks => before,
        Intent::Goodbye | Intent::Help | Intent::SmallTalk | Intent::Clarify | Intent::NoMatch => {
            before
        }
    }
}

fn prediction(
    i: u64,
    intent: &str,
    response: &AgentResponse,
    service: &Service,
    catalog: &Catalog,
) -> Value {
    let mut slots = slots(&response.state, catalog);
    slots.retain(|name, _| service.slots.contains(&name.as_str()));
    let mut answers = Map::new();
    for answer in &response.answers {
        let names = requested(answer.topic).iter().filter(|name| service.slots.contains(name));
        for name in names {
            let value = answer.value.as_deref().map(stated).unwrap_or_default();
            answers.insert((*name).to_owned(), Value::String(value.to_owned()));
        }
    }
    let requested: Vec<_> = answers.keys().cloned().collect();
    json!({ "i": i, "intent": intent, "slots": slots, "requested": requested, "answers": answers })
}

/// The agent's slots in the words of the schemas.
fn slots(state: &AgentState, catalog: &Catalog) -> Map<String, Value> {
    let wanted = &state.slots;
    let visit = state.visit.as_ref().or(state.visits.last());
    let home = state.chosen.as_ref().and_then(|id| catalog.get(id));
    let named = visit.filter(|visit| visit.listing == state.chosen || visit.listing.is_none());
    let named = named.and_then(|visit| visit.named.clone());
    let yes = |wish: Option<bool>| wish.filter(|wish| *wish).map(|_| "True".to_owned());
    let pets = wanted.pets.map(|wish| match wish {
        PetWish::Any | PetWish::Cats | PetWish::Dogs => "True".to_owned(),
    });
    let kind = wanted.listing_type.map(|kind| match kind {
        ListingType::Buy => "buy".to_owned(),
        ListingType::Rent => "rent".to_owned(),
    });
    let beds = wanted.beds_exact.or(wanted.beds_min);
    let all = [
        ("area", wanted.city.clone()),
        ("intent", kind),
        ("number_of_beds", beds.map(|beds| beds.to_string())),
        ("number_of_baths", wanted.baths_min.map(|baths| baths.to_string())),
        ("furnished", yes(wanted.furnished)),
        ("pets_allowed", pets),
        ("has_garage", yes(wanted.parking)),
        ("in_unit_laundry", yes(wanted.laundry)),
        ("property_name", named.or_else(|| home.and_then(|home| home.title.clone()))),
        ("visit_date", visit.and_then(|visit| visit.day.clone()).map(|day| day.said)),
    ];
    let said = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
    said.map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

/// The schema slots that a question is about.
fn requested(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::Price => &["rent", "price"],
        Topic::Beds => &["number_of_beds"],
        Topic::Baths => &["number_of_baths"],
        Topic::Parking => &["has_garage"],
        Topic::Pets => &["pets_allowed"],
        Topic::Laundry => &["in_unit_laundry"],
        Topic::Furnished => &["furnished"],
        Topic::Address => &["address"],
        Topic::Phone => &["phone_number"],
        Topic::Overview | Topic::Size | Topic::Year | Topic::Available | Topic::City => &[],
        Topic::Deposit | Topic::PropertyType => &[],
    }
}

/// A stated value in the words of the schemas.
fn stated(value: &str) -> &str {
    match value {
        "yes" | "cats|dogs" | "cats" | "dogs" => "True",
        "no" | "none" => "False",
        other => other,
    }
}
