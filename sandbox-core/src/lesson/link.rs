//! Links of the prose that do something in the page: `[the next failure](#do-next-failure)`, `[p95](#term-p95)`.

use crate::time::Time;

/// What a link does.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// `#do-play`: plays.
    Play,
    /// `#do-next-failure`: to the next failed request.
    NextFailure,
    /// `#do-previous-failure`: to the one before.
    PreviousFailure,
    /// `#do-next-milestone`: to what changes the system next.
    NextMilestone,
    /// `#do-charts`, `#do-requests`, `#do-log`, `#do-health`, `#do-whatif`: shows that evidence.
    Show(Shown),
    /// `#do-why`: to the next failed request, and why it failed.
    Why,
    /// `#do-request-17`: to the end of that request, and where its time went.
    Request(u32),
    /// `#do-variant-a`: plays that variant.
    Variant(String),
    /// `#do-seek-20`: to that second.
    Seek(Time),
    /// `#term-p95`: the glossary's entry.
    Term(String),
}

/// What can be shown beside the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shown {
    Charts,
    Requests,
    Log,
    Health,
    WhatIf,
}

impl Link {
    /// Reads the target of a link; None: there is no such thing to do.
    #[inline]
    pub fn parse(href: &str) -> Option<Link> {
        if let Some(term) = href.strip_prefix("#term-") {
            return Some(Link::Term(term.into()));
        }
        Some(match href.strip_prefix("#do-")? {
            "play" => Link::Play,
            "next-failure" => Link::NextFailure,
            "previous-failure" => Link::PreviousFailure,
            "next-milestone" => Link::NextMilestone,
            "charts" => Link::Show(Shown::Charts),
            "requests" => Link::Show(Shown::Requests),
            "log" => Link::Show(Shown::Log),
            "health" => Link::Show(Shown::Health),
            "whatif" => Link::Show(Shown::WhatIf),
            "why" => Link::Why,
            other => match other.split_once('-')? {
                ("variant", id) => Link::Variant(id.to_ascii_uppercase()),
                ("request", number) => Link::Request(number.parse().ok()?),
                ("seek", second) => Link::Seek(Time::from_seconds(f64::from(second.parse::<u32>().ok()?))),
                _ => return None,
            },
        })
    }
}

/// The links of a text that lead to no other page, in order; the text is Markdown or the HTML made of it.
#[inline]
pub fn hrefs(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('#').filter_map(|(at, _)| {
        let closing = match text[..at].chars().next_back()? {
            '(' => ')',
            '"' => '"',
            _ => return None,
        };
        text[at..].split(closing).next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_markdown_and_in_html() {
        let markdown = "See [why](#do-why), issue #4 and [p95](#term-p95) (#1).";
        assert_eq!(hrefs(markdown).collect::<Vec<_>>(), ["#do-why", "#term-p95", "#1"]);
        let html = "See <a href=\"#do-why\">why</a>, issue #4.";
        assert_eq!(hrefs(html).collect::<Vec<_>>(), ["#do-why"]);
    }

    #[test]
    fn a_link_says_what_it_does_or_is_refused() {
        assert_eq!(Link::parse("#do-variant-a"), Some(Link::Variant("A".into())));
        assert_eq!(Link::parse("#do-seek-20"), Some(Link::Seek(Time::from_seconds(20.0))));
        assert_eq!(Link::parse("#do-request-17"), Some(Link::Request(17)));
        assert_eq!(Link::parse("#term-p95"), Some(Link::Term("p95".into())));
        for nothing in ["#do-seek-soon", "#do-dance", "#do-", "https://example.com"] {
            assert_eq!(Link::parse(nothing), None, "{nothing}");
        }
    }
}
