//! The same news as other programs expect them: SPLICE (computing courses), LTI and H5P (course systems).

use sandbox_core::message::News;
use serde_json::{Value, json};

/// Asks the page around for what it kept of this learner, and says that we speak SPLICE; its answer bears the same id.
pub fn splice_ask(id: &str) -> Value {
    json!({ "subject": "SPLICE.getState", "message_id": id })
}

/// Hands over what is to be kept: a score from 0 to 1, and the link that leads back.
pub fn splice_report(score: f64, link: &str) -> Value {
    json!({ "subject": "SPLICE.reportScoreAndState", "score": score, "state": { "link": link } })
}

/// Something happened, for whoever logs it.
pub fn splice_event(name: &str, data: Value) -> Value {
    json!({ "subject": "SPLICE.sendEvent", "name": name, "data": data })
}

/// Whether this is the answer to what [`splice_ask`] asked with this id.
pub fn is_splice_answer(message: &Value, id: &str) -> bool {
    message["subject"] == "SPLICE.getState.response" && message["message_id"] == id
}

/// The link in such an answer, if something was kept.
pub fn splice_kept(answer: &Value) -> Option<&str> {
    answer["state"]["link"].as_str().filter(|link| !link.is_empty())
}

/// The height of the content, in each dialect.
pub fn heights(height: f64) -> [Value; 3] {
    [
        News::Resize { height }.message(),
        json!({ "subject": "lti.frameResize", "height": height }),
        // Old copies of H5P's resizer read `height`.
        json!({ "context": "h5p", "action": "resize", "scrollHeight": height, "height": height }),
    ]
}

/// Gives a message of SPLICE or LTI the id that it needs to be told from others, unless it has one.
pub fn with_id(mut message: Value, id: String) -> Value {
    if message.get("subject").is_some() && message.get("message_id").is_none() {
        message["message_id"] = id.into();
    }
    message
}
