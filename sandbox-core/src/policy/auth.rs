//! Bearer tokens: is this token valid now, and whose is it?
//!
//! Promise: a token passes only if this issuer signed it for this audience with an algorithm on the list, and the time
//! lies within its validity. Checks come in the order of RFC 8725: size and compact form, `alg` in a fixed list, `typ`
//! and `crit`, signature, and only then the claims: `iss` exact, `aud` contains us, `exp` present and ahead, `nbf` and
//! `iat` not ahead. Access tokens have `typ` `at+jwt` (RFC 9068).
//!
//! The work is split in two. [`Verifier::verify_signature`] is dear and depends on the token alone, so its result may
//! be kept per token; [`Verifier::decide`] is cheap and depends on the time, so it is asked for every request. Left
//! out: scopes, key rotation, replay of `jti`. Signatures are `jwt-compact`'s; its clock is not compiled in.

use crate::rng::{Purpose, Stream, name_hash};
use crate::time::Span;
use chrono::{DateTime, Utc};
use jwt_compact::alg::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};
use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, Claims, Header, UntrustedToken};
use serde::{Deserialize, Serialize};

/// The longest token looked at, in bytes; HTTP servers allow headers of about 8 KiB in all.
const TOKEN_BYTES_MAX: usize = 4096;
/// The shortest key in bytes: as long as the hash (RFC 7518 section 3.2).
const KEY_BYTES_MIN: usize = 32;
/// The token type of access tokens (RFC 9068).
const TOKEN_TYPE: &str = "at+jwt";
/// The last second of the year 9999; a token that would live longer expires then.
const LAST_UNIX_SECOND: u64 = 253_402_300_799;

/// The key that signs and verifies. Its `Debug` form does not show it.
#[derive(Clone, Debug)]
pub struct Secret(Hs256Key);

impl Secret {
    /// A key derived from the seed of a run: reproducible, hence for simulated tokens only.
    pub fn from_seed(seed: u64) -> Secret {
        let mut stream = Stream::new(seed, name_hash("auth"), Purpose::Secret);
        let bytes: Vec<u8> = (0..KEY_BYTES_MIN / 8).flat_map(|_| stream.bits().to_le_bytes()).collect();
        Secret(Hs256Key::new(bytes))
    }

    /// A key from outside, at least 32 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Result<Secret, String> {
        if bytes.len() < KEY_BYTES_MIN {
            return Err(format!(
                "the signing key has {} bytes: HS256 needs at least {KEY_BYTES_MIN} random bytes",
                bytes.len()
            ));
        }
        Ok(Secret(Hs256Key::new(bytes)))
    }
}

/// Signs tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    secret: Secret,
    issuer: String,
    audience: String,
}

impl Issuer {
    /// Signs as `issuer` for `audience`.
    pub fn new(secret: &Secret, issuer: &str, audience: &str) -> Issuer {
        Issuer { secret: secret.clone(), issuer: issuer.into(), audience: audience.into() }
    }

    /// A token for `user`, valid from `issued_at_unix_s` (seconds since 1970) for `lifetime_s` seconds. The same facts
    /// give the same token.
    pub fn issue(&self, user: u32, issued_at_unix_s: u64, lifetime_s: u64) -> String {
        let mut claims = Claims::new(OwnClaims {
            issuer: Some(self.issuer.clone()),
            audience: vec![self.audience.clone()],
            subject: user.to_string(),
        });
        claims.issued_at = Some(date(issued_at_unix_s));
        claims.not_before = claims.issued_at;
        claims.expiration = Some(date(issued_at_unix_s.saturating_add(lifetime_s)));
        let header = Header::empty().with_token_type(TOKEN_TYPE);
        Hs256.token(&header, &claims, &self.secret.0).expect("strings and numbers can be written as JSON")
    }
}

/// Verifies tokens.
#[derive(Clone, Debug)]
pub struct Verifier {
    secret: Secret,
    issuer: String,
    audience: String,
    leeway: Span,
    algorithms: Vec<Allowed>,
    expiry_required: bool,
}

/// An algorithm on the list.
#[derive(Clone, Debug)]
struct Allowed {
    name: String,
    /// None if a shared secret cannot be its key.
    is_signed: Option<IsSigned>,
}

