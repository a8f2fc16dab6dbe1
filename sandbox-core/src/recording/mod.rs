//! A recorded run: the JSON lines that `serve --record` writes, read so that anybody can replay them.
//!
//! The first line is a [`Header`] with the whole scenario as it ran, then comes one [`LoggedInput`] a line in the order in
//! which they took effect, and last the [`End`]. A server that was killed, or still runs, leaves no end; what it logged can
//! be replayed all the same.

mod line;

use crate::engine::{Input, LoggedInput, Mount, Script};
use crate::scenario::{Document, Plan, Problem, limits};
use crate::time::Time;
use line::Line;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// Version of this format.
pub const FORMAT_VERSION: u32 = 1;

/// The first line: what was mounted.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Header {
    /// Version of this format; 1.
    pub format_version: u32,
    /// The whole scenario with variant and changes applied.
    pub scenario: Value,
    /// The variant it was made of.
    pub variant: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// Which nodes were real, and when time 0 was.
    #[cfg_attr(feature = "schema", schemars(with = "Value"))]
    pub mount: Mount,
    /// Version of the program that wrote it.
    pub version: String,
}

/// The last line: where it ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct End {
    /// The world's time at the end, in nanoseconds.
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub end_ns: Time,
    /// Events and inputs.
    pub steps: u64,
    /// Digest of all records.
    pub digest: String,
}

/// A recording that can be replayed.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The scenario as it ran.
    pub document: Document,
    /// Its plan, which ends with the second in which the recording ends.
    pub plan: Arc<Plan>,
    /// How it was mounted, what came in, and where it ended.
    pub script: Script,
    /// The digest that a replay must reach; none if the recording broke off.
    pub digest: Option<String>,
    /// Version of the program that wrote it.
    pub version: String,
}

/// Records are numbered in 32 bits, and most steps make one.
const STEPS_MAX: u64 = 1 << 32;

const UNCHANGED: &str = "It must be a file that `serve --record` wrote, unchanged.";

impl Recording {
    /// Reads the text of a recording. Errors: every line that cannot be read or cannot have happened, as `name:line`.
    #[inline]
    pub fn parse(name: &str, text: &str) -> Result<Recording, Vec<Problem>> {
        let mut lines = text.lines().zip(1..).peekable();
        let Some((first, _)) = lines.next() else {
            let what = "holds no requests: its server had taken none when this was read, or was killed before";
            return Err(vec![Problem::new(
                name,
                what,
                "Send a request to the server that records, and read it again.",
            )]);
        };
        let header = header(name, first)?;
        let document = Document::from_json(header.scenario);
        let mut plan = document.plan("A", &[]).map_err(|problems| within_header(name, problems))?;
        if let Some(node) = header.mount.external.iter().find(|node| node.index() >= plan.nodes.len()) {
            let what = format!("names node {}, and the scenario has {}", node.0, plan.nodes.len());
            return Err(vec![Problem::new(format!("{name}:1"), what, UNCHANGED)]);
        }
        let mut so_far = SoFar { plan: &plan, arrivals: 0, steps: 0, at: Time::ZERO };
        let (mut inputs, mut end, mut problems) = (Vec::new(), None::<End>, Vec::new());
        while let Some((text, number)) = lines.next() {
            let judged = match line::line(text) {
                Ok(_) if end.is_some() => Err("stands after the end".to_string()),
                Ok(Line::Input(input)) => so_far.input(&input).map(|()| inputs.push(input)),
                Ok(Line::End(found)) => so_far.end(&found).map(|()| end = Some(found)),
                // A killed server may have written half a line.
                Err(_) if end.is_none() && lines.peek().is_none() => Ok(()),
                Err(why) => Err(why),
            };
            if let Err(why) = judged {
                problems.push(Problem::new(format!("{name}:{number}"), why, UNCHANGED));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let SoFar { steps, at, .. } = so_far;
        plan.variant = header.variant;
        plan.end = end_of_second(at);
        Ok(Recording {
            document,
            plan: Arc::new(plan),
            script: Script { mount: Some(header.mount), inputs, steps: Some(steps) },
            digest: end.map(|end| end.digest),
            version: header.version,
        })
    }
}

#[inline]
fn header(name: &str, text: &str) -> Result<Header, Vec<Problem>> {
    let problem = |what: String, hint: &str| Err(vec![Problem::new(format!("{name}:1"), what, hint)]);
    match line::header(text) {
        Err(why) => problem(why, UNCHANGED),
        Ok(header) if header.format_version != FORMAT_VERSION => {
            let what = format!("has format version {}, and this program reads {FORMAT_VERSION}", header.format_version);
            problem(what, "Replay it with the version that wrote it.")
        }
        Ok(header) => Ok(header),
    }
}

#[inline]
fn within_header(name: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let within = |problem: Problem| Problem { path: format!("{name}:1, scenario.{}", problem.path), ..problem };
    problems.into_iter().map(within).collect()
}

/// What the lines so far have made happen: a line below can only come after it.
struct SoFar<'a> {
    plan: &'a Plan,
    arrivals: u32,
    steps: u64,
    at: Time,
}

impl SoFar<'_> {
    #[inline]
    fn input(&mut self, logged: &LoggedInput) -> Result<(), String> {
        let routes = self.plan.routes.len();
        match logged.input {
            Input::Arrival { route, .. } if route.index() >= routes => {
                return Err(format!("asks for route {}, and the scenario has {routes}", route.0));
            }
            Input::Arrival { .. } if f64::from(self.arrivals) >= limits::REQUESTS => {
                return Err(format!("is one request too many: at most {}", limits::REQUESTS));
            }
            Input::Arrival { .. } => self.arrivals += 1,
            Input::Disconnect { request } if !(1..=self.arrivals).contains(&request.0) => {
                return Err(format!("is about request {}, which has not come yet", request.0));
            }
            _ => {}
        }
        self.come_to(logged.step, logged.at)?;
        self.steps += 1;
        Ok(())
    }

    #[inline]
    fn end(&mut self, end: &End) -> Result<(), String> {
        self.come_to(end.steps, end.end_ns)
    }

    #[inline]
    fn come_to(&mut self, steps: u64, at: Time) -> Result<(), String> {
        if steps < self.steps || at < self.at {
            return Err("happens before the line above it".into());
        }
        if at > Time::from_seconds(limits::DURATION_S) || steps > STEPS_MAX {
            return Err(format!("happens after more than {} s or {STEPS_MAX} steps", limits::DURATION_S));
        }
        (self.steps, self.at) = (steps, at);
        Ok(())
    }
}

#[inline]
fn end_of_second(at: Time) -> Time {
    const SECOND_NS: u64 = 1_000_000_000;
    Time::from_nanos(at.as_nanos().div_ceil(SECOND_NS).max(1) * SECOND_NS)
}
