//! If-Match of a write: the version of the row that the writer has seen, as an entity tag.

use crate::policy::preconditions::{Access, EntityTag, Precondition, Preconditions, Representation, Tags, decide};
use crate::trace::Refusal;

/// Whether a write may change a row of which its writer has seen the version `seen` (None: it does not say which), and
/// which now has `current` (None: that is not known yet). `required`: a writer must say what it has seen.
pub fn check(seen: Option<u64>, current: Option<u64>, required: bool) -> Result<(), Refusal> {
    let texts = [seen, current].map(|version| version.map(|version| version.to_string()));
    let [seen, current] = texts.each_ref().map(|text| text.as_deref().map(|tag| EntityTag { weak: false, tag }));
    let conditions = Preconditions {
        if_match: seen.as_ref().map(|tag| Tags::List(std::slice::from_ref(tag))),
        ..Preconditions::default()
    };
    let current = current.map(|tag| Representation { tag, modified_s: None });
    match decide(Access::Put, &conditions, current, required) {
        Precondition::Met => Ok(()),
        Precondition::Required => Err(Refusal::PreconditionRequired),
        Precondition::Failed | Precondition::NotModified => Err(Refusal::PreconditionFailed),
    }
}
