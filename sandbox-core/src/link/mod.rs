//! Floor 5: a link: everything that an address asks a page for, or a command line.
//!
//! [`Link`] and [`PARAMETERS`] are declared together, once (`parameters.rs`): the same lines give the parser, the writer, the
//! documentation, the JSON Schema and what the page offers to people who embed it. `form.rs` says how one value is written,
//! `address.rs` how all of them stand in an address, `migrate.rs` what earlier versions wrote otherwise, `snippet.rs` what a page
//! of others needs to show a link.

mod address;
mod form;
mod migrate;
mod parameters;
mod snippet;
mod table;

pub use address::escaped;
pub use form::{Digest, Form, Language, Motion, Resolution, Tab, Theme, offered};
pub use migrate::VERSION;
pub use parameters::{Group, Link, PARAMETERS, Parameter};
pub use snippet::{FRAME, Place, Snippet};
#[cfg(feature = "schema")]
pub use table::schema;
pub use table::table;

use crate::engine::Script;
use crate::metrics::Run;
use crate::scenario::{Problem, unknown};

/// The most characters of a link to anything built in.
pub const LONGEST: usize = 1_800;

/// What stands before the parameters.
const SCHEME: &str = "://";

impl Link {
    /// Whether a text is meant as a link and not as a name or a file.
    pub fn is_link(text: &str) -> bool {
        text.contains(SCHEME) || text.contains('?')
    }

    /// Reads an address or its query, of any version. What cannot be read is left out and is among the problems, under the
    /// name of its parameter. A lesson's own page is read as if the lesson stood in the query.
    #[inline]
    pub fn read(address: &str) -> (Link, Vec<Problem>) {
        let (mut link, problems) = Link::from_pairs(address::pairs(address));
        if (&link.document, &link.lesson, &link.scenario) == (&None, &None, &None) {
            link.lesson = address::lesson(address).map(str::to_string);
        }
        (link, problems)
    }

    /// The same for parameters that are decoded already.
    #[inline]
    fn from_pairs(mut pairs: Vec<(String, String)>) -> (Link, Vec<Problem>) {
        let (mut link, mut problems) = (Link::default(), Vec::new());
        migrate::to_present(&mut pairs, &mut problems);
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in &pairs {
            let Some(parameter) = PARAMETERS.iter().find(|known| known.name == name) else {
                let known: Vec<&str> = PARAMETERS.iter().map(|known| known.name).collect();
                problems.push(Problem::new(name, "is no parameter of a link", unknown(name, &known)));
                continue;
            };
            if !parameter.many && seen.contains(&parameter.name) {
                let hint = "Write it once: the address does not say which is meant.";
                problems.push(Problem::new(name, format!("`{value}` stands there as well"), hint));
            } else if !link.put(parameter.name, value) {
                problems.push(Problem::new(name, format!("`{value}` is not understood"), parameter.form.hint()));
            }
            seen.push(parameter.name);
        }
        link.be_about_one(&mut problems);
        (link, problems)
    }

    /// A link is about a document, a lesson or a scenario: the first of them stays, the others are problems.
    #[inline]
    fn be_about_one(&mut self, problems: &mut Vec<Problem>) {
        let all = [("document", &mut self.document), ("lesson", &mut self.lesson), ("scenario", &mut self.scenario)];
        let mut named = all.into_iter().filter(|(_, place)| place.is_some());
        let Some((kept, _)) = named.next() else { return };
        for (name, place) in named {
            *place = None;
            let what = format!("stands beside `{kept}`, and a link is about one of them");
            problems.push(Problem::new(name, what, "Leave one of them out."));
        }
    }

    /// What somebody did in the run that the link was made of.
    #[inline]
    pub fn script(&self) -> Script {
        Script { inputs: self.resolve.iter().map(Resolution::input).collect(), ..Script::default() }
    }

    /// Why a run that was computed with a link's script cannot be the one in which somebody resolved those incidents; None: it can.
    #[inline]
    pub fn not_resolved(run: &Run) -> Option<Problem> {
        let what = "nobody can have resolved an incident there: the run has another event at that instant";
        let hint = "The link belongs to another run; without `resolve` it leads to the scenario's own.";
        (run.computed_to() < run.plan().end).then(|| Problem::new("resolve", what, hint))
    }

    /// What of the place that this leads to lies beyond the end of a computed run; None: nothing.
    #[inline]
    pub fn beyond(&self, run: &Run) -> Option<Problem> {
        let (end, steps) = (run.plan().end, run.steps());
        match (self.step, self.at) {
            (Some(step), _) if step > steps => {
                Some(Problem::new("step", format!("there is no event {step} in this run"), format!("It has {steps}.")))
            }
            (None, Some(at)) if at > end => {
                let what = format!("{} s is after the end of this run", at.as_seconds());
                Some(Problem::new("t", what, format!("It ends at {} s.", end.as_seconds())))
            }
            _ => None,
        }
    }

    /// The query of an address that asks for this, from `?v=` on, in the present version.
    #[inline]
    pub fn query(&self) -> String {
        let pairs = self.pairs();
        let pairs = pairs.iter().map(|(name, value)| format!("&{name}={}", escaped(value)));
        format!("?v={VERSION}{}", pairs.collect::<String>())
    }
}
