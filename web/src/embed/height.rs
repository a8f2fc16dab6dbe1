//! Follows the height of the page's content.

use wasm_bindgen::prelude::*;
use web_sys::{Element, ResizeObserver, ResizeObserverEntry};

/// Tells each new height of an element, in whole CSS pixels.
pub fn follow(element: &Element, tell: impl Fn(f64) + 'static) {
    let mut known = 0.0;
    let measured = element.clone();
    let measure = Closure::<dyn FnMut(Vec<ResizeObserverEntry>)>::new(move |_| {
        let height = measured.get_bounding_client_rect().height().ceil();
        if height > 0.0 && height != known {
            known = height;
            tell(height);
        }
    });
    if let Ok(observer) = ResizeObserver::new(measure.as_ref().unchecked_ref()) {
        observer.observe(element);
        // For as long as the page is there.
        std::mem::forget(observer);
        measure.forget();
    }
}