/// Checks key, signature and what was signed. A pointer, so that a program that allows HS256 alone does not carry the other
/// hashes.
type IsSigned = fn(&[u8], &[u8], &str) -> bool;

impl Verifier {
    /// Accepts tokens that `issuer` signed for `audience` with HS256, with clocks up to `leeway` apart (30 s is usual).
    pub fn new(secret: &Secret, issuer: &str, audience: &str, leeway: Span) -> Verifier {
        Verifier {
            secret: secret.clone(),
            issuer: issuer.into(),
            audience: audience.into(),
            leeway,
            algorithms: vec![Allowed { name: Hs256.name().into_owned(), is_signed: Some(is_signed_hs256) }],
            expiry_required: true,
        }
    }

    /// The same, with other algorithms on its list. The key is a shared secret, so of these only HS256, HS384 and HS512
    /// can be verified here. Errors: `none` is never an algorithm (RFC 8725 section 3.1).
    pub fn allowing(self, algorithms: &[String]) -> Result<Verifier, String> {
        if let Some(none) = algorithms.iter().find(|name| name.eq_ignore_ascii_case("none")) {
            return Err(format!("the algorithm `{none}` would accept tokens that nobody signed: take it off the list"));
        }
        let allowed = |name: &String| {
            let is_signed: Option<IsSigned> = match name.as_str() {
                "HS256" => Some(is_signed_hs256),
                "HS384" => Some(|key, by, signed| is_signed(&Hs384, &Hs384Key::new(key), 48, by, signed)),
                "HS512" => Some(|key, by, signed| is_signed(&Hs512, &Hs512Key::new(key), 64, by, signed)),
                _ => None,
            };
            Allowed { name: name.clone(), is_signed }
        };
        Ok(Verifier { algorithms: algorithms.iter().map(allowed).collect(), ..self })
    }

    /// The same, with tokens accepted that never expire.
    pub fn without_expiry(self) -> Verifier {
        Verifier { expiry_required: false, ..self }
    }

    /// Whether the algorithm, a token's `alg`, is on the list.
    pub fn allows(&self, algorithm: &str) -> bool {
        self.algorithms.iter().any(|allowed| allowed.name == algorithm)
    }

    /// The claims of a token that carries a good signature. Nothing is said yet about their being valid: ask
    /// [`Verifier::decide`]. An empty token is `Missing`. A header with `crit` is `Malformed`, as no extension is
    /// understood here.
    pub fn verify_signature(&self, token: &str) -> Result<TokenClaims, AuthError> {
        if token.is_empty() {
            return Err(AuthError::Missing);
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AuthError::TooLarge);
        }
        let (signed, _) = token.rsplit_once('.').ok_or(AuthError::Malformed)?;
        let parsed = UntrustedToken::<OwnHeader>::try_from(token).map_err(|_| AuthError::Malformed)?;
        let algorithm = self.algorithms.iter().find(|allowed| allowed.name == parsed.algorithm());
        let algorithm = algorithm.ok_or(AuthError::AlgorithmNotAllowed)?;
        let header = parsed.header();
        let media_type = header.token_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        // RFC 7515 section 4.1.9: "application/" may be left out.
        if media_type.strip_prefix("application/").unwrap_or(&media_type) != TOKEN_TYPE {
            return Err(AuthError::WrongType);
        }
        if header.other_fields.critical.is_some() {
            return Err(AuthError::Malformed);
        }
        let is_signed = algorithm.is_signed.ok_or(AuthError::AlgorithmNotAllowed)?;
        if !is_signed(self.secret.0.as_ref(), parsed.signature_bytes(), signed) {
            return Err(AuthError::BadSignature);
        }
        let claims = parsed.deserialize_claims_unchecked::<OwnClaims>().map_err(|_| AuthError::Malformed)?;
        Ok(TokenClaims {
            user: claims.custom.subject.parse().map_err(|_| AuthError::Malformed)?,
            issuer: claims.custom.issuer.unwrap_or_default(),
            audience: claims.custom.audience,
            expires_at_s: claims.expiration.map(unix_s),
            not_before_s: claims.not_before.map(unix_s),
            issued_at_s: claims.issued_at.map(unix_s),
        })
    }

    /// The user whose valid token this is, `now_unix` being the time since 1970 and `revoked` whether the token was
    /// taken back.
    pub fn decide(&self, claims: &TokenClaims, now_unix: Span, revoked: bool) -> Result<u32, AuthError> {
        if claims.issuer != self.issuer {
            return Err(AuthError::WrongIssuer);
        }
        if !claims.audience.contains(&self.audience) {
            return Err(AuthError::WrongAudience);
        }
        if claims.expires_at_s.is_none() && self.expiry_required {
            return Err(AuthError::ExpiryMissing);
        }
        let expires_at_s = claims.expires_at_s.unwrap_or(u64::MAX);
        let not_before_s = claims.not_before_s.max(claims.issued_at_s);
        check_times(now_unix, self.leeway, not_before_s, expires_at_s)?;
        if revoked { Err(AuthError::Revoked) } else { Ok(claims.user) }
    }
}

