//! A package for course systems: SCORM 1.2, one lesson as one unit (SCO), the page in one file and beside it the page that speaks
//! with the course system (`scorm12.html`).

use super::escaped;
use sandbox_core::lesson::Lesson;
use std::io::{Cursor, Write as _};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const SPEAKER: &str = include_str!("scorm12.html");

/// As a course system reads it; the names are those of SCORM 1.2's schemas.
const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="faultline.{id}" version="1.0"
  xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
  xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.imsproject.org/xsd/imscp_rootv1p1p2 imscp_rootv1p1p2.xsd http://www.adlnet.org/xsd/adlcp_rootv1p2 adlcp_rootv1p2.xsd">
  <metadata>
    <schema>ADL SCORM</schema>
    <schemaversion>1.2</schemaversion>
  </metadata>
  <organizations default="faultline">
    <organization identifier="faultline">
      <title>{title}</title>
      <item identifier="lesson" identifierref="page">
        <title>{title}</title>
        <adlcp:masteryscore>{pass}</adlcp:masteryscore>
      </item>
    </organization>
  </organizations>
  <resources>
    <resource identifier="page" type="webcontent" adlcp:scormtype="sco" href="index.html">
      <file href="index.html"/>
      <file href="lesson.html"/>
    </resource>
  </resources>
</manifest>
"#;

/// Packs a lesson's page, as [`super::single`] made it.
pub fn scorm12(lesson: &Lesson, page: &str) -> Result<Vec<u8>, String> {
    let fill = |template: &str| {
        let pass = (Lesson::PASS * 100.0).to_string();
        template.replace("{id}", &lesson.id).replace("{title}", &escaped(&lesson.title)).replace("{pass}", &pass)
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let files = [("imsmanifest.xml", fill(MANIFEST)), ("index.html", fill(SPEAKER)), ("lesson.html", page.to_string())];
    for (name, text) in files {
        zip.start_file(name, SimpleFileOptions::default()).map_err(|error| error.to_string())?;
        zip.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    }
    Ok(zip.finish().map_err(|error| error.to_string())?.into_inner())
}
