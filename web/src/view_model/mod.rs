//! What the page shows, as plain data: computed from the core, known to no framework, tested without a browser.

pub mod charts;
pub mod csv;
pub mod dots;
pub mod facts;
pub mod format;
pub mod link_form;
pub mod live;
pub mod recorded;
pub mod request;
pub mod scene;
pub mod scrub;
pub mod topology;
pub mod tour;
pub mod what_if;
pub mod words;

#[cfg(test)]
pub mod testing {
    //! The lesson's own scenario, for tests.

    use sandbox_core::scenario::{Document, Plan};

    /// A variant of the scenario `database-outage`.
    pub fn plan(variant: &str) -> Plan {
        let text = lessons::scenario("database-outage").expect("the scenario is embedded");
        Document::parse(text).and_then(|document| document.plan(variant, &[])).expect("the scenario is sound")
    }
}
