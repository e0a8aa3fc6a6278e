//! Properties of search and relaxation over generated catalogues, and that no turn panics.
//!
//! The numbers P1 to P11 are those of research/reagent.md section 6.

use super::{turn, willamette};
use crate::agent::{Catalog, Listing, PAGE_LISTINGS_MAX};
use crate::contract::agent::{
    Action, AgentResponse, AgentState, Change, ListingType, Pending, Slots, Status,
};
use crate::contract::id::ListingId;
use proptest::prelude::*;
use std::collections::BTreeSet;

const HEADER: &str = "id,listing_type,price,price_period,beds,baths,sqft,city,property_type,\
    pets_allowed,parking,laundry,furnished,year_built,available,title";
const CITIES: [&str; 3] = ["Aston", "Brook", "Clay"];

/// Cells of one column; empty is unknown.
fn cell(values: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values)
}

/// Rows of a catalogue in which near misses are frequent.
fn rows() -> impl Strategy<Value = Vec<String>> {
    let row = (
        cell(&["buy", "buy", "rent"]),
        prop_oneof![8 => (300_u32..700).prop_map(|p| (p * 10).to_string()), 1 => Just(String::new())],
        cell(&["", "0", "1", "2", "3", "4"]),
        cell(&["", "1", "1.5", "2", "2.25"]),
        cell(&["", "Aston", "Brook", "Clay"]),
        cell(&["", "yes", "no"]),
    );
    prop::collection::vec(row, 0..25).prop_map(|rows| {
        let line = |(at, (kind, price, beds, baths, city, parking)): (usize, _)| {
            let _: &(&str, String) = &(kind, String::new());
            format!("x{at},{kind},{price},,{beds},{baths},,{city},,,{parking},,,,,")
        };
        rows.into_iter().enumerate().map(line).collect()
    })
}

fn slots() -> impl Strategy<Value = Slots> {
    const NAMES: [&str; 6] = ["baths_min", "beds_min", "city", "parking", "price_max", "price_min"];
    let marked = || prop::sample::subsequence(&NAMES[..], 0..3);
    (
        prop::option::of(prop_oneof![Just(ListingType::Buy), Just(ListingType::Rent)]),
        prop::option::of(cell(&CITIES)),
        prop::option::of(2_500_u64..7_500),
        prop::option::of(2_500_u64..7_500),
        prop::option::of(0_u32..6),
        prop::option::of(prop::sample::select(vec![1.0, 1.5, 2.0, 3.0])),
        any::<bool>(),
        (marked(), marked()),
    )
        .prop_map(
            |(
                listing_type,
                city,
                price_max,
                price_min,
                beds_min,
                baths_min,
                parking,
                (hard, firm),
            )| {
                let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
                Slots {
                    listing_type,
                    city: city.map(str::to_owned),
                    price_max,
                    price_min: price_min.filter(|_| parking),
                    beds_min,
                    baths_min,
                    parking: parking.then_some(true),
                    hard: names(hard),
                    firm: names(firm),
                }
            },
        )
}

fn catalog(rows: &[String]) -> Catalog {
    let text = format!("{HEADER}\n{}", rows.join("\n"));
    let (catalog, bad) = Catalog::read(text.as_bytes()).unwrap();
    assert!(bad.is_empty(), "{bad:?}");
    catalog
}

/// What the agent makes of "show me more" with these slots: the search as it stands.
fn look(catalog: &Catalog, slots: &Slots) -> AgentResponse {
    // One listing that is not in the catalogue has been seen, so that the search counts as begun.
    let state = AgentState {
        slots: slots.clone(),
        seen: vec![ListingId::new("none").unwrap()],
        ..AgentState::default()
    };
    turn(catalog, "show me more", state)
}

/// The demands that a listing does not meet, by name, decided anew and plainly.
fn missed(listing: &Listing, slots: &Slots) -> BTreeSet<&'static str> {
    let mut missed = BTreeSet::new();
    let mut demand = |name, met: Option<bool>| {
        if met == Some(false) {
            missed.insert(name);
        }
    };
    demand("listing_type", slots.listing_type.map(|kind| kind == listing.listing_type));
    demand("city", slots.city.clone().map(|city| listing.city == Some(city)));
    demand("price_max", slots.price_max.map(|max| listing.price.is_some_and(|p| p <= max)));
    demand("price_min", slots.price_min.map(|min| listing.price.is_some_and(|p| p >= min)));
    demand("beds_min", slots.beds_min.map(|min| listing.beds.is_some_and(|b| b >= min)));
    demand("baths_min", slots.baths_min.map(|min| listing.baths.is_some_and(|b| b >= min)));
    demand("parking", slots.parking.map(|_| listing.parking == Some(true)));
    missed
}

