//! Where a document is worked on: what to start from, undo, the system, its fields, its text, and all that is wrong with it.

use crate::components::code::{Code, Mark};
use crate::components::fields;
use crate::components::graph::GraphView;
use crate::components::press::beside;
use crate::components::recording::opener;
use crate::components::shelf;
use crate::draft::edit::Edit;
use crate::draft::form::{Input, Schema};
use crate::draft::graph::Graph;
use crate::draft::parts::{KINDS, NodeKind, SECTIONS};
use crate::draft::text::place_of;
use crate::draft::{text_of, way};
use crate::state::opening::read;
use crate::state::workshop::{Act, Workshop};
use crate::text::language::of_content;
use crate::text::playground as text;
use sandbox_core::scenario::{Problem, fields};
use std::cell::Ref;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, File, HtmlSelectElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

/// Who owns the document.
pub trait Worker {
    /// The document in work.
    fn workshop(&self) -> Ref<'_, Workshop>;
    /// What forms are made of, or why there is none.
    fn schema(&self) -> Result<Rc<Schema>, String>;
    /// Does something to it.
    fn act(&self, act: Act);
}

/// Properties of [`Workbench`].
#[derive(Clone, Properties)]
pub struct WorkbenchProps {
    /// Who owns the document.
    pub worker: Rc<dyn Worker>,
    /// Counts what happened to it.
    pub generation: u32,
}

impl PartialEq for WorkbenchProps {
    fn eq(&self, other: &WorkbenchProps) -> bool {
        self.generation == other.generation
    }
}

