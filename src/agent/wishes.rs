//! What the wishes of a turn make of the search: its slots, and whether it is a new one.
//!
//! Knows no listing and no sentence.

use super::understand::{Act, Strength, Value, Wish};
use crate::contract::agent::{AgentState, Intent, ListingType, Pending, Slots};

/// Who names a price to buy below this means thousands: "under 400".
const THOUSANDS_BELOW: u64 = 10_000;

/// No rent is as high as this, so who names such a price means to buy.
const BUYS_FROM: u64 = 25_000;

/// "2 bed flats in Salem under 300k": names homes, a city and more, so earlier wishes are over.
fn is_new_search(acts: &[Act]) -> bool {
    let wished = |test: fn(&Value) -> bool| {
        acts.iter().any(|act| matches!(act, Act::Wish(wish) if test(&wish.value)))
    };
    acts.contains(&Act::Search)
        && wished(|value| matches!(value, Value::City(_)))
        && wished(|value| {
            matches!(value, Value::Beds(_) | Value::BedsExact(_) | Value::PriceMax(_))
        })
}

/// From buying to renting, or the other way.
fn changes_type(before: &Slots, acts: &[Act]) -> bool {
    acts.iter().any(|act| {
        matches!(act, Act::Wish(Wish { value: Value::Type(kind), .. })
            if before.listing_type.is_some_and(|before| before != *kind))
    })
}

/// The slots after the wishes of a turn.
pub(super) fn changed(before: &Slots, acts: &[Act], pending: Option<&Pending>) -> Slots {
    let fresh = acts.contains(&Act::Restart)
        || is_new_search(acts) && !matches!(pending, Some(Pending::Slot { .. }));
    let mut slots = match fresh {
        true => Slots { listing_type: before.listing_type, ..Slots::default() },
        false => before.clone(),
    };
    if changes_type(&slots, acts) {
        // A price to buy says nothing about a rent.
        free(&mut slots, "price_max");
        free(&mut slots, "price_min");
    }
    for act in acts {
        if let Act::Wish(wish) = act {
            apply(&mut slots, wish);
        } else if let Act::Free(slot) = act {
            free(&mut slots, slot);
        }
    }
    let price = slots.price_max.max(slots.price_min);
    if price.is_some_and(|price| price >= BUYS_FROM) {
        slots.listing_type.get_or_insert(ListingType::Buy);
    }
    let thousands = |price: u64| match slots.listing_type {
        Some(ListingType::Buy) if price < THOUSANDS_BELOW => price.saturating_mul(1000),
        _ => price,
    };
    slots.price_max = slots.price_max.map(thousands);
    slots.price_min = slots.price_min.map(thousands);
    slots
}

/// One wish, and how firm it is.
pub(super) fn apply(slots: &mut Slots, wish: &Wish) {
    if let Some(slot) = set(slots, &wish.value) {
        mark(&mut slots.hard, slot, wish.strength == Strength::Hard);
        mark(&mut slots.firm, slot, wish.strength == Strength::Firm);
    }
}

/// Fills a slot and names it, if it can be firm. Price limits that exclude each other: the later one counts.
fn set(slots: &mut Slots, value: &Value) -> Option<&'static str> {
    let name = match value {
        Value::Type(kind) => {
            slots.listing_type = Some(*kind);
            return None;
        }
        Value::PropertyType(name) => {
            slots.property_type = Some(name.clone());
            return None;
        }
        Value::City(city) => {
            slots.city = Some(city.clone());
            slots.state = None;
            "city"
        }
        Value::State(state) => {
            slots.state = Some(state.clone());
            "state"
        }
        Value::PriceMax(max) => {
            if slots.price_min.is_some_and(|min| min > *max) {
                free(slots, "price_min");
            }
            slots.price_max = Some(*max);
            "price_max"
        }
        Value::PriceMin(min) => {
            if slots.price_max.is_some_and(|max| max < *min) {
                free(slots, "price_max");
            }
            slots.price_min = Some(*min);
            "price_min"
        }
        Value::Beds(_) | Value::BedsExact(_) | Value::Baths(_) | Value::SqftMin(_) => {
            rooms(slots, value)
        }
        Value::Pets(wish) => {
            slots.pets = Some(*wish);
            "pets"
        }
        Value::Parking => {
            slots.parking = Some(true);
            "parking"
        }
        Value::Laundry => {
            slots.laundry = Some(true);
            "laundry"
        }
        Value::Furnished(wanted) => {
            slots.furnished = Some(*wanted);
            "furnished"
        }
    };
    Some(name)
}

