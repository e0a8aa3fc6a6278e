//! Searches and relaxations beside those of the reference: one case a line, `{query, exact,
//! options[relax, count, cost, bounds, show], mfs, show}`.
//!
//! The reference knows no map: every other city is one step away. So the catalogue is read without
//! positions and states, and the agent falls back on the same.

use super::Failure;
use assistant::agent::{Catalog, SurveyOption, survey};
use assistant::contract::agent::{Change, Slots};
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// How many listings the reference shows, and how many options it writes down.
const PAGE: usize = 5;
const OPTIONS_MAX: usize = 6;
/// The reference writes costs with nine digits.
const COST_EPSILON: f64 = 2e-9;

/// Two files.
#[derive(Debug, Args)]
pub(super) struct Relax {
    /// The listings, CSV.
    catalog: PathBuf,
    /// The cases, a JSON object a line.
    golden: PathBuf,
}

impl Relax {
    pub(super) fn run(self) -> Result<(), Failure> {
        let catalog = without_a_map(&self.catalog)?;
        let (mut cases, mut wrong) = (0, 0);
        for (line, text) in (1..).zip(fs::read_to_string(&self.golden)?.lines()) {
            let case: Value = serde_json::from_str(text)?;
            let got = answer(&catalog, &slots(&case)?);
            let differing = differences(&case, &got);
            for difference in &differing {
                println!("line {line}: {difference}\n  {text}");
            }
            cases += 1;
            wrong += usize::from(!differing.is_empty());
        }
        println!("{cases} cases, {wrong} mismatches");
        match (cases, wrong) {
            (0, _) => Err("there is no case".into()),
            (_, 0) => Ok(()),
            (_, _) => Err("the agent and the reference differ".into()),
        }
    }
}

fn without_a_map(path: &Path) -> Result<Catalog, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?.clone();
    let kept = |at: usize| !matches!(header.get(at), Some("lat" | "lon" | "state"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header)?;
    for record in reader.records() {
        let record = record?;
        let cells = record.iter().enumerate();
        writer.write_record(cells.map(|(at, cell)| if kept(at) { cell } else { "" }))?;
    }
    let (catalog, bad) = Catalog::read(writer.into_inner()?.as_slice())?;
    for row in &bad {
        println!("left out of the catalogue: {row}");
    }
    println!("{} listings, {} rows left out", catalog.listings().len(), bad.len());
    Ok(catalog)
}

/// The agent's name of a constraint.
fn slot(name: &str) -> &str {
    if name == "beds_eq" { "beds_exact" } else { name }
}

fn slots(case: &Value) -> Result<Slots, Box<dyn Error>> {
    let query = case.get("query").and_then(Value::as_object).ok_or("a case without a query")?;
    let mut slots = Map::new();
    for (name, value) in query {
        let value = match (name.as_str(), value.as_str()) {
            ("parking" | "laundry", Some(text)) => json!(text == "yes"),
            ("hard", _) => json!(texts(value).iter().map(|name| slot(name)).collect::<Vec<_>>()),
            _ => value.clone(),
        };
        slots.insert(slot(name).to_owned(), value);
    }
    Ok(serde_json::from_value(Value::Object(slots))?)
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(|text| slot(text).to_owned()).collect()
}

/// A case as the agent has it.
fn answer(catalog: &Catalog, slots: &Slots) -> Value {
    let survey = survey(catalog, slots, PAGE);
    let options: Vec<_> = survey.options.iter().take(OPTIONS_MAX).map(option).collect();
    json!({"exact": survey.exact, "options": options, "mfs": survey.causes, "show": survey.shown})
}

fn option(option: &SurveyOption) -> Value {
    let mut bounds = Map::new();
    for change in &option.changes {
        let (name, bound) = match change {
            Change::PriceMax { to, .. } => ("price_max", json!(to)),
            Change::PriceMin { to, .. } => ("price_min", json!(to)),
            Change::BedsMin { to, .. } => ("beds_min", json!(to)),
            Change::BedsExact { to, .. } => ("beds_exact", json!(to)),
            Change::SqftMin { to, .. } => ("sqft_min", json!(to)),
            Change::BathsMin { to, .. } => ("baths_min", json!(to)),
            Change::City { .. } | Change::State { .. } | Change::Pets {} => continue,
            Change::Parking {} | Change::Laundry {} | Change::Furnished {} => continue,
        };
        bounds.insert(name.to_owned(), bound);
    }
    json!({"relax": option.relax, "count": option.count, "cost": option.cost, "bounds": bounds,
        "show": option.shown})
}

/// Where the agent departs from the reference.
fn differences(case: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, wanted: &Value, got: &Value| {
        if !alike(wanted, got) {
            found.push(format!("{what}: the reference has {wanted}, the agent {got}"));
        }
    };
    compare("exact", &case["exact"], &got["exact"]);
    compare("show", &case["show"], &got["show"]);
    compare("mfs", &sets(&case["mfs"]), &sets(&got["mfs"]));
    let none = Vec::new();
    let wanted = case["options"].as_array().unwrap_or(&none);
    let options = got["options"].as_array().unwrap_or(&none);
    compare("number of options", &json!(wanted.len()), &json!(options.len()));
    for (at, (wanted, got)) in wanted.iter().zip(options).enumerate() {
        for part in ["count", "cost", "show"] {
            compare(&format!("option {at}, {part}"), &wanted[part], &got[part]);
        }
        let relaxed = json!(texts(&wanted["relax"]));
        compare(&format!("option {at}, relax"), &relaxed, &got["relax"]);
        let bounds = wanted["bounds"].as_object().into_iter().flatten();
        let bounds: Map<_, _> =
            bounds.map(|(name, bound)| (slot(name).to_owned(), bound.clone())).collect();
        compare(&format!("option {at}, bounds"), &Value::Object(bounds), &got["bounds"]);
    }
    found
}

/// A list of sets without an order.
fn sets(list: &Value) -> Value {
    let sets = list.as_array().into_iter().flatten();
    let sets: BTreeSet<BTreeSet<String>> =
        sets.map(|set| texts(set).into_iter().collect()).collect();
    json!(sets)
}

/// Equal, but for the last digits of a number and the order of fields.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= COST_EPSILON,
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| alike(a, b)))
        }
        _ => a == b,
    }
}
