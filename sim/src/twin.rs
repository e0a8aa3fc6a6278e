//! The same run once more in a second process, whose surroundings differ in everything that must not matter.
//!
//! # Design
//! A run that repeats itself in its own process may still depend on where its stack lies, on the environment, the time
//! zone, the language, the directory or the CPU. The twin has others of all of these. It is given the scenario
//! itself and not a seed, so it plays whatever can be played, and it gives back the whole trace: the first event
//! that differs says more than two hashes.

use crate::artefact::{Artefact, Failure};
use crate::divergence::first_divergence;
use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::world::EngineKind;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How much larger the environment of a twin is, bytes: odd, so that its stack begins elsewhere even within a word.
const BALLAST_BYTES: usize = 5_003;

/// Starts second processes.
#[derive(Debug, Clone)]
pub struct Twin {
    exe: PathBuf,
    directory: PathBuf,
    /// Programs that start another one in a way of their own, as far as the system has them.
    starters: Vec<Vec<String>>,
}

/// Why a twin said nothing.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// It cannot be started, or not be spoken to.
    #[error("cannot run {exe} a second time")]
    Start {
        /// The program.
        exe: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("a second process could not play the scenario: {0}")]
    Failed(String),
}

impl Twin {
    /// Twins that are processes of `exe`, which is `rehearse`, in a project.
    #[must_use]
    pub fn new(exe: &Path, root: &Path) -> Self {
        let starters = [&["taskset", "-c", "0"][..], &["setarch", "-R"]];
        let starters = starters.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
        let directory = root.join("sessions/catalogs");
        let starters = starters.into_iter().filter(|words: &Vec<String>| works(words)).collect();
        Self { exe: exe.to_owned(), directory, starters }
    }

    /// Plays a scenario in a second process; tells where it parts from what happened in this one.
    ///
    /// # Errors
    /// [`TwinError`].
    pub fn divergence(
        &self,
        engine: EngineKind,
        scenario: &Scenario,
        trace: &Trace,
    ) -> Result<Option<String>, TwinError> {
        Ok(first_divergence(&trace.to_text(), &self.play(engine, scenario)?))
    }

    /// The trace of a second process, an event a line.
    fn play(&self, engine: EngineKind, scenario: &Scenario) -> Result<String, TwinError> {
        let start = |source| TwinError::Start { exe: self.exe.clone(), source };
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(start)?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(written(engine, scenario).as_bytes()).map_err(start)?;
        }
        let output = child.wait_with_output().map_err(start)?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(TwinError::Failed(format!("{}, {}", output.status, said.trim_end())))
            }
        }
    }

    /// A process somewhere else.
    fn command(&self) -> Command {
        let mut words = self.starters.concat().into_iter();
        let mut command = match words.next() {
            Some(first) => {
                let mut command = Command::new(first);
                command.args(words).arg(&self.exe);
                command
            }
            None => Command::new(&self.exe),
        };
        command.arg("twin").current_dir(&self.directory);
        command.env("BALLAST", "x".repeat(BALLAST_BYTES)).env("TZ", "Asia/Kathmandu");
        command.env("LANG", "tr_TR.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
        command
    }
}

/// A scenario as a twin reads it.
fn written(engine: EngineKind, scenario: &Scenario) -> String {
    let repeat = "as the second process of a run".to_owned();
    let (commit, lockfile, violations) = (None, None, Vec::new());
    let failure = Failure { commit, lockfile, engine, repeat, violations };
    Artefact { failure, scenario: scenario.clone() }.write()
}

/// Whether a program that starts another is there and may do so.
fn works(words: &[String]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).arg("true").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
