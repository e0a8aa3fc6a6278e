//! The kept connection between roles: shared, replaced when it may be spoiled, and no reader's hostage.

use super::pipe::PipeNet;
use assistant::http::{CallError, Lines, Link, Peer, Routes, Spawner, Stop, serve};
use assistant::net::Net;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::{get, post};
use futures_util::future::{join_all, pending};
use futures_util::stream::{Stream, iter, repeat, unfold};
use futures_util::{FutureExt, StreamExt};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

const PEER: &str = "peer:1";
const DEADLINE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(12);

/// Pipes, and how many were laid.
#[derive(Debug, Clone, Default)]
struct Counted(PipeNet, Arc<AtomicUsize>);

impl Net for Counted {
    type Stream = DuplexStream;
    type Listener = mpsc::UnboundedReceiver<DuplexStream>;

    async fn listen(&self, address: &str) -> io::Result<Self::Listener> {
        self.0.listen(address).await
    }

    async fn accept(listener: &mut Self::Listener) -> io::Result<DuplexStream> {
        PipeNet::accept(listener).await
    }

    async fn connect(&self, address: &str) -> io::Result<DuplexStream> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.connect(address).await
    }
}

impl Counted {
    fn laid(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }
}

/// How many streams the peer is at, for those who must end.
type Open = Arc<()>;

fn body(lines: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    Body::from_stream(lines.map(Ok::<_, io::Error>))
}

/// A peer that echoes, ticks every second, speaks without end, or says nothing.
async fn peer(net: Counted, open: Open, stop: Stop) {
    let ticks = move || {
        let open = Arc::clone(&open);
        let tick = |open| async {
            sleep(Duration::from_secs(1)).await;
            Some((Bytes::from_static(b"tick\n"), open))
        };
        async move { body(unfold(open, tick)) }
    };
    let line = Bytes::from(vec![b'x'; 1023].into_iter().chain([b'\n']).collect::<Vec<_>>());
    let router = Router::new()
        .route("/echo", post(|text: Bytes| async { text }))
        .route("/ticks", get(ticks))
        .route("/endless", get(|| async { body(repeat(line)) }))
        .route("/three", get(|| async { body(iter(["a\n", "b", "\nc\n"]).map(Bytes::from)) }))
        .route("/hush", get(|| async { body(futures_util::stream::pending()) }))
        .route("/silence", post(pending::<()>));
    let listener = net.listen(PEER).await.unwrap();
    let (_spawner, inbox) = Spawner::new();
    let routes = Routes::Linked { router, patience: PATIENCE };
    serve::<Counted>(listener, routes, inbox, stop, DEADLINE).await.unwrap();
}

/// Runs `talk` with a link to a peer.
async fn with<F: Future<Output = ()>>(talk: impl FnOnce(Link<Counted>, Counted, Open) -> F) {
    let (net, open) = (Counted::default(), Open::default());
    let (_running, stop) = Stop::new();
    let (link, nursery) = Link::new(Peer { net: net.clone(), address: PEER.to_owned() }, PATIENCE);
    tokio::select! {
        biased;
        () = peer(net.clone(), Arc::clone(&open), stop) => panic!("the peer has ended"),
        never = nursery.run() => match never {},
        () = talk(link, net, open) => {}
    }
}

async fn echo(link: &Link<Counted>, text: &str) -> Result<Bytes, CallError> {
    let (status, answer) = link.call(Method::POST, "/echo", &text, DEADLINE).await?;
    assert_eq!(status, StatusCode::OK);
    Ok(answer)
}

async fn lines(link: &Link<Counted>, path: &str) -> Lines {
    let (status, lines) = link.lines(path, DEADLINE).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    lines
}