/// Fills a slot of rooms or size. A number of bedrooms is exact or the least, never both.
fn rooms(slots: &mut Slots, value: &Value) -> &'static str {
    if let Value::Beds(beds) = value {
        free(slots, "beds_min");
        slots.beds_min = Some(*beds);
        "beds_min"
    } else if let Value::BedsExact(beds) = value {
        free(slots, "beds_min");
        slots.beds_exact = Some(*beds);
        "beds_exact"
    } else if let Value::Baths(baths) = value {
        slots.baths_min = Some(*baths);
        "baths_min"
    } else {
        if let Value::SqftMin(least) = value {
            slots.sqft_min = Some(*least);
        }
        "sqft_min"
    }
}

/// Makes a slot free again.
fn free(slots: &mut Slots, slot: &str) {
    match slot {
        "city" => slots.city = None,
        "price_max" => slots.price_max = None,
        "price_min" => slots.price_min = None,
        "beds_min" => {
            slots.beds_min = None;
            slots.beds_exact = None;
            mark(&mut slots.hard, "beds_exact", false);
        }
        "baths_min" => slots.baths_min = None,
        "sqft_min" => slots.sqft_min = None,
        "pets" => slots.pets = None,
        "parking" => slots.parking = None,
        "laundry" => slots.laundry = None,
        "furnished" => slots.furnished = None,
        _ => {}
    }
    mark(&mut slots.hard, slot, false);
    mark(&mut slots.firm, slot, false);
}

/// Puts `slot` into the sorted list `names`, or takes it out.
fn mark(names: &mut Vec<String>, slot: &str, marked: bool) {
    names.retain(|name| name != slot);
    if marked {
        names.push(slot.to_owned());
        names.sort();
    }
}

/// Whether the wishes ask for something else, and not only more firmly.
pub(super) fn differs(slots: &Slots, before: &AgentState) -> bool {
    let values = |slots: &Slots| Slots { hard: Vec::new(), firm: Vec::new(), ..slots.clone() };
    values(slots) != values(&before.slots)
}

/// Whether the city must be asked for: nothing else narrows the search, and it was not asked before.
pub(super) fn wants_city(slots: &Slots, acts: &[Act], before: &AgentState) -> bool {
    let free = Slots { listing_type: None, hard: Vec::new(), firm: Vec::new(), ..slots.clone() };
    let going_on = !before.seen.is_empty() && !acts.contains(&Act::Restart);
    let anywhere = acts.contains(&Act::Free("city")) || going_on;
    free == Slots::default() && !anywhere
}

/// A first or fully respecified search, or a change to the one at hand.
pub(super) fn intent_of_search(before: &AgentState, acts: &[Act]) -> Intent {
    let first = before.slots == Slots::default() && before.seen.is_empty();
    if first || acts.contains(&Act::Restart) || is_new_search(acts) || is_answer(before) {
        Intent::PropertySearch
    } else {
        Intent::Refine
    }
}

/// Whether the agent had asked where to look at all.
fn is_answer(before: &AgentState) -> bool {
    let asked = matches!(&before.pending, Some(Pending::Slot { slot, .. }) if slot == "city");
    asked && before.seen.is_empty()
}
