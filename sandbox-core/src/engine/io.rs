//! What crosses the border of a mounted world: inputs from outside, outputs to act on.
//!
//! A world on the virtual clock needs neither. On the wall clock a driver puts [`Input`]s in, steps what is due, and
//! performs the [`Output`]s. Inputs are logged ([`LoggedInput`]), so that a real run can be replayed and stepped backwards.

use crate::ids::{IncidentId, NodeId, RequestId, RouteId};
use crate::time::Time;
use crate::trace::Outcome;
use serde::Serialize;

/// Something from outside.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A request came in over the wire, for the first client node's target.
    Arrival {
        /// Which route.
        route: RouteId,
        /// Which row.
        key: u32,
        /// Who asks; its signature has been verified outside, its claims are checked in the world's time.
        credential: Credential,
    },
    /// A real part answered a call.
    Reply {
        /// Which call.
        call: CallId,
        /// What it answered.
        result: CallResult,
    },
    /// The client of a request hung up.
    Disconnect {
        /// Which request.
        request: RequestId,
    },
    /// Somebody resolved an incident.
    Resolve {
        /// Which incident.
        incident: IncidentId,
    },
}

/// Who asks. Signatures are verified where the token is; only what they vouch for comes in, so a log holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// The signature is right and issuer and audience are ours; seconds since 1970.
    Signed {
        /// Subject.
        user: u32,
        /// Not before.
        nbf: u64,
        /// Expires.
        exp: u64,
    },
    /// No token, or one whose form, algorithm, signature, issuer or audience is wrong.
    Invalid,
}

/// The number of a call to a real part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// A primitive operation on a real part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOp {
    /// Read the row of this key.
    Read {
        /// Which row.
        key: u32,
    },
    /// Write the row of this key: raise its version by one.
    Write {
        /// Which row.
        key: u32,
    },
    /// The same, if it still has this version.
    WriteIf {
        /// Which row.
        key: u32,
        /// The version.
        version: u64,
    },
    /// Answer if you can.
    Ping,
}

/// What a real part answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// Done; the version of the row that was read or written.
    Done {
        /// The row's version; 0 for a ping.
        version: u64,
    },
    /// The part refused or failed.
    Failed,
    /// The row no longer has the version that was asked for.
    Outdated,
}

/// Something to do outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Perform this on a real part and put the [`Input::Reply`] in.
    Call {
        /// Its number.
        call: CallId,
        /// The part.
        node: NodeId,
        /// For which request, or [`RequestId::NONE`].
        request: RequestId,
        /// What to do.
        op: CallOp,
    },
    /// Send the answer of a request that came from outside.
    Respond {
        /// Which request.
        request: RequestId,
        /// How it ended.
        outcome: Outcome,
        /// The version of the row, where one was read or written.
        version: Option<u64>,
        /// Seconds after which it makes sense to try again (429, 503).
        retry_after_s: Option<u32>,
    },
    /// A fault on a real part begins or ends: make it real.
    Fault {
        /// The part.
        node: NodeId,
        /// Position in the plan's faults.
        fault: u16,
        /// Whether it begins.
        begins: bool,
    },
}

/// An input as it was put in: enough to replay the run exactly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoggedInput {
    /// The instant it took effect.
    #[serde(rename = "at_ns")]
    pub at: Time,
    /// How many steps the world had made before.
    pub step: u64,
    /// What came in.
    pub input: Input,
}
