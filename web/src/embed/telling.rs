//! What is news for the page around, compared with what it was told before.

use crate::embed::dialects;
use crate::state::session::Session;
use sandbox_core::link::Link;
use sandbox_core::message::{News, State};
use sandbox_core::scenario::Problem;
use serde_json::{Value, json};

/// Events that are told at once; what else was passed is skipped, as it was by whoever watches.
const EVENTS: usize = 20;

/// That nothing can run, and why.
pub fn cannot_run(problems: &[Problem]) -> Value {
    News::Error { problems: problems.iter().map(ToString::to_string).collect() }.message()
}

/// What the page around knows already.
#[derive(Default)]
pub struct Telling {
    known: Option<State>,
    /// That nothing can run.
    broken: bool,
    /// Score and progress that were reported for keeping.
    kept: Option<(f64, Option<String>, Option<u64>)>,
}

impl Telling {
    /// What is to be told now, in order.
    pub fn news(&mut self, session: &Session) -> Vec<Value> {
        let Some(shown) = &session.player.shown else {
            let is_new = !session.problems.is_empty() && !std::mem::replace(&mut self.broken, true);
            return is_new.then(|| cannot_run(&session.problems)).into_iter().collect();
        };
        let state = session.told();
        let (mut news, mut told) = (Vec::new(), Vec::new());
        match &self.known {
            None => {
                news.push(News::Ready { title: session.content.lesson.title.clone(), state: state.clone() });
                // An error that comes first says that there will be no lesson.
                if !session.unread.is_empty() {
                    news.push(News::Error { problems: session.unread.iter().map(ToString::to_string).collect() });
                }
            }
            Some(known) if *known == state => return Vec::new(),
            Some(known) => {
                let passed = |step: u64| known.step < step && step <= state.step;
                let stones = shown.facts.milestones.iter().filter(|stone| passed(stone.step));
                let stones = stones.filter(|_| known.playing && known.digest == state.digest).take(EVENTS);
                news.extend(stones.map(|stone| News::Event {
                    t: stone.at.as_seconds(),
                    step: stone.step,
                    text: stone.told.clone(),
                }));
                news.push(News::State { state: state.clone() });
            }
        }
        let first = |is: fn(&State) -> bool| is(&state) && !self.known.as_ref().is_some_and(is);
        if first(|state| state.finished) {
            news.push(News::Finished { score: state.score });
        }
        for news in &news {
            told.push(news.message());
            match news {
                News::Event { t, text, .. } => {
                    told.push(dialects::splice_event("milestone", json!({ "t": t, "text": text })))
                }
                News::Finished { score } => told.push(dialects::splice_event("finished", json!({ "score": score }))),
                _ => {}
            }
        }
        let Link { answer, beat, .. } = session.kept();
        let kept = (state.score, answer, beat);
        if self.kept.as_ref().is_some_and(|before| *before != kept) {
            told.push(dialects::splice_report(state.score, &state.link));
        }
        self.kept = Some(kept);
        self.known = Some(state);
        told
    }
}
