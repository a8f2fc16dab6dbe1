//! Preconditions: is the representation that a request means still the current one?
//!
//! Promise: a request whose condition is false changes nothing; conditions are looked at in the order of RFC 9110
//! section 13.2.2 (If-Match, else If-Unmodified-Since; If-None-Match, else If-Modified-Since), and not at all where the
//! request would fail without them (13.2.1): a GET or DELETE of what is not there is a 404. If-Match compares strongly,
//! If-None-Match weakly (8.8.3.2). A server may refuse unconditional updates with 428 (RFC 6585).

/// An entity tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag<'a> {
    /// `W/`: two representations that share it mean the same, but need not be the same bytes.
    pub weak: bool,
    /// The text between the quotes.
    pub tag: &'a str,
}

impl EntityTag<'_> {
    fn strongly_equals(self, other: EntityTag) -> bool {
        !self.weak && !other.weak && self.tag == other.tag
    }
}

/// The value of If-Match or If-None-Match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags<'a> {
    /// `*`: whatever there is.
    Any,
    /// These.
    List(&'a [EntityTag<'a>]),
}

/// The conditional header fields of a request. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preconditions<'a> {
    /// The current representation must be one of these.
    pub if_match: Option<Tags<'a>>,
    /// It must not have changed since; ignored beside If-Match.
    pub if_unmodified_since_s: Option<u64>,
    /// It must be none of these.
    pub if_none_match: Option<Tags<'a>>,
    /// It must have changed since; reads only, ignored beside If-None-Match.
    pub if_modified_since_s: Option<u64>,
}

/// What is stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Representation<'a> {
    /// Its entity tag.
    pub tag: EntityTag<'a>,
    /// When it last changed, if that is known, in seconds since 1970.
    pub modified_s: Option<u64>,
}

/// What a request wants to do, as far as preconditions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// GET, HEAD: needs something to be there.
    Read,
    /// PUT: replaces what is there, or creates it.
    Put,
    /// DELETE, PATCH: needs something to be there.
    Change,
}

/// What becomes of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Perform it.
    Met,
    /// 304: the client has the current representation.
    NotModified,
    /// 412: the condition is false.
    Failed,
    /// 428: an update must name a condition.
    Required,
}

