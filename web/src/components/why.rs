//! Why did this request end so: the chain of causes, and where its time went.

use crate::components::content::content;
use crate::components::lanes::{LanesProps, lanes};
use crate::components::press::{button, press};
use crate::state::action::Action;
use crate::text::evidence as text;
use crate::view_model::format;
use crate::view_model::request::{EndView, RequestView};
use yew::prelude::*;

/// What [`inspector`] draws.
pub struct InspectorProps<'a> {
    /// The request looked at.
    pub view: &'a RequestView,
    /// Where the cursor is, in milliseconds after the intended send, if the request is under way then.
    pub at_ms: Option<f64>,
    /// What the learner does.
    pub on: &'a Callback<Action>,
}

/// The request inspector.
pub fn inspector(props: &InspectorProps) -> Html {
    let view = props.view;
    let Some(end) = &view.end else {
        return html! {
            <section class="card why" aria-label={text::inspector()}>
                <h2><span>{ &view.name }</span></h2>
                <p>if view.is_sent { { text::under_way(&view.asked) } } else { { text::not_sent() } }</p>
            </section>
        };
    };
    let go = |step: u64| press(props.on, Action::SeekStep(step));
    let way = LanesProps {
        lanes: &end.lanes,
        name: "",
        about: String::new(),
        width: 330.0,
        at_ms: props.at_ms,
        inside: true,
    };
    let number = format::count(u64::from(view.request.0));
    let question = if end.failed { text::why_did_it_fail(&number) } else { text::where_did_time_go(&number) };
    let chain = end.chain.iter().map(|link| {
        html! {
            <li class={classes!(link.root.then_some("root"))}>
                <span>{ content(&link.text) }</span>
                <button type="button" class="at num" title={text::go_there()} onclick={go(link.step)}>{ &link.at }</button>
            </li>
        }
    });
    let root = end.chain.iter().find(|link| link.root).map(|link| link.step);
    html! {
        <section class="card why" aria-label={text::inspector()} data-request={view.request.0.to_string()}>
            <h2><span>{ question }</span><span class={classes!("tag", "num", end.tag.1)}>{ end.tag.0 }</span></h2>
            <p class="num" style="font-size:var(--t-s);color:var(--ink-2)">{ text::asked_and_took(&view.asked, &end.total) }</p>
            <ol class="chain" aria-label={text::causes()}>{ for chain }</ol>
            { attribution(end) }
            { lanes(&way) }
            <div class="row">
                { button("btn", text::go_to_answer(), go(end.step)) }
                if let Some(step) = root { { button("btn", text::go_to_root(), go(step)) } }
                if let Some(fault) = &end.fault {
                    { button("btn", text::without_cause(), press(props.on, Action::Without(fault.clone()))) }
                }
            </div>
        </section>
    }
}

fn attribution(end: &EndView) -> Html {
    let bar =
        end.parts.iter().map(|part| html! { <i class={part.class} style={format!("flex:{:.6}", part.share)}></i> });
    let list = end.parts.iter().map(|part| {
        html! {
            <>
                <dt><i class={part.class}></i>{ &part.name }</dt>
                <dd class="num" data-ns={part.ns.to_string()}>{ &part.text }</dd>
            </>
        }
    });
    html! {
        <>
            <div class="attribution" aria-hidden="true">{ for bar }</div>
            <dl class="parts" aria-label={text::time_went()}>
                { for list }
                <dt class="total">{ text::total() }</dt><dd class="num total" data-total-ns={end.total_ns.to_string()}>{ &end.total }</dd>
            </dl>
        </>
    }
}