/// Whether nothing forbids to offer a listing: no hard demand is missed, none by more than its cap.
fn may_be_offered(listing: &Listing, slots: &Slots) -> bool {
    let cap = |name: &str| {
        if slots.firm.iter().any(|firm| firm == name) { 10 } else { 25 }
    };
    missed(listing, slots).into_iter().all(|name| {
        let soft = name != "listing_type" && !slots.hard.iter().any(|hard| hard == name);
        let (max, min) = (slots.price_max.unwrap_or(0), slots.price_min.unwrap_or(0));
        soft && match name {
            "price_max" => listing.price.is_some_and(|p| p * 100 <= max * (100 + cap(name))),
            "price_min" => listing.price.is_some_and(|p| p * 100 >= min * (100 - cap(name))),
            "beds_min" => listing.beds.is_none_or(|b| b + 1 >= slots.beds_min.unwrap_or(0)),
            "baths_min" => listing.baths.is_none_or(|b| b + 1.0 >= slots.baths_min.unwrap_or(0.0)),
            _ => true,
        }
    })
}

fn name(change: &Change) -> &'static str {
    match change {
        Change::PriceMax { .. } => "price_max",
        Change::PriceMin { .. } => "price_min",
        Change::BedsMin { .. } => "beds_min",
        Change::BathsMin { .. } => "baths_min",
        Change::City { .. } => "city",
        Change::Parking {} => "parking",
    }
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

/// P4: whether a shown listing stands at the bound.
fn attained(change: &Change, shown: &[&Listing]) -> bool {
    match change {
        Change::PriceMax { to, .. } | Change::PriceMin { to, .. } => {
            shown.iter().any(|x| x.price == Some(*to))
        }
        Change::BedsMin { to, .. } => shown.iter().any(|x| x.beds == Some(*to)),
        Change::BathsMin { to, .. } => shown.iter().any(|x| x.baths == Some(*to)),
        Change::City { to, .. } => {
            to.iter().all(|city| shown.iter().any(|x| x.city.as_ref() == Some(city)))
        }
        Change::Parking {} => shown.iter().all(|x| x.parking != Some(true)),
    }
}

/// P1: what is shown meets the offered search, as far as it states anything.
fn meets(shown: &[&Listing], response: &AgentResponse) -> Result<(), TestCaseError> {
    let Some(Pending::Relaxation { slots: relaxed }) = &response.state.pending else {
        return Err(TestCaseError::fail("nothing is pending"));
    };
    for listing in shown {
        for name in missed(listing, relaxed) {
            let unstated = match name {
                "beds_min" => listing.beds.is_none(),
                "baths_min" => listing.baths.is_none(),
                "city" => listing.city.is_none(),
                _ => false,
            };
            prop_assert!(unstated, "P1: {name} is missed still");
        }
    }
    Ok(())
}

/// P1 to P5 and P11 for one search.
fn check(catalog: &Catalog, slots: &Slots, response: &AgentResponse) -> Result<(), TestCaseError> {
    let exact = catalog.listings().iter().filter(|x| missed(x, slots).is_empty()).count();
    let near = || catalog.listings().iter().filter(|x| may_be_offered(x, slots));
    prop_assert_eq!(&response.state.slots, slots, "P11: slots changed");
    let Some(Action::ShowListings { listings, total, relaxation }) = response.actions.first()
    else {
        let open = catalog.listings().iter().filter(|x| missed(x, slots).is_empty());
        prop_assert_eq!(open.count() + near().count(), 0, "nothing shown");
        return Ok(());
    };
    prop_assert!((1..=PAGE_LISTINGS_MAX).contains(&listings.len()));
    let shown: Vec<_> = listings.iter().map(|card| catalog.get(&card.id).unwrap()).collect();
    let Some(note) = relaxation else {
        prop_assert_eq!(*total, number(exact));
        prop_assert!(shown.iter().all(|x| missed(x, slots).is_empty()), "P1: not exact");
        return Ok(());
    };
    prop_assert_eq!(exact, 0, "P2: relaxed although something fits");
    prop_assert_eq!(response.status, Status::Need);
    let sets: BTreeSet<_> = shown.iter().map(|x| missed(x, slots)).collect();
    prop_assert_eq!(sets.len(), 1, "one way at a time");
    let set = sets.first().unwrap();
    prop_assert!(shown.iter().all(|x| may_be_offered(x, slots)), "P5: hard or beyond its cap");
    let smaller = near().any(|x| missed(x, slots).is_subset(set) && missed(x, slots) != *set);
    prop_assert!(!smaller, "P3: a smaller change would do");
    let same = near().filter(|x| missed(x, slots) == *set).count();
    prop_assert_eq!(note.count, number(same));
    for change in &note.changes {
        prop_assert!(set.contains(name(change)), "named but not missed: {change:?}");
        prop_assert!(attained(change, &shown), "P4: {change:?} is not attained");
    }
    meets(&shown, response)
}

