//! The users: they say what the scenario has them say, wait for the end of each turn, and tell the trace
//! what their clients show.
//!
//! Runs over any network: in a world, and in tests over real sockets. A turn that ended in a retryable
//! error is sent again as a new one, as a person would.

use super::freeze::Freeze;
use super::recorder::Recorder;
use super::stage::{Reins, Stage};
use crate::scenario::{Host, Pace, Scenario, Turn};
use crate::trace::What;
use assistant::client::{self, ClientSetup, Command, Happening, State};
use assistant::contract::frame::{LogBody, LogFrame};
use assistant::contract::id::{MessageId, ThreadId};
use assistant::http::Stop;
use assistant::net::Net;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// How long a user waits before sending a failed turn again.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How often a user sends one turn.
const TRIES_MAX: u32 = 20;
/// How long a client may be parked before its user looks at it again, which wakes it.
const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How the stage and the world around it talk.
pub struct Cues {
    /// Called when a turn begins, before anything is sent.
    pub turn_begins: Box<dyn Fn(usize) + Send + Sync>,
    /// How many sockets a client has open.
    pub sockets: Box<dyn Fn(&Host) -> usize + Send + Sync>,
    /// How many tasks the clients have started that still live.
    pub tasks: Box<dyn Fn() -> usize + Send + Sync>,
    /// Once made, the clients close.
    pub finish: Stop,
}

impl fmt::Debug for Cues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cues")
    }
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Final,
    Retryable,
    GivenUp,
}

/// One user at one client.
struct Seat {
    host: Host,
    name: String,
    thread: ThreadId,
    commands: mpsc::Sender<Command>,
    outcomes: watch::Receiver<BTreeMap<MessageId, Outcome>>,
    state: watch::Receiver<State>,
}

/// Plays `scenario` with the clients `cast`, in the order of its clients.
pub async fn play<N: Net>(
    scenario: Arc<Scenario>,
    cast: Vec<ClientSetup<N>>,
    recorder: Recorder,
    stage: Stage,
    cues: Cues,
) {
    let errands = stage.errands.clone();
    let clients = perform(scenario, cast, recorder, stage, cues);
    tokio::select! {
        biased;
        () = clients => {}
        never = errands.run() => match never {},
    }
}

async fn perform<N: Net>(
    scenario: Arc<Scenario>,
    cast: Vec<ClientSetup<N>>,
    recorder: Recorder,
    stage: Stage,
    cues: Cues,
) {
    let mut clients = JoinSet::new();
    let mut seats = Vec::new();
    for (setup, spec) in cast.into_iter().zip(&scenario.clients) {
        let host = spec.host();
        let (commands, inbox) = mpsc::channel(64);
        let (outbox, happenings) = mpsc::unbounded_channel();
        let (outcomes, seen) = watch::channel(BTreeMap::new());
        let (states, state) = watch::channel(State::Idle);
        recorder.record(&host, What::Started);
        let thread = setup.thread_id.clone();
        stage.change(|scene| {
            scene.unsettled.insert(host.clone(), format!("{host} is new"));
            scene.show(&host, &thread, 0);
        });
        let freeze = Freeze::default();
        let reins = Reins { commands: commands.downgrade(), freeze: freeze.clone() };
        stage.reins().insert(host.clone(), reins);
        seats.push(Seat {
            host: host.clone(),
            name: spec.name.clone(),
            thread: thread.clone(),
            commands: commands.clone(),
            outcomes: seen,
            state: state.clone(),
        });
        let (recorder, stage) = (recorder.clone(), stage.clone());
        let commands = commands.downgrade();
        let user = look_again(host.clone(), state, commands, recorder.clone());
        let witness = Witness { host, thread, recorder, stage, outcomes, states };
        clients.spawn(async move {
            let process = Box::pin(freeze.hold(client::run(setup, inbox, outbox)));
            tokio::join!(process, witness.watch(happenings), user);
        });
    }
    let script = Script {
        scenario: &scenario,
        recorder: &recorder,
        stage: &stage,
        cues: &cues,
        begins: Instant::now(),
    };
    script.perform(&seats).await;
    recorder.record(&Host::World, What::ScriptDone);
    stage.change(|scene| scene.script_done = true);

    let mut finish = cues.finish.clone();
    finish.requested().await;
    let hosts: Vec<Host> = seats.iter().map(|seat| seat.host.clone()).collect();
    drop(seats);
    while clients.join_next().await.is_some() {}
    let tasks = (cues.tasks)();
    for host in &hosts {
        let sockets = (cues.sockets)(host);
        recorder.record(host, What::Stopped { tasks, sockets });
    }
    stage.change(|scene| scene.all_closed = true);
}

