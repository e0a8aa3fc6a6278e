//! What the supervisor and an agent say to each other: `POST /v1/turn`, a request in, a response out.
//!
//! An agent is a pure function of request and catalogue: all memory of a conversation travels in
//! [`AgentState`], which the supervisor stores and never looks into.

use super::id::{ListingId, MessageId, ThreadId};
pub use super::memory::{AgentState, Day, Heard, Pending, Slots, Visit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version both sides must name.
pub const AGENT_CONTRACT: u32 = 1;

/// One user turn for an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentRequest {
    /// [`AGENT_CONTRACT`].
    pub version: u32,
    /// The conversation.
    pub thread_id: ThreadId,
    /// The turn.
    pub message_id: MessageId,
    /// What the user wrote.
    pub text: String,
    /// What was said since the agent's last turn and answered by others, oldest first: "there" may be a
    /// city that was named to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<String>,
    /// The day the user speaks of as "today", `YYYY-MM-DD`.
    pub today: String,
    /// What the agent returned last in this conversation; the default at its start.
    pub state: AgentState,
}

/// What an agent makes of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentResponse {
    /// [`AGENT_CONTRACT`].
    pub version: u32,
    /// Whether the agent took the turn.
    pub status: Status,
    /// How it understood the turn.
    pub intent: Intent,
    /// The reply.
    pub text: String,
    /// What to show besides the reply, in order.
    pub actions: Vec<Action>,
    /// The shown listings that the turn spoke of.
    pub refers_to: Vec<ListingId>,
    /// What `text` answers about listings, fact by fact, in the order asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// The conversation after the turn.
    pub state: AgentState,
}

/// One fact about a listing that the user asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The listing.
    pub listing: ListingId,
    /// What was asked.
    pub topic: Topic,
    /// What the listing states, as the catalogue writes it (`yes`, `no`, digits, text); absent if it does
    /// not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What can be asked about a listing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// All that matters.
    Overview,
    /// What it costs.
    Price,
    /// Its bedrooms.
    Beds,
    /// Its bathrooms.
    Baths,
    /// Its square feet.
    Size,
    /// A garage or another place for a car.
    Parking,
    /// Which pets may live there.
    Pets,
    /// A washer and a dryer.
    Laundry,
    /// Whether furniture comes with it.
    Furnished,
    /// When it was built.
    Year,
    /// From when it is free.
    Available,
    /// The city.
    City,
    /// Street and number.
    Address,
    /// Whom to call.
    Phone,
    /// What is paid on top before moving in.
    Deposit,
    /// House, condo or another kind.
    PropertyType,
}

/// Whether an agent took a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Answered; nothing is open.
    Done,
    /// Answered with a question; the next turn is probably its answer.
    Need,
    /// Not mine; `state` is unchanged and `text` is to be ignored.
    Decline,
}

/// How a turn was understood.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A new search.
    PropertySearch,
    /// A change to the search at hand.
    Refine,
    /// Further results of the same search.
    More,
    /// Lower prices than those shown.
    Cheaper,
    /// More bedrooms than those shown.
    Bigger,
    /// A question about a shown listing.
    ListingQuestion,
    /// Two shown listings side by side.
    Compare,
    /// Yes to an offered relaxation.
    AcceptRelaxation,
    /// No to an offered relaxation.
    RefuseRelaxation,
    /// One of the shown listings is the one.
    SelectListing,
    /// A visit is arranged: which listing, which day.
    ScheduleVisit,
    /// Yes to a visit as the agent said it back.
    ConfirmVisit,
    /// No to an offered visit.
    RefuseVisit,
    /// No to "anything else?".
    NothingElse,
    /// A greeting.
    Greeting,
    /// Thanks.
    Thanks,
    /// A farewell.
    Goodbye,
    /// A request to say what can be done here.
    Help,
    /// Talk about the assistant or the weather.
    SmallTalk,
    /// A turn that could be a search: the user is asked.
    Clarify,
    /// Nothing the assistant knows.
    NoMatch,
}

