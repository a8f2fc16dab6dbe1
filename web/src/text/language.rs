//! Which language the page speaks, and how a text of a table becomes one that is shown.
//!
//! Pseudo-languages are for tests: each text stands between `⟦` and `⟧`, so that a test finds what is in no table, and is made
//! what other languages make of texts: twice as long, with a word that no line can break, from right to left, or with markup in it.

use sandbox_core::link::Language;
use std::cell::{Cell, RefCell};
use std::fmt::{Display, Write};

thread_local!(static SPOKEN: Cell<Language> = const { Cell::new(Language::English) });

/// The language that the page speaks.
pub fn spoken() -> Language {
    SPOKEN.get()
}

/// From now on the page speaks this one. What was said before has to be drawn anew.
pub fn speak(language: Language) {
    SPOKEN.set(language);
    if let Some(root) = web_sys::window().and_then(|window| window.document()).and_then(|page| page.document_element())
    {
        let _ = root.set_attribute("lang", language.word());
        let _ = root.set_attribute("dir", if language == Language::Mirrored { "rtl" } else { "ltr" });
    }
}

/// The language of lessons, scenarios and sentences about events, for whatever holds them; None where the page speaks it too.
pub fn of_content() -> Option<&'static str> {
    (spoken() != Language::English).then_some("en")
}

/// A text of a table.
pub fn say(text: &'static str) -> &'static str {
    match spoken() {
        Language::English => text,
        pseudo => keep(&between(pseudo, &letters(pseudo, text))),
    }
}

/// A text of a table with its placeholders filled.
pub fn fill(text: &str, names: &[&str], values: &[&dyn Display]) -> String {
    let language = spoken();
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(&letters(language, before));
        if let Some((_, value)) = names.iter().zip(values).find(|(known, _)| **known == name) {
            let written = write!(filled, "{value}");
            debug_assert!(written.is_ok(), "a string takes all");
        }
        rest = after;
    }
    filled.push_str(&letters(language, rest));
    between(language, &filled)
}

/// A table's own letters: Hebrew ones in the mirrored language.
fn letters(language: Language, text: &str) -> std::borrow::Cow<'_, str> {
    if language != Language::Mirrored {
        return text.into();
    }
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        latin @ 'a'..='z' => char::from_u32(0x5d0 + latin as u32 - 'a' as u32).unwrap_or(letter),
        _ => letter,
    };
    text.chars().map(letter).collect()
}

/// The whole of a text, as a pseudo-language has it.
fn between(language: Language, text: &str) -> String {
    let (again, more) = match language {
        Language::English => return text.into(),
        Language::Doubled => (text, ""),
        Language::Long => ("", "Überlängenprüfungswörter"),
        Language::Mirrored => ("", ""),
        Language::Markup => ("", "<u data-injected=\"\">&lt;"),
    };
    let space = if again.is_empty() && more.is_empty() { "" } else { " " };
    ["⟦", text, space, again, more, "⟧"].concat()
}

/// The same text for ever. For texts of which there are a few, however long the page is open: the tables', names of parts.
pub fn keep(text: &str) -> &'static str {
    thread_local!(static KEPT: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });
    KEPT.with_borrow_mut(|kept| match kept.iter().find(|known| **known == text) {
        Some(known) => known,
        None => {
            let text: &'static str = Box::leak(text.to_string().into_boxed_str());
            kept.push(text);
            text
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_language<T>(language: Language, said: impl Fn() -> T) -> T {
        SPOKEN.set(language);
        let said = said();
        SPOKEN.set(Language::English);
        said
    }

    #[test]
    fn english_is_what_the_table_has_and_placeholders_are_filled() {
        assert_eq!(say("Play"), "Play");
        assert_eq!(fill("{done} of {of} runs", &["done", "of"], &[&3, &"20"]), "3 of 20 runs");
    }

    #[test]
    fn pseudo_languages_change_the_texts_and_leave_the_values() {
        let text = || fill("Go to {what}", &["what"], &[&"api"]);
        assert_eq!(in_language(Language::Doubled, text), "⟦Go to api Go to api⟧");
        assert_eq!(in_language(Language::Long, text), "⟦Go to api Überlängenprüfungswörter⟧");
        assert_eq!(in_language(Language::Mirrored, || fill("Ab {what}", &["what"], &[&"api"])), "⟦\u{5d0}\u{5d1} api⟧");
        assert!(in_language(Language::Markup, text).contains("api <u"));
        assert_eq!(in_language(Language::Doubled, || say("Play")), "⟦Play Play⟧");
        assert_eq!(in_language(Language::Doubled, of_content), Some("en"));
        assert_eq!(of_content(), None);
    }
}
