//! The real-estate agent: a pure function of conversation state, utterance and catalogue.
//!
//! It knows no network, clock, generator, log or task; a shell that answers requests lives beside it.
//!
//! ```text
//! text ─ understand ─▶ acts ─ turn ─▶ slots ─ search ─▶ exact matches ──┐
//!                              │                └ relax ─▶ near misses ─┼─ speak ─▶ response
//!                              └ answer ─▶ what a listing states ───────┘
//! ```

mod answer;
mod catalog;
mod gazetteer;
mod index;
mod offer;
mod relax;
mod search;
mod shell;
mod speak;
mod survey;
mod turn;
mod understand;
mod visit;
mod wishes;

#[cfg(test)]
mod tests;

pub use catalog::{BadRow, Catalog, CatalogError, Listing, Pets, RowFault};
pub use shell::run;
pub use speak::grouped;
pub use survey::{Survey, SurveyOption, survey};
pub use turn::{PAGE_LISTINGS_MAX, respond};
