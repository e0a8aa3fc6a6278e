//! The supervisor's server: the thread API over HTTP, one worker per busy thread, the tails.
//!
//! The turns of a thread are answered one after the other, those of different threads side by side.
//! A failing store ends the role: what it had accepted is finished by the next start.

mod claims;
mod tail;

use super::breaker::Breaker;
use super::graph::{Context, Input, Output, Turn};
use super::rollout::Rollout;
use super::store::{OpenTurn, Store, StoreError};
use crate::config::SupervisorConfig;
use crate::contract::agent::{AgentRequest, AgentResponse};
use crate::contract::id::ThreadId;
use crate::contract::thread::{Accepted, OpenThread, Refused, SubmitTurn, ThreadHead};
use crate::http::{Peer, Routes, Spawner, Stop, serve};
use crate::net::Net;
use crate::wall::Wall;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use claims::Claims;
use hyper::Method;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// An epoch fits a JSON number: 1 to 2^53 - 1.
const EPOCH_MASK: u64 = (1 << 53) - 1;

/// What the supervisor is made of.
#[derive(Debug)]
pub struct Supervisor<N> {
    /// Timeouts and limits.
    pub config: SupervisorConfig,
    /// What survives.
    pub store: Store,
    /// Where the real-estate agent is.
    pub agent: Peer<N>,
    /// Who is given it; looked at for every turn.
    pub rollout: watch::Receiver<Rollout>,
    /// The time of day.
    pub wall: Wall,
    /// Numbers new logs.
    pub rng: ChaCha8Rng,
}

/// A rollout that nobody changes.
#[must_use]
pub fn unchanging(rollout: Rollout) -> watch::Receiver<Rollout> {
    watch::Sender::new(rollout).subscribe()
}

/// What handlers and workers share.
struct Shared<N> {
    config: SupervisorConfig,
    store: Store,
    agent: Peer<N>,
    breaker: Mutex<Breaker>,
    rollout: watch::Receiver<Rollout>,
    started: Instant,
    wall: Wall,
    rng: Mutex<ChaCha8Rng>,
    /// Turns that wait behind the one a worker is at; a thread is here while it has a worker.
    busy: Mutex<BTreeMap<ThreadId, VecDeque<OpenTurn>>>,
    /// The heads that tails wait on.
    heads: Mutex<BTreeMap<ThreadId, watch::Sender<u64>>>,
    claims: Claims,
    spawner: Spawner,
    stop: Stop,
}

/// Serves on `listener` until `stop`; first takes up the turns that an earlier run left open.
///
/// # Errors
/// If the store fails or a task panicked.
pub async fn run<N: Net>(
    supervisor: Supervisor<N>,
    listener: N::Listener,
    stop: Stop,
) -> io::Result<()> {
    let (spawner, inbox) = Spawner::new();
    let SupervisorConfig { grace, peer_patience: patience, .. } = supervisor.config;
    let shared = Arc::new(Shared::new(supervisor, spawner, stop.clone()));
    for turn in shared.store.open_turns().map_err(io::Error::other)? {
        tracing::info!(thread = %turn.thread_id, message = %turn.message_id, "takes up an open turn");
        enqueue(&shared, turn);
    }
    let router = Router::new()
        .route("/v1/threads/{thread}", put(open_thread::<N>))
        .route("/v1/threads/{thread}/turns", post(submit_turn::<N>))
        .route("/v1/threads/{thread}/frames", get(tail::follow::<N>))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(shared);
    serve::<N>(listener, Routes::Linked { router, patience }, inbox, stop, grace).await
}

/// An answer that is not 200.
struct Refusal(Refused);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0 {
            Refused::NotOwner => StatusCode::FORBIDDEN,
            Refused::NoThread => StatusCode::NOT_FOUND,
            Refused::Store => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(self.0)).into_response()
    }
}

impl<N: Net> Shared<N> {
    fn new(supervisor: Supervisor<N>, spawner: Spawner, stop: Stop) -> Self {
        Self {
            claims: Claims::after(supervisor.store.starts()),
            breaker: Mutex::new(Breaker::new(
                supervisor.config.breaker_failures_max,
                supervisor.config.breaker_rest,
            )),
            rollout: supervisor.rollout,
            started: Instant::now(),
            config: supervisor.config,
            store: supervisor.store,
            agent: supervisor.agent,
            wall: supervisor.wall,
            rng: Mutex::new(supervisor.rng),
            busy: Mutex::default(),
            heads: Mutex::default(),
            spawner,
            stop,
        }
    }