impl Intent {
    /// The name on the wire and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PropertySearch => "property_search",
            Self::Refine => "refine",
            Self::More => "more",
            Self::Cheaper => "cheaper",
            Self::Bigger => "bigger",
            Self::ListingQuestion => "listing_question",
            Self::Compare => "compare",
            Self::AcceptRelaxation => "accept_relaxation",
            Self::RefuseRelaxation => "refuse_relaxation",
            Self::SelectListing => "select_listing",
            Self::ScheduleVisit => "schedule_visit",
            Self::ConfirmVisit => "confirm_visit",
            Self::RefuseVisit => "refuse_visit",
            Self::NothingElse => "nothing_else",
            Self::Greeting => "greeting",
            Self::Thanks => "thanks",
            Self::Goodbye => "goodbye",
            Self::Help => "help",
            Self::SmallTalk => "small_talk",
            Self::Clarify => "clarify",
            Self::NoMatch => "no_match",
        }
    }
}

/// What a client is to do besides showing the reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Show these listings.
    ShowListings {
        /// In the order to be shown, never empty.
        listings: Vec<Card>,
        /// How many match in all.
        total: u64,
        /// What was stretched to find them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        relaxation: Option<RelaxationNote>,
    },
}

/// A listing as a user sees it. An absent value is unknown, not "no".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// The listing.
    pub id: ListingId,
    /// Its headline.
    pub title: String,
    /// To buy or to rent.
    pub listing_type: ListingType,
    /// Dollars; a month's rent for rentals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<u64>,
    /// Bedrooms; 0 is a studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beds: Option<u32>,
    /// Bathrooms, in quarters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baths: Option<f64>,
    /// Square feet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqft: Option<u32>,
    /// The city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state, as the catalogue names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whom to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Such as `house` or `condo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_type: Option<String>,
    /// Which pets may live there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pets: Option<Pets>,
    /// Whether there is parking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parking: Option<bool>,
    /// Whether there is laundry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laundry: Option<bool>,
    /// Whether it is furnished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub furnished: Option<bool>,
    /// The year it was built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_built: Option<u32>,
    /// From when it is free, as the listing says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// What is left with the landlord, dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<u64>,
    /// What the user asked for and the listing does not state, such as `pets not stated`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// To buy or to rent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ListingType {
    /// For sale.
    Buy,
    /// For rent.
    Rent,
}

/// Which pets may live in a home.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Pets {
    /// None.
    Neither,
    /// Cats, no dogs.
    Cats,
    /// Dogs, no cats.
    Dogs,
    /// Cats and dogs.
    Both,
}

/// Which pets must be allowed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PetWish {
    /// Some, whichever.
    Any,
    /// Cats at least.
    Cats,
    /// Dogs at least.
    Dogs,
}

/// What was stretched to find listings at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelaxationNote {
    /// Every stretched constraint, each once.
    pub changes: Vec<Change>,
    /// How many listings the relaxed search finds.
    pub count: u64,
}

/// One stretched constraint. Bounds are attained: a shown listing stands at `to`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "constraint", rename_all = "snake_case")]
pub enum Change {
    /// A higher price.
    PriceMax {
        /// Asked, dollars.
        from: u64,
        /// Offered, dollars.
        to: u64,
    },
    /// A lower price.
    PriceMin {
        /// Asked, dollars.
        from: u64,
        /// Offered, dollars.
        to: u64,
    },
    /// Fewer bedrooms.
    BedsMin {
        /// Asked.
        from: u32,
        /// Offered.
        to: u32,
    },
    /// Another number of bedrooms.
    BedsExact {
        /// Asked.
        from: u32,
        /// Offered, in ascending order.
        to: Vec<u32>,
    },
    /// Less room.
    SqftMin {
        /// Asked, square feet.
        from: u32,
        /// Offered, square feet.
        to: u32,
    },
    /// Fewer bathrooms.
    BathsMin {
        /// Asked.
        from: f64,
        /// Offered.
        to: f64,
    },
    /// Another city.
    City {
        /// Asked.
        from: String,
        /// Offered, in alphabetical order.
        to: Vec<String>,
    },
    /// Another state.
    State {
        /// Asked.
        from: String,
        /// Offered, in alphabetical order.
        to: Vec<String>,
    },
    /// Parking not stated, or none.
    Parking {},
    /// Laundry not stated, or none.
    Laundry {},
    /// Not stated to be furnished, or not furnished.
    Furnished {},
    /// Pets not stated, or not the user's.
    Pets {},
}