/// What the users do.
struct Script<'a> {
    scenario: &'a Scenario,
    recorder: &'a Recorder,
    stage: &'a Stage,
    cues: &'a Cues,
    begins: Instant,
}

impl Script<'_> {
    async fn perform(&self, seats: &[Seat]) {
        let turns = self.scenario.turns.iter().enumerate();
        match self.scenario.pace {
            Pace::Together => {
                self.arrive_before(None, seats).await;
                for (index, turn) in turns {
                    self.arrive_before(Some(index), seats).await;
                    self.turn(index, turn, seats).await;
                }
            }
            Pace::Apart => {
                let mut by_client: BTreeMap<usize, Vec<(usize, &Turn)>> = BTreeMap::new();
                for (index, turn) in turns {
                    by_client.entry(turn.client).or_default().push((index, turn));
                }
                let parts = seats.iter().enumerate().map(|(place, seat)| {
                    let turns = by_client.remove(&place).unwrap_or_default();
                    let spec = self.scenario.clients.get(place);
                    let is_hasty = spec.is_some_and(|spec| spec.hasty);
                    async move {
                        self.arrive(place, seat, seats.len()).await;
                        if is_hasty {
                            self.without_waiting(&turns, seats).await;
                        }
                        for (index, turn) in turns.into_iter().filter(|_| !is_hasty) {
                            self.turn(index, turn, seats).await;
                        }
                    }
                });
                futures_util::future::join_all(parts).await;
            }
        }
        self.wait_until(self.scenario.world.lasts).await;
    }

    /// Says each turn so long after the one before it, whatever has become of that.
    async fn without_waiting(&self, turns: &[(usize, &Turn)], seats: &[Seat]) {
        let mut passed = Duration::ZERO;
        let turns = turns.iter().map(|(index, turn)| {
            let earlier = passed;
            passed += turn.pause;
            async move {
                sleep(earlier).await;
                self.turn(*index, turn, seats).await;
            }
        });
        futures_util::future::join_all(turns.collect::<Vec<_>>()).await;
    }

    /// Waits until the script is `time` old.
    async fn wait_until(&self, time: Duration) {
        if self.begins.elapsed() < time {
            sleep_until(self.begins + time).await;
        }
    }

    /// Connects those that wait for this turn, or for none.
    async fn arrive_before(&self, turn: Option<usize>, seats: &[Seat]) {
        for (place, (seat, spec)) in seats.iter().zip(&self.scenario.clients).enumerate() {
            if spec.arrives == turn {
                self.arrive(place, seat, seats.len()).await;
            }
        }
    }

    /// Connects a client for the first time.
    async fn arrive(&self, place: usize, seat: &Seat, clients: usize) {
        let share = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let after = self.scenario.world.arrive_over * share(place) / share(clients.max(1));
        self.wait_until(after).await;
        // A client takes commands until its sender is gone.
        drop(seat.commands.send(Command::Connect).await);
    }

    async fn turn(&self, index: usize, turn: &Turn, seats: &[Seat]) {
        let Some(seat) = seats.get(turn.client) else { return };
        sleep(turn.pause).await;
        (self.cues.turn_begins)(index);
        for attempt in 1..=TRIES_MAX {
            if self.say(index, turn, seat, attempt).await != Outcome::Retryable {
                break;
            }
            sleep(SAY_AGAIN_AFTER).await;
        }
        self.stage.change(|scene| drop(scene.waiting.remove(&index)));
    }

    async fn say(&self, index: usize, turn: &Turn, seat: &Seat, attempt: u32) -> Outcome {
        let message_id = MessageId::new(format!("{}-{}-{attempt}", seat.name, index + 1))
            .expect("names of clients are ids, with room for two numbers");
        let waiting = format!("turn {} of {} ({message_id}) has no end", index + 1, seat.name);
        self.stage.change(|scene| drop(scene.waiting.insert(index, waiting)));
        let (thread, text) = (seat.thread.clone(), turn.text.clone());
        let said = What::Said { turn: index, message_id: message_id.clone(), thread, text };
        self.recorder.record(&seat.host, said);
        let send = Command::Send { message_id: message_id.clone(), text: turn.text.clone() };
        let (mut outcomes, mut state) = (seat.outcomes.clone(), seat.state.clone());
        let ended = async {
            seat.commands.send(send).await.ok()?;
            tokio::select! {
                biased;
                known = outcomes.wait_for(|known| known.contains_key(&message_id)) => {
                    known.ok()?.get(&message_id).copied()
                }
                // A client that goes on no more brings no end either.
                _gone = state.wait_for(is_final) => None,
            }
        };
        ended.await.unwrap_or(Outcome::GivenUp)
    }
}

