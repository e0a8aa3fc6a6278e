//! The sentences about searches that find nothing: what would have to change, from what to what, and how
//! many homes there are then; or what cannot be met together. Decides nothing.

use super::search::{Constraint, Feature, Test};
use super::speak::{baths, count, either, grouped, homes, kind, kinds, list, money, pets, wanted};
use crate::contract::agent::{Change, ListingType, Slots};

/// A demand that would have to give way.
#[derive(Debug, Clone)]
pub(super) struct Step<'s> {
    pub(super) demand: &'s Constraint,
    /// From what to what; nothing if no listing states it.
    pub(super) change: Option<Change>,
    /// Whether none of the listings states it.
    pub(super) open: bool,
}

/// What a demand is about.
pub(super) fn subject(demand: &Constraint) -> &'static str {
    match demand.test {
        Test::BathsMin(_) => "baths",
        Test::BedsExact(_) | Test::BedsMin(_) => "bedrooms",
        Test::City(..) => "city",
        Test::Has(feature) => feature_name(feature),
        Test::PriceMax(_) | Test::PriceMin(_) => "price",
        Test::PropertyType(_) => "type",
        Test::SqftMin(_) => "size",
        Test::State(_) => "state",
        Test::Type(_) => "rent or sale",
    }
}

fn feature_name(feature: Feature) -> &'static str {
    match feature {
        Feature::Furnished(_) => "furniture",
        Feature::Laundry => "laundry",
        Feature::Parking => "parking",
        Feature::Pets(_) => "pets",
    }
}

