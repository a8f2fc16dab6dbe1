//! A link as a form: for each parameter what somebody writes there, and what of it is not understood.

use sandbox_core::link::{Group, Link, PARAMETERS, Parameter, VERSION, escaped};
use sandbox_core::scenario::Problem;
use sandbox_core::time::Time;

/// What belongs to one run and is wrong in any other.
const OF_ONE_RUN: [&str; 4] = ["resolve", "digest", "step", "request"];

/// The groups of parameters that are offered.
pub const GROUPS: [Group; 3] = [Group::Run, Group::Place, Group::Look];

/// The parameters of a group that are offered: not a document, which nobody writes by hand, nor a digest, which is computed.
pub fn offered(group: Group) -> impl Iterator<Item = &'static Parameter> {
    let is_offered =
        move |parameter: &&Parameter| parameter.group == group && !["document", "digest"].contains(&parameter.name);
    PARAMETERS.iter().filter(is_offered)
}

/// A link in work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkForm {
    /// What stands at each parameter; several values are lines.
    values: Vec<(&'static Parameter, String)>,
}

impl LinkForm {
    /// The form of a link to an event that happens at `at`: the instant stays when the event is no longer meant.
    pub fn of(link: &Link, at: Time) -> LinkForm {
        let pairs = Link { at: link.step.map(|_| at).or(link.at), ..link.clone() }.pairs();
        let value = |parameter: &'static Parameter| {
            let of_it = pairs.iter().filter(|(name, _)| *name == parameter.name);
            (parameter, of_it.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("\n"))
        };
        LinkForm { values: PARAMETERS.iter().map(value).collect() }
    }

    /// What stands at a parameter; empty: it is left out.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known.name == name).map_or("", |(_, value)| value)
    }

    /// Writes something there. Another run, or another instant, has none of this one's events.
    pub fn put(&mut self, name: &str, value: String) {
        for (parameter, kept) in &mut self.values {
            let of_one_run = OF_ONE_RUN.contains(&parameter.name);
            if parameter.name == name {
                kept.clone_from(&value);
            } else if of_one_run && is_of_run(name) || (name, parameter.name) == ("t", "step") {
                kept.clear();
            }
        }
    }

    /// The link, and what of it is not understood, by parameter.
    pub fn read(&self) -> (Link, Vec<Problem>) {
        let mut query = format!("?v={VERSION}");
        for (parameter, text) in &self.values {
            let values: Vec<&str> = if parameter.many { text.lines().collect() } else { vec![text] };
            for value in values.into_iter().filter(|value| !value.is_empty()) {
                query += &format!("&{}={}", parameter.name, escaped(value));
            }
        }
        Link::read(&query)
    }
}

/// Whether a parameter makes another run: progress does not.
fn is_of_run(name: &str) -> bool {
    offered(Group::Run).any(|parameter| parameter.name == name) && !["answer", "beat"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "?v=2&lesson=a&seed=3&set=a.b=1&set=c=%22x%22&digest=0123456789abcdef0123456789abcdef&step=7";

    fn form() -> LinkForm {
        let (link, problems) = Link::read(HERE);
        assert_eq!(problems, []);
        LinkForm::of(&link, Time::from_seconds(2.5))
    }

    #[test]
    fn a_form_is_the_link_that_it_was_made_of() {
        let (link, problems) = form().read();
        assert_eq!(problems, []);
        assert_eq!(Link { at: None, ..link.clone() }, Link::read(HERE).0);
        assert_eq!(link.at, Some(Time::from_seconds(2.5)), "for where the event is another one");
        assert_eq!(form().value("set"), "a.b=1\nc=\"x\"");
    }

    #[test]
    fn another_run_has_none_of_this_ones_events_but_its_instants() {
        let mut other = form();
        other.put("seed", "4".into());
        let (link, _) = other.read();
        assert_eq!((link.seed, link.step, link.digest), (Some(4), None, None));
        assert_eq!(link.at, Some(Time::from_seconds(2.5)));
        let mut later = form();
        later.put("t", "9".into());
        let (link, _) = later.read();
        assert_eq!((link.at, link.step, link.digest.is_some()), (Some(Time::from_seconds(9.0)), None, true));
        let mut darker = form();
        darker.put("theme", "dark".into());
        assert_eq!(darker.read().0.step, Some(7), "the look changes no run");
    }

    #[test]
    fn what_is_not_understood_has_the_name_of_its_field_and_is_left_out() {
        let mut form = form();
        form.put("seed", "three".into());
        form.put("lesson", "a&b=c".into());
        let (link, problems) = form.read();
        assert_eq!((link.seed, link.lesson.as_deref()), (None, Some("a&b=c")));
        assert!(matches!(&problems[..], [problem] if problem.path == "seed"), "{problems:?}");
    }
}
