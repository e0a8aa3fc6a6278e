//! Who is given the agent: from the environment, or from a file that is read again on SIGHUP.

use assistant::supervisor::Rollout;
use clap::{ArgAction, Args};
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The switch before the real-estate agent.
#[derive(Debug, Clone, Args)]
pub(super) struct RolloutOptions {
    /// Whether the real-estate agent answers at all.
    #[arg(long, env = "ENABLE_RE_AGENT", default_value_t = true, action = ArgAction::Set)]
    enable_re_agent: bool,
    /// To how many users in a hundred it answers.
    #[arg(long, env = "RE_AGENT_PERCENT", default_value_t = 100)]
    re_agent_percent: u32,
    /// A file that says both instead, as `{"ENABLE_RE_AGENT": true, "RE_AGENT_PERCENT": 25}`. It is read again on
    /// SIGHUP; while it is not readable, what was said last holds.
    #[arg(long, conflicts_with_all = ["enable_re_agent", "re_agent_percent"])]
    rollout: Option<PathBuf>,
}

impl RolloutOptions {
    /// What holds now, and a future that follows the file as long as it is polled.
    pub(super) fn start(
        self,
    ) -> Result<(watch::Receiver<Rollout>, impl Future<Output = io::Result<()>>), Box<dyn Error>>
    {
        let Self { enable_re_agent: enabled, re_agent_percent: percent, rollout: file } = self;
        let now = match &file {
            Some(file) => read(file)?,
            None => Rollout { enabled, percent },
        };
        let (sender, receiver) = watch::channel(now);
        Ok((receiver, follow(file, sender)))
    }
}

fn read(file: &Path) -> Result<Rollout, String> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Ends when nobody looks at the rollout any more.
async fn follow(file: Option<PathBuf>, rollout: watch::Sender<Rollout>) -> io::Result<()> {
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            biased;
            () = rollout.closed() => return Ok(()),
            _ = hang_up.recv() => match file.as_deref().map(read) {
                Some(Ok(now)) => {
                    tracing::info!(enabled = now.enabled, percent = now.percent, "the rollout was read again");
                    rollout.send_replace(now);
                }
                Some(Err(error)) => tracing::warn!(error, "the rollout stays as it was"),
                None => tracing::warn!("there is no --rollout file to read again"),
            },
        }
    }
}
