//! `assistant chat`: the reconnecting client in a terminal.

use super::credential::CredentialFile;
use super::keep::{Keep, fresh_rng};
use assistant::agent::grouped;
use assistant::client::{
    self, ClientSetup, Command, Happening, Kept, ParkReason, SendFailure, SignOutReason, State,
    StopReason,
};
use assistant::config::ClientPolicy;
use assistant::contract::agent::{Card, Change, ListingType, RelaxationNote};
use assistant::contract::frame::{LogBody, LogFrame};
use assistant::contract::id::{ClientId, Cursor, MessageId, ThreadId, UserId};
use assistant::http::Peer;
use assistant::net::TokioNet;
use clap::Args;
use rand_core::Rng;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Whom to talk to, and as whom.
#[derive(Debug, Args)]
pub(super) struct Chat {
    /// The data directory of a running `assistant serve`.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Who you are.
    #[arg(long, default_value = "ana")]
    user: String,
    /// The conversation; without it, the one named after you.
    #[arg(long)]
    thread: Option<String>,
    /// A gateway elsewhere, `host:port`; needs the two options below.
    #[arg(long, requires_all = ["token_service", "refresh_token"])]
    gateway: Option<String>,
    /// Its token service, `host:port`.
    #[arg(long)]
    token_service: Option<String>,
    /// What `assistant token --refresh` prints. Each use replaces it by another one; the newest is kept in
    /// the data directory, so that the same command line serves again.
    #[arg(long)]
    refresh_token: Option<String>,
}

impl Chat {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let user: UserId = self.user.parse()?;
        let thread = self.thread.clone().unwrap_or_else(|| format!("chat-{user}"));
        let thread_id: ThreadId = thread.parse()?;
        let mut rng = fresh_rng()?;
        let instance = format!("{:016x}", rng.next_u64());
        let (gateway, token_service, given) = self.target(user)?;
        let (credential, refresh_token) = match &self.gateway {
            Some(_elsewhere) => {
                let path = self.data.join(format!("credential-{thread_id}.json"));
                let (file, newest) = CredentialFile::open(path, &given)?;
                (Some(file), newest)
            }
            // The next start logs in anew.
            None => (None, given),
        };
        let kept_at = self.data.join(format!("unsent-{thread_id}.json"));
        let peer = |address| Peer { net: TokioNet, address };
        let setup = ClientSetup {
            policy: ClientPolicy::default(),
            client_id: ClientId::new(instance.clone())?,
            thread_id,
            gateways: vec![peer(gateway)],
            token_service: peer(token_service),
            refresh_token,
            rng,
            kept: unsent(&kept_at)?,
        };
        let (commands, inbox) = mpsc::channel(64);
        let (outbox, happenings) = mpsc::unbounded_channel();
        let (told, seen) = watch::channel(State::Idle);
        commands.send(Command::Connect).await?;
        say(
            "Type a message and press enter; /help for more, Ctrl-D leaves. The conversation is kept.",
        );
        let (remains, (), ()) = tokio::join!(
            client::run(setup, inbox, outbox),
            read_lines(commands, instance.clone(), seen),
            print_all(happenings, &instance, credential.as_ref(), told)
        );
        match remains.kept.outbox.len() {
            0 if kept_at.exists() => fs::remove_file(&kept_at)?,
            0 => {}
            unsent => {
                fs::write(&kept_at, serde_json::to_string_pretty(&remains.kept)?)?;
                say(&format!("  [{unsent} not sent yet; it goes out when you come back]"));
            }
        }
        Ok(())
    }

    /// Gateway, token service and credential.
    fn target(&self, user: UserId) -> Result<(String, String, String), Box<dyn Error>> {
        if let (Some(gateway), Some(tokens), Some(credential)) =
            (&self.gateway, &self.token_service, &self.refresh_token)
        {
            return Ok((gateway.clone(), tokens.clone(), credential.clone()));
        }
        let keep = Keep::existing(self.data.clone())?;
        let addresses = keep.addresses()?;
        Ok((addresses.gateway, addresses.token_service, keep.refresh_token(user)?))
    }
}

/// What the last chat could not send. The conversation itself is shown again from its start.
fn unsent(path: &Path) -> Result<Option<Kept>, Box<dyn Error>> {
    if !path.exists() {
        return Ok(None);
    }
    let kept: Kept = serde_json::from_str(&fs::read_to_string(path)?)
        .map_err(|error| format!("{} is not what chat wrote: {error}", path.display()))?;
    Ok(Some(Kept { cursor: Cursor::default(), ..kept }))
}