fn is_signed_hs256(key: &[u8], signature: &[u8], signed: &str) -> bool {
    is_signed(&Hs256, &Hs256Key::new(key), 32, signature, signed)
}

/// Whether `signature`, which is `bytes` long if it is one at all, is that of `signed`. jwt-compact's own validator would
/// read the claims before it checks the signature; without it the length is ours to check: `try_from_slice` panics on
/// any other.
fn is_signed<A: Algorithm>(algorithm: &A, key: &A::VerifyingKey, bytes: usize, signature: &[u8], signed: &str) -> bool {
    signature.len() == bytes
        && A::Signature::try_from_slice(signature)
            .is_ok_and(|signature| algorithm.verify_signature(&signature, key, signed.as_bytes()))
}

/// Whether a token of these times is valid at `now_unix`, the time since 1970, with clocks up to `leeway` apart.
pub fn check_times(
    now_unix: Span,
    leeway: Span,
    not_before_s: Option<u64>,
    expires_at_s: u64,
) -> Result<(), AuthError> {
    if now_unix >= since_1970(expires_at_s) + leeway {
        return Err(AuthError::Expired);
    }
    if not_before_s.is_some_and(|seconds| now_unix + leeway < since_1970(seconds)) {
        return Err(AuthError::NotYetValid);
    }
    Ok(())
}

/// What a well-signed token says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenClaims {
    user: u32,
    issuer: String,
    audience: Vec<String>,
    expires_at_s: Option<u64>,
    not_before_s: Option<u64>,
    issued_at_s: Option<u64>,
}

impl TokenClaims {
    /// `sub`: whose token it is.
    pub fn user(&self) -> u32 {
        self.user
    }

    /// `iss`: who issued it; empty if the token does not say.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `aud`: for whom it was issued.
    pub fn audience(&self) -> &[String] {
        &self.audience
    }

    /// `exp`: the first second at which it is no longer valid.
    pub fn expires_at_s(&self) -> Option<u64> {
        self.expires_at_s
    }

    /// `nbf`: the first second at which it is valid.
    pub fn not_before_s(&self) -> Option<u64> {
        self.not_before_s
    }

    /// `iat`: when it was issued.
    pub fn issued_at_s(&self) -> Option<u64> {
        self.issued_at_s
    }
}

/// Why a token does not pass. All of them are a 401 to the client; the name is for the trace and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// There is no token.
    Missing,
    /// It is no JWT in compact form, or does not name its user, or has critical extensions.
    Malformed,
    /// It is longer than 4096 bytes.
    TooLarge,
    /// Its `alg` is not on the list: `none`, or an algorithm this key must not be used with.
    AlgorithmNotAllowed,
    /// Its `typ` is not `at+jwt`: a token of another kind.
    WrongType,
    /// It was changed, or signed with another key.
    BadSignature,
    /// Another issuer signed it, or none is named.
    WrongIssuer,
    /// It was issued for someone else.
    WrongAudience,
    /// It would never expire.
    ExpiryMissing,
    /// Its time is over.
    Expired,
    /// Its time has not come, or it was issued in the future.
    NotYetValid,
    /// It was taken back.
    Revoked,
}

impl AuthError {
    /// The name in traces, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthError::Missing => "missing",
            AuthError::Malformed => "malformed",
            AuthError::TooLarge => "too_large",
            AuthError::AlgorithmNotAllowed => "algorithm_not_allowed",
            AuthError::WrongType => "wrong_type",
            AuthError::BadSignature => "bad_signature",
            AuthError::WrongIssuer => "wrong_issuer",
            AuthError::WrongAudience => "wrong_audience",
            AuthError::ExpiryMissing => "expiry_missing",
            AuthError::Expired => "expired",
            AuthError::NotYetValid => "not_yet_valid",
            AuthError::Revoked => "revoked",
        }
    }
}