#[tokio::test(start_paused = true)]
async fn calls_and_streams_share_one_connection() {
    with(|link, net, _open| async move {
        let ticks = join_all((0..300).map(|_| lines(&link, "/ticks"))).await;
        let echoes = join_all((0..300).map(|_| echo(&link, "hi"))).await;
        assert!(echoes.into_iter().all(|echo| echo.unwrap() == "\"hi\""));
        for mut ticks in ticks {
            assert_eq!(ticks.next().await.unwrap(), "tick");
        }
        assert_eq!(net.laid(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn lines_are_whole_however_they_were_cut_and_then_it_is_over() {
    with(|link, _net, _open| async move {
        let mut three = lines(&link, "/three").await;
        for wanted in ["a", "b", "c"] {
            assert_eq!(three.next().await.unwrap(), wanted);
        }
        assert_eq!(three.next().await, None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_holds_up_nobody_else() {
    with(|link, net, _open| async move {
        let unread = join_all((0..100).map(|_| lines(&link, "/endless"))).await;
        let mut read = lines(&link, "/endless").await;
        for _ in 0..1_000 {
            assert_eq!(read.next().await.unwrap().len(), 1023);
        }
        assert_eq!(echo(&link, "hi").await.unwrap(), "\"hi\"");
        assert_eq!((net.laid(), unread.len()), (1, 100));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn after_a_silence_the_next_call_connects_anew_and_what_runs_goes_on() {
    with(|link, net, _open| async move {
        let mut ticks = lines(&link, "/ticks").await;
        let silence = link.call(Method::POST, "/silence", &(), DEADLINE).await;
        assert!(matches!(silence, Err(CallError::Deadline(DEADLINE))), "{silence:?}");
        for _ in 0..2 {
            echo(&link, "hi").await.unwrap();
        }
        assert_eq!(ticks.next().await.unwrap(), "tick");
        assert_eq!(net.laid(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_was_away_is_found_again() {
    let net = Counted::default();
    let (link, nursery) = Link::new(Peer { net: net.clone(), address: PEER.to_owned() }, PATIENCE);
    let talk = async {
        assert!(matches!(echo(&link, "hi").await, Err(CallError::Connect(_))));
        for _ in 0..3 {
            let (running, stop) = Stop::new();
            let peer = peer(net.clone(), Open::default(), stop);
            let talk = async {
                let mut ticks = lines(&link, "/ticks").await;
                echo(&link, "hi").await.unwrap();
                drop(running);
                while ticks.next().await.is_some() {}
            };
            tokio::join!(peer, talk);
            echo(&link, "hi").await.unwrap_err();
        }
    };
    tokio::select! {
        biased;
        never = nursery.run() => match never {},
        () = talk => {}
    }
}

#[tokio::test(start_paused = true)]
async fn giving_up_streams_that_still_speak_spoils_nothing_and_ends_them() {
    with(|link, net, open| async move {
        // More than a peer may break off by default (1,024), and more than it may take in before it looks (20).
        for _ in 0..30 {
            drop(join_all((0..100).map(|_| lines(&link, "/endless"))).await);
        }
        let ticks = join_all((0..100).map(|_| lines(&link, "/ticks"))).await;
        assert!(Arc::strong_count(&open) > 100);
        drop(ticks);
        drop(
            join_all((0..100).map(|_| async { link.lines("/ticks", DEADLINE).now_or_never() }))
                .await,
        );
        echo(&link, "hi").await.unwrap();
        sleep(Duration::from_secs(2)).await;
        assert_eq!((net.laid(), Arc::strong_count(&open)), (1, 2), "one for the route, one here");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn http_1_is_understood_on_the_same_port() {
    with(|_link, net, _open| async move {
        let peer = Peer { net, address: PEER.to_owned() };
        let (status, answer) = peer.call(Method::POST, "/echo", &"hi", DEADLINE).await.unwrap();
        assert_eq!((status, &*answer), (StatusCode::OK, b"\"hi\"".as_slice()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_be_silent_for_ever() {
    with(|link, _net, _open| async move {
        let mut hush = lines(&link, "/hush").await;
        assert!(timeout(100 * PATIENCE, hush.next()).await.is_err(), "its end");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_is_given_up() {
    let net = Counted::default();
    let (link, nursery) = Link::new(Peer { net: net.clone(), address: PEER.to_owned() }, PATIENCE);
    let mut listener = net.listen(PEER).await.unwrap();
    let hush = service_fn(|_request| async {
        Ok::<_, io::Error>(Response::new(body(futures_util::stream::pending())))
    });
    // Not [`peer`]: its connections are tasks, which live while nobody polls it.
    let mut peer = pin!(async {
        let stream = Counted::accept(&mut listener).await.unwrap();
        let server = http2::Builder::new(TokioExecutor::new());
        server.serve_connection(TokioIo::new(stream), hush).await
    });
    let talk = async {
        let mut hush = tokio::select! {
            ended = &mut peer => panic!("the peer has ended: {ended:?}"),
            hush = lines(&link, "/hush") => hush,
        };
        // From here on nobody polls the peer: its machine is dead.
        let began = Instant::now();
        assert_eq!(hush.next().await, None);
        assert_eq!(began.elapsed(), PATIENCE);
    };
    tokio::select! {
        biased;
        never = nursery.run() => match never {},
        () = talk => {}
    }
}
