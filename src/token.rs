//! Mints and checks JSON Web Tokens (RFC 7519, HS256). Pure: the time is handed in.

use crate::contract::id::{SessionId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The shortest secret, bytes: the size of the hash (RFC 7518 section 3.2).
const SECRET_BYTES_MIN: usize = 32;

/// How long a token is good beyond its end, since the clocks of two hosts differ. RFC 7519 section 4.1.4 allows
/// for some minutes; 5 s is more than hosts that keep time differ by, and no frame may reach a client later
/// than that after the end of its token (AU-EXPIRE of section C).
pub const LEEWAY: Duration = Duration::from_secs(5);

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Opens connections at a gateway.
    Access,
    /// Buys access tokens at the token service.
    Refresh,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who it is about.
    pub sub: UserId,
    /// The login that it stems from.
    pub sid: SessionId,
    /// What it is for.
    pub kind: Kind,
    /// When it was made, seconds since 1970. Told and never judged: RFC 7519 section 4.1.6 gives no right
    /// to refuse a token from the future, only `nbf` would. It comes from a clock ahead of ours.
    pub iat: u64,
    /// When it ends, seconds since 1970.
    pub exp: u64,
    /// The number of a refresh token among those of its session, 1 for the first; 0 in an access token.
    pub n: u64,
}

impl Claims {
    /// An access token about `sub`, good from `now` (since 1970) for `ttl`.
    #[must_use]
    pub fn access(sub: UserId, sid: SessionId, now: Duration, ttl: Duration) -> Self {
        let exp = (now + ttl).as_secs();
        Self { sub, sid, kind: Kind::Access, iat: now.as_secs(), exp, n: 0 }
    }

    /// The `n`-th refresh token of a session, 1 for the first, good from `now` (since 1970) for `ttl`.
    #[must_use]
    pub fn refresh(sub: UserId, sid: SessionId, n: u64, now: Duration, ttl: Duration) -> Self {
        Self { kind: Kind::Refresh, n, ..Self::access(sub, sid, now, ttl) }
    }

    /// Until when the token is accepted, since 1970: its end and the [`LEEWAY`].
    #[must_use]
    pub fn good_until(&self) -> Duration {
        Duration::from_secs(self.exp).saturating_add(LEEWAY)
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token, or not signed with our key.
    #[error("the token is missing, malformed or forged")]
    Invalid,
    /// A token of the other kind.
    #[error("the token is of another kind")]
    WrongKind,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

impl TokenError {
    /// The name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::WrongKind => "wrong_kind",
            Self::Expired => "expired",
        }
    }
}

/// The secret that signs and checks. Its `Debug` form hides it.
#[derive(Clone)]
pub struct Keys {
    sign: EncodingKey,
    check: DecodingKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(hidden)")
    }
}

/// A secret that is too short to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret has {0} bytes, fewer than {SECRET_BYTES_MIN}")]
pub struct ShortSecret(usize);

impl Keys {
    /// Keys from a shared secret.
    ///
    /// # Errors
    /// [`ShortSecret`] below 32 bytes.
    pub fn from_secret(secret: &[u8]) -> Result<Self, ShortSecret> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(ShortSecret(secret.len()));
        }
        Ok(Self { sign: EncodingKey::from_secret(secret), check: DecodingKey::from_secret(secret) })
    }

    /// The token that says `claims`.
    ///
    /// # Panics
    /// Never: claims have a JSON form and HS256 takes any secret.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.sign)
            .expect("claims are plain values and the key is symmetric")
    }

    /// What `token` says, if it is of this `kind` and good at `now` (since 1970), give or take the
    /// [`LEEWAY`].
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(&self, kind: Kind, token: &str, now: Duration) -> Result<Claims, TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The library would ask the system clock; ours is handed in.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.check, &validation)
            .map_err(|_why| TokenError::Invalid)?
            .claims;
        if claims.kind != kind {
            Err(TokenError::WrongKind)
        } else if claims.good_until() <= now {
            Err(TokenError::Expired)
        } else {
            Ok(claims)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const TTL: Duration = Duration::from_secs(60);

    fn keys(fill: u8) -> Keys {
        Keys::from_secret(&[fill; 32]).unwrap()
    }

    fn claims(kind: Kind) -> Claims {
        let (user, session) = ("u-1".parse().unwrap(), "s-1".parse().unwrap());
        match kind {
            Kind::Access => Claims::access(user, session, NOW, TTL),
            Kind::Refresh => Claims::refresh(user, session, 7, NOW, TTL),
        }
    }

    #[test]
    fn accepts_its_own_token_until_it_has_expired_on_every_clock() {
        for kind in [Kind::Access, Kind::Refresh] {
            let said = claims(kind);
            let token = keys(1).sign(&said);
            let at = |now| keys(1).verify(kind, &token, now);
            let end = NOW + TTL + LEEWAY;
            assert_eq!((said.exp, said.good_until()), (1_800_000_060, end));
            assert_eq!(at(NOW), Ok(said.clone()));
            assert_eq!(at(end - Duration::from_nanos(1)), Ok(said.clone()));
            assert_eq!(at(end), Err(TokenError::Expired));
            // The clock that made it was ahead of ours, by however much.
            assert_eq!(at(NOW - TTL), Ok(said));
        }
    }

    #[test]
    fn refuses_forged_foreign_and_broken_tokens() {
        let token = keys(1).sign(&claims(Kind::Refresh));
        assert_eq!(keys(2).verify(Kind::Refresh, &token, NOW), Err(TokenError::Invalid));
        assert_eq!(keys(1).verify(Kind::Access, &token, NOW), Err(TokenError::WrongKind));
        for broken in ["", "a.b.c", token.trim_end_matches(|c: char| c != '.')] {
            assert_eq!(keys(1).verify(Kind::Refresh, broken, NOW), Err(TokenError::Invalid));
        }
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert_eq!(keys(1).verify(Kind::Refresh, &unsigned, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn a_token_without_a_session_is_none() {
        let old = serde_json::json!({"sub": "u-1", "kind": "access", "iat": 0, "exp": u64::MAX});
        let header = Header::new(Algorithm::HS256);
        let token = jsonwebtoken::encode(&header, &old, &keys(1).sign).unwrap();
        assert_eq!(keys(1).verify(Kind::Access, &token, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn never_prints_the_secret() {
        assert_eq!(format!("{:?}", keys(7)), "Keys(hidden)");
        assert!(Keys::from_secret(b"short").is_err());
    }
}
