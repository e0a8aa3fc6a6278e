//! `schema`: the files that are made from the types of the session format.

use super::Verdict;
use super::speech::say;
use rehearse::project::Project;
use rehearse::rehearsal::RehearsalError;
use rehearse::session::{REFERENCE_FILE, SCHEMA_FILE, reference, schema_text};
use std::path::Path;

pub(crate) fn schema(project: &Project) -> Result<Verdict, RehearsalError> {
    project.write(Path::new(SCHEMA_FILE), &schema_text())?;
    project.write(Path::new(REFERENCE_FILE), &reference())?;
    say(&format!("wrote {SCHEMA_FILE} and {REFERENCE_FILE}"));
    Ok(Verdict::Clean)
}
