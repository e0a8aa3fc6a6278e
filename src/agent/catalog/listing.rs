//! A home on offer as its source states it. `None` is "not stated", which is not "no".

use crate::contract::agent::{ListingType, Pets};
use crate::contract::id::ListingId;

/// A home on offer. `None` is "not stated".
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Unique in a catalogue.
    pub id: ListingId,
    /// To buy or to rent.
    pub listing_type: ListingType,
    /// Dollars; the rent of a month unless `period` names another span.
    pub price: Option<u64>,
    /// What a rent is paid for, if not a month, such as `week`.
    pub period: Option<String>,
    /// Bedrooms; 0 is a studio.
    pub beds: Option<u32>,
    /// Bathrooms, in quarters.
    pub baths: Option<f64>,
    /// Square feet.
    pub sqft: Option<u32>,
    /// The city, in one spelling throughout a catalogue.
    pub city: Option<String>,
    /// The state, in one spelling throughout a catalogue.
    pub state: Option<String>,
    /// The postal code.
    pub zip: Option<String>,
    /// Degrees north and east.
    pub position: Option<(f64, f64)>,
    /// Street and number.
    pub address: Option<String>,
    /// Whom to call.
    pub phone: Option<String>,
    /// What is left with the landlord, dollars.
    pub deposit: Option<u64>,
    /// Such as `house` or `apartment`.
    pub property_type: Option<String>,
    /// Which pets may live there.
    pub pets: Option<Pets>,
    /// Whether there is parking.
    pub parking: Option<bool>,
    /// Whether there is laundry.
    pub laundry: Option<bool>,
    /// Whether it is furnished.
    pub furnished: Option<bool>,
    /// What else it offers, as written.
    pub amenities: Vec<String>,
    /// The year it was built in.
    pub year_built: Option<u32>,
    /// From when it is free, as the listing says it.
    pub available: Option<String>,
    /// The headline.
    pub title: Option<String>,
}
