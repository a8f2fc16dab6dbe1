//! Where recordings come from: an address that the page was opened with, or a file that somebody chose.

use crate::state::recorded::Opening;
use crate::state::store::Store;
use crate::text::refusals as text;
use js_sys::Promise;
use sandbox_core::scenario::Problem;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{File, Response};

/// Fetches and opens the recording at an address, such as `/api/recording`.
pub fn open_address(store: &Store, address: &str) {
    let address = address.to_string();
    open(store, address.clone(), Some(address.clone()), async move { fetch(&address).await });
}

/// The text at an address. Errors: why it does not come.
pub async fn fetch(address: &str) -> Result<String, String> {
    let window = web_sys::window().ok_or(text::no_window())?;
    let response = JsFuture::from(window.fetch_with_str(address)).await.map_err(shown)?;
    let response: Response = response.dyn_into().map_err(shown)?;
    match response.ok() {
        true => text(response.text()).await,
        false => Err(text::server_answered(response.status())),
    }
}

/// The text of a file. Errors: why it cannot be read.
pub async fn read(file: &File) -> Result<String, String> {
    text(Ok(file.text())).await
}

/// Reads and opens a file.
pub fn open_file(store: &Store, file: &File) {
    let content = file.text();
    open(store, file.name(), None, async move { text(Ok(content)).await });
}

fn open(
    store: &Store,
    name: String,
    address: Option<String>,
    read: impl Future<Output = Result<String, String>> + 'static,
) {
    store.update(|session| session.opening = Opening::UnderWay);
    let store = store.clone();
    spawn_local(async move {
        let hint = text::choose_recording();
        let text = read.await.map_err(|why| Problem::new(&name, text::unreadable(&why), hint));
        store.update(|session| session.open(&name, address, text));
    });
}

async fn text(content: Result<Promise, JsValue>) -> Result<String, String> {
    let text = JsFuture::from(content.map_err(shown)?).await.map_err(shown)?;
    text.as_string().ok_or(text::no_text().into())
}

fn shown(error: JsValue) -> String {
    error.dyn_into::<js_sys::Error>().map_or(text::browser_refused().into(), |error| String::from(error.message()))
}
