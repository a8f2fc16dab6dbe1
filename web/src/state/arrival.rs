//! From a link to its moment and back: where an address wants the page to look, and whether it is the run that it was made of.

use crate::route::Asked;
use crate::state::progress::Prediction;
use crate::state::recorded::Opening;
use crate::state::session::Session;
use crate::text::refusals as text;
use sandbox_core::Run;
use sandbox_core::ids::RequestId;
use sandbox_core::link::{Digest, Link, Resolution, Tab};
use sandbox_core::scenario::Problem;
use sandbox_core::time::Time;
use std::sync::Arc;

/// What an address still wants: it waits for a run, and for the prediction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrival {
    place: Option<Place>,
    /// The run that the link was made of; looked at once.
    digest: Option<Digest>,
    /// Whether it is about a recorded run.
    recorded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    at: Option<Time>,
    step: Option<u64>,
    request: Option<RequestId>,
    tab: Option<Tab>,
}

impl Place {
    fn of(link: &Link) -> Place {
        let Link { at, step, request, tab, .. } = *link;
        Place { at, step, request, tab }
    }
}

impl Session {
    /// Takes up what a link asks for beside its settings: the progress, and the place as soon as there is a run; what comes
    /// after the prediction waits for it.
    pub fn arrive(&mut self, link: &Link) {
        self.take_up_progress(link);
        self.arrival =
            Arrival { place: Some(Place::of(link)), digest: link.digest.clone(), recorded: link.recording.is_some() };
        if let (false, Ok(plan)) = (link.resolve.is_empty(), self.content.plan(&self.settings)) {
            self.player.begin(Run::with_script(Arc::new(plan), link.script()));
        }
    }

    /// Makes the run of a link of this lesson, and goes where it leads. Errors: all that does not fit; nothing has changed then.
    pub fn take_up(&mut self, link: &Link) -> Result<(), Vec<Problem>> {
        let (settings, unread) = self.content.settings(&Asked { link: link.clone(), unread: Vec::new() });
        let misfit = || self.content.plan(&settings).err().unwrap_or_default();
        let problems = if unread.is_empty() { misfit() } else { unread };
        if !problems.is_empty() {
            return Err(problems);
        }
        self.settings = settings;
        self.rebuild();
        self.arrive(link);
        Ok(())
    }

    /// Goes to the place that a link names, now or when the run under way is there.
    pub fn go_to(&mut self, link: &Link, clock: &dyn Fn() -> f64) {
        self.arrival.place = Some(Place::of(link));
        self.arrival.recorded = self.recorded.is_some();
        self.on_arrival(clock);
    }

    fn take_up_progress(&mut self, link: &Link) {
        let lesson = self.content.lesson.clone();
        let beats = self.progress.last() as u64 + 1;
        if let Some(beat) = link.beat.filter(|beat| !(1..=beats).contains(beat)) {
            self.unread.push(Problem::new("beat", text::no_beat(beat), text::beats(beats)));
        }
        let known = |answer: &String| lesson.prediction.options.iter().any(|option| option.id == *answer);
        let prediction = match &link.answer {
            Some(answer) if known(answer) => Prediction::Said(answer.clone()),
            Some(answer) => {
                let options: Vec<&str> = lesson.prediction.options.iter().map(|option| option.id.as_str()).collect();
                let what = text::no_option(answer);
                self.unread.push(Problem::new("answer", what, text::options(options.join(", "))));
                return;
            }
            None if link.beat.is_some_and(|beat| beat > 1) => Prediction::Skipped,
            None => return,
        };
        self.progress.on_prediction(prediction);
        self.player.future_is_open = true;
        if let Some(beat) = link.beat {
            self.progress.go_to((beat.clamp(1, beats) - 1) as usize, &lesson);
        }
    }

    /// The link to this very moment with the learner's progress, for whoever keeps it.
    pub fn kept(&self) -> Link {
        let answer = match &self.progress.prediction {
            Prediction::Said(option) => Some(option.clone()),
            _ => None,
        };
        Link { answer, beat: Some(self.progress.beat as u64 + 1).filter(|beat| *beat > 1), ..self.here() }
    }

