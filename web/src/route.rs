//! The page's own address. There is no router: a lesson is a parameter, so that a page works in any folder and frame.

use sandbox_core::link::{Link, PARAMETERS, Place};
use sandbox_core::scenario::Problem;

/// The lesson that an address is about which names none but asks for something of a lesson.
pub const FIRST_LESSON: &str = "the-database-goes-away";

/// What the page's address asks for, and what of it was not understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// What it asks for.
    pub link: Link,
    /// What was not understood, by parameter.
    pub unread: Vec<Problem>,
}

impl Asked {
    /// What an address asks for.
    pub fn of(address: &str) -> Asked {
        let (link, unread) = Link::read(address);
        Asked { link, unread }
    }

    /// Whether nothing of a lesson is asked for: the page with all lessons.
    pub fn is_home(&self) -> bool {
        let of_a_lesson = |problem: &Problem| PARAMETERS.iter().any(|parameter| parameter.name == problem.path);
        Link { theme: None, motion: None, lang: None, ..self.link.clone() } == Link::default()
            && !self.unread.iter().any(of_a_lesson)
    }

    /// Whether a document is to be changed, not only looked at.
    pub fn is_workshop(&self) -> bool {
        (self.link.playground || self.link.document.is_some()) && !self.link.embed
    }

    /// What the page's own address asks for. Where it asks for nothing, what the page was exported for: an address cannot be
    /// written beside a file that was sent to somebody.
    pub fn of_page() -> Asked {
        let window = web_sys::window();
        let query = window.as_ref().and_then(|window| window.location().search().ok()).unwrap_or_default();
        let exported = || window.as_ref()?.document()?.document_element()?.get_attribute("data-link");
        Asked::of_page_for(&query, &exported().unwrap_or_default())
    }

    /// What an address asks for at a page that was exported for a lesson: of that lesson, if it names nothing else.
    fn of_page_for(query: &str, exported: &str) -> Asked {
        let own = Asked::of(exported);
        if query.is_empty() {
            return own;
        }
        let mut asked = Asked::of(query);
        let Link { lesson, scenario, document, playground, .. } = &asked.link;
        if lesson.is_none() && scenario.is_none() && document.is_none() && !playground {
            (asked.link.lesson, asked.link.scenario, asked.link.document) =
                (own.link.lesson, own.link.scenario, own.link.document);
        }
        asked
    }
}

/// Whether the page is one file that carries its lesson, without the rest of the site.
pub fn is_alone() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| document.query_selector("script[data-course]").is_ok_and(|course| course.is_some()))
}

/// Where the page lies, and the site around it.
pub fn place() -> Place {
    let window = web_sys::window();
    let page = window.as_ref().map(|window| window.location());
    let page = page.and_then(|at| Some(at.origin().ok()? + &at.pathname().ok()?)).unwrap_or_default();
    let base = window.and_then(|window| window.document()?.base_uri().ok().flatten()).unwrap_or_default();
    let base = base.split(['?', '#']).next().unwrap_or_default();
    let site = base.rfind('/').map_or("", |slash| &base[..=slash]).to_string();
    Place { page, site }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `index.html` shows a still before the program is there, of all lessons or of one.
    #[test]
    fn the_still_knows_which_parameters_are_of_a_lesson() {
        let script = include_str!("../../index.html");
        let list =
            script.split_once("ofALesson = [").and_then(|(_, rest)| rest.split_once(']')).expect("there is a list").0;
        let mut listed: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
        let names = PARAMETERS.iter().map(|parameter| parameter.name);
        let mut known: Vec<&str> = names.filter(|name| !["v", "theme", "motion", "lang"].contains(name)).collect();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }

    #[test]
    fn a_page_of_one_lesson_is_about_it_unless_the_address_names_another() {
        let lesson = |query: &str| Asked::of_page_for(query, "?v=2&lesson=one-request&seed=5").link;
        assert_eq!((lesson("").lesson.as_deref(), lesson("").seed), (Some("one-request"), Some(5)));
        let moment = lesson("?v=2&seed=3");
        assert_eq!((moment.lesson.as_deref(), moment.seed), (Some("one-request"), Some(3)));
        assert_eq!(lesson("?v=2&lesson=one-writer-at-a-time").lesson.as_deref(), Some("one-writer-at-a-time"));
        assert_eq!(lesson("?v=2&scenario=database-outage").lesson, None);
        assert_eq!(lesson("?playground").lesson, None);
    }

    #[test]
    fn an_address_that_asks_for_nothing_of_a_lesson_is_that_of_all_lessons() {
        for home in ["", "?theme=dark&utm_source=mail", "?v=2&lang=en&motion=reduce"] {
            assert!(Asked::of(home).is_home(), "{home}");
        }
        for of_a_lesson in ["?lesson=x", "?recording=/api/recording", "?embed=1", "?t=3", "?seed=2", "?seed=x"] {
            assert!(!Asked::of(of_a_lesson).is_home(), "{of_a_lesson}");
        }
    }
}
