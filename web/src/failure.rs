//! When the program breaks: what is needed to repeat it is left in the document.
//!
//! The notice itself is made by the script in `index.html`, which works whatever became of the program: a panic reaches it as a
//! trap, like a stack that is full or memory that is used up, of which nothing here would be told.

/// Leaves where the page is, for the notice.
pub fn note(seed: u64, variant: &str, step: u64, digest: &str) {
    leave("data-place", &format!("seed {seed}, variant {variant}, event {step}, digest {digest}"));
}

/// Leaves what a panic says. Yew would put its own hook, which only writes to the console, over the standard one.
pub fn install() {
    yew::set_custom_panic_hook(Box::new(|info| {
        let message = info.to_string();
        leave("data-panic", &message);
        web_sys::console::error_1(&message.into());
    }));
}

fn leave(attribute: &str, text: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(root) = document.and_then(|document| document.document_element()) {
        let _ = root.set_attribute(attribute, text);
    }
}
