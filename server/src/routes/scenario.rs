//! `/api/scenario`: what is mounted, so that a load generator can send what its users would.

use crate::app::AppState;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use sandbox_core::scenario::{Op, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ScenarioReport {
    /// The scenario's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The variant that is mounted.
    pub variant: String,
    /// One sentence that says what the simulation of it would run.
    pub plan: String,
    /// How long its timeline is, in seconds.
    pub duration_s: f64,
    /// Requests a second that its users send; 0 if they wait for answers.
    pub rate_rps: f64,
    /// Keys run from 0 to this number less 1.
    pub keys: u32,
    /// Users run from 0 to this number less 1.
    pub users: u32,
    /// What they ask for; below `/lab`.
    pub routes: Vec<RouteReport>,
}

/// A route of the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct RouteReport {
    /// Method and path, such as `GET /items/{id}`.
    pub name: String,
    /// Whether it changes something.
    pub write: bool,
    /// Share of the requests.
    pub share: f64,
}

/// `/api/scenario`.
pub fn router() -> Router<AppState> {
    Router::new().route("/api/scenario", get(scenario))
}

#[utoipa::path(get, path = "/api/scenario", tag = "lab", responses((status = 200, body = ScenarioReport)))]
pub(super) async fn scenario(State(state): State<AppState>) -> Json<ScenarioReport> {
    Json(report(state.mount.plan()))
}

/// Describes the first workload: requests from outside enter where its users' do.
fn report(plan: &Plan) -> ScenarioReport {
    let workload = plan.workloads.first();
    let mut before = 0.0;
    let routes = workload.into_iter().flat_map(|workload| &workload.routes).map(|(id, up_to)| {
        let route = &plan.routes[id.index()];
        let share = up_to - before;
        before = *up_to;
        RouteReport { name: route.name.clone(), write: route.op == Op::Write, share }
    });
    ScenarioReport {
        id: plan.id.clone(),
        title: plan.title.clone(),
        variant: plan.variant.clone(),
        plan: plan.describe(),
        duration_s: plan.end.as_seconds(),
        rate_rps: workload.and_then(|workload| workload.rate_rps(plan.end)).unwrap_or(0.0),
        keys: workload.map_or(1, |workload| workload.keys),
        users: workload.map_or(1, |workload| workload.users),
        routes: routes.collect(),
    }
}
