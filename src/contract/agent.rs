//! What the supervisor and an agent say to each other: `POST /v1/turn`, a request in, a response out.
//!
//! An agent is a pure function of request and catalogue: all memory of a conversation travels in
//! [`AgentState`], which the supervisor stores and never looks into.

use super::id::{ListingId, MessageId, ThreadId};
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
    /// The conversation after the turn.
    pub state: AgentState,
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
    /// No parking.
    Parking {},
}

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
    },
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
    /// The highest price, dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_max: Option<u64>,
    /// The lowest price, dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_min: Option<u64>,
    /// The fewest bedrooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beds_min: Option<u32>,
    /// The fewest bathrooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baths_min: Option<f64>,
    /// Whether parking is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parking: Option<bool>,
    /// Slots that are never relaxed, by name, in alphabetical order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hard: Vec<String>,
    /// Slots said as a limit ("at most"), relaxed by less than a mere wish, by name, in alphabetical order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firm: Vec<String>,
}