    /// Turns a store error into an answer; a failing store ends the role.
    fn refusal(&self, error: &StoreError) -> Refusal {
        match error {
            StoreError::Refused(why) => Refusal(*why),
            StoreError::Database(_) | StoreError::Record(_) | StoreError::State(_) => {
                tracing::error!(%error, source = ?std::error::Error::source(error), "the store failed");
                self.spawner.spawn(async { Err(io::Error::other("the store failed")) });
                Refusal(Refused::Store)
            }
        }
    }

    /// Tells the tails of a thread how far its log goes.
    fn announce(&self, thread: &ThreadId, head: u64) {
        let heads = self.heads.lock().expect("no panic while it is held");
        if let Some(sender) = heads.get(thread) {
            sender.send_replace(head);
        }
    }

    /// Watches the head of a thread.
    fn watch(&self, thread: &ThreadId) -> watch::Receiver<u64> {
        let mut heads = self.heads.lock().expect("no panic while it is held");
        heads.retain(|name, sender| name == thread || sender.receiver_count() > 0);
        heads.entry(thread.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }
}

async fn open_thread<N: Net>(
    State(shared): State<Arc<Shared<N>>>,
    Path(thread): Path<ThreadId>,
    Json(ask): Json<OpenThread>,
) -> Result<Json<ThreadHead>, Refusal> {
    let drawn = shared.rng.lock().expect("no panic while it is held").next_u64();
    let new_epoch = (drawn & EPOCH_MASK).max(1);
    let head = shared.store.open_thread(&thread, &ask.user, new_epoch);
    let mut head = head.map_err(|error| shared.refusal(&error))?;
    if ask.client_id.is_some() {
        head.claim = ask.attempt.unwrap_or_else(|| shared.claims.next());
    }
    Ok(Json(head))
}

async fn submit_turn<N: Net>(
    State(shared): State<Arc<Shared<N>>>,
    Path(thread): Path<ThreadId>,
    Json(turn): Json<SubmitTurn>,
) -> Result<Json<Accepted>, Refusal> {
    let accepted = shared.store.accept(&thread, &turn);
    let (accepted, open) = accepted.map_err(|error| shared.refusal(&error))?;
    if let Some(open) = open {
        shared.announce(&thread, accepted.seq);
        enqueue(&shared, open);
    }
    Ok(Json(accepted))
}

/// Hands a turn to its thread's worker, starting one if there is none.
fn enqueue<N: Net>(shared: &Arc<Shared<N>>, turn: OpenTurn) {
    let mut busy = shared.busy.lock().expect("no panic while it is held");
    if let Some(waiting) = busy.get_mut(&turn.thread_id) {
        waiting.push_back(turn);
        return;
    }
    busy.insert(turn.thread_id.clone(), VecDeque::new());
    drop(busy);
    shared.spawner.spawn(work(Arc::clone(shared), turn));
}

/// Answers the turns of one thread until none is left.
async fn work<N: Net>(shared: Arc<Shared<N>>, first: OpenTurn) -> io::Result<()> {
    let thread = first.thread_id.clone();
    let mut next = Some(first);
    while let Some(turn) = next {
        let head = answer(&shared, turn).await.map_err(io::Error::other)?;
        shared.announce(&thread, head);
        let mut busy = shared.busy.lock().expect("no panic while it is held");
        next = busy.get_mut(&thread).and_then(VecDeque::pop_front);
        if next.is_none() {
            busy.remove(&thread);
        }
    }
    Ok(())
}

/// Carries one turn to its final frame. Returns the new head of the log.
async fn answer<N: Net>(shared: &Shared<N>, open: OpenTurn) -> Result<u64, StoreError> {
    let (user, state) = shared.store.conversation(&open.thread_id)?;
    let started = Instant::now();
    let included = shared.rollout.borrow().includes(&user);
    let context = Context { state, today: shared.wall.today(), included };
    let mut turn = Turn::new(shared.config.clone(), open.clone(), context);
    let mut out = Vec::new();
    let mut input = Input::Start;
    loop {
        turn.step(started.elapsed(), input, &mut out);
        input = match (out.pop(), turn.deadline()) {
            (Some(Output::Finish { bodies, state }), _) => {
                return shared.store.finish(&open, bodies, *state);
            }
            (Some(Output::Call(request)), _) => ask(shared, &request).await,
            (None, Some(deadline)) => {
                sleep_until(started + deadline).await;
                Input::Wake
            }
            (None, None) => unreachable!("a turn calls, waits or finishes"),
        };
    }
}

/// Calls the agent once, if the breaker lets it.
async fn ask<N: Net>(shared: &Shared<N>, request: &AgentRequest) -> Input {
    let breaker = || shared.breaker.lock().expect("no panic while it is held");
    if !breaker().admits(shared.started.elapsed()) {
        return Input::Resting;
    }
    let deadline = shared.config.agent_deadline;
    let answer = shared.agent.call(Method::POST, "/v1/turn", request, deadline).await;
    let input = match answer {
        Ok((StatusCode::OK, body)) => match serde_json::from_slice::<AgentResponse>(&body) {
            Ok(response) => Input::Answered(Box::new(response)),
            Err(error) => {
                tracing::warn!(%error, "the agent's answer breaks the contract");
                Input::Garbled
            }
        },
        Ok((status, _body)) => {
            tracing::warn!(%status, "the agent refused");
            Input::Unreachable
        }
        Err(error) => {
            tracing::warn!(%error, "the agent did not answer");
            Input::Unreachable
        }
    };
    let mut breaker = breaker();
    let was_open = breaker.is_open();
    match input {
        Input::Answered(_) => breaker.succeeded(),
        Input::Start | Input::Garbled | Input::Unreachable | Input::Resting | Input::Wake => {
            breaker.failed(shared.started.elapsed());
        }
    }
    if breaker.is_open() != was_open {
        tracing::warn!(open = !was_open, "the breaker before the agent");
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::frame::LogBody;
    use crate::contract::id::{MessageId, UserId};
    use crate::net::TokioNet;
    use rand_core::SeedableRng;
    use std::time::Duration;

    /// A supervisor whose agent nobody can reach, with a thread.
    pub(super) fn shared(
        rollout: watch::Receiver<Rollout>,
    ) -> (watch::Sender<bool>, Arc<Shared<TokioNet>>) {
        let supervisor = Supervisor {
            config: SupervisorConfig::default(),
            store: Store::open(redb::backends::InMemoryBackend::new()).unwrap(),
            agent: Peer { net: TokioNet, address: String::new() },
            rollout,
            wall: Wall::new(|| Duration::ZERO),
            rng: ChaCha8Rng::seed_from_u64(1),
        };
        let (running, stop) = Stop::new();
        (running, Arc::new(Shared::new(supervisor, Spawner::new().0, stop)))
    }

    pub(super) fn ids() -> (ThreadId, UserId) {
        (ThreadId::new("t").unwrap(), "u".parse().unwrap())
    }

    /// Says something; the frame that ends the turn.
    async fn say(shared: &Arc<Shared<TokioNet>>, message: &str, text: &str) -> LogBody {
        let (thread, user) = ids();
        shared.store.open_thread(&thread, &user, 7).unwrap();
        let message_id = MessageId::new(message).unwrap();
        let turn = SubmitTurn { user, message_id, text: text.to_owned() };
        let (_accepted, open) = shared.store.accept(&thread, &turn).unwrap();
        let head = answer(shared, open.unwrap()).await.unwrap();
        shared.store.frames(&thread, head - 1, 1).unwrap().remove(0).body
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_of_the_rollout_holds_for_the_next_turn() {
        let (operator, rollout) = watch::channel(Rollout { enabled: false, percent: 100 });
        let (_running, shared) = shared(rollout);
        let off = say(&shared, "m-1", "2 bed homes in Salem").await;
        assert!(matches!(off, LogBody::Message { .. }), "{off:?}");
        operator.send_replace(Rollout::default());
        let on = say(&shared, "m-2", "2 bed homes in Salem").await;
        assert!(matches!(on, LogBody::Error { .. }), "nobody was called: {on:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_keeps_failing_is_left_alone_for_a_while() {
        let (_running, shared) = shared(unchanging(Rollout::default()));
        let max = shared.config.breaker_failures_max;
        for turn in 0..max {
            say(&shared, &format!("m-{turn}"), "2 bed homes in Salem").await;
        }
        let began = Instant::now();
        say(&shared, "m-x", "2 bed homes in Salem").await;
        assert_eq!(began.elapsed(), Duration::ZERO, "it was called");
        sleep_until(Instant::now() + shared.config.breaker_rest).await;
        let began = Instant::now();
        say(&shared, "m-y", "2 bed homes in Salem").await;
        assert!(began.elapsed() > Duration::ZERO, "it was never called again");
    }
}
