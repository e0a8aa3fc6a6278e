//! Mints and checks JSON Web Tokens (RFC 7519, HS256). Pure: the time is handed in.

use crate::contract::id::UserId;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The shortest secret, bytes: the size of the hash (RFC 7518 section 3.2).
const SECRET_BYTES_MIN: usize = 32;

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
    /// What it is for.
    pub kind: Kind,
    /// When it was made, seconds since 1970.
    pub iat: u64,
    /// When it ends, seconds since 1970.
    pub exp: u64,
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

    /// A token about `user`, good from `now` (since 1970) for `ttl`.
    ///
    /// # Panics
    /// Never: claims have a JSON form and HS256 takes any secret.
    #[must_use]
    pub fn mint(&self, kind: Kind, user: &UserId, now: Duration, ttl: Duration) -> String {
        let claims =
            Claims { sub: user.clone(), kind, iat: now.as_secs(), exp: (now + ttl).as_secs() };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .expect("claims are plain values and the key is symmetric")
    }

    /// What `token` says, if it is of this `kind` and good at `now` (since 1970).
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
        } else if claims.exp <= now.as_secs() {
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

    #[test]
    fn accepts_its_own_token_until_it_expires() {
        let user = UserId::new("u-1").unwrap();
        let token = keys(1).mint(Kind::Access, &user, NOW, TTL);
        let claims = keys(1).verify(Kind::Access, &token, NOW).unwrap();
        assert_eq!((claims.sub, claims.exp), (user, 1_800_000_060));
        let late = keys(1).verify(Kind::Access, &token, NOW + TTL);
        assert_eq!(late, Err(TokenError::Expired));
    }

    #[test]
    fn refuses_forged_foreign_and_broken_tokens() {
        let user = UserId::new("u-1").unwrap();
        let token = keys(1).mint(Kind::Refresh, &user, NOW, TTL);
        assert_eq!(keys(2).verify(Kind::Refresh, &token, NOW), Err(TokenError::Invalid));
        assert_eq!(keys(1).verify(Kind::Access, &token, NOW), Err(TokenError::WrongKind));
        for broken in ["", "a.b.c", token.trim_end_matches(|c: char| c != '.')] {
            assert_eq!(keys(1).verify(Kind::Refresh, broken, NOW), Err(TokenError::Invalid));
        }
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert_eq!(keys(1).verify(Kind::Refresh, &unsigned, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn never_prints_the_secret() {
        assert_eq!(format!("{:?}", keys(7)), "Keys(hidden)");
        assert!(Keys::from_secret(b"short").is_err());
    }
}
