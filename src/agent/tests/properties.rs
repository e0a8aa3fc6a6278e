//! P1 to P15 of relaxation (research/reagent.md section 6), over generated catalogues in which near misses are frequent.

use super::plain::{self, Names};
use super::turn;
use crate::agent::{Catalog, Listing, PAGE_LISTINGS_MAX, Survey, survey};
use crate::contract::agent::{
    Action, AgentResponse, AgentState, Change, ListingType, Pending, PetWish, RelaxationNote,
    Slots, Status,
};
use crate::contract::id::ListingId;
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(super) const HEADER: &str = "id,listing_type,price,price_period,beds,baths,sqft,city,\
    property_type,pets_allowed,parking,laundry,furnished,year_built,available,title";
const CITIES: [&str; 3] = ["Aston", "Brook", "Clay"];

/// Cells of one column; empty is unknown.
fn cell(values: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values)
}

/// Lines of a catalogue.
fn rows() -> impl Strategy<Value = Vec<String>> {
    let price = prop_oneof![8 => (30_u32..70).prop_map(|p| (p * 100).to_string()), 1 => Just(String::new())];
    let answer = || cell(&["", "yes", "no"]);
    let row = (
        cell(&["buy", "buy", "rent"]),
        price,
        cell(&["", "0", "1", "2", "3", "4", "33"]),
        cell(&["", "1", "1.5", "2", "2.25"]),
        cell(&["", "700", "800", "900", "1000"]),
        cell(&["", "Aston", "Brook", "Clay"]),
        (cell(&["", "house", "condo"]), cell(&["", "none", "cats", "dogs", "cats|dogs"])),
        (answer(), answer(), answer()),
    );
    prop::collection::vec(row, 0..25).prop_map(|rows| {
        let line = |(at, (kind, price, beds, baths, sqft, city, (home, pets), (a, b, c)))| {
            let (at, price): (usize, String) = (at, price);
            format!(
                "x{at},{kind},{price},,{beds},{baths},{sqft},{city},{home},{pets},{a},{b},{c},,,"
            )
        };
        rows.into_iter().enumerate().map(line).collect()
    })
}

/// What a user may look for in such a catalogue.
pub(super) fn wishes() -> impl Strategy<Value = Slots> {
    const NAMES: [&str; 8] =
        ["baths_min", "beds_min", "city", "parking", "pets", "price_max", "price_min", "sqft_min"];
    let marked = || {
        prop::sample::subsequence(&NAMES[..], 0..3)
            .prop_map(|names| names.into_iter().map(str::to_owned).collect::<Vec<String>>())
    };
    let price = || prop::option::of((25_u64..75).prop_map(|p| p * 100));
    let rarely = |wish: bool| prop::option::weighted(0.2, Just(wish));
    let beds = prop_oneof![
        2 => Just((None, None)),
        2 => (0_u32..5).prop_map(|beds| (Some(beds), None)),
        1 => (0_u32..5).prop_map(|beds| (None, Some(beds))),
    ];
    let rooms = (
        beds,
        prop::option::of(prop::sample::select(vec![1.0, 1.5, 2.0, 3.0])),
        prop::option::of(prop::sample::select(vec![700, 900, 1100])),
    );
    let features = (
        rarely(true),
        rarely(true),
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(
            0.2,
            prop::sample::select(vec![PetWish::Any, PetWish::Cats, PetWish::Dogs]),
        ),
    );
    let kind = (
        prop::option::of(prop_oneof![Just(ListingType::Buy), Just(ListingType::Rent)]),
        prop::option::weighted(0.15, cell(&["house", "condo"])),
        prop::option::of(cell(&CITIES)),
    );
    (kind, price(), price(), any::<bool>(), rooms, features, (marked(), marked())).prop_map(
        |(
            (listing_type, home, city),
            price_max,
            price_min,
            both,
            ((beds_min, beds_exact), baths_min, sqft_min),
            (parking, laundry, furnished, pets),
            (hard, firm),
        )| Slots {
            listing_type,
            property_type: home.map(str::to_owned),
            city: city.map(str::to_owned),
            price_max,
            price_min: price_min.filter(|_| both || price_max.is_none()),
            beds_min,
            beds_exact,
            baths_min,
            sqft_min,
            parking,
            laundry,
            furnished,
            pets,
            hard,
            firm,
            ..Slots::default()
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

/// The listings of the reply, and what was stretched for them.
fn shown<'c>(
    catalog: &'c Catalog,
    response: &AgentResponse,
) -> (Vec<&'c Listing>, Option<RelaxationNote>) {
    let Some(Action::ShowListings { listings, relaxation, .. }) = response.actions.first() else {
        return (Vec::new(), None);
    };
    let shown = listings.iter().map(|card| catalog.get(&card.id).unwrap());
    (shown.collect(), relaxation.clone())
}

fn ids<'c>(listings: impl IntoIterator<Item = &'c &'c Listing>) -> Vec<ListingId> {
    listings.into_iter().map(|x| x.id.clone()).collect()
}

/// Those that meet everything.
fn exact<'c>(catalog: &'c Catalog, slots: &Slots) -> Vec<&'c Listing> {
    let listings = catalog.listings().iter();
    listings.filter(|x| plain::missed(x, slots).is_empty()).collect()
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

