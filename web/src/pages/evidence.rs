//! The evidence column: charts, requests, log, health, what if.

use crate::components::chart::ChartView;
use crate::components::events::{EventsProps, events};
use crate::components::health::{self, HealthProps};
use crate::components::log::{self, LogProps};
use crate::components::press::{button, press};
use crate::components::save::{Picture, Save};
use crate::components::stops;
use crate::components::why::{self, InspectorProps};
use crate::pages::asked;
use crate::pages::keys::tab_keys;
use crate::pages::lesson::Page;
use crate::pages::views;
use crate::state::action::{Action, Tab};
use crate::state::player::Shown;
use crate::text::evidence as text;
use crate::view_model::charts::Chart;
use crate::view_model::request::RequestView;
use std::rc::Rc;
use yew::prelude::*;

impl Page<'_> {
    /// Charts, requests, log, health, what if.
    pub fn evidence(&mut self, shown: &mut Shown, request: Option<&RequestView>) -> Html {
        let tabs = [
            (Tab::Charts, text::charts()),
            (Tab::Requests, text::requests()),
            (Tab::Log, text::log()),
            (Tab::Health, text::health()),
            (Tab::WhatIf, text::what_if()),
        ];
        let session = &*self.session;
        let id = |tab: Tab| format!("tab-{}", tab.word());
        let tab = |(tab, name): &(Tab, &'static str)| {
            let onclick = press(&self.on, Action::Show(*tab));
            let chosen = session.tab == *tab;
            html! {
                <button type="button" role="tab" id={id(*tab)} aria-selected={chosen.to_string()}
                    aria-controls="evidence" aria-keyshortcuts={(*tab == Tab::Requests).then_some("W")} tabindex={if chosen { "0" } else { "-1" }} {onclick}>{ *name }</button>
            }
        };
        let on = self.on.clone();
        let panel = match session.tab {
            Tab::Charts => {
                let charts = views::charts(session, shown, self.kept);
                let at_s = session.player.cursor.as_seconds();
                let on_second = on.reform(Action::LookAtSecond);
                let chart = |chart: &Rc<Chart>| {
                    let note = views::chart_note(session, shown, chart);
                    html! { <ChartView chart={chart.clone()} {at_s} hidden={!session.player.future_is_open} {note} screen={self.screen.clone()} on_second={on_second.clone()} /> }
                };
                let picture = |chart: &Rc<Chart>| Picture {
                    id: chart.id,
                    title: chart.title.clone(),
                    is_content: chart.id.starts_with("signals"),
                };
                let save = self.save(charts.iter().map(picture));
                html! { <>{ for charts.iter().map(chart) }if !self.embed { { pick(request, &on) } }{ save }</> }
            }
            Tab::Requests => {
                let ended = request.filter(|request| request.end.is_some());
                let way = ended.map(|view| Picture { id: "way", title: view.name.clone(), is_content: false });
                let at_ms = request.and_then(|request| views::at_in_request(session, request));
                let events = events(&EventsProps {
                    lines: views::events(session, shown),
                    step: shown.run.position().step,
                    short: request.is_some(),
                    second: views::of_second(session, shown, self.kept),
                    not_found: session.not_found.clone(),
                    list: self.list.clone(),
                    on: on.clone(),
                });
                html! {
                    <>
                        { events }
                        if let Some(view) = request { { why::inspector(&InspectorProps { view, at_ms, on: &on }) } } else {
                            <div class="card empty"><p>{ text::choose_event() }</p></div>
                        }
                        { self.save(way) }
                    </>
                }
            }
            Tab::Log => {
                let (lines, before) = views::log(shown);
                let stops = stops::stops(&session.player.stops, &on);
                html! { <>{ stops }{ log::log(&LogProps { lines, before, on }) }</> }
            }
            Tab::Health => {
                let seen = shown.run.world().observe();
                let parts = views::part_healths(shown, &seen);
                health::health(&HealthProps { parts, incidents: views::incidents(session, shown), on })
            }
            Tab::WhatIf => asked::what_if(session, shown, &on),
        };
        // An embedded page has no tabs.
        let back = (self.embed && session.tab != Tab::Charts).then(|| {
            let back = button("btn", text::back_to_charts(), press(&self.on, Action::Show(Tab::Charts)));
            html! { <div class="card pick">{ back }</div> }
        });
        let class = classes!("panel", (session.tab == Tab::Charts).then_some("charts"));
        html! {
            <>
                <div class="tabs" role="tablist" aria-label={text::evidence()} onkeydown={tab_keys()}>{ for tabs.iter().map(tab) }</div>
                <div id="evidence" {class} role="tabpanel" aria-labelledby={id(session.tab)}>{ for back }{ panel }</div>
            </>
        }
    }

    /// The way from the charts to the requests, on a page without tabs.
    pub fn to_requests(&self, request: Option<&RequestView>) -> Html {
        if self.session.tab != Tab::Charts {
            return Html::default();
        }
        let end = request.and_then(|request| request.end.as_ref());
        let name = match end {
            Some(end) if end.failed => text::why_failed(),
            Some(_) => text::where_time(),
            None => text::requests(),
        };
        html! { <span data-to-requests="">{ button("btn mini", name, press(&self.on, Action::Show(Tab::Requests))) }</span> }
    }

    /// What can be saved beside a panel: the picture of the stage, and those of the panel.
    fn save(&self, panel: impl IntoIterator<Item = Picture>) -> Html {
        let stage = self.session.picture;
        let mut pictures = vec![Picture { id: stage.word(), title: stage.title().into(), is_content: false }];
        pictures.extend(panel);
        html! { <Save {pictures} ratio={self.screen.ratio} on_save={self.on_save.clone()} /> }
    }
}

/// Below the charts: the request looked at, in a line.
fn pick(request: Option<&RequestView>, on: &Callback<Action>) -> Html {
    let Some((request, end)) = request.and_then(|request| Some((request, request.end.as_ref()?))) else {
        return Html::default();
    };
    let question = if end.failed { text::why_failed() } else { text::where_time() };
    html! {
        <div class="card pick">
            <span class="num">{ &request.name }</span><span class={classes!("tag", "num", end.tag.1)}>{ end.tag.0 }</span>
            <span class="grow"></span>
            { button("btn", question, press(on, Action::Show(Tab::Requests))) }
        </div>
    }
}
