//! Browser time: the only file that asks the browser what time it is or to be called later.

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Milliseconds since the page was opened.
pub fn now_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// Calls back after `ms` milliseconds, once.
pub fn later(ms: u32, call: impl FnOnce() + 'static) {
    Timeout::new(ms, call).forget();
}

/// Calls back before the next picture is drawn, once.
pub fn next_frame(call: impl FnOnce() + 'static) {
    let Some(window) = web_sys::window() else { return };
    let closure = Closure::once_into_js(call);
    let asked = window.request_animation_frame(closure.unchecked_ref());
    debug_assert!(asked.is_ok(), "a window draws frames");
}