fn name(change: &Change) -> &'static str {
    match change {
        Change::PriceMax { .. } => "price_max",
        Change::PriceMin { .. } => "price_min",
        Change::BedsMin { .. } => "beds_min",
        Change::BedsExact { .. } => "beds_exact",
        Change::SqftMin { .. } => "sqft_min",
        Change::BathsMin { .. } => "baths_min",
        Change::City { .. } => "city",
        Change::State { .. } => "state",
        Change::Parking {} => "parking",
        Change::Laundry {} => "laundry",
        Change::Furnished {} => "furnished",
        Change::Pets {} => "pets",
    }
}

/// Whether each bound is the loosest that a shown listing has.
fn attained(change: &Change, shown: &[&Listing]) -> bool {
    let prices = || shown.iter().filter_map(|x| x.price);
    let beds = || shown.iter().filter_map(|x| x.beds);
    match change {
        Change::PriceMax { to, .. } => prices().max() == Some(*to),
        Change::PriceMin { to, .. } => prices().min() == Some(*to),
        Change::BedsMin { to, .. } => beds().min() == Some(*to),
        Change::BedsExact { to, .. } => beds().collect::<BTreeSet<_>>().iter().eq(to),
        Change::SqftMin { to, .. } => shown.iter().filter_map(|x| x.sqft).min() == Some(*to),
        Change::BathsMin { to, .. } => {
            shown.iter().filter_map(|x| x.baths).min_by(f64::total_cmp) == Some(*to)
        }
        Change::City { to, .. } => {
            shown.iter().filter_map(|x| x.city.clone()).collect::<BTreeSet<_>>().iter().eq(to)
        }
        Change::State { .. } => false,
        Change::Parking {} => shown.iter().all(|x| x.parking != Some(true)),
        Change::Laundry {} => shown.iter().all(|x| x.laundry != Some(true)),
        Change::Furnished {} | Change::Pets {} => true,
    }
}

/// Whether a listing says nothing about what a demand is about.
fn leaves_open(x: &Listing, name: &str) -> bool {
    match name {
        "baths_min" => x.baths.is_none(),
        "beds_min" | "beds_exact" => x.beds.is_none(),
        "city" => x.city.is_none(),
        "sqft_min" => x.sqft.is_none(),
        "price_max" | "price_min" => x.price.is_none(),
        _ => false,
    }
}

/// What a sentence says of each demand.
const SAID: [(&str, &[&str]); 11] = [
    ("price_max", &["go up to", "price is"]),
    ("price_min", &["go down to", "price is"]),
    ("beds_min", &["bedroom"]),
    ("beds_exact", &["bedroom"]),
    ("baths_min", &["bath"]),
    ("sqft_min", &["square feet", "size is"]),
    ("city", &["look in", "look outside", "city is"]),
    ("parking", &["parking"]),
    ("laundry", &["laundry"]),
    ("furnished", &["furniture"]),
    ("pets", &["pets"]),
];

