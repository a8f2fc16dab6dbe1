//! The users' tokens: each distinct one is signed and verified once, for real, by jwt-compact.
//!
//! A repeat reuses the cryptographic result; its claims are checked for every request in virtual time, and the time a check
//! takes is a parameter of the gateway.

use crate::chunks::Chunked;
use crate::policy::auth::{AuthError, Issuer, Secret, TokenClaims, Verifier};
use crate::rng::{Purpose, Stream};
use crate::scenario::{ForgerySpec, Kind, Plan};
use crate::time::{Span, Time};
use std::sync::Arc;

/// Issuer of all tokens.
pub const ISSUER: &str = "https://faultline.example/login";
/// Audience of all tokens.
pub const AUDIENCE: &str = "https://faultline.example/lab";
/// Audience of tokens that were issued for somebody else.
const ELSEWHERE: &str = "https://elsewhere.example/";
/// The header of a token without a signature: `{"alg":"none","typ":"at+jwt"}`.
const UNSIGNED: &str = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";

/// Who has which token.
#[derive(Clone, Debug)]
pub struct Tokens {
    keys: Option<Arc<Keys>>,
    leeway: Span,
    /// Whether the verifier looks at the signature alone.
    ignores_claims: bool,
    /// The latest token of each user of each workload.
    latest: Vec<Chunked<Option<Arc<Token>>>>,
}

#[derive(Debug)]
struct Keys {
    issuer: Issuer,
    verifier: Verifier,
    /// The same issuer for another audience.
    elsewhere: Issuer,
    /// Who has taken the issuer's public key for a secret, and who believes him.
    by_public_key: (Issuer, Verifier),
    /// Whether the verifier believes the algorithm that a token names.
    trusts_header: bool,
}

#[derive(Debug)]
struct Token {
    /// Which token of its user this is, from 0.
    number: u64,
    /// What it says, if it is taken for well signed.
    claims: Result<TokenClaims, AuthError>,
}

impl Keys {
    fn new(plan: &Plan, leeway: Span, trusts_header: bool) -> Keys {
        let key = |number: u64| Secret::from_seed(Stream::new(plan.seed, number, Purpose::Secret).bits());
        let (secret, public) = (key(0), key(1));
        Keys {
            issuer: Issuer::new(&secret, ISSUER, AUDIENCE),
            verifier: Verifier::new(&secret, ISSUER, AUDIENCE, leeway),
            elsewhere: Issuer::new(&secret, ISSUER, ELSEWHERE),
            by_public_key: (Issuer::new(&public, ISSUER, AUDIENCE), Verifier::new(&public, ISSUER, AUDIENCE, leeway)),
            trusts_header,
        }
    }

    /// What the token of a user, forged or not, says, if it is taken for well signed.
    fn verified(
        &self,
        forged: Option<ForgerySpec>,
        user: u32,
        issued_at_s: u64,
        lifetime_s: u64,
    ) -> Result<TokenClaims, AuthError> {
        let genuine = || self.issuer.issue(user, issued_at_s, lifetime_s);
        match forged {
            None => self.verifier.verify_signature(&genuine()),
            Some(ForgerySpec::Expired) => self.verifier.verify_signature(&self.issuer.issue(user, 0, 0)),
            Some(ForgerySpec::WrongAudience) => {
                self.verifier.verify_signature(&self.elsewhere.issue(user, issued_at_s, lifetime_s))
            }
            Some(ForgerySpec::AlgNone) => {
                let token = genuine();
                let claims = token.split('.').nth(1).unwrap_or_default();
                let found = self.verifier.verify_signature(&format!("{UNSIGNED}.{claims}."));
                match found {
                    // Whoever believes that it need not be signed reads the claims of the good one that they are.
                    Err(AuthError::AlgorithmNotAllowed) if self.trusts_header => self.verifier.verify_signature(&token),
                    found => found,
                }
            }
            Some(ForgerySpec::PublicKeyAsSecret) => {
                let (issuer, gullible) = &self.by_public_key;
                let token = issuer.issue(user, issued_at_s, lifetime_s);
                match self.verifier.verify_signature(&token) {
                    Err(AuthError::BadSignature) if self.trusts_header => gullible.verify_signature(&token),
                    found => found,
                }
            }
        }
    }
}

impl Tokens {
    /// Nobody has a token yet.
    pub fn new(plan: &Plan) -> Tokens {
        let auth = plan.nodes.iter().find_map(|node| match &node.kind {
            Kind::Gateway(gateway) => gateway.auth.as_ref(),
            _ => None,
        });
        let keys = auth.map(|auth| Arc::new(Keys::new(plan, auth.leeway, auth.trusts_header)));
        let latest = plan.workloads.iter().map(|workload| Chunked::new(workload.users as usize, None)).collect();
        let ignores_claims = auth.is_some_and(|auth| auth.ignores_claims);
        Tokens { keys, leeway: auth.map_or(Span::ZERO, |auth| auth.leeway), ignores_claims, latest }
    }

    /// Checks the token that a simulated user sends at `now`; it is fetched in time, half its life before it expires.
    pub fn check_user(
        &mut self,
        now: Time,
        epoch_unix_s: u64,
        workload: u16,
        user: u32,
        lifetime: Span,
        forged: Option<ForgerySpec>,
    ) -> Result<(), AuthError> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let half_life_s = (lifetime.as_nanos() / 2_000_000_000).max(1);
        let number = now.as_nanos() / 1_000_000_000 / half_life_s;
        let known = self.latest[workload as usize].get(user as usize).as_ref().filter(|token| token.number == number);
        let token = match known {
            Some(token) => token.clone(),
            None => {
                let issued_at_s = epoch_unix_s + number * half_life_s;
                let claims = keys.verified(forged, user, issued_at_s, half_life_s * 2);
                let token = Arc::new(Token { number, claims });
                *self.latest[workload as usize].get_mut(user as usize) = Some(token.clone());
                token
            }
        };
        let now_unix = Span::from_nanos(epoch_unix_s * 1_000_000_000 + now.as_nanos());
        match &token.claims {
            Ok(_) if self.ignores_claims => Ok(()),
            Ok(claims) => keys.verifier.decide(claims, now_unix, false).map(|_| ()),
            Err(why) => Err(*why),
        }
    }

    /// Checks the claims of a token from outside, whose signature was verified there; None: it is not valid anyway.
    pub fn check_outside(&self, now: Time, epoch_unix_s: u64, times: Option<(u64, u64)>) -> Result<(), AuthError> {
        if self.keys.is_none() {
            return Ok(());
        }
        let (not_before_s, expires_at_s) = times.ok_or(AuthError::BadSignature)?;
        let now_unix = Span::from_nanos(epoch_unix_s * 1_000_000_000 + now.as_nanos());
        crate::policy::auth::check_times(now_unix, self.leeway, Some(not_before_s), expires_at_s)
    }
}
