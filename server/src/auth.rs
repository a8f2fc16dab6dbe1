//! Who sends a request: tokens are signed once at login, and the signature of each distinct one is verified once.

use sandbox_core::engine::Credential;
use sandbox_core::policy::auth::{AuthError, Issuer, Secret, Verifier};
use sandbox_core::time::Span;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Who signs our tokens.
const ISSUER: &str = "faultline";
/// Whom our tokens are for.
const AUDIENCE: &str = "lab";
/// Verified tokens remembered in a generation; there are two.
const REMEMBERED: usize = 10_000;

/// Signs tokens and verifies signatures.
pub struct Auth {
    issuer: Issuer,
    verifier: Verifier,
    known: Mutex<Known>,
}

/// Good tokens by their text, in two generations: when the young one is full the old one is forgotten. Bad tokens are
/// not remembered, so that nobody can flush the good ones with them.
#[derive(Default)]
struct Known {
    young: HashMap<String, Credential>,
    old: HashMap<String, Credential>,
}

impl Auth {
    /// With a key from outside, at least 32 bytes, or a random one.
    pub fn new(key: Option<&[u8]>) -> Result<Auth, String> {
        let mut random = [0; 32];
        let secret = match key {
            Some(key) => Secret::from_bytes(key)?,
            None => {
                getrandom::fill(&mut random).map_err(|error| format!("no random key can be drawn: {error}"))?;
                Secret::from_bytes(&random)?
            }
        };
        let issuer = Issuer::new(&secret, ISSUER, AUDIENCE);
        // Times are judged in the world; this verifier is asked for signatures only.
        let verifier = Verifier::new(&secret, ISSUER, AUDIENCE, Span::ZERO);
        Ok(Auth { issuer, verifier, known: Mutex::default() })
    }

    /// A token for `user`, valid from `now_unix_s` (seconds since 1970) for `lifetime_s` seconds.
    pub fn issue(&self, user: u32, now_unix_s: u64, lifetime_s: u64) -> String {
        self.issuer.issue(user, now_unix_s, lifetime_s)
    }

    /// What the value of an `Authorization` header vouches for. Whether its time is right is the world's to judge.
    pub fn credential(&self, header: Option<&str>) -> Credential {
        match header.map(bearer) {
            Some(Some(token)) => self.of_token(token).unwrap_or(Credential::Invalid),
            _ => Credential::Invalid,
        }
    }

    fn of_token(&self, token: &str) -> Result<Credential, AuthError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(credential) = known.young.get(token) {
            return Ok(credential.clone());
        }
        let credential = match known.old.remove(token) {
            Some(credential) => credential,
            None => self.verify(token)?,
        };
        if known.young.len() >= REMEMBERED {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(token.to_string(), credential.clone());
        Ok(credential)
    }

    fn verify(&self, token: &str) -> Result<Credential, AuthError> {
        let claims = self.verifier.verify_signature(token)?;
        if claims.issuer() != ISSUER {
            return Err(AuthError::WrongIssuer);
        }
        if !claims.audience().iter().any(|audience| audience == AUDIENCE) {
            return Err(AuthError::WrongAudience);
        }
        let exp = claims.expires_at_s().ok_or(AuthError::ExpiryMissing)?;
        let nbf = claims.not_before_s().max(claims.issued_at_s()).unwrap_or(0);
        Ok(Credential::Signed { user: claims.user(), nbf, exp })
    }
}

/// The token of `Bearer TOKEN`; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_tokens_are_known_and_bad_ones_are_not_remembered() {
        let auth = Auth::new(None).unwrap();
        let token = auth.issue(17, 1_000, 600);
        let signed = Credential::Signed { user: 17, nbf: 1_000, exp: 1_600 };
        for scheme in ["Bearer", "bearer"] {
            assert_eq!(auth.credential(Some(&format!("{scheme} {token}"))), signed);
        }
        let strange = Auth::new(None).unwrap().issue(17, 1_000, 600);
        for bad in ["", "Bearer", "Bearer x.y.z", &format!("Basic {token}"), &token, &format!("Bearer {strange}")] {
            assert_eq!(auth.credential(Some(bad)), Credential::Invalid, "{bad}");
        }
        assert_eq!(auth.credential(None), Credential::Invalid);
        assert_eq!(auth.known.lock().unwrap().young.len(), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let auth = Auth::new(Some(&[7; 32])).unwrap();
        for user in 0..3 * REMEMBERED as u32 {
            auth.of_token(&auth.issue(user, 0, 1)).unwrap();
        }
        let known = auth.known.lock().unwrap();
        assert!(known.young.len() <= REMEMBERED && known.old.len() <= REMEMBERED);
    }

    #[test]
    fn short_keys_are_refused() {
        assert!(Auth::new(Some(b"short")).is_err());
    }
}
