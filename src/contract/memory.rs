//! What an agent remembers of a conversation: it travels in every request, and the supervisor stores it.

use super::agent::{ListingType, PetWish};
use super::id::ListingId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an agent remembers of a conversation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentState {
    /// What the user is looking for.
    #[serde(default)]
    pub slots: Slots,
    /// The listings shown last, in the order shown; "the second one" is the second of these.
    #[serde(default)]
    pub shown: Vec<ListingId>,
    /// All listings shown for the search at hand, in the order shown.
    #[serde(default)]
    pub seen: Vec<ListingId>,
    /// The shown listings the last question was about; "it" means these until others are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub focus: Vec<ListingId>,
    /// What the agent asked and the user has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// The listing the user decided for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ListingId>,
    /// The visit being arranged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<Visit>,
    /// The visits the user confirmed, oldest first. They are notes: nobody outside knows of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<Visit>,
    /// What was named in talk with others.
    #[serde(default, skip_serializing_if = "Heard::is_empty")]
    pub heard: Heard,
}

/// A visit to a listing, as far as it is arranged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<ListingId>,
    /// What the user calls the home, if by a name; without `listing` the catalogue has none of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
}

/// A day and the words for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// As it was said, in lower case, such as `next friday`.
    pub said: String,
}

/// What was named in talk that was not for the agent; "there" and "that day" mean these.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// A city of the catalogue, in its spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// A day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
}

impl Heard {
    /// Whether nothing was named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A question the agent waits for an answer to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// "Shall I go on with these?"
    Relaxation {
        /// The slots if the user says yes.
        slots: Slots,
    },
    /// "Which city?"
    Slot {
        /// The name of the slot in [`Slots`].
        slot: String,
        /// Further slots asked for in the same breath.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
    },
    /// "Would you like to visit it?": the listing the user decided for.
    VisitOffer {},
    /// "Which of them would you like to visit?"
    VisitListing {},
    /// "On which day?"
    VisitDay {},
    /// "A visit to this one on that day: is that right?": the visit being arranged.
    VisitConfirm {
        /// The day, if the agent proposed it and the user did not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposed: Option<Day>,
    },
    /// "Is there anything else?"
    AnythingElse {},
}

/// What the user is looking for; an absent slot is free.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// To buy or to rent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing_type: Option<ListingType>,
    /// A city of the catalogue, in its spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Whether places near the city count as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearby: Option<bool>,
    /// A state of the catalogue, in its spelling; tells cities of one name apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The highest price, dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_max: Option<u64>,
    /// The lowest price, dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_min: Option<u64>,
    /// The fewest bedrooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beds_min: Option<u32>,
    /// This number of bedrooms and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beds_exact: Option<u32>,
    /// The fewest bathrooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baths_min: Option<f64>,
    /// The least room, square feet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqft_min: Option<u32>,
    /// A type of the catalogue, in its spelling, such as `condo`; never relaxed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_type: Option<String>,
    /// Which pets must be allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pets: Option<PetWish>,
    /// Whether parking is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parking: Option<bool>,
    /// Whether laundry is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laundry: Option<bool>,
    /// Whether it must be furnished, or must not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub furnished: Option<bool>,
    /// Slots that are never relaxed, by name, in alphabetical order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hard: Vec<String>,
    /// Slots said as a limit ("at most"), relaxed by less than a mere wish, by name, in alphabetical order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firm: Vec<String>,
}
