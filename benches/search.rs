//! What a whole turn of the agent costs, text in and response out, in catalogues of 100,000 and a million listings.
//!
//! `LISTINGS=kc.csv:uci.csv cargo bench --bench search` multiplies the listings of those files, from a fixed seed,
//! with other prices and places a little apart; without the variable, those of `sessions/catalogs`. The
//! sentences are made of listings too: a city from one, a price from another, so that about half of the
//! searches find nothing exact. Criterion measures their mean, the lines before it say how they spread.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use assistant::agent::{Catalog, respond};
use assistant::contract::agent::{
    AGENT_CONTRACT, Action, AgentRequest, AgentResponse, AgentState, ListingType,
};
use assistant::contract::id::{MessageId, ThreadId};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::env::{split_paths, var_os};
use std::fs;
use std::path::{Path, PathBuf};
#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
use std::time::Instant;

/// The sizes of the budget: 1 ms and 10 ms a turn.
const SIZES: [usize; 2] = [100_000, 1_000_000];
const SENTENCES: usize = 400;
const SEED: u64 = 4;

/// The files to multiply.
fn sources() -> Vec<PathBuf> {
    if let Some(paths) = var_os("LISTINGS") {
        return split_paths(&paths).collect();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions/catalogs");
    let entries = fs::read_dir(folder).expect("the catalogues of the sessions");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension() == Some("csv".as_ref())).collect();
    paths.sort();
    paths
}

/// A number below `end`.
fn below(rng: &mut ChaCha8Rng, end: usize) -> usize {
    let end = u64::try_from(end).expect("a length");
    usize::try_from(rng.next_u64() % end).expect("less than a length")
}

/// A catalogue of `size` listings.
fn multiplied(size: usize) -> Catalog {
    let mut header = csv::StringRecord::new();
    let mut rows = Vec::new();
    for path in sources() {
        let mut reader = csv::Reader::from_path(path).expect("a CSV");
        header = reader.headers().expect("a header").clone();
        rows.extend(reader.into_records().map(|row| row.expect("a row")));
    }
    let at = |name: &str| header.iter().position(|column| column == name).expect("a column");
    let (id, price, places) = (at("id"), at("price"), [at("lat"), at("lon")]);
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).expect("memory");
    for (number, row) in rows.iter().cycle().take(size).enumerate() {
        let cells = row.iter().enumerate().map(|(column, cell)| match cell.parse::<f64>() {
            _ if column == id => format!("{number}.{cell}"),
            Ok(dollars) if column == price => {
                let percent = f64::from(u32::try_from(below(&mut rng, 60)).expect("small")) + 70.0;
                format!("{:.0}", dollars * percent / 100.0)
            }
            Ok(degrees) if places.contains(&column) => {
                let step = f64::from(u32::try_from(below(&mut rng, 200)).expect("small")) - 100.0;
                format!("{:.5}", degrees + step / 1e5)
            }
            _ => cell.to_owned(),
        });
        let cells: Vec<_> = cells.collect();
        writer.write_record(&cells).expect("memory");
    }
    let text = writer.into_inner().expect("memory");
    let (catalog, bad) = Catalog::read(text.as_slice()).expect("a catalogue");
    assert!(bad.is_empty(), "{bad:?}");
    catalog
}

/// What users might look for in this catalogue.
fn sentences(catalog: &Catalog) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut sentences = Vec::new();
    let listings = catalog.listings();
    while sentences.len() < SENTENCES {
        let mut any = || listings.get(below(&mut rng, listings.len())).expect("a listing");
        let (home, other) = (any(), any());
        let (Some(city), Some(price), Some(beds)) = (&home.city, other.price, home.beds) else {
            continue;
        };
        let (verb, month) = match home.listing_type {
            ListingType::Buy => ("buy", ""),
            ListingType::Rent => ("rent", " a month"),
        };
        let state = home.state.as_ref().map(|state| format!(", {state}")).unwrap_or_default();
        let price = price * [50, 70, 90, 100].get(below(&mut rng, 4)).expect("one of four") / 100;
        let parking = if below(&mut rng, 4) == 0 { " with parking" } else { "" };
        let baths = home.baths.filter(|_| below(&mut rng, 2) == 0);
        let baths = baths.map(|baths| format!(" and {baths} baths")).unwrap_or_default();
        sentences.push(format!(
            "I want to {verb} a {beds} bedroom home{baths} in {city}{state}{parking} under ${price}{month}"
        ));
    }
    sentences
}

fn turn(catalog: &Catalog, text: &str) -> AgentResponse {
    let request = AgentRequest {
        version: AGENT_CONTRACT,
        thread_id: ThreadId::new("t").expect("an id"),
        message_id: MessageId::new("m").expect("an id"),
        text: text.to_owned(),
        heard: Vec::new(),
        today: "2026-03-02".to_owned(),
        state: AgentState::default(),
    };
    respond(catalog, &request)
}

/// Prints how the times of single turns spread, and what the turns were.
fn spread(catalog: &Catalog, sentences: &[String]) {
    let (mut exact, mut relaxed) = (0, 0);
    let mut times = Vec::new();
    for text in sentences {
        #[expect(clippy::disallowed_types, reason = "a bench measures real time")]
        let start = Instant::now();
        let response = turn(catalog, text);
        times.push((start.elapsed(), text));
        if let Some(Action::ShowListings { relaxation, .. }) = response.actions.first() {
            exact += usize::from(relaxation.is_none());
            relaxed += usize::from(relaxation.is_some());
        }
    }
    times.sort();
    let at = |percent: usize| times.get((times.len() - 1) * percent / 100).expect("a time");
    println!(
        "{} listings, {} turns ({exact} exact, {relaxed} relaxed): p50 {:?}, p99 {:?}, worst {:?} ({})",
        catalog.listings().len(),
        times.len(),
        at(50).0,
        at(99).0,
        at(100).0,
        at(100).1,
    );
}

fn turns(criterion: &mut Criterion) {
    for size in SIZES {
        let catalog = multiplied(size);
        let sentences = sentences(&catalog);
        spread(&catalog, &sentences);
        let mut group = criterion.benchmark_group("turn");
        group.sample_size(20);
        let mut next = sentences.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| turn(&catalog, next.next().expect("a cycle never ends")));
        });
        group.finish();
    }
}

criterion_group!(benches, turns);
criterion_main!(benches);