/// Words that mean something to the agent, mixed with ones that do not.
fn utterance() -> impl Strategy<Value = String> {
    const WORDS: &str = "yes|no|.|?|,|2|bedrooms|baths|in|Bend|Portland|under|400k|$1,500-2,000|half|a|\
        million|and|parking|without|cheaper|bigger|more|the|second|one|last|both|is|it|\
        furnished|flats|to|rent|must|only|between|around|hundred|twenty|L-0003|anywhere|\
        St.|3rd|’|é|99999999999999999999|0|which|month|/|-|start over|buy|pets";
    let words = prop::sample::select(WORDS.split('|').collect::<Vec<_>>());
    prop_oneof![
        4 => prop::collection::vec(words, 0..14).prop_map(|words| words.join(" ")),
        1 => any::<String>(),
    ]
}

/// A state that no agent would return, with numbers at their ends.
fn wild_state() -> impl Strategy<Value = AgentState> {
    let number = || prop::option::of(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()]);
    let ids = || prop::collection::vec("L-00[0-9][0-9]", 0..4);
    let pending = prop_oneof![
        Just(None),
        Just(Some(Pending::Slot { slot: "price_max".to_owned() })),
        Just(Some(Pending::Slot { slot: "beds_min".to_owned() })),
        Just(Some(Pending::Slot { slot: "nonsense".to_owned() })),
        slots().prop_map(|slots| Some(Pending::Relaxation { slots })),
    ];
    let least = prop::option::of(prop_oneof![Just(f64::NAN), Just(-1.0), Just(1e300), Just(2.0)]);
    (slots(), number(), number(), any::<Option<u32>>(), least, (ids(), ids(), ids()), pending)
        .prop_map(
            |(slots, price_max, price_min, beds_min, baths_min, (shown, seen, focus), pending)| {
                let ids = |ids: Vec<String>| {
                    ids.into_iter().map(|id| ListingId::new(id).unwrap()).collect()
                };
                AgentState {
                    slots: Slots { price_max, price_min, beds_min, baths_min, ..slots },
                    shown: ids(shown),
                    seen: ids(seen),
                    focus: ids(focus),
                    pending,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shows_what_fits_or_the_smallest_stretch(rows in rows(), slots in slots()) {
        let catalog = catalog(&rows);
        check(&catalog, &slots, &look(&catalog, &slots))?;
    }

    #[test]
    fn the_order_of_rows_does_not_matter(rows in rows(), slots in slots(), turned in 0_usize..25) {
        let mut other = rows.clone();
        other.reverse();
        if !other.is_empty() {
            let at = turned % other.len();
            other.rotate_left(at);
        }
        prop_assert_eq!(look(&catalog(&rows), &slots), look(&catalog(&other), &slots), "P8");
    }

    #[test]
    fn any_text_in_any_state_is_answered(texts in prop::collection::vec(utterance(), 1..4), state in wild_state()) {
        let catalog = willamette();
        let mut state = state;
        for text in &texts {
            let response = turn(&catalog, text, state.clone());
            let declined = response.status == Status::Decline;
            prop_assert_eq!(response.text.is_empty(), declined, "{}", text);
            if !declined {
                state = response.state;
            }
        }
    }

    #[test]
    fn any_bytes_are_a_catalogue_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300), header in any::<bool>()) {
        let mut text = if header { format!("{HEADER}\n").into_bytes() } else { Vec::new() };
        text.extend(bytes);
        if let Ok((catalog, _)) = Catalog::read(text.as_slice()) {
            turn(&catalog, "homes in Bend under 400k", AgentState::default());
        }
    }
}
