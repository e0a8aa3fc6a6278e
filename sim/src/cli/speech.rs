//! What the commands say: results on stdout, progress and complaints on stderr.

use rehearse::project::ProjectError;
use rehearse::rehearsal::RehearsalError;
use rehearse::session::{Ink, broken};
use std::io::{IsTerminal, Write as _, stderr, stdin, stdout};

pub(crate) fn ink(stream: &impl IsTerminal) -> Ink {
    match stream.is_terminal() {
        true => Ink::Colour,
        false => Ink::Plain,
    }
}

#[expect(clippy::print_stdout, reason = "what the commands are for")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// Asks a person for a line; a script is spared it.
#[expect(clippy::print_stdout, reason = "what a person sees before the cursor")]
pub(crate) fn prompt(text: &str) {
    if stdin().is_terminal() {
        print!("{text}");
        // Whoever does not see the prompt misses nothing.
        drop(stdout().flush());
    }
}

/// Shows how far a long command is, in one line that is painted over; a file is spared it.
#[expect(clippy::print_stderr, reason = "what a person sees meanwhile")]
pub(crate) fn progress(text: &str) {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
        // Whoever does not see the progress misses nothing.
        drop(stderr().flush());
    }
}

/// Prints an error and its causes.
#[expect(clippy::print_stderr, reason = "the last words of a command")]
pub(crate) fn complain(error: &RehearsalError) {
    if let RehearsalError::Project(ProjectError::Session(mistakes)) = error {
        eprintln!("{}", broken(mistakes, ink(&stderr())));
        return;
    }
    eprintln!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
