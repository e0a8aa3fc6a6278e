//! What may happen to a client: acts, and a generator that mixes plausible conversations with bleak networks.

use assistant::client::Input;
use proptest::prelude::*;

/// What the token service answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token {
    Grant,
    Refuse,
    Unreachable,
}

/// What the gateway answers to an upgrade.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dial {
    Opened,
    Rejected(u16, Option<u64>),
    Failed,
}

/// What the gateway does on an open socket.
#[derive(Debug, Clone)]
pub(crate) enum Gateway {
    Welcome,
    /// It accepts the next turn that reached it.
    Accept,
    /// It sends the next frame of the log.
    Next,
    /// It passes over the next frame of the log.
    Skip,
    /// It sends any frame of the log: again, or beyond a hole.
    Any(prop::sample::Index),
    /// It sends a frame of a log that is not the client's.
    OtherEpoch,
    Say(String),
    /// When to come back, milliseconds.
    Advise(u64, u64),
    End(Option<u16>),
}

/// Something that happens. What cannot happen now is passed over.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    App(Input),
    Say,
    /// The app sends a turn that waits still.
    SayAgain(prop::sample::Index),
    Wake,
    Pass(u64),
    Token(Token),
    Dial(Dial),
    Gateway(Gateway),
    /// The log is created anew.
    Recreate,
    /// The app is killed and started again.
    Restart,
    /// An input of an older attempt, whatever it is.
    Stale(u8, prop::sample::Index),
}

pub(crate) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let app = prop::sample::select(vec![
        Input::Connect,
        Input::Connect,
        Input::Online,
        Input::Offline,
        Input::Visible,
        Input::Close,
    ]);
    let status = prop::sample::select(vec![401, 403, 404, 429, 500, 503, 302, 200]);
    let code = prop::option::of(prop_oneof![
        Just(1000u16),
        Just(1012),
        Just(1013),
        Just(1009),
        Just(4400),
        Just(4401),
        Just(4410),
        Just(1002),
        any::<u16>(),
    ]);
    let ephemeral = prop::sample::select(vec![
        r#"{"event":"ping","n":1}"#,
        r#"{"event":"typing","in_reply_to":"m1"}"#,
        r#"{"event":"ack","message_id":"m1","seq":1}"#,
        r#"{"event":"reconnect_advice","why":"auth","min_ms":0,"max_ms":1000}"#,
        r#"{"event":"resumed","from":0,"to":9,"recovered":true}"#,
        r#"{"event":"sparkle"}"#,
        "not json",
    ]);
    let act = prop_oneof![
        2 => app.prop_map(Act::App),
        4 => Just(Act::Say),
        6 => Just(Act::Wake),
        2 => (0..20_000u64).prop_map(Act::Pass),
        9 => Just(Act::Token(Token::Grant)),
        1 => prop_oneof![Just(Act::Token(Token::Refuse)), Just(Act::Token(Token::Unreachable))],
        1 => Just(Act::Recreate),
        9 => Just(Act::Dial(Dial::Opened)),
        1 => (status, prop::option::of(0..90u64)).prop_map(|(s, after)| Act::Dial(Dial::Rejected(s, after))),
        1 => Just(Act::Dial(Dial::Failed)),
        9 => Just(Act::Gateway(Gateway::Welcome)),
        6 => Just(Act::Gateway(Gateway::Accept)),
        9 => Just(Act::Gateway(Gateway::Next)),
        2 => any::<prop::sample::Index>().prop_map(|at| Act::Gateway(Gateway::Any(at))),
        1 => prop_oneof![(0..300u64, 0..300u64), (0..90_000u64, 0..90_000u64)]
            .prop_map(|(min, max)| Act::Gateway(Gateway::Advise(min, max))),
        2 => Just(Act::Gateway(Gateway::OtherEpoch)),
        2 => Just(Act::Gateway(Gateway::Skip)),
        1 => Just(Act::Restart),
        1 => any::<prop::sample::Index>().prop_map(Act::SayAgain),
        4 => ephemeral.prop_map(|text| Act::Gateway(Gateway::Say(text.to_owned()))),
        2 => code.prop_map(|code| Act::Gateway(Gateway::End(code))),
        3 => (0..9u8, any::<prop::sample::Index>()).prop_map(|(kind, at)| Act::Stale(kind, at)),
    ];
    prop_oneof![
        4 => prop::collection::vec(act, 1..150),
        1 => prop::collection::vec(bleak(), 60..150),
    ]
}

/// Some networks only fail: without them a client hardly ever parks.
fn bleak() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Wake), 2 => Just(Act::Dial(Dial::Failed)), 4 => Just(Act::Token(Token::Grant)), 1 => Just(Act::Say),
        1 => Just(Act::App(Input::Connect)), 1 => Just(Act::Token(Token::Unreachable)),
    ]
}
