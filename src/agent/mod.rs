//! The real-estate agent: what it knows are listings.

mod catalog;

pub use catalog::{BadRow, Catalog, CatalogError, Listing, Pets, RowFault};
