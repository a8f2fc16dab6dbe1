//! A link to this very moment, in the form in which it is handed on, and what else it asks for: a dialog to copy from.

use crate::components::content::content;
use crate::components::press::{button, close};
use crate::text::frame;
use crate::text::language::of_content;
use crate::text::share as text;
use crate::view_model::link_form::{GROUPS, LinkForm, offered};
use sandbox_core::link::{Form, Group, LONGEST, Parameter, Place, Snippet, offered as offered_words};
use sandbox_core::scenario::Problem;
use wasm_bindgen::JsCast;
use web_sys::{
    Element, Event, HtmlDialogElement, HtmlDocument, HtmlElement, HtmlInputElement, HtmlSelectElement,
    HtmlTextAreaElement,
};
use yew::prelude::*;

/// What is offered.
#[derive(Clone, Default, PartialEq)]
pub struct Offer {
    /// How it is written.
    pub form: Snippet,
    /// What it asks for.
    pub link: LinkForm,
    /// What it is called.
    pub title: String,
    /// Where the page lies.
    pub place: Place,
    /// Whether it could be copied; None: nobody tried.
    pub copied: Option<bool>,
}

impl Offer {
    /// In another form: inside another page a lesson is stage and evidence alone, unless somebody wants it otherwise.
    pub fn in_form(self, form: Snippet) -> Offer {
        let mut link = self.link;
        link.put("embed", if form.is_inside() { "1".into() } else { String::new() });
        Offer { form, link, copied: None, ..self }
    }
}

/// What [`share`] draws.
pub struct ShareProps<'a> {
    /// The dialog, for whoever opens it.
    pub dialog: NodeRef,
    /// What is offered.
    pub offer: &'a Offer,
    /// The reader wants something else, or copied it.
    pub on: Callback<Offer>,
}

/// The dialog.
pub fn share(props: &ShareProps) -> Html {
    let ShareProps { dialog, offer, on } = props;
    let (link, problems) = offer.link.read();
    let snippet = offer.place.write(offer.form, &offer.title, &link);
    let length = offer.place.address(&link).len();
    let choose = |form: &Snippet| {
        let (form, offer) = (*form, (*offer).clone());
        let pressed = (form == offer.form).to_string();
        let onclick = on.reform(move |_: MouseEvent| offer.clone().in_form(form));
        html! { <button type="button" aria-pressed={pressed} data-form={form.word()} {onclick}>{ words(form).0 }</button> }
    };
    let copy = {
        let (dialog, offer, on) = (dialog.clone(), (*offer).clone(), on.clone());
        Callback::from(move |event: MouseEvent| {
            let done = copy(&dialog).is_some();
            // What was selected keeps the focus only where the reader has to copy it.
            let button = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
            if let Some(button) = button.filter(|_| done) {
                let _ = button.focus();
            }
            on.emit(Offer { copied: Some(done), ..offer.clone() });
        })
    };
    let field = |parameter: &Parameter| field(parameter, offer, problems.iter(), on);
    let draw_group = |group: &Group| {
        html! {
            <fieldset class="fieldset"><legend>{ name_of(*group) }</legend>{ for offered(*group).map(field) }</fieldset>
        }
    };
    html! {
        <dialog class="share" ref={dialog.clone()} aria-labelledby="share-title">
            <h2 id="share-title">{ frame::share() }</h2>
            <div class="seg" role="group" aria-label={text::written_as()}>{ for Snippet::ALL.iter().map(choose) }</div>
            <p>{ words(offer.form).1 }</p>
            if length > LONGEST {
                <p data-long="">{ text::long_link(length, LONGEST) }</p>
            }
            <textarea readonly=true rows="5" aria-label={text::to_copy()} data-snippet="" value={snippet} />
            <p class="row">
                <button type="button" class="btn primary" data-copy="" onclick={copy}>{ text::copy() }</button>
                { button("btn", frame::close(), close(dialog)) }
                <span role="status">{ match offer.copied {
                    Some(true) => text::copied(),
                    Some(false) => text::selected(),
                    None => "",
                } }</span>
            </p>
            <details data-choices=""><summary>{ text::what_it_opens() }</summary>{ for GROUPS.iter().map(draw_group) }</details>
        </dialog>
    }
}

