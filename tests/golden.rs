//! Every file in `sessions/` is a test of its own, in `cargo test` and nextest alike: played in the
//! simulated network, held against its claims and the oracles, and its transcript against the snapshot.
//!
//! If a claim or an oracle fails, the snapshot is not looked at, so that accepting one can never hide a
//! broken promise.
//!
//! Every artefact in `sessions/regressions/` is one too: what once failed is clean now, and all its faults
//! still happen.

use libtest_mimic::{Arguments, Failed, Trial};
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::Rehearsal;
use rehearse::report::transcript::transcript;
use rehearse::report::verdicts::verdicts;
use rehearse::session::{Ink, Session, broken, failed};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// insta prints its diff line by line; without this, those of parallel tests would mix.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    /// insta reports a difference by a panic, whose message would only repeat the diff.
    static EXPECTED_PANIC: Cell<bool> = const { Cell::new(false) };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !EXPECTED_PANIC.get() {
            print(panic);
        }
    }));
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a project");
    let project = Arc::new(project);
    let paths = project.session_paths().expect("sessions/ is readable");
    let trials = paths.into_iter().map(|path| {
        let project = Arc::clone(&project);
        let name = format!("golden::{}", name_of(&path));
        Trial::test(name, move || play(&project, &path))
    });
    let regressions = project.regression_paths().expect("sessions/regressions/ is readable");
    let regressions = regressions.into_iter().map(|path| {
        let project = Arc::clone(&project);
        let name = format!("regression::{}", name_of(&path));
        Trial::test(name, move || play_again(&project, &path))
    });
    libtest_mimic::run(&arguments, trials.chain(regressions).collect()).exit_code()
}

/// The path below `sessions/`, without its ending.
fn name_of(path: &Path) -> String {
    let below = path.strip_prefix("sessions").unwrap_or(path).with_extension("");
    below.to_string_lossy().into_owned()
}

fn play(project: &Project, path: &Path) -> Result<(), Failed> {
    let session = match project.session(path) {
        Ok(session) => session,
        Err(ProjectError::Session(mistakes)) => return Err(broken(&mistakes, Ink::Plain).into()),
        Err(error) => return Err(error.to_string().into()),
    };
    let scenario = &session.scenario;
    let rehearsal = Rehearsal::of_session(project, &session).map_err(|error| error.to_string())?;
    if !rehearsal.is_clean() {
        rehearsal.keep(project, scenario).map_err(|error| error.to_string())?;
        let mut text = failed(&session, &rehearsal.misses, Ink::Plain);
        text.push_str(&verdicts(&rehearsal.violations));
        return Err(text.into());
    }
    compare(project, path, &session, &transcript(scenario, &rehearsal.trace))
}

/// Plays what once failed.
fn play_again(project: &Project, path: &Path) -> Result<(), Failed> {
    let artefact = match project.artefact(path) {
        Ok(artefact) => artefact,
        Err(ProjectError::Session(mistakes)) => return Err(broken(&mistakes, Ink::Plain).into()),
        Err(error) => return Err(error.to_string().into()),
    };
    let rehearsal = Rehearsal::on(artefact.failure.engine, project, &artefact.scenario);
    let rehearsal = rehearsal.map_err(|error| error.to_string())?;
    let stale = artefact.stale(&rehearsal.trace);
    if rehearsal.is_clean() && stale.is_empty() {
        return Ok(());
    }
    rehearsal.keep(project, &artefact.scenario).map_err(|error| error.to_string())?;
    let (verdicts, rerun) = (verdicts(&rehearsal.violations), path.display());
    Err(format!("{}\n{verdicts}\n  rerun   cargo rehearse run {rerun}", stale.join("\n")).into())
}

fn compare(
    project: &Project,
    path: &Path,
    session: &Session,
    transcript: &str,
) -> Result<(), Failed> {
    let snapshot = name_of(path).replace('/', "__");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(project.root().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(path);
    settings.set_description(&session.about);
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    EXPECTED_PANIC.set(true);
    let compared = panic::catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(format!("golden__{snapshot}"), transcript));
    }));
    EXPECTED_PANIC.set(false);
    compared.map_err(|_difference| {
        let name = name_of(path);
        Failed::from(format!(
            "the transcript differs from snapshots/golden__{snapshot}.snap (diff above)\n  \
             review  cargo insta review\n  \
             rerun   cargo test --test golden -- --exact golden::{name}"
        ))
    })
}
