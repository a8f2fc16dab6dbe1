//! Into a built site: a page for each lesson, for search engines and for whoever pastes its address somewhere, and the policy under
//! which the site runs.

use super::escaped;
use super::single::{element, titled};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox_core::lesson::Lesson;
use sandbox_core::link::Link;
use sandbox_core::scenario::Problem;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Writes `lesson/ID/index.html` for each lesson and `csp.txt`, and gives the policy. Errors: what the folder lacks, in a sentence.
pub fn pages(site: &Path) -> Result<String, String> {
    let index = site.join("index.html");
    let index = std::fs::read_to_string(&index).map_err(|error| format!("{}: {error}", index.display()))?;
    for (id, _, json, _) in lessons::LESSONS {
        let lesson =
            Lesson::parse(json).map_err(|problems| problems.iter().map(Problem::to_string).collect::<String>())?;
        let folder = site.join("lesson").join(id);
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("index.html"), page(&index, &lesson)));
        written.map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let policy = policy(&index);
    std::fs::write(site.join("csp.txt"), format!("Content-Security-Policy: {policy}\n"))
        .map_err(|error| format!("{}: {error}", site.display()))?;
    Ok(policy)
}

/// The page of a lesson: the site's own, two folders below.
fn page(index: &str, lesson: &Lesson) -> String {
    let link = Link { lesson: Some(lesson.id.clone()), ..Link::default() };
    let (title, about) = (escaped(&lesson.title), escaped(&lesson.lede));
    let tags = format!(
        "<head>\n<base href=\"../../\">\n<meta property=\"og:type\" content=\"article\">\n\
         <meta property=\"og:site_name\" content=\"Faultline\">\n<meta property=\"og:title\" content=\"{title}\">\n\
         <meta property=\"og:description\" content=\"{about}\">\n<meta name=\"twitter:card\" content=\"summary\">"
    );
    titled(index, &link.query(), &lesson.title).replacen("<head>", &tags, 1)
}

/// The Content-Security-Policy under which the site's own page runs: its scripts by their text, and WebAssembly.
fn policy(index: &str) -> String {
    let (mut hashes, mut rest) = (String::new(), index);
    while let Some((start, script)) = element(rest, "<script", "</script>") {
        rest = &rest[start + script.len()..];
        let text = script.split_once('>').map_or("", |(_, text)| text).trim_end_matches("</script>");
        if !text.is_empty() {
            hashes += &format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
        }
    }
    // Yew and the charts set styles of single elements.
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_has_a_page_of_its_own_and_scripts_are_allowed_by_their_text() {
        let folder = tempfile::tempdir().unwrap();
        let index =
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>x</title><script>alert(1)</script></head></html>";
        std::fs::write(folder.path().join("index.html"), index).unwrap();
        let policy = pages(folder.path()).unwrap();
        // As `openssl dgst -sha256 -binary | base64` has it.
        assert!(policy.contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{policy}");
        for (id, _, json, _) in lessons::LESSONS {
            let page = std::fs::read_to_string(folder.path().join("lesson").join(id).join("index.html")).unwrap();
            let title = escaped(&Lesson::parse(json).unwrap().title);
            assert!(page.contains(&format!("<title>{title} · Faultline</title>")), "{page}");
            assert!(page.contains(&format!("data-link=\"?v=2&amp;lesson={id}\"")), "{page}");
            assert!(page.contains("<base href=\"../../\">") && page.contains("og:description"), "{page}");
        }
    }
}
