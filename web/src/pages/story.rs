//! The story column: the lesson, or the recorded run that is open in its place; and the knobs, which belong to the lesson.

use crate::components::knobs::{self, KnobsProps};
use crate::components::recording::{self, RecordingProps};
use crate::components::story::{self, StoryProps};
use crate::pages::lesson::Page;
use crate::pages::views;
use crate::route;
use crate::state::player::Shown;
use crate::text::story as text;
use sandbox_core::link::Link;
use yew::prelude::*;

/// Places in the story that somebody is led to.
pub struct Places {
    /// Where it begins.
    pub heading: NodeRef,
    /// Where the prediction is.
    pub ask: NodeRef,
}

impl Page<'_> {
    /// The story column. `not_kept`: what is the matter with keeping progress.
    pub fn story(&mut self, shown: Option<&Shown>, places: Places, not_kept: Option<String>) -> Html {
        match self.session.recorded.is_some() {
            true => recording::recording(&RecordingProps {
                view: self.recorded.clone(),
                on_file: self.on_file.clone(),
                on: self.on.clone(),
            }),
            false => html! {
                <>
                    { self.lesson(shown, places, not_kept) }
                    <p class="aside">
                        // A page that is one file has nothing that a playground starts from.
                        if !route::is_alone() {
                            <a href={self.playground()} data-playground-link="">{ text::to_playground() }</a>{ " " }{ text::to_change() }{ " " }
                        }
                        { text::on_a_server() }{ " " }{ recording::opener(text::open_recording(), ".jsonl,.json", &self.on_file) }</p>
                </>
            },
        }
    }

    /// The playground with the scenario as it is set here.
    fn playground(&self) -> String {
        let here = self.session.here();
        Link {
            variant: Some(self.session.settings.variant.clone()),
            lesson: here.lesson,
            set: here.set,
            seed: here.seed,
            playground: true,
            ..Link::default()
        }
        .query()
    }

    fn lesson(&mut self, shown: Option<&Shown>, places: Places, not_kept: Option<String>) -> Html {
        let sheet = shown.and_then(|shown| views::sheet(self.session, shown, self.kept));
        let session = &*self.session;
        let (content, progress) = (&session.content, &session.progress);
        let (lesson, beat) = (&content.lesson, progress.beat);
        let in_challenge = beat == progress.last();
        story::story(&StoryProps {
            title: &lesson.title,
            lede: &lesson.lede,
            beats: &lesson.beats,
            beat,
            done: &progress.done,
            open: session.player.future_is_open,
            prose: content.prose_of(beat),
            ask: (beat <= 1).then(|| views::ask(session)),
            sheet: sheet.filter(|_| beat > 0 && !in_challenge),
            task: in_challenge.then(|| views::task(session, shown)),
            heading: places.heading,
            ask_ref: places.ask,
            on_term: &self.on_term,
            not_kept,
            on: &self.on,
        })
    }

    /// What can be turned: nothing of a recorded run.
    pub fn knobs(&mut self) -> Html {
        if self.session.recorded.is_some() {
            return Html::default();
        }
        let (knobs, ghost) = views::knobs(self.session, self.kept);
        knobs::knobs(&KnobsProps {
            knobs,
            variants: views::variants(self.session),
            variant: self.session.settings.variant.clone(),
            changed: views::changed(self.session),
            ghost,
            on: self.on.clone(),
        })
    }
}
