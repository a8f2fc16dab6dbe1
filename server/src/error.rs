//! What can go wrong with an HTTP request: one list. Internals are logged and not sent.

use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sandbox_core::trace::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// 400: the request cannot be read.
    BadRequest(String),
    /// 401: no token, or one that is not valid.
    Unauthorized,
    /// 404: no such thing.
    NotFound(String),
    /// 405: known path, other method; the methods it knows, where the header `Allow` does not say them anyway.
    MethodNotAllowed(Option<String>),
    /// 409: not in the state for that.
    Conflict(String),
    /// 400, 403, 412, 422 or 428: the scenario's own answer to a request that was at fault.
    Declined(StatusCode),
    /// 413: the body is larger than any that is read here.
    TooLarge,
    /// 429: come back after so many seconds.
    RateLimited(Option<u32>),
    /// 500: a part failed.
    Internal,
    /// 503: cannot be answered now; come back after so many seconds.
    Unavailable(Option<u32>),
    /// 504: a part did not answer in time.
    Timeout,
}

/// The body of every error.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ErrorBody {
    /// What went wrong: a fixed word.
    pub error: String,
    /// What to do about it.
    pub hint: String,
    /// The request's id, as in the header `x-request-id` and in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl ApiError {
    /// The error of a request that the world answered with a failure; None for a success.
    pub fn of(outcome: Outcome, retry_after_s: Option<u32>) -> Option<ApiError> {
        Some(match outcome {
            Outcome::Ok | Outcome::OkStale => return None,
            Outcome::Unauthorized401 => ApiError::Unauthorized,
            Outcome::NotFound404 => ApiError::NotFound("there is no such item".into()),
            Outcome::BadRequest400 => ApiError::Declined(StatusCode::BAD_REQUEST),
            Outcome::Forbidden403 => ApiError::Declined(StatusCode::FORBIDDEN),
            Outcome::Conflict409 => {
                ApiError::Conflict("Another request came first; look again before the next.".into())
            }
            Outcome::PreconditionFailed412 => ApiError::Declined(StatusCode::PRECONDITION_FAILED),
            Outcome::UnprocessableContent422 => ApiError::Declined(StatusCode::UNPROCESSABLE_ENTITY),
            Outcome::PreconditionRequired428 => ApiError::Declined(StatusCode::PRECONDITION_REQUIRED),
            Outcome::RateLimited429 => ApiError::RateLimited(retry_after_s),
            Outcome::InternalError500 => ApiError::Internal,
            Outcome::BadGateway502 => ApiError::Declined(StatusCode::BAD_GATEWAY),
            Outcome::Unavailable503 | Outcome::Refused | Outcome::Cancelled => ApiError::Unavailable(retry_after_s),
            Outcome::GatewayTimeout504 | Outcome::ClientTimeout => ApiError::Timeout,
        })
    }

    fn status(&self) -> StatusCode {
        match self {
            ApiError::BadRequest(_) => StatusCode::BAD_REQUEST,
            ApiError::Unauthorized => StatusCode::UNAUTHORIZED,
            ApiError::NotFound(_) => StatusCode::NOT_FOUND,
            ApiError::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::Conflict(_) => StatusCode::CONFLICT,
            ApiError::Declined(status) => *status,
            ApiError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            ApiError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            ApiError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn words(&self) -> (&'static str, String) {
        match self {
            ApiError::BadRequest(why) => ("bad_request", why.clone()),
            ApiError::Unauthorized => (
                "unauthorized",
                "Send a valid token: POST /api/login, then the header `Authorization: Bearer TOKEN`.".into(),
            ),
            ApiError::NotFound(what) => ("not_found", format!("{}.", capitalised(what))),
            ApiError::MethodNotAllowed(Some(allow)) => ("method_not_allowed", format!("This path knows: {allow}.")),
            ApiError::MethodNotAllowed(None) => {
                ("method_not_allowed", "The header `Allow` names the methods that this path knows.".into())
            }
            ApiError::Conflict(why) => ("conflict", why.clone()),
            ApiError::Declined(_) => {
                ("declined", "The scenario answers so: `faultline why` says at which step.".into())
            }
            ApiError::TooLarge => ("too_large", "Send a smaller body.".into()),
            ApiError::RateLimited(_) => {
                ("rate_limited", "Send fewer requests a second; wait as `Retry-After` says.".into())
            }
            ApiError::Internal => ("internal_error", "A part of the system failed; try again.".into()),
            ApiError::Unavailable(_) => {
                ("unavailable", "A part of the system is not available; try again later.".into())
            }
            ApiError::Timeout => ("timeout", "A part of the system did not answer in time; try again later.".into()),
        }
    }

    /// The answer, which names the request.
    pub fn answer(&self, request_id: Option<String>) -> Response {
        let (error, hint) = self.words();
        let body = axum::Json(ErrorBody { error: error.into(), hint, request_id });
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        match self {
            ApiError::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#));
            }
            ApiError::RateLimited(Some(seconds)) | ApiError::Unavailable(Some(seconds)) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            ApiError::MethodNotAllowed(Some(allow)) => {
                if let Ok(allow) = HeaderValue::from_str(allow) {
                    headers.insert(header::ALLOW, allow);
                }
            }
            _ => {}
        }
        response
    }
}

impl From<PathRejection> for ApiError {
    fn from(error: PathRejection) -> ApiError {
        ApiError::BadRequest(format!("{}. Mend the address.", error.body_text()))
    }
}

/// What answers any method that a path does not know.
pub async fn other_method() -> ApiError {
    ApiError::MethodNotAllowed(None)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.answer(None)
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
