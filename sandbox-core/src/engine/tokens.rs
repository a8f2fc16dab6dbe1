//! The users' tokens: each distinct one is signed and verified once, for real, by jwt-compact.
//!
//! A repeat reuses the cryptographic result; its claims are checked for every request in virtual time, and the time a check
//! takes is a parameter of the gateway.

use crate::chunks::Chunked;
use crate::policy::auth::{AuthError, Issuer, Secret, TokenClaims, Verifier};
use crate::rng::{Purpose, Stream};
use crate::scenario::{Kind, Plan};
use crate::time::{Span, Time};
use std::sync::Arc;

/// Issuer of all tokens.
pub const ISSUER: &str = "https://faultline.example/login";
/// Audience of all tokens.
pub const AUDIENCE: &str = "https://faultline.example/lab";

/// Who has which token.
#[derive(Clone, Debug)]
pub struct Tokens {
    keys: Option<Arc<Keys>>,
    leeway: Span,
    /// The latest token of each user of each workload.
    latest: Vec<Chunked<Option<Arc<Token>>>>,
}

#[derive(Debug)]
struct Keys {
    issuer: Issuer,
    verifier: Verifier,
}

#[derive(Debug)]
struct Token {
    /// Which token of its user this is, from 0.
    number: u64,
    claims: TokenClaims,
}

impl Tokens {
    /// Nobody has a token yet.
    pub fn new(plan: &Plan) -> Tokens {
        let auth = plan.nodes.iter().find_map(|node| match &node.kind {
            Kind::Gateway(gateway) => gateway.auth.as_ref(),
            _ => None,
        });
        let keys = auth.map(|auth| {
            let secret = Secret::from_seed(Stream::new(plan.seed, 0, Purpose::Secret).bits());
            let issuer = Issuer::new(&secret, ISSUER, AUDIENCE);
            Arc::new(Keys { issuer, verifier: Verifier::new(&secret, ISSUER, AUDIENCE, auth.leeway) })
        });
        let latest = plan.workloads.iter().map(|workload| Chunked::new(workload.users as usize, None)).collect();
        Tokens { keys, leeway: auth.map_or(Span::ZERO, |auth| auth.leeway), latest }
    }

    /// Checks the token that a simulated user sends at `now`; it is fetched in time, half its life before it expires.
    pub fn check_user(
        &mut self,
        now: Time,
        epoch_unix_s: u64,
        workload: u16,
        user: u32,
        lifetime: Span,
    ) -> Result<(), AuthError> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let half_life_s = (lifetime.as_nanos() / 2_000_000_000).max(1);
        let number = now.as_nanos() / 1_000_000_000 / half_life_s;
        let known = self.latest[workload as usize].get(user as usize).as_ref().filter(|token| token.number == number);
        let token = match known {
            Some(token) => token.clone(),
            None => {
                let issued_at_s = epoch_unix_s + number * half_life_s;
                let signed = keys.issuer.issue(user, issued_at_s, half_life_s * 2);
                let token = Arc::new(Token { number, claims: keys.verifier.verify_signature(&signed)? });
                *self.latest[workload as usize].get_mut(user as usize) = Some(token.clone());
                token
            }
        };
        let now_unix = Span::from_nanos(epoch_unix_s * 1_000_000_000 + now.as_nanos());
        keys.verifier.decide(&token.claims, now_unix, false).map(|_| ())
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
