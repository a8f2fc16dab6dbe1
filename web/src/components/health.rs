//! The health of each part at the cursor, and the incidents up to it.

use crate::components::content::content;
use crate::components::icon::state_shape;
use crate::components::press::{button, press};
use crate::state::action::Action;
use crate::text::evidence as text;
use sandbox_core::ids::IncidentId;
use yew::prelude::*;

/// A part's health.
#[derive(Clone, Debug, PartialEq)]
pub struct PartHealth {
    /// Name.
    pub name: String,
    /// `ok`, `degraded`, `down`.
    pub class: &'static str,
    /// The word, and what goes with it.
    pub how: String,
}

/// An incident with its history up to the cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentCard {
    /// Which.
    pub id: IncidentId,
    /// What it is about.
    pub title: String,
    /// `failing`, `recovered`, `resolved`, with the class of its tag.
    pub state: (&'static str, &'static str),
    /// What happened, oldest first; nothing is ever taken out.
    pub timeline: Vec<(String, String)>,
    /// Whether it can be resolved.
    pub open: bool,
}

/// What [`health`] draws.
#[derive(Clone)]
pub struct HealthProps {
    /// The parts.
    pub parts: Vec<PartHealth>,
    /// The incidents.
    pub incidents: Vec<IncidentCard>,
    /// What the learner does.
    pub on: Callback<Action>,
}

/// Parts and incidents.
pub fn health(props: &HealthProps) -> Html {
    let part = |part: &PartHealth| {
        html! {
            <li>
                <span class={classes!("state", part.class)}>{ state_shape(part.class) }</span>
                <span>{ content(&part.name) }</span><span class="how num">{ &part.how }</span>
            </li>
        }
    };
    let incident = |incident: &IncidentCard| {
        html! {
            <section class="card incident-card" aria-label={text::incident(incident.id.0)} data-incident={incident.id.0.to_string()}>
                <h2><span>{ text::incident_of(incident.id.0, &incident.title) }</span>
                    <span class={classes!("tag", incident.state.1)}>{ incident.state.0 }</span></h2>
                <ol>{ for incident.timeline.iter().map(|(at, text)| html! { <li><span class="num">{ at }</span><span>{ content(text) }</span></li> }) }</ol>
                if incident.open {
                    <div class="row">{ button("btn", text::resolve(), press(&props.on, Action::Resolve(incident.id))) }</div>
                }
            </section>
        }
    };
    html! {
        <>
            <section class="card parts-list"><h2>{ text::parts() }</h2><ul>{ for props.parts.iter().map(part) }</ul></section>
            if props.incidents.is_empty() {
                <div class="card empty"><p>{ text::no_incident() }</p></div>
            }
            { for props.incidents.iter().map(incident) }
        </>
    }
}
