//! The lines of a recording, read by hand: the readers that serde derives for these types would add 6 kB to the page.
//!
//! What is written here and there is kept equal by a test that reads what was written.

use super::{End, Header};
use crate::engine::{CallId, CallResult, Credential, Input, LoggedInput, Mount};
use crate::ids::{IncidentId, NodeId, RequestId, RouteId};
use crate::scenario::{Problem, read_value};
use crate::time::Time;
use serde_json::Value;

/// A line after the first.
pub enum Line {
    Input(LoggedInput),
    End(End),
}

/// Reads the first line. Errors: what is wrong with it.
#[inline]
pub fn header(text: &str) -> Result<Header, String> {
    let json = json(text)?;
    let read = || {
        let external = json.get("mount")?.get("external")?.as_array()?;
        let external: Option<Vec<NodeId>> = external.iter().map(|node| Some(NodeId(narrow(node)?))).collect();
        Some(Header {
            format_version: field(&json, "format_version")?,
            scenario: json.get("scenario")?.clone(),
            variant: text_of(&json, "variant")?,
            seed: field(&json, "seed")?,
            mount: Mount { external: external?, epoch_unix_s: field(json.get("mount")?, "epoch_unix_s")? },
            version: text_of(&json, "version")?,
        })
    };
    read().ok_or_else(|| "is no header of a recording".into())
}

/// Reads a line after the first. Errors: what is wrong with it.
#[inline]
pub fn line(text: &str) -> Result<Line, String> {
    let json = json(text)?;
    let read = match json.get("end_ns") {
        Some(_) => end(&json).map(Line::End),
        None => logged(&json).map(Line::Input),
    };
    read.ok_or_else(|| "is neither an input nor an end".into())
}

#[inline]
fn json(text: &str) -> Result<Value, String> {
    read_value(text).map_err(|problems| {
        let Problem { path, what, .. } = &problems[0];
        format!("{path} {what}").trim_start().replace("at line 1 column", "at column")
    })
}

#[inline]
fn end(json: &Value) -> Option<End> {
    let end_ns = Time::from_nanos(field(json, "end_ns")?);
    Some(End { end_ns, steps: field(json, "steps")?, digest: text_of(json, "digest")? })
}

#[inline]
fn logged(json: &Value) -> Option<LoggedInput> {
    let at = Time::from_nanos(field(json, "at_ns")?);
    Some(LoggedInput { at, step: field(json, "step")?, input: input(json.get("input")?)? })
}

#[inline]
fn input(json: &Value) -> Option<Input> {
    let (kind, fields) = json.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "arrival" => Input::Arrival {
            route: RouteId(field(fields, "route")?),
            key: field(fields, "key")?,
            credential: credential(fields.get("credential")?)?,
        },
        "reply" => Input::Reply { call: CallId(field(fields, "call")?), result: result(fields.get("result")?)? },
        "disconnect" => Input::Disconnect { request: RequestId(field(fields, "request")?) },
        "resolve" => Input::Resolve { incident: IncidentId(field(fields, "incident")?) },
        _ => return None,
    })
}

#[inline]
fn credential(json: &Value) -> Option<Credential> {
    match json.get("signed") {
        Some(signed) => Some(Credential::Signed {
            user: field(signed, "user")?,
            nbf: field(signed, "nbf")?,
            exp: field(signed, "exp")?,
        }),
        None => (json.as_str()? == "invalid").then_some(Credential::Invalid),
    }
}

#[inline]
fn result(json: &Value) -> Option<CallResult> {
    match json.get("done") {
        Some(done) => Some(CallResult::Done { version: field(done, "version")? }),
        None => match json.as_str()? {
            "failed" => Some(CallResult::Failed),
            "outdated" => Some(CallResult::Outdated),
            _ => None,
        },
    }
}

#[inline]
fn field<T: TryFrom<u64>>(json: &Value, name: &str) -> Option<T> {
    narrow(json.get(name)?)
}

#[inline]
fn narrow<T: TryFrom<u64>>(json: &Value) -> Option<T> {
    T::try_from(json.as_u64()?).ok()
}

#[inline]
fn text_of(json: &Value, name: &str) -> Option<String> {
    json.get(name)?.as_str().map(str::to_string)
}
