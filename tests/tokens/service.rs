//! Rotation, theft, logout, the list of revocations, and what survives.

use super::desk::{
    Clock, PATIENCE, START, Site, beside, beside_with, bind, keys, login, patient, peer, told,
};
use assistant::auth::{self, Store, TokenService};
use assistant::config::TokenConfig;
use assistant::http::Stop;
use assistant::net::TokioNet;
use assistant::token::{Kind, LEEWAY};
use hyper::StatusCode;
use redb::backends::InMemoryBackend;
use rehearse::world::SimDisk;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// The first moment at which a repetition is theft.
fn late() -> Duration {
    TokenConfig::default().reuse_leeway + Duration::from_secs(1)
}

#[tokio::test]
async fn every_use_yields_an_access_token_and_the_next_refresh_token() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let mut token = login("s", clock.now());
        for n in 2..=5 {
            clock.pass(Duration::from_secs(600));
            let granted = site.refresh(&token).await.unwrap();
            let access = keys().verify(Kind::Access, &granted.access_token, clock.now());
            let access = access.unwrap();
            assert_eq!((access.sub.as_str(), access.sid.as_str(), access.n), ("u", "s", 0));
            assert_eq!(access.exp, clock.now().as_secs() + granted.expires_in);
            token = granted.refresh_token.unwrap();
            let next = keys().verify(Kind::Refresh, &token, clock.now()).unwrap();
            assert_eq!((next.sub.as_str(), next.sid.as_str(), next.n), ("u", "s", n));
            // It lasts anew.
            let ttl = TokenConfig::default().refresh_ttl;
            assert_eq!(next.exp, (clock.now() + ttl).as_secs());
        }
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_given_again_and_the_session_goes_on() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let first = login("s", clock.now());
        let lost = site.next(&first).await;
        clock.pass(Duration::from_secs(86_400));
        let second = site.next(&first).await;
        assert_ne!(lost, second, "the repeated answer has the old lifetime");
        let third = site.next(&second).await;
        // The question came a second time, from behind.
        site.next(&first).await;
        site.next(&third).await;
        assert_eq!(site.revoked().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_stolen_token_ends_the_session_for_thief_and_owner() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let stolen = login("s", clock.now());
        let second = site.next(&stolen).await;
        let third = site.next(&second).await;
        clock.pass(late());
        site.refused(&stolen).await;
        for spent in [&stolen, &second, &third] {
            site.refused(spent).await;
        }
        assert_eq!(site.revoked().await, ["s"]);
        // Another login of the same user is another session.
        site.next(&login("t", clock.now())).await;
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_is_refused_once_it_has_expired_on_every_clock() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let token = login("s", clock.now());
        clock.pass(TokenConfig::default().refresh_ttl + LEEWAY - Duration::from_secs(1));
        site.next(&token).await;
        clock.pass(Duration::from_secs(1));
        site.refused(&token).await;
    })
    .await;
}

#[tokio::test]
async fn a_logout_ends_the_session_whichever_of_its_tokens_is_given() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let [unused, spent, newest] = ["a", "b", "c"].map(|name| login(name, clock.now()));
        let after_spent = site.next(&spent).await;
        let after_newest = site.next(&newest).await;
        for token in [&unused, &spent, &after_newest, &after_newest] {
            site.revoke(token).await;
        }
        for token in [unused, spent, after_spent, newest, after_newest] {
            site.refused(&token).await;
        }
        assert_eq!(site.revoked().await, ["a", "b", "c"]);
        clock.pass(TokenConfig::default().access_ttl + LEEWAY);
        assert_eq!(site.revoked().await, [""; 0], "their access tokens have expired");
    })
    .await;
}

