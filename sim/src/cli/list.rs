//! `list`: the sessions, what is known of their last run, and what they exercise.

use super::Verdict;
use super::speech::say;
use clap::Args;
use rehearse::coverage::Items;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::RehearsalError;
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only sessions with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Say too what each exercised in its last run.
    #[arg(long)]
    covers: bool,
}

/// What the gate leaves of each session, clean or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptResult {
    /// As in the table.
    pub(crate) result: String,
    /// What its own run exercised.
    pub(crate) exercised: Items,
}

const FILE: &str = "result.json";

impl KeptResult {
    pub(crate) fn keep(&self, project: &Project, session: &str) -> Result<(), ProjectError> {
        let text = serde_json::to_string(self).expect("plain data");
        project.keep(session, FILE, &text).map(drop)
    }

    fn of(project: &Project, session: &str) -> Option<Self> {
        let path = Path::new("target/rehearse").join(session).join(FILE);
        serde_json::from_str(&project.text(&path).ok()?).ok()
    }
}

impl List {
    pub(crate) fn perform(&self, project: &Project) -> Result<Verdict, RehearsalError> {
        let mut lines = Vec::new();
        for path in project.session_paths()? {
            let session = match project.session(&path) {
                Ok(session) => session,
                Err(ProjectError::Session(_)) => {
                    lines.push([
                        path.display().to_string(),
                        String::new(),
                        "a mistake: see lint".to_owned(),
                        String::new(),
                    ]);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if self.tag.as_ref().is_some_and(|tag| !session.tags.contains(tag)) {
                continue;
            }
            let name = session.scenario.name;
            let kept = KeptResult::of(project, &name);
            let result = kept.as_ref().map_or("not played", |kept| &kept.result).to_owned();
            let below = match (&kept, self.covers) {
                (Some(kept), true) => words(&kept.exercised),
                (_, _) => format!("    {}", session.about),
            };
            lines.push([name, session.tags.join(" "), result, below]);
        }
        let width =
            |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
        let (name_width, tags_width) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
        for [name, tags, result, below] in &lines {
            say(&format!("{name:name_width$}  {tags:tags_width$}  {result}"));
            if !below.is_empty() {
                say(below);
            }
        }
        say(&format!("{} sessions", lines.len()));
        Ok(Verdict::Clean)
    }
}

fn words(items: &Items) -> String {
    let rows = items.iter().map(|(row, names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("    {row}: {}", names.join(", "))
    });
    rows.collect::<Vec<_>>().join("\n")
}