/// Near misses: what was asked, what would have to change, and the question whether it may.
pub(super) fn offer(slots: &Slots, steps: &[Step<'_>], shown: u64, total: u64) -> String {
    let fit = match (shown, total) {
        (1, 1) => format!("this {} fits", kind(slots)),
        (_, _) if shown == total => format!("these {} fit", homes(slots, shown)),
        (1, _) => format!("this one fits, the closest of {} near matches", grouped(total)),
        _ => format!("these {shown} fit, the closest of {} near matches", grouped(total)),
    };
    let steps: Vec<_> = steps.iter().map(|step| required(step, slots)).collect();
    format!(
        "I found no {}{}. If you {}, {fit}. Shall I go on with that?",
        kind(slots),
        wanted(slots),
        list(&steps, "and")
    )
}

/// What the user would have to do.
fn required(step: &Step<'_>, slots: &Slots) -> String {
    let money = |dollars: &u64| money(*dollars, slots.listing_type);
    let Some(change) = step.change.as_ref().filter(|_| !step.open) else {
        let subject = subject(step.demand);
        let verb = if subject.ends_with('s') { "are" } else { "is" };
        return format!("accept that {subject} {verb} not stated");
    };
    match change {
        Change::PriceMax { from, to } => {
            format!("go up to {} instead of {}", money(to), money(from))
        }
        Change::PriceMin { from, to } => {
            format!("go down to {} instead of {}", money(to), money(from))
        }
        Change::BedsMin { from, to } => {
            format!("take {} instead of {from}", count((*to).into(), "bedroom"))
        }
        Change::BedsExact { from, to } => match to.as_slice() {
            [only] => format!("take {} instead of {from}", count((*only).into(), "bedroom")),
            _ => format!("take {} bedrooms instead of {from}", either(to)),
        },
        Change::BathsMin { from, to } => format!("take {} instead of {from}", baths(*to)),
        Change::SqftMin { from, to } => format!(
            "take {} square feet instead of {}",
            grouped((*to).into()),
            grouped((*from).into())
        ),
        Change::City { from, to } | Change::State { from, to } if to.is_empty() => {
            format!("look outside {from}")
        }
        Change::City { from, to } | Change::State { from, to } => {
            format!("look in {} instead of {from}", list(to, "or"))
        }
        Change::Parking {} => "do without parking".to_owned(),
        Change::Laundry {} => "do without laundry".to_owned(),
        Change::Furnished {} if step.demand.test == Test::Has(Feature::Furnished(false)) => {
            "take it with furniture".to_owned()
        }
        Change::Furnished {} => "do without furniture".to_owned(),
        Change::Pets {} => "go without pets".to_owned(),
    }
}

/// The other ways out: how many homes, and under which changes.
pub(super) fn otherwise(ways: &[(u64, Vec<Step<'_>>)], slots: &Slots) -> String {
    let way = |(total, steps): &(u64, Vec<Step<'_>>)| {
        let under: Vec<_> = steps.iter().map(|step| under(step, slots)).collect();
        format!("{} {}", grouped(*total), under.join(" "))
    };
    let ways: Vec<_> = ways.iter().map(way).collect();
    format!("Otherwise I have {}.", list(&ways, "or"))
}

/// Under which change.
fn under(step: &Step<'_>, slots: &Slots) -> String {
    /// More cities are only counted.
    const NAMED_MAX: usize = 2;
    let money = |dollars: &u64| money(*dollars, slots.listing_type);
    let Some(change) = step.change.as_ref().filter(|_| !step.open) else {
        return format!("with {} not stated", subject(step.demand));
    };
    match change {
        Change::PriceMax { to, .. } => format!("at up to {}", money(to)),
        Change::PriceMin { to, .. } => format!("from {}", money(to)),
        Change::BedsMin { to, .. } => format!("with {}", count((*to).into(), "bedroom")),
        Change::BedsExact { to, .. } => match to.as_slice() {
            [only] => format!("with {}", count((*only).into(), "bedroom")),
            _ => format!("with {} bedrooms", either(to)),
        },
        Change::BathsMin { to, .. } => format!("with {}", baths(*to)),
        Change::SqftMin { to, .. } => format!("from {} square feet", grouped((*to).into())),
        Change::City { to, .. } | Change::State { to, .. } if to.is_empty() => {
            "elsewhere".to_owned()
        }
        Change::City { to, .. } | Change::State { to, .. } if to.len() <= NAMED_MAX => {
            format!("in {}", list(to, "and"))
        }
        Change::City { to, .. } => format!("in {} other cities", to.len()),
        Change::State { to, .. } => format!("in {} other states", to.len()),
        Change::Parking {} => "without sure parking".to_owned(),
        Change::Laundry {} => "without sure laundry".to_owned(),
        Change::Furnished {} => "not surely furnished as you wish".to_owned(),
        Change::Pets {} => "that may not take pets".to_owned(),
    }
}

/// Nothing further that comes near, while a relaxation is on offer.
pub(super) fn no_more_near(slots: &Slots) -> String {
    format!(
        "I found no {}{}, and you have seen all that come close. Shall I go on with those?",
        kind(slots),
        wanted(slots)
    )
}

/// Nothing, not even close; `cause` cannot be met together.
pub(super) fn impossible(slots: &Slots, cause: &[&Constraint]) -> String {
    let nothing = format!("I found no {}{}, and nothing close to it.", kind(slots), wanted(slots));
    let demands: Vec<_> = cause.iter().map(|demand| phrase(demand, slots)).collect();
    let why = match demands.as_slice() {
        [] => return "I have no homes to offer at the moment.".to_owned(),
        [only] => format!("No listing is {only}."),
        _ => format!("No listing is {} at once.", list(&demands, "and")),
    };
    format!("{nothing} {why}")
}

/// A demand, after "is".
fn phrase(demand: &Constraint, slots: &Slots) -> String {
    match &demand.test {
        Test::BathsMin(least) => format!("known to have at least {}", baths(*least)),
        Test::BedsMin(least) => {
            format!("known to have at least {}", count((*least).into(), "bedroom"))
        }
        Test::BedsExact(0) => "known to be a studio".to_owned(),
        Test::BedsExact(number) => {
            format!("known to have exactly {}", count((*number).into(), "bedroom"))
        }
        Test::SqftMin(least) => {
            format!("known to have at least {} square feet", grouped((*least).into()))
        }
        Test::City(place, _) if slots.nearby == Some(true) => format!("in or near {place}"),
        Test::City(place, _) | Test::State(place) => format!("in {place}"),
        Test::Has(Feature::Furnished(true)) => "known to be furnished".to_owned(),
        Test::Has(Feature::Furnished(false)) => "known to be unfurnished".to_owned(),
        Test::Has(Feature::Pets(wish)) => format!("known to allow {}", pets(*wish)),
        Test::Has(feature) => format!("known to have {}", feature_name(*feature)),
        Test::PropertyType(kind) => format!("a {kind}"),
        Test::Type(ListingType::Buy) => "for sale".to_owned(),
        Test::Type(ListingType::Rent) => "for rent".to_owned(),
        Test::PriceMax(max) => format!("priced at up to {}", money(*max, slots.listing_type)),
        Test::PriceMin(min) => format!("priced from {}", money(*min, slots.listing_type)),
    }
}

/// The question about one demand that could give way.
pub(super) fn give_way(demand: &Constraint) -> &'static str {
    match demand.test {
        Test::BathsMin(_) => "How few baths would do?",
        Test::BedsMin(_) => "How few bedrooms would do?",
        Test::BedsExact(_) => "Which other number of bedrooms would do?",
        Test::City(..) => "Which other city would do?",
        Test::Has(Feature::Furnished(_)) => "Would you leave the furniture open?",
        Test::Has(Feature::Laundry) => "Would you do without laundry?",
        Test::Has(Feature::Parking) => "Would you do without parking?",
        Test::Has(Feature::Pets(_)) => "Would you look without the pets?",
        Test::PriceMax(_) => "How high could you go?",
        Test::PriceMin(_) => "How low could you go?",
        Test::PropertyType(_) => "Which other kind of home would do?",
        Test::SqftMin(_) => "How few square feet would do?",
        Test::State(_) => "Which other state would do?",
        Test::Type(_) => "Would you rather rent or buy?",
    }
}

/// Yes to a relaxation, and how many of its homes are left to show.
pub(super) fn accepted(slots: &Slots, further: &str) -> String {
    format!("Good, from now on I look for {}{}. {further}", kinds(slots), wanted(slots))
}

/// No to a relaxation.
pub(super) fn refused(slots: &Slots) -> String {
    format!(
        "All right, I stay with {}{}. Tell me what else to change, and I will look again.",
        kinds(slots),
        wanted(slots)
    )
}