/// The workbench: drawn only when something happened to the document, however fast the run beside it plays.
#[component]
pub fn Workbench(props: &WorkbenchProps) -> Html {
    let as_text = use_state_eq(|| false);
    let mark = use_state_eq(Mark::default);
    let on = {
        let worker = props.worker.clone();
        Callback::from(move |act: Act| worker.act(act))
    };
    let workshop = props.worker.workshop();
    let fields = use_node_ref();
    {
        let fields = fields.clone();
        use_effect_with(workshop.looked, move |looked| {
            if let (true, Some(fields)) = (*looked > 0, fields.cast::<Element>()) {
                let options = ScrollIntoViewOptions::new();
                options.set_block(ScrollLogicalPosition::Nearest);
                fields.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }
    let go_to = {
        let (as_text, mark, worker) = (as_text.setter(), mark.clone(), props.worker.clone());
        Callback::from(move |problem: Problem| {
            as_text.set(true);
            let place = place_of(worker.workshop().text(), &problem.path, &problem.what);
            mark.set(Mark { place, asked: mark.asked + 1 });
        })
    };
    let tab = |is_text: bool, id: &'static str, name: &'static str| {
        let as_text_now = *as_text;
        let setter = as_text.setter();
        let onclick = Callback::from(move |_: MouseEvent| setter.set(is_text));
        html! { <button type="button" aria-pressed={(is_text == as_text_now).to_string()} data-desk={id} {onclick}>{ name }</button> }
    };
    let (undo, redo) = workshop.can();
    let act = |act: Act| on.reform(move |_: MouseEvent| act.clone());
    html! {
        <section class="card desk" aria-label={text::document()} data-valid={workshop.problems().is_empty().to_string()} tabindex="-1">
            <div class="deskhead">
                <span class="seg" role="group" aria-label={text::edit_as()}>{ tab(false, "system", text::system()) }{ tab(true, "json", text::json()) }</span>
                <span class="grow"></span>
                <button type="button" class="btn mini" data-undo="" disabled={!undo} onclick={act(Act::Undo)} title={text::undo_key()}>{ text::undo() }</button>
                <button type="button" class="btn mini" data-redo="" disabled={!redo} onclick={act(Act::Redo)} title={text::redo_key()}>{ text::redo() }</button>
            </div>
            { files(&workshop, &on) }
            <p class="desksaid" role="status" data-said="">{ &workshop.said }</p>
            { problems(workshop.problems(), &go_to) }
            if *as_text {
                <Code text={AttrValue::from(workshop.text().to_string())} mark={(*mark).clone()} on_type={on.reform(Act::Type)} />
            } else {
                { system(&workshop, props.worker.schema(), &fields, &on) }
            }
        </section>
    }
}

/// Start, import, export, versions.
fn files(workshop: &Workshop, on: &Callback<Act>) -> Html {
    let encoded: String = js_sys::encode_uri_component(workshop.text()).into();
    let id = text_of(workshop.json(), "id");
    let name = format!("{}.json", if id.is_empty() { "scenario" } else { id });
    let on_file = {
        let on = on.clone();
        Callback::from(move |file: File| {
            let on = on.clone();
            spawn_local(async move { on.emit(Act::Open(file.name(), read(&file).await.unwrap_or_default())) });
        })
    };
    html! {
        <details class="files">
            <summary>{ text::files() }</summary>
            { shelf::starts(workshop.starts(), on) }
            <p class="row">
                { opener(text::import(), ".json", &on_file) }
                <a class="link" download={name} href={format!("data:application/json,{encoded}")} data-export="">{ text::export() }</a>
            </p>
            { shelf::versions(&workshop.kept, on) }
        </details>
    }
}

/// All that is wrong, with the sentences of the command line. A press shows where.
fn problems(problems: &[Problem], go_to: &Callback<Problem>) -> Html {
    let problem = |problem: &Problem| {
        let shown = problem.clone();
        let onclick = go_to.reform(move |_: MouseEvent| shown.clone());
        let path = if problem.path.is_empty() { text::whole_document() } else { &problem.path };
        html! {
            <li><button type="button" class="mistake" data-problem={problem.path.clone()} {onclick}>
                <code>{ path }</code><span lang={of_content()}>{ format!("{}. {}", problem.what, problem.hint) }</span></button></li>
        }
    };
    let count = problems.len();
    html! {
        <div class="mistakes" role="status" aria-label={text::what_is_wrong()} data-problems={count.to_string()}>
            if count > 0 {
                <h2>{ if count == 1 { text::one_is_wrong().to_string() } else { text::some_are_wrong(count) } }</h2>
                <ul>{ for problems.iter().map(problem) }</ul>
            }
        </div>
    }
}

/// The system as boxes, its other parts as chips, and the fields of what is looked at.
fn system(workshop: &Workshop, schema: Result<Rc<Schema>, String>, fields: &NodeRef, on: &Callback<Act>) -> Html {
    let json = workshop.json();
    let node = workshop.node();
    html! {
        <div class="system">
            <GraphView json={json.clone()} selected={node.map(|node| AttrValue::from(node.to_string()))} on={on.clone()} />
            { add_node(on) }
            { connect(workshop, on) }
            { parts(workshop, on) }
            <div ref={fields.clone()}>{ selected(workshop, schema, on) }</div>
        </div>
    }
}

/// The value of the select of this name beside the button that was pressed.
fn chosen(event: &MouseEvent, name: &str) -> Option<String> {
    let select = beside(event, &format!("select[data-choose={name}]"))?;
    Some(select.dyn_into::<HtmlSelectElement>().ok()?.value())
}

fn add_node(on: &Callback<Act>) -> Html {
    let on = on.clone();
    let onclick = Callback::from(move |event: MouseEvent| {
        if let Some(kind) = chosen(&event, "kind") {
            on.emit(Act::Edit(Edit::AddNode(kind)));
        }
    });
    let kind = |(kind, about): &NodeKind| html! { <option value={*kind} selected={*kind == "service"}>{ text::kind(kind, about()) }</option> };
    html! {
        <div class="bar">
            <label class="grow"><span class="unseen">{ text::new_kind() }</span>
                <select data-choose="kind">{ for KINDS.iter().map(kind) }</select></label>
            <button type="button" class="btn" data-add-node="" {onclick}>{ text::add_node() }</button>
        </div>
    }
}

fn connect(workshop: &Workshop, on: &Callback<Act>) -> Html {
    let on = on.clone();
    let onclick = Callback::from(move |event: MouseEvent| {
        if let (Some(from), Some(to)) = (chosen(&event, "from"), chosen(&event, "to")) {
            on.emit(Act::Edit(Edit::Connect(from, to)));
        }
    });
    // What can be called, and is not yet.
    let graph = Graph::new(workshop.json());
    let called = workshop.node().map(|node| graph.neighbours(node).0).unwrap_or_default();
    let is_free = |(id, node): &(&String, &serde_json::Value)| {
        text_of(node, "kind") != "client" && workshop.node() != Some(id.as_str()) && !called.contains(&id.as_str())
    };
    let callee = fields(workshop.json(), "nodes").find(is_free).map(|(id, _)| id.as_str());
    let ids: Vec<&String> = fields(workshop.json(), "nodes").map(|(id, _)| id).collect();
    let select = |name: &'static str, label: &'static str, first: Option<&str>| {
        let option = |id: &&String| html! { <option lang={of_content()} value={(*id).clone()} selected={first == Some(id.as_str())}>{ *id }</option> };
        html! { <label>{ label }<select data-choose={name}>{ for ids.iter().map(option) }</select></label> }
    };
    html! {
        <div class="bar">
            { select("from", text::connect_from(), workshop.node()) }
            { select("to", text::to(), callee) }
            <button type="button" class="btn" data-connect="" {onclick}>{ text::connect() }</button>
        </div>
    }
}

/// The parts that are no nodes.
fn parts(workshop: &Workshop, on: &Callback<Act>) -> Html {
    let json = workshop.json();
    let chip = |section: &str, id: &str| {
        let place = if id.is_empty() { Vec::new() } else { way(&[section, id]) };
        let pressed = (*workshop.selected() == place).to_string();
        let name = if id.is_empty() { text::scenario_itself() } else { id }.to_string();
        let onclick = on.reform(move |_: MouseEvent| Act::Select(place.clone()));
        html! { <button type="button" class="chip" aria-pressed={pressed} data-part={format!("{section}.{id}")} {onclick}>{ name }</button> }
    };
    let section = |(section, word): &(&'static str, &'static str)| {
        let node = workshop.node().map(str::to_string);
        let section = *section;
        let onclick = on.reform(move |_: MouseEvent| Act::Edit(Edit::AddEntry(section.into(), node.clone())));
        let label = text::add_a(word);
        html! {
            <div class="partrow" role="group" aria-label={section} lang={of_content()}>
                <span class="partname" aria-hidden="true">{ section }</span>
                { for fields(json, section).map(|(id, _)| chip(section, id)) }
                <button type="button" class="chip add" aria-label={label.clone()} title={label} data-add={section} {onclick}>{ "+" }</button>
            </div>
        }
    };
    html! {
        <div class="partlist">
            <div class="partrow"><span class="partname" aria-hidden="true">{ text::scenario_fields() }</span>{ chip("", "") }</div>
            { for SECTIONS.iter().map(section) }
        </div>
    }
}

/// The fields of what is looked at.
fn selected(workshop: &Workshop, schema: Result<Rc<Schema>, String>, on: &Callback<Act>) -> Html {
    let (json, place) = (workshop.json(), workshop.selected());
    let schema = match schema {
        Ok(schema) => schema,
        Err(why) => return html! { <p class="empty">{ why }</p> },
    };
    let Some(field) = schema.field(json, place) else {
        return html! { <p class="empty">{ text::no_such_part() }</p> };
    };
    let problem = |way: &[String]| {
        let path = way.join(".");
        workshop
            .problems()
            .iter()
            .find(|problem| problem.path == path)
            .map(|problem| format!("{}. {}", problem.what, problem.hint))
    };
    let heading = match place.as_slice() {
        [section, id] => fields::heading(json, section, id, on),
        _ => html! { <h2>{ text::the_scenario() }</h2> },
    };
    let inside = match &field.input {
        Input::Group(group) => fields::group(group, place, &problem, on),
        _ => html! { <div class="whole">{ fields::field(&field, &problem, on) }</div> },
    };
    html! { <div class="fields" data-selected={place.join(".")}>{ heading }{ inside }</div> }
}