/// What can be typed that is not for the assistant.
const HELP: &str = "  /offline, /online   as if the network went away and came back
  /connect, /close    connect now; disconnect and stay so
  /quit               leave, as Ctrl-D does";

/// Sends what is typed, until the end of the input.
async fn read_lines(
    commands: mpsc::Sender<Command>,
    instance: String,
    link: watch::Receiver<State>,
) {
    let mut lines = BufReader::new(stdin()).lines();
    let mut count = 0u64;
    while let Ok(Some(line)) = lines.next_line().await {
        let command = match line.trim() {
            "" => continue,
            "/quit" => return,
            "/offline" => Command::Offline,
            "/online" => Command::Online,
            "/connect" => Command::Connect,
            "/close" => Command::Close,
            unknown if unknown.starts_with('/') => {
                say(HELP);
                continue;
            }
            text => {
                count += 1;
                let Ok(message_id) = MessageId::new(format!("{instance}-{count}")) else {
                    continue;
                };
                if will_connect(*link.borrow()) {
                    say("  [kept; it is sent when there is a connection]");
                }
                Command::Send { message_id, text: text.to_owned() }
            }
        };
        if commands.send(command).await.is_err() {
            return;
        }
    }
}

/// Prints what the client tells, but not the user's own lines, which stand on the screen already, and keeps
/// its credential.
async fn print_all(
    mut happenings: mpsc::UnboundedReceiver<Happening>,
    instance: &str,
    credential: Option<&CredentialFile>,
    link: watch::Sender<State>,
) {
    let started = Instant::now();
    let mut last_words = String::new();
    while let Some(happening) = happenings.recv().await {
        match happening {
            Happening::Show(LogFrame { body: LogBody::UserTurn { message_id, .. }, .. })
                if message_id.as_str().starts_with(instance) => {}
            Happening::Show(frame) => print_body(&frame.body),
            Happening::Link(state) => {
                link.send_replace(state);
                let words = in_words(state, started.elapsed());
                if words != last_words {
                    say(&format!("  [{words}]"));
                    last_words = words;
                }
            }
            Happening::Failed { why, .. } => say(&format!("  [not sent: {}]", failure(why))),
            Happening::ViewReset => say("  [the conversation is shown again from its start]"),
            Happening::Credential(newest) => {
                if let Some(Err(error)) = credential.map(|file| file.keep(newest)) {
                    say(&format!("  [the new refresh token could not be kept: {error}]"));
                }
            }
            Happening::Typing { .. } | Happening::Acked { .. } => {}
        }
    }
}

fn print_body(body: &LogBody) {
    match body {
        LogBody::UserTurn { text, .. } => say(&format!("you> {text}")),
        LogBody::Message { text, .. } => say(&format!("bot> {text}")),
        LogBody::Error { message, .. } => say(&format!("bot! {message}")),
        LogBody::Recommendations { recommendations, relaxation, .. } => {
            for (place, card) in recommendations.iter().enumerate() {
                say(&format!("  {}. {}", place + 1, card_line(card)));
            }
            if let Some(note) = relaxation {
                say(&format!("  ({})", relaxation_line(note)));
            }
        }
    }
}

fn card_line(card: &Card) -> String {
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    let month = match card.listing_type {
        ListingType::Buy => "",
        ListingType::Rent => "/month",
    };
    let mut line = format!(
        "{}, ${}{month}, {}, {} ba, {} ({})",
        card.title,
        or_unknown(card.price.map(grouped)),
        or_unknown(card.beds.map(|beds| if beds == 0 {
            "studio".to_owned()
        } else {
            format!("{beds} bd")
        })),
        or_unknown(card.baths.map(|baths| baths.to_string())),
        or_unknown(card.city.clone()),
        card.id
    );
    for note in &card.notes {
        line.push_str(", ");
        line.push_str(note);
    }
    line
}

fn relaxation_line(note: &RelaxationNote) -> String {
    let changes: Vec<String> = note.changes.iter().map(change_text).collect();
    format!("stretched: {}", changes.join(", "))
}