#[tokio::test]
async fn whatever_is_no_refresh_token_is_refused_and_revokes_nothing() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let good = login("s", clock.now());
        let granted = site.refresh(&good).await.unwrap();
        let forged = format!("{}x", login("s", clock.now()));
        let expired = login("s", clock.now() - TokenConfig::default().refresh_ttl - LEEWAY);
        for token in ["", "a.b.c", &granted.access_token, &forged, &expired] {
            site.refused(token).await;
            site.revoke(token).await;
        }
        let wrong_type = br#"{"refresh_token":7}"#;
        let surplus = format!(r#"{{"refresh_token":"{good}","really":true}}"#);
        for body in [&b""[..], b"{", b"\xff\xfe", wrong_type, surplus.as_bytes()] {
            assert_eq!(site.raw("/v1/revoke", body).await, 204);
            assert!((400..500).contains(&site.raw("/v1/refresh", body).await));
        }
        assert_eq!(site.revoked().await, [""; 0]);
        site.next(&good).await;
    })
    .await;
}

#[tokio::test]
async fn followers_see_what_is_in_force_then_a_beat_then_what_comes_and_the_end() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        // More than one step reads.
        for session in ["a", "b", "c", "d", "e"] {
            site.revoke(&login(session, clock.now())).await;
        }
        let mut lines = site.follow().await;
        let until = START + 605;
        for session in ["a", "b", "c", "d", "e"] {
            assert_eq!(told(&mut lines).await, Some((session.to_owned(), until)));
        }
        assert_eq!(told(&mut lines).await, None);
        site.revoke(&login("f", clock.now())).await;
        assert_eq!(told(&mut lines).await, Some(("f".to_owned(), until)));
        let stolen = login("g", clock.now());
        let second = site.next(&stolen).await;
        site.next(&second).await;
        clock.pass(late());
        site.refused(&stolen).await;
        let until = until + late().as_secs();
        assert_eq!(told(&mut lines).await, Some(("g".to_owned(), until)));
        site.stop.send_replace(true);
        assert_eq!(lines.next().await, None);
    })
    .await;
}

#[tokio::test]
async fn a_silent_list_beats() {
    let config = TokenConfig { revocations_beat: Duration::from_millis(1), ..patient() };
    beside_with(config, &Clock::new(), InMemoryBackend::new(), async |site| {
        let mut lines = site.follow().await;
        for _beat in 0..5 {
            assert_eq!(told(&mut lines).await, None);
        }
    })
    .await;
}

#[test]
fn a_power_loss_takes_no_advance_and_no_revocation_that_was_answered() {
    let (clock, disk) = (Clock::new(), SimDisk::default());
    let [first, gone] = ["s", "t"].map(|session| login(session, clock.now()));
    let mut newest = String::new();
    // A runtime a life: only its end drops the last handle of a store.
    let run = |life: Pin<Box<dyn Future<Output = ()> + '_>>| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(life);
        disk.revive();
        clock.pass(late());
    };
    run(Box::pin(beside(&clock, disk.clone(), async |site| {
        let second = site.next(&first).await;
        newest = site.next(&second).await;
        site.revoke(&gone).await;
        disk.lose_power();
    })));
    run(Box::pin(beside(&clock, disk.clone(), async |site| {
        assert_eq!(site.revoked().await, ["t"]);
        site.refused(&gone).await;
        newest = site.next(&newest).await;
        // Had an advance been lost, this would be a first use.
        site.refused(&first).await;
        disk.lose_power();
    })));
    run(Box::pin(beside(&clock, disk.clone(), async |site| site.refused(&newest).await)));
}

#[tokio::test]
async fn a_failing_disk_grants_nothing_and_ends_the_role() {
    let (clock, disk) = (Clock::new(), SimDisk::default());
    let listener = bind().await;
    let service = peer(&listener);
    let (stop, stopping) = Stop::new();
    let role = TokenService {
        config: TokenConfig::default(),
        keys: keys(),
        store: Store::open(disk.clone()).unwrap(),
        wall: clock.wall(),
    };
    let test = async {
        let site = Site { service, stop };
        disk.kill();
        let answer = site.refresh(&login("s", clock.now())).await;
        assert_eq!(answer.unwrap_err(), StatusCode::SERVICE_UNAVAILABLE);
        site
    };
    let role = Box::pin(auth::run::<TokioNet>(role, listener, stopping));
    let (ended, _site) = timeout(PATIENCE, async { tokio::join!(role, test) }).await.unwrap();
    assert!(ended.is_err(), "a service without a disk goes on");
}