/// The claims that jwt-compact leaves to us. The only place in a policy that knows serde: a token is JSON by
/// definition.
#[derive(Serialize, Deserialize)]
struct OwnClaims {
    #[serde(rename = "iss")]
    issuer: Option<String>,
    #[serde(rename = "aud", default, with = "audience")]
    audience: Vec<String>,
    #[serde(rename = "sub")]
    subject: String,
}

/// One audience is written as a string, several as a list (RFC 7519 section 4.1.3).
mod audience {
    use serde::de::{Deserializer, Error, SeqAccess, Visitor};
    use serde::{Serialize, Serializer};
    use std::fmt;

    pub fn serialize<S: Serializer>(audience: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match audience {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }

    struct OneOrMany;

    impl<'de> Visitor<'de> for OneOrMany {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a string or a list of strings")
        }

        fn visit_str<E: Error>(self, one: &str) -> Result<Vec<String>, E> {
            Ok(vec![one.to_string()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut many = Vec::new();
            while let Some(one) = list.next_element()? {
                many.push(one);
            }
            Ok(many)
        }
    }
}

/// The header field that jwt-compact does not know.
#[derive(Clone, Debug, Deserialize)]
struct OwnHeader {
    #[serde(rename = "crit")]
    critical: Option<serde::de::IgnoredAny>,
}

fn date(unix_s: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix_s.min(LAST_UNIX_SECOND) as i64, 0).expect("a second before the year 10000")
}

/// Whole seconds since 1970; the start of 1970 for anything earlier.
fn unix_s(date: DateTime<Utc>) -> u64 {
    date.timestamp().max(0) as u64
}

/// Saturates in the year 2554, where a [`Span`] since 1970 ends.
fn since_1970(seconds: u64) -> Span {
    Span::from_nanos(seconds.saturating_mul(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
    const ISSUED_AT: u64 = 1_800_000_000;
    const LEEWAY: Span = Span::from_millis(30_000);

    fn secret() -> Secret {
        Secret::from_bytes(KEY).unwrap()
    }

    fn verifier() -> Verifier {
        Verifier::new(&secret(), "faultline", "orders", LEEWAY)
    }

    /// A token of user 17, valid for ten minutes.
    fn token() -> String {
        Issuer::new(&secret(), "faultline", "orders").issue(17, ISSUED_AT, 600)
    }

    /// A well-signed token that says `claims`, with the times in them.
    fn signed(token_type: &str, claims: serde_json::Value) -> String {
        Hs256.token(&Header::empty().with_token_type(token_type), &Claims::new(claims), &secret().0).unwrap()
    }

    fn check(token: &str, now_s: u64) -> Result<u32, AuthError> {
        verifier().verify_signature(token).and_then(|claims| verifier().decide(&claims, since_1970(now_s), false))
    }

    /// The three parts of a token.
    fn parts(token: &str) -> [&str; 3] {
        token.split('.').collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn tokens_are_pinned() {
        // Computed by an independent program (Python's hmac) from {"alg":"HS256","typ":"at+jwt"} and
        // {"exp":1800000600,"nbf":1800000000,"iat":1800000000,"iss":"faultline","aud":"orders","sub":"17"}.
        let token = token();
        let [header, payload, signature] = parts(&token);
        assert_eq!(header, "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9");
        assert_eq!(
            payload,
            "eyJleHAiOjE4MDAwMDA2MDAsIm5iZiI6MTgwMDAwMDAwMCwiaWF0IjoxODAwMDAwMDAwLCJpc3MiOiJmYXVsdGxp\
             bmUiLCJhdWQiOiJvcmRlcnMiLCJzdWIiOiIxNyJ9"
        );
        assert_eq!(signature, "yURc3MZ93nfd3G0c-7Qg8ILl1So2AXhRIdoH3EISF3o");
    }

    #[test]
    fn a_good_token_names_its_user() {
        let claims = verifier().verify_signature(&token()).unwrap();
        assert_eq!((claims.user(), claims.issuer(), claims.audience()), (17, "faultline", &["orders".to_string()][..]));
        assert_eq!((claims.issued_at_s(), claims.not_before_s()), (Some(ISSUED_AT), Some(ISSUED_AT)));
        assert_eq!(claims.expires_at_s(), Some(ISSUED_AT + 600));
        assert_eq!(check(&token(), ISSUED_AT), Ok(17));
        assert_eq!(verifier().decide(&claims, since_1970(ISSUED_AT), true), Err(AuthError::Revoked));
    }

    #[test]
    fn the_time_limits_are_exact() {
        let end = ISSUED_AT + 600 + 30;
        let claims = verifier().verify_signature(&token()).unwrap();
        let last = since_1970(end) - Span::from_nanos(1);
        assert_eq!(verifier().decide(&claims, last, false), Ok(17));
        assert_eq!(check(&token(), end), Err(AuthError::Expired));
        assert_eq!(check(&token(), ISSUED_AT - 30), Ok(17));
        assert_eq!(check(&token(), ISSUED_AT - 31), Err(AuthError::NotYetValid));
        let future =
            json!({"iss": "faultline", "aud": "orders", "sub": "1", "exp": 2_000_000_000, "iat": ISSUED_AT + 31});
        assert_eq!(check(&signed("at+jwt", future), ISSUED_AT), Err(AuthError::NotYetValid));
        let forever = Issuer::new(&secret(), "faultline", "orders").issue(3, ISSUED_AT, u64::MAX);
        assert_eq!(check(&forever, ISSUED_AT), Ok(3));
    }

    #[test]
    fn alg_none_does_not_pass() {
        let token = token();
        let [_, payload, signature] = parts(&token);
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"; // {"alg":"none","typ":"at+jwt"}
        for forged in [format!("{none}.{payload}."), format!("{none}.{payload}.{signature}")] {
            assert_eq!(check(&forged, ISSUED_AT), Err(AuthError::AlgorithmNotAllowed));
        }
    }

    #[test]
    fn another_hash_passes_only_if_it_is_on_the_list() {
        let (header, claims) = (Header::empty().with_token_type(TOKEN_TYPE), Claims::new(json!({"sub": "1"})));
        let tokens = [
            Hs384.token(&header, &claims, &Hs384Key::new(KEY)).unwrap(),
            Hs512.token(&header, &claims, &Hs512Key::new(KEY)).unwrap(),
        ];
        let names = ["HS384", "HS512", "RS256"].map(String::from);
        let lenient = verifier().allowing(&names).unwrap();
        for token in tokens {
            assert_eq!(check(&token, ISSUED_AT), Err(AuthError::AlgorithmNotAllowed));
            assert_eq!(lenient.verify_signature(&token).map(|claims| claims.user()), Ok(1));
            let [header, payload, signature] = parts(&token);
            for forged in [&signature[4..], parts(&self::token())[2], ""] {
                let forged = format!("{header}.{payload}.{forged}");
                assert_eq!(lenient.verify_signature(&forged), Err(AuthError::BadSignature));
            }
        }
        assert_eq!(lenient.verify_signature(&token()), Err(AuthError::AlgorithmNotAllowed));
        assert!(verifier().allowing(&["HS256", "None"].map(String::from)).unwrap_err().contains("None"));
    }

    #[test]
    fn a_token_without_expiry_passes_only_if_told_so() {
        let claims = json!({"iss": "faultline", "aud": "orders", "sub": "5"});
        let claims = verifier().verify_signature(&signed("at+jwt", claims)).unwrap();
        let now = since_1970(ISSUED_AT);
        assert_eq!(verifier().decide(&claims, now, false), Err(AuthError::ExpiryMissing));
        assert_eq!(verifier().without_expiry().decide(&claims, now, false), Ok(5));
    }

    #[test]
    fn what_was_changed_or_signed_by_others_does_not_pass() {
        let (ours, token) = (token(), Issuer::new(&secret(), "faultline", "orders").issue(1, ISSUED_AT, 600));
        let ([header, _, signature], [_, other_payload, _]) = (parts(&ours), parts(&token));
        assert_eq!(check(&format!("{header}.{other_payload}.{signature}"), ISSUED_AT), Err(AuthError::BadSignature));
        assert_eq!(check(&format!("{header}.{other_payload}."), ISSUED_AT), Err(AuthError::BadSignature));
        // Claims that are no JSON are not even looked at before the signature is.
        assert_eq!(check(&format!("{header}.AAAA.{signature}"), ISSUED_AT), Err(AuthError::BadSignature));
        let wrong_key = Issuer::new(&Secret::from_seed(7), "faultline", "orders").issue(17, ISSUED_AT, 600);
        assert_eq!(check(&wrong_key, ISSUED_AT), Err(AuthError::BadSignature));
    }

    #[test]
    fn tokens_of_another_kind_or_for_others_do_not_pass() {
        let good = json!({"iss": "faultline", "aud": ["x", "orders"], "sub": "5", "exp": ISSUED_AT});
        assert_eq!(check(&signed("application/AT+JWT", good.clone()), ISSUED_AT), Ok(5));
        assert_eq!(check(&signed("JWT", good.clone()), ISSUED_AT), Err(AuthError::WrongType));
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value;
            }
            check(&signed("at+jwt", claims), ISSUED_AT)
        };
        assert_eq!(with("iss", json!("evil")), Err(AuthError::WrongIssuer));
        assert_eq!(with("iss", json!(null)), Err(AuthError::WrongIssuer));
        assert_eq!(with("aud", json!("payments")), Err(AuthError::WrongAudience));
        assert_eq!(with("aud", json!(null)), Err(AuthError::WrongAudience));
        assert_eq!(with("exp", json!(null)), Err(AuthError::ExpiryMissing));
        assert_eq!(with("exp", json!("tomorrow")), Err(AuthError::Malformed));
        assert_eq!(with("exp", json!(-5)), Err(AuthError::Expired));
        assert_eq!(with("sub", json!("root")), Err(AuthError::Malformed));
        assert_eq!(with("sub", json!(null)), Err(AuthError::Malformed));
    }

    #[test]
    fn critical_extensions_are_refused() {
        let mut header = Header::new(json!({"crit": ["b64"], "b64": false}));
        header.token_type = Some(TOKEN_TYPE.into());
        let token = Hs256.token(&header, &Claims::new(json!({"sub": "1"})), &secret().0).unwrap();
        assert_eq!(check(&token, ISSUED_AT), Err(AuthError::Malformed));
    }

    #[test]
    fn form_and_size_come_first() {
        assert_eq!(check("", ISSUED_AT), Err(AuthError::Missing));
        for malformed in ["x", "a.b", "a.b.c", "a.b.c.d", "..", "é.é.é"] {
            assert_eq!(check(malformed, ISSUED_AT), Err(AuthError::Malformed), "{malformed}");
        }
        assert_eq!(check(&"a".repeat(4096), ISSUED_AT), Err(AuthError::Malformed));
        assert_eq!(check(&"a".repeat(4097), ISSUED_AT), Err(AuthError::TooLarge));
    }

    #[test]
    fn a_secret_is_long_enough_and_not_shown() {
        assert!(Secret::from_bytes(&KEY[1..]).unwrap_err().contains("31 bytes"));
        assert_eq!(format!("{:?}", secret()), r#"Secret(Hs256Key("_"))"#);
        let token = |seed| Issuer::new(&Secret::from_seed(seed), "i", "a").issue(1, 0, 1);
        assert_eq!(token(7), token(7));
        assert_ne!(token(7), token(8));
    }

    proptest! {
        /// Any one changed character makes the token fail, and nothing makes the verifier panic.
        #[test]
        fn no_changed_token_passes(place in any::<prop::sample::Index>(), by in "[A-Za-z0-9._=-]", junk in ".{0,80}") {
            let token = token();
            let place = place.index(token.len());
            if token[place..=place] != by {
                let changed = format!("{}{by}{}", &token[..place], &token[place + 1..]);
                prop_assert!(check(&changed, ISSUED_AT).is_err());
            }
            prop_assert!(check(&junk, ISSUED_AT).is_err());
        }

        /// The validity in time is the half-open interval from issue - leeway to expiry + leeway.
        #[test]
        fn valid_exactly_within_its_time(now_s in ISSUED_AT - 100..ISSUED_AT + 1_000, lifetime_s in 0u64..800) {
            let token = Issuer::new(&secret(), "faultline", "orders").issue(9, ISSUED_AT, lifetime_s);
            let valid = (ISSUED_AT - 30..ISSUED_AT + lifetime_s + 30).contains(&now_s);
            prop_assert_eq!(check(&token, now_s).is_ok(), valid);
        }
    }
}