fn change_text(change: &Change) -> String {
    match change {
        Change::PriceMax { from, to } | Change::PriceMin { from, to } => {
            format!("price ${} to ${}", grouped(*from), grouped(*to))
        }
        Change::BedsMin { from, to } => format!("bedrooms {from} to {to}"),
        Change::BathsMin { from, to } => format!("bathrooms {from} to {to}"),
        Change::City { from, to } => format!("{from} to {}", to.join(" or ")),
        Change::State { from, to } => format!("{from} to {}", to.join(" or ")),
        Change::BedsExact { from, to } => {
            let to: Vec<_> = to.iter().map(ToString::to_string).collect();
            format!("bedrooms {from} to {}", to.join(" or "))
        }
        Change::SqftMin { from, to } => format!("square feet {from} to {to}"),
        Change::Parking {} => "parking left open".to_owned(),
        Change::Laundry {} => "laundry left open".to_owned(),
        Change::Furnished {} => "furniture left open".to_owned(),
        Change::Pets {} => "pets left open".to_owned(),
    }
}

/// Whether there is no connection now, and one will come without or with the next message.
fn will_connect(state: State) -> bool {
    match state {
        State::Idle
        | State::Refreshing { .. }
        | State::Connecting { .. }
        | State::Waiting { .. }
        | State::Offline
        | State::Parked { .. } => true,
        State::Connected | State::SignedOut { .. } | State::Stopped { .. } | State::Closed => false,
    }
}

/// A connection as a person sees it, `now` after the client started.
fn in_words(state: State, now: Duration) -> String {
    match state {
        State::Idle => "not connected yet".to_owned(),
        State::Refreshing { attempt: 1 } => "signing in …".to_owned(),
        State::Connecting { attempt: 1 } => "connecting …".to_owned(),
        State::Refreshing { attempt } | State::Connecting { attempt } => {
            format!("reconnecting now (attempt {attempt}) …")
        }
        State::Connected => "connected".to_owned(),
        State::Waiting { until, attempt, .. } => {
            let seconds = until.saturating_sub(now).as_secs_f64().ceil();
            format!("no connection; reconnecting in {seconds:.0} s (attempt {attempt})")
        }
        State::Offline => "offline; /online tries again".to_owned(),
        State::Parked { why } => {
            let why = match why {
                ParkReason::Attempts => "nobody answered for too long".to_owned(),
                ParkReason::Code(code) => format!("every connection ended with code {code}"),
            };
            format!("parked: {why}; a message or /connect tries again")
        }
        State::SignedOut { why } => {
            let why = match why {
                SignOutReason::Revoked => "the login was ended".to_owned(),
                SignOutReason::Status(status) => format!("the gateway answered {status}"),
                SignOutReason::Code(code) => format!("the gateway closed with {code}"),
            };
            format!("signed out: {why}; start again with a new login")
        }
        State::Stopped { why } => {
            let why = match why {
                StopReason::Normal => "in the usual way".to_owned(),
                StopReason::Code(code) => format!("with code {code}"),
                StopReason::Status(status) => format!("with HTTP status {status}"),
            };
            format!("ended by the server {why}; /connect tries again")
        }
        State::Closed => "disconnected; /connect connects again".to_owned(),
    }
}

fn failure(why: SendFailure) -> &'static str {
    match why {
        SendFailure::Expired => "it waited for five minutes; it may have arrived nevertheless",
        SendFailure::OutboxFull => "too much waits already",
        SendFailure::Poison => "the server closes whenever it comes",
        SendFailure::TooLong => "it is too long",
        SendFailure::NotConnected => "there is no connection, and none is tried",
    }
}

#[expect(clippy::print_stdout, reason = "the conversation")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use assistant::client::Pause;

    #[test]
    fn a_person_reads_what_happens_and_what_to_do() {
        let seconds = Duration::from_secs;
        let until = seconds(10) + Duration::from_millis(3_200);
        let waiting = State::Waiting { until, attempt: 3, pause: Pause::Advice };
        for (state, words) in [
            (State::Connected, "connected"),
            (waiting, "no connection; reconnecting in 4 s (attempt 3)"),
            (State::Connecting { attempt: 3 }, "reconnecting now (attempt 3) …"),
            (State::Offline, "offline; /online tries again"),
            (
                State::Parked { why: ParkReason::Attempts },
                "parked: nobody answered for too long; a message or /connect tries again",
            ),
            (
                State::SignedOut { why: SignOutReason::Revoked },
                "signed out: the login was ended; start again with a new login",
            ),
        ] {
            assert_eq!(in_words(state, seconds(10)), words);
        }
    }
}
