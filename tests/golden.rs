//! Every file in `sessions/` is a test of its own, in `cargo test` and nextest alike: played in the
//! simulated network, held against its claims and the oracles, and its transcript against the snapshot.
//!
//! If a claim or an oracle fails, the snapshot is not looked at, so that accepting one can never hide a
//! broken promise.
//!
//! Each is played on under a few schedules of faults that are drawn for it: what its users are told must not
//! change. The gate does the same with more of them.
//!
//! Every artefact in `sessions/regressions/` is one too: what once failed is clean now, and all its faults
//! still happen.

use libtest_mimic::{Arguments, Failed, Trial};
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, told_calm};
use rehearse::report::transcript::{schedule, transcript};
use rehearse::report::verdicts::verdicts;
use rehearse::scenario::overlay;
use rehearse::session::{Ink, Session, broken, failed};
use rehearse::world::EngineKind;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// insta prints its diff line by line; without this, those of parallel tests would mix.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How many schedules of faults each session is played under.
const SCHEDULES: u64 = 3;

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
    let chaos: Vec<Trial> = paths
        .iter()
        .cloned()
        .map(|path| {
            let project = Arc::clone(&project);
            let (name, excused) = (format!("chaos::{}", name_of(&path)), excused(&project, &path));
            Trial::test(name, move || play_under_faults(&project, &path)).with_ignored_flag(excused)
        })
        .collect();
    let trials = paths.into_iter().map(|path| {
        let project = Arc::clone(&project);
        let (name, excused) = (format!("golden::{}", name_of(&path)), excused(&project, &path));
        Trial::test(name, move || play(&project, &path)).with_ignored_flag(excused)
    });
    let regressions = project.regression_paths().expect("sessions/regressions/ is readable");
    let regressions = regressions.into_iter().map(|path| {
        let project = Arc::clone(&project);
        let name = format!("regression::{}", name_of(&path));
        Trial::test(name, move || play_again(&project, &path))
    });
    libtest_mimic::run(&arguments, trials.chain(chaos).chain(regressions).collect()).exit_code()
}

/// The path below `sessions/`, without its ending.
fn name_of(path: &Path) -> String {
    let below = path.strip_prefix("sessions").unwrap_or(path).with_extension("");
    below.to_string_lossy().into_owned()
}

/// Whether a session is in quarantine. One whose quarantine is over is played, and fails.
fn excused(project: &Project, path: &Path) -> bool {
    let session = project.session(path).ok();
    let quarantine = session.and_then(|session| session.quarantine);
    quarantine.is_some_and(|quarantine| !quarantine.is_over(&Project::today()))
}

fn play(project: &Project, path: &Path) -> Result<(), Failed> {
    let session = read(project, path)?;
    let scenario = &session.scenario;
    let rehearsal = Rehearsal::of_session(project, &session).map_err(|error| error.to_string())?;
    if !rehearsal.is_clean() {
        let rerun = format!("cargo rehearse run {}", path.display());
        rehearsal.keep(project, scenario, &rerun).map_err(|error| error.to_string())?;
        let mut text = failed(&session, &rehearsal.misses, Ink::Plain);
        text.push_str(&verdicts(&rehearsal.violations));
        return Err(text.into());
    }
    if let Some(over) = session.quarantine.as_ref().filter(|q| q.is_over(&Project::today())) {
        return Err(format!("the quarantine is over: it was {over}").into());
    }
    for scenario in session.sweep() {
        let run = Rehearsal::on(EngineKind::Event, project, &scenario);
        let run = run.map_err(|error| error.to_string())?.held_against(&session);
        if !run.is_clean() {
            let (path, seed) = (path.display(), scenario.seed);
            let rerun = format!("cargo rehearse run {path} --seed {seed} --engine event");
            run.keep(project, &scenario, &rerun).map_err(|error| error.to_string())?;
            let text = failed(&session, &run.misses, Ink::Plain);
            return Err(format!("{text}{}\n  rerun   {rerun}", verdicts(&run.violations)).into());
        }
    }
    compare(project, path, &session, &transcript(scenario, &rehearsal.trace))
}

fn read(project: &Project, path: &Path) -> Result<Session, Failed> {
    match project.session(path) {
        Ok(session) => Ok(session),
        Err(ProjectError::Session(mistakes)) => Err(broken(&mistakes, Ink::Plain).into()),
        Err(error) => Err(error.to_string().into()),
    }
}

/// Plays a session under faults of its own and of others: its users are told what they are told without any.
fn play_under_faults(project: &Project, path: &Path) -> Result<(), Failed> {
    let (session, engine) = (read(project, path)?, EngineKind::Event);
    let calm = told_calm(engine, project, &session.scenario).map_err(|error| error.to_string())?;
    for seed in 0..SCHEDULES {
        let scenario = overlay(&session.scenario, seed);
        let run = Rehearsal::on(engine, project, &scenario).map_err(|error| error.to_string())?;
        let run = run.held_beside(&calm, &scenario);
        if !run.is_clean() {
            let rerun = format!("cargo rehearse run {} --schedule {seed}", path.display());
            let kept = run.keep(project, &scenario, &rerun).map_err(|error| error.to_string())?;
            let (verdicts, difference) = (verdicts(&run.violations), run.difference);
            return Err(format!(
                "under schedule {seed}\n{}{verdicts}{}\n  rerun   {rerun}\n  \
                 shrink  cargo rehearse shrink {}/artefact.yaml",
                schedule(&scenario),
                difference.unwrap_or_default(),
                kept.display()
            )
            .into());
        }
    }
    Ok(())
}

/// Plays what once failed.
fn play_again(project: &Project, path: &Path) -> Result<(), Failed> {
    let artefact = match project.artefact(path) {
        Ok(artefact) => artefact,
        Err(ProjectError::Session(mistakes)) => return Err(broken(&mistakes, Ink::Plain).into()),
        Err(error) => return Err(error.to_string().into()),
    };
    let rehearsal = Rehearsal::of_artefact(artefact.failure.engine, project, &artefact);
    let rehearsal = rehearsal.map_err(|error| error.to_string())?;
    let stale = artefact.stale(&rehearsal.trace);
    if rehearsal.is_clean() && stale.is_empty() {
        return Ok(());
    }
    let rerun = format!("cargo rehearse run {}", path.display());
    let kept = rehearsal.keep(project, &artefact.scenario, &rerun);
    kept.map_err(|error| error.to_string())?;
    let verdicts = verdicts(&rehearsal.violations);
    Err(format!("{}\n{verdicts}\n  rerun   {rerun}", stale.join("\n")).into())
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
