//! What the page says of a recorded run: which one it is, what was real, and whether the replay is the run that was recorded.

use crate::text::story as text;
use crate::view_model::format;
use crate::view_model::topology::name_of;
use lessons::INDEX;
use sandbox_core::Run;
use sandbox_core::scenario::Plan;

/// A recorded run, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedView {
    /// Title of its scenario.
    pub title: String,
    /// Which run it is.
    pub lede: String,
    /// Where its scenario is from, if it is none of the course's.
    pub source: Option<String>,
    /// Whether the replay is the recorded run; None: no digest was recorded.
    pub same: Option<bool>,
    /// How the digests compare.
    pub verdict: String,
}

impl RecordedView {
    /// Describes a replay, whole and with this digest, of a run whose digest was `recorded` by this version of the program.
    pub fn new(run: &Run, digest: &str, recorded: Option<&str>, version: &str) -> RecordedView {
        let (plan, requests) = (run.plan(), run.folds().requests().len() as u64);
        let same = recorded.map(|recorded| recorded == digest);
        let short = format::digest(digest);
        RecordedView {
            title: plan.title.clone(),
            lede: text::recorded(
                &plan.id,
                &plan.variant,
                real_parts(run, plan),
                format::count(requests),
                format::short(plan.end.as_seconds(), 0),
            ),
            source: INDEX.iter().all(|entry| entry.scenario != plan.id).then(|| text::brought_along(&plan.id)),
            same,
            verdict: match same {
                Some(true) => text::same_digest(&short),
                Some(false) => text::other_digest(
                    &short,
                    format::digest(recorded.unwrap_or_default()),
                    version,
                    env!("CARGO_PKG_VERSION"),
                ),
                None => text::no_digest(&short),
            },
        }
    }

    /// How the digests compare, in a word for tests.
    pub fn word(&self) -> &'static str {
        match self.same {
            Some(true) => "same",
            Some(false) => "different",
            None => "unknown",
        }
    }
}

fn real_parts(run: &Run, plan: &Plan) -> String {
    let external = run.script().mount.iter().flat_map(|mount| &mount.external);
    let names = external.map(|node| name_of(&plan.nodes[node.index()]));
    let names = names.reduce(|names, name| text::both(&names, &name));
    names.map_or_else(|| text::all_modelled().into(), |names| text::real(&names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox_core::engine::{Credential, Input, LoggedInput, Mount, Script};
    use sandbox_core::ids::RouteId;
    use sandbox_core::scenario::Document;
    use sandbox_core::time::Time;
    use std::sync::Arc;

    #[test]
    fn it_says_what_was_real_and_whether_it_is_the_same_run() {
        let document = Document::parse(lessons::scenario("database-outage").expect("it is in the course")).unwrap();
        let mut plan = document.plan("B", &[]).expect("it is valid");
        plan.end = Time::from_seconds(2.0);
        let mount = Mount { external: plan.node("db").into_iter().collect(), epoch_unix_s: 0 };
        let input = Input::Arrival { route: RouteId(0), key: 1, credential: Credential::Invalid };
        let inputs = vec![LoggedInput { at: Time::ZERO, step: 0, input }];
        let mut run = Run::with_script(Arc::new(plan), Script { mount: Some(mount), inputs, steps: None });
        run.run_to_end();
        let digest = run.digest();
        let view = |recorded| RecordedView::new(&run, &digest, recorded, "0.0.1");
        let same = view(Some(&digest));
        assert_eq!(same.lede, "Recorded run of database-outage, variant B: real SQLite, 1 requests in 2 s.");
        assert_eq!((same.word(), same.verdict.contains("same as recorded")), ("same", true));
        let other = view(Some("00000000000000000000000000000000"));
        assert!(other.word() == "different" && other.verdict.contains("0000·0000"), "{}", other.verdict);
        assert_eq!(view(None).word(), "unknown");
    }
}
