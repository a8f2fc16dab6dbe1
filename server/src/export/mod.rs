//! Packages of one lesson: a page in one file, and a package for course systems; and into the site a page for
//! each lesson with what other programs read of it.

mod manifest;
mod pages;
mod scorm12;
mod single;

pub use pages::pages;
pub use scorm12::scorm12;
pub use single::single;

/// Text as it stands in HTML and XML, in an attribute too.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page, opening what `query` asks for when its own address asks for nothing.
pub fn opening(page: &str, query: &str) -> String {
    page.replacen("<html", &format!("<html data-link=\"{}\"", escaped(query)), 1)
}
