//! An `etag` model: conditional requests for one resource.

use super::Answers;
use super::read::read;
use crate::policy::preconditions::{self, Access, EntityTag, Precondition, Preconditions, Representation, Tags};
use crate::scenario::read::{Read, Reading};
use crate::scenario::{Problem, spec};
use serde_json::{Value, json};

spec! {
    struct Model {
        resource: Resource,
        requests: Vec<Request>,
    }
}

spec! {
    struct Resource {
        initially_present: bool,
        precondition_required: bool,
    }
}

spec! {
    struct Request {
        method: Method,
        if_match?: Option<Tag>,
        if_none_match?: Option<Tag>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Method {
    Get,
    Put,
    Delete,
}

impl Read for Method {
    fn blank() -> Method {
        Method::Get
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        *self = match value.as_str() {
            Some("GET") => Method::Get,
            Some("PUT") => Method::Put,
            Some("DELETE") => Method::Delete,
            _ => return reading.is_not(value, "GET, PUT or DELETE"),
        };
        true
    }
}

/// The tag of the n-th successful PUT (0 for what was there at the start), or `*`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Tag {
    Number(u32),
    Any,
}

impl Read for Tag {
    fn blank() -> Tag {
        Tag::Any
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        if value == "*" {
            *self = Tag::Any;
            return true;
        }
        let mut number = 0;
        let whole = number.read(value, reading);
        *self = Tag::Number(number);
        whole
    }
}

/// The status of every answer.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { resource, requests } = read(model)?;
    let (mut puts, mut present) = (0, resource.initially_present.then_some(0));
    let mut statuses = Vec::with_capacity(requests.len());
    for request in &requests {
        statuses.push(match check(request, present, resource.precondition_required) {
            Precondition::NotModified => 304,
            Precondition::Failed => 412,
            Precondition::Required => 428,
            Precondition::Met => match (request.method, present) {
                (Method::Get | Method::Delete, None) => 404,
                (Method::Get, Some(_)) => 200,
                (Method::Put, before) => {
                    puts += 1;
                    present = Some(puts);
                    if before.is_none() { 201 } else { 204 }
                }
                (Method::Delete, Some(_)) => {
                    present = None;
                    204
                }
            },
        });
    }
    Ok([("status".to_string(), json!(statuses))].into_iter().collect())
}

fn check(request: &Request, present: Option<u32>, required: bool) -> Precondition {
    let number = |tag: &Option<Tag>| match tag {
        Some(Tag::Number(number)) => number.to_string(),
        Some(Tag::Any) | None => String::new(),
    };
    let texts = [number(&request.if_match), number(&request.if_none_match)];
    let lists = texts.each_ref().map(|tag| [EntityTag { weak: false, tag }]);
    let tags = |tag: &Option<Tag>, list| {
        tag.as_ref().map(|tag| match tag {
            Tag::Number(_) => Tags::List(list),
            Tag::Any => Tags::Any,
        })
    };
    let conditions = Preconditions {
        if_match: tags(&request.if_match, &lists[0]),
        if_none_match: tags(&request.if_none_match, &lists[1]),
        ..Preconditions::default()
    };
    let access = match request.method {
        Method::Get => Access::Read,
        Method::Put => Access::Put,
        Method::Delete => Access::Change,
    };
    let current = present.map(|number| number.to_string());
    let current = current.as_ref().map(|tag| EntityTag { weak: false, tag });
    let current = current.map(|tag| Representation { tag, modified_s: None });
    preconditions::decide(access, &conditions, current, required)
}
