//! Into a built site: a page for each lesson, for search engines and for whoever pastes its address somewhere, what other programs
//! read of them (`manifest.rs`), and the policy under which the site runs.

use super::escaped;
use super::manifest::{STILL, link_to, manifest, oembed};
use super::single::{element, titled};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox_core::lesson::Lesson;
use sandbox_core::scenario::Problem;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Writes `lesson/ID/index.html` for each lesson, `manifest.json` and `csp.txt`, and gives the policy. A site that knows the
/// `address` at which it will lie says it where others ask for whole addresses, and has `lesson/ID/oembed.json` too. Errors: what
/// the folder lacks, in a sentence.
pub fn pages(site: &Path, address: Option<&str>) -> Result<String, String> {
    let index = site.join("index.html");
    let index = std::fs::read_to_string(&index).map_err(|error| format!("{}: {error}", index.display()))?;
    let address = address.map(|address| format!("{}/", address.trim_end_matches('/')));
    let mut all = Vec::new();
    for (_, _, json, _) in lessons::LESSONS {
        let lesson = Lesson::parse(json);
        all.push(lesson.map_err(|problems| problems.iter().map(Problem::to_string).collect::<String>())?);
    }
    let has_still = |lesson: &Lesson| site.join("lesson").join(&lesson.id).join("still.png").is_file();
    for lesson in &all {
        let folder = format!("lesson/{}", lesson.id);
        let still = has_still(lesson);
        if let Some(address) = &address {
            write(site, &format!("{folder}/oembed.json"), &json(&oembed(lesson, address, still)))?;
        }
        write(site, &format!("{folder}/index.html"), &page(&index, lesson, address.as_deref(), still))?;
    }
    write(site, "manifest.json", &json(&manifest(&all, all.iter().all(has_still))))?;
    let policy = policy(&index);
    write(site, "csp.txt", &format!("Content-Security-Policy: {policy}\n"))?;
    Ok(policy)
}

fn write(site: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = site.join(name);
    let folder = path.parent().unwrap_or(site);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The page of a lesson: the site's own, two folders below.
fn page(index: &str, lesson: &Lesson, address: Option<&str>, has_still: bool) -> String {
    let (title, about) = (escaped(&lesson.title), escaped(&lesson.lede));
    let here = format!("{}lesson/{}/", address.unwrap_or_default(), lesson.id);
    let mut tags = format!(
        "<head>\n<base href=\"../../\">\n<meta property=\"og:type\" content=\"article\">\n\
         <meta property=\"og:site_name\" content=\"Faultline\">\n<meta property=\"og:title\" content=\"{title}\">\n\
         <meta property=\"og:description\" content=\"{about}\">\n"
    );
    if has_still {
        let (width, height) = STILL;
        tags += &format!(
            "<meta property=\"og:image\" content=\"{here}still.png\">\n<meta property=\"og:image:alt\" \
             content=\"{title}: the system at the moment that tells most\">\n<meta property=\"og:image:width\" content=\"{width}\">\n\
             <meta property=\"og:image:height\" content=\"{height}\">\n<meta name=\"twitter:card\" content=\"summary_large_image\">\n"
        );
    } else {
        tags += "<meta name=\"twitter:card\" content=\"summary\">\n";
    }
    if address.is_some() {
        tags += &format!(
            "<link rel=\"canonical\" href=\"{here}\">\n<meta property=\"og:url\" content=\"{here}\">\n\
             <link rel=\"alternate\" type=\"application/json+oembed\" href=\"{here}oembed.json\" title=\"{title}\">\n"
        );
    }
    described(titled(index, &link_to(lesson).query(), &lesson.title), &about).replacen("<head>\n", &tags, 1)
}

/// The page with a description of its own.
fn described(mut page: String, about: &str) -> String {
    if let Some((start, old)) = element(&page, "<meta name=\"description\"", ">") {
        page.replace_range(start..start + old.len(), &format!("<meta name=\"description\" content=\"{about}\">"));
    }
    page
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

    /// A site as Trunk makes it, in small.
    fn site() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let index = "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>x</title><meta name=\"description\" content=\"all\">\
            <script>alert(1)</script></head></html>";
        std::fs::write(folder.path().join("index.html"), index).unwrap();
        folder
    }

    fn read(site: &Path, name: &str) -> String {
        std::fs::read_to_string(site.join(name)).unwrap()
    }

    #[test]
    fn a_lesson_has_a_page_of_its_own_and_scripts_are_allowed_by_their_text() {
        let site = site();
        let policy = pages(site.path(), None).unwrap();
        // As `openssl dgst -sha256 -binary | base64` has it.
        assert!(policy.contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{policy}");
        for (id, _, json, _) in lessons::LESSONS {
            let (page, lesson) = (read(site.path(), &format!("lesson/{id}/index.html")), Lesson::parse(json).unwrap());
            let (title, about) = (escaped(&lesson.title), escaped(&lesson.lede));
            assert!(page.contains(&format!("<title>{title} · Faultline</title>")), "{page}");
            assert!(page.contains(&format!("data-link=\"?v=2&amp;lesson={id}\"")), "{page}");
            assert!(page.contains("<base href=\"../../\">") && !page.contains("content=\"all\""), "{page}");
            assert_eq!(
                page.matches(&format!("content=\"{about}\"")).count(),
                2,
                "for search engines and for others: {page}"
            );
            assert!(
                !page.contains("og:image") && !page.contains("oembed"),
                "nothing is promised that is not there: {page}"
            );
        }
    }

    #[test]
    fn with_stills_and_an_address_other_programs_learn_all_they_need() {
        let site = site();
        for (id, ..) in lessons::LESSONS {
            write(site.path(), &format!("lesson/{id}/still.png"), "a picture").unwrap();
        }
        pages(site.path(), Some("https://x.org/f")).unwrap();
        let manifest: Value = serde_json::from_str(&read(site.path(), "manifest.json")).unwrap();
        assert_eq!(manifest["lessons"].as_array().map(Vec::len), Some(lessons::LESSONS.len()));
        for ((id, ..), named) in lessons::LESSONS.iter().zip(manifest["lessons"].as_array().unwrap()) {
            let (page, oembed) = (
                read(site.path(), &format!("lesson/{id}/index.html")),
                read(site.path(), &format!("lesson/{id}/oembed.json")),
            );
            for whole in ["still.png\"", "oembed.json\"", "\">\n<meta property=\"og:url\""] {
                assert!(page.contains(&format!("\"https://x.org/f/lesson/{id}/{whole}")), "{whole}: {page}");
            }
            let oembed: Value = serde_json::from_str(&oembed).unwrap();
            let html = oembed["html"].as_str().unwrap();
            assert!(
                html.starts_with(&format!("<iframe src=\"https://x.org/f/?v=2&amp;lesson={id}&amp;embed=1\"")),
                "{html}"
            );
            assert_eq!(html.matches("<iframe").count(), 1);
            assert_eq!((&oembed["version"], &oembed["type"]), (&"1.0".into(), &"rich".into()));
            assert_eq!(oembed["title"], named["title"]);
            assert!(site.path().join(named["still"].as_str().unwrap()).is_file());
            assert!(
                site.path()
                    .join(named["page"].as_str().unwrap().split('?').next().unwrap())
                    .join("index.html")
                    .is_file()
            );
            assert_eq!(named["version"].as_str().map(str::len), Some(12));
        }
    }
}
