//! The server of a role: accepts, answers, and owns every task of it.

use super::nursery::{Nursery, Starter};
use super::{Stop, Task};
use crate::net::Net;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::fmt::Display;
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a peer may take to send the head of a request; whoever drips it byte by byte is cut off.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// How long a listener rests after a failure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a role answers, and in which versions of HTTP.
#[derive(Debug, Clone)]
pub enum Routes {
    /// HTTP/1 only, with upgrades: for everybody.
    Http1(Router),
    /// Also HTTP/2, without limits on the streams of a connection: for the [`Link`](super::Link)s of our own roles.
    Linked {
        /// What is answered.
        router: Router,
        /// The longest silence of a link. See [`Link::new`](super::Link::new).
        patience: Duration,
    },
}

/// The root of a serving role: accepts on `listener`, answers with `routes`, runs the tasks of `inbox`.
///
/// After `stop` it accepts nothing, lets what runs finish for at most `grace`, and ends.
///
/// # Errors
/// The first error a task returns, or an error for a task that panicked.
pub async fn serve<N: Net>(
    mut listener: N::Listener,
    routes: Routes,
    mut inbox: mpsc::UnboundedReceiver<Task>,
    mut stop: Stop,
    grace: Duration,
) -> io::Result<()> {
    let mut tasks: JoinSet<io::Result<()>> = JoinSet::new();
    loop {
        // Biased: the wish to stop first, then what ended, so that neither waits behind a busy listener.
        tokio::select! {
            biased;
            () = stop.requested() => break,
            Some(ended) = tasks.join_next() => outcome(ended)?,
            Some(task) = inbox.recv() => { tasks.spawn(task); }
            accepted = N::accept(&mut listener) => match accepted {
                Ok(stream) => { tasks.spawn(answer(stream, routes.clone(), stop.clone())); }
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    // Out of descriptors, say: asking again at once would only burn the processor.
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async {
        loop {
            tokio::select! {
                biased;
                Some(task) = inbox.recv() => { tasks.spawn(task); }
                ended = tasks.join_next() => match ended {
                    Some(ended) => outcome(ended)?,
                    None => return Ok(()),
                },
            }
        }
    };
    let finished = timeout(grace, finish).await;
    tasks.shutdown().await;
    finished.unwrap_or(Ok(()))
}

/// What the end of a task means for its role.
fn outcome(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Result<()> {
    match ended {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(io::Error::other("a task panicked")),
        Err(_aborted) => Ok(()),
    }
}

/// Answers the requests of one connection.
async fn answer<S>(stream: S, routes: Routes, stop: Stop) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    match routes {
        Routes::Http1(router) => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_DEADLINE)
                .serve_connection(stream, TowerToHyperService::new(router))
                .with_upgrades();
            attend(pin!(connection), http1::UpgradeableConnection::graceful_shutdown, stop).await;
        }
        Routes::Linked { router, patience } => {
            let (starter, nursery) = Nursery::new();
            let server = linked(starter, patience);
            let service = TowerToHyperService::new(router);
            let connection = pin!(server.serve_connection(stream, service));
            tokio::select! {
                biased;
                () = attend(connection, auto::Connection::graceful_shutdown, stop) => {}
                never = nursery.run() => match never {},
            }
        }
    }
    Ok(())
}

/// A server for links. It trusts them: they are ours.
fn linked(starter: Starter, patience: Duration) -> auto::Builder<Starter> {
    let mut server = auto::Builder::new(starter);
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(patience / 2)
        .keep_alive_timeout(patience / 2)
        // A gateway follows a log for each of its clients, and gives up as many at once.
        .max_concurrent_streams(None)
        .max_pending_accept_reset_streams(None)
        .max_local_error_reset_streams(None)
        // The date of the system's clock would be compressed to more or fewer bytes.
        .auto_date_header(false);
    server
}

/// Polls a connection to its end; a wish to stop makes it finish what it is at and take nothing new.
async fn attend<C, E>(mut connection: Pin<&mut C>, finish: impl FnOnce(Pin<&mut C>), mut stop: Stop)
where
    C: Future<Output = Result<(), E>>,
    E: Display,
{
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = stop.requested() => {
            finish(connection.as_mut());
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