/// Whether a request may be performed on `current` (`None`: there is nothing). `required`: updates without a condition
/// are refused.
pub fn decide(
    access: Access,
    conditions: &Preconditions,
    current: Option<Representation>,
    required: bool,
) -> Precondition {
    let read = access == Access::Read;
    if required && !read && *conditions == Preconditions::default() {
        return Precondition::Required;
    }
    if current.is_none() && access != Access::Put {
        return Precondition::Met;
    }
    let modified_s = current.and_then(|current| current.modified_s);
    let expected = match (conditions.if_match, conditions.if_unmodified_since_s, modified_s) {
        (Some(Tags::Any), ..) => current.is_some(),
        (Some(Tags::List(tags)), ..) => {
            current.is_some_and(|current| tags.iter().any(|tag| tag.strongly_equals(current.tag)))
        }
        (None, Some(since_s), Some(modified_s)) => modified_s <= since_s,
        (None, ..) => true,
    };
    if !expected {
        return Precondition::Failed;
    }
    let new = match (conditions.if_none_match, conditions.if_modified_since_s, modified_s) {
        (Some(Tags::Any), ..) => current.is_none(),
        (Some(Tags::List(tags)), ..) => {
            !current.is_some_and(|current| tags.iter().any(|tag| tag.tag == current.tag.tag))
        }
        (None, Some(since_s), Some(modified_s)) if read => modified_s > since_s,
        (None, ..) => true,
    };
    match (new, read) {
        (true, _) => Precondition::Met,
        (false, true) => Precondition::NotModified,
        (false, false) => Precondition::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Precondition::{Failed, Met, NotModified, Required};
    use proptest::prelude::*;

    const ONE: EntityTag = EntityTag { weak: false, tag: "1" };
    const WEAK_ONE: EntityTag = EntityTag { weak: true, tag: "1" };
    const TWO: EntityTag = EntityTag { weak: false, tag: "2" };
    const CURRENT: Option<Representation> = Some(Representation { tag: ONE, modified_s: Some(100) });

    fn if_match(tags: Tags<'static>) -> Preconditions<'static> {
        Preconditions { if_match: Some(tags), ..Preconditions::default() }
    }

    fn if_none_match(tags: Tags<'static>) -> Preconditions<'static> {
        Preconditions { if_none_match: Some(tags), ..Preconditions::default() }
    }

    #[test]
    fn a_lost_update_is_refused() {
        let put = |conditions, current| decide(Access::Put, &conditions, current, true);
        assert_eq!(put(if_match(Tags::List(&[TWO, ONE])), CURRENT), Met);
        assert_eq!(put(if_match(Tags::List(&[TWO])), CURRENT), Failed);
        assert_eq!(put(if_match(Tags::List(&[WEAK_ONE])), CURRENT), Failed, "strong comparison");
        assert_eq!([put(if_match(Tags::Any), CURRENT), put(if_match(Tags::Any), None)], [Met, Failed]);
        assert_eq!([put(if_none_match(Tags::Any), CURRENT), put(if_none_match(Tags::Any), None)], [Failed, Met]);
        assert_eq!(put(Preconditions::default(), CURRENT), Required);
        assert_eq!(decide(Access::Change, &Preconditions::default(), CURRENT, false), Met);
    }

    #[test]
    fn a_read_of_what_the_client_has_is_not_modified() {
        let get = |conditions| decide(Access::Read, &conditions, CURRENT, true);
        assert_eq!(get(if_none_match(Tags::List(&[WEAK_ONE]))), NotModified, "weak comparison");
        assert_eq!(get(if_none_match(Tags::List(&[TWO]))), Met);
        assert_eq!(get(if_match(Tags::List(&[TWO]))), Failed);
        assert_eq!(get(Preconditions::default()), Met);
    }

    #[test]
    fn dates_count_where_no_tag_does() {
        let since = |access, unmodified, modified, tags: Option<Tags<'static>>| {
            let conditions = Preconditions {
                if_match: None,
                if_unmodified_since_s: unmodified,
                if_none_match: tags,
                if_modified_since_s: modified,
            };
            decide(access, &conditions, CURRENT, false)
        };
        assert_eq!([99, 100].map(|at| since(Access::Put, Some(at), None, None)), [Failed, Met]);
        assert_eq!([99, 100].map(|at| since(Access::Read, None, Some(at), None)), [Met, NotModified]);
        assert_eq!(since(Access::Put, None, Some(100), None), Met, "for reads only");
        assert_eq!(since(Access::Read, None, Some(100), Some(Tags::List(&[TWO]))), Met, "the tag decides");
    }

    proptest! {
        /// Whatever the conditions: a request that needs something finds nothing before they are looked at; 304 is for
        /// reads, 412 and 428 leave everything as it is; If-Match comes before If-None-Match.
        #[test]
        fn the_order_of_the_rfc(
            access in prop::sample::select(&[Access::Read, Access::Put, Access::Change][..]),
            exists in any::<bool>(), required in any::<bool>(),
            matches in prop::option::of(prop::sample::select(&[Tags::Any, Tags::List(&[ONE]), Tags::List(&[TWO])][..])),
            none in prop::option::of(prop::sample::select(&[Tags::Any, Tags::List(&[ONE]), Tags::List(&[TWO])][..])),
        ) {
            let conditions = Preconditions { if_match: matches, if_none_match: none, ..Preconditions::default() };
            let current = CURRENT.filter(|_| exists);
            let found = |tags: Tags| exists && tags != Tags::List(&[TWO]);
            let expected = if required && access != Access::Read && matches.is_none() && none.is_none() {
                Required
            } else if !exists && access != Access::Put {
                Met
            } else if matches.is_some_and(|tags| !found(tags)) {
                Failed
            } else if none.is_some_and(found) {
                if access == Access::Read { NotModified } else { Failed }
            } else {
                Met
            };
            prop_assert_eq!(decide(access, &conditions, current, required), expected);
        }
    }
}