/// A line that meets every demand of `slots`, if there can be one.
fn fitting(slots: &Slots) -> Option<String> {
    let price = slots.price_max.or(slots.price_min);
    if slots.price_min.is_some_and(|min| price.is_some_and(|price| price < min)) {
        return None;
    }
    let text = |number: Option<String>| number.unwrap_or_default();
    let kind = match slots.listing_type {
        Some(ListingType::Rent) => "rent",
        Some(ListingType::Buy) | None => "buy",
    };
    Some(format!(
        "new,{kind},{},,{},{},{},{},{},cats|dogs,yes,yes,{},,,",
        text(price.map(|price| price.to_string())),
        text(slots.beds_exact.or(slots.beds_min).map(|beds| beds.to_string())),
        text(slots.baths_min.map(|baths| baths.to_string())),
        text(slots.sqft_min.map(|sqft| sqft.to_string())),
        text(slots.city.clone()),
        text(slots.property_type.clone()),
        if slots.furnished == Some(false) { "no" } else { "yes" },
    ))
}

/// A catalogue of one home for sale.
fn single(price: u64) -> Catalog {
    catalog(&[format!("x,buy,{price},,3,2,900,Aston,house,,,,,,,")])
}

fn options_at(price: u64, slots: &Slots) -> Survey {
    survey(&single(price), slots, PAGE_LISTINGS_MAX)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p0_agrees_with_the_plain_semantics(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        let survey = survey(&catalog, &slots, 4);
        let options = plain::options(&catalog, &slots);
        let exact = exact(&catalog, &slots);
        prop_assert_eq!(survey.exact, number(exact.len()));
        let expected: Vec<_> = if exact.is_empty() { options } else { Vec::new() };
        prop_assert_eq!(survey.options.len(), expected.len());
        for (got, (names, pool)) in survey.options.iter().zip(&expected) {
            prop_assert_eq!(got.relax.iter().copied().collect::<Names>(), names.clone());
            prop_assert_eq!(got.count, number(pool.len()));
            prop_assert_eq!(&got.shown, &ids(pool.iter().take(4)));
        }
    }

    #[test]
    fn p1_what_is_shown_meets_the_offered_search(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        let response = look(&catalog, &slots);
        let (shown, note) = shown(&catalog, &response);
        let search = match (&note, &response.state.pending) {
            (Some(_), Some(Pending::Relaxation { slots })) => slots.clone(),
            (note, _) => {
                prop_assert!(note.is_none(), "an offer without a question");
                slots
            }
        };
        for x in &shown {
            // Several cities become "around Aston", which without a map is anywhere.
            let place = search.nearby == Some(true) && x.city.is_some();
            let missed = plain::missed(x, &search);
            let sound = |name: &&str| leaves_open(x, name) || place && **name == *"city";
            let unstated = note.is_none() && response.text.contains("surely");
            prop_assert!(unstated || missed.iter().all(sound), "{:?}", missed);
        }
    }

    #[test]
    fn p2_nothing_is_stretched_when_something_fits(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        let exact = exact(&catalog, &slots);
        let response = look(&catalog, &slots);
        let (shown, note) = shown(&catalog, &response);
        if !exact.is_empty() {
            prop_assert!(note.is_none() && response.status == Status::Done);
            prop_assert_eq!(ids(&shown), ids(exact.iter().take(PAGE_LISTINGS_MAX)));
        } else if !shown.is_empty() {
            prop_assert!(note.is_some() && response.status == Status::Need);
            let sets: BTreeSet<_> = shown.iter().map(|x| plain::missed(x, &slots)).collect();
            prop_assert_eq!(sets.len(), 1, "two ways in one list");
        }
    }

    #[test]
    fn p3_no_smaller_change_would_do(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        let near = || catalog.listings().iter().filter(|x| plain::may_be_offered(x, &slots));
        for option in survey(&catalog, &slots, PAGE_LISTINGS_MAX).options {
            let set: Names = option.relax.iter().copied().collect();
            for x in near() {
                let missed = plain::missed(x, &slots);
                prop_assert!(!missed.is_subset(&set) || missed == set, "{:?} < {:?}", missed, set);
            }
        }
    }

    #[test]
    fn p4_every_bound_is_attained(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        let (shown, note) = shown(&catalog, &look(&catalog, &slots));
        for change in note.iter().flat_map(|note| &note.changes) {
            prop_assert!(attained(change, &shown), "{:?}", change);
        }
    }

    #[test]
    fn p5_what_must_be_is_never_stretched(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        for option in survey(&catalog, &slots, PAGE_LISTINGS_MAX).options {
            for x in option.shown.iter().map(|id| catalog.get(id).unwrap()) {
                let missed = plain::missed(x, &slots);
                prop_assert!(!missed.iter().any(|name| plain::is_hard(&slots, name)), "{:?}", missed);
                prop_assert!(plain::may_be_offered(x, &slots), "beyond its cap: {:?}", missed);
            }
        }
    }

    #[test]
    fn p6_a_fitting_listing_ends_all_offers(rows in rows(), slots in wishes()) {
        let without: Vec<_> = {
            let catalog = catalog(&rows);
            let fits = exact(&catalog, &slots);
            let is_fitting = |row: &String| fits.iter().any(|x| row.starts_with(&format!("{},", x.id)));
            rows.iter().filter(|row| !is_fitting(row)).cloned().collect()
        };
        let before = catalog(&without);
        let near = before.listings().iter().any(|x| plain::may_be_offered(x, &slots));
        prop_assert_eq!(survey(&before, &slots, 3).options.is_empty(), !near);
        if let Some(row) = fitting(&slots) {
            let survey = survey(&catalog(&[without, vec![row]].concat()), &slots, 3);
            prop_assert_eq!((survey.exact, survey.options.len(), survey.causes.len()), (1, 0, 0));
        }
    }

    #[test]
    fn p7_the_message_names_what_is_stretched_and_nothing_else(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        let response = look(&catalog, &slots);
        let (shown, note) = shown(&catalog, &response);
        let Some(note) = note else { return Ok(()) };
        let union: Names = shown.iter().flat_map(|x| plain::missed(x, &slots)).collect();
        let (_, clause) = response.text.split_once("If you ").unwrap();
        let (clause, _) = clause.split_once(" Shall I").unwrap();
        for (name, phrases) in SAID {
            let twin = name.starts_with("beds") && union.iter().any(|name| name.starts_with("beds"))
                || name.starts_with("price") && union.iter().any(|name| name.starts_with("price"));
            let said = phrases.iter().any(|phrase| clause.contains(phrase));
            prop_assert_eq!(said, union.contains(name) || twin && said, "{}: {}", name, clause);
        }
        for name in note.changes.iter().map(name) {
            prop_assert!(union.contains(name), "{}", name);
        }
        for name in union {
            let bound = note.changes.iter().any(|change| self::name(change) == name);
            prop_assert!(bound || shown.iter().all(|x| leaves_open(x, name)), "{}", name);
        }
    }

    #[test]
    fn p8_the_order_of_rows_does_not_matter(rows in rows(), slots in wishes(), turned in 0_usize..25) {
        let mut other = rows.clone();
        other.reverse();
        if !other.is_empty() {
            let at = turned % other.len();
            other.rotate_left(at);
        }
        prop_assert_eq!(look(&catalog(&rows), &slots), look(&catalog(&other), &slots));
        prop_assert_eq!(survey(&catalog(&rows), &slots, 5), survey(&catalog(&other), &slots, 5));
    }

    #[test]
    fn p9_a_further_demand_never_finds_more(rows in rows(), slots in wishes(), max in 25_u64..75) {
        let catalog = catalog(&rows);
        let count = |slots: &Slots| survey(&catalog, slots, 1).exact;
        let all = count(&slots);
        for less in [
            Slots { city: None, ..slots.clone() },
            Slots { price_max: None, ..slots.clone() },
            Slots { beds_min: None, beds_exact: None, ..slots.clone() },
            Slots { sqft_min: None, ..slots.clone() },
            Slots { pets: None, parking: None, ..slots.clone() },
        ] {
            prop_assert!(count(&less) >= all);
        }
        let max = slots.price_max.unwrap_or(u64::MAX).min(max * 100);
        let more = Slots { price_max: Some(max), ..slots };
        prop_assert!(count(&more) <= all);
    }

    #[test]
    fn p10_causes_are_the_smallest_sets_that_nothing_meets(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        prop_assume!(!catalog.listings().is_empty());
        let causes = survey(&catalog, &slots, 1).causes;
        let got: BTreeSet<Names> =
            causes.iter().map(|cause| cause.iter().copied().collect()).collect();
        prop_assert_eq!(got, plain::causes(&catalog, &slots));
    }

    #[test]
    fn p11_an_offer_changes_no_slot(rows in rows(), slots in wishes()) {
        prop_assert_eq!(look(&catalog(&rows), &slots).state.slots, slots);
    }

    #[test]
    fn p12_equal_costs_are_ordered_by_price_and_id(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        for option in survey(&catalog, &slots, 30).options {
            let shown: Vec<_> = option.shown.iter().map(|id| catalog.get(id).unwrap()).collect();
            let key = |x: &Listing| (plain::cost(x, &slots), x.price.is_none(), x.price, x.id.clone());
            prop_assert!(shown.is_sorted_by_key(|x| key(x)));
            let mut costs = plain::options(&catalog, &slots).into_iter().map(|(_, pool)| {
                plain::cost(pool[0], &slots)
            });
            let cost = format!("{:.0}", option.cost * 1e9).parse::<i64>().unwrap();
            prop_assert!(costs.any(|known| (known - cost).abs() <= 1));
        }
    }

    #[test]
    fn p13_a_price_is_stretched_to_its_cap_and_not_beyond(max in 1_u64..90) {
        let max = max * 10_000;
        let slots = Slots { price_max: Some(max), city: Some("Aston".to_owned()), ..Slots::default() };
        let firm = Slots { firm: vec!["price_max".to_owned()], ..slots.clone() };
        for (slots, cap) in [(slots, 2_500), (firm, 1_000)] {
            let at = |share: u64| max / 10_000 * (10_000 + share);
            prop_assert_eq!(options_at(at(cap), &slots).options.len(), 1);
            prop_assert_eq!(options_at(at(cap + 1), &slots).options.len(), 0);
            prop_assert_eq!(options_at(max, &slots).exact, 1);
        }
    }

    #[test]
    fn p14_without_a_way_out_the_cause_is_said_and_one_thing_asked(rows in rows(), slots in wishes()) {
        let catalog = catalog(&rows);
        let stuck = !catalog.listings().iter().any(|x| plain::may_be_offered(x, &slots));
        if !stuck || catalog.listings().is_empty() {
            return Ok(());
        }
        let survey = survey(&catalog, &slots, 3);
        prop_assert!(survey.options.is_empty() && !survey.causes.is_empty());
        let response = look(&catalog, &slots);
        prop_assert!(response.actions.is_empty());
        prop_assert!(response.text.contains("No listing is "), "{}", response.text);
        prop_assert_eq!(response.text.matches('?').count(), 1, "{}", response.text);
        let Some(Pending::Slot { slot, .. }) = &response.state.pending else {
            return Err(TestCaseError::fail("nothing asked"));
        };
        let smallest = survey.causes.iter().map(Vec::len).min().unwrap();
        let cause = survey.causes.iter().filter(|cause| cause.len() == smallest);
        let soft = |cause: &&Vec<&str>| cause.iter().filter(|x| !plain::is_hard(&slots, x)).count();
        let softest = cause.clone().map(|cause| soft(&cause)).max().unwrap();
        let mut asked = cause.filter(|cause| soft(cause) == softest);
        prop_assert!(asked.any(|cause| cause.contains(&slot.as_str())));
    }

    #[test]
    fn p15_no_demand_one_demand_or_no_listing(rows in rows(), slots in wishes()) {
        let all = survey(&catalog(&rows), &Slots::default(), 3);
        prop_assert_eq!((all.exact, all.options.len()), (number(rows.len()), 0));
        let none = survey(&catalog(&[]), &slots, 3);
        prop_assert_eq!((none.exact, none.options.len(), none.shown.len()), (0, 0, 0));
        let many = survey(&catalog(&rows), &Slots { beds_min: Some(33), ..Slots::default() }, 3);
        let rows_of_33 = rows.iter().filter(|row| row.split(',').nth(4) == Some("33")).count();
        prop_assert_eq!(many.exact, number(rows_of_33));
        for odd in [f64::NAN, f64::INFINITY, -1.0] {
            let slots = Slots { baths_min: Some(odd), ..slots.clone() };
            let odd = survey(&catalog(&rows), &slots, 3);
            prop_assert!(odd.exact <= number(rows.len()));
        }
    }
}
