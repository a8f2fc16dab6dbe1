//! What a site offers, for other programs: `manifest.json` names every lesson, and each lesson has an oEmbed document (oembed.com,
//! version 1.0) by which a page that is given its address knows how to embed it.

use sandbox_core::lesson::Lesson;
use sandbox_core::link::{FRAME, Language, Link, Place, Snippet, VERSION};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Width and height of a lesson's still, in pixels.
pub const STILL: (u32, u32) = (1200, 630);

/// The link to a lesson, in the present version.
pub fn link_to(lesson: &Lesson) -> Link {
    Link { lesson: Some(lesson.id.clone()), ..Link::default() }
}

/// The list of all lessons; addresses are relative to it. `version` of a lesson changes with anything that is taught in it.
pub fn manifest(all: &[Lesson], has_stills: bool) -> Value {
    let lesson = |lesson: &Lesson| {
        json!({
            "id": lesson.id,
            "number": lesson.number,
            "series": lesson.series,
            "title": lesson.title,
            "about": lesson.lede,
            "minutes": lesson.minutes,
            "languages": [Language::English.word()],
            "version": version(lesson),
            "page": format!("lesson/{0}/{1}", lesson.id, link_to(lesson).query()),
            "embed": Link { embed: true, ..link_to(lesson) }.query(),
            "still": has_stills.then(|| format!("lesson/{}/still.png", lesson.id)),
            "width": FRAME.0,
            "height": FRAME.1,
        })
    };
    json!({
        "name": "Faultline",
        "program": env!("CARGO_PKG_VERSION"),
        "link_version": VERSION,
        "lessons": all.iter().map(lesson).collect::<Vec<_>>(),
    })
}

/// The start of a digest over the lesson's file, in which document, prose and scenario are.
fn version(lesson: &Lesson) -> String {
    let file = lessons::file(&format!("{}.json", lesson.id)).unwrap_or_default();
    Sha256::digest(file).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// What a page that embeds the lesson needs, when the site lies at `address`.
pub fn oembed(lesson: &Lesson, address: &str, has_still: bool) -> Value {
    let place = Place { page: address.to_string(), site: address.to_string() };
    let mut document = json!({
        "version": "1.0",
        "type": "rich",
        "title": lesson.title,
        "provider_name": "Faultline",
        "provider_url": address,
        "html": place.write(Snippet::Frame, &lesson.title, &Link { embed: true, ..link_to(lesson) }),
        "width": FRAME.0,
        "height": FRAME.1,
    });
    if has_still {
        document["thumbnail_url"] = format!("{address}lesson/{}/still.png", lesson.id).into();
        document["thumbnail_width"] = STILL.0.into();
        document["thumbnail_height"] = STILL.1.into();
    }
    document
}