    /// The link from a frame to the page around which there is nothing else: the same moment in the whole lesson, or in the
    /// playground. There a document stands alone, so its run has another digest, and no event of this one.
    pub fn whole(&self) -> Link {
        if !self.content.lesson.id.is_empty() || self.recorded.is_some() {
            return self.kept();
        }
        let (here, variant) = (self.here(), self.settings.variant.clone());
        Link {
            playground: true,
            variant: Some(variant).filter(|_| here.variant.is_some()),
            seed: here.seed,
            set: here.set,
            at: Some(self.player.cursor).filter(|at| *at > Time::ZERO),
            ..self.content.origin.clone()
        }
    }

    /// The link to this very moment.
    pub fn here(&self) -> Link {
        let (settings, lesson) = (&self.settings, &self.content.lesson);
        let shown = self.player.shown.as_ref().filter(|_| !self.player.is_building());
        let inputs = shown.filter(|_| self.recorded.is_none()).map_or(&[][..], |shown| &shown.run.script().inputs);
        Link {
            variant: (settings.variant != lesson.variant).then(|| settings.variant.clone()),
            seed: settings.seed,
            set: self.content.changes(settings),
            resolve: inputs.iter().filter_map(Resolution::of).collect(),
            recording: self.recorded.as_ref().and_then(|recorded| recorded.address.clone()),
            digest: shown.map(|shown| Digest(shown.digest.clone())),
            step: self.place().0.filter(|step| *step > 0),
            request: self.player.selected,
            tab: Some(self.tab).filter(|tab| *tab != Tab::Charts),
            ..self.content.origin.clone()
        }
    }

