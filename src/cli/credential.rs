//! The newest refresh token of a chat, kept from one start to the next.
//!
//! The service takes each token once, so the one on the command line serves the first start only. The file
//! holds it beside the newest one: the same command line goes on, another token begins anew.

use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// A file with a refresh token and what has become of it.
#[derive(Debug)]
pub(super) struct CredentialFile {
    path: PathBuf,
    given: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    given: String,
    newest: String,
}

impl CredentialFile {
    /// The file, and the newest successor of `given` that it knows.
    pub(super) fn open(path: PathBuf, given: &str) -> Result<(Self, String), Box<dyn Error>> {
        let kept =
            match path.exists() {
                true => Some(serde_json::from_str::<Kept>(&fs::read_to_string(&path)?).map_err(
                    |error| format!("{} is not what chat wrote: {error}", path.display()),
                )?),
                false => None,
            };
        let newest = kept.filter(|kept| kept.given == given).map(|kept| kept.newest);
        let file = Self { path, given: given.to_owned() };
        Ok((file, newest.unwrap_or_else(|| given.to_owned())))
    }

    /// Keeps the newest one. A crash in the middle leaves the one before, which the service still takes.
    pub(super) fn keep(&self, newest: String) -> Result<(), Box<dyn Error>> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let text = serde_json::to_string(&Kept { given: self.given.clone(), newest })?;
        let half_written = self.path.with_extension("new");
        let mut options = fs::OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&half_written)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(fs::rename(half_written, &self.path)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_same_command_line_goes_on_and_another_token_begins_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("not yet").join("credential-thread.json");
        let (file, first) = CredentialFile::open(path.clone(), "one").unwrap();
        assert_eq!(first, "one");
        for newest in ["two", "three"] {
            file.keep(newest.to_owned()).unwrap();
            assert_eq!(CredentialFile::open(path.clone(), "one").unwrap().1, newest);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(CredentialFile::open(path, "other").unwrap().1, "other");
    }
}
