//! Whatever a user says in whatever state, and whatever a catalogue holds, is answered without a panic.

use super::properties::{HEADER, wishes};
use super::{turn, willamette};
use crate::agent::Catalog;
use crate::contract::agent::{AgentState, Pending, Slots, Status, Visit};
use crate::contract::id::ListingId;
use proptest::prelude::*;

/// Words that mean something to the agent, mixed with ones that do not.
fn utterance() -> impl Strategy<Value = String> {
    const WORDS: &str = "yes|no|.|?|,|2|bedrooms|baths|in|Bend|Portland|under|400k|$1,500-2,000|half|a|\
        million|and|parking|without|cheaper|bigger|more|the|second|one|last|both|is|it|\
        furnished|flats|to|rent|must|only|between|around|hundred|twenty|L-0003|anywhere|\
        St.|3rd|visit|8th|friday|next|perfect|compare|thanks|deposit|’|é|99999999999999999999|0|which|month|/|-|start over|buy|pets";
    let words = prop::sample::select(WORDS.split('|').collect::<Vec<_>>());
    prop_oneof![
        4 => prop::collection::vec(words, 0..14).prop_map(|words| words.join(" ")),
        1 => any::<String>(),
    ]
}

/// A state that no agent would return, with numbers at their ends.
fn wild_state() -> impl Strategy<Value = AgentState> {
    let number = || prop::option::of(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()]);
    let ids = || prop::collection::vec("L-00[0-9][0-9]", 0..4);
    let pending = prop_oneof![
        Just(None),
        Just(Some(Pending::Slot { slot: "price_max".to_owned(), also: vec![] })),
        Just(Some(Pending::Slot { slot: "beds_min".to_owned(), also: vec![] })),
        Just(Some(Pending::Slot { slot: "nonsense".to_owned(), also: vec![] })),
        wishes().prop_map(|slots| Some(Pending::Relaxation { slots })),
        prop::sample::select(vec![
            Some(Pending::VisitOffer {}),
            Some(Pending::VisitListing {}),
            Some(Pending::VisitDay {}),
            Some(Pending::VisitConfirm { proposed: None }),
            Some(Pending::AnythingElse {}),
        ]),
    ];
    let least = prop::option::of(prop_oneof![Just(f64::NAN), Just(-1.0), Just(1e300), Just(2.0)]);
    (wishes(), number(), number(), any::<Option<u32>>(), least, (ids(), ids(), ids()), pending)
        .prop_map(
            |(slots, price_max, price_min, beds_min, baths_min, (shown, seen, focus), pending)| {
                let ids = |ids: Vec<String>| {
                    ids.into_iter().map(|id| ListingId::new(id).unwrap()).collect()
                };
                AgentState {
                    slots: Slots { price_max, price_min, beds_min, baths_min, ..slots },
                    shown: ids(shown),
                    seen: ids(seen),
                    chosen: focus.first().map(|id| ListingId::new(id.clone()).unwrap()),
                    visit: matches!(pending, Some(Pending::VisitConfirm { .. }))
                        .then(Visit::default),
                    focus: ids(focus),
                    pending,
                    ..AgentState::default()
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_any_state_is_answered(texts in prop::collection::vec(utterance(), 1..4), state in wild_state()) {
        let catalog = willamette();
        let mut state = state;
        for text in &texts {
            let response = turn(&catalog, text, state.clone());
            let declined = response.status == Status::Decline;
            prop_assert_eq!(response.text.is_empty(), declined, "{}", text);
            if !declined {
                state = response.state;
            }
        }
    }

    #[test]
    fn any_bytes_are_a_catalogue_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300), header in any::<bool>()) {
        let mut text = if header { format!("{HEADER}\n").into_bytes() } else { Vec::new() };
        text.extend(bytes);
        if let Ok((catalog, _)) = Catalog::read(text.as_slice()) {
            turn(&catalog, "homes in Bend under 400k", AgentState::default());
        }
    }
}
