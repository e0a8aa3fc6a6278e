//! The data directory: the stores, the signing secret and where a running assistant listens.

use assistant::auth;
use assistant::config::TokenConfig;
use assistant::contract::id::{SessionId, UserId};
use assistant::supervisor::Store;
use assistant::token::{Claims, Keys};
use assistant::wall::Wall;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use redb::backends::FileBackend;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A data directory.
#[derive(Debug)]
pub(super) struct Keep {
    directory: PathBuf,
}

/// Where the roles of a running assistant listen.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Addresses {
    pub(super) gateway: String,
    pub(super) token_service: String,
}

impl Keep {
    /// The directory, created with a fresh secret if need be.
    pub(super) fn created(directory: PathBuf) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(&directory)
            .map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
        let keep = Self { directory };
        if !keep.secret_path().exists() {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret)?;
            let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.write(true).create_new(true).mode(0o600).open(keep.secret_path())?;
            file.write_all(hex.as_bytes())?;
            file.sync_all()?;
        }
        Ok(keep)
    }

    /// A directory in which an assistant has run before.
    pub(super) fn existing(directory: PathBuf) -> Result<Self, Box<dyn Error>> {
        let keep = Self { directory };
        match keep.secret_path().exists() {
            true => Ok(keep),
            false => Err(format!(
                "{} holds no assistant; start one with `assistant serve --data {}`",
                keep.directory.display(),
                keep.directory.display()
            )
            .into()),
        }
    }

    fn secret_path(&self) -> PathBuf {
        self.directory.join("secret")
    }

    pub(super) fn keys(&self) -> Result<Keys, Box<dyn Error>> {
        keys_from(&self.secret_path())
    }

    pub(super) fn store(&self) -> Result<Store, Box<dyn Error>> {
        store_at(&self.directory.join("threads.redb"))
    }

    pub(super) fn sessions(&self) -> Result<auth::Store, Box<dyn Error>> {
        sessions_at(&self.directory.join("sessions.redb"))
    }

    /// The access token of a new session, which has no other.
    pub(super) fn access_token(&self, user: UserId) -> Result<String, Box<dyn Error>> {
        let ttl = TokenConfig::default().access_ttl;
        let claims = Claims::access(user, fresh_session()?, system_wall().now(), ttl);
        Ok(self.keys()?.sign(&claims))
    }

    /// The first refresh token of a new session.
    pub(super) fn refresh_token(&self, user: UserId) -> Result<String, Box<dyn Error>> {
        let ttl = TokenConfig::default().refresh_ttl;
        let claims = Claims::refresh(user, fresh_session()?, 1, system_wall().now(), ttl);
        Ok(self.keys()?.sign(&claims))
    }

    pub(super) fn publish(&self, addresses: &Addresses) -> Result<(), Box<dyn Error>> {
        let text = serde_json::to_string_pretty(addresses)?;
        Ok(fs::write(self.directory.join("addresses.json"), text)?)
    }

    pub(super) fn addresses(&self) -> Result<Addresses, Box<dyn Error>> {
        let path = self.directory.join("addresses.json");
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// Keys from a file with the secret.
pub(super) fn keys_from(path: &Path) -> Result<Keys, Box<dyn Error>> {
    let secret = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the secret in {}: {error}", path.display()))?;
    Ok(Keys::from_secret(secret.trim().as_bytes())?)
}

/// The supervisor's store in a file.
pub(super) fn store_at(path: &Path) -> Result<Store, Box<dyn Error>> {
    Ok(Store::open(backend_at(path)?)?)
}

/// The token service's store in a file.
pub(super) fn sessions_at(path: &Path) -> Result<auth::Store, Box<dyn Error>> {
    Ok(auth::Store::open(backend_at(path)?)?)
}

fn backend_at(path: &Path) -> Result<FileBackend, String> {
    let file =
        fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    FileBackend::new(file).map_err(|error| {
        format!("cannot use {}: {error}; is another assistant running on it?", path.display())
    })
}

/// The system's clock.
#[expect(clippy::disallowed_types, reason = "the one place where production reads the calendar")]
pub(super) fn system_wall() -> Wall {
    Wall::new(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
    })
}

/// A generator seeded by the operating system.
pub(super) fn fresh_rng() -> Result<ChaCha8Rng, Box<dyn Error>> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(ChaCha8Rng::from_seed(seed))
}

/// A session that nobody can guess or meet by chance: 128 random bits.
fn fresh_session() -> Result<SessionId, Box<dyn Error>> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    let hex: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SessionId::new(hex)?)
}