/// Opens the dialog at the button that copies. (A frame of another origin may not say so beforehand, with `autofocus`.)
pub fn open(dialog: &NodeRef) -> Option<()> {
    let dialog = dialog.cast::<HtmlDialogElement>()?;
    dialog.show_modal().ok()?;
    dialog.query_selector("[data-copy]").ok()??.dyn_into::<HtmlElement>().ok()?.focus().ok()
}

/// The name of a form, and what it is for.
fn words(form: Snippet) -> (&'static str, &'static str) {
    match form {
        Snippet::Link => (text::link(), text::link_is()),
        Snippet::Frame => (text::frame(), text::frame_is()),
        Snippet::Element => (text::element(), text::element_is()),
        Snippet::Markdown => (text::markdown(), text::markdown_is()),
    }
}

fn name_of(group: Group) -> &'static str {
    match group {
        Group::Place => text::where_it_looks(),
        Group::Look => text::how_it_looks(),
        _ => text::the_run(),
    }
}

/// The field of one parameter.
fn field<'a>(
    parameter: &Parameter,
    offer: &Offer,
    mut problems: impl Iterator<Item = &'a Problem>,
    on: &Callback<Offer>,
) -> Html {
    let (name, id) = (parameter.name, format!("share-{}", parameter.name));
    let (value, hint) = (offer.link.value(name).to_string(), format!("{id}-about"));
    let problem = problems.find(|problem| problem.path == name);
    let invalid = problem.map(|_| "true");
    let offer = offer.clone();
    let put = on.reform(move |event: Event| {
        let mut offer = Offer { copied: None, ..offer.clone() };
        offer.link.put(name, written(&event));
        offer
    });
    let oninput = put.reform(|event: InputEvent| event.into());
    let input = match parameter.form {
        Form::Switch => html! {
            <input type="checkbox" {id} aria-describedby={hint.clone()} checked={value == "1"} onchange={put} />
        },
        Form::Word(words) => html! {
            <select {id} translate="no" aria-describedby={hint.clone()} onchange={put}>
                { for std::iter::once("").chain(offered_words(words)).map(|word| html! { <option value={word} selected={word == value}>{ word }</option> }) }
            </select>
        },
        _ if parameter.many => html! {
            <textarea rows="2" {id} translate="no" aria-describedby={hint.clone()} aria-invalid={invalid} placeholder={parameter.form.sample()} {value} {oninput} />
        },
        form => html! {
            <input type="text" {id} translate="no" aria-describedby={hint.clone()} aria-invalid={invalid} placeholder={form.sample()} {value} {oninput} />
        },
    };
    html! {
        <div class="field" data-parameter={name}>
            <label for={format!("share-{name}")}><code>{ name }</code></label>
            <span class="fieldline">{ input }</span>
            <p class="hint" id={hint}><span>{ content(parameter.about) }</span>
                if parameter.many { { ". " }{ text::each_in_a_line() } }</p>
            if let Some(problem) = problem {
                <p class="wrong" role="status" lang={of_content()}>{ &problem.what }{ ". " }{ &problem.hint }</p>
            }
        </div>
    }
}

/// What stands in the field that changed; a box that is ticked is 1.
fn written(event: &Event) -> String {
    let Some(field) = event.target() else { return String::new() };
    match field.dyn_into::<HtmlInputElement>() {
        Ok(input) if input.type_() == "checkbox" => if input.checked() { "1" } else { "" }.into(),
        Ok(input) => input.value(),
        Err(field) => match field.dyn_into::<HtmlSelectElement>() {
            Ok(select) => select.value(),
            Err(field) => field.dyn_into().map(|lines: HtmlTextAreaElement| lines.value()).unwrap_or_default(),
        },
    }
}

/// Selects the text and copies it; None where the browser does not let us. The newer clipboard interface is missing in pages
/// that come over plain HTTP, as many course servers' do.
fn copy(dialog: &NodeRef) -> Option<()> {
    let text = dialog.cast::<Element>()?.query_selector("[data-snippet]").ok()??;
    text.unchecked_into::<HtmlTextAreaElement>().select();
    let document = web_sys::window()?.document()?.dyn_into::<HtmlDocument>().ok()?;
    document.exec_command("copy").ok()?.then_some(())
}
