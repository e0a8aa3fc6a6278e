//! `record`: a conversation with the simulated assistant that becomes a session.
//!
//! Each line plays the whole conversation so far, from the first word: that is the same every time, and a session
//! is nothing else.

use super::Verdict;
use super::speech::{ink, prompt, say};
use clap::Args;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::transcript::last_turn;
use rehearse::report::verdicts::verdicts;
use rehearse::session::{Draft, FAULTS, Said, Session, broken, failed, fault, observed};
use rehearse::world::EngineKind;
use serde_json::Value;
use std::io::{self, BufRead as _, stdin, stdout};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Record {
    /// The name of the session: `sessions/NAME.yaml` is written.
    name: String,
    /// The listings, a file in `sessions/catalogs/`.
    #[arg(long, default_value = "willamette")]
    catalog: String,
    /// The seed of its run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const HELP: &str = "\
Say something, and see what the assistant shows. The rest begins with a colon:
  :fault partition 5s   something goes wrong as the next turn begins (`:fault` alone lists what can)
  :undo                 take the last turn back
  :about A sentence     what the session proves
  :tag WORD             a word to choose it by
  :show                 the file as it would be saved
  :save                 write the file, with what was seen as expectations, and end
  :quit                 end without a file
  :help                 this";

/// What a line asks for.
enum Next {
    More,
    Saved,
    Quit,
}

/// A recording under way.
struct Recorder<'p> {
    project: &'p Project,
    draft: Draft,
    /// Faults of the next turn.
    armed: Vec<Value>,
}

impl Record {
    pub(crate) fn perform(&self, project: &Project) -> Result<Verdict, RehearsalError> {
        let draft = Draft {
            name: self.name.clone(),
            about: "Recorded; say here what it proves.".to_owned(),
            tags: vec!["recorded".to_owned()],
            seed: self.seed,
            catalog: self.catalog.clone(),
            said: Vec::new(),
        };
        if project.root().join(draft.path()).exists() {
            say(&format!("{} exists: take another name, or delete it first", draft.path()));
            return Ok(Verdict::Unplayed);
        }
        let mut recorder = Recorder { project, draft, armed: Vec::new() };
        say("Talk to the assistant; :help tells what else there is.");
        prompt("> ");
        for line in stdin().lock().lines() {
            let line = line.map_err(|source| ProjectError::File {
                path: PathBuf::from("standard input"),
                source,
            })?;
            match recorder.take(line.trim())? {
                Next::More => prompt("> "),
                Next::Saved => return Ok(Verdict::Clean),
                Next::Quit => break,
            }
        }
        say("nothing was saved");
        Ok(Verdict::Clean)
    }
}

impl Recorder<'_> {
    fn take(&mut self, line: &str) -> Result<Next, RehearsalError> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            ":help" => say(HELP),
            ":quit" => return Ok(Next::Quit),
            ":save" => return self.save(),
            ":show" => {
                if let Some(session) = self.read(&[])?.filter(|_| !self.draft.said.is_empty()) {
                    let run = Rehearsal::on(EngineKind::Event, self.project, &session.scenario)?;
                    say(&self.draft.text(&observed(&session, &run.trace)));
                }
            }
            ":undo" => match self.draft.said.pop() {
                Some(said) => say(&format!("taken back: {}", said.text)),
                None => say("nothing was said yet"),
            },
            ":about" => self.draft.about = rest.trim().to_owned(),
            ":tag" => self.draft.tags.extend(rest.split_whitespace().map(str::to_owned)),
            ":fault" => match fault(rest) {
                Ok(fault) => {
                    self.armed.push(fault);
                    say("it happens as the next turn begins");
                }
                Err(_) if rest.is_empty() => say(FAULTS),
                Err(advice) => say(&format!("no such fault: {advice}")),
            },
            _ if word.starts_with(':') => say(&format!("no such command: {word}\n{HELP}")),
            _ => self.say(line)?,
        }
        Ok(Next::More)
    }

    /// Plays the conversation with one more turn, and shows what came of that.
    fn say(&mut self, text: &str) -> Result<(), RehearsalError> {
        let faults = std::mem::take(&mut self.armed);
        self.draft.said.push(Said { text: text.to_owned(), faults });
        let Some(session) = self.read(&[])? else {
            self.draft.said.pop();
            return Ok(());
        };
        let run = Rehearsal::on(EngineKind::Event, self.project, &session.scenario)?;
        say(last_turn(&session.scenario, &run.trace).trim_end());
        for miss in run.held_against(&session).misses {
            say(&format!("{}: {}", miss.title, miss.text));
        }
        Ok(())
    }

    /// The session so far; tells why there is none.
    fn read(&self, expects: &[Value]) -> Result<Option<Session>, RehearsalError> {
        let (path, text) = (self.draft.path(), self.draft.text(expects));
        match self.project.session_of(Path::new(&path), &text) {
            Ok(session) => Ok(Some(session)),
            Err(ProjectError::Session(mistakes)) => {
                say(&broken(&mistakes, ink(&stdout())));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the file, if a run of it is clean.
    fn save(&self) -> Result<Next, RehearsalError> {
        if self.draft.said.is_empty() {
            say("nothing was said yet: there is nothing to save");
            return Ok(Next::More);
        }
        let Some(session) = self.read(&[])? else { return Ok(Next::More) };
        let run = Rehearsal::of_session(self.project, &session)?;
        let expects = observed(&session, &run.trace);
        let Some(session) = self.read(&expects)? else { return Ok(Next::More) };
        let run = Rehearsal::of_session(self.project, &session)?;
        if !run.is_clean() {
            say(&failed(&session, &run.misses, ink(&stdout())));
            say(&verdicts(&run.violations));
            say("not saved: a run of it is not clean; :undo what it takes");
            return Ok(Next::More);
        }
        let path = PathBuf::from(self.draft.path());
        if self.project.root().join(&path).exists() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(ProjectError::File { path, source }.into());
        }
        self.project.write(&path, &self.draft.text(&expects))?;
        let (path, name) = (path.display(), &self.draft.name);
        say(&format!("saved as {path}; read it, and leave only what it shall promise"));
        say(&format!("  cargo rehearse run {path}\n  cargo test -- {name}\n  cargo insta review"));
        Ok(Next::Saved)
    }
}
