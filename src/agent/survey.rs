//! Everything a search finds and could find, as plain values: what evaluation compares with a reference.

use super::catalog::Catalog;
use super::relax;
use super::search::Search;
use crate::contract::agent::{Change, Slots};
use crate::contract::id::ListingId;
use roaring::RoaringBitmap;

/// What a search finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// How many listings meet every demand.
    pub exact: u64,
    /// The first of them, by price and id; without any, those of the first option.
    pub shown: Vec<ListingId>,
    /// Every minimal relaxation, cheapest first; empty if something is exact.
    pub options: Vec<SurveyOption>,
    /// The minimal sets of demands that no listing meets together, each by name.
    pub causes: Vec<Vec<&'static str>>,
}

/// A minimal relaxation.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyOption {
    /// The stretched demands, by name.
    pub relax: Vec<&'static str>,
    /// How many listings it finds.
    pub count: u64,
    /// The cost of the nearest.
    pub cost: f64,
    /// What changes for those shown.
    pub changes: Vec<Change>,
    /// The nearest, then by price and id.
    pub shown: Vec<ListingId>,
}

/// What `slots` find in `catalog`, with at most `page` listings of each kind.
#[must_use]
pub fn survey(catalog: &Catalog, slots: &Slots, page: usize) -> Survey {
    let search = Search::new(catalog, slots);
    let ids = |rows: &RoaringBitmap| {
        rows.iter().filter_map(|row| Some(catalog.at(row)?.id.clone())).collect::<Vec<_>>()
    };
    let options: Vec<_> = relax::ways(&search)
        .iter()
        .map(|way| {
            let nearest = way.nearest(page, &RoaringBitmap::new());
            let shown = nearest.iter().filter_map(|row| Some(catalog.at(*row)?.id.clone()));
            SurveyOption {
                relax: way.missed.iter().map(|demand| demand.name).collect(),
                count: way.rows.len(),
                cost: way.cost,
                changes: way.changes(&nearest.iter().copied().collect()),
                shown: shown.collect(),
            }
        })
        .collect();
    let causes = relax::causes(&search);
    let names = |cause: Vec<&super::search::Constraint>| cause.iter().map(|d| d.name).collect();
    Survey {
        exact: search.exact.len(),
        shown: match options.first() {
            Some(option) => option.shown.clone(),
            None => ids(&search.exact.iter().take(page).collect()),
        },
        options,
        causes: causes.into_iter().map(names).collect(),
    }
}
