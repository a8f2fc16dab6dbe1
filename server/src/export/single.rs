//! The page of one lesson in one HTML file: it needs nothing beside it, so that it runs from a USB stick (`file://`) and in frames
//! without an origin of their own, whose requests no server answers.

use super::{escaped, opening};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sandbox_core::lesson::Lesson;
use std::io::Write as _;
use std::path::Path;

/// Loads the program from the text in the file, as Trunk's own lines do from files beside it. In a block, because the glue before it has
/// names of its own.
const LOADER: &str = "{
const packed = Uint8Array.from(atob('{packed}'), (letter) => letter.charCodeAt(0));
const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
const wasm = await __wbg_init({ module_or_path: await new Response(bytes).arrayBuffer() });
dispatchEvent(new CustomEvent('TrunkApplicationStarted', { detail: { wasm } }));
}
";

/// Makes the file of what lies in the folder of the built site, with the file of this lesson; the page opens what `query` asks for
/// when its own address asks for nothing. Errors: what the folder lacks, in a sentence.
pub fn single(site: &Path, query: &str, lesson: &Lesson) -> Result<String, String> {
    let text = |name: &str| {
        let path = site.join(name.trim_start_matches("./"));
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut page = text("index.html")?;
    let (start, module) =
        element(&page, "<script type=\"module\"", "</script>").ok_or("index.html starts no program")?;
    let module = module.to_string();
    let glue = quoted(&module, ".js").ok_or("index.html names no JavaScript of the program")?;
    let wasm = site.join(quoted(&module, ".wasm").ok_or("index.html names no WebAssembly")?.trim_start_matches("./"));
    let wasm = std::fs::read(&wasm).map_err(|error| format!("{}: {error}", wasm.display()))?;
    let glue = text(glue)?;
    if glue.lines().any(|line| line.starts_with("import ")) {
        return Err("the program's JavaScript needs files of its own, which one file cannot hold".into());
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let packed = gzip.write_all(&wasm).and_then(|()| gzip.finish()).map_err(|error| error.to_string())?;
    let program = glue + &LOADER.replace("{packed}", &STANDARD.encode(packed));
    // The text of a script ends at the first such tag, whatever stands around it.
    let program = program.replace("</script", "<\\/script");
    page.replace_range(start..start + module.len(), &format!("<script type=\"module\">\n{program}</script>"));
    page = inline_links(page, &text)?;
    let name = format!("{}.json", lesson.id);
    // No text in it may end the script: in JSON a stroke may stand escaped.
    let course = text(&format!("course/{name}"))?.replace("</", "<\\/");
    // Before the page's own script, which looks whether it has to be fetched.
    let course = format!("<script type=\"application/json\" data-course=\"{name}\">{course}</script>\n<script>");
    page = page.replacen("<script>", &course, 1);
    Ok(titled(&page, query, &lesson.title))
}

/// The page with a title of its own, opening what `query` asks for when its own address asks for nothing.
pub(super) fn titled(page: &str, query: &str, title: &str) -> String {
    let mut page = opening(page, query);
    if let Some((start, old)) = element(&page, "<title>", "</title>") {
        page.replace_range(start..start + old.len(), &format!("<title>{} · Faultline</title>", escaped(title)));
    }
    page
}

/// Puts style sheets where they are linked, and takes out the links that only fetch ahead.
fn inline_links(mut page: String, text: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut from = 0;
    while let Some((start, link)) = element(&page[from..], "<link", ">") {
        let (start, link) = (from + start, link.to_string());
        let is = |what: &str| link.contains(&format!("rel=\"{what}\""));
        let instead = match attribute(&link, "href") {
            Some(href) if is("stylesheet") => format!("<style>\n{}</style>", text(href)?),
            Some(_) if is("modulepreload") || is("preload") => String::new(),
            _ => link.clone(),
        };
        page.replace_range(start..start + link.len(), &instead);
        from = start + instead.len();
    }
    Ok(page)
}

/// Where an element begins, and its text up to its end.
pub(super) fn element<'a>(page: &'a str, begin: &str, end: &str) -> Option<(usize, &'a str)> {
    let start = page.find(begin)?;
    let length = page[start..].find(end)? + end.len();
    Some((start, &page[start..start + length]))
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!("{name}=\""))?.1.split('"').next()
}

/// The name in quotes that ends so.
fn quoted<'a>(text: &'a str, ending: &str) -> Option<&'a str> {
    text.split(['\'', '"']).find(|part| part.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "<!doctype html><html lang=\"en\"><head><title>x</title>
<link rel=\"icon\" href=\"data:,\"><script>early();</script>
<script type=\"module\">import init from './page-1.js'; const wasm = await init({ module_or_path: './page-1_bg.wasm' });</script>
<link rel=\"stylesheet\" href=\"./style-1.css\"/><link rel=\"modulepreload\" href=\"./page-1.js\"></head><body></body></html>";

    fn site(glue: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let files = [("index.html", INDEX), ("page-1.js", glue), ("page-1_bg.wasm", "\0asm"), ("style-1.css", "b{}")];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::create_dir(folder.path().join("course")).unwrap();
        let course = format!("course/{}.json", lesson().id);
        std::fs::write(folder.path().join(course), "{\"prose\":[\"</script>\"]}").unwrap();
        folder
    }

    fn lesson() -> Lesson {
        let (json, _) = lessons::lesson("one-request").unwrap();
        Lesson { title: "A & B".into(), ..Lesson::parse(json).unwrap() }
    }

    #[test]
    fn one_file_holds_it_all_and_nothing_in_it_ends_the_script() {
        let site = site("const s = '</script>';\nexport { __wbg_init as default };\n");
        let page = single(site.path(), "?v=2&lesson=a", &lesson()).unwrap();
        assert!(page.contains("<html data-link=\"?v=2&amp;lesson=a\" lang=\"en\">"), "{page}");
        assert!(
            page.contains("<title>A &amp; B · Faultline</title>") && page.contains("<style>\nb{}</style>"),
            "{page}"
        );
        assert!(!page.contains("./"), "nothing lies beside it: {page}");
        assert_eq!(page.matches("</script>").count(), 3, "{page}");
        assert!(page.contains("data-course=\"one-request.json\">{\"prose\":[\"<\\/script>\"]}</script>"), "{page}");
    }

    #[test]
    fn what_the_folder_lacks_is_named() {
        let site = site("import { x } from './snippets/a.js';\n");
        assert!(single(site.path(), "?v=2", &lesson()).unwrap_err().contains("files of its own"));
        std::fs::remove_file(site.path().join("page-1_bg.wasm")).unwrap();
        assert!(single(site.path(), "?v=2", &lesson()).unwrap_err().contains("page-1_bg.wasm"));
        assert!(single(Path::new("/no/such/folder"), "?v=2", &lesson()).unwrap_err().contains("index.html"));
    }
}