/// Whether a client in this state goes on no more.
fn is_final(state: &State) -> bool {
    matches!(state, State::SignedOut { .. } | State::Stopped { .. } | State::Closed)
}

/// A user whose client rests looks at it after a while. Ends with the client.
async fn look_again(
    host: Host,
    mut state: watch::Receiver<State>,
    commands: mpsc::WeakSender<Command>,
    recorder: Recorder,
) {
    let is_parked = |state: &State| matches!(state, State::Parked { .. });
    while state.wait_for(is_parked).await.is_ok() {
        sleep(LOOKS_AGAIN_AFTER).await;
        let Some(commands) = commands.upgrade().filter(|_| is_parked(&state.borrow())) else {
            continue;
        };
        recorder.record(&host, What::Looked);
        // Whoever waits for room here keeps the client from its end.
        drop(commands.try_send(Command::Visible));
        drop(commands);
        // It is on its way, or as it was: a parked client that does not wake shows itself in the next round.
        drop(state.changed().await);
    }
}

/// Tells the trace what one client tells its app.
struct Witness {
    host: Host,
    thread: ThreadId,
    recorder: Recorder,
    stage: Stage,
    outcomes: watch::Sender<BTreeMap<MessageId, Outcome>>,
    states: watch::Sender<State>,
}

impl Witness {
    async fn watch(self, mut happenings: mpsc::UnboundedReceiver<Happening>) {
        while let Some(happening) = happenings.recv().await {
            let what = match happening {
                Happening::Show(frame) => {
                    let seq = frame.seq;
                    self.stage.change(|scene| scene.show(&self.host, &self.thread, seq));
                    self.judge(&frame);
                    What::Shown { frame: Box::new(frame) }
                }
                Happening::Acked { message_id, seq } => What::Acked { message_id, seq },
                Happening::Failed { message_id, why } => {
                    self.ended(&message_id, Outcome::GivenUp);
                    What::GivenUp { message_id, why: format!("{why:?}") }
                }
                Happening::Link(state) => {
                    let words = in_words(state);
                    self.settle(state, &words);
                    self.states.send_replace(state);
                    What::Link { state: words }
                }
                Happening::ViewReset => What::ViewReset,
                Happening::Typing { in_reply_to } => What::Typing { in_reply_to },
                // A secret has no place in a trace.
                Happening::Credential(_) => continue,
            };
            self.recorder.record(&self.host, what);
        }
    }

    fn judge(&self, frame: &LogFrame) {
        let outcome = match &frame.body {
            LogBody::Message { .. } | LogBody::Error { retryable: false, .. } => Outcome::Final,
            LogBody::Error { retryable: true, .. } => Outcome::Retryable,
            LogBody::UserTurn { .. } | LogBody::Recommendations { .. } => return,
        };
        self.ended(&frame.in_reply_to, outcome);
    }

    fn ended(&self, message_id: &MessageId, outcome: Outcome) {
        self.outcomes.send_modify(|known| {
            known.insert(message_id.clone(), outcome);
        });
    }

    fn settle(&self, state: State, words: &str) {
        let host = self.host.clone();
        self.stage.change(|scene| match state {
            State::Connected => drop(scene.unsettled.remove(&host)),
            State::SignedOut { .. } | State::Stopped { .. } | State::Closed => {
                scene.leave(&host, &self.thread);
            }
            State::Idle
            | State::Refreshing { .. }
            | State::Connecting { .. }
            | State::Waiting { .. }
            | State::Offline
            | State::Parked { .. } => {
                scene.unsettled.insert(host, format!("{} is {words}", self.host));
            }
        });
    }
}

fn in_words(state: State) -> String {
    match state {
        State::Idle => "idle".to_owned(),
        State::Refreshing { attempt } => {
            format!("connecting: asks for a token (attempt {attempt})")
        }
        State::Connecting { attempt } => format!("connecting (attempt {attempt})"),
        State::Connected => "connected".to_owned(),
        State::Waiting { attempt, .. } => format!("waiting for attempt {attempt}"),
        State::Offline => "offline".to_owned(),
        State::Parked { why } => format!("parked ({why:?})"),
        State::SignedOut { why } => format!("signed-out ({why:?})"),
        State::Stopped { why } => format!("stopped ({why:?})"),
        State::Closed => "closed".to_owned(),
    }
}
