//! All that the interface says, in tables: a file for each part of the page, a typed item for each text.
//!
//! `strings!` makes a function of each text, whose parameters are the text's placeholders: a text that is not there, or one whose
//! placeholders are not those that are given, does not compile. Each file also gets a struct `Table` with a field for each text,
//! of which English is one value: another language is another value, and the compiler names the fields that it lacks.
//!
//! What is no interface stays what it is, and carries `lang` ([`of_content`]) where the page speaks another language: lessons,
//! scenarios with their titles, and the sentences about events, which the core writes for the trace and the command line alike.
//! So are refusals, which name fields of documents, and numbers with their units.

pub mod charts;
pub mod evidence;
pub mod frame;
pub mod home;
pub mod language;
pub mod playground;
pub mod refusals;
pub mod scene;
pub mod share;
pub mod stage;
pub mod stops;
pub mod story;
pub mod transport;
pub mod what_if;

/// Declares the texts of a part of the page; see the module.
macro_rules! strings {
    ($($name:ident $(($($value:ident),+))? = $text:literal;)+) => {
        /// These texts in one language.
        #[allow(missing_docs)]
        struct Table { $($name: &'static str),+ }

        const ENGLISH: Table = Table { $($name: $text),+ };

        const fn table() -> &'static Table {
            // The only language there is; the pseudo-languages for tests are made of it.
            &ENGLISH
        }

        $(
            const _: () = assert!($crate::text::has_placeholders($text, &[$($(stringify!($value)),+)?]), stringify!($name));
            $crate::text::strings!(@item $name $(($($value),+))? $text);
        )+
    };
    (@item $name:ident $text:literal) => {
        #[doc = $text]
        pub fn $name() -> &'static str {
            $crate::text::language::say(table().$name)
        }
    };
    (@item $name:ident ($($value:ident),+) $text:literal) => {
        #[doc = $text]
        pub fn $name($($value: impl std::fmt::Display),+) -> String {
            $crate::text::language::fill(table().$name, &[$(stringify!($value)),+], &[$(&$value),+])
        }
    };
}
use strings;

/// Whether the placeholders of a text are these, no more and no fewer.
const fn has_placeholders(text: &str, names: &[&str]) -> bool {
    let text = text.as_bytes();
    let (mut at, mut found) = (0, 0);
    while at < text.len() {
        if text[at] == b'{' {
            let mut index = 0;
            while index < names.len() && !stands(text, at + 1, names[index].as_bytes()) {
                index += 1;
            }
            if index == names.len() {
                return false;
            }
            found += 1;
        }
        at += 1;
    }
    found == names.len()
}

/// Whether a name and a closing brace stand at a place of a text.
const fn stands(text: &[u8], at: usize, name: &[u8]) -> bool {
    let mut index = 0;
    while index < name.len() {
        if at + index >= text.len() || text[at + index] != name[index] {
            return false;
        }
        index += 1;
    }
    at + index < text.len() && text[at + index] == b'}'
}

#[cfg(test)]
mod tests {
    use super::has_placeholders;

    #[test]
    fn a_text_has_the_placeholders_that_it_is_declared_with() {
        assert!(has_placeholders("Stop", &[]));
        assert!(has_placeholders("{done} of {of} runs", &["of", "done"]));
        for (text, names) in [("{one}", &[][..]), ("{on}", &["one"]), ("{one", &["one"]), ("none", &["one"])] {
            assert!(!has_placeholders(text, names), "{text} {names:?}");
        }
    }
}
