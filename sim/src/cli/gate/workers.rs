//! The processes that share the files of a gate: this same command, for some of them, with a line of JSON each.
//!
//! If one dies, the file that it was at is broken, and another goes on behind it.

use super::super::speech::progress;
use super::Gate;
use super::row::Row;
use rehearse::project::ProjectError;
use rehearse::rehearsal::RehearsalError;
use rehearse::session::Ink;
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// A row a path, in the order in which they came.
pub(super) fn play(
    gate: &Gate,
    paths: &[PathBuf],
    jobs: usize,
    ink: Ink,
) -> Result<Vec<Row>, RehearsalError> {
    let board = Board { all: paths.len(), rows: RefCell::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(no_worker)?;
    let parts = (0..jobs).map(|job| paths.iter().skip(job).step_by(jobs).cloned().collect());
    let workers = parts.map(|part: Vec<PathBuf>| watch(gate, part, ink, &board));
    for watched in runtime.block_on(futures_util::future::join_all(workers)) {
        watched?;
    }
    progress("");
    Ok(board.rows.into_inner())
}

/// What has come so far.
struct Board {
    all: usize,
    rows: RefCell<Vec<Row>>,
}

impl Board {
    fn put(&self, row: Row) {
        progress("");
        row.tell();
        let mut rows = self.rows.borrow_mut();
        rows.push(row);
        progress(&format!("{} of {} played", rows.len(), self.all));
    }
}

/// Has some files played, whatever becomes of the processes.
async fn watch(
    gate: &Gate,
    mut paths: Vec<PathBuf>,
    ink: Ink,
    board: &Board,
) -> Result<(), RehearsalError> {
    while !paths.is_empty() {
        let (done, status) = worker(gate, &paths, ink, board).await?;
        let mut left = paths.split_off(done.min(paths.len()));
        if !left.is_empty() {
            let wrong = format!("the worker ended with {status}");
            board.put(Row::broken(left.remove(0), &wrong));
        }
        paths = left;
    }
    Ok(())
}

/// One process; tells how many files it played and how it ended.
async fn worker(
    gate: &Gate,
    paths: &[PathBuf],
    ink: Ink,
    board: &Board,
) -> Result<(usize, ExitStatus), RehearsalError> {
    let mut command = Command::new(std::env::current_exe().map_err(no_worker)?);
    command.args(["gate", "--worker", "--schedules", &gate.schedules.to_string()]);
    command.args(gate.keep.then_some("--keep"));
    command.args((ink == Ink::Colour).then_some("--colour"));
    command.arg("--").args(paths);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(no_worker)?;
    let mut done = 0;
    if let Some(output) = child.stdout.take() {
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await.map_err(no_worker)? {
            let row = serde_json::from_str(&line)
                .map_err(|why| no_worker(io::Error::new(io::ErrorKind::InvalidData, why)))?;
            board.put(row);
            done += 1;
        }
    }
    Ok((done, child.wait().await.map_err(no_worker)?))
}

fn no_worker(source: io::Error) -> RehearsalError {
    ProjectError::File { path: PathBuf::from("a worker of the gate"), source }.into()
}
