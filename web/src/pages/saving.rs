//! What the page hands to the browser as files.

use crate::components::save::{Kept, download, download_picture};
use crate::pages::views;
use crate::state::session::Session;
use crate::view_model::csv::csv;
use sandbox_core::ids::RequestId;
use sandbox_core::timeline::trace_events;
use serde_json::{Value, json};

/// Saves something of the run that is shown.
pub fn save(what: Kept, session: &mut Session) {
    let Some(mut shown) = session.player.shown.take() else { return };
    let plan = shown.run.plan().clone();
    let name = format!("{}-{}-seed-{}", plan.id, plan.variant, plan.seed);
    match what {
        Kept::Picture(picture, ratio) => download_picture(format!("{name}-{picture}"), &picture, ratio),
        Kept::Numbers => {
            let charts = views::charts(session, &shown, &mut views::Kept::default());
            download(&format!("{name}.csv"), "text/csv", &csv(&charts));
        }
        Kept::Trace => {
            let second = session.player.cursor.second();
            let sent = shown.run.folds().requests().iter().filter(|request| request.intended.second() == second);
            let sent: Vec<RequestId> = sent.map(|request| request.request).collect();
            let mut events: Vec<Value> = Vec::new();
            trace_events(&mut shown.run, sent, |event| events.push(event));
            let trace = json!({ "displayTimeUnit": "ms", "traceEvents": events });
            download(&format!("{name}-second-{second}.json"), "application/json", &trace.to_string());
        }
    }
    session.player.shown = Some(shown);
}
