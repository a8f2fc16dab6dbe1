//! Where something stands in a document.

use std::fmt;

/// The way to a place of a document, step by step. It is put into words only where something is wrong.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// A place by its dotted path.
    #[inline]
    pub const fn new(path: &'a str) -> Path<'a> {
        Path { above: None, step: Step::Name(path) }
    }

    /// A field of this place, or one further inside by its dotted path.
    // A call is shorter than what it does, and there are hundreds.
    #[inline(never)]
    pub fn at(&'a self, field: &'a str) -> Path<'a> {
        Path { above: Some(self), step: Step::Name(field) }
    }

    /// An item of the list at this place.
    #[inline(never)]
    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path { above: Some(self), step: Step::Index(index) }
    }

    #[inline]
    fn is_top(&self) -> bool {
        matches!((self.above, self.step), (None, Step::Name("")))
    }
}

impl fmt::Display for Path<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above.filter(|above| !above.is_top()) {
            write!(f, "{above}.")?;
        }
        match self.step {
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "{index}"),
        }
    }
}

/// Whether a dotted path is that of a place or leads into it; every path leads into the empty one.
#[inline]
pub(super) fn is_within(path: &str, place: &str) -> bool {
    let inside = path.strip_prefix(place);
    inside.is_some_and(|inside| place.is_empty() || inside.is_empty() || inside.starts_with('.'))
}