    /// A run is whole, or the prediction is made: looks where the address wants, if it may.
    pub(super) fn on_arrival(&mut self, clock: &dyn Fn() -> f64) {
        let Some(shown) = self.player.shown.as_ref() else { return };
        let is_waiting = self.player.is_building() || self.opening == Opening::UnderWay;
        if is_waiting || self.recorded.is_some() != self.arrival.recorded {
            return;
        }
        let (run, digest) = (&shown.run, &shown.digest);
        if let Some(problem) = Link::not_resolved(run).filter(|_| !self.arrival.recorded) {
            self.unread.push(problem);
            self.arrival.digest = None;
            return self.rebuild();
        }
        let made_of = self.arrival.digest.take();
        if let Some(Digest(made_of)) = made_of.filter(|made_of| made_of.0 != *digest) {
            let what = text::other_digest(digest, &made_of);
            let why = match self.unread.is_empty() {
                true => text::changed_since(),
                false => text::something_else(),
            };
            self.unread.push(Problem::new("digest", what, why));
        }
        let Some(Place { at, step, request, tab }) = self.arrival.place else { return };
        // The end is shown in its stead.
        let beyond = Link { at, step, ..Link::default() }.beyond(run);
        match (step, at) {
            (Some(step), _) => self.player.seek_step(step, clock),
            (None, Some(at)) => self.player.seek(at, clock),
            (None, None) => {}
        }
        // Where a request ended is not told before the prediction.
        if self.player.invited || (request.is_some() && !self.player.future_is_open) {
            return;
        }
        self.arrival.place = None;
        self.unread.extend(beyond);
        self.tab = tab.unwrap_or(self.tab);
        let Some(request) = request else { return };
        let sent = self.player.shown.as_ref().map_or(0, |shown| shown.run.folds().requests().len());
        match (1..=sent).contains(&(request.0 as usize)) {
            true => self.player.select(request),
            false => {
                let what = text::no_request(request.0);
                self.unread.push(Problem::new("request", what, text::requests(sent)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::route::Asked;
    use crate::state::action::Action;
    use std::rc::Rc;

    fn act(session: &mut Session, action: Action) {
        session.apply(action, &|| 0.0);
        finish(session);
    }

    fn finish(session: &mut Session) {
        session.finish();
        assert_eq!(session.problems, []);
    }

    /// The page that an address opens.
    fn opened(address: &str) -> Session {
        let asked = Asked::of(address);
        let content = Rc::new(Content::built_in(address).expect("the lesson is sound"));
        let (settings, unread) = content.settings(&asked);
        let mut session = Session::new(content, settings, asked.link.embed, false);
        session.unread = unread;
        session.arrive(&asked.link);
        finish(&mut session);
        session
    }

    fn unread(session: &Session) -> Vec<&str> {
        session.unread.iter().map(|problem| problem.path.as_str()).collect()
    }

    #[test]
    fn a_link_leads_back_to_the_same_event_of_the_same_run() {
        let mut session = opened("?seed=11");
        act(&mut session, Action::SkipPrediction);
        act(&mut session, Action::SetKnob("stale".into(), 10.0));
        act(&mut session, Action::NextFailure);
        act(&mut session, Action::Show(Tab::Requests));
        let here = session.here();
        assert!(here.step.is_some_and(|step| step > 100_000) && here.request.is_some(), "{here:?}");

        let mut other = opened(&here.query());
        assert!(other.player.cursor < Time::from_seconds(20.0), "nobody passes the outage before predicting");
        assert!(other.player.invited, "the way there is shown");
        assert_eq!(other.player.selected, None, "nobody is told how a request ends");
        act(&mut other, Action::SkipPrediction);
        assert_eq!(other.here(), here);
        assert_eq!(unread(&other), [""; 0], "the digest is the same");
    }

    #[test]
    fn a_frame_leads_to_its_moment_in_the_whole_lesson() {
        let session = opened("?lesson=the-database-goes-away&variant=A&seed=11&t=25&embed=1");
        let whole = session.whole();
        assert_eq!((whole.variant.as_deref(), whole.seed, whole.embed), (Some("A"), Some(11), false));
        let mut other = opened(&whole.query());
        act(&mut other, Action::SkipPrediction);
        assert_eq!(other.whole().step, session.whole().step);
        assert_eq!(unread(&other), [""; 0], "the digest is the same");
        let whole = opened("?scenario=one-service&seed=3&t=2&embed=1").whole();
        assert!(whole.playground && whole.digest.is_none() && whole.step.is_none(), "{whole:?}");
        assert_eq!(
            (whole.scenario.as_deref(), whole.seed, whole.at),
            (Some("one-service"), Some(3), Some(Time::from_seconds(2.0)))
        );
    }

    #[test]
    fn what_somebody_did_in_the_run_is_part_of_its_link() {
        let mut session = opened("?embed=1&t=50");
        assert_eq!(session.player.cursor, Time::from_seconds(50.0));
        let before = session.player.shown.as_ref().unwrap().digest.clone();
        let open = session.player.shown.as_ref().unwrap().run.world().observe().incidents;
        act(&mut session, Action::Resolve(open.first().expect("it is still open").id));
        let here = Link { embed: true, ..session.here() };
        assert_ne!(here.digest, Some(Digest(before)), "it is another run");
        let other = opened(&here.query());
        assert_eq!(Link { embed: true, ..other.here() }, here);
        assert_eq!(unread(&other), [""; 0]);
        let other = opened("?embed=1&resolve=50,3,1");
        assert_eq!(unread(&other), ["resolve"], "it cannot have happened there");
        assert!(other.player.shown.as_ref().unwrap().facts.end > Time::from_seconds(50.0), "the run goes on without");
    }

    #[test]
    fn another_run_than_the_links_is_named_and_so_is_a_request_or_place_that_is_not_there() {
        let digest = "0123456789abcdef0123456789abcdef";
        let session = opened(&format!("?embed=1&digest={digest}&request=4000000000&tab=log"));
        assert_eq!(unread(&session), ["digest", "request"]);
        assert!(session.unread[0].what.contains(digest) && session.unread[0].hint.contains("changed"));
        assert_eq!(session.tab, Tab::Log, "the rest is done");
        for (beyond, end) in [("t=999", "60 s"), ("step=99999999", "It has ")] {
            let session = opened(&format!("?embed=1&{beyond}"));
            assert_eq!(unread(&session), [beyond.split('=').next().unwrap()]);
            assert!(session.unread[0].hint.contains(end), "{}", session.unread[0]);
        }
        assert_eq!(unread(&opened("?embed=1&t=60")), [""; 0], "the end is part of the run");
        let session = opened("?lesson=the-database-goes-away&beat=99");
        assert_eq!((unread(&session), session.progress.beat), (vec!["beat"], 3), "the last one is opened");
        assert_eq!(session.unread[0].to_string(), "beat: there is no step 99 in this lesson. It has steps 1 to 4.");
        let session = opened(&format!("?embed=1&variant=Z&digest={digest}"));
        assert_eq!(unread(&session), ["variant", "digest"]);
        assert!(session.unread[1].hint.contains("not understood"));
    }
}
