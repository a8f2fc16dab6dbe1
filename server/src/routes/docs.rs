//! `/api/openapi.json` and `/docs/`: the API in words. The mounted scenario's routes are part of it.

use super::{health, incidents, login, metrics, recording, scenario};
use crate::app::AppState;
use crate::error::ErrorBody;
use crate::routes::lab::{Item, parts};
use axum::Router;
use sandbox_core::scenario::Plan;
use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, PathItem, Ref, Required, ResponseBuilder};
use utoipa_swagger_ui::SwaggerUi;

#[derive(OpenApi)]
#[openapi(
    info(title = "Faultline", description = "A mounted scenario behind real HTTP."),
    paths(
        login::login,
        scenario::scenario,
        recording::recording,
        health::health,
        health::livez,
        health::readyz,
        metrics::metrics,
        incidents::incidents,
        incidents::resolve,
        incidents::observe
    ),
    components(schemas(Item, ErrorBody, login::Login, login::Token, health::HealthReport))
)]
struct Api;

/// `/api/openapi.json`, `/docs/`.
pub fn router(plan: &Plan) -> Router<AppState> {
    SwaggerUi::new("/docs").url("/api/openapi.json", openapi(plan)).into()
}

/// The API's description for a scenario.
pub fn openapi(plan: &Plan) -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    let bearer = SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
    api.components.get_or_insert_default().add_security_scheme("token", bearer);
    for route in &plan.routes {
        let Some((method, template)) = parts(&route.name) else { continue };
        let method = match method {
            "GET" => HttpMethod::Get,
            "PUT" => HttpMethod::Put,
            "POST" => HttpMethod::Post,
            "DELETE" => HttpMethod::Delete,
            "PATCH" => HttpMethod::Patch,
            _ => continue,
        };
        let answer = |name: &str, text: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
            ResponseBuilder::new().description(text).content("application/json", content).build()
        };
        let mut operation = OperationBuilder::new()
            .tag("lab")
            .summary(Some(format!("{} of {}", route.name, plan.title)))
            .security(SecurityRequirement::new("token", Vec::<String>::new()))
            .response("200", answer("Item", "The row; `stale` says whether it is an expired copy."))
            .response("401", answer("ErrorBody", "No valid token."))
            .response("429", answer("ErrorBody", "Too many requests; see Retry-After."))
            .response("503", answer("ErrorBody", "A part is not available; see Retry-After."))
            .response("504", answer("ErrorBody", "A part did not answer in time."));
        for name in template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
            operation = operation.parameter(parameter.build());
        }
        let item = PathItem::new(method, operation.build());
        let path = format!("/lab{template}");
        match api.paths.paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => drop(api.paths.paths.insert(path, item)),
        }
    }
    api
}
