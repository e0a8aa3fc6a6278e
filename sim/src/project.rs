//! Where things lie on the disk: session files, catalogues, and what a run leaves behind.
//!
//! The only part of the harness that reads and writes files.

use crate::artefact::Artefact;
use crate::session::{Broken, Catalogs, Fragments, Session};
use assistant::agent::Catalog;
use assistant::wall::Wall;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A checkout of the project.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
    /// The text of each catalogue, by its name.
    catalogs: BTreeMap<String, String>,
}

/// A file that can be played.
#[derive(Debug)]
pub enum Playable {
    /// A golden session.
    Session(Box<Session>),
    /// A failure.
    Artefact(Box<Artefact>),
}

/// Why the project's files are of no use.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// No directory above holds sessions.
    #[error("{0} is not inside the project: no directory above it has `sessions/catalogs`")]
    Outside(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A catalogue that sessions may name.
    #[error("the catalogue {path} has a bad row: {row}")]
    Catalog {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        row: String,
    },
    /// A session file that is not one.
    #[error("{0}")]
    Session(#[from] Box<Broken>),
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> ProjectError + '_ {
    move |source| ProjectError::File { path: path.to_owned(), source }
}

impl Project {
    /// The project that `directory` lies in, with its catalogues.
    ///
    /// # Errors
    /// [`ProjectError`]; a catalogue of the project must be without a bad row.
    pub fn around(directory: &Path) -> Result<Self, ProjectError> {
        let root = directory.ancestors().find(|root| root.join("sessions/catalogs").is_dir());
        let root = root.ok_or_else(|| ProjectError::Outside(directory.to_owned()))?.to_owned();
        let mut catalogs = BTreeMap::new();
        for path in files(&root.join("sessions/catalogs"), "csv")? {
            let text = fs::read_to_string(&path).map_err(file_error(&path))?;
            let bad = |row: String| ProjectError::Catalog { path: path.clone(), row };
            let (_catalog, rows) =
                Catalog::read(text.as_bytes()).map_err(|e| bad(e.to_string()))?;
            if let Some(row) = rows.first() {
                return Err(bad(row.to_string()));
            }
            catalogs.insert(stem(&path), text);
        }
        Ok(Self { root, catalogs })
    }

    /// The root directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a catalogue.
    #[must_use]
    pub fn catalog(&self, name: &str) -> Option<&str> {
        self.catalogs.get(name).map(String::as_str)
    }

    /// Every session file below `sessions/`, in alphabetical order, without catalogues, regressions and
    /// directories whose name begins with `_`. Paths are relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn session_paths(&self) -> Result<Vec<PathBuf>, ProjectError> {
        let mut paths = Vec::new();
        let mut open = vec![self.root.join("sessions")];
        while let Some(directory) = open.pop() {
            paths.extend(files(&directory, "yaml")?);
            for entry in entries(&directory)? {
                let name = entry.file_name().map(|name| name.to_string_lossy().into_owned());
                let skipped = name.is_none_or(|name| {
                    name.starts_with('_') || name == "catalogs" || name == "regressions"
                });
                if entry.is_dir() && !skipped {
                    open.push(entry);
                }
            }
        }
        paths.sort();
        Ok(paths.into_iter().map(|path| self.relative(path)).collect())
    }

    /// Every failure in `sessions/regressions/`, in alphabetical order. Paths are relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn regression_paths(&self) -> Result<Vec<PathBuf>, ProjectError> {
        let directory = self.root.join("sessions/regressions");
        if !directory.is_dir() {
            return Ok(Vec::new());
        }
        let paths = files(&directory, "yaml")?;
        Ok(paths.into_iter().map(|path| self.relative(path)).collect())
    }

    /// Every fragment in `sessions/_fragments/`, with its path relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn fragments(&self) -> Result<Fragments, ProjectError> {
        let directory = self.root.join("sessions/_fragments");
        let mut fragments = Fragments::new();
        if directory.is_dir() {
            for path in files(&directory, "yaml")? {
                let text = fs::read_to_string(&path).map_err(file_error(&path))?;
                let (name, path) = (stem(&path), self.relative(path));
                fragments.insert(name, (path.to_string_lossy().into_owned(), text));
            }
        }
        Ok(fragments)
    }

    /// Today's date, as `2026-12-31`: when a quarantine is over.
    #[must_use]
    #[expect(clippy::disallowed_types, reason = "a quarantine ends on a day of the calendar")]
    pub fn today() -> String {
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        Wall::new(move || epoch.elapsed().unwrap_or_default()).today()
    }

    fn relative(&self, path: PathBuf) -> PathBuf {
        path.strip_prefix(&self.root).map(Path::to_owned).unwrap_or(path)
    }

    /// Reads the session file at `path`, which may be relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`] and [`ProjectError::Session`].
    pub fn session(&self, path: &Path) -> Result<Session, ProjectError> {
        self.session_of(path, &self.text(path)?)
    }

    /// Reads a text as the session file at `path`.
    ///
    /// # Errors
    /// [`ProjectError::File`] of a fragment, and [`ProjectError::Session`].
    pub fn session_of(&self, path: &Path, text: &str) -> Result<Session, ProjectError> {
        let (path, ids, fragments) =
            (path.to_string_lossy(), self.listing_ids(), self.fragments()?);
        let session = Session::read_with(&path, text, &ids, &fragments);
        session.map_err(|broken| ProjectError::Session(Box::new(broken)))
    }

    /// Reads the failure at `path`, which may be relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`] and [`ProjectError::Session`].
    pub fn artefact(&self, path: &Path) -> Result<Artefact, ProjectError> {
        let artefact = Artefact::read(&path.to_string_lossy(), &self.text(path)?);
        artefact.map_err(|broken| ProjectError::Session(Box::new(broken)))
    }

    /// Reads the session or the failure at `path`, which may be relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`] and [`ProjectError::Session`].
    pub fn playable(&self, path: &Path) -> Result<Playable, ProjectError> {
        match Artefact::claims(&self.text(path)?) {
            true => Ok(Playable::Artefact(Box::new(self.artefact(path)?))),
            false => Ok(Playable::Session(Box::new(self.session(path)?))),
        }
    }

    /// The text of the file at `path`, which may be relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn text(&self, path: &Path) -> Result<String, ProjectError> {
        fs::read_to_string(self.root.join(path)).map_err(file_error(path))
    }

    /// The commit that is checked out, if there is a git to ask.
    #[must_use]
    pub fn commit(&self) -> Option<String> {
        let mut git = Command::new("git");
        let output = git.arg("-C").arg(&self.root).args(["rev-parse", "HEAD"]).output().ok()?;
        let hash = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| hash.trim().to_owned())
    }

    /// SHA-256 of `Cargo.lock`, hexadecimal, if there is one.
    #[must_use]
    pub fn lockfile(&self) -> Option<String> {
        let text = fs::read(self.root.join("Cargo.lock")).ok()?;
        Some(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Writes a file at `path`, which may be relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn write(&self, path: &Path, text: &str) -> Result<(), ProjectError> {
        let path = self.root.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(file_error(directory))?;
        }
        fs::write(&path, text).map_err(file_error(&path))
    }

    fn listing_ids(&self) -> Catalogs {
        let ids = |text: &String| {
            let (catalog, _bad_rows) = Catalog::read(text.as_bytes()).ok()?;
            Some(catalog.listings().iter().map(|listing| listing.id.to_string()).collect())
        };
        let named = self.catalogs.iter();
        named.map(|(name, text)| (name.clone(), ids(text).unwrap_or_default())).collect()
    }

    /// Writes a file of a run below `target/rehearse/` and returns its path relative to the root.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn keep(&self, run: &str, file: &str, text: &str) -> Result<PathBuf, ProjectError> {
        let relative = Path::new("target/rehearse").join(run).join(file);
        self.write(&relative, text)?;
        Ok(relative)
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let entries = fs::read_dir(directory).map_err(file_error(directory))?;
    let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(file_error(directory))?;
    paths.sort();
    Ok(paths)
}

/// The files of a directory with this ending, in alphabetical order.
fn files(directory: &Path, ending: &str) -> Result<Vec<PathBuf>, ProjectError> {
    let mut paths = entries(directory)?;
    paths.retain(|path| path.is_file() && path.extension().is_some_and(|found| found == ending));
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
