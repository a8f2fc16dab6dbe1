//! What somebody puts into a page of their own to show a link there: the address, a frame, our element, or Markdown.

use super::Link;
use std::fmt::Write as _;

/// Width and height of a frame, in CSS pixels, that shows a lesson before the lesson tells its own height: the column of a book, and
/// all of stage and charts in it.
pub const FRAME: (u32, u32) = (750, 860);

/// A way to hand a link on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Snippet {
    /// The address alone.
    #[default]
    Link,
    /// A frame, which needs no script.
    Frame,
    /// Our element, with the script that defines it.
    Element,
    /// A link with its title, for Markdown.
    Markdown,
}

impl Snippet {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Snippet; 4] = [Snippet::Link, Snippet::Frame, Snippet::Element, Snippet::Markdown];

    /// The word for it, in any language of the page.
    #[inline]
    pub fn word(self) -> &'static str {
        match self {
            Snippet::Link => "link",
            Snippet::Frame => "frame",
            Snippet::Element => "element",
            Snippet::Markdown => "markdown",
        }
    }

    /// Whether the lesson then stands inside another page.
    #[inline]
    pub fn is_inside(self) -> bool {
        matches!(self, Snippet::Frame | Snippet::Element)
    }
}

/// Where the page lies that a link opens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Its address, without what it asks for.
    pub page: String,
    /// The folder of the whole site, with the slash at its end.
    pub site: String,
}

impl Place {
    /// The address of a link.
    #[inline]
    pub fn address(&self, link: &Link) -> String {
        format!("{}{}", self.page, link.query())
    }

    /// A link in one of the forms.
    #[inline]
    pub fn write(&self, form: Snippet, title: &str, link: &Link) -> String {
        match form {
            Snippet::Link => self.address(link),
            Snippet::Frame => format!(
                "<iframe src=\"{}\" title=\"{}\"\n  width=\"{}\" height=\"{}\" loading=\"lazy\" \
                 sandbox=\"allow-scripts allow-popups allow-popups-to-escape-sandbox\" allow=\"fullscreen\"></iframe>",
                quoted(&self.address(link)),
                quoted(title),
                FRAME.0,
                FRAME.1
            ),
            Snippet::Element => format!(
                "<script src=\"{}faultline.js\"></script>\n<faultline-lesson{} title=\"{}\"></faultline-lesson>",
                quoted(&self.site),
                attributes(link),
                quoted(title)
            ),
            Snippet::Markdown => {
                let plain = title.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
                format!("[{plain}]({})", self.address(link))
            }
        }
    }
}

/// Each parameter as an attribute of the element; an attribute cannot stand there twice, so what may goes into `link`.
#[inline]
fn attributes(link: &Link) -> String {
    let many = Link { set: link.set.clone(), resolve: link.resolve.clone(), ..Link::default() };
    let mut text = String::new();
    if many != Link::default() {
        let _ = write!(text, " link=\"{}\"", quoted(&many.query()));
    }
    let single = Link { set: Vec::new(), resolve: Vec::new(), embed: false, ..link.clone() };
    for (name, value) in single.pairs() {
        let _ = write!(text, " {name}=\"{}\"", quoted(&value));
    }
    // The element opens stage and evidence alone unless it is told otherwise.
    text + if link.embed { "" } else { " embed=\"0\"" }
}

/// A text as it stands in an attribute.
#[inline]
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { page: "https://x.org/f/lesson/a/".into(), site: "https://x.org/f/".into() }
    }

    fn link(query: &str) -> Link {
        let (link, problems) = Link::read(query);
        assert_eq!(problems, []);
        link
    }

    #[test]
    fn every_form_is_written_so_that_nothing_in_it_ends_it() {
        let (place, link) = (place(), link("?v=2&lesson=a&seed=3&embed=1"));
        let write = |form| place.write(form, "A \"b\" & [c]", &link);
        assert_eq!(write(Snippet::Link), "https://x.org/f/lesson/a/?v=2&lesson=a&seed=3&embed=1");
        let frame = write(Snippet::Frame);
        assert!(frame.contains("src=\"https://x.org/f/lesson/a/?v=2&amp;lesson=a&amp;seed=3&amp;embed=1\""), "{frame}");
        assert!(frame.contains("title=\"A &quot;b&quot; &amp; [c]\""), "{frame}");
        assert_eq!(
            write(Snippet::Element),
            "<script src=\"https://x.org/f/faultline.js\"></script>\n\
             <faultline-lesson lesson=\"a\" seed=\"3\" title=\"A &quot;b&quot; &amp; [c]\"></faultline-lesson>"
        );
        let markdown = write(Snippet::Markdown);
        assert!(markdown.starts_with("[A \"b\" & \\[c\\]](https://x.org/f/lesson/a/?v=2&"), "{markdown}");
    }

    #[test]
    fn what_stands_there_often_is_no_attribute_and_a_whole_lesson_is_asked_for() {
        let link = link("?v=2&lesson=a&set=a.b=1&set=c=%22x%22&t=2");
        let element = place().write(Snippet::Element, "A", &link);
        let attributes = " link=\"?v=2&amp;set=a.b%3D1&amp;set=c%3D%22x%22\" lesson=\"a\" t=\"2\" embed=\"0\" title=";
        assert!(element.contains(attributes), "{element}");
    }
}
