//! The stage: the state in a line, the system, the request looked at, the transport.

use crate::components::icon::state_shape;
use crate::components::lanes::{self, LanesProps};
use crate::components::scene::{self, SceneProps};
use crate::components::scrub::{self, ScrubProps};
use crate::components::topology::{self, TopologyProps};
use crate::components::transport::{self, TransportProps};
use crate::pages::lesson::Page;
use crate::pages::views;
use crate::state::player::Shown;
use crate::text::{evidence, stage, transport as text};
use crate::view_model::format;
use crate::view_model::recorded::RecordedView;
use crate::view_model::request::RequestView;
use crate::view_model::scene::StageView;
use yew::prelude::*;

impl Page<'_> {
    /// The stage while there is no run yet.
    pub fn waiting(&self) -> Html {
        let share = self.session.player.built_share().unwrap_or(0.0);
        html! {
            <section key="waiting" class="card stage" aria-label={stage::stage()} data-ready="false">
                <div class="stagehead">
                    <span class="state idle">{ state_shape("idle") }{ stage::computing() }</span>
                    <span class="what num">{ stage::computed(format::short(share * 100.0, 0)) }</span>
                </div>
                <div class="topo"></div>
            </section>
        }
    }

    /// The stage, and what a screen reader is told of it.
    pub fn stage(
        &mut self,
        shown: &mut Shown,
        request: Option<&RequestView>,
        on_invite: Callback<()>,
    ) -> (Html, String) {
        let session = &*self.session;
        let seen = shown.run.world().observe();
        let state = views::state_line(session, shown, &seen);
        let parts = views::parts(session, shown, &seen);
        let (step, next) = views::next_step(session, shown);
        let (milestone, can_jump) = views::next_milestone(session, shown);
        let position = shown.run.position();
        let says = views::moment(session, shown, &state);
        let sentence = match session.player.playing {
            true => text::moment_playing(format::about(session.player.cursor), state.word, &state.what),
            false => text::moment_next(&says, &step.1),
        };
        let share = if state.quality.is_empty() { String::new() } else { format!(", {}", state.quality) };
        let lanes = request.and_then(|request| Some((request, request.end.as_ref()?))).map(|(request, end)| {
            let about = evidence::asked_ended_took(&request.asked, end.tag.0, &end.total);
            lanes::lanes(&LanesProps {
                lanes: &end.lanes,
                name: &request.name,
                about,
                width: 600.0,
                at_ms: views::at_in_request(session, request),
                inside: false,
            })
        });
        let scrub = scrub::scrub(&ScrubProps {
            healths: views::healths(session, shown),
            end_s: shown.facts.end.as_seconds(),
            at_s: session.player.cursor.as_seconds(),
            faults: views::faults(session, shown),
            marks: views::marks(session, &shown.facts),
            told: views::told(session, shown, self.kept),
            says: &says,
            on: &self.on,
        });
        let (picture, foot) = match session.picture {
            StageView::System => {
                let picture = topology::topology(&TopologyProps {
                    layout: views::layout(session, shown, self.frame.1, self.kept),
                    parts,
                    stale: shown.facts.seconds.iter().any(|second| second.stale() > 0),
                    flow: &session.player.flow,
                    next,
                });
                (picture, Html::default())
            }
            picture => {
                let asked = views::scene_query(session, shown, self.frame.1);
                let past = session.player.cursor.since(asked.from.min(session.player.cursor)).as_ms();
                let view = views::scene(session, shown, &asked, self.kept);
                let props = SceneProps {
                    picture,
                    view: view.as_deref(),
                    size: asked.size,
                    at: (past / asked.to.since(asked.from).as_ms()).min(1.0),
                    stretch: views::stretch(session, shown).0,
                    selected: session.player.selected.filter(|request| shown.run.folds().request(*request).is_some()),
                    on: &self.on,
                };
                (scene::scene(&props), scene::foot(&props))
            }
        };
        let transport = transport::transport(&TransportProps {
            ready: true,
            playing: session.player.playing,
            clock: format::clock(session.player.cursor),
            event: format::count(position.step),
            pace: session.player.pace,
            step,
            milestone,
            can_jump,
            invited: !session.player.future_is_open,
            children: scrub,
            on: &self.on,
            on_invite,
        });
        let html = html! {
            <section key="stage" class="card stage" aria-label={stage::stage()} tabindex="-1" data-player="" data-ready="true" data-step={position.step.to_string()}
                data-time={format!("{:.9}", session.player.cursor.as_seconds())} data-playing={session.player.playing.to_string()}
                data-predicted={session.player.future_is_open.to_string()} data-run-ms={format!("{:.1}", shown.work_ms)}
                data-back-ms={format!("{:.2}", session.player.last_ms.0)} data-seek-ms={format!("{:.2}", session.player.last_ms.1)}
                data-building={session.player.is_building().to_string()} data-recorded={self.recorded.as_ref().map(RecordedView::word)}>
                <div class="stagehead">
                    <span class={classes!("state", state.class)}>{ state_shape(state.class) }{ state.word }</span>
                    <span class="what">{ state.what.clone() }</span>
                    <span class="grow"></span>
                    if state.ended > 0 {
                        <span><b class="num">{ format::count(state.answered.into()) }</b>{ " " }{ stage::of() }{ " " }
                            <span class="num">{ format::count(state.ended.into()) }</span>{ stage::per_second() }<span class="wide">{ " " }{ stage::answered() }</span>{ share }</span>
                    } else { <span>{ views::nothing_ended(session, shown) }</span> }
                </div>
                <div class={classes!("topo", (session.picture != StageView::System).then_some("scene"))} ref={self.frame.0.clone()}
                    data-picture={session.picture.word()}>
                    { scene::pictures(session.picture, &self.on) }
                    { picture }
                </div>
                { foot }
                { lanes.unwrap_or_default() }
                { transport }
            </section>
        };
        (html, sentence)
    }
}
