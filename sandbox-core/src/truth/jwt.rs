//! A `jwt` model: tokens as told, signed for real, shown to a verifier.
//!
//! Shared-secret algorithms (HS256, HS384, HS512) sign and verify their own tokens. The key of any other that the
//! verifier allows is not ours to have, so HS256 stands in for its signature; what is judged before and after is the
//! same. `none` on the verifier's list counts as not being there (RFC 8725 section 3.1).

use super::Answers;
use super::read::read;
use crate::policy::auth::{AuthError, Secret, Verifier};
use crate::scenario::read::{Read, Reading};
use crate::scenario::{Problem, spec};
use crate::time::Span;
use jwt_compact::alg::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde::Serialize;
use serde_json::{Value, json};

/// The verifier's key, and one that it does not know.
const KEYS: [&[u8; 32]; 2] = [b"the key that the verifier knows.", b"the key of somebody else, 32 by."];
/// The last second of the year 9999, behind which no token can name a time.
const LAST_UNIX_SECOND: i64 = 253_402_300_799;

spec! {
    struct Model {
        verifier: VerifierModel,
        tokens: Vec<Token>,
    }
}

spec! {
    struct VerifierModel {
        algorithms: Vec<String>,
        iss: String,
        aud: String,
        leeway_s: u32,
        now_unix_s: u32,
        exp_required: bool,
    }
}

spec! {
    struct Token {
        alg: String,
        iss?: Option<String>,
        aud?: Option<Audience>,
        exp?: Option<f64>,
        nbf?: Option<f64>,
        /// Whether the signature verifies; missing: it does.
        sig?: Option<bool>,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Read for Audience {
    fn blank() -> Audience {
        Audience::Many(Vec::new())
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        if let Value::String(one) = value {
            *self = Audience::One(one.clone());
            return true;
        }
        let mut many = Vec::new();
        let whole = many.read(value, reading);
        *self = Audience::Many(many);
        whole
    }
}

/// What is in a token beside its times.
#[derive(Serialize)]
struct OwnClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    sub: &'static str,
}

/// The verdict on every token: `accept` or the first check that fails.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { mut verifier, tokens } = read(model)?;
    verifier.algorithms.retain(|name| !name.eq_ignore_ascii_case("none"));
    let secret = Secret::from_bytes(KEYS[0]).expect("the key is long enough");
    let leeway = Span::from_millis(u64::from(verifier.leeway_s) * 1_000);
    let plain = Verifier::new(&secret, &verifier.iss, &verifier.aud, leeway);
    let plain = if verifier.exp_required { plain } else { plain.without_expiry() };
    let hmac = ["HS256", "HS384", "HS512"].map(String::from);
    let signatures = plain.clone().allowing(&hmac).expect("none of them is none");
    let rules = plain.allowing(&verifier.algorithms).expect("none was taken off the list");
    let now = Span::from_millis(u64::from(verifier.now_unix_s) * 1_000);
    let verdict = |token: &Token| match check(&rules, &signatures, token, now) {
        Ok(_) => "accept",
        Err(AuthError::AlgorithmNotAllowed) => "reject:alg",
        Err(AuthError::WrongIssuer) => "reject:iss",
        Err(AuthError::WrongAudience) => "reject:aud",
        Err(AuthError::ExpiryMissing) => "reject:exp_missing",
        Err(AuthError::Expired) => "reject:expired",
        Err(AuthError::NotYetValid) => "reject:not_yet_valid",
        Err(_) => "reject:signature",
    };
    let results: Vec<&str> = tokens.iter().map(verdict).collect();
    Ok([("results".to_string(), json!(results))].into_iter().collect())
}

fn check(rules: &Verifier, signatures: &Verifier, token: &Token, now: Span) -> Result<u32, AuthError> {
    if !rules.allows(&token.alg) {
        return Err(AuthError::AlgorithmNotAllowed);
    }
    rules.decide(&signatures.verify_signature(&signed(token))?, now, false)
}

/// The token in compact form.
fn signed(token: &Token) -> String {
    let time = |seconds: f64| (seconds.round() as i64).clamp(0, LAST_UNIX_SECOND);
    let claims = Claims::new(OwnClaims {
        iss: token.iss.clone(),
        aud: token.aud.clone(),
        exp: token.exp.map(time),
        nbf: token.nbf.map(time),
        sub: "1",
    });
    let header = Header::empty().with_token_type("at+jwt");
    let key = KEYS[usize::from(token.sig == Some(false))];
    match token.alg.as_str() {
        "HS384" => Hs384.token(&header, &claims, &Hs384Key::new(key)),
        "HS512" => Hs512.token(&header, &claims, &Hs512Key::new(key)),
        _ => Hs256.token(&header, &claims, &Hs256Key::new(key)),
    }
    .expect("strings and numbers can be written as JSON")
}
