//! When the program breaks: the page says so, with what is needed to repeat it, and offers to start again.
//!
//! The notice itself is made by the script in `index.html`, which works whatever became of the program.

use std::cell::RefCell;

thread_local!(static WHERE: RefCell<String> = const { RefCell::new(String::new()) });

/// Remembers where the page is, for the notice.
pub fn note(seed: u64, variant: &str, step: u64) {
    WHERE.with_borrow_mut(|place| *place = format!("seed {seed}, variant {variant}, event {step}"));
}

/// Lets a panic be seen. Yew would put its own hook, which only writes to the console, over the standard one.
pub fn install() {
    yew::set_custom_panic_hook(Box::new(|info| {
        let place = WHERE.try_with(|place| place.try_borrow().map(|place| place.clone()).unwrap_or_default());
        let message = format!("{info}");
        web_sys::console::error_1(&message.clone().into());
        let document = web_sys::window().and_then(|window| window.document());
        if let Some(root) = document.and_then(|document| document.document_element()) {
            let _ = root.set_attribute("data-panic", &message);
            let _ = root.set_attribute("data-panic-where", &place.unwrap_or_default());
            if let Ok(event) = web_sys::Event::new("faultline-panic") {
                let _ = root.dispatch_event(&event);
            }
        }
    }));
}
